//! The second implementor of the seam: row by row, in the obvious way, for tests to hold the column store to.
//!
//! It shares the loaded columns with the store, and none of its planning, skipping, kernels or merging.

use crate::rows::{measure_value, source_rows};
use crate::segment::MeasureSource;
use crate::version::{GroupData, Version};
use facetta_model::catalog::{Catalog, Hierarchy};
use facetta_model::definition::Aggregator;
use facetta_model::{
    Context, Grain, MeasureColumn, MeasureData, MemberId, Path, Result, RowsRequest, Rowset, Snapshot, Subcube,
    SubcubeFilter, SubcubeRequest, TupleFilter, bail, error,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// A snapshot that answers row by row.
pub(crate) struct NaiveSnapshot {
    pub(crate) version: Arc<Version>,
}

/// One fact row: the member that it attaches to in each path column, and where its values are.
struct Row<'a> {
    members: Vec<MemberId>,
    segment: &'a crate::segment::Segment,
    at: usize,
}

impl Snapshot for NaiveSnapshot {
    fn catalog(&self) -> &Arc<Catalog> {
        &self.version.catalog
    }

    fn data_version(&self) -> u64 {
        self.version.number
    }

    fn subcube(&self, request: &SubcubeRequest, context: &Context) -> Result<Subcube> {
        let data = self.version.group(request.group)?;
        let mut groups: BTreeMap<Vec<MemberId>, Vec<Cell>> = BTreeMap::new();
        let aggregators = &self.version.catalog.measure_groups[request.group.index()].measures;
        let mut step = 0;
        context.check()?;
        context.counters().scans.fetch_add(1, Relaxed);
        for placed in &data.segments {
            context.counters().rows_read.fetch_add(placed.segment.rows as u64, Relaxed);
            for at in 0..placed.segment.rows {
                context.check_every(&mut step)?;
                let maps = placed.maps.iter().zip(&placed.segment.paths);
                let members = maps.map(|(map, column)| map.member(column.codes.get(at))).collect();
                let row = Row { members, segment: &placed.segment, at };
                if !self.passes(&row, request, data)? {
                    continue;
                }
                let Some(key) = self.key(&row, request, data)? else { continue };
                let cells =
                    groups.entry(key).or_insert_with(|| request.measures.iter().map(|_| Cell::default()).collect());
                for (cell, &measure) in cells.iter_mut().zip(&request.measures) {
                    cell.add(&row, measure as usize, data)?;
                }
            }
        }
        let nothing = request.axes.is_empty() && groups.is_empty();
        if nothing {
            groups.insert(Vec::new(), request.measures.iter().map(|_| Cell::default()).collect());
        }
        let mut answer = Subcube { rows: groups.len(), keys: vec![Vec::new(); request.axes.len()], values: Vec::new() };
        for key in groups.keys() {
            answer.keys.iter_mut().zip(key).for_each(|(to, member)| to.push(*member));
        }
        for (at, &measure) in request.measures.iter().enumerate() {
            let stored = &aggregators[measure as usize];
            let cells: Vec<&Cell> = groups.values().map(|cells| &cells[at]).collect();
            answer.values.push(column(
                &cells,
                stored.aggregator,
                data.scales[measure as usize],
                nothing,
                &stored.name,
            )?);
        }
        Ok(answer)
    }

    fn source_rows(&self, request: &RowsRequest, context: &Context) -> Result<Rowset> {
        source_rows(&self.version, request, context)
    }
}

impl NaiveSnapshot {
    fn hierarchy(&self, request: &SubcubeRequest, path: Path) -> Result<&Hierarchy> {
        let catalog = &self.version.catalog;
        let link = catalog.measure_groups[request.group.index()].links.get(path.link.index());
        let dimension = link.and_then(|l| catalog.dimensions.get(l.dimension.index()));
        let hierarchy = dimension.and_then(|d| d.hierarchies.get(path.hierarchy as usize));
        hierarchy.map(|h| &**h).ok_or_else(|| error!(Internal, "no such path"))
    }

    fn passes(&self, row: &Row<'_>, request: &SubcubeRequest, data: &GroupData) -> Result<bool> {
        for SubcubeFilter { path, subtrees, own } in &request.filters {
            let member = row.members[data.column(*path)?];
            let hierarchy = self.hierarchy(request, *path)?;
            if !subtrees.iter().any(|&s| is_under(hierarchy, member, s)) && !own.contains(&member) {
                return Ok(false);
            }
        }
        for TupleFilter { paths, tuples } in &request.tuples {
            if paths.is_empty() || !tuples.len().is_multiple_of(paths.len()) {
                bail!(Internal, "a tuple filter has incomplete tuples");
            }
            let mut any = false;
            for tuple in tuples.chunks_exact(paths.len()) {
                let mut all = true;
                for (path, &wanted) in paths.iter().zip(tuple) {
                    all &= is_under(self.hierarchy(request, *path)?, row.members[data.column(*path)?], wanted);
                }
                any |= all;
            }
            if !any {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The members of a row on the axes; none if it has none on one of them.
    fn key(&self, row: &Row<'_>, request: &SubcubeRequest, data: &GroupData) -> Result<Option<Vec<MemberId>>> {
        let mut key = Vec::new();
        for axis in &request.axes {
            let hierarchy = self.hierarchy(request, axis.path)?;
            let leaf = row.members[data.column(axis.path)?];
            let member = match axis.grain {
                Grain::Own => leaf,
                Grain::Depth(0) if hierarchy.has_all => MemberId(0),
                Grain::Depth(_) if leaf.is_null() => leaf,
                Grain::Depth(depth) => climb(hierarchy, leaf, usize::from(depth)),
            };
            if member.is_null() {
                return Ok(None);
            }
            key.push(member);
        }
        Ok(Some(key))
    }
}

/// The ancestor at a depth by one parent after the other.
fn climb(hierarchy: &Hierarchy, leaf: MemberId, depth: usize) -> MemberId {
    let mut path = vec![leaf];
    while let Some(&last) = path.last() {
        let parent = hierarchy.members.parent(last);
        if parent.is_null() {
            break;
        }
        path.push(parent);
    }
    path.reverse();
    path.get(depth).copied().unwrap_or(MemberId::NULL)
}

fn is_under(hierarchy: &Hierarchy, member: MemberId, ancestor: MemberId) -> bool {
    if hierarchy.all_member() == Some(ancestor) {
        return true;
    }
    let mut at = member;
    while !at.is_null() {
        if at == ancestor {
            return true;
        }
        at = hierarchy.members.parent(at);
    }
    false
}

/// Everything that any aggregator could want of the rows of a cell.
#[derive(Default)]
struct Cell {
    units: i128,
    double: f64,
    count: u64,
    smallest: Option<f64>,
    largest: Option<f64>,
    small_unit: Option<i64>,
    large_unit: Option<i64>,
    codes: BTreeSet<u32>,
}

impl Cell {
    fn add(&mut self, row: &Row<'_>, measure: usize, data: &GroupData) -> Result<()> {
        use crate::column::Numbers;
        match row.segment.measures[measure] {
            MeasureSource::Absent => {}
            MeasureSource::Rows => self.count += 1,
            MeasureSource::Flag(_) => {
                let counted = measure_value(row.segment, data, measure, row.at);
                self.count += counted.as_f64().unwrap_or(0.0) as u64;
            }
            MeasureSource::Distinct(at) => {
                let column = &row.segment.distincts[at];
                let code = column.codes.get(row.at);
                if (code as usize) < column.space - 1 {
                    self.codes.insert(code);
                }
            }
            MeasureSource::Number(at) => {
                let column = &row.segment.numbers[at];
                if !column.is_valid(row.at) {
                    return Ok(());
                }
                self.count += 1;
                match &column.numbers {
                    Numbers::Scaled { units, .. } => {
                        let unit = units[row.at];
                        self.units += i128::from(unit);
                        self.small_unit = Some(self.small_unit.map_or(unit, |s| s.min(unit)));
                        self.large_unit = Some(self.large_unit.map_or(unit, |l| l.max(unit)));
                    }
                    Numbers::Double(values) => {
                        let value = values[row.at];
                        self.double += value;
                        self.smallest = Some(self.smallest.map_or(value, |s| s.min(value)));
                        self.largest = Some(self.largest.map_or(value, |l| l.max(value)));
                    }
                }
            }
        }
        Ok(())
    }
}

fn column(
    cells: &[&Cell],
    aggregator: Aggregator,
    scale: Option<u8>,
    nothing: bool,
    name: &str,
) -> Result<MeasureColumn> {
    let too_large = || error!(Invalid, "a sum of the measure '{name}' is too large");
    let counts = matches!(aggregator, Aggregator::Count | Aggregator::DistinctCount);
    let present: Vec<bool> = cells.iter().map(|c| !nothing && (counts || c.count > 0)).collect();
    let whole = |unit: &dyn Fn(&Cell) -> Option<i64>, scale: u8| -> MeasureData {
        MeasureData::Scaled { units: cells.iter().map(|c| unit(c).unwrap_or(0)).collect(), scale }
    };
    let double = |value: &dyn Fn(&Cell) -> f64| MeasureData::Double(cells.iter().map(|c| value(c)).collect());
    let data = match (aggregator, scale) {
        (Aggregator::Count, _) => whole(&|c| Some(c.count as i64), 0),
        (Aggregator::DistinctCount, _) => whole(&|c| Some(c.codes.len() as i64), 0),
        (Aggregator::Sum, Some(scale)) => {
            let units: Result<Vec<i64>> =
                cells.iter().map(|c| i64::try_from(c.units).map_err(|_| too_large())).collect();
            MeasureData::Scaled { units: units?, scale }
        }
        (Aggregator::Sum, None) => double(&|c| c.double),
        (Aggregator::Min, Some(scale)) => whole(&|c| c.small_unit, scale),
        (Aggregator::Max, Some(scale)) => whole(&|c| c.large_unit, scale),
        (Aggregator::Min, None) => double(&|c| c.smallest.unwrap_or(0.0)),
        (Aggregator::Max, None) => double(&|c| c.largest.unwrap_or(0.0)),
        (Aggregator::Avg, Some(scale)) => {
            double(&|c| c.units as f64 / 10f64.powi(i32::from(scale)) / c.count.max(1) as f64)
        }
        (Aggregator::Avg, None) => double(&|c| c.double / c.count.max(1) as f64),
    };
    Ok(MeasureColumn { data, present: present.contains(&false).then_some(present) })
}
