//! SELECT: its parts in order, and what they must agree on.

use super::Resolver;
use crate::environment::Query;
use crate::expr::{Expr, ExprKind, Kind};
use crate::program::{AxisPlan, Calculation, NamedSet, Program, Subselect};
use facetta_mdx::ast::{self, Segment};
use facetta_model::catalog::Cube;
use facetta_model::{Context, Error, ErrorKind, HierarchyId, MemberId, Result, error, name};
use std::sync::Arc;

/// Names of the first axes.
const AXIS_NAMES: &[&str] = &["COLUMNS", "ROWS", "PAGES", "SECTIONS", "CHAPTERS"];

/// The cube that a source is about: the innermost FROM.
pub(crate) fn cube_of(query: &Query, source: &ast::Source) -> Result<Arc<Cube>> {
    match source {
        ast::Source::Subselect(subselect) => cube_of(query, &subselect.source),
        ast::Source::Cube(identifier) => named_cube(query, identifier),
    }
}

/// The cube of a name, which may begin with that of the catalog.
pub(crate) fn named_cube(query: &Query, identifier: &ast::Identifier) -> Result<Arc<Cube>> {
    let catalog = query.snapshot.catalog();
    let names: Vec<&str> = identifier.segments.iter().filter_map(Segment::name).map(|n| &*n.text).collect();
    let found = match names.as_slice() {
        [cube] => catalog.cube(cube),
        [first, cube] if name::same(first, &catalog.name) => catalog.cube(cube),
        _ => None,
    };
    let missing = || error!(CubeNotFound, "MDX cube '{}' not found", names.join(".")).at(identifier.span());
    found.cloned().ok_or_else(missing)
}

/// Resolves a query.
pub(crate) fn select(query: &Query, select: &ast::Select, context: &Context) -> Result<Program> {
    let cube = cube_of(query, &select.source)?;
    let mut resolver = Resolver::new(query, &cube, context)?;
    resolver.note_parameters(select);
    resolver.define_query(&select.with)?;
    resolver.resolve_query_sets()?;
    let axes = resolver.axes(&select.axes)?;
    let slicer = match &select.slicer {
        Some(slicer) => Some(resolver.slicer(slicer)?),
        None => None,
    };
    let mut subselects = Vec::new();
    resolver.subselects(&select.source, &mut subselects)?;
    resolver.check_hierarchies(&axes, slicer.as_ref())?;
    let cell_properties = resolver.cell_properties(&select.cell_properties)?;
    resolver.finish(axes, slicer, subselects, cell_properties)
}

impl Resolver<'_> {
    /// The program of a statement's parts, in what the session has left of the cube.
    pub(crate) fn finish(
        mut self,
        axes: Vec<AxisPlan>,
        slicer: Option<Expr>,
        subselects: Vec<Subselect>,
        cell_properties: Vec<facetta_model::CellProperty>,
    ) -> Result<Program> {
        let mut subselects = subselects;
        subselects.append(&mut std::mem::replace(&mut self.subcubes, Ok(Vec::new()))?);
        let calculations = self.finish_calculations()?;
        let cell_calculations = self.finish_cell_calculations()?;
        let pass_columns = if cell_calculations.is_empty() {
            None
        } else {
            let first = self.cube.hierarchies.len();
            Some((first + self.new_iteration()?, first + self.new_iteration()?))
        };
        let sets = self.finish_sets();
        let mut measures = Measures { calculations: &calculations, sets: &sets, found: Vec::new(), seen: Vec::new() };
        axes.iter().for_each(|a| measures.visit(&a.set));
        slicer.iter().for_each(|s| measures.visit(s));
        let is_measure = |m: &MemberId| {
            m.calculated_index().and_then(|i| calculations.get(i)).is_some_and(|c| c.hierarchy == HierarchyId::MEASURES)
        };
        let calculated_measures = measures.seen.iter().copied().filter(is_measure).collect();
        let measures = measures.found;
        Ok(Program {
            calculations,
            cell_calculations,
            pass_columns,
            sets,
            measures,
            calculated_measures,
            iterations: self.iterations,
            iterated: std::mem::take(&mut self.iterated),
            members: Arc::new(self.members),
            axes,
            slicer,
            subselects,
            cell_properties,
        })
    }

    fn axes(&mut self, written: &[ast::Axis]) -> Result<Vec<AxisPlan>> {
        let mut ordered: Vec<&ast::Axis> = written.iter().collect();
        ordered.sort_by_key(|a| a.ordinal);
        for (expected, axis) in ordered.iter().enumerate() {
            if axis.ordinal as usize > expected {
                let name = AXIS_NAMES.get(expected).map_or(String::new(), |n| format!(" ({n})"));
                return Err(error!(
                    Invalid,
                    "Axis numbers specified in a query must be sequentially specified, and cannot contain gaps. \
                     Axis {expected}{name} is missing."
                )
                .at(axis.span));
            }
            if (axis.ordinal as usize) < expected {
                let name = AXIS_NAMES.get(axis.ordinal as usize).copied().unwrap_or("AXIS");
                return Err(error!(Invalid, "Duplicate axis name '{name}'.").at(axis.span));
            }
        }
        // In the order of their numbers, but for sets named by `AS`: what comes first in the text is known to the rest.
        let mut plans: Vec<Option<AxisPlan>> = written.iter().map(|_| None).collect();
        for axis in written {
            let plan = self.axis(axis)?;
            self.keep_axis(axis.ordinal as usize, &plan.set);
            plans[axis.ordinal as usize] = Some(plan);
        }
        Ok(plans.into_iter().flatten().collect())
    }

    fn axis(&mut self, axis: &ast::Axis) -> Result<AxisPlan> {
        let set = self.set(&axis.set)?;
        let having = axis.having.as_ref().map(|h| self.scalar(h)).transpose()?;
        let mut plan = AxisPlan { set, non_empty: axis.non_empty, having, properties: Vec::new() };
        self.axis_properties(&mut plan, &axis.properties)?;
        Ok(plan)
    }

    fn slicer(&mut self, written: &ast::Expression) -> Result<Expr> {
        let expr = self.expression(written)?;
        if expr.is_null() {
            let error = error!(Invalid, "Function does not support NULL member parameter");
            return Err(self.error_at(error, written.span));
        }
        match super::convert::distance(expr.ty.kind, Kind::Set, self.compatibility()) {
            Some(_) => Ok(self.convert(expr, Kind::Set)),
            None => {
                let error = Error::new(ErrorKind::Type, "the slicer must be a member, a tuple or a set");
                Err(self.error_at(error, written.span))
            }
        }
    }

    /// No hierarchy may stand on two axes, or on an axis and in the slicer.
    fn check_hierarchies(&self, axes: &[AxisPlan], slicer: Option<&Expr>) -> Result<()> {
        let mut used: Vec<HierarchyId> = Vec::new();
        for set in axes.iter().map(|a| &a.set).chain(slicer) {
            for h in set.ty.hierarchies.iter().flat_map(|hs| hs.iter()) {
                if used.contains(h) {
                    let name = &self.cube.hierarchy(*h).unique_name;
                    return Err(error!(
                        HierarchyTwice,
                        "Hierarchy '{name}' appears in more than one independent axis."
                    ));
                }
            }
            used.extend(set.ty.hierarchies.iter().flat_map(|hs| hs.iter().copied()));
        }
        Ok(())
    }

    /// The subselects of a source, the outermost first.
    pub(crate) fn subselects(&mut self, source: &ast::Source, out: &mut Vec<Subselect>) -> Result<()> {
        let ast::Source::Subselect(subselect) = source else { return Ok(()) };
        let mut axes = Vec::new();
        for axis in &subselect.axes {
            if axis.having.is_some() || axis.non_empty {
                let what = if axis.having.is_some() { "HAVING" } else { "NON EMPTY" };
                let error = Error::not_supported(format_args!("{what} in a subselect"));
                return Err(self.error_at(error, axis.span));
            }
            axes.push(self.set(&axis.set)?);
        }
        let slicer = subselect.slicer.as_ref().map(|s| self.slicer(s)).transpose()?;
        out.push(Subselect { non_visual: subselect.non_visual, axes, slicer });
        self.subselects(&subselect.source, out)
    }
}

/// Collects the stored measures that expressions name, those of calculated members too.
struct Measures<'a> {
    calculations: &'a [Arc<Calculation>],
    sets: &'a [NamedSet],
    found: Vec<MemberId>,
    seen: Vec<MemberId>,
}

impl Measures<'_> {
    fn visit_calculation(&mut self, member: MemberId) {
        if self.seen.contains(&member) {
            return;
        }
        self.seen.push(member);
        let calculations = self.calculations;
        if let Some(calculation) = member.calculated_index().and_then(|i| calculations.get(i)) {
            self.visit(&calculation.formula);
        }
    }

    fn visit(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Member(_, m) if m.is_calculated() => self.visit_calculation(*m),
            ExprKind::Member(HierarchyId::MEASURES, m) if !m.is_null() && !self.found.contains(m) => {
                self.found.push(*m)
            }
            ExprKind::NamedSet(index) => {
                // A set's expression may name the set that asks for it only through a formula, which is visited once.
                let marker = MemberId(u32::MAX - 1 - *index as u32);
                if !self.seen.contains(&marker) {
                    self.seen.push(marker);
                    let sets = self.sets;
                    if let Some(set) = sets.get(*index) {
                        self.visit(&set.set);
                    }
                }
            }
            ExprKind::Tuple(parts) | ExprKind::Braces(parts) | ExprKind::Scalar(_, parts) => {
                parts.iter().for_each(|p| self.visit(p));
            }
            ExprKind::Cell(inner) | ExprKind::Alias(_, inner) | ExprKind::Property(inner, _) => self.visit(inner),
            ExprKind::Call(call) => call.args.iter().for_each(|a| self.visit(a)),
            ExprKind::Case(branches, otherwise) => {
                for (condition, result) in branches {
                    self.visit(condition);
                    self.visit(result);
                }
                otherwise.iter().for_each(|o| self.visit(o));
            }
            _ => {}
        }
    }
}
