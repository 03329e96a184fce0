//! Segments of deltas: a row for each changed leaf cell.

use super::cells::CellIndex;
use crate::column::{CodeColumn, CodesBuilder, NumberColumn, Numbers};
use crate::segment::{CodeMap, MeasureSource, Segment};
use crate::version::{GroupData, PlacedSegment};
use facetta_model::{Context, Result, bail};

/// Deltas of some measures for some leaf cells.
pub(crate) struct Deltas {
    /// Codes of a cell.
    pub(crate) width: usize,
    /// The codes of each cell, one after the other.
    pub(crate) codes: Vec<u32>,
    /// Measures with the delta of each cell; a cell without one has none.
    pub(crate) measures: Vec<(usize, Amounts)>,
}

/// A delta for each cell.
#[derive(Clone, Debug)]
pub(crate) enum Amounts {
    Units(Vec<Option<i64>>),
    Doubles(Vec<Option<f64>>),
}

impl Amounts {
    /// Makes it as long as there are cells; the new ones have no delta.
    pub(super) fn resize(&mut self, cells: usize) {
        match self {
            Amounts::Units(v) => v.resize(cells, None),
            Amounts::Doubles(v) => v.resize(cells, None),
        }
    }

    /// No amounts of the same type.
    pub(super) fn none(&self) -> Amounts {
        match self {
            Amounts::Units(_) => Amounts::Units(Vec::new()),
            Amounts::Doubles(_) => Amounts::Doubles(Vec::new()),
        }
    }

    /// Adds each of `more` to the cell whose position `to` says.
    pub(super) fn add(&mut self, more: &Amounts, to: &[usize]) -> Result<()> {
        match (self, more) {
            (Amounts::Units(sums), Amounts::Units(more)) => {
                for (&cell, amount) in to.iter().zip(more) {
                    let Some(amount) = amount else { continue };
                    let Some(sum) = sums[cell].unwrap_or(0).checked_add(*amount) else {
                        bail!(NotWritable, "the value is too large for a cell")
                    };
                    sums[cell] = Some(sum);
                }
            }
            (Amounts::Doubles(sums), Amounts::Doubles(more)) => {
                for (&cell, amount) in to.iter().zip(more) {
                    if let Some(amount) = amount {
                        sums[cell] = Some(sums[cell].unwrap_or(0.0) + amount);
                    }
                }
            }
            _ => bail!(Internal, "deltas of a measure differ in type"),
        }
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Amounts::Units(v) => v.len(),
            Amounts::Doubles(v) => v.len(),
        }
    }
}

/// The segment of some deltas, for a group whose codes they use.
pub(crate) fn segment(data: &GroupData, deltas: &Deltas) -> Result<PlacedSegment> {
    let Some(first) = data.segments.first() else { bail!(Internal, "a measure group has no segment") };
    let maps = first.maps.clone();
    let rows = deltas.codes.len() / deltas.width.max(1);
    let column = |(at, map): (usize, &CodeMap)| {
        let mut codes = CodesBuilder::new(map.len() + 1);
        codes.extend(deltas.codes.iter().skip(at).step_by(deltas.width).copied());
        CodeColumn::new(codes.take())
    };
    let mut segment = Segment {
        rows,
        paths: maps.iter().enumerate().map(column).collect(),
        numbers: Vec::new(),
        flags: Vec::new(),
        distincts: Vec::new(),
        measures: vec![MeasureSource::Absent; data.scales.len()],
        is_delta: true,
    };
    for (measure, amounts) in &deltas.measures {
        if amounts.len() != rows {
            bail!(Internal, "deltas of a measure differ in number from their cells");
        }
        segment.measures[*measure] = MeasureSource::Number(segment.numbers.len());
        segment.numbers.push(match (amounts, data.scales[*measure]) {
            (Amounts::Units(units), Some(scale)) => {
                let valid = units.iter().map(|u| u8::from(u.is_some())).collect();
                let units: Vec<i64> = units.iter().map(|u| u.unwrap_or(0)).collect();
                NumberColumn::new(Numbers::Scaled { units: units.into(), scale }, Some(valid))
            }
            (Amounts::Doubles(values), None) => {
                let valid = values.iter().map(|u| u8::from(u.is_some())).collect();
                let values: Vec<f64> = values.iter().map(|u| u.unwrap_or(0.0)).collect();
                NumberColumn::new(Numbers::Double(values.into()), Some(valid))
            }
            _ => bail!(Internal, "deltas of a measure have the wrong type"),
        });
    }
    Ok(PlacedSegment { segment: std::sync::Arc::new(segment), maps })
}

/// The deltas in a segment.
pub(crate) fn deltas(segment: &Segment) -> Deltas {
    let width = segment.paths.len();
    let codes = (0..segment.rows).flat_map(|row| segment.paths.iter().map(move |c| c.codes.get(row))).collect();
    let measures = segment.measures.iter().enumerate().filter_map(|(measure, source)| {
        let MeasureSource::Number(at) = source else { return None };
        let column = &segment.numbers[*at];
        let rows = 0..segment.rows;
        let amounts = match &column.numbers {
            Numbers::Scaled { units, .. } => {
                Amounts::Units(rows.map(|r| column.is_valid(r).then(|| units[r])).collect())
            }
            Numbers::Double(values) => Amounts::Doubles(rows.map(|r| column.is_valid(r).then(|| values[r])).collect()),
        };
        Some((measure, amounts))
    });
    Deltas { width, codes, measures: measures.collect() }
}

/// One segment with the sums of several.
pub(crate) fn merged(data: &GroupData, segments: &[PlacedSegment], context: &Context) -> Result<PlacedSegment> {
    let width = segments.first().map_or(0, |s| s.segment.paths.len());
    let mut cells = CellIndex::new(width);
    let mut sums: Vec<(usize, Amounts)> = Vec::new();
    let mut step = 0;
    for placed in segments {
        let more = deltas(&placed.segment);
        let mut to = Vec::with_capacity(placed.segment.rows);
        for codes in more.codes.chunks(more.width.max(1)) {
            context.check_every(&mut step)?;
            let cell = cells.find(codes).unwrap_or_else(|place| cells.add(place, codes));
            to.push(cell as usize);
        }
        for (measure, amounts) in more.measures {
            context.check()?;
            add(&mut sums, measure, &amounts, &to)?;
        }
    }
    let count = cells.codes.len() / width.max(1);
    sums.iter_mut().for_each(|(_, amounts)| amounts.resize(count));
    segment(data, &Deltas { width, codes: cells.codes, measures: sums })
}

/// Adds amounts to the cells at `to`.
fn add(sums: &mut Vec<(usize, Amounts)>, measure: usize, amounts: &Amounts, to: &[usize]) -> Result<()> {
    let at = sums.iter().position(|(m, _)| *m == measure).unwrap_or_else(|| {
        sums.push((measure, amounts.none()));
        sums.len() - 1
    });
    let cells = to.iter().max().map_or(0, |most| most + 1);
    let sums = &mut sums[at].1;
    sums.resize(sums.len().max(cells));
    sums.add(amounts, to)
}
