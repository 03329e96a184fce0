//! Order: ORDER, HIERARCHIZE, and the best and worst of a set.

use super::{Function, Run, function};
use crate::evaluate::{Batch, Evaluator, Set, Tuples};
use crate::expr::{Call, ExprKind, Kind, Kind::*};
use crate::functions::set::{count, slice};
use crate::navigate::Tree;
use facetta_model::sort::sorted;
use facetta_model::{Charge, Context, HierarchyId, MemberId, Members, Result, TupleSet, Value};
use rustc_hash::FxHashMap;
use std::cmp::Ordering;

pub(crate) const FUNCTIONS: &[Function] = &[
    function(
        "Order",
        &[Kind::Set, Kind::Value],
        Kind::Set,
        Run::Set(order),
        "A set ordered by a value within its hierarchies.",
    )
    .each(1),
    function(
        "Order",
        &[Kind::Set, Kind::Value, Symbol],
        Kind::Set,
        Run::Set(order),
        "A set ordered by a value: ASC and DESC keep hierarchies, BASC and BDESC break them.",
    )
    .each(1),
    function(
        "Order",
        &[Kind::Set, Kind::Value, Symbol, Kind::Value],
        Kind::Set,
        Run::Set(order),
        "A set ordered by two values, the last rising.",
    )
    .each(1)
    .each(3),
    function(
        "Order",
        &[Kind::Set, Kind::Value, Kind::Value, Symbol],
        Kind::Set,
        Run::Set(order),
        "A set ordered by two values, the first rising.",
    )
    .each(1)
    .each(2),
    function(
        "Order",
        &[Kind::Set, Kind::Value, Symbol, Kind::Value, Symbol],
        Kind::Set,
        Run::Set(order),
        "A set ordered by several values.",
    )
    .repeat(2)
    .each(1)
    .each(3)
    .each(5)
    .each(7)
    .each(9)
    .each(11)
    .each(13),
    function(
        "Hierarchize",
        &[Kind::Set],
        Kind::Set,
        Run::Set(hierarchize),
        "A set in the order of the tree, parents first.",
    ),
    function(
        "Hierarchize",
        &[Kind::Set, Symbol],
        Kind::Set,
        Run::Set(hierarchize),
        "A set in the order of the tree; with POST children first.",
    ),
    function("TopCount", &[Kind::Set, Numeric], Kind::Set, Run::Set(top_count), "The first tuples of a set."),
    function(
        "TopCount",
        &[Kind::Set, Numeric, Numeric],
        Kind::Set,
        Run::Set(top_count),
        "The tuples of a set with the greatest values.",
    )
    .each(2),
    function("BottomCount", &[Kind::Set, Numeric], Kind::Set, Run::Set(bottom_count), "The last tuples of a set."),
    function(
        "BottomCount",
        &[Kind::Set, Numeric, Numeric],
        Kind::Set,
        Run::Set(bottom_count),
        "The tuples of a set with the least values.",
    )
    .each(2),
    function(
        "TopPercent",
        &[Kind::Set, Numeric, Numeric],
        Kind::Set,
        Run::Set(top_percent),
        "The greatest tuples that make up a percentage of the total.",
    )
    .each(2),
    function(
        "BottomPercent",
        &[Kind::Set, Numeric, Numeric],
        Kind::Set,
        Run::Set(bottom_percent),
        "The least tuples that make up a percentage of the total.",
    )
    .each(2),
    function(
        "TopSum",
        &[Kind::Set, Numeric, Numeric],
        Kind::Set,
        Run::Set(top_sum),
        "The greatest tuples that make up a sum.",
    )
    .each(2),
    function(
        "BottomSum",
        &[Kind::Set, Numeric, Numeric],
        Kind::Set,
        Run::Set(bottom_sum),
        "The least tuples that make up a sum.",
    )
    .each(2),
];

/// One criterion of ORDER.
struct Key {
    values: Vec<Value>,
    descending: bool,
}

impl Key {
    fn compare(&self, a: usize, b: usize) -> Ordering {
        directed(&self.values[a], &self.values[b], self.descending)
    }
}

fn directed(a: &Value, b: &Value, descending: bool) -> Ordering {
    let ordering = a.compare(b);
    if descending { ordering.reverse() } else { ordering }
}

/// The criteria of a call of ORDER for the tuples of `set`.
fn keys(evaluator: &Evaluator, call: &Call, at: &Batch, set: &Set) -> Result<Vec<Key>> {
    let mut keys = Vec::new();
    let mut args = call.args[1..].iter().peekable();
    while let Some(arg) = args.next() {
        let flag = match args.peek().map(|a| &a.kind) {
            Some(ExprKind::Symbol(word)) => {
                args.next();
                word
            }
            _ => "ASC",
        };
        let values = evaluator.values_over(at, set, &call.args[0], Some(arg))?;
        keys.push(Key { values, descending: flag.ends_with("DESC") });
    }
    Ok(keys)
}

fn order(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let set = evaluator.set_at(&call.args[0], at)?;
    let tuples = set.tuples(&evaluator.context)?;
    let mut rows: Vec<usize> = (0..tuples.len()).collect();
    let symbol = |a: &crate::expr::Expr| matches!(&a.kind, ExprKind::Symbol(s) if !s.starts_with('B'));
    // Without a flag for its last criterion ORDER keeps hierarchies.
    let keeps = call.args.iter().any(symbol) || !matches!(call.args.last().map(|a| &a.kind), Some(ExprKind::Symbol(_)));
    if keeps {
        rows = sort_within(evaluator, call, at, &tuples)?;
    } else {
        let keys = keys(evaluator, call, at, &set)?;
        rows = sorted(rows, &evaluator.context, |&a, &b| by_keys(&keys, a, b))?;
    }
    reorder(evaluator, &tuples, &rows)
}

fn by_keys(keys: &[Key], a: usize, b: usize) -> Ordering {
    keys.iter().map(|k| k.compare(a, b)).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
}

fn reorder(evaluator: &Evaluator, set: &Tuples, rows: &[usize]) -> Result<Set> {
    let mut out = TupleSet::new(set.hierarchies.clone());
    out.members.reserve(rows.len() * set.arity());
    let mut step = 0;
    for &row in rows {
        evaluator.context.check_every(&mut step)?;
        out.members.extend_from_slice(set.get(row));
    }
    Set::new(out, &evaluator.context)
}

/// The values by which siblings at one position of tuples are ordered: by the members before them and their own.
struct Place {
    rows: FxHashMap<Vec<MemberId>, usize>,
    keys: Vec<Key>,
}

/// ASC and DESC: siblings are ordered by their own values, children stay under their parents. Tuples are compared by the
/// first hierarchy in which they differ, at the members before it and, for those after it, the current ones.
fn sort_within(evaluator: &Evaluator, call: &Call, at: &Batch, set: &Tuples) -> Result<Vec<usize>> {
    let members = evaluator.members();
    let trees: Vec<Tree<'_>> = set.hierarchies.iter().map(|h| Tree::new(&members, *h)).collect();
    let mut places = Vec::new();
    for (i, tree) in trees.iter().enumerate() {
        let mut prefixes = TupleSet::new(set.hierarchies[..=i].to_vec());
        let mut rows: FxHashMap<Vec<MemberId>, usize> = FxHashMap::default();
        let mut step = 0;
        for tuple in set.iter() {
            evaluator.context.check_every(&mut step)?;
            let mut prefix = tuple[..=i].to_vec();
            while !prefix[i].is_null() && !rows.contains_key(&prefix) {
                rows.insert(prefix.clone(), prefixes.len());
                prefixes.members.extend_from_slice(&prefix);
                prefix[i] = tree.parent(prefix[i]);
            }
        }
        let keys = keys(evaluator, call, at, &Set::new(prefixes, &evaluator.context)?)?;
        places.push(Place { rows, keys });
    }
    // Among tuples DESC turns the order of siblings round even where their values are equal, as Mondrian has it.
    let descending = places.first().is_some_and(|p| p.keys.iter().all(|k| k.descending));
    let ties_reversed = trees.len() > 1 && descending && evaluator.cube.compatibility.ties_follow_direction();
    sorted((0..set.len()).collect(), &evaluator.context, |&a, &b| {
        let (x, y) = (set.get(a), set.get(b));
        match (0..trees.len()).find(|&i| x[i] != y[i]) {
            Some(i) => compare_in_tree(trees[i], &x[..=i], &y[..=i], &places[i], ties_reversed),
            None => Ordering::Equal,
        }
    })
}

fn compare_in_tree(tree: Tree<'_>, x: &[MemberId], y: &[MemberId], place: &Place, ties_reversed: bool) -> Ordering {
    let i = x.len() - 1;
    let path = |mut m: MemberId| {
        let mut path = Vec::new();
        while !m.is_null() {
            path.push(m);
            m = tree.parent(m);
        }
        path.reverse();
        path
    };
    let (up, vp) = (path(x[i]), path(y[i]));
    let common = up.iter().zip(&vp).take_while(|(u, v)| u == v).count();
    let (u, v) = match (up.get(common), vp.get(common)) {
        (None, _) => return Ordering::Less,
        (_, None) => return Ordering::Greater,
        (Some(u), Some(v)) => (*u, *v),
    };
    let row = |member: MemberId| {
        let mut prefix = x.to_vec();
        prefix[i] = member;
        place.rows.get(&prefix)
    };
    match (row(u), row(v)) {
        (Some(&a), Some(&b)) => by_keys(&place.keys, a, b).then_with(|| {
            let natural = tree.key(u).cmp(&tree.key(v));
            if ties_reversed { natural.reverse() } else { natural }
        }),
        _ => tree.key(u).cmp(&tree.key(v)),
    }
}

/// Members of one hierarchy in its order.
pub(crate) fn sorted_members(members: &Members, hierarchy: HierarchyId, of: &[MemberId]) -> Vec<MemberId> {
    let tree = Tree::new(members, hierarchy);
    let mut out = of.to_vec();
    out.sort_by_key(|m| tree.key(*m));
    out
}

fn hierarchize(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let set = evaluator.tuples_at(&call.args[0], at)?;
    let members = evaluator.members();
    let post = call.has_symbol("POST");
    let trees: Vec<Tree<'_>> = set.hierarchies.iter().map(|h| Tree::new(&members, *h)).collect();
    let mut rows: Vec<usize> = (0..set.len()).collect();
    let mut step = 0;
    if post {
        let mut keys: Vec<Vec<_>> = Vec::with_capacity(set.len());
        for tuple in set.iter() {
            evaluator.context.check_every(&mut step)?;
            keys.push(tuple.iter().zip(&trees).map(|(m, tree)| tree.key_after_children(*m)).collect());
        }
        rows = sorted(rows, &evaluator.context, |&a, &b| keys[a].cmp(&keys[b]))?;
    } else {
        let charge = evaluator.context.charge("Hierarchize", set.len() * set.arity() * 8)?;
        let n = set.arity();
        let mut keys: Vec<(u32, u32)> = Vec::with_capacity(set.len() * n);
        for tuple in set.iter() {
            evaluator.context.check_every(&mut step)?;
            keys.extend(tuple.iter().zip(&trees).map(|(m, tree)| tree.key(*m)));
        }
        rows = sorted(rows, &evaluator.context, |&a, &b| keys[a * n..(a + 1) * n].cmp(&keys[b * n..(b + 1) * n]))?;
        drop(charge);
    }
    reorder(evaluator, &set, &rows)
}

/// The tuples of a set with their values, the best first; empty ones last, ties in the order of the set.
fn ranked(
    evaluator: &Evaluator,
    call: &Call,
    at: &Batch,
    top: bool,
) -> Result<(std::sync::Arc<Tuples>, Vec<usize>, Vec<Value>)> {
    let set = evaluator.set_at(&call.args[0], at)?;
    let values = evaluator.values_over(at, &set, &call.args[0], Some(&call.args[2]))?;
    let tuples = set.tuples(&evaluator.context)?;
    let rows = sorted((0..tuples.len()).collect(), &evaluator.context, |&a: &usize, &b: &usize| {
        directed(&values[a], &values[b], top)
    })?;
    Ok((tuples, rows, values))
}

fn top_count(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    best(evaluator, call, at, true)
}

fn bottom_count(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    best(evaluator, call, at, false)
}

fn best(evaluator: &Evaluator, call: &Call, at: &Batch, top: bool) -> Result<Set> {
    let n = count(evaluator, call, 1, at, 0)?.max(0) as u64;
    let set = evaluator.set_at(&call.args[0], at)?;
    let Some(value) = call.arg(2) else {
        let len = set.len();
        return slice(evaluator, &set, if top { 0 } else { len.saturating_sub(n) }, n);
    };
    if n == 0 {
        return Ok(Set::empty(&set.hierarchies()));
    }
    let mut kept = Best::new(evaluator, n, top)?;
    evaluator
        .for_each_value_of(at, &set, &call.args[0], Some(value), &mut |position, value| kept.offer(position, value))?;
    let mut out = TupleSet::new(set.hierarchies());
    let mut tuple = Vec::new();
    for (_, position) in kept.finish()? {
        set.read(position, &mut tuple);
        out.members.extend_from_slice(&tuple);
    }
    Set::new(out, &evaluator.context)
}

/// The best of values that come one after the other: those that cannot be among them any more are not kept, so that a set of
/// any size needs the memory of what is asked for.
struct Best<'e> {
    context: &'e Context,
    wanted: usize,
    top: bool,
    /// Values and positions; those after the first `wanted` have come since it was sorted.
    kept: Vec<(Value, u64)>,
    /// The last of `wanted` that are better than all others so far: what is not better than it is too late.
    last: Option<Value>,
    charge: Charge,
}

impl Best<'_> {
    /// How many are gathered at least before they are sorted.
    const GATHERED: usize = 4096;

    fn new(evaluator: &Evaluator, wanted: u64, top: bool) -> Result<Best<'_>> {
        let context = &evaluator.context;
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        Ok(Best { context, wanted, top, kept: Vec::new(), last: None, charge: context.charge("TopCount", 0)? })
    }

    fn offer(&mut self, position: u64, value: &Value) -> Result<()> {
        if self.last.as_ref().is_some_and(|last| directed(value, last, self.top).is_ge()) {
            return Ok(());
        }
        if self.kept.len() == self.kept.capacity() {
            let room = (self.kept.len() * 2).max(64);
            self.charge.resize(room * size_of::<(Value, u64)>())?;
            self.kept.reserve_exact(room - self.kept.len());
        }
        self.kept.push((value.clone(), position));
        if self.kept.len() >= self.wanted.saturating_mul(2).max(Self::GATHERED) {
            self.sort()?;
        }
        Ok(())
    }

    /// Ties stay in the order of the set.
    fn sort(&mut self) -> Result<()> {
        let top = self.top;
        let mut all = sorted(std::mem::take(&mut self.kept), self.context, |a, b| directed(&a.0, &b.0, top))?;
        all.truncate(self.wanted);
        self.last = all.last().filter(|_| all.len() == self.wanted).map(|(value, _)| value.clone());
        self.kept = all;
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<(Value, u64)>> {
        self.sort()?;
        Ok(self.kept)
    }
}

/// The best tuples until their values reach `target` of what they add up to.
fn until(evaluator: &Evaluator, call: &Call, at: &Batch, top: bool, percent: bool) -> Result<Set> {
    let limit = evaluator.number_at(&call.args[1], at)?.unwrap_or(0.0);
    let (set, mut rows, values) = ranked(evaluator, call, at, top)?;
    let number = |v: &Value| v.as_f64().unwrap_or(0.0);
    let total: f64 = values.iter().map(number).sum();
    // A total of zero makes every share no number, which reaches no target: all tuples are taken.
    let share = |v: &Value| if percent { number(v) / total * 100.0 } else { number(v) };
    if percent && values.iter().all(Value::is_empty) && !rows.is_empty() {
        if evaluator.cube.compatibility.empty_values_share_equally() {
            let wanted = (limit / 100.0 * rows.len() as f64).ceil().clamp(0.0, rows.len() as f64);
            rows.truncate(wanted as usize);
            return reorder(evaluator, &set, &rows);
        }
        // Where nothing has a value, one tuple stands for the percentage, as Analysis Services has it.
        let at = if top { 0 } else { rows.len() - 1 };
        return reorder(evaluator, &set, &rows[at..=at]);
    }
    let mut running = 0.0;
    let mut taken = 0;
    for &row in &rows {
        if running >= limit {
            break;
        }
        running += if values[row].is_empty() { 0.0 } else { share(&values[row]) };
        taken += 1;
    }
    rows.truncate(taken);
    reorder(evaluator, &set, &rows)
}

fn top_percent(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    until(evaluator, call, at, true, true)
}

fn bottom_percent(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    until(evaluator, call, at, false, true)
}

fn top_sum(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    until(evaluator, call, at, true, false)
}

fn bottom_sum(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    until(evaluator, call, at, false, false)
}
