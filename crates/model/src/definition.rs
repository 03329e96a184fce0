//! What a schema file says, as plain data: the input of Process, whoever wrote the file.

use crate::Compatibility;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

mod expression;

pub use expression::{BinaryOperator, ColumnRef, DataType, Expression, FUNCTIONS, Function, function};

/// Where in a file a part of the definition stands; load errors name it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file as the user named it.
    pub file: Arc<str>,
    /// Line from 1; 0 when there is no file.
    pub line: u32,
    /// The element, such as `Level 'Store City'`.
    pub element: String,
}

/// A catalog as defined.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Definition {
    /// Name of the schema (the catalog's name is given by whoever serves it).
    pub name: String,
    /// Caption and description.
    pub texts: Texts,
    /// Whose habits its names follow.
    pub compatibility: Compatibility,
    /// Every physical dimension: shared ones once, the others once for each cube.
    pub dimensions: Vec<DimensionDef>,
    /// Every fact table with its measures.
    pub measure_groups: Vec<MeasureGroupDef>,
    /// The cubes.
    pub cubes: Vec<CubeDef>,
    /// The roles, kept as read.
    pub roles: Vec<RoleDef>,
    /// The parameters that queries may refer to, kept as read.
    pub parameters: Vec<ParameterDef>,
    /// Caption of the dimension of the measures.
    pub measures_caption: Option<String>,
    /// How many hints (aggregate tables, approximate row counts, annotations) were read and are unused.
    pub unused_hints: usize,
}

/// Caption, description and visibility of anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Texts {
    /// The name to show; the name itself if none.
    pub caption: Option<String>,
    /// A sentence for people.
    pub description: Option<String>,
    /// Whether clients show it.
    pub visible: bool,
    /// Folder that clients show it in.
    pub display_folder: Option<String>,
}

impl Default for Texts {
    fn default() -> Self {
        Self { caption: None, description: None, visible: true, display_folder: None }
    }
}

/// What a dimension is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DimensionKind {
    /// Anything.
    #[default]
    Regular,
    /// Time: PeriodsToDate and its like find it.
    Time,
    /// The measures themselves.
    Measures,
}

/// A dimension.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DimensionDef {
    /// Name.
    pub name: String,
    /// Caption, description, visibility.
    pub texts: Texts,
    /// What it is about.
    pub kind: DimensionKind,
    /// At least one hierarchy.
    pub hierarchies: Vec<HierarchyDef>,
    /// Where it stands.
    pub place: Place,
}

/// A hierarchy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HierarchyDef {
    /// Name; that of the dimension if the file gives none.
    pub name: String,
    /// Caption, description, visibility.
    pub texts: Texts,
    /// Name and caption of the all member, if there is an all level.
    pub all: Option<AllDef>,
    /// Text that names the default member; else the all member, else the first.
    pub default_member: Option<String>,
    /// The table(s) of its members.
    pub relation: Relation,
    /// The column that foreign keys of facts point to; none if the relation is the fact table itself.
    pub primary_key: Option<ColumnRef>,
    /// The levels from the top, without the all level.
    pub levels: Vec<LevelDef>,
    /// Where it stands.
    pub place: Place,
}

/// The all level of a hierarchy.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct AllDef {
    /// Name of the member; [`Compatibility::all_member_name`] if none.
    pub member_name: Option<String>,
    /// Caption of the member.
    pub member_caption: Option<String>,
    /// Name of the level; `(All)` if none.
    pub level_name: Option<String>,
}

/// Where rows come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Relation {
    /// The fact table of whichever measure group uses the dimension (a degenerate dimension).
    Fact,
    /// A table of the source, under an alias, with a condition on its rows.
    Table {
        /// Name in the source.
        name: String,
        /// Name in expressions.
        alias: String,
        /// Only rows for which this is true.
        filter: Option<Expression>,
    },
    /// Two relations joined on one column each.
    Join {
        /// The left side.
        left: Box<Relation>,
        /// Its column.
        left_key: ColumnRef,
        /// The right side.
        right: Box<Relation>,
        /// Its column.
        right_key: ColumnRef,
    },
    /// Rows written in the definition.
    Inline {
        /// Name in expressions.
        alias: String,
        /// Names and types of the columns.
        columns: Vec<(String, DataType)>,
        /// The rows, as text.
        rows: Vec<Vec<Option<String>>>,
    },
}

/// What a level stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum LevelKind {
    #[default]
    Regular,
    All,
    TimeYears,
    TimeHalfYears,
    TimeQuarters,
    TimeMonths,
    TimeWeeks,
    TimeDays,
    TimeHours,
    TimeMinutes,
    TimeSeconds,
    TimeUndefined,
}

/// When a member of a ragged hierarchy is not shown; its children then stand in its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum HideMemberIf {
    /// Always shown.
    #[default]
    Never,
    /// Hidden if its name is empty.
    BlankName,
    /// Hidden if it has its parent's name.
    ParentsName,
}

/// A level.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LevelDef {
    /// Name.
    pub name: String,
    /// Caption, description, visibility.
    pub texts: Texts,
    /// What it stands for.
    pub kind: LevelKind,
    /// The key of a member.
    pub key: Expression,
    /// The type of the key.
    pub key_type: DataType,
    /// Whether the key alone tells a member, without its parents' keys.
    pub unique: bool,
    /// The name, if not the key.
    pub name_expression: Option<Expression>,
    /// The caption, if not the name.
    pub caption_expression: Option<Expression>,
    /// What members are ordered by, if not the key (Mondrian habit) or the name.
    pub ordinal: Option<Expression>,
    /// The parent's key: this is a parent-child level.
    pub parent: Option<ParentDef>,
    /// When members are hidden.
    pub hide_if: HideMemberIf,
    /// Properties of its members.
    pub properties: Vec<PropertyDef>,
    /// Format strings, formatters and the like that are expressions of properties named by the standard.
    pub place: Place,
}

/// What makes a level a parent-child one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ParentDef {
    /// The key of the parent.
    pub key: Expression,
    /// The text of a key that means "no parent" besides NULL.
    pub null_value: Option<String>,
    /// The closure table, if the definition names one; the tree alone suffices and it is checked against it.
    pub closure: Option<ClosureDef>,
}

/// A table with a row for each pair of a member and one of its ancestors.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClosureDef {
    /// Table of the source.
    pub table: String,
    /// Column of the ancestor's key.
    pub parent_column: String,
    /// Column of the member's key.
    pub child_column: String,
}

/// A member property.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PropertyDef {
    /// Name.
    pub name: String,
    /// Caption and description.
    pub texts: Texts,
    /// Its value.
    pub value: Expression,
    /// Its type.
    pub data_type: DataType,
    /// Where it stands.
    pub place: Place,
}

/// How the rows of a cell become its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Aggregator {
    Sum,
    Count,
    Min,
    Max,
    Avg,
    DistinctCount,
}

/// A fact table with its measures and the ways to its dimensions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MeasureGroupDef {
    /// Name: that of the cube that owns it.
    pub name: String,
    /// The fact rows.
    pub fact: Relation,
    /// The stored measures.
    pub measures: Vec<MeasureDef>,
    /// The links to dimensions.
    pub links: Vec<LinkDef>,
    /// Where it stands.
    pub place: Place,
}

/// A stored measure.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MeasureDef {
    /// Name.
    pub name: String,
    /// How rows become a value.
    pub aggregator: Aggregator,
    /// The value of a row; none for a count of rows.
    pub value: Option<Expression>,
    /// The type asked for; else as the column has it.
    pub data_type: Option<DataType>,
    /// Whether UPDATE CUBE may write it (sums only).
    pub writable: bool,
    /// Where it stands.
    pub place: Place,
}

/// The way from fact rows to a dimension.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LinkDef {
    /// Name of the use: a dimension may be used twice (order date, ship date).
    pub name: String,
    /// The dimension, an index into [`Definition::dimensions`].
    pub dimension: usize,
    /// The fact column; none for a degenerate dimension.
    pub foreign_key: Option<Expression>,
    /// The level at which facts attach, by name, if not the last (an inventory by month).
    pub level: Option<String>,
    /// Where it stands.
    pub place: Place,
}

/// A cube: dimensions over one or more measure groups.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CubeDef {
    /// Name.
    pub name: String,
    /// Caption, description, visibility.
    pub texts: Texts,
    /// Indexes into [`Definition::measure_groups`].
    pub measure_groups: Vec<usize>,
    /// The dimensions in order.
    pub dimensions: Vec<CubeDimensionDef>,
    /// The stored measures in order.
    pub measures: Vec<CubeMeasureDef>,
    /// Name of the default measure; the first if none.
    pub default_measure: Option<String>,
    /// Calculated members.
    pub calculated_members: Vec<CalculatedMemberDef>,
    /// Named sets.
    pub named_sets: Vec<NamedSetDef>,
    /// Key performance indicators.
    pub kpis: Vec<KpiDef>,
    /// Actions.
    pub actions: Vec<ActionDef>,
    /// Whether it was written as a virtual cube over other cubes' measure groups.
    pub is_virtual: bool,
    /// Where it stands.
    pub place: Place,
}

/// A dimension as one cube uses it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CubeDimensionDef {
    /// The name in this cube.
    pub name: String,
    /// Caption, description, visibility in this cube.
    pub texts: Texts,
    /// The dimension, an index into [`Definition::dimensions`].
    pub dimension: usize,
    /// For each of the cube's measure groups, the link to take (an index into its `links`), or none.
    pub links: Vec<Option<usize>>,
}

/// A stored measure as one cube shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CubeMeasureDef {
    /// Name in this cube.
    pub name: String,
    /// Caption, description, visibility, folder.
    pub texts: Texts,
    /// Format string.
    pub format: Option<String>,
    /// The measure group, an index into [`CubeDef::measure_groups`].
    pub group: usize,
    /// The measure, an index into its `measures`.
    pub measure: usize,
    /// Position among all measures that clients are told, if the file gives one.
    pub ordinal: Option<i32>,
}

/// A calculated member.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CalculatedMemberDef {
    /// Name.
    pub name: String,
    /// Caption, description, visibility, folder.
    pub texts: Texts,
    /// MDX of the hierarchy (`[Measures]`, `[Time].[Weekly]`) it belongs to.
    pub hierarchy: String,
    /// MDX of its parent, if any.
    pub parent: Option<String>,
    /// The formula.
    pub formula: String,
    /// Other properties: name and MDX expression (FORMAT_STRING, SOLVE_ORDER, MEMBER_ORDINAL …).
    pub properties: Vec<(String, String)>,
    /// Where it stands.
    pub place: Place,
}

/// A named set.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NamedSetDef {
    /// Name.
    pub name: String,
    /// Caption, description, folder.
    pub texts: Texts,
    /// The set expression.
    pub formula: String,
    /// Where it stands.
    pub place: Place,
}

/// A key performance indicator; each part is an MDX expression.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct KpiDef {
    pub name: String,
    pub texts: Texts,
    pub value: String,
    pub goal: Option<String>,
    pub status: Option<String>,
    pub trend: Option<String>,
    pub status_graphic: Option<String>,
    pub trend_graphic: Option<String>,
    pub place: Place,
}

/// What an action does with its content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ActionKind {
    /// Opens the address that the expression yields.
    #[default]
    Url,
    /// Shows the HTML text that the expression yields.
    Html,
    /// Runs the statement that the expression yields.
    Statement,
    /// Runs the statement that the expression yields, which returns a cell set.
    DataSet,
    /// Runs the statement that the expression yields, which returns rows.
    Rowset,
    /// Shows the source rows of a cell; the expression yields a DRILLTHROUGH statement.
    DrillThrough,
}

/// What an action is offered on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ActionTarget {
    /// Cells.
    #[default]
    Cells,
    /// The cube.
    Cube,
    /// The members of a hierarchy.
    Hierarchy,
    /// The members of a level.
    Level,
}

/// An action that clients may offer on a part of a cube.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ActionDef {
    /// Name.
    pub name: String,
    /// Caption and description.
    pub texts: Texts,
    /// What it does.
    pub kind: ActionKind,
    /// What it is offered on.
    pub target: ActionTarget,
    /// MDX of the hierarchy or level; none for cells and the cube.
    pub object: Option<String>,
    /// An MDX condition under which it is offered.
    pub condition: Option<String>,
    /// MDX that yields its content.
    pub expression: String,
    /// Where it stands.
    pub place: Place,
}

/// A parameter of the catalog.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ParameterDef {
    /// Name.
    pub name: String,
    /// Description.
    pub texts: Texts,
    /// `String`, `Numeric`, `Integer`, `Boolean`, `Date`, `Time`, `Timestamp` or `Member`.
    pub data_type: String,
    /// MDX of its value where a query gives none.
    pub default: Option<String>,
    /// Whether a query may set it.
    pub modifiable: bool,
    /// Where it stands.
    pub place: Place,
}

/// A role as read; not enforced yet (spec/decisions.md, Roles in a loaded schema).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RoleDef {
    /// Name.
    pub name: String,
    /// Access to the whole schema.
    pub schema_access: Option<String>,
    /// Grants on cubes.
    pub cubes: Vec<CubeGrantDef>,
    /// The roles that it unites, if it is a union.
    pub union: Vec<String>,
    /// Where it stands.
    pub place: Place,
}

/// A grant on a cube.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CubeGrantDef {
    /// The cube.
    pub cube: String,
    /// all, custom, none.
    pub access: String,
    /// Grants on hierarchies: MDX, access, top level, bottom level, rollup policy, members with their access.
    pub hierarchies: Vec<HierarchyGrantDef>,
    /// Grants on dimensions: name and access.
    pub dimensions: Vec<(String, String)>,
}

/// A grant on a hierarchy.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct HierarchyGrantDef {
    pub hierarchy: String,
    pub access: String,
    pub top_level: Option<String>,
    pub bottom_level: Option<String>,
    pub rollup_policy: Option<String>,
    pub members: Vec<(String, String)>,
}
