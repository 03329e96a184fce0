//! Tuples: items of tuples and sets.

use super::{Function, Run, Typing, function};
use crate::evaluate::{Batch, Col, Evaluator, Object, Objects, TupleColumn};
use crate::expr::{Call, Expr, Kind, Kind::*, Type};
use facetta_model::{MemberId, Result, bail, error};

pub(crate) const FUNCTIONS: &[Function] = &[
    function("Item", &[Tuple, Numeric], Member, Run::Objects(tuple_item), "The member at a position of a tuple.")
        .method()
        .typed(Typing::By(tuple_item_type)),
    function("Item", &[Kind::Set, Numeric], Tuple, Run::Tuples(set_item), "The tuple at a position of a set.")
        .method()
        .typed(Typing::By(set_item_type)),
    function("Item", &[Kind::Set, String], Tuple, Run::Tuples(set_item_named), "The tuple of a set that texts name.")
        .method()
        .repeat(1)
        .typed(Typing::By(named_item_type)),
    function("StrToTuple of", &[String], Tuple, Run::Tuples(text_to_tuple), "The tuple that a computed text is."),
    function("StrToTuple", &[String], Tuple, Run::Resolver, "The tuple that a text is."),
];

fn tuple_item_type(args: &[Expr]) -> Result<Type> {
    let index = match &args[1].kind {
        crate::expr::ExprKind::Literal(v) => v.as_f64().map(|d| d as usize),
        _ => None,
    };
    let hierarchies = args[0].ty.hierarchies.as_deref();
    Ok(match (index, hierarchies) {
        (_, Some([one])) => Type::on(Kind::Member, *one),
        (Some(i), Some(all)) if i < all.len() => Type::on(Kind::Member, all[i]),
        _ => Type::of(Kind::Member),
    })
}

fn set_item_type(args: &[Expr]) -> Result<Type> {
    let kind = if args[0].ty.hierarchy().is_some() { Kind::Member } else { Kind::Tuple };
    Ok(args[0].ty.with_kind(kind))
}

fn named_item_type(args: &[Expr]) -> Result<Type> {
    if let Some(all) = &args[0].ty.hierarchies
        && all.len() != args.len() - 1
    {
        bail!(Type, "Argument count does not match set's cardinality {}", all.len());
    }
    set_item_type(args)
}

fn tuple_item(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Objects> {
    let tuples = evaluator.tuples(&call.args[0], batch)?;
    let indexes = evaluator.values(&call.args[1], batch)?;
    let null = Object::member(facetta_model::HierarchyId::MEASURES, MemberId::NULL);
    let mut failed = None;
    let mut one = |row: usize| {
        let index = indexes.get(row).as_f64().filter(|i| *i >= 0.0).map_or(usize::MAX, |i| i as usize);
        match (tuples.hierarchies.get(index), tuples.members.get(index)) {
            (Some(h), Some(members)) => Object::member(*h, *members.get(row)),
            _ => {
                failed = Some(error!(Invalid, "Index '{}' out of bounds", indexes.get(row)));
                null
            }
        }
    };
    let constant = matches!(indexes, Col::One(_)) && tuples.members.iter().all(|c| matches!(c, Col::One(_)));
    let found = if constant { Col::One(one(0)) } else { Col::Many((0..batch.len).map(one).collect()) };
    failed.map_or(Ok(found), Err)
}

/// The tuples that `find` picks from the set of each row; null tuples where it picks none.
fn pick(
    evaluator: &Evaluator,
    call: &Call,
    batch: &Batch,
    find: impl Fn(&crate::evaluate::Set, usize) -> Result<Option<u64>>,
) -> Result<TupleColumn> {
    let sets = evaluator.sets(&call.args[0], batch)?;
    let mut hierarchies = call.args[0].ty.hierarchies.as_deref().map(<[_]>::to_vec);
    let mut columns: Vec<Vec<MemberId>> = Vec::new();
    let mut tuple = Vec::new();
    for row in 0..batch.len {
        let set = match &sets.sets[*sets.of.get(row) as usize] {
            Ok(set) => set,
            Err(e) => return Err(e.clone()),
        };
        let hierarchies = hierarchies.get_or_insert_with(|| set.hierarchies());
        columns.resize(hierarchies.len(), Vec::with_capacity(batch.len));
        match find(set, row)? {
            Some(index) => set.read(index, &mut tuple),
            None => {
                tuple.clear();
                tuple.resize(hierarchies.len(), MemberId::NULL);
            }
        }
        columns.iter_mut().zip(&tuple).for_each(|(c, m)| c.push(*m));
    }
    let hierarchies = hierarchies.unwrap_or_default();
    Ok(TupleColumn { hierarchies, members: columns.into_iter().map(Col::Many).collect() })
}

fn set_item(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<TupleColumn> {
    let indexes = evaluator.values(&call.args[1], batch)?;
    pick(evaluator, call, batch, |set, row| {
        if let facetta_model::Value::Error(e) = indexes.get(row) {
            return Err(e.clone());
        }
        let index = indexes.get(row).as_f64().unwrap_or(-1.0);
        Ok((index >= 0.0 && index < set.len() as f64).then_some(index as u64))
    })
}

fn set_item_named(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<TupleColumn> {
    let names = call.args[1..].iter().map(|a| evaluator.values(a, batch)).collect::<Result<Vec<_>>>()?;
    let members = evaluator.members();
    pick(evaluator, call, batch, |set, row| {
        let tuples = set.tuples(&evaluator.context)?;
        let same = |tuple: &[MemberId]| {
            tuple.iter().zip(&tuples.hierarchies).zip(&names).all(|((m, h), name)| {
                let name = name.get(row).to_string();
                facetta_model::name::same(members.name(*h, *m), &name)
                    || facetta_model::name::same(&members.unique_name(*h, *m), &name)
            })
        };
        Ok(tuples.iter().position(same).map(|at| at as u64))
    })
}

fn text_to_tuple(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<TupleColumn> {
    let texts = evaluator.values(&call.args[0], batch)?;
    let mut out: Option<TupleColumn> = None;
    let mut columns: Vec<Vec<MemberId>> = Vec::new();
    for row in 0..batch.len {
        let tuple = evaluator.tuple_named(&texts.get(row).to_string(), &batch.row(row))?;
        let known =
            out.get_or_insert_with(|| TupleColumn { hierarchies: tuple.hierarchies.clone(), members: Vec::new() });
        if known.hierarchies != tuple.hierarchies {
            bail!(Type, "StrToTuple yields tuples over different hierarchies");
        }
        columns.resize(tuple.hierarchies.len(), Vec::new());
        columns.iter_mut().zip(&tuple.members).for_each(|(c, m)| c.push(*m.get(0)));
    }
    let mut out = out.unwrap_or(TupleColumn { hierarchies: Vec::new(), members: Vec::new() });
    out.members = columns.into_iter().map(Col::Many).collect();
    Ok(out)
}
