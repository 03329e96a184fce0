//! Calculated members and named sets: their names first, their formulas when all names are known.

use super::{MemberFormula, Named, Resolver, SetDefinition, State};
use crate::environment::{SessionDefinition, SessionSet};
use crate::expr::{Expr, ExprKind, Kind};
use crate::program::{Calculation, Made, Subselect};
use facetta_mdx::ast::{self, Segment};
use facetta_model::definition::{CalculatedMemberDef, Texts};
use facetta_model::{CalculatedMember, Error, HierarchyId, LevelId, MemberId, Result, Scope, Span, Value, error, name};
use std::sync::Arc;

/// Names of the property that holds the format.
const FORMATS: &[&str] = &["FORMAT_STRING", "FORMAT"];

/// Where a new member stands in its hierarchy.
struct Position {
    hierarchy: HierarchyId,
    parent: MemberId,
    level: LevelId,
    depth: u32,
}

/// A calculated member to be taken in.
struct NewMember<'a> {
    name: &'a str,
    texts: &'a Texts,
    position: Position,
    properties: Vec<(String, ast::Expression)>,
    scope: Scope,
}

impl Resolver<'_> {
    /// Takes in what the cube and the session define.
    pub(super) fn define_cube_and_session(&mut self) -> Result<()> {
        let cube = self.cube.clone();
        self.own_text = false;
        for definition in &cube.calculated_members {
            self.define_cube_member(definition)?;
        }
        for definition in &cube.named_sets {
            let syntax = parse_foreign(&definition.formula, self.context);
            let made = self.define_set(&definition.name, syntax, Scope::Cube);
            made.texts = definition.texts.clone();
        }
        self.define_kpis()?;
        let session = self.query.session.clone();
        for one in session.members.iter().filter(|d| name::same(&d.cube, &cube.name)) {
            let mut texts = Texts { visible: one.visible, ..Texts::default() };
            self.define_kept_member(one, &mut texts)?;
        }
        for one in session.sets.iter().filter(|d| name::same(&d.made.cube, &cube.name)) {
            self.define_kept_set(one);
        }
        for one in session.cell_calculations.iter().filter(|d| name::same(&d.cube, &cube.name)) {
            self.define_cells(&one.definition, one.scope, Some(one.text.clone()));
        }
        self.own_text = true;
        Ok(())
    }

    /// What the session's subcubes leave of the cube, the newest first. Names mean what they mean in the whole cube.
    pub(super) fn session_subcubes(&mut self) -> Result<Vec<Subselect>> {
        let (session, cube) = (self.query.session.clone(), self.cube.clone());
        self.own_text = false;
        let mut all = Vec::new();
        let own = session.subcubes.iter().filter(|d| name::same(&d.cube, &cube.name));
        let resolved = own.rev().try_for_each(|one| {
            let wrong = |e: Error| if e.is_interrupt() { e } else { unresolved(&one.text, &e) };
            self.subselects(&one.definition, &mut all).map_err(wrong)
        });
        self.own_text = true;
        resolved.map(|()| all)
    }

    /// Takes in what WITH defines.
    pub(super) fn define_query(&mut self, with: &[ast::Definition]) -> Result<()> {
        for definition in with {
            match definition {
                ast::Definition::Member(member) => self.define_member(member, Scope::Query, &mut Texts::default())?,
                ast::Definition::Set(set) => {
                    self.define_set_syntax(set, Scope::Query);
                }
                ast::Definition::CellCalculation(cells) => self.define_cells(cells, Scope::Query, None),
                ast::Definition::Cache(_) => {}
            }
        }
        Ok(())
    }

    /// Takes in a member that is kept as text. Where it has no place any more, its use is an error that names it, and nothing else.
    fn define_kept_member(&mut self, one: &SessionDefinition<ast::MemberDefinition>, texts: &mut Texts) -> Result<()> {
        match self.define_member(&one.definition, one.scope, texts) {
            Ok(()) => {
                if let Some(formula) = self.formulas.last_mut() {
                    formula.text = Some(one.text.clone());
                }
                Ok(())
            }
            Err(error) if error.is_interrupt() => Err(error),
            Err(error) => {
                self.broken.push((one.definition.name.clone(), unresolved(&one.text, &error)));
                Ok(())
            }
        }
    }

    pub(super) fn define_cube_member(&mut self, definition: &CalculatedMemberDef) -> Result<()> {
        let syntax = parse_foreign(&definition.formula, self.context);
        let hierarchy = match self.object(&definition.hierarchy)? {
            Some(Named::Hierarchy(h)) => h,
            Some(Named::Dimension(d)) => self.default_hierarchy(d),
            _ => {
                return Err(error!(
                    Definition,
                    "hierarchy '{}' of member '{}' not found", definition.hierarchy, definition.name
                ));
            }
        };
        let position = match &definition.parent {
            Some(parent) => match self.object(parent)? {
                Some(Named::Member(h, m)) if h == hierarchy => self.below(h, m)?,
                _ => return Err(error!(Definition, "parent '{parent}' of member '{}' not found", definition.name)),
            },
            None => self.at_top(hierarchy),
        };
        let mut properties = Vec::new();
        for (name, text) in &definition.properties {
            properties.push((name.clone(), parse_foreign(text, self.context)?));
        }
        let new =
            NewMember { name: &definition.name, texts: &definition.texts, position, properties, scope: Scope::Cube };
        self.add(new, Arc::new(syntax?))
    }

    /// The object that a text names.
    fn object(&self, text: &str) -> Result<Option<Named>> {
        match parse_foreign(text, self.context)?.kind {
            ast::ExpressionKind::Identifier(identifier) => Ok(self.find_whole(&identifier)),
            _ => Ok(None),
        }
    }

    /// Takes in a member; its formula is looked at later.
    pub(crate) fn define_member(
        &mut self,
        member: &ast::MemberDefinition,
        scope: Scope,
        texts: &mut Texts,
    ) -> Result<()> {
        let mut segments = member.name.segments.as_slice();
        // CREATE names the cube first.
        if let Some(first) = segments.first().and_then(Segment::name)
            && segments.len() > 2
            && (name::same(&first.text, &self.cube.name) || first.is_word("CURRENTCUBE"))
            && self.find(&segments[1..]).is_some()
        {
            segments = &segments[1..];
        }
        let (last, parent) = match segments {
            [] => return Err(error!(Syntax, "a member has no name")),
            [only] => (only, &[][..]),
            [parent @ .., last] => (last, parent),
        };
        let Some(last) = last.name() else {
            return Err(self.error_at(error!(Invalid, "the name of a calculated member cannot be a key"), member.span));
        };
        let position = match self.find(parent).filter(|(_, used)| *used == parent.len()) {
            _ if parent.is_empty() => self.at_top(HierarchyId::MEASURES),
            Some((Named::Dimension(d), _)) => self.at_top(self.default_hierarchy(d)),
            Some((Named::Hierarchy(h), _)) => self.at_top(h),
            Some((Named::Member(h, m), _)) => self.below(h, m).map_err(|e| self.error_at(e, member.span))?,
            Some((Named::Level(h, l), _)) => Position { hierarchy: h, parent: MemberId::NULL, level: l, depth: l.0 },
            _ => return Err(self.not_found(&member.name)),
        };
        let own = |p: &&ast::Property| p.name.is_word("CAPTION") || name::same(&p.name.text, "MEMBER_CAPTION");
        if let Some(ast::ExpressionKind::String(caption)) = member.properties.iter().find(own).map(|p| &p.value.kind) {
            texts.caption = Some(caption.to_string());
        }
        for property in &member.properties {
            match (&property.value.kind, property.name.text.to_ascii_uppercase().as_str()) {
                (ast::ExpressionKind::Int(i), "VISIBLE") => texts.visible = *i != 0,
                (ast::ExpressionKind::String(s), "DISPLAY_FOLDER") => texts.display_folder = Some(s.to_string()),
                (ast::ExpressionKind::String(s), "DESCRIPTION") => texts.description = Some(s.to_string()),
                (ast::ExpressionKind::String(class), "CELL_FORMATTER") => {
                    let path = crate::resolve::definitions::path_text(&member.name);
                    let error = error!(Invalid, "Failed to load formatter class '{class}' for member '{path}'.");
                    return Err(self.error_at(error, member.span));
                }
                _ => {}
            }
        }
        let properties = member.properties.iter().map(|p| (p.name.text.to_string(), p.value.clone())).collect();
        let new = NewMember { name: &last.text, texts, position, properties, scope };
        self.add(new, Arc::new(member.expression.clone()))
    }

    fn at_top(&self, hierarchy: HierarchyId) -> Position {
        Position { hierarchy, parent: MemberId::NULL, level: LevelId(0), depth: 0 }
    }

    fn below(&self, hierarchy: HierarchyId, parent: MemberId) -> Result<Position> {
        let h = &self.cube.hierarchy(hierarchy).hierarchy;
        let level = self.members.level(hierarchy, parent);
        let depth = self.members.depth(hierarchy, parent) + 1;
        if hierarchy == HierarchyId::MEASURES || level == h.leaf_level() && !h.parent_child {
            return Err(error!(
                Invalid,
                "The calculated member cannot be created because its parent is at the lowest level in the {} hierarchy.",
                self.cube.hierarchy(hierarchy).unique_name
            ));
        }
        let level = if level == h.leaf_level() { level } else { LevelId(level.0 + 1) };
        Ok(Position { hierarchy, parent, level, depth })
    }

    fn add(&mut self, new: NewMember<'_>, syntax: Arc<ast::Expression>) -> Result<()> {
        let NewMember { name, texts, position, properties, scope } = new;
        let Position { hierarchy, parent, level, depth } = position;
        let mut unique_name = match parent {
            MemberId::NULL => self.cube.hierarchy(hierarchy).unique_name.clone(),
            parent => self.members.unique_name(hierarchy, parent),
        };
        unique_name.push('.');
        name::quote_into(&mut unique_name, name);
        let constants = properties.iter().filter_map(|(n, e)| Some((n.clone(), constant(e)?))).collect();
        self.members.calculated.push(Arc::new(CalculatedMember {
            hierarchy,
            name: name.to_owned(),
            texts: texts.clone(),
            unique_name: unique_name.clone(),
            parent,
            level,
            depth,
            scope,
            formula: facetta_mdx::mondrian_expression(&syntax).into(),
            properties: constants,
            original: MemberId::NULL,
        }));
        self.formulas.push(MemberFormula { syntax, properties, scope, hierarchy, unique_name, text: None });
        Ok(())
    }

    /// Takes in a set that is kept as text.
    fn define_kept_set(&mut self, one: &SessionSet) {
        let Some(set) = self.define_set_syntax(&one.made.definition, one.made.scope) else { return };
        set.texts.visible = one.made.visible;
        set.text = Some(one.made.text.clone());
        if !set.dynamic {
            set.made = Some(Made { subcubes: one.subcubes, tuples: one.tuples.clone() });
        }
    }

    fn define_set_syntax(&mut self, set: &ast::SetDefinition, scope: Scope) -> Option<&mut SetDefinition> {
        let last = set.name.segments.last().and_then(Segment::name)?;
        let made = self.define_set(&last.text, Ok(set.expression.clone()), scope);
        made.dynamic = set.evaluation == Some(ast::SetEvaluation::Dynamic);
        for property in &set.properties {
            let ast::ExpressionKind::String(text) = &property.value.kind else { continue };
            match property.name.text.to_ascii_uppercase().as_str() {
                "CAPTION" | "SET_CAPTION" => made.texts.caption = Some(text.to_string()),
                "DISPLAY_FOLDER" => made.texts.display_folder = Some(text.to_string()),
                "DESCRIPTION" => made.texts.description = Some(text.to_string()),
                _ => {}
            }
        }
        Some(made)
    }

    /// Takes in a named set.
    pub(super) fn define_set(
        &mut self,
        name: &str,
        syntax: Result<ast::Expression>,
        scope: Scope,
    ) -> &mut SetDefinition {
        let (syntax, state) = match syntax {
            Ok(syntax) => (syntax, State::Waiting),
            Err(error) => {
                (ast::Expression { kind: ast::ExpressionKind::Null, span: Span::default() }, State::Failed(error))
            }
        };
        let at = self.sets.len();
        self.sets.push(SetDefinition {
            name: name.to_owned(),
            scope,
            texts: Texts::default(),
            dynamic: false,
            text: None,
            made: None,
            syntax: Arc::new(syntax),
            state,
            iteration: None,
            inline: false,
        });
        &mut self.sets[at]
    }

    /// Resolves the named set that was defined last; its position.
    pub(crate) fn resolve_newest_set(&mut self) -> Result<Option<usize>> {
        let Some(newest) = self.sets.len().checked_sub(1) else { return Ok(None) };
        self.resolved_set(newest).map(|_| Some(newest))
    }

    /// Resolves every set and formula of the query, so that its mistakes are told even where it does not use them.
    pub(super) fn resolve_query_sets(&mut self) -> Result<()> {
        for index in 0..self.sets.len() {
            let resolved = self.resolved_set(index);
            if self.sets[index].scope == Scope::Query {
                resolved?;
            }
        }
        Ok(())
    }

    /// Resolves the formula and the properties of the member defined last.
    pub(crate) fn check_newest_member(&mut self) -> Result<()> {
        self.formulas.pop().map_or(Ok(()), |newest| self.calculation(newest).map(|_| ()))
    }

    /// The calculation of a member: its formula, solve order, format and other properties.
    pub(super) fn calculation(&mut self, member: MemberFormula) -> Result<Calculation> {
        self.own_text = member.scope == Scope::Query;
        self.aliases.clear();
        let formula = self.formula(&member);
        let wrong = |error: Error| {
            let error = member.text.as_ref().map_or(error.clone(), |text| unresolved(text, &error));
            super::failed(error, Kind::Value)
        };
        let formula = match formula {
            Err(error) if member.scope != Scope::Query => wrong(error),
            other => other?,
        };
        let (mut solve_order, mut format, mut properties) = (0, None, Vec::new());
        for (name, syntax) in &member.properties {
            if name::same(name, "SOLVE_ORDER") {
                solve_order = constant(syntax).and_then(|v| v.as_f64()).unwrap_or(0.0) as i32;
                continue;
            }
            let resolved = match self.property_formula(name, syntax) {
                Err(error) if member.scope != Scope::Query => wrong(error),
                other => other?,
            };
            let resolved = Arc::new(resolved);
            if FORMATS.iter().any(|f| name::same(f, name)) {
                format.get_or_insert(resolved.clone());
            }
            properties.push((name.clone(), resolved));
        }
        self.own_text = true;
        Ok(Calculation {
            hierarchy: member.hierarchy,
            solve_order,
            scope: member.scope,
            formula: Arc::new(formula),
            format,
            parts: None,
            properties,
        })
    }

    fn formula(&mut self, member: &MemberFormula) -> Result<Expr> {
        let expr = self.expression(&member.syntax.clone())?;
        match expr.ty.kind {
            Kind::Set => {
                let name = facetta_mdx::mondrian_expression(&member.syntax);
                let error = error!(Type, "Member expression '{name}' must not be a set");
                Err(self.error_at(error, member.syntax.span))
            }
            kind if kind.is_scalar() => Ok(expr),
            Kind::Level | Kind::Missing | Kind::Symbol => {
                Err(self.error_at(error!(Type, "'{}' is no value", member.unique_name), member.syntax.span))
            }
            _ => Ok(self.as_cell(expr)),
        }
    }

    /// A property's value: text that is a formula, where the property is one of those.
    fn property_formula(&mut self, name: &str, syntax: &ast::Expression) -> Result<Expr> {
        // The tree keeps `FORMAT_STRING = 'IIf(…)'` as text: only an expression written bare is evaluated.
        let _ = name;
        self.scalar(syntax)
    }

    /// The formats of calculations without one of their own: that of whole numbers, or of the first measure in the formula,
    /// which may itself have it from another.
    pub(super) fn inherit_formats(&self, calculations: &mut [Calculation]) {
        let text = |t: &str| Arc::new(Expr::literal(Value::str(t), Kind::String, Span::default()));
        for index in 0..calculations.len() {
            let mut at = index;
            let mut found = None;
            // Measures that name each other in a circle have no format.
            for _ in 0..calculations.len() {
                let calculation = &calculations[at];
                if calculation.format.is_some() {
                    found.clone_from(&calculation.format);
                    break;
                }
                if calculation.formula.ty.kind == Kind::Integer {
                    found = Some(text("#,##0"));
                    break;
                }
                if calculation.hierarchy != HierarchyId::MEASURES {
                    break;
                }
                let Some(measure) = first_measure(&calculation.formula) else {
                    found = self.compatibility().format_without_measure().map(text);
                    break;
                };
                match measure.calculated_index().filter(|i| *i < calculations.len()) {
                    Some(next) => at = next,
                    None => {
                        found = self.cube.measures.get(measure.index()).and_then(|m| m.format.as_deref()).map(text);
                        break;
                    }
                }
            }
            calculations[index].format = found;
        }
    }
}

/// The first measure that an expression names.
fn first_measure(expr: &Expr) -> Option<MemberId> {
    match &expr.kind {
        ExprKind::Member(HierarchyId::MEASURES, m) => Some(*m),
        ExprKind::Tuple(parts) | ExprKind::Braces(parts) | ExprKind::Scalar(_, parts) => {
            parts.iter().find_map(first_measure)
        }
        ExprKind::Cell(inner) | ExprKind::Alias(_, inner) => first_measure(inner),
        ExprKind::Call(call) => call.args.iter().find_map(first_measure),
        ExprKind::Case(branches, otherwise) => {
            let in_branch = |(c, r): &(Expr, Expr)| first_measure(c).or_else(|| first_measure(r));
            branches.iter().find_map(in_branch).or_else(|| otherwise.as_deref().and_then(first_measure))
        }
        _ => None,
    }
}

/// The value of an expression that is a literal.
pub(super) fn constant(syntax: &ast::Expression) -> Option<Value> {
    match &syntax.kind {
        ast::ExpressionKind::Int(i) => Some(Value::Int(*i)),
        ast::ExpressionKind::Double(d) => Some(Value::Double(*d)),
        ast::ExpressionKind::String(s) => Some(Value::str(s)),
        ast::ExpressionKind::Prefix(p) if p.operator == ast::PrefixOperator::Minus => match constant(&p.operand)? {
            Value::Int(i) => Some(Value::Int(-i)),
            Value::Double(d) => Some(Value::Double(-d)),
            _ => None,
        },
        _ => None,
    }
}

/// That a definition, which was right when it was made, is not any more.
pub(super) fn unresolved(text: &str, why: &Error) -> Error {
    error!(Unresolved, "The definition '{text}' cannot be used any more: {}", why.message())
}

pub(super) fn parse_foreign(text: &str, context: &facetta_model::Context) -> Result<ast::Expression> {
    facetta_mdx::parse_expression(text, context)
        .map_err(|e| Error::new(e.kind(), format!("{} in '{text}'", e.message())))
}

/// A dotted name in brackets.
pub(crate) fn path_text(identifier: &ast::Identifier) -> String {
    let mut out = String::new();
    for name in identifier.segments.iter().filter_map(Segment::name) {
        if !out.is_empty() {
            out.push('.');
        }
        name::quote_into(&mut out, &name.text);
    }
    out
}
