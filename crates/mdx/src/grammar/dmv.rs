//! The SELECT over schema rowsets (spec/dmv.md section 1, and beyond it what spec/decisions.md adds).

use crate::ast::{
    DmvAggregate, DmvColumn, DmvComparison, DmvExpression, DmvExpressionKind, DmvFunction, DmvIn, DmvIsNull, DmvItem,
    DmvJoin, DmvLike, DmvOperator, DmvOrder, DmvRestriction, DmvSelect, DmvSource, Name, StatementKind,
};
use crate::lexer::TokenKind;
use crate::parser::Parser;
use facetta_model::Result;

/// Words that name no column, rowset or alias unless they are quoted: those of the grammar, and those of SQL that are not
/// in it, so that the error stands at the word.
const RESERVED: [&str; 32] = [
    "AND",
    "AS",
    "ASC",
    "BETWEEN",
    "BY",
    "CROSS",
    "DESC",
    "DISTINCT",
    "EXCEPT",
    "FROM",
    "FULL",
    "GROUP",
    "HAVING",
    "IN",
    "INNER",
    "INTERSECT",
    "IS",
    "JOIN",
    "LEFT",
    "LIKE",
    "LIMIT",
    "NATURAL",
    "NOT",
    "NULL",
    "ON",
    "OR",
    "ORDER",
    "OUTER",
    "RIGHT",
    "SELECT",
    "UNION",
    "WHERE",
];

impl Parser<'_, '_, '_> {
    /// `SELECT [DISTINCT] [TOP n] items FROM source …`.
    pub(crate) fn dmv(&mut self) -> Result<StatementKind> {
        self.expect_word("SELECT")?;
        let distinct = self.eat_word("DISTINCT")?;
        let top = if self.at_word("TOP") && self.peek() == TokenKind::Number {
            self.bump()?;
            Some(self.whole_number()?)
        } else {
            None
        };
        let items = self.dmv_items()?;
        self.expect_word("FROM")?;
        let source = self.dmv_source()?;
        let joins = self.dmv_joins()?;
        let filter = if self.eat_word("WHERE")? { Some(self.dmv_or()?) } else { None };
        let group_by = if self.eat_words(&["GROUP", "BY"])? { self.dmv_columns()? } else { Vec::new() };
        let order_by = if self.eat_words(&["ORDER", "BY"])? { self.dmv_order()? } else { Vec::new() };
        let select = DmvSelect { distinct, top, items, source, joins, filter, group_by, order_by };
        Ok(StatementKind::Dmv(Box::new(select)))
    }

    fn dmv_items(&mut self) -> Result<Vec<DmvItem>> {
        let mut items = Vec::new();
        if self.eat(TokenKind::Asterisk)? {
            return Ok(items);
        }
        loop {
            let expression = self.dmv_column_or_aggregate()?;
            let alias = if self.eat_word("AS")? { Some(self.dmv_name()?) } else { None };
            items.push(DmvItem { expression, alias });
            if !self.eat(TokenKind::Comma)? {
                return Ok(items);
            }
        }
    }

    // ---- names

    fn dmv_reserved(&self) -> bool {
        self.at(TokenKind::Word) && RESERVED.iter().any(|word| self.at_word(word))
    }

    fn dmv_name(&mut self) -> Result<Name> {
        if self.dmv_reserved() { Err(self.unexpected()) } else { self.any_name() }
    }

    /// `[[$SYSTEM.]table.]column`.
    fn dmv_column(&mut self) -> Result<DmvColumn> {
        let mut name = self.dmv_name()?;
        let mut table = None;
        let system = is_system(&name);
        for _ in 0..1 + system as u8 {
            if !self.eat(TokenKind::Dot)? {
                break;
            }
            table = Some(std::mem::replace(&mut name, self.any_name()?));
        }
        Ok(DmvColumn { table, name })
    }

    fn dmv_columns(&mut self) -> Result<Vec<DmvColumn>> {
        let mut columns = vec![self.dmv_column()?];
        while self.eat(TokenKind::Comma)? {
            columns.push(self.dmv_column()?);
        }
        Ok(columns)
    }

    fn dmv_column_or_aggregate(&mut self) -> Result<DmvExpression> {
        let start = self.span();
        let function = match self.peek() {
            TokenKind::OpenParenthesis => self.eat_from(DmvFunction::from_word)?,
            _ => None,
        };
        let kind = match function {
            Some(function) => {
                self.expect(TokenKind::OpenParenthesis)?;
                let distinct = self.eat_word("DISTINCT")?;
                let whole = function == DmvFunction::Count && !distinct && self.eat(TokenKind::Asterisk)?;
                let argument = if whole { None } else { Some(self.dmv_column()?) };
                self.expect(TokenKind::CloseParenthesis)?;
                DmvExpressionKind::Aggregate(Box::new(DmvAggregate { function, distinct, argument }))
            }
            None => DmvExpressionKind::Column(self.dmv_column()?),
        };
        Ok(DmvExpression { kind, span: self.since(start) })
    }

    // ---- FROM

    fn dmv_source(&mut self) -> Result<DmvSource> {
        let start = self.span();
        let mut restrictions = Vec::new();
        let rowset = if self.eat_word("SYSTEMRESTRICTSCHEMA")? {
            self.expect(TokenKind::OpenParenthesis)?;
            let rowset = self.dmv_rowset()?;
            while self.eat(TokenKind::Comma)? {
                let name = self.dmv_name()?;
                self.expect(TokenKind::Equal)?;
                let value = self.dmv_literal()?;
                restrictions.push(DmvRestriction { name, value });
            }
            self.expect(TokenKind::CloseParenthesis)?;
            rowset
        } else {
            self.dmv_rowset()?
        };
        let alias = if self.eat_word("AS")? || self.at_alias() { Some(self.dmv_name()?) } else { None };
        Ok(DmvSource { rowset, restrictions, alias, span: self.since(start) })
    }

    fn at_alias(&self) -> bool {
        matches!(self.kind(), TokenKind::Word | TokenKind::Quoted) && !self.dmv_reserved()
    }

    /// `$SYSTEM.rowset`.
    fn dmv_rowset(&mut self) -> Result<Name> {
        let error = self.unexpected();
        if !is_system(&self.any_name()?) {
            return Err(error);
        }
        self.expect(TokenKind::Dot)?;
        self.any_name()
    }

    fn dmv_joins(&mut self) -> Result<Vec<DmvJoin>> {
        let mut joins = Vec::new();
        loop {
            let left = self.eat_words(&["LEFT", "JOIN"])? || self.eat_words(&["LEFT", "OUTER", "JOIN"])?;
            if !left && !self.eat_word("JOIN")? && !self.eat_words(&["INNER", "JOIN"])? {
                return Ok(joins);
            }
            let source = self.dmv_source()?;
            self.expect_word("ON")?;
            let condition = self.dmv_or()?;
            joins.push(DmvJoin { left, source, condition });
        }
    }

    fn dmv_order(&mut self) -> Result<Vec<DmvOrder>> {
        let mut keys = Vec::new();
        loop {
            let expression = self.dmv_column_or_aggregate()?;
            let descending = self.eat_word("DESC")?;
            if !descending {
                self.eat_word("ASC")?;
            }
            keys.push(DmvOrder { expression, descending });
            if !self.eat(TokenKind::Comma)? {
                return Ok(keys);
            }
        }
    }

    // ---- conditions

    fn dmv_or(&mut self) -> Result<DmvExpression> {
        self.dmv_chain("OR", DmvExpressionKind::Or, Self::dmv_and)
    }

    fn dmv_and(&mut self) -> Result<DmvExpression> {
        self.dmv_chain("AND", DmvExpressionKind::And, Self::dmv_not)
    }

    /// Parts with `word` between them: one part as it is, more as what `join` makes of them.
    fn dmv_chain(
        &mut self,
        word: &str,
        join: fn(Vec<DmvExpression>) -> DmvExpressionKind,
        part: fn(&mut Self) -> Result<DmvExpression>,
    ) -> Result<DmvExpression> {
        let start = self.span();
        let first = part(self)?;
        if !self.at_word(word) {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.eat_word(word)? {
            parts.push(part(self)?);
        }
        Ok(DmvExpression { kind: join(parts), span: self.since(start) })
    }

    fn dmv_not(&mut self) -> Result<DmvExpression> {
        self.enter()?;
        let start = self.span();
        let condition = if self.eat_word("NOT")? {
            let inner = self.dmv_not()?;
            DmvExpression { kind: DmvExpressionKind::Not(Box::new(inner)), span: self.since(start) }
        } else if self.eat(TokenKind::OpenParenthesis)? {
            let inner = self.dmv_or()?;
            self.expect(TokenKind::CloseParenthesis)?;
            inner
        } else {
            self.dmv_comparison()?
        };
        self.leave();
        Ok(condition)
    }

    /// `operand operator operand`, LIKE, IN, IS NULL, or a boolean column alone.
    fn dmv_comparison(&mut self) -> Result<DmvExpression> {
        let start = self.span();
        let operand = self.dmv_operand()?;
        let kind = if let Some(operator) = self.dmv_operator() {
            self.bump()?;
            let right = self.dmv_operand()?;
            DmvExpressionKind::Compare(Box::new(DmvComparison { left: operand, operator, right }))
        } else if self.eat_word("IS")? {
            let negated = self.eat_word("NOT")?;
            self.expect_word("NULL")?;
            DmvExpressionKind::IsNull(Box::new(DmvIsNull { operand, negated }))
        } else if self.at_word("LIKE") || self.at_words(&["NOT", "LIKE"]) {
            let negated = self.eat_word("NOT")?;
            self.bump()?;
            let pattern = self.dmv_literal()?;
            DmvExpressionKind::Like(Box::new(DmvLike { operand, pattern, negated }))
        } else if self.at_word("IN") || self.at_words(&["NOT", "IN"]) {
            let negated = self.eat_word("NOT")?;
            self.bump()?;
            let values = self.dmv_values()?;
            DmvExpressionKind::In(Box::new(DmvIn { operand, values, negated }))
        } else if matches!(operand.kind, DmvExpressionKind::Column(_) | DmvExpressionKind::Boolean(_)) {
            return Ok(operand);
        } else {
            return Err(self.unexpected());
        };
        Ok(DmvExpression { kind, span: self.since(start) })
    }

    fn dmv_operator(&self) -> Option<DmvOperator> {
        Some(match self.kind() {
            TokenKind::Equal => DmvOperator::Equal,
            TokenKind::NotEqual => DmvOperator::NotEqual,
            TokenKind::Less => DmvOperator::Less,
            TokenKind::LessOrEqual => DmvOperator::LessOrEqual,
            TokenKind::Greater => DmvOperator::Greater,
            TokenKind::GreaterOrEqual => DmvOperator::GreaterOrEqual,
            _ => return None,
        })
    }

    fn dmv_values(&mut self) -> Result<Vec<DmvExpression>> {
        self.expect(TokenKind::OpenParenthesis)?;
        let mut values = vec![self.dmv_literal()?];
        while self.eat(TokenKind::Comma)? {
            values.push(self.dmv_literal()?);
        }
        self.expect(TokenKind::CloseParenthesis)?;
        Ok(values)
    }

    fn dmv_operand(&mut self) -> Result<DmvExpression> {
        let literal_word = ["TRUE", "FALSE", "NULL"].iter().any(|word| self.at_word(word));
        match self.kind() {
            TokenKind::Word if literal_word && self.peek() != TokenKind::Dot => self.dmv_literal(),
            TokenKind::Word | TokenKind::Quoted => self.dmv_column_or_aggregate(),
            _ => self.dmv_literal(),
        }
    }

    /// A text, a number with or without sign, TRUE, FALSE, NULL or a parameter.
    fn dmv_literal(&mut self) -> Result<DmvExpression> {
        let start = self.span();
        let kind = match self.kind() {
            TokenKind::SingleQuoted | TokenKind::DoubleQuoted => DmvExpressionKind::String(self.string()?),
            TokenKind::Parameter => {
                let name = self.text().get(1..).unwrap_or("").into();
                self.bump()?;
                DmvExpressionKind::Parameter(name)
            }
            TokenKind::Minus | TokenKind::Plus | TokenKind::Number => self.dmv_number()?,
            _ if self.eat_word("NULL")? => DmvExpressionKind::Null,
            _ if self.eat_word("TRUE")? => DmvExpressionKind::Boolean(true),
            _ if self.eat_word("FALSE")? => DmvExpressionKind::Boolean(false),
            _ => return Err(self.unexpected()),
        };
        Ok(DmvExpression { kind, span: self.since(start) })
    }

    fn dmv_number(&mut self) -> Result<DmvExpressionKind> {
        let negative = self.eat(TokenKind::Minus)?;
        if !negative {
            self.eat(TokenKind::Plus)?;
        }
        if !self.at(TokenKind::Number) {
            return Err(self.unexpected());
        }
        let text = if negative { format!("-{}", self.text()) } else { self.text().to_owned() };
        self.bump()?;
        Ok(match text.parse() {
            Ok(number) => DmvExpressionKind::Int(number),
            Err(_) => DmvExpressionKind::Double(text.parse().unwrap_or(f64::INFINITY)),
        })
    }
}

fn is_system(name: &Name) -> bool {
    name.text.eq_ignore_ascii_case("$SYSTEM")
}
