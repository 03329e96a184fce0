//! UPDATE CUBE, and the short commands: REFRESH, CLEAR, CALL, USE LIBRARY, transactions.

use crate::ast::{Allocation, Precedence, StatementKind, Update, UpdateCell};
use crate::lexer::TokenKind;
use crate::parser::Parser;
use facetta_model::Result;

impl Parser<'_, '_, '_> {
    /// `UPDATE [CUBE] [cube] SET cell, …`.
    pub(crate) fn update(&mut self) -> Result<StatementKind> {
        self.expect_word("UPDATE")?;
        self.eat_word("CUBE")?;
        let cube = if self.at_word("SET") { None } else { Some(self.identifier()?) };
        self.expect_word("SET")?;
        let mut cells = vec![self.update_cell()?];
        while self.eat(TokenKind::Comma)? {
            cells.push(self.update_cell()?);
        }
        Ok(StatementKind::Update(Box::new(Update { cube, cells })))
    }

    /// `tuple = value [allocation [BY weight]]`.
    fn update_cell(&mut self) -> Result<UpdateCell> {
        let start = self.span();
        let target = self.primary()?.expression;
        self.expect(TokenKind::Equal)?;
        let value = self.operators(Precedence::Or)?.expression;
        let allocation = self.eat_from(Allocation::from_word)?;
        let weight = if allocation.is_some_and(Allocation::weighted) && self.eat_word("BY")? {
            Some(self.operators(Precedence::Or)?.expression)
        } else {
            None
        };
        Ok(UpdateCell { target, value, allocation, weight, span: self.since(start) })
    }

    /// `REFRESH CUBE cube`.
    pub(crate) fn refresh(&mut self) -> Result<StatementKind> {
        self.expect_word("REFRESH")?;
        self.expect_word("CUBE")?;
        self.identifier().map(StatementKind::RefreshCube)
    }

    /// `CLEAR CALCULATIONS [FROM cube]`.
    pub(crate) fn clear(&mut self) -> Result<StatementKind> {
        self.expect_word("CLEAR")?;
        self.expect_word("CALCULATIONS")?;
        let cube = if self.eat_word("FROM")? { Some(self.identifier()?) } else { None };
        Ok(StatementKind::ClearCalculations(cube))
    }

    /// `CALL procedure(…)`.
    pub(crate) fn call_procedure(&mut self) -> Result<StatementKind> {
        self.expect_word("CALL")?;
        if !matches!(self.kind(), TokenKind::Word | TokenKind::Quoted) {
            return Err(self.unexpected());
        }
        self.primary().map(|node| StatementKind::Call(node.expression))
    }

    /// `USE LIBRARY [name, …]`.
    pub(crate) fn use_library(&mut self) -> Result<StatementKind> {
        self.expect_word("USE")?;
        self.expect_word("LIBRARY")?;
        let mut libraries = Vec::new();
        if !matches!(self.kind(), TokenKind::End | TokenKind::Semicolon) {
            libraries.push(self.primary()?.expression);
            while self.eat(TokenKind::Comma)? {
                libraries.push(self.primary()?.expression);
            }
        }
        Ok(StatementKind::UseLibrary(libraries))
    }

    /// `verb TRAN[SACTION]`.
    pub(crate) fn transaction(&mut self, kind: StatementKind) -> Result<StatementKind> {
        self.bump()?;
        if self.eat_word("TRAN")? || self.eat_word("TRANSACTION")? { Ok(kind) } else { Err(self.unexpected()) }
    }
}
