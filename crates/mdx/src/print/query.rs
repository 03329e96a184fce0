//! Queries, drill-throughs and the dispatch over statements.

use super::{Printer, Style};
use crate::ast::{Axis, Definition, Drillthrough, Expression, Select, Source, Statement, StatementKind, Subselect};
use crate::grammar::AXIS_NAMES;
use std::fmt::Result;

impl Printer<'_> {
    pub(super) fn statement(&mut self, statement: &Statement) -> Result {
        match &statement.kind {
            StatementKind::Select(select) => self.select(select),
            StatementKind::Drillthrough(drillthrough) => self.drillthrough(drillthrough),
            StatementKind::Explain(statement) => {
                self.text("EXPLAIN PLAN FOR ")?;
                self.statement(statement)
            }
            StatementKind::Dmv(select) => self.dmv(select),
            StatementKind::RefreshCube(cube) => {
                self.text("REFRESH CUBE ")?;
                self.identifier(cube)
            }
            StatementKind::Call(call) => {
                self.text("CALL ")?;
                self.expression(call)
            }
            StatementKind::UseLibrary(libraries) if libraries.is_empty() => self.text("USE LIBRARY"),
            StatementKind::UseLibrary(libraries) => {
                self.text("USE LIBRARY ")?;
                self.expressions(libraries)
            }
            StatementKind::BeginTransaction => self.text("BEGIN TRANSACTION"),
            StatementKind::CommitTransaction => self.text("COMMIT TRANSACTION"),
            StatementKind::RollbackTransaction => self.text("ROLLBACK TRANSACTION"),
            _ => self.definition_statement(&statement.kind),
        }
    }

    fn select(&mut self, select: &Select) -> Result {
        if self.style == Style::Mondrian {
            return self.mondrian_select(select);
        }
        for (i, definition) in select.with.iter().enumerate() {
            self.text(if i == 0 { "WITH " } else { " " })?;
            self.definition(definition)?;
        }
        self.text(if select.with.is_empty() { "SELECT " } else { " SELECT " })?;
        self.axes_from(&select.axes, &select.source, select.slicer.as_ref())?;
        if !select.cell_properties.is_empty() {
            self.text(" CELL PROPERTIES ")?;
            self.identifiers(&select.cell_properties)?;
        }
        Ok(())
    }

    /// `axes FROM source [WHERE slicer]`.
    fn axes_from(&mut self, axes: &[Axis], source: &Source, slicer: Option<&Expression>) -> Result {
        self.list(axes, ", ", Self::axis)?;
        self.text(if axes.is_empty() { "FROM " } else { " FROM " })?;
        self.source(source)?;
        if let Some(slicer) = slicer {
            self.text(" WHERE ")?;
            self.expression(slicer)?;
        }
        Ok(())
    }

    fn definition(&mut self, definition: &Definition) -> Result {
        match definition {
            Definition::Member(member) => {
                self.text("MEMBER ")?;
                self.member_definition(member)
            }
            Definition::Set(set) => self.set_definition(set),
            Definition::CellCalculation(calculation) => {
                self.text("CELL CALCULATION ")?;
                self.cell_calculation(calculation)
            }
            Definition::Cache(set) => {
                self.text("CACHE AS ")?;
                self.expression(set)
            }
        }
    }

    fn axis(&mut self, axis: &Axis) -> Result {
        if axis.non_empty {
            self.text("NON EMPTY ")?;
        }
        self.expression(&axis.set)?;
        if let Some(having) = &axis.having {
            self.text(" HAVING ")?;
            self.expression(having)?;
        }
        if !axis.properties.is_empty() {
            self.text(" DIMENSION PROPERTIES ")?;
            self.identifiers(&axis.properties)?;
        }
        match AXIS_NAMES.get(axis.ordinal as usize) {
            Some(name) => write!(self.out, " ON {name}"),
            None => write!(self.out, " ON AXIS({})", axis.ordinal),
        }
    }

    pub(super) fn source(&mut self, source: &Source) -> Result {
        match source {
            Source::Cube(cube) => self.identifier(cube),
            Source::Subselect(subselect) => self.subselect(subselect),
        }
    }

    fn subselect(&mut self, subselect: &Subselect) -> Result {
        self.text(if subselect.non_visual { "NON VISUAL (SELECT " } else { "(SELECT " })?;
        self.axes_from(&subselect.axes, &subselect.source, subselect.slicer.as_ref())?;
        self.text(")")
    }

    fn drillthrough(&mut self, drillthrough: &Drillthrough) -> Result {
        let mondrian = self.style == Style::Mondrian;
        let word = |canonical: &'static str, other: &'static str| if mondrian { other } else { canonical };
        self.text(word("DRILLTHROUGH", "drillthrough"))?;
        if let Some(rows) = drillthrough.max_rows {
            write!(self.out, " {} {rows}", word("MAXROWS", "maxrows"))?;
        }
        if let Some(first) = drillthrough.first_rowset {
            write!(self.out, " {} {first}", word("FIRSTROWSET", "firstrowset"))?;
        }
        self.text(word(" ", "\n"))?;
        self.select(&drillthrough.select)?;
        if drillthrough.columns.is_empty() {
            return Ok(());
        }
        self.text(word(" RETURN ", "\nreturn "))?;
        self.list(&drillthrough.columns, ", ", |printer, column| {
            if let Some(function) = column.function {
                write!(printer.out, "{}(", function.text())?;
            }
            printer.identifier(&column.column)?;
            if column.function.is_some() {
                printer.text(")")?;
            }
            if let Some(alias) = &column.alias {
                printer.text(" AS ")?;
                printer.name(alias)?;
            }
            Ok(())
        })
    }

    /// A query over several lines, formulas in quotes.
    fn mondrian_select(&mut self, select: &Select) -> Result {
        for (i, definition) in select.with.iter().enumerate() {
            self.text(if i == 0 { "with " } else { "  " })?;
            match definition {
                Definition::Member(member) => {
                    self.text("member ")?;
                    self.identifier(&member.name)?;
                    self.quoted(&member.expression)?;
                    for property in &member.properties {
                        write!(self.out, ", {} = ", property.name.text)?;
                        self.expression(&property.value)?;
                    }
                }
                Definition::Set(set) => {
                    self.text("set ")?;
                    self.identifier(&set.name)?;
                    self.quoted(&set.expression)?;
                }
                other => self.definition(other)?,
            }
            self.text("\n")?;
        }
        self.text("select ")?;
        self.list(&select.axes, ",\n  ", Self::axis)?;
        self.text("\nfrom ")?;
        match &select.source {
            // The cube's name is shown in brackets however it was written.
            Source::Cube(cube) => self.list(&cube.segments, ".", |printer, segment| match segment.name() {
                Some(name) => printer.text(&facetta_model::name::quote(&name.text)),
                None => printer.segment(segment),
            })?,
            source => self.source(source)?,
        }
        if let Some(slicer) = &select.slicer {
            self.text("\nwhere ")?;
            self.expression(slicer)?;
        }
        if !select.cell_properties.is_empty() {
            self.text("\ncell properties ")?;
            self.identifiers(&select.cell_properties)?;
        }
        Ok(())
    }

    fn quoted(&mut self, formula: &Expression) -> Result {
        let formula = super::mondrian_expression(formula);
        write!(self.out, " as '{}'", formula.replace('\'', "''"))
    }
}
