//! Values from elsewhere: other cubes, children by their operators, arrays for the scalar libraries.

use crate::evaluate::{Batch, Col, Evaluator, Sets, Values, ends_statement};
use crate::expr::{Call, Expr, ExprKind, Kind};
use crate::functions::numeric;
use crate::navigate::Tree;
use crate::scalar::{ScalarFunction, ScalarKind};
use facetta_model::{Error, ErrorKind, Result, Span, Value, bail};
use rustc_hash::FxHashMap;

pub(crate) fn lookup_cube(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    let cubes = evaluator.values(&call.args[0], batch)?;
    let texts = evaluator.values(&call.args[1], batch)?;
    // Nothing of the current coordinate reaches the other cube: equal texts have equal values.
    let mut known: FxHashMap<(String, String), Value> = FxHashMap::default();
    let mut one = |row: usize| -> Result<Value> {
        let key = match (cubes.get(row), texts.get(row)) {
            (Value::Error(e), _) | (_, Value::Error(e)) => return Ok(Value::Error(e.clone())),
            (cube, text) => (cube.to_string(), text.to_string()),
        };
        if let Some(value) = known.get(&key) {
            return Ok(value.clone());
        }
        let value = match evaluator.value_in_cube(&key.0, &key.1) {
            Err(e) if ends_statement(&e) => return Err(e),
            found => found.unwrap_or_else(Value::Error),
        };
        known.insert(key, value.clone());
        Ok(value)
    };
    match (&cubes, &texts) {
        (Col::One(_), Col::One(_)) => Ok(Col::One(one(0)?)),
        _ => Ok(Col::Many((0..batch.len).map(one).collect::<Result<_>>()?)),
    }
}

/// `RollupChildren(member, operator)`: the children's cells, each put to what came before by its own operator: `+`, `-`, `*`,
/// `/`, `~` for none, or a number that it counts by.
pub(crate) fn rollup_children(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    let members = evaluator.members();
    let objects = evaluator.objects(&call.args[0], batch)?;
    let mut sets = Vec::new();
    for row in 0..batch.len {
        let o = objects.get(row);
        let children = if o.is_null() { Vec::new() } else { Tree::new(&members, o.hierarchy).children(o.as_member()) };
        sets.push(crate::evaluate::Set::of_members(o.hierarchy, children, &evaluator.context));
    }
    let sets = Sets { sets, of: Col::Many((0..batch.len as u32).collect()) };
    let name = Expr::literal(Value::Empty, Kind::Set, Span::default());
    let mut operators: Vec<Vec<Value>> = vec![Vec::new(); batch.len];
    evaluator.for_each_value(batch, &sets, &name, Some(&call.args[1]), &mut |row, _, v| {
        operators[row].push(v.clone());
        Ok(())
    })?;
    let mut out = vec![Value::Empty; batch.len];
    evaluator.for_each_value(batch, &sets, &name, None, &mut |row, position, v| {
        out[row] = match put_together(&out[row], &operators[row][position as usize], v) {
            Err(e) if e.is_interrupt() => return Err(e),
            value => value.unwrap_or_else(Value::Error),
        };
        Ok(())
    })?;
    Ok(Col::Many(out))
}

fn put_together(so_far: &Value, operator: &Value, value: &Value) -> Result<Value> {
    if let Some(Value::Error(e)) = [so_far, operator, value].into_iter().find(|v| matches!(v, Value::Error(_))) {
        return Err(e.clone());
    }
    let operator = operator.to_string();
    let weight = operator.trim().parse::<f64>().ok();
    let (a, b) = (numeric::number(so_far), numeric::number(value));
    Ok(match (operator.trim(), weight) {
        ("~", _) => so_far.clone(),
        _ if value.is_empty() => so_far.clone(),
        ("" | "+", _) => numeric::add(so_far, value),
        ("-", _) => Value::Double(if so_far.is_empty() { 0.0 } else { a? } - b?),
        ("*" | "/", _) if so_far.is_empty() => value.clone(),
        ("*", _) => Value::Double(a? * b?),
        ("/", _) => Value::Double(a? / b?),
        (_, Some(weight)) => numeric::add(so_far, &Value::Double(weight * b?)),
        (other, None) => bail!(Invalid, "'{other}' is no operator of RollupChildren; they are + - * / ~ and numbers"),
    })
}

/// SetToArray where no function takes the array.
pub(crate) fn array_alone(_: &Evaluator, _: &Call, _: &Batch) -> Result<Values> {
    Err(Error::new(ErrorKind::Type, "SetToArray yields an array, which only IRR, MIRR and NPV take"))
}

/// The position of the argument that is an array, of a function that takes one.
pub(crate) fn array_argument(function: &ScalarFunction) -> Option<usize> {
    function.parameters.iter().position(|p| p.kind == ScalarKind::Series)
}

/// A call of a scalar function with an array: the numbers over the set of each row.
pub(crate) fn call_with_array(
    evaluator: &Evaluator,
    function: &'static ScalarFunction,
    args: &[Expr],
    array: usize,
    batch: &Batch,
) -> Result<Values> {
    let call = match args.get(array).map(|a| &a.kind) {
        Some(ExprKind::Call(call)) if call.function.name == "SetToArray" => call,
        _ => bail!(Type, "'{}' takes an array: SetToArray(set, value)", function.name),
    };
    let sets = evaluator.sets(&call.args[0], batch)?;
    let mut series: Vec<Result<Vec<f64>>> =
        (0..batch.len).map(|row| sets.error(row).map_or(Ok(Vec::new()), |e| Err(e.clone()))).collect();
    evaluator.for_each_value(batch, &sets, &call.args[0], call.arg(1), &mut |row, _, v| {
        if let Ok(list) = &mut series[row] {
            // Periods without a value are periods without a payment.
            match if v.is_empty() { Ok(0.0) } else { numeric::number(v) } {
                Ok(number) => list.push(number),
                Err(e) => series[row] = Err(e),
            }
        }
        Ok(())
    })?;
    let others: Vec<&Expr> = args.iter().enumerate().filter(|(i, _)| *i != array).map(|(_, a)| a).collect();
    let columns = others.iter().map(|a| evaluator.values(a, batch)).collect::<Result<Vec<_>>>()?;
    let value = |(row, series): (usize, Result<Vec<f64>>)| {
        let values: Vec<Value> = columns.iter().map(|c| c.get(row).clone()).collect();
        series.and_then(|s| function.call_with_series(&evaluator.scalars, &values, &s)).unwrap_or_else(Value::Error)
    };
    Ok(Col::Many(series.into_iter().enumerate().map(value).collect()))
}
