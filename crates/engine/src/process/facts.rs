//! Fact rows to segments: foreign keys to codes of members, measures to number columns, batch by batch.

use super::bind::{BoundGroup, Way, located};
use super::dictionary::{Dictionary, NONE};
use super::expression::Frame;
use super::members::value_column;
use super::paths::PathCoder;
use super::vector::{Data, Type, Vector};
use super::{HierarchyData, Progress};
use crate::buffer::Buffer;
use crate::column::{CodeColumn, Codes, CodesBuilder, DistinctColumn, NumberColumn, Numbers};
use crate::segment::{CodeMap, MeasureSource, SEGMENT_ROWS, Segment};
use crate::version::{GroupData, PlacedSegment};
use facetta_model::definition::{Aggregator, Expression, MeasureGroupDef};
use facetta_model::{Context, Result, ValueColumn, bail, error};
use rayon::prelude::*;
use std::sync::Arc;

/// What fact rows look their members up in.
pub(crate) struct HierarchyIndex {
    pub(crate) data: HierarchyData,
    /// Members by the primary key of their table.
    pub(crate) primary_key: Option<KeyIndex>,
    /// For a hierarchy in the fact table: paths of keys, and the leaf member of each.
    pub(crate) degenerate: Option<(PathCoder, Vec<u32>)>,
}

/// Members by a key.
pub(crate) struct KeyIndex {
    pub(crate) keys: Dictionary,
    /// The member of each key; [`NONE`] for none.
    pub(crate) members: Vec<u32>,
}

impl KeyIndex {
    /// Of a key column and the member of each of its rows. A key may stand in several rows if they have one member.
    pub(crate) fn new(key: &Vector, members: &[u32], context: &Context) -> Result<KeyIndex> {
        let mut keys = Dictionary::new(key.ty());
        let numbers = keys.encode(key, context)?;
        keys.freeze();
        let mut of_keys = vec![None; keys.len()];
        for (row, (&number, &member)) in numbers.iter().zip(members).enumerate() {
            if number == NONE {
                continue;
            }
            let known = of_keys[number as usize].get_or_insert(member);
            if *known != member {
                bail!(Definition, "the primary key '{}' stands in rows of two members", key.text(row));
            }
        }
        Ok(KeyIndex { keys, members: of_keys.into_iter().map(|m| m.unwrap_or(NONE)).collect() })
    }
}

/// A finished segment, stored where the store wants it.
pub(crate) type Sink<'a> = dyn FnMut(Segment) -> Result<Arc<Segment>> + 'a;

/// Loads the fact rows of a measure group.
pub(crate) fn load(
    bound: &BoundGroup<'_>,
    group: &MeasureGroupDef,
    indexes: &mut [Vec<HierarchyIndex>],
    sink: &mut Sink<'_>,
    (context, progress): (&Context, &Progress<'_>),
) -> Result<GroupData> {
    let mut loader = Loader::new(bound, group, indexes, context)?;
    let mut segments = Vec::new();
    let total = bound.relation.rows(context);
    let mut charge = context.charge("Process", 0)?;
    let maps: Arc<[CodeMap]> = loader.paths.iter().map(|p| CodeMap::Range(p.members.clone())).collect();
    let mut rows = 0;
    for frame in bound.relation.frames(context)? {
        let frame = frame.map_err(|e| located(&group.place, &e))?;
        context.check()?;
        loader.add(&frame, indexes, context)?;
        rows += frame.rows as u64;
        charge.resize(loader.bytes())?;
        progress(&super::Step { stage: &group.name, rows, total });
        if loader.rows >= SEGMENT_ROWS {
            segments.push(PlacedSegment { segment: sink(loader.take())?, maps: maps.clone() });
        }
    }
    if loader.rows > 0 || segments.is_empty() {
        segments.push(PlacedSegment { segment: sink(loader.take())?, maps: maps.clone() });
    }
    loader.warn(&group.name);
    let path_columns = loader.path_columns(bound);
    let link_names = group.links.iter().map(|l| l.name.clone()).collect();
    Ok(GroupData {
        path_columns,
        link_names,
        segments,
        scales: loader.scales(),
        distinct_values: loader.distinct_values().into(),
        rows,
    })
}

/// The columns of the segment that grows.
struct Loader<'a> {
    group: &'a MeasureGroupDef,
    bound: &'a BoundGroup<'a>,
    paths: Vec<PathBuilder<'a>>,
    values: Vec<ValueBuilder>,
    measures: Vec<MeasureSource>,
    rows: usize,
}

struct PathBuilder<'a> {
    link: usize,
    hierarchy: usize,
    dimension: usize,
    way: &'a Way,
    members: std::ops::Range<u32>,
    /// For [`Way::LevelKey`].
    level: Option<KeyIndex>,
    codes: CodesBuilder,
    without_member: u64,
}

/// A column that one or more measures read.
enum ValueBuilder {
    Flags { measure: usize, flags: Vec<u8> },
    Units { measure: usize, scale: u8, units: Vec<i64>, valid: Vec<u8> },
    Doubles { measure: usize, values: Vec<f64>, valid: Vec<u8> },
    Distinct { measure: usize, keys: Dictionary, values: Vector, codes: Vec<u32> },
}

impl<'a> Loader<'a> {
    fn new(
        bound: &'a BoundGroup<'a>,
        group: &'a MeasureGroupDef,
        indexes: &[Vec<HierarchyIndex>],
        context: &Context,
    ) -> Result<Loader<'a>> {
        let mut paths = Vec::new();
        for (link, ways) in bound.ways.iter().enumerate() {
            let dimension = group.links[link].dimension;
            for (hierarchy, way) in ways.iter().enumerate() {
                let index = &indexes[dimension][hierarchy];
                let all = index.data.levels.len() - index.data.defined_levels;
                let (at, level) = match way {
                    Way::Unreachable => continue,
                    Way::LevelKey(_, level) => {
                        let key = level_index(&index.data, all + level, context);
                        (all + level, Some(key.map_err(|e| located(&group.links[link].place, &e))?))
                    }
                    Way::PrimaryKey(_) | Way::Degenerate(_) => (index.data.levels.len() - 1, None),
                };
                let members = index.data.levels[at].members.clone();
                let codes = CodesBuilder::new(members.len() + 1);
                paths.push(PathBuilder { link, hierarchy, dimension, way, members, level, codes, without_member: 0 });
            }
        }
        let (measures, values) = value_builders(bound, group);
        Ok(Loader { group, bound, paths, values, measures, rows: 0 })
    }

    fn add(&mut self, frame: &Frame, indexes: &mut [Vec<HierarchyIndex>], context: &Context) -> Result<()> {
        let (group, bound) = (self.group, self.bound);
        for path in self.paths.iter_mut().filter(|p| matches!(p.way, Way::Degenerate(_))) {
            let index = &mut indexes[path.dimension][path.hierarchy];
            path.add_degenerate(frame, index, context)?;
        }
        let indexes: &[Vec<HierarchyIndex>] = indexes;
        let (paths, values) = (&mut self.paths, &mut self.values);
        let (added, counted) = rayon::join(
            || {
                paths.par_iter_mut().try_for_each(|path| {
                    let added = path.add_key(frame, &indexes[path.dimension][path.hierarchy], context);
                    added.map_err(|e| located(&group.links[path.link].place, &e))
                })
            },
            || {
                values.par_iter_mut().try_for_each(|value| {
                    let place = &group.measures[value.measure()].place;
                    let Some((expression, _)) = &bound.measures[value.measure()] else { return Ok(()) };
                    let vector = expression.evaluate(frame).map_err(|e| located(place, &e))?;
                    value.add(&vector, context).map_err(|e| located(place, &e))
                })
            },
        );
        added.and(counted)?;
        self.rows += frame.rows;
        Ok(())
    }

    fn bytes(&self) -> usize {
        let paths: usize = self.paths.iter().map(|p| Codes::width_for(p.members.len() + 1)).sum();
        self.rows * (paths + self.values.len() * 9)
    }

    fn take(&mut self) -> Segment {
        let mut segment = Segment {
            rows: std::mem::take(&mut self.rows),
            paths: self.paths.iter_mut().map(|p| CodeColumn::new(p.codes.take())).collect(),
            numbers: Vec::new(),
            flags: Vec::new(),
            distincts: Vec::new(),
            measures: Vec::new(),
            is_delta: false,
        };
        let sources: Vec<MeasureSource> = self.values.iter_mut().map(|v| v.take(&mut segment)).collect();
        let source = |m: &MeasureSource| match m {
            // In the builder a number is the position among the value columns.
            MeasureSource::Number(at) => sources[*at],
            other => *other,
        };
        segment.measures = self.measures.iter().map(source).collect();
        segment
    }

    fn path_columns(&self, bound: &BoundGroup<'_>) -> Vec<Vec<Option<usize>>> {
        let mut columns: Vec<Vec<Option<usize>>> = bound.ways.iter().map(|ways| vec![None; ways.len()]).collect();
        self.paths.iter().enumerate().for_each(|(at, path)| columns[path.link][path.hierarchy] = Some(at));
        columns
    }

    fn scales(&self) -> Vec<Option<u8>> {
        let scale = |m: &MeasureSource| match m {
            MeasureSource::Number(at) => match &self.values[*at] {
                ValueBuilder::Units { scale, .. } => Some(*scale),
                ValueBuilder::Doubles { .. } => None,
                ValueBuilder::Flags { .. } | ValueBuilder::Distinct { .. } => Some(0),
            },
            _ => Some(0),
        };
        self.measures.iter().map(scale).collect()
    }

    fn distinct_values(&self) -> Vec<ValueColumn> {
        let values = self.values.iter().filter_map(|v| match v {
            ValueBuilder::Distinct { values, .. } => Some(value_column(values)),
            _ => None,
        });
        values.collect()
    }

    fn warn(&self, group: &str) {
        for path in self.paths.iter().filter(|p| p.without_member > 0) {
            let (link, rows) = (&self.group.links[path.link].name, path.without_member);
            tracing::warn!(group, %link, rows, "fact rows without a member: they count for totals only");
        }
    }
}

impl PathBuilder<'_> {
    fn add_key(&mut self, frame: &Frame, index: &HierarchyIndex, context: &Context) -> Result<()> {
        let (key, index) = match (self.way, &self.level) {
            (Way::PrimaryKey(key), _) => (key, index.primary_key.as_ref()),
            (Way::LevelKey(key, _), level) => (key, level.as_ref()),
            (Way::Degenerate(_) | Way::Unreachable, _) => return Ok(()),
        };
        let Some(index) = index else { bail!(Internal, "a hierarchy has no index for its key") };
        let numbers = index.keys.find(key.evaluate(frame)?.as_ref(), context)?;
        let members: Vec<u32> =
            numbers.iter().map(|&n| if n == NONE { NONE } else { index.members[n as usize] }).collect();
        self.push(members.into_iter());
        Ok(())
    }

    fn add_degenerate(&mut self, frame: &Frame, index: &mut HierarchyIndex, context: &Context) -> Result<()> {
        let (Way::Degenerate(levels), Some((coder, leaves))) = (self.way, &mut index.degenerate) else { return Ok(()) };
        let keys: Result<Vec<_>> = levels.iter().map(|l| l.key.evaluate(frame)).collect();
        let keys = keys?;
        let vectors: Vec<&Vector> = keys.iter().map(AsRef::as_ref).collect();
        let paths = coder.encode(&vectors, context)?.pop().unwrap_or_default();
        if paths.iter().any(|&p| p as usize >= leaves.len()) {
            bail!(Io, "the fact table changed while it was read");
        }
        self.push(paths.iter().map(|&p| leaves[p as usize]));
        Ok(())
    }

    fn push(&mut self, members: impl Iterator<Item = u32>) {
        let (first, none) = (self.members.start, self.members.len() as u32);
        let without = &mut self.without_member;
        self.codes.extend(members.map(|m| {
            *without += u64::from(m == NONE);
            if m == NONE { none } else { m - first }
        }));
    }
}

/// The members of a level by key; a key that stands under several parents cannot be pointed to.
pub(crate) fn level_index(data: &HierarchyData, level: usize, context: &Context) -> Result<KeyIndex> {
    let keys = vector_of(&data.members.keys()[level]);
    let members: Vec<u32> = data.levels[level].members.clone().collect();
    KeyIndex::new(&keys, &members, context)
        .map_err(|e| error!(Definition, "facts cannot attach here, since keys are not unique: {}", e.message()))
}

fn vector_of(column: &ValueColumn) -> Vector {
    use facetta_model::ValueData;
    let data = match &column.data {
        ValueData::Int(v) => Data::Int(v.clone()),
        ValueData::Double(v) => Data::Double(v.clone()),
        ValueData::Boolean(v) => Data::Boolean(v.clone()),
        ValueData::Date(v) => {
            Data::Date { micros: v.iter().map(|&d| super::vector::from_civil(d)).collect(), days: false }
        }
        ValueData::Str(v) => Data::Text(v.clone()),
    };
    Vector::new(data, column.nulls.clone())
}

/// For each measure its source (a number being the position of a builder), and the builders; equal columns are shared.
fn value_builders(bound: &BoundGroup<'_>, group: &MeasureGroupDef) -> (Vec<MeasureSource>, Vec<ValueBuilder>) {
    #[derive(PartialEq)]
    enum Kind {
        Flags,
        Numbers,
        Distinct,
    }
    let mut builders: Vec<ValueBuilder> = Vec::new();
    let mut made: Vec<(Kind, &Expression)> = Vec::new();
    let mut sources = Vec::new();
    for (measure, (def, bound)) in group.measures.iter().zip(&bound.measures).enumerate() {
        let (Some(expression), Some((_, ty))) = (&def.value, bound) else {
            sources.push(MeasureSource::Rows);
            continue;
        };
        let kind = match def.aggregator {
            Aggregator::Count => Kind::Flags,
            Aggregator::DistinctCount => Kind::Distinct,
            Aggregator::Sum | Aggregator::Min | Aggregator::Max | Aggregator::Avg => Kind::Numbers,
        };
        if let Some(at) = made.iter().position(|(k, e)| *k == kind && *e == expression) {
            sources.push(MeasureSource::Number(at));
            continue;
        }
        sources.push(MeasureSource::Number(builders.len()));
        builders.push(match (&kind, ty) {
            (Kind::Flags, _) => ValueBuilder::Flags { measure, flags: Vec::new() },
            (Kind::Distinct, ty) => ValueBuilder::Distinct {
                measure,
                keys: Dictionary::new(*ty),
                values: Vector::empty(*ty),
                codes: Vec::new(),
            },
            (Kind::Numbers, Type::Double) => ValueBuilder::Doubles { measure, values: Vec::new(), valid: Vec::new() },
            (Kind::Numbers, ty) => {
                let scale = if let Type::Decimal(scale) = ty { *scale } else { 0 };
                ValueBuilder::Units { measure, scale, units: Vec::new(), valid: Vec::new() }
            }
        });
        made.push((kind, expression));
    }
    (sources, builders)
}

impl ValueBuilder {
    /// The first measure that reads it.
    fn measure(&self) -> usize {
        match self {
            ValueBuilder::Flags { measure, .. }
            | ValueBuilder::Units { measure, .. }
            | ValueBuilder::Doubles { measure, .. }
            | ValueBuilder::Distinct { measure, .. } => *measure,
        }
    }

    fn add(&mut self, vector: &Vector, context: &Context) -> Result<()> {
        context.check()?;
        let is_valid = (0..vector.len()).map(|i| u8::from(!vector.is_null(i)));
        match self {
            ValueBuilder::Flags { flags, .. } => flags.extend(is_valid),
            ValueBuilder::Units { units, valid, scale, .. } => {
                valid.extend(is_valid);
                push_units(units, vector, *scale)?;
            }
            ValueBuilder::Doubles { values, valid, .. } => {
                valid.extend(is_valid);
                let doubles = super::expression::doubles(vector);
                let each = doubles.iter().enumerate();
                values.extend(each.map(|(i, &d)| if vector.is_null(i) { 0.0 } else { d }));
            }
            ValueBuilder::Distinct { keys, values, codes, .. } => {
                let mut next = keys.len() as u32;
                let numbers = keys.encode(vector, context)?;
                let mut first = Vec::new();
                for (row, &number) in numbers.iter().enumerate() {
                    if number == next {
                        first.push(row as u32);
                        next += 1;
                    }
                }
                values.append(&vector.take(&first))?;
                codes.extend(numbers);
            }
        }
        Ok(())
    }

    /// Moves what was added into `segment`, and says where it is there.
    fn take(&mut self, segment: &mut Segment) -> MeasureSource {
        let numbers = match self {
            ValueBuilder::Flags { flags, .. } => {
                let flags = std::mem::take(flags);
                if !flags.contains(&0) {
                    return MeasureSource::Rows;
                }
                segment.flags.push(Buffer::from(flags));
                return MeasureSource::Flag(segment.flags.len() - 1);
            }
            ValueBuilder::Distinct { keys, codes, .. } => {
                let null = keys.len() as u32;
                let space = keys.len() + 1;
                let mut narrow = CodesBuilder::new(space);
                narrow.extend(std::mem::take(codes).into_iter().map(|c| c.min(null)));
                segment.distincts.push(DistinctColumn { codes: narrow.take(), space });
                return MeasureSource::Distinct(segment.distincts.len() - 1);
            }
            ValueBuilder::Units { units, valid, scale, .. } => {
                let numbers = Numbers::Scaled { units: std::mem::take(units).into(), scale: *scale };
                NumberColumn::new(numbers, Some(std::mem::take(valid)))
            }
            ValueBuilder::Doubles { values, valid, .. } => {
                NumberColumn::new(Numbers::Double(std::mem::take(values).into()), Some(std::mem::take(valid)))
            }
        };
        segment.numbers.push(numbers);
        MeasureSource::Number(segment.numbers.len() - 1)
    }
}

/// Appends exact numbers, nulls as 0.
fn push_units(units: &mut Vec<i64>, vector: &Vector, scale: u8) -> Result<()> {
    match &vector.data {
        Data::Int(v) if vector.nulls.is_none() => units.extend_from_slice(v),
        Data::Int(v) => units.extend(v.iter().enumerate().map(|(i, &n)| if vector.is_null(i) { 0 } else { n })),
        Data::Boolean(v) => units.extend(v.iter().enumerate().map(|(i, &b)| i64::from(b && !vector.is_null(i)))),
        Data::Decimal { units: wide, scale: own } if *own == scale => {
            for (i, &unit) in wide.iter().enumerate() {
                let unit = if vector.is_null(i) { 0 } else { unit };
                let narrow = i64::try_from(unit).ok();
                units.push(narrow.ok_or_else(|| error!(Definition, "the value {} is too large", vector.text(i)))?);
            }
        }
        Data::Null(count) => units.resize(units.len() + count, 0),
        _ => bail!(Definition, "a measure changes its type to {}", vector.ty().name()),
    }
    Ok(())
}
