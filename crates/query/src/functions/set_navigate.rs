//! Sets from the tree: members of levels, children, descendants, ascendants, ranges.

use super::{Function, Run, Typing, function};
use crate::coordinate::seen;
use crate::evaluate::{Batch, Evaluator, Object, Set};
use crate::expr::{Call, Expr, Kind, Kind::*, Type};
use crate::navigate::Tree;
use facetta_model::{HierarchyId, LevelId, MemberId, Result, Value, bail};

pub(crate) const FUNCTIONS: &[Function] = &[
    function("Members", &[Hierarchy], Kind::Set, Run::Set(members), "The members of a hierarchy.").property(),
    function("Members", &[Level], Kind::Set, Run::Set(level_members), "The members of a level.").property(),
    function(
        "Members",
        &[String],
        Kind::Set,
        Run::Set(named_members),
        "The members of the hierarchy that a text names.",
    ),
    function(
        "AllMembers",
        &[Hierarchy],
        Kind::Set,
        Run::Set(all_members),
        "The members of a hierarchy, calculated ones too.",
    )
    .property(),
    function(
        "AllMembers",
        &[Level],
        Kind::Set,
        Run::Set(all_level_members),
        "The members of a level, calculated ones too.",
    )
    .property(),
    function("Children", &[Member], Kind::Set, Run::Set(children), "The children of a member.").property(),
    function("Siblings", &[Member], Kind::Set, Run::Set(siblings), "A member and those with the same parent.")
        .property(),
    function("Ascendants", &[Member], Kind::Set, Run::Set(ascendants), "A member and its ancestors, up to the top."),
    function("Ancestors", &[Member, Level], Kind::Set, Run::Set(ancestors), "The ancestors of a member at a level."),
    function(
        "Ancestors",
        &[Member, Numeric],
        Kind::Set,
        Run::Set(ancestors),
        "The ancestors of a member so many steps above.",
    ),
    function("Descendants", &[Member], Kind::Set, Run::Set(descendants), "A member and all below it."),
    function("Descendants", &[Member, Missing, Symbol], Kind::Set, Run::Set(descendants), "The leaves below a member."),
    function(
        "Descendants",
        &[Member, Level],
        Kind::Set,
        Run::Set(descendants),
        "The descendants of a member at a level.",
    ),
    function(
        "Descendants",
        &[Member, Level, Symbol],
        Kind::Set,
        Run::Set(descendants),
        "The descendants of a member about a level.",
    ),
    function(
        "Descendants",
        &[Member, Numeric],
        Kind::Set,
        Run::Set(descendants),
        "The descendants of a member so many steps below.",
    ),
    function(
        "Descendants",
        &[Member, Numeric, Symbol],
        Kind::Set,
        Run::Set(descendants),
        "The descendants of a member about so many steps below.",
    ),
    function(
        "Descendants",
        &[Kind::Set],
        Kind::Set,
        Run::Set(descendants_of_set),
        "The members of a set and all below them.",
    )
    .typed(Typing::By(members_only)),
    function(
        "Descendants",
        &[Kind::Set, Missing, Symbol],
        Kind::Set,
        Run::Set(descendants_of_set),
        "The leaves below the members of a set.",
    )
    .typed(Typing::By(members_only)),
    function(
        "Descendants",
        &[Kind::Set, Level],
        Kind::Set,
        Run::Set(descendants_of_set),
        "The descendants of the members of a set at a level.",
    )
    .typed(Typing::By(members_only)),
    function(
        "Descendants",
        &[Kind::Set, Level, Symbol],
        Kind::Set,
        Run::Set(descendants_of_set),
        "The descendants of the members of a set about a level.",
    )
    .typed(Typing::By(members_only)),
    function(
        "Descendants",
        &[Kind::Set, Numeric],
        Kind::Set,
        Run::Set(descendants_of_set),
        "The descendants of the members of a set so many steps below.",
    )
    .typed(Typing::By(members_only)),
    function(
        "Descendants",
        &[Kind::Set, Numeric, Symbol],
        Kind::Set,
        Run::Set(descendants_of_set),
        "The descendants of the members of a set about so many steps below.",
    )
    .typed(Typing::By(members_only)),
    function(":", &[Member, Member], Kind::Set, Run::Set(range), "The members of a level from one to another.").infix(),
    function(
        "MeasureGroupMeasures",
        &[String],
        Kind::Set,
        Run::Set(measures_of_group),
        "The measures of a measure group.",
    )
    .typed(Typing::By(over_measures)),
    function("Leaves", &[Hierarchy], Kind::Set, Run::Set(leaves), "The members of a hierarchy without children."),
];

fn over_measures(_: &[Expr]) -> Result<Type> {
    Ok(Type::on(Kind::Set, HierarchyId::MEASURES))
}

fn members_only(args: &[Expr]) -> Result<Type> {
    match args[0].ty.hierarchies.as_deref() {
        Some([_]) => Ok(args[0].ty.clone()),
        Some(_) => {
            bail!(Type, "Argument to Descendants function must be a member or set of members, not a set of tuples")
        }
        None if matches!(&args[0].kind, crate::expr::ExprKind::Braces(parts) if parts.is_empty()) => {
            bail!(Type, "Cannot deduce type of set")
        }
        None => Ok(Type::of(Kind::Set)),
    }
}

fn object(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Object> {
    Ok(*evaluator.objects(&call.args[0], at)?.get(0))
}

fn set_of(evaluator: &Evaluator, hierarchy: HierarchyId, members: Vec<MemberId>) -> Result<Set> {
    Set::of_members(hierarchy, members, &evaluator.context)
}

fn members(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let h = object(evaluator, call, at)?.hierarchy;
    set_of(evaluator, h, Tree::new(&evaluator.members(), h).all_members())
}

fn named_members(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let text = evaluator.values(&call.args[0], at)?.get(0).to_string();
    evaluator.set_named(&format!("{text}.Members"), at)
}

fn level_members(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let level = object(evaluator, call, at)?;
    if level.is_null() {
        return Ok(Set::empty(&[level.hierarchy]));
    }
    let all = Tree::new(&evaluator.members(), level.hierarchy).level_members(LevelId(level.id));
    set_of(evaluator, level.hierarchy, all)
}

fn all_members(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let h = object(evaluator, call, at)?.hierarchy;
    let members = evaluator.members();
    let tree = Tree::new(&members, h);
    let mut all = tree.all_members();
    all.extend(shown_last(evaluator, tree.calculated(None)));
    set_of(evaluator, h, all)
}

/// Calculated members in order, of each scope those that are not shown last.
fn shown_last(evaluator: &Evaluator, mut calculated: Vec<MemberId>) -> Vec<MemberId> {
    let members = evaluator.members();
    calculated.sort_by_key(|m| members.calculated(*m).map(|c| (c.scope, !c.texts.visible)));
    calculated
}

fn all_level_members(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let level = object(evaluator, call, at)?;
    if level.is_null() {
        return Ok(Set::empty(&[level.hierarchy]));
    }
    let members = evaluator.members();
    let tree = Tree::new(&members, level.hierarchy);
    let mut all = tree.level_members(LevelId(level.id));
    all.extend(shown_last(evaluator, tree.calculated(Some(LevelId(level.id)))));
    set_of(evaluator, level.hierarchy, all)
}

fn children(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let o = object(evaluator, call, at)?;
    set_of(evaluator, o.hierarchy, Tree::new(&evaluator.members(), o.hierarchy).children(o.as_member()))
}

fn siblings(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let o = object(evaluator, call, at)?;
    set_of(evaluator, o.hierarchy, Tree::new(&evaluator.members(), o.hierarchy).siblings(o.as_member()))
}

fn ascendants(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let o = object(evaluator, call, at)?;
    let members = evaluator.members();
    let tree = Tree::new(&members, o.hierarchy);
    let mut all = Vec::new();
    let mut member = o.as_member();
    while !member.is_null() {
        all.push(member);
        member = tree.parent(member);
    }
    set_of(evaluator, o.hierarchy, all)
}

fn ancestors(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let o = object(evaluator, call, at)?;
    let members = evaluator.members();
    let tree = Tree::new(&members, o.hierarchy);
    let member = match call.args[1].ty.kind {
        Kind::Level => {
            let level = *evaluator.objects(&call.args[1], at)?.get(0);
            tree.ancestor_at(o.as_member(), LevelId(level.id))
        }
        _ => {
            let steps = evaluator.integer_at(&call.args[1], at)?.unwrap_or(0);
            (0..steps.clamp(0, 1 << 20)).fold(o.as_member(), |m, _| if m.is_null() { m } else { tree.parent(m) })
        }
    };
    let mut all = Vec::new();
    if evaluator.cube.compatibility.ancestors_on_the_way() {
        let mut at = seen(o.as_member());
        while !at.is_null() && at != member {
            at = tree.parent(at);
            all.extend(Some(at).filter(|m| !m.is_null()));
        }
    } else if !member.is_null() {
        all.push(member);
    }
    set_of(evaluator, o.hierarchy, all)
}

/// Which descendants are wanted, by their depth against the depth asked for.
#[derive(Clone, Copy)]
struct Wanted {
    before: bool,
    same: bool,
    after: bool,
    leaves: bool,
}

impl Wanted {
    fn of(evaluator: &Evaluator, call: &Call) -> Result<Wanted> {
        let Some(Expr { kind: crate::expr::ExprKind::Symbol(word), .. }) = call.args.get(2) else {
            return Ok(Wanted { before: false, same: true, after: call.args.len() == 1, leaves: false });
        };
        let (before, same, after, leaves) = match &**word {
            "SELF" => (false, true, false, false),
            "AFTER" => (false, false, true, false),
            "BEFORE" => (true, false, false, false),
            "BEFORE_AND_AFTER" => (true, false, true, false),
            "SELF_AND_AFTER" => (false, true, true, false),
            "SELF_AND_BEFORE" => (true, true, false, false),
            "SELF_BEFORE_AFTER" => (true, true, true, false),
            "LEAVES" => (false, false, false, true),
            other => bail!(Type, "Descendants does not know the flag '{other}'"),
        };
        if !leaves && call.arg(1).is_none() && evaluator.cube.compatibility.descendants_flags_need_depth() {
            bail!(Type, "depth must be specified unless DESC_FLAG is LEAVES");
        }
        Ok(Wanted { before, same, after, leaves })
    }
}

/// How deep descendants are asked for.
#[derive(Clone, Copy)]
enum Limit {
    Level(LevelId),
    Steps(i64),
    None,
}

fn limit(evaluator: &Evaluator, call: &Call, hierarchy: HierarchyId, at: &Batch) -> Result<Limit> {
    let Some(arg) = call.arg(1) else { return Ok(Limit::None) };
    if arg.ty.kind != Kind::Level {
        return Ok(Limit::Steps(evaluator.integer_at(arg, at)?.unwrap_or(0)));
    }
    let level = *evaluator.objects(arg, at)?.get(0);
    if level.hierarchy != hierarchy {
        bail!(
            Invalid,
            "The level of Descendants is of hierarchy '{}', the member of '{}'",
            evaluator.cube.hierarchy(level.hierarchy).unique_name,
            evaluator.cube.hierarchy(hierarchy).unique_name
        );
    }
    Ok(Limit::Level(LevelId(level.id)))
}

fn descendants(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let o = object(evaluator, call, at)?;
    let limit = limit(evaluator, call, o.hierarchy, at)?;
    let mut out = Vec::new();
    push_descendants(evaluator, o.hierarchy, o.as_member(), limit, Wanted::of(evaluator, call)?, &mut out)?;
    set_of(evaluator, o.hierarchy, out)
}

fn descendants_of_set(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let set = evaluator.tuples_at(&call.args[0], at)?;
    let hierarchy = match set.hierarchies[..] {
        [hierarchy] => hierarchy,
        _ if set.is_empty() => return Ok(Set::empty(&set.hierarchies)),
        _ => bail!(Type, "Argument to Descendants function must be a member or set of members, not a set of tuples"),
    };
    let limit = limit(evaluator, call, hierarchy, at)?;
    let wanted = Wanted::of(evaluator, call)?;
    let mut out = Vec::new();
    for member in &set.members {
        push_descendants(evaluator, hierarchy, *member, limit, wanted, &mut out)?;
    }
    // What lies below several members of the set comes once.
    let mut taken = rustc_hash::FxHashSet::default();
    out.retain(|m| taken.insert(*m));
    set_of(evaluator, hierarchy, out)
}

fn push_descendants(
    evaluator: &Evaluator,
    hierarchy: HierarchyId,
    top: MemberId,
    limit: Limit,
    wanted: Wanted,
    out: &mut Vec<MemberId>,
) -> Result<()> {
    if top.is_null() {
        return Ok(());
    }
    let members = evaluator.members();
    let tree = Tree::new(&members, hierarchy);
    let top = seen(top);
    let no_limit = matches!(limit, Limit::None);
    let habits = evaluator.cube.compatibility;
    // Steps to leaves count those to the parents of the last ones.
    let limit = match limit {
        Limit::Steps(n) if wanted.leaves && habits.leaves_lie_below_depth() => Limit::Steps(n.saturating_add(1)),
        limit => limit,
    };
    // Every level of a parent-child hierarchy is the same.
    let all_levels = wanted.leaves && tree.hierarchy().parent_child && matches!(limit, Limit::Level(_));
    let by_generation = tree.hierarchy().parent_child || habits.steps_skip_hidden_members();
    // Position of a member against the limit: before, at, or after it.
    let by_level = |m: MemberId, steps: i64| match limit {
        Limit::Level(level) => tree.level(m).cmp(&level),
        Limit::Steps(limit) => steps.cmp(&limit),
        Limit::None => steps.cmp(&0),
    };
    let mut stack = vec![(top, 0i64)];
    let mut step = 0;
    while let Some((member, steps)) = stack.pop() {
        evaluator.context.check_every(&mut step)?;
        let position = by_level(member, steps);
        let take = match position {
            _ if wanted.leaves => {
                let below = member != top || !no_limit || !habits.leaves_lie_below_depth();
                below && (no_limit || position.is_le() && leaf_limit(limit, tree, member)) && tree.is_leaf(member)
            }
            std::cmp::Ordering::Less => wanted.before,
            std::cmp::Ordering::Equal => wanted.same,
            std::cmp::Ordering::Greater => wanted.after,
        };
        if take {
            out.push(member);
        }
        let deeper = no_limit || all_levels || wanted.after || position.is_lt();
        if deeper {
            let children = tree.children(member);
            // In a ragged hierarchy a child may lie several levels deeper.
            let steps_to = |m: MemberId| match by_generation {
                true => steps + 1,
                false => i64::from(tree.level(m).0) - i64::from(tree.level(top).0),
            };
            stack.extend(children.into_iter().rev().map(|m| (m, steps_to(m))));
        }
    }
    Ok(())
}

/// With a level, LEAVES means those members of that level that have no children.
fn leaf_limit(limit: Limit, tree: Tree<'_>, member: MemberId) -> bool {
    match limit {
        Limit::Level(level) if !tree.hierarchy().parent_child => tree.level(member) == level,
        _ => true,
    }
}

fn range(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let from = *evaluator.objects(&call.args[0], at)?.get(0);
    let to = *evaluator.objects(&call.args[1], at)?.get(0);
    let members = evaluator.members();
    if from.is_null() || to.is_null() {
        let known = if from.is_null() { to } else { from };
        if known.is_null() || !evaluator.cube.compatibility.open_ranges() {
            return Ok(Set::empty(&[known.hierarchy]));
        }
        let tree = Tree::new(&members, known.hierarchy);
        let level = tree.level_members(tree.level(known.as_member()));
        let Some(position) = level.iter().position(|m| *m == seen(known.as_member())) else {
            bail!(Invalid, "A range cannot start or end with a calculated member")
        };
        let part = if from.is_null() { &level[..=position] } else { &level[position..] };
        return set_of(evaluator, known.hierarchy, part.to_vec());
    }
    if from.hierarchy != to.hierarchy {
        bail!(Invalid, "The members of a range are of different hierarchies");
    }
    let tree = Tree::new(&members, from.hierarchy);
    let (a, b) = (seen(from.as_member()), seen(to.as_member()));
    if tree.level(a) != tree.level(b) {
        let name = |m| members.unique_name(from.hierarchy, m);
        bail!(Invalid, "Members must belong to the same level: '{}' and '{}' do not", name(a), name(b));
    }
    let level = tree.level_members(tree.level(a));
    let position = |m: MemberId| level.iter().position(|l| *l == m);
    match (position(a), position(b)) {
        (Some(x), Some(y)) => set_of(evaluator, from.hierarchy, level[x.min(y)..=x.max(y)].to_vec()),
        _ if a == b => set_of(evaluator, from.hierarchy, vec![a]),
        _ => bail!(Invalid, "A range cannot start or end with a calculated member"),
    }
}

fn measures_of_group(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let wanted = match evaluator.values(&call.args[0], at)?.get(0) {
        Value::Error(e) => return Err(e.clone()),
        v => v.to_string(),
    };
    let catalog = evaluator.snapshot.catalog();
    let group =
        |g: &facetta_model::MeasureGroupId| facetta_model::name::same(&catalog.measure_groups[g.index()].name, &wanted);
    let Some(group) = evaluator.cube.measure_groups.iter().position(group) else {
        bail!(NotFound, "Measure group '{wanted}' not found")
    };
    let of_group = |(i, m): (usize, &facetta_model::catalog::Measure)| (m.group == group).then(|| MemberId::from(i));
    let measures = evaluator.cube.measures.iter().enumerate().filter_map(of_group).collect();
    set_of(evaluator, HierarchyId::MEASURES, measures)
}

fn leaves(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let h = object(evaluator, call, at)?.hierarchy;
    let members = evaluator.members();
    let tree = Tree::new(&members, h);
    set_of(evaluator, h, tree.all_members().into_iter().filter(|m| tree.is_leaf(*m)).collect())
}
