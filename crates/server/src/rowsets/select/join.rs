//! JOIN: the right rowset is read once; rows meet by a key where the condition has one.

use super::{BATCH, Flow, Query, Row, expression, gather, scope::Scope};
use expression::{Expression, compile_condition};
use facetta_mdx::ast::{DmvJoin, DmvOperator};
use facetta_model::{Charge, Context, Field, Result, drop_later};
use std::collections::HashMap;
use std::sync::Arc;

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
    let key =
        equal_columns(&condition, left_width).filter(|(l, r)| scope.columns[*l].info.ty == scope.columns[*r].info.ty);
    let width = scope.columns.len();
    let mut state = State {
        left,
        right,
        condition,
        key,
        left_width,
        width,
        outer: join.left,
        partners: None,
        lefts: Vec::new().into_iter(),
        meeting: None,
    };
    Ok(Box::new(move |context| state.pull(context)))
}

/// The columns of the first equality between both sides that must hold.
fn equal_columns(condition: &Expression, left_width: usize) -> Option<(usize, usize)> {
    match condition {
        Expression::And(all) => all.iter().find_map(|one| equal_columns(one, left_width)),
        Expression::Compare(DmvOperator::Equal, sides, _) => match **sides {
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
    width: usize,
    outer: bool,
    partners: Option<Partners>,
    lefts: std::vec::IntoIter<Row>,
    meeting: Option<Meeting>,
}

/// A row of the left side that meets those of the right, and how far it is.
struct Meeting {
    row: Row,
    /// The rows of the right to meet; none for all.
    of_key: Option<Arc<Vec<usize>>>,
    next: usize,
    found: bool,
}

/// Rows that take longer to be freed than a Cancel may wait.
const MANY: usize = 4096;

/// The rows of the right side, and where those of each key are.
struct Partners {
    rows: Vec<Row>,
    by_key: HashMap<String, Arc<Vec<usize>>>,
    _charge: Charge,
}

impl Drop for Partners {
    fn drop(&mut self) {
        if self.rows.len() > MANY {
            drop_later((std::mem::take(&mut self.rows), std::mem::take(&mut self.by_key)));
        }
    }
}

impl State {
    fn pull(&mut self, context: &Context) -> Result<Option<Vec<Row>>> {
        if self.partners.is_none() {
            self.partners = Some(self.read_right(context)?);
        }
        let mut out = Vec::new();
        let mut step = 0;
        while out.len() < BATCH {
            context.check_every(&mut step)?;
            let Some(mut meeting) = self.meeting.take() else {
                match self.next_left(context)? {
                    Some(meeting) => self.meeting = Some(meeting),
                    None => break,
                }
                continue;
            };
            match self.partner(&meeting) {
                Some(right) => {
                    let mut row = meeting.row.clone();
                    row.extend_from_slice(right);
                    if self.condition.test(&row)? == Some(true) {
                        meeting.found = true;
                        out.push(row);
                    }
                    meeting.next += 1;
                    self.meeting = Some(meeting);
                }
                None if self.outer && !meeting.found => {
                    let mut row = meeting.row;
                    row.resize(self.width, Field::Null);
                    out.push(row);
                }
                None => {}
            }
        }
        Ok(Some(out).filter(|rows| !rows.is_empty()))
    }

    fn partner(&self, meeting: &Meeting) -> Option<&Row> {
        let partners = self.partners.as_ref()?;
        match &meeting.of_key {
            Some(indices) => partners.rows.get(*indices.get(meeting.next)?),
            None => partners.rows.get(meeting.next),
        }
    }

    fn next_left(&mut self, context: &Context) -> Result<Option<Meeting>> {
        let row = loop {
            if let Some(row) = self.lefts.next() {
                break row;
            }
            match (self.left)(context)? {
                Some(rows) => self.lefts = rows.into_iter(),
                None => return Ok(None),
            }
        };
        let of_key = self.key.map(|(column, _)| {
            let key = expression::key(std::slice::from_ref(&row[column]));
            self.partners.as_ref().and_then(|p| p.by_key.get(&key)).cloned().unwrap_or_default()
        });
        Ok(Some(Meeting { row, of_key, next: 0, found: false }))
    }

    fn read_right(&mut self, context: &Context) -> Result<Partners> {
        let (rows, charge) = gather(&mut self.right, context, "JOIN")?;
        let mut by_key: HashMap<String, Arc<Vec<usize>>> = HashMap::new();
        let mut step = 0;
        if let Some((_, column)) = self.key {
            for (index, row) in rows.iter().enumerate() {
                context.check_every(&mut step)?;
                let key = expression::key(std::slice::from_ref(&row[column - self.left_width]));
                // Nobody has a share of it yet, so that nothing is copied.
                Arc::make_mut(by_key.entry(key).or_default()).push(index);
            }
        }
        Ok(Partners { rows, by_key, _charge: charge })
    }
}
