//! Comparison, logic and choice.

use super::{Function, Run, Typing, function};
use crate::evaluate::{Batch, Col, Evaluator, Object, Objects, Set, TupleColumn, Values};
use crate::expr::{Call, Expr, Kind, Kind::*};
use crate::scalar::Pattern;
use facetta_model::{Error, ErrorKind, MemberId, Result, Value, bail, error};
use std::cmp::Ordering;

pub(crate) const FUNCTIONS: &[Function] = &[
    function("=", &[Numeric, Numeric], Logical, Run::Values(equal), "Whether two numbers are equal.").infix(),
    function("=", &[String, String], Logical, Run::Values(equal), "Whether two texts are equal.").infix(),
    function("=", &[Kind::Value, Kind::Value], Logical, Run::Values(equal), "Whether two values are equal.").infix(),
    function("<>", &[Numeric, Numeric], Logical, Run::Values(not_equal), "Whether two numbers differ.").infix(),
    function("<>", &[String, String], Logical, Run::Values(not_equal), "Whether two texts differ.").infix(),
    function("<>", &[Kind::Value, Kind::Value], Logical, Run::Values(not_equal), "Whether two values differ.").infix(),
    function("<", &[Numeric, Numeric], Logical, Run::Values(less), "Whether a number is less than another.").infix(),
    function("<", &[String, String], Logical, Run::Values(less), "Whether a text sorts before another.").infix(),
    function("<", &[Kind::Value, Kind::Value], Logical, Run::Values(less), "Whether a value is less than another.")
        .infix(),
    function("<=", &[Numeric, Numeric], Logical, Run::Values(less_or_equal), "Whether a number is at most another.")
        .infix(),
    function(
        "<=",
        &[String, String],
        Logical,
        Run::Values(less_or_equal),
        "Whether a text does not sort after another.",
    )
    .infix(),
    function(
        "<=",
        &[Kind::Value, Kind::Value],
        Logical,
        Run::Values(less_or_equal),
        "Whether a value is at most another.",
    )
    .infix(),
    function(">", &[Numeric, Numeric], Logical, Run::Values(greater), "Whether a number is greater than another.")
        .infix(),
    function(">", &[String, String], Logical, Run::Values(greater), "Whether a text sorts after another.").infix(),
    function(
        ">",
        &[Kind::Value, Kind::Value],
        Logical,
        Run::Values(greater),
        "Whether a value is greater than another.",
    )
    .infix(),
    function(
        ">=",
        &[Numeric, Numeric],
        Logical,
        Run::Values(greater_or_equal),
        "Whether a number is at least another.",
    )
    .infix(),
    function(
        ">=",
        &[String, String],
        Logical,
        Run::Values(greater_or_equal),
        "Whether a text does not sort before another.",
    )
    .infix(),
    function(
        ">=",
        &[Kind::Value, Kind::Value],
        Logical,
        Run::Values(greater_or_equal),
        "Whether a value is at least another.",
    )
    .infix(),
    function("AND", &[Logical, Logical], Logical, Run::Values(and), "Whether both conditions hold.").infix(),
    function("OR", &[Logical, Logical], Logical, Run::Values(or), "Whether one of two conditions holds.").infix(),
    function("XOR", &[Logical, Logical], Logical, Run::Values(xor), "Whether exactly one of two conditions holds.")
        .infix(),
    function("NOT", &[Logical], Logical, Run::Values(not), "Whether a condition does not hold.").prefix(),
    function("IS", &[Member, Member], Logical, Run::Values(same_member), "Whether two members are the same.").infix(),
    function("IS", &[Level, Level], Logical, Run::Values(same_object), "Whether two levels are the same.").infix(),
    function("IS", &[Hierarchy, Hierarchy], Logical, Run::Values(same_object), "Whether two hierarchies are the same.")
        .infix(),
    function(
        "IS",
        &[Dimension, Dimension],
        Logical,
        Run::Values(same_dimension),
        "Whether two dimensions are the same.",
    )
    .infix(),
    function("IS", &[Tuple, Tuple], Logical, Run::Values(same_tuple), "Whether two tuples hold the same members.")
        .infix(),
    function("IS NULL", &[Member], Logical, Run::Values(is_null), "Whether there is no member.").postfix(),
    function("IS NULL", &[Level], Logical, Run::Values(is_null), "Whether there is no level.").postfix(),
    function("IS NULL", &[Hierarchy], Logical, Run::Values(is_null), "Whether there is no hierarchy.").postfix(),
    function("IS NULL", &[Dimension], Logical, Run::Values(is_null), "Whether there is no dimension.").postfix(),
    function("IS NULL", &[Tuple], Logical, Run::Values(is_null_tuple), "Whether there is no tuple.").postfix(),
    function("IS EMPTY", &[Kind::Value], Logical, Run::Values(is_empty), "Whether a cell is empty.").postfix(),
    function("IsEmpty", &[Kind::Value], Logical, Run::Values(is_empty), "Whether a cell is empty."),
    function("IN", &[Member, Kind::Set], Logical, Run::Values(is_in), "Whether a member is in a set.").infix(),
    function("IN", &[Tuple, Kind::Set], Logical, Run::Values(is_in), "Whether a tuple is in a set.").infix(),
    function("NOT IN", &[Member, Kind::Set], Logical, Run::Values(is_not_in), "Whether a member is not in a set.")
        .infix(),
    function("NOT IN", &[Tuple, Kind::Set], Logical, Run::Values(is_not_in), "Whether a tuple is not in a set.")
        .infix(),
    function(
        "MATCHES",
        &[String, String],
        Logical,
        Run::Values(matches),
        "Whether a whole text matches a regular expression.",
    )
    .infix(),
    function(
        "NOT MATCHES",
        &[String, String],
        Logical,
        Run::Values(not_matches),
        "Whether a whole text does not match a regular expression.",
    )
    .infix(),
    function(
        "IIf",
        &[Logical, Numeric, Numeric],
        Numeric,
        Run::Values(choose_values),
        "One of two numbers, by a condition.",
    ),
    function(
        "IIf",
        &[Logical, String, String],
        String,
        Run::Values(choose_values),
        "One of two texts, by a condition.",
    ),
    function(
        "IIf",
        &[Logical, Logical, Logical],
        Logical,
        Run::Values(choose_values),
        "One of two truth values, by a condition.",
    ),
    function(
        "IIf",
        &[Logical, Kind::Value, Kind::Value],
        Kind::Value,
        Run::Values(choose_values),
        "One of two values, by a condition.",
    ),
    function(
        "IIf",
        &[Logical, Member, Member],
        Member,
        Run::Objects(choose_objects),
        "One of two members, by a condition.",
    )
    .typed(Typing::By(either)),
    function(
        "IIf",
        &[Logical, Level, Level],
        Level,
        Run::Objects(choose_objects),
        "One of two levels, by a condition.",
    )
    .typed(Typing::By(either)),
    function(
        "IIf",
        &[Logical, Dimension, Dimension],
        Dimension,
        Run::Objects(choose_objects),
        "One of two dimensions, by a condition.",
    )
    .typed(Typing::By(either)),
    function(
        "IIf",
        &[Logical, Hierarchy, Hierarchy],
        Hierarchy,
        Run::Objects(choose_objects),
        "One of two hierarchies, by a condition.",
    )
    .typed(Typing::By(either)),
    function("IIf", &[Logical, Tuple, Tuple], Tuple, Run::Tuples(choose_tuples), "One of two tuples, by a condition.")
        .typed(Typing::By(either)),
    function(
        "IIf",
        &[Logical, Kind::Set, Kind::Set],
        Kind::Set,
        Run::Set(choose_set),
        "One of two sets, by a condition.",
    )
    .typed(Typing::By(either)),
];

/// Whether a value counts as a condition that holds.
pub(crate) fn is_true(value: &Value) -> bool {
    match value {
        Value::Boolean(b) => *b,
        Value::Int(i) => *i != 0,
        Value::Double(d) => *d != 0.0,
        Value::Currency(c) => c.0 != 0,
        _ => false,
    }
}

/// The truth of a value, or its error.
fn truth(value: &Value) -> Result<bool, Value> {
    match value {
        Value::Error(_) => Err(value.clone()),
        v => Ok(is_true(v)),
    }
}

fn compare(evaluator: &Evaluator, call: &Call, batch: &Batch, holds: fn(Ordering) -> bool) -> Result<Values> {
    let left = evaluator.values(&call.args[0], batch)?;
    let right = evaluator.values(&call.args[1], batch)?;
    let zero = evaluator.cube.compatibility.empty_compares_as_zero();
    let typed = evaluator.cube.compatibility.numbers_are_typed()
        && call.args.iter().any(|a| matches!(a.ty.kind, Numeric | Integer));
    let no_number =
        |text: &Value| Value::Error(error!(Type, "Expected value of type NUMERIC; got value '{text}' (STRING)"));
    Ok(left.zip(&right, batch.len, |a, b| match (a, b) {
        (Value::Error(_), _) => a.clone(),
        (_, Value::Error(_)) => b.clone(),
        (text @ Value::Str(_), _) | (_, text @ Value::Str(_)) if typed => no_number(text),
        (Value::Empty, _) | (_, Value::Empty) if !zero => Value::Boolean(false),
        (Value::Empty, Value::Empty) => Value::Boolean(holds(Ordering::Equal)),
        (Value::Empty, Value::Str(s)) => Value::Boolean(holds("".cmp(s))),
        (Value::Str(s), Value::Empty) => Value::Boolean(holds((**s).cmp(""))),
        (Value::Empty, b) => Value::Boolean(ordered(&Value::Int(0), b).is_some_and(holds)),
        (a, Value::Empty) => Value::Boolean(ordered(a, &Value::Int(0)).is_some_and(holds)),
        (Value::Str(a), Value::Str(b)) if zero => {
            Value::Boolean(holds(facetta_model::name::fold(a).cmp(&facetta_model::name::fold(b))))
        }
        (Value::Str(a), Value::Str(b)) => {
            Value::Boolean(holds(if a == b { Ordering::Equal } else { compare_text(a, b) }))
        }
        (a, b) => Value::Boolean(ordered(a, b).is_some_and(holds)),
    }))
}

/// Texts that are not equal in every letter are not equal.
fn compare_text(a: &str, b: &str) -> Ordering {
    facetta_model::name::compare_text(a, b)
}

/// The order of two values; none where a number is none, and between infinities of one sign, whose difference is none.
fn ordered(a: &Value, b: &Value) -> Option<Ordering> {
    match (a.as_f64(), b.as_f64()) {
        (Some(x), Some(y)) if x.is_infinite() && x == y => Some(Ordering::Equal),
        (Some(x), Some(y)) => x.partial_cmp(&y),
        _ => match (a, b) {
            (Value::Str(s), _) if b.is_number() => s.trim().parse::<f64>().ok()?.partial_cmp(&b.as_f64()?),
            (_, Value::Str(s)) if a.is_number() => a.as_f64()?.partial_cmp(&s.trim().parse::<f64>().ok()?),
            _ => Some(a.compare(b)),
        },
    }
}

fn equal(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    compare(evaluator, call, batch, Ordering::is_eq)
}

fn not_equal(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    compare(evaluator, call, batch, Ordering::is_ne)
}

fn less(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    compare(evaluator, call, batch, Ordering::is_lt)
}

fn less_or_equal(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    compare(evaluator, call, batch, Ordering::is_le)
}

fn greater(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    compare(evaluator, call, batch, Ordering::is_gt)
}

fn greater_or_equal(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    compare(evaluator, call, batch, Ordering::is_ge)
}

/// Evaluates the right side only where the left side leaves it open.
fn short_cut(evaluator: &Evaluator, call: &Call, batch: &Batch, decided: bool) -> Result<Values> {
    let left = evaluator.values(&call.args[0], batch)?;
    if let Col::One(value) = &left {
        return match truth(value) {
            Err(error) => Ok(Col::One(error)),
            Ok(b) if b == decided => Ok(Col::One(Value::Boolean(decided))),
            Ok(_) => Ok(evaluator.values(&call.args[1], batch)?.map(|v| truth(v).map_or_else(|e| e, Value::Boolean))),
        };
    }
    let mut out: Vec<Value> =
        (0..batch.len).map(|row| truth(left.get(row)).map_or_else(|e| e, Value::Boolean)).collect();
    let open: Vec<u32> = (0..batch.len as u32).filter(|&r| out[r as usize] == Value::Boolean(!decided)).collect();
    evaluator.put(&call.args[1], batch, &open, &mut out)?;
    for row in open {
        let value = &mut out[row as usize];
        *value = truth(value).map_or_else(|e| e, Value::Boolean);
    }
    Ok(Col::Many(out))
}

fn and(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    short_cut(evaluator, call, batch, false)
}

fn or(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    short_cut(evaluator, call, batch, true)
}

fn xor(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    let left = evaluator.values(&call.args[0], batch)?;
    let right = evaluator.values(&call.args[1], batch)?;
    Ok(left.zip(&right, batch.len, |a, b| match (truth(a), truth(b)) {
        (Ok(a), Ok(b)) => Value::Boolean(a != b),
        (Err(e), _) | (_, Err(e)) => e,
    }))
}

fn not(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    Ok(evaluator.values(&call.args[0], batch)?.map(|v| truth(v).map_or_else(|e| e, |b| Value::Boolean(!b))))
}

fn objects_by(
    evaluator: &Evaluator,
    call: &Call,
    batch: &Batch,
    same: impl Fn(Object, Object) -> bool,
) -> Result<Values> {
    let left = evaluator.objects(&call.args[0], batch)?;
    let right = evaluator.objects(&call.args[1], batch)?;
    Ok(left.zip(&right, batch.len, |a, b| Value::Boolean(same(*a, *b))))
}

fn same_member(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    let members = evaluator.members();
    let seen = |o: Object| crate::coordinate::seen(members.original(o.as_member()));
    objects_by(evaluator, call, batch, |a, b| seen(a) == seen(b) && (a.hierarchy == b.hierarchy || a.is_null()))
}

fn same_object(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    objects_by(evaluator, call, batch, |a, b| a == b)
}

fn same_dimension(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    let dimension = |o: Object| evaluator.cube.hierarchy(o.hierarchy).dimension;
    objects_by(evaluator, call, batch, |a, b| dimension(a) == dimension(b))
}

fn same_tuple(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    let left = evaluator.tuples(&call.args[0], batch)?;
    let right = evaluator.tuples(&call.args[1], batch)?;
    let members = evaluator.members();
    let sorted = |t: &TupleColumn, row: usize| {
        let column = |(h, c): (&facetta_model::HierarchyId, &Col<MemberId>)| (*h, members.original(*c.get(row)));
        let mut all: Vec<_> = t.hierarchies.iter().zip(&t.members).map(column).collect();
        all.sort_unstable();
        all
    };
    Ok(Col::Many((0..batch.len).map(|row| Value::Boolean(sorted(&left, row) == sorted(&right, row))).collect()))
}

fn is_null(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    let is_member = call.args[0].ty.kind == Kind::Member;
    Ok(evaluator.objects(&call.args[0], batch)?.map(|o| {
        // A member whose key is null counts as none.
        let hierarchy = &evaluator.cube.hierarchy(o.hierarchy).hierarchy;
        let null_key = is_member
            && o.hierarchy != facetta_model::HierarchyId::MEASURES
            && !crate::coordinate::is_special(o.as_member())
            && hierarchy.all_member() != Some(o.as_member())
            && hierarchy.members.key(o.as_member()).is_empty();
        Value::Boolean(o.is_null() || null_key)
    }))
}

fn is_null_tuple(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    let tuples = evaluator.tuples(&call.args[0], batch)?;
    Ok(Col::Many((0..batch.len).map(|row| Value::Boolean(tuples.get(row).is_none())).collect()))
}

fn is_empty(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    Ok(evaluator.values(&call.args[0], batch)?.map(|v| match v {
        Value::Error(_) => v.clone(),
        v => Value::Boolean(v.is_empty()),
    }))
}

fn found_in(evaluator: &Evaluator, call: &Call, batch: &Batch, wanted: bool) -> Result<Values> {
    let tuples = evaluator.tuples(&call.args[0], batch)?;
    let sets = evaluator.sets(&call.args[1], batch)?;
    let members = evaluator.members();
    let mut out = Vec::with_capacity(batch.len);
    for row in 0..batch.len {
        let set = match &sets.sets[*sets.of.get(row) as usize] {
            Ok(set) => set.tuples(&evaluator.context)?,
            Err(e) => {
                out.push(Value::Error(e.clone()));
                continue;
            }
        };
        let same = |s: &[MemberId], t: &[MemberId]| {
            s.iter().zip(t).all(|(a, b)| a == b || members.original(*a) == members.original(*b))
        };
        let found = tuples.get(row).is_some_and(|t| set.iter().any(|s| same(s, &t)));
        out.push(Value::Boolean(found == wanted));
    }
    Ok(Col::Many(out))
}

fn is_in(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    found_in(evaluator, call, batch, true)
}

fn is_not_in(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    found_in(evaluator, call, batch, false)
}

fn matches(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    matched(evaluator, call, batch, true)
}

fn not_matches(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    matched(evaluator, call, batch, false)
}

fn matched(evaluator: &Evaluator, call: &Call, batch: &Batch, wanted: bool) -> Result<Values> {
    let texts = evaluator.values(&call.args[0], batch)?;
    let patterns = evaluator.values(&call.args[1], batch)?;
    // The last pattern is kept: most calls have one for all rows.
    let mut last: Option<(std::string::String, Result<Pattern>)> = None;
    let mut one = |row: usize| {
        let (text, written) = match (texts.get(row), patterns.get(row)) {
            (Value::Error(e), _) | (_, Value::Error(e)) => return Value::Error(e.clone()),
            (text, written) => (text.to_string(), written.to_string()),
        };
        let compiled = match last.take() {
            Some((kept, compiled)) if kept == written => compiled,
            _ => Pattern::new(&written),
        };
        let value = match &compiled {
            Ok(pattern) => Value::Boolean(pattern.matches(&text) == wanted),
            Err(error) => Value::Error(error.clone()),
        };
        last = Some((written, compiled));
        value
    };
    if let (Col::One(_), Col::One(_)) = (&texts, &patterns) {
        return Ok(Col::One(one(0)));
    }
    let mut step = 0;
    let each = |row| {
        evaluator.context.check_every(&mut step)?;
        Ok(one(row))
    };
    Ok(Col::Many((0..batch.len).map(each).collect::<Result<_>>()?))
}

/// What both results of a choice are over; not known if they differ.
fn either(args: &[Expr]) -> Result<crate::expr::Type> {
    let [_, a, b] = args else { bail!(Internal, "IIf has not three arguments") };
    let kind = if a.is_null() { b.ty.kind } else { a.ty.kind };
    let kind = if kind == Kind::Null { Kind::Member } else { kind };
    let hierarchies = match (&a.ty.hierarchies, &b.ty.hierarchies) {
        (Some(x), Some(y)) if x == y => Some(x.clone()),
        (Some(x), None) if b.is_null() => Some(x.clone()),
        (None, Some(y)) if a.is_null() => Some(y.clone()),
        _ => None,
    };
    Ok(crate::expr::Type { kind, hierarchies })
}

/// The rows in which the condition holds, those in which it does not, and errors of the others.
fn part(condition: &Values, len: usize) -> (Vec<u32>, Vec<u32>, Vec<(u32, Value)>) {
    let (mut yes, mut no, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..len as u32 {
        match truth(condition.get(row as usize)) {
            Ok(true) => yes.push(row),
            Ok(false) => no.push(row),
            Err(e) => errors.push((row, e)),
        }
    }
    (yes, no, errors)
}

fn choose_values(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    let condition = evaluator.values(&call.args[0], batch)?;
    if let Col::One(value) = &condition {
        return match truth(value) {
            Ok(b) => evaluator.values(&call.args[if b { 1 } else { 2 }], batch),
            Err(e) => Ok(Col::One(e)),
        };
    }
    let (yes, no, errors) = part(&condition, batch.len);
    let mut out = vec![Value::Empty; batch.len];
    evaluator.put(&call.args[1], batch, &yes, &mut out)?;
    evaluator.put(&call.args[2], batch, &no, &mut out)?;
    errors.into_iter().for_each(|(row, e)| out[row as usize] = e);
    Ok(Col::Many(out))
}

fn choose_objects(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Objects> {
    let condition = evaluator.values(&call.args[0], batch)?;
    if let Col::One(value) = &condition {
        let b = truth(value).map_err(to_error)?;
        return evaluator.objects(&call.args[if b { 1 } else { 2 }], batch);
    }
    let (yes, no, errors) = part(&condition, batch.len);
    if let Some((_, e)) = errors.into_iter().next() {
        return Err(to_error(e));
    }
    let mut out = vec![Object::member(facetta_model::HierarchyId::MEASURES, MemberId::NULL); batch.len];
    for (rows, arg) in [(yes, &call.args[1]), (no, &call.args[2])] {
        let objects = evaluator.objects(arg, &batch.select(&rows))?;
        rows.iter().enumerate().for_each(|(at, &row)| out[row as usize] = *objects.get(at));
    }
    Ok(Col::Many(out))
}

fn choose_tuples(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<TupleColumn> {
    let condition = evaluator.values(&call.args[0], batch)?;
    let yes = evaluator.tuples(&call.args[1], batch)?;
    let no = evaluator.tuples(&call.args[2], batch)?;
    if yes.hierarchies != no.hierarchies {
        bail!(Type, "the tuples of IIf are not over the same hierarchies");
    }
    let pick = |(a, b): (&Col<MemberId>, &Col<MemberId>)| {
        Col::Many(
            (0..batch.len).map(|row| *if is_true(condition.get(row)) { a.get(row) } else { b.get(row) }).collect(),
        )
    };
    let members = yes.members.iter().zip(&no.members).map(pick).collect();
    Ok(TupleColumn { hierarchies: yes.hierarchies, members })
}

fn choose_set(evaluator: &Evaluator, call: &Call, at: &Batch) -> Result<Set> {
    let b = truth(evaluator.values(&call.args[0], at)?.get(0)).map_err(to_error)?;
    evaluator.set_at(&call.args[if b { 1 } else { 2 }], at)
}

fn to_error(value: Value) -> Error {
    match value {
        Value::Error(e) => e,
        _ => Error::new(ErrorKind::Internal, "an error was expected"),
    }
}
