//! Subcubes of a statement: asked of storage once, indexed, found again; and those kept between statements.

use super::stored::{Need, Needs, SetNeed};
use super::{Batch, Col, Column, Evaluator, Values};
use crate::coordinate::{Place, place, seen};
use facetta_model::{
    Charge, Context, Grain, HierarchyId, MemberId, Result, Subcube, SubcubeAxis, SubcubeFilter, SubcubeRequest,
    TupleFilter, TupleSet, Value,
};
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::{Cell, RefCell};
use std::sync::{Arc, Mutex, PoisonError};

/// Members of a level up to which a request may leave out the filter on a coordinate that keeps changing.
const MAX_WIDENED: usize = 1 << 16;
/// Cells up to which coordinates that keep changing are asked for all at once.
const MAX_WIDENED_CELLS: u64 = 1 << 22;

/// Subcubes kept between statements, by data version and request; bounded by bytes, the oldest go first.
#[derive(Debug)]
pub struct SubcubeCache {
    limit: usize,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    bytes: usize,
    clock: u64,
    by_request: FxHashMap<(u64, SubcubeRequest), (u64, Arc<Indexed>)>,
}

impl Entries {
    /// Lets the oldest go until at most `limit` bytes are left; more than one at a time, so that looking for them is rare.
    fn shrink(&mut self, limit: usize) {
        let mut by_age: Vec<(u64, usize)> =
            self.by_request.values().map(|(used, subcube)| (*used, subcube.bytes())).collect();
        by_age.sort_unstable();
        let mut last = 0;
        for (used, bytes) in by_age {
            if self.bytes <= limit {
                break;
            }
            self.bytes -= bytes;
            last = used;
        }
        self.by_request.retain(|_, (used, _)| *used > last);
    }
}

impl SubcubeCache {
    /// A cache that holds at most `limit` bytes.
    pub fn new(limit: usize) -> SubcubeCache {
        SubcubeCache { limit, entries: Mutex::default() }
    }

    fn get(&self, key: &(u64, SubcubeRequest)) -> Option<Arc<Indexed>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.clock += 1;
        let clock = entries.clock;
        let (used, found) = entries.by_request.get_mut(key)?;
        *used = clock;
        Some(found.clone())
    }

    fn put(&self, key: (u64, SubcubeRequest), subcube: Arc<Indexed>) {
        if subcube.bytes() > self.limit / 4 {
            return;
        }
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.clock += 1;
        let clock = entries.clock;
        entries.bytes += subcube.bytes();
        if let Some((_, old)) = entries.by_request.insert(key, (clock, subcube)) {
            entries.bytes -= old.bytes();
        }
        if entries.bytes > self.limit {
            entries.shrink(self.limit - self.limit / 8);
        }
    }

    /// Bytes held now.
    pub fn bytes(&self) -> usize {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }

    /// Forgets everything (ClearCache).
    pub fn clear(&self) {
        *self.entries.lock().unwrap_or_else(PoisonError::into_inner) = Entries::default();
    }
}

/// A subcube with the way to its rows.
#[derive(Debug)]
pub(crate) struct Indexed {
    pub(crate) subcube: Subcube,
    /// For each axis, the first member of its range, and where its bits are.
    ranges: Vec<(u32, u32)>,
    rows: Rows,
}

/// From packed members to a row.
#[derive(Debug)]
enum Rows {
    Dense(Vec<u32>),
    Narrow(FxHashMap<u64, u32>),
    Wide(FxHashMap<u128, u32>),
    Long(FxHashMap<Box<[MemberId]>, u32>),
}

const NO_ROW: u32 = u32::MAX;

fn room<K>(rows: usize) -> FxHashMap<K, u32> {
    FxHashMap::with_capacity_and_hasher(rows, Default::default())
}

impl Indexed {
    /// `members`: for each axis the first member that it can have, and how many there are.
    fn new(subcube: Subcube, members: &[(u32, u32)], context: &Context) -> Result<Indexed> {
        let mut shift = 0;
        let mut space = 1u64;
        let mut ranges = Vec::new();
        for &(first, count) in members {
            ranges.push((first, shift));
            shift += 32 - count.saturating_sub(1).leading_zeros();
            space = space.saturating_mul(u64::from(count));
        }
        let mut step = 0;
        let mut each = |index: &mut dyn FnMut(usize)| {
            (0..subcube.rows).try_for_each(|row| {
                context.check_every(&mut step)?;
                index(row);
                Ok(())
            })
        };
        let key = |row: usize| -> u128 {
            subcube.keys.iter().zip(&ranges).map(|(k, &(first, shift))| u128::from(k[row].0 - first) << shift).sum()
        };
        let rows = match shift {
            0..=26 if 1u64 << shift <= 4096 + 8 * subcube.rows as u64 => {
                let mut dense = vec![NO_ROW; 1 << shift];
                each(&mut |row| dense[key(row) as usize] = row as u32)?;
                Rows::Dense(dense)
            }
            0..=64 => {
                let mut map = room(subcube.rows);
                each(&mut |row| _ = map.insert(key(row) as u64, row as u32))?;
                Rows::Narrow(map)
            }
            65..=128 => {
                let mut map = room(subcube.rows);
                each(&mut |row| _ = map.insert(key(row), row as u32))?;
                Rows::Wide(map)
            }
            _ => {
                let mut map = room(subcube.rows);
                each(&mut |row| _ = map.insert(subcube.keys.iter().map(|k| k[row]).collect(), row as u32))?;
                Rows::Long(map)
            }
        };
        Ok(Indexed { subcube, ranges, rows })
    }

    fn bytes(&self) -> usize {
        let rows = match &self.rows {
            Rows::Dense(dense) => dense.len() * 4,
            Rows::Narrow(map) => map.capacity() * 13,
            Rows::Wide(map) => map.capacity() * 33,
            Rows::Long(map) => map.capacity() * (25 + 4 * self.ranges.len()),
        };
        self.subcube.bytes() + rows
    }

    /// The row of each coordinate: `columns` has one for each axis.
    fn find(&self, columns: &[&Column], len: usize) -> Col<u32> {
        let one = |row: usize| -> u32 {
            let key = || {
                columns
                    .iter()
                    .zip(&self.ranges)
                    .map(move |(c, &(first, shift))| u128::from(seen(c.get(row)).0.wrapping_sub(first)) << shift)
            };
            match &self.rows {
                Rows::Dense(dense) => dense.get(key().sum::<u128>() as usize).copied().unwrap_or(NO_ROW),
                Rows::Narrow(map) => map.get(&(key().sum::<u128>() as u64)).copied().unwrap_or(NO_ROW),
                Rows::Wide(map) => map.get(&key().sum::<u128>()).copied().unwrap_or(NO_ROW),
                Rows::Long(map) => {
                    let members: Vec<MemberId> = columns.iter().map(|c| seen(c.get(row))).collect();
                    map.get(members.as_slice()).copied().unwrap_or(NO_ROW)
                }
            }
        };
        if columns.iter().all(|c| matches!(c, Column::One(_))) {
            Col::One(one(0))
        } else {
            Col::Many((0..len).map(one).collect())
        }
    }
}

/// What subcubes must have in common to answer each other's questions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Signature {
    group: usize,
    grains: Vec<(HierarchyId, Grain)>,
    sets: Vec<SetNeed>,
}

/// For one hierarchy of a signature, which members a subcube has.
#[derive(Clone, Debug)]
enum Covered {
    /// All of the grain.
    All,
    /// An axis over these, ascending.
    Some(Arc<FxHashSet<MemberId>>),
    /// One as a filter, and no axis.
    Pin(MemberId),
}

impl Covered {
    fn covers(&self, column: &Column) -> bool {
        match (self, column) {
            (Covered::All, _) => true,
            (Covered::Pin(pin), Column::One(m)) => seen(*m) == *pin,
            (Covered::Pin(_), Column::Many(_)) => false,
            (Covered::Some(members), Column::One(m)) => members.contains(&seen(*m)),
            (Covered::Some(members), Column::Many(run)) => run.members.iter().all(|m| members.contains(&seen(*m))),
        }
    }
}

#[derive(Debug)]
struct Held {
    measures: Vec<u32>,
    covered: Vec<Covered>,
    indexed: Arc<Indexed>,
    _charge: Option<Charge>,
}

/// What is known of questions of one signature.
#[derive(Debug, Default)]
struct Known {
    held: Vec<Held>,
    /// The pins of the last question, and which hierarchies had others before.
    last: Vec<Option<MemberId>>,
    wanders: Vec<bool>,
}

/// Members that will be asked for.
type Hint = Arc<FxHashSet<MemberId>>;

/// The subcubes of one statement.
#[derive(Debug)]
pub(crate) struct Subcubes {
    shared: Arc<SubcubeCache>,
    known: RefCell<FxHashMap<Signature, Known>>,
    /// For a hierarchy and grain, the members that the axes will ask for.
    hints: RefCell<FxHashMap<(HierarchyId, Grain), Hint>>,
    /// Kept between statements: not those of an answer so large that its windows would push out everything else.
    shares: Cell<bool>,
}

impl Subcubes {
    pub(crate) fn new(shared: Arc<SubcubeCache>) -> Subcubes {
        Subcubes { shared, known: RefCell::default(), hints: RefCell::default(), shares: Cell::new(true) }
    }

    /// Says that members of a hierarchy will be asked for sooner or later.
    pub(crate) fn hint(&self, hierarchy: HierarchyId, grain: Grain, members: FxHashSet<MemberId>) {
        self.hints.borrow_mut().insert((hierarchy, grain), Arc::new(members));
    }

    /// Keeps nothing for other statements from here on.
    pub(crate) fn keep_to_itself(&self) {
        self.shares.set(false);
    }

    /// Forgets hints and subcubes: another window of the axes begins.
    pub(crate) fn clear(&self) {
        self.hints.borrow_mut().clear();
        self.known.borrow_mut().clear();
    }
}

/// The axes of a subcube over hierarchies that are not asked for but stand at one member each.
fn axes_pinned<'a>(
    needs: &[Need<'_>],
    covered: &[Covered],
    subcube: &'a Subcube,
    asked: &[HierarchyId],
) -> Vec<(&'a [MemberId], MemberId)> {
    let axes = needs.iter().zip(covered).filter(|(_, c)| !matches!(c, Covered::Pin(_))).map(|(n, _)| n);
    let pinned = |(axis, need): (usize, &Need<'_>)| match need.column {
        Column::One(m) if !asked.contains(&need.hierarchy) => Some((subcube.keys[axis].as_slice(), seen(*m))),
        _ => None,
    };
    axes.enumerate().filter_map(pinned).collect()
}

impl Evaluator {
    /// The values of a batch whose measures are all of `group` and whose grain is that of `needs`.
    pub(super) fn fetch(&self, group: usize, batch: &Batch, needs: &[Need<'_>], sets: Vec<SetNeed>) -> Result<Values> {
        let measures = self.measure_positions(batch);
        self.with_held(group, &measures, needs, sets, |held| self.read(held, batch, needs))
    }

    /// Calls `then` with a subcube that has the measures and members needed; asks storage for one where none is held.
    fn with_held<R>(
        &self,
        group: usize,
        measures: &[u32],
        needs: &[Need<'_>],
        sets: Vec<SetNeed>,
        then: impl FnOnce(&Held) -> R,
    ) -> Result<R> {
        let grains = needs.iter().map(|n| (n.hierarchy, n.grain)).collect();
        let signature = Signature { group, grains, sets };
        let mut known = self.subcubes.known.borrow_mut();
        let known = known.entry(signature.clone()).or_default();
        let fits = |h: &&Held| {
            measures.iter().all(|m| h.measures.contains(m))
                && h.covered.iter().zip(needs).all(|(c, n)| c.covers(n.column))
        };
        if let Some(held) = known.held.iter().rev().find(fits) {
            return Ok(then(held));
        }
        let covered = self.cover(known, needs);
        let held = self.ask(&signature, measures, needs, covered)?;
        let result = then(&held);
        if known.held.len() >= 64 {
            known.held.remove(0);
        }
        known.held.push(held);
        Ok(result)
    }

    /// Appends to `out`, over `hierarchies`, the tuples of `members` that have rows at `at`.
    pub(super) fn rows_at(
        &self,
        hierarchies: &[HierarchyId],
        members: &[&Vec<MemberId>],
        at: &Batch,
        out: &mut TupleSet,
    ) -> Result<()> {
        let mut batch = at.clone();
        for (h, members) in hierarchies.iter().zip(members) {
            // Columns of different lengths: only what they hold counts here, not how they combine.
            batch.set(h.index(), Column::of((*members).clone()));
        }
        let Some(Needs { group, needs, sets, unrelated: _ }) = self.needs(&batch)? else { return Ok(()) };
        let measure = batch.get(HierarchyId::MEASURES, 0);
        let position = self.cube.measures[measure.index()].measure;
        let wanted: Vec<FxHashSet<MemberId>> = members.iter().map(|m| m.iter().copied().collect()).collect();
        self.with_held(group, &[position], &needs, sets, |held| {
            let subcube = &held.indexed.subcube;
            let column = held.measures.iter().position(|p| *p == position).unwrap_or(0);
            let mut axis = 0;
            let mut keys: Vec<Option<&[MemberId]>> = vec![None; hierarchies.len()];
            for (need, covered) in needs.iter().zip(&held.covered) {
                if matches!(covered, Covered::Pin(_)) {
                    continue;
                }
                if let Some(at) = hierarchies.iter().position(|h| *h == need.hierarchy) {
                    keys[at] = Some(&subcube.keys[axis]);
                }
                axis += 1;
            }
            let others: Vec<(&[MemberId], MemberId)> = axes_pinned(&needs, &held.covered, subcube, hierarchies);
            let mut tuple = vec![MemberId::NULL; hierarchies.len()];
            let mut step = 0;
            for row in 0..subcube.rows {
                self.context.check_every(&mut step)?;
                if others.iter().any(|(keys, m)| keys[row] != *m) || subcube.values[column].value(row).is_empty() {
                    continue;
                }
                for (i, keys) in keys.iter().enumerate() {
                    tuple[i] = keys.map_or(members[i][0], |k| k[row]);
                }
                if tuple.iter().zip(&wanted).all(|(m, w)| w.contains(m)) {
                    out.members.extend_from_slice(&tuple);
                }
            }
            Ok(())
        })?
    }

    fn measure_positions(&self, batch: &Batch) -> Vec<u32> {
        let position = |m: MemberId| self.cube.measures[m.index()].measure;
        match batch.column(HierarchyId::MEASURES) {
            Column::One(m) => vec![position(*m)],
            Column::Many(run) => {
                let distinct: FxHashSet<MemberId> = run.members.iter().copied().collect();
                let mut positions: Vec<u32> = distinct.into_iter().map(position).collect();
                positions.sort_unstable();
                positions.dedup();
                positions
            }
        }
    }

    /// Decides which members of each hierarchy to ask for.
    fn cover(&self, known: &mut Known, needs: &[Need<'_>]) -> Vec<Covered> {
        known.last.resize(needs.len(), None);
        known.wanders.resize(needs.len(), false);
        let hints = self.subcubes.hints.borrow();
        let mut covered = Vec::with_capacity(needs.len());
        for (i, need) in needs.iter().enumerate() {
            let hint = hints.get(&(need.hierarchy, need.grain));
            covered.push(match need.column {
                Column::One(m) => {
                    let m = seen(*m);
                    known.wanders[i] |= known.last[i].is_some_and(|last| last != m);
                    known.last[i] = Some(m);
                    match hint {
                        Some(all) if all.len() > 1 && all.contains(&m) => self.some(need, all.clone()),
                        _ => Covered::Pin(m),
                    }
                }
                Column::Many(run) => {
                    let wanted: FxHashSet<MemberId> = run.members.iter().map(|m| seen(*m)).collect();
                    match hint {
                        Some(all) if wanted.is_subset(all) => self.some(need, all.clone()),
                        Some(all) => self.some(need, Arc::new(wanted.union(all).copied().collect())),
                        None => self.some(need, Arc::new(wanted)),
                    }
                }
            });
        }
        self.widen(known, needs, &mut covered);
        covered
    }

    /// All of the grain if `members` are most of it, else those.
    fn some(&self, need: &Need<'_>, members: Arc<FxHashSet<MemberId>>) -> Covered {
        let (_, count) = self.range(need);
        if members.len() * 2 > count as usize { Covered::All } else { Covered::Some(members) }
    }

    /// Asks for all members of coordinates that had different pins before, as far as that stays small: a function that
    /// walks over single coordinates would else ask storage at each step.
    fn widen(&self, known: &Known, needs: &[Need<'_>], covered: &mut [Covered]) {
        let size = |c: &Covered, need: &Need<'_>| match c {
            Covered::All => u64::from(self.range(need).1),
            Covered::Some(members) => members.len() as u64,
            Covered::Pin(_) => 1,
        };
        let mut cells = covered.iter().zip(needs).fold(1u64, |n, (c, need)| n.saturating_mul(size(c, need)));
        for (i, need) in needs.iter().enumerate() {
            let count = self.range(need).1;
            let partial = !matches!(covered[i], Covered::All);
            let again = known.wanders[i] || matches!(covered[i], Covered::Some(_)) && known.held.len() > 2;
            let more = cells.saturating_mul(u64::from(count)) / size(&covered[i], need).max(1);
            if partial && again && count as usize <= MAX_WIDENED && more <= MAX_WIDENED_CELLS {
                cells = more;
                covered[i] = Covered::All;
            }
        }
    }

    /// The first member that a grain can have, and how many.
    fn range(&self, need: &Need<'_>) -> (u32, u32) {
        let members = &self.cube.hierarchy(need.hierarchy).hierarchy.members;
        match need.grain {
            Grain::Depth(depth) => {
                let range = members.at_depth(depth as usize);
                (range.start, range.end - range.start)
            }
            Grain::Own => (0, members.len() as u32),
        }
    }

    fn ask(&self, signature: &Signature, measures: &[u32], needs: &[Need<'_>], covered: Vec<Covered>) -> Result<Held> {
        let mut request = SubcubeRequest {
            group: self.cube.measure_groups[signature.group],
            measures: measures.to_vec(),
            axes: Vec::new(),
            filters: self.role_filters(signature.group),
            tuples: Vec::new(),
        };
        let mut ranges = Vec::new();
        for (need, covered) in needs.iter().zip(&covered) {
            if !matches!(covered, Covered::Pin(_)) {
                request.axes.push(SubcubeAxis { path: need.path, grain: need.grain });
                ranges.push(self.range(need));
            }
            let mut members: Vec<MemberId> = match covered {
                Covered::All => continue,
                Covered::Some(members) => members.iter().copied().collect(),
                Covered::Pin(m) => vec![*m],
            };
            members.sort_unstable();
            let (subtrees, own) = if need.grain == Grain::Own { (Vec::new(), members) } else { (members, Vec::new()) };
            request.filters.push(SubcubeFilter { path: need.path, subtrees, own });
        }
        for set in &signature.sets {
            self.filter_by_set(signature.group, set, &mut request.filters, &mut request.tuples)?;
        }
        let key = (self.snapshot.data_version(), request);
        let mut charge = None;
        let shares = self.subcubes.shares.get();
        let indexed = match shares.then(|| self.subcubes.shared.get(&key)).flatten() {
            Some(indexed) => indexed,
            None => {
                let subcube = self.snapshot.subcube(&key.1, &self.context)?;
                charge = Some(self.context.charge("Subcube", subcube.bytes() * 2)?);
                let indexed = Arc::new(Indexed::new(subcube, &ranges, &self.context)?);
                if shares {
                    self.subcubes.shared.put(key, indexed.clone());
                }
                indexed
            }
        };
        Ok(Held { measures: measures.to_vec(), covered, indexed, _charge: charge })
    }

    pub(crate) fn role_filters(&self, group: usize) -> Vec<SubcubeFilter> {
        let id = self.cube.measure_groups[group].0;
        let of_group = |(g, filter): &(u32, SubcubeFilter)| (*g == id).then(|| filter.clone());
        self.role.cells.iter().filter_map(of_group).collect()
    }

    /// Adds the filter that keeps the rows under one of the tuples of a set.
    pub(super) fn filter_by_set(
        &self,
        group: usize,
        need: &SetNeed,
        filters: &mut Vec<SubcubeFilter>,
        tuple_filters: &mut Vec<TupleFilter>,
    ) -> Result<()> {
        let tuples = self.registered_set(need.set)?;
        let mut positions = Vec::new();
        let mut paths = Vec::new();
        for h in &need.hierarchies {
            if let (Some(path), Some(position)) =
                (self.cube.path(group, *h), tuples.hierarchies.iter().position(|t| t == h))
            {
                paths.push(path);
                positions.push(position);
            }
        }
        if let ([path], [position]) = (paths.as_slice(), positions.as_slice()) {
            let mut filter = SubcubeFilter { path: *path, subtrees: Vec::new(), own: Vec::new() };
            for tuple in tuples.iter() {
                match place(tuple[*position]) {
                    Place::Own(m) => filter.own.push(m),
                    _ => filter.subtrees.push(tuple[*position]),
                }
            }
            for members in [&mut filter.subtrees, &mut filter.own] {
                members.sort_unstable();
                members.dedup();
            }
            let all = self.cube.hierarchy(need.hierarchies[0]).hierarchy.all_member();
            if all.is_none_or(|all| filter.subtrees.first() != Some(&all)) {
                filters.push(filter);
            }
        } else if !paths.is_empty() {
            let members = tuples.iter().flat_map(|t| positions.iter().map(|&p| seen(t[p]))).collect();
            tuple_filters.push(TupleFilter { paths, tuples: members });
        }
        Ok(())
    }

    fn read(&self, held: &Held, batch: &Batch, needs: &[Need<'_>]) -> Values {
        let is_axis = |(n, c): (&Need<'_>, &Covered)| (!matches!(c, Covered::Pin(_))).then_some(n.hierarchy);
        let columns: Vec<&Column> =
            needs.iter().zip(&held.covered).filter_map(is_axis).map(|h| batch.column(h)).collect();
        let rows = held.indexed.find(&columns, batch.len);
        let subcube = &held.indexed.subcube;
        let column = |m: MemberId| {
            let position = self.cube.measures[m.index()].measure;
            held.measures.iter().position(|&p| p == position).unwrap_or(0)
        };
        let value = |measure: usize, row: u32| match row {
            NO_ROW => Value::Empty,
            row => subcube.values[measure].value(row as usize),
        };
        match batch.column(HierarchyId::MEASURES) {
            Column::One(m) => {
                let measure = column(*m);
                rows.map(|&row| value(measure, row))
            }
            Column::Many(run) => {
                let of: FxHashMap<MemberId, usize> = run.members.iter().map(|&m| (m, column(m))).collect();
                let one = |(row, m): (usize, &MemberId)| value(of[m], *rows.get(row));
                Col::Many(run.members.iter().enumerate().map(one).collect())
            }
        }
    }
}
