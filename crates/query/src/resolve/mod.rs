//! From syntax to meaning: names become ids, calls become rows of the function table, a statement becomes a program.

mod cells;
mod convert;
mod definitions;
mod describe;
mod expression;
mod kpi;
mod names;
mod overload;
mod parameters;
mod properties;
mod select;
mod special;
mod update;

pub(crate) use expression::same_hierarchies;
pub(crate) use names::Named;
pub(crate) use select::{named_cube, select};
pub(crate) use update::update;

use crate::environment::Query;
use crate::expr::{Coordinates, Expr, ExprKind, Kind, Type};
use crate::program::{Calculation, Made, NamedSet, Program, Subselect};
use facetta_mdx::ast;
use facetta_model::catalog::Cube;
use facetta_model::definition::{Place, Texts};
use facetta_model::{Compatibility, Context, Error, HierarchyId, Members, Result, Scope, Span};
use std::sync::Arc;

/// Coordinates beyond the hierarchies that a cell can depend on: iterations over named sets.
const MAX_ITERATIONS: usize = 512;
/// How deep definitions may refer to each other while they are resolved.
const MAX_NESTING: usize = 64;

/// A named set while its definition is being resolved.
struct SetDefinition {
    name: String,
    scope: Scope,
    texts: Texts,
    /// Evaluated in the context of each query.
    dynamic: bool,
    /// The statement that made it, if it is neither the schema's nor the query's.
    text: Option<Arc<str>>,
    /// Of a static one that was made by a statement, in what.
    made: Option<Made>,
    syntax: Arc<ast::Expression>,
    state: State<Arc<Expr>>,
    iteration: Option<usize>,
    inline: bool,
}

/// How far a definition is resolved.
enum State<T> {
    Waiting,
    Running,
    Done(T),
    Failed(Error),
}

/// A calculated member whose formula is resolved after all names are known.
struct MemberFormula {
    syntax: Arc<ast::Expression>,
    properties: Vec<(String, ast::Expression)>,
    scope: Scope,
    hierarchy: HierarchyId,
    unique_name: String,
    /// The statement that made it, if it is neither the schema's nor the query's.
    text: Option<Arc<str>>,
}

/// A set that was given a name where it stands.
struct Alias {
    name: String,
    iteration: usize,
    set: Expr,
}

/// Resolves the names and types of one statement over one cube.
pub(crate) struct Resolver<'a> {
    query: &'a Query,
    context: &'a Context,
    cube: Arc<Cube>,
    pub(crate) members: Members,
    formulas: Vec<MemberFormula>,
    /// Members that have no place in the cube any more, and why.
    broken: Vec<(ast::Identifier, Error)>,
    cells: Vec<cells::CellFormula>,
    sets: Vec<SetDefinition>,
    aliases: Vec<Alias>,
    iterations: usize,
    iterated: Coordinates,
    /// The session's subcubes, the newest first, or why they cannot be.
    subcubes: Result<Vec<Subselect>>,
    /// Parameters that the statement declares: name, default value.
    parameters: Vec<(String, Expr)>,
    /// The arguments of every declaration in the statement's text.
    declared: Vec<Vec<ast::Expression>>,
    /// Whether the text of the statement asks for its axes.
    asks_for_axes: bool,
    /// By the number of an axis the named set that it is for formulas.
    axis_sets: Vec<Option<usize>>,
    /// Names of the parameters whose declarations are being resolved.
    declaring: Vec<String>,
    /// Nodes of expressions that references to parameters have copied.
    copied: usize,
    /// Whether the text being resolved is that of the statement; spans of other texts mean nothing to its reader.
    own_text: bool,
    nesting: usize,
}

impl<'a> Resolver<'a> {
    /// A resolver that knows the definitions of the cube and the session.
    pub(crate) fn new(query: &'a Query, cube: &Arc<Cube>, context: &'a Context) -> Result<Resolver<'a>> {
        let catalog = query.snapshot.catalog();
        let members =
            Members { catalog_name: catalog.name.as_str().into(), cube: cube.clone(), calculated: Vec::new() };
        let mut resolver = Resolver {
            query,
            context,
            cube: cube.clone(),
            members,
            formulas: Vec::new(),
            broken: Vec::new(),
            cells: Vec::new(),
            sets: Vec::new(),
            aliases: Vec::new(),
            iterations: 0,
            iterated: Coordinates::default(),
            subcubes: Ok(Vec::new()),
            parameters: Vec::new(),
            declared: Vec::new(),
            declaring: Vec::new(),
            copied: 0,
            asks_for_axes: false,
            axis_sets: Vec::new(),
            own_text: true,
            nesting: 0,
        };
        resolver.define_cube_and_session()?;
        resolver.subcubes = resolver.session_subcubes();
        Ok(resolver)
    }

    /// A resolver of texts that come up while a program is evaluated; it knows all names of the program.
    pub(crate) fn of_program(
        query: &'a Query,
        program: &Program,
        members: &Members,
        context: &'a Context,
    ) -> Resolver<'a> {
        let null = ast::Expression { kind: ast::ExpressionKind::Null, span: Span::default() };
        let syntax = Arc::new(null);
        let set = |set: &NamedSet| SetDefinition {
            name: set.name.clone(),
            scope: Scope::Query,
            texts: Texts::default(),
            dynamic: false,
            text: None,
            made: set.made.clone(),
            syntax: syntax.clone(),
            state: State::Done(set.set.clone()),
            iteration: set.iteration,
            inline: set.inline,
        };
        Resolver {
            query,
            context,
            cube: members.cube.clone(),
            members: members.clone(),
            formulas: Vec::new(),
            broken: Vec::new(),
            cells: Vec::new(),
            sets: program.sets.iter().map(set).collect(),
            aliases: Vec::new(),
            iterations: program.iterations,
            iterated: program.iterated.clone(),
            subcubes: Ok(Vec::new()),
            parameters: Vec::new(),
            declared: Vec::new(),
            declaring: Vec::new(),
            copied: 0,
            asks_for_axes: false,
            axis_sets: Vec::new(),
            own_text: false,
            nesting: 0,
        }
    }

    fn compatibility(&self) -> Compatibility {
        self.cube.compatibility
    }

    /// A span, if it lies in the statement's own text.
    fn span(&self, span: Span) -> Span {
        if self.own_text { span } else { Span::default() }
    }

    /// Every coordinate that a cell can depend on.
    fn all_coordinates(&self) -> Coordinates {
        Coordinates::first(self.cube.hierarchies.len() + MAX_ITERATIONS)
    }

    /// An error at a place of the text being resolved.
    fn error_at(&self, error: Error, span: Span) -> Error {
        if self.own_text { error.at(span) } else { error }
    }

    /// A number for a set that functions iterate over.
    fn new_iteration(&mut self) -> Result<usize> {
        if self.iterations >= MAX_ITERATIONS {
            return Err(Error::not_supported("a statement with more than 512 iterations over named sets"));
        }
        self.iterations += 1;
        Ok(self.iterations - 1)
    }

    /// The named sets as the program keeps them.
    fn finish_sets(&mut self) -> Vec<NamedSet> {
        let sets = std::mem::take(&mut self.sets);
        let finish = |set: SetDefinition| NamedSet {
            name: set.name,
            iteration: set.iteration,
            inline: set.inline,
            made: set.made,
            set: match set.state {
                State::Done(expr) => expr,
                State::Failed(error) => Arc::new(failed(error, Kind::Set)),
                _ => Arc::new(failed(Error::internal("a named set was not resolved"), Kind::Set)),
            },
        };
        sets.into_iter().map(finish).collect()
    }

    /// Resolves all that the cube defines; every mistake with the place of the definition.
    pub(crate) fn check_cube(mut self) -> Vec<(Place, Error)> {
        let cube = self.cube.clone();
        let mut wrong = Vec::new();
        for index in 0..self.sets.len() {
            if let Err(error) = self.resolved_set(index) {
                wrong.push((cube.named_sets.get(index).map_or_else(Place::default, |d| d.place.clone()), error));
            }
        }
        let formulas = std::mem::take(&mut self.formulas);
        for (index, formula) in formulas.into_iter().enumerate() {
            let place = cube.calculated_members.get(index).map_or_else(Place::default, |d| d.place.clone());
            match self.calculation(formula) {
                Ok(calculation) => {
                    let all =
                        std::iter::once(&calculation.formula).chain(calculation.properties.iter().map(|(_, e)| e));
                    for expr in all {
                        if let ExprKind::Failed(error) = &expr.kind {
                            wrong.push((place.clone(), error.clone()));
                        }
                    }
                }
                Err(error) => wrong.push((place, error)),
            }
        }
        wrong
    }

    /// The calculations of all calculated members, in their order.
    fn finish_calculations(&mut self) -> Result<Vec<Arc<Calculation>>> {
        let formulas = std::mem::take(&mut self.formulas);
        let mut calculations = formulas.into_iter().map(|f| self.calculation(f)).collect::<Result<Vec<_>>>()?;
        self.inherit_formats(&mut calculations);
        Ok(calculations.into_iter().map(Arc::new).collect())
    }
}

/// An expression whose evaluation fails with `error`.
fn failed(error: Error, kind: Kind) -> Expr {
    Expr::constant(ExprKind::Failed(error), Type::of(kind), Span::default())
}
