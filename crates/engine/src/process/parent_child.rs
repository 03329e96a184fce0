//! The member table of a parent-child hierarchy: a tree from keys and parents' keys.

use super::HierarchyData;
use super::bind::{LevelVectors, located};
use super::dictionary::{Dictionary, NONE};
use super::expression::Bound;
use super::facts::level_index;
use super::members::{Columns, Naming};
use super::relation::Opened;
use facetta_model::definition::LevelDef;
use facetta_model::{Context, MemberId, Result, bail};
use rustc_hash::FxHashSet;

/// The finished hierarchy, and the member of each row.
pub(crate) fn build(
    naming: &Naming<'_>,
    level: &LevelDef,
    vectors: &LevelVectors,
    context: &Context,
) -> Result<(HierarchyData, Vec<u32>)> {
    let _charge = context.charge("Process", vectors.key.len() * 32)?;
    let mut keys = Dictionary::new(vectors.key.ty());
    let numbers = keys.encode(&vectors.key, context)?;
    keys.freeze();
    let parents = parent_numbers(level, vectors, &keys, context)?;
    let mut nodes = Nodes::new(keys.len(), &numbers, &parents, vectors)?;
    let missing = nodes.adopt_orphans();
    if missing > 0 {
        let (dimension, level) = (&naming.dimension.name, &level.name);
        tracing::warn!(%dimension, %level, members = missing, "parents that do not exist; their members become roots");
    }
    let order = nodes.breadth_first(vectors, context)?;
    if order.len() < nodes.rows.len() {
        bail!(Definition, "members are their own ancestors: {}", nodes.cycle(&order, vectors));
    }
    let mut columns = Columns::new(naming);
    let start = columns.parents.len() as u32;
    let mut members = vec![NONE; nodes.rows.len()];
    order.iter().enumerate().for_each(|(at, &node)| members[node as usize] = start + at as u32);
    let root = if naming.hierarchy.all.is_some() { MemberId(0) } else { MemberId::NULL };
    let member_of = |parent: u32| if parent == NONE { root } else { MemberId(members[parent as usize]) };
    let parents: Vec<MemberId> = order.iter().map(|&n| member_of(nodes.parents[n as usize])).collect();
    let rows: Vec<u32> = order.iter().map(|&n| nodes.rows[n as usize]).collect();
    columns.push_level(level, naming, vectors, &rows, &parents)?;
    let of_rows = numbers.iter().map(|&n| if n == NONE { NONE } else { members[n as usize] }).collect();
    Ok((columns.finish(naming, true)?, of_rows))
}

/// Compares a closure table with the tree, which is what counts: a line says how many pairs differ.
pub(crate) fn check_closure(
    naming: &Naming<'_>,
    data: &HierarchyData,
    (relation, parent, child): &(Opened<'_>, Bound, Bound),
    context: &Context,
) -> Result<()> {
    let keys = level_index(data, data.levels.len() - 1, context)?;
    let mut pairs: FxHashSet<(u32, u32)> = FxHashSet::default();
    let mut wrong = 0u64;
    for frame in relation.frames(context)? {
        let frame = frame?;
        let parents = keys.keys.find(parent.evaluate(&frame)?.as_ref(), context)?;
        let children = keys.keys.find(child.evaluate(&frame)?.as_ref(), context)?;
        for (&parent, &child) in parents.iter().zip(&children) {
            if parent == NONE || child == NONE {
                wrong += 1;
                continue;
            }
            let (parent, child) = (keys.members[parent as usize], keys.members[child as usize]);
            match data.members.is_at_or_under(MemberId(child), MemberId(parent)) {
                // Whether a member is its own ancestor is a matter of taste.
                true if parent != child => drop(pairs.insert((parent, child))),
                true => {}
                false => wrong += 1,
            }
        }
    }
    let top = usize::from(naming.hierarchy.all.is_some());
    let ancestors = |m: u32| (data.members.depth(MemberId(m)) - top) as u64;
    let expected: u64 = (top as u32..data.members.len() as u32).map(ancestors).sum();
    let missing = expected - pairs.len() as u64;
    if wrong + missing > 0 {
        let dimension = &naming.dimension.name;
        tracing::warn!(%dimension, wrong, missing, "pairs of the closure table differ from the tree of members");
    }
    Ok(())
}

/// The number of each row's parent; [`NONE`] for roots, [`ORPHAN`] where the parent does not exist.
fn parent_numbers(level: &LevelDef, vectors: &LevelVectors, keys: &Dictionary, context: &Context) -> Result<Vec<u32>> {
    let Some(parent) = &vectors.parent else { return Ok(vec![NONE; vectors.key.len()]) };
    let null_value = level.parent.as_ref().and_then(|p| p.null_value.as_deref());
    let mut numbers = keys.find(parent, context).map_err(|e| located(&level.place, &e))?;
    for (row, number) in numbers.iter_mut().enumerate() {
        let is_root = parent.is_null(row) || null_value.is_some_and(|null| parent.text(row) == null);
        if is_root {
            *number = NONE;
        } else if *number == NONE {
            *number = ORPHAN;
        }
    }
    Ok(numbers)
}

const ORPHAN: u32 = NONE - 1;

/// Keys as nodes of a forest.
struct Nodes {
    /// The first row of each node.
    rows: Vec<u32>,
    /// The parent of each node; [`NONE`] for roots.
    parents: Vec<u32>,
}

impl Nodes {
    fn new(count: usize, numbers: &[u32], parents: &[u32], vectors: &LevelVectors) -> Result<Nodes> {
        let mut nodes = Nodes { rows: vec![NONE; count], parents: vec![NONE; count] };
        for (row, (&node, &parent)) in numbers.iter().zip(parents).enumerate() {
            if node == NONE {
                continue;
            }
            // A member that names itself as its parent is a root.
            let parent = if parent == node { NONE } else { parent };
            let at = node as usize;
            if nodes.rows[at] == NONE {
                nodes.rows[at] = row as u32;
                nodes.parents[at] = parent;
            } else if nodes.parents[at] != parent {
                bail!(Definition, "the member with the key '{}' has two parents", vectors.key.text(row));
            }
        }
        Ok(nodes)
    }

    /// Makes members without their parents roots, and counts them.
    fn adopt_orphans(&mut self) -> usize {
        let orphans = self.parents.iter_mut().filter(|p| **p == ORPHAN);
        orphans.map(|p| *p = NONE).count()
    }

    /// Nodes that roots lead to, each depth by parents, then by ordinal or key.
    fn breadth_first(&self, vectors: &LevelVectors, context: &Context) -> Result<Vec<u32>> {
        let key = vectors.key.ordered();
        let ordinal = vectors.ordinal.as_ref().map(super::vector::Vector::ordered);
        let mut children: Vec<Vec<u32>> = vec![Vec::new(); self.rows.len()];
        let mut roots = Vec::new();
        for (node, &parent) in self.parents.iter().enumerate() {
            if parent == NONE { &mut roots } else { &mut children[parent as usize] }.push(node as u32);
        }
        let mut step = 0;
        let mut sort = |siblings: &mut Vec<u32>| {
            siblings.sort_by(|&a, &b| {
                let (a, b) = (self.rows[a as usize], self.rows[b as usize]);
                let by_ordinal = ordinal.as_ref().map_or(std::cmp::Ordering::Equal, |o| o.compare(a, b));
                by_ordinal.then_with(|| key.compare(a, b))
            });
            context.check_every(&mut step)
        };
        sort(&mut roots)?;
        let mut order = roots;
        let mut next = 0;
        while next < order.len() {
            let mut below = std::mem::take(&mut children[order[next] as usize]);
            sort(&mut below)?;
            order.append(&mut below);
            next += 1;
        }
        Ok(order)
    }

    /// The keys of one cycle, as `1 → 2 → 1`.
    fn cycle(&self, reached: &[u32], vectors: &LevelVectors) -> String {
        let mut seen = vec![false; self.rows.len()];
        reached.iter().for_each(|&n| seen[n as usize] = true);
        let mut node = seen.iter().position(|s| !s).unwrap_or(0);
        // Up from any node that no root reaches leads into a cycle.
        while !seen[node] {
            seen[node] = true;
            node = self.parents[node] as usize;
        }
        let start = node;
        let mut text = String::new();
        for _ in 0..10 {
            text.push_str(&vectors.key.text(self.rows[node] as usize));
            text.push_str(" → ");
            node = self.parents[node] as usize;
            if node == start {
                break;
            }
        }
        text.push_str(if node == start { vectors.key.text(self.rows[node] as usize) } else { "…".into() }.as_ref());
        text
    }
}
