//! Sets from sets: products, unions, filters, parts.

use super::{Function, Run, Typing, function};
use crate::evaluate::{Batch, Evaluator, Set, Tuples};
use crate::expr::{Call, Expr, Kind, Kind::*, Type};
use crate::resolve::same_hierarchies;
use facetta_model::{HierarchyId, MemberId, Result, TupleSet, Value, bail};
use rustc_hash::FxHashSet;
use std::sync::Arc;

pub(crate) const FUNCTIONS: &[Function] = &[
    function("Crossjoin", &[Kind::Set, Kind::Set], Kind::Set, Run::Set(crossjoin), "The product of sets.")
        .repeat(1)
        .typed(Typing::Product),
    function("*", &[Kind::Set, Kind::Set], Kind::Set, Run::Set(crossjoin), "The product of two sets.")
        .infix()
        .typed(Typing::By(product)),
    function("Union", &[Kind::Set, Kind::Set], Kind::Set, Run::Set(union), "The tuples of sets, each once.")
        .repeat(1)
        .typed(Typing::By(same)),
    function(
        "Union",
        &[Kind::Set, Kind::Set, Symbol],
        Kind::Set,
        Run::Set(union),
        "The tuples of two sets; with ALL also those that both have.",
    )
    .typed(Typing::By(same)),
    function(
        "Except",
        &[Kind::Set, Kind::Set],
        Kind::Set,
        Run::Set(except),
        "The tuples of a set that another has not.",
    )
    .typed(Typing::By(same)),
    function(
        "Except",
        &[Kind::Set, Kind::Set, Symbol],
        Kind::Set,
        Run::Set(except),
        "The tuples of a set that another has not; with ALL duplicates stay.",
    )
    .typed(Typing::By(same)),
    function("-", &[Kind::Set], Kind::Set, Run::Set(complement), "The members of a level that a set has not.").prefix(),
    function(
        "Intersect",
        &[Kind::Set, Kind::Set],
        Kind::Set,
        Run::Set(intersect),
        "The tuples that two sets have in common.",
    )
    .typed(Typing::By(same)),
    function(
        "Intersect",
        &[Kind::Set, Kind::Set, Symbol],
        Kind::Set,
        Run::Set(intersect),
        "The tuples that two sets have in common; with ALL duplicates stay.",
    )
    .typed(Typing::By(same)),
    function("Distinct", &[Kind::Set], Kind::Set, Run::Set(distinct), "The tuples of a set, each once."),
    function("Head", &[Kind::Set], Kind::Set, Run::Set(head), "The first tuple of a set."),
    function("Head", &[Kind::Set, Numeric], Kind::Set, Run::Set(head), "The first tuples of a set."),
    function("Tail", &[Kind::Set], Kind::Set, Run::Set(tail), "The last tuple of a set."),
    function("Tail", &[Kind::Set, Numeric], Kind::Set, Run::Set(tail), "The last tuples of a set."),
    function("Subset", &[Kind::Set, Numeric], Kind::Set, Run::Set(subset), "The tuples of a set from a position."),
    function(
        "Subset",
        &[Kind::Set, Numeric, Numeric],
        Kind::Set,
        Run::Set(subset),
        "So many tuples of a set from a position.",
    ),
    function(
        "Filter",
        &[Kind::Set, Logical],
        Kind::Set,
        Run::Set(filter),
        "The tuples of a set for which a condition holds.",
    )
    .each(1),
    function(
        "Generate",
        &[Kind::Set, Kind::Set],
        Kind::Set,
        Run::Set(generate),
        "The union of a set for each tuple of another.",
    )
    .each(1)
    .typed(Typing::Argument(1)),
    function(
        "Generate",
        &[Kind::Set, Kind::Set, Symbol],
        Kind::Set,
        Run::Set(generate),
        "The union of a set for each tuple of another; with ALL duplicates stay.",
    )
    .each(1)
    .typed(Typing::Argument(1)),
    function(
        "Extract of",
        &[Kind::Set, Hierarchy],
        Kind::Set,
        Run::Set(extract),
        "The distinct tuples of some hierarchies of a set.",
    )
    .repeat(1),
    function(
        "Extract",
        &[Kind::Set, Hierarchy],
        Kind::Set,
        Run::Resolver,
        "The distinct tuples of some hierarchies of a set.",
    )
    .repeat(1),
    function(
        "Exists",
        &[Kind::Set, Kind::Set],
        Kind::Set,
        Run::Set(exists),
        "The tuples of a set that exist together with one of another.",
    ),
    function(
        "CachedExists",
        &[Kind::Set, Tuple, String],
        Kind::Set,
        Run::Set(exists_tuple),
        "The tuples of a set that exist together with a tuple; the text names the set.",
    ),
    function(
        "Existing",
        &[Kind::Set],
        Kind::Set,
        Run::Set(existing),
        "The tuples of a set that exist in the current context.",
    )
    .on_all(),
    function(
        "Existing",
        &[Kind::Set],
        Kind::Set,
        Run::Set(existing),
        "The tuples of a set that exist in the current context.",
    )
    .prefix()
    .on_all(),
    function(
        "NonEmptyCrossJoin",
        &[Kind::Set],
        Kind::Set,
        Run::Set(super::set_native::non_empty_crossjoin),
        "The tuples of a product that have fact rows.",
    )
    .repeat(1)
    .on_cells()
    .typed(Typing::Product),
    function(
        "NonEmptyCrossJoin",
        &[Kind::Set, Kind::Set, Numeric],
        Kind::Set,
        Run::Set(super::set_native::non_empty_crossjoin),
        "The tuples of a product that have fact rows; the rest is a filter.",
    )
    .on_all()
    .typed(Typing::By(product)),
    function(
        "NonEmpty",
        &[Kind::Set],
        Kind::Set,
        Run::Set(non_empty),
        "The tuples of a set whose cells are not empty.",
    )
    .on_cells(),
    function(
        "NonEmpty",
        &[Kind::Set, Kind::Set],
        Kind::Set,
        Run::Set(non_empty),
        "The tuples of a set with a cell that is not empty at a tuple of another.",
    )
    .on_cells(),
    function(
        "AddCalculatedMembers",
        &[Kind::Set],
        Kind::Set,
        Run::Set(add_calculated),
        "A set with the calculated siblings of its members.",
    ),
    function(
        "StripCalculatedMembers",
        &[Kind::Set],
        Kind::Set,
        Run::Set(strip_calculated),
        "A set without its calculated members.",
    ),
    function("Unorder", &[Kind::Set], Kind::Set, Run::Set(same_set), "The set; its order does not matter to the rest."),
    function("NativizeSet", &[Kind::Set], Kind::Set, Run::Set(same_set), "The set; a hint to evaluate it in storage."),
    function("Cache", &[Kind::Set], Kind::Set, Run::Resolver, "The set; a hint to evaluate it once."),
    function("StrToSet of", &[String], Kind::Set, Run::Set(text_to_set), "The set that a computed text is."),
    function("StrToSet", &[String], Kind::Set, Run::Resolver, "The set that a text is."),
    function("NameToSet", &[String], Kind::Set, Run::Set(name_to_set), "The set of the one member that a text names."),
];

/// That sets are over the same hierarchies.
fn same(args: &[Expr]) -> Result<Type> {
    let mut found: Option<&Type> = None;
    for arg in args.iter().filter(|a| a.ty.kind == Kind::Set) {
        let Some(these) = &arg.ty.hierarchies else { continue };
        match found.and_then(|f| f.hierarchies.as_ref()) {
            Some(first) if !same_hierarchies(first, these) => {
                bail!(Type, "All arguments to function must have same hierarchy.")
            }
            Some(_) => {}
            None => found = Some(&arg.ty),
        }
    }
    Ok(found.cloned().unwrap_or(Type::of(Kind::Set)))
}

fn product(args: &[Expr]) -> Result<Type> {
    let mut all: Vec<HierarchyId> = Vec::new();
    for arg in args.iter().filter(|a| a.ty.kind == Kind::Set) {
        match arg.ty.hierarchies.as_deref() {
            Some(these) => all.extend_from_slice(these),
            None => return Ok(Type::of(Kind::Set)),
        }
    }
    Ok(Type::over(Kind::Set, all))
}

fn crossjoin(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let mut sets = call.args.iter().map(|arg| evaluator.set_at(arg, at));
    let Some(first) = sets.next() else { bail!(Internal, "Crossjoin of nothing") };
    let set = sets.try_fold(first?, |product, set| Ok::<_, facetta_model::Error>(product.times(&set?)))?;
    let hierarchies = set.hierarchies();
    for (i, h) in hierarchies.iter().enumerate() {
        if hierarchies[..i].contains(h) {
            let name = &evaluator.cube.hierarchy(*h).unique_name;
            bail!(HierarchyTwice, "Tuple contains more than one member of hierarchy '{name}'.");
        }
    }
    Ok(set)
}

/// The tuples of `set` that `keep` takes, in order.
pub(crate) fn retain(
    evaluator: &Evaluator,
    set: &Tuples,
    mut keep: impl FnMut(usize, &[MemberId]) -> bool,
) -> Result<Set> {
    let mut out = TupleSet::new(set.hierarchies.clone());
    let mut step = 0;
    for (i, tuple) in set.iter().enumerate() {
        evaluator.context.check_every(&mut step)?;
        if keep(i, tuple) {
            out.members.extend_from_slice(tuple);
        }
    }
    Set::new(out, &evaluator.context)
}

fn once(evaluator: &Evaluator, set: &Tuples) -> Result<Set> {
    let mut seen: FxHashSet<&[MemberId]> = FxHashSet::default();
    let charge = evaluator.context.charge("Distinct", set.len() * 24)?;
    if set.members.iter().any(|m| m.is_calculated()) {
        let mut seen: FxHashSet<Vec<MemberId>> = FxHashSet::default();
        let kept: Vec<bool> = plain(evaluator, set).into_iter().map(|t| seen.insert(t)).collect();
        drop(charge);
        return retain(evaluator, set, |i, _| kept[i]);
    }
    let mut kept: Vec<bool> = Vec::with_capacity(set.len());
    let mut step = 0;
    for tuple in set.iter() {
        evaluator.context.check_every(&mut step)?;
        kept.push(seen.insert(tuple));
    }
    drop(charge);
    retain(evaluator, set, |i, _| kept[i])
}

fn distinct(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    // The distinct tuples of a product are the product of the distinct ones of its parts, in the same order.
    let set = evaluator.set_at(&call.args[0], at)?;
    let mut parts = Vec::with_capacity(set.parts().len());
    for part in set.parts() {
        parts.extend_from_slice(once(evaluator, part)?.parts());
    }
    Ok(Set::product(parts))
}

fn union(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let mut out = TupleSet::default();
    for arg in call.args.iter().filter(|a| a.ty.kind == Kind::Set) {
        let set = evaluator.tuples_at(arg, at)?;
        if out.hierarchies.is_empty() {
            out.hierarchies.clone_from(&set.hierarchies);
        }
        evaluator.append(&mut out, &set)?;
    }
    let all = Tuples::new(out, &evaluator.context)?;
    if call.has_symbol("ALL") { Ok(Set::shared(Arc::new(all))) } else { once(evaluator, &all) }
}

/// The tuples of an argument in the order of hierarchies of another, to be looked up.
fn lookup(evaluator: &Evaluator, call: &Call, index: usize, like: &Tuples, at: &Batch) -> Result<Arc<Tuples>> {
    let set = evaluator.tuples_at(&call.args[index], at)?;
    if set.hierarchies == like.hierarchies || set.is_empty() || like.is_empty() {
        return Ok(set);
    }
    let mut ordered = TupleSet::new(like.hierarchies.clone());
    evaluator.append(&mut ordered, &set)?;
    Ok(Arc::new(Tuples::new(ordered, &evaluator.context)?))
}

/// A tuple in the form in which it is compared: another look at a member counts as the member.
fn plain(evaluator: &Evaluator, set: &Tuples) -> Vec<Vec<MemberId>> {
    let members = evaluator.members();
    set.iter().map(|t| t.iter().map(|m| members.original(*m)).collect()).collect()
}

fn except(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let set = evaluator.tuples_at(&call.args[0], at)?;
    let without = lookup(evaluator, call, 1, &set, at)?;
    let without: FxHashSet<Vec<MemberId>> = plain(evaluator, &without).into_iter().collect();
    let own = plain(evaluator, &set);
    let kept = retain(evaluator, &set, |i, _| !without.contains(&own[i]))?;
    if call.has_symbol("ALL") { Ok(kept) } else { once(evaluator, &*kept.tuples(&evaluator.context)?) }
}

fn complement(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let set = evaluator.tuples_at(&call.args[0], at)?;
    let [hierarchy] = set.hierarchies[..] else { bail!(Type, "the complement of a set of tuples is not known") };
    let members = evaluator.members();
    let tree = crate::navigate::Tree::new(&members, hierarchy);
    let levels: FxHashSet<_> = set.members.iter().map(|m| tree.level(*m)).collect();
    let mut rest = Vec::new();
    for level in levels {
        rest.extend(tree.level_members(level).into_iter().filter(|m| !set.members.contains(m)));
    }
    Set::of_members(hierarchy, rest, &evaluator.context)
}

fn intersect(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let set = evaluator.tuples_at(&call.args[0], at)?;
    let other = lookup(evaluator, call, 1, &set, at)?;
    // Where the other set has another look at a member (visual totals), that look is taken.
    let mut looks: rustc_hash::FxHashMap<Vec<MemberId>, Vec<usize>> = rustc_hash::FxHashMap::default();
    for (i, tuple) in plain(evaluator, &other).into_iter().enumerate() {
        looks.entry(tuple).or_default().push(i);
    }
    let mut out = TupleSet::new(set.hierarchies.clone());
    let all = call.has_symbol("ALL");
    let mut seen = FxHashSet::default();
    for (i, tuple) in plain(evaluator, &set).into_iter().enumerate() {
        let Some(found) = looks.get(&tuple) else { continue };
        let own = set.get(i);
        let taken = if own == tuple.as_slice() { other.get(found[0]) } else { own };
        if all || seen.insert(tuple) {
            out.members.extend_from_slice(taken);
        }
    }
    Set::new(out, &evaluator.context)
}

/// A part of a set by position.
pub(crate) fn slice(evaluator: &Evaluator, set: &Set, start: u64, len: u64) -> Result<Set> {
    let len = len.min(set.len().saturating_sub(start));
    let mut out = TupleSet::new(set.hierarchies());
    let charge = evaluator.context.charge("Set", (len as usize).saturating_mul(4 * set.arity()))?;
    let mut tuple = Vec::new();
    let mut step = 0;
    for index in start..start + len {
        evaluator.context.check_every(&mut step)?;
        set.read(index, &mut tuple);
        out.members.extend_from_slice(&tuple);
    }
    drop(charge);
    Set::new(out, &evaluator.context)
}

/// A count that an optional argument says; null counts as 0.
pub(crate) fn count(evaluator: &Evaluator, call: &Call, index: usize, at: &Batch, default: i64) -> Result<i64> {
    match call.arg(index) {
        Some(arg) => Ok(evaluator.integer_at(arg, at)?.unwrap_or(0)),
        None => Ok(default),
    }
}

fn head(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let set = evaluator.set_at(&call.args[0], at)?;
    let n = count(evaluator, call, 1, at, 1)?.max(0) as u64;
    if n >= set.len() { Ok(set) } else { slice(evaluator, &set, 0, n) }
}

fn tail(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let set = evaluator.set_at(&call.args[0], at)?;
    let n = count(evaluator, call, 1, at, 1)?.max(0) as u64;
    if n >= set.len() { Ok(set) } else { slice(evaluator, &set, set.len() - n, n) }
}

fn subset(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let set = evaluator.set_at(&call.args[0], at)?;
    let start = count(evaluator, call, 1, at, 0)?;
    let n = count(evaluator, call, 2, at, i64::MAX)?;
    if start < 0 || n <= 0 || start as u64 >= set.len() {
        return Ok(Set::empty(&set.hierarchies()));
    }
    slice(evaluator, &set, start as u64, n as u64)
}

fn filter(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let set = evaluator.set_at(&call.args[0], at)?;
    evaluator.filter(&set, &call.args[0], &call.args[1], at)
}

fn generate(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let mut out = TupleSet::default();
    evaluator.for_each_tuple(&call.args[0], at, &mut |inner| {
        let set = evaluator.tuples_at(&call.args[1], inner)?;
        if out.hierarchies.is_empty() {
            out.hierarchies.clone_from(&set.hierarchies);
        }
        evaluator.append(&mut out, &set)
    })?;
    if out.hierarchies.is_empty() {
        return Ok(Set::empty(call.ty.hierarchies.as_deref().unwrap_or_default()));
    }
    let all = Tuples::new(out, &evaluator.context)?;
    if call.has_symbol("ALL") { Ok(Set::shared(Arc::new(all))) } else { once(evaluator, &all) }
}

fn extract(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let set = evaluator.tuples_at(&call.args[0], at)?;
    let wanted: Vec<HierarchyId> = call.ty.hierarchies.as_deref().unwrap_or_default().to_vec();
    let mut out = TupleSet::new(wanted.clone());
    if !set.is_empty() {
        let of = |h: &HierarchyId| set.hierarchies.iter().position(|s| s == h);
        let Some(columns) = wanted.iter().map(of).collect::<Option<Vec<_>>>() else {
            bail!(Type, "a hierarchy is not one of the set")
        };
        for tuple in set.iter() {
            out.members.extend(columns.iter().map(|&c| tuple[c]));
        }
    }
    once(evaluator, &Tuples::new(out, &evaluator.context)?)
}

fn exists(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let set = evaluator.tuples_at(&call.args[0], at)?;
    let other = evaluator.tuples_at(&call.args[1], at)?;
    evaluator.exists_by_default(&set, &other)
}

fn exists_tuple(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let set = evaluator.tuples_at(&call.args[0], at)?;
    let tuple = evaluator.tuples(&call.args[1], at)?;
    let members = tuple.get(0).unwrap_or_default();
    let other = Tuples::new(TupleSet { hierarchies: tuple.hierarchies, members }, &evaluator.context)?;
    evaluator.exists(&set, &other)
}

fn existing(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let set = evaluator.tuples_at(&call.args[0], at)?;
    evaluator.existing(&set, at)
}

fn non_empty(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let set = evaluator.set_at(&call.args[0], at)?;
    match call.arg(1) {
        Some(arg) => {
            let other = evaluator.set_at(arg, at)?;
            evaluator.non_empty(&set, std::slice::from_ref(&other), at)
        }
        None => evaluator.non_empty(&set, &[], at),
    }
}

fn add_calculated(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let set = evaluator.tuples_at(&call.args[0], at)?;
    let [hierarchy] = set.hierarchies[..] else {
        if set.is_empty() {
            return Ok(Set::shared(set));
        }
        bail!(Type, "AddCalculatedMembers takes a set of members, not of tuples")
    };
    let members = evaluator.members();
    let tree = crate::navigate::Tree::new(&members, hierarchy);
    let mut out: Vec<MemberId> = set.members.clone();
    let parents: FxHashSet<MemberId> = set.members.iter().map(|m| tree.parent(*m)).collect();
    for calculated in tree.calculated(None) {
        let parent = tree.parent(calculated);
        let level = tree.level(calculated);
        if parents.contains(&parent)
            && set.members.iter().any(|m| tree.level(*m) == level)
            && !out.contains(&calculated)
        {
            out.push(calculated);
        }
    }
    Set::of_members(hierarchy, out, &evaluator.context)
}

fn strip_calculated(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let set = evaluator.tuples_at(&call.args[0], at)?;
    retain(evaluator, &set, |_, tuple| tuple.iter().all(|m| !m.is_calculated()))
}

fn same_set(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    evaluator.set_at(&call.args[0], at)
}

fn text_to_set(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    match evaluator.values(&call.args[0], at)?.get(0) {
        Value::Error(e) => Err(e.clone()),
        text => evaluator.set_named(&text.to_string(), at),
    }
}

fn name_to_set(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let text = evaluator.values(&call.args[0], at)?.get(0).to_string();
    let member = evaluator.member_named(&text)?;
    Set::of_members(member.hierarchy, vec![member.as_member()], &evaluator.context)
}
