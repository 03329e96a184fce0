//! Scalar expressions over the columns of a relation, and the functions that they may call.

use serde::{Deserialize, Serialize};

/// A column of a relation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ColumnRef {
    /// Table alias; none where only one table can be meant.
    pub table: Option<String>,
    /// Column name; compared without regard to case if no exact match exists.
    pub column: String,
}

/// A scalar expression over the columns of a relation: the generic SQL that schemas use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Expression {
    /// A column.
    Column(ColumnRef),
    /// A number, kept as written so that decimals stay exact.
    Number(String),
    /// Text.
    Text(String),
    /// True or false.
    Boolean(bool),
    /// NULL.
    Null,
    /// `left operator right`.
    Binary(Box<Expression>, BinaryOperator, Box<Expression>),
    /// NOT.
    Not(Box<Expression>),
    /// `-x`.
    Negate(Box<Expression>),
    /// `x IS NULL`.
    IsNull(Box<Expression>),
    /// CASE WHEN … THEN … ELSE … END; the simple form is rewritten to comparisons.
    Case {
        /// Conditions and their values.
        branches: Vec<(Expression, Expression)>,
        /// The value when no condition holds; NULL if none.
        otherwise: Option<Box<Expression>>,
    },
    /// `x IN (…)`.
    In(Box<Expression>, Vec<Expression>),
    /// `CAST(x AS type)`.
    Cast(Box<Expression>, DataType),
    /// A function by its lower-case name, one of [`FUNCTIONS`], with as many arguments as it takes.
    Call(String, Vec<Expression>),
}

impl Expression {
    /// The column of a name, whichever table it is in.
    pub fn column(name: impl Into<String>) -> Self {
        Expression::Column(ColumnRef { table: None, column: name.into() })
    }

    /// Calls `visit` for it and every expression in it, from left to right, outer before inner.
    pub fn for_each<'a>(&'a self, visit: &mut impl FnMut(&'a Expression)) {
        visit(self);
        match self {
            Expression::Column(_)
            | Expression::Number(_)
            | Expression::Text(_)
            | Expression::Boolean(_)
            | Expression::Null => {}
            Expression::Binary(left, _, right) => {
                left.for_each(visit);
                right.for_each(visit);
            }
            Expression::Not(x) | Expression::Negate(x) | Expression::IsNull(x) | Expression::Cast(x, _) => {
                x.for_each(visit);
            }
            Expression::Case { branches, otherwise } => {
                for (condition, value) in branches {
                    condition.for_each(visit);
                    value.for_each(visit);
                }
                if let Some(x) = otherwise {
                    x.for_each(visit);
                }
            }
            Expression::In(x, list) => {
                x.for_each(visit);
                list.iter().for_each(|x| x.for_each(visit));
            }
            Expression::Call(_, arguments) => arguments.iter().for_each(|x| x.for_each(visit)),
        }
    }

    /// Calls `visit` for every column in it, from left to right.
    pub fn for_each_column<'a>(&'a self, visit: &mut impl FnMut(&'a ColumnRef)) {
        self.for_each(&mut |e| {
            if let Expression::Column(column) = e {
                visit(column);
            }
        });
    }
}

/// A function that [`Expression::Call`] may name.
#[derive(Debug)]
pub struct Function {
    /// Its name, in lower case.
    pub name: &'static str,
    /// How many arguments it takes at least.
    pub minimum: usize,
    /// How many arguments it takes at most.
    pub maximum: usize,
    /// What it yields.
    pub doc: &'static str,
}

const fn row(name: &'static str, minimum: usize, maximum: usize, doc: &'static str) -> Function {
    Function { name, minimum, maximum, doc }
}

/// Every function of expressions. A NULL argument yields NULL, but for `coalesce`. Parts of a date take a date, or a
/// date with a time.
pub const FUNCTIONS: &[Function] = &[
    row("year", 1, 1, "The year of a date, such as 2024."),
    row("quarter", 1, 1, "The quarter of a date, 1 to 4."),
    row("month", 1, 1, "The month of a date, 1 to 12."),
    row("month_name", 1, 1, "The English name of the month of a date, such as January."),
    row("week", 1, 1, "The ISO 8601 week of a date, 1 to 53."),
    row("day", 1, 1, "The day of the month of a date, 1 to 31."),
    row("weekday", 1, 1, "The ISO 8601 weekday of a date, 1 for Monday to 7 for Sunday."),
    row("weekday_name", 1, 1, "The English name of the weekday of a date, such as Monday."),
    row("date", 1, 1, "The day of a date with a time."),
    row("lower", 1, 1, "The text in lower case."),
    row("upper", 1, 1, "The text in upper case."),
    row("trim", 1, 1, "The text without spaces at both ends."),
    row("length", 1, 1, "The number of characters of the text."),
    row("substring", 2, 3, "The characters of a text from a position (from 1) on; the third argument is how many."),
    row("concat", 1, usize::MAX, "The texts of all arguments, one after the other."),
    row("coalesce", 1, usize::MAX, "The first argument that is not NULL."),
    row("nullif", 2, 2, "NULL if both arguments are equal, else the first."),
    row("abs", 1, 1, "The number without its sign."),
    row(
        "round",
        1,
        2,
        "The number rounded half away from zero to as many decimals as the second argument says, else to none.",
    ),
    row("floor", 1, 1, "The largest whole number that is not larger."),
    row("ceiling", 1, 1, "The smallest whole number that is not smaller."),
];

/// The function of a name, without regard to case.
pub fn function(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|f| f.name.eq_ignore_ascii_case(name))
}

/// Operators of [`Expression::Binary`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum BinaryOperator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Concat,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
}

/// The type of a column, key, property or measure as the definition wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DataType {
    /// Text.
    String,
    /// Whole numbers.
    Integer,
    /// Any numbers: whole or decimal ones stay exact, others are doubles.
    Numeric,
    /// True or false.
    Boolean,
    /// A day.
    Date,
    /// A day and a time.
    DateTime,
    /// Whatever the column or expression has.
    Native,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_have_unique_names_and_sensible_arity() {
        for (i, f) in FUNCTIONS.iter().enumerate() {
            assert!(f.minimum <= f.maximum && !f.doc.is_empty(), "{}", f.name);
            assert_eq!(FUNCTIONS.iter().position(|g| g.name == f.name), Some(i), "{} stands twice", f.name);
            assert_eq!(f.name, f.name.to_lowercase());
        }
    }
}
