//! The cursor over tokens, the Pratt loop for operators, and the entry points.
//!
//! Recursive descent: each piece of grammar is a method of [`Parser`] in a file of `grammar/`. The parser neither recurses
//! deeper than [`MAX_HEIGHT`] levels (a level is at most 7 KB of stack, unoptimised) nor builds a tree higher than that;
//! each token polls the context and pays for the part of the tree that it may become.

use crate::MAX_HEIGHT;
use crate::ast::{
    Expression, ExpressionKind, Identifier, Name, Operation, Operator, Operators, Precedence, Prefix, PrefixOperator,
    Property, Segment, Statement,
};
use crate::lexer::{Flaw, Lexer, OffsetMap, Token, TokenKind, undouble};
use facetta_model::{Charge, Context, Error, ErrorKind, Result, Span};

/// Bytes that are spent before the context's memory account is asked.
const CHARGE_STEP: usize = 64 << 10;
/// Characters of a token that an error message shows.
const SHOWN_CHARACTERS: usize = 80;

/// A statement with the memory that it holds.
#[derive(Debug)]
pub struct Parsed {
    /// The statement.
    pub statement: Statement,
    /// The charge for its tree (an estimate from its tokens); keep it as long as the tree.
    pub charge: Charge,
}

/// Parses one statement and hands out the charge for its tree; see [`parse_statement`].
pub fn parse(text: &str, context: &Context) -> Result<Parsed> {
    let (statement, charge) = run(text, context, |parser| {
        let statement = parser.statement()?;
        while parser.eat(TokenKind::Semicolon)? {}
        Ok(statement)
    })?;
    Ok(Parsed { statement, charge })
}

/// Parses one statement: MDX of any kind or a DMV query. A semicolon may end it.
///
/// # Errors
/// Kind Syntax, with the place in `text`; kind NotSupported for statements that are known but not done; whatever stops
/// the context. The memory of the tree is charged only while parsing; [`parse`] hands the charge out.
pub fn parse_statement(text: &str, context: &Context) -> Result<Statement> {
    parse(text, context).map(|parsed| parsed.statement)
}

/// Parses statements separated by semicolons, as an MDX script has them; there may be none. Errors as
/// [`parse_statement`] has them.
pub fn parse_script(text: &str, context: &Context) -> Result<Vec<Statement>> {
    run(text, context, |parser| parser.statements(|p| p.at(TokenKind::End))).map(|(statements, _)| statements)
}

/// Parses one expression: what StrToSet reads, or a formula of a schema. Errors as [`parse_statement`] has them.
pub fn parse_expression(text: &str, context: &Context) -> Result<Expression> {
    run(text, context, |parser| parser.expression()).map(|(node, _)| node.expression)
}

/// Runs `grammar` over the whole of `text`; what it leaves over is an error.
fn run<T>(text: &str, context: &Context, grammar: impl FnOnce(&mut Parser) -> Result<T>) -> Result<(T, Charge)> {
    if u32::try_from(text.len()).is_err() {
        return Err(Error::new(ErrorKind::ServerLimit, "Parser: The statement is longer than 4 GiB"));
    }
    context.check()?;
    let mut budget = Budget { context, charge: context.charge("Parser", 0)?, unpaid: 0, step: 0 };
    let mut parser = Parser::new(text, OffsetMap::default(), 0, &mut budget);
    let result = parser.start().and_then(|()| grammar(&mut parser)).and_then(|value| {
        parser.expect_end()?;
        Ok(value)
    });
    let value = result.map_err(|error| error.located_in(text))?;
    budget.pay()?;
    Ok((value, budget.charge))
}

/// What parsing has cost so far.
pub(crate) struct Budget<'c> {
    context: &'c Context,
    charge: Charge,
    unpaid: usize,
    step: u32,
}

impl Budget<'_> {
    pub(crate) fn spend(&mut self, bytes: usize) -> Result<()> {
        self.unpaid += bytes;
        if self.unpaid >= CHARGE_STEP { self.pay() } else { Ok(()) }
    }

    fn pay(&mut self) -> Result<()> {
        self.charge.grow(std::mem::take(&mut self.unpaid))
    }
}

/// An expression and how high its tree is.
pub(crate) struct Node {
    pub(crate) expression: Expression,
    pub(crate) height: usize,
}

/// A cursor over the tokens of one text.
pub(crate) struct Parser<'t, 'b, 'c> {
    lexer: Lexer<'t>,
    map: OffsetMap,
    token: Token,
    previous: Span,
    depth: usize,
    budget: &'b mut Budget<'c>,
}

impl<'t, 'b, 'c> Parser<'t, 'b, 'c> {
    fn new(text: &'t str, map: OffsetMap, depth: usize, budget: &'b mut Budget<'c>) -> Self {
        let token = Token { kind: TokenKind::End, start: 0, end: 0 };
        Parser { lexer: Lexer::new(text), map, token, previous: Span::default(), depth, budget }
    }

    /// Reads the first token.
    fn start(&mut self) -> Result<()> {
        self.bump().map(|_| ())
    }

    /// The current token's kind.
    pub(crate) fn kind(&self) -> TokenKind {
        self.token.kind
    }

    pub(crate) fn at(&self, kind: TokenKind) -> bool {
        self.token.kind == kind
    }

    fn text_of(&self, token: Token) -> &'t str {
        self.lexer.text().get(token.start..token.end).unwrap_or("")
    }

    /// The current token as written.
    pub(crate) fn text(&self) -> &'t str {
        self.text_of(self.token)
    }

    /// Where the current token stands in the statement.
    pub(crate) fn span(&self) -> Span {
        self.map.span(self.token.start, self.token.end)
    }

    /// From `start` to the last token that was taken.
    pub(crate) fn since(&self, start: Span) -> Span {
        start.to(self.previous)
    }

    /// Whether the current token is the bare word `word`.
    pub(crate) fn at_word(&self, word: &str) -> bool {
        self.at(TokenKind::Word) && self.text().eq_ignore_ascii_case(word)
    }

    /// Whether the tokens from the current one on are these bare words.
    pub(crate) fn at_words(&self, words: &[&str]) -> bool {
        let mut ahead = self.lexer.clone();
        let mut token = self.token;
        words.iter().enumerate().all(|(i, word)| {
            if i > 0 {
                token = ahead.next_token();
            }
            token.kind == TokenKind::Word && self.text_of(token).eq_ignore_ascii_case(word)
        })
    }

    /// The token after the current one.
    pub(crate) fn peek(&self) -> TokenKind {
        self.lexer.clone().next_token().kind
    }

    /// A lexer that stands after the current token.
    pub(crate) fn ahead(&self) -> Lexer<'t> {
        self.lexer.clone()
    }

    /// Takes the current token, whatever it is, and reads the next.
    pub(crate) fn bump(&mut self) -> Result<Token> {
        self.budget.context.check_every(&mut self.budget.step)?;
        let taken = self.token;
        self.previous = self.span();
        self.token = self.lexer.next_token();
        self.budget.spend(tree_bytes(self.token))?;
        Ok(taken)
    }

    /// Takes the current token if it is of `kind`.
    pub(crate) fn eat(&mut self, kind: TokenKind) -> Result<bool> {
        let found = self.at(kind);
        if found {
            self.bump()?;
        }
        Ok(found)
    }

    /// Takes the current token if it is the bare word `word`.
    pub(crate) fn eat_word(&mut self, word: &str) -> Result<bool> {
        let found = self.at_word(word);
        if found {
            self.bump()?;
        }
        Ok(found)
    }

    /// Takes these bare words if the text goes on with all of them.
    pub(crate) fn eat_words(&mut self, words: &[&str]) -> Result<bool> {
        let found = self.at_words(words);
        if found {
            for _ in words {
                self.bump()?;
            }
        }
        Ok(found)
    }

    pub(crate) fn expect(&mut self, kind: TokenKind) -> Result<()> {
        if self.eat(kind)? { Ok(()) } else { Err(self.unexpected()) }
    }

    pub(crate) fn expect_word(&mut self, word: &str) -> Result<()> {
        if self.eat_word(word)? { Ok(()) } else { Err(self.unexpected()) }
    }

    /// Takes the current token if it is a bare word of the table behind `read`.
    pub(crate) fn eat_from<T>(&mut self, read: fn(&str) -> Option<T>) -> Result<Option<T>> {
        let found = if self.at(TokenKind::Word) { read(self.text()) } else { None };
        if found.is_some() {
            self.bump()?;
        }
        Ok(found)
    }

    fn expect_end(&mut self) -> Result<()> {
        if self.at(TokenKind::End) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// The error that the current token cannot stand here (spec/dmv.md section 5; MDX has the same words).
    pub(crate) fn unexpected(&self) -> Error {
        let word = || {
            let text = self.text();
            match text.char_indices().nth(SHOWN_CHARACTERS) {
                Some((end, _)) => format!("{}…", text.get(..end).unwrap_or("")),
                None => text.to_owned(),
            }
        };
        let message = match self.token.kind {
            TokenKind::End => "Parser: The end of the input was reached.".to_owned(),
            TokenKind::Bad(Flaw::OpenString) => "Parser: The string that starts here has no closing quote.".to_owned(),
            TokenKind::Bad(Flaw::OpenName) => "Parser: The name that starts here has no closing bracket.".to_owned(),
            TokenKind::Bad(Flaw::OpenComment) => "Parser: The comment that starts here is not closed.".to_owned(),
            _ => format!("Parser: The syntax for '{}' is incorrect.", word()),
        };
        Error::new(ErrorKind::Syntax, message).at(self.span())
    }

    /// Notes one more level of nesting; [`Parser::leave`] takes it back.
    pub(crate) fn enter(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > MAX_HEIGHT { Err(too_deep(self.span())) } else { Ok(()) }
    }

    pub(crate) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Parses `raw`, the inside of the quotes whose first byte is at `start` of the statement, as a formula and properties.
    ///
    /// Mondrian reads no further than the formula's expression, so its users' formulas may have a parenthesis too many, or
    /// their properties within the quotes (conformance cases have). Both are taken for what they mean; anything else left
    /// over would be ignored in silence, and is an error.
    pub(crate) fn quoted_formula(&mut self, start: usize, raw: &str) -> Result<(Expression, Vec<Property>)> {
        // A formula in quotes holds no other: strings within it are strings. So this text is the statement itself.
        let inner = undouble(raw, b'\'');
        let map = OffsetMap::new(start, raw);
        self.budget.spend(inner.len() + map.bytes())?;
        let mut parser = Parser::new(&inner, map, self.depth, &mut *self.budget);
        parser.start()?;
        let formula = parser.operators(Precedence::Or)?.expression;
        while parser.eat(TokenKind::CloseParenthesis)? {}
        let properties = parser.properties()?;
        parser.expect_end()?;
        Ok((formula, properties))
    }

    // ---- names

    /// A name that stands alone or first, where a reserved word ends what came before.
    pub(crate) fn name(&mut self) -> Result<Name> {
        if self.at(TokenKind::Word) && is_reserved(self.text()) {
            return Err(self.unexpected());
        }
        self.any_name()
    }

    /// A name after a dot, where no word is reserved.
    pub(crate) fn any_name(&mut self) -> Result<Name> {
        let quoted = match self.kind() {
            TokenKind::Word => false,
            TokenKind::Quoted => true,
            _ => return Err(self.unexpected()),
        };
        let name = self.name_of_token(quoted, 0);
        self.bump()?;
        Ok(name)
    }

    /// The current token as a name whose first `skip` bytes are the mark of a key.
    fn name_of_token(&self, quoted: bool, skip: usize) -> Name {
        let text = self.text().get(skip..).unwrap_or("");
        let text = if quoted {
            undouble(text.get(1..text.len().saturating_sub(1)).unwrap_or(""), b']').into()
        } else {
            text.into()
        };
        Name { text, quoted, span: self.span() }
    }

    /// What stands after a dot: a name, or a key of one part or several.
    pub(crate) fn segment(&mut self) -> Result<Segment> {
        if !matches!(self.kind(), TokenKind::QuotedKey | TokenKind::WordKey) {
            return self.any_name().map(Segment::Name);
        }
        let mut parts = Vec::with_capacity(1);
        while let kind @ (TokenKind::QuotedKey | TokenKind::WordKey) = self.kind() {
            parts.push(self.name_of_token(kind == TokenKind::QuotedKey, 1));
            self.bump()?;
        }
        Ok(Segment::Key(parts))
    }

    /// A dotted identifier that nothing is called on: a cube, a property, the name of a member.
    pub(crate) fn identifier(&mut self) -> Result<Identifier> {
        let mut segments = vec![Segment::Name(self.name()?)];
        while self.eat(TokenKind::Dot)? {
            segments.push(self.segment()?);
        }
        Ok(Identifier { segments })
    }

    // ---- operators

    /// An expression that may have an alias: `expression [AS name]`.
    pub(crate) fn expression(&mut self) -> Result<Node> {
        let mut node = self.operators(Precedence::Or)?;
        while self.eat_word("AS")? {
            let name = self.name()?;
            let span = self.since(node.expression.span);
            let Node { expression, height } = node;
            let alias = crate::ast::Alias { expression, name };
            node = Self::node(ExpressionKind::Alias(Box::new(alias)), span, height)?;
        }
        Ok(node)
    }

    /// Operands and operators that bind at least as tightly as `least`.
    pub(crate) fn operators(&mut self, least: Precedence) -> Result<Node> {
        self.enter()?;
        let mut left = self.prefix(least)?;
        while let Some((found, words)) = self.infix() {
            let precedence = found.map_or(Precedence::Comparison, Operator::precedence);
            // What is already looser than the operator cannot be its left operand: `x IS EMPTY + 1` is no expression.
            if precedence < least || precedence > left.expression.precedence() {
                break;
            }
            let span = self.span();
            for _ in 0..words {
                self.bump()?;
            }
            let span = self.since(span);
            left = match found {
                Some(operator) => {
                    let right = self.operators(precedence.tighter())?;
                    chain(left, operator, span, right)?
                }
                None => {
                    let span = self.since(left.expression.span);
                    Self::node(ExpressionKind::IsEmpty(Box::new(left.expression)), span, left.height)?
                }
            };
        }
        self.leave();
        Ok(left)
    }

    /// An operand, perhaps with operators before it. `NOT` stands only where a comparison can: `x IS NOT NULL` is no MDX.
    fn prefix(&mut self, least: Precedence) -> Result<Node> {
        let operator = match self.kind() {
            TokenKind::Minus => PrefixOperator::Minus,
            TokenKind::Plus => PrefixOperator::Plus,
            TokenKind::Word if self.at_word("NOT") && least <= Precedence::Not => PrefixOperator::Not,
            TokenKind::Word if self.at_word("EXISTING") && self.operand_follows() => PrefixOperator::Existing,
            _ => return self.primary(),
        };
        let start = self.span();
        self.bump()?;
        let operand = self.operators(match operator {
            PrefixOperator::Not => Precedence::Not,
            _ => Precedence::Power,
        })?;
        let span = self.since(start);
        let prefix = Prefix { operator, operand: operand.expression };
        Self::node(ExpressionKind::Prefix(Box::new(prefix)), span, operand.height)
    }

    /// Whether what follows the current word can start an operand, so that the word is an operator and no name.
    fn operand_follows(&self) -> bool {
        use TokenKind::*;
        let mut ahead = self.ahead();
        let token = ahead.next_token();
        match token.kind {
            Quoted | OpenParenthesis | OpenBrace | Parameter => true,
            Word => !is_reserved(self.text_of(token)),
            _ => false,
        }
    }

    /// The operator at the cursor and how many tokens it is; `None` within for `IS EMPTY`.
    fn infix(&self) -> Option<(Option<Operator>, usize)> {
        use TokenKind::*;
        let operator = match self.kind() {
            Plus => Operator::Plus,
            Minus => Operator::Minus,
            Concat => Operator::Concat,
            Asterisk => Operator::Times,
            Slash => Operator::Divide,
            Caret => Operator::Power,
            Colon => Operator::Range,
            Equal => Operator::Equal,
            NotEqual => Operator::NotEqual,
            Less => Operator::Less,
            LessOrEqual => Operator::LessOrEqual,
            Greater => Operator::Greater,
            GreaterOrEqual => Operator::GreaterOrEqual,
            Word => return self.word_operator(),
            _ => return None,
        };
        Some((Some(operator), 1))
    }

    fn word_operator(&self) -> Option<(Option<Operator>, usize)> {
        let text = self.text();
        let word = |word: &str| text.eq_ignore_ascii_case(word);
        let operator = match text.len() {
            2 if word("OR") => Operator::Or,
            2 if word("IS") && self.at_words(&["IS", "EMPTY"]) => return Some((None, 2)),
            2 if word("IS") => Operator::Is,
            2 if word("IN") => Operator::In,
            3 if word("AND") => Operator::And,
            3 if word("XOR") => Operator::Xor,
            3 if word("NOT") && self.at_words(&["NOT", "IN"]) => return Some((Some(Operator::NotIn), 2)),
            3 if word("NOT") && self.at_words(&["NOT", "MATCHES"]) => return Some((Some(Operator::NotMatches), 2)),
            7 if word("MATCHES") => Operator::Matches,
            _ => return None,
        };
        Some((Some(operator), 1))
    }

    /// A node over children of which the highest is `height`.
    pub(crate) fn node(kind: ExpressionKind, span: Span, height: usize) -> Result<Node> {
        if height >= MAX_HEIGHT {
            return Err(too_deep(span));
        }
        Ok(Node { expression: Expression { kind, span }, height: height + 1 })
    }
}

/// What a token costs in the tree, about: an expression node has 48 bytes, a segment of an identifier 32, its text an
/// allocation of its own, and a list keeps room free.
fn tree_bytes(token: Token) -> usize {
    let text = token.end - token.start;
    match token.kind {
        TokenKind::Word | TokenKind::Quoted | TokenKind::QuotedKey | TokenKind::WordKey => 112 + text,
        TokenKind::SingleQuoted | TokenKind::DoubleQuoted | TokenKind::Parameter => 80 + text,
        TokenKind::Number => 80,
        TokenKind::OpenParenthesis | TokenKind::OpenBrace => 208,
        TokenKind::Comma => 48,
        TokenKind::Dot | TokenKind::CloseParenthesis | TokenKind::CloseBrace | TokenKind::End => 0,
        _ => 80,
    }
}

/// Puts `operator right` behind `left`: into its chain if that is of the same precedence, else around it.
fn chain(left: Node, operator: Operator, span: Span, right: Node) -> Result<Node> {
    let whole = left.expression.span.to(right.expression.span);
    let operation = Operation { operator, span, operand: right.expression };
    if left.expression.precedence() == operator.precedence()
        && let ExpressionKind::Operators(mut operators) = left.expression.kind
    {
        operators.rest.push(operation);
        let height = left.height.max(right.height + 1);
        if height > MAX_HEIGHT {
            return Err(too_deep(whole));
        }
        return Ok(Node { expression: Expression { kind: ExpressionKind::Operators(operators), span: whole }, height });
    }
    let height = left.height.max(right.height);
    let operators = Operators { first: left.expression, rest: vec![operation] };
    Parser::node(ExpressionKind::Operators(Box::new(operators)), whole, height)
}

fn too_deep(span: Span) -> Error {
    Error::new(ErrorKind::Syntax, format!("Parser: The statement nests deeper than {MAX_HEIGHT} levels.")).at(span)
}

impl Precedence {
    /// What the operand to the right of a left-associative operator must bind at least as tightly as.
    fn tighter(self) -> Precedence {
        match self {
            Precedence::Or => Precedence::And,
            Precedence::And => Precedence::Not,
            Precedence::Not => Precedence::Comparison,
            Precedence::Comparison => Precedence::Sum,
            Precedence::Sum => Precedence::Product,
            Precedence::Product => Precedence::Sign,
            Precedence::Sign => Precedence::Power,
            Precedence::Power | Precedence::Primary => Precedence::Primary,
        }
    }
}

/// Words that start no operand unless they are quoted or stand after a dot.
pub(crate) fn is_reserved(word: &str) -> bool {
    const RESERVED: [&str; 16] = [
        "AND", "AS", "ELSE", "END", "FROM", "IN", "IS", "NOT", "ON", "OR", "SELECT", "THEN", "WHEN", "WHERE", "WITH",
        "XOR",
    ];
    word.len() <= 6 && RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(word))
}
