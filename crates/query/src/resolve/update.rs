//! UPDATE CUBE: the tuples that it assigns to, and the scalars that they take.

use super::Resolver;
use super::convert::distance;
use crate::environment::Query;
use crate::expr::{Expr, Kind};
use crate::program::Program;
use crate::update::{Assignment, no_tuple};
use facetta_mdx::ast::{self, ExpressionKind, Segment, Syntax};
use facetta_model::catalog::Cube;
use facetta_model::{Context, Result};
use std::sync::Arc;

/// Resolves the assignments of an UPDATE over a cube.
pub(crate) fn update(
    query: &Query,
    cube: &Arc<Cube>,
    update: &ast::Update,
    context: &Context,
) -> Result<(Program, Vec<Assignment>)> {
    let mut resolver = Resolver::new(query, cube, context)?;
    let mut assignments = Vec::with_capacity(update.cells.len());
    for cell in &update.cells {
        context.check()?;
        let target = resolver.target(&without_value(&cell.target))?;
        let value = resolver.scalar(&cell.value)?;
        assignments.push(Assignment { target, value, span: cell.span });
    }
    let program = resolver.finish(Vec::new(), None, Vec::new(), Vec::new())?;
    Ok((program, assignments))
}

impl Resolver<'_> {
    /// A tuple; a member stands for itself alone.
    fn target(&mut self, written: &ast::Expression) -> Result<Expr> {
        let expr = self.expression(written)?;
        let is_null = expr.is_null();
        match distance(expr.ty.kind, Kind::Tuple, self.compatibility()) {
            Some(_) if !is_null => Ok(self.convert(expr, Kind::Tuple)),
            _ => Err(self.error_at(no_tuple(expr.ty.kind.text()), written.span)),
        }
    }
}

/// The tuple of `tuple.VALUE`, which clients write for the tuple itself.
fn without_value(target: &ast::Expression) -> ast::Expression {
    match &target.kind {
        ExpressionKind::Call(call)
            if call.syntax == Syntax::Property && call.arguments.len() == 1 && is_value(&call.name) =>
        {
            call.arguments[0].clone()
        }
        ExpressionKind::Identifier(identifier) => match identifier.segments.as_slice() {
            [rest @ .., Segment::Name(last)] if !rest.is_empty() && is_value(last) => {
                let kind = ExpressionKind::Identifier(ast::Identifier { segments: rest.to_vec() });
                ast::Expression { kind, span: target.span }
            }
            _ => target.clone(),
        },
        _ => target.clone(),
    }
}

fn is_value(name: &ast::Name) -> bool {
    !name.quoted && name.text.eq_ignore_ascii_case("VALUE")
}
