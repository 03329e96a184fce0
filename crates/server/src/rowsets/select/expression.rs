//! Values and conditions over a row, with names bound to positions; nulls make a condition unknown, as in SQL.

use super::{Query, scope::Scope, wrong};
use crate::rowsets::definition::Type;
use crate::rowsets::value::{compare, parse_field};
use facetta_mdx::ast::{DmvExpression, DmvExpressionKind, DmvFunction, DmvOperator};
use facetta_model::{Error, ErrorKind, Field, Result, Value, name};
use std::cmp::Ordering;

/// A value or condition over a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    /// The field at a position.
    Field(usize),
    /// A literal.
    Literal(Field),
    /// An aggregate; grouping replaces it by a field.
    Aggregate(Aggregate),
    /// All hold.
    And(Vec<Expression>),
    /// One holds.
    Or(Vec<Expression>),
    /// It does not hold.
    Not(Box<Expression>),
    /// A comparison.
    Compare(DmvOperator, Box<(Expression, Expression)>),
    /// A text fits a pattern.
    Like { operand: Box<Expression>, pattern: Box<Expression>, negated: bool },
    /// A value is one of several.
    In { operand: Box<Expression>, values: Vec<Field>, negated: bool },
    /// A value is left out.
    IsNull { operand: Box<Expression>, negated: bool },
}

/// An aggregate over the rows of a group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Aggregate {
    /// The function.
    pub function: DmvFunction,
    /// Whether equal values count once.
    pub distinct: bool,
    /// The column; none for `*`.
    pub column: Option<usize>,
}

/// Binds the names of an expression.
///
/// # Errors
/// A column or parameter is unknown, or an aggregate has nothing to work on.
pub(crate) fn compile(scope: &Scope, query: &Query<'_>, expression: &DmvExpression) -> Result<Expression> {
    let one = |e: &DmvExpression| compile_value(scope, query, e).map(Box::new);
    let condition = |e: &DmvExpression| compile_condition(scope, query, e);
    Ok(match &expression.kind {
        DmvExpressionKind::Column(column) => Expression::Field(scope.find(column, query.text)?),
        DmvExpressionKind::Aggregate(aggregate) => {
            let column = aggregate.argument.as_ref().map(|c| scope.find(c, query.text)).transpose()?;
            let ty = column.map(|c| scope.columns[c].info.ty);
            let adds = matches!(aggregate.function, DmvFunction::Sum | DmvFunction::Avg);
            if adds && ty.is_some_and(|t| !is_number(t)) {
                let text = aggregate.function.text();
                return Err(wrong(format!("{text} needs a column of numbers"), expression.span, query));
            }
            let orders = matches!(aggregate.function, DmvFunction::Min | DmvFunction::Max);
            if orders && matches!(ty, Some(Type::Nested(_))) {
                let text = aggregate.function.text();
                return Err(wrong(format!("{text} needs a column of values"), expression.span, query));
            }
            if column.is_none() && aggregate.function != DmvFunction::Count {
                let text = aggregate.function.text();
                return Err(wrong(format!("{text} needs a column"), expression.span, query));
            }
            Expression::Aggregate(Aggregate { function: aggregate.function, distinct: aggregate.distinct, column })
        }
        DmvExpressionKind::And(all) => Expression::And(all.iter().map(condition).collect::<Result<_>>()?),
        DmvExpressionKind::Or(all) => Expression::Or(all.iter().map(condition).collect::<Result<_>>()?),
        DmvExpressionKind::Not(inner) => Expression::Not(Box::new(condition(inner)?)),
        DmvExpressionKind::Compare(c) => {
            let sides = (*one(&c.left)?, *one(&c.right)?);
            check_comparable(scope, query, &sides.0, &sides.1, &c.right)?;
            check_comparable(scope, query, &sides.1, &sides.0, &c.left)?;
            Expression::Compare(c.operator, Box::new(sides))
        }
        DmvExpressionKind::Like(l) => {
            Expression::Like { operand: one(&l.operand)?, pattern: one(&l.pattern)?, negated: l.negated }
        }
        DmvExpressionKind::In(i) => {
            let operand = one(&i.operand)?;
            let values = i.values.iter().map(|v| {
                let value = literal(query, v)?;
                check_comparable(scope, query, &operand, &Expression::Literal(value.clone()), v)?;
                Ok(value)
            });
            Expression::In { values: values.collect::<Result<_>>()?, operand, negated: i.negated }
        }
        DmvExpressionKind::IsNull(n) => {
            Expression::IsNull { operand: Box::new(compile(scope, query, &n.operand)?), negated: n.negated }
        }
        _ => Expression::Literal(literal(query, expression)?),
    })
}

/// Binds the names of an expression that is compared or sorted by.
///
/// # Errors
/// As [`compile`]; or it is a column of rowsets, which have no order.
pub(crate) fn compile_value(scope: &Scope, query: &Query<'_>, expression: &DmvExpression) -> Result<Expression> {
    let compiled = compile(scope, query, expression)?;
    if let Expression::Field(index) = compiled {
        let info = scope.columns[index].info;
        if matches!(info.ty, Type::Nested(_)) {
            let message = format!("The column '{}' holds a rowset and cannot be compared", info.name);
            return Err(wrong(message, expression.span, query));
        }
    }
    Ok(compiled)
}

/// A column of numbers, truth values or dates is compared with such, which may stand in quotes; anything else is a mistake
/// that would make an empty answer.
fn check_comparable(
    scope: &Scope,
    query: &Query<'_>,
    column: &Expression,
    other: &Expression,
    place: &DmvExpression,
) -> Result<()> {
    let (Expression::Field(index), Expression::Literal(value)) = (column, other) else { return Ok(()) };
    let ty = scope.columns[*index].info.ty;
    let fits = match (ty, value) {
        (_, Field::Null) => true,
        (Type::Bool, Field::Int(i)) => matches!(i, 0 | 1),
        (Type::Bool, Field::Boolean(_)) | (Type::Date, Field::DateTime(_)) => true,
        (Type::Bool | Type::Date, other) => other.as_str().is_some_and(|text| parse_field(ty, text).is_ok()),
        (ty, other) if is_number(ty) => other.as_str().is_none_or(|text| text.trim().parse::<f64>().is_ok()),
        _ => true,
    };
    if !fits {
        let message = "The following system error occurred:  Type mismatch. ";
        return Err(Error::new(ErrorKind::TypeMismatch, message).at(place.span).located_in(query.text));
    }
    Ok(())
}

/// Binds the names of a condition.
///
/// # Errors
/// As [`compile`]; or it is no condition, or holds an aggregate.
pub(crate) fn compile_condition(scope: &Scope, query: &Query<'_>, expression: &DmvExpression) -> Result<Expression> {
    let compiled = compile(scope, query, expression)?;
    let fits = match &compiled {
        Expression::Field(index) => scope.columns[*index].info.ty == Type::Bool,
        Expression::Literal(value) => matches!(value, Field::Boolean(_) | Field::Null),
        Expression::Aggregate(_) => false,
        _ => true,
    };
    if !fits {
        return Err(wrong("A condition is expected here", expression.span, query));
    }
    if compiled.has_aggregate() {
        return Err(wrong("An aggregate cannot stand in a condition on rows", expression.span, query));
    }
    Ok(compiled)
}

/// The value of a literal or parameter.
///
/// # Errors
/// It is neither, or the parameter is not given.
pub(crate) fn literal(query: &Query<'_>, expression: &DmvExpression) -> Result<Field> {
    Ok(match &expression.kind {
        DmvExpressionKind::Null => Field::Null,
        DmvExpressionKind::Boolean(b) => Field::Boolean(*b),
        DmvExpressionKind::Int(i) => Field::Int(*i),
        DmvExpressionKind::Double(d) => Field::Double(*d),
        DmvExpressionKind::String(s) => Field::from(s.to_string()),
        DmvExpressionKind::Parameter(wanted) => {
            let Some(found) = query.parameters.iter().find(|p| name::same(&p.name, wanted)) else {
                let message = format!("The parameter '@{wanted}' is not given");
                return Err(Error::new(ErrorKind::NotFound, message).at(expression.span).located_in(query.text));
            };
            match &found.value {
                Value::Empty => Field::Null,
                Value::Int(i) => Field::Int(*i),
                Value::Double(d) => Field::Double(*d),
                Value::Boolean(b) => Field::Boolean(*b),
                Value::Date(d) => Field::DateTime(*d),
                Value::Str(s) => Field::Shared(s.clone()),
                other => Field::Value(other.clone()),
            }
        }
        _ => return Err(wrong("A literal or a parameter is expected here", expression.span, query)),
    })
}

/// The text of a field that has one: texts and numbers.
pub(crate) fn text(field: &Field) -> Option<String> {
    match field {
        Field::Int(i) => Some(i.to_string()),
        Field::Uint(u) => Some(u.to_string()),
        Field::Value(v) => Some(v.to_string()),
        other => other.as_str().map(str::to_owned),
    }
}

/// Whether a column holds numbers.
fn is_number(ty: Type) -> bool {
    use Type::*;
    matches!(ty, Short | UShort | Int | UInt | Long | ULong | Double)
}

impl Expression {
    /// Whether an aggregate is within.
    pub(crate) fn has_aggregate(&self) -> bool {
        match self {
            Expression::Aggregate(_) => true,
            Expression::Field(_) | Expression::Literal(_) => false,
            Expression::And(all) | Expression::Or(all) => all.iter().any(Expression::has_aggregate),
            Expression::Not(one) => one.has_aggregate(),
            Expression::Compare(_, sides) => sides.0.has_aggregate() || sides.1.has_aggregate(),
            Expression::Like { operand, pattern, .. } => operand.has_aggregate() || pattern.has_aggregate(),
            Expression::In { operand, .. } | Expression::IsNull { operand, .. } => operand.has_aggregate(),
        }
    }

    /// The value in a row.
    pub(crate) fn value(&self, row: &[Field]) -> Field {
        match self {
            Expression::Field(index) => row[*index].clone(),
            Expression::Literal(value) => value.clone(),
            // Grouping has replaced them; a defect would show as a null.
            Expression::Aggregate(_) => Field::Null,
            condition => condition.test(row).into(),
        }
    }

    /// Whether it holds in a row; `None` where a null keeps that unknown.
    pub(crate) fn test(&self, row: &[Field]) -> Option<bool> {
        match self {
            Expression::Field(_) | Expression::Literal(_) | Expression::Aggregate(_) => match self.value(row) {
                Field::Boolean(b) => Some(b),
                _ => None,
            },
            Expression::And(all) => all
                .iter()
                .try_fold(true, |known, one| match one.test(row) {
                    Some(false) => Err(Some(false)),
                    Some(true) => Ok(known),
                    None => Ok(false),
                })
                .map_or_else(|decided| decided, |known| known.then_some(true)),
            Expression::Or(all) => all
                .iter()
                .try_fold(true, |known, one| match one.test(row) {
                    Some(true) => Err(Some(true)),
                    Some(false) => Ok(known),
                    None => Ok(false),
                })
                .map_or_else(|decided| decided, |known| known.then_some(false)),
            Expression::Not(one) => one.test(row).map(|b| !b),
            Expression::Compare(operator, sides) => {
                let (left, right) = (sides.0.value(row), sides.1.value(row));
                compare_as(*operator, &left, &right)
            }
            Expression::Like { operand, pattern, negated } => {
                let (text, pattern) = (text(&operand.value(row))?, text(&pattern.value(row))?);
                Some(like(&name::fold(&text), &name::fold(&pattern)) != *negated)
            }
            Expression::In { operand, values, negated } => {
                let value = operand.value(row);
                let found = values.iter().any(|v| compare(&value, v) == Some(Ordering::Equal));
                let unknown = value.is_null() || !found && values.iter().any(Field::is_null);
                (!unknown).then_some(found != *negated)
            }
            Expression::IsNull { operand, negated } => Some(operand.value(row).is_null() != *negated),
        }
    }
}

/// A comparison; things that have nothing in common are unequal, nulls unknown.
fn compare_as(operator: DmvOperator, left: &Field, right: &Field) -> Option<bool> {
    if left.is_null() || right.is_null() {
        return None;
    }
    let Some(order) = compare(left, right) else { return Some(operator == DmvOperator::NotEqual) };
    Some(match operator {
        DmvOperator::Equal => order.is_eq(),
        DmvOperator::NotEqual => order.is_ne(),
        DmvOperator::Less => order.is_lt(),
        DmvOperator::LessOrEqual => order.is_le(),
        DmvOperator::Greater => order.is_gt(),
        DmvOperator::GreaterOrEqual => order.is_ge(),
    })
}

/// Whether `text` fits a pattern of `%` for any text and `_` for one character. Looks at no pair of positions twice in a
/// row, so that no pattern takes longer than the product of both lengths.
fn like(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
    let (mut t, mut p) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('%') => {
                retry = Some((p + 1, t));
                p += 1;
            }
            Some(&c) if c == '_' || c == text[t] => {
                t += 1;
                p += 1;
            }
            _ => match &mut retry {
                Some((after, from)) => {
                    *from += 1;
                    (p, t) = (*after, *from);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '%')
}

/// A key under which equal fields of one column are one: texts without regard to case, numbers by value.
pub(crate) fn key(fields: &[Field]) -> String {
    let mut key = String::new();
    for field in fields {
        match field {
            Field::Null => key.push('0'),
            Field::Double(d) => key.push_str(&format!("d{}", if *d == 0.0 { 0 } else { d.to_bits() })),
            Field::DateTime(d) => key.push_str(&format!("t{d}")),
            Field::Boolean(b) => key.push_str(if *b { "b1" } else { "b0" }),
            other => match text(other) {
                Some(text) => {
                    let folded = name::fold(&text);
                    key.push_str(&format!("s{}:{folded}", folded.len()));
                }
                None => key.push_str(&format!("x{other:?}")),
            },
        }
        key.push('|');
    }
    key
}

/// Bytes that a row holds, about.
pub(crate) fn bytes(row: &[Field]) -> usize {
    let text = |f: &Field| match f {
        Field::Str(s) => s.len(),
        Field::Rows(rows) => rows.len() * 64,
        _ => 0,
    };
    48 + std::mem::size_of_val(row) + row.iter().map(text).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let cases = [
            ("", "", true),
            ("", "%", true),
            ("", "_", false),
            ("abc", "a%", true),
            ("abc", "%c", true),
            ("abc", "%b%", true),
            ("abc", "a_c", true),
            ("abc", "a_", false),
            ("aXbXc", "a%X%c", true),
            ("mississippi", "m%iss%ip%", true),
            ("mississippi", "m%iss%x%", false),
        ];
        for (text, pattern, expected) in cases {
            assert_eq!(like(text, pattern), expected, "{text} LIKE {pattern}");
        }
    }

    #[test]
    fn a_hostile_pattern_ends() {
        assert!(!like(&"a".repeat(4000), &format!("{}b", "a%".repeat(2000))));
    }
}
