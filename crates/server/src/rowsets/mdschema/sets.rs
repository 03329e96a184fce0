//! MDSCHEMA_SETS, _KPIS.

use super::{View, views};
use crate::rowsets::definition::{Ask, Audience, Rows, RowsetDef, Type::*, column, extra, restriction, rows_of};
use facetta_model::definition::KpiDef;
use facetta_model::{Field, Result, Scope, name};
use facetta_query::SetDescription;

/// A named set of a cube.
pub struct SetRow {
    view: View,
    set: usize,
}

impl SetRow {
    fn set(&self) -> &SetDescription {
        &self.view.described.sets[self.set]
    }

    /// DIMENSIONS: the unique names of the set's hierarchies.
    fn dimensions(&self) -> String {
        let names = self.set().hierarchies.iter().map(|&id| self.view.hierarchy(id).0.unique_name.as_str());
        names.collect::<Vec<_>>().join(",")
    }
}

fn sets(ask: &Ask) -> Result<Rows<SetRow>> {
    let wanted = ask.wanted_text("HIERARCHY_UNIQUE_NAME");
    let mut rows = Vec::new();
    for view in views(ask)? {
        let shown = (0..view.described.sets.len()).filter(|set| view.described.sets[*set].texts.visible);
        for set in shown {
            let row = SetRow { view: view.clone(), set };
            if wanted.is_none_or(|w| name::same(w, &row.dimensions())) {
                rows.push(row);
            }
        }
    }
    Ok(rows_of(rows))
}

/// SCOPE: 1 global, 2 session.
pub(super) fn scope(scope: Scope) -> i64 {
    if scope == Scope::Cube { 1 } else { 2 }
}

/// The named sets.
#[rustfmt::skip]
pub static MDSCHEMA_SETS: RowsetDef<SetRow> = RowsetDef {
    name: "MDSCHEMA_SETS",
    guid: "A07CCD0B-8148-11D0-87BB-00C04FC33942",
    about: "Named sets of the cubes and the session",
    dmv: true,
    audience: Audience::Everyone,
    rows: sets,
    order: &["CATALOG_NAME", "SCHEMA_NAME", "CUBE_NAME"],
    extra: &[extra(5, "HIERARCHY_UNIQUE_NAME", Str), extra(6, "CUBE_SOURCE", UShort)],
    columns: &[
        restriction(0, "CATALOG_NAME", Str, |r| r.view.catalog.name.clone().into()),
        restriction(1, "SCHEMA_NAME", Str, |r| r.view.schema_name().into()),
        restriction(2, "CUBE_NAME", Str, |r| r.view.cube.name.clone().into()),
        restriction(3, "SET_NAME", Str, |r| r.set().name.clone().into()),
        restriction(4, "SCOPE", Int, |r| scope(r.set().scope).into()),
        column("DESCRIPTION", Str, |r| r.set().texts.description.clone().unwrap_or_default().into()),
        column("EXPRESSION", Str, |r| r.set().expression.clone().into()),
        column("DIMENSIONS", Str, |r| r.dimensions().into()),
        column("SET_CAPTION", Str, |r| r.set().texts.caption.as_ref().unwrap_or(&r.set().name).clone().into()),
        column("SET_DISPLAY_FOLDER", Str, |r| r.set().texts.display_folder.clone().unwrap_or_default().into()),
        restriction(7, "SET_EVALUATION_CONTEXT", Int, |r| if r.set().dynamic { 2.into() } else { 1.into() }),
    ],
};

/// A key performance indicator of a cube.
pub struct KpiRow {
    view: View,
    kpi: usize,
}

impl KpiRow {
    fn kpi(&self) -> &KpiDef {
        &self.view.cube.kpis[self.kpi]
    }
}

fn kpis(ask: &Ask) -> Result<Rows<KpiRow>> {
    let of = |view: View| {
        let count = view.cube.kpis.len();
        (0..count).map(move |kpi| KpiRow { view: view.clone(), kpi })
    };
    Ok(rows_of(views(ask)?.into_iter().flat_map(of)))
}

/// The key performance indicators.
#[rustfmt::skip]
pub static MDSCHEMA_KPIS: RowsetDef<KpiRow> = RowsetDef {
    name: "MDSCHEMA_KPIS",
    guid: "2AE44109-ED3D-4842-B16F-B694D1CB0E3F",
    about: "Key performance indicators of the cubes",
    dmv: true,
    audience: Audience::Everyone,
    rows: kpis,
    order: &[],
    extra: &[extra(4, "CUBE_SOURCE", UShort)],
    columns: &[
        restriction(0, "CATALOG_NAME", Str, |r| r.view.catalog.name.clone().into()),
        restriction(1, "SCHEMA_NAME", Str, |r| r.view.schema_name().into()),
        restriction(2, "CUBE_NAME", Str, |r| r.view.cube.name.clone().into()),
        column("MEASUREGROUP_NAME", Str, |_| Field::Null),
        restriction(3, "KPI_NAME", Str, |r| r.kpi().name.clone().into()),
        column("KPI_CAPTION", Str, |r| r.kpi().texts.caption.as_ref().unwrap_or(&r.kpi().name).clone().into()),
        column("KPI_DESCRIPTION", Str, |r| r.kpi().texts.description.clone().unwrap_or_default().into()),
        column("KPI_DISPLAY_FOLDER", Str, |r| r.kpi().texts.display_folder.clone().unwrap_or_default().into()),
        column("KPI_VALUE", Str, |r| r.kpi().value.clone().into()),
        column("KPI_GOAL", Str, |r| r.kpi().goal.clone().into()),
        column("KPI_STATUS", Str, |r| r.kpi().status.clone().into()),
        column("KPI_TREND", Str, |r| r.kpi().trend.clone().into()),
        column("KPI_STATUS_GRAPHIC", Str, |r| r.kpi().status_graphic.clone().into()),
        column("KPI_TREND_GRAPHIC", Str, |r| r.kpi().trend_graphic.clone().into()),
        column("KPI_WEIGHT", Str, |_| Field::Null),
        column("KPI_CURRENT_TIME_MEMBER", Str, |_| Field::Null),
        column("KPI_PARENT_KPI_NAME", Str, |_| Field::Null),
        column("ANNOTATIONS", Str, |_| Field::Null),
        restriction(5, "SCOPE", Int, |_| 1.into()),
    ],
};
