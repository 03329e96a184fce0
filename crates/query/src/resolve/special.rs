//! Calls that the resolver rewrites: what depends on texts, parameters and names known before evaluation.

use super::Resolver;
use super::overload::keyword;
use crate::expr::{Expr, ExprKind, Kind, Type};
use crate::functions::Syntax;
use facetta_mdx::ast;
use facetta_model::{Error, ErrorKind, HierarchyId, Property, Result, Span, Value, error, name};

impl Resolver<'_> {
    /// A call of a function that the table marks as the resolver's.
    pub(crate) fn special_call(
        &mut self,
        name: &str,
        syntax: Syntax,
        arguments: &[ast::Expression],
        span: Span,
    ) -> Result<Expr> {
        match name.to_ascii_uppercase().as_str() {
            "PROPERTIES" => self.properties_call(arguments, span),
            "PARAMETER" => self.declare_parameter(arguments, span),
            "PARAMREF" => self.parameter_reference(arguments, span),
            "CURRENT" | "CURRENTORDINAL" if arguments.len() == 1 => {
                let set = self.expression(&arguments[0])?;
                self.current(set, name, span)
            }
            "EXTRACT" => self.extract(arguments, span),
            "DIMENSIONS" => self.dimensions(arguments, span),
            "STRTOMEMBER" => self.text_to("StrToMember", Kind::Member, arguments, span),
            "STRTOTUPLE" => self.text_to("StrToTuple", Kind::Tuple, arguments, span),
            "STRTOSET" => self.text_to("StrToSet", Kind::Set, arguments, span),
            "STRTOVALUE" => self.text_to("StrToValue", Kind::Value, arguments, span),
            "AXIS" => self.axis_set(arguments, span),
            "KPIVALUE" | "KPIGOAL" | "KPISTATUS" | "KPITREND" | "KPIWEIGHT" | "KPICURRENTTIMEMEMBER" => {
                self.kpi_call(name, arguments, span)
            }
            "CACHE" if arguments.len() == 1 => self.expression(&arguments[0]),
            "LEVELS" => self.levels(syntax, arguments, span),
            _ => Err(Error::not_supported(format_args!("the function {name}"))),
        }
    }

    fn arguments(&mut self, arguments: &[ast::Expression]) -> Result<Vec<Expr>> {
        arguments.iter().map(|a| self.expression(a)).collect()
    }

    /// `member.Properties("name"[, TYPED])`.
    fn properties_call(&mut self, arguments: &[ast::Expression], span: Span) -> Result<Expr> {
        let typed = arguments.get(2).is_some_and(|a| match &a.kind {
            ast::ExpressionKind::Identifier(i) => i.single().and_then(keyword) == Some("TYPED"),
            _ => false,
        });
        let mut args = self.arguments(&arguments[..arguments.len().min(2)])?;
        let [member, wanted] = args.as_mut_slice() else {
            return Err(self.no_match("Properties", Syntax::Method, &args, span));
        };
        let member = self.as_member(std::mem::replace(member, Expr::literal(Value::Empty, Kind::Null, span)));
        if member.ty.kind != Kind::Member {
            return Err(self.no_match("Properties", Syntax::Method, &[member, wanted.clone()], span));
        }
        let Some(text) = wanted.literal_text().map(str::to_owned) else {
            let args = vec![member, wanted.clone()];
            return self.choose("Properties of", Syntax::Method, args, span);
        };
        let property = match Property::intrinsic(&text) {
            Some(property) => property,
            None => {
                self.check_property(&member, &text, span)?;
                Property::Named(text)
            }
        };
        let _ = typed; // Values keep their type either way; formatting makes text of them where text is wanted.
        let deps = member.deps.clone();
        Ok(Expr::new(ExprKind::Property(Box::new(member), property), Type::of(Kind::Value), span, deps))
    }

    fn check_property(&self, member: &Expr, wanted: &str, span: Span) -> Result<()> {
        let Some(h) = member.ty.hierarchy() else { return Ok(()) };
        let hierarchy = &self.cube.hierarchy(h).hierarchy;
        let known = hierarchy.levels.iter().any(|l| l.properties.iter().any(|p| name::same(&p.name, wanted)));
        let of_calculated = || {
            self.members
                .calculated
                .iter()
                .zip(&self.formulas)
                .any(|(c, f)| c.hierarchy == h && f.properties.iter().any(|(n, _)| name::same(n, wanted)))
        };
        if known || of_calculated() || h == HierarchyId::MEASURES {
            return Ok(());
        }
        let error =
            error!(NotFound, "Property '{wanted}' is not valid for hierarchy '{}'", self.cube.hierarchy(h).unique_name);
        Err(self.error_at(error, span))
    }

    /// `Extract(set, hierarchy, …)`: the hierarchies must be known before evaluation.
    fn extract(&mut self, arguments: &[ast::Expression], span: Span) -> Result<Expr> {
        let mut args = self.arguments(arguments)?;
        if args.len() < 2 {
            return Err(self.no_match("Extract", Syntax::Function, &args, span));
        }
        let mut hierarchies = Vec::new();
        for (arg, written) in args.iter().zip(arguments).skip(1) {
            let h = match &arg.kind {
                ExprKind::Dimension(d) => self.default_hierarchy(*d),
                ExprKind::Hierarchy(h) => *h,
                _ => {
                    let error = error!(Type, "not a constant hierarchy: {}", facetta_mdx::mondrian_expression(written));
                    return Err(self.error_at(error, span));
                }
            };
            let known = args[0].ty.hierarchies.as_deref();
            if known.is_some_and(|all| !all.contains(&h)) {
                let name = &self.cube.hierarchy(h).unique_name;
                let error = error!(Type, "hierarchy {name} is not a hierarchy of the expression");
                return Err(self.error_at(error, span));
            }
            if hierarchies.contains(&h) {
                let name = &self.cube.hierarchy(h).unique_name;
                return Err(self.error_at(error!(HierarchyTwice, "hierarchy {name} is extracted more than once"), span));
            }
            hierarchies.push(h);
        }
        args.truncate(1);
        args.extend(
            hierarchies.iter().map(|h| Expr::constant(ExprKind::Hierarchy(*h), Type::on(Kind::Hierarchy, *h), span)),
        );
        let mut expr = self.choose("Extract of", Syntax::Function, args, span)?;
        let ty = Type::over(Kind::Set, hierarchies);
        if let ExprKind::Call(call) = &mut expr.kind {
            call.ty = ty.clone();
        }
        expr.ty = ty;
        Ok(expr)
    }

    /// Makes the set of an axis a named set without a name, for formulas that ask for it.
    pub(super) fn keep_axis(&mut self, number: usize, set: &Expr) {
        if !self.asks_for_axes {
            return;
        }
        if self.axis_sets.len() <= number {
            self.axis_sets.resize(number + 1, None);
        }
        self.axis_sets[number] = Some(self.sets.len());
        let null = ast::Expression { kind: ast::ExpressionKind::Null, span: Span::default() };
        let made = self.define_set("", Ok(null), facetta_model::Scope::Query);
        made.state = super::State::Done(std::sync::Arc::new(set.clone()));
    }

    /// `Axis(n)`: the set of an axis, before NON EMPTY.
    fn axis_set(&mut self, arguments: &[ast::Expression], span: Span) -> Result<Expr> {
        let args = self.arguments(arguments)?;
        let [Expr { kind: ExprKind::Literal(Value::Int(number)), .. }] = args.as_slice() else {
            return Err(self.no_match("Axis", Syntax::Function, &args, span));
        };
        let index = usize::try_from(*number).ok().and_then(|n| self.axis_sets.get(n).copied().flatten());
        match index {
            Some(index) => self.named(super::Named::Set(index), span),
            None => {
                let error =
                    error!(Invalid, "Axis({number}) is not known here; formulas of the statement may ask for its axes");
                Err(self.error_at(error, span))
            }
        }
    }

    /// `Dimensions(n)` and `Dimensions("name")`.
    fn dimensions(&mut self, arguments: &[ast::Expression], span: Span) -> Result<Expr> {
        let args = self.arguments(arguments)?;
        let found = match args.as_slice() {
            [Expr { kind: ExprKind::Literal(Value::Int(i)), .. }] => {
                let h = usize::try_from(*i).ok().filter(|&i| i < self.cube.hierarchies.len()).map(HierarchyId::from);
                h.ok_or_else(|| error!(Invalid, "Index '{i}' out of bounds"))
            }
            [Expr { kind: ExprKind::Literal(Value::Str(text)), .. }] => self.hierarchy_of_text(text),
            [_] => return self.choose("Dimensions of", Syntax::Function, args, span),
            _ => return Err(self.no_match("Dimensions", Syntax::Function, &args, span)),
        };
        let h = found.map_err(|e| self.error_at(e, span))?;
        Ok(Expr::constant(ExprKind::Hierarchy(h), Type::on(Kind::Hierarchy, h), span))
    }

    /// The hierarchy that a text names; of a dimension its default one.
    pub(crate) fn hierarchy_of_text(&self, text: &str) -> Result<HierarchyId> {
        match self.parsed_identifier(text)? {
            Some(super::Named::Dimension(d)) => Ok(self.default_hierarchy(d)),
            Some(super::Named::Hierarchy(h)) => Ok(h),
            _ => Err(error!(NotFound, "Dimension '{text}' not found")),
        }
    }

    fn parsed_identifier(&self, text: &str) -> Result<Option<super::Named>> {
        let parsed = facetta_mdx::parse_expression(text, self.context)?;
        Ok(match &parsed.kind {
            ast::ExpressionKind::Identifier(identifier) => self.find_whole(identifier),
            _ => None,
        })
    }

    /// `hierarchy.Levels(n)`, `hierarchy.Levels("name")`, `Levels("[Store].[Store City]")`.
    fn levels(&mut self, syntax: Syntax, arguments: &[ast::Expression], span: Span) -> Result<Expr> {
        let args = self.arguments(arguments)?;
        if let (Syntax::Function, [one]) = (syntax, args.as_slice())
            && let Some(text) = one.literal_text()
        {
            return match self.parsed_identifier(text)? {
                Some(named @ super::Named::Level(..)) => self.named(named, span),
                _ => Err(self.error_at(error!(NotFound, "Level '{text}' not found"), span)),
            };
        }
        self.choose("Levels of", Syntax::Method, args, span)
    }

    /// The member, tuple, set or value of a text: now if it is known, else for each coordinate.
    fn text_to(&mut self, name: &str, kind: Kind, arguments: &[ast::Expression], span: Span) -> Result<Expr> {
        let args = arguments
            .iter()
            .enumerate()
            .filter(|(i, a)| *i == 0 || !matches!(&a.kind, ast::ExpressionKind::Identifier(i) if i.single().and_then(keyword) == Some("CONSTRAINED")))
            .map(|(_, a)| self.expression(a))
            .collect::<Result<Vec<_>>>()?;
        let Some(text) = args.first() else { return Err(self.no_match(name, Syntax::Function, &args, span)) };
        let hierarchies = match args.get(1..) {
            Some(rest) if !rest.is_empty() => {
                let of = rest
                    .iter()
                    .map(|a| a.ty.hierarchy().filter(|_| matches!(a.ty.kind, Kind::Dimension | Kind::Hierarchy)));
                let Some(hierarchies) = of.collect::<Option<Vec<_>>>() else {
                    return Err(self.no_match(name, Syntax::Function, &args, span));
                };
                Some(hierarchies)
            }
            _ => None,
        };
        if let Some(hierarchies) = &hierarchies {
            for (i, h) in hierarchies.iter().enumerate() {
                if hierarchies[..i].contains(h) {
                    let name = &self.cube.hierarchy(*h).unique_name;
                    let error = error!(HierarchyTwice, "Tuple contains more than one member of hierarchy '{name}'.");
                    return Err(self.error_at(error, span));
                }
            }
        }
        if text.is_null() {
            let error = error!(Syntax, "An MDX expression was expected. An empty expression was specified.");
            return Err(self.error_at(error, span));
        }
        if let Some(text) = text.literal_text() {
            return self.text_now(text, kind, hierarchies.as_deref(), span);
        }
        let mut expr = self.choose(&format!("{name} of"), Syntax::Function, vec![args[0].clone()], span)?;
        if let Some(hierarchies) = hierarchies {
            let kind = if hierarchies.len() == 1 && kind == Kind::Tuple { Kind::Member } else { kind };
            expr.ty = Type::over(kind, hierarchies);
        }
        Ok(expr)
    }

    /// The expression that a text is, as the kind wanted.
    pub(crate) fn text_now(
        &mut self,
        text: &str,
        kind: Kind,
        hierarchies: Option<&[HierarchyId]>,
        span: Span,
    ) -> Result<Expr> {
        if text.trim().is_empty() {
            let error = error!(Syntax, "An MDX expression was expected. An empty expression was specified.");
            return Err(self.error_at(error, span));
        }
        let parsed =
            facetta_mdx::parse_expression(text, self.context).map_err(|e| Error::new(e.kind(), e.message()))?;
        let own_text = std::mem::replace(&mut self.own_text, false);
        let expr = match kind {
            Kind::Set => self.set(&parsed),
            Kind::Value => self.scalar(&parsed),
            _ => self.expression(&parsed).map(|e| self.as_member(e)),
        };
        self.own_text = own_text;
        let expr = expr.map_err(|e| self.error_at(e, span))?;
        let right = match kind {
            Kind::Member => expr.ty.kind == Kind::Member,
            Kind::Tuple => matches!(expr.ty.kind, Kind::Member | Kind::Tuple),
            _ => true,
        };
        if !right {
            let error = Error::new(ErrorKind::Type, format!("'{text}' is no {}", kind.text().to_lowercase()));
            return Err(self.error_at(error, span));
        }
        if let (Some(wanted), Some(found)) = (hierarchies, expr.ty.hierarchies.as_deref())
            && wanted != found
        {
            let names = |hs: &[HierarchyId]| {
                hs.iter().map(|h| self.cube.hierarchy(*h).unique_name.clone()).collect::<Vec<_>>().join(", ")
            };
            let error = error!(Type, "the members are of {}, expected were {}", names(found), names(wanted));
            return Err(self.error_at(error, span));
        }
        Ok(expr)
    }
}
