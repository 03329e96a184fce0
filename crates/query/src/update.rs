//! UPDATE CUBE: its assignments as the leaf cells that storage is to write, and the numbers that they take.

use crate::coordinate::{Place, place};
use crate::environment::Query;
use crate::evaluate::{Batch, Evaluator};
use crate::expr::Expr;
use crate::resolve;
use facetta_mdx::ast::{Allocation, Update, UpdateCell};
use facetta_model::catalog::{Cube, Measure};
use facetta_model::definition::Aggregator;
use facetta_model::{
    Context, Error, HierarchyId, MeasureGroupId, Result, Span, SubcubeFilter, TupleFilter, Value, bail, error,
};
use std::sync::Arc;

/// One assignment: the fact rows under a tuple, and what the measure is to hold over them.
#[derive(Clone, Debug)]
pub struct CellUpdate {
    /// The fact rows.
    pub group: MeasureGroupId,
    /// The measure, by position in the group.
    pub measure: u32,
    /// Which rows are under the tuple.
    pub filters: Vec<SubcubeFilter>,
    /// Which of them subcubes of the session leave.
    pub tuples: Vec<TupleFilter>,
    /// What the cell is to hold: a number.
    pub value: Value,
    /// Where the assignment stands in the statement.
    pub span: Span,
}

/// An assignment whose names are ids.
pub(crate) struct Assignment {
    /// The tuple.
    pub(crate) target: Expr,
    /// The scalar that it takes, evaluated at the tuple.
    pub(crate) value: Expr,
    /// Where it stands.
    pub(crate) span: Span,
}

/// What an UPDATE wants written, in the order of its assignments. Every value is what it was before the statement. A cube that
/// the statement does not name is `default_cube`, else the only one of the catalog.
///
/// # Errors
/// Names and types that are wrong; allocations that are not supported yet; [`facetta_model::ErrorKind::NotWritable`] for a cell that cannot be
/// written (spec/decisions.md, Transactions). They point into the statement's text.
pub fn updates(
    update: &Update,
    default_cube: Option<&str>,
    query: &Query,
    context: &Context,
) -> Result<Vec<CellUpdate>> {
    update.cells.iter().try_for_each(check_allocation)?;
    let cube = cube_of(update, default_cube, query)?;
    let (program, assignments) = resolve::update(query, &cube, update, context)?;
    let evaluator = Evaluator::new(Arc::new(program), query, context.clone());
    evaluator.apply_subselects()?;
    assignments.iter().map(|a| written(&evaluator, a).map_err(|e| located(e, a.span))).collect()
}

/// An error at its assignment. A Cancel hits the statement, wherever that is.
fn located(error: Error, span: Span) -> Error {
    if error.is_interrupt() { error } else { error.at(span) }
}

fn check_allocation(cell: &UpdateCell) -> Result<()> {
    match cell.allocation {
        None | Some(Allocation::EqualAllocation) => Ok(()),
        Some(other) => Err(Error::not_supported(other.text()).at(cell.span)),
    }
}

fn cube_of(update: &Update, default_cube: Option<&str>, query: &Query) -> Result<Arc<Cube>> {
    if let Some(identifier) = &update.cube {
        return resolve::named_cube(query, identifier);
    }
    let catalog = query.snapshot.catalog();
    match (default_cube, catalog.cubes.as_slice()) {
        (Some(name), _) => match catalog.cube(name) {
            Some(cube) => Ok(cube.clone()),
            None => bail!(CubeNotFound, "MDX cube '{name}' not found"),
        },
        (None, [cube]) => Ok(cube.clone()),
        (None, _) => bail!(Invalid, "UPDATE CUBE must name its cube"),
    }
}

/// What one assignment writes.
fn written(evaluator: &Evaluator, assignment: &Assignment) -> Result<CellUpdate> {
    evaluator.context.check()?;
    let base = evaluator.base();
    let tuples = evaluator.tuples(&assignment.target, &base)?;
    let Some(tuple) = tuples.get(0) else {
        bail!(NotWritable, "The tuple has a member that does not exist: there is no cell to write");
    };
    let mut at = base;
    tuples.hierarchies.iter().zip(tuple).for_each(|(h, m)| at.set_one(h.index(), m));
    let cube = &evaluator.cube;
    if evaluator.is_calculated_cell(&at)? {
        bail!(NotWritable, "The cell cannot be written: it is that of a cell calculation");
    }
    let measure = measure_at(cube, &at)?;
    check_measure(evaluator, measure)?;
    let (filters, tuples) = match rows_under(evaluator, measure, &at)? {
        Some(found) => found,
        None => bail!(NotWritable, "The cell of '{}' has no leaf cell under it that could be written", measure.name),
    };
    let value = match evaluator.values(&assignment.value, &at)?.get(0).clone() {
        Value::Error(error) => return Err(error),
        value if value.is_number() => value,
        Value::Empty => bail!(NotWritable, "A cell can be set to a number only, and not to NULL"),
        other => bail!(NotWritable, "A cell can be set to a number only, and not to '{other}'"),
    };
    let group = cube.measure_groups[measure.group];
    Ok(CellUpdate { group, measure: measure.measure, filters, tuples, value, span: assignment.span })
}

/// The stored measure of a coordinate of which nothing is calculated.
fn measure_at<'a>(cube: &'a Cube, at: &Batch) -> Result<&'a Measure> {
    for i in 1..cube.hierarchies.len() {
        if let Place::Calculated(_) = place(at.get(HierarchyId::from(i), 0)) {
            bail!(NotWritable, "The cell cannot be written: it is that of a calculated member");
        }
    }
    match place(at.get(HierarchyId::MEASURES, 0)) {
        Place::Stored(m) if m.index() < cube.measures.len() => Ok(&cube.measures[m.index()]),
        _ => bail!(NotWritable, "The cell cannot be written: its measure is calculated"),
    }
}

/// Sums of a column can be written, unless the definition or the settings say that they cannot.
fn check_measure(evaluator: &Evaluator, measure: &Measure) -> Result<()> {
    if measure.aggregator != Aggregator::Sum {
        bail!(
            NotWritable,
            "The measure '{}' cannot be written: only measures that are sums of a column can",
            measure.name
        );
    }
    let group = evaluator.cube.measure_groups[measure.group];
    let stored = &evaluator.snapshot.catalog().measure_groups[group.index()].measures[measure.measure as usize];
    if !stored.writable {
        bail!(NotWritable, "The measure '{}' cannot be written: it is not enabled for it", measure.name);
    }
    Ok(())
}

/// Filters of the fact rows under a coordinate, and of those that subcubes leave; none if there can be no row.
fn rows_under(
    evaluator: &Evaluator,
    measure: &Measure,
    at: &Batch,
) -> Result<Option<(Vec<SubcubeFilter>, Vec<TupleFilter>)>> {
    let cube = &evaluator.cube;
    // Where the cube shows a total at members that its facts do not know, there is still no leaf cell under them.
    for i in 1..cube.hierarchies.len() {
        let h = HierarchyId::from(i);
        let (hierarchy, member) = (&cube.hierarchy(h).hierarchy, at.get(h, 0));
        let total = member == hierarchy.default_member || hierarchy.all_member() == Some(member);
        if cube.path(measure.group, h).is_none() && !total {
            return Ok(None);
        }
    }
    evaluator.rows_under(evaluator.as_left(at)?.as_ref().unwrap_or(at))
}

/// The error for a target that is no tuple.
pub(crate) fn no_tuple(kind: &str) -> Error {
    let kind = kind.to_lowercase();
    error!(Type, "UPDATE CUBE assigns to a tuple, not to a {kind}")
}
