//! Drilling: sets with children put after their parents, or taken away.

use super::{Function, Run, function};
use crate::evaluate::{Batch, Evaluator, Set, Tuples};
use crate::expr::{Call, Expr, Kind, Kind::*};
use crate::functions::set::count;
use crate::navigate::Tree;
use facetta_model::{LevelId, MemberId, Result, TupleSet, bail};
use rustc_hash::FxHashSet;

pub(crate) const FUNCTIONS: &[Function] = &[
    function(
        "DrilldownLevel",
        &[Kind::Set],
        Kind::Set,
        Run::Set(drilldown_level),
        "A set with the children of its deepest members.",
    ),
    function(
        "DrilldownLevel",
        &[Kind::Set, Level],
        Kind::Set,
        Run::Set(drilldown_level),
        "A set with the children of its members of a level.",
    ),
    function(
        "DrilldownLevel",
        &[Kind::Set, Missing, Numeric],
        Kind::Set,
        Run::Set(drilldown_level),
        "A set with the children of the deepest members at a position of its tuples.",
    ),
    function(
        "DrilldownLevel",
        &[Kind::Set, Missing, Missing, Symbol],
        Kind::Set,
        Run::Set(drilldown_level),
        "A set with the children of its deepest members, calculated ones too.",
    ),
    function(
        "DrilldownLevel",
        &[Kind::Set, Level, Missing, Symbol],
        Kind::Set,
        Run::Set(drilldown_level),
        "A set with the children of its members of a level, calculated ones too.",
    ),
    function(
        "DrilldownLevel",
        &[Kind::Set, Missing, Numeric, Symbol],
        Kind::Set,
        Run::Set(drilldown_level),
        "A set with the children at a position of its tuples, calculated ones too.",
    ),
    function(
        "DrilldownLevelTop",
        &[Kind::Set, Numeric],
        Kind::Set,
        Run::Set(drilldown_top),
        "A set with the best children of its deepest members.",
    )
    .on_cells(),
    function(
        "DrilldownLevelTop",
        &[Kind::Set, Numeric, Level],
        Kind::Set,
        Run::Set(drilldown_top),
        "A set with the best children of its members of a level.",
    )
    .on_cells(),
    function(
        "DrilldownLevelTop",
        &[Kind::Set, Numeric, Missing, Numeric],
        Kind::Set,
        Run::Set(drilldown_top),
        "A set with the best children of its deepest members by a value.",
    )
    .each(3),
    function(
        "DrilldownLevelTop",
        &[Kind::Set, Numeric, Level, Numeric],
        Kind::Set,
        Run::Set(drilldown_top),
        "A set with the best children of its members of a level by a value.",
    )
    .each(3),
    function(
        "DrilldownLevelBottom",
        &[Kind::Set, Numeric],
        Kind::Set,
        Run::Set(drilldown_bottom),
        "A set with the worst children of its deepest members.",
    )
    .on_cells(),
    function(
        "DrilldownLevelBottom",
        &[Kind::Set, Numeric, Level],
        Kind::Set,
        Run::Set(drilldown_bottom),
        "A set with the worst children of its members of a level.",
    )
    .on_cells(),
    function(
        "DrilldownLevelBottom",
        &[Kind::Set, Numeric, Missing, Numeric],
        Kind::Set,
        Run::Set(drilldown_bottom),
        "A set with the worst children of its deepest members by a value.",
    )
    .each(3),
    function(
        "DrilldownLevelBottom",
        &[Kind::Set, Numeric, Level, Numeric],
        Kind::Set,
        Run::Set(drilldown_bottom),
        "A set with the worst children of its members of a level by a value.",
    )
    .each(3),
    function(
        "DrilldownMember",
        &[Kind::Set, Kind::Set],
        Kind::Set,
        Run::Set(drilldown_member),
        "A set with the children of those members that another set has.",
    ),
    function(
        "DrilldownMember",
        &[Kind::Set, Kind::Set, Symbol],
        Kind::Set,
        Run::Set(drilldown_member),
        "A set with the children of those members that another set has; with RECURSIVE of those too.",
    ),
    function(
        "DrilldownMember",
        &[Kind::Set, Kind::Set, Hierarchy],
        Kind::Set,
        Run::Set(drilldown_member),
        "A set with the children of a hierarchy's members that another set has.",
    ),
    function(
        "DrilldownMember",
        &[Kind::Set, Kind::Set, Hierarchy, Symbol],
        Kind::Set,
        Run::Set(drilldown_member),
        "A set with the children of a hierarchy's members that another set has.",
    ),
    function(
        "DrilldownMember",
        &[Kind::Set, Kind::Set, Hierarchy, Missing, Symbol],
        Kind::Set,
        Run::Set(drilldown_member),
        "A set with the children of a hierarchy's members that another set has, calculated ones too.",
    ),
    function(
        "DrilldownMember",
        &[Kind::Set, Kind::Set, Missing, Missing, Symbol],
        Kind::Set,
        Run::Set(drilldown_member),
        "A set with the children of those members that another set has, calculated ones too.",
    ),
    function(
        "DrilldownMemberTop",
        &[Kind::Set, Kind::Set, Numeric],
        Kind::Set,
        Run::Set(drilldown_member_top),
        "A set with the best children of those members that another set has.",
    )
    .on_cells(),
    function(
        "DrilldownMemberTop",
        &[Kind::Set, Kind::Set, Numeric, Numeric],
        Kind::Set,
        Run::Set(drilldown_member_top),
        "A set with the best children, by a value, of those members that another set has.",
    )
    .each(3),
    function(
        "DrilldownMemberBottom",
        &[Kind::Set, Kind::Set, Numeric],
        Kind::Set,
        Run::Set(drilldown_member_bottom),
        "A set with the worst children of those members that another set has.",
    )
    .on_cells(),
    function(
        "DrilldownMemberBottom",
        &[Kind::Set, Kind::Set, Numeric, Numeric],
        Kind::Set,
        Run::Set(drilldown_member_bottom),
        "A set with the worst children, by a value, of those members that another set has.",
    )
    .each(3),
    function(
        "DrillupMember",
        &[Kind::Set, Kind::Set],
        Kind::Set,
        Run::Set(drillup_member),
        "A set without what lies below those members that another set has.",
    ),
    function("DrillupLevel", &[Kind::Set], Kind::Set, Run::Set(drillup_level), "A set without its deepest members."),
    function(
        "DrillupLevel",
        &[Kind::Set, Level],
        Kind::Set,
        Run::Set(drillup_level),
        "A set without what lies below a level.",
    ),
    function(
        "ToggleDrillState",
        &[Kind::Set, Kind::Set],
        Kind::Set,
        Run::Set(toggle),
        "A set with those members drilled down or up that another set has.",
    ),
    function(
        "ToggleDrillState",
        &[Kind::Set, Kind::Set, Symbol],
        Kind::Set,
        Run::Set(toggle),
        "A set with those members drilled down or up that another set has.",
    ),
];

/// Whether calculated children count.
fn with_calculated(call: &Call) -> bool {
    call.has_symbol("INCLUDE_CALC_MEMBERS")
}

fn children(tree: Tree<'_>, member: MemberId, calculated: bool) -> Vec<MemberId> {
    let mut children = tree.children(member);
    if calculated && !member.is_null() {
        let all = tree.hierarchy().all_member() == Some(member);
        let below = |m: &MemberId| tree.parent(*m) == member || all && tree.parent(*m).is_null();
        children.extend(tree.calculated(None).into_iter().filter(below));
    }
    children
}

fn drilldown_level(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let set = evaluator.tuples_at(&call.args[0], at)?;
    if set.is_empty() {
        return Ok(Set::shared(set));
    }
    let index = match call.arg(2).filter(|a| a.ty.kind != Kind::Symbol) {
        Some(arg) => evaluator.integer_at(arg, at)?.unwrap_or(0),
        None => 0,
    };
    // A position that the tuples do not have drills nothing down.
    let Some(index) = usize::try_from(index).ok().filter(|i| *i < set.arity()) else { return Ok(Set::shared(set)) };
    let members = evaluator.members();
    let tree = Tree::new(&members, set.hierarchies[index]);
    let position_given = call.arg(2).is_some_and(|a| a.ty.kind != Kind::Symbol);
    let level = match call.arg(1).filter(|a| a.ty.kind == Kind::Level) {
        Some(arg) => Some(level_like(evaluator, arg, at, &set, index)?),
        None if position_given => None,
        None => set.iter().map(|t| tree.level(t[index])).max(),
    };
    // With a level, its members are drilled down; with a position all that stand there; else the deepest.
    let calculated = with_calculated(call);
    expand(evaluator, &set, index, |_, m| {
        Ok(if level.is_none_or(|l| tree.level(m) == l) { children(tree, m, calculated) } else { Vec::new() })
    })
}

/// The level of an argument, which must be of the hierarchy at a position of the set.
fn level_like(evaluator: &Evaluator, arg: &Expr, at: &Batch, set: &Tuples, index: usize) -> Result<LevelId> {
    let level = *evaluator.objects(arg, at)?.get(0);
    if level.hierarchy != set.hierarchies[index] {
        let members = evaluator.members();
        bail!(
            Invalid,
            "Level '{}' not compatible with member '{}'",
            members.level_unique_name(level.hierarchy, LevelId(level.id)),
            set.iter()
                .next()
                .map_or(std::string::String::new(), |t| members.unique_name(set.hierarchies[index], t[index]))
        );
    }
    Ok(LevelId(level.id))
}

/// The tuples of a set, each followed by itself with the members that `below` yields in the place `index`.
fn expand(
    evaluator: &Evaluator,
    set: &Tuples,
    index: usize,
    mut below: impl FnMut(&[MemberId], MemberId) -> Result<Vec<MemberId>>,
) -> Result<Set> {
    let mut out = TupleSet::new(set.hierarchies.clone());
    let mut step = 0;
    for tuple in set.iter() {
        evaluator.context.check_every(&mut step)?;
        out.members.extend_from_slice(tuple);
        for child in below(tuple, tuple[index])? {
            let start = out.members.len();
            out.members.extend_from_slice(tuple);
            out.members[start + index] = child;
        }
    }
    Set::new(out, &evaluator.context)
}

fn drilldown_top(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    drilldown_best(evaluator, call, at, true)
}

fn drilldown_bottom(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    drilldown_best(evaluator, call, at, false)
}

fn drilldown_best(evaluator: &Evaluator, call: &Call, at: &Batch, top: bool) -> Result<Set> {
    let set = evaluator.tuples_at(&call.args[0], at)?;
    if set.is_empty() {
        return Ok(Set::shared(set));
    }
    let best = Best { call, value: 3, count: count(evaluator, call, 1, at, 0)?.max(0) as usize, top, position: 0 };
    let members = evaluator.members();
    let tree = Tree::new(&members, set.hierarchies[0]);
    let level = match call.arg(2) {
        Some(arg) => Some(level_like(evaluator, arg, at, &set, 0)?),
        None => set.iter().map(|t| tree.level(t[0])).max(),
    };
    expand(evaluator, &set, 0, |tuple, m| {
        if Some(tree.level(m)) != level {
            return Ok(Vec::new());
        }
        best.children(evaluator, at, &set, tuple, tree.children(m))
    })
}

/// How the best children are picked: by the value at an argument of the call, how many, the greatest or the least.
struct Best<'a> {
    call: &'a Call,
    value: usize,
    count: usize,
    top: bool,
    /// Where in the tuples the children stand.
    position: usize,
}

impl Best<'_> {
    /// The best of the children that would stand in a place of `tuple`.
    fn children(
        &self,
        evaluator: &Evaluator,
        at: &Batch,
        set: &Tuples,
        tuple: &[MemberId],
        children: Vec<MemberId>,
    ) -> Result<Vec<MemberId>> {
        let mut at = at.clone();
        set.hierarchies.iter().zip(tuple).for_each(|(h, m)| at.set_one(h.index(), *m));
        let candidates = Set::of_members(set.hierarchies[self.position], children.clone(), &evaluator.context)?;
        let values = evaluator.values_over(&at, &candidates, &self.call.args[0], self.call.arg(self.value))?;
        let mut order: Vec<usize> = (0..children.len()).collect();
        order.sort_by(|&a, &b| {
            let ordering = values[a].compare(&values[b]);
            if self.top { ordering.reverse() } else { ordering }
        });
        order.truncate(self.count);
        Ok(order.into_iter().map(|i| children[i]).collect())
    }
}

/// The position of a set's tuples that the second set's members stand in.
fn drilled_position(evaluator: &Evaluator, call: &Call, at: &Batch, set: &Tuples, marked: &Tuples) -> Result<usize> {
    let hierarchy = match call.arg(2).filter(|a| a.ty.kind == Kind::Hierarchy) {
        Some(arg) => evaluator.objects(arg, at)?.get(0).hierarchy,
        None => match marked.hierarchies.first() {
            Some(h) => *h,
            None => return Ok(0),
        },
    };
    Ok(set.hierarchies.iter().position(|h| *h == hierarchy).unwrap_or(0))
}

fn drilldown_member(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let set = evaluator.tuples_at(&call.args[0], at)?;
    let marked = evaluator.tuples_at(&call.args[1], at)?;
    if set.is_empty() || marked.is_empty() {
        return Ok(Set::shared(set));
    }
    let members = evaluator.members();
    let calculated = with_calculated(call);
    let recursive = call.has_symbol("RECURSIVE");
    if marked.arity() > 1 {
        return drilldown_tuples(evaluator, &set, &marked, calculated);
    }
    let position = drilled_position(evaluator, call, at, &set, &marked)?;
    let tree = Tree::new(&members, set.hierarchies[position]);
    let wanted: FxHashSet<MemberId> = marked.members.iter().map(|m| members.original(*m)).collect();
    expand(evaluator, &set, position, |_, m| {
        let mut out = Vec::new();
        let mut stack = if wanted.contains(&members.original(m)) { children(tree, m, calculated) } else { Vec::new() };
        stack.reverse();
        while let Some(child) = stack.pop() {
            out.push(child);
            if recursive && wanted.contains(&child) {
                stack.extend(children(tree, child, calculated).into_iter().rev());
            }
        }
        Ok(out)
    })
}

/// Tuples that stand in a set of tuples are drilled down at their last member.
fn drilldown_tuples(evaluator: &Evaluator, set: &Tuples, marked: &Tuples, calculated: bool) -> Result<Set> {
    if set.hierarchies != marked.hierarchies {
        bail!(Type, "the sets of DrilldownMember are not over the same hierarchies");
    }
    let members = evaluator.members();
    let position = set.arity() - 1;
    let tree = Tree::new(&members, set.hierarchies[position]);
    let wanted: FxHashSet<&[MemberId]> = marked.iter().collect();
    expand(evaluator, set, position, |tuple, m| {
        Ok(if wanted.contains(tuple) { children(tree, m, calculated) } else { Vec::new() })
    })
}

fn drilldown_member_top(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    drilldown_member_best(evaluator, call, at, true)
}

fn drilldown_member_bottom(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    drilldown_member_best(evaluator, call, at, false)
}

fn drilldown_member_best(evaluator: &Evaluator, call: &Call, at: &Batch, top: bool) -> Result<Set> {
    let set = evaluator.tuples_at(&call.args[0], at)?;
    let marked = evaluator.tuples_at(&call.args[1], at)?;
    if set.is_empty() || marked.is_empty() {
        return Ok(Set::shared(set));
    }
    let members = evaluator.members();
    let original = |m: &MemberId| members.original(*m);
    // Whole tuples are drilled down at their last member, members where they stand in the tuples.
    let whole = marked.arity() > 1;
    if whole && set.hierarchies != marked.hierarchies {
        bail!(Type, "the sets of {} are not over the same hierarchies", call.function.name);
    }
    let position = match whole {
        true => set.arity() - 1,
        false => drilled_position(evaluator, call, at, &set, &marked)?,
    };
    let best = Best { call, value: 3, count: count(evaluator, call, 2, at, 0)?.max(0) as usize, top, position };
    let tree = Tree::new(&members, set.hierarchies[position]);
    let wanted: FxHashSet<Vec<MemberId>> = marked.iter().map(|t| t.iter().map(original).collect()).collect();
    expand(evaluator, &set, position, |tuple, m| {
        let key = if whole { tuple.iter().map(original).collect() } else { vec![original(&m)] };
        if !wanted.contains(&key) {
            return Ok(Vec::new());
        }
        best.children(evaluator, at, &set, tuple, tree.children(m))
    })
}

fn drillup_member(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let set = evaluator.tuples_at(&call.args[0], at)?;
    let marked = evaluator.tuples_at(&call.args[1], at)?;
    if set.is_empty() || marked.is_empty() {
        return Ok(Set::shared(set));
    }
    let position = drilled_position(evaluator, call, at, &set, &marked)?;
    let members = evaluator.members();
    let tree = Tree::new(&members, set.hierarchies[position]);
    let below = |m: MemberId| marked.members.iter().any(|top| *top != m && tree.is_at_or_under(m, *top));
    super::set::retain(evaluator, &set, |_, tuple| !below(tuple[position]))
}

fn drillup_level(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let set = evaluator.tuples_at(&call.args[0], at)?;
    let Some(hierarchy) = set.hierarchies.first() else { return Ok(Set::shared(set)) };
    let members = evaluator.members();
    let tree = Tree::new(&members, *hierarchy);
    let limit = match call.arg(1) {
        Some(arg) => Some(level_like(evaluator, arg, at, &set, 0)?),
        None => set.iter().map(|t| tree.level(t[0])).max().and_then(|l| l.0.checked_sub(1)).map(LevelId),
    };
    let Some(limit) = limit else { return Ok(Set::shared(set)) };
    super::set::retain(evaluator, &set, |_, tuple| tree.level(tuple[0]) <= limit)
}

/// Members that are marked and followed by a descendant lose their descendants, others get their children.
fn toggle(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let set = evaluator.tuples_at(&call.args[0], at)?;
    let marked = evaluator.tuples_at(&call.args[1], at)?;
    if set.is_empty() || marked.is_empty() {
        return Ok(Set::shared(set));
    }
    let position = drilled_position(evaluator, call, at, &set, &marked)?;
    let members = evaluator.members();
    let tree = Tree::new(&members, set.hierarchies[position]);
    let recursive = call.has_symbol("RECURSIVE");
    let wanted: FxHashSet<MemberId> = marked.members.iter().map(|m| members.original(*m)).collect();
    let mut out = TupleSet::new(set.hierarchies.clone());
    let tuples: Vec<&[MemberId]> = set.iter().collect();
    let mut row = 0;
    while row < tuples.len() {
        let tuple = tuples[row];
        let member = tuple[position];
        out.members.extend_from_slice(tuple);
        row += 1;
        if !wanted.contains(&members.original(member)) {
            continue;
        }
        let is_below = |t: &[MemberId]| t[position] != member && tree.is_at_or_under(t[position], member);
        if tuples.get(row).is_some_and(|t| is_below(t)) {
            while tuples.get(row).is_some_and(|t| is_below(t)) {
                row += 1;
            }
            continue;
        }
        let mut stack: Vec<MemberId> = tree.children(member).into_iter().rev().collect();
        while let Some(child) = stack.pop() {
            let start = out.members.len();
            out.members.extend_from_slice(tuple);
            out.members[start + position] = child;
            if recursive && wanted.contains(&child) {
                stack.extend(tree.children(child).into_iter().rev());
            }
        }
    }
    Set::new(out, &evaluator.context)
}
