//! JOIN: the right rowset is read once; rows meet by a key where the condition has one.

use super::{Flow, Query, Row, expression, gather, scope::Scope};
use expression::{Expression, compile_condition};
use facetta_mdx::ast::{DmvJoin, DmvOperator};
use facetta_model::{Charge, Context, Field, Result};
use std::collections::HashMap;

/// Joins the rows of `left`, `left_width` wide, with those of `right`.
///
/// # Errors
/// A name in the condition is unknown.
pub(crate) fn joined(
    left: Flow,
    right: Flow,
    scope: &Scope,
    left_width: usize,
    query: &Query<'_>,
    join: &DmvJoin,
) -> Result<Flow> {
    let condition = compile_condition(scope, query, &join.condition)?;
    let key = equal_columns(&condition, left_width)
        .filter(|(l, r)| scope.columns[*l].info.ty == scope.columns[*r].info.ty);
    let right_width = scope.columns.len() - left_width;
    let mut state = State { left, right, condition, key, left_width, right_width, outer: join.left, partners: None };
    Ok(Box::new(move |context| state.pull(context)))
}

/// The columns of the first equality between both sides that must hold.
fn equal_columns(condition: &Expression, left_width: usize) -> Option<(usize, usize)> {
    match condition {
        Expression::And(all) => all.iter().find_map(|one| equal_columns(one, left_width)),
        Expression::Compare(DmvOperator::Equal, sides) => match **sides {
            (Expression::Field(a), Expression::Field(b)) if a < left_width && b >= left_width => Some((a, b)),
            (Expression::Field(b), Expression::Field(a)) if a < left_width && b >= left_width => Some((a, b)),
            _ => None,
        },
        _ => None,
    }
}

struct State {
    left: Flow,
    right: Flow,
    condition: Expression,
    key: Option<(usize, usize)>,
    left_width: usize,
    right_width: usize,
    outer: bool,
    partners: Option<Partners>,
}

/// The rows of the right side, and where those of each key are.
struct Partners {
    rows: Vec<Row>,
    by_key: HashMap<String, Vec<usize>>,
    _charge: Charge,
}

impl State {
    fn pull(&mut self, context: &Context) -> Result<Option<Vec<Row>>> {
        if self.partners.is_none() {
            self.partners = Some(self.read_right(context)?);
        }
        let Some(partners) = &self.partners else { return Ok(None) };
        let Some(lefts) = (self.left)(context)? else { return Ok(None) };
        let mut out = Vec::new();
        let mut charge = context.charge("JOIN", 0)?;
        let mut step = 0;
        for left in lefts {
            let mut found = false;
            let mut meet = |right: &Row, out: &mut Vec<Row>| -> Result<()> {
                context.check_every(&mut step)?;
                let mut row = left.clone();
                row.extend_from_slice(right);
                if self.condition.test(&row) == Some(true) {
                    found = true;
                    charge.grow(expression::bytes(&row))?;
                    out.push(row);
                }
                Ok(())
            };
            match self.key {
                Some((column, _)) => {
                    let key = expression::key(std::slice::from_ref(&left[column]));
                    for index in partners.by_key.get(&key).into_iter().flatten() {
                        meet(&partners.rows[*index], &mut out)?;
                    }
                }
                None => {
                    for right in &partners.rows {
                        meet(right, &mut out)?;
                    }
                }
            }
            if self.outer && !found {
                let mut row = left;
                row.resize(self.left_width + self.right_width, Field::Null);
                out.push(row);
            }
        }
        Ok(Some(out))
    }

    fn read_right(&mut self, context: &Context) -> Result<Partners> {
        let (rows, charge) = gather(&mut self.right, context, "JOIN")?;
        let mut by_key: HashMap<String, Vec<usize>> = HashMap::new();
        if let Some((_, column)) = self.key {
            for (index, row) in rows.iter().enumerate() {
                let key = expression::key(std::slice::from_ref(&row[column - self.left_width]));
                by_key.entry(key).or_default().push(index);
            }
        }
        Ok(Partners { rows, by_key, _charge: charge })
    }
}
