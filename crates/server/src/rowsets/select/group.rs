//! GROUP BY and aggregates.

use super::{Flow, Output, Plan, Query, Row, expression, flow_of, scope::Scope, sort::Key, wrong};
use crate::rowsets::value::order;
use expression::{Aggregate, Expression};
use facetta_mdx::ast::DmvFunction;
use facetta_model::{Context, Field, Result};
use std::collections::{HashMap, HashSet};

/// Groups the rows: a row for each group, of the grouping columns and then the aggregates; the plan with its expressions
/// bound to such rows.
///
/// # Errors
/// A column is shown or ordered by that is neither grouped by nor aggregated.
pub(crate) fn grouped(flow: Flow, scope: &Scope, query: &Query<'_>, plan: Plan) -> Result<(Flow, Plan)> {
    let columns: Vec<usize> = query.select.group_by.iter().map(|c| scope.find(c, query.text)).collect::<Result<_>>()?;
    let mut aggregates = Vec::new();
    let mut rebind = |value: Expression, span| match value {
        Expression::Field(index) => match columns.iter().position(|c| *c == index) {
            Some(position) => Ok(Expression::Field(position)),
            None => {
                let name = scope.columns[index].info.name;
                Err(wrong(format!("The column '{name}' is neither in GROUP BY nor in an aggregate"), span, query))
            }
        },
        Expression::Aggregate(aggregate) => {
            let position = aggregates.iter().position(|a| *a == aggregate).unwrap_or_else(|| {
                aggregates.push(aggregate);
                aggregates.len() - 1
            });
            Ok(Expression::Field(columns.len() + position))
        }
        other => Ok(other),
    };
    let mut outputs = Vec::new();
    for (index, output) in plan.outputs.into_iter().enumerate() {
        let span = query.select.items.get(index).map_or(query.select.source.span, |i| i.expression.span);
        outputs.push(Output { value: rebind(output.value, span)?, ..output });
    }
    let mut keys = Vec::new();
    for (key, written) in plan.order.into_iter().zip(&query.select.order_by) {
        keys.push(Key { value: rebind(key.value, written.expression.span)? });
    }
    Ok((groups(flow, columns, aggregates), Plan { outputs, order: keys }))
}

fn groups(mut flow: Flow, columns: Vec<usize>, aggregates: Vec<Aggregate>) -> Flow {
    let mut result: Option<Flow> = None;
    Box::new(move |context: &Context| {
        if let Some(result) = &mut result {
            return result(context);
        }
        let mut charge = context.charge("GROUP BY", 0)?;
        let mut index: HashMap<String, usize> = HashMap::new();
        let mut groups: Vec<(Row, Vec<State>)> = Vec::new();
        let new_states = || aggregates.iter().map(|a| State::new(*a)).collect::<Vec<_>>();
        // Without GROUP BY all rows are one group, and no rows are one too.
        if columns.is_empty() {
            index.insert(String::new(), 0);
            groups.push((Vec::new(), new_states()));
        }
        while let Some(rows) = flow(context)? {
            context.check()?;
            for row in rows {
                let fields: Row = columns.iter().map(|c| row[*c].clone()).collect();
                let key = expression::key(&fields);
                let next = groups.len();
                let position = match index.get(&key) {
                    Some(position) => *position,
                    None => {
                        charge.grow(expression::bytes(&fields) + key.len() + 64 * (1 + aggregates.len()))?;
                        index.insert(key, next);
                        groups.push((fields, new_states()));
                        next
                    }
                };
                for state in &mut groups[position].1 {
                    charge.grow(state.add(&row))?;
                }
            }
        }
        let finish = |(mut fields, states): (Row, Vec<State>)| {
            fields.extend(states.into_iter().map(State::finish));
            fields
        };
        let rows = groups.into_iter().map(finish).collect();
        result.insert(flow_of(rows, charge))(context)
    })
}

/// An aggregate on its way.
struct State {
    aggregate: Aggregate,
    seen: Option<HashSet<String>>,
    count: u64,
    whole: i128,
    real: f64,
    is_real: bool,
    extreme: Field,
}

impl State {
    fn new(aggregate: Aggregate) -> Self {
        let seen = aggregate.distinct.then(HashSet::new);
        Self { aggregate, seen, count: 0, whole: 0, real: 0.0, is_real: false, extreme: Field::Null }
    }

    /// Counts a row in. Bytes that it keeps of it.
    fn add(&mut self, row: &Row) -> usize {
        let Some(column) = self.aggregate.column else {
            self.count += 1;
            return 0;
        };
        let field = &row[column];
        if field.is_null() {
            return 0;
        }
        let mut kept = 0;
        if let Some(seen) = &mut self.seen {
            let key = expression::key(std::slice::from_ref(field));
            kept = key.len() + 48;
            if !seen.insert(key) {
                return 0;
            }
        }
        self.count += 1;
        match self.aggregate.function {
            DmvFunction::Count => {}
            DmvFunction::Sum | DmvFunction::Avg => match field {
                Field::Int(i) => self.whole += i128::from(*i),
                Field::Uint(u) => self.whole += i128::from(*u),
                Field::Double(d) => {
                    self.real += d;
                    self.is_real = true;
                }
                _ => {}
            },
            DmvFunction::Min if self.extreme.is_null() || order(field, &self.extreme).is_lt() => {
                self.extreme = field.clone();
            }
            DmvFunction::Max if self.extreme.is_null() || order(field, &self.extreme).is_gt() => {
                self.extreme = field.clone();
            }
            DmvFunction::Min | DmvFunction::Max => {}
        }
        kept
    }

    fn finish(self) -> Field {
        let sum = self.whole as f64 + self.real;
        match self.aggregate.function {
            DmvFunction::Count => Field::Uint(self.count),
            DmvFunction::Min | DmvFunction::Max => self.extreme,
            _ if self.count == 0 => Field::Null,
            DmvFunction::Avg => Field::Double(sum / self.count as f64),
            DmvFunction::Sum if self.is_real => Field::Double(sum),
            DmvFunction::Sum => i64::try_from(self.whole).map_or(Field::Double(sum), Field::Int),
        }
    }
}
