//! Parameters of a statement: `Parameter` declares one with its default, `ParamRef` and `@name` take its value.

use super::Resolver;
use super::overload::keyword;
use crate::expr::{Expr, ExprKind, Kind, Type};
use crate::functions::Syntax;
use facetta_mdx::ast;
use facetta_model::{Result, Span, Value, error, name};

/// Nodes of expressions that references to parameters may copy in a statement.
const MOST_COPIED: usize = 100_000;

impl Resolver<'_> {
    /// `Parameter("name", type, default, "description")`: its default, unless the request gives it.
    pub(super) fn declare_parameter(&mut self, arguments: &[ast::Expression], span: Span) -> Result<Expr> {
        let ty = arguments.get(1).and_then(|a| match &a.kind {
            ast::ExpressionKind::Identifier(i) => i.single().and_then(keyword),
            _ => None,
        });
        let name = match arguments.first().map(|a| &a.kind) {
            Some(ast::ExpressionKind::String(name)) => name.to_string(),
            _ => String::new(),
        };
        // A default that refers to its own parameter fails where it is used, not where it is read.
        self.declaring.push(name);
        let args = self.parameter_arguments(arguments, ty, span);
        self.declaring.pop();
        let mut args = args?;

        let right = matches!(args.len(), 3 | 4)
            && args[0].ty.kind == Kind::String
            && (ty.is_some()
                || matches!(args[1].ty.kind, Kind::Hierarchy | Kind::Dimension | Kind::Level | Kind::Member));
        let Some(name) = args.first().and_then(Expr::literal_text).map(str::to_owned).filter(|_| right) else {
            return Err(self.no_match("Parameter", Syntax::Function, &args, span));
        };
        let mut default = args.swap_remove(2);
        if ty.is_none() {
            let wanted = args[1].ty.hierarchy();
            if !matches!(default.ty.kind, Kind::Set) {
                default = self.as_member(default);
            }
            if !matches!(default.ty.kind, Kind::Member | Kind::Set) || default.ty.hierarchy() != wanted {
                let of = wanted.map_or(String::new(), |h| self.cube.hierarchy(h).unique_name.clone());
                let error = error!(
                    Type,
                    "Default value of parameter '{name}' is not consistent with the parameter type 'MemberType<hierarchy={of}>'"
                );
                return Err(self.error_at(error, span));
            }
        } else if !default.ty.kind.is_scalar() {
            default = self.as_cell(default);
        }
        let value = self.given_parameter(&name, span)?.unwrap_or(default);
        self.parameters.push((name, value.clone()));
        Ok(value)
    }

    pub(super) fn parameter_reference(&mut self, arguments: &[ast::Expression], span: Span) -> Result<Expr> {
        let args = arguments.iter().map(|a| self.expression(a)).collect::<Result<Vec<_>>>()?;
        let [Some(wanted)] = args.iter().map(Expr::literal_text).collect::<Vec<_>>()[..] else {
            return Err(self.no_match("ParamRef", Syntax::Function, &args, span));
        };
        if let Some((_, value)) = self.parameters.iter().rev().find(|(n, _)| name::same(n, wanted)) {
            let value = value.clone();
            // Each reference is a copy: parameters of parameters grow by powers.
            self.copied += nodes(&value);
            if self.copied > MOST_COPIED {
                let error = error!(ServerLimit, "The parameters of the statement refer to each other too often");
                return Err(self.error_at(error, span));
            }
            return Ok(value);
        }
        if let Some(value) = self.given_parameter(wanted, span)? {
            return Ok(value);
        }
        if self.declaring.iter().any(|n| name::same(n, wanted)) {
            let error = error!(Recursion, "Cycle occurred while evaluating parameter '{wanted}'");
            return Ok(Expr::constant(ExprKind::Failed(error), Type::of(Kind::Value), span));
        }
        let declared = self.declared.iter().find(|d| names(d).is_some_and(|n| name::same(n, wanted))).cloned();
        if let Some(declaration) = declared {
            return self.declare_parameter(&declaration, span);
        }
        if self.compatibility().connection_properties().iter().any(|n| name::same(n, wanted)) {
            return Ok(Expr::literal(Value::Empty, Kind::Null, span));
        }
        Err(self.error_at(error!(NotFound, "Unknown parameter '{wanted}'"), span))
    }

    fn given_parameter(&self, name: &str, span: Span) -> Result<Option<Expr>> {
        let value = self.query.settings.parameters.get(&name::fold(name));
        Ok(value.map(|v| {
            let kind = match v {
                Value::Str(_) => Kind::String,
                Value::Boolean(_) => Kind::Logical,
                Value::Date(_) => Kind::DateTime,
                Value::Empty => Kind::Null,
                _ => Kind::Numeric,
            };
            Expr::literal(v.clone(), kind, span)
        }))
    }

    /// `@name`.
    pub(crate) fn request_parameter(&self, name: &str, span: Span) -> Result<Expr> {
        let missing = || error!(NotFound, "The parameter '@{name}' has no value");
        self.given_parameter(name, span)?.ok_or_else(|| self.error_at(missing(), span))
    }

    fn parameter_arguments(
        &mut self,
        arguments: &[ast::Expression],
        ty: Option<&str>,
        span: Span,
    ) -> Result<Vec<Expr>> {
        let one = |(index, argument): (usize, &ast::Expression)| match ty {
            Some(word) if index == 1 => Ok(Expr::constant(ExprKind::Symbol(word.into()), Type::of(Kind::Symbol), span)),
            _ => self.expression(argument),
        };
        arguments.iter().enumerate().map(one).collect()
    }

    /// Notes every parameter that a statement declares, so that a reference may come first, and whether it asks for its axes.
    pub(super) fn note_parameters(&mut self, select: &ast::Select) {
        let mut declared = Noted::default();
        for definition in &select.with {
            match definition {
                ast::Definition::Member(member) => note(&member.expression, &mut declared),
                ast::Definition::Set(set) => note(&set.expression, &mut declared),
                ast::Definition::CellCalculation(_) | ast::Definition::Cache(_) => {}
            }
        }
        select.axes.iter().for_each(|a| note(&a.set, &mut declared));
        select.slicer.iter().for_each(|s| note(s, &mut declared));
        self.declared = declared.parameters;
        self.asks_for_axes = declared.axes;
    }
}

/// How many nodes an expression has.
fn nodes(expr: &Expr) -> usize {
    let all = |parts: &[Expr]| parts.iter().map(nodes).sum::<usize>();
    1 + match &expr.kind {
        ExprKind::Tuple(parts) | ExprKind::Braces(parts) | ExprKind::Scalar(_, parts) => all(parts),
        ExprKind::Cell(inner) | ExprKind::Alias(_, inner) | ExprKind::Property(inner, _) => nodes(inner),
        ExprKind::Call(call) => all(&call.args),
        ExprKind::Case(branches, otherwise) => {
            let branches: usize = branches.iter().map(|(condition, result)| nodes(condition) + nodes(result)).sum();
            branches + otherwise.as_deref().map_or(0, nodes)
        }
        _ => 0,
    }
}

/// The name that the arguments of a declaration begin with.
fn names(arguments: &[ast::Expression]) -> Option<&str> {
    match &arguments.first()?.kind {
        ast::ExpressionKind::String(name) => Some(name),
        _ => None,
    }
}

/// What a statement's text calls.
#[derive(Default)]
struct Noted {
    /// The arguments of each call of `Parameter`.
    parameters: Vec<Vec<ast::Expression>>,
    /// Whether `Axis` is called.
    axes: bool,
}

/// Collects what an expression calls.
fn note(expression: &ast::Expression, declared: &mut Noted) {
    use ast::ExpressionKind as Written;
    // Expressions are as deep as the parser lets them be; a list of what is left needs no stack.
    let mut pending = vec![expression];
    while let Some(expression) = pending.pop() {
        match &expression.kind {
            Written::Missing
            | Written::Null
            | Written::Int(_)
            | Written::Double(_)
            | Written::String(_)
            | Written::Parameter(_)
            | Written::Identifier(_) => {}
            Written::Call(call) => {
                if call.name.text.eq_ignore_ascii_case("Parameter") {
                    declared.parameters.push(call.arguments.clone());
                }
                declared.axes |= call.name.text.eq_ignore_ascii_case("Axis");
                pending.extend(&call.arguments);
            }
            Written::Step(step) => pending.push(&step.target),
            Written::Prefix(prefix) => pending.push(&prefix.operand),
            Written::IsEmpty(operand) => pending.push(operand),
            Written::Operators(operators) => {
                pending.push(&operators.first);
                pending.extend(operators.rest.iter().map(|o| &o.operand));
            }
            Written::Parentheses(parts) | Written::Braces(parts) => pending.extend(parts),
            Written::Case(case) => {
                pending.extend(case.operand.iter().chain(&case.otherwise));
                pending.extend(case.branches.iter().flat_map(|(when, then)| [when, then]));
            }
            Written::Cast(cast) => pending.push(&cast.operand),
            Written::Alias(alias) => pending.push(&alias.expression),
        }
    }
}
