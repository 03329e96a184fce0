//! Cell calculations: their subcube, condition and formula, and the properties that say when they hold.

use super::definitions::{constant, parse_foreign, path_text, unresolved};
use super::{MemberFormula, Resolver};
use crate::evaluate::wrong_pass;
use crate::expr::{Expr, ExprKind};
use crate::program::CellCalculation;
use facetta_mdx::ast::{self, ExpressionKind};
use facetta_model::{HierarchyId, Result, Scope, Value, error, name};
use std::sync::Arc;

/// A cell calculation that is resolved after all names are known.
pub(super) struct CellFormula {
    pub(super) definition: ast::CellCalculation,
    pub(super) scope: Scope,
    /// The statement that made it, if it is not the query.
    pub(super) text: Option<Arc<str>>,
}

/// When a cell calculation holds.
struct Holds {
    disabled: bool,
    pass: u32,
    depth: u32,
    condition: Option<Expr>,
}

impl Resolver<'_> {
    /// The cell calculations that are enabled, in the order of their definitions. One that is not right is an error whoever made
    /// it: without it the cells would be others.
    pub(super) fn finish_cell_calculations(&mut self) -> Result<Vec<Arc<CellCalculation>>> {
        let mut all = Vec::new();
        for cell in std::mem::take(&mut self.cells) {
            self.own_text = cell.scope == Scope::Query;
            self.aliases.clear();
            let resolved = self.cell_calculation(&cell);
            self.own_text = true;
            match (resolved, &cell.text) {
                (Ok(calculation), _) => all.extend(calculation.map(Arc::new)),
                (Err(error), Some(text)) if !error.is_interrupt() => return Err(unresolved(text, &error)),
                (Err(error), _) => return Err(error),
            }
        }
        Ok(all)
    }

    fn cell_calculation(&mut self, cell: &CellFormula) -> Result<Option<CellCalculation>> {
        let written = &cell.definition;
        let name = path_text(&written.name);
        let parts = match &written.subcube.kind {
            ExpressionKind::Null => &[],
            ExpressionKind::Parentheses(parts) => parts.as_slice(),
            _ => std::slice::from_ref(&written.subcube),
        };
        let subcube = parts.iter().map(|part| self.set(part)).collect::<Result<Vec<Expr>>>()?;
        let mut properties = Vec::new();
        let holds = self.when_it_holds(written, &name, &mut properties)?;
        let member = MemberFormula {
            syntax: Arc::new(written.expression.clone()),
            properties,
            scope: cell.scope,
            hierarchy: HierarchyId::MEASURES,
            unique_name: name.clone(),
            text: None,
        };
        let formula = self.calculation(member)?;
        if let ExprKind::Failed(error) = &formula.formula.kind {
            return Err(error.clone());
        }
        let Holds { disabled, pass, depth, condition } = holds;
        let calculation = CellCalculation { name, subcube, condition, pass, depth, formula };
        Ok(if disabled { None } else { Some(calculation) })
    }

    /// The properties that say when a calculation holds; the others, which are those of its cells, go to `rest`.
    fn when_it_holds(
        &mut self,
        written: &ast::CellCalculation,
        name: &str,
        rest: &mut Vec<(String, ast::Expression)>,
    ) -> Result<Holds> {
        let mut holds = Holds { disabled: false, pass: 1, depth: 1, condition: None };
        for property in &written.properties {
            let (is, value) = (property.name.text.to_ascii_uppercase(), &property.value);
            let passes = |resolver: &Self| {
                let number = whole(value).and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0 && *n < u32::MAX);
                number.ok_or_else(|| resolver.error_at(wrong_pass(&is, name), value.span))
            };
            match is.as_str() {
                "CALCULATION_PASS_NUMBER" => holds.pass = passes(self)?,
                "CALCULATION_PASS_DEPTH" => holds.depth = passes(self)?,
                "DISABLED" => {
                    let error = error!(Invalid, "DISABLED of the cell calculation '{name}' is neither TRUE nor FALSE");
                    holds.disabled = truth(value).ok_or_else(|| self.error_at(error, value.span))?;
                }
                "CONDITION" => holds.condition = Some(self.condition(value)?),
                "SOLVE_ORDER" if whole(value).is_none() => {
                    let error = error!(Invalid, "SOLVE_ORDER of the cell calculation '{name}' is not a whole number");
                    return Err(self.error_at(error, value.span));
                }
                "SOLVE_ORDER" => {
                    let number = ExpressionKind::Int(whole(value).unwrap_or_default());
                    rest.push((is, ast::Expression { kind: number, span: value.span }));
                }
                _ => rest.push((property.name.text.to_string(), value.clone())),
            }
        }
        Ok(holds)
    }

    /// A condition: text in quotes is the formula itself.
    fn condition(&mut self, written: &ast::Expression) -> Result<Expr> {
        let ExpressionKind::String(text) = &written.kind else { return self.scalar(written) };
        let syntax = parse_foreign(text, self.context).map_err(|e| self.error_at(e, written.span))?;
        let own_text = std::mem::replace(&mut self.own_text, false);
        let resolved = self.scalar(&syntax);
        self.own_text = own_text;
        resolved.map_err(|e| self.error_at(e, written.span))
    }

    /// Takes in a cell calculation.
    pub(crate) fn define_cells(&mut self, definition: &ast::CellCalculation, scope: Scope, text: Option<Arc<str>>) {
        self.cells.push(CellFormula { definition: definition.clone(), scope, text });
    }
}

/// A whole number; it may stand in quotes.
fn whole(written: &ast::Expression) -> Option<i64> {
    match constant(written)? {
        Value::Int(number) => Some(number),
        Value::Str(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// TRUE or FALSE; it may stand in quotes.
fn truth(written: &ast::Expression) -> Option<bool> {
    let is = |text: &str| match () {
        () if name::same(text, "TRUE") => Some(true),
        () if name::same(text, "FALSE") => Some(false),
        () => None,
    };
    match &written.kind {
        ExpressionKind::String(text) => is(text.trim()),
        ExpressionKind::Int(number) => Some(*number != 0),
        ExpressionKind::Identifier(identifier) => is(&identifier.single()?.text),
        _ => None,
    }
}
