//! Visual totals, indicators, parameters, and what is a part of the language but not done yet.

use super::{Function, Run, function};
use crate::evaluate::{Batch, Evaluator, Set, Values};
use crate::expr::{Call, Coordinates, Expr, ExprKind, Kind, Kind::*, Type};
use crate::navigate::Tree;
use crate::program::Calculation;
use crate::scalar::cast::{CastType, cast};
use facetta_model::definition::Texts;
use facetta_model::{CalculatedMember, Error, ErrorKind, HierarchyId, MemberId, Result, Scope, Span, TupleSet, bail};
use std::sync::Arc;

pub(crate) const FUNCTIONS: &[Function] = &[
    function(
        "VisualTotals",
        &[Kind::Set],
        Kind::Set,
        Run::Set(visual_totals),
        "A set whose members total only what the set shows of them.",
    ),
    function(
        "VisualTotals",
        &[Kind::Set, String],
        Kind::Set,
        Run::Set(visual_totals),
        "A set whose members total only what the set shows of them, with names after a pattern.",
    ),
    function("CAST", &[Kind::Value, Symbol], Kind::Value, Run::Values(cast_values), "A value converted to a type.")
        .special(),
    function(
        "CalculationCurrentPass",
        &[],
        Integer,
        Run::Values(current_pass),
        "The number of the calculation pass at which the cell is calculated.",
    )
    .on_all(),
    function(
        "CalculationPassValue",
        &[Numeric, Numeric],
        Numeric,
        Run::Values(pass_value),
        "A number as it is at a calculation pass.",
    )
    .on_all(),
    function(
        "CalculationPassValue",
        &[Numeric, Numeric, Symbol],
        Numeric,
        Run::Values(pass_value),
        "A number as it is at a calculation pass, ABSOLUTE or RELATIVE to the current one.",
    )
    .on_all(),
    function(
        "CalculationPassValue",
        &[String, Numeric],
        String,
        Run::Values(pass_value),
        "A text as it is at a calculation pass.",
    )
    .on_all(),
    function(
        "CalculationPassValue",
        &[String, Numeric, Symbol],
        String,
        Run::Values(pass_value),
        "A text as it is at a calculation pass, ABSOLUTE or RELATIVE to the current one.",
    )
    .on_all(),
    function(
        "CalculationPassValue",
        &[Kind::Value, Numeric, Symbol, Symbol],
        Kind::Value,
        Run::Values(pass_value),
        "A value as storage has it at a calculation pass (ALL).",
    )
    .unannounced()
    .on_all(),
    function("Error", &[], Kind::Value, Run::Values(raise), "An error in the cell."),
    function("Error", &[String], Kind::Value, Run::Values(raise), "An error with a text in the cell."),
    function(
        "Current",
        &[Kind::Set],
        Tuple,
        Run::Resolver,
        "The tuple at which the iteration over a named set stands.",
    )
    .property(),
    function(
        "CurrentOrdinal",
        &[Kind::Set],
        Integer,
        Run::Resolver,
        "The position at which the iteration over a named set stands.",
    )
    .property(),
    function(
        "Parameter",
        &[String, Symbol, Kind::Value],
        Kind::Value,
        Run::Resolver,
        "A parameter with its default value.",
    ),
    function(
        "Parameter",
        &[String, Symbol, Kind::Value, String],
        Kind::Value,
        Run::Resolver,
        "A parameter with its default value and a description.",
    ),
    function("Parameter", &[String, Hierarchy, Member], Member, Run::Resolver, "A parameter that is a member."),
    function(
        "Parameter",
        &[String, Hierarchy, Member, String],
        Member,
        Run::Resolver,
        "A parameter that is a member, with a description.",
    ),
    function("Parameter", &[String, Hierarchy, Kind::Set], Kind::Set, Run::Resolver, "A parameter that is a set."),
    function(
        "Parameter",
        &[String, Hierarchy, Kind::Set, String],
        Kind::Set,
        Run::Resolver,
        "A parameter that is a set, with a description.",
    ),
    function("ParamRef", &[String], Kind::Value, Run::Resolver, "The value of a parameter."),
    function("StrToValue", &[String], Kind::Value, Run::Resolver, "The value of the expression that a text is."),
    function(
        "StrToValue of",
        &[String],
        Kind::Value,
        Run::Values(text_to_value),
        "The value of the expression that a computed text is.",
    )
    .unannounced()
    .on_all(),
    function("KPIValue", &[String], Kind::Value, Run::Resolver, "The value of a key performance indicator."),
    function("KPIGoal", &[String], Kind::Value, Run::Resolver, "The goal of a key performance indicator."),
    function("KPIStatus", &[String], Kind::Value, Run::Resolver, "The status of a key performance indicator."),
    function("KPITrend", &[String], Kind::Value, Run::Resolver, "The trend of a key performance indicator."),
    function("KPIWeight", &[String], Kind::Value, Run::Resolver, "The weight of a key performance indicator."),
    function(
        "KPICurrentTimeMember",
        &[String],
        Member,
        Run::Resolver,
        "The time member of a key performance indicator.",
    ),
    function(
        "LookupCube",
        &[String, String],
        Kind::Value,
        Run::Values(super::lookup::lookup_cube),
        "The value of an expression in another cube, at its default members.",
    ),
    function("Predict", &[String, String], Kind::Value, Run::Resolver, "A value that a mining model predicts.")
        .unannounced(),
    function(
        "RollupChildren",
        &[Member, String],
        Numeric,
        Run::Values(super::lookup::rollup_children),
        "The children of a member put together by an operator, each by its own.",
    )
    .on_all(),
    function(
        "SetToArray",
        &[Kind::Set],
        Kind::Value,
        Run::Values(super::lookup::array_alone),
        "The cells of a set as an array, an argument of IRR, MIRR and NPV.",
    )
    .on_cells(),
    function(
        "SetToArray",
        &[Kind::Set, Numeric],
        Kind::Value,
        Run::Values(super::lookup::array_alone),
        "A value over a set as an array, an argument of IRR, MIRR and NPV.",
    )
    .each(1),
    function("Axis", &[Numeric], Kind::Set, Run::Resolver, "The set of an axis of the query."),
    function("Root", &[Hierarchy], Tuple, Run::Resolver, "The all members of the hierarchies of a dimension.")
        .unannounced(),
    function("This", &[], Kind::Set, Run::Resolver, "The subcube of the assignment in a script.").unannounced(),
    function("Scope", &[Kind::Set], Kind::Set, Run::Resolver, "The subcube to which statements of a script apply.")
        .unannounced(),
];

/// Visual totals of a set: a member that is followed by members below it is replaced by a look at it that totals these.
fn visual_totals(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let set = evaluator.tuples_at(&call.args[0], at)?;
    let hierarchy = match set.hierarchies[..] {
        [hierarchy] => hierarchy,
        _ if set.is_empty() => return Ok(Set::shared(set)),
        _ => bail!(Type, "Argument to VisualTotals must be a set of members, not of tuples"),
    };
    let pattern = match call.arg(1) {
        Some(arg) => Some(evaluator.values(arg, at)?.get(0).to_string()),
        None => None,
    };
    let mut out = set.members.clone();
    for i in (0..out.len()).rev() {
        evaluator.context.check()?;
        let member = out[i];
        let below = following(evaluator, hierarchy, member, &out[i + 1..]);
        if !below.is_empty() {
            out[i] = look(evaluator, hierarchy, member, below, pattern.as_deref());
        }
    }
    Set::of_members(hierarchy, out, &evaluator.context)
}

/// The members that follow directly and lie below `member`, without those below one that is taken already.
fn following(evaluator: &Evaluator, hierarchy: HierarchyId, member: MemberId, rest: &[MemberId]) -> Vec<MemberId> {
    let members = evaluator.members();
    let tree = Tree::new(&members, hierarchy);
    let original = |m: MemberId| members.calculated(m).map(|c| c.original).filter(|o| !o.is_null()).unwrap_or(m);
    let mut taken: Vec<MemberId> = Vec::new();
    for &m in rest {
        let o = original(m);
        if o == member || !tree.is_at_or_under(o, member) {
            break;
        }
        if !taken.last().is_some_and(|t| tree.is_at_or_under(o, original(*t))) {
            taken.push(m);
        }
    }
    taken
}

fn look(
    evaluator: &Evaluator,
    hierarchy: HierarchyId,
    member: MemberId,
    below: Vec<MemberId>,
    pattern: Option<&str>,
) -> MemberId {
    let members = evaluator.members();
    let own = members.name(hierarchy, member);
    // `**` is an asterisk, `*` the name.
    let name = pattern.map_or(own.to_owned(), |p| p.replace("**", "\0").replace('*', own).replace('\0', "*"));
    let mut unique_name = members.unique_name(hierarchy, member);
    if name != own {
        unique_name = match members.parent(hierarchy, member) {
            MemberId::NULL => members.cube.hierarchy(hierarchy).unique_name.clone(),
            parent if members.hierarchy(hierarchy).all_member() == Some(parent) => {
                members.cube.hierarchy(hierarchy).unique_name.clone()
            }
            parent => members.unique_name(hierarchy, parent),
        };
        unique_name.push('.');
        facetta_model::name::quote_into(&mut unique_name, &name);
    }
    let texts = Texts { caption: Some(name.clone()), ..Texts::default() };
    let made = CalculatedMember {
        hierarchy,
        name,
        texts,
        unique_name,
        parent: members.parent(hierarchy, member),
        level: members.level(hierarchy, member),
        depth: members.depth(hierarchy, member),
        scope: Scope::Query,
        formula: "".into(),
        properties: Vec::new(),
        original: member,
    };
    let formula = total_of(evaluator, TupleSet { hierarchies: vec![hierarchy], members: below.clone() });
    let calculation = Calculation {
        hierarchy,
        solve_order: evaluator.cube.compatibility.visual_total_solve_order(),
        scope: Scope::Query,
        formula: Arc::new(formula),
        format: None,
        parts: Some(below),
        properties: Vec::new(),
    };
    evaluator.add_member(made, calculation)
}

/// A member of the first hierarchy of a set that totals its tuples, each for itself; below every other calculation.
pub(crate) fn total_over(evaluator: &Evaluator, tuples: &TupleSet) -> Result<(HierarchyId, MemberId)> {
    let Some(&hierarchy) = tuples.hierarchies.first() else { bail!(Internal, "a total over no hierarchy") };
    let members = evaluator.members();
    let default = evaluator.default_member(hierarchy);
    let mut set = TupleSet::new(tuples.hierarchies.clone());
    let mut seen = rustc_hash::FxHashSet::default();
    tuples.iter().filter(|t| seen.insert(*t)).for_each(|t| set.members.extend_from_slice(t));
    let made = CalculatedMember {
        hierarchy,
        name: members.name(hierarchy, default).to_owned(),
        texts: Texts::default(),
        unique_name: members.unique_name(hierarchy, default),
        parent: members.parent(hierarchy, default),
        level: members.level(hierarchy, default),
        depth: members.depth(hierarchy, default),
        scope: Scope::Query,
        formula: "".into(),
        properties: Vec::new(),
        original: default,
    };
    let calculation = Calculation {
        hierarchy,
        solve_order: i32::MIN,
        scope: Scope::Query,
        formula: Arc::new(total_of(evaluator, set)),
        format: None,
        parts: None,
        properties: Vec::new(),
    };
    Ok((hierarchy, evaluator.add_member(made, calculation)))
}

/// The expression `Aggregate(set)`.
fn total_of(evaluator: &Evaluator, set: TupleSet) -> Expr {
    let hierarchies = set.hierarchies.clone();
    let ty = Type::over(Kind::Set, hierarchies.clone());
    let set = Expr::constant(ExprKind::Constant(Arc::new(set)), ty, Span::default());
    let function = super::aggregate::FUNCTIONS.iter().find(|f| f.name == "Aggregate" && f.parameters.len() == 1);
    let mut deps = Coordinates::first(evaluator.cube.hierarchies.len());
    hierarchies.iter().for_each(|h| deps.remove(h.index()));
    let ty = Type::of(Kind::Numeric);
    let kind = match function {
        Some(function) => {
            ExprKind::Call(Box::new(Call { function, args: vec![set], ty: ty.clone(), span: Span::default() }))
        }
        None => ExprKind::Failed(Error::internal("Aggregate is not in the table")),
    };
    Expr::new(kind, ty, Span::default(), deps)
}

fn cast_values(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    let Some(ExprKind::Symbol(to)) = call.args.get(1).map(|a| &a.kind) else { bail!(Internal, "CAST has no type") };
    let to = CastType::parse(to)?;
    let values = evaluator.values(&call.args[0], batch)?;
    Ok(values.map(|v| cast(v, to).unwrap_or_else(facetta_model::Value::Error)))
}

fn current_pass(evaluator: &Evaluator, _call: &Call, batch: &Batch) -> Result<Values> {
    Ok(evaluator.current_pass(batch)?.map(|pass| facetta_model::Value::Int(i64::from(*pass))))
}

fn pass_value(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    if call.args.len() > 3 {
        return Err(Error::not_supported("the flag ALL of CalculationPassValue"));
    }
    let relative = call.has_symbol("RELATIVE");
    if call.args.len() == 3 && !relative && !call.has_symbol("ABSOLUTE") {
        bail!(Type, "CalculationPassValue knows the flags ABSOLUTE and RELATIVE only");
    }
    let current = evaluator.current_pass(batch)?;
    let numbers = evaluator.values(&call.args[1], batch)?;
    let one = |number: &facetta_model::Value, current: &u32| match number {
        facetta_model::Value::Error(error) => Err(error.clone()),
        value => match value.as_f64() {
            // A pass before the first is the first: no error (Microsoft's documentation of the function).
            Some(n) => Ok((n + if relative { f64::from(*current) } else { 0.0 }).max(0.0) as u32),
            None => bail!(Type, "the number of a calculation pass was expected, not '{value}'"),
        },
    };
    let wanted = match numbers.zip(&current, batch.len, one) {
        crate::evaluate::Col::One(pass) => crate::evaluate::Col::One(pass?),
        crate::evaluate::Col::Many(all) => crate::evaluate::Col::Many(all.into_iter().collect::<Result<Vec<_>>>()?),
    };
    evaluator.values(&call.args[0], &evaluator.at_passes(batch, wanted)?)
}

fn raise(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    let text = match call.arg(0) {
        Some(arg) => evaluator.values(arg, batch)?,
        None => crate::evaluate::Col::One(facetta_model::Value::str("user-defined error")),
    };
    Ok(text.map(|t| facetta_model::Value::Error(Error::new(ErrorKind::Invalid, t.to_string()))))
}

fn text_to_value(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    let texts = evaluator.values(&call.args[0], batch)?;
    let one = |row: usize| evaluator.value_named(&texts.get(row).to_string(), &batch.row(row));
    Ok(crate::evaluate::Col::Many((0..batch.len).map(one).collect::<Result<_>>()?))
}
