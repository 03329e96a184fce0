//! Properties of cells: format strings and the like, which the calculation that made the value brings with it.

use super::{Batch, Col, Evaluator, Values};
use crate::coordinate::{Place, place};
use crate::expr::{Coordinates, Expr, ExprKind, Kind, Type};
use crate::program::Calculation;
use facetta_model::{CalculatedMember, CellProperty, HierarchyId, MemberId, Result, Scope, Span, Value};
use std::sync::Arc;

impl Evaluator {
    /// FORMAT_STRING of each cell: of the calculated member with the highest solve order that has one, else of the measure.
    pub(crate) fn format_strings(&self, batch: &Batch) -> Result<Values> {
        self.cell_texts(batch, &|c| c.format.clone(), &|m| {
            let measure = self.cube.measures.get(m.index())?;
            measure.format.as_deref().map(Value::str)
        })
    }

    /// Whether a format of a measure or calculation shows something for null.
    pub(crate) fn a_format_shows_null(&self) -> bool {
        let shows = |text: &str| text.contains(';') && crate::format::Format::parse(text).shows_null();
        let measures = self.cube.measures.iter().filter_map(|m| m.format.as_deref()).any(shows);
        measures || self.program.calculations.iter().filter_map(|c| c.format.as_deref()).any(|e| any_text(e, &shows))
    }

    /// A property for each row: from calculations by `of`, else from the stored measure.
    fn cell_texts(
        &self,
        batch: &Batch,
        of: &dyn Fn(&Calculation) -> Option<Arc<Expr>>,
        of_measure: &dyn Fn(MemberId) -> Option<Value>,
    ) -> Result<Values> {
        let special = self.special(batch);
        let of_cells = self.cell_calculations(batch)?;
        let varying = special.iter().any(|&i| matches!(batch.columns()[i], super::Column::Many(_)))
            || matches!(batch.columns()[0], super::Column::Many(_))
            || !of_cells.is_empty();
        let rows = if varying { batch.len } else { 1 };
        let mut out = vec![Value::Empty; rows];
        // Rows that share an expression are evaluated together.
        let mut shared: Vec<(Arc<Expr>, Vec<u32>)> = Vec::new();
        for (row, out) in out.iter_mut().enumerate() {
            let own = of_cells.get(row).and_then(|c| c.as_ref().and_then(|c| of(&c.formula)));
            let mut best: Option<(i32, Arc<Expr>)> = own.map(|expr| (i32::MAX, expr));
            for &i in &special {
                let Place::Calculated(index) = place(batch.columns()[i].get(row)) else { continue };
                let calculation = self.calculation(index)?;
                if let Some(expr) = of(&calculation)
                    && best.as_ref().is_none_or(|(order, _)| calculation.solve_order > *order)
                {
                    best = Some((calculation.solve_order, expr));
                }
            }
            match best {
                Some((_, expr)) => match shared.iter_mut().find(|(e, _)| Arc::ptr_eq(e, &expr)) {
                    Some((_, rows)) => rows.push(row as u32),
                    None => shared.push((expr, vec![row as u32])),
                },
                None => {
                    if let Place::Stored(m) = place(batch.get(HierarchyId::MEASURES, row)) {
                        *out = of_measure(m).unwrap_or_default();
                    }
                }
            }
        }
        for (expr, rows) in shared {
            if !varying {
                return self.values(&expr, batch);
            }
            let values = self.values(&expr, &batch.select(&rows))?;
            rows.iter().enumerate().for_each(|(at, &row)| out[row as usize] = values.get(at).clone());
        }
        Ok(if varying { Col::Many(out) } else { Col::One(out.swap_remove(0)) })
    }

    /// Any other cell property of each row; empty where nothing sets it.
    pub(crate) fn cell_property(&self, property: CellProperty, batch: &Batch, formats: &Values) -> Result<Vec<Value>> {
        let name = match property {
            CellProperty::FormatString => {
                let text = |row: usize| match formats.get(row) {
                    Value::Empty => Value::str("Standard"),
                    v => v.clone(),
                };
                return Ok((0..batch.len).map(text).collect());
            }
            CellProperty::BackColor => "BACK_COLOR",
            CellProperty::ForeColor => "FORE_COLOR",
            CellProperty::FontName => "FONT_NAME",
            CellProperty::FontSize => "FONT_SIZE",
            CellProperty::FontFlags => "FONT_FLAGS",
            CellProperty::Language => "LANGUAGE",
            CellProperty::NonEmptyBehavior => "NON_EMPTY_BEHAVIOR",
            CellProperty::SolveOrder => "SOLVE_ORDER",
            CellProperty::ActionType => "ACTION_TYPE",
            CellProperty::Updateable => "UPDATEABLE",
            CellProperty::CellEvaluationList => "CELL_EVALUATION_LIST",
            CellProperty::Value | CellProperty::FormattedValue | CellProperty::CellOrdinal => {
                return Ok(vec![Value::Empty; batch.len]);
            }
        };
        let values = self.cell_texts(batch, &|c| c.property(name).cloned(), &|_| None)?;
        Ok((0..batch.len).map(|row| values.get(row).clone()).collect())
    }

    /// Makes a calculated member that is another look at the coordinate `at`.
    pub(crate) fn add_look(&self, look: CalculatedMember, at: MemberId) -> MemberId {
        let hierarchy = look.hierarchy;
        let mut deps = Coordinates::first(self.cube.hierarchies.len());
        deps.remove(hierarchy.index());
        let member =
            Expr::constant(ExprKind::Member(hierarchy, at), Type::on(Kind::Member, hierarchy), Span::default());
        let cell = Expr::new(ExprKind::Cell(Box::new(member)), Type::of(Kind::Value), Span::default(), deps);
        let calculation = Calculation {
            hierarchy,
            solve_order: 0,
            scope: Scope::Query,
            formula: Arc::new(cell),
            format: None,
            parts: None,
            properties: Vec::new(),
        };
        self.add_member(look, calculation)
    }
}

/// Whether a literal text in an expression is as `holds` says.
fn any_text(expr: &Expr, holds: &dyn Fn(&str) -> bool) -> bool {
    match &expr.kind {
        ExprKind::Literal(Value::Str(text)) => holds(text),
        ExprKind::Scalar(_, args) => args.iter().any(|a| any_text(a, holds)),
        ExprKind::Call(call) => call.args.iter().any(|a| any_text(a, holds)),
        ExprKind::Case(branches, otherwise) => {
            branches.iter().any(|(_, r)| any_text(r, holds)) || otherwise.as_deref().is_some_and(|o| any_text(o, holds))
        }
        _ => false,
    }
}
