//! A DMV query: SELECT over rowsets (spec/dmv.md, widened by spec/decisions.md).
//!
//! Names are bound to positions first (`scope`), so that a mistake faults before a row is read. Rows then flow in batches
//! from the rowsets through join, WHERE, grouping, ORDER BY, TOP; what needs no look at all rows streams.

mod expression;
mod group;
mod join;
mod scope;
mod sort;

use crate::rowsets::definition::Ask;
use expression::{Expression, compile_condition};
use facetta_mdx::ast::{DmvExpressionKind, DmvFunction, DmvItem, DmvSelect};
use facetta_model::{Batch, Column, ColumnType, Context, Error, Field, Result, Rowset, drop_later};
use facetta_xmla::Parameter;
use scope::{Scope, open_sources};
use std::collections::HashSet;

/// Rows that flow from one step to the next; `None` at the end.
type Flow = Box<dyn FnMut(&Context) -> Result<Option<Vec<Row>>> + Send>;

/// A row on its way.
type Row = Vec<Field>;

/// Rows in a batch of the answer.
const BATCH: usize = 1024;

/// What a DMV query is answered with.
pub struct Query<'a> {
    /// The query.
    pub select: &'a DmvSelect,
    /// Its text, for lines and columns in errors.
    pub text: &'a str,
    /// Values for its `@name`s.
    pub parameters: &'a [Parameter],
}

/// Opens the answer to a query.
///
/// # Errors
/// A rowset, column, restriction or parameter is unknown, or something stands where it means nothing.
pub fn select(ask: &Ask, query: &Query<'_>) -> Result<Rowset> {
    let (scope, mut flow) = open_sources(ask, query)?;
    if let Some(filter) = &query.select.filter {
        let condition = compile_condition(&scope, query, filter)?;
        flow = filtered(flow, condition);
    }
    let outputs = outputs(&scope, query)?;
    let plan = Plan { outputs, order: sort::keys(&scope, query)? };
    let grouped = !query.select.group_by.is_empty() || plan.has_aggregate();
    let (mut flow, plan) = if grouped { group::grouped(flow, &scope, query, plan)? } else { (flow, plan) };
    let columns = columns(&plan.outputs);
    let sorts = !plan.order.is_empty();
    flow = projected(flow, plan);
    if query.select.distinct {
        flow = distinct(flow, columns.len());
    }
    if sorts {
        flow = sort::in_order(flow, columns.len(), query.select);
    }
    if let Some(top) = query.select.top {
        flow = limited(flow, top);
    }
    let width = columns.len();
    let rows = move |context: &Context| {
        let Some(rows) = flow(context)? else { return Ok(None) };
        let mut batch = Batch::new(width);
        rows.into_iter().for_each(|row| batch.push(row.into_iter().take(width)));
        Ok(Some(batch))
    };
    Ok(Rowset::new(columns, Box::new(rows)))
}

/// A column of the answer.
struct Output {
    name: String,
    ty: ColumnType,
    /// Whether a row may leave it out.
    optional: bool,
    value: Expression,
}

/// What is shown, and by what it is ordered.
struct Plan {
    outputs: Vec<Output>,
    order: Vec<sort::Key>,
}

impl Plan {
    fn has_aggregate(&self) -> bool {
        self.outputs.iter().map(|o| &o.value).chain(self.order.iter().map(|k| &k.value)).any(Expression::has_aggregate)
    }
}

fn outputs(scope: &Scope, query: &Query<'_>) -> Result<Vec<Output>> {
    if query.select.items.is_empty() {
        // What a rowset always has, a row may lack behind a LEFT JOIN.
        let joins = !query.select.joins.is_empty();
        let all = scope.columns.iter().enumerate();
        let output = |(index, column): (usize, &scope::ScopeColumn)| Output {
            name: column.info.name.to_owned(),
            ty: column.info.ty.column_type(),
            optional: column.info.optional || joins,
            value: Expression::Field(index),
        };
        return Ok(all.map(output).collect());
    }
    query.select.items.iter().map(|item| output(scope, query, item)).collect()
}

fn output(scope: &Scope, query: &Query<'_>, item: &DmvItem) -> Result<Output> {
    let value = expression::compile(scope, query, &item.expression)?;
    let (name, ty, optional) = match (&item.expression.kind, &value) {
        (_, Expression::Field(index)) => {
            let info = scope.columns[*index].info;
            (info.name.to_owned(), info.ty.column_type(), info.optional || !query.select.joins.is_empty())
        }
        (DmvExpressionKind::Aggregate(aggregate), _) => {
            let argument = aggregate.argument.as_ref();
            let column = argument.map(|c| scope.find(c, query.text)).transpose()?.map(|i| scope.columns[i].info);
            let name = format!("{}({})", aggregate.function.text(), column.map_or("*", |c| c.name));
            let ty = match (aggregate.function, column.map(|c| c.ty.column_type())) {
                (DmvFunction::Min | DmvFunction::Max, Some(ty)) => ty,
                (DmvFunction::Avg, _) | (DmvFunction::Sum, Some(ColumnType::Float | ColumnType::Double)) => {
                    ColumnType::Double
                }
                _ => ColumnType::Long,
            };
            (name, ty, true)
        }
        _ => ("Expression".to_owned(), ColumnType::Variant, true),
    };
    let name = item.alias.as_ref().map_or(name, |a| a.text.to_string());
    Ok(Output { name, ty, optional, value })
}

/// The columns of the answer, declared as a Discover declares them (spec/dmv.md); later ones of a name get a number
/// (spec/results.md 1.4).
fn columns(outputs: &[Output]) -> Vec<Column> {
    let mut seen: HashSet<String> = HashSet::new();
    let mut columns = Vec::new();
    for output in outputs {
        let mut name = output.name.clone();
        let mut number = 0;
        while !seen.insert(name.to_lowercase()) {
            number += 1;
            name = format!("{}{number}", output.name);
        }
        columns.push(Column { name: name.into(), ty: output.ty.clone(), optional: output.optional });
    }
    columns
}

fn filtered(mut flow: Flow, condition: Expression) -> Flow {
    Box::new(move |context| {
        loop {
            context.check()?;
            let Some(rows) = flow(context)? else { return Ok(None) };
            let mut kept = Vec::new();
            for row in rows {
                if condition.test(&row)? == Some(true) {
                    kept.push(row);
                }
            }
            if !kept.is_empty() {
                return Ok(Some(kept));
            }
        }
    })
}

/// Rows of the outputs, with the keys of ORDER BY behind them.
fn projected(mut flow: Flow, plan: Plan) -> Flow {
    Box::new(move |context| {
        context.check()?;
        let Some(rows) = flow(context)? else { return Ok(None) };
        let project = |row: Row| {
            let outputs = plan.outputs.iter().map(|o| o.value.value(&row));
            outputs.chain(plan.order.iter().map(|k| k.value.value(&row))).collect()
        };
        rows.into_iter().map(project).collect::<Result<_>>().map(Some)
    })
}

fn distinct(mut flow: Flow, width: usize) -> Flow {
    let mut seen = HashSet::new();
    let mut charge = None;
    Box::new(move |context| {
        loop {
            context.check()?;
            let Some(mut rows) = flow(context)? else { return Ok(None) };
            let charge = match &mut charge {
                Some(charge) => charge,
                none => none.insert(context.charge("DISTINCT", 0)?),
            };
            let mut bytes = 0;
            rows.retain(|row| {
                let key = expression::key(&row[..width]);
                let size = key.len() + 48;
                let new = seen.insert(key);
                bytes += if new { size } else { 0 };
                new
            });
            charge.grow(bytes)?;
            if !rows.is_empty() {
                return Ok(Some(rows));
            }
        }
    })
}

fn limited(mut flow: Flow, top: u64) -> Flow {
    let mut left = usize::try_from(top).unwrap_or(usize::MAX);
    Box::new(move |context| {
        if left == 0 {
            return Ok(None);
        }
        let Some(mut rows) = flow(context)? else { return Ok(None) };
        rows.truncate(left);
        left -= rows.len();
        Ok(Some(rows))
    })
}

/// Every row of a flow at once, charged to the command.
fn gather(flow: &mut Flow, context: &Context, operator: &'static str) -> Result<(Vec<Row>, facetta_model::Charge)> {
    let mut all = Vec::new();
    let mut charge = context.charge(operator, 0)?;
    let mut more = || {
        let Some(rows) = flow(context)? else { return Ok(false) };
        context.check()?;
        charge.grow(rows.iter().map(|row| expression::bytes(row)).sum())?;
        all.extend(rows);
        Ok(true)
    };
    let gathered = loop {
        match more() {
            Ok(true) => {}
            Ok(false) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    match gathered {
        Ok(()) => Ok((all, charge)),
        Err(error) => {
            drop_later(all);
            Err(error)
        }
    }
}

/// Rows that are there already, in batches; their charge lives as long.
fn flow_of(rows: Vec<Row>, charge: facetta_model::Charge) -> Flow {
    let mut rows = rows.into_iter();
    Box::new(move |context| {
        context.check()?;
        let _held = charge.bytes();
        let batch: Vec<Row> = rows.by_ref().take(BATCH).collect();
        Ok(Some(batch).filter(|b| !b.is_empty()))
    })
}

/// An error at a place of the query.
fn wrong(message: impl Into<String>, span: facetta_model::Span, query: &Query<'_>) -> Error {
    Error::new(facetta_model::ErrorKind::Invalid, message).at(span).located_in(query.text)
}
