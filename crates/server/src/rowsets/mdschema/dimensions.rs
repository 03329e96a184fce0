//! MDSCHEMA_DIMENSIONS, _HIERARCHIES, _LEVELS.

use super::{View, dbtype, dimension_type, shown, views};
use crate::rowsets::definition::{Ask, Audience, Rows, RowsetDef, Type::*, bits, column, extra, restriction, rows_of};
use facetta_model::catalog::{CubeDimension, Level};
use facetta_model::definition::{LevelKind, Texts};
use facetta_model::{Field, HierarchyId, LevelId, MemberId, Result};

/// A dimension of a cube, by position.
pub struct DimensionRow {
    view: View,
    dimension: usize,
}

impl DimensionRow {
    fn used(&self) -> &CubeDimension {
        &self.view.cube.dimensions[self.dimension]
    }

    /// Members of the first hierarchy's last level, calculated ones too, and the all member.
    fn cardinality(&self) -> u32 {
        let id = HierarchyId(self.used().hierarchies.start);
        let (_, hierarchy) = self.view.hierarchy(id);
        let keys = hierarchy.levels.last().map_or(0, |l| l.members.len());
        let deepest = keys + calculated_measures(&self.view, id);
        self.view.catalog.compatibility.dimension_cardinality(deepest as u32, hierarchy.has_all)
    }
}

/// The calculated measures, which count as members of theirs like stored ones; none of any other hierarchy.
fn calculated_measures(view: &View, id: HierarchyId) -> usize {
    if id == HierarchyId::MEASURES { view.described.calculated(id).count() } else { 0 }
}

fn dimensions(ask: &Ask) -> Result<Rows<DimensionRow>> {
    let mut rows = Vec::new();
    for view in views(ask)? {
        for (dimension, used) in view.cube.dimensions.iter().enumerate() {
            if shown(ask, "DIMENSION_VISIBILITY", used.texts.visible)? {
                rows.push(DimensionRow { view: view.clone(), dimension });
            }
        }
    }
    Ok(rows_of(rows))
}

fn caption<'a>(texts: &'a Texts, name: &'a str) -> String {
    texts.caption.as_deref().unwrap_or(name).to_owned()
}

/// The dimensions.
#[rustfmt::skip]
pub static MDSCHEMA_DIMENSIONS: RowsetDef<DimensionRow> = RowsetDef {
    name: "MDSCHEMA_DIMENSIONS",
    guid: "C8B522D9-5CF3-11CE-ADE5-00AA0044773D",
    about: "Dimensions of the cubes",
    dmv: true,
    audience: Audience::Everyone,
    rows: dimensions,
    order: &["CATALOG_NAME", "SCHEMA_NAME", "CUBE_NAME", "DIMENSION_NAME"],
    extra: &[extra(5, "CUBE_SOURCE", UShort), extra(6, "DIMENSION_VISIBILITY", UShort)],
    columns: &[
        restriction(0, "CATALOG_NAME", Str, |r| r.view.catalog.name.clone().into()),
        restriction(1, "SCHEMA_NAME", Str, |r| r.view.schema_name().into()),
        restriction(2, "CUBE_NAME", Str, |r| r.view.cube.name.clone().into()),
        restriction(3, "DIMENSION_NAME", Str, |r| r.used().name.clone().into()),
        restriction(4, "DIMENSION_UNIQUE_NAME", Str, |r| r.used().unique_name.clone().into()),
        column("DIMENSION_GUID", Uuid, |_| Field::Null),
        column("DIMENSION_CAPTION", Str, |r| caption(&r.used().texts, &r.used().name).into()),
        column("DIMENSION_ORDINAL", UInt, |r| (r.dimension as u32).into()),
        column("DIMENSION_TYPE", Short, |r| dimension_type(r.used().dimension.kind).into()),
        column("DIMENSION_CARDINALITY", UInt, |r| r.cardinality().into()),
        column("DEFAULT_HIERARCHY", Str, |r| r.view.cube.hierarchies[r.used().hierarchies.start as usize].unique_name.clone().into()),
        column("DESCRIPTION", Str, |r| r.view.description(&r.used().texts, || format!("{} Dimension", r.used().name)).into()),
        column("IS_VIRTUAL", Bool, |_| false.into()),
        column("IS_READWRITE", Bool, |_| false.into()),
        column("DIMENSION_UNIQUE_SETTINGS", Int, |r| r.view.catalog.compatibility.dimension_unique_settings().into()),
        column("DIMENSION_MASTER_UNIQUE_NAME", Str, |r| r.used().dimension.name.clone().into()),
        column("DIMENSION_IS_VISIBLE", Bool, |r| r.used().texts.visible.into()),
    ],
};

/// A hierarchy of a cube.
pub struct HierarchyRow {
    view: View,
    id: HierarchyId,
}

impl HierarchyRow {
    fn member(&self, member: MemberId) -> String {
        self.view.described.members.unique_name(self.id, member)
    }

    fn default_member(&self) -> Field {
        let member = self.view.hierarchy(self.id).1.default_member;
        if member.is_null() { Field::Null } else { self.member(member).into() }
    }

    /// STRUCTURE: 0 fully balanced, 1 ragged, 2 unbalanced.
    fn structure(&self) -> i64 {
        let (_, hierarchy) = self.view.hierarchy(self.id);
        match () {
            () if hierarchy.parent_child => 2,
            () if hierarchy.members.is_ragged() => 1,
            () => 0,
        }
    }

    fn origin(&self) -> u16 {
        origin(&self.view, self.id)
    }
}

/// HIERARCHY_ORIGIN: 1 user defined, 2 attribute, 3 parent-child, 6 key attribute, which the measures pass for.
pub(super) fn origin(view: &View, id: HierarchyId) -> u16 {
    let (_, hierarchy) = view.hierarchy(id);
    let attribute = hierarchy.levels.len() == 1 + usize::from(hierarchy.has_all);
    match () {
        () if id == HierarchyId::MEASURES => 6,
        () if hierarchy.parent_child => 3,
        () if attribute && view.catalog.compatibility.has_attribute_hierarchies() => 2,
        () => 1,
    }
}

fn hierarchies(ask: &Ask) -> Result<Rows<HierarchyRow>> {
    let mut rows = Vec::new();
    for view in views(ask)? {
        for id in view.hierarchies() {
            let visible = view.dimension(id).texts.visible && view.hierarchy(id).1.texts.visible;
            if shown(ask, "HIERARCHY_VISIBILITY", visible)? {
                rows.push(HierarchyRow { view: view.clone(), id });
            }
        }
    }
    Ok(rows_of(rows))
}

/// The hierarchies.
#[rustfmt::skip]
pub static MDSCHEMA_HIERARCHIES: RowsetDef<HierarchyRow> = RowsetDef {
    name: "MDSCHEMA_HIERARCHIES",
    guid: "C8B522DA-5CF3-11CE-ADE5-00AA0044773D",
    about: "Hierarchies of the dimensions",
    dmv: true,
    audience: Audience::Everyone,
    rows: hierarchies,
    order: &["CATALOG_NAME", "SCHEMA_NAME", "CUBE_NAME", "DIMENSION_UNIQUE_NAME", "HIERARCHY_NAME"],
    extra: &[extra(7, "CUBE_SOURCE", UShort), extra(8, "HIERARCHY_VISIBILITY", UShort)],
    columns: &[
        restriction(0, "CATALOG_NAME", Str, |r| r.view.catalog.name.clone().into()),
        restriction(1, "SCHEMA_NAME", Str, |r| r.view.schema_name().into()),
        restriction(2, "CUBE_NAME", Str, |r| r.view.cube.name.clone().into()),
        restriction(3, "DIMENSION_UNIQUE_NAME", Str, |r| r.view.dimension(r.id).unique_name.clone().into()),
        restriction(4, "HIERARCHY_NAME", Str, |r| r.view.hierarchy(r.id).1.name.clone().into()),
        restriction(5, "HIERARCHY_UNIQUE_NAME", Str, |r| r.view.hierarchy(r.id).0.unique_name.clone().into()),
        column("HIERARCHY_GUID", Uuid, |_| Field::Null),
        column("HIERARCHY_CAPTION", Str, |r| { let h = r.view.hierarchy(r.id).1; caption(&h.texts, &h.name).into() }),
        column("DIMENSION_TYPE", Short, |r| dimension_type(r.view.dimension(r.id).dimension.kind).into()),
        column("HIERARCHY_CARDINALITY", UInt, |r| ((r.view.hierarchy(r.id).1.members.len() + calculated_measures(&r.view, r.id)) as u32).into()),
        column("DEFAULT_MEMBER", Str, HierarchyRow::default_member),
        column("ALL_MEMBER", Str, |r| r.view.hierarchy(r.id).1.all_member().map(|m| r.member(m)).into()),
        column("DESCRIPTION", Str, |r| {
            let h = r.view.hierarchy(r.id).1;
            r.view.description(&h.texts, || format!("{} Hierarchy", r.view.described_name(r.id))).into()
        }),
        column("STRUCTURE", Short, |r| r.structure().into()),
        column("IS_VIRTUAL", Bool, |_| false.into()),
        column("IS_READWRITE", Bool, |_| false.into()),
        column("DIMENSION_UNIQUE_SETTINGS", Int, |r| r.view.catalog.compatibility.dimension_unique_settings().into()),
        column("DIMENSION_MASTER_UNIQUE_NAME", Str, |_| Field::Null),
        column("DIMENSION_IS_VISIBLE", Bool, |r| r.view.dimension(r.id).texts.visible.into()),
        column("HIERARCHY_ORDINAL", UInt, |r| r.id.0.into()),
        column("DIMENSION_IS_SHARED", Bool, |_| true.into()),
        column("HIERARCHY_IS_VISIBLE", Bool, |r| r.view.hierarchy(r.id).1.texts.visible.into()),
        bits(restriction(6, "HIERARCHY_ORIGIN", UShort, |r| r.origin().into())),
        column("HIERARCHY_DISPLAY_FOLDER", Str, |r| r.view.hierarchy(r.id).1.texts.display_folder.clone().unwrap_or_default().into()),
        column("INSTANCE_SELECTION", UShort, |_| 0u16.into()),
        column("GROUPING_BEHAVIOR", Short, |_| 1i16.into()),
        column("STRUCTURE_TYPE", Str, |r| if r.origin() == 1 { "Natural".into() } else { "Unknown".into() }),
        // Not of Analysis Services; Mondrian sends both.
        column("HIERARCHY_VISIBILITY", UShort, |r| if r.view.hierarchy(r.id).1.texts.visible { 1u16.into() } else { 2u16.into() }),
        column("PARENT_CHILD", Bool, |r| r.view.hierarchy(r.id).1.parent_child.into()),
    ],
};

/// A level of a hierarchy.
pub struct LevelRow {
    view: View,
    id: HierarchyId,
    level: LevelId,
}

impl LevelRow {
    fn level(&self) -> &Level {
        &self.view.hierarchy(self.id).1.levels[self.level.index()]
    }

    /// LEVEL_UNIQUE_SETTINGS: 1 keys are unique, 2 names are unique.
    fn unique_settings(&self) -> i64 {
        let level = self.level();
        i64::from(level.unique) + if level.kind == LevelKind::All { 2 } else { 0 }
    }
}

fn levels(ask: &Ask) -> Result<Rows<LevelRow>> {
    let mut rows = Vec::new();
    for view in views(ask)? {
        for id in view.hierarchies() {
            let visible = view.dimension(id).texts.visible && view.hierarchy(id).1.texts.visible;
            for (level, l) in view.hierarchy(id).1.levels.iter().enumerate() {
                if shown(ask, "LEVEL_VISIBILITY", visible && l.texts.visible)? {
                    rows.push(LevelRow { view: view.clone(), id, level: level.into() });
                }
            }
        }
    }
    Ok(rows_of(rows))
}

/// LEVEL_TYPE.
fn level_type(kind: LevelKind) -> i64 {
    match kind {
        LevelKind::Regular => 0,
        LevelKind::All => 1,
        LevelKind::TimeUndefined => 4,
        LevelKind::TimeYears => 0x14,
        LevelKind::TimeHalfYears => 0x24,
        LevelKind::TimeQuarters => 0x44,
        LevelKind::TimeMonths => 0x84,
        LevelKind::TimeWeeks => 0x104,
        LevelKind::TimeDays => 0x204,
        LevelKind::TimeHours => 0x304,
        LevelKind::TimeMinutes => 0x404,
        LevelKind::TimeSeconds => 0x804,
    }
}

/// The levels.
#[rustfmt::skip]
pub static MDSCHEMA_LEVELS: RowsetDef<LevelRow> = RowsetDef {
    name: "MDSCHEMA_LEVELS",
    guid: "C8B522DB-5CF3-11CE-ADE5-00AA0044773D",
    about: "Levels of the hierarchies",
    dmv: true,
    audience: Audience::Everyone,
    rows: levels,
    order: &[],
    extra: &[extra(8, "CUBE_SOURCE", UShort), extra(9, "LEVEL_VISIBILITY", UShort)],
    columns: &[
        restriction(0, "CATALOG_NAME", Str, |r| r.view.catalog.name.clone().into()),
        restriction(1, "SCHEMA_NAME", Str, |r| r.view.schema_name().into()),
        restriction(2, "CUBE_NAME", Str, |r| r.view.cube.name.clone().into()),
        restriction(3, "DIMENSION_UNIQUE_NAME", Str, |r| r.view.dimension(r.id).unique_name.clone().into()),
        restriction(4, "HIERARCHY_UNIQUE_NAME", Str, |r| r.view.hierarchy(r.id).0.unique_name.clone().into()),
        restriction(5, "LEVEL_NAME", Str, |r| r.level().name.clone().into()),
        restriction(6, "LEVEL_UNIQUE_NAME", Str, |r| r.view.described.members.level_unique_name(r.id, r.level).into()),
        column("LEVEL_GUID", Uuid, |_| Field::Null),
        column("LEVEL_CAPTION", Str, |r| caption(&r.level().texts, &r.level().name).into()),
        column("LEVEL_NUMBER", UInt, |r| r.level.0.into()),
        column("LEVEL_CARDINALITY", UInt, |r| (r.level().members.len() as u32).into()),
        column("LEVEL_TYPE", Int, |r| level_type(r.level().kind).into()),
        column("DESCRIPTION", Str, |r| {
            let h = r.view.described_name(r.id);
            r.view.description(&r.level().texts, || format!("{h} Hierarchy - {} Level", r.level().name)).into()
        }),
        column("CUSTOM_ROLLUP_SETTINGS", Int, |_| 0.into()),
        column("LEVEL_UNIQUE_SETTINGS", Int, |r| r.unique_settings().into()),
        column("LEVEL_IS_VISIBLE", Bool, |r| r.level().texts.visible.into()),
        column("LEVEL_ORDERING_PROPERTY", Str, |_| Field::Null),
        column("LEVEL_DBTYPE", Int, |r| dbtype(&r.level().key_type).into()),
        column("LEVEL_MASTER_UNIQUE_NAME", Str, |_| Field::Null),
        column("LEVEL_NAME_SQL_COLUMN_NAME", Str, |_| Field::Null),
        column("LEVEL_KEY_SQL_COLUMN_NAME", Str, |_| Field::Null),
        column("LEVEL_UNIQUE_NAME_SQL_COLUMN_NAME", Str, |_| Field::Null),
        column("LEVEL_ATTRIBUTE_HIERARCHY_NAME", Str, |r| r.level().name.clone().into()),
        column("LEVEL_KEY_CARDINALITY", UShort, |_| 1u16.into()),
        bits(restriction(7, "LEVEL_ORIGIN", UShort, |r| origin(&r.view, r.id).into())),
    ],
};
