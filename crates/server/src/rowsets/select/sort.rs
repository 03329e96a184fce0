//! ORDER BY.

use super::{Flow, Query, Row, expression, flow_of, gather, scope::Scope, wrong};
use crate::rowsets::value::order;
use expression::Expression;
use facetta_mdx::ast::{DmvExpressionKind, DmvSelect};
use facetta_model::sort::sorted;
use facetta_model::{Context, Result, drop_later, name};
use std::cmp::Ordering;

/// A key of ORDER BY.
pub(crate) struct Key {
    /// Its value.
    pub value: Expression,
}

/// The keys of a query.
///
/// # Errors
/// A name is unknown.
pub(crate) fn keys(scope: &Scope, query: &Query<'_>) -> Result<Vec<Key>> {
    query.select.order_by.iter().map(|one| key(scope, query, &one.expression)).collect()
}

/// An alias of the select list goes before a column of the same name.
fn key(scope: &Scope, query: &Query<'_>, written: &facetta_mdx::ast::DmvExpression) -> Result<Key> {
    if let DmvExpressionKind::Column(column) = &written.kind
        && column.table.is_none()
        && let Some(item) =
            query.select.items.iter().find(|i| i.alias.as_ref().is_some_and(|a| name::same(&a.text, &column.name.text)))
    {
        return Ok(Key { value: expression::compile_value(scope, query, &item.expression)? });
    }
    let value = expression::compile_value(scope, query, written)?;
    match value {
        Expression::Field(_) | Expression::Aggregate(_) => Ok(Key { value }),
        _ => Err(wrong("ORDER BY needs a column", written.span, query)),
    }
}

/// The rows by their keys, which stand behind the `width` columns of each.
pub(crate) fn in_order(mut flow: Flow, width: usize, select: &DmvSelect) -> Flow {
    let descending: Vec<bool> = select.order_by.iter().map(|o| o.descending).collect();
    let mut result: Option<Flow> = None;
    Box::new(move |context: &Context| {
        if let Some(result) = &mut result {
            return result(context);
        }
        let (rows, charge) = gather(&mut flow, context, "ORDER BY")?;
        let compare = |a: &Row, b: &Row| {
            let keys = a[width..].iter().zip(&b[width..]).zip(&descending);
            keys.map(|((a, b), desc)| if *desc { order(b, a) } else { order(a, b) })
                .find(|o| o.is_ne())
                .unwrap_or(Ordering::Equal)
        };
        let mut rows = rows;
        let order =
            match sorted((0..rows.len()).collect(), context, |&a: &usize, &b: &usize| compare(&rows[a], &rows[b])) {
                Ok(order) => order,
                Err(error) => {
                    drop_later(rows);
                    return Err(error);
                }
            };
        let rows = order.into_iter().map(|at| std::mem::take(&mut rows[at])).collect();
        result.insert(flow_of(rows, charge))(context)
    })
}
