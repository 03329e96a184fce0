//! What a member id means within a query: stored members of a cube and calculated ones, seen alike.

use crate::catalog::{Cube, Hierarchy};
use crate::definition::Texts;
use crate::{HierarchyId, LevelId, MemberId, Value, name};
use std::sync::Arc;

/// A member that is not stored: calculated by the cube, a session or a query, or a copy with other visual totals.
#[derive(Clone, Debug)]
pub struct CalculatedMember {
    /// The hierarchy it belongs to.
    pub hierarchy: HierarchyId,
    /// Name.
    pub name: String,
    /// Caption, description, visibility, folder.
    pub texts: Texts,
    /// Its unique name.
    pub unique_name: String,
    /// Its parent, [`MemberId::NULL`] if it has none.
    pub parent: MemberId,
    /// Its level.
    pub level: LevelId,
    /// Its depth in the tree.
    pub depth: u32,
    /// Where it was defined.
    pub scope: Scope,
    /// The formula as written.
    pub formula: Arc<str>,
    /// Properties that it sets (MEMBER_ORDINAL, FORMAT_STRING … as far as they are constants), name and value.
    pub properties: Vec<(String, Value)>,
    /// The stored member of which this is another look (visual totals, a data member); NULL for real calculated ones.
    pub original: MemberId,
}

/// Where a calculated member or named set was defined (SCOPE in MDSCHEMA_SETS: 1 global, 2 session).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Scope {
    Cube,
    Session,
    Query,
}

/// A property that every member has, or one of its level.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Property {
    CatalogName,
    CubeName,
    DimensionUniqueName,
    HierarchyUniqueName,
    LevelUniqueName,
    LevelNumber,
    MemberOrdinal,
    MemberName,
    MemberUniqueName,
    MemberType,
    MemberCaption,
    MemberKey,
    MemberValue,
    /// The nth part of a composite key (KEY0 is the own key).
    Key(u32),
    ChildrenCardinality,
    ParentLevel,
    ParentUniqueName,
    ParentCount,
    Description,
    Visible,
    Depth,
    DisplayInfo,
    /// A property of a level, by name: members of other levels do not have it.
    Level {
        level: LevelId,
        index: u32,
    },
    /// A property by name, wherever a member's level has it; empty elsewhere.
    Named(String),
}

/// The table of the properties that every member has: name, property.
pub const INTRINSIC_PROPERTIES: &[(&str, Property)] = &[
    ("CATALOG_NAME", Property::CatalogName),
    ("CUBE_NAME", Property::CubeName),
    ("DIMENSION_UNIQUE_NAME", Property::DimensionUniqueName),
    ("HIERARCHY_UNIQUE_NAME", Property::HierarchyUniqueName),
    ("LEVEL_UNIQUE_NAME", Property::LevelUniqueName),
    ("LEVEL_NUMBER", Property::LevelNumber),
    ("MEMBER_ORDINAL", Property::MemberOrdinal),
    ("MEMBER_NAME", Property::MemberName),
    ("MEMBER_UNIQUE_NAME", Property::MemberUniqueName),
    ("MEMBER_TYPE", Property::MemberType),
    ("MEMBER_CAPTION", Property::MemberCaption),
    ("MEMBER_KEY", Property::MemberKey),
    ("MEMBER_VALUE", Property::MemberValue),
    ("KEY", Property::MemberKey),
    ("NAME", Property::MemberName),
    ("CAPTION", Property::MemberCaption),
    ("KEY0", Property::Key(0)),
    ("KEY1", Property::Key(1)),
    ("KEY2", Property::Key(2)),
    ("CHILDREN_CARDINALITY", Property::ChildrenCardinality),
    ("PARENT_LEVEL", Property::ParentLevel),
    ("PARENT_UNIQUE_NAME", Property::ParentUniqueName),
    ("PARENT_COUNT", Property::ParentCount),
    ("DESCRIPTION", Property::Description),
    ("$visible", Property::Visible),
    ("DEPTH", Property::Depth),
    ("DISPLAY_INFO", Property::DisplayInfo),
];

impl Property {
    /// The property that every member has under this name, without regard to case.
    pub fn intrinsic(wanted: &str) -> Option<Property> {
        INTRINSIC_PROPERTIES.iter().find(|(n, _)| name::same(n, wanted)).map(|(_, p)| p.clone())
    }
}

/// The members that a query can meet: those of its cube, and calculated ones by [`MemberId::calculated_index`].
#[derive(Clone, Debug)]
pub struct Members {
    /// The catalog's name.
    pub catalog_name: Arc<str>,
    /// The cube.
    pub cube: Arc<Cube>,
    /// The calculated members of all hierarchies.
    pub calculated: Vec<Arc<CalculatedMember>>,
}

impl Members {
    /// The hierarchy of a number.
    pub fn hierarchy(&self, hierarchy: HierarchyId) -> &Hierarchy {
        &self.cube.hierarchy(hierarchy).hierarchy
    }

    /// The calculated member behind an id, if it is one.
    pub fn calculated(&self, member: MemberId) -> Option<&Arc<CalculatedMember>> {
        self.calculated.get(member.calculated_index()?)
    }

    /// The name.
    pub fn name(&self, hierarchy: HierarchyId, member: MemberId) -> &str {
        match self.calculated(member) {
            Some(c) => &c.name,
            None => self.hierarchy(hierarchy).members.name(member),
        }
    }

    /// The caption.
    pub fn caption(&self, hierarchy: HierarchyId, member: MemberId) -> &str {
        match self.calculated(member) {
            Some(c) => c.texts.caption.as_deref().unwrap_or(&c.name),
            None if hierarchy == HierarchyId::MEASURES => {
                let measure = &self.cube.measures[member.index()];
                measure.texts.caption.as_deref().unwrap_or(&measure.name)
            }
            None => self.hierarchy(hierarchy).members.caption(member),
        }
    }

    /// The member that a calculated one is another look at (visual totals); else the member itself.
    pub fn original(&self, member: MemberId) -> MemberId {
        match self.calculated(member) {
            Some(c) if !c.original.is_null() => c.original,
            _ => member,
        }
    }

    /// The level.
    pub fn level(&self, hierarchy: HierarchyId, member: MemberId) -> LevelId {
        match self.calculated(member) {
            Some(c) => c.level,
            None => self.hierarchy(hierarchy).level_of(member),
        }
    }

    /// The depth that LEVEL_NUMBER tells: that of the level, or in a parent-child hierarchy that in the tree.
    pub fn depth(&self, hierarchy: HierarchyId, member: MemberId) -> u32 {
        match self.calculated(member) {
            Some(c) => c.depth,
            None => self.hierarchy(hierarchy).members.depth(member) as u32,
        }
    }

    /// The nearest ancestor that is shown; [`MemberId::NULL`] if there is none.
    pub fn parent(&self, hierarchy: HierarchyId, member: MemberId) -> MemberId {
        if let Some(c) = self.calculated(member) {
            return c.parent;
        }
        let members = &self.hierarchy(hierarchy).members;
        let mut at = members.parent(member);
        while !at.is_null() && members.is_hidden(at) {
            at = members.parent(at);
        }
        at
    }

    /// The stored member of which this is another look (visual totals); the member itself if it is none.
    pub fn stored(&self, member: MemberId) -> MemberId {
        self.calculated(member).map(|c| c.original).filter(|original| !original.is_null()).unwrap_or(member)
    }

    /// How many children are shown.
    pub fn children_count(&self, hierarchy: HierarchyId, member: MemberId) -> u64 {
        let member = self.stored(member);
        if member.is_calculated() || hierarchy == HierarchyId::MEASURES {
            return 0;
        }
        let members = &self.hierarchy(hierarchy).members;
        let children = members.children(member);
        if !members.is_ragged() {
            return children.len() as u64;
        }
        let count = |m| if members.is_hidden(m) { self.children_count(hierarchy, m) } else { 1 };
        children.map(MemberId).map(count).sum()
    }

    /// The unique name of a level: `[Store].[Store City]`.
    pub fn level_unique_name(&self, hierarchy: HierarchyId, level: LevelId) -> String {
        let cube_hierarchy = self.cube.hierarchy(hierarchy);
        let mut out = cube_hierarchy.unique_name.clone();
        out.push('.');
        name::quote_into(&mut out, &cube_hierarchy.hierarchy.levels[level.index()].name);
        out
    }

    /// The unique name of a member.
    pub fn unique_name(&self, hierarchy: HierarchyId, member: MemberId) -> String {
        let mut out = String::new();
        self.write_unique_name(&mut out, hierarchy, member);
        out
    }

    /// Appends the unique name of a member; nothing for [`MemberId::NULL`].
    pub fn write_unique_name(&self, out: &mut String, hierarchy: HierarchyId, member: MemberId) {
        if member.is_null() {
            return;
        }
        if let Some(c) = self.calculated(member) {
            out.push_str(&c.unique_name);
            return;
        }
        let cube_hierarchy = self.cube.hierarchy(hierarchy);
        out.push_str(&cube_hierarchy.unique_name);
        let h = &cube_hierarchy.hierarchy;
        if hierarchy == HierarchyId::MEASURES {
            out.push('.');
            name::quote_into(out, &self.cube.measures[member.index()].name);
        } else if self.cube.compatibility.names_by_path() {
            write_path(out, h, member);
        } else {
            write_key_path(out, h, member);
        }
    }

    /// A property of a member; empty if it has none of that name.
    pub fn property(&self, hierarchy: HierarchyId, member: MemberId, property: &Property) -> Value {
        if member.is_null() {
            return Value::Empty;
        }
        let cube_hierarchy = self.cube.hierarchy(hierarchy);
        match property {
            Property::CatalogName => Value::str(&self.catalog_name),
            Property::CubeName => Value::str(&self.cube.name),
            Property::DimensionUniqueName => Value::str(&self.cube.dimension_of(hierarchy).unique_name),
            Property::HierarchyUniqueName => Value::str(&cube_hierarchy.unique_name),
            Property::LevelUniqueName => self.level_unique_name(hierarchy, self.level(hierarchy, member)).into(),
            Property::LevelNumber | Property::Depth => Value::Int(self.depth(hierarchy, member).into()),
            Property::MemberOrdinal => self.ordinal(hierarchy, member),
            Property::MemberName => Value::str(self.name(hierarchy, member)),
            Property::MemberUniqueName => self.unique_name(hierarchy, member).into(),
            Property::MemberType => Value::Int(self.member_type(hierarchy, member)),
            Property::MemberCaption => Value::str(self.caption(hierarchy, member)),
            Property::MemberKey | Property::MemberValue | Property::Key(0) => self.key(hierarchy, member),
            Property::Key(n) => self.key_part(hierarchy, member, *n),
            Property::ChildrenCardinality => Value::Int(self.children_count(hierarchy, member) as i64),
            Property::ParentLevel => match self.parent(hierarchy, member) {
                MemberId::NULL => Value::Int(0),
                parent => Value::Int(self.depth(hierarchy, parent).into()),
            },
            Property::ParentUniqueName => match self.parent(hierarchy, member) {
                MemberId::NULL => Value::Empty,
                parent => self.unique_name(hierarchy, parent).into(),
            },
            Property::ParentCount => Value::Int(i64::from(!self.parent(hierarchy, member).is_null())),
            Property::Description => self.texts(hierarchy, member).and_then(|t| t.description.as_ref()).into_value(),
            Property::Visible => Value::Boolean(self.texts(hierarchy, member).is_none_or(|t| t.visible)),
            Property::DisplayInfo => Value::Int(self.children_count(hierarchy, member).min(0xFFFF) as i64),
            Property::Level { level, index } => self.level_property(hierarchy, member, *level, *index),
            Property::Named(wanted) => self.named_property(hierarchy, member, wanted),
        }
    }

    fn texts(&self, hierarchy: HierarchyId, member: MemberId) -> Option<&Texts> {
        match self.calculated(member) {
            Some(c) => Some(&c.texts),
            None if hierarchy == HierarchyId::MEASURES => Some(&self.cube.measures[member.index()].texts),
            None => None,
        }
    }

    /// The key, or the name where there is none.
    fn key(&self, hierarchy: HierarchyId, member: MemberId) -> Value {
        if member.is_calculated() || hierarchy == HierarchyId::MEASURES {
            return Value::str(self.name(hierarchy, member));
        }
        let h = self.hierarchy(hierarchy);
        if h.all_member() == Some(member) { Value::Int(0) } else { h.members.key(member) }
    }

    fn key_part(&self, hierarchy: HierarchyId, member: MemberId, part: u32) -> Value {
        let h = self.hierarchy(hierarchy);
        let mut at = member;
        for _ in 0..part {
            if at.is_calculated() || h.levels[h.level_of(at).index()].unique {
                return Value::Empty;
            }
            at = h.members.parent(at);
            if at.is_null() {
                return Value::Empty;
            }
        }
        self.key(hierarchy, at)
    }

    fn ordinal(&self, hierarchy: HierarchyId, member: MemberId) -> Value {
        match self.calculated(member) {
            Some(c) => {
                let set = c.properties.iter().find(|(n, _)| name::same(n, "MEMBER_ORDINAL"));
                let by_place = || match hierarchy {
                    HierarchyId::MEASURES => self.place_among_measures(member),
                    _ => Value::Int(0),
                };
                set.map_or_else(by_place, |(_, v)| v.clone())
            }
            None if hierarchy == HierarchyId::MEASURES => {
                Value::Int(self.cube.measures[member.index()].ordinal.map_or(i64::from(member.0), i64::from))
            }
            None => Value::Int(self.hierarchy(hierarchy).members.preorder(member).into()),
        }
    }

    /// Calculated measures come after the stored ones, in order of definition.
    fn place_among_measures(&self, member: MemberId) -> Value {
        let before = member.calculated_index().map_or(&self.calculated[..0], |i| &self.calculated[..i]);
        let calculated = before.iter().filter(|c| c.hierarchy == HierarchyId::MEASURES).count();
        Value::Int((self.cube.measures.len() + calculated) as i64)
    }

    /// MEMBER_TYPE: 1 regular, 2 all, 3 measure, 4 formula.
    pub fn member_type(&self, hierarchy: HierarchyId, member: MemberId) -> i64 {
        match () {
            () if self.calculated(member).is_some_and(|c| c.original.is_null()) => 4,
            () if hierarchy == HierarchyId::MEASURES => 3,
            () if self.hierarchy(hierarchy).all_member() == Some(member) => 2,
            () => 1,
        }
    }

    fn level_property(&self, hierarchy: HierarchyId, member: MemberId, level: LevelId, index: u32) -> Value {
        let h = self.hierarchy(hierarchy);
        if member.is_calculated() || h.level_of(member) != level {
            return Value::Empty;
        }
        let level = &h.levels[level.index()];
        level.properties[index as usize].values.get((member.0 - level.members.start) as usize)
    }

    fn named_property(&self, hierarchy: HierarchyId, member: MemberId, wanted: &str) -> Value {
        if let Some(c) = self.calculated(member) {
            let set = c.properties.iter().find(|(n, _)| name::same(n, wanted));
            return set.map_or(Value::Empty, |(_, v)| v.clone());
        }
        let h = self.hierarchy(hierarchy);
        let level = h.level_of(member);
        let properties = &h.levels[level.index()].properties;
        match properties.iter().position(|p| name::same(&p.name, wanted)) {
            Some(index) => self.level_property(hierarchy, member, level, index as u32),
            None => Value::Empty,
        }
    }
}

trait IntoValue {
    fn into_value(self) -> Value;
}

impl IntoValue for Option<&String> {
    fn into_value(self) -> Value {
        self.map_or(Value::Empty, Value::str)
    }
}

/// `.[1997].[Q1]`: the names from the top; the all member only for itself.
fn write_path(out: &mut String, h: &Hierarchy, member: MemberId) {
    let mut path = vec![member];
    let mut at = h.members.parent(member);
    while !at.is_null() {
        if h.all_member() != Some(at) {
            path.push(at);
        }
        at = h.members.parent(at);
    }
    for &m in path.iter().rev() {
        out.push('.');
        name::quote_into(out, h.members.name(m));
    }
}

/// `.[Level].&[key]`, with the keys of the parents that are needed to tell it, outermost first; `.[All]` by name.
fn write_key_path(out: &mut String, h: &Hierarchy, member: MemberId) {
    let level = &h.levels[h.level_of(member).index()];
    out.push('.');
    if h.all_member() == Some(member) {
        name::quote_into(out, h.members.name(member));
        return;
    }
    name::quote_into(out, &level.name);
    let mut path = vec![member];
    let mut at = member;
    while !h.parent_child && !h.levels[h.level_of(at).index()].unique {
        at = h.members.parent(at);
        if at.is_null() || h.all_member() == Some(at) {
            break;
        }
        path.push(at);
    }
    out.push('.');
    for &m in path.iter().rev() {
        out.push('&');
        name::quote_into(out, &h.members.key(m).to_string());
    }
}
