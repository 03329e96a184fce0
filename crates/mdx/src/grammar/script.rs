//! Statements by their first words, and MDX scripts: SCOPE, assignments, FREEZE, CALCULATE, IF.

use crate::ast::{Assignment, Expression, If, Precedence, Scope, Statement, StatementKind};
use crate::classify::selects_from_dmv;
use crate::lexer::TokenKind;
use crate::parser::Parser;
use facetta_model::Result;

impl Parser<'_, '_, '_> {
    /// One statement of any kind.
    pub(crate) fn statement(&mut self) -> Result<Statement> {
        let start = self.span();
        let kind = self.statement_kind()?;
        Ok(Statement { kind, span: self.since(start) })
    }

    fn statement_kind(&mut self) -> Result<StatementKind> {
        match self.kind() {
            TokenKind::Word => {}
            TokenKind::Quoted | TokenKind::OpenParenthesis | TokenKind::OpenBrace => return self.assignment(),
            _ => return Err(self.unexpected()),
        }
        match self.text().to_ascii_uppercase().as_str() {
            "SELECT" if selects_from_dmv(self.ahead()) => self.dmv(),
            "SELECT" | "WITH" => self.select().map(|select| StatementKind::Select(Box::new(select))),
            "DRILLTHROUGH" => self.drillthrough(),
            "EXPLAIN" => self.explain(),
            "CREATE" => self.create(),
            "DROP" => self.drop_objects(),
            "ALTER" => self.alter(),
            "UPDATE" => self.update(),
            "REFRESH" => self.refresh(),
            "CLEAR" => self.clear(),
            "CALL" => self.call_procedure(),
            "USE" => self.use_library(),
            "BEGIN" => self.transaction(StatementKind::BeginTransaction),
            "COMMIT" => self.transaction(StatementKind::CommitTransaction),
            "ROLLBACK" => self.transaction(StatementKind::RollbackTransaction),
            "SCOPE" => self.scope(),
            "IF" => self.if_block(),
            "FREEZE" => self.freeze(),
            "CALCULATE" => {
                self.bump()?;
                Ok(StatementKind::Calculate)
            }
            _ if matches!(self.peek(), TokenKind::Dot | TokenKind::OpenParenthesis | TokenKind::Equal) => {
                self.assignment()
            }
            _ => Err(self.unexpected()),
        }
    }

    /// Statements separated by semicolons, up to where `ends` holds.
    pub(crate) fn statements(&mut self, ends: impl Fn(&Self) -> bool) -> Result<Vec<Statement>> {
        let mut statements = Vec::new();
        loop {
            while self.eat(TokenKind::Semicolon)? {}
            if ends(self) {
                return Ok(statements);
            }
            statements.push(self.statement()?);
            // A block ends with END and needs no semicolon after it.
            let block =
                matches!(statements.last().map(|s| &s.kind), Some(StatementKind::Scope(_) | StatementKind::If(_)));
            if !block && !self.at(TokenKind::Semicolon) && !ends(self) {
                return Err(self.unexpected());
            }
        }
    }

    fn assignment(&mut self) -> Result<StatementKind> {
        let target = self.primary()?.expression;
        self.expect(TokenKind::Equal)?;
        let value = self.operators(Precedence::Or)?.expression;
        Ok(StatementKind::Assignment(Box::new(Assignment { target, value })))
    }

    /// A subcube: expressions in parentheses, or one without.
    fn subcube(&mut self) -> Result<Vec<Expression>> {
        if self.at(TokenKind::OpenParenthesis) { self.parenthesised() } else { Ok(vec![self.expression()?.expression]) }
    }

    /// `SCOPE (subcube); … END SCOPE`.
    fn scope(&mut self) -> Result<StatementKind> {
        self.enter()?;
        self.expect_word("SCOPE")?;
        let subcube = self.subcube()?;
        let body = self.statements(|parser| parser.at_word("END"))?;
        self.expect_word("END")?;
        self.expect_word("SCOPE")?;
        self.leave();
        Ok(StatementKind::Scope(Box::new(Scope { subcube, body })))
    }

    /// `IF condition THEN … [ELSE …] END IF`.
    fn if_block(&mut self) -> Result<StatementKind> {
        self.enter()?;
        self.expect_word("IF")?;
        let condition = self.expression()?.expression;
        self.expect_word("THEN")?;
        let then = self.statements(|parser| parser.at_word("END") || parser.at_word("ELSE"))?;
        let otherwise =
            if self.eat_word("ELSE")? { self.statements(|parser| parser.at_word("END"))? } else { Vec::new() };
        self.expect_word("END")?;
        self.expect_word("IF")?;
        self.leave();
        Ok(StatementKind::If(Box::new(If { condition, then, otherwise })))
    }

    /// `FREEZE [subcube]`.
    fn freeze(&mut self) -> Result<StatementKind> {
        self.expect_word("FREEZE")?;
        let subcube = match self.kind() {
            TokenKind::End | TokenKind::Semicolon => Vec::new(),
            _ if self.at_word("END") => Vec::new(),
            _ => self.subcube()?,
        };
        Ok(StatementKind::Freeze(subcube))
    }
}
