//! An immutable version of a catalog: dimensions with their members, measure groups, cubes.

use crate::definition::{
    Aggregator, CalculatedMemberDef, DimensionKind, KpiDef, LevelKind, NamedSetDef, RoleDef, Texts,
};
use crate::{
    ColumnType, Compatibility, CubeId, DimensionId, HierarchyId, LevelId, LinkId, MeasureGroupId, MemberId,
    MemberTable, ValueColumn, name,
};
use jiff::civil::DateTime;
use std::ops::Range;
use std::sync::Arc;

/// A version of a catalog. Shared by [`Arc`] and never changed.
#[derive(Clone, Debug)]
pub struct Catalog {
    /// Name, as CATALOG_NAME gives it.
    pub name: String,
    /// A sentence for people.
    pub description: Option<String>,
    /// Whose habits its names follow.
    pub compatibility: Compatibility,
    /// Every physical dimension, by [`DimensionId`].
    pub dimensions: Vec<Arc<Dimension>>,
    /// Every measure group, by [`MeasureGroupId`].
    pub measure_groups: Vec<Arc<MeasureGroup>>,
    /// The cubes, by [`CubeId`].
    pub cubes: Vec<Arc<Cube>>,
    /// The roles as read.
    pub roles: Vec<RoleDef>,
    /// What administrators have added for everybody (CREATE GLOBAL), in order.
    pub global_definitions: Arc<[GlobalDefinition]>,
    /// When the definition was last loaded, UTC.
    pub last_schema_update: DateTime,
    /// When the data last changed, UTC.
    pub last_data_update: DateTime,
}

/// A calculated member, set, cell calculation or subcube that everybody sees, and that no schema defines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GlobalDefinition {
    /// Tells it from the others of its catalog.
    pub key: Arc<str>,
    /// The statement that made it.
    pub text: Arc<str>,
}

impl Catalog {
    /// The cube of a name, without regard to case.
    pub fn cube(&self, wanted: &str) -> Option<&Arc<Cube>> {
        self.cubes.iter().find(|c| name::same(&c.name, wanted))
    }
}

/// A physical dimension; a cube may use it under another name, and more than once.
#[derive(Debug)]
pub struct Dimension {
    /// Its number.
    pub id: DimensionId,
    /// Name in the definition.
    pub name: String,
    /// Caption, description, visibility.
    pub texts: Texts,
    /// What it is about.
    pub kind: DimensionKind,
    /// The hierarchies.
    pub hierarchies: Vec<Arc<Hierarchy>>,
}

impl Dimension {
    /// Bytes of the members of its hierarchies.
    pub fn bytes(&self) -> u64 {
        self.hierarchies.iter().map(|h| h.members.bytes() as u64).sum()
    }
}

/// A hierarchy with its members.
#[derive(Debug)]
pub struct Hierarchy {
    /// Name.
    pub name: String,
    /// Caption, description, visibility.
    pub texts: Texts,
    /// The levels from the top, the all level counted.
    pub levels: Vec<Level>,
    /// Whether the first level is an all level.
    pub has_all: bool,
    /// The default member.
    pub default_member: MemberId,
    /// Whether its last level is a parent-child one.
    pub parent_child: bool,
    /// The members.
    pub members: MemberTable,
}

impl Hierarchy {
    /// The level that a stored member belongs to.
    pub fn level_of(&self, member: MemberId) -> LevelId {
        LevelId(self.levels.partition_point(|l| l.members.start <= member.0).saturating_sub(1) as u32)
    }

    /// The level of a name, without regard to case.
    pub fn level(&self, wanted: &str) -> Option<LevelId> {
        self.levels.iter().position(|l| name::same(&l.name, wanted)).map(LevelId::from)
    }

    /// The all member, if there is one.
    pub fn all_member(&self) -> Option<MemberId> {
        self.has_all.then_some(MemberId(0))
    }

    /// The last level.
    pub fn leaf_level(&self) -> LevelId {
        LevelId(self.levels.len() as u32 - 1)
    }
}

/// A level of a hierarchy.
#[derive(Debug)]
pub struct Level {
    /// Name.
    pub name: String,
    /// Caption, description, visibility.
    pub texts: Texts,
    /// What it stands for.
    pub kind: LevelKind,
    /// Whether a member's key alone tells it.
    pub unique: bool,
    /// Its members, a range of the hierarchy's member table.
    pub members: Range<u32>,
    /// The type of its keys on the wire.
    pub key_type: ColumnType,
    /// The properties of its members.
    pub properties: Vec<LevelProperty>,
}

/// A property of the members of a level.
#[derive(Debug)]
pub struct LevelProperty {
    /// Name.
    pub name: String,
    /// Caption and description.
    pub texts: Texts,
    /// The type on the wire.
    pub data_type: ColumnType,
    /// The value of each member of the level, in their order.
    pub values: ValueColumn,
}

/// Fact rows with measures and links to dimensions.
#[derive(Debug)]
pub struct MeasureGroup {
    /// Its number.
    pub id: MeasureGroupId,
    /// Name.
    pub name: String,
    /// The stored measures.
    pub measures: Vec<StoredMeasure>,
    /// The links, by [`LinkId`].
    pub links: Vec<Link>,
    /// How many fact rows there are.
    pub rows: u64,
}

/// A measure as stored.
#[derive(Debug)]
pub struct StoredMeasure {
    /// Name.
    pub name: String,
    /// How rows become a value.
    pub aggregator: Aggregator,
    /// The type of its values on the wire: [`ColumnType::Int`], [`ColumnType::Long`], [`ColumnType::Double`] …
    pub data_type: ColumnType,
    /// Whether UPDATE CUBE may write it.
    pub writable: bool,
}

/// The way from fact rows to a dimension in one role.
#[derive(Debug)]
pub struct Link {
    /// The dimension.
    pub dimension: DimensionId,
    /// For each hierarchy of the dimension, the level at which the facts attach; none if the hierarchy cannot be reached.
    pub levels: Vec<Option<LevelId>>,
}

/// A cube.
#[derive(Debug)]
pub struct Cube {
    /// Its number.
    pub id: CubeId,
    /// Name.
    pub name: String,
    /// Caption, description, visibility.
    pub texts: Texts,
    /// Whose habits its names follow.
    pub compatibility: Compatibility,
    /// Measures first, then the dimensions in order.
    pub dimensions: Vec<CubeDimension>,
    /// The hierarchies of all dimensions, by [`HierarchyId`]; the measures' first.
    pub hierarchies: Vec<CubeHierarchy>,
    /// The measure groups that it shows.
    pub measure_groups: Vec<MeasureGroupId>,
    /// The stored measures; a measure's [`MemberId`] in hierarchy 0 is its position here.
    pub measures: Vec<Measure>,
    /// Calculated members as written; the query crate resolves them.
    pub calculated_members: Vec<CalculatedMemberDef>,
    /// Named sets as written.
    pub named_sets: Vec<NamedSetDef>,
    /// Key performance indicators as written.
    pub kpis: Vec<KpiDef>,
    /// Whether it is over other cubes' measure groups.
    pub is_virtual: bool,
}

impl Cube {
    /// A hierarchy by number.
    pub fn hierarchy(&self, id: HierarchyId) -> &CubeHierarchy {
        &self.hierarchies[id.index()]
    }

    /// The dimension that a hierarchy belongs to.
    pub fn dimension_of(&self, id: HierarchyId) -> &CubeDimension {
        &self.dimensions[self.hierarchy(id).dimension]
    }

    /// The link by which a measure group (by its position in the cube) reaches a hierarchy, as a path for storage.
    pub fn path(&self, group: usize, id: HierarchyId) -> Option<crate::Path> {
        let hierarchy = self.hierarchy(id);
        let link = (*self.dimensions[hierarchy.dimension].links.get(group)?)?;
        Some(crate::Path { link, hierarchy: hierarchy.position })
    }
}

/// A dimension as a cube uses it.
#[derive(Debug)]
pub struct CubeDimension {
    /// Name in this cube.
    pub name: String,
    /// Its unique name: `[Store]`.
    pub unique_name: String,
    /// Caption, description, visibility in this cube.
    pub texts: Texts,
    /// The physical dimension.
    pub dimension: Arc<Dimension>,
    /// Its hierarchies among those of the cube.
    pub hierarchies: Range<u32>,
    /// For each of the cube's measure groups, the link; none if the facts do not know this dimension.
    pub links: Vec<Option<LinkId>>,
}

/// A hierarchy as a cube uses it.
#[derive(Debug)]
pub struct CubeHierarchy {
    /// The dimension, a position in [`Cube::dimensions`].
    pub dimension: usize,
    /// Position within the dimension.
    pub position: u32,
    /// Its unique name in this cube.
    pub unique_name: String,
    /// The hierarchy.
    pub hierarchy: Arc<Hierarchy>,
}

/// A stored measure as a cube shows it.
#[derive(Debug)]
pub struct Measure {
    /// Name.
    pub name: String,
    /// Caption, description, visibility, folder.
    pub texts: Texts,
    /// Format string.
    pub format: Option<String>,
    /// The measure group, a position in [`Cube::measure_groups`].
    pub group: usize,
    /// Position in the measure group.
    pub measure: u32,
    /// How rows become a value.
    pub aggregator: Aggregator,
    /// The type of its values on the wire.
    pub data_type: ColumnType,
    /// Position among all measures that clients are told, if the definition gives one.
    pub ordinal: Option<i32>,
}
