//! A small catalog with every shape of hierarchy and measure, over random rows.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses a part of it, and may panic")]

use arrow_array::{ArrayRef, Decimal128Array, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray};
use facetta_engine::{Database, MemoryTable, Source, Store};
use facetta_model::definition::{
    Aggregator, AllDef, ColumnRef, CubeDef, CubeDimensionDef, CubeMeasureDef, DataType, Definition, DimensionDef,
    DimensionKind, Expression, HideMemberIf, HierarchyDef, LevelDef, LevelKind, LinkDef, MeasureDef, MeasureGroupDef,
    ParentDef, Place, Relation, Texts,
};
use facetta_model::{Compatibility, Context};
use std::sync::Arc;

/// Numbers that look random and are the same for the same seed.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((x ^ (x >> 31)) % sides.max(1) as u64) as usize
    }

    /// True once in `times`.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.roll(times) == 0
    }
}

pub(crate) fn level(name: &str, column: &str) -> LevelDef {
    LevelDef {
        name: name.to_owned(),
        texts: Texts::default(),
        kind: LevelKind::Regular,
        key: Expression::column(column),
        key_type: DataType::String,
        unique: false,
        name_expression: None,
        caption_expression: None,
        ordinal: None,
        parent: None,
        hide_if: HideMemberIf::Never,
        properties: vec![],
        place: Place::default(),
    }
}

pub(crate) fn table(name: &str) -> Relation {
    Relation::Table { name: name.to_owned(), alias: name.to_owned(), filter: None }
}

pub(crate) fn dimension(name: &str, relation: Relation, key: Option<&str>, levels: Vec<LevelDef>) -> DimensionDef {
    DimensionDef {
        name: name.to_owned(),
        texts: Texts::default(),
        kind: DimensionKind::Regular,
        hierarchies: vec![HierarchyDef {
            name: name.to_owned(),
            texts: Texts::default(),
            all: Some(AllDef::default()),
            default_member: None,
            relation,
            primary_key: key.map(|k| ColumnRef { table: None, column: k.to_owned() }),
            levels,
            place: Place::default(),
        }],
        place: Place::default(),
    }
}

pub(crate) fn measure(name: &str, aggregator: Aggregator, column: Option<&str>) -> MeasureDef {
    MeasureDef {
        name: name.to_owned(),
        aggregator,
        value: column.map(Expression::column),
        data_type: None,
        writable: true,
        place: Place::default(),
    }
}

pub(crate) fn link(name: &str, dimension: usize, key: Option<&str>) -> LinkDef {
    LinkDef {
        name: name.to_owned(),
        dimension,
        foreign_key: key.map(Expression::column),
        level: None,
        place: Place::default(),
    }
}

/// One cube over all measure groups of `definition`.
pub(crate) fn cube(definition: &mut Definition) {
    let groups = definition.measure_groups.len();
    let mut cube = CubeDef { name: "Chain".to_owned(), ..CubeDef::default() };
    cube.measure_groups = (0..groups).collect();
    for (at, dimension) in definition.dimensions.iter().enumerate() {
        let links = definition.measure_groups.iter().map(|g| g.links.iter().position(|l| l.dimension == at));
        cube.dimensions.push(CubeDimensionDef {
            name: dimension.name.clone(),
            texts: Texts::default(),
            dimension: at,
            links: links.collect(),
        });
    }
    for (group, def) in definition.measure_groups.iter().enumerate() {
        for (measure, stored) in def.measures.iter().enumerate() {
            cube.measures.push(CubeMeasureDef {
                name: stored.name.clone(),
                texts: Texts::default(),
                format: None,
                group,
                measure,
                ordinal: None,
            });
        }
    }
    definition.cubes.push(cube);
}

/// Sales by place (ragged), staff (parent-child), and an attribute of the fact itself.
pub(crate) fn definition() -> Definition {
    let mut state = level("State", "state");
    state.hide_if = HideMemberIf::ParentsName;
    let mut city = level("City", "city");
    city.hide_if = HideMemberIf::BlankName;
    let place = dimension("Place", table("place"), Some("place_id"), vec![level("Country", "country"), state, city]);
    let mut person = level("Person", "staff_id");
    person.key_type = DataType::Numeric;
    person.name_expression = Some(Expression::column("staff_name"));
    person.parent =
        Some(ParentDef { key: Expression::column("boss_id"), null_value: Some("0".to_owned()), closure: None });
    let staff = dimension("Staff", table("staff"), Some("staff_id"), vec![person]);
    let kind = dimension("Kind", Relation::Fact, None, vec![level("Kind", "kind")]);
    let measures = vec![
        measure("Units", Aggregator::Sum, Some("units")),
        measure("Money", Aggregator::Sum, Some("money")),
        measure("Weight", Aggregator::Sum, Some("weight")),
        measure("Rows", Aggregator::Count, None),
        measure("Weighed", Aggregator::Count, Some("weight")),
        measure("Least", Aggregator::Min, Some("money")),
        measure("Most", Aggregator::Max, Some("money")),
        measure("Lightest", Aggregator::Min, Some("weight")),
        measure("Heaviest", Aggregator::Max, Some("weight")),
        measure("Average", Aggregator::Avg, Some("money")),
        measure("Average Weight", Aggregator::Avg, Some("weight")),
        measure("Buyers", Aggregator::DistinctCount, Some("buyer")),
    ];
    let group = MeasureGroupDef {
        name: "Sales".to_owned(),
        fact: table("sales"),
        measures,
        links: vec![link("Place", 0, Some("place_id")), link("Staff", 1, Some("staff_id")), link("Kind", 2, None)],
        place: Place::default(),
    };
    let mut definition = Definition {
        name: "Chain".to_owned(),
        compatibility: Compatibility::Mondrian,
        dimensions: vec![place, staff, kind],
        measure_groups: vec![group],
        ..Definition::default()
    };
    cube(&mut definition);
    definition
}

/// A table of one batch.
pub(crate) fn memory_table(name: &str, columns: Vec<(&str, ArrayRef)>) -> MemoryTable {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).unwrap();
    MemoryTable {
        name: name.to_owned(),
        schema: batch.schema(),
        batches: Box::new(move || Box::new(std::iter::once(Ok(batch.clone())))),
        fingerprint: String::new(),
    }
}

/// Tables for [`definition`] with so many fact rows. `buyers`: how many different values are counted.
pub(crate) fn source(seed: u64, rows: usize, buyers: usize) -> Source {
    let mut dice = Dice(seed);
    let places = 40;
    let text = |values: Vec<Option<String>>| Arc::new(StringArray::from(values)) as ArrayRef;
    let ids = |n: usize| Arc::new((1..=n as i32).collect::<Int32Array>()) as ArrayRef;
    let (mut countries, mut states, mut cities) = (vec![], vec![], vec![]);
    for _ in 0..places {
        let country = dice.roll(4);
        let state = dice.roll(3);
        countries.push(Some(format!("C{country}")));
        states.push(Some(if state == 0 { format!("C{country}") } else { format!("S{state}") }));
        cities.push((!dice.once_in(5)).then(|| format!("T{}", dice.roll(6))));
    }
    let place = memory_table(
        "place",
        vec![("place_id", ids(places)), ("country", text(countries)), ("state", text(states)), ("city", text(cities))],
    );
    let people = 30;
    // A boss has a smaller number; some have none, some one who does not exist.
    let bosses: Vec<Option<i32>> = (1..=people as i32)
        .map(|n| match dice.roll(8) {
            0 => None,
            1 => Some(999),
            _ => Some(dice.roll(n as usize) as i32),
        })
        .collect();
    let names = (1..=people).map(|n| Some(format!("P{n}"))).collect();
    let staff = memory_table(
        "staff",
        vec![("staff_id", ids(people)), ("staff_name", text(names)), ("boss_id", Arc::new(Int32Array::from(bosses)))],
    );
    let mut some = |most: usize, null: usize| -> Vec<Option<i64>> {
        (0..rows).map(|_| (!dice.once_in(null)).then(|| dice.roll(most) as i64 + 1)).collect()
    };
    let int = |v: Vec<Option<i64>>| Arc::new(Int64Array::from(v)) as ArrayRef;
    // Sorted by place, so that blocks can be skipped; a few places do not exist.
    let mut at_place = some(places + 2, 50);
    at_place.sort();
    let weights = some(100, 10).into_iter().map(|w| w.map(|w| w as f64 / 4.0)).collect::<Vec<_>>();
    let money: Vec<Option<i128>> = some(100_000, 7).into_iter().map(|m| m.map(|m| i128::from(m) - 50_000)).collect();
    let kinds = some(5, 20).into_iter().map(|k| k.map(|k| format!("K{k}"))).collect();
    let sales = memory_table(
        "sales",
        vec![
            ("place_id", int(at_place)),
            ("staff_id", int(some(people, 30))),
            ("kind", text(kinds)),
            ("units", int(some(9, usize::MAX))),
            ("money", Arc::new(Decimal128Array::from(money).with_precision_and_scale(12, 2).unwrap())),
            ("weight", Arc::new(Float64Array::from(weights))),
            ("buyer", int(some(buyers, 9))),
        ],
    );
    Source::Memory(vec![place, staff, sales])
}

/// The catalog, loaded into memory.
pub(crate) fn load(seed: u64, rows: usize, buyers: usize) -> Arc<Database> {
    let store = Store::in_memory();
    let loaded = store.load("Chain", &definition(), &source(seed, rows, buyers), &Context::unlimited(), &|_| {});
    loaded.unwrap_or_else(|e| panic!("{e}"))
}
