//! The typed tree: expressions whose names are ids and whose functions are rows of the table.

use crate::functions::Function;
use facetta_model::{Error, HierarchyId, LevelId, MemberId, Property, Span, TupleSet, Value};
use std::sync::Arc;

/// What kind of thing an expression yields, without saying which hierarchy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A dimension.
    Dimension,
    /// A hierarchy.
    Hierarchy,
    /// A level.
    Level,
    /// A member.
    Member,
    /// A tuple.
    Tuple,
    /// A set.
    Set,
    /// Any number.
    Numeric,
    /// A whole number.
    Integer,
    /// A text.
    String,
    /// True or false.
    Logical,
    /// A date and time.
    DateTime,
    /// Any scalar.
    Value,
    /// A keyword such as `BASC`.
    Symbol,
    /// An argument left out.
    Missing,
    /// `NULL`.
    Null,
}

impl Kind {
    /// The name that messages and MDSCHEMA_FUNCTIONS use.
    pub fn text(self) -> &'static str {
        match self {
            Kind::Dimension => "Dimension",
            Kind::Hierarchy => "Hierarchy",
            Kind::Level => "Level",
            Kind::Member => "Member",
            Kind::Tuple => "Tuple",
            Kind::Set => "Set",
            Kind::Numeric => "Numeric Expression",
            Kind::Integer => "Integer",
            Kind::String => "String",
            Kind::Logical => "Logical Expression",
            Kind::DateTime => "DateTime",
            Kind::Value => "Value",
            Kind::Symbol => "Symbol",
            Kind::Missing => "Empty",
            Kind::Null => "Null",
        }
    }

    /// Whether it is a value rather than an object of the cube.
    pub fn is_scalar(self) -> bool {
        use Kind::*;
        matches!(self, Numeric | Integer | String | Logical | DateTime | Value | Null)
    }
}

/// The type of an expression: its kind, and the hierarchies where they are known before evaluation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Type {
    pub(crate) kind: Kind,
    /// Of a member, level, hierarchy: its hierarchy; of tuples and sets: those of each position. None: not known.
    pub(crate) hierarchies: Option<Arc<[HierarchyId]>>,
}

impl Type {
    pub(crate) fn of(kind: Kind) -> Type {
        Type { kind, hierarchies: None }
    }

    pub(crate) fn on(kind: Kind, hierarchy: HierarchyId) -> Type {
        Type { kind, hierarchies: Some([hierarchy].into()) }
    }

    pub(crate) fn over(kind: Kind, hierarchies: impl Into<Arc<[HierarchyId]>>) -> Type {
        Type { kind, hierarchies: Some(hierarchies.into()) }
    }

    /// The only hierarchy, if there is one and it is known.
    pub(crate) fn hierarchy(&self) -> Option<HierarchyId> {
        match self.hierarchies.as_deref() {
            Some([one]) => Some(*one),
            _ => None,
        }
    }

    pub(crate) fn with_kind(&self, kind: Kind) -> Type {
        Type { kind, hierarchies: self.hierarchies.clone() }
    }
}

/// A set of coordinates: hierarchies of the cube, then the sets over which functions iterate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Coordinates(Vec<u64>);

impl Coordinates {
    pub(crate) fn one(index: usize) -> Coordinates {
        let mut out = Coordinates::default();
        out.insert(index);
        out
    }

    /// All of 0 to `count`.
    pub(crate) fn first(count: usize) -> Coordinates {
        (0..count).collect()
    }

    pub(crate) fn insert(&mut self, index: usize) {
        if self.0.len() <= index / 64 {
            self.0.resize(index / 64 + 1, 0);
        }
        self.0[index / 64] |= 1 << (index % 64);
    }

    pub(crate) fn remove(&mut self, index: usize) {
        if let Some(word) = self.0.get_mut(index / 64) {
            *word &= !(1 << (index % 64));
        }
    }

    pub(crate) fn contains(&self, index: usize) -> bool {
        self.0.get(index / 64).is_some_and(|w| w & (1 << (index % 64)) != 0)
    }

    pub(crate) fn extend_with(&mut self, other: &Coordinates) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a |= b);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(i, &word)| {
            let mut word = word;
            std::iter::from_fn(move || {
                (word != 0).then(|| {
                    let bit = word.trailing_zeros() as usize;
                    word &= word - 1;
                    i * 64 + bit
                })
            })
        })
    }
}

impl FromIterator<usize> for Coordinates {
    fn from_iter<I: IntoIterator<Item = usize>>(iter: I) -> Self {
        let mut out = Coordinates::default();
        iter.into_iter().for_each(|i| out.insert(i));
        out
    }
}

/// A typed expression.
#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub(crate) kind: ExprKind,
    pub(crate) ty: Type,
    pub(crate) span: Span,
    /// The coordinates that its result can depend on.
    pub(crate) deps: Coordinates,
}

/// The kinds of typed expression.
#[derive(Clone, Debug)]
pub(crate) enum ExprKind {
    /// An argument left out.
    Missing,
    /// A scalar that is known; [`Value::Empty`] for NULL.
    Literal(Value),
    /// A keyword, in upper case.
    Symbol(Box<str>),
    /// A dimension by position in the cube.
    Dimension(usize),
    Hierarchy(HierarchyId),
    Level(HierarchyId, LevelId),
    Member(HierarchyId, MemberId),
    /// The current member of a hierarchy.
    CurrentMember(HierarchyId),
    /// The tuple of members and tuples.
    Tuple(Vec<Expr>),
    /// The set of members, tuples and sets, duplicates kept.
    Braces(Vec<Expr>),
    /// The cell at a member or tuple.
    Cell(Box<Expr>),
    Call(Box<Call>),
    /// A scalar function of the libraries.
    Scalar(&'static crate::scalar::ScalarFunction, Vec<Expr>),
    /// `CASE`: conditions with results, and the result if none holds.
    Case(Vec<(Expr, Expr)>, Option<Box<Expr>>),
    /// A named set of the statement's scope.
    NamedSet(usize),
    /// A set with a name in the statement: iteration `usize`.
    Alias(usize, Box<Expr>),
    /// The tuple at which the iteration over a named set or alias stands.
    Current(usize),
    /// The position at which that iteration stands, from 0.
    CurrentOrdinal(usize),
    /// A member property.
    Property(Box<Expr>, Property),
    /// Tuples known already.
    Constant(Arc<TupleSet>),
    /// Text that is not right, in a definition that need not be used.
    Failed(Error),
}

/// A function with its arguments.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) function: &'static Function,
    pub(crate) args: Vec<Expr>,
    /// The type of the whole.
    pub(crate) ty: Type,
    pub(crate) span: Span,
}

impl Call {
    /// The argument at `index`, unless it is left out.
    pub(crate) fn arg(&self, index: usize) -> Option<&Expr> {
        self.args.get(index).filter(|e| !matches!(e.kind, ExprKind::Missing))
    }

    /// Whether one of the arguments is the keyword `word` (in upper case).
    pub(crate) fn has_symbol(&self, word: &str) -> bool {
        self.args.iter().any(|a| matches!(&a.kind, ExprKind::Symbol(s) if &**s == word))
    }
}

impl Expr {
    pub(crate) fn new(kind: ExprKind, ty: Type, span: Span, deps: Coordinates) -> Expr {
        Expr { kind, ty, span, deps }
    }

    /// An expression that depends on no coordinate.
    pub(crate) fn constant(kind: ExprKind, ty: Type, span: Span) -> Expr {
        Expr { kind, ty, span, deps: Coordinates::default() }
    }

    pub(crate) fn literal(value: Value, kind: Kind, span: Span) -> Expr {
        Expr::constant(ExprKind::Literal(value), Type::of(kind), span)
    }

    /// The text, if it is a literal one.
    pub(crate) fn literal_text(&self) -> Option<&str> {
        match &self.kind {
            ExprKind::Literal(Value::Str(s)) => Some(s),
            _ => None,
        }
    }

    /// Whether it is the literal NULL.
    pub(crate) fn is_null(&self) -> bool {
        matches!(self.kind, ExprKind::Literal(Value::Empty))
    }
}
