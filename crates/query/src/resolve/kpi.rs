//! Key performance indicators: their parts as hidden measures, and the functions that name these.

use super::{Named, Resolver};
use crate::expr::{Expr, Kind};
use crate::functions::Syntax;
use facetta_mdx::ast;
use facetta_model::definition::{CalculatedMemberDef, DimensionKind, KpiDef, Texts};
use facetta_model::{HierarchyId, Result, Span, Value, error, name};

/// The parts of an indicator: the function that yields it, its name, and its formula in the definition.
type Part = (&'static str, &'static str, fn(&KpiDef) -> Option<&str>);

const PARTS: &[Part] = &[
    ("KPIVALUE", "Value", |k| Some(&k.value)),
    ("KPIGOAL", "Goal", |k| k.goal.as_deref()),
    ("KPISTATUS", "Status", |k| k.status.as_deref()),
    ("KPITREND", "Trend", |k| k.trend.as_deref()),
    // A definition says no weight.
    ("KPIWEIGHT", "Weight", |_| None),
];

impl Resolver<'_> {
    /// Takes in each part that is more than a measure as a hidden calculated measure.
    pub(super) fn define_kpis(&mut self) -> Result<()> {
        let cube = self.cube.clone();
        for kpi in &cube.kpis {
            for (_, part, formula) in PARTS {
                let Some(formula) = formula(kpi) else { continue };
                if self.measure(formula).is_some() || facetta_mdx::parse_expression(formula, self.context).is_err() {
                    continue;
                }
                self.define_cube_member(&CalculatedMemberDef {
                    name: format!("{} {part}", kpi.name),
                    texts: Texts { visible: false, ..Texts::default() },
                    hierarchy: "[Measures]".to_owned(),
                    parent: None,
                    formula: formula.to_owned(),
                    properties: Vec::new(),
                    place: kpi.place.clone(),
                })?;
            }
        }
        Ok(())
    }

    /// The measure that a formula names, if it is nothing else.
    fn measure(&self, formula: &str) -> Option<Named> {
        let parsed = facetta_mdx::parse_expression(formula, self.context).ok()?;
        let ast::ExpressionKind::Identifier(identifier) = &parsed.kind else { return None };
        self.find_whole(identifier).filter(|named| matches!(named, Named::Member(HierarchyId::MEASURES, _)))
    }

    /// `KPIValue("name")` and its kin: the measure that the part is; `KPICurrentTimeMember`: the current member of time.
    pub(super) fn kpi_call(&mut self, function: &str, arguments: &[ast::Expression], span: Span) -> Result<Expr> {
        let args = arguments.iter().map(|a| self.expression(a)).collect::<Result<Vec<_>>>()?;
        let [Some(wanted)] = args.iter().map(Expr::literal_text).collect::<Vec<_>>()[..] else {
            return Err(self.no_match(function, Syntax::Function, &args, span));
        };
        let cube = self.cube.clone();
        let Some(kpi) = cube.kpis.iter().find(|k| name::same(&k.name, wanted)) else {
            return Err(self.error_at(error!(NotFound, "KPI '{wanted}' not found in cube '{}'", cube.name), span));
        };
        let Some((_, part, formula)) = PARTS.iter().find(|(f, ..)| f.eq_ignore_ascii_case(function)) else {
            return self.current_time(span);
        };
        let Some(formula) = formula(kpi) else { return Ok(Expr::literal(Value::Empty, Kind::Null, span)) };
        if let Some(measure) = self.measure(formula) {
            return self.named(measure, span);
        }
        let hidden = format!("[Measures].{}", name::quote(&format!("{} {part}", kpi.name)));
        match self.measure(&hidden) {
            Some(measure) => self.named(measure, span),
            None => {
                let error =
                    error!(Definition, "The {} of KPI '{wanted}' is no expression: {formula}", part.to_lowercase());
                Err(self.error_at(error, span))
            }
        }
    }

    fn current_time(&self, span: Span) -> Result<Expr> {
        let time = self.cube.dimensions.iter().position(|d| d.dimension.kind == DimensionKind::Time);
        let dimension = time.ok_or_else(|| error!(NotFound, "The cube '{}' has no time dimension", self.cube.name))?;
        Ok(self.as_member(self.dimension(dimension, span)))
    }
}
