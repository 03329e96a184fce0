//! MDSCHEMA_CUBES, _MEASUREGROUPS, _MEASUREGROUP_DIMENSIONS, _INPUT_DATASOURCES, _ACTIONS.

use super::{View, shown, views};
use crate::rowsets::definition::{
    Ask, Audience, Rows, RowsetDef, Type::*, always, bits, column, extra, needed, restriction, rows_of,
};
use facetta_model::{Field, HierarchyId, Result};

fn cubes(ask: &Ask) -> Result<Rows<View>> {
    Ok(rows_of(views(ask)?))
}

/// Whether any measure of the cube can be written.
fn is_writable(view: &View) -> bool {
    view.cube.measures.iter().any(|m| {
        let group = view.catalog.measure_groups.get(view.cube.measure_groups[m.group].index());
        group.and_then(|g| g.measures.get(m.measure as usize)).is_some_and(|m| m.writable)
    })
}

/// The cubes.
#[rustfmt::skip]
pub static MDSCHEMA_CUBES: RowsetDef<View> = RowsetDef {
    name: "MDSCHEMA_CUBES",
    guid: "C8B522D8-5CF3-11CE-ADE5-00AA0044773D",
    about: "Cubes of the current catalog",
    dmv: true,
    audience: Audience::Everyone,
    rows: cubes,
    order: &["CATALOG_NAME", "SCHEMA_NAME", "CUBE_NAME"],
    extra: &[],
    columns: &[
        always(restriction(0, "CATALOG_NAME", Str, |r| r.catalog.name.clone().into())),
        restriction(1, "SCHEMA_NAME", Str, |r| r.schema_name().into()),
        restriction(2, "CUBE_NAME", Str, |r| r.cube.name.clone().into()),
        column("CUBE_TYPE", Str, |_| "CUBE".into()),
        column("CUBE_GUID", Uuid, |_| Field::Null),
        column("CREATED_ON", Date, |_| Field::Null),
        column("LAST_SCHEMA_UPDATE", Date, |r| r.catalog.last_schema_update.into()),
        column("SCHEMA_UPDATED_BY", Str, |_| Field::Null),
        column("LAST_DATA_UPDATE", Date, |r| r.catalog.last_data_update.into()),
        column("DATA_UPDATED_BY", Str, |_| Field::Null),
        column("DESCRIPTION", Str, |r| match &r.cube.texts.description {
            Some(text) => text.clone().into(),
            None if r.catalog.compatibility.describes_everything() => format!("{} Schema - {} Cube", r.catalog.name, r.cube.name).into(),
            None => "".into(),
        }),
        column("IS_DRILLTHROUGH_ENABLED", Bool, |_| true.into()),
        column("IS_LINKABLE", Bool, |_| false.into()),
        column("IS_WRITE_ENABLED", Bool, |r| is_writable(r).into()),
        column("IS_SQL_ENABLED", Bool, |_| false.into()),
        column("CUBE_CAPTION", Str, |r| r.cube.texts.caption.as_ref().unwrap_or(&r.cube.name).clone().into()),
        restriction(4, "BASE_CUBE_NAME", Str, |_| Field::Null),
        bits(restriction(3, "CUBE_SOURCE", UShort, |_| 1u16.into())),
        column("PREFERRED_QUERY_PATTERNS", UShort, |_| 0u16.into()),
    ],
};

/// A measure group of a cube, by its position there.
pub struct GroupRow {
    view: View,
    group: usize,
}

impl GroupRow {
    fn name(&self) -> &str {
        let id = self.view.cube.measure_groups[self.group];
        &self.view.catalog.measure_groups[id.index()].name
    }
}

fn groups(ask: &Ask) -> Result<Rows<GroupRow>> {
    let of = |view: View| {
        let count = view.cube.measure_groups.len();
        (0..count).map(move |group| GroupRow { view: view.clone(), group })
    };
    Ok(rows_of(views(ask)?.into_iter().flat_map(of)))
}

/// The measure groups.
#[rustfmt::skip]
pub static MDSCHEMA_MEASUREGROUPS: RowsetDef<GroupRow> = RowsetDef {
    name: "MDSCHEMA_MEASUREGROUPS",
    guid: "E1625EBF-FA96-42FD-BEA6-DB90ADAFD96B",
    about: "Measure groups of the cubes",
    dmv: true,
    audience: Audience::Everyone,
    rows: groups,
    order: &[],
    extra: &[],
    columns: &[
        restriction(0, "CATALOG_NAME", Str, |r| r.view.catalog.name.clone().into()),
        restriction(1, "SCHEMA_NAME", Str, |r| r.view.schema_name().into()),
        restriction(2, "CUBE_NAME", Str, |r| r.view.cube.name.clone().into()),
        restriction(3, "MEASUREGROUP_NAME", Str, |r| r.name().to_owned().into()),
        column("DESCRIPTION", Str, |_| "".into()),
        column("IS_WRITE_ENABLED", Bool, |r| {
            let id = r.view.cube.measure_groups[r.group];
            r.view.catalog.measure_groups[id.index()].measures.iter().any(|m| m.writable).into()
        }),
        column("MEASUREGROUP_CAPTION", Str, |r| r.name().to_owned().into()),
    ],
};

/// A dimension that a measure group of a cube reaches.
pub struct GroupDimensionRow {
    group: GroupRow,
    dimension: usize,
}

fn group_dimensions(ask: &Ask) -> Result<Rows<GroupDimensionRow>> {
    let mut rows = Vec::new();
    for view in views(ask)? {
        for group in 0..view.cube.measure_groups.len() {
            for (dimension, used) in view.cube.dimensions.iter().enumerate().skip(1) {
                let linked = used.links.get(group).is_some_and(Option::is_some);
                if linked && shown(ask, "DIMENSION_VISIBILITY", used.texts.visible)? {
                    rows.push(GroupDimensionRow { group: GroupRow { view: view.clone(), group }, dimension });
                }
            }
        }
    }
    Ok(rows_of(rows))
}

impl GroupDimensionRow {
    /// The level at which the facts attach to the dimension's first hierarchy.
    fn granularity(&self) -> Option<String> {
        let view = &self.group.view;
        let used = &view.cube.dimensions[self.dimension];
        let group = &view.catalog.measure_groups[view.cube.measure_groups[self.group.group].index()];
        let link = &group.links[(*used.links.get(self.group.group)?)?.index()];
        let (position, level) = link.levels.iter().enumerate().find_map(|(i, l)| Some((i, (*l)?)))?;
        Some(view.described.members.level_unique_name(HierarchyId(used.hierarchies.start + position as u32), level))
    }
}

/// Which dimensions each measure group reaches.
#[rustfmt::skip]
pub static MDSCHEMA_MEASUREGROUP_DIMENSIONS: RowsetDef<GroupDimensionRow> = RowsetDef {
    name: "MDSCHEMA_MEASUREGROUP_DIMENSIONS",
    guid: "A07CCD33-8148-11D0-87BB-00C04FC33942",
    about: "Dimensions that the measure groups reach",
    dmv: true,
    audience: Audience::Everyone,
    rows: group_dimensions,
    order: &[],
    extra: &[extra(5, "DIMENSION_VISIBILITY", UShort)],
    columns: &[
        restriction(0, "CATALOG_NAME", Str, |r| r.group.view.catalog.name.clone().into()),
        restriction(1, "SCHEMA_NAME", Str, |r| r.group.view.schema_name().into()),
        restriction(2, "CUBE_NAME", Str, |r| r.group.view.cube.name.clone().into()),
        restriction(3, "MEASUREGROUP_NAME", Str, |r| r.group.name().to_owned().into()),
        column("MEASUREGROUP_CARDINALITY", Str, |_| "ONE".into()),
        restriction(4, "DIMENSION_UNIQUE_NAME", Str, |r| r.group.view.cube.dimensions[r.dimension].unique_name.clone().into()),
        column("DIMENSION_CARDINALITY", Str, |_| "MANY".into()),
        column("DIMENSION_IS_VISIBLE", Bool, |r| r.group.view.cube.dimensions[r.dimension].texts.visible.into()),
        column("DIMENSION_IS_FACT_DIMENSION", Bool, |_| false.into()),
        column("DIMENSION_PATH", Nested(&[("MeasureGroupDimension", Str)]), |_| Field::Null),
        column("DIMENSION_GRANULARITY", Str, |r| r.granularity().into()),
    ],
};

/// The source that a catalog was loaded from.
pub struct SourceRow {
    view: View,
}

fn sources(ask: &Ask) -> Result<Rows<SourceRow>> {
    Ok(rows_of(views(ask)?.into_iter().take(1).map(|view| SourceRow { view })))
}

/// The data sources of a catalog.
#[rustfmt::skip]
pub static MDSCHEMA_INPUT_DATASOURCES: RowsetDef<SourceRow> = RowsetDef {
    name: "MDSCHEMA_INPUT_DATASOURCES",
    guid: "A07CCD32-8148-11D0-87BB-00C04FC33942",
    about: "Data sources of the current catalog",
    dmv: true,
    audience: Audience::Everyone,
    rows: sources,
    order: &[],
    extra: &[],
    columns: &[
        restriction(0, "CATALOG_NAME", Str, |r| r.view.catalog.name.clone().into()),
        restriction(1, "SCHEMA_NAME", Str, |_| Field::Null),
        restriction(2, "DATASOURCE_NAME", Str, |r| r.view.catalog.name.clone().into()),
        restriction(3, "DATASOURCE_TYPE", Str, |_| "Relational".into()),
        column("CREATED_ON", Date, |_| Field::Null),
        column("LAST_SCHEMA_UPDATE", Date, |r| r.view.catalog.last_schema_update.into()),
        column("DESCRIPTION", Str, |_| "".into()),
        column("TIMEOUT", UInt, |_| 0u32.into()),
    ],
};

/// Actions; schemas cannot define any yet, so there are none.
#[rustfmt::skip]
pub static MDSCHEMA_ACTIONS: RowsetDef<View> = RowsetDef {
    name: "MDSCHEMA_ACTIONS",
    guid: "A07CCD08-8148-11D0-87BB-00C04FC33942",
    about: "Actions of the cubes",
    dmv: false,
    audience: Audience::Everyone,
    rows: |_| Ok(rows_of([])),
    order: &["CATALOG_NAME", "SCHEMA_NAME", "CUBE_NAME", "ACTION_NAME"],
    extra: &[extra(8, "CUBE_SOURCE", UShort)],
    columns: &[
        restriction(0, "CATALOG_NAME", Str, |r| r.catalog.name.clone().into()),
        restriction(1, "SCHEMA_NAME", Str, |r| r.schema_name().into()),
        needed(restriction(2, "CUBE_NAME", Str, |r| r.cube.name.clone().into())),
        restriction(3, "ACTION_NAME", Str, |_| Field::Null),
        restriction(4, "ACTION_TYPE", Int, |_| Field::Null),
        needed(restriction(5, "COORDINATE", Str, |_| Field::Null)),
        needed(restriction(6, "COORDINATE_TYPE", Int, |_| Field::Null)),
        column("ACTION_CAPTION", Str, |_| Field::Null),
        column("DESCRIPTION", Str, |_| Field::Null),
        column("CONTENT", Str, |_| Field::Null),
        column("APPLICATION", Str, |_| Field::Null),
        restriction(7, "INVOCATION", Int, |_| Field::Null),
    ],
};
