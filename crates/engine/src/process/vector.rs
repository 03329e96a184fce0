//! Typed columns of values as a source delivers them: from Arrow, converted, compared, gathered.

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType as ArrowType, TimeUnit};
use facetta_model::definition::DataType;
use facetta_model::{Result, Strings, Value, bail, error};
use jiff::civil::DateTime;
use std::borrow::Cow;
use std::cmp::Ordering;

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// Years -9999 to 9999, with a margin so that no conversion can leave the range of a civil date.
const MICROS_LIMIT: i64 = 8_000 * 366 * MICROS_PER_DAY;

/// The type of a [`Vector`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    /// Nothing but nulls.
    Null,
    Int,
    /// Exact, with so many decimals.
    Decimal(u8),
    Double,
    Boolean,
    Day,
    Moment,
    Text,
}

impl Type {
    /// The type in which a column of Arrow is read; none if it has no scalar meaning (lists, structs, bytes).
    pub(crate) fn of_arrow(arrow: &ArrowType) -> Option<Type> {
        use ArrowType as A;
        Some(match arrow {
            A::Null => Type::Null,
            A::Int8 | A::Int16 | A::Int32 | A::Int64 | A::UInt8 | A::UInt16 | A::UInt32 | A::UInt64 => Type::Int,
            A::Float16 | A::Float32 | A::Float64 => Type::Double,
            A::Decimal32(_, s) | A::Decimal64(_, s) | A::Decimal128(_, s) | A::Decimal256(_, s) => {
                Type::Decimal(u8::try_from(*s).unwrap_or(0))
            }
            A::Boolean => Type::Boolean,
            A::Date32 | A::Date64 => Type::Day,
            A::Timestamp(_, _) => Type::Moment,
            A::Utf8 | A::LargeUtf8 | A::Utf8View | A::Time32(_) | A::Time64(_) => Type::Text,
            A::Dictionary(_, value) => return Type::of_arrow(value),
            _ => return None,
        })
    }

    /// Whether it is a number.
    pub(crate) fn is_number(self) -> bool {
        matches!(self, Type::Int | Type::Decimal(_) | Type::Double)
    }

    /// As error messages call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Type::Null => "null",
            Type::Int => "integer",
            Type::Decimal(_) => "decimal",
            Type::Double => "double",
            Type::Boolean => "boolean",
            Type::Day => "date",
            Type::Moment => "timestamp",
            Type::Text => "text",
        }
    }
}

/// The values of a [`Vector`].
#[derive(Clone, Debug)]
pub(crate) enum Data {
    Null(usize),
    Int(Vec<i64>),
    Decimal {
        units: Vec<i128>,
        scale: u8,
    },
    Double(Vec<f64>),
    Boolean(Vec<bool>),
    /// Microseconds since 1970; `days` if the type knows no time of day.
    Date {
        micros: Vec<i64>,
        days: bool,
    },
    Text(Strings),
}

/// A column of values, some perhaps null; a null has any value in its place.
#[derive(Clone, Debug)]
pub(crate) struct Vector {
    pub(crate) data: Data,
    /// Where true, the value is null.
    pub(crate) nulls: Option<Vec<bool>>,
}

impl Vector {
    pub(crate) fn new(data: Data, nulls: Option<Vec<bool>>) -> Vector {
        Vector { data, nulls: nulls.filter(|n| n.contains(&true)) }
    }

    /// `count` nulls.
    pub(crate) fn null(count: usize) -> Vector {
        Vector { data: Data::Null(count), nulls: None }
    }

    /// No values of a type.
    pub(crate) fn empty(ty: Type) -> Vector {
        let data = match ty {
            Type::Null => Data::Null(0),
            Type::Int => Data::Int(Vec::new()),
            Type::Decimal(scale) => Data::Decimal { units: Vec::new(), scale },
            Type::Double => Data::Double(Vec::new()),
            Type::Boolean => Data::Boolean(Vec::new()),
            Type::Day | Type::Moment => Data::Date { micros: Vec::new(), days: ty == Type::Day },
            Type::Text => Data::Text(Strings::default()),
        };
        Vector { data, nulls: None }
    }

    pub(crate) fn ty(&self) -> Type {
        match &self.data {
            Data::Null(_) => Type::Null,
            Data::Int(_) => Type::Int,
            Data::Decimal { scale, .. } => Type::Decimal(*scale),
            Data::Double(_) => Type::Double,
            Data::Boolean(_) => Type::Boolean,
            Data::Date { days: true, .. } => Type::Day,
            Data::Date { .. } => Type::Moment,
            Data::Text(_) => Type::Text,
        }
    }

    pub(crate) fn len(&self) -> usize {
        match &self.data {
            Data::Null(count) => *count,
            Data::Int(v) => v.len(),
            Data::Decimal { units, .. } => units.len(),
            Data::Double(v) => v.len(),
            Data::Boolean(v) => v.len(),
            Data::Date { micros, .. } => micros.len(),
            Data::Text(v) => v.len(),
        }
    }

    pub(crate) fn is_null(&self, index: usize) -> bool {
        matches!(self.data, Data::Null(_)) || self.nulls.as_ref().is_some_and(|n| n[index])
    }

    /// Bytes held, about.
    pub(crate) fn bytes(&self) -> usize {
        let data = match &self.data {
            Data::Null(_) => 0,
            Data::Decimal { units, .. } => units.len() * 16,
            Data::Boolean(v) => v.len(),
            Data::Text(v) => v.bytes(),
            _ => self.len() * 8,
        };
        data + self.nulls.as_ref().map_or(0, Vec::len)
    }

    /// The values of an Arrow column.
    pub(crate) fn from_arrow(array: &ArrayRef) -> Result<Vector> {
        let Some(ty) = Type::of_arrow(array.data_type()) else {
            bail!(Definition, "values of type {} cannot be used", array.data_type());
        };
        let wanted = match ty {
            Type::Null => return Ok(Vector::null(array.len())),
            Type::Int => ArrowType::Int64,
            Type::Decimal(scale) => ArrowType::Decimal128(38, scale as i8),
            Type::Double => ArrowType::Float64,
            Type::Boolean => ArrowType::Boolean,
            Type::Day => ArrowType::Date32,
            Type::Moment => ArrowType::Timestamp(TimeUnit::Microsecond, None),
            Type::Text => ArrowType::Utf8,
        };
        // A time zone is metadata only: the values are UTC already, and casting would shift them.
        let array = match (ty, array.data_type()) {
            (Type::Moment, ArrowType::Timestamp(unit, Some(_))) => {
                let micros = ArrowType::Timestamp(*unit, Some("+00:00".into()));
                cast(&cast(array, &micros)?, &wanted)?
            }
            _ => cast(array, &wanted)?,
        };
        let nulls = array.nulls().filter(|n| n.null_count() > 0).map(|n| n.iter().map(|valid| !valid).collect());
        let data = match ty {
            Type::Null => Data::Null(array.len()),
            Type::Int => Data::Int(array.as_primitive::<Int64Type>().values().to_vec()),
            Type::Decimal(scale) => {
                Data::Decimal { units: array.as_primitive::<Decimal128Type>().values().to_vec(), scale }
            }
            Type::Double => Data::Double(array.as_primitive::<Float64Type>().values().to_vec()),
            Type::Boolean => Data::Boolean(array.as_boolean().values().iter().collect()),
            Type::Day => {
                let days = array.as_primitive::<Date32Type>().values().iter();
                dates(days.map(|&d| i64::from(d) * MICROS_PER_DAY).collect(), true)?
            }
            Type::Moment => dates(array.as_primitive::<TimestampMicrosecondType>().values().to_vec(), false)?,
            Type::Text => {
                let texts = array.as_string::<i32>();
                let mut strings = Strings::with_capacity(texts.len(), texts.values().len());
                (0..texts.len()).for_each(|i| strings.push(texts.value(i)));
                Data::Text(strings)
            }
        };
        Ok(Vector::new(data, nulls))
    }

    /// Appends the values of `other`, which has the same type.
    pub(crate) fn append(&mut self, other: &Vector) -> Result<()> {
        let (before, added) = (self.len(), other.len());
        if self.nulls.is_some() || other.nulls.is_some() {
            let nulls = self.nulls.get_or_insert_with(|| vec![false; before]);
            match &other.nulls {
                Some(more) => nulls.extend_from_slice(more),
                None => nulls.resize(before + added, false),
            }
        }
        match (&mut self.data, &other.data) {
            (Data::Null(count), Data::Null(more)) => *count += more,
            (Data::Int(a), Data::Int(b)) => a.extend_from_slice(b),
            (Data::Decimal { units, scale }, Data::Decimal { units: more, scale: other }) if scale == other => {
                units.extend_from_slice(more);
            }
            (Data::Double(a), Data::Double(b)) => a.extend_from_slice(b),
            (Data::Boolean(a), Data::Boolean(b)) => a.extend_from_slice(b),
            (Data::Date { micros, .. }, Data::Date { micros: more, .. }) => micros.extend_from_slice(more),
            (Data::Text(a), Data::Text(b)) => {
                if a.bytes() + b.bytes() > u32::MAX as usize {
                    bail!(Definition, "a column of text is larger than 4 GiB");
                }
                b.iter().for_each(|s| a.push(s));
            }
            _ => bail!(Definition, "a column changes its type from {} to {}", self.ty().name(), other.ty().name()),
        }
        Ok(())
    }

    /// The values at `rows`.
    pub(crate) fn take(&self, rows: &[u32]) -> Vector {
        fn pick<T: Copy>(values: &[T], rows: &[u32]) -> Vec<T> {
            rows.iter().map(|&r| values[r as usize]).collect()
        }
        let data = match &self.data {
            Data::Null(_) => Data::Null(rows.len()),
            Data::Int(v) => Data::Int(pick(v, rows)),
            Data::Decimal { units, scale } => Data::Decimal { units: pick(units, rows), scale: *scale },
            Data::Double(v) => Data::Double(pick(v, rows)),
            Data::Boolean(v) => Data::Boolean(pick(v, rows)),
            Data::Date { micros, days } => Data::Date { micros: pick(micros, rows), days: *days },
            Data::Text(v) => Data::Text(rows.iter().map(|&r| v.get(r as usize)).collect()),
        };
        Vector::new(data, self.nulls.as_ref().map(|n| pick(n, rows)))
    }

    /// The value at `index`; decimals become doubles unless they are whole by type.
    pub(crate) fn value(&self, index: usize) -> Value {
        if self.is_null(index) {
            return Value::Empty;
        }
        match &self.data {
            Data::Null(_) => Value::Empty,
            Data::Int(v) => Value::Int(v[index]),
            Data::Decimal { units, scale: 0 } if i64::try_from(units[index]).is_ok() => Value::Int(units[index] as i64),
            Data::Decimal { units, scale } => Value::Double(decimal_to_f64(units[index], *scale)),
            Data::Double(v) => Value::Double(v[index]),
            Data::Boolean(v) => Value::Boolean(v[index]),
            Data::Date { micros, .. } => Value::Date(to_civil(micros[index])),
            Data::Text(v) => Value::str(v.get(index)),
        }
    }

    /// The value at `index` as text; nothing for null.
    pub(crate) fn text(&self, index: usize) -> Cow<'_, str> {
        if self.is_null(index) {
            return Cow::Borrowed("");
        }
        match &self.data {
            Data::Null(_) => Cow::Borrowed(""),
            Data::Int(v) => Cow::Owned(v[index].to_string()),
            Data::Decimal { units, scale } => Cow::Owned(decimal_text(units[index], *scale)),
            Data::Double(v) => Cow::Owned(v[index].to_string()),
            Data::Boolean(v) => Cow::Borrowed(if v[index] { "true" } else { "false" }),
            Data::Date { micros, days: true } => Cow::Owned(to_civil(micros[index]).date().to_string()),
            Data::Date { micros, .. } => Cow::Owned(Value::Date(to_civil(micros[index])).to_string()),
            Data::Text(v) => Cow::Borrowed(v.get(index)),
        }
    }

    /// The values as a definition wants them.
    pub(crate) fn convert(&self, wanted: DataType) -> Result<Cow<'_, Vector>> {
        let ty = self.ty();
        let same = match wanted {
            DataType::String => ty == Type::Text,
            DataType::Integer => ty == Type::Int,
            DataType::Numeric => ty.is_number(),
            DataType::Boolean => ty == Type::Boolean,
            DataType::Date => ty == Type::Day,
            DataType::DateTime => ty == Type::Moment,
            DataType::Native => true,
        };
        if same || ty == Type::Null {
            return Ok(Cow::Borrowed(self));
        }
        let full = (0..self.len()).map(|i| (!self.is_null(i)).then(|| self.text(i)));
        let converted = match wanted {
            DataType::Native => return Ok(Cow::Borrowed(self)),
            DataType::String => return Ok(Cow::Owned(self.to_text())),
            DataType::Integer => parse(full, wanted, parse_whole).map(|(v, n)| Vector::new(Data::Int(v), n)),
            DataType::Numeric if ty == Type::Boolean => return self.convert(DataType::Integer),
            DataType::Numeric => match parse(full.clone(), wanted, parse_whole) {
                Ok((v, n)) => Ok(Vector::new(Data::Int(v), n)),
                Err(_) => parse(full, wanted, |t| t.trim().parse().ok()).map(|(v, n)| Vector::new(Data::Double(v), n)),
            },
            DataType::Boolean => parse(full, wanted, parse_boolean).map(|(v, n)| Vector::new(Data::Boolean(v), n)),
            DataType::Date | DataType::DateTime => {
                let days = wanted == DataType::Date;
                parse(full, wanted, |t| parse_moment(t, days))
                    .map(|(micros, n)| Vector::new(Data::Date { micros, days }, n))
            }
        };
        converted.map(Cow::Owned)
    }

    fn to_text(&self) -> Vector {
        let strings = (0..self.len()).map(|i| self.text(i)).collect();
        Vector::new(Data::Text(strings), self.nulls.clone())
    }

    /// A form in which [`Ordered::compare`] is quick.
    pub(crate) fn ordered(&self) -> Ordered<'_> {
        let folded = match &self.data {
            Data::Text(v) => Some(v.iter().map(facetta_model::name::fold).collect()),
            _ => None,
        };
        Ordered { vector: self, folded }
    }
}

/// A vector whose values are compared often: nulls first, text without regard to case first.
pub(crate) struct Ordered<'a> {
    vector: &'a Vector,
    folded: Option<Strings>,
}

impl Ordered<'_> {
    /// Compares the values at two positions.
    pub(crate) fn compare(&self, a: u32, b: u32) -> Ordering {
        let (a, b) = (a as usize, b as usize);
        match (self.vector.is_null(a), self.vector.is_null(b)) {
            (false, false) => {}
            (x, y) => return y.cmp(&x),
        }
        match &self.vector.data {
            Data::Null(_) => Ordering::Equal,
            Data::Int(v) => v[a].cmp(&v[b]),
            Data::Decimal { units, .. } => units[a].cmp(&units[b]),
            Data::Double(v) => v[a].total_cmp(&v[b]),
            Data::Boolean(v) => v[a].cmp(&v[b]),
            Data::Date { micros, .. } => micros[a].cmp(&micros[b]),
            Data::Text(v) => {
                let folded = self.folded.as_ref().map_or(Ordering::Equal, |f| f.get(a).cmp(f.get(b)));
                folded.then_with(|| v.get(a).cmp(v.get(b)))
            }
        }
    }
}

fn cast(array: &ArrayRef, to: &ArrowType) -> Result<ArrayRef> {
    if array.data_type() == to {
        return Ok(array.clone());
    }
    let options = arrow_cast::CastOptions { safe: false, ..Default::default() };
    arrow_cast::cast_with_options(array, to, &options).map_err(|e| error!(Definition, "{e}"))
}

fn dates(micros: Vec<i64>, days: bool) -> Result<Data> {
    if micros.iter().any(|m| m.unsigned_abs() > MICROS_LIMIT as u64) {
        bail!(Definition, "a date lies outside the years that can be kept");
    }
    Ok(Data::Date { micros, days })
}

/// The civil date and time at `micros`, which [`dates`] has checked.
pub(crate) fn to_civil(micros: i64) -> DateTime {
    let stamp = jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    jiff::tz::TimeZone::UTC.to_datetime(stamp)
}

/// Microseconds since 1970 of a civil date and time.
pub(crate) fn from_civil(civil: DateTime) -> i64 {
    jiff::tz::TimeZone::UTC.to_timestamp(civil).map_or(0, jiff::Timestamp::as_microsecond)
}

type Parsed<T> = (Vec<T>, Option<Vec<bool>>);

fn parse<'a, T: Default>(
    texts: impl Iterator<Item = Option<Cow<'a, str>>>,
    wanted: DataType,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Parsed<T>> {
    let (mut values, mut nulls) = (Vec::new(), Vec::new());
    for text in texts {
        nulls.push(text.is_none());
        values.push(match &text {
            None => T::default(),
            Some(text) => parse(text).ok_or_else(|| error!(Definition, "the value '{text}' is no {wanted:?}"))?,
        });
    }
    Ok((values, Some(nulls)))
}

fn parse_whole(text: &str) -> Option<i64> {
    let text = text.trim();
    let whole = match text.split_once('.') {
        Some((whole, rest)) if rest.bytes().all(|b| b == b'0') => whole,
        Some(_) => return None,
        None => text,
    };
    match whole {
        "true" => Some(1),
        "false" => Some(0),
        _ => whole.parse().ok(),
    }
}

fn parse_boolean(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "t" | "1" | "yes" | "y" => Some(true),
        "false" | "f" | "0" | "no" | "n" => Some(false),
        _ => None,
    }
}

/// A date, or a date and a time, in ISO form.
pub(crate) fn parse_moment(text: &str, days: bool) -> Option<i64> {
    let text = text.trim();
    let civil: DateTime = text.parse().ok()?;
    let civil = if days { civil.date().to_datetime(jiff::civil::Time::midnight()) } else { civil };
    Some(from_civil(civil)).filter(|m| m.unsigned_abs() <= MICROS_LIMIT as u64)
}

/// 10 to the power of `scale`; the largest that fits for scales beyond 38.
pub(crate) fn power_of_ten(scale: u8) -> i128 {
    10i128.pow(u32::from(scale.min(38)))
}

/// The nearest double of a decimal.
pub(crate) fn decimal_to_f64(units: i128, scale: u8) -> f64 {
    units as f64 / 10f64.powi(i32::from(scale))
}

/// A decimal as text, without zeros at its end.
fn decimal_text(units: i128, scale: u8) -> String {
    let power = power_of_ten(scale).unsigned_abs();
    let (whole, part) = (units.unsigned_abs() / power, units.unsigned_abs() % power);
    let sign = if units < 0 { "-" } else { "" };
    if part == 0 {
        return format!("{sign}{whole}");
    }
    let part = format!("{part:0width$}", width = usize::from(scale));
    format!("{sign}{whole}.{}", part.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_print_exactly() {
        for (units, scale, text) in [(12_500, 3, "12.5"), (-5, 2, "-0.05"), (700, 2, "7"), (3, 0, "3")] {
            assert_eq!(decimal_text(units, scale), text);
        }
    }

    #[test]
    fn nulls_come_first_and_case_counts_last() {
        let texts: Strings = ["b", "", "B", "a"].into_iter().collect();
        let vector = Vector::new(Data::Text(texts), Some(vec![false, true, false, false]));
        let mut rows = [0u32, 1, 2, 3];
        let ordered = vector.ordered();
        rows.sort_by(|&a, &b| ordered.compare(a, b));
        assert_eq!(rows, [1, 3, 2, 0]);
    }

    #[test]
    fn text_converts_or_names_the_value() {
        let vector = Vector::new(Data::Text(["1", "2.0"].into_iter().collect()), None);
        assert_eq!(vector.convert(DataType::Integer).unwrap().value(1), Value::Int(2));
        let vector = Vector::new(Data::Text(["1", "x"].into_iter().collect()), None);
        let error = vector.convert(DataType::Numeric).unwrap_err();
        assert!(error.message().contains("'x'"), "{error}");
        let vector = Vector::new(Data::Text(["1997-01-31"].into_iter().collect()), None);
        assert_eq!(vector.convert(DataType::Date).unwrap().text(0), "1997-01-31");
    }
}
