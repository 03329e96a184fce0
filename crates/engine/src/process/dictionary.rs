//! Distinct values numbered from 0: keys of levels, primary keys, join keys, values counted once.

use super::vector::{Data, Type, Vector, decimal_to_f64, power_of_ten};
use facetta_model::definition::DataType;
use facetta_model::{Context, Result, bail};
use rustc_hash::FxHashMap;
use std::borrow::Cow;

/// The number of a value that is null or unknown.
pub(crate) const NONE: u32 = u32::MAX;

/// A direct table is kept where the integers are at most this many times as many as the values.
const SPARSENESS: u64 = 8;

/// Distinct values of one class, numbered in the order in which they came.
#[derive(Debug)]
pub(crate) struct Dictionary {
    keys: Keys,
    count: u32,
}

#[derive(Debug)]
enum Keys {
    /// Whole numbers, booleans (0, 1), dates (microseconds) and the bits of doubles, by class.
    Int {
        class: Class,
        map: FxHashMap<i64, u32>,
        direct: Option<Direct>,
    },
    /// Decimals, brought to one scale.
    Decimal {
        scale: u8,
        map: FxHashMap<i128, u32>,
    },
    Text(FxHashMap<Box<str>, u32>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Int,
    Double,
    Boolean,
    Date,
}

/// Numbers of integers by position, where they lie close together.
#[derive(Debug)]
struct Direct {
    first: i64,
    numbers: Vec<u32>,
}

impl Dictionary {
    /// An empty dictionary for values of a type.
    pub(crate) fn new(ty: Type) -> Dictionary {
        let int = |class| Keys::Int { class, map: FxHashMap::default(), direct: None };
        let keys = match ty {
            Type::Int => int(Class::Int),
            Type::Double => int(Class::Double),
            Type::Boolean => int(Class::Boolean),
            Type::Day | Type::Moment => int(Class::Date),
            Type::Decimal(scale) => Keys::Decimal { scale, map: FxHashMap::default() },
            Type::Text | Type::Null => Keys::Text(FxHashMap::default()),
        };
        Dictionary { keys, count: 0 }
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.count as usize
    }

    /// The number of each value of `vector`, new ones added; [`NONE`] for nulls.
    pub(crate) fn encode(&mut self, vector: &Vector, context: &Context) -> Result<Vec<u32>> {
        let vector = self.fit(vector)?;
        let count = &mut self.count;
        let mut number = |slot: &mut u32| {
            if *slot == NONE {
                *slot = *count;
                *count += 1;
            }
            *slot
        };
        let numbers = match &mut self.keys {
            Keys::Int { map, direct, .. } => {
                *direct = None;
                let keys = int_keys(&vector);
                each(&vector, context, |i| number(map.entry(keys[i]).or_insert(NONE)))?
            }
            Keys::Decimal { map, .. } => match &vector.data {
                Data::Decimal { units, .. } => each(&vector, context, |i| number(map.entry(units[i]).or_insert(NONE)))?,
                _ => vec![NONE; vector.len()],
            },
            Keys::Text(map) => match &vector.data {
                Data::Text(texts) => each(&vector, context, |i| {
                    let text = texts.get(i);
                    match map.get(text) {
                        Some(&known) => known,
                        None => number(map.entry(text.into()).or_insert(NONE)),
                    }
                })?,
                _ => vec![NONE; vector.len()],
            },
        };
        if self.count >= NONE - 1 {
            bail!(Definition, "a column has more than {} different values", NONE - 2);
        }
        Ok(numbers)
    }

    /// Prepares for many calls of [`Dictionary::find`].
    pub(crate) fn freeze(&mut self) {
        let Keys::Int { map, direct, .. } = &mut self.keys else { return };
        let (Some(&first), Some(&last)) = (map.keys().min(), map.keys().max()) else { return };
        let span = last.abs_diff(first);
        if span < SPARSENESS * map.len() as u64 + 1024 {
            let mut numbers = vec![NONE; span as usize + 1];
            map.iter().for_each(|(k, &n)| numbers[k.abs_diff(first) as usize] = n);
            *direct = Some(Direct { first, numbers });
        }
    }

    /// The number of each value of `vector`; [`NONE`] for nulls and for what is not here.
    pub(crate) fn find(&self, vector: &Vector, context: &Context) -> Result<Vec<u32>> {
        let vector = self.fit(vector)?;
        match (&self.keys, &vector.data) {
            (Keys::Int { direct: Some(direct), .. }, _) => {
                let keys = int_keys(&vector);
                each(&vector, context, |i| {
                    let at = keys[i].wrapping_sub(direct.first) as u64;
                    usize::try_from(at).ok().and_then(|at| direct.numbers.get(at)).copied().unwrap_or(NONE)
                })
            }
            (Keys::Int { map, .. }, _) => {
                let keys = int_keys(&vector);
                each(&vector, context, |i| map.get(&keys[i]).copied().unwrap_or(NONE))
            }
            (Keys::Decimal { map, .. }, Data::Decimal { units, .. }) => {
                each(&vector, context, |i| map.get(&units[i]).copied().unwrap_or(NONE))
            }
            (Keys::Text(map), Data::Text(texts)) => {
                each(&vector, context, |i| map.get(texts.get(i)).copied().unwrap_or(NONE))
            }
            _ => Ok(vec![NONE; vector.len()]),
        }
    }

    /// `vector` as values of this dictionary's class.
    fn fit<'a>(&self, vector: &'a Vector) -> Result<Cow<'a, Vector>> {
        let ty = vector.ty();
        let fitted = match &self.keys {
            _ if ty == Type::Null => Cow::Borrowed(vector),
            Keys::Int { class: Class::Int, .. } => vector.convert(DataType::Integer)?,
            Keys::Int { class: Class::Boolean, .. } => vector.convert(DataType::Boolean)?,
            Keys::Int { class: Class::Date, .. } if matches!(ty, Type::Day | Type::Moment) => Cow::Borrowed(vector),
            Keys::Int { class: Class::Date, .. } if ty == Type::Text => vector.convert(DataType::DateTime)?,
            Keys::Int { class: Class::Date, .. } => bail!(Definition, "a {} is compared with a date", ty.name()),
            Keys::Int { class: Class::Double, .. } => to_double(vector)?,
            Keys::Text(_) => vector.convert(DataType::String)?,
            Keys::Decimal { scale, .. } => to_scale(vector, *scale)?,
        };
        Ok(fitted)
    }
}

/// Applies `number` to each position that is not null, polling the context.
fn each(vector: &Vector, context: &Context, mut number: impl FnMut(usize) -> u32) -> Result<Vec<u32>> {
    let mut numbers = Vec::with_capacity(vector.len());
    let mut step = 0;
    for i in 0..vector.len() {
        context.check_every(&mut step)?;
        numbers.push(if vector.is_null(i) { NONE } else { number(i) });
    }
    Ok(numbers)
}

fn int_keys(vector: &Vector) -> Cow<'_, [i64]> {
    match &vector.data {
        Data::Int(v) => Cow::Borrowed(v),
        Data::Date { micros, .. } => Cow::Borrowed(micros),
        // Adding zero turns -0 into 0, which is the same value.
        Data::Double(v) => v.iter().map(|d| (d + 0.0).to_bits() as i64).collect(),
        Data::Boolean(v) => v.iter().map(|&b| i64::from(b)).collect(),
        Data::Null(_) | Data::Decimal { .. } | Data::Text(_) => Cow::Owned(vec![0; vector.len()]),
    }
}

fn to_double(vector: &Vector) -> Result<Cow<'_, Vector>> {
    let values = match &vector.data {
        Data::Double(_) => return Ok(Cow::Borrowed(vector)),
        Data::Int(v) => v.iter().map(|&i| i as f64).collect(),
        Data::Decimal { units, scale } => units.iter().map(|&u| decimal_to_f64(u, *scale)).collect(),
        _ => {
            let numbers = vector.convert(DataType::Numeric)?.into_owned();
            return Ok(Cow::Owned(to_double(&numbers)?.into_owned()));
        }
    };
    Ok(Cow::Owned(Vector::new(Data::Double(values), vector.nulls.clone())))
}

/// Exact numbers at another scale; a value that needs more decimals, or has too many digits, is no value of the
/// dictionary.
fn to_scale(vector: &Vector, wanted: u8) -> Result<Cow<'_, Vector>> {
    let (units, scale): (Vec<i128>, u8) = match &vector.data {
        Data::Decimal { scale, .. } if *scale == wanted => return Ok(Cow::Borrowed(vector)),
        Data::Decimal { units, scale } => (units.clone(), *scale),
        Data::Int(v) => (v.iter().map(|&i| i128::from(i)).collect(), 0),
        _ => (vector_units(vector, wanted)?, wanted),
    };
    let mut nulls = vector.nulls.clone().unwrap_or_else(|| vec![false; units.len()]);
    let mut rescaled = Vec::with_capacity(units.len());
    for (i, unit) in units.into_iter().enumerate() {
        let fitted = if scale <= wanted {
            unit.checked_mul(power_of_ten(wanted - scale))
        } else {
            let power = power_of_ten(scale - wanted);
            (unit % power == 0).then_some(unit / power)
        };
        nulls[i] |= fitted.is_none();
        rescaled.push(fitted.unwrap_or(0));
    }
    Ok(Cow::Owned(Vector::new(Data::Decimal { units: rescaled, scale: wanted }, Some(nulls))))
}

fn vector_units(vector: &Vector, scale: u8) -> Result<Vec<i128>> {
    let numbers = to_double(vector)?;
    let Data::Double(values) = &numbers.data else { return Ok(vec![0; vector.len()]) };
    Ok(values.iter().map(|d| (d * power_of_ten(scale) as f64).round() as i128).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_meet_across_types() {
        let context = Context::unlimited();
        let ints = Vector::new(Data::Int(vec![5, 7, 5]), None);
        let mut dictionary = Dictionary::new(Type::Int);
        assert_eq!(dictionary.encode(&ints, &context).unwrap(), [0, 1, 0]);
        dictionary.freeze();
        let texts = Vector::new(Data::Text(["7", "9"].into_iter().collect()), None);
        assert_eq!(dictionary.find(&texts, &context).unwrap(), [1, NONE]);
        let decimals = Vector::new(Data::Decimal { units: vec![500, 700], scale: 2 }, Some(vec![false, true]));
        assert_eq!(dictionary.find(&decimals, &context).unwrap(), [0, NONE]);
        let mut dictionary = Dictionary::new(Type::Decimal(2));
        dictionary.encode(&decimals, &context).unwrap();
        assert_eq!(dictionary.find(&ints, &context).unwrap(), [0, NONE, 0]);
    }
}
