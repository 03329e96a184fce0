//! Tree to text: the canonical form, which parses to the same tree, and the form in which Mondrian shows a statement.

mod definition;
mod dmv;
mod query;

use crate::ast::{
    Call, Case, DmvExpression, DmvSelect, Expression, ExpressionKind, Identifier, Name, Operators, Precedence, Prefix,
    PrefixOperator, Segment, Statement, Syntax,
};
use facetta_model::name::quote;
use std::fmt::{self, Display, Formatter, Result, Write};

/// Which text is made of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// Parentheses as written, formulas without quotes, keywords in upper case, one line.
    Canonical,
    /// A parenthesis around each operation, formulas in quotes, a line for each clause.
    Mondrian,
}

/// The statement as Mondrian prints a parsed one: what its users know from logs and error messages. Kinds of statement that
/// Mondrian has not are printed in canonical form.
pub fn mondrian_statement(statement: &Statement) -> String {
    with_printer(Style::Mondrian, |printer| printer.statement(statement))
}

/// The expression as Mondrian prints a parsed one.
pub fn mondrian_expression(expression: &Expression) -> String {
    with_printer(Style::Mondrian, |printer| printer.expression(expression))
}

fn with_printer(style: Style, print: impl FnOnce(&mut Printer) -> Result) -> String {
    let mut text = String::new();
    // Writing to a String never fails.
    let _ = print(&mut Printer { out: &mut text, style });
    text
}

macro_rules! display {
    ($($type:ident $method:ident)+) => {
        $(
            /// The canonical text.
            impl Display for $type {
                fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                    Printer { out: f, style: Style::Canonical }.$method(self)
                }
            }
        )+
    };
}

display! {
    Name name
    Segment segment
    Identifier identifier
    Expression expression
    Statement statement
    DmvSelect dmv
    DmvExpression dmv_expression
}

struct Printer<'w> {
    out: &'w mut dyn Write,
    style: Style,
}

impl Printer<'_> {
    fn text(&mut self, text: &str) -> Result {
        self.out.write_str(text)
    }

    /// Each of `items` by `print`, with `separator` between them.
    fn list<T>(&mut self, items: &[T], separator: &str, print: impl Fn(&mut Self, &T) -> Result) -> Result {
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                self.text(separator)?;
            }
            print(self, item)?;
        }
        Ok(())
    }

    fn string(&mut self, text: &str) -> Result {
        write!(self.out, "\"{}\"", text.replace('"', "\"\""))
    }

    // ---- names

    fn name(&mut self, name: &Name) -> Result {
        if name.quoted { self.text(&quote(&name.text)) } else { self.text(&name.text) }
    }

    fn segment(&mut self, segment: &Segment) -> Result {
        match segment {
            Segment::Name(name) => self.name(name),
            Segment::Key(parts) => self.list(parts, "", |printer, part| {
                printer.text("&")?;
                printer.name(part)
            }),
        }
    }

    fn identifier(&mut self, identifier: &Identifier) -> Result {
        self.list(&identifier.segments, ".", Self::segment)
    }

    fn identifiers(&mut self, identifiers: &[Identifier]) -> Result {
        self.list(identifiers, ", ", Self::identifier)
    }

    // ---- expressions

    fn expressions(&mut self, expressions: &[Expression]) -> Result {
        self.list(expressions, ", ", Self::expression)
    }

    fn expression(&mut self, expression: &Expression) -> Result {
        match &expression.kind {
            ExpressionKind::Missing => Ok(()),
            ExpressionKind::Null => self.text("NULL"),
            ExpressionKind::Int(number) => write!(self.out, "{number}"),
            // The form with a point or exponent, so that it is read as a double again.
            ExpressionKind::Double(number) if number.is_finite() => write!(self.out, "{number:?}"),
            ExpressionKind::Double(_) => self.text("1e999"),
            ExpressionKind::String(text) => self.string(text),
            ExpressionKind::Parameter(name) => write!(self.out, "@{name}"),
            ExpressionKind::Identifier(identifier) => self.identifier(identifier),
            ExpressionKind::Call(call) => self.call(call),
            ExpressionKind::Step(step) => {
                self.operand(&step.target, Precedence::Primary)?;
                self.text(".")?;
                self.segment(&step.segment)
            }
            ExpressionKind::Prefix(prefix) => self.prefix(prefix),
            ExpressionKind::IsEmpty(operand) => {
                self.open()?;
                self.operand(operand, Precedence::Comparison)?;
                self.text(" IS EMPTY")?;
                self.close()
            }
            ExpressionKind::Operators(operators) => self.operators(operators),
            ExpressionKind::Parentheses(items) => {
                self.text("(")?;
                self.expressions(items)?;
                self.text(")")
            }
            ExpressionKind::Braces(items) => {
                self.text("{")?;
                self.expressions(items)?;
                self.text("}")
            }
            ExpressionKind::Case(case) => self.case(case),
            ExpressionKind::Cast(cast) => {
                self.text("CAST(")?;
                self.expression(&cast.operand)?;
                self.text(" AS ")?;
                self.name(&cast.target)?;
                self.text(")")
            }
            ExpressionKind::Alias(alias) => {
                self.open()?;
                self.expression(&alias.expression)?;
                self.text(" AS ")?;
                self.name(&alias.name)?;
                self.close()
            }
        }
    }

    /// Mondrian's parenthesis around an operation.
    fn open(&mut self) -> Result {
        if self.style == Style::Mondrian { self.text("(") } else { Ok(()) }
    }

    fn close(&mut self) -> Result {
        if self.style == Style::Mondrian { self.text(")") } else { Ok(()) }
    }

    /// An operand where something at least as tight as `least` must stand. Trees that the parser made need no more
    /// parentheses than they have; others may.
    fn operand(&mut self, operand: &Expression, least: Precedence) -> Result {
        let loose = operand.precedence() < least || matches!(operand.kind, ExpressionKind::Alias(_));
        if loose && self.style == Style::Canonical {
            self.text("(")?;
            self.expression(operand)?;
            return self.text(")");
        }
        self.expression(operand)
    }

    fn prefix(&mut self, prefix: &Prefix) -> Result {
        let Prefix { operator, operand } = prefix;
        if self.style == Style::Mondrian {
            if *operator == PrefixOperator::Plus {
                return self.expression(operand);
            }
            let word = if *operator == PrefixOperator::Existing { "Existing" } else { operator.text() };
            write!(self.out, "({word} ")?;
            self.expression(operand)?;
            return self.text(")");
        }
        self.text(operator.text())?;
        // Two signs in a row would start a comment.
        let sign = matches!(operator, PrefixOperator::Minus | PrefixOperator::Plus);
        if !sign || matches!(operand.kind, ExpressionKind::Prefix(_) | ExpressionKind::Int(..0)) {
            self.text(" ")?;
        }
        self.operand(operand, operator.precedence())
    }

    fn operators(&mut self, operators: &Operators) -> Result {
        let precedence = operators.rest.first().map_or(Precedence::Primary, |o| o.operator.precedence());
        if self.style == Style::Mondrian {
            for _ in &operators.rest {
                self.text("(")?;
            }
        }
        self.operand(&operators.first, precedence)?;
        let last = operators.rest.len().saturating_sub(1);
        for (i, operation) in operators.rest.iter().enumerate() {
            write!(self.out, " {} ", operation.operator.text())?;
            match &operation.operand.kind {
                // A sign may stand right of anything: `2 ^ -1`.
                ExpressionKind::Prefix(prefix) if i == last && prefix.operator != PrefixOperator::Not => {
                    self.expression(&operation.operand)?
                }
                _ => {
                    let same = operation.operand.precedence() == precedence;
                    let least = if same { Precedence::Primary } else { precedence };
                    self.operand(&operation.operand, least)?;
                }
            }
            self.close()?;
        }
        Ok(())
    }

    fn call(&mut self, call: &Call) -> Result {
        let arguments = match (call.syntax, call.arguments.split_first()) {
            (Syntax::Method | Syntax::Property, Some((target, arguments))) => {
                self.operand(target, Precedence::Primary)?;
                self.text(".")?;
                arguments
            }
            _ => call.arguments.as_slice(),
        };
        if self.style == Style::Canonical {
            for library in &call.libraries {
                self.name(library)?;
                self.text("!")?;
            }
        }
        self.name(&call.name)?;
        if call.syntax == Syntax::Property {
            return Ok(());
        }
        self.text("(")?;
        self.expressions(arguments)?;
        self.text(")")
    }

    fn case(&mut self, case: &Case) -> Result {
        self.text("CASE")?;
        if let Some(operand) = &case.operand {
            self.text(" ")?;
            self.expression(operand)?;
        }
        for (when, then) in &case.branches {
            self.text(" WHEN ")?;
            self.expression(when)?;
            self.text(" THEN ")?;
            self.expression(then)?;
        }
        if let Some(otherwise) = &case.otherwise {
            self.text(" ELSE ")?;
            self.expression(otherwise)?;
        }
        self.text(" END")
    }
}
