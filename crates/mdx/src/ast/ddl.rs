//! The syntax tree of statements that define and change: CREATE, DROP, ALTER, UPDATE and scripts.

use crate::ast::{Expression, Identifier, Name, Source, Statement};
use facetta_model::Span;

/// A calculated member: its path, formula and properties.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberDefinition {
    /// `[Measures].[Profit]`; in CREATE after `CURRENTCUBE` or the cube's name, see [`CreateMember::member`].
    pub name: Identifier,
    /// The formula; one in quotes is parsed too, its spans point into the quotes.
    pub expression: Expression,
    /// `SOLVE_ORDER = 2, FORMAT_STRING = '…'` and any other, in order.
    pub properties: Vec<Property>,
    /// Where it stands, from its name to its last property.
    pub span: Span,
}

/// A named set: its name and expression.
#[derive(Clone, Debug, PartialEq)]
pub struct SetDefinition {
    /// The name.
    pub name: Identifier,
    /// `DYNAMIC` or `STATIC` where written.
    pub evaluation: Option<SetEvaluation>,
    /// The set; one in quotes is parsed too.
    pub expression: Expression,
    /// `CAPTION = '…', DISPLAY_FOLDER = '…'` and any other, in order.
    pub properties: Vec<Property>,
    /// Where it stands, from its name to its last property.
    pub span: Span,
}

/// When a named set is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetEvaluation {
    /// In the context of each query.
    Dynamic,
    /// Once, when it is created.
    Static,
}

/// `name FOR '(subcube)' AS 'expression', properties`.
#[derive(Clone, Debug, PartialEq)]
pub struct CellCalculation {
    /// The name, perhaps with the cube's before it.
    pub name: Identifier,
    /// The cells for which it holds: a set or tuple of sets; one in quotes is parsed too.
    pub subcube: Expression,
    /// The formula; one in quotes is parsed too.
    pub expression: Expression,
    /// `CONDITION = '…', CALCULATION_PASS_NUMBER = 2` and any other, in order.
    pub properties: Vec<Property>,
    /// Where it stands, from its name to its last property.
    pub span: Span,
}

/// `name = expression` after a definition.
#[derive(Clone, Debug, PartialEq)]
pub struct Property {
    /// The property's name.
    pub name: Name,
    /// Its value, as written: text in quotes is a string here, even where the property is a formula.
    pub value: Expression,
}

/// For whom something is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefinitionScope {
    /// For the session.
    Session,
    /// For everybody.
    Global,
}

/// `CREATE [SESSION|GLOBAL] [HIDDEN] [CALCULATED] MEMBER …`.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateMember {
    /// `SESSION` or `GLOBAL` where written.
    pub scope: Option<DefinitionScope>,
    /// Whether `HIDDEN` is written.
    pub hidden: bool,
    /// The member. Its path starts with the cube's name or `CURRENTCUBE`; the resolver drops that segment.
    pub member: MemberDefinition,
}

/// `CREATE [SESSION|GLOBAL] [HIDDEN] [DYNAMIC|STATIC] SET …`.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateSet {
    /// `SESSION` or `GLOBAL` where written.
    pub scope: Option<DefinitionScope>,
    /// Whether `HIDDEN` is written.
    pub hidden: bool,
    /// The set. Its name starts with the cube's name or `CURRENTCUBE`; the resolver drops that segment.
    pub set: SetDefinition,
}

/// `CREATE [SESSION|GLOBAL] SUBCUBE cube AS SELECT …`.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateSubcube {
    /// `SESSION` or `GLOBAL` where written.
    pub scope: Option<DefinitionScope>,
    /// The cube that is narrowed.
    pub name: Identifier,
    /// What it becomes; always a [`Source::Subselect`].
    pub source: Source,
}

/// `CREATE [SESSION|GLOBAL] [HIDDEN] CELL CALCULATION …`.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateCellCalculation {
    /// `SESSION` or `GLOBAL` where written.
    pub scope: Option<DefinitionScope>,
    /// The calculation. Its name starts with the cube's name or `CURRENTCUBE`.
    pub calculation: CellCalculation,
}

/// `CREATE KPI cube.name AS value, GOAL = …, STATUS = …, TREND = …`.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateKpi {
    /// `SESSION` or `GLOBAL` where written.
    pub scope: Option<DefinitionScope>,
    /// Cube (or `CURRENTCUBE`) and name.
    pub name: Identifier,
    /// Its value.
    pub value: Expression,
    /// `GOAL`, `STATUS`, `TREND` and any other, in order.
    pub properties: Vec<Property>,
}

words! {
    /// What DROP drops.
    ObjectKind {
        /// A calculated member.
        Member = "MEMBER";
        /// A named set.
        Set = "SET";
        /// A subcube: the cube as it was before the last CREATE SUBCUBE.
        Subcube = "SUBCUBE";
        /// A cell calculation.
        CellCalculation = "CELL CALCULATION";
        /// A key performance indicator.
        Kpi = "KPI";
    }
}

/// `DROP [SESSION|GLOBAL] kind name, …`.
#[derive(Clone, Debug, PartialEq)]
pub struct DropObjects {
    /// `SESSION` or `GLOBAL` where written.
    pub scope: Option<DefinitionScope>,
    /// What is dropped.
    pub kind: ObjectKind,
    /// Which, in order; never empty.
    pub names: Vec<Identifier>,
}

/// `ALTER CUBE cube UPDATE DIMENSION hierarchy, DEFAULT_MEMBER = '…'`.
#[derive(Clone, Debug, PartialEq)]
pub struct AlterCube {
    /// The cube, or `CURRENTCUBE`.
    pub cube: Identifier,
    /// The hierarchy whose default member changes.
    pub hierarchy: Identifier,
    /// The new default member; one in quotes is parsed too.
    pub default_member: Expression,
}

/// `UPDATE [CUBE] [cube] SET tuple = value [allocation], …`.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// The cube, where named.
    pub cube: Option<Identifier>,
    /// The cells to change, in order; never empty.
    pub cells: Vec<UpdateCell>,
}

/// One cell of an UPDATE.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateCell {
    /// The tuple; `.VALUE` after it is the property of a tuple.
    pub target: Expression,
    /// The new value.
    pub value: Expression,
    /// How the value is spread over the leaves; `None` when not written.
    pub allocation: Option<Allocation>,
    /// After `BY`: the weight of each leaf.
    pub weight: Option<Expression>,
    /// Where it stands.
    pub span: Span,
}

words! {
    /// How an UPDATE spreads a value over the leaf cells under its tuple.
    Allocation {
        /// Every leaf gets an equal part of the new value.
        EqualAllocation = "USE_EQUAL_ALLOCATION";
        /// Every leaf grows by an equal part of the difference.
        EqualIncrement = "USE_EQUAL_INCREMENT";
        /// Every leaf gets its weight's part of the new value.
        WeightedAllocation = "USE_WEIGHTED_ALLOCATION";
        /// Every leaf grows by its weight's part of the difference.
        WeightedIncrement = "USE_WEIGHTED_INCREMENT";
        /// The tuple must be a leaf.
        None = "NO_ALLOCATION";
    }
}

impl Allocation {
    /// Whether `BY weight` may follow.
    pub const fn weighted(self) -> bool {
        matches!(self, Allocation::WeightedAllocation | Allocation::WeightedIncrement)
    }
}

/// `SCOPE (subcube); statements END SCOPE`.
#[derive(Clone, Debug, PartialEq)]
pub struct Scope {
    /// The sets, members and hierarchies that bound the subcube.
    pub subcube: Vec<Expression>,
    /// What holds within it.
    pub body: Vec<Statement>,
}

/// `target = value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// The subcube, a tuple of sets; or a property of it, as in `FORMAT_STRING(this)`.
    pub target: Expression,
    /// The formula.
    pub value: Expression,
}

/// `IF condition THEN … [ELSE …] END IF`.
#[derive(Clone, Debug, PartialEq)]
pub struct If {
    /// The condition.
    pub condition: Expression,
    /// What holds if it is true.
    pub then: Vec<Statement>,
    /// What holds if it is not.
    pub otherwise: Vec<Statement>,
}
