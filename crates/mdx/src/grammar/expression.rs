//! Operands: literals, names, tuples, sets, calls, `member.Property`, CASE, CAST, and formulas in quotes.

use crate::ast::{
    Call, Case, Cast, Expression, ExpressionKind, Identifier, Name, Precedence, Property, Segment, Step, Syntax,
};
use crate::lexer::{TokenKind, undouble};
use crate::parser::{Node, Parser, is_reserved};
use facetta_model::{Result, Span, collect_or_drop_later, error};

impl Parser<'_, '_, '_> {
    /// An operand with the steps, properties and methods that follow it.
    pub(crate) fn primary(&mut self) -> Result<Node> {
        let mut node = self.atom()?;
        while self.at(TokenKind::Dot) {
            self.bump()?;
            node = self.after_dot(node)?;
        }
        Ok(node)
    }

    fn atom(&mut self) -> Result<Node> {
        let start = self.span();
        match self.kind() {
            TokenKind::Quoted => self.name_or_call(),
            TokenKind::Word => self.word(),
            TokenKind::Number => self.number(),
            TokenKind::SingleQuoted | TokenKind::DoubleQuoted => {
                let text = self.string()?;
                Self::node(ExpressionKind::String(text), start, 0)
            }
            TokenKind::Parameter => {
                let name = self.text().get(1..).unwrap_or("").into();
                self.bump()?;
                Self::node(ExpressionKind::Parameter(name), start, 0)
            }
            TokenKind::OpenParenthesis => {
                let (items, height) = self.list(TokenKind::CloseParenthesis)?;
                Self::node(ExpressionKind::Parentheses(items), self.since(start), height)
            }
            TokenKind::OpenBrace => {
                let (items, height) = self.list(TokenKind::CloseBrace)?;
                Self::node(ExpressionKind::Braces(items), self.since(start), height)
            }
            _ => Err(self.unexpected()),
        }
    }

    /// A bare word: a keyword of expressions where it can be one, else a name.
    fn word(&mut self) -> Result<Node> {
        let start = self.span();
        let called = |parser: &Self| parser.peek() == TokenKind::OpenParenthesis;
        let text = self.text();
        match text.len() {
            4 if text.eq_ignore_ascii_case("NULL")
                && !matches!(self.peek(), TokenKind::OpenParenthesis | TokenKind::Dot | TokenKind::Bang) =>
            {
                self.bump()?;
                Self::node(ExpressionKind::Null, start, 0)
            }
            4 if text.eq_ignore_ascii_case("CASE") && !matches!(self.peek(), TokenKind::Dot) => self.case(),
            4 if text.eq_ignore_ascii_case("CAST") && called(self) => self.cast(),
            _ if is_reserved(text) => Err(self.unexpected()),
            _ => self.name_or_call(),
        }
    }

    /// A name, `name(arguments)` or `library!name(arguments)`.
    fn name_or_call(&mut self) -> Result<Node> {
        let start = self.span();
        let mut name = self.name()?;
        let mut libraries = Vec::new();
        while self.eat(TokenKind::Bang)? {
            libraries.push(std::mem::replace(&mut name, self.any_name()?));
        }
        if self.at(TokenKind::OpenParenthesis) {
            return self.call(libraries, name, Syntax::Function, None, start);
        }
        if !libraries.is_empty() {
            return Err(self.unexpected());
        }
        let segments = vec![Segment::Name(name)];
        Self::node(ExpressionKind::Identifier(Identifier { segments }), start, 0)
    }

    /// What follows `left` and a dot: one more segment of an identifier, else a step, property or method.
    fn after_dot(&mut self, left: Node) -> Result<Node> {
        let start = left.expression.span;
        let segment = self.segment()?;
        let segment = match segment {
            Segment::Name(name) if self.at(TokenKind::OpenParenthesis) => {
                return self.call(Vec::new(), name, Syntax::Method, Some(left), start);
            }
            segment => segment,
        };
        let span = self.since(start);
        let Node { expression, height } = left;
        let kind = match (expression.kind, segment) {
            (ExpressionKind::Identifier(mut identifier), segment) => {
                identifier.segments.push(segment);
                return Self::node(ExpressionKind::Identifier(identifier), span, 0);
            }
            (kind, Segment::Name(name)) if !name.quoted => ExpressionKind::Call(Box::new(Call {
                libraries: Vec::new(),
                name,
                syntax: Syntax::Property,
                arguments: vec![Expression { kind, span: expression.span }],
            })),
            (kind, segment) => {
                ExpressionKind::Step(Box::new(Step { target: Expression { kind, span: expression.span }, segment }))
            }
        };
        Self::node(kind, span, height)
    }

    /// The arguments of `name` in parentheses; the target of a method comes first.
    fn call(
        &mut self,
        libraries: Vec<Name>,
        name: Name,
        syntax: Syntax,
        target: Option<Node>,
        start: Span,
    ) -> Result<Node> {
        let mut arguments = Vec::with_capacity(2);
        let mut height = 0;
        if let Some(target) = target {
            height = target.height;
            arguments.push(target.expression);
        }
        self.expect(TokenKind::OpenParenthesis)?;
        if !self.at(TokenKind::CloseParenthesis) {
            loop {
                let argument = match self.kind() {
                    TokenKind::Comma | TokenKind::CloseParenthesis => {
                        let at = self.span().start as usize;
                        Self::node(ExpressionKind::Missing, Span::new(at, at), 0)?
                    }
                    _ => self.expression()?,
                };
                height = height.max(argument.height);
                arguments.push(argument.expression);
                if !self.eat(TokenKind::Comma)? {
                    break;
                }
            }
        }
        self.expect(TokenKind::CloseParenthesis)?;
        let call = Call { libraries, name, syntax, arguments };
        Self::node(ExpressionKind::Call(Box::new(call)), self.since(start), height)
    }

    /// The expressions between brackets of any kind, and the height of the highest. The cursor is at the opening one.
    fn list(&mut self, close: TokenKind) -> Result<(Vec<Expression>, usize)> {
        self.bump()?;
        let mut height = 0;
        let mut more = !self.at(close);
        let items = collect_or_drop_later(std::iter::from_fn(|| {
            more.then(|| {
                let item = self.expression()?;
                height = height.max(item.height);
                more = self.eat(TokenKind::Comma)?;
                Ok(item.expression)
            })
        }))?;
        self.expect(close)?;
        Ok((items, height))
    }

    /// `(a, b)`: the expressions between parentheses.
    pub(crate) fn parenthesised(&mut self) -> Result<Vec<Expression>> {
        if !self.at(TokenKind::OpenParenthesis) {
            return Err(self.unexpected());
        }
        self.list(TokenKind::CloseParenthesis).map(|(items, _)| items)
    }

    fn number(&mut self) -> Result<Node> {
        let span = self.span();
        let kind = read_number(self.text());
        self.bump()?;
        Self::node(kind, span, 0)
    }

    /// A whole number without sign.
    pub(crate) fn whole_number(&mut self) -> Result<u64> {
        match self.text().parse() {
            Ok(number) if self.at(TokenKind::Number) => {
                self.bump()?;
                Ok(number)
            }
            _ => Err(self.unexpected()),
        }
    }

    /// A text in quotes of either kind.
    pub(crate) fn string(&mut self) -> Result<Box<str>> {
        let quote = match self.kind() {
            TokenKind::SingleQuoted => b'\'',
            TokenKind::DoubleQuoted => b'"',
            _ => return Err(self.unexpected()),
        };
        let text = self.text();
        let text = undouble(text.get(1..text.len() - 1).unwrap_or(""), quote).into();
        self.bump()?;
        Ok(text)
    }

    fn case(&mut self) -> Result<Node> {
        let start = self.span();
        self.expect_word("CASE")?;
        let mut height = 0;
        let mut note = |node: Node| {
            height = height.max(node.height);
            node.expression
        };
        let operand = if self.at_word("WHEN") { None } else { Some(note(self.expression()?)) };
        let mut branches = Vec::new();
        self.expect_word("WHEN")?;
        loop {
            let when = note(self.expression()?);
            self.expect_word("THEN")?;
            branches.push((when, note(self.expression()?)));
            if !self.eat_word("WHEN")? {
                break;
            }
        }
        let otherwise = if self.eat_word("ELSE")? { Some(note(self.expression()?)) } else { None };
        self.expect_word("END")?;
        let case = Case { operand, branches, otherwise };
        Self::node(ExpressionKind::Case(Box::new(case)), self.since(start), height)
    }

    fn cast(&mut self) -> Result<Node> {
        let start = self.span();
        self.expect_word("CAST")?;
        self.expect(TokenKind::OpenParenthesis)?;
        let operand = self.operators(Precedence::Or)?;
        self.expect_word("AS")?;
        let target = self.name()?;
        self.expect(TokenKind::CloseParenthesis)?;
        let cast = Cast { operand: operand.expression, target };
        Self::node(ExpressionKind::Cast(Box::new(cast)), self.since(start), operand.height)
    }

    /// A formula: an expression, or one in single quotes. A text that is the whole formula stands in double quotes.
    pub(crate) fn formula(&mut self) -> Result<Expression> {
        let at = self.span();
        match self.formula_and_inner_properties()? {
            (formula, properties) if properties.is_empty() => Ok(formula),
            _ => Err(error!(Syntax, "Parser: The formula in quotes has properties, which cannot stand here.").at(at)),
        }
    }

    /// A formula and the properties after it.
    pub(crate) fn formula_and_properties(&mut self) -> Result<(Expression, Vec<Property>)> {
        let (formula, mut properties) = self.formula_and_inner_properties()?;
        properties.append(&mut self.properties()?);
        Ok((formula, properties))
    }

    fn formula_and_inner_properties(&mut self) -> Result<(Expression, Vec<Property>)> {
        if !self.at(TokenKind::SingleQuoted) {
            return self.operators(Precedence::Or).map(|node| (node.expression, Vec::new()));
        }
        let text = self.text();
        let raw = text.get(1..text.len() - 1).unwrap_or("");
        let found = self.quoted_formula(self.span().start as usize + 1, raw)?;
        self.bump()?;
        Ok(found)
    }

    /// `, name = expression` any number of times.
    pub(crate) fn properties(&mut self) -> Result<Vec<Property>> {
        let mut properties = Vec::new();
        while self.eat(TokenKind::Comma)? {
            let name = self.name()?;
            self.expect(TokenKind::Equal)?;
            let value = self.operators(Precedence::Or)?.expression;
            properties.push(Property { name, value });
        }
        Ok(properties)
    }
}

/// A number as written: whole where it has no point and fits exactly (`1e2` is 100), else a double.
fn read_number(text: &str) -> ExpressionKind {
    if let Ok(number) = text.parse() {
        return ExpressionKind::Int(number);
    }
    // Digits, a point and an exponent always parse; what is too large becomes infinite.
    let number: f64 = text.parse().unwrap_or(f64::INFINITY);
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if !text.contains('.') && number.fract() == 0.0 && number.abs() <= EXACT {
        ExpressionKind::Int(number as i64)
    } else {
        ExpressionKind::Double(number)
    }
}
