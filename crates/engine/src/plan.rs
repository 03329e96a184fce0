//! A subcube request against a version: which codes pass, and which group each code belongs to.

use crate::column::Codes;
use crate::segment::CodeMap;
use crate::tuples::{TupleTables, tuple_tables};
use crate::version::{GroupData, PlacedSegment, Version};
use facetta_model::catalog::{Catalog, Hierarchy};
use facetta_model::{
    Charge, Context, Grain, MeasureGroupId, MemberId, MemberTable, Path, Result, SubcubeAxis, SubcubeFilter,
    TupleFilter, bail,
};
use std::ops::Range;
use std::sync::Arc;

/// A group code that no code maps to.
pub(crate) const NO_SLOT: u32 = u32::MAX;

/// Filters and grain as tables over codes, for each kind of segment.
pub(crate) struct Plan {
    /// The members that each axis can have, in order.
    pub(crate) axes: Vec<AxisMembers>,
    /// For each segment of the group, its tables; none if no row of it can pass.
    pub(crate) tables: Vec<Option<Arc<Tables>>>,
    _charge: Charge,
}

/// The members of an axis; a row's group on the axis is a position among them.
pub(crate) enum AxisMembers {
    Range(Range<u32>),
    Listed(Vec<MemberId>),
}

/// Tables over the codes of the segments that share their maps.
pub(crate) struct Tables {
    /// For each axis, its column and the position of each code among the axis' members.
    pub(crate) axes: Vec<(usize, Vec<u32>)>,
    /// Conditions on columns; all must hold.
    pub(crate) filters: Vec<CodeFilter>,
    /// Conditions on several columns; all must hold.
    pub(crate) tuples: Vec<TupleTables>,
}

/// Which codes of a column pass.
pub(crate) struct CodeFilter {
    pub(crate) column: usize,
    pub(crate) test: CodeTest,
    /// How many codes before each code pass: whether a block can be skipped, or passes whole.
    passing_before: Vec<u32>,
}

/// How a code is tested.
pub(crate) enum CodeTest {
    /// Codes of the range pass.
    Range { first: u32, last: u32 },
    /// 1 for codes that pass, by code.
    Table(Vec<u8>),
}

/// What a filter says of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BlockTest {
    /// No row passes.
    Skip,
    /// Every row passes.
    All,
    /// Rows must be tested.
    Some,
}

impl AxisMembers {
    pub(crate) fn len(&self) -> usize {
        match self {
            AxisMembers::Range(range) => range.len(),
            AxisMembers::Listed(members) => members.len(),
        }
    }

    /// The member at a position.
    pub(crate) fn get(&self, position: usize) -> MemberId {
        match self {
            AxisMembers::Range(range) => MemberId(range.start + position as u32),
            AxisMembers::Listed(members) => members[position],
        }
    }
}

impl CodeFilter {
    /// Of a table with 1 for each code that passes; none if all pass.
    pub(crate) fn new(column: usize, passes: Vec<u8>) -> Option<CodeFilter> {
        let mut passing_before = Vec::with_capacity(passes.len() + 1);
        let mut count = 0;
        for &pass in &passes {
            passing_before.push(count);
            count += u32::from(pass);
        }
        passing_before.push(count);
        if count as usize == passes.len() {
            return None;
        }
        let first = passes.iter().position(|p| *p != 0).unwrap_or(0) as u32;
        let last = passes.iter().rposition(|p| *p != 0).unwrap_or(0) as u32;
        let is_range = count > 0 && last - first + 1 == count;
        let test = if is_range { CodeTest::Range { first, last } } else { CodeTest::Table(padded(passes)) };
        Some(CodeFilter { column, test, passing_before })
    }

    /// Whether no code passes.
    fn is_empty(&self) -> bool {
        self.passing_before.last() == Some(&0)
    }

    /// What it says of a block whose codes lie from `min` to `max`.
    pub(crate) fn block(&self, min: u32, max: u32) -> BlockTest {
        let last = self.passing_before.len() - 1;
        let before = self.passing_before[last.min(min as usize)];
        let through = self.passing_before[last.min(max as usize + 1)];
        match through - before {
            0 => BlockTest::Skip,
            n if n == max - min + 1 => BlockTest::All,
            _ => BlockTest::Some,
        }
    }
}

/// A table as long as codes of its width can reach, so that the loop over rows needs no check for each.
fn padded(mut passes: Vec<u8>) -> Vec<u8> {
    let space = match Codes::width_for(passes.len()) {
        1 => 1 << 8,
        2 => 1 << 16,
        _ => passes.len(),
    };
    passes.resize(space, 0);
    passes
}

/// A path of a request, found.
pub(crate) struct FoundPath<'a> {
    pub(crate) column: usize,
    pub(crate) hierarchy: &'a Hierarchy,
}

/// Finds the column and the hierarchy of a path.
pub(crate) fn find<'a>(
    catalog: &'a Catalog,
    id: MeasureGroupId,
    data: &GroupData,
    path: Path,
) -> Result<FoundPath<'a>> {
    let column = data.column(path)?;
    let link = catalog.measure_groups.get(id.index()).and_then(|g| g.links.get(path.link.index()));
    let dimension = link.and_then(|l| catalog.dimensions.get(l.dimension.index()));
    match dimension.and_then(|d| d.hierarchies.get(path.hierarchy as usize)) {
        Some(hierarchy) => Ok(FoundPath { column, hierarchy }),
        None => bail!(Internal, "link {} has no hierarchy {}", path.link.0, path.hierarchy),
    }
}

/// What a request says of rows, whatever it asks of them.
pub(crate) struct Conditions<'a> {
    pub(crate) group: MeasureGroupId,
    pub(crate) axes: &'a [SubcubeAxis],
    pub(crate) filters: &'a [SubcubeFilter],
    pub(crate) tuples: &'a [TupleFilter],
}

/// Plans a request.
pub(crate) fn plan(version: &Version, conditions: &Conditions<'_>, context: &Context) -> Result<Plan> {
    let data = version.group(conditions.group)?;
    let found = |path| find(&version.catalog, conditions.group, data, path);
    let axes: Vec<FoundPath<'_>> = conditions.axes.iter().map(|a| found(a.path)).collect::<Result<_>>()?;
    let filters: Vec<FoundPath<'_>> = conditions.filters.iter().map(|f| found(f.path)).collect::<Result<_>>()?;
    let mut charge = context.charge("Scan", 0)?;
    let (mut kinds, kind_of) = kinds(data);
    for kind in &mut kinds {
        for (filter, path) in conditions.filters.iter().zip(&filters) {
            charge.grow(kind.maps[path.column].len() * 5)?;
            kind.filter(filter, path, context)?;
        }
        for (axis, path) in conditions.axes.iter().zip(&axes) {
            charge.grow(kind.maps[path.column].len() * 5)?;
            kind.add_axis(axis.grain, path, context)?;
        }
    }
    let mut members = Vec::with_capacity(axes.len());
    for (at, (axis, path)) in conditions.axes.iter().zip(&axes).enumerate() {
        let candidates = candidate_members(axis.grain, &path.hierarchy.members);
        members.push(number_members(candidates, &mut kinds, at, path.column, &mut charge)?);
    }
    let mut tables = Vec::with_capacity(kinds.len());
    for kind in kinds {
        let tuples = conditions.tuples.iter().map(|t| tuple_tables(t, &found, &kind.maps, context));
        let tuples = tuples.collect::<Result<_>>()?;
        let filters: Vec<CodeFilter> = kind.passing.into_iter().filter_map(|(c, p)| CodeFilter::new(c, p)).collect();
        let possible = !filters.iter().any(CodeFilter::is_empty);
        let axes = axes.iter().map(|path| path.column).zip(kind.axes).collect();
        tables.push(possible.then(|| Arc::new(Tables { axes, filters, tuples })));
    }
    let tables = kind_of.into_iter().map(|kind| tables[kind].clone()).collect();
    Ok(Plan { axes: members, tables, _charge: charge })
}

/// What becomes the [`Tables`] of the segments that share their maps.
struct Kind {
    maps: Arc<[CodeMap]>,
    /// Columns with conditions: 1 for each code that passes.
    passing: Vec<(usize, Vec<u8>)>,
    /// For each axis the member of each code, later its position among the members of the axis.
    axes: Vec<Vec<u32>>,
}

/// The kinds of segments in a group, and the kind of each segment.
fn kinds(data: &GroupData) -> (Vec<Kind>, Vec<usize>) {
    let mut kinds: Vec<Kind> = Vec::new();
    let of = |placed: &PlacedSegment| {
        kinds.iter().position(|k| Arc::ptr_eq(&k.maps, &placed.maps)).unwrap_or_else(|| {
            kinds.push(Kind { maps: placed.maps.clone(), passing: Vec::new(), axes: Vec::new() });
            kinds.len() - 1
        })
    };
    let kind_of = data.segments.iter().map(of).collect();
    (kinds, kind_of)
}

impl Kind {
    /// The table of a column's codes that pass, made with all passing if there is none yet.
    fn passing(&mut self, column: usize) -> &mut Vec<u8> {
        let at = self.passing.iter().position(|(c, _)| *c == column).unwrap_or_else(|| {
            // One more code stands for rows that have no member.
            self.passing.push((column, vec![1; self.maps[column].len() + 1]));
            self.passing.len() - 1
        });
        &mut self.passing[at].1
    }

    fn filter(&mut self, filter: &SubcubeFilter, path: &FoundPath<'_>, context: &Context) -> Result<()> {
        let maps = self.maps.clone();
        restrict(self.passing(path.column), filter, path.hierarchy, &maps[path.column], context)
    }

    fn add_axis(&mut self, grain: Grain, path: &FoundPath<'_>, context: &Context) -> Result<()> {
        let members = members_of_codes(grain, path.hierarchy, &self.maps[path.column], context)?;
        // Codes without a member at this grain are left out: that is a condition too.
        if members.contains(&NO_SLOT) {
            let passing = self.passing(path.column).iter_mut().zip(&members);
            passing.for_each(|(p, m)| *p &= u8::from(*m != NO_SLOT));
        }
        self.axes.push(members);
        Ok(())
    }

    /// Whether a code of a column passes all conditions on the column.
    fn passes(&self, column: usize) -> impl Fn(usize) -> bool {
        let passing = self.passing.iter().find(|(c, _)| *c == column).map(|(_, p)| p);
        move |code| passing.is_none_or(|p| p[code] != 0)
    }
}

/// Takes away the codes that a filter does not let pass.
fn restrict(
    passes: &mut [u8],
    filter: &SubcubeFilter,
    hierarchy: &Hierarchy,
    map: &CodeMap,
    context: &Context,
) -> Result<()> {
    let members = &hierarchy.members;
    for &member in filter.subtrees.iter().chain(&filter.own) {
        check_member(member, members)?;
    }
    let mut wanted = vec![0u8; passes.len()];
    for &member in &filter.subtrees {
        context.check()?;
        mark_subtree(&mut wanted, member, hierarchy, map, context)?;
    }
    let mut own: Vec<MemberId> = filter.own.clone();
    own.sort_unstable();
    if !own.is_empty() {
        for (code, wanted) in wanted.iter_mut().enumerate() {
            *wanted |= u8::from(own.binary_search(&map.member(code as u32)).is_ok());
        }
    }
    passes.iter_mut().zip(&wanted).for_each(|(p, w)| *p &= w);
    Ok(())
}

/// A request may name stored members only.
pub(crate) fn check_member(member: MemberId, members: &MemberTable) -> Result<()> {
    if member.index() >= members.len() {
        bail!(Internal, "member {} is not stored", member.0);
    }
    Ok(())
}

/// Marks the codes at and under `member`; the all member has all rows, those without a member too.
pub(crate) fn mark_subtree(
    marks: &mut [u8],
    member: MemberId,
    hierarchy: &Hierarchy,
    map: &CodeMap,
    context: &Context,
) -> Result<()> {
    let members = &hierarchy.members;
    if hierarchy.all_member() == Some(member) {
        marks.fill(1);
        return Ok(());
    }
    match map {
        CodeMap::Range(range) if !hierarchy.parent_child => {
            let depth = if range.is_empty() { 0 } else { members.depth(MemberId(range.start)) };
            let under = members.descendants_at(member, depth);
            let codes = under.start.max(range.start)..under.end.min(range.end);
            if !codes.is_empty() {
                marks[(codes.start - range.start) as usize..(codes.end - range.start) as usize].fill(1);
            }
        }
        _ => {
            let mut step = 0;
            for code in 0..map.len() as u32 {
                context.check_every(&mut step)?;
                let own = map.member(code);
                if !own.is_null() && members.is_at_or_under(own, member) {
                    marks[code as usize] = 1;
                }
            }
        }
    }
    Ok(())
}

/// The members that a grain can yield.
fn candidate_members(grain: Grain, members: &MemberTable) -> Range<u32> {
    match grain {
        Grain::Depth(depth) => members.at_depth(usize::from(depth)),
        Grain::Own => 0..members.len() as u32,
    }
}

/// The member of each code at a grain; [`NO_SLOT`] where there is none.
pub(crate) fn members_of_codes(
    grain: Grain,
    hierarchy: &Hierarchy,
    map: &CodeMap,
    context: &Context,
) -> Result<Vec<u32>> {
    let members = &hierarchy.members;
    let mut of_codes = vec![NO_SLOT; map.len() + 1];
    let depth = match grain {
        Grain::Own => {
            (0..map.len()).for_each(|code| of_codes[code] = map.member(code as u32).0);
            return Ok(of_codes);
        }
        Grain::Depth(0) if hierarchy.has_all => {
            of_codes.fill(0);
            return Ok(of_codes);
        }
        Grain::Depth(depth) => usize::from(depth),
    };
    let mut step = 0;
    match map {
        CodeMap::Range(range) if !hierarchy.parent_child && !range.is_empty() => {
            let leaf = members.depth(MemberId(range.start));
            for member in members.at_depth(depth) {
                context.check_every(&mut step)?;
                let under = members.descendants_at(MemberId(member), leaf);
                let codes = under.start.max(range.start)..under.end.min(range.end);
                if !codes.is_empty() {
                    let codes = (codes.start - range.start) as usize..(codes.end - range.start) as usize;
                    of_codes[codes].fill(member);
                }
            }
        }
        _ => {
            for (code, found) in of_codes.iter_mut().enumerate().take(map.len()) {
                context.check_every(&mut step)?;
                let own = map.member(code as u32);
                *found = if own.is_null() { NO_SLOT } else { members.ancestor_at(own, depth).0 };
            }
        }
    }
    Ok(of_codes)
}

/// Numbers the members of an axis: only those that codes which pass have, where there are conditions.
fn number_members(
    candidates: Range<u32>,
    kinds: &mut [Kind],
    axis: usize,
    column: usize,
    charge: &mut Charge,
) -> Result<AxisMembers> {
    let start = candidates.start;
    if !kinds.iter().any(|k| k.passing.iter().any(|(c, _)| *c == column)) {
        kinds.iter_mut().flat_map(|k| &mut k.axes[axis]).for_each(|m| *m -= start);
        return Ok(AxisMembers::Range(candidates));
    }
    charge.grow(candidates.len() * 4)?;
    let mut positions = vec![NO_SLOT; candidates.len()];
    for kind in &*kinds {
        let passes = kind.passes(column);
        for (code, &member) in kind.axes[axis].iter().enumerate() {
            if member != NO_SLOT && passes(code) {
                positions[(member - start) as usize] = 0;
            }
        }
    }
    let mut listed = Vec::new();
    for (member, position) in candidates.zip(&mut positions) {
        if *position == 0 {
            *position = listed.len() as u32;
            listed.push(MemberId(member));
        }
    }
    for member in kinds.iter_mut().flat_map(|k| &mut k.axes[axis]) {
        // Codes that do not pass may have any position.
        let position = if *member == NO_SLOT { NO_SLOT } else { positions[(*member - start) as usize] };
        *member = if position == NO_SLOT { 0 } else { position };
    }
    Ok(AxisMembers::Listed(listed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_skipped_or_pass_whole() {
        let filter = CodeFilter::new(0, vec![0, 1, 1, 0, 1, 0]).unwrap();
        let table: [(u32, u32, BlockTest); 5] = [
            (0, 0, BlockTest::Skip),
            (1, 2, BlockTest::All),
            (0, 3, BlockTest::Some),
            (3, 3, BlockTest::Skip),
            (4, 9, BlockTest::Some),
        ];
        for (min, max, expected) in table {
            assert_eq!(filter.block(min, max), expected, "{min}..={max}");
        }
        assert!(CodeFilter::new(0, vec![1, 1]).is_none());
        assert!(matches!(CodeFilter::new(0, vec![0, 1, 1]).unwrap().test, CodeTest::Range { first: 1, last: 2 }));
        assert!(CodeFilter::new(0, vec![0, 0]).unwrap().is_empty());
    }
}
