//! ORDER BY.

use super::{Flow, Query, Row, expression, flow_of, gather, scope::Scope, wrong};
use crate::rowsets::value::order;
use expression::Expression;
use facetta_mdx::ast::{DmvExpressionKind, DmvSelect};
use facetta_model::{Context, Result, name};
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
pub(crate) fn sorted(mut flow: Flow, width: usize, select: &DmvSelect) -> Flow {
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
        let rows = merge_sort(rows, &compare, context)?;
        result.insert(flow_of(rows, charge))(context)
    })
}

/// A stable sort that can be cancelled: runs of some thousand rows by the standard library, merged with polls between.
fn merge_sort(rows: Vec<Row>, compare: &dyn Fn(&Row, &Row) -> Ordering, context: &Context) -> Result<Vec<Row>> {
    const RUN: usize = 4096;
    let mut rows = rows.into_iter();
    let mut runs: Vec<Vec<Row>> = Vec::new();
    loop {
        context.check()?;
        let mut run: Vec<Row> = rows.by_ref().take(RUN).collect();
        if run.is_empty() {
            break;
        }
        run.sort_by(compare);
        runs.push(run);
    }
    while runs.len() > 1 {
        let mut pairs = runs.into_iter();
        let mut merged = Vec::new();
        while let Some(left) = pairs.next() {
            merged.push(match pairs.next() {
                Some(right) => merge(left, right, compare, context)?,
                None => left,
            });
        }
        runs = merged;
    }
    Ok(runs.pop().unwrap_or_default())
}

fn merge(
    left: Vec<Row>,
    right: Vec<Row>,
    compare: &dyn Fn(&Row, &Row) -> Ordering,
    context: &Context,
) -> Result<Vec<Row>> {
    let mut out = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    let mut step = 0;
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        context.check_every(&mut step)?;
        let from_right = compare(a, b).is_gt();
        out.extend(if from_right { right.next() } else { left.next() });
    }
    out.extend(left);
    out.extend(right);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use facetta_model::{CancelReason, Field};

    fn rows(count: i64) -> Vec<Row> {
        (0..count).map(|i| vec![Field::Int(i * 7919 % 10_007), Field::Int(i)]).collect()
    }

    #[test]
    fn sorting_is_right_and_stable() {
        let context = Context::unlimited();
        let by_tens = |row: &Row| if let Field::Int(i) = row[0] { i / 10 } else { 0 };
        let mut expected = rows(20_000);
        expected.sort_by_key(by_tens);
        assert_eq!(merge_sort(rows(20_000), &|a, b| by_tens(a).cmp(&by_tens(b)), &context).unwrap(), expected);
    }

    #[test]
    fn sorting_can_be_cancelled() {
        let context = Context::unlimited();
        context.token().cancel(CancelReason::Cancel);
        assert!(merge_sort(rows(10), &|a, b| order(&a[0], &b[0]), &context).is_err());
    }
}
