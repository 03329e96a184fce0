//! MDSCHEMA_MEASURES.

use super::{View, dbtype, shown, views};
use crate::rowsets::definition::{Ask, Audience, Rows, RowsetDef, Type::*, column, extra, restriction, rows_of};
use facetta_model::definition::{Aggregator, Texts};
use facetta_model::{ColumnType, Field, HierarchyId, MemberId, Result, Value, name};

/// A measure, stored or calculated.
pub struct MeasureRow {
    view: View,
    member: MemberId,
}

impl MeasureRow {
    fn texts(&self) -> &Texts {
        match self.view.described.members.calculated(self.member) {
            Some(calculated) => &calculated.texts,
            None => &self.view.cube.measures[self.member.index()].texts,
        }
    }

    fn name(&self) -> &str {
        self.view.described.members.name(HierarchyId::MEASURES, self.member)
    }

    fn caption(&self) -> String {
        self.view.described.members.caption(HierarchyId::MEASURES, self.member).to_owned()
    }

    /// MEASURE_AGGREGATOR: 127 for what is calculated.
    fn aggregator(&self) -> i64 {
        if self.member.is_calculated() {
            return 127;
        }
        match self.view.cube.measures[self.member.index()].aggregator {
            Aggregator::Sum => 1,
            Aggregator::Count => 2,
            Aggregator::Min => 3,
            Aggregator::Max => 4,
            Aggregator::Avg => 5,
            Aggregator::DistinctCount => self.view.catalog.compatibility.distinct_count_aggregator(),
        }
    }

    fn data_type(&self) -> u16 {
        match self.view.cube.measures.get(self.member.index()) {
            Some(measure) => dbtype(&measure.data_type),
            None => self.view.catalog.compatibility.calculated_measure_dbtype(),
        }
    }

    fn precision(&self) -> Field {
        match self.view.cube.measures.get(self.member.index()).map(|m| &m.data_type) {
            Some(ColumnType::Int) => 10u16.into(),
            Some(ColumnType::Long) => 19u16.into(),
            Some(ColumnType::Double) => 16u16.into(),
            _ => Field::Null,
        }
    }

    fn expression(&self) -> Field {
        self.view.described.members.calculated(self.member).map(|c| c.formula.to_string()).into()
    }

    /// The measure group; for a calculated measure the one that its ASSOCIATED_MEASURE_GROUP names, else none. Where the
    /// catalog's clients take a cube for its measure group, that.
    fn group(&self) -> Option<String> {
        match self.view.cube.measures.get(self.member.index()) {
            Some(measure) => {
                let id = self.view.cube.measure_groups[measure.group];
                Some(self.view.catalog.measure_groups[id.index()].name.clone())
            }
            None => self.property("ASSOCIATED_MEASURE_GROUP").or_else(|| {
                let cube = self.view.catalog.compatibility.describes_everything();
                cube.then(|| self.view.cube.name.clone())
            }),
        }
    }

    fn property(&self, wanted: &str) -> Option<String> {
        let calculated = self.view.described.members.calculated(self.member)?;
        let (_, value) = calculated.properties.iter().find(|(n, _)| name::same(n, wanted))?;
        match value {
            Value::Str(text) => Some(text.to_string()),
            _ => None,
        }
    }

    fn format(&self) -> Option<String> {
        match self.view.cube.measures.get(self.member.index()) {
            Some(measure) => Some(measure.format.clone().unwrap_or_default()),
            None => self.property("FORMAT_STRING").or_else(|| self.property("FORMAT")),
        }
    }

    /// LEVELS_LIST: the last levels of the hierarchies along which the measure can be split, where clients expect it.
    fn levels(&self) -> Option<String> {
        let measure = self.view.cube.measures.get(self.member.index())?;
        if !self.view.catalog.compatibility.describes_everything() {
            return None;
        }
        let reached = self.view.hierarchies().skip(1).filter(|&id| self.view.cube.path(measure.group, id).is_some());
        let leaf = |id| self.view.described.members.level_unique_name(id, self.view.hierarchy(id).1.leaf_level());
        Some(reached.map(leaf).collect::<Vec<_>>().join(","))
    }
}

fn measures(ask: &Ask) -> Result<Rows<MeasureRow>> {
    let mut rows = Vec::new();
    for view in views(ask)? {
        let stored = (0..view.cube.measures.len() as u32).map(MemberId);
        let calculated = view.described.calculated(HierarchyId::MEASURES);
        for member in stored.chain(calculated) {
            let row = MeasureRow { view: view.clone(), member };
            if shown(ask, "MEASURE_VISIBILITY", row.texts().visible)? {
                rows.push(row);
            }
        }
    }
    Ok(rows_of(rows))
}

/// The measures.
#[rustfmt::skip]
pub static MDSCHEMA_MEASURES: RowsetDef<MeasureRow> = RowsetDef {
    name: "MDSCHEMA_MEASURES",
    guid: "C8B522DC-5CF3-11CE-ADE5-00AA0044773D",
    about: "Measures of the cubes, calculated ones too",
    dmv: true,
    audience: Audience::Everyone,
    rows: measures,
    order: &["CATALOG_NAME", "SCHEMA_NAME", "CUBE_NAME", "MEASURE_NAME"],
    extra: &[extra(6, "CUBE_SOURCE", UShort), extra(7, "MEASURE_VISIBILITY", UShort)],
    columns: &[
        restriction(0, "CATALOG_NAME", Str, |r| r.view.catalog.name.clone().into()),
        restriction(1, "SCHEMA_NAME", Str, |r| r.view.schema_name().into()),
        restriction(2, "CUBE_NAME", Str, |r| r.view.cube.name.clone().into()),
        restriction(3, "MEASURE_NAME", Str, |r| r.name().to_owned().into()),
        restriction(4, "MEASURE_UNIQUE_NAME", Str, |r| r.view.described.members.unique_name(HierarchyId::MEASURES, r.member).into()),
        column("MEASURE_CAPTION", Str, |r| r.caption().into()),
        column("MEASURE_GUID", Uuid, |_| Field::Null),
        column("MEASURE_AGGREGATOR", Int, |r| r.aggregator().into()),
        column("DATA_TYPE", UShort, |r| r.data_type().into()),
        column("NUMERIC_PRECISION", UShort, MeasureRow::precision),
        column("NUMERIC_SCALE", Short, |r| if r.member.is_calculated() { Field::Null } else { (-1i16).into() }),
        column("MEASURE_UNITS", Str, |_| Field::Null),
        column("DESCRIPTION", Str, |r| r.view.description(r.texts(), || format!("{} Member", r.name())).into()),
        column("EXPRESSION", Str, MeasureRow::expression),
        column("MEASURE_IS_VISIBLE", Bool, |r| r.texts().visible.into()),
        column("LEVELS_LIST", Str, |r| r.levels().into()),
        column("MEASURE_NAME_SQL_COLUMN_NAME", Str, |_| Field::Null),
        column("MEASURE_UNQUALIFIED_CAPTION", Str, |r| r.caption().into()),
        restriction(5, "MEASUREGROUP_NAME", Str, |r| r.group().into()),
        column("MEASURE_DISPLAY_FOLDER", Str, |r| r.texts().display_folder.clone().unwrap_or_default().into()),
        column("DEFAULT_FORMAT_STRING", Str, |r| r.format().into()),
        // Not of Analysis Services; Mondrian sends it.
        column("MEASURE_VISIBILITY", UShort, |r| if r.texts().visible { 1u16.into() } else { 2u16.into() }),
    ],
};
