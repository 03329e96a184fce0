//! Expressions: from syntax to the typed tree.

use super::definitions::unresolved;
use super::{Alias, MAX_NESTING, Named, Resolver, State};
use crate::expr::{Coordinates, Expr, ExprKind, Kind, Type};
use crate::functions::Syntax;
use facetta_mdx::ast::{self, ExpressionKind as Written, Segment};
use facetta_model::{Error, ErrorKind, HierarchyId, Property, Result, Span, Value, collect_or_drop_later, error};
use std::sync::Arc;

impl Resolver<'_> {
    /// The typed expression of a syntax tree.
    pub(crate) fn expression(&mut self, written: &ast::Expression) -> Result<Expr> {
        self.context.check()?;
        let span = self.span(written.span);
        match &written.kind {
            Written::Missing => Ok(Expr::constant(ExprKind::Missing, Type::of(Kind::Missing), span)),
            Written::Null => Ok(Expr::literal(Value::Empty, Kind::Null, span)),
            Written::Int(i) => Ok(Expr::literal(Value::Int(*i), Kind::Numeric, span)),
            Written::Double(d) => Ok(Expr::literal(Value::Double(*d), Kind::Numeric, span)),
            Written::String(s) => Ok(Expr::literal(Value::str(s), Kind::String, span)),
            Written::Parameter(name) => self.request_parameter(name, span),
            Written::Identifier(identifier) => self.identifier(identifier),
            Written::Call(call) => self.call_syntax(call, span),
            Written::Step(step) => self.step(step, span),
            Written::Prefix(prefix) => self.prefix(prefix, span),
            Written::IsEmpty(operand) => {
                let operand = self.expression(operand)?;
                self.choose("IS EMPTY", Syntax::Postfix, vec![operand], span)
            }
            Written::Operators(operators) => self.operators(operators, span),
            Written::Parentheses(parts) => self.parentheses(parts, span),
            Written::Braces(parts) => self.braces(parts, span),
            Written::Case(case) => self.case(case, span),
            Written::Cast(cast) => self.cast(cast, span),
            Written::Alias(alias) => self.alias(alias, span),
        }
    }

    /// A scalar: members and tuples stand for their cells.
    pub(crate) fn scalar(&mut self, written: &ast::Expression) -> Result<Expr> {
        let expr = self.expression(written)?;
        match expr.ty.kind {
            Kind::Set | Kind::Level => {
                let text = format!("a value was expected, not a {}", expr.ty.kind.text().to_lowercase());
                Err(self.error_at(Error::new(ErrorKind::Type, text), written.span))
            }
            kind if kind.is_scalar() => Ok(expr),
            _ => Ok(self.as_cell(expr)),
        }
    }

    /// A set: members and tuples stand for themselves alone.
    pub(crate) fn set(&mut self, written: &ast::Expression) -> Result<Expr> {
        let expr = self.expression(written)?;
        match super::convert::distance(expr.ty.kind, Kind::Set, self.compatibility()) {
            Some(_) => Ok(self.convert(expr, Kind::Set)),
            None => Err(self.error_at(error!(Type, "a set was expected, not a {}", expr.ty.kind.text()), written.span)),
        }
    }

    /// An identifier: an object, then properties of it.
    pub(crate) fn identifier(&mut self, identifier: &ast::Identifier) -> Result<Expr> {
        let span = self.span(identifier.span());
        if let Some(name) = identifier.single().filter(|n| !n.quoted) {
            match name.text.to_ascii_uppercase().as_str() {
                "TRUE" => return Ok(Expr::literal(Value::Boolean(true), Kind::Logical, span)),
                "FALSE" => return Ok(Expr::literal(Value::Boolean(false), Kind::Logical, span)),
                _ => {}
            }
        }
        let Some((named, used)) = self.find(&identifier.segments) else {
            return self.missing_or(identifier);
        };
        let mut expr = self.named(named, span)?;
        for (at, segment) in identifier.segments.iter().enumerate().skip(used) {
            let property = match segment {
                Segment::Name(n) => &n.text,
                Segment::Key(_) => return Err(self.not_found(identifier)),
            };
            // Where the object is a member, the rest could have been one that does not exist.
            let last = at + 1 == identifier.segments.len();
            if crate::functions::overloads(property).is_empty() {
                match self.member_property(&expr, property, span) {
                    Some(read) if last => return Ok(read),
                    _ => return self.missing_or(identifier),
                }
            }
            let quoted = segment.name().is_some_and(|n| n.quoted);
            if quoted && !crate::functions::overloads(property).iter().any(|f| f.syntax == Syntax::Property) {
                return self.missing_or(identifier);
            }
            expr = match property.to_ascii_uppercase().as_str() {
                "CURRENT" | "CURRENTORDINAL" => self.current(expr, property, span)?,
                _ => self.choose(property, Syntax::Property, vec![expr], span)?,
            };
        }
        Ok(expr)
    }

    /// What a missing object becomes: an error, or a null member where the request wants it so.
    fn missing_or(&self, identifier: &ast::Identifier) -> Result<Expr> {
        use crate::environment::MissingMemberMode;
        let hierarchy = match self.find(&identifier.segments) {
            Some((Named::Member(h, _) | Named::Level(h, _) | Named::Hierarchy(h), _)) => Some(h),
            Some((Named::Dimension(d), _)) => Some(self.default_hierarchy(d)),
            _ => None,
        };
        let ignore = self.query.settings.missing_members == MissingMemberMode::Ignore;
        match hierarchy {
            Some(h) if ignore && identifier.segments.iter().all(|s| s.name().is_none_or(|n| n.quoted)) => {
                Ok(Expr::constant(
                    ExprKind::Member(h, facetta_model::MemberId::NULL),
                    Type::on(Kind::Member, h),
                    self.span(identifier.span()),
                ))
            }
            _ => Err(self.not_found(identifier)),
        }
    }

    /// A named object as an expression.
    pub(crate) fn named(&mut self, named: Named, span: Span) -> Result<Expr> {
        Ok(match named {
            Named::Dimension(d) => self.dimension(d, span),
            Named::Hierarchy(h) => Expr::constant(ExprKind::Hierarchy(h), Type::on(Kind::Hierarchy, h), span),
            Named::Level(h, l) => Expr::constant(ExprKind::Level(h, l), Type::on(Kind::Level, h), span),
            Named::Member(h, m) => Expr::constant(ExprKind::Member(h, m), Type::on(Kind::Member, h), span),
            Named::Set(index) => {
                let set = self.resolved_set(index)?;
                let deps = if self.sets[index].inline { set.deps.clone() } else { Coordinates::default() };
                Expr::new(ExprKind::NamedSet(index), set.ty.clone(), span, deps)
            }
            Named::Alias(at) => {
                let alias = &self.aliases[at];
                let kind = ExprKind::Alias(alias.iteration, Box::new(alias.set.clone()));
                Expr::new(kind, alias.set.ty.clone(), span, alias.set.deps.clone())
            }
        })
    }

    /// The expression of a named set, resolved when it is first needed.
    pub(crate) fn resolved_set(&mut self, index: usize) -> Result<Arc<Expr>> {
        let definition = &mut self.sets[index];
        let name = definition.name.clone();
        match std::mem::replace(&mut definition.state, State::Running) {
            State::Done(set) => {
                definition.state = State::Done(set.clone());
                return Ok(set);
            }
            State::Failed(error) => {
                definition.state = State::Failed(error.clone());
                return Err(error);
            }
            State::Running => return Err(error!(Recursion, "The named set '[{name}]' refers to itself")),
            State::Waiting => {}
        }
        if self.nesting >= MAX_NESTING {
            return Err(error!(Recursion, "The named set '[{name}]' refers to others too deeply"));
        }
        let (syntax, text) = (definition.syntax.clone(), definition.text.clone());
        let own_text = definition.scope == facetta_model::Scope::Query;
        let (own_text, aliases) = (std::mem::replace(&mut self.own_text, own_text), std::mem::take(&mut self.aliases));
        self.nesting += 1;
        let resolved = self.expression(&syntax).and_then(|expr| match expr.ty.kind {
            Kind::Set => Ok(Arc::new(expr)),
            // Analysis Services lets a set be defined as a member or tuple in parentheses.
            Kind::Member | Kind::Tuple
                if matches!(syntax.kind, Written::Parentheses(_)) || expr.ty.kind == Kind::Tuple =>
            {
                Ok(Arc::new(self.convert(expr, Kind::Set)))
            }
            _ => Err(error!(Type, "Set expression '[{name}]' must be a set")),
        });
        let resolved = match (resolved, text) {
            (Err(error), Some(text)) if !error.is_interrupt() => Err(unresolved(&text, &error)),
            (resolved, _) => resolved,
        };
        self.nesting -= 1;
        (self.own_text, self.aliases) = (own_text, aliases);
        self.sets[index].state = match &resolved {
            Ok(set) => State::Done(set.clone()),
            Err(error) => State::Failed(error.clone()),
        };
        resolved
    }

    fn parentheses(&mut self, parts: &[ast::Expression], span: Span) -> Result<Expr> {
        let [one] = parts else {
            let parts = parts.iter().map(|p| self.expression(p)).collect::<Result<Vec<_>>>()?;
            return self.tuple(parts, span);
        };
        self.expression(one)
    }

    /// A tuple; the product if sets stand in it.
    pub(crate) fn tuple(&mut self, parts: Vec<Expr>, span: Span) -> Result<Expr> {
        if parts.iter().any(|p| p.ty.kind == Kind::Set) {
            return self.choose("Crossjoin", Syntax::Function, parts, span);
        }
        let fits =
            |p: &Expr| matches!(p.ty.kind, Kind::Member | Kind::Tuple | Kind::Dimension | Kind::Hierarchy | Kind::Null);
        if !parts.iter().all(fits) || parts.is_empty() {
            return Err(self.no_match("()", Syntax::Special, &parts, span));
        }
        let mut hierarchies: Option<Vec<HierarchyId>> = Some(Vec::new());
        let mut deps = Coordinates::default();
        let parts: Vec<Expr> = parts.into_iter().map(|p| self.as_member(p)).collect();
        for part in &parts {
            deps.extend_with(&part.deps);
            match (&mut hierarchies, part.ty.hierarchies.as_deref()) {
                (Some(all), Some(these)) => {
                    if let Some(twice) = these.iter().find(|h| all.contains(h)) {
                        let name = &self.cube.hierarchy(*twice).unique_name;
                        let error =
                            error!(HierarchyTwice, "Tuple contains more than one member of hierarchy '{name}'.");
                        return Err(self.error_at(error, span));
                    }
                    all.extend_from_slice(these);
                }
                _ => hierarchies = None,
            }
        }
        let ty = Type { kind: Kind::Tuple, hierarchies: hierarchies.map(Into::into) };
        Ok(Expr::new(ExprKind::Tuple(parts), ty, span, deps))
    }

    fn braces(&mut self, parts: &[ast::Expression], span: Span) -> Result<Expr> {
        let mut hierarchies: Option<Arc<[HierarchyId]>> = None;
        let mut deps = Coordinates::default();
        let sets = parts.iter().map(|part| {
            let expr = self.expression(part)?;
            if !matches!(
                expr.ty.kind,
                Kind::Set | Kind::Tuple | Kind::Member | Kind::Dimension | Kind::Hierarchy | Kind::Level
            ) {
                return Err(self.no_match("{}", Syntax::Special, &[expr], span));
            }
            let expr =
                if matches!(expr.ty.kind, Kind::Member | Kind::Tuple) { expr } else { self.convert(expr, Kind::Set) };
            match (&hierarchies, &expr.ty.hierarchies) {
                (Some(a), Some(b)) if !same_hierarchies(a, b) => {
                    let error = error!(Type, "All arguments to function '{{}}' must have same hierarchy.");
                    return Err(self.error_at(error, span));
                }
                (None, Some(b)) => hierarchies = Some(b.clone()),
                _ => {}
            }
            deps.extend_with(&expr.deps);
            Ok(expr)
        });
        let sets = collect_or_drop_later(sets)?;
        let ty = Type { kind: Kind::Set, hierarchies };
        Ok(Expr::new(ExprKind::Braces(sets), ty, span, deps))
    }

    fn case(&mut self, case: &ast::Case, span: Span) -> Result<Expr> {
        let operand = case.operand.as_ref().map(|o| self.scalar(o)).transpose()?;
        let mut branches = Vec::new();
        for (when, then) in &case.branches {
            let condition = match &operand {
                Some(operand) => {
                    let when = self.scalar(when)?;
                    self.choose("=", Syntax::Infix, vec![operand.clone(), when], span)?
                }
                None => self.scalar(when)?,
            };
            branches.push((condition, self.expression(then)?));
        }
        let otherwise = case.otherwise.as_ref().map(|o| self.expression(o)).transpose()?;
        let results: Vec<&Expr> = branches.iter().map(|(_, r)| r).chain(&otherwise).collect();
        let all = |kind: Kind| results.iter().all(|r| r.ty.kind == kind || r.is_null());
        let ty = match () {
            () if all(Kind::Set) => results[0].ty.clone(),
            () if all(Kind::Member) && self.nesting_of_member_case(&results) => results[0].ty.clone(),
            () if all(Kind::String) => Type::of(Kind::String),
            () if all(Kind::Numeric) => Type::of(Kind::Numeric),
            () => Type::of(Kind::Value),
        };
        let scalar = |e: Expr| if ty.kind.is_scalar() && !e.ty.kind.is_scalar() { self.as_cell(e) } else { e };
        let branches: Vec<_> = branches.into_iter().map(|(c, r)| (c, scalar(r))).collect();
        let otherwise = otherwise.map(scalar).map(Box::new);
        let mut deps = Coordinates::default();
        branches.iter().for_each(|(c, r)| {
            deps.extend_with(&c.deps);
            deps.extend_with(&r.deps);
        });
        otherwise.iter().for_each(|o| deps.extend_with(&o.deps));
        Ok(Expr::new(ExprKind::Case(branches, otherwise), ty, span, deps))
    }

    /// Whether a CASE over members is meant as a member: not over measures, whose cells are meant.
    fn nesting_of_member_case(&self, results: &[&Expr]) -> bool {
        results.iter().all(|r| r.ty.hierarchy().is_some_and(|h| h != HierarchyId::MEASURES))
    }

    fn cast(&mut self, cast: &ast::Cast, span: Span) -> Result<Expr> {
        let operand = self.scalar(&cast.operand)?;
        let kind = match cast.target.text.to_ascii_uppercase().as_str() {
            "NUMERIC" => Kind::Numeric,
            "STRING" => Kind::String,
            "BOOLEAN" => Kind::Logical,
            "INTEGER" => Kind::Integer,
            _ => {
                let text = &cast.target.text;
                let error = error!(Type, "Unknown type '{text}'; values are NUMERIC, STRING, BOOLEAN, INTEGER");
                return Err(self.error_at(error, span));
            }
        };
        let symbol = Expr::constant(
            ExprKind::Symbol(cast.target.text.to_ascii_uppercase().into()),
            Type::of(Kind::Symbol),
            span,
        );
        let mut expr = self.choose("CAST", Syntax::Special, vec![operand, symbol], span)?;
        expr.ty = Type::of(kind);
        Ok(expr)
    }

    fn alias(&mut self, alias: &ast::Alias, span: Span) -> Result<Expr> {
        let set = self.expression(&alias.expression)?;
        let set = match set.ty.kind {
            Kind::Set => set,
            Kind::Member | Kind::Tuple | Kind::Dimension | Kind::Hierarchy => self.convert(set, Kind::Set),
            kind => {
                let error = error!(Type, "No function matches signature '<{}> AS <Set>'", kind.text());
                return Err(self.error_at(error, span));
            }
        };
        let iteration = self.new_iteration()?;
        self.aliases.push(Alias { name: alias.name.text.to_string(), iteration, set: set.clone() });
        let (ty, deps) = (set.ty.clone(), set.deps.clone());
        Ok(Expr::new(ExprKind::Alias(iteration, Box::new(set)), ty, span, deps))
    }

    /// `set.Current` and `set.CurrentOrdinal`.
    pub(crate) fn current(&mut self, set: Expr, property: &str, span: Span) -> Result<Expr> {
        let iteration = match &set.kind {
            ExprKind::Alias(iteration, _) => *iteration,
            ExprKind::NamedSet(index) => match self.sets[*index].iteration {
                Some(iteration) => iteration,
                None => {
                    let iteration = self.new_iteration()?;
                    self.sets[*index].iteration = Some(iteration);
                    iteration
                }
            },
            _ => return Err(self.no_match(property, Syntax::Property, &[set], span)),
        };
        self.iterated.insert(iteration);
        let deps = Coordinates::one(self.cube.hierarchies.len() + iteration);
        if property.eq_ignore_ascii_case("CURRENTORDINAL") {
            return Ok(Expr::new(ExprKind::CurrentOrdinal(iteration), Type::of(Kind::Integer), span, deps));
        }
        let kind = if set.ty.hierarchy().is_some() { Kind::Member } else { Kind::Tuple };
        Ok(Expr::new(ExprKind::Current(iteration), set.ty.with_kind(kind), span, deps))
    }

    fn operators(&mut self, operators: &ast::Operators, span: Span) -> Result<Expr> {
        let mut left = self.expression(&operators.first)?;
        for operation in &operators.rest {
            let right = self.expression(&operation.operand)?;
            let name = operation.operator.text();
            left = match operation.operator {
                ast::Operator::Is if right.is_null() => self.choose("IS NULL", Syntax::Postfix, vec![left], span)?,
                ast::Operator::Plus if left.ty.kind == Kind::Set || right.ty.kind == Kind::Set => {
                    self.choose("Union", Syntax::Function, vec![left, right], span)?
                }
                ast::Operator::Minus if left.ty.kind == Kind::Set || right.ty.kind == Kind::Set => {
                    self.choose("Except", Syntax::Function, vec![left, right], span)?
                }
                ast::Operator::Times if !self.is_product_of_sets(&left, &right) => {
                    let (left, right) = (self.as_value(left), self.as_value(right));
                    self.choose(name, Syntax::Infix, vec![left, right], span)?
                }
                _ => self.choose(name, Syntax::Infix, vec![left, right], span)?,
            };
        }
        Ok(left)
    }

    /// Whether `left * right` is a product of sets: one is a set, or both are members or tuples over different hierarchies
    /// of which none is that of the measures, whose cells are meant.
    fn is_product_of_sets(&self, left: &Expr, right: &Expr) -> bool {
        let hierarchies = |e: &Expr| e.ty.hierarchies.clone().unwrap_or_default();
        let (a, b) = (hierarchies(left), hierarchies(right));
        if left.ty.kind == Kind::Set || right.ty.kind == Kind::Set {
            return true;
        }
        let objects = !left.ty.kind.is_scalar() && !right.ty.kind.is_scalar();
        objects
            && !a.is_empty()
            && !b.is_empty()
            && !a.contains(&HierarchyId::MEASURES)
            && !b.contains(&HierarchyId::MEASURES)
            && !a.iter().any(|h| b.contains(h))
    }

    /// What stands for a cell as its value.
    fn as_value(&self, expr: Expr) -> Expr {
        match expr.ty.kind {
            Kind::Member | Kind::Tuple | Kind::Dimension | Kind::Hierarchy => self.as_cell(expr),
            _ => expr,
        }
    }

    fn prefix(&mut self, prefix: &ast::Prefix, span: Span) -> Result<Expr> {
        let operand = self.expression(&prefix.operand)?;
        match prefix.operator {
            ast::PrefixOperator::Plus => Ok(operand),
            ast::PrefixOperator::Minus => {
                let operand = self.as_value(operand);
                self.choose("-", Syntax::Prefix, vec![operand], span)
            }
            operator => self.choose(operator.text(), Syntax::Prefix, vec![operand], span),
        }
    }

    fn step(&mut self, step: &ast::Step, span: Span) -> Result<Expr> {
        let target = self.expression(&step.target)?;
        let found = match (&target.kind, &step.segment) {
            (ExprKind::Member(h, m), segment) => self.named_child(Named::Member(*h, *m), segment),
            (ExprKind::Level(h, l), segment) => self.named_child(Named::Level(*h, *l), segment),
            (ExprKind::Hierarchy(h), segment) => self.named_child(Named::Hierarchy(*h), segment),
            _ => None,
        };
        if let Some(found) = found {
            return self.named(found, span);
        }
        if let Segment::Name(name) = &step.segment
            && let Some(read) = self.member_property(&target, &name.text, span)
        {
            return Ok(read);
        }
        Err(self.error_at(Error::not_supported("a step by name from a computed object"), span))
    }

    /// `member.[Store Sqft]`, `member.MEMBER_CAPTION`: a property by its name.
    fn member_property(&self, expr: &Expr, wanted: &str, span: Span) -> Option<Expr> {
        if !matches!(expr.ty.kind, Kind::Member | Kind::Hierarchy | Kind::Dimension) {
            return None;
        }
        let property = match Property::intrinsic(wanted) {
            // These are words that only `Properties` knows in catalogs that name by path.
            Some(property) if wanted.contains('_') => property,
            _ => {
                let hierarchy = &self.cube.hierarchy(expr.ty.hierarchy()?).hierarchy;
                let known = |l: &facetta_model::catalog::Level| {
                    l.properties.iter().any(|p| facetta_model::name::same(&p.name, wanted))
                };
                hierarchy.levels.iter().any(known).then(|| Property::Named(wanted.to_owned()))?
            }
        };
        let member = self.as_member(expr.clone());
        let deps = member.deps.clone();
        Some(Expr::new(ExprKind::Property(Box::new(member), property), Type::of(Kind::Value), span, deps))
    }
}

/// Whether two lists hold the same hierarchies, in any order.
pub(crate) fn same_hierarchies(a: &[HierarchyId], b: &[HierarchyId]) -> bool {
    a.len() == b.len() && a.iter().all(|h| b.contains(h))
}
