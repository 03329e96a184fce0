//! Calls: the overload that fits the arguments, and what the call then yields and depends on.

use super::Resolver;
use super::convert::distance;
use crate::expr::{Call, Coordinates, Expr, ExprKind, Kind, Type};
use crate::functions::{self, Function, Reach, Syntax, Typing};
use crate::scalar::ScalarKind;
use facetta_mdx::ast;
use facetta_model::{Error, Result, Span, error};
use std::fmt::Write;

/// Words that are keywords where a function expects one.
const KEYWORDS: &[&str] = &[
    "ABSOLUTE",
    "ALL",
    "ASC",
    "BASC",
    "BDESC",
    "DESC",
    "POST",
    "PRE",
    "RECURSIVE",
    "RELATIVE",
    "SELF",
    "AFTER",
    "BEFORE",
    "BEFORE_AND_AFTER",
    "SELF_AND_AFTER",
    "SELF_AND_BEFORE",
    "SELF_BEFORE_AFTER",
    "LEAVES",
    "EXCLUDEEMPTY",
    "INCLUDEEMPTY",
    "INCLUDE_CALC_MEMBERS",
    "DISTINCT",
    "EXACT",
    "NUMERIC",
    "STRING",
    "INTEGER",
    "BOOLEAN",
    "LOGICAL",
    "DATE",
    "MEMBER",
    "CONSTRAINED",
    "TYPED",
];

impl Resolver<'_> {
    /// A call as written: arguments not resolved yet.
    pub(crate) fn call_syntax(&mut self, call: &ast::Call, span: Span) -> Result<Expr> {
        let syntax = match call.syntax {
            ast::Syntax::Function => Syntax::Function,
            ast::Syntax::Method => Syntax::Method,
            ast::Syntax::Property => Syntax::Property,
        };
        self.call_named(&call.name.text, syntax, &call.arguments, span)
    }

    fn call_named(&mut self, name: &str, syntax: Syntax, arguments: &[ast::Expression], span: Span) -> Result<Expr> {
        let overloads = functions::overloads(name);
        if overloads.iter().any(|f| matches!(f.run, functions::Run::Resolver)) {
            return self.special_call(name, syntax, arguments, span);
        }
        let mut args = Vec::with_capacity(arguments.len());
        for (index, argument) in arguments.iter().enumerate() {
            args.push(self.argument(overloads, index, argument)?);
        }
        if name.eq_ignore_ascii_case("IIf") && args.len() == 3 && !alike(&args[1], &args[2]) {
            // Tuples over different hierarchies can only be meant as their cells.
            let values: Vec<Expr> = args.split_off(1).into_iter().map(|a| self.as_cell(a)).collect();
            args.extend(values);
        }
        if overloads.is_empty() && syntax == Syntax::Function {
            return self.scalar_call(name, args, span);
        }
        self.choose(name, syntax, args, span)
    }

    /// A call of a function of the scalar libraries.
    fn scalar_call(&self, name: &str, args: Vec<Expr>, span: Span) -> Result<Expr> {
        let Some(function) = crate::scalar::find(name, args.len()) else {
            return Err(self.no_match(name, Syntax::Function, &args, span));
        };
        let fits =
            |a: &Expr| distance(a.ty.kind, Kind::Value, self.compatibility()).is_some() || a.ty.kind == Kind::Missing;
        if !args.iter().all(fits) {
            return Err(self.no_match(name, Syntax::Function, &args, span));
        }
        if args.iter().any(Expr::is_null) && !self.compatibility().takes_null(name) {
            let error = error!(Type, "No method with the signature {name}(NULL) matches known functions.");
            return Err(self.error_at(error, span));
        }
        let args: Vec<Expr> = args
            .into_iter()
            .map(|a| match a.ty.kind {
                Kind::Missing => Expr::literal(facetta_model::Value::Empty, Kind::Null, a.span),
                _ => self.convert(a, Kind::Value),
            })
            .collect();
        let mut deps = Coordinates::default();
        args.iter().for_each(|a| deps.extend_with(&a.deps));
        let kind = match function.returns {
            ScalarKind::Numeric => Kind::Numeric,
            ScalarKind::Integer => Kind::Integer,
            ScalarKind::String => Kind::String,
            ScalarKind::Date => Kind::DateTime,
            ScalarKind::Boolean => Kind::Logical,
            ScalarKind::Any | ScalarKind::Series => Kind::Value,
        };
        Ok(Expr::new(ExprKind::Scalar(function, args), Type::of(kind), self.span(span), deps))
    }

    /// An argument: a keyword where some overload expects one.
    fn argument(&mut self, overloads: &[&Function], index: usize, argument: &ast::Expression) -> Result<Expr> {
        let span = self.span(argument.span);
        match &argument.kind {
            ast::ExpressionKind::Missing => Ok(Expr::constant(ExprKind::Missing, Type::of(Kind::Missing), span)),
            ast::ExpressionKind::Identifier(identifier)
                if overloads.iter().any(|f| f.parameter(index) == Some(Kind::Symbol)) =>
            {
                match identifier.single().and_then(keyword) {
                    Some(word) => Ok(Expr::constant(ExprKind::Symbol(word.into()), Type::of(Kind::Symbol), span)),
                    None => self.expression(argument),
                }
            }
            _ => self.expression(argument),
        }
    }

    /// The call of the overload that fits best.
    pub(crate) fn choose(&self, name: &str, syntax: Syntax, args: Vec<Expr>, span: Span) -> Result<Expr> {
        let mut best: Option<(u32, &'static Function)> = None;
        for function in functions::overloads(name).iter().filter(|f| f.syntax == syntax) {
            let Some(distance) = self.fit(function, &args) else { continue };
            if best.is_none_or(|(least, _)| distance < least) {
                best = Some((distance, function));
            }
        }
        let Some((_, function)) = best else { return Err(self.no_match(name, syntax, &args, span)) };
        let convert = |(index, arg): (usize, Expr)| match function.parameter(index) {
            Some(Kind::Missing | Kind::Symbol) | None => arg,
            Some(kind) => self.convert(arg, kind),
        };
        let args = args.into_iter().enumerate().map(convert).collect();
        self.call(function, args, span)
    }

    fn fit(&self, function: &Function, args: &[Expr]) -> Option<u32> {
        if !function.takes(args.len()) || self.compatibility().numbers_are_typed() && compares_unlike(function, args) {
            return None;
        }
        args.iter().enumerate().try_fold(0, |sum, (index, arg)| {
            let d = distance(arg.ty.kind, function.parameter(index)?, self.compatibility())?;
            Some(sum + d)
        })
    }

    /// That no overload fits, with the signature that was asked for.
    pub(crate) fn no_match(&self, name: &str, syntax: Syntax, args: &[Expr], span: Span) -> Error {
        let signature = signature(name, syntax, args.iter().map(|a| a.ty.kind));
        self.error_at(error!(Type, "No function matches signature '{signature}'"), span)
    }

    /// A call of `function` with arguments of the right kinds.
    pub(crate) fn call(&self, function: &'static Function, args: Vec<Expr>, span: Span) -> Result<Expr> {
        let hierarchies = match function.typing {
            _ if function.returns.is_scalar() => None,
            Typing::First => args
                .iter()
                .filter(|a| !a.ty.kind.is_scalar() && a.ty.kind != Kind::Symbol)
                .find_map(|a| a.ty.hierarchies.clone()),
            Typing::Argument(index) => args.get(index).and_then(|a| a.ty.hierarchies.clone()),
            Typing::Product => product(&args),
            Typing::By(by) => by(&args).map_err(|e| self.error_at(e, span))?.hierarchies,
        };
        let ty = match function.typing {
            Typing::By(by) if !function.returns.is_scalar() => by(&args).map_err(|e| self.error_at(e, span))?,
            _ => Type { kind: function.returns, hierarchies },
        };
        let deps = self.call_deps(function, &args);
        let span = self.span(span);
        let call = Call { function, args, ty: ty.clone(), span };
        Ok(Expr::new(ExprKind::Call(Box::new(call)), ty, span, deps))
    }

    fn call_deps(&self, function: &Function, args: &[Expr]) -> Coordinates {
        let first_set = args.iter().find(|a| a.ty.kind == Kind::Set);
        let without_set = |mut deps: Coordinates| {
            if let Some(set) = first_set {
                set.ty.hierarchies.iter().flat_map(|hs| hs.iter()).for_each(|h| deps.remove(h.index()));
                if let Some(iteration) = self.iteration_of(set) {
                    deps.remove(self.cube.hierarchies.len() + iteration);
                }
            }
            deps
        };
        let mut deps = match function.reach {
            Reach::Arguments => Coordinates::default(),
            Reach::Cells => without_set(self.all_coordinates()),
            Reach::All => self.all_coordinates(),
        };
        for (index, arg) in args.iter().enumerate() {
            if function.is_each(index) {
                deps.extend_with(&without_set(arg.deps.clone()));
            } else {
                deps.extend_with(&arg.deps);
            }
        }
        deps
    }

    /// The iteration that going over `set` is, if something may ask for its current tuple.
    fn iteration_of(&self, set: &Expr) -> Option<usize> {
        match &set.kind {
            ExprKind::Alias(iteration, _) => Some(*iteration),
            ExprKind::NamedSet(index) => self.sets.get(*index)?.iteration,
            ExprKind::Braces(parts) if parts.len() == 1 => self.iteration_of(&parts[0]),
            _ => None,
        }
    }
}

/// Whether a text would be compared with a number, or texts be added.
fn compares_unlike(function: &Function, args: &[Expr]) -> bool {
    if function.name == "+" && function.parameters == [Kind::String, Kind::String] {
        return true;
    }
    let comparison = function.parameters == [Kind::Value, Kind::Value] && function.syntax == Syntax::Infix;
    let any = |kinds: &[Kind]| args.iter().any(|a| kinds.contains(&a.ty.kind));
    comparison && any(&[Kind::String]) && any(&[Kind::Numeric, Kind::Integer])
}

/// Whether two results of a choice can be one: not two tuples over different hierarchies.
fn alike(a: &Expr, b: &Expr) -> bool {
    let tuple = a.ty.kind == Kind::Tuple || b.ty.kind == Kind::Tuple;
    let objects = |e: &Expr| matches!(e.ty.kind, Kind::Tuple | Kind::Member);
    !(tuple && objects(a) && objects(b)) || a.ty.hierarchies == b.ty.hierarchies
}

/// The keyword that a bare name is, in upper case.
pub(crate) fn keyword(name: &ast::Name) -> Option<&'static str> {
    KEYWORDS.iter().copied().find(|word| name.is_word(word))
}

fn product(args: &[Expr]) -> Option<std::sync::Arc<[facetta_model::HierarchyId]>> {
    let mut all = Vec::new();
    for arg in args.iter().filter(|a| matches!(a.ty.kind, Kind::Set | Kind::Tuple | Kind::Member)) {
        all.extend_from_slice(arg.ty.hierarchies.as_deref()?);
    }
    Some(all.into())
}

/// A call as messages show it: `Lag(<Member>)`, `<Member>.KEY`, `<String> IS <String>`.
pub(crate) fn signature(name: &str, syntax: Syntax, kinds: impl Iterator<Item = Kind>) -> String {
    let kinds: Vec<String> = kinds.map(|k| format!("<{}>", k.text())).collect();
    let mut out = String::new();
    let (first, rest) = (kinds.first().cloned().unwrap_or_default(), kinds.get(1..).unwrap_or_default());
    let _ = match syntax {
        Syntax::Method => write!(out, "{first}.{name}({})", rest.join(", ")),
        Syntax::Property => write!(out, "{first}.{name}"),
        Syntax::Infix => write!(out, "{}", kinds.join(&format!(" {name} "))),
        Syntax::Prefix => write!(out, "{name} {first}"),
        Syntax::Postfix => write!(out, "{first} {name}"),
        Syntax::Special if name == "()" => write!(out, "({})", kinds.join(", ")),
        Syntax::Special if name == "{}" => write!(out, "{{{}}}", kinds.join(", ")),
        _ => write!(out, "{name}({})", kinds.join(", ")),
    };
    out
}
