//! DRILLTHROUGH and EXPLAIN PLAN FOR.

use crate::ast::{Drillthrough, ReturnColumn, ReturnFunction, StatementKind};
use crate::lexer::TokenKind;
use crate::parser::Parser;
use facetta_model::Result;

impl Parser<'_, '_, '_> {
    /// `DRILLTHROUGH [MAXROWS n] [FIRSTROWSET n] SELECT … [RETURN column, …]`.
    pub(crate) fn drillthrough(&mut self) -> Result<StatementKind> {
        self.expect_word("DRILLTHROUGH")?;
        let max_rows = self.count_after("MAXROWS")?;
        let first_rowset = self.count_after("FIRSTROWSET")?;
        let select = self.select()?;
        let mut columns = Vec::new();
        if self.eat_word("RETURN")? {
            columns.push(self.return_column()?);
            while self.eat(TokenKind::Comma)? {
                columns.push(self.return_column()?);
            }
        }
        Ok(StatementKind::Drillthrough(Box::new(Drillthrough { max_rows, first_rowset, select, columns })))
    }

    fn count_after(&mut self, word: &str) -> Result<Option<u64>> {
        if self.eat_word(word)? { self.whole_number().map(Some) } else { Ok(None) }
    }

    /// `column` or `FUNCTION(column)`, then `[AS name]`.
    fn return_column(&mut self) -> Result<ReturnColumn> {
        let start = self.span();
        let mut function = None;
        if self.peek() == TokenKind::OpenParenthesis {
            function = self.eat_from(ReturnFunction::from_word)?;
            self.expect(TokenKind::OpenParenthesis)?;
        }
        let column = self.identifier()?;
        if function.is_some() {
            self.expect(TokenKind::CloseParenthesis)?;
        }
        let alias = if self.eat_word("AS")? { Some(self.name()?) } else { None };
        Ok(ReturnColumn { function, column, alias, span: self.since(start) })
    }

    /// `EXPLAIN PLAN FOR` a query or drill-through.
    pub(crate) fn explain(&mut self) -> Result<StatementKind> {
        for word in ["EXPLAIN", "PLAN", "FOR"] {
            self.expect_word(word)?;
        }
        if !["WITH", "SELECT", "DRILLTHROUGH"].iter().any(|word| self.at_word(word)) {
            return Err(self.unexpected());
        }
        self.statement().map(|statement| StatementKind::Explain(Box::new(statement)))
    }
}
