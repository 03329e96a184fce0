//! A subcube request against a version: which codes pass, and which group each code belongs to.

use crate::column::Codes;
use crate::segment::CodeMap;
use crate::tuples::{TupleTables, tuple_tables};
use crate::version::{GroupData, Version};
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
    let catalog = &*version.catalog;
    let found = |path| find(catalog, conditions.group, data, path);
    let axes: Vec<FoundPath<'_>> = conditions.axes.iter().map(|a| found(a.path)).collect::<Result<_>>()?;
    let filters: Vec<FoundPath<'_>> = conditions.filters.iter().map(|f| found(f.path)).collect::<Result<_>>()?;
    let mut charge = context.charge("Scan", 0)?;
    // Segments that share their maps share their tables.
    let mut kinds: Vec<(Arc<[CodeMap]>, Vec<(usize, Vec<u8>)>)> = Vec::new();
    let mut kind_of = Vec::with_capacity(data.segments.len());
    for placed in &data.segments {
        let known = kinds.iter().position(|(maps, _)| Arc::ptr_eq(maps, &placed.maps));
        kind_of.push(known.unwrap_or(kinds.len()));
        if known.is_none() {
            let mut passing: Vec<(usize, Vec<u8>)> = Vec::new();
            for (filter, found) in conditions.filters.iter().zip(&filters) {
                let map = &placed.maps[found.column];
                charge.grow(map.len() * 5)?;
                restrict(passing_codes(&mut passing, found.column, map), filter, found.hierarchy, map, context)?;
            }
            kinds.push((placed.maps.clone(), passing));
        }
    }
    let mut axis_members = Vec::with_capacity(axes.len());
    let mut axis_slots: Vec<Vec<Vec<u32>>> = Vec::with_capacity(axes.len());
    for (axis, found) in conditions.axes.iter().zip(&axes) {
        let range = candidate_members(axis.grain, &found.hierarchy.members);
        let mut of_kinds = Vec::with_capacity(kinds.len());
        for (maps, passing) in &mut kinds {
            let map = &maps[found.column];
            charge.grow(map.len() * 5)?;
            let members = members_of_codes(axis.grain, found.hierarchy, map, context)?;
            // Codes without a member at this grain are left out: that is a filter too.
            if members.contains(&NO_SLOT) {
                let passes = passing_codes(passing, found.column, map);
                passes.iter_mut().zip(&members).for_each(|(p, m)| *p &= u8::from(*m != NO_SLOT));
            }
            of_kinds.push(members);
        }
        axis_slots.push(of_kinds);
        axis_members.push(range);
    }
    let mut members = Vec::with_capacity(axes.len());
    for ((found, range), of_kinds) in axes.iter().zip(axis_members).zip(&mut axis_slots) {
        let passing = kinds.iter().map(|(_, passing)| passing.iter().find(|(c, _)| *c == found.column).map(|(_, p)| p));
        members.push(number_members(range, of_kinds, &passing.collect::<Vec<_>>(), &mut charge)?);
    }
    let mut tables = Vec::with_capacity(kinds.len());
    for (kind, (maps, passing)) in kinds.into_iter().enumerate() {
        let axes = axes.iter().zip(&mut axis_slots).map(|(f, slots)| (f.column, std::mem::take(&mut slots[kind])));
        let filters: Vec<CodeFilter> = passing.into_iter().filter_map(|(c, p)| CodeFilter::new(c, p)).collect();
        let tuples =
            conditions.tuples.iter().map(|t| tuple_tables(t, &found, &maps, context)).collect::<Result<_>>()?;
        let possible = !filters.iter().any(CodeFilter::is_empty);
        tables.push(possible.then(|| Arc::new(Tables { axes: axes.collect(), filters, tuples })));
    }
    let tables = kind_of.into_iter().map(|kind| tables[kind].clone()).collect();
    Ok(Plan { axes: members, tables, _charge: charge })
}

/// The table of a column's codes that pass, made with all passing if there is none yet.
fn passing_codes<'p>(passing: &'p mut Vec<(usize, Vec<u8>)>, column: usize, map: &CodeMap) -> &'p mut Vec<u8> {
    let at = passing.iter().position(|(c, _)| *c == column).unwrap_or_else(|| {
        // One more code stands for rows that have no member.
        passing.push((column, vec![1; map.len() + 1]));
        passing.len() - 1
    });
    &mut passing[at].1
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

/// Numbers the members of an axis: only those that codes which pass have, where there are filters.
fn number_members(
    range: Range<u32>,
    of_kinds: &mut [Vec<u32>],
    passing: &[Option<&Vec<u8>>],
    charge: &mut Charge,
) -> Result<AxisMembers> {
    let start = range.start;
    if passing.iter().all(Option::is_none) {
        of_kinds.iter_mut().flatten().for_each(|m| *m -= start);
        return Ok(AxisMembers::Range(range));
    }
    charge.grow(range.len() * 4)?;
    let mut positions = vec![NO_SLOT; range.len()];
    for (of_codes, passing) in of_kinds.iter().zip(passing) {
        for (code, &member) in of_codes.iter().enumerate() {
            if member != NO_SLOT && passing.is_none_or(|p| p[code] != 0) {
                positions[(member - start) as usize] = 0;
            }
        }
    }
    let mut listed = Vec::new();
    for (member, position) in range.zip(&mut positions) {
        if *position == 0 {
            *position = listed.len() as u32;
            listed.push(MemberId(member));
        }
    }
    for member in of_kinds.iter_mut().flatten() {
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
