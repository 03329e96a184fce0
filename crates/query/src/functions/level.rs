//! Levels, hierarchies and dimensions of objects.

use super::{Function, Run, function};
use crate::evaluate::{Batch, Col, Evaluator, Object, Objects, Values};
use crate::expr::{Call, Kind::*};
use facetta_model::{HierarchyId, MemberId, Result, error};

pub(crate) const FUNCTIONS: &[Function] = &[
    function("Level", &[Member], Level, Run::Objects(level), "The level of a member.").property(),
    function(
        "Levels of",
        &[Hierarchy, Numeric],
        Level,
        Run::Objects(level_number),
        "The level of a hierarchy at a position.",
    )
    .method(),
    function(
        "Levels of",
        &[Hierarchy, String],
        Level,
        Run::Objects(level_named),
        "The level of a hierarchy with a name.",
    )
    .method(),
    function("Levels", &[Hierarchy, Numeric], Level, Run::Resolver, "The level of a hierarchy at a position.").method(),
    function("Levels", &[Hierarchy, String], Level, Run::Resolver, "The level of a hierarchy with a name.").method(),
    function("Levels", &[String], Level, Run::Resolver, "The level that a text names."),
    function("Ordinal", &[Level], Integer, Run::Values(ordinal), "The position of a level, from 0.").property(),
    function("Hierarchy", &[Level], Hierarchy, Run::Objects(hierarchy), "The hierarchy of a level.").property(),
    function("Hierarchy", &[Member], Hierarchy, Run::Objects(hierarchy), "The hierarchy of a member.").property(),
    function("Hierarchy", &[Hierarchy], Hierarchy, Run::Objects(hierarchy), "The hierarchy itself.").property(),
    function("Dimension", &[Dimension], Dimension, Run::Objects(dimension), "The dimension itself.").property(),
    function("Dimension", &[Hierarchy], Dimension, Run::Objects(dimension), "The dimension of a hierarchy.").property(),
    function("Dimension", &[Level], Dimension, Run::Objects(dimension), "The dimension of a level.").property(),
    function("Dimension", &[Member], Dimension, Run::Objects(dimension), "The dimension of a member.").property(),
    function("Dimensions", &[Numeric], Hierarchy, Run::Resolver, "The hierarchy of the cube at a position."),
    function("Dimensions", &[String], Hierarchy, Run::Resolver, "The hierarchy that a text names."),
    function(
        "Dimensions of",
        &[Numeric],
        Hierarchy,
        Run::Objects(hierarchy_number),
        "The hierarchy of the cube at a computed position.",
    )
    .unannounced(),
    function(
        "Dimensions of",
        &[String],
        Hierarchy,
        Run::Objects(hierarchy_named),
        "The hierarchy that a computed text names.",
    )
    .unannounced(),
];

fn hierarchy_number(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Objects> {
    let numbers = evaluator.values(&call.args[0], batch)?;
    let count = evaluator.cube.hierarchies.len() as i64;
    each(&numbers, |n| match n.as_f64().map(|d| d as i64).filter(|i| (0..count).contains(i)) {
        Some(i) => Ok(Object { hierarchy: HierarchyId::from(i as usize), id: 0 }),
        None => Err(error!(Invalid, "Index '{n}' out of bounds")),
    })
}

fn hierarchy_named(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Objects> {
    let names = evaluator.values(&call.args[0], batch)?;
    each(&names, |n| evaluator.hierarchy_named(&n.to_string()))
}

/// An object for each value; the first error is that of the whole.
fn each(values: &Values, of: impl Fn(&facetta_model::Value) -> Result<Object>) -> Result<Objects> {
    let of = |v: &facetta_model::Value| match v {
        facetta_model::Value::Error(e) => Err(e.clone()),
        v => of(v),
    };
    match values {
        Col::One(v) => Ok(Col::One(of(v)?)),
        Col::Many(all) => Ok(Col::Many(all.iter().map(of).collect::<Result<_>>()?)),
    }
}

fn level(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Objects> {
    let members = evaluator.objects(&call.args[0], batch)?;
    Ok(members.map(|o| Object { hierarchy: o.hierarchy, id: evaluator.level_of(*o).0 }))
}

fn level_number(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Objects> {
    let hierarchies = evaluator.objects(&call.args[0], batch)?;
    let numbers = evaluator.values(&call.args[1], batch)?;
    let mut failed = None;
    let found = hierarchies.zip(&numbers, batch.len, |o, n| {
        let count = evaluator.cube.hierarchy(o.hierarchy).hierarchy.levels.len();
        let index = n.as_f64().map(|d| d as i64).filter(|i| (0..count as i64).contains(i));
        if index.is_none() {
            failed = Some(error!(Invalid, "Index '{n}' out of bounds"));
        }
        Object { hierarchy: o.hierarchy, id: index.map_or(MemberId::NULL.0, |i| i as u32) }
    });
    failed.map_or(Ok(found), Err)
}

fn level_named(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Objects> {
    let hierarchies = evaluator.objects(&call.args[0], batch)?;
    let names = evaluator.values(&call.args[1], batch)?;
    let mut failed = None;
    let found = hierarchies.zip(&names, batch.len, |o, n| {
        let hierarchy = &evaluator.cube.hierarchy(o.hierarchy);
        let level = hierarchy.hierarchy.level(&n.to_string());
        if level.is_none() {
            failed = Some(error!(NotFound, "Level '{n}' not found in hierarchy '{}'", hierarchy.unique_name));
        }
        Object { hierarchy: o.hierarchy, id: level.map_or(MemberId::NULL.0, |l| l.0) }
    });
    failed.map_or(Ok(found), Err)
}

fn ordinal(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    Ok(evaluator.objects(&call.args[0], batch)?.map(|o| facetta_model::Value::Int(o.id.into())))
}

fn hierarchy(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Objects> {
    Ok(evaluator.objects(&call.args[0], batch)?.map(|o| Object { hierarchy: o.hierarchy, id: 0 }))
}

fn dimension(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Objects> {
    hierarchy(evaluator, call, batch)
}
