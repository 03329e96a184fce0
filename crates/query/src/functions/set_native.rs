//! NonEmptyCrossJoin: the tuples of a product that have fact rows.

use super::set_order::sorted_members;
use crate::evaluate::{Batch, Evaluator, Set};
use crate::expr::{Call, Expr, ExprKind, Kind};
use facetta_model::{ErrorKind, HierarchyId, Result, bail};

/// How deep named sets are looked into.
const MAX_NESTING: u32 = 16;

/// How a set is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Members one by one.
    Listed,
    /// Children, levels, products: in the order of the hierarchy anyway.
    Whole,
    /// Anything else, which keeps its order.
    Other,
}

fn shape(evaluator: &Evaluator, set: &Expr, depth: u32) -> Shape {
    if depth > MAX_NESTING {
        return Shape::Other;
    }
    match &set.kind {
        ExprKind::Member(_, member) if !crate::coordinate::is_special(*member) => Shape::Listed,
        ExprKind::Braces(parts) => match parts.as_slice() {
            [one] => shape(evaluator, one, depth + 1),
            parts if parts.iter().all(|p| matches!(shape(evaluator, p, depth + 1), Shape::Listed)) => Shape::Listed,
            _ => Shape::Other,
        },
        ExprKind::NamedSet(index) => match evaluator.program.sets.get(*index) {
            Some(named) => shape(evaluator, &named.set, depth + 1),
            None => Shape::Other,
        },
        ExprKind::Call(call) => match call.function.name {
            "Children" | "NonEmptyCrossJoin" => Shape::Whole,
            "Members" if call.args[0].ty.kind == Kind::Level => Shape::Whole,
            "Descendants" if call.args.get(1).is_some_and(|l| l.ty.kind == Kind::Level) => Shape::Whole,
            "Crossjoin" if call.args.iter().all(|a| shape(evaluator, a, depth + 1) == Shape::Whole) => Shape::Whole,
            _ => Shape::Other,
        },
        _ => Shape::Other,
    }
}

/// Puts listed members of one level into the order of their hierarchy, if every set is one that storage could make.
fn order_listed(evaluator: &Evaluator, shapes: &[Shape], sets: &mut [Set]) -> Result<()> {
    if shapes.contains(&Shape::Other) || !shapes.contains(&Shape::Listed) {
        return Ok(());
    }
    let members = evaluator.members();
    let mut ordered = Vec::new();
    for (index, set) in sets.iter().enumerate().filter(|(i, _)| shapes[*i] == Shape::Listed) {
        let tuples = set.tuples(&evaluator.context)?;
        let [hierarchy] = tuples.hierarchies[..] else { return Ok(()) };
        let level = tuples.members.first().map(|m| members.level(hierarchy, *m));
        if tuples.members.iter().any(|m| Some(members.level(hierarchy, *m)) != level) {
            return Ok(());
        }
        let sorted = sorted_members(&members, hierarchy, &tuples.members);
        ordered.push((index, Set::of_members(hierarchy, sorted, &evaluator.context)?));
    }
    ordered.into_iter().for_each(|(index, set)| sets[index] = set);
    Ok(())
}

/// Whether one of the stored measures of the statement is linked to every hierarchy of a product.
fn reached(evaluator: &Evaluator, product: &Set) -> bool {
    let hierarchies = product.hierarchies();
    evaluator.program.measures.iter().any(|m| {
        let group = evaluator.cube.measures[m.index()].group;
        hierarchies.iter().all(|h| *h == HierarchyId::MEASURES || evaluator.cube.path(group, *h).is_some())
    })
}

pub(crate) fn non_empty_crossjoin(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let mut at = at.clone();
    let measure = at.get(HierarchyId::MEASURES, 0);
    if measure.is_calculated() {
        // Calculated measures do not count here: whether there are fact rows does.
        at.set_one(0, evaluator.default_member(HierarchyId::MEASURES));
    }
    // The slicer does not hold in hierarchies that the product has itself.
    for h in call.ty.hierarchies.as_deref().unwrap_or_default() {
        let hierarchy = &evaluator.cube.hierarchy(*h).hierarchy;
        at.set_one(h.index(), hierarchy.all_member().unwrap_or(hierarchy.default_member));
    }
    let mut sets = Vec::new();
    let args = || call.args.iter().filter(|a| a.ty.kind == Kind::Set);
    let native = evaluator.cube.compatibility.non_empty_crossjoin_is_native();
    for arg in args() {
        sets.push(evaluator.set_at(arg, &at)?);
    }
    if native {
        let shapes: Vec<Shape> = args().map(|arg| shape(evaluator, arg, 0)).collect();
        order_listed(evaluator, &shapes, &mut sets)?;
    }
    let counted = match call.args.last() {
        Some(last) if last.ty.kind != Kind::Set => {
            evaluator.integer_at(last, &at)?.unwrap_or(0).clamp(1, sets.len() as i64) as usize
        }
        _ => sets.len(),
    };
    let rest = sets.split_off(counted);
    let Some(product) = sets.into_iter().reduce(|a, b| a.times(&b)) else { bail!(Internal, "a product of nothing") };
    let mut others: Vec<Set> = rest.into_iter().reduce(|a, b| a.times(&b)).into_iter().collect();
    let has_measures = |s: &Set| s.hierarchies().contains(&HierarchyId::MEASURES);
    if !has_measures(&product) && !others.iter().any(has_measures) && !evaluator.program.measures.is_empty() {
        // A row of any measure that the statement is about counts.
        let stored = Set::of_members(HierarchyId::MEASURES, evaluator.program.measures.clone(), &evaluator.context)?;
        if native && !reached(evaluator, &product) {
            // Only calculated measures can say something about such tuples; one that is made of the set itself cannot.
            let all = [&evaluator.program.measures[..], &evaluator.program.calculated_measures].concat();
            let all = Set::of_members(HierarchyId::MEASURES, all, &evaluator.context)?;
            let with = |measures: Set| others.iter().cloned().chain([measures]).collect::<Vec<_>>();
            match evaluator.non_empty(&product, &with(all), &at) {
                Err(error) if error.kind() == ErrorKind::Recursion => {}
                found => return found,
            }
        }
        others.push(stored);
    }
    evaluator.non_empty(&product, &others, &at)
}
