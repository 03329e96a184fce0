//! The syntax tree of statements and expressions: plain data as written, with spans and without ids.
//!
//! Nothing here knows a catalog. What the text alone cannot tell stays open for the resolver; see [`Identifier`].
//! A tree is at most [`MAX_HEIGHT`](crate::MAX_HEIGHT) nodes high (long chains of operators are flat, see [`Operators`]),
//! so walking, comparing and dropping it may recurse.

use facetta_model::Span;

mod ddl;
mod dmv;

pub use ddl::*;
pub use dmv::*;

/// One name as written: `Time`, `[Time.Weekly]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The name without brackets, `]]` read as `]`.
    pub text: Box<str>,
    /// Whether it stood in brackets. A bare name may be a function, property or keyword; a quoted one never is.
    pub quoted: bool,
    /// Where it stands, brackets (and the `&` of a key) included.
    pub span: Span,
}

impl Name {
    /// Whether it is the bare word `word`, without regard to case.
    pub fn is_word(&self, word: &str) -> bool {
        !self.quoted && self.text.eq_ignore_ascii_case(word)
    }
}

/// One step of a dotted identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// A name: `[USA]`, `Children`.
    Name(Name),
    /// A key, with one part `&[42]` or several `&[2024]&[1]`; never empty.
    Key(Vec<Name>),
}

impl Segment {
    /// Where it stands.
    pub fn span(&self) -> Span {
        match self {
            Segment::Name(name) => name.span,
            Segment::Key(parts) => match (parts.first(), parts.last()) {
                (Some(first), Some(last)) => first.span.to(last.span),
                _ => Span::default(),
            },
        }
    }

    /// The name, unless it is a key.
    pub fn name(&self) -> Option<&Name> {
        match self {
            Segment::Name(name) => Some(name),
            Segment::Key(_) => None,
        }
    }
}

/// A dotted chain of names and keys, as in `[Time].[1997].Children`; never empty.
///
/// Text cannot tell members from properties: the bare `Children` above is a function, but in `Store.Name.Seattle` the bare
/// `Name` is a level. So the whole chain is kept, and the resolver splits it: the longest leading part that names an object,
/// then properties and members of it, one segment each. A call ends the chain: `[Time].[1997].Lead(1).Name` is the property
/// `Name` of the method `Lead` of an identifier of two segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identifier {
    /// The steps, in order.
    pub segments: Vec<Segment>,
}

impl Identifier {
    /// Where it stands.
    pub fn span(&self) -> Span {
        match (self.segments.first(), self.segments.last()) {
            (Some(first), Some(last)) => first.span().to(last.span()),
            _ => Span::default(),
        }
    }

    /// Its name, if it has one segment only and that is a name.
    pub fn single(&self) -> Option<&Name> {
        match self.segments.as_slice() {
            [Segment::Name(name)] => Some(name),
            _ => None,
        }
    }
}

/// An expression: a scalar, member, tuple, set, level … alike; types are the resolver's.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    /// What it is.
    pub kind: ExpressionKind,
    /// Where it stands in the statement; inside a quoted formula too.
    pub span: Span,
}

/// The kinds of expression.
#[derive(Clone, Debug, PartialEq)]
pub enum ExpressionKind {
    /// An argument left out, as the second of `DrilldownLevel(x,,3)`; only ever an argument of a [`Call`].
    Missing,
    /// `NULL`.
    Null,
    /// A whole number that fits.
    Int(i64),
    /// Any other number.
    Double(f64),
    /// A text in single or double quotes, doubled quotes read as one.
    String(Box<str>),
    /// `@name`: a parameter of the Execute request.
    Parameter(Box<str>),
    /// A dotted chain of names; keywords such as `BASC`, `SELF_AND_AFTER` and `TRUE` are identifiers of one bare name.
    Identifier(Identifier),
    /// A function, method or property.
    Call(Box<Call>),
    /// A step by quoted name or key from what is no identifier: `Ancestor(…).[Foo]`, `[Time].Levels(1).&[3]`.
    Step(Box<Step>),
    /// `-x`, `+x`, `NOT x`, `EXISTING x`.
    Prefix(Box<Prefix>),
    /// `x IS EMPTY`.
    IsEmpty(Box<Expression>),
    /// Operators between operands.
    Operators(Box<Operators>),
    /// `(a)`, `(a, b)`: parentheses around one expression, or a tuple. `()` is the tuple of no members, which stands for
    /// the current cell in scripts.
    Parentheses(Vec<Expression>),
    /// `{a, b}`.
    Braces(Vec<Expression>),
    /// `CASE … END`.
    Case(Box<Case>),
    /// `CAST(x AS type)`.
    Cast(Box<Cast>),
    /// `set AS name`: a name for a set within the statement.
    Alias(Box<Alias>),
}

/// How a call is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Syntax {
    /// `name(arguments)`.
    Function,
    /// `target.name(arguments)`; the target is the first argument.
    Method,
    /// `target.name`, where the target is no identifier; it is the only argument.
    Property,
}

/// A call of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Qualifiers before the name, as `VBA` in `VBA!Exp(2)`.
    pub libraries: Vec<Name>,
    /// The function's name.
    pub name: Name,
    /// How it is written.
    pub syntax: Syntax,
    /// The arguments; of a method or property the first is the target. Left-out ones are [`ExpressionKind::Missing`].
    pub arguments: Vec<Expression>,
}

/// A step from an object to a member of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// From where; no identifier.
    pub target: Expression,
    /// To which name (always quoted) or key.
    pub segment: Segment,
}

/// An operator before its operand, with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Prefix {
    /// The operator.
    pub operator: PrefixOperator,
    /// Its operand.
    pub operand: Expression,
}

/// Operands of one precedence, read from left to right: `a - b + c` is `(a - b) + c`. A chain of any length is one node.
/// Operands that bind tighter are nodes of their own; what stands in parentheses is [`ExpressionKind::Parentheses`].
#[derive(Clone, Debug, PartialEq)]
pub struct Operators {
    /// The first operand.
    pub first: Expression,
    /// The others, each with the operator before it; never empty, all of one [`Precedence`].
    pub rest: Vec<Operation>,
}

/// An operator and the operand to its right.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// The operator.
    pub operator: Operator,
    /// Where the operator stands.
    pub span: Span,
    /// The operand to its right.
    pub operand: Expression,
}

/// `CASE [operand] WHEN … THEN … [ELSE …] END`.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// What the branches are compared with; without it each `when` is a condition.
    pub operand: Option<Expression>,
    /// `WHEN` and `THEN` of each branch, in order; never empty.
    pub branches: Vec<(Expression, Expression)>,
    /// After `ELSE`.
    pub otherwise: Option<Expression>,
}

/// `CAST(operand AS type)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Cast {
    /// What is converted.
    pub operand: Expression,
    /// The type's name.
    pub target: Name,
}

/// `expression AS name`.
#[derive(Clone, Debug, PartialEq)]
pub struct Alias {
    /// What gets the name.
    pub expression: Expression,
    /// The name.
    pub name: Name,
}

/// How tightly operators bind, loosest first (Analysis Services and Mondrian agree on all but the range, where the
/// conformance cases decide: `a : b * c` is `a : (b * c)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Precedence {
    /// `OR`, `XOR`, `:`.
    Or,
    /// `AND`.
    And,
    /// `NOT` before its operand.
    Not,
    /// `=`, `<>`, `<`, `<=`, `>`, `>=`, `IS`, `IN`, `MATCHES`.
    Comparison,
    /// `+`, `-`, `||`.
    Sum,
    /// `*`, `/`.
    Product,
    /// `-`, `+`, `EXISTING` before their operand.
    Sign,
    /// `^`.
    Power,
    /// Names, calls, literals, brackets of any kind.
    Primary,
}

macro_rules! operators {
    ($(#[doc = $title:literal])+ $type:ident { $($(#[doc = $doc:literal])+ $name:ident = $text:literal $precedence:ident;)+ }) => {
        $(#[doc = $title])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $type { $($(#[doc = $doc])+ $name,)+ }

        impl $type {
            /// Every operator, in the order of the table.
            pub const ALL: &'static [$type] = &[$($type::$name),+];

            /// How it is written, in upper case.
            pub const fn text(self) -> &'static str {
                match self { $($type::$name => $text,)+ }
            }

            /// How tightly it binds.
            pub const fn precedence(self) -> Precedence {
                match self { $($type::$name => Precedence::$precedence,)+ }
            }
        }
    };
}

operators! {
    /// An operator before its operand.
    PrefixOperator {
        /// `NOT`.
        Not = "NOT" Not;
        /// `-`: of a number its negative, of a set its complement.
        Minus = "-" Sign;
        /// `+`: nothing.
        Plus = "+" Sign;
        /// `EXISTING`: the members of a set that exist in the current context.
        Existing = "EXISTING" Sign;
    }
}

operators! {
    /// An operator between two operands.
    Operator {
        /// Logical or.
        Or = "OR" Or;
        /// Logical exclusive or.
        Xor = "XOR" Or;
        /// Range of members.
        Range = ":" Or;
        /// Logical and.
        And = "AND" And;
        /// Equal.
        Equal = "=" Comparison;
        /// Not equal.
        NotEqual = "<>" Comparison;
        /// Less.
        Less = "<" Comparison;
        /// Less or equal.
        LessOrEqual = "<=" Comparison;
        /// Greater.
        Greater = ">" Comparison;
        /// Greater or equal.
        GreaterOrEqual = ">=" Comparison;
        /// The same object; `x IS NULL` has [`ExpressionKind::Null`] to the right.
        Is = "IS" Comparison;
        /// A member of a set.
        In = "IN" Comparison;
        /// No member of a set.
        NotIn = "NOT IN" Comparison;
        /// Text that a regular expression matches (Mondrian).
        Matches = "MATCHES" Comparison;
        /// Text that a regular expression does not match (Mondrian).
        NotMatches = "NOT MATCHES" Comparison;
        /// Sum of numbers, union of sets, concatenation of texts.
        Plus = "+" Sum;
        /// Difference of numbers, of sets.
        Minus = "-" Sum;
        /// Concatenation of texts.
        Concat = "||" Sum;
        /// Product of numbers, crossjoin of sets.
        Times = "*" Product;
        /// Quotient.
        Divide = "/" Product;
        /// Power.
        Power = "^" Power;
    }
}

impl Expression {
    /// How tightly the outermost part binds.
    pub fn precedence(&self) -> Precedence {
        match &self.kind {
            ExpressionKind::Operators(o) => o.rest.first().map_or(Precedence::Primary, |o| o.operator.precedence()),
            ExpressionKind::Prefix(p) => p.operator.precedence(),
            ExpressionKind::IsEmpty(_) => Precedence::Comparison,
            _ => Precedence::Primary,
        }
    }
}

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// What it is.
    pub kind: StatementKind,
    /// Where it stands, without the semicolon.
    pub span: Span,
}

/// The kinds of statement.
#[derive(Clone, Debug, PartialEq)]
pub enum StatementKind {
    /// `[WITH …] SELECT … FROM cube`.
    Select(Box<Select>),
    /// `DRILLTHROUGH … SELECT …`.
    Drillthrough(Box<Drillthrough>),
    /// `EXPLAIN PLAN FOR SELECT …` or `… DRILLTHROUGH …`.
    Explain(Box<Statement>),
    /// `SELECT … FROM $SYSTEM.rowset`.
    Dmv(Box<DmvSelect>),
    /// `CREATE MEMBER`.
    CreateMember(Box<CreateMember>),
    /// `CREATE SET`.
    CreateSet(Box<CreateSet>),
    /// `CREATE SUBCUBE`.
    CreateSubcube(Box<CreateSubcube>),
    /// `CREATE CELL CALCULATION`.
    CreateCellCalculation(Box<CreateCellCalculation>),
    /// `CREATE KPI`.
    CreateKpi(Box<CreateKpi>),
    /// `DROP MEMBER`, `SET`, `SUBCUBE`, `CELL CALCULATION`, `KPI`.
    Drop(Box<DropObjects>),
    /// `ALTER CUBE`.
    AlterCube(Box<AlterCube>),
    /// `UPDATE CUBE`.
    Update(Box<Update>),
    /// `REFRESH CUBE cube`.
    RefreshCube(Identifier),
    /// `CLEAR CALCULATIONS [FROM cube]`.
    ClearCalculations(Option<Identifier>),
    /// `CALL procedure(…)`; the expression is a call, or the name alone.
    Call(Expression),
    /// `USE LIBRARY name, …`; none: unload all.
    UseLibrary(Vec<Expression>),
    /// `BEGIN TRAN[SACTION]`.
    BeginTransaction,
    /// `COMMIT TRAN[SACTION]`.
    CommitTransaction,
    /// `ROLLBACK TRAN[SACTION]`.
    RollbackTransaction,
    /// `SCOPE (…); … END SCOPE`.
    Scope(Box<Scope>),
    /// `(tuple) = expression` in a script.
    Assignment(Box<Assignment>),
    /// `FREEZE [subcube]` in a script.
    Freeze(Vec<Expression>),
    /// `CALCULATE` in a script.
    Calculate,
    /// `IF … THEN … [ELSE …] END IF` in a script.
    If(Box<If>),
}

/// A query.
#[derive(Clone, Debug, PartialEq)]
pub struct Select {
    /// What `WITH` defines, in order.
    pub with: Vec<Definition>,
    /// The axes as written, which need not be the order of their ordinals; gaps and doubles are the resolver's to refuse.
    pub axes: Vec<Axis>,
    /// What `FROM` names.
    pub source: Source,
    /// What `WHERE` says.
    pub slicer: Option<Expression>,
    /// `CELL PROPERTIES`, in order; empty when not written.
    pub cell_properties: Vec<Identifier>,
}

/// One definition of a `WITH` clause.
#[derive(Clone, Debug, PartialEq)]
pub enum Definition {
    /// `MEMBER name AS expression, properties`.
    Member(MemberDefinition),
    /// `SET name AS expression`.
    Set(SetDefinition),
    /// `CELL CALCULATION name FOR '(…)' AS '…'`.
    CellCalculation(CellCalculation),
    /// `CACHE AS '…'`: a hint that changes no answer.
    Cache(Expression),
}

/// One axis of a query or subselect.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// 0 for COLUMNS, 1 ROWS, 2 PAGES, 3 SECTIONS, 4 CHAPTERS.
    pub ordinal: u32,
    /// Whether `NON EMPTY` stands before the set.
    pub non_empty: bool,
    /// The set, perhaps an alias.
    pub set: Expression,
    /// After `HAVING`.
    pub having: Option<Expression>,
    /// `DIMENSION PROPERTIES`, in order; empty when not written.
    pub properties: Vec<Identifier>,
    /// Where it stands, with `ON` and its ordinal.
    pub span: Span,
}

/// What a query reads.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A cube, or a subcube of the session; `[catalog].[cube]` has two segments.
    Cube(Identifier),
    /// `(SELECT … FROM …)`.
    Subselect(Box<Subselect>),
}

/// A query that narrows the cube for the one around it.
#[derive(Clone, Debug, PartialEq)]
pub struct Subselect {
    /// `NON VISUAL`: totals keep the values of the cube as it was.
    pub non_visual: bool,
    /// Its axes.
    pub axes: Vec<Axis>,
    /// What it reads itself.
    pub source: Source,
    /// What `WHERE` says.
    pub slicer: Option<Expression>,
    /// Where it stands, parentheses included.
    pub span: Span,
}

/// `DRILLTHROUGH [MAXROWS n] [FIRSTROWSET n] SELECT … [RETURN …]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Drillthrough {
    /// Rows at most.
    pub max_rows: Option<u64>,
    /// The first partition asked.
    pub first_rowset: Option<u64>,
    /// Which cell.
    pub select: Select,
    /// Columns to return; empty: the default ones.
    pub columns: Vec<ReturnColumn>,
}

/// One column after `RETURN`.
#[derive(Clone, Debug, PartialEq)]
pub struct ReturnColumn {
    /// The function around the attribute, if any.
    pub function: Option<ReturnFunction>,
    /// The attribute or measure.
    pub column: Identifier,
    /// After `AS`.
    pub alias: Option<Name>,
    /// Where it stands.
    pub span: Span,
}

words! {
    /// What to return of an attribute in a drill-through.
    ReturnFunction {
        /// The member's name.
        Name = "NAME";
        /// The member's unique name.
        UniqueName = "UNIQUENAME";
        /// The member's key.
        Key = "KEY";
        /// The member's caption.
        Caption = "CAPTION";
        /// The member's value.
        MemberValue = "MEMBERVALUE";
        /// The custom rollup of a parent-child member.
        CustomRollup = "CUSTOMROLLUP";
        /// The properties of that rollup.
        CustomRollupProperties = "CUSTOMROLLUPPROPERTIES";
        /// The unary operator of a parent-child member.
        UnaryOperator = "UNARYOPERATOR";
    }
}
