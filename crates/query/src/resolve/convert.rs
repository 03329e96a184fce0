//! Implicit conversions: what may stand for what, how far it is, and how it is written out.

use super::Resolver;
use crate::expr::{Coordinates, Expr, ExprKind, Kind, Type};
use crate::functions;
use facetta_model::{Compatibility, HierarchyId, Value};

/// How far `from` is from `to`; none if it cannot stand for it. The overload nearest to its arguments is taken.
pub(crate) fn distance(from: Kind, to: Kind, compatibility: Compatibility) -> Option<u32> {
    use Kind::*;
    let loose = compatibility.empty_compares_as_zero();
    Some(match (from, to) {
        (a, b) if a == b => 0,
        (Missing, _) | (_, Missing) | (Symbol, _) | (_, Symbol) => return None,
        (Null, Dimension | Hierarchy) => return None,
        (Null, Member | Tuple | Set | Level) => 2,
        (Null, _) => 1,
        (Dimension, Hierarchy | Member) | (Hierarchy, Member) => 1,
        (Hierarchy, Dimension) => 1,
        (Dimension | Hierarchy, Tuple) => 2,
        (Dimension | Hierarchy, Set) => 3,
        (Dimension | Hierarchy, Level) => return None,
        (Dimension | Hierarchy, Numeric | Integer | String | Logical | DateTime | Value) => 5,
        (Level, Hierarchy) => 1,
        (Level, Dimension) => 2,
        (Level, Set) => 4,
        (Level, _) => return None,
        (Member, Tuple) => 1,
        (Member, Set) => 2,
        (Member, Level | Hierarchy) => 3,
        (Member, Dimension) => 4,
        (Member, Value) => 3,
        (Member, Numeric | Integer | String | Logical | DateTime) => 4,
        (Tuple, Set) => 1,
        (Tuple, Value) => 2,
        (Tuple, Numeric | Integer | String | Logical | DateTime) => 3,
        (Value, Numeric | Integer | String | Logical | DateTime) => 1,
        (Integer, Numeric) => 0,
        (Numeric, Integer) => 1,
        (Numeric | Integer, Logical | DateTime) => 3,
        (Integer | Numeric | String | Logical | DateTime, Value) => 1,
        (Logical, Numeric | Integer) | (DateTime, Numeric | Integer) if loose => 3,
        (Numeric | Integer | Logical | DateTime, String) if loose => 4,
        _ => return None,
    })
}

impl Resolver<'_> {
    /// `expr` as something of kind `to`; the distance must be known to exist.
    pub(crate) fn convert(&self, expr: Expr, to: Kind) -> Expr {
        let from = expr.ty.kind;
        if from == to {
            return expr;
        }
        match to {
            Kind::Member => self.as_member(expr),
            Kind::Tuple => match from {
                Kind::Dimension | Kind::Hierarchy => self.as_member(expr),
                _ => expr,
            },
            Kind::Set => self.as_set(expr),
            Kind::Hierarchy => match expr.ty.hierarchy() {
                Some(h) => Expr::constant(ExprKind::Hierarchy(h), Type::on(Kind::Hierarchy, h), expr.span),
                None => self.property_of(expr, "Hierarchy"),
            },
            Kind::Dimension => match expr.ty.hierarchy() {
                Some(h) => self.dimension(self.cube.hierarchy(h).dimension, expr.span),
                None => self.property_of(expr, "Dimension"),
            },
            Kind::Level => self.property_of(expr, "Level"),
            _ if from.is_scalar() => expr,
            _ => self.as_cell(expr),
        }
    }

    /// A dimension of the cube as an expression.
    pub(crate) fn dimension(&self, dimension: usize, span: facetta_model::Span) -> Expr {
        let ty = Type::on(Kind::Dimension, self.default_hierarchy(dimension));
        Expr::constant(ExprKind::Dimension(dimension), ty, span)
    }

    /// The current member of a hierarchy, or the member itself.
    pub(crate) fn as_member(&self, expr: Expr) -> Expr {
        let current = |h: HierarchyId| {
            let deps = Coordinates::one(h.index());
            Expr::new(ExprKind::CurrentMember(h), Type::on(Kind::Member, h), expr.span, deps)
        };
        match expr.kind {
            ExprKind::Dimension(d) => current(self.default_hierarchy(d)),
            ExprKind::Hierarchy(h) => current(h),
            _ if matches!(expr.ty.kind, Kind::Dimension | Kind::Hierarchy) => self.property_of(expr, "CurrentMember"),
            _ => expr,
        }
    }

    fn as_set(&self, expr: Expr) -> Expr {
        let expr = match expr.ty.kind {
            Kind::Level => return self.property_of(expr, "Members"),
            Kind::Dimension | Kind::Hierarchy => self.as_member(expr),
            _ => expr,
        };
        let ty = expr.ty.with_kind(Kind::Set);
        let (span, deps) = (expr.span, expr.deps.clone());
        if let ExprKind::Literal(Value::Empty) = expr.kind {
            return Expr::new(expr.kind, ty, span, deps);
        }
        Expr::new(ExprKind::Braces(vec![expr]), ty, span, deps)
    }

    /// The value of the cell at a member or tuple.
    pub(crate) fn as_cell(&self, expr: Expr) -> Expr {
        let expr = self.as_member(expr);
        let mut deps = self.all_coordinates();
        expr.ty.hierarchies.iter().flat_map(|hs| hs.iter()).for_each(|h| deps.remove(h.index()));
        deps.extend_with(&expr.deps);
        let span = expr.span;
        Expr::new(ExprKind::Cell(Box::new(expr)), Type::of(Kind::Value), span, deps)
    }

    /// `expr.name`, where the table has it for the kind of `expr`.
    pub(crate) fn property_of(&self, expr: Expr, name: &'static str) -> Expr {
        let fits = |f: &&&'static functions::Function| {
            f.syntax == functions::Syntax::Property && f.parameters.first() == Some(&expr.ty.kind)
        };
        match functions::overloads(name).iter().find(fits) {
            Some(function) => self.call(function, vec![expr.clone()], expr.span).unwrap_or(expr),
            None => expr,
        }
    }
}
