//! Expressions of a definition, bound to the columns of a relation and evaluated batch by batch.

use super::functions::Function;
use super::vector::{Data, Type, Vector, decimal_to_f64, power_of_ten};
use facetta_model::definition::{BinaryOperator, ColumnRef, DataType, Expression};
use facetta_model::{Result, bail, error, name};
use std::borrow::Cow;
use std::cmp::Ordering;

/// Expressions nest at most so deep; deeper ones are refused, so that no definition can exhaust the stack.
const MAX_DEPTH: usize = 200;

/// Decimals of more digits than these behind the point become doubles.
const MAX_SCALE: u8 = 18;

/// A column of a relation, as expressions may name it.
#[derive(Clone, Debug)]
pub(crate) struct FrameColumn {
    /// The alias of its table.
    pub(crate) table: String,
    pub(crate) name: String,
    /// Its type; none if values of it cannot be used.
    pub(crate) ty: Option<Type>,
}

/// Rows of a relation as columns; columns that nobody asked for are empty.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) columns: Vec<Vector>,
    pub(crate) rows: usize,
}

/// An expression whose columns are positions in a [`Frame`].
#[derive(Clone, Debug)]
pub(crate) enum Bound {
    Column(usize),
    Literal(Vector),
    Binary(Box<Bound>, BinaryOperator, Box<Bound>),
    Not(Box<Bound>),
    Negate(Box<Bound>),
    IsNull(Box<Bound>),
    Cast(Box<Bound>, DataType),
    Case(Vec<(Bound, Bound)>, Box<Bound>),
    Call(Function, Vec<Bound>),
}

/// The position of the column that `wanted` names: exactly if it can be, else without regard to case.
pub(crate) fn resolve(wanted: &ColumnRef, columns: &[FrameColumn]) -> Result<usize> {
    let table_fits = |c: &FrameColumn| wanted.table.as_ref().is_none_or(|t| name::same(t, &c.table));
    let find = |same: &dyn Fn(&str) -> bool| -> Vec<usize> {
        let fits = columns.iter().enumerate().filter(|(_, c)| table_fits(c) && same(&c.name));
        fits.map(|(i, _)| i).collect()
    };
    let mut found = find(&|n| n == wanted.column);
    if found.is_empty() {
        found = find(&|n| name::same(n, &wanted.column));
    }
    let shown = match &wanted.table {
        Some(table) => format!("{table}.{}", wanted.column),
        None => wanted.column.clone(),
    };
    match found[..] {
        [at] => Ok(at),
        [] if !columns.iter().any(table_fits) => {
            bail!(Definition, "column '{shown}': no table '{}' here", wanted.table.as_deref().unwrap_or(""))
        }
        [] => bail!(Definition, "column '{shown}' does not exist"),
        [first, second, ..] => bail!(
            Definition,
            "column '{shown}' is ambiguous: tables '{}' and '{}' have it",
            columns[first].table,
            columns[second].table
        ),
    }
}

impl Bound {
    /// Binds `expression` to `columns` and checks its types.
    pub(crate) fn new(expression: &Expression, columns: &[FrameColumn]) -> Result<Bound> {
        let bound = bind(expression, columns, 0)?;
        bound.ty(columns)?;
        Ok(bound)
    }

    /// The type of its values.
    pub(crate) fn ty(&self, columns: &[FrameColumn]) -> Result<Type> {
        let empty = columns.iter().map(|c| Vector::empty(c.ty.unwrap_or(Type::Null))).collect();
        Ok(self.evaluate(&Frame { columns: empty, rows: 0 })?.ty())
    }

    /// Calls `visit` with the position of each column that it reads.
    pub(crate) fn columns(&self, visit: &mut impl FnMut(usize)) {
        match self {
            Bound::Column(at) => visit(*at),
            Bound::Literal(_) => {}
            Bound::Binary(a, _, b) => {
                a.columns(visit);
                b.columns(visit);
            }
            Bound::Not(a) | Bound::Negate(a) | Bound::IsNull(a) | Bound::Cast(a, _) => a.columns(visit),
            Bound::Case(branches, otherwise) => {
                for (condition, value) in branches {
                    condition.columns(visit);
                    value.columns(visit);
                }
                otherwise.columns(visit);
            }
            Bound::Call(_, arguments) => arguments.iter().for_each(|a| a.columns(visit)),
        }
    }

    /// Its value in each row of `frame`.
    pub(crate) fn evaluate<'a>(&self, frame: &'a Frame) -> Result<Cow<'a, Vector>> {
        Ok(match self {
            Bound::Column(at) => Cow::Borrowed(&frame.columns[*at]),
            Bound::Literal(value) => Cow::Owned(value.take(&vec![0; frame.rows])),
            Bound::Binary(a, operator, b) => {
                let (a, b) = (a.evaluate(frame)?, b.evaluate(frame)?);
                Cow::Owned(binary(&a, *operator, &b)?)
            }
            Bound::Not(a) => Cow::Owned(map_boolean(a.evaluate(frame)?.as_ref(), "NOT", |b| !b)?),
            Bound::Negate(a) => Cow::Owned(negate(a.evaluate(frame)?.as_ref())?),
            Bound::IsNull(a) => {
                let a = a.evaluate(frame)?;
                Cow::Owned(Vector::new(Data::Boolean((0..a.len()).map(|i| a.is_null(i)).collect()), None))
            }
            Bound::Cast(a, wanted) => Cow::Owned(a.evaluate(frame)?.convert(*wanted)?.into_owned()),
            Bound::Case(branches, otherwise) => Cow::Owned(case(branches, otherwise, frame)?),
            Bound::Call(function, arguments) => {
                let values: Result<Vec<_>> = arguments.iter().map(|a| a.evaluate(frame)).collect();
                Cow::Owned(function.call(&values?, frame.rows)?)
            }
        })
    }
}

fn bind(expression: &Expression, columns: &[FrameColumn], depth: usize) -> Result<Bound> {
    if depth > MAX_DEPTH {
        bail!(Definition, "an expression nests deeper than {MAX_DEPTH}");
    }
    let inner = |e: &Expression| bind(e, columns, depth + 1);
    let boxed = |e: &Expression| inner(e).map(Box::new);
    Ok(match expression {
        Expression::Column(column) => {
            let at = resolve(column, columns)?;
            if columns[at].ty.is_none() {
                bail!(Definition, "column '{}' has a type whose values cannot be used", column.column);
            }
            Bound::Column(at)
        }
        Expression::Number(text) => Bound::Literal(number(text)?),
        Expression::Text(text) => Bound::Literal(Vector::new(Data::Text([text].into_iter().collect()), None)),
        Expression::Boolean(b) => Bound::Literal(Vector::new(Data::Boolean(vec![*b]), None)),
        Expression::Null => Bound::Literal(Vector::null(1)),
        Expression::Binary(a, operator, b) => Bound::Binary(boxed(a)?, *operator, boxed(b)?),
        Expression::Not(a) => Bound::Not(boxed(a)?),
        Expression::Negate(a) => Bound::Negate(boxed(a)?),
        Expression::IsNull(a) => Bound::IsNull(boxed(a)?),
        Expression::Cast(a, wanted) => Bound::Cast(boxed(a)?, *wanted),
        Expression::Case { branches, otherwise } => {
            let bound: Result<Vec<_>> = branches.iter().map(|(c, v)| Ok((inner(c)?, inner(v)?))).collect();
            let otherwise = match otherwise {
                Some(e) => inner(e)?,
                None => Bound::Literal(Vector::null(1)),
            };
            Bound::Case(bound?, Box::new(otherwise))
        }
        Expression::In(value, list) => {
            let value = inner(value)?;
            let mut any = Bound::Literal(Vector::new(Data::Boolean(vec![false]), None));
            if list.len() > MAX_DEPTH {
                bail!(Definition, "a list of IN has more than {MAX_DEPTH} values");
            }
            for item in list {
                let equal = Bound::Binary(Box::new(value.clone()), BinaryOperator::Equal, Box::new(inner(item)?));
                any = Bound::Binary(Box::new(any), BinaryOperator::Or, Box::new(equal));
            }
            any
        }
        Expression::Call(called, arguments) => {
            let function = Function::find(called, arguments.len())?;
            let bound: Result<Vec<_>> = arguments.iter().map(inner).collect();
            Bound::Call(function, bound?)
        }
    })
}

/// A number as written: whole, decimal or with an exponent.
fn number(text: &str) -> Result<Vector> {
    let bad = || error!(Definition, "'{text}' is no number");
    let data = if let Ok(whole) = text.parse::<i64>() {
        Data::Int(vec![whole])
    } else if let Some((whole, part)) = text.split_once('.')
        && part.len() <= usize::from(MAX_SCALE)
        && part.bytes().all(|b| b.is_ascii_digit())
    {
        let units = format!("{whole}{part}").parse().map_err(|_| bad())?;
        Data::Decimal { units: vec![units], scale: part.len() as u8 }
    } else {
        Data::Double(vec![text.parse().map_err(|_| bad())?])
    };
    Ok(Vector::new(data, None))
}

fn binary(a: &Vector, operator: BinaryOperator, b: &Vector) -> Result<Vector> {
    use BinaryOperator as B;
    match operator {
        B::Add | B::Subtract | B::Multiply | B::Divide => arithmetic(a, operator, b),
        B::Concat => Ok(concat(&[Cow::Borrowed(a), Cow::Borrowed(b)], a.len())),
        B::Equal => compare(a, b, |o| o.is_eq()),
        B::NotEqual => compare(a, b, |o| o.is_ne()),
        B::Less => compare(a, b, |o| o.is_lt()),
        B::LessOrEqual => compare(a, b, |o| o.is_le()),
        B::Greater => compare(a, b, |o| o.is_gt()),
        B::GreaterOrEqual => compare(a, b, |o| o.is_ge()),
        B::And => logic(a, b, "AND", false),
        B::Or => logic(a, b, "OR", true),
    }
}

/// The texts of each row one after the other; null if one of them is.
pub(crate) fn concat(values: &[Cow<'_, Vector>], rows: usize) -> Vector {
    let mut texts = facetta_model::Strings::default();
    let mut nulls = Vec::with_capacity(rows);
    for row in 0..rows {
        nulls.push(values.iter().any(|v| v.is_null(row)));
        texts.push_with(|out| values.iter().for_each(|v| out.push_str(&v.text(row))));
    }
    Vector::new(Data::Text(texts), Some(nulls))
}

/// Where either is null, so is the result.
fn either_null(a: &Vector, b: &Vector) -> Option<Vec<bool>> {
    match (&a.nulls, &b.nulls) {
        (None, None) => None,
        (Some(n), None) | (None, Some(n)) => Some(n.clone()),
        (Some(x), Some(y)) => Some(x.iter().zip(y).map(|(x, y)| x | y).collect()),
    }
}

fn arithmetic(a: &Vector, operator: BinaryOperator, b: &Vector) -> Result<Vector> {
    use BinaryOperator as B;
    let nulls = either_null(a, b);
    let live = |i: usize| nulls.as_ref().is_none_or(|n| !n[i]);
    let too_large = || error!(Definition, "a computed number is too large");
    let data = match (a.ty(), b.ty()) {
        (Type::Null, _) | (_, Type::Null) => return Ok(Vector::null(a.len())),
        (x, y) if !x.is_number() || !y.is_number() => {
            bail!(Definition, "cannot compute with {} and {}", x.name(), y.name())
        }
        (Type::Double, _) | (_, Type::Double) => return double_arithmetic(a, operator, b),
        _ if operator == B::Divide => return double_arithmetic(a, operator, b),
        (Type::Int, Type::Int) => {
            let (Data::Int(x), Data::Int(y)) = (&a.data, &b.data) else { return Err(too_large()) };
            let compute = |i: usize| match operator {
                B::Add => x[i].checked_add(y[i]),
                B::Subtract => x[i].checked_sub(y[i]),
                _ => x[i].checked_mul(y[i]),
            };
            let each = (0..x.len()).map(|i| if live(i) { compute(i).ok_or_else(too_large) } else { Ok(0) });
            Data::Int(each.collect::<Result<_>>()?)
        }
        _ => {
            let ((x, x_scale), (y, y_scale)) = (decimal_units(a), decimal_units(b));
            let scale = if operator == B::Multiply { x_scale + y_scale } else { x_scale.max(y_scale) };
            if scale > MAX_SCALE {
                return double_arithmetic(a, operator, b);
            }
            let (x_power, y_power) =
                (power_of_ten(scale - x_scale.min(scale)), power_of_ten(scale - y_scale.min(scale)));
            let compute = |i: usize| match operator {
                B::Add => x[i].checked_mul(x_power)?.checked_add(y[i].checked_mul(y_power)?),
                B::Subtract => x[i].checked_mul(x_power)?.checked_sub(y[i].checked_mul(y_power)?),
                _ => x[i].checked_mul(y[i]),
            };
            let each = (0..x.len()).map(|i| if live(i) { compute(i).ok_or_else(too_large) } else { Ok(0) });
            Data::Decimal { units: each.collect::<Result<_>>()?, scale }
        }
    };
    Ok(Vector::new(data, nulls))
}

fn decimal_units(vector: &Vector) -> (Cow<'_, [i128]>, u8) {
    match &vector.data {
        Data::Decimal { units, scale } => (Cow::Borrowed(units), *scale),
        Data::Int(v) => (v.iter().map(|&i| i128::from(i)).collect(), 0),
        _ => (Cow::Owned(vec![0; vector.len()]), 0),
    }
}

/// The doubles of a vector of numbers or booleans.
pub(crate) fn doubles(vector: &Vector) -> Cow<'_, [f64]> {
    match &vector.data {
        Data::Double(v) => Cow::Borrowed(v),
        Data::Int(v) => v.iter().map(|&i| i as f64).collect(),
        Data::Decimal { units, scale } => units.iter().map(|&u| decimal_to_f64(u, *scale)).collect(),
        Data::Boolean(v) => v.iter().map(|&b| f64::from(u8::from(b))).collect(),
        Data::Null(_) | Data::Date { .. } | Data::Text(_) => Cow::Owned(vec![0.0; vector.len()]),
    }
}

/// Quotients are always doubles; a division by zero is null.
fn double_arithmetic(a: &Vector, operator: BinaryOperator, b: &Vector) -> Result<Vector> {
    let (x, y) = (doubles(a), doubles(b));
    let mut nulls = either_null(a, b).unwrap_or_else(|| vec![false; x.len()]);
    let mut values = Vec::with_capacity(x.len());
    for (i, (x, y)) in x.iter().zip(y.iter()).enumerate() {
        values.push(match operator {
            BinaryOperator::Add => x + y,
            BinaryOperator::Subtract => x - y,
            BinaryOperator::Multiply => x * y,
            _ => {
                nulls[i] |= *y == 0.0;
                x / y
            }
        });
    }
    Ok(Vector::new(Data::Double(values), Some(nulls)))
}

pub(crate) fn negate(a: &Vector) -> Result<Vector> {
    let too_large = || error!(Definition, "a computed number is too large");
    let data = match &a.data {
        Data::Null(n) => Data::Null(*n),
        Data::Int(v) => Data::Int(v.iter().map(|i| i.checked_neg().ok_or_else(too_large)).collect::<Result<_>>()?),
        Data::Decimal { units, scale } => {
            let each = units.iter().map(|u| u.checked_neg().ok_or_else(too_large));
            Data::Decimal { units: each.collect::<Result<_>>()?, scale: *scale }
        }
        Data::Double(v) => Data::Double(v.iter().map(|d| -d).collect()),
        _ => bail!(Definition, "cannot negate {}", a.ty().name()),
    };
    Ok(Vector::new(data, a.nulls.clone()))
}

fn map_boolean(a: &Vector, what: &str, map: impl Fn(bool) -> bool) -> Result<Vector> {
    match &a.data {
        Data::Null(n) => Ok(Vector::null(*n)),
        Data::Boolean(v) => Ok(Vector::new(Data::Boolean(v.iter().map(|&b| map(b)).collect()), a.nulls.clone())),
        _ => bail!(Definition, "{what} wants true or false, not {}", a.ty().name()),
    }
}

/// AND and OR of three values: `decided` is the value that decides whatever the other side is.
fn logic(a: &Vector, b: &Vector, what: &str, decided: bool) -> Result<Vector> {
    let (x, y) = (map_boolean(a, what, |v| v)?, map_boolean(b, what, |v| v)?);
    let at = |v: &Vector, i: usize| match &v.data {
        Data::Boolean(values) if !v.is_null(i) => Some(values[i]),
        _ => None,
    };
    let each = (0..a.len()).map(|i| match (at(&x, i), at(&y, i)) {
        (Some(v), _) | (_, Some(v)) if v == decided => Some(decided),
        (Some(_), Some(_)) => Some(!decided),
        _ => None,
    });
    let (values, nulls) = each.map(|v| (v.unwrap_or(false), v.is_none())).unzip();
    Ok(Vector::new(Data::Boolean(values), Some(nulls)))
}

pub(crate) fn compare(a: &Vector, b: &Vector, holds: impl Fn(Ordering) -> bool) -> Result<Vector> {
    let values: Vec<bool> = match (&a.data, &b.data) {
        (Data::Null(n), _) | (_, Data::Null(n)) => return Ok(Vector::null(*n)),
        (Data::Int(x), Data::Int(y)) => x.iter().zip(y).map(|(x, y)| holds(x.cmp(y))).collect(),
        (Data::Boolean(x), Data::Boolean(y)) => x.iter().zip(y).map(|(x, y)| holds(x.cmp(y))).collect(),
        (Data::Text(x), Data::Text(y)) => x.iter().zip(y.iter()).map(|(x, y)| holds(x.cmp(y))).collect(),
        (Data::Date { micros: x, .. }, Data::Date { micros: y, .. }) => {
            x.iter().zip(y).map(|(x, y)| holds(x.cmp(y))).collect()
        }
        (Data::Date { .. }, Data::Text(_)) => return compare(a, b.convert(DataType::DateTime)?.as_ref(), holds),
        (Data::Text(_), Data::Date { .. }) => return compare(a.convert(DataType::DateTime)?.as_ref(), b, holds),
        // Booleans compare with 0 and 1, as many databases keep them.
        _ if number_like(a) && number_like(b) => match (exact(a), exact(b)) {
            (Some((x, x_scale)), Some((y, y_scale))) => {
                let scale = x_scale.max(y_scale);
                let (x_power, y_power) = (power_of_ten(scale - x_scale), power_of_ten(scale - y_scale));
                let pairs = x.iter().zip(y.iter());
                pairs.map(|(x, y)| holds(x.saturating_mul(x_power).cmp(&y.saturating_mul(y_power)))).collect()
            }
            _ => doubles(a).iter().zip(doubles(b).iter()).map(|(x, y)| holds(x.total_cmp(y))).collect(),
        },
        _ => bail!(Definition, "cannot compare {} with {}", a.ty().name(), b.ty().name()),
    };
    Ok(Vector::new(Data::Boolean(values), either_null(a, b)))
}

fn number_like(vector: &Vector) -> bool {
    vector.ty().is_number() || vector.ty() == Type::Boolean
}

fn exact(vector: &Vector) -> Option<(Cow<'_, [i128]>, u8)> {
    match &vector.data {
        Data::Boolean(v) => Some((v.iter().map(|&b| i128::from(b)).collect(), 0)),
        Data::Int(_) | Data::Decimal { .. } => Some(decimal_units(vector)),
        _ => None,
    }
}

/// The first branch whose condition holds decides each row.
fn case(branches: &[(Bound, Bound)], otherwise: &Bound, frame: &Frame) -> Result<Vector> {
    let mut choice = vec![branches.len(); frame.rows];
    let mut values = Vec::with_capacity(branches.len() + 1);
    for (at, (condition, value)) in branches.iter().enumerate().rev() {
        let condition = map_boolean(condition.evaluate(frame)?.as_ref(), "CASE", |b| b)?;
        if let Data::Boolean(holds) = &condition.data {
            (0..frame.rows).filter(|&i| holds[i] && !condition.is_null(i)).for_each(|i| choice[i] = at);
        }
        values.push(value.evaluate(frame)?);
    }
    values.reverse();
    values.push(otherwise.evaluate(frame)?);
    choose(&values, &choice)
}

/// Row by row the value of the vector that `choice` names, all brought to one type.
pub(crate) fn choose(values: &[Cow<'_, Vector>], choice: &[usize]) -> Result<Vector> {
    let mut ty = Type::Null;
    for value in values {
        ty = common(ty, value.ty())?;
    }
    // All values under each other, then rows gathered from them.
    let mut all = Vector::empty(ty);
    let mut starts = Vec::with_capacity(values.len());
    for value in values {
        starts.push(all.len());
        all.append(&widen(value, ty))?;
    }
    let rows: Vec<u32> = choice.iter().enumerate().map(|(i, &c)| (starts[c] + i) as u32).collect();
    Ok(all.take(&rows))
}

fn common(a: Type, b: Type) -> Result<Type> {
    Ok(match (a, b) {
        (a, b) if a == b => a,
        (Type::Null, t) | (t, Type::Null) => t,
        (Type::Double, t) | (t, Type::Double) if t.is_number() => Type::Double,
        (Type::Decimal(s), Type::Int) | (Type::Int, Type::Decimal(s)) => Type::Decimal(s),
        (Type::Decimal(s), Type::Decimal(t)) => Type::Decimal(s.max(t)),
        (Type::Day | Type::Moment, Type::Day | Type::Moment) => Type::Moment,
        (a, b) => bail!(Definition, "values of types {} and {} cannot stand for each other", a.name(), b.name()),
    })
}

/// `vector` as values of `ty`, which [`common`] found for it.
fn widen(vector: &Vector, ty: Type) -> Vector {
    let data = match (&vector.data, ty) {
        (Data::Null(count), _) => {
            let mut nulls = Vector::empty(ty).take(&[]);
            nulls.data = match ty {
                Type::Int => Data::Int(vec![0; *count]),
                Type::Decimal(scale) => Data::Decimal { units: vec![0; *count], scale },
                Type::Double => Data::Double(vec![0.0; *count]),
                Type::Boolean => Data::Boolean(vec![false; *count]),
                Type::Day | Type::Moment => Data::Date { micros: vec![0; *count], days: ty == Type::Day },
                Type::Text => Data::Text(std::iter::repeat_n("", *count).collect()),
                Type::Null => return vector.clone(),
            };
            nulls.nulls = Some(vec![true; *count]);
            return nulls;
        }
        (_, Type::Double) => Data::Double(doubles(vector).into_owned()),
        (_, Type::Decimal(wanted)) => {
            let (units, scale) = decimal_units(vector);
            let power = power_of_ten(wanted - scale.min(wanted));
            Data::Decimal { units: units.iter().map(|u| u.saturating_mul(power)).collect(), scale: wanted }
        }
        (Data::Date { micros, .. }, Type::Moment) => Data::Date { micros: micros.clone(), days: false },
        _ => return vector.clone(),
    };
    Vector { data, nulls: vector.nulls.clone() }
}

#[cfg(test)]
#[path = "expression_tests.rs"]
mod tests;
