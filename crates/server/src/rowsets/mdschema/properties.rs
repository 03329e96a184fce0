//! MDSCHEMA_PROPERTIES: properties of members and of cells.

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
    ("MEMBER_KEY", 12),
    ("MEMBER_VALUE", 12),
    ("CHILDREN_CARDINALITY", 19),
    ("PARENT_LEVEL", 19),
    ("PARENT_UNIQUE_NAME", 130),
    ("PARENT_COUNT", 19),
];

/// A property: of a level's members, of every member, or of a cell.
pub enum PropertyRow {
    /// Of a level's members.
    Member {
        /// The cube.
        view: View,
        /// The hierarchy.
        id: HierarchyId,
        /// The level.
        level: LevelId,
        /// Position in the level.
        index: usize,
    },
    /// Of a cell (PROPERTY_TYPE 2) or of every member (4): type, name, DBTYPE.
    Named(i16, &'static str, u16),
}

impl PropertyRow {
    fn of_level(&self) -> Option<(&View, HierarchyId, LevelId, &LevelProperty)> {
        match self {
            PropertyRow::Member { view, id, level, index } => {
                Some((view, *id, *level, &view.hierarchy(*id).1.levels[level.index()].properties[*index]))
            }
            PropertyRow::Named(..) => None,
        }
    }

    fn view(&self) -> Option<&View> {
        self.of_level().map(|(view, ..)| view)
    }

    fn name(&self) -> String {
        match self {
            PropertyRow::Named(_, name, _) => (*name).to_owned(),
            PropertyRow::Member { .. } => self.of_level().map(|(.., p)| p.name.clone()).unwrap_or_default(),
        }
    }

    fn caption(&self) -> String {
        let own = self.of_level().and_then(|(.., p)| p.texts.caption.clone());
        own.unwrap_or_else(|| self.name())
    }

    fn data_type(&self) -> u16 {
        match self {
            PropertyRow::Named(_, _, dbtype) => *dbtype,
            PropertyRow::Member { .. } => self.of_level().map_or(130, |(.., p)| dbtype(&p.data_type)),
        }
    }

    fn description(&self) -> Field {
        let text = self.of_level().map(|(view, id, level, p)| {
            let level = &view.hierarchy(id).1.levels[level.index()].name;
            let h = view.described_name(id);
            view.description(&p.texts, || format!("{h} Hierarchy - {level} Level - {} Property", p.name))
        });
        text.into()
    }
}

fn properties(ask: &Ask) -> Result<Rows<PropertyRow>> {
    // A mask: 1 member, 2 cell, 4 system; the rows of all are compared with it below, so it must not restrict the column.
    let wanted = ask.wanted_number("PROPERTY_TYPE").unwrap_or(1);
    let mut rows = Vec::new();
    if wanted & 2 != 0 {
        rows.extend(CELL_PROPERTIES.iter().map(|&(name, dbtype)| PropertyRow::Named(2, name, dbtype)));
    }
    if wanted & 4 != 0 {
        rows.extend(SYSTEM_PROPERTIES.iter().map(|&(name, dbtype)| PropertyRow::Named(4, name, dbtype)));
    }
    if wanted & 1 != 0 {
        for view in views(ask)? {
            for id in view.hierarchies() {
                let visible = view.dimension(id).texts.visible && view.hierarchy(id).1.texts.visible;
                for (level, l) in view.hierarchy(id).1.levels.iter().enumerate() {
                    for (index, property) in l.properties.iter().enumerate() {
                        if shown(ask, "PROPERTY_VISIBILITY", visible && property.texts.visible)? {
                            rows.push(PropertyRow::Member { view: view.clone(), id, level: level.into(), index });
                        }
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
    extra: &[extra(8, "PROPERTY_TYPE", Short), extra(11, "CUBE_SOURCE", UShort), extra(12, "PROPERTY_VISIBILITY", UShort)],
    columns: &[
        restriction(0, "CATALOG_NAME", Str, |r| r.view().map(|v| v.catalog.name.clone()).into()),
        restriction(1, "SCHEMA_NAME", Str, |r| r.view().and_then(View::schema_name).into()),
        restriction(2, "CUBE_NAME", Str, |r| r.view().map(|v| v.cube.name.clone()).into()),
        restriction(3, "DIMENSION_UNIQUE_NAME", Str, |r| r.of_level().map(|(v, id, ..)| v.dimension(id).unique_name.clone()).into()),
        restriction(4, "HIERARCHY_UNIQUE_NAME", Str, |r| r.of_level().map(|(v, id, ..)| v.hierarchy(id).0.unique_name.clone()).into()),
        restriction(5, "LEVEL_UNIQUE_NAME", Str, |r| {
            r.of_level().map(|(v, id, level, _)| v.described.members.level_unique_name(id, level)).into()
        }),
        restriction(6, "MEMBER_UNIQUE_NAME", Str, |_| Field::Null),
        column("PROPERTY_TYPE", Short, |r| match r { PropertyRow::Named(ty, ..) => (*ty).into(), PropertyRow::Member { .. } => 1i16.into() }),
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
        bits(restriction(10, "PROPERTY_ORIGIN", UShort, |r| r.view().map(|_| 1u16).into())),
        column("PROPERTY_ATTRIBUTE_HIERARCHY_NAME", Str, |_| Field::Null),
        column("PROPERTY_CARDINALITY", Str, |r| r.view().map(|_| "MANY").into()),
        column("MIME_TYPE", Str, |_| Field::Null),
        column("PROPERTY_IS_VISIBLE", Bool, |r| r.of_level().map(|(.., p)| p.texts.visible).into()),
    ],
};
