//! CurrentDateMember: the member that the current date has as a name.

use crate::evaluate::{Batch, Col, Evaluator, Object, Objects};
use crate::expr::Call;
use crate::format::Format;
use crate::navigate::Tree;
use facetta_mdx::ast::ExpressionKind;
use facetta_model::{MemberId, Result, Value, name};
use std::cmp::Ordering;

/// What to take where no member has the name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Otherwise {
    Nothing,
    LastBefore,
    FirstAfter,
}

/// `CurrentDateMember(hierarchy, format[, BEFORE | AFTER | EXACT])`: the format makes a unique name of the current date.
pub(crate) fn current_date_member(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Objects> {
    let hierarchy = evaluator.objects(&call.args[0], batch)?.get(0).hierarchy;
    let format = match evaluator.values(&call.args[1], batch)?.get(0) {
        Value::Error(e) => return Err(e.clone()),
        text => Format::parse(&text.to_string()),
    };
    let otherwise = match () {
        () if call.has_symbol("BEFORE") => Otherwise::LastBefore,
        () if call.has_symbol("AFTER") => Otherwise::FirstAfter,
        () => Otherwise::Nothing,
    };
    let mut text = String::new();
    format.write(&Value::Date(evaluator.settings.now), evaluator.settings.locale, &mut text);
    let parsed = facetta_mdx::parse_expression(&text, &evaluator.context)?;
    let names: Option<Vec<String>> = match &parsed.kind {
        ExpressionKind::Identifier(identifier) => {
            identifier.segments.iter().map(|s| s.name().map(|n| n.text.to_string())).collect()
        }
        _ => None,
    };
    let members = evaluator.members();
    let tree = Tree::new(&members, hierarchy);
    let member = match names {
        Some(names) => find(evaluator, tree, hierarchy, &names, otherwise),
        None => MemberId::NULL,
    };
    Ok(Col::One(Object::member(hierarchy, member)))
}

/// The member at a path of names that begins with the hierarchy; from the first name that no member has, the nearest one.
fn find(
    evaluator: &Evaluator,
    tree: Tree<'_>,
    hierarchy: facetta_model::HierarchyId,
    names: &[String],
    otherwise: Otherwise,
) -> MemberId {
    let cube = &evaluator.cube;
    let dimension = &cube.dimension_of(hierarchy).name;
    let own = &cube.hierarchy(hierarchy).hierarchy.name;
    let mut rest = names;
    let starts = |rest: &[String], wanted: &str| rest.first().is_some_and(|n| name::same(n, wanted));
    let mut named = false;
    for wanted in [dimension.as_str(), &format!("{dimension}.{own}"), own] {
        if starts(rest, wanted) {
            rest = &rest[1..];
            named = true;
        }
    }
    if !named {
        return MemberId::NULL;
    }
    let mut candidates = tree.roots();
    let mut found = MemberId::NULL;
    if let Some(all) = tree.hierarchy().all_member() {
        if starts(rest, evaluator.members().name(hierarchy, all)) {
            rest = &rest[1..];
        }
        candidates = tree.children(all);
        found = all;
    }
    let mut exact = true;
    for wanted in rest {
        let best = match (exact, otherwise) {
            (true, _) => nearest(evaluator, hierarchy, &candidates, wanted, otherwise, &mut exact),
            (false, Otherwise::LastBefore) => candidates.last().copied(),
            (false, _) => candidates.first().copied(),
        };
        let Some(best) = best else { return MemberId::NULL };
        found = best;
        candidates = tree.children(best);
    }
    found
}

fn nearest(
    evaluator: &Evaluator,
    hierarchy: facetta_model::HierarchyId,
    candidates: &[MemberId],
    wanted: &str,
    otherwise: Otherwise,
    exact: &mut bool,
) -> Option<MemberId> {
    let members = evaluator.members();
    let name = |m: &MemberId| members.name(hierarchy, *m).to_owned();
    if let Some(found) = candidates.iter().find(|m| name::same(&name(m), wanted)) {
        return Some(*found);
    }
    *exact = false;
    let against = |m: &MemberId| compare(&name(m), wanted);
    match otherwise {
        Otherwise::Nothing => None,
        Otherwise::LastBefore => candidates.iter().rev().find(|m| against(m).is_lt()).copied(),
        Otherwise::FirstAfter => candidates.iter().find(|m| against(m).is_gt()).copied(),
    }
}

/// Names that are numbers compare as such.
fn compare(a: &str, b: &str) -> Ordering {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(x), Ok(y)) => x.total_cmp(&y),
        _ => name::compare_text(a, b),
    }
}
