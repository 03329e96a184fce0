//! CREATE, DROP, ALTER, UPDATE and scripts.

use super::Printer;
use crate::ast::{
    CellCalculation, DefinitionScope, Expression, MemberDefinition, Property, SetDefinition, SetEvaluation, Statement,
    StatementKind, UpdateCell,
};
use std::fmt::Result;

impl Printer<'_> {
    /// The statements that [`Printer::statement`] leaves over.
    pub(super) fn definition_statement(&mut self, kind: &StatementKind) -> Result {
        match kind {
            StatementKind::CreateMember(create) => {
                self.create(create.scope, create.hidden)?;
                self.text("MEMBER ")?;
                self.member_definition(&create.member)
            }
            StatementKind::CreateSet(create) => {
                self.create(create.scope, create.hidden)?;
                self.set_definition(&create.set)
            }
            StatementKind::CreateSubcube(create) => {
                self.create(create.scope, false)?;
                self.text("SUBCUBE ")?;
                self.identifier(&create.name)?;
                self.text(" AS ")?;
                self.source(&create.source)
            }
            StatementKind::CreateCellCalculation(create) => {
                self.create(create.scope, false)?;
                self.text("CELL CALCULATION ")?;
                self.cell_calculation(&create.calculation)
            }
            StatementKind::CreateKpi(create) => {
                self.create(create.scope, false)?;
                self.text("KPI ")?;
                self.identifier(&create.name)?;
                self.text(" AS ")?;
                self.expression(&create.value)?;
                self.properties(&create.properties)
            }
            StatementKind::Drop(drop) => {
                self.text("DROP ")?;
                self.scope(drop.scope)?;
                write!(self.out, "{} ", drop.kind.text())?;
                self.identifiers(&drop.names)
            }
            _ => self.change_statement(kind),
        }
    }

    fn change_statement(&mut self, kind: &StatementKind) -> Result {
        match kind {
            StatementKind::AlterCube(alter) => {
                self.text("ALTER CUBE ")?;
                self.identifier(&alter.cube)?;
                self.text(" UPDATE DIMENSION ")?;
                self.identifier(&alter.hierarchy)?;
                self.text(", DEFAULT_MEMBER = ")?;
                self.expression(&alter.default_member)
            }
            StatementKind::Update(update) => {
                self.text("UPDATE CUBE ")?;
                if let Some(cube) = &update.cube {
                    self.identifier(cube)?;
                    self.text(" ")?;
                }
                self.text("SET ")?;
                self.list(&update.cells, ", ", Self::update_cell)
            }
            StatementKind::ClearCalculations(cube) => {
                self.text("CLEAR CALCULATIONS")?;
                if let Some(cube) = cube {
                    self.text(" FROM ")?;
                    self.identifier(cube)?;
                }
                Ok(())
            }
            StatementKind::Assignment(assignment) => self.assignment(&assignment.target, &assignment.value),
            StatementKind::Calculate => self.text("CALCULATE"),
            StatementKind::Freeze(subcube) if subcube.is_empty() => self.text("FREEZE"),
            StatementKind::Freeze(subcube) => {
                self.text("FREEZE (")?;
                self.expressions(subcube)?;
                self.text(")")
            }
            StatementKind::Scope(scope) => {
                self.text("SCOPE (")?;
                self.expressions(&scope.subcube)?;
                self.text("); ")?;
                self.body(&scope.body)?;
                self.text("END SCOPE")
            }
            StatementKind::If(block) => {
                self.text("IF ")?;
                self.expression(&block.condition)?;
                self.text(" THEN ")?;
                self.body(&block.then)?;
                if !block.otherwise.is_empty() {
                    self.text("ELSE ")?;
                    self.body(&block.otherwise)?;
                }
                self.text("END IF")
            }
            _ => Ok(()),
        }
    }

    fn create(&mut self, scope: Option<DefinitionScope>, hidden: bool) -> Result {
        self.text("CREATE ")?;
        self.scope(scope)?;
        if hidden { self.text("HIDDEN ") } else { Ok(()) }
    }

    fn scope(&mut self, scope: Option<DefinitionScope>) -> Result {
        match scope {
            Some(DefinitionScope::Session) => self.text("SESSION "),
            Some(DefinitionScope::Global) => self.text("GLOBAL "),
            None => Ok(()),
        }
    }

    pub(super) fn member_definition(&mut self, member: &MemberDefinition) -> Result {
        self.identifier(&member.name)?;
        self.text(" AS ")?;
        self.expression(&member.expression)?;
        self.properties(&member.properties)
    }

    pub(super) fn set_definition(&mut self, set: &SetDefinition) -> Result {
        match set.evaluation {
            Some(SetEvaluation::Dynamic) => self.text("DYNAMIC ")?,
            Some(SetEvaluation::Static) => self.text("STATIC ")?,
            None => {}
        }
        self.text("SET ")?;
        self.identifier(&set.name)?;
        self.text(" AS ")?;
        self.expression(&set.expression)?;
        self.properties(&set.properties)
    }

    pub(super) fn cell_calculation(&mut self, calculation: &CellCalculation) -> Result {
        self.identifier(&calculation.name)?;
        self.text(" FOR ")?;
        self.expression(&calculation.subcube)?;
        self.text(" AS ")?;
        self.expression(&calculation.expression)?;
        self.properties(&calculation.properties)
    }

    fn properties(&mut self, properties: &[Property]) -> Result {
        for property in properties {
            self.text(", ")?;
            self.name(&property.name)?;
            self.text(" = ")?;
            self.expression(&property.value)?;
        }
        Ok(())
    }

    fn update_cell(&mut self, cell: &UpdateCell) -> Result {
        self.assignment(&cell.target, &cell.value)?;
        if let Some(allocation) = cell.allocation {
            write!(self.out, " {}", allocation.text())?;
        }
        if let Some(weight) = &cell.weight {
            self.text(" BY ")?;
            self.expression(weight)?;
        }
        Ok(())
    }

    fn assignment(&mut self, target: &Expression, value: &Expression) -> Result {
        self.expression(target)?;
        self.text(" = ")?;
        self.expression(value)
    }

    /// Statements with a semicolon after each.
    fn body(&mut self, statements: &[Statement]) -> Result {
        for statement in statements {
            self.statement(statement)?;
            self.text("; ")?;
        }
        Ok(())
    }
}
