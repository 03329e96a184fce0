//! Stored cells: a batch sorted by measure group and grain, each part answered from one subcube.

use super::{Batch, Col, Column, Evaluator, Values};
use crate::coordinate::{Place, place};
use facetta_model::catalog::Hierarchy;
use facetta_model::{Error, Grain, HierarchyId, MemberId, Path, Result, SubcubeFilter, TupleFilter, Value};
use rustc_hash::FxHashMap;

/// A hierarchy that the cells wanted are not totals over.
pub(super) struct Need<'a> {
    pub(super) hierarchy: HierarchyId,
    pub(super) path: Path,
    pub(super) grain: Grain,
    pub(super) column: &'a Column,
}

/// A set that stands in the place of members of some hierarchies.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct SetNeed {
    pub(super) set: usize,
    /// Those hierarchies of the set in whose place it stands.
    pub(super) hierarchies: Vec<HierarchyId>,
}

/// What a batch of one measure group and grain needs of storage.
pub(super) struct Needs<'a> {
    /// The measure group, by its position in the cube.
    pub(super) group: usize,
    pub(super) needs: Vec<Need<'a>>,
    pub(super) sets: Vec<SetNeed>,
    /// Hierarchies that the measure group does not know, with different members in the rows.
    pub(super) unrelated: Vec<HierarchyId>,
}

impl Evaluator {
    /// The values of cells whose coordinates are stored members, own data and sets.
    pub(super) fn stored(&self, batch: &Batch) -> Result<Values> {
        let left = self.as_left(batch)?;
        let batch = left.as_ref().unwrap_or(batch);
        match self.differing(batch) {
            None => self.stored_alike(batch),
            Some(parts) => {
                let mut out = vec![Value::Empty; batch.len];
                for rows in parts {
                    let values = self.stored_alike(&batch.select(&rows))?;
                    rows.iter().enumerate().for_each(|(at, &row)| out[row as usize] = values.get(at).clone());
                }
                Ok(Col::Many(out))
            }
        }
    }

    /// The rows parted by measure group and grain; none if all are alike.
    fn differing(&self, batch: &Batch) -> Option<Vec<Vec<u32>>> {
        let mut classes: Vec<Vec<u32>> = Vec::new();
        for (i, column) in batch.columns().iter().enumerate().take(self.cube.hierarchies.len()) {
            let Column::Many(run) = column else { continue };
            if i == 0 {
                let group = |m: MemberId| self.cube.measures.get(m.index()).map_or(u32::MAX, |m| m.group as u32);
                let of_rows: Vec<u32> = run.members.iter().map(|&m| group(m)).collect();
                if of_rows.iter().any(|&g| g != of_rows[0]) {
                    classes.push(of_rows);
                }
                continue;
            }
            let hierarchy = &self.cube.hierarchies[i].hierarchy;
            if !run.special && hierarchy.members.depth(run.bounds.0) == hierarchy.members.depth(run.bounds.1) {
                continue;
            }
            classes.push(run.members.iter().map(|&m| class(hierarchy, m)).collect());
        }
        if classes.is_empty() {
            return None;
        }
        let mut parts: Vec<Vec<u32>> = Vec::new();
        let mut index: FxHashMap<Vec<u32>, usize> = FxHashMap::default();
        let mut key = Vec::new();
        for row in 0..batch.len {
            key.clear();
            key.extend(classes.iter().map(|c| c[row]));
            let at = match index.get(&key) {
                Some(&at) => at,
                None => {
                    parts.push(Vec::new());
                    index.insert(key.clone(), parts.len() - 1);
                    parts.len() - 1
                }
            };
            parts[at].push(row as u32);
        }
        Some(parts)
    }

    /// The values of cells of one measure group and grain.
    fn stored_alike(&self, batch: &Batch) -> Result<Values> {
        let Some(Needs { group, needs, sets, unrelated }) = self.needs(batch)? else {
            return Ok(Col::One(Value::Empty));
        };
        let values = self.fetch(group, batch, &needs, sets)?;
        if unrelated.is_empty() {
            return Ok(values);
        }
        let blank = |row: usize| {
            unrelated.iter().any(|h| {
                let hierarchy = &self.cube.hierarchy(*h).hierarchy;
                let member = batch.get(*h, row);
                member != hierarchy.default_member && hierarchy.all_member() != Some(member)
            })
        };
        let keep = |row| if blank(row) { Value::Empty } else { values.get(row).clone() };
        Ok(Col::Many((0..batch.len).map(keep).collect()))
    }

    /// What the cells of a batch of one measure group and grain need; none if all are empty.
    pub(super) fn needs<'a>(&self, batch: &'a Batch) -> Result<Option<Needs<'a>>> {
        let Some(first) = self.cube.measures.get(batch.get(HierarchyId::MEASURES, 0).index()) else {
            return Err(Error::internal("a measure is unknown"));
        };
        let group = first.group;
        let mut out = Needs { group, needs: Vec::new(), sets: Vec::new(), unrelated: Vec::new() };
        for (i, column) in batch.columns().iter().enumerate().take(self.cube.hierarchies.len()).skip(1) {
            let id = HierarchyId::from(i);
            let hierarchy = &self.cube.hierarchies[i].hierarchy;
            let path = self.cube.path(group, id).and_then(|p| Some((p, self.attached(group, p)?)));
            let at = column.get(0);
            let Some((path, attached)) = path else {
                if !matches!(place(at), Place::Set(_)) && !self.cube.compatibility.ignores_unrelated_dimensions() {
                    match column {
                        Column::One(m) if *m == hierarchy.default_member || hierarchy.all_member() == Some(*m) => {}
                        Column::One(_) => return Ok(None),
                        Column::Many(_) => out.unrelated.push(id),
                    }
                }
                continue;
            };
            let grain = match place(at) {
                Place::Set(set) => {
                    match out.sets.iter_mut().find(|s| s.set == set) {
                        Some(need) => need.hierarchies.push(id),
                        None => out.sets.push(SetNeed { set, hierarchies: vec![id] }),
                    }
                    continue;
                }
                Place::Own(_) => Grain::Own,
                _ if hierarchy.all_member() == Some(at) => continue,
                _ if hierarchy.level_of(at).0 > attached => return Ok(None),
                _ => Grain::Depth(hierarchy.members.depth(at).min(255) as u8),
            };
            out.needs.push(Need { hierarchy: id, path, grain, column });
        }
        Ok(Some(out))
    }

    /// The filters of the fact rows under one coordinate of stored members, own data and sets; none if there can be no row.
    pub(crate) fn rows_under(&self, at: &Batch) -> Result<Option<(Vec<SubcubeFilter>, Vec<TupleFilter>)>> {
        let Some(Needs { group, needs, sets, .. }) = self.needs(at)? else { return Ok(None) };
        let mut filters = (self.role_filters(group), Vec::new());
        for need in needs {
            let (subtrees, own) = match place(need.column.get(0)) {
                Place::Own(m) => (Vec::new(), vec![m]),
                Place::Stored(m) => (vec![m], Vec::new()),
                _ => return Ok(None),
            };
            filters.0.push(SubcubeFilter { path: need.path, subtrees, own });
        }
        for set in &sets {
            self.filter_by_set(group, set, &mut filters.0, &mut filters.1)?;
        }
        Ok(Some(filters))
    }

    /// The level at which the facts of a group attach to a hierarchy.
    pub(crate) fn attached_level(&self, group: usize, hierarchy: HierarchyId) -> Option<u32> {
        self.attached(group, self.cube.path(group, hierarchy)?)
    }

    /// The level at which the facts of a group attach to the hierarchy of a path.
    fn attached(&self, group: usize, path: Path) -> Option<u32> {
        let catalog = self.snapshot.catalog();
        let id = *self.cube.measure_groups.get(group)?;
        let link = catalog.measure_groups.get(id.index())?.links.get(path.link.index())?;
        Some((*link.levels.get(path.hierarchy as usize)?)?.0)
    }
}

/// What must be equal in two coordinates of a hierarchy for one subcube to answer both.
fn class(hierarchy: &Hierarchy, member: MemberId) -> u32 {
    match place(member) {
        Place::Own(_) => 1 << 16,
        Place::Set(index) => 1 << 17 | index as u32,
        _ => hierarchy.members.depth(member) as u32,
    }
}
