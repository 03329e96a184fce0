//! A resolved statement: what its names stand for, its calculations and sets, its axes.

use crate::environment::StaticSet;
use crate::expr::{Coordinates, Expr};
use facetta_model::definition::Aggregator;
use facetta_model::{AxisProperty, CellProperty, HierarchyId, MemberId, Members, Property, Scope, name};
use std::sync::Arc;

/// A statement whose names are ids, ready to be evaluated.
#[derive(Debug)]
pub(crate) struct Program {
    /// The cube with its calculated members.
    pub(crate) members: Arc<Members>,
    /// How each calculated member is calculated, in the order of [`Members::calculated`].
    pub(crate) calculations: Vec<Arc<Calculation>>,
    /// The cell calculations, in the order of their definitions.
    pub(crate) cell_calculations: Vec<Arc<CellCalculation>>,
    /// If there are some, which columns of a coordinate hold its pass, and the cell that is being calculated.
    pub(crate) pass_columns: Option<(usize, usize)>,
    /// The named sets that can be used.
    pub(crate) sets: Vec<NamedSet>,
    /// The stored measures that the statement names, directly or in the formulas that it names.
    pub(crate) measures: Vec<MemberId>,
    /// The calculated measures that it names.
    pub(crate) calculated_measures: Vec<MemberId>,
    /// How many iterations (named sets, aliases) a coordinate has columns for.
    pub(crate) iterations: usize,
    /// The iterations that are asked for their current tuple.
    pub(crate) iterated: Coordinates,
    /// The axes by number.
    pub(crate) axes: Vec<AxisPlan>,
    /// WHERE.
    pub(crate) slicer: Option<Expr>,
    /// Subselects, the outermost first, then the subcubes of the session, the newest first.
    pub(crate) subselects: Vec<Subselect>,
    /// The cell properties in the order asked.
    pub(crate) cell_properties: Vec<CellProperty>,
}

/// An axis of a query.
#[derive(Debug)]
pub(crate) struct AxisPlan {
    /// The set.
    pub(crate) set: Expr,
    /// NON EMPTY.
    pub(crate) non_empty: bool,
    /// HAVING.
    pub(crate) having: Option<Expr>,
    /// DIMENSION PROPERTIES with the hierarchy they are of, if it was named.
    pub(crate) properties: Vec<(Option<HierarchyId>, AxisProperty)>,
}

/// A `FROM (SELECT …)`, or a subcube of the session.
#[derive(Debug)]
pub(crate) struct Subselect {
    /// Totals keep the values of the cube.
    pub(crate) non_visual: bool,
    /// Its axes, each a set that narrows the cube.
    pub(crate) axes: Vec<Expr>,
    /// Its WHERE, at which the axes are evaluated, and which narrows the cube too.
    pub(crate) slicer: Option<Expr>,
}

/// A named set.
#[derive(Debug)]
pub(crate) struct NamedSet {
    /// Name.
    pub(crate) name: String,
    /// Its expression.
    pub(crate) set: Arc<Expr>,
    /// Its iteration, if something asks for its current tuple.
    pub(crate) iteration: Option<usize>,
    /// Evaluated where it is used, and not once.
    pub(crate) inline: bool,
    /// Of a static one, what it was made in.
    pub(crate) made: Option<Made>,
}

/// What a static named set was made in: the default members, and subcubes.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    /// How many subcubes, of those at the end of [`Program::subselects`] the last ones.
    pub(crate) subcubes: usize,
    /// What it is, once it has been evaluated.
    pub(crate) tuples: Arc<StaticSet>,
}

/// How a calculated member is calculated.
#[derive(Debug)]
pub(crate) struct Calculation {
    /// Its hierarchy.
    pub(crate) hierarchy: HierarchyId,
    /// Higher ones are applied to the results of lower ones.
    pub(crate) solve_order: i32,
    /// Where it was defined.
    pub(crate) scope: Scope,
    /// The value.
    pub(crate) formula: Arc<Expr>,
    /// FORMAT_STRING, its own or that of the measure that its formula is about.
    pub(crate) format: Option<Arc<Expr>>,
    /// Of a look at a member with visual totals, the members that it totals.
    pub(crate) parts: Option<Vec<MemberId>>,
    /// Other properties.
    pub(crate) properties: Vec<(String, Arc<Expr>)>,
}

/// A formula for some cells.
#[derive(Debug)]
pub(crate) struct CellCalculation {
    /// Name.
    pub(crate) name: String,
    /// The cells: sets over different hierarchies. Of other hierarchies all stored members.
    pub(crate) subcube: Vec<Expr>,
    /// Whether it holds for a cell.
    pub(crate) condition: Option<Expr>,
    /// The last pass at which it holds, from 1.
    pub(crate) pass: u32,
    /// At how many passes it holds, from the last one down.
    pub(crate) depth: u32,
    /// The value, rank and properties.
    pub(crate) formula: Calculation,
}

impl Calculation {
    /// The expression of a property that the definition sets.
    pub(crate) fn property(&self, wanted: &str) -> Option<&Arc<Expr>> {
        self.properties.iter().find(|(n, _)| name::same(n, wanted)).map(|(_, e)| e)
    }

    /// The expression of a property asked by name.
    pub(crate) fn named_property(&self, property: &Property) -> Option<&Arc<Expr>> {
        match property {
            Property::Named(wanted) => self.property(wanted),
            _ => None,
        }
    }
}

/// How results of parts become the result of the whole; none if they do not.
pub(crate) fn rollup(aggregator: Aggregator) -> Option<Aggregator> {
    match aggregator {
        Aggregator::Sum | Aggregator::Count => Some(Aggregator::Sum),
        Aggregator::Min => Some(Aggregator::Min),
        Aggregator::Max => Some(Aggregator::Max),
        Aggregator::Avg | Aggregator::DistinctCount => None,
    }
}
