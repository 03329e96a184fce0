//! MDSCHEMA_PROPERTIES: properties of members and of cells.

use super::dimensions::origin;
use super::{View, dbtype, shown, views};
use crate::rowsets::definition::{Ask, Audience, Rows, RowsetDef, Type::*, bits, column, extra, restriction, rows_of};
use facetta_model::catalog::LevelProperty;
use facetta_model::{Field, HierarchyId, LevelId, Result};

/// The cell properties with their DBTYPE numbers, in the order in which Analysis Services gives them (spec/rowsets.json).
pub const CELL_PROPERTIES: &[(&str, u16)] = &[
    ("VALUE", 12),
    ("FORMAT_STRING", 130),
    ("BACK_COLOR", 19),
    ("FORE_COLOR", 19),
    ("FONT_NAME", 130),
    ("FONT_SIZE", 18),
    ("FONT_FLAGS", 3),
    ("LANGUAGE", 19),
    ("CELL_ORDINAL", 19),
    ("FORMATTED_VALUE", 130),
    ("ACTION_TYPE", 19),
    ("UPDATEABLE", 19),
];

/// The DBTYPE in that table of what has the type of its level's keys.
const KEY: u16 = 12;

/// The properties that every member has besides those of its level (PROPERTY_TYPE 4), with DBTYPE numbers.
const SYSTEM_PROPERTIES: &[(&str, u16)] = &[
    ("CATALOG_NAME", 130),
    ("CUBE_NAME", 130),
    ("DIMENSION_UNIQUE_NAME", 130),
    ("HIERARCHY_UNIQUE_NAME", 130),
    ("LEVEL_UNIQUE_NAME", 130),
    ("LEVEL_NUMBER", 19),
    ("MEMBER_UNIQUE_NAME", 130),
    ("MEMBER_NAME", 130),
    ("MEMBER_CAPTION", 130),
    ("MEMBER_TYPE", 3),
    ("MEMBER_KEY", KEY),
    ("MEMBER_VALUE", KEY),
    ("CHILDREN_CARDINALITY", 19),
    ("PARENT_LEVEL", 19),
    ("PARENT_UNIQUE_NAME", 130),
    ("PARENT_COUNT", 19),
];

/// A property: of a level's members, or of a cell.
pub enum PropertyRow {
    /// Of a level's members.
    Member {
        /// The cube.
        view: View,
        /// The hierarchy.
        id: HierarchyId,
        /// The level.
        level: LevelId,
        /// Which.
        which: Which,
    },
    /// Of a cell (PROPERTY_TYPE 2): name, DBTYPE.
    Cell(&'static str, u16),
}

/// Which property of a level's members.
#[derive(Clone, Copy)]
pub enum Which {
    /// One of the level (PROPERTY_TYPE 1), by position.
    Level(usize),
    /// One that every member has (PROPERTY_TYPE 4): name, DBTYPE.
    System(&'static str, u16),
}

impl PropertyRow {
    fn place(&self) -> Option<(&View, HierarchyId, LevelId)> {
        match self {
            PropertyRow::Member { view, id, level, .. } => Some((view, *id, *level)),
            PropertyRow::Cell(..) => None,
        }
    }

    fn view(&self) -> Option<&View> {
        self.place().map(|(view, ..)| view)
    }

    /// The property of the level, if it is one.
    fn of_level(&self) -> Option<&LevelProperty> {
        match self {
            PropertyRow::Member { view, id, level, which: Which::Level(index) } => {
                view.hierarchy(*id).1.levels[level.index()].properties.get(*index)
            }
            _ => None,
        }
    }

    fn kind(&self) -> i16 {
        match self {
            PropertyRow::Member { which: Which::Level(_), .. } => 1,
            PropertyRow::Cell(..) => 2,
            PropertyRow::Member { which: Which::System(..), .. } => 4,
        }
    }

    fn name(&self) -> String {
        match self {
            PropertyRow::Cell(name, _) | PropertyRow::Member { which: Which::System(name, _), .. } => {
                (*name).to_owned()
            }
            PropertyRow::Member { .. } => self.of_level().map(|p| p.name.clone()).unwrap_or_default(),
        }
    }

    fn caption(&self) -> String {
        let own = self.of_level().and_then(|p| p.texts.caption.clone());
        own.unwrap_or_else(|| self.name())
    }

    /// DATA_TYPE: of a key or value the type that the keys of its level have; Excel offers date filters where it is a date.
    fn data_type(&self) -> u16 {
        match self {
            PropertyRow::Cell(_, dbtype) => *dbtype,
            PropertyRow::Member { view, id, level, which: Which::System(_, KEY) } => {
                dbtype(&view.hierarchy(*id).1.levels[level.index()].key_type)
            }
            PropertyRow::Member { which: Which::System(_, dbtype), .. } => *dbtype,
            PropertyRow::Member { .. } => self.of_level().map_or(130, |p| dbtype(&p.data_type)),
        }
    }

    fn description(&self) -> Field {
        let (Some((view, id, level)), Some(property)) = (self.place(), self.of_level()) else { return Field::Null };
        let level = &view.hierarchy(id).1.levels[level.index()].name;
        let h = view.described_name(id);
        view.description(&property.texts, || format!("{h} Hierarchy - {level} Level - {} Property", property.name))
            .into()
    }

    fn is_visible(&self) -> Field {
        match self {
            PropertyRow::Cell(..) => Field::Null,
            PropertyRow::Member { .. } => self.of_level().is_none_or(|p| p.texts.visible).into(),
        }
    }
}

fn properties(ask: &Ask) -> Result<Rows<PropertyRow>> {
    // A mask: 1 member, 2 cell, 4 system.
    let wanted = ask.wanted_number("PROPERTY_TYPE").unwrap_or(1);
    let mut rows = Vec::new();
    if wanted & 2 != 0 {
        rows.extend(CELL_PROPERTIES.iter().map(|&(name, dbtype)| PropertyRow::Cell(name, dbtype)));
    }
    let views = if wanted & (1 | 4) != 0 { views(ask)? } else { Vec::new() };
    for view in views {
        for id in view.hierarchies() {
            let visible = view.dimension(id).texts.visible && view.hierarchy(id).1.texts.visible;
            for (level, l) in view.hierarchy(id).1.levels.iter().enumerate() {
                let own = l.properties.iter().enumerate().map(|(i, p)| (1, Which::Level(i), p.texts.visible));
                let system = SYSTEM_PROPERTIES.iter().map(|&(name, dbtype)| (4, Which::System(name, dbtype), true));
                for (_, which, shows) in own.chain(system).filter(|(kind, ..)| wanted & kind != 0) {
                    if shown(ask, "PROPERTY_VISIBILITY", visible && shows)? {
                        rows.push(PropertyRow::Member { view: view.clone(), id, level: level.into(), which });
                    }
                }
            }
        }
    }
    Ok(rows_of(rows))
}

/// The properties.
#[rustfmt::skip]
pub static MDSCHEMA_PROPERTIES: RowsetDef<PropertyRow> = RowsetDef {
    name: "MDSCHEMA_PROPERTIES",
    guid: "C8B522DD-5CF3-11CE-ADE5-00AA0044773D",
    about: "Properties of members and cells",
    dmv: true,
    audience: Audience::Everyone,
    rows: properties,
    order: &[],
    extra: &[extra(8, "PROPERTY_TYPE", Short), extra(11, "CUBE_SOURCE", UShort), extra(12, "PROPERTY_VISIBILITY", UShort)],
    columns: &[
        restriction(0, "CATALOG_NAME", Str, |r| r.view().map(|v| v.catalog.name.clone()).into()),
        restriction(1, "SCHEMA_NAME", Str, |r| r.view().and_then(View::schema_name).into()),
        restriction(2, "CUBE_NAME", Str, |r| r.view().map(|v| v.cube.name.clone()).into()),
        restriction(3, "DIMENSION_UNIQUE_NAME", Str, |r| r.place().map(|(v, id, _)| v.dimension(id).unique_name.clone()).into()),
        restriction(4, "HIERARCHY_UNIQUE_NAME", Str, |r| r.place().map(|(v, id, _)| v.hierarchy(id).0.unique_name.clone()).into()),
        restriction(5, "LEVEL_UNIQUE_NAME", Str, |r| {
            r.place().map(|(v, id, level)| v.described.members.level_unique_name(id, level)).into()
        }),
        restriction(6, "MEMBER_UNIQUE_NAME", Str, |_| Field::Null),
        column("PROPERTY_TYPE", Short, |r| r.kind().into()),
        restriction(7, "PROPERTY_NAME", Str, |r| r.name().into()),
        column("PROPERTY_CAPTION", Str, |r| r.caption().into()),
        column("DATA_TYPE", UShort, |r| r.data_type().into()),
        column("CHARACTER_MAXIMUM_LENGTH", UInt, |_| Field::Null),
        column("CHARACTER_OCTET_LENGTH", UInt, |_| Field::Null),
        column("NUMERIC_PRECISION", UShort, |_| Field::Null),
        column("NUMERIC_SCALE", Short, |_| Field::Null),
        column("DESCRIPTION", Str, PropertyRow::description),
        restriction(9, "PROPERTY_CONTENT_TYPE", Short, |r| r.view().map(|_| 0i16).into()),
        column("SQL_COLUMN_NAME", Str, |_| Field::Null),
        column("LANGUAGE", UShort, |_| Field::Null),
        bits(restriction(10, "PROPERTY_ORIGIN", UShort, |r| r.place().map(|(view, id, _)| origin(view, id)).into())),
        column("PROPERTY_ATTRIBUTE_HIERARCHY_NAME", Str, |_| Field::Null),
        column("PROPERTY_CARDINALITY", Str, |r| r.view().map(|_| "MANY").into()),
        column("MIME_TYPE", Str, |_| Field::Null),
        column("PROPERTY_IS_VISIBLE", Bool, PropertyRow::is_visible),
    ],
};
