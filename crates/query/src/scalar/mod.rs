//! Scalar functions: the Visual Basic and Excel libraries of MDX, as pure functions of values.
//!
//! Each function is a row of its family's table. A row says what the resolver, MDSCHEMA_FUNCTIONS and the evaluator
//! need: name, parameters, result, a sentence, and the function itself. Functions that take sets or members, or that
//! evaluate only some of their arguments (IIf, CoalesceEmpty, CASE), are the evaluator's and not here.
//!
//! Rules that hold for every row:
//! - A null argument makes the result null, unless the row is null-aware (`Len`, `IsNull`, `Format`, …).
//! - An error as an argument is the result, except for `IsError`.
//! - Arguments are converted to the kind of their parameter as Visual Basic does: numbers from texts that look like
//!   numbers, whole numbers by rounding half to even, dates from texts and serial numbers.
//! - Where Mondrian's function of the same name differs from the documentation of Visual Basic or Excel (DDB, SYD,
//!   DateDiff, Atan2, Round of ties), the documentation holds.

mod arguments;
pub mod cast;
mod excel;
mod pattern;
pub mod statistics;
#[cfg(test)]
mod tests;
mod vba_convert;
mod vba_date;
mod vba_finance;
mod vba_format;
mod vba_math;
mod vba_string;

pub use arguments::Call;
pub use pattern::Pattern;

use crate::format::Locale;
use facetta_model::{Error, ErrorKind, Result, Value};
use jiff::civil::DateTime;
use std::sync::atomic::AtomicU32;

/// One overload of a scalar function.
#[derive(Debug)]
pub struct ScalarFunction {
    /// Its name; it is found in any letter case.
    pub name: &'static str,
    /// The library that it comes from.
    pub library: Library,
    /// Its parameters, the optional ones last.
    pub parameters: &'static [Parameter],
    /// What it answers.
    pub returns: ScalarKind,
    /// What it does, in a sentence.
    pub doc: &'static str,
    /// Whether equal arguments always give equal results.
    pub deterministic: bool,
    /// Whether it sees null arguments instead of answering null.
    pub null_aware: bool,
    run: fn(&Call<'_>) -> Result<Value>,
}

/// Where a function comes from; a statement may say so: `VBA!Left(…)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// Visual Basic for Applications.
    Vba,
    /// Excel's worksheet functions.
    Excel,
}

impl Library {
    /// The name before the exclamation mark.
    pub const fn name(self) -> &'static str {
        match self {
            Library::Vba => "VBA",
            Library::Excel => "Excel",
        }
    }
}

/// A parameter of a scalar function.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name in the documentation.
    pub name: &'static str,
    /// What it takes.
    pub kind: ScalarKind,
    /// Whether it may be left out.
    pub optional: bool,
}

/// What a parameter takes or a function answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScalarKind {
    /// A number.
    Numeric,
    /// A whole number.
    Integer,
    /// Text.
    String,
    /// A date, a time, or both.
    Date,
    /// True or false.
    Boolean,
    /// Any scalar value.
    Any,
    /// A series of numbers (`SetToArray`); passed beside the other arguments, see [`ScalarFunction::call_with_series`].
    Series,
}

impl ScalarKind {
    /// Its DBTYPE, as MDSCHEMA_FUNCTIONS tells it.
    pub const fn dbtype(self) -> u16 {
        match self {
            ScalarKind::Integer => 2,
            ScalarKind::Numeric => 5,
            ScalarKind::Date => 7,
            ScalarKind::String => 8,
            ScalarKind::Boolean => 11,
            ScalarKind::Any => 12,
            ScalarKind::Series => 0x2005,
        }
    }

    /// What parameters of this kind are called in signatures.
    pub const fn description(self) -> &'static str {
        match self {
            ScalarKind::Integer => "Integer",
            ScalarKind::Numeric => "Numeric Expression",
            ScalarKind::Date => "DateTime",
            ScalarKind::String => "String",
            ScalarKind::Boolean => "Logical Expression",
            ScalarKind::Any => "Value",
            ScalarKind::Series => "Array",
        }
    }
}

/// What functions may know besides their arguments. One lives as long as a statement, so that `Now` is the same in
/// every cell of it.
#[derive(Debug)]
pub struct ScalarContext {
    /// What `Now`, `Date`, `Time` and `Timer` answer.
    pub now: DateTime,
    /// What names, separators and currency belong to.
    pub locale: &'static Locale,
    random: AtomicU32,
}

impl ScalarContext {
    /// A context whose clock stands at `now`. `Rnd` starts anew, as it does in each run of a Visual Basic program.
    pub fn new(now: DateTime, locale: &'static Locale) -> Self {
        Self { now, locale, random: AtomicU32::new(vba_math::FIRST_SEED) }
    }
}

/// The families, each a table.
static FAMILIES: &[&[ScalarFunction]] = &[
    vba_math::FUNCTIONS,
    vba_string::FUNCTIONS,
    vba_format::FUNCTIONS,
    vba_date::FUNCTIONS,
    vba_convert::FUNCTIONS,
    vba_finance::FUNCTIONS,
    excel::FUNCTIONS,
];

/// Every function.
pub fn all() -> impl Iterator<Item = &'static ScalarFunction> {
    FAMILIES.iter().copied().flatten()
}

/// The overloads of a name, in any letter case.
pub fn overloads(name: &str) -> impl Iterator<Item = &'static ScalarFunction> {
    all().filter(move |function| function.name.eq_ignore_ascii_case(name))
}

/// The overload of a name that takes so many arguments (a series counts as one).
pub fn find(name: &str, arguments: usize) -> Option<&'static ScalarFunction> {
    overloads(name).find(|function| function.takes(arguments))
}

impl ScalarFunction {
    /// Whether it can be called with so many arguments.
    pub fn takes(&self, arguments: usize) -> bool {
        let required = self.parameters.iter().filter(|parameter| !parameter.optional).count();
        (required..=self.parameters.len()).contains(&arguments)
    }

    /// Calls it.
    ///
    /// # Errors
    /// `Type` when an argument cannot be what its parameter takes, or their number is wrong; `Invalid` when the
    /// arguments have no result.
    pub fn call(&self, context: &ScalarContext, values: &[Value]) -> Result<Value> {
        self.call_with_series(context, values, &[])
    }

    /// Calls it with the numbers of its `Series` parameter; `values` are the other arguments, in order.
    ///
    /// # Errors
    /// As [`ScalarFunction::call`].
    pub fn call_with_series(&self, context: &ScalarContext, values: &[Value], series: &[f64]) -> Result<Value> {
        let has_series = self.parameters.iter().any(|parameter| parameter.kind == ScalarKind::Series);
        if !self.takes(values.len() + usize::from(has_series)) {
            let message = format!("'{}' does not take {} arguments", self.name, values.len());
            return Err(Error::new(ErrorKind::Type, message));
        }
        if self.name != "IsError" {
            for value in values {
                match value {
                    Value::Error(error) => return Err(error.clone()),
                    Value::Empty if !self.null_aware => return Ok(Value::Empty),
                    _ => {}
                }
            }
        }
        (self.run)(&Call { function: self, context, values, series })
    }

    const fn new(
        library: Library,
        name: &'static str,
        parameters: &'static [Parameter],
        returns: ScalarKind,
        run: fn(&Call<'_>) -> Result<Value>,
        doc: &'static str,
    ) -> Self {
        Self { name, library, parameters, returns, doc, deterministic: true, null_aware: false, run }
    }

    const fn volatile(self) -> Self {
        Self { deterministic: false, ..self }
    }

    const fn sees_null(self) -> Self {
        Self { null_aware: true, ..self }
    }
}

/// A function of Visual Basic, as a row of a table.
const fn vba(
    name: &'static str,
    parameters: &'static [Parameter],
    returns: ScalarKind,
    run: fn(&Call<'_>) -> Result<Value>,
    doc: &'static str,
) -> ScalarFunction {
    ScalarFunction::new(Library::Vba, name, parameters, returns, run, doc)
}

/// A parameter that must be given.
const fn need(name: &'static str, kind: ScalarKind) -> Parameter {
    Parameter { name, kind, optional: false }
}

/// A parameter that may be left out.
const fn may(name: &'static str, kind: ScalarKind) -> Parameter {
    Parameter { name, kind, optional: true }
}
