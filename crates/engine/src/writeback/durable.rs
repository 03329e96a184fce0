//! Commits as they are kept on disk: deltas by the names of their measure group and the keys of their leaf members, definitions
//! as text.

use super::definitions::{self, DefinitionChange};
use super::delta::{Amounts, Deltas, deltas, segment};
use super::{allocate, cells};
use crate::codec::{Reader, Writer};
use crate::plan::Conditions;
use crate::segment::CodeMap;
use crate::version::{PlacedSegment, Version};
use facetta_model::catalog::Hierarchy;
use facetta_model::{Context, Error, MeasureGroupId, MemberId, Result, bail, name};
use jiff::civil::DateTime;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// The first byte of a frame: a commit. It changes when frames of an older program must be read in another way.
const COMMIT: u8 = 3;
/// That of commits which hold cells only.
const CELLS_ONLY: u8 = 1;
/// That of commits which have no name.
const NAMELESS: u8 = 2;
/// That of a frame which says the same as some commits, with one delta for each cell and measure.
pub(super) const MERGED: u8 = 4;

/// The key of a null.
const NULL_KEY: &str = "\u{0}null";

/// Writes and reads frames of commits.
pub(crate) struct Keeper;

/// The deltas of one measure group in a commit.
pub(crate) struct GroupChange<'a> {
    pub(crate) group: usize,
    pub(crate) segment: &'a PlacedSegment,
}

/// What a commit changes of one catalog.
pub(crate) struct Change<'a> {
    pub(crate) catalog: &'a str,
    pub(crate) version: &'a Version,
    pub(crate) groups: Vec<GroupChange<'a>>,
    pub(crate) definitions: &'a [DefinitionChange],
}

/// What a frame says of one catalog.
pub(crate) struct StoredChange {
    pub(crate) catalog: String,
    pub(crate) time: DateTime,
    pub(crate) definitions: Vec<DefinitionChange>,
    pub(super) groups: Vec<StoredGroup>,
}

/// Deltas of a measure group by names and keys.
pub(super) struct StoredGroup {
    pub(super) group: String,
    /// Names of the links and hierarchies of the columns.
    pub(super) columns: Vec<(String, String)>,
    /// For each column the keys from the top of each member.
    pub(super) members: Vec<Vec<Vec<String>>>,
    /// For each cell a position among the members of each column.
    pub(super) cells: Vec<u32>,
    /// Names, scales and amounts.
    pub(super) measures: Vec<(String, Option<u8>, Amounts)>,
}

/// Deltas as they apply to a version.
#[derive(Default)]
pub(crate) struct Applied {
    /// Measure group and deltas.
    pub(crate) segments: Vec<(usize, PlacedSegment)>,
    /// Cells that have no place in the version.
    pub(crate) lost: u64,
}

/// The hierarchy of each path column of a measure group, with the names of link and hierarchy.
pub(crate) fn columns(version: &Version, group: usize) -> Vec<(String, String, Arc<Hierarchy>)> {
    let catalog = &version.catalog;
    let (links, data) = (&catalog.measure_groups[group].links, &version.groups[group]);
    let mut columns: Vec<(usize, String, String, Arc<Hierarchy>)> = Vec::new();
    for ((link, link_name), of_link) in links.iter().zip(&data.link_names).zip(&data.path_columns) {
        let dimension = &catalog.dimensions[link.dimension.index()];
        for (hierarchy, column) in dimension.hierarchies.iter().zip(of_link) {
            if let Some(column) = column {
                columns.push((*column, link_name.clone(), hierarchy.name.clone(), hierarchy.clone()));
            }
        }
    }
    columns.sort_by_key(|(column, ..)| *column);
    columns.into_iter().map(|(_, link, name, hierarchy)| (link, name, hierarchy)).collect()
}

/// The keys of a member from the top, the all member left out; nothing for no member.
pub(crate) fn key_path(hierarchy: &Hierarchy, member: MemberId) -> Vec<String> {
    let mut path = Vec::new();
    let mut at = member;
    while !at.is_null() && hierarchy.all_member() != Some(at) {
        path.push(key_text(hierarchy, at));
        // A key of a parent-child hierarchy tells its member wherever it stands in the tree.
        at = if hierarchy.parent_child { MemberId::NULL } else { hierarchy.members.parent(at) };
    }
    path.reverse();
    path
}

fn key_text(hierarchy: &Hierarchy, member: MemberId) -> String {
    let key = hierarchy.members.key(member);
    if key.is_empty() { NULL_KEY.to_owned() } else { key.to_string() }
}

impl Keeper {
    /// A frame of the changes of one commit; `name` is that of the transaction, 0 for one that has none.
    pub(crate) fn frame(name: u128, changes: &[Change<'_>], time: DateTime, context: &Context) -> Result<Vec<u8>> {
        let mut stored = Vec::with_capacity(changes.len());
        for Change { catalog, version, groups, definitions } in changes {
            let mut of_catalog = Vec::with_capacity(groups.len());
            for change in groups {
                context.check()?;
                of_catalog.push(StoredGroup::of(version, change, context)?);
            }
            stored.push((*catalog, *definitions, of_catalog));
        }
        let changes = stored.iter().map(|(catalog, definitions, groups)| (*catalog, *definitions, &groups[..]));
        write(Head::Commit(name), time, changes, context)
    }

    /// The format of a frame and the names of its transactions; the reader stands behind them.
    fn read_head(reader: &mut Reader<'_>) -> Result<(u8, Vec<u128>)> {
        let format = reader.u8()?;
        let count = match format {
            CELLS_ONLY | NAMELESS => 0,
            COMMIT => 1,
            MERGED => reader.count(16)?,
            _ => bail!(Io, "the log of commits was written by a newer program"),
        };
        let mut name = || Ok(u128::from(reader.u64()?) << 64 | u128::from(reader.u64()?));
        let names: Result<Vec<u128>> = (0..count).map(|_| name()).collect();
        Ok((format, names?.into_iter().filter(|name| *name != 0).collect()))
    }

    /// The names of the transactions whose frame this is: of those that have one.
    pub(crate) fn names(frame: &[u8]) -> Result<Vec<u128>> {
        Self::read_head(&mut Reader::new(frame)).map(|(_, names)| names)
    }

    /// What a frame says.
    pub(crate) fn read(frame: &[u8]) -> Result<Vec<StoredChange>> {
        let mut reader = Reader::new(frame);
        let (format, _) = Self::read_head(&mut reader)?;
        let time: DateTime = reader.text()?.parse().map_err(|_| Error::internal("a commit has no time"))?;
        let mut changes = Vec::new();
        for _ in 0..reader.count(8)? {
            let catalog = reader.text()?.to_owned();
            let definitions = if format == CELLS_ONLY { Vec::new() } else { definitions::read(&mut reader)? };
            let groups: Result<Vec<StoredGroup>> = (0..reader.count(8)?).map(|_| read_group(&mut reader)).collect();
            changes.push(StoredChange { catalog, time, definitions, groups: groups? });
        }
        Ok(changes)
    }
}

/// What a frame is, and of whom.
pub(super) enum Head<'n> {
    /// A commit of a transaction, whose name may be 0 for none.
    Commit(u128),
    /// A merge; what it knows of the names of transactions.
    Merged(&'n [u128]),
}

/// A frame, with the changes of each catalog.
pub(super) fn write<'s>(
    head: Head<'_>,
    time: DateTime,
    changes: impl ExactSizeIterator<Item = (&'s str, &'s [DefinitionChange], &'s [StoredGroup])>,
    context: &Context,
) -> Result<Vec<u8>> {
    let mut writer = Writer::default();
    let names = match &head {
        Head::Commit(name) => {
            writer.u8(COMMIT);
            std::slice::from_ref(name)
        }
        Head::Merged(names) => {
            writer.u8(MERGED);
            writer.u32(names.len() as u32);
            names
        }
    };
    for name in names {
        writer.u64((name >> 64) as u64);
        writer.u64(*name as u64);
    }
    writer.text(&time.to_string());
    writer.u32(changes.len() as u32);
    for (catalog, definitions, groups) in changes {
        writer.text(catalog);
        definitions::write(&mut writer, definitions);
        writer.u32(groups.len() as u32);
        for group in groups {
            context.check()?;
            group.write(&mut writer, context)?;
        }
    }
    Ok(writer.into_bytes())
}

impl StoredGroup {
    fn of(version: &Version, change: &GroupChange<'_>, context: &Context) -> Result<StoredGroup> {
        let catalog = &version.catalog.measure_groups[change.group];
        let own = deltas(&change.segment.segment);
        let mut stored = StoredGroup {
            group: catalog.name.clone(),
            columns: Vec::new(),
            members: Vec::new(),
            cells: Vec::with_capacity(own.codes.len()),
            measures: Vec::new(),
        };
        let mut positions: Vec<FxHashMap<u32, u32>> = Vec::new();
        for (at, (link, hierarchy_name, hierarchy)) in columns(version, change.group).into_iter().enumerate() {
            let mut distinct: Vec<u32> = own.codes.iter().skip(at).step_by(own.width.max(1)).copied().collect();
            distinct.sort_unstable();
            distinct.dedup();
            let map = &change.segment.maps[at];
            stored.members.push(distinct.iter().map(|code| key_path(&hierarchy, map.member(*code))).collect());
            stored.columns.push((link, hierarchy_name));
            positions.push(distinct.iter().enumerate().map(|(position, code)| (*code, position as u32)).collect());
        }
        let mut step = 0;
        for codes in own.codes.chunks(own.width.max(1)) {
            context.check_every(&mut step)?;
            stored.cells.extend(codes.iter().zip(&positions).map(|(code, position)| position[code]));
        }
        for (measure, amounts) in own.measures {
            let scale = version.groups[change.group].scales[measure];
            stored.measures.push((catalog.measures[measure].name.clone(), scale, amounts));
        }
        Ok(stored)
    }

    fn write(&self, writer: &mut Writer, context: &Context) -> Result<()> {
        writer.text(&self.group);
        writer.u32(self.columns.len() as u32);
        let mut step = 0;
        for ((link, hierarchy), members) in self.columns.iter().zip(&self.members) {
            writer.text(link);
            writer.text(hierarchy);
            writer.u32(members.len() as u32);
            for path in members {
                context.check_every(&mut step)?;
                writer.strings(path.iter());
            }
        }
        writer.u32((self.cells.len() / self.columns.len().max(1)) as u32);
        for position in &self.cells {
            context.check_every(&mut step)?;
            writer.u32(*position);
        }
        writer.u32(self.measures.len() as u32);
        for (name, scale, amounts) in &self.measures {
            writer.text(name);
            writer.u8(scale.unwrap_or(u8::MAX));
            let mut amount = |bits: Option<u64>| {
                writer.u8(u8::from(bits.is_some()));
                writer.u64(bits.unwrap_or(0));
            };
            match amounts {
                Amounts::Units(units) => units.iter().for_each(|u| amount(u.map(|u| u as u64))),
                Amounts::Doubles(values) => values.iter().for_each(|v| amount(v.map(f64::to_bits))),
            }
        }
        Ok(())
    }
}

fn read_group(reader: &mut Reader<'_>) -> Result<StoredGroup> {
    let group = reader.text()?.to_owned();
    let (mut columns, mut members) = (Vec::new(), Vec::new());
    for _ in 0..reader.count(12)? {
        columns.push((reader.text()?.to_owned(), reader.text()?.to_owned()));
        let of_column: Result<Vec<Vec<String>>> =
            (0..reader.count(4)?).map(|_| Ok(reader.strings()?.iter().map(str::to_owned).collect())).collect();
        members.push(of_column?);
    }
    let count = reader.count(columns.len() * 4)?;
    let mut cells = Vec::with_capacity(count * columns.len());
    for at in 0..count * columns.len() {
        let position = reader.u32()?;
        if position as usize >= members[at % columns.len()].len() {
            bail!(Io, "a commit in the log names a member that it does not have");
        }
        cells.push(position);
    }
    let mut measures = Vec::new();
    for _ in 0..reader.count(5)? {
        let name = reader.text()?.to_owned();
        let scale = Some(reader.u8()?).filter(|s| *s != u8::MAX);
        let mut amount = || -> Result<Option<u64>> {
            let present = reader.u8()? != 0;
            let bits = reader.u64()?;
            Ok(present.then_some(bits))
        };
        let bits: Result<Vec<Option<u64>>> = (0..count).map(|_| amount()).collect();
        let bits = bits?.into_iter();
        let amounts = match scale {
            Some(_) => Amounts::Units(bits.map(|b| b.map(|b| b as i64)).collect()),
            None => Amounts::Doubles(bits.map(|b| b.map(f64::from_bits)).collect()),
        };
        measures.push((name, scale, amounts));
    }
    Ok(StoredGroup { group, columns, members, cells, measures })
}

/// What finds the places of stored deltas in a version; made once for all commits of a log.
pub(crate) struct Places<'v> {
    version: &'v Version,
    groups: FxHashMap<usize, GroupPlaces>,
}

/// The leaf cells of a measure group, by keys.
struct GroupPlaces {
    /// For each column its names, and the code of each path of keys.
    columns: Vec<(String, String, FxHashMap<Vec<String>, u32>)>,
    /// The cells that have fact rows.
    cells: FxHashSet<Box<[u32]>>,
}

impl<'v> Places<'v> {
    pub(crate) fn new(version: &'v Version) -> Places<'v> {
        Places { version, groups: FxHashMap::default() }
    }

    fn group(&mut self, group: usize, context: &Context) -> Result<&GroupPlaces> {
        if !self.groups.contains_key(&group) {
            let places = GroupPlaces::new(self.version, group, context)?;
            self.groups.insert(group, places);
        }
        self.groups.get(&group).ok_or_else(|| Error::internal("a measure group has no places"))
    }
}

impl GroupPlaces {
    fn new(version: &Version, group: usize, context: &Context) -> Result<GroupPlaces> {
        let Some(placed) = version.groups[group].segments.first() else {
            bail!(Internal, "a measure group has no segment")
        };
        let mut found = Vec::new();
        for ((link, hierarchy_name, hierarchy), map) in columns(version, group).into_iter().zip(placed.maps.iter()) {
            found.push((link, hierarchy_name, codes_by_path(&hierarchy, map, context)?));
        }
        let conditions = Conditions { group: MeasureGroupId::from(group), axes: &[], filters: &[], tuples: &[] };
        let cells = cells::leaf_cells(version, &conditions, 0, context)?;
        let cells = cells.codes.chunks(cells.width.max(1)).map(Box::from).collect();
        Ok(GroupPlaces { columns: found, cells })
    }
}

/// The code of each member of a column by its keys.
fn codes_by_path(hierarchy: &Hierarchy, map: &CodeMap, context: &Context) -> Result<FxHashMap<Vec<String>, u32>> {
    let none = map.len() as u32;
    let mut by_path: FxHashMap<Vec<String>, u32> = FxHashMap::default();
    let mut step = 0;
    for code in 0..none {
        context.check_every(&mut step)?;
        by_path.insert(key_path(hierarchy, map.member(code)), code);
    }
    // The empty path is that of rows without a member.
    by_path.insert(Vec::new(), none);
    Ok(by_path)
}

impl StoredChange {
    /// Its deltas as segments of a version; what has no place there is counted.
    pub(crate) fn apply(&self, places: &mut Places<'_>, context: &Context) -> Result<Applied> {
        let mut applied = Applied::default();
        let version = places.version;
        for stored in &self.groups {
            let cells = (stored.cells.len() / stored.columns.len().max(1)) as u64;
            let group = version.catalog.measure_groups.iter().position(|g| name::same(&g.name, &stored.group));
            let Some(group) = group else {
                applied.lost += cells;
                continue;
            };
            match stored.deltas(version, group, places.group(group, context)?, context)? {
                Some((deltas, lost)) => {
                    applied.lost += lost;
                    if !deltas.codes.is_empty() && !deltas.measures.is_empty() {
                        applied.segments.push((group, segment(&version.groups[group], &deltas)?));
                    }
                }
                None => applied.lost += cells,
            }
        }
        Ok(applied)
    }
}

impl StoredGroup {
    /// The deltas in the codes of a version, and how many cells are lost; none if the group has other columns.
    fn deltas(
        &self,
        version: &Version,
        group: usize,
        places: &GroupPlaces,
        context: &Context,
    ) -> Result<Option<(Deltas, u64)>> {
        if places.columns.len() != self.columns.len() {
            return Ok(None);
        }
        // For each column of the version the column here, and the code of each of its members.
        let mut codes: Vec<(usize, Vec<Option<u32>>)> = Vec::with_capacity(places.columns.len());
        for (link, hierarchy_name, by_path) in &places.columns {
            let same = |(l, h): &(String, String)| name::same(l, link) && name::same(h, hierarchy_name);
            let Some(at) = self.columns.iter().position(same) else { return Ok(None) };
            codes.push((at, self.members[at].iter().map(|path| by_path.get(path).copied()).collect()));
        }
        let width = self.columns.len();
        let (mut kept, mut cell_codes) = (Vec::new(), Vec::new());
        let mut step = 0;
        for (cell, positions) in self.cells.chunks(width.max(1)).enumerate() {
            context.check_every(&mut step)?;
            let found: Option<Vec<u32>> = codes.iter().map(|(at, codes)| codes[positions[*at] as usize]).collect();
            if let Some(found) = found.filter(|f| places.cells.contains(&f[..])) {
                cell_codes.extend(found);
                kept.push(cell);
            }
        }
        let mut lost = (self.cells.len() / width.max(1) - kept.len()) as u64;
        let mut measures = Vec::new();
        for (measure_name, scale, amounts) in &self.measures {
            let stored = &version.catalog.measure_groups[group].measures;
            let Some(measure) = stored.iter().position(|m| m.writable && name::same(&m.name, measure_name)) else {
                lost += kept.len() as u64;
                continue;
            };
            let scale_now = version.groups[group].scales[measure];
            measures.push((measure, fitted(amounts, *scale, scale_now, &kept)?));
        }
        Ok(Some((Deltas { width, codes: cell_codes, measures }, lost)))
    }
}

/// The amounts of the cells kept, in the type that the measure has now.
fn fitted(amounts: &Amounts, from: Option<u8>, to: Option<u8>, kept: &[usize]) -> Result<Amounts> {
    Ok(match (amounts, to) {
        (Amounts::Units(units), Some(to)) => {
            let from = from.unwrap_or(0);
            let fit = |cell: &usize| {
                let Some(unit) = units[*cell] else { return Ok(None) };
                let rescaled = i64::try_from(allocate::rescale(i128::from(unit), from, to)?).ok();
                rescaled.map(Some).ok_or_else(|| Error::internal("a stored change is too large for its measure"))
            };
            Amounts::Units(kept.iter().map(fit).collect::<Result<_>>()?)
        }
        (Amounts::Units(units), None) => {
            let power = 10f64.powi(i32::from(from.unwrap_or(0)));
            Amounts::Doubles(kept.iter().map(|&c| units[c].map(|u| u as f64 / power)).collect())
        }
        (Amounts::Doubles(values), None) => Amounts::Doubles(kept.iter().map(|&c| values[c]).collect()),
        (Amounts::Doubles(values), Some(to)) => {
            let power = 10f64.powi(i32::from(to));
            Amounts::Units(kept.iter().map(|&c| values[c].map(|v| (v * power).round() as i64)).collect())
        }
    })
}
