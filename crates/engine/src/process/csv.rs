//! CSV files: types learned from all rows, so that decimals stay exact and no late row is a surprise; then batches.

use super::source::{BATCH_ROWS, VectorBatches, io_error, open};
use super::vector::{Data, Type, Vector, parse_moment};
use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_csv::reader::Format;
use arrow_schema::{DataType as ArrowType, Field, Schema};
use facetta_model::{Context, Result, Strings, bail, error};
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

/// Decimals of at most so many digits are kept exactly.
const MAX_DIGITS: usize = 38;
const MAX_SCALE: usize = 18;

/// What a whole CSV file says of itself. The first line has the names; fields are separated by commas.
#[derive(Clone)]
pub(crate) struct CsvShape {
    pub(crate) columns: Vec<CsvColumn>,
    pub(crate) rows: u64,
}

/// A column of a CSV file.
#[derive(Clone)]
pub(crate) struct CsvColumn {
    pub(crate) name: String,
    pub(crate) ty: Type,
}

/// What all values of a column so far have been.
#[derive(Clone, Copy, Default)]
struct Seen {
    any: bool,
    not_whole: bool,
    not_decimal: bool,
    not_double: bool,
    not_boolean: bool,
    not_date: bool,
    not_moment: bool,
    scale: usize,
    digits: usize,
}

impl Seen {
    fn value(&mut self, text: &str) {
        self.any = true;
        if !(self.not_whole && self.not_decimal) {
            match digits(text) {
                Some((whole, part)) => {
                    self.scale = self.scale.max(part);
                    self.digits = self.digits.max(whole);
                    self.not_whole |= part > 0 || whole > 18;
                    self.not_decimal |= part > MAX_SCALE || self.digits + self.scale > MAX_DIGITS;
                }
                None => (self.not_whole, self.not_decimal) = (true, true),
            }
        }
        // `007` is a code, not a number: as a number it would lose its zeros.
        let is_code = text.len() > 1 && text.starts_with('0') && text.as_bytes()[1].is_ascii_digit();
        self.not_whole |= is_code;
        self.not_decimal |= is_code;
        self.not_double |= is_code || text.parse::<f64>().is_err();
        self.not_boolean |= !(text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false"));
        if !self.not_moment {
            self.not_moment = parse_moment(text, false).is_none();
            self.not_date |= text.len() > 10;
        }
    }

    fn ty(&self) -> Type {
        match () {
            () if !self.any => Type::Text,
            () if !self.not_whole => Type::Int,
            () if !self.not_decimal => Type::Decimal(self.scale as u8),
            () if !self.not_double => Type::Double,
            () if !self.not_boolean => Type::Boolean,
            () if !self.not_moment && !self.not_date => Type::Day,
            () if !self.not_moment => Type::Moment,
            () => Type::Text,
        }
    }
}

/// Digits before and behind the point of a plain number.
fn digits(text: &str) -> Option<(usize, usize)> {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let all = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    (all(whole) && all(part) && !(whole.is_empty() && part.is_empty())).then_some((whole.len(), part.len()))
}

impl CsvShape {
    /// Reads the whole file once.
    pub(crate) fn read(path: &Path, context: &Context) -> Result<CsvShape> {
        let header = Format::default().with_header(true);
        let (schema, _) = header.infer_schema(BufReader::new(open(path)?), Some(1)).map_err(|e| io_error(path, e))?;
        let names: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
        let mut seen = vec![Seen::default(); names.len()];
        let mut rows = 0;
        let every: Vec<usize> = (0..names.len()).collect();
        for batch in texts(path, &names, &every)? {
            let batch = batch.map_err(|e| io_error(path, e))?;
            rows += batch.num_rows() as u64;
            for (column, seen) in batch.columns().iter().zip(&mut seen) {
                context.check()?;
                let column = column.as_string::<i32>();
                column.iter().flatten().for_each(|text| seen.value(text));
            }
        }
        let columns = names.into_iter().zip(seen).map(|(name, seen)| CsvColumn { name, ty: seen.ty() });
        Ok(CsvShape { columns: columns.collect(), rows })
    }

    /// The columns at `wanted`, batch by batch. An empty field is null.
    pub(crate) fn batches<'s>(
        &'s self,
        path: &'s Path,
        wanted: Arc<[usize]>,
        context: &'s Context,
    ) -> Result<VectorBatches<'s>> {
        let names: Vec<String> = self.columns.iter().map(|c| c.name.clone()).collect();
        Ok(Box::new(texts(path, &names, &wanted)?.map(move |batch| {
            let batch = batch.map_err(|e| io_error(path, e))?;
            let columns = wanted.iter().zip(batch.columns());
            let vectors = columns.map(|(&at, column)| {
                context.check()?;
                let column = column.as_string::<i32>();
                vector(column, self.columns[at].ty).map_err(|e| {
                    error!(Definition, "'{}', column '{}': {}", path.display(), self.columns[at].name, e.message())
                })
            });
            vectors.collect()
        })))
    }
}

type Texts = arrow_csv::Reader<std::fs::File>;

/// The fields of the file as text.
fn texts(path: &Path, names: &[String], wanted: &[usize]) -> Result<Texts> {
    let fields: Vec<Field> = names.iter().map(|n| Field::new(n, ArrowType::Utf8, true)).collect();
    let builder = arrow_csv::ReaderBuilder::new(Arc::new(Schema::new(fields)))
        .with_header(true)
        .with_batch_size(BATCH_ROWS / 4)
        .with_projection(wanted.to_vec());
    builder.build(open(path)?).map_err(|e| io_error(path, e))
}

fn vector(column: &arrow_array::StringArray, ty: Type) -> Result<Vector> {
    let nulls = column.nulls().map(|n| n.iter().map(|valid| !valid).collect());
    fn all<T: Default>(column: &arrow_array::StringArray, parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>> {
        let value = |text: Option<&str>| match text {
            None => Ok(T::default()),
            // The file changed after its types were learned.
            Some(text) => parse(text).ok_or_else(|| error!(Definition, "the value '{text}' does not fit its column")),
        };
        column.iter().map(value).collect()
    }
    let data = match ty {
        Type::Int => Data::Int(all(column, |t| t.strip_prefix('+').unwrap_or(t).parse().ok())?),
        Type::Decimal(scale) => Data::Decimal { units: all(column, |t| decimal(t, scale))?, scale },
        Type::Double => Data::Double(all(column, |t| t.parse().ok())?),
        Type::Boolean => Data::Boolean(all(column, |t| Some(t.eq_ignore_ascii_case("true")))?),
        Type::Day | Type::Moment => {
            let days = ty == Type::Day;
            Data::Date { micros: all(column, |t| parse_moment(t, days))?, days }
        }
        Type::Text => Data::Text(column.iter().map(|t| t.unwrap_or("")).collect::<Strings>()),
        Type::Null => bail!(Internal, "a column of a CSV file has no type"),
    };
    Ok(Vector::new(data, nulls))
}

/// The units of a plain number at `scale`.
fn decimal(text: &str, scale: u8) -> Option<i128> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let mut units: i128 = match whole.trim_start_matches('+') {
        "" | "-" => 0,
        whole => whole.parse().ok()?,
    };
    let negative = text.starts_with('-');
    for at in 0..usize::from(scale) {
        let digit = i128::from(part.as_bytes().get(at).map_or(0, |b| b - b'0'));
        units = units.checked_mul(10)?.checked_add(if negative { -digit } else { digit })?;
    }
    Some(units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_learned_from_all_values() {
        let table: &[(&[&str], Type)] = &[
            (&["1", "-2"], Type::Int),
            (&["1", "2.25", "3.5"], Type::Decimal(2)),
            (&["1", "1e5"], Type::Double),
            (&["007", "12"], Type::Text),
            (&["true", "FALSE"], Type::Boolean),
            (&["1997-01-01"], Type::Day),
            (&["1997-01-01", "1997-01-01T10:00:00"], Type::Moment),
            (&["1", "x"], Type::Text),
            (&["0.5", "-0.25"], Type::Decimal(2)),
            (&[], Type::Text),
        ];
        for (values, ty) in table {
            let mut seen = Seen::default();
            values.iter().for_each(|v| seen.value(v));
            assert_eq!(seen.ty(), *ty, "{values:?}");
        }
    }

    #[test]
    fn decimals_are_exact() {
        for (text, units) in [("1.5", 150), ("-0.25", -25), ("+3", 300), (".5", 50), ("-12.3", -1230)] {
            assert_eq!(decimal(text, 2), Some(units), "{text}");
        }
    }
}
