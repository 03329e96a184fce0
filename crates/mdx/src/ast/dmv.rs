//! The syntax tree of a DMV query: a SELECT over schema rowsets (spec/dmv.md).

use crate::ast::Name;
use facetta_model::Span;

/// `SELECT [DISTINCT] [TOP n] items FROM source [JOIN …] [WHERE …] [GROUP BY …] [ORDER BY …]`.
#[derive(Clone, Debug, PartialEq)]
pub struct DmvSelect {
    /// Whether `DISTINCT` is written.
    pub distinct: bool,
    /// Rows at most, where `TOP` is written.
    pub top: Option<u64>,
    /// What is selected, in order; empty for `*`.
    pub items: Vec<DmvItem>,
    /// The first rowset.
    pub source: DmvSource,
    /// Rowsets joined to it, in order.
    pub joins: Vec<DmvJoin>,
    /// After `WHERE`.
    pub filter: Option<DmvExpression>,
    /// After `GROUP BY`, in order.
    pub group_by: Vec<DmvColumn>,
    /// After `ORDER BY`, in order.
    pub order_by: Vec<DmvOrder>,
}

/// One item of the select list.
#[derive(Clone, Debug, PartialEq)]
pub struct DmvItem {
    /// A column or an aggregate.
    pub expression: DmvExpression,
    /// After `AS`.
    pub alias: Option<Name>,
}

/// A rowset to read.
#[derive(Clone, Debug, PartialEq)]
pub struct DmvSource {
    /// Its name, without `$SYSTEM.`.
    pub rowset: Name,
    /// The restrictions of `SYSTEMRESTRICTSCHEMA`, in order; empty without.
    pub restrictions: Vec<DmvRestriction>,
    /// The name under which columns may be qualified.
    pub alias: Option<Name>,
    /// Where it stands.
    pub span: Span,
}

/// `name = value` in SYSTEMRESTRICTSCHEMA.
#[derive(Clone, Debug, PartialEq)]
pub struct DmvRestriction {
    /// The restriction's name.
    pub name: Name,
    /// A literal or parameter.
    pub value: DmvExpression,
}

/// `[INNER|LEFT [OUTER]] JOIN source ON condition`.
#[derive(Clone, Debug, PartialEq)]
pub struct DmvJoin {
    /// Whether rows without a partner stay (`LEFT`).
    pub left: bool,
    /// The rowset.
    pub source: DmvSource,
    /// After `ON`.
    pub condition: DmvExpression,
}

/// A column, perhaps with the rowset's name or alias before it.
#[derive(Clone, Debug, PartialEq)]
pub struct DmvColumn {
    /// The rowset's name or alias.
    pub table: Option<Name>,
    /// The column's name.
    pub name: Name,
}

impl DmvColumn {
    /// Where it stands.
    pub fn span(&self) -> Span {
        self.table.as_ref().map_or(self.name.span, |t| t.span.to(self.name.span))
    }
}

/// One key of ORDER BY.
#[derive(Clone, Debug, PartialEq)]
pub struct DmvOrder {
    /// A column, an alias or an aggregate.
    pub expression: DmvExpression,
    /// Whether `DESC` is written.
    pub descending: bool,
}

/// A value or condition of a DMV query.
#[derive(Clone, Debug, PartialEq)]
pub struct DmvExpression {
    /// What it is.
    pub kind: DmvExpressionKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of value and condition.
#[derive(Clone, Debug, PartialEq)]
pub enum DmvExpressionKind {
    /// A column; as a condition it must be boolean. The bare words `TRUE` and `FALSE` are [`DmvExpressionKind::Boolean`].
    Column(DmvColumn),
    /// `NULL`.
    Null,
    /// `TRUE`, `FALSE`.
    Boolean(bool),
    /// A whole number that fits, with its sign.
    Int(i64),
    /// Any other number, with its sign.
    Double(f64),
    /// A text.
    String(Box<str>),
    /// `@name`.
    Parameter(Box<str>),
    /// An aggregate.
    Aggregate(Box<DmvAggregate>),
    /// All of them hold; two or more.
    And(Vec<DmvExpression>),
    /// One of them holds; two or more.
    Or(Vec<DmvExpression>),
    /// It does not hold.
    Not(Box<DmvExpression>),
    /// A comparison.
    Compare(Box<DmvComparison>),
    /// `operand [NOT] LIKE pattern`.
    Like(Box<DmvLike>),
    /// `operand [NOT] IN (values)`.
    In(Box<DmvIn>),
    /// `operand IS [NOT] NULL`.
    IsNull(Box<DmvIsNull>),
}

/// `left operator right`.
#[derive(Clone, Debug, PartialEq)]
pub struct DmvComparison {
    /// To the left.
    pub left: DmvExpression,
    /// The operator.
    pub operator: DmvOperator,
    /// To the right.
    pub right: DmvExpression,
}

/// `operand [NOT] LIKE pattern`.
#[derive(Clone, Debug, PartialEq)]
pub struct DmvLike {
    /// What is matched.
    pub operand: DmvExpression,
    /// `%` for any text, `_` for one character.
    pub pattern: DmvExpression,
    /// Whether `NOT` is written.
    pub negated: bool,
}

/// `operand [NOT] IN (values)`.
#[derive(Clone, Debug, PartialEq)]
pub struct DmvIn {
    /// What is looked for.
    pub operand: DmvExpression,
    /// Literals and parameters; never empty.
    pub values: Vec<DmvExpression>,
    /// Whether `NOT` is written.
    pub negated: bool,
}

/// `operand IS [NOT] NULL`.
#[derive(Clone, Debug, PartialEq)]
pub struct DmvIsNull {
    /// What is tested.
    pub operand: DmvExpression,
    /// Whether `NOT` is written.
    pub negated: bool,
}

/// `function([DISTINCT] argument)`, or `COUNT(*)`.
#[derive(Clone, Debug, PartialEq)]
pub struct DmvAggregate {
    /// The function.
    pub function: DmvFunction,
    /// Whether `DISTINCT` is written.
    pub distinct: bool,
    /// The column; `None` for `*`.
    pub argument: Option<DmvColumn>,
}

words! {
    /// A comparison operator.
    DmvOperator {
        /// Equal.
        Equal = "=";
        /// Not equal.
        NotEqual = "<>";
        /// Less.
        Less = "<";
        /// Less or equal.
        LessOrEqual = "<=";
        /// Greater.
        Greater = ">";
        /// Greater or equal.
        GreaterOrEqual = ">=";
    }
}

words! {
    /// An aggregate function.
    DmvFunction {
        /// How many rows, or how many values that are not null.
        Count = "COUNT";
        /// Sum.
        Sum = "SUM";
        /// Least value.
        Min = "MIN";
        /// Greatest value.
        Max = "MAX";
        /// Mean.
        Avg = "AVG";
    }
}
