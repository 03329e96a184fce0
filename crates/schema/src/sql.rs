//! The SQL of schema expressions: columns, literals, arithmetic, comparison, CASE, IN, CAST and a few functions.

use facetta_model::definition::{BinaryOperator, ColumnRef, DataType, Expression, function};
use facetta_model::{Error, ErrorKind};

/// How deep an expression may nest.
const MAX_DEPTH: usize = 64;
/// How many operators, operands and calls it may have. It bounds the height of a chain such as `a + a + a …` too.
const MAX_NODES: usize = 1000;

/// What is wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SqlError {
    /// Lines below the first one.
    pub(crate) line: u32,
    /// A short fact.
    pub(crate) message: String,
}

/// Parses an SQL expression of the generic dialect.
///
/// # Errors
/// Kind Definition, with the place by line if the text has more than one.
pub fn parse_sql(text: &str) -> Result<Expression, Error> {
    parse(text).map_err(|e| Error::new(ErrorKind::Definition, format!("SQL line {}: {}", e.line + 1, e.message)))
}

/// Parses an SQL expression of the generic dialect.
pub(crate) fn parse(text: &str) -> Result<Expression, SqlError> {
    let mut parser = Parser { text, position: 0, token: Token::End, start: 0, depth: 0, nodes: 0 };
    parser.parse().map_err(|message| {
        let before = text.get(..parser.start).unwrap_or_default();
        SqlError { line: before.matches('\n').count() as u32, message }
    })
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// A bare word: a keyword, function or column.
    Word(String),
    /// A quoted name.
    Quoted(String),
    Number(String),
    Text(String),
    /// Punctuation and operators.
    Symbol(&'static str),
    End,
}

/// Longer ones first.
const SYMBOLS: &[&str] = &["||", "<>", "!=", "<=", ">=", "=", "<", ">", "+", "-", "*", "/", "(", ")", ",", "."];

/// Words that end an expression or join two, and so are never columns.
const RESERVED: &[&str] = &[
    "and", "as", "between", "case", "cast", "else", "end", "from", "in", "is", "like", "not", "null", "or", "over",
    "select", "then", "when",
];

/// Whether a word is a column name that needs no quotes.
pub(crate) fn is_plain_name(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || "_$#".contains(c))
        && !RESERVED.contains(&word.to_lowercase().as_str())
        && !["true", "false"].contains(&word.to_lowercase().as_str())
}

struct Parser<'a> {
    text: &'a str,
    position: usize,
    token: Token,
    /// Where the token begins.
    start: usize,
    depth: usize,
    nodes: usize,
}

impl Parser<'_> {
    fn parse(&mut self) -> Result<Expression, String> {
        self.advance()?;
        if self.token == Token::End {
            return Err("The expression is empty".to_owned());
        }
        let expression = self.expression()?;
        match &self.token {
            Token::End => Ok(expression),
            token => Err(format!("{} is not expected here", show(token))),
        }
    }

    // Tokens.

    fn advance(&mut self) -> Result<(), String> {
        self.token = self.next_token()?;
        Ok(())
    }

    fn next_token(&mut self) -> Result<Token, String> {
        loop {
            let rest = &self.text[self.position..];
            let trimmed = rest.trim_start();
            self.position += rest.len() - trimmed.len();
            let Some(comment) = trimmed.strip_prefix("--") else { break };
            self.position += 2 + comment.find('\n').unwrap_or(comment.len());
        }
        self.start = self.position;
        let rest = &self.text[self.position..];
        let Some(first) = rest.chars().next() else { return Ok(Token::End) };
        match first {
            '\'' => Ok(Token::Text(self.quoted('\'')?)),
            '"' | '`' => match self.quoted(first)? {
                name if name.is_empty() => Err("A quoted name is empty".to_owned()),
                name => Ok(Token::Quoted(name)),
            },
            c if c.is_ascii_digit() || (c == '.' && rest[1..].starts_with(|d: char| d.is_ascii_digit())) => {
                Ok(Token::Number(self.number()?))
            }
            c if c.is_alphabetic() || c == '_' => {
                let end = rest.find(|c: char| !(c.is_alphanumeric() || "_$#".contains(c))).unwrap_or(rest.len());
                self.position += end;
                Ok(Token::Word(rest[..end].to_owned()))
            }
            _ => match SYMBOLS.iter().find(|s| rest.starts_with(**s)) {
                Some(symbol) => {
                    self.position += symbol.len();
                    Ok(Token::Symbol(symbol))
                }
                None => Err(format!("The character '{first}' is not expected here")),
            },
        }
    }

    /// What stands between two `quote`s; doubled ones are one.
    fn quoted(&mut self, quote: char) -> Result<String, String> {
        let mut out = String::new();
        let mut chars = self.text[self.position + 1..].char_indices().peekable();
        while let Some((offset, c)) = chars.next() {
            if c != quote {
                out.push(c);
            } else if chars.peek().is_some_and(|(_, next)| *next == quote) {
                out.push(c);
                chars.next();
            } else {
                self.position += 1 + offset + 1;
                return Ok(out);
            }
        }
        Err(format!("The closing {quote} is missing"))
    }

    fn number(&mut self) -> Result<String, String> {
        let rest = &self.text[self.position..];
        let digits = |from: usize| rest[from..].bytes().take_while(u8::is_ascii_digit).count();
        let mut end = digits(0);
        if rest[end..].starts_with('.') {
            end += 1 + digits(end + 1);
        }
        if rest[end..].starts_with(['e', 'E']) {
            let sign = usize::from(rest[end + 1..].starts_with(['+', '-']));
            let exponent = digits(end + 1 + sign);
            if exponent > 0 {
                end += 1 + sign + exponent;
            }
        }
        if rest[end..].starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            return Err(format!(
                "'{}' is not a number",
                &rest[..end + rest[end..].chars().next().map_or(0, char::len_utf8)]
            ));
        }
        self.position += end;
        Ok(rest[..end].to_owned())
    }

    fn is_word(&self, wanted: &str) -> bool {
        matches!(&self.token, Token::Word(word) if word.eq_ignore_ascii_case(wanted))
    }

    fn eat_word(&mut self, wanted: &str) -> Result<bool, String> {
        let found = self.is_word(wanted);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn expect_word(&mut self, wanted: &str) -> Result<(), String> {
        if self.eat_word(wanted)? {
            return Ok(());
        }
        Err(format!("{} where {} is expected", show(&self.token), wanted.to_uppercase()))
    }

    fn eat(&mut self, symbol: &'static str) -> Result<bool, String> {
        let found = self.token == Token::Symbol(symbol);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn expect(&mut self, symbol: &'static str) -> Result<(), String> {
        if self.eat(symbol)? {
            return Ok(());
        }
        Err(format!("{} where '{symbol}' is expected", show(&self.token)))
    }

    // Grammar, loosest operator first.

    fn node(&mut self) -> Result<(), String> {
        self.nodes += 1;
        if self.nodes > MAX_NODES { Err(format!("The expression has more than {MAX_NODES} parts")) } else { Ok(()) }
    }

    /// A copy of a part that is counted like the parts that were written, or copies of copies would grow without bound.
    fn copy(&mut self, expression: &Expression) -> Result<Expression, String> {
        let mut size = 0;
        expression.for_each(&mut |_| size += 1);
        self.nodes += size;
        self.node()?;
        Ok(expression.clone())
    }

    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, String>) -> Result<T, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("The expression nests more than {MAX_DEPTH} deep"));
        }
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn expression(&mut self) -> Result<Expression, String> {
        self.nested(|p| {
            let mut left = p.conjunction()?;
            while p.eat_word("or")? {
                let right = p.conjunction()?;
                left = binary(left, BinaryOperator::Or, right);
            }
            Ok(left)
        })
    }

    fn conjunction(&mut self) -> Result<Expression, String> {
        let mut left = self.negation()?;
        while self.eat_word("and")? {
            let right = self.negation()?;
            left = binary(left, BinaryOperator::And, right);
        }
        Ok(left)
    }

    fn negation(&mut self) -> Result<Expression, String> {
        if self.eat_word("not")? {
            return self.nested(|p| Ok(Expression::Not(Box::new(p.negation()?))));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Expression, String> {
        let mut left = self.concatenation()?;
        loop {
            if let Some(operator) = self.comparison_operator() {
                self.advance()?;
                let right = self.concatenation()?;
                left = binary(left, operator, right);
            } else if self.eat_word("is")? {
                let negated = self.eat_word("not")?;
                self.expect_word("null")?;
                self.node()?;
                left = negate_if(negated, Expression::IsNull(Box::new(left)));
            } else {
                let negated = self.eat_word("not")?;
                if self.eat_word("in")? {
                    left = negate_if(negated, Expression::In(Box::new(left), self.list()?));
                } else if self.eat_word("between")? {
                    let low = self.concatenation()?;
                    self.expect_word("and")?;
                    let high = self.concatenation()?;
                    let copy = self.copy(&left)?;
                    let least = binary(copy, BinaryOperator::GreaterOrEqual, low);
                    let most = binary(left, BinaryOperator::LessOrEqual, high);
                    left = negate_if(negated, binary(least, BinaryOperator::And, most));
                } else if negated {
                    return Err(format!("{} where IN or BETWEEN is expected", show(&self.token)));
                } else {
                    return Ok(left);
                }
            }
        }
    }

    fn comparison_operator(&self) -> Option<BinaryOperator> {
        let Token::Symbol(symbol) = self.token else { return None };
        Some(match symbol {
            "=" => BinaryOperator::Equal,
            "<>" | "!=" => BinaryOperator::NotEqual,
            "<" => BinaryOperator::Less,
            "<=" => BinaryOperator::LessOrEqual,
            ">" => BinaryOperator::Greater,
            ">=" => BinaryOperator::GreaterOrEqual,
            _ => return None,
        })
    }

    fn concatenation(&mut self) -> Result<Expression, String> {
        let mut left = self.sum()?;
        while self.eat("||")? {
            let right = self.sum()?;
            left = binary(left, BinaryOperator::Concat, right);
        }
        Ok(left)
    }

    fn sum(&mut self) -> Result<Expression, String> {
        let mut left = self.product()?;
        loop {
            let operator = match self.token {
                Token::Symbol("+") => BinaryOperator::Add,
                Token::Symbol("-") => BinaryOperator::Subtract,
                _ => return Ok(left),
            };
            self.advance()?;
            let right = self.product()?;
            left = binary(left, operator, right);
        }
    }

    fn product(&mut self) -> Result<Expression, String> {
        let mut left = self.sign()?;
        loop {
            let operator = match self.token {
                Token::Symbol("*") => BinaryOperator::Multiply,
                Token::Symbol("/") => BinaryOperator::Divide,
                _ => return Ok(left),
            };
            self.advance()?;
            let right = self.sign()?;
            left = binary(left, operator, right);
        }
    }

    fn sign(&mut self) -> Result<Expression, String> {
        if self.eat("-")? {
            return self.nested(|p| Ok(Expression::Negate(Box::new(p.sign()?))));
        }
        if self.eat("+")? {
            return self.nested(Self::sign);
        }
        self.operand()
    }

    fn operand(&mut self) -> Result<Expression, String> {
        self.node()?;
        let token = std::mem::replace(&mut self.token, Token::End);
        match token {
            Token::Number(number) => self.after(Expression::Number(number)),
            Token::Text(text) => self.after(Expression::Text(text)),
            Token::Symbol("(") => {
                self.advance()?;
                let inner = self.expression()?;
                self.expect(")")?;
                Ok(inner)
            }
            Token::Quoted(name) => {
                self.advance()?;
                self.column(name)
            }
            Token::Word(word) => match word.to_ascii_lowercase().as_str() {
                "null" => self.after(Expression::Null),
                "true" => self.after(Expression::Boolean(true)),
                "false" => self.after(Expression::Boolean(false)),
                "case" => self.case(),
                "cast" => self.cast(),
                "select" => Err("A query (SELECT) is not supported in an expression".to_owned()),
                lower if RESERVED.contains(&lower) => Err(format!("'{word}' is not expected here")),
                lower => {
                    self.advance()?;
                    if self.token == Token::Symbol("(") { self.call(lower, &word) } else { self.column(word) }
                }
            },
            token => Err(format!("{} where a value is expected", show(&token))),
        }
    }

    fn after(&mut self, expression: Expression) -> Result<Expression, String> {
        self.advance()?;
        Ok(expression)
    }

    /// `name`, `table.name`; of `schema.table.name` the schema means nothing here.
    fn column(&mut self, first: String) -> Result<Expression, String> {
        let mut parts = vec![first];
        while self.eat(".")? {
            match std::mem::replace(&mut self.token, Token::End) {
                Token::Word(name) | Token::Quoted(name) => parts.push(name),
                token => return Err(format!("{} where a column is expected", show(&token))),
            }
            self.advance()?;
        }
        if parts.len() > 3 {
            return Err(format!("'{}' has more parts than schema, table and column", parts.join(".")));
        }
        let column = parts.pop().unwrap_or_default();
        Ok(Expression::Column(ColumnRef { table: parts.pop(), column }))
    }

    /// After `name`, at `(`.
    fn call(&mut self, lower: &str, written: &str) -> Result<Expression, String> {
        let Some(known) = function(lower) else {
            let hint = crate::error::did_you_mean(lower, facetta_model::definition::FUNCTIONS.iter().map(|f| f.name));
            return Err(format!("The function '{written}' is not supported{hint}"));
        };
        let arguments = self.list()?;
        if arguments.len() < known.minimum || arguments.len() > known.maximum {
            return Err(format!("The function '{written}' does not take {} arguments", arguments.len()));
        }
        Ok(Expression::Call(known.name.to_owned(), arguments))
    }

    /// `(a, b …)`, at least one.
    fn list(&mut self) -> Result<Vec<Expression>, String> {
        self.expect("(")?;
        let mut items = vec![self.expression()?];
        while self.eat(",")? {
            items.push(self.expression()?);
        }
        self.expect(")")?;
        Ok(items)
    }

    fn case(&mut self) -> Result<Expression, String> {
        self.advance()?;
        let subject = if self.is_word("when") { None } else { Some(self.expression()?) };
        let mut branches = Vec::new();
        while self.eat_word("when")? {
            let condition = self.expression()?;
            let condition = match &subject {
                Some(subject) => binary(self.copy(subject)?, BinaryOperator::Equal, condition),
                None => condition,
            };
            self.expect_word("then")?;
            branches.push((condition, self.expression()?));
        }
        if branches.is_empty() {
            return Err(format!("{} where WHEN is expected", show(&self.token)));
        }
        let otherwise = if self.eat_word("else")? { Some(Box::new(self.expression()?)) } else { None };
        self.expect_word("end")?;
        Ok(Expression::Case { branches, otherwise })
    }

    fn cast(&mut self) -> Result<Expression, String> {
        self.advance()?;
        self.expect("(")?;
        let value = self.expression()?;
        self.expect_word("as")?;
        let Token::Word(name) = std::mem::replace(&mut self.token, Token::End) else {
            return Err("CAST needs the name of a type".to_owned());
        };
        let Some(data_type) = cast_type(&name) else {
            return Err(format!("CAST to the type '{name}' is not supported"));
        };
        self.advance()?;
        // A length or precision means nothing here.
        if self.eat("(")? {
            while !matches!(self.token, Token::Symbol(")") | Token::End) {
                self.advance()?;
            }
            self.expect(")")?;
        }
        self.expect(")")?;
        Ok(Expression::Cast(Box::new(value), data_type))
    }
}

fn cast_type(name: &str) -> Option<DataType> {
    Some(match name.to_ascii_lowercase().as_str() {
        "char" | "varchar" | "text" | "string" => DataType::String,
        "int" | "integer" | "bigint" | "smallint" => DataType::Integer,
        "numeric" | "decimal" | "double" | "float" | "real" => DataType::Numeric,
        "boolean" => DataType::Boolean,
        "date" => DataType::Date,
        "timestamp" | "datetime" => DataType::DateTime,
        _ => return None,
    })
}

fn binary(left: Expression, operator: BinaryOperator, right: Expression) -> Expression {
    Expression::Binary(Box::new(left), operator, Box::new(right))
}

fn negate_if(negated: bool, expression: Expression) -> Expression {
    if negated { Expression::Not(Box::new(expression)) } else { expression }
}

fn show(token: &Token) -> String {
    match token {
        Token::Word(text) | Token::Number(text) => format!("'{text}'"),
        Token::Quoted(text) => format!("'\"{text}\"'"),
        Token::Text(text) => format!("the text '{text}'"),
        Token::Symbol(symbol) => format!("'{symbol}'"),
        Token::End => "The end".to_owned(),
    }
}

#[cfg(test)]
#[path = "sql_tests.rs"]
mod tests;
