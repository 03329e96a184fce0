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
    /// A comparison, and the fault where both sides have nothing in common.
    Compare(DmvOperator, Box<(Expression, Expression)>, Error),
    /// A text fits a pattern.
    Like { operand: Box<Expression>, pattern: Box<Expression>, negated: bool },
    /// A value is one of several, each with the fault where it has nothing in common with the value.
    In { operand: Box<Expression>, values: Vec<(Field, Error)>, negated: bool },
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
            let place = if matches!(sides.1, Expression::Field(_)) { &c.left } else { &c.right };
            Expression::Compare(c.operator, Box::new(sides), mismatch(query, place))
        }
        DmvExpressionKind::Like(l) => {
            let (operand, pattern) = (one(&l.operand)?, one(&l.pattern)?);
            for (side, place) in [(&operand, &l.operand), (&pattern, &l.pattern)] {
                if !side.may_be_text(scope) {
                    return Err(mismatch(query, place));
                }
            }
            Expression::Like { operand, pattern, negated: l.negated }
        }
        DmvExpressionKind::In(i) => {
            let operand = one(&i.operand)?;
            let values = i.values.iter().map(|v| {
                let value = literal(query, v)?;
                check_comparable(scope, query, &operand, &Expression::Literal(value.clone()), v)?;
                Ok((value, mismatch(query, v)))
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

/// The fault for a comparison of things that have nothing in common (spec/dmv.md section 5): it would make an empty answer.
fn mismatch(query: &Query<'_>, place: &DmvExpression) -> Error {
    let message = "The following system error occurred:  Type mismatch. ";
    Error::new(ErrorKind::TypeMismatch, message).at(place.span).located_in(query.text)
}

/// What values of a column are compared as.
#[derive(Clone, Copy, PartialEq)]
enum Nature {
    Number,
    Truth,
    Date,
    /// Text that is never anything else.
    Name,
    /// Text that may write a number or a date, which then compares as such (spec/dmv.md section 1).
    Text,
}

fn nature(ty: Type) -> Nature {
    match ty {
        Type::Bool => Nature::Truth,
        Type::Date => Nature::Date,
        Type::Uuid => Nature::Name,
        _ if is_number(ty) => Nature::Number,
        _ => Nature::Text,
    }
}

/// What no value of a column can be compared with faults before a row is read. Text is looked at in each row.
fn check_comparable(
    scope: &Scope,
    query: &Query<'_>,
    column: &Expression,
    other: &Expression,
    place: &DmvExpression,
) -> Result<()> {
    let Expression::Field(index) = column else { return Ok(()) };
    let ty = scope.columns[*index].info.ty;
    let fits = match other {
        Expression::Field(other) => {
            let (ours, theirs) = (nature(ty), nature(scope.columns[*other].info.ty));
            match (ours, theirs) {
                (Nature::Text, _) | (_, Nature::Text) => true,
                (ours, theirs) => ours == theirs,
            }
        }
        Expression::Literal(Field::Null) => true,
        Expression::Literal(value) => match (nature(ty), value.as_str()) {
            (Nature::Text, _) | (Nature::Name, Some(_)) => true,
            (Nature::Name, None) => false,
            (Nature::Number, Some(text)) => text.trim().parse::<f64>().is_ok(),
            (Nature::Number, None) => !matches!(value, Field::Boolean(_) | Field::DateTime(_)),
            (Nature::Truth, None) => matches!(value, Field::Boolean(_) | Field::Int(0 | 1)),
            (Nature::Date, None) => matches!(value, Field::DateTime(_)),
            (Nature::Truth | Nature::Date, Some(text)) => parse_field(ty, text).is_ok(),
        },
        _ => true,
    };
    if fits { Ok(()) } else { Err(mismatch(query, place)) }
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
    matches!(ty, Short | UShort | Int | UInt | Long | ULong | Float | Double)
}

impl Expression {
    /// Whether an aggregate is within.
    pub(crate) fn has_aggregate(&self) -> bool {
        match self {
            Expression::Aggregate(_) => true,
            Expression::Field(_) | Expression::Literal(_) => false,
            Expression::And(all) | Expression::Or(all) => all.iter().any(Expression::has_aggregate),
            Expression::Not(one) => one.has_aggregate(),
            Expression::Compare(_, sides, _) => sides.0.has_aggregate() || sides.1.has_aggregate(),
            Expression::Like { operand, pattern, .. } => operand.has_aggregate() || pattern.has_aggregate(),
            Expression::In { operand, .. } | Expression::IsNull { operand, .. } => operand.has_aggregate(),
        }
    }

    /// Whether LIKE can read it: truth values, dates and fractions have no text that is theirs.
    fn may_be_text(&self, scope: &Scope) -> bool {
        match self {
            Expression::Field(index) => {
                !matches!(scope.columns[*index].info.ty, Type::Bool | Type::Date | Type::Float | Type::Double)
            }
            Expression::Literal(value) => !matches!(value, Field::Boolean(_) | Field::DateTime(_) | Field::Double(_)),
            _ => true,
        }
    }

    /// The value in a row.
    ///
    /// # Errors
    /// As [`Expression::test`].
    pub(crate) fn value(&self, row: &[Field]) -> Result<Field> {
        Ok(match self {
            Expression::Field(index) => row[*index].clone(),
            Expression::Literal(value) => value.clone(),
            // Grouping has replaced them; a defect would show as a null.
            Expression::Aggregate(_) => Field::Null,
            condition => condition.test(row)?.into(),
        })
    }

    /// Whether it holds in a row; `None` where a null keeps that unknown.
    ///
    /// # Errors
    /// It compares things of this row that have nothing in common.
    pub(crate) fn test(&self, row: &[Field]) -> Result<Option<bool>> {
        Ok(match self {
            Expression::Field(_) | Expression::Literal(_) | Expression::Aggregate(_) => match self.value(row)? {
                Field::Boolean(b) => Some(b),
                _ => None,
            },
            Expression::And(all) => first_that_is(false, all, row)?,
            Expression::Or(all) => first_that_is(true, all, row)?,
            Expression::Not(one) => one.test(row)?.map(|b| !b),
            Expression::Compare(operator, sides, mismatch) => {
                let (left, right) = (sides.0.value(row)?, sides.1.value(row)?);
                order(&left, &right, mismatch)?.map(|order| holds(*operator, order))
            }
            Expression::Like { operand, pattern, negated } => {
                match (text(&operand.value(row)?), text(&pattern.value(row)?)) {
                    (Some(text), Some(pattern)) => Some(like(&name::fold(&text), &name::fold(&pattern)) != *negated),
                    _ => None,
                }
            }
            Expression::In { operand, values, negated } => {
                let value = operand.value(row)?;
                let (mut found, mut unknown) = (false, value.is_null());
                for (one, mismatch) in values {
                    match order(&value, one, mismatch)? {
                        Some(order) => found |= order.is_eq(),
                        None => unknown = true,
                    }
                }
                (found || !unknown).then_some(found != *negated)
            }
            Expression::IsNull { operand, negated } => Some(operand.value(row)?.is_null() != *negated),
        })
    }
}

/// `decisive` if one of the conditions is so, which spares those behind it; else the opposite, unless a null keeps one unknown.
fn first_that_is(decisive: bool, all: &[Expression], row: &[Field]) -> Result<Option<bool>> {
    let mut known = true;
    for one in all {
        match one.test(row)? {
            Some(found) if found == decisive => return Ok(Some(decisive)),
            Some(_) => {}
            None => known = false,
        }
    }
    Ok(known.then_some(!decisive))
}

/// How two fields stand to each other; `None` if one is null.
fn order(left: &Field, right: &Field, mismatch: &Error) -> Result<Option<Ordering>> {
    if left.is_null() || right.is_null() {
        return Ok(None);
    }
    compare(left, right).map(Some).ok_or_else(|| mismatch.clone())
}

fn holds(operator: DmvOperator, order: Ordering) -> bool {
    match operator {
        DmvOperator::Equal => order.is_eq(),
        DmvOperator::NotEqual => order.is_ne(),
        DmvOperator::Less => order.is_lt(),
        DmvOperator::LessOrEqual => order.is_le(),
        DmvOperator::Greater => order.is_gt(),
        DmvOperator::GreaterOrEqual => order.is_ge(),
    }
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
