//! A value dealt out to leaf cells in equal parts, to the last digit.

use facetta_model::{Result, Value, bail};

/// The units of 10^-scale that are nearest to a number.
pub(super) fn units(value: &Value, scale: u8) -> Result<i128> {
    let text = match value {
        Value::Int(i) => i.to_string(),
        Value::Double(d) if d.is_finite() => d.to_string(),
        Value::Currency(c) => {
            return rescale(i128::from(c.0), 4, scale);
        }
        other => bail!(NotWritable, "a cell cannot be set to '{other}'"),
    };
    // The shortest text that tells a double is what was typed.
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    match format!("{whole}{part}").parse::<i128>() {
        Ok(digits) if part.len() <= 30 => rescale(digits, part.len() as u8, scale),
        Ok(_) => Ok(0),
        Err(_) => bail!(NotWritable, "the value is too large for a cell"),
    }
}

/// Units of one scale at another, rounded half away from zero.
pub(super) fn rescale(units: i128, from: u8, to: u8) -> Result<i128> {
    let power = 10i128.pow(u32::from(from.abs_diff(to)));
    if from <= to {
        return match units.checked_mul(power) {
            Some(units) => Ok(units),
            None => bail!(NotWritable, "the value is too large for a cell"),
        };
    }
    let rest = units % power;
    let away = i128::from(rest * 2 >= power) - i128::from(rest * 2 <= -power);
    Ok(units / power + away)
}

/// Equal parts of `total`; the first ones have a unit more where it does not divide.
pub(super) fn equal_units(total: i128, parts: usize) -> impl Iterator<Item = i128> {
    let count = parts.max(1) as i128;
    let (share, rest) = (total.div_euclid(count), total.rem_euclid(count));
    (0..parts as i128).map(move |i| share + i128::from(i < rest))
}

/// Equal parts of a double; the first takes what rounding leaves.
pub(super) fn equal_doubles(total: f64, parts: usize) -> impl Iterator<Item = f64> {
    let share = total / parts.max(1) as f64;
    let first = total - share * parts.saturating_sub(1) as f64;
    (0..parts).map(move |i| if i == 0 { first } else { share })
}

#[cfg(test)]
mod tests {
    use super::*;
    use facetta_model::Currency;

    #[test]
    fn the_typed_value_is_met_to_the_last_digit() {
        for (total, parts) in [(100, 3), (-100, 3), (1, 4), (0, 2), (-1, 1), (7, 7)] {
            let shares: Vec<i128> = equal_units(total, parts).collect();
            assert_eq!(shares.iter().sum::<i128>(), total);
            assert_eq!(shares.len(), parts);
            assert!(shares.windows(2).all(|w| w[0] >= w[1] && w[0] - w[1] <= 1), "{shares:?}");
        }
        assert_eq!(equal_doubles(1.0, 4).sum::<f64>(), 1.0);
    }

    #[test]
    fn values_become_units() {
        let table = [
            (Value::Int(12), 2, 1200),
            (Value::Double(0.1), 4, 1000),
            (Value::Double(1234567.8901), 4, 12345678901),
            (Value::Double(-0.00005), 4, -1),
            (Value::Double(2.5), 0, 3),
            (Value::Currency(Currency(15_000)), 2, 150),
            (Value::Double(1e15), 2, 100_000_000_000_000_000),
        ];
        for (value, scale, expected) in table {
            assert_eq!(units(&value, scale).unwrap(), expected, "{value:?}");
        }
        assert!(units(&Value::Double(f64::NAN), 0).is_err());
        assert!(units(&Value::str("x"), 0).is_err());
    }
}
