//! Drill-through: the fact rows under filters, in batches.

use crate::column::{NumberColumn, Numbers};
use crate::plan::{Conditions, Plan, find, plan};
use crate::scan::{Scanner, Selection};
use crate::segment::{MeasureSource, Segment};
use crate::version::{GroupData, Version};
use facetta_model::catalog::{Cube, Hierarchy};
use facetta_model::{
    Batch, Column, ColumnType, Context, Field, HierarchyId, MeasureGroupId, MemberId, MemberPart, Members, Path,
    Result, RowsRequest, Rowset, SourceColumn, Value, bail,
};
use rustc_hash::FxHashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// Rows in a batch at most.
const BATCH_ROWS: usize = 1024;

/// The rows under the filters of a request, in the order in which they are stored.
pub(crate) fn source_rows(version: &Arc<Version>, request: &RowsRequest, context: &Context) -> Result<Rowset> {
    let conditions = Conditions { group: request.group, axes: &[], filters: &request.filters, tuples: &request.tuples };
    let plan = plan(version, &conditions, context)?;
    let data = version.group(request.group)?.clone();
    let mut columns = Vec::with_capacity(request.columns.len());
    let mut readers = Vec::with_capacity(request.columns.len());
    for (name, source) in &request.columns {
        let (reader, ty) = reader(version, request.group, &data, source)?;
        columns.push(Column::new(name.clone(), ty));
        readers.push(reader);
    }
    let mut cursor = Cursor {
        plan,
        data,
        segment: 0,
        block: 0,
        pending: Vec::new(),
        next: 0,
        skip: request.skip_rows,
        left: request.max_rows.unwrap_or(u64::MAX),
    };
    let columns: Arc<[Column]> = columns.into();
    let width = columns.len();
    let rows = move |context: &Context| {
        let Some((segment, rows)) = cursor.pull(context)? else { return Ok(None) };
        let _charge = context.charge("Drill-through", rows.len() * width * size_of::<Field>())?;
        let placed = cursor.data.segments[segment].clone();
        let mut batch = Batch::new(width);
        for &row in &rows {
            batch.push(readers.iter_mut().map(|r| r.read(&placed.segment, &placed.maps, row as usize)));
        }
        context.counters().cells.fetch_add(rows.len() as u64, Relaxed);
        Ok(Some(batch))
    };
    Ok(Rowset::new(columns, Box::new(rows)))
}

/// Where a drill-through stands.
struct Cursor {
    plan: Plan,
    data: Arc<GroupData>,
    segment: usize,
    block: usize,
    /// Rows of the segment that pass and were not handed out.
    pending: Vec<u32>,
    next: usize,
    skip: u64,
    left: u64,
}

impl Cursor {
    /// The next rows and their segment; none at the end.
    fn pull(&mut self, context: &Context) -> Result<Option<(usize, Vec<u32>)>> {
        loop {
            context.check()?;
            let skipped = (self.pending.len() - self.next).min(usize::try_from(self.skip).unwrap_or(usize::MAX));
            self.next += skipped;
            self.skip -= skipped as u64;
            if self.left == 0 {
                return Ok(None);
            }
            if self.next < self.pending.len() {
                let most = BATCH_ROWS.min(usize::try_from(self.left).unwrap_or(usize::MAX));
                let end = self.pending.len().min(self.next + most);
                let rows = self.pending[self.next..end].to_vec();
                self.next = end;
                self.left -= rows.len() as u64;
                return Ok(Some((self.segment, rows)));
            }
            if !self.fill(context)? {
                return Ok(None);
            }
        }
    }

    /// Tests the next block; false at the end.
    fn fill(&mut self, context: &Context) -> Result<bool> {
        self.pending.clear();
        self.next = 0;
        let Some(placed) = self.data.segments.get(self.segment) else { return Ok(false) };
        if (self.segment, self.block) == (0, 0) {
            context.counters().scans.fetch_add(1, Relaxed);
        }
        let tables = self.plan.tables[self.segment].as_ref();
        let Some(tables) = tables.filter(|_| self.block < placed.segment.blocks() && !placed.segment.is_delta) else {
            self.segment += 1;
            self.block = 0;
            return Ok(true);
        };
        let pending = &mut self.pending;
        Scanner::new(&placed.segment, tables).block(self.block, context, |rows, selection| {
            match selection {
                Selection::All => pending.extend(rows.map(|r| r as u32)),
                Selection::Some(selected) => pending.extend(selected.iter().map(|&s| (rows.start + s as usize) as u32)),
            }
            Ok(())
        })?;
        self.block += 1;
        Ok(true)
    }
}

/// Reads one column.
enum Reader {
    Member {
        column: usize,
        hierarchy: Arc<Hierarchy>,
        level: usize,
        part: MemberPart,
        unique_names: Option<(Members, HierarchyId)>,
        /// Members repeat: what was made for one is kept.
        made: FxHashMap<MemberId, Field>,
    },
    Measure {
        measure: usize,
        data: Arc<GroupData>,
    },
}

fn reader(
    version: &Arc<Version>,
    group: MeasureGroupId,
    data: &Arc<GroupData>,
    source: &SourceColumn,
) -> Result<(Reader, ColumnType)> {
    let catalog = &version.catalog;
    match source {
        SourceColumn::Measure(measure) => {
            let stored = catalog.measure_groups[group.index()].measures.get(*measure as usize);
            let Some(stored) = stored else { bail!(Internal, "measure {measure} does not exist") };
            let ty = match data.segments[0].segment.measures[*measure as usize] {
                // The value that is counted, of whatever type it is.
                MeasureSource::Distinct(_) => ColumnType::Variant,
                _ => stored.data_type.clone(),
            };
            Ok((Reader::Measure { measure: *measure as usize, data: data.clone() }, ty))
        }
        SourceColumn::Member { path, level, part } => {
            let column = find(catalog, group, data, *path)?.column;
            let dimension =
                &catalog.dimensions[catalog.measure_groups[group.index()].links[path.link.index()].dimension.index()];
            let hierarchy = dimension.hierarchies[path.hierarchy as usize].clone();
            let Some(of_level) = hierarchy.levels.get(*level as usize) else {
                bail!(Internal, "hierarchy '{}' has no level {level}", hierarchy.name);
            };
            let ty = match part {
                MemberPart::Key => of_level.key_type.clone(),
                MemberPart::Name | MemberPart::Caption | MemberPart::UniqueName => ColumnType::String,
                MemberPart::Property(at) => match of_level.properties.get(*at as usize) {
                    Some(property) => property.data_type.clone(),
                    None => bail!(Internal, "level '{}' has no property {at}", of_level.name),
                },
            };
            let unique_names = match part {
                MemberPart::UniqueName => Some(naming_cube(version, group, *path)?),
                _ => None,
            };
            let level = *level as usize;
            let made = FxHashMap::default();
            Ok((Reader::Member { column, hierarchy, level, part: *part, unique_names, made }, ty))
        }
    }
}

/// The cube whose names are used: the group's own one, else the first that reaches the path.
fn naming_cube(version: &Version, group: MeasureGroupId, path: Path) -> Result<(Members, HierarchyId)> {
    let catalog = &version.catalog;
    let reaches = |cube: &Arc<Cube>| {
        let at = cube.measure_groups.iter().position(|g| *g == group)?;
        let all = (0..cube.hierarchies.len()).map(HierarchyId::from);
        let hierarchy = all.into_iter().find(|&h| cube.path(at, h) == Some(path))?;
        Some((
            Members { catalog_name: catalog.name.as_str().into(), cube: cube.clone(), calculated: Default::default() },
            hierarchy,
        ))
    };
    let own_first = catalog.cubes.iter().filter(|c| !c.is_virtual).chain(catalog.cubes.iter());
    match own_first.into_iter().find_map(reaches) {
        Some(found) => Ok(found),
        None => bail!(Internal, "no cube shows link {} of measure group {}", path.link.0, group.0),
    }
}

impl Reader {
    fn read(&mut self, segment: &Segment, maps: &[crate::segment::CodeMap], row: usize) -> Field {
        match self {
            Reader::Measure { measure, data } => Field::Value(measure_value(segment, data, *measure, row)),
            Reader::Member { column, hierarchy, level, part, unique_names, made } => {
                let leaf = maps[*column].member(segment.paths[*column].codes.get(row));
                let member = at_level(hierarchy, leaf, *level);
                if member.is_null() {
                    return Field::Null;
                }
                let make = || member_field(hierarchy, member, *level, *part, unique_names.as_ref());
                made.entry(member).or_insert_with(make).clone()
            }
        }
    }
}

/// The ancestor of a leaf at a level; members of a parent-child level stand for themselves.
pub(crate) fn at_level(hierarchy: &Hierarchy, leaf: MemberId, level: usize) -> MemberId {
    if hierarchy.has_all && level == 0 {
        return MemberId(0);
    }
    if leaf.is_null() || hierarchy.parent_child {
        return leaf;
    }
    hierarchy.members.ancestor_at(leaf, level)
}

fn member_field(
    hierarchy: &Hierarchy,
    member: MemberId,
    level: usize,
    part: MemberPart,
    unique_names: Option<&(Members, HierarchyId)>,
) -> Field {
    let members = &hierarchy.members;
    match part {
        MemberPart::Key => Field::Value(members.key(member)),
        MemberPart::Name => Field::Shared(members.name(member).into()),
        MemberPart::Caption => Field::Shared(members.caption(member).into()),
        MemberPart::UniqueName => {
            unique_names.map_or(Field::Null, |(names, at)| Field::Shared(names.unique_name(*at, member).into()))
        }
        MemberPart::Property(at) => {
            let level = &hierarchy.levels[level];
            let property = &level.properties[at as usize];
            Field::Value(property.values.get((member.0 - level.members.start) as usize))
        }
    }
}

/// The value of a measure in one row.
pub(crate) fn measure_value(segment: &Segment, data: &GroupData, measure: usize, row: usize) -> Value {
    match segment.measures[measure] {
        MeasureSource::Absent => Value::Empty,
        MeasureSource::Rows => Value::Int(1),
        MeasureSource::Flag(at) => Value::Int(i64::from(segment.flags[at][row])),
        MeasureSource::Number(at) => number_value(&segment.numbers[at], row),
        MeasureSource::Distinct(at) => {
            let code = segment.distincts[at].codes.get(row) as usize;
            let known = data.distinct_values.get(at).filter(|v| code < v.len());
            known.map_or(Value::Empty, |v| v.get(code))
        }
    }
}

fn number_value(column: &NumberColumn, row: usize) -> Value {
    if !column.is_valid(row) {
        return Value::Empty;
    }
    match &column.numbers {
        Numbers::Scaled { units, scale: 0 } => Value::Int(units[row]),
        Numbers::Scaled { units, scale } => Value::Double(units[row] as f64 / 10f64.powi(i32::from(*scale))),
        Numbers::Double(values) => Value::Double(values[row]),
    }
}
