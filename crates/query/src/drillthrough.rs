//! DRILLTHROUGH: the fact rows of one cell.

use crate::coordinate::{Place, place};
use crate::environment::Query;
use crate::evaluate::{Batch, Evaluator};
use crate::resolve::{self, Named, Resolver};
use facetta_mdx::ast::{Drillthrough, ReturnColumn, ReturnFunction, Segment};
use facetta_model::catalog::{Cube, Measure};
use facetta_model::{
    Context, HierarchyId, LevelId, MemberPart, Path, Result, RowsRequest, Rowset, SourceColumn, SubcubeFilter,
    TupleFilter, bail, error, name,
};
use std::sync::Arc;

/// The fact rows behind the one cell of a query. Without RETURN every level of every hierarchy that the measure's facts know is a
/// column, then every measure of its group.
pub(crate) fn drillthrough(statement: &Drillthrough, query: &Query, context: &Context) -> Result<Rowset> {
    let program = Arc::new(resolve::select(query, &statement.select, context)?);
    let evaluator = Evaluator::new(program.clone(), query, context.clone());
    evaluator.apply_subselects()?;
    evaluator.slicer()?;
    let mut at = evaluator.base();
    for axis in &program.axes {
        let set = evaluator.set_at(&axis.set, &evaluator.base())?;
        if set.len() != 1 {
            bail!(Invalid, "A drill-through is of one cell; an axis has {} tuples", set.len());
        }
        let tuples = set.tuples(context)?;
        tuples.hierarchies.iter().zip(tuples.get(0)).for_each(|(h, m)| at.set_one(h.index(), *m));
    }
    let cube = evaluator.cube.clone();
    let measure = match place(at.get(HierarchyId::MEASURES, 0)) {
        Place::Stored(m) => &cube.measures[m.index()],
        _ => bail!(DrillthroughCalculated, "A drill-through is not possible: the cell is calculated"),
    };
    if evaluator.is_calculated_cell(&at)? {
        bail!(DrillthroughCalculated, "A drill-through is not possible: the cell is calculated");
    }
    let mut request = RowsRequest {
        group: cube.measure_groups[measure.group],
        columns: Vec::new(),
        filters: evaluator.role_filters(measure.group),
        tuples: Vec::new(),
        max_rows: statement.max_rows,
        skip_rows: statement.first_rowset.unwrap_or(0),
    };
    let at = evaluator.as_left(&at)?.unwrap_or(at);
    add_filters(&evaluator, measure.group, &at, &mut request)?;
    request.columns = if statement.columns.is_empty() {
        default_columns(&evaluator, measure.group)
    } else {
        let resolver = Resolver::of_program(query, &program, &evaluator.members(), context);
        let column = |c: &ReturnColumn| returned(&resolver, &cube, measure, c);
        statement.columns.iter().map(column).collect::<Result<_>>()?
    };
    let names = query.snapshot.catalog().compatibility.name_encoding();
    Ok(Rowset { names, ..query.snapshot.source_rows(&request, context)? })
}

fn add_filters(evaluator: &Evaluator, group: usize, at: &Batch, request: &mut RowsRequest) -> Result<()> {
    let cube = &evaluator.cube;
    let mut sets: Vec<(usize, Vec<HierarchyId>)> = Vec::new();
    for i in 1..cube.hierarchies.len() {
        let h = HierarchyId::from(i);
        let hierarchy = &cube.hierarchy(h).hierarchy;
        let Some(path) = cube.path(group, h) else { continue };
        let mut filter = SubcubeFilter { path, subtrees: Vec::new(), own: Vec::new() };
        match place(at.get(h, 0)) {
            Place::Stored(m) if hierarchy.all_member() == Some(m) => continue,
            Place::Stored(m) => filter.subtrees.push(m),
            Place::Own(m) => filter.own.push(m),
            Place::Set(index) => {
                match sets.iter_mut().find(|(s, _)| *s == index) {
                    Some((_, hierarchies)) => hierarchies.push(h),
                    None => sets.push((index, vec![h])),
                }
                continue;
            }
            Place::Calculated(_) => {
                bail!(DrillthroughCalculated, "A drill-through is not possible: the cell is calculated")
            }
            // No member: no row is under it.
            Place::Null => {}
        }
        request.filters.push(filter);
    }
    for (index, hierarchies) in sets {
        let tuples = evaluator.registered_set(index)?;
        let positions: Vec<usize> =
            hierarchies.iter().filter_map(|h| tuples.hierarchies.iter().position(|t| t == h)).collect();
        let paths: Vec<Path> = hierarchies.iter().filter_map(|h| cube.path(group, *h)).collect();
        if tuples.members.iter().any(|m| matches!(place(*m), Place::Calculated(_))) {
            bail!(DrillthroughCalculated, "A drill-through is not possible: the slicer holds a calculated member");
        }
        let members = tuples.iter().flat_map(|t| positions.iter().map(|&p| crate::coordinate::seen(t[p]))).collect();
        request.tuples.push(TupleFilter { paths, tuples: members });
    }
    Ok(())
}

/// Every level of every linked hierarchy, then the measures of the group.
fn default_columns(evaluator: &Evaluator, group: usize) -> Vec<(String, SourceColumn)> {
    let cube = &evaluator.cube;
    let mut columns = Vec::new();
    for i in 1..cube.hierarchies.len() {
        let h = HierarchyId::from(i);
        let hierarchy = &cube.hierarchy(h).hierarchy;
        let (Some(path), Some(attached)) = (cube.path(group, h), evaluator.attached_level(group, h)) else { continue };
        for level in usize::from(hierarchy.has_all)..=attached as usize {
            let column = SourceColumn::Member { path, level: level as u32, part: MemberPart::Name };
            columns.push((level_name(cube, h, LevelId::from(level)), column));
        }
    }
    let measures = cube.measures.iter().filter(|m| m.group == group);
    columns.extend(measures.map(|m| (measure_name(evaluator, cube, m), SourceColumn::Measure(m.measure))));
    columns
}

/// `[$Store].[Store City]`.
fn level_name(cube: &Cube, hierarchy: HierarchyId, level: LevelId) -> String {
    let mut out = format!("[${}].", cube.dimension_of(hierarchy).name.replace(']', "]]"));
    name::quote_into(&mut out, &cube.hierarchy(hierarchy).hierarchy.levels[level.index()].name);
    out
}

/// `[Sales].[Unit Sales]`.
fn measure_name(evaluator: &Evaluator, cube: &Cube, measure: &Measure) -> String {
    let catalog = evaluator.snapshot.catalog();
    let mut out = name::quote(&catalog.measure_groups[cube.measure_groups[measure.group].index()].name);
    out.push('.');
    name::quote_into(&mut out, &measure.name);
    out
}

/// A column of RETURN: a level (`[$Store].[Store City]`, `[Store].[Store City]`) or a measure of the cell's group.
fn returned(
    resolver: &Resolver<'_>,
    cube: &Cube,
    measure: &Measure,
    column: &ReturnColumn,
) -> Result<(String, SourceColumn)> {
    let mut identifier = column.column.clone();
    // The dimension is written with a dollar sign where its attributes as a table are meant.
    if let Some(Segment::Name(first)) = identifier.segments.first_mut()
        && let Some(rest) = first.text.strip_prefix('$').map(Into::into)
    {
        first.text = rest;
    }
    let missing = || resolver.not_found(&column.column);
    let found = match resolver.find_whole(&identifier) {
        Some(Named::Level(h, l)) => Some((h, l)),
        Some(Named::Hierarchy(h)) => Some((h, cube.hierarchy(h).hierarchy.leaf_level())),
        _ => None,
    };
    let default_name = |n: String| column.alias.as_ref().map_or(n, |a| a.text.to_string());
    if let Some((h, level)) = found {
        let Some(path) = cube.path(measure.group, h) else {
            return Err(
                error!(Invalid, "The measure's facts do not know '{}'", cube.hierarchy(h).unique_name).at(column.span)
            );
        };
        let part = match column.function {
            None | Some(ReturnFunction::Name) => MemberPart::Name,
            Some(ReturnFunction::Key | ReturnFunction::MemberValue) => MemberPart::Key,
            Some(ReturnFunction::Caption) => MemberPart::Caption,
            Some(ReturnFunction::UniqueName) => MemberPart::UniqueName,
            Some(other) => return Err(facetta_model::Error::not_supported(other.text()).at(column.span)),
        };
        let name = default_name(level_name(cube, h, level));
        return Ok((name, SourceColumn::Member { path, level: level.0, part }));
    }
    let last = column.column.segments.last().and_then(Segment::name).ok_or_else(missing)?;
    let of_group = |m: &&Measure| m.group == measure.group && name::same(&m.name, &last.text);
    let found = cube.measures.iter().find(of_group).ok_or_else(missing)?;
    let written = column.column.segments.iter().filter_map(Segment::name).map(|n| name::quote(&n.text));
    let name = default_name(written.collect::<Vec<_>>().join("."));
    Ok((name, SourceColumn::Measure(found.measure)))
}
