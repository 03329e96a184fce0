//! The catalog of a definition and its stored members; the same for a fresh load and for a restart.

use super::{HierarchyData, at_place};
use crate::version::GroupData;
use facetta_model::catalog::{
    Catalog, Cube, CubeDimension, CubeHierarchy, Dimension, Hierarchy, Level, LevelProperty, Link, Measure,
    MeasureGroup, StoredMeasure,
};
use facetta_model::definition::{
    Aggregator, CubeDef, DataType, Definition, DimensionDef, DimensionKind, HierarchyDef, LevelKind, LinkDef,
    MeasureDef, MeasureGroupDef, Texts,
};
use facetta_model::{
    ColumnType, Compatibility, CubeId, DimensionId, LevelId, LinkId, MeasureGroupId, MemberId, MemberParts,
    MemberTable, Result, ValueColumn, ValueData, error, name,
};
use jiff::civil::DateTime;
use std::sync::Arc;

/// When a catalog last changed, UTC.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) schema: DateTime,
    pub(crate) data: DateTime,
}

/// Puts a catalog together.
pub(crate) fn assemble(
    catalog_name: &str,
    definition: &Definition,
    dimensions: Vec<Vec<HierarchyData>>,
    groups: &[Arc<GroupData>],
    times: Times,
) -> Result<Catalog> {
    let stored = dimensions.into_iter().zip(&definition.dimensions).enumerate();
    let dimensions: Vec<Arc<Dimension>> =
        stored.map(|(at, (data, def))| Arc::new(dimension(at, def, data, definition.compatibility))).collect();
    let measure_groups: Vec<Arc<MeasureGroup>> = definition
        .measure_groups
        .iter()
        .zip(groups)
        .enumerate()
        .map(|(at, (def, data))| Arc::new(measure_group(at, def, data, definition, &dimensions)))
        .collect();
    let cubes: Result<Vec<Arc<Cube>>> = definition
        .cubes
        .iter()
        .enumerate()
        .map(|(at, def)| {
            let built = cube(at, def, definition, &dimensions, &measure_groups);
            built.map(Arc::new).map_err(|e| at_place(&def.place, &e))
        })
        .collect();
    Ok(Catalog {
        global_definitions: Arc::default(),
        name: catalog_name.to_owned(),
        description: definition.texts.description.clone(),
        compatibility: definition.compatibility,
        dimensions,
        measure_groups,
        cubes: cubes?,
        roles: definition.roles.clone(),
        last_schema_update: times.schema,
        last_data_update: times.data,
    })
}

/// The same catalog with newer data.
pub(crate) fn with_data_update(catalog: &Catalog, time: DateTime) -> Catalog {
    Catalog { last_data_update: time, ..catalog.clone() }
}

fn dimension(at: usize, def: &DimensionDef, data: Vec<HierarchyData>, compatibility: Compatibility) -> Dimension {
    let hierarchies = data.into_iter().zip(&def.hierarchies);
    let hierarchies = hierarchies.map(|(data, def)| Arc::new(hierarchy(def, data, compatibility)));
    Dimension {
        id: DimensionId::from(at),
        name: def.name.clone(),
        texts: def.texts.clone(),
        kind: def.kind,
        hierarchies: hierarchies.collect(),
    }
}

fn hierarchy(def: &HierarchyDef, data: HierarchyData, compatibility: Compatibility) -> Hierarchy {
    let mut stored = data.levels.into_iter();
    let mut levels = Vec::new();
    if let Some(all) = &def.all
        && let Some(data) = stored.next()
    {
        levels.push(Level {
            name: all.level_name.clone().unwrap_or_else(|| "(All)".to_owned()),
            texts: Texts::default(),
            kind: LevelKind::All,
            unique: true,
            members: data.members,
            key_type: data.key_type,
            properties: Vec::new(),
        });
    }
    for (def, data) in def.levels.iter().zip(stored) {
        let properties = def.properties.iter().zip(data.properties).map(|(def, (data_type, values))| LevelProperty {
            name: def.name.clone(),
            texts: def.texts.clone(),
            data_type: match def.data_type {
                DataType::Numeric if compatibility.numeric_properties_are_doubles() => ColumnType::Double,
                _ => data_type,
            },
            values,
        });
        levels.push(Level {
            name: def.name.clone(),
            texts: def.texts.clone(),
            kind: def.kind,
            unique: def.unique,
            members: data.members,
            key_type: data.key_type,
            properties: properties.collect(),
        });
    }
    Hierarchy {
        name: def.name.clone(),
        texts: def.texts.clone(),
        levels,
        has_all: def.all.is_some(),
        default_member: data.default_member,
        parent_child: data.parent_child,
        members: data.members,
    }
}

fn measure_group(
    at: usize,
    def: &MeasureGroupDef,
    data: &GroupData,
    definition: &Definition,
    dimensions: &[Arc<Dimension>],
) -> MeasureGroup {
    let measures = def.measures.iter().zip(&data.scales).map(|(def, scale)| StoredMeasure {
        name: def.name.clone(),
        aggregator: def.aggregator,
        data_type: measure_type(def, *scale),
        writable: def.writable && def.aggregator == Aggregator::Sum,
    });
    let links = def.links.iter().map(|link| Link {
        dimension: DimensionId::from(link.dimension),
        levels: attached_levels(link, &definition.dimensions[link.dimension], &dimensions[link.dimension]),
    });
    MeasureGroup {
        id: MeasureGroupId::from(at),
        name: def.name.clone(),
        measures: measures.collect(),
        links: links.collect(),
        rows: data.rows,
    }
}

fn attached_levels(link: &LinkDef, def: &DimensionDef, dimension: &Dimension) -> Vec<Option<LevelId>> {
    let levels = def.hierarchies.iter().zip(&dimension.hierarchies).map(|(def, hierarchy)| match &link.level {
        None => Some(hierarchy.leaf_level()),
        Some(wanted) => {
            let at = def.levels.iter().position(|l| name::same(&l.name, wanted))?;
            Some(LevelId::from(at + usize::from(hierarchy.has_all)))
        }
    });
    levels.collect()
}

/// Counts are whole; other values are as asked for, else as the column has them.
fn measure_type(def: &MeasureDef, scale: Option<u8>) -> ColumnType {
    match (def.aggregator, def.data_type) {
        (Aggregator::Count | Aggregator::DistinctCount, _) => ColumnType::Int,
        (Aggregator::Avg, _) => ColumnType::Double,
        (_, Some(DataType::Integer)) => ColumnType::Int,
        (_, Some(DataType::Numeric)) => ColumnType::Double,
        _ if scale == Some(0) => ColumnType::Long,
        _ => ColumnType::Double,
    }
}

fn cube(
    at: usize,
    def: &CubeDef,
    definition: &Definition,
    physical: &[Arc<Dimension>],
    groups: &[Arc<MeasureGroup>],
) -> Result<Cube> {
    let compatibility = definition.compatibility;
    let measures: Result<Vec<Measure>> = def
        .measures
        .iter()
        .map(|m| {
            let group = def.measure_groups.get(m.group).and_then(|&g| groups.get(g));
            let stored = group.and_then(|g| g.measures.get(m.measure));
            let stored = stored.ok_or_else(|| error!(Definition, "the measure '{}' is not stored", m.name))?;
            Ok(Measure {
                name: m.name.clone(),
                texts: m.texts.clone(),
                format: m.format.clone(),
                group: m.group,
                measure: m.measure as u32,
                aggregator: stored.aggregator,
                data_type: stored.data_type.clone(),
                ordinal: m.ordinal,
            })
        })
        .collect();
    let measures = measures?;
    let texts = Texts { caption: definition.measures_caption.clone(), ..Texts::default() };
    let of_measures = measures_dimension(def, &measures, texts.clone())?;
    let uses = def.dimensions.iter().map(|d| {
        let links = d.links.iter().map(|l| l.map(LinkId::from)).collect();
        let dimension = physical.get(d.dimension).cloned();
        let dimension = dimension.ok_or_else(|| error!(Definition, "the dimension '{}' does not exist", d.name))?;
        Ok((d.name.clone(), d.texts.clone(), dimension, links))
    });
    let own = (String::from("Measures"), texts, of_measures, vec![None; def.measure_groups.len()]);
    let (mut dimensions, mut hierarchies) = (Vec::new(), Vec::new());
    for used in std::iter::once(Ok(own)).chain(uses) {
        let (used_name, texts, dimension, links): (String, Texts, Arc<Dimension>, Vec<Option<LinkId>>) = used?;
        let start = hierarchies.len() as u32;
        for (position, hierarchy) in dimension.hierarchies.iter().enumerate() {
            // A hierarchy that has the name of its dimension goes by the name of the use.
            let shown = if name::same(&hierarchy.name, &dimension.name) { &used_name } else { &hierarchy.name };
            hierarchies.push(CubeHierarchy {
                dimension: dimensions.len(),
                position: position as u32,
                unique_name: match dimension.kind {
                    DimensionKind::Measures => name::quote(&used_name),
                    _ => compatibility.hierarchy_unique_name(&used_name, shown),
                },
                hierarchy: hierarchy.clone(),
            });
        }
        let unique_name = name::quote(&used_name);
        let own = start..hierarchies.len() as u32;
        dimensions.push(CubeDimension { name: used_name, unique_name, texts, dimension, hierarchies: own, links });
    }
    Ok(Cube {
        id: CubeId::from(at),
        name: def.name.clone(),
        texts: def.texts.clone(),
        compatibility,
        dimensions,
        hierarchies,
        measure_groups: def.measure_groups.iter().copied().map(MeasureGroupId::from).collect(),
        measures,
        calculated_members: def.calculated_members.clone(),
        named_sets: def.named_sets.clone(),
        kpis: def.kpis.clone(),
        is_virtual: def.is_virtual,
    })
}

/// The dimension of a cube's measures: one hierarchy, one level, a member for each measure.
fn measures_dimension(def: &CubeDef, measures: &[Measure], texts: Texts) -> Result<Arc<Dimension>> {
    let names = || measures.iter().map(|m| m.name.as_str());
    let captions = measures.iter().map(|m| m.texts.caption.as_deref().unwrap_or(&m.name)).collect();
    let members = MemberTable::new(MemberParts {
        names: names().collect(),
        captions: measures.iter().any(|m| m.texts.caption.is_some()).then_some(captions),
        keys: vec![ValueColumn { data: ValueData::Str(names().collect()), nulls: None }],
        parents: vec![MemberId::NULL; measures.len()],
        hidden: None,
    })?;
    // The default may be a calculated measure, which the query crate finds.
    let default = def.default_measure.as_ref().and_then(|d| names().position(|n| name::same(n, d)));
    let level = Level {
        name: "MeasuresLevel".to_owned(),
        texts: Texts::default(),
        kind: LevelKind::Regular,
        unique: true,
        members: 0..measures.len() as u32,
        key_type: ColumnType::String,
        properties: Vec::new(),
    };
    let hierarchy = Hierarchy {
        name: "Measures".to_owned(),
        texts: texts.clone(),
        levels: vec![level],
        has_all: false,
        default_member: if measures.is_empty() { MemberId::NULL } else { MemberId::from(default.unwrap_or(0)) },
        parent_child: false,
        members,
    };
    Ok(Arc::new(Dimension {
        id: DimensionId(u32::MAX),
        name: "Measures".to_owned(),
        texts,
        kind: DimensionKind::Measures,
        hierarchies: vec![Arc::new(hierarchy)],
    }))
}
