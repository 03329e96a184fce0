//! CAST(expression AS type).

use super::arguments::{parse_number, to_number};
use facetta_model::{Error, ErrorKind, Result, Value};

/// A type that CAST converts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CastType {
    /// A whole number.
    Integer,
    /// A number.
    Numeric,
    /// True or false.
    Boolean,
    /// Text.
    String,
}

impl CastType {
    /// The type with a name, in any letter case.
    ///
    /// # Errors
    /// `Type` when there is none; the message names those there are.
    pub fn parse(name: &str) -> Result<CastType> {
        match name.to_ascii_uppercase().as_str() {
            "INTEGER" => Ok(CastType::Integer),
            "NUMERIC" | "DECIMAL" => Ok(CastType::Numeric),
            "BOOLEAN" => Ok(CastType::Boolean),
            "STRING" => Ok(CastType::String),
            _ => {
                let message = format!("Unknown type '{name}'; values are NUMERIC, STRING, BOOLEAN, INTEGER, DECIMAL");
                Err(Error::new(ErrorKind::Type, message))
            }
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            CastType::Integer => "INTEGER",
            CastType::Numeric => "NUMERIC",
            CastType::Boolean => "BOOLEAN",
            CastType::String => "STRING",
        }
    }
}

/// Converts a value. Null stays null; a fraction is cut off for INTEGER; a text is true when it is `true` in any case,
/// and a number when it is not 0.
///
/// # Errors
/// `Type` when the value cannot be converted; the error itself when the value is one.
pub fn cast(value: &Value, to: CastType) -> Result<Value> {
    let fails = || {
        let message = format!("cannot convert value '{value}' to {}", to.name());
        Error::new(ErrorKind::Type, message)
    };
    match (to, value) {
        (_, Value::Error(error)) => Err(error.clone()),
        (_, Value::Empty)
        | (CastType::Integer, Value::Int(_))
        | (CastType::Numeric, Value::Int(_) | Value::Double(_) | Value::Currency(_))
        | (CastType::Boolean, Value::Boolean(_))
        | (CastType::String, Value::Str(_)) => Ok(value.clone()),
        (CastType::String, other) => Ok(other.to_string().into()),
        (CastType::Boolean, Value::Str(text)) => Ok(match parse_number(text) {
            Some(number) => number != 0.0,
            None => text.trim().eq_ignore_ascii_case("true"),
        }
        .into()),
        (CastType::Boolean, other) => Ok((to_number(other).ok_or_else(fails)? != 0.0).into()),
        (CastType::Numeric, other) => Ok(to_number(other).ok_or_else(fails)?.into()),
        (CastType::Integer, other) => {
            let number = to_number(other).ok_or_else(fails)?.trunc();
            super::arguments::to_integer(number).map(Value::Int).ok_or_else(fails)
        }
    }
}
