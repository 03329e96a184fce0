//! A small cube without storage, and cell sets over it: Measures (Sales, Units) and Product (All, Category, Name).

#![allow(clippy::unwrap_used, dead_code)]

use facetta_model::catalog::{Cube, CubeDimension, CubeHierarchy, Dimension, Hierarchy, Level, LevelProperty, Measure};
use facetta_model::definition::{Aggregator, DimensionKind, LevelKind, Texts};
use facetta_model::*;
use std::sync::Arc;

pub(crate) const MEASURES: HierarchyId = HierarchyId(0);
pub(crate) const PRODUCT: HierarchyId = HierarchyId(1);

fn level(name: &str, members: std::ops::Range<u32>) -> Level {
    let (texts, properties) = (Texts::default(), Vec::new());
    let kind = if members.start == 0 && members.end == 1 { LevelKind::All } else { LevelKind::Regular };
    Level { name: name.into(), texts, kind, unique: true, members, key_type: ColumnType::String, properties }
}

fn dimension(id: u32, name: &str, kind: DimensionKind, levels: Vec<Level>, members: MemberTable) -> Arc<Dimension> {
    let has_all = levels[0].kind == LevelKind::All;
    let (texts, default_member, parent_child) = (Texts::default(), MemberId(0), false);
    let hierarchy = Hierarchy { name: name.into(), texts, levels, has_all, default_member, parent_child, members };
    let hierarchies = vec![Arc::new(hierarchy)];
    Arc::new(Dimension { id: DimensionId(id), name: name.into(), texts: Texts::default(), kind, hierarchies })
}

fn table(names: impl Iterator<Item = String>, parents: Vec<MemberId>, levels: &[usize]) -> MemberTable {
    let names: Vec<String> = names.collect();
    let mut rest = names.as_slice();
    let keys = levels.iter().map(|&n| {
        let (own, further) = rest.split_at(n);
        rest = further;
        ValueColumn { data: ValueData::Str(own.iter().collect()), nulls: None }
    });
    let keys = keys.collect();
    MemberTable::new(MemberParts { names: names.iter().collect(), keys, parents, ..MemberParts::default() }).unwrap()
}

/// The members of a cube whose Product has `per_category` products in each of its two categories.
pub(crate) fn members(compatibility: Compatibility, per_category: usize) -> Arc<Members> {
    let measure_names = ["Sales", "Units"];
    let count = 3 + 2 * per_category;
    let of_measures = dimension(
        0,
        "Measures",
        DimensionKind::Measures,
        vec![Level { kind: LevelKind::Regular, ..level("MeasuresLevel", 0..2) }],
        table(measure_names.iter().map(|n| n.to_string()), vec![MemberId::NULL; 2], &[2]),
    );
    let top = ["All Products", "Drink", "Food & <Fun>"].map(String::from);
    let names = top.into_iter().chain((0..2 * per_category).map(|n| format!("P{n}")));
    let parents = [MemberId::NULL, MemberId(0), MemberId(0)].into_iter();
    let parents = parents.chain((0..2 * per_category).map(|n| MemberId(1 + (n / per_category) as u32))).collect();
    let mut leaf = level("Product Name", 3..count as u32);
    leaf.properties = vec![LevelProperty {
        name: "Shelf Depth".into(),
        texts: Texts::default(),
        data_type: ColumnType::Int,
        values: ValueColumn { data: ValueData::Int((0..2 * per_category as i64).collect()), nulls: None },
    }];
    let of_products = dimension(
        1,
        "Product",
        DimensionKind::Regular,
        vec![level("(All)", 0..1), level("Category", 1..3), leaf],
        table(names, parents, &[1, 2, 2 * per_category]),
    );
    let used = |position: u32, dimension: &Arc<Dimension>, unique_name: &str| {
        let (name, own) = (dimension.name.clone(), position..position + 1);
        let cube_dimension = CubeDimension {
            unique_name: format!("[{name}]"),
            name,
            texts: Texts::default(),
            dimension: dimension.clone(),
            hierarchies: own,
            links: vec![],
        };
        let hierarchy = dimension.hierarchies[0].clone();
        let unique_name = unique_name.to_owned();
        (cube_dimension, CubeHierarchy { dimension: position as usize, position: 0, unique_name, hierarchy })
    };
    let product_name = compatibility.hierarchy_unique_name("Product", "Product");
    let all = [used(0, &of_measures, "[Measures]"), used(1, &of_products, &product_name)];
    let (dimensions, hierarchies) = all.into_iter().unzip();
    let measure = |(n, name): (usize, &&str)| Measure {
        name: name.to_string(),
        texts: Texts::default(),
        format: None,
        group: 0,
        measure: n as u32,
        aggregator: Aggregator::Sum,
        data_type: ColumnType::Double,
        ordinal: None,
    };
    let cube = Cube {
        id: CubeId(0),
        name: "Sales".into(),
        texts: Texts::default(),
        compatibility,
        dimensions,
        hierarchies,
        measure_groups: vec![],
        measures: measure_names.iter().enumerate().map(measure).collect(),
        calculated_members: vec![],
        named_sets: vec![],
        kpis: vec![],
        is_virtual: false,
    };
    Arc::new(Members { catalog_name: "Test".into(), cube: Arc::new(cube), calculated: vec![] })
}

/// An axis over `hierarchies` with these tuples one after the other.
pub(crate) fn axis(members: &Members, hierarchies: &[HierarchyId], tuples: impl IntoIterator<Item = u32>) -> Axis {
    let one = |&id: &HierarchyId| AxisHierarchy {
        id,
        unique_name: members.cube.hierarchy(id).unique_name.clone(),
        properties: vec![],
    };
    let mut set = TupleSet::new(hierarchies);
    set.members = tuples.into_iter().map(MemberId).collect();
    Axis { hierarchies: hierarchies.iter().map(one).collect(), tuples: set.into(), properties_asked: false }
}

/// A cell set with VALUE, FORMATTED_VALUE and CELL_ORDINAL.
pub(crate) fn cell_set(members: &Arc<Members>, axes: Vec<Axis>, slicer: Axis, cells: CellSource) -> CellSet {
    CellSet {
        cube_name: "Sales".into(),
        last_data_update: "2022-03-22T01:45:31.21".parse().unwrap(),
        last_schema_update: "2022-03-21T00:00:00".parse().unwrap(),
        members: members.clone(),
        axes,
        slicer,
        cell_properties: vec![CellProperty::Value, CellProperty::FormattedValue, CellProperty::CellOrdinal],
        cells,
    }
}

/// A source of one block.
pub(crate) fn one_block(block: CellBlock) -> CellSource {
    let mut block = Some(block);
    Box::new(move |_| Ok(block.take()))
}
