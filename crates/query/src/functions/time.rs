//! Time: periods to date, parallel, opening, closing and last periods.

use super::{Function, Run, Typing, function};
use crate::coordinate::seen;
use crate::evaluate::{Batch, Evaluator, Object, Objects, Set};
use crate::expr::{Call, Expr, Kind, Kind::*, Type};
use crate::functions::member::cousin_under;
use crate::functions::time_now::current_date_member;
use crate::navigate::Tree;
use facetta_model::definition::{DimensionKind, LevelKind};
use facetta_model::{HierarchyId, LevelId, MemberId, Result, bail};

pub(crate) const FUNCTIONS: &[Function] = &[
    function(
        "PeriodsToDate",
        &[],
        Kind::Set,
        Run::Set(periods_to_date),
        "The periods of the current member's parent up to it.",
    )
    .on_all(),
    function(
        "PeriodsToDate",
        &[Level],
        Kind::Set,
        Run::Set(periods_to_date),
        "The periods from the start of a level's member up to the current one.",
    )
    .on_all(),
    function(
        "PeriodsToDate",
        &[Level, Member],
        Kind::Set,
        Run::Set(periods_to_date),
        "The periods from the start of a level's member up to a member.",
    )
    .typed(Typing::By(second_set)),
    function("Ytd", &[], Kind::Set, Run::Set(ytd), "The periods of the year up to the current one.").on_all(),
    function("Ytd", &[Member], Kind::Set, Run::Set(ytd), "The periods of the year up to a member."),
    function("Qtd", &[], Kind::Set, Run::Set(qtd), "The periods of the quarter up to the current one.").on_all(),
    function("Qtd", &[Member], Kind::Set, Run::Set(qtd), "The periods of the quarter up to a member."),
    function("Mtd", &[], Kind::Set, Run::Set(mtd), "The periods of the month up to the current one.").on_all(),
    function("Mtd", &[Member], Kind::Set, Run::Set(mtd), "The periods of the month up to a member."),
    function("Wtd", &[], Kind::Set, Run::Set(wtd), "The periods of the week up to the current one.").on_all(),
    function("Wtd", &[Member], Kind::Set, Run::Set(wtd), "The periods of the week up to a member."),
    function(
        "ParallelPeriod",
        &[],
        Member,
        Run::Objects(parallel_period),
        "The member at the same position in the previous parent.",
    )
    .on_all(),
    function(
        "ParallelPeriod",
        &[Level],
        Member,
        Run::Objects(parallel_period),
        "The member at the same position in the previous member of a level.",
    )
    .on_all(),
    function(
        "ParallelPeriod",
        &[Level, Numeric],
        Member,
        Run::Objects(parallel_period),
        "The member at the same position so many members of a level before.",
    )
    .on_all(),
    function(
        "ParallelPeriod",
        &[Level, Numeric, Member],
        Member,
        Run::Objects(parallel_period),
        "The member at the same position, of a level's members so many before, as a member.",
    )
    .typed(Typing::Argument(2)),
    function("OpeningPeriod", &[], Member, Run::Objects(opening), "The first child of the current period.").on_all(),
    function(
        "OpeningPeriod",
        &[Level],
        Member,
        Run::Objects(opening),
        "The first member of a level below the current one.",
    )
    .on_all(),
    function(
        "OpeningPeriod",
        &[Level, Member],
        Member,
        Run::Objects(opening),
        "The first member of a level below a member.",
    )
    .typed(Typing::Argument(1)),
    function("ClosingPeriod", &[], Member, Run::Objects(closing), "The last child of the current period.").on_all(),
    function(
        "ClosingPeriod",
        &[Level],
        Member,
        Run::Objects(closing),
        "The last member of a level below the current one.",
    )
    .on_all(),
    function(
        "ClosingPeriod",
        &[Level, Member],
        Member,
        Run::Objects(closing),
        "The last member of a level below a member.",
    )
    .typed(Typing::Argument(1)),
    function("ClosingPeriod", &[Member], Member, Run::Objects(closing), "The last child of a member."),
    function(
        "CurrentDateMember",
        &[Hierarchy, String],
        Member,
        Run::Objects(current_date_member),
        "The member whose unique name a format makes of the current date.",
    ),
    function(
        "CurrentDateMember",
        &[Hierarchy, String, Symbol],
        Member,
        Run::Objects(current_date_member),
        "The member whose unique name a format makes of the current date, or the one before or after it.",
    ),
    function("LastPeriods", &[Numeric], Kind::Set, Run::Set(last_periods), "So many periods up to the current one.")
        .on_all(),
    function("LastPeriods", &[Numeric, Member], Kind::Set, Run::Set(last_periods), "So many periods up to a member."),
];

fn second_set(args: &[Expr]) -> Result<Type> {
    Ok(args[1].ty.with_kind(Kind::Set))
}

/// The first hierarchy of the cube's time dimension.
fn time_hierarchy(evaluator: &Evaluator, name: &str) -> Result<HierarchyId> {
    let is_time = |d: &&facetta_model::catalog::CubeDimension| d.dimension.kind == DimensionKind::Time;
    match evaluator.cube.dimensions.iter().find(is_time) {
        Some(dimension) => Ok(HierarchyId(dimension.hierarchies.start)),
        None => bail!(Invalid, "'{name}', no time dimension"),
    }
}

fn current(evaluator: &Evaluator, hierarchy: HierarchyId, at: &Batch) -> Result<Object> {
    Ok(Object::member(hierarchy, evaluator.current(hierarchy, at.get(hierarchy, 0))?))
}

/// The members of a level under an ancestor up to a member.
fn up_to(evaluator: &Evaluator, object: Object, level: LevelId) -> Result<Set> {
    let members = evaluator.members();
    let tree = Tree::new(&members, object.hierarchy);
    let member = seen(object.as_member());
    let mut out = Vec::new();
    if !member.is_null() {
        let top = tree.ancestor_at(member, level);
        if !top.is_null() {
            let all = tree.level_members(tree.level(member));
            out.extend(
                all.into_iter()
                    .take_while(|m| tree.key(*m) <= tree.key(member))
                    .filter(|m| tree.is_at_or_under(*m, top)),
            );
        }
    }
    Set::of_members(object.hierarchy, out, &evaluator.context)
}

fn periods_to_date(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let Some(arg) = call.arg(0) else {
        let hierarchy = time_hierarchy(evaluator, "PeriodsToDate")?;
        let object = current(evaluator, hierarchy, at)?;
        let level = evaluator.level_of(object);
        return match level.0.checked_sub(1) {
            Some(above) => up_to(evaluator, object, LevelId(above)),
            None => Ok(Set::empty(&[hierarchy])),
        };
    };
    let level = *evaluator.objects(arg, at)?.get(0);
    let object = match call.arg(1) {
        Some(arg) => *evaluator.objects(arg, at)?.get(0),
        None => current(evaluator, level.hierarchy, at)?,
    };
    if level.hierarchy != object.hierarchy {
        mixed(evaluator, "PeriodsToDate", level.hierarchy, object.hierarchy)?;
    }
    up_to(evaluator, object, LevelId(level.id))
}

fn mixed(evaluator: &Evaluator, name: &str, level: HierarchyId, member: HierarchyId) -> Result<()> {
    let of = |h: HierarchyId| &evaluator.cube.hierarchy(h).unique_name;
    bail!(
        Invalid,
        "The <level> and <member> arguments to {name} must be from the same hierarchy. \
         The level was from '{}' but the member was from '{}'.",
        of(level),
        of(member)
    )
}

fn to_date(evaluator: &Evaluator, call: &Call, at: &Batch, name: &str, kind: LevelKind) -> Result<Set> {
    let object = match call.arg(0) {
        Some(arg) => {
            let object = *evaluator.objects(arg, at)?.get(0);
            if evaluator.cube.dimension_of(object.hierarchy).dimension.kind != DimensionKind::Time {
                bail!(Invalid, "Argument to function '{name}' must belong to Time hierarchy");
            }
            object
        }
        None => {
            // Of several time hierarchies, the first that has such a level.
            let first = time_hierarchy(evaluator, name)?;
            let has = |h: &HierarchyId| evaluator.cube.hierarchy(*h).hierarchy.levels.iter().any(|l| l.kind == kind);
            let all = &evaluator.cube.dimension_of(first).hierarchies;
            let hierarchy = all.clone().map(HierarchyId).find(has).unwrap_or(first);
            current(evaluator, hierarchy, at)?
        }
    };
    let levels = &evaluator.cube.hierarchy(object.hierarchy).hierarchy.levels;
    match levels.iter().position(|l| l.kind == kind) {
        Some(level) => up_to(evaluator, object, LevelId::from(level)),
        None => Ok(Set::empty(&[object.hierarchy])),
    }
}

fn ytd(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    to_date(evaluator, call, at, "Ytd", LevelKind::TimeYears)
}

fn qtd(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    to_date(evaluator, call, at, "Qtd", LevelKind::TimeQuarters)
}

fn mtd(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    to_date(evaluator, call, at, "Mtd", LevelKind::TimeMonths)
}

fn wtd(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    to_date(evaluator, call, at, "Wtd", LevelKind::TimeWeeks)
}

/// Evaluates `one` at each distinct coordinate of a batch.
fn by_row(evaluator: &Evaluator, batch: &Batch, one: impl Fn(&Batch) -> Result<Object>) -> Result<Objects> {
    if batch.len == 1 {
        return Ok(crate::evaluate::Col::One(one(batch)?));
    }
    let mut step = 0;
    let mut out = Vec::with_capacity(batch.len);
    for row in 0..batch.len {
        evaluator.context.check_every(&mut step)?;
        out.push(one(&batch.row(row))?);
    }
    Ok(crate::evaluate::Col::Many(out))
}

fn parallel_period(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Objects> {
    by_row(evaluator, batch, |at| {
        let level = call.arg(0).map(|a| evaluator.objects(a, at)).transpose()?.map(|l| *l.get(0));
        let object = match (call.arg(2), level) {
            (Some(arg), _) => *evaluator.objects(arg, at)?.get(0),
            (None, Some(level)) => current(evaluator, level.hierarchy, at)?,
            (None, None) => current(evaluator, time_hierarchy(evaluator, "ParallelPeriod")?, at)?,
        };
        let steps = match call.arg(1) {
            Some(arg) => evaluator.integer_at(arg, at)?.unwrap_or(0),
            None => 1,
        };
        let members = evaluator.members();
        let tree = Tree::new(&members, object.hierarchy);
        let null = Object::member(object.hierarchy, MemberId::NULL);
        if object.is_null() {
            return Ok(null);
        }
        let member = seen(object.as_member());
        let level = match level {
            Some(level) if level.hierarchy != object.hierarchy => {
                mixed(evaluator, "ParallelPeriod", level.hierarchy, object.hierarchy)?;
                return Ok(null);
            }
            Some(level) => LevelId(level.id),
            None => match tree.level(member).0.checked_sub(1) {
                Some(above) => LevelId(above),
                None => return Ok(null),
            },
        };
        let top = tree.ancestor_at(member, level);
        if top.is_null() {
            return Ok(null);
        }
        let other = tree.step(top, steps.saturating_neg());
        let found = if other.is_null() { other } else { cousin_under(tree, member, other) };
        Ok(Object::member(object.hierarchy, found))
    })
}

fn opening(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Objects> {
    edge(evaluator, call, batch, "OpeningPeriod", true)
}

fn closing(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Objects> {
    edge(evaluator, call, batch, "ClosingPeriod", false)
}

fn edge(evaluator: &Evaluator, call: &Call, batch: &Batch, name: &str, first: bool) -> Result<Objects> {
    by_row(evaluator, batch, |at| {
        let time = time_hierarchy(evaluator, name);
        let level_arg = call.arg(0).filter(|a| a.ty.kind == Kind::Level);
        let level = level_arg.map(|a| evaluator.objects(a, at)).transpose()?.map(|l| *l.get(0));
        let member_arg = call.args.iter().find(|a| a.ty.kind == Kind::Member);
        let object = match (member_arg, level) {
            (Some(arg), Some(_)) => *evaluator.objects(arg, at)?.get(0),
            (Some(arg), None) => {
                time?;
                *evaluator.objects(arg, at)?.get(0)
            }
            (None, _) => current(evaluator, time?, at)?,
        };
        if let Some(level) = level
            && level.hierarchy != object.hierarchy
        {
            mixed(evaluator, name, level.hierarchy, object.hierarchy)?;
        }
        let members = evaluator.members();
        let tree = Tree::new(&members, object.hierarchy);
        let member = seen(object.as_member());
        let found = match level {
            _ if member.is_null() => MemberId::NULL,
            Some(level) => descend(tree, member, LevelId(level.id), first),
            None => pick(&tree.children(member), first),
        };
        Ok(Object::member(object.hierarchy, found))
    })
}

fn pick(members: &[MemberId], first: bool) -> MemberId {
    let found = if first { members.first() } else { members.last() };
    found.copied().unwrap_or(MemberId::NULL)
}

/// The first or last descendant of a member at a level.
fn descend(tree: Tree<'_>, member: MemberId, level: LevelId, first: bool) -> MemberId {
    let mut at = member;
    while !at.is_null() && tree.level(at) < level {
        at = pick(&tree.children(at), first);
    }
    if !at.is_null() && tree.level(at) == level { at } else { MemberId::NULL }
}

fn last_periods(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let steps = evaluator.integer_at(&call.args[0], at)?.unwrap_or(0);
    let object = match call.arg(1) {
        Some(arg) => *evaluator.objects(arg, at)?.get(0),
        None => current(evaluator, time_hierarchy(evaluator, "LastPeriods")?, at)?,
    };
    let members = evaluator.members();
    let tree = Tree::new(&members, object.hierarchy);
    let member = seen(object.as_member());
    let mut out = Vec::new();
    if steps != 0 && !member.is_null() {
        let level = tree.level_members(tree.level(member));
        if let Some(position) = level.iter().position(|m| *m == member) {
            let span = steps.unsigned_abs().min(level.len() as u64) as usize;
            let range = if steps > 0 {
                (position + 1).saturating_sub(span)..position + 1
            } else {
                position..(position + span).min(level.len())
            };
            out.extend_from_slice(&level[range]);
        }
    }
    Set::of_members(object.hierarchy, out, &evaluator.context)
}
