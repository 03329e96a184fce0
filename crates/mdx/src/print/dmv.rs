//! DMV queries.

use super::Printer;
use crate::ast::{DmvAggregate, DmvColumn, DmvExpression, DmvExpressionKind, DmvSelect, DmvSource};
use std::fmt::Result;

impl Printer<'_> {
    pub(super) fn dmv(&mut self, select: &DmvSelect) -> Result {
        self.text("SELECT ")?;
        if select.distinct {
            self.text("DISTINCT ")?;
        }
        if let Some(top) = select.top {
            write!(self.out, "TOP {top} ")?;
        }
        if select.items.is_empty() {
            self.text("*")?;
        }
        self.list(&select.items, ", ", |printer, item| {
            printer.dmv_expression(&item.expression)?;
            if let Some(alias) = &item.alias {
                printer.text(" AS ")?;
                printer.name(alias)?;
            }
            Ok(())
        })?;
        self.text(" FROM ")?;
        self.dmv_source(&select.source)?;
        for join in &select.joins {
            self.text(if join.left { " LEFT JOIN " } else { " JOIN " })?;
            self.dmv_source(&join.source)?;
            self.text(" ON ")?;
            self.dmv_expression(&join.condition)?;
        }
        if let Some(filter) = &select.filter {
            self.text(" WHERE ")?;
            self.dmv_expression(filter)?;
        }
        if !select.group_by.is_empty() {
            self.text(" GROUP BY ")?;
            self.list(&select.group_by, ", ", Self::dmv_column)?;
        }
        if !select.order_by.is_empty() {
            self.text(" ORDER BY ")?;
            self.list(&select.order_by, ", ", |printer, key| {
                printer.dmv_expression(&key.expression)?;
                if key.descending { printer.text(" DESC") } else { Ok(()) }
            })?;
        }
        Ok(())
    }

    fn dmv_source(&mut self, source: &DmvSource) -> Result {
        if source.restrictions.is_empty() {
            self.text("$SYSTEM.")?;
            self.name(&source.rowset)?;
        } else {
            self.text("SYSTEMRESTRICTSCHEMA($SYSTEM.")?;
            self.name(&source.rowset)?;
            for restriction in &source.restrictions {
                self.text(", ")?;
                self.name(&restriction.name)?;
                self.text(" = ")?;
                self.dmv_expression(&restriction.value)?;
            }
            self.text(")")?;
        }
        if let Some(alias) = &source.alias {
            self.text(" AS ")?;
            self.name(alias)?;
        }
        Ok(())
    }

    fn dmv_column(&mut self, column: &DmvColumn) -> Result {
        if let Some(table) = &column.table {
            self.name(table)?;
            self.text(".")?;
        }
        self.name(&column.name)
    }

    pub(super) fn dmv_expression(&mut self, expression: &DmvExpression) -> Result {
        match &expression.kind {
            DmvExpressionKind::Column(column) => self.dmv_column(column),
            DmvExpressionKind::Null => self.text("NULL"),
            DmvExpressionKind::Boolean(true) => self.text("TRUE"),
            DmvExpressionKind::Boolean(false) => self.text("FALSE"),
            DmvExpressionKind::Int(number) => write!(self.out, "{number}"),
            DmvExpressionKind::Double(number) if number.is_finite() => write!(self.out, "{number:?}"),
            DmvExpressionKind::Double(number) => self.text(if *number < 0.0 { "-1e999" } else { "1e999" }),
            DmvExpressionKind::String(text) => write!(self.out, "'{}'", text.replace('\'', "''")),
            DmvExpressionKind::Parameter(name) => write!(self.out, "@{name}"),
            DmvExpressionKind::Aggregate(aggregate) => self.dmv_aggregate(aggregate),
            DmvExpressionKind::And(parts) => self.list(parts, " AND ", Self::dmv_part),
            DmvExpressionKind::Or(parts) => self.list(parts, " OR ", Self::dmv_part),
            DmvExpressionKind::Not(condition) => {
                self.text("NOT ")?;
                self.dmv_part(condition)
            }
            DmvExpressionKind::Compare(comparison) => {
                self.dmv_expression(&comparison.left)?;
                write!(self.out, " {} ", comparison.operator.text())?;
                self.dmv_expression(&comparison.right)
            }
            DmvExpressionKind::Like(like) => {
                self.dmv_expression(&like.operand)?;
                self.text(if like.negated { " NOT LIKE " } else { " LIKE " })?;
                self.dmv_expression(&like.pattern)
            }
            DmvExpressionKind::In(within) => {
                self.dmv_expression(&within.operand)?;
                self.text(if within.negated { " NOT IN (" } else { " IN (" })?;
                self.list(&within.values, ", ", Self::dmv_expression)?;
                self.text(")")
            }
            DmvExpressionKind::IsNull(test) => {
                self.dmv_expression(&test.operand)?;
                self.text(if test.negated { " IS NOT NULL" } else { " IS NULL" })
            }
        }
    }

    /// A part of a condition, in parentheses if it is made of parts itself.
    fn dmv_part(&mut self, part: &DmvExpression) -> Result {
        if matches!(part.kind, DmvExpressionKind::And(_) | DmvExpressionKind::Or(_)) {
            self.text("(")?;
            self.dmv_expression(part)?;
            return self.text(")");
        }
        self.dmv_expression(part)
    }

    fn dmv_aggregate(&mut self, aggregate: &DmvAggregate) -> Result {
        write!(self.out, "{}(", aggregate.function.text())?;
        if aggregate.distinct {
            self.text("DISTINCT ")?;
        }
        match &aggregate.argument {
            Some(column) => self.dmv_column(column)?,
            None => self.text("*")?,
        }
        self.text(")")
    }
}
