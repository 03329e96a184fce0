//! Segments whose codes are in an order of their own, and blocks that need not be read.

use crate::chain;
use crate::column::{BLOCK_ROWS, CodeColumn, CodesBuilder};
use crate::segment::{CodeMap, Segment};
use crate::snapshot::StoreSnapshot;
use crate::version::{GroupData, PlacedSegment, Version};
use arrow_array::{ArrayRef, Int32Array, StringArray};
use facetta_model::definition::{Aggregator, Definition, MeasureGroupDef, Place};
use facetta_model::{
    Context, Grain, LinkId, MeasureGroupId, MemberId, Path, Snapshot, SubcubeAxis, SubcubeFilter, SubcubeRequest,
    TupleFilter,
};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// The same rows with codes in a shuffled order, and the map that says what they stand for.
fn shuffled(placed: &PlacedSegment, dice: &mut chain::Dice) -> PlacedSegment {
    let segment = &placed.segment;
    let (mut paths, mut maps) = (Vec::new(), Vec::new());
    for (column, map) in segment.paths.iter().zip(placed.maps.iter()) {
        let mut order: Vec<u32> = (0..map.len() as u32).collect();
        (1..order.len()).rev().for_each(|i| order.swap(i, dice.roll(i + 1)));
        // `order[new]` is the old code; the last code stands for no member in either.
        let mut new_of = vec![map.len() as u32; map.len() + 1];
        order.iter().enumerate().for_each(|(new, &old)| new_of[old as usize] = new as u32);
        let mut codes = CodesBuilder::new(map.len() + 1);
        codes.extend((0..segment.rows).map(|row| new_of[column.codes.get(row) as usize]));
        paths.push(CodeColumn::new(codes.take()));
        maps.push(CodeMap::Listed(order.iter().map(|&old| map.member(old)).collect()));
    }
    let mut numbers = Vec::new();
    for column in &segment.numbers {
        let copied = match &column.numbers {
            crate::column::Numbers::Scaled { units, scale } => {
                crate::column::Numbers::Scaled { units: units.to_vec().into(), scale: *scale }
            }
            crate::column::Numbers::Double(values) => crate::column::Numbers::Double(values.to_vec().into()),
        };
        numbers.push(crate::column::NumberColumn::new(copied, column.valid.as_ref().map(|v| v.to_vec())));
    }
    let copy = Segment {
        rows: segment.rows,
        paths,
        numbers,
        flags: segment.flags.iter().map(|f| f.to_vec().into()).collect(),
        distincts: Vec::new(),
        measures: segment
            .measures
            .iter()
            .map(|m| match m {
                crate::segment::MeasureSource::Distinct(_) => crate::segment::MeasureSource::Absent,
                other => *other,
            })
            .collect(),
        is_delta: false,
    };
    PlacedSegment { segment: Arc::new(copy), maps: maps.into() }
}

#[test]
fn codes_may_be_in_any_order() {
    let version = chain::load(11, 3_000, 50).version();
    let mut dice = chain::Dice(1);
    let group = &version.groups[0];
    let segments = group.segments.iter().map(|s| shuffled(s, &mut dice)).collect();
    let other = Arc::new(Version {
        catalog: version.catalog.clone(),
        groups: vec![Arc::new(GroupData { segments, ..GroupData::clone(group) })],
        number: Version::next_number(),
        generation: Arc::default(),
    });
    let path = |link| Path { link: LinkId(link), hierarchy: 0 };
    let axis = |link, depth| SubcubeAxis { path: path(link), grain: Grain::Depth(depth) };
    for (axes, subtree) in [
        (vec![axis(0, 2), axis(1, 1)], None),
        (vec![axis(0, 3)], Some((1, 2))),
        (vec![axis(1, 2), axis(2, 1)], Some((0, 3))),
        (vec![SubcubeAxis { path: path(1), grain: Grain::Own }], Some((2, 1))),
    ] {
        let filters = subtree.map(|(link, member)| SubcubeFilter {
            path: path(link),
            subtrees: vec![MemberId(member)],
            own: vec![],
        });
        let tuples = vec![TupleFilter {
            paths: vec![path(0), path(2)],
            tuples: vec![MemberId(1), MemberId(1), MemberId(2), MemberId(0), MemberId(0), MemberId(2)],
        }];
        let request = SubcubeRequest {
            group: MeasureGroupId(0),
            measures: (0..11).collect(),
            axes,
            filters: filters.into_iter().collect(),
            tuples,
        };
        let ask = |version: &Arc<Version>| {
            let snapshot = StoreSnapshot { version: version.clone() };
            snapshot.subcube(&request, &Context::unlimited()).unwrap()
        };
        let (a, b) = (ask(&version), ask(&other));
        assert!(a.rows > 1);
        assert_eq!((a.keys, a.values), (b.keys, b.values), "{request:?}");
    }
}

#[test]
fn blocks_without_a_wanted_member_are_not_read() {
    let days = 100;
    let rows = 3 * BLOCK_ROWS;
    let text: ArrayRef = Arc::new((0..days).map(|d| Some(format!("D{d:02}"))).collect::<StringArray>());
    let ids: ArrayRef = Arc::new((0..days).collect::<Int32Array>());
    let day: ArrayRef = Arc::new((0..rows).map(|r| (r * days as usize / rows) as i32).collect::<Int32Array>());
    let mut definition = Definition { name: "Log".to_owned(), ..Definition::default() };
    let levels = vec![chain::level("Day", "day")];
    definition.dimensions.push(chain::dimension("Day", chain::table("days"), Some("id"), levels));
    definition.measure_groups.push(MeasureGroupDef {
        name: "Log".to_owned(),
        fact: chain::table("log"),
        measures: vec![chain::measure("Days", Aggregator::Sum, Some("day"))],
        links: vec![chain::link("Day", 0, Some("day"))],
        place: Place::default(),
    });
    chain::cube(&mut definition);
    let tables = vec![
        chain::memory_table("days", vec![("id", ids), ("day", text)]),
        chain::memory_table("log", vec![("day", day)]),
    ];
    let store = crate::Store::in_memory();
    let source = crate::Source::Memory(tables);
    let database = store.load("Log", &definition, &source, &Context::unlimited(), &|_| {}).unwrap();
    let mut bytes_a_row = Vec::new();
    // Member 0 is the all member. Day 0 is in the first block only, day 40 in the second, day 33 on the edge.
    for (member, blocks) in [(1, 1), (41, 1), (34, 2)] {
        let path = Path { link: LinkId(0), hierarchy: 0 };
        let filters = vec![SubcubeFilter { path, subtrees: vec![MemberId(member)], own: vec![] }];
        let request =
            SubcubeRequest { group: MeasureGroupId(0), measures: vec![0], axes: vec![], filters, tuples: vec![] };
        let context = Context::unlimited();
        let answer = database.snapshot().subcube(&request, &context).unwrap();
        let days = answer.values[0].value(0).as_f64().unwrap_or_default() as usize;
        assert_eq!(days, (member as usize - 1) * (0..rows).filter(|r| r * 100 / rows == member as usize - 1).count());
        let counters = context.counters();
        assert_eq!(counters.rows_read.load(Relaxed), (blocks * BLOCK_ROWS) as u64, "member {member}");
        bytes_a_row.push(counters.bytes_read.load(Relaxed) / counters.rows_read.load(Relaxed));
    }
    assert!(bytes_a_row.iter().all(|b| *b == bytes_a_row[0]), "what is left out is not counted: {bytes_a_row:?}");
}
