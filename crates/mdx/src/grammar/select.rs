//! Queries: WITH, axes, FROM with subselects, WHERE, CELL PROPERTIES.

use crate::ast::{
    Axis, CellCalculation, Definition, Expression, Identifier, MemberDefinition, Select, SetDefinition, SetEvaluation,
    Source, Subselect,
};
use crate::lexer::TokenKind;
use crate::parser::Parser;
use facetta_model::Result;

/// Names of the first axes, in the order of their ordinals.
pub(crate) const AXIS_NAMES: [&str; 5] = ["COLUMNS", "ROWS", "PAGES", "SECTIONS", "CHAPTERS"];
/// The greatest ordinal of an axis.
const MAX_AXIS: u64 = 127;

impl Parser<'_, '_, '_> {
    /// `[WITH …] SELECT … FROM … [WHERE …] [CELL PROPERTIES …]`.
    pub(crate) fn select(&mut self) -> Result<Select> {
        let with = if self.eat_word("WITH")? { self.definitions()? } else { Vec::new() };
        self.expect_word("SELECT")?;
        let axes = self.axes()?;
        self.expect_word("FROM")?;
        let source = self.source()?;
        let slicer = self.slicer()?;
        let cell_properties = if self.eat_words(&["CELL", "PROPERTIES"])? || self.eat_word("PROPERTIES")? {
            self.identifiers()?
        } else {
            Vec::new()
        };
        Ok(Select { with, axes, source, slicer, cell_properties })
    }

    fn slicer(&mut self) -> Result<Option<Expression>> {
        if self.eat_word("WHERE")? { Ok(Some(self.expression()?.expression)) } else { Ok(None) }
    }

    /// Identifiers separated by commas; at least one.
    pub(crate) fn identifiers(&mut self) -> Result<Vec<Identifier>> {
        let mut identifiers = vec![self.identifier()?];
        while self.eat(TokenKind::Comma)? {
            identifiers.push(self.identifier()?);
        }
        Ok(identifiers)
    }

    // ---- WITH

    fn definitions(&mut self) -> Result<Vec<Definition>> {
        let mut definitions = Vec::new();
        loop {
            let definition = if self.eat_word("MEMBER")? || self.eat_words(&["CALCULATED", "MEMBER"])? {
                Definition::Member(self.member_definition()?)
            } else if let Some(evaluation) = self.set_keyword()? {
                Definition::Set(self.set_definition(evaluation)?)
            } else if self.eat_words(&["CELL", "CALCULATION"])? {
                Definition::CellCalculation(self.cell_calculation()?)
            } else if self.eat_word("CACHE")? {
                self.expect_word("AS")?;
                Definition::Cache(self.formula()?)
            } else if definitions.is_empty() {
                return Err(self.unexpected());
            } else {
                return Ok(definitions);
            };
            definitions.push(definition);
        }
    }

    /// Takes `[DYNAMIC|STATIC] SET`: what kind of set it says, if it stands there.
    pub(crate) fn set_keyword(&mut self) -> Result<Option<Option<SetEvaluation>>> {
        Ok(if self.eat_word("SET")? {
            Some(None)
        } else if self.eat_words(&["DYNAMIC", "SET"])? {
            Some(Some(SetEvaluation::Dynamic))
        } else if self.eat_words(&["STATIC", "SET"])? {
            Some(Some(SetEvaluation::Static))
        } else {
            None
        })
    }

    /// `name AS formula, properties`.
    pub(crate) fn member_definition(&mut self) -> Result<MemberDefinition> {
        let start = self.span();
        let name = self.identifier()?;
        self.expect_word("AS")?;
        let (expression, properties) = self.formula_and_properties()?;
        Ok(MemberDefinition { name, expression, properties, span: self.since(start) })
    }

    /// `name AS formula, properties`.
    pub(crate) fn set_definition(&mut self, evaluation: Option<SetEvaluation>) -> Result<SetDefinition> {
        let start = self.span();
        let name = self.identifier()?;
        self.expect_word("AS")?;
        let (expression, properties) = self.formula_and_properties()?;
        Ok(SetDefinition { name, evaluation, expression, properties, span: self.since(start) })
    }

    /// `name FOR formula AS formula, properties`.
    pub(crate) fn cell_calculation(&mut self) -> Result<CellCalculation> {
        let start = self.span();
        let name = self.identifier()?;
        self.expect_word("FOR")?;
        let subcube = self.formula()?;
        self.expect_word("AS")?;
        let (expression, properties) = self.formula_and_properties()?;
        Ok(CellCalculation { name, subcube, expression, properties, span: self.since(start) })
    }

    // ---- axes

    fn axes(&mut self) -> Result<Vec<Axis>> {
        let mut axes = Vec::new();
        if self.at_word("FROM") {
            return Ok(axes);
        }
        loop {
            axes.push(self.axis()?);
            if !self.eat(TokenKind::Comma)? {
                return Ok(axes);
            }
        }
    }

    /// `[NON EMPTY] set [HAVING …] [DIMENSION PROPERTIES …] ON axis`.
    fn axis(&mut self) -> Result<Axis> {
        let start = self.span();
        let non_empty = self.eat_words(&["NON", "EMPTY"])?;
        let set = self.expression()?.expression;
        let having = if self.eat_word("HAVING")? { Some(self.expression()?.expression) } else { None };
        let properties = if self.eat_words(&["DIMENSION", "PROPERTIES"])? || self.eat_word("PROPERTIES")? {
            self.identifiers()?
        } else {
            Vec::new()
        };
        self.expect_word("ON")?;
        let ordinal = self.axis_ordinal()?;
        Ok(Axis { ordinal, non_empty, set, having, properties, span: self.since(start) })
    }

    fn axis_ordinal(&mut self) -> Result<u32> {
        if self.at(TokenKind::Word) {
            let text = self.text();
            if let Some(ordinal) = AXIS_NAMES.iter().position(|name| name.eq_ignore_ascii_case(text)) {
                self.bump()?;
                return Ok(ordinal as u32);
            }
        }
        let parenthesised = self.eat_word("AXIS")?;
        if parenthesised {
            self.expect(TokenKind::OpenParenthesis)?;
        }
        let error = self.unexpected();
        let ordinal = self.whole_number()?;
        if ordinal > MAX_AXIS {
            return Err(error);
        }
        if parenthesised {
            self.expect(TokenKind::CloseParenthesis)?;
        }
        Ok(ordinal as u32)
    }

    // ---- FROM

    fn source(&mut self) -> Result<Source> {
        if self.at(TokenKind::OpenParenthesis) || self.at_words(&["NON", "VISUAL"]) {
            return self.subselect().map(|subselect| Source::Subselect(Box::new(subselect)));
        }
        self.identifier().map(Source::Cube)
    }

    /// `[NON VISUAL] (SELECT … FROM …)`.
    pub(crate) fn subselect(&mut self) -> Result<Subselect> {
        let start = self.span();
        let non_visual = self.eat_words(&["NON", "VISUAL"])?;
        self.expect(TokenKind::OpenParenthesis)?;
        let mut subselect = self.subselect_body(non_visual)?;
        self.expect(TokenKind::CloseParenthesis)?;
        subselect.span = self.since(start);
        Ok(subselect)
    }

    /// `SELECT … FROM … [WHERE …]`.
    pub(crate) fn subselect_body(&mut self, non_visual: bool) -> Result<Subselect> {
        self.enter()?;
        let start = self.span();
        self.expect_word("SELECT")?;
        let axes = self.axes()?;
        self.expect_word("FROM")?;
        let source = self.source()?;
        let slicer = self.slicer()?;
        self.leave();
        Ok(Subselect { non_visual, axes, source, slicer, span: self.since(start) })
    }
}
