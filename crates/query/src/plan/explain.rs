//! EXPLAIN PLAN FOR: how a query would be carried out, as lines of text.

use crate::environment::Query;
use crate::expr::{Expr, ExprKind};
use crate::program::Program;
use crate::resolve;
use facetta_mdx::ast::{Statement, StatementKind};
use facetta_model::{Column, ColumnType, Context, Error, Field, HierarchyId, Result, Rowset};
use std::fmt::Write;

/// The plan of a query as a rowset of lines.
pub(crate) fn explain(statement: &Statement, query: &Query, context: &Context) -> Result<Rowset> {
    let select = match &statement.kind {
        StatementKind::Select(select) => select,
        StatementKind::Drillthrough(drillthrough) => &drillthrough.select,
        _ => return Err(Error::not_supported("EXPLAIN of this statement")),
    };
    let program = resolve::select(query, select, context)?;
    let text = plan(&program);
    let columns = vec![Column::new("PLAN", ColumnType::String)];
    let rows: Vec<Vec<Field>> = text.lines().map(|l| vec![Field::from(l.to_owned())]).collect();
    Ok(Rowset::of(columns, rows))
}

fn plan(program: &Program) -> String {
    let mut out = format!("cube {}\n", program.members.cube.name);
    for subselect in &program.subselects {
        let visual = if subselect.non_visual { ", totals stay" } else { "" };
        for set in subselect.axes.iter().chain(&subselect.slicer) {
            let _ = writeln!(out, "narrowed to{visual}");
            tree(program, set, 1, &mut out);
        }
    }
    if let Some(slicer) = &program.slicer {
        let _ = writeln!(out, "slicer over {}", hierarchies(program, slicer));
        tree(program, slicer, 1, &mut out);
    }
    for (number, axis) in program.axes.iter().enumerate() {
        let non_empty = if axis.non_empty { ", without empty tuples" } else { "" };
        let _ = writeln!(out, "axis {number} over {}{non_empty}", hierarchies(program, &axis.set));
        tree(program, &axis.set, 1, &mut out);
    }
    for set in &program.sets {
        let _ = writeln!(out, "set {} over {}, once", set.name, hierarchies(program, &set.set));
        tree(program, &set.set, 1, &mut out);
    }
    for (member, calculation) in program.members.calculated.iter().zip(&program.calculations) {
        let _ = writeln!(out, "member {}, solve order {}", member.unique_name, calculation.solve_order);
        tree(program, &calculation.formula, 1, &mut out);
    }
    for calculation in &program.cell_calculations {
        let (order, from) = (calculation.formula.solve_order, calculation.pass.saturating_sub(calculation.depth) + 1);
        let _ = writeln!(
            out,
            "cell calculation {}, passes {from} to {}, solve order {order}",
            calculation.name, calculation.pass
        );
        calculation.subcube.iter().for_each(|set| tree(program, set, 1, &mut out));
        calculation.condition.iter().for_each(|condition| tree(program, condition, 1, &mut out));
        tree(program, &calculation.formula.formula, 1, &mut out);
    }
    out
}

fn hierarchies(program: &Program, expr: &Expr) -> String {
    match &expr.ty.hierarchies {
        Some(known) => {
            known.iter().map(|h| program.members.cube.hierarchy(*h).unique_name.as_str()).collect::<Vec<_>>().join(", ")
        }
        None => "hierarchies known when evaluated".to_owned(),
    }
}

/// An expression as an indented tree, each node with the hierarchies whose coordinate it depends on.
fn tree(program: &Program, expr: &Expr, depth: usize, out: &mut String) {
    let members = &program.members;
    let label = match &expr.kind {
        ExprKind::Missing => "left out".to_owned(),
        ExprKind::Literal(value) => format!("'{value}'"),
        ExprKind::Symbol(word) => word.to_string(),
        ExprKind::Dimension(d) => members.cube.dimensions[*d].unique_name.clone(),
        ExprKind::Hierarchy(h) => members.cube.hierarchy(*h).unique_name.clone(),
        ExprKind::Level(h, l) => members.level_unique_name(*h, *l),
        ExprKind::Member(h, m) => members.unique_name(*h, *m),
        ExprKind::CurrentMember(h) => format!("{}.CurrentMember", members.cube.hierarchy(*h).unique_name),
        ExprKind::Tuple(_) => "tuple".to_owned(),
        ExprKind::Braces(_) => "set of".to_owned(),
        ExprKind::Cell(_) => "cell at".to_owned(),
        ExprKind::Call(call) => call.function.name.to_owned(),
        ExprKind::Scalar(function, _) => function.name.to_owned(),
        ExprKind::Case(..) => "CASE".to_owned(),
        ExprKind::NamedSet(index) => program.sets.get(*index).map_or(String::new(), |s| format!("set {}", s.name)),
        ExprKind::Alias(..) => "set with a name".to_owned(),
        ExprKind::Current(_) => "Current".to_owned(),
        ExprKind::CurrentOrdinal(_) => "CurrentOrdinal".to_owned(),
        ExprKind::Property(_, property) => format!("property {property:?}"),
        ExprKind::Constant(set) => format!("{} tuples", set.len()),
        ExprKind::Failed(error) => format!("error: {error}"),
    };
    let count = members.cube.hierarchies.len();
    let deps: Vec<usize> = expr.deps.iter().take_while(|i| *i < count).collect();
    let of = |i: &usize| members.cube.hierarchy(HierarchyId::from(*i)).unique_name.as_str();
    let deps = match deps.len() {
        0 => String::new(),
        n if n == count => "  [all]".to_owned(),
        n if n > 4 => format!("  [all but {}]", count - n),
        _ => format!("  [{}]", deps.iter().map(of).collect::<Vec<_>>().join(" ")),
    };
    let _ = writeln!(out, "{:indent$}{label}{deps}", "", indent = depth * 2);
    let mut child = |e: &Expr| tree(program, e, depth + 1, out);
    match &expr.kind {
        ExprKind::Tuple(parts) | ExprKind::Braces(parts) | ExprKind::Scalar(_, parts) => parts.iter().for_each(child),
        ExprKind::Cell(inner) | ExprKind::Alias(_, inner) | ExprKind::Property(inner, _) => child(inner),
        ExprKind::Call(call) => call.args.iter().for_each(child),
        ExprKind::Case(branches, otherwise) => {
            for (condition, result) in branches {
                child(condition);
                child(result);
            }
            otherwise.iter().for_each(|o| child(o));
        }
        _ => {}
    }
}
