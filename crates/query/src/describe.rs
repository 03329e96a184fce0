//! What a cube looks like to a session: its calculated members and named sets; members found by name. Metadata rowsets ask this.

use crate::environment::Query;
use crate::evaluate::Evaluator;
use crate::resolve::{Named, Resolver};
use facetta_mdx::ast::{ExpressionKind, Statement, StatementKind};
use facetta_model::catalog::Cube;
use facetta_model::definition::{Place, Texts};
use facetta_model::{Context, HierarchyId, MemberId, Members, Result, Scope};
use std::sync::Arc;

/// A cube with what it and the session define.
#[derive(Clone, Debug)]
pub struct CubeDescription {
    /// The members, calculated ones too.
    pub members: Arc<Members>,
    /// The named sets.
    pub sets: Vec<SetDescription>,
}

impl CubeDescription {
    /// The calculated members of a hierarchy, in order of definition.
    pub fn calculated(&self, hierarchy: HierarchyId) -> impl Iterator<Item = MemberId> + '_ {
        let all = self.members.calculated.iter().enumerate();
        all.filter(move |(_, c)| c.hierarchy == hierarchy).map(|(i, _)| MemberId(MemberId::FIRST_CALCULATED + i as u32))
    }
}

/// A named set.
#[derive(Clone, Debug)]
pub struct SetDescription {
    /// Name.
    pub name: String,
    /// Caption, description, folder.
    pub texts: Texts,
    /// The expression as written.
    pub expression: String,
    /// Where it was defined.
    pub scope: Scope,
    /// The hierarchies of its tuples; empty if its expression is not right.
    pub hierarchies: Vec<HierarchyId>,
    /// Whether it is evaluated anew for each statement's context.
    pub dynamic: bool,
}

/// The members and sets that a session sees in a cube.
///
/// # Errors
/// A definition's name or place is wrong, or the context says stop.
pub fn describe(query: &Query, cube: &Arc<Cube>, context: &Context) -> Result<CubeDescription> {
    let mut resolver = Resolver::new(query, cube, context)?;
    let sets = resolver.describe_sets();
    Ok(CubeDescription { members: Arc::new(resolver.members.clone()), sets })
}

/// The member that a text names in a cube, if it names one.
///
/// # Errors
/// As [`describe`]; a text that does not parse names nothing.
pub fn find_member(
    query: &Query,
    cube: &Arc<Cube>,
    text: &str,
    context: &Context,
) -> Result<Option<(HierarchyId, MemberId)>> {
    let resolver = Resolver::new(query, cube, context)?;
    let syntax = match facetta_mdx::parse_expression(text, context) {
        Ok(syntax) => syntax,
        Err(error) if error.is_interrupt() => return Err(error),
        Err(_) => return Ok(None),
    };
    let ExpressionKind::Identifier(identifier) = syntax.kind else { return Ok(None) };
    Ok(match resolver.find_whole(&identifier) {
        Some(Named::Member(hierarchy, member)) => Some((hierarchy, member)),
        _ => None,
    })
}

/// Everything that is wrong with the calculated members and named sets of a cube, with the places of their definitions.
///
/// # Errors
/// A member cannot even be named (its hierarchy or parent does not exist), or the context says stop.
pub fn check_cube(query: &Query, cube: &Arc<Cube>, context: &Context) -> Result<Vec<(Place, facetta_model::Error)>> {
    Ok(Resolver::new(query, cube, context)?.check_cube())
}

/// Evaluates the last named set of the session's scope, which remembers it if it is a static one.
///
/// # Errors
/// It cannot be evaluated; interrupts.
pub fn evaluate_newest_set(query: &Query, cube: &Arc<Cube>, context: &Context) -> Result<()> {
    let mut resolver = Resolver::new(query, cube, context)?;
    let Some(newest) = resolver.resolve_newest_set()? else { return Ok(()) };
    let program = resolver.finish(Vec::new(), None, Vec::new(), Vec::new())?;
    let evaluator = Evaluator::new(Arc::new(program), query, context.clone());
    evaluator.named_set(newest, &evaluator.base()).map(|_| ())
}

/// Looks whether a cube takes what a CREATE defines: a member has a place and its formula a meaning, a subcube can be made, a set
/// or cell calculation is right.
///
/// # Errors
/// What is wrong with the definition, at its place in the statement.
pub fn check_definition(statement: &Statement, query: &Query, cube: &Arc<Cube>, context: &Context) -> Result<()> {
    let mut resolver = Resolver::new(query, cube, context)?;
    match &statement.kind {
        StatementKind::CreateMember(create) => {
            resolver.define_member(&create.member, Scope::Query, &mut Texts::default())?;
            resolver.check_newest_member()
        }
        StatementKind::CreateSet(create) => resolver.set(&create.set.expression).map(|_| ()),
        StatementKind::CreateCellCalculation(create) => {
            resolver.define_cells(&create.calculation, Scope::Query, None);
            let program = resolver.finish(Vec::new(), None, Vec::new(), Vec::new())?;
            Evaluator::new(Arc::new(program), query, context.clone()).has_cell_calculations().map(|_| ())
        }
        StatementKind::CreateSubcube(create) => {
            let mut own = Vec::new();
            resolver.subselects(&create.source, &mut own)?;
            let program = resolver.finish(Vec::new(), None, own, Vec::new())?;
            Evaluator::new(Arc::new(program), query, context.clone()).apply_subselects()
        }
        _ => Ok(()),
    }
}
