//! The names that an MDX formula refers to.

use facetta_mdx::ast::{Expression, ExpressionKind, Segment};
use facetta_model::{Context, Result};

/// An identifier of a formula: the names from its first segment up to the first key.
pub(crate) type Chain = Vec<String>;

/// Every identifier in a formula, in order. An error if the formula does not parse.
pub(crate) fn identifiers(formula: &str) -> Result<Vec<Chain>> {
    let expression = facetta_mdx::parse_expression(formula, &Context::unlimited())?;
    let mut found = Vec::new();
    collect(&expression, &mut found);
    Ok(found)
}

/// The tree is at most [`facetta_mdx::MAX_HEIGHT`] high.
fn collect(expression: &Expression, found: &mut Vec<Chain>) {
    match &expression.kind {
        ExpressionKind::Missing
        | ExpressionKind::Null
        | ExpressionKind::Int(_)
        | ExpressionKind::Double(_)
        | ExpressionKind::String(_)
        | ExpressionKind::Parameter(_) => {}
        ExpressionKind::Identifier(identifier) => {
            let names = identifier.segments.iter().map_while(Segment::name).map(|n| n.text.to_string());
            found.push(names.collect());
        }
        ExpressionKind::Call(call) => call.arguments.iter().for_each(|a| collect(a, found)),
        ExpressionKind::Step(step) => collect(&step.target, found),
        ExpressionKind::Prefix(prefix) => collect(&prefix.operand, found),
        ExpressionKind::IsEmpty(inner) => collect(inner, found),
        ExpressionKind::Operators(operators) => {
            collect(&operators.first, found);
            operators.rest.iter().for_each(|o| collect(&o.operand, found));
        }
        ExpressionKind::Parentheses(items) | ExpressionKind::Braces(items) => {
            items.iter().for_each(|i| collect(i, found));
        }
        ExpressionKind::Case(case) => {
            case.operand.iter().for_each(|e| collect(e, found));
            for (when, then) in &case.branches {
                collect(when, found);
                collect(then, found);
            }
            case.otherwise.iter().for_each(|e| collect(e, found));
        }
        ExpressionKind::Cast(cast) => collect(&cast.operand, found),
        ExpressionKind::Alias(alias) => collect(&alias.expression, found),
    }
}

/// The names of one identifier such as `[Time].[Weekly]` or `Measures`; `None` if it is something else.
pub(crate) fn path(identifier: &str) -> Option<Chain> {
    let expression = facetta_mdx::parse_expression(identifier, &Context::unlimited()).ok()?;
    match expression.kind {
        ExpressionKind::Identifier(identifier) => {
            identifier.segments.iter().map(|s| s.name().map(|n| n.text.to_string())).collect()
        }
        _ => None,
    }
}

/// Whether a text is one identifier; keys are allowed.
pub(crate) fn is_identifier(text: &str) -> bool {
    let parsed = facetta_mdx::parse_expression(text, &Context::unlimited());
    parsed.is_ok_and(|e| matches!(e.kind, ExpressionKind::Identifier(_)))
}

/// The name of the measure that `[Measures].[Unit Sales]` names.
pub(crate) fn measure(identifier: &str) -> Option<String> {
    match path(identifier)?.as_mut_slice() {
        [dimension, name] if dimension.eq_ignore_ascii_case("Measures") => Some(std::mem::take(name)),
        _ => None,
    }
}

/// `text` as an MDX literal.
pub(crate) fn string_literal(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}
