//! Scalars, objects and tuples of an expression over a batch.

use super::{Batch, Col, Column, Evaluator, Object, Objects, TupleColumn, Values, ends_statement};
use crate::coordinate::{self, Place};
use crate::expr::{Expr, ExprKind, Kind};
use crate::functions::{Run, logical, lookup};
use crate::scalar::ScalarKind;
use facetta_model::{Error, ErrorKind, HierarchyId, LevelId, MemberId, Property, Result, Value, bail};

/// Bytes from which on a text is charged while a batch of them is made.
const LONG_TEXT: usize = 4096;

impl Evaluator {
    /// The scalar that `expr` yields at each row. What fails for a row is a [`Value::Error`] in it; only interrupts, endless
    /// recursion and definitions without a meaning fail as a whole.
    pub(crate) fn values(&self, expr: &Expr, batch: &Batch) -> Result<Values> {
        if let ExprKind::Literal(value) = &expr.kind {
            return Ok(Col::One(value.clone()));
        }
        match self.values_or_error(expr, batch) {
            Err(error) if ends_statement(&error) || error.kind() == ErrorKind::CurrentMemberOfSet => Err(error),
            Err(error) if batch.len <= 1 => Ok(Col::One(Value::Error(error.at(expr.span)))),
            Err(_) => {
                let half = batch.len as u32 / 2;
                let mut out = Vec::with_capacity(batch.len);
                for rows in [0..half, half..batch.len as u32] {
                    let rows: Vec<u32> = rows.collect();
                    let part = self.values(expr, &batch.select(&rows))?;
                    out.extend((0..rows.len()).map(|row| part.get(row).clone()));
                }
                Ok(Col::Many(out))
            }
            done => done,
        }
    }

    fn values_or_error(&self, expr: &Expr, batch: &Batch) -> Result<Values> {
        let _depth = self.enter(expr.span)?;
        match &expr.kind {
            ExprKind::Literal(value) => Ok(Col::One(value.clone())),
            ExprKind::Cell(object) => self.cell_at(object, batch),
            ExprKind::Property(member, property) => {
                let members = self.members();
                let read = |o: &Object| self.property(&members, *o, property);
                Ok(self.objects(member, batch)?.map(read))
            }
            ExprKind::CurrentOrdinal(iteration) => self.current_ordinal(*iteration, batch),
            ExprKind::Case(branches, otherwise) => self.case(branches, otherwise.as_deref(), batch),
            ExprKind::Call(call) => match call.function.run {
                Run::Values(run) => {
                    let heavy = call.args.iter().any(|a| a.ty.kind == Kind::Set);
                    match if heavy { self.distinct(batch, &expr.deps) } else { None } {
                        Some((rows, of)) => Ok(run(self, call, &batch.select(&rows))?.pick(&of)),
                        None => run(self, call, batch),
                    }
                }
                Run::Row(run) => {
                    let numeric = |i| matches!(call.function.parameter(i), Some(Kind::Numeric | Kind::Integer));
                    self.row_values(|v| self.only_numbers(v, numeric).and_then(|()| run(v)), &call.args, batch)
                }
                _ => bail!(Type, "{} is no scalar", call.function.name),
            },
            ExprKind::Scalar(function, args) if let Some(array) = lookup::array_argument(function) => {
                lookup::call_with_array(self, function, args, array, batch)
            }
            ExprKind::Scalar(function, args) => {
                let numeric = |i: usize| function.parameters.get(i).is_some_and(|p| p.kind == ScalarKind::Numeric);
                let call = |v: &[Value]| self.only_numbers(v, numeric).and_then(|()| function.call(&self.scalars, v));
                self.row_values(call, args, batch)
            }
            ExprKind::Failed(error) => Err(error.clone()),
            _ => self.cell_at(expr, batch),
        }
    }

    /// An error where a value stands for a number and is none, unless texts may spell numbers.
    fn only_numbers(&self, values: &[Value], numeric: impl Fn(usize) -> bool) -> Result<()> {
        for (i, value) in values.iter().enumerate() {
            let kind = match value {
                Value::Str(_) => "STRING",
                Value::Boolean(_) => "BOOLEAN",
                _ => continue,
            };
            if numeric(i) && self.cube.compatibility.numbers_are_typed() {
                bail!(Type, "Expected value of type NUMERIC; got value '{value}' ({kind})");
            }
        }
        Ok(())
    }

    fn row_values(&self, run: impl Fn(&[Value]) -> Result<Value>, args: &[Expr], batch: &Batch) -> Result<Values> {
        let columns = args.iter().map(|a| self.values(a, batch)).collect::<Result<Vec<_>>>()?;
        let mut row_args = vec![Value::Empty; args.len()];
        let mut one = |row: usize| -> Result<Value> {
            for (to, column) in row_args.iter_mut().zip(&columns) {
                *to = column.get(row).clone();
                if let Value::Error(_) = to {
                    return Ok(to.clone());
                }
            }
            run(&row_args).or_else(|e| if e.is_interrupt() { Err(e) } else { Ok(Value::Error(e)) })
        };
        if columns.iter().all(|c| matches!(c, Col::One(_))) {
            return Ok(Col::One(one(0)?));
        }
        let mut step = 0;
        // Long texts are charged as long as the batch is made, and looked after one by one: a thousand of them take their time.
        let (mut charge, mut long) = (self.context.charge("Text", 0)?, 0);
        let each = |row| {
            self.context.check_every(&mut step)?;
            let value = one(row)?;
            if let Value::Str(text) = &value
                && text.len() > LONG_TEXT
            {
                self.context.check()?;
                long += text.len();
                charge.resize(long)?;
            }
            Ok(value)
        };
        Ok(Col::Many((0..batch.len).map(each).collect::<Result<_>>()?))
    }

    fn case(&self, branches: &[(Expr, Expr)], otherwise: Option<&Expr>, batch: &Batch) -> Result<Values> {
        let mut out: Vec<Value> = vec![Value::Empty; batch.len];
        let mut rest: Vec<u32> = (0..batch.len as u32).collect();
        for (condition, result) in branches {
            if rest.is_empty() {
                break;
            }
            let part = batch.select(&rest);
            let holds = self.values(condition, &part)?;
            let (mut taken, mut left) = (Vec::new(), Vec::new());
            for (at, &row) in rest.iter().enumerate() {
                match holds.get(at) {
                    Value::Error(e) => out[row as usize] = Value::Error(e.clone()),
                    v if logical::is_true(v) => taken.push(row),
                    _ => left.push(row),
                }
            }
            self.put(result, batch, &taken, &mut out)?;
            rest = left;
        }
        if let Some(result) = otherwise {
            self.put(result, batch, &rest, &mut out)?;
        }
        Ok(if batch.len == 1 { Col::One(out.swap_remove(0)) } else { Col::Many(out) })
    }

    /// Evaluates `expr` at some rows of `batch` and puts the results into `out`.
    pub(crate) fn put(&self, expr: &Expr, batch: &Batch, rows: &[u32], out: &mut [Value]) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let values =
            if rows.len() == batch.len { self.values(expr, batch)? } else { self.values(expr, &batch.select(rows))? };
        rows.iter().enumerate().for_each(|(at, &row)| out[row as usize] = values.get(at).clone());
        Ok(())
    }

    /// The cell at what `object`, a member or tuple, yields for each row.
    pub(crate) fn cell_at(&self, object: &Expr, batch: &Batch) -> Result<Values> {
        let mut inner = batch.clone();
        self.go_to(object, batch, &mut inner)?;
        self.cells(&inner)
    }

    /// Puts what a member or tuple expression yields at `batch` into the coordinates of `inner`.
    fn go_to(&self, object: &Expr, batch: &Batch, inner: &mut Batch) -> Result<()> {
        match &object.kind {
            ExprKind::CurrentMember(_) => {}
            ExprKind::Member(h, m) => inner.set_one(h.index(), *m),
            ExprKind::Tuple(parts) => {
                for part in parts {
                    self.go_to(part, batch, inner)?;
                }
            }
            _ if object.ty.kind == Kind::Tuple => {
                let tuples = self.tuples(object, batch)?;
                for (h, members) in tuples.hierarchies.iter().zip(tuples.members) {
                    inner.set(h.index(), column(members));
                }
            }
            _ => self.put_members(self.objects(object, batch)?, inner),
        }
        Ok(())
    }

    fn put_members(&self, objects: Objects, inner: &mut Batch) {
        let objects = match objects {
            Col::One(o) => return inner.set_one(o.hierarchy.index(), o.as_member()),
            Col::Many(objects) => objects,
        };
        let Some(first) = objects.first().map(|o| o.hierarchy) else { return };
        if objects.iter().all(|o| o.hierarchy == first) {
            return inner.set(first.index(), Column::of(objects.iter().map(|o| o.as_member()).collect()));
        }
        let mut hierarchies: Vec<_> = objects.iter().map(|o| o.hierarchy).collect();
        hierarchies.sort_unstable();
        hierarchies.dedup();
        for h in hierarchies {
            let old = inner.column(h).clone();
            let pick = |(row, o): (usize, &Object)| if o.hierarchy == h { o.as_member() } else { old.get(row) };
            let members = objects.iter().enumerate().map(pick).collect();
            inner.set(h.index(), Column::of(members));
        }
    }

    /// The member, level, hierarchy or dimension that `expr` yields at each row.
    pub(crate) fn objects(&self, expr: &Expr, batch: &Batch) -> Result<Objects> {
        match &expr.kind {
            ExprKind::Member(h, m) => Ok(Col::One(Object::member(*h, *m))),
            ExprKind::Level(h, l) => Ok(Col::One(Object { hierarchy: *h, id: l.0 })),
            ExprKind::Hierarchy(h) => Ok(Col::One(Object { hierarchy: *h, id: 0 })),
            ExprKind::Dimension(d) => {
                let hierarchy = HierarchyId(self.cube.dimensions[*d].hierarchies.start);
                Ok(Col::One(Object { hierarchy, id: 0 }))
            }
            ExprKind::CurrentMember(h) => match batch.column(*h) {
                Column::One(m) => Ok(Col::One(Object::member(*h, self.current(*h, *m)?))),
                Column::Many(run) => {
                    let one = |m: &MemberId| Ok(Object::member(*h, self.current(*h, *m)?));
                    Ok(Col::Many(run.members.iter().map(one).collect::<Result<_>>()?))
                }
            },
            ExprKind::Call(call) => {
                let _depth = self.enter(expr.span)?;
                match call.function.run {
                    Run::Objects(run) => run(self, call, batch),
                    Run::Tuples(_) => self.single_members(expr, batch),
                    _ => bail!(Type, "{} yields no member", call.function.name),
                }
            }
            ExprKind::Literal(Value::Empty) => {
                let hierarchy = expr.ty.hierarchy().unwrap_or(HierarchyId::MEASURES);
                Ok(Col::One(Object::member(hierarchy, MemberId::NULL)))
            }
            ExprKind::Tuple(parts) if parts.len() == 1 => self.objects(&parts[0], batch),
            ExprKind::Current(_) => self.single_members(expr, batch),
            ExprKind::Case(branches, otherwise) => self.case_objects(branches, otherwise.as_deref(), batch),
            ExprKind::Failed(error) => Err(error.clone()),
            _ => Err(Error::new(ErrorKind::Type, "a member was expected").at(expr.span)),
        }
    }

    fn single_members(&self, expr: &Expr, batch: &Batch) -> Result<Objects> {
        let tuples = self.tuples(expr, batch)?;
        match (tuples.hierarchies.as_slice(), tuples.members.as_slice()) {
            ([h], [members]) => Ok(members.map(|m| Object::member(*h, *m))),
            ([], _) => Ok(Col::One(Object::member(HierarchyId::MEASURES, MemberId::NULL))),
            _ => Err(Error::new(ErrorKind::Type, "a member was expected, not a tuple").at(expr.span)),
        }
    }

    fn case_objects(&self, branches: &[(Expr, Expr)], otherwise: Option<&Expr>, batch: &Batch) -> Result<Objects> {
        let null = Object::member(HierarchyId::MEASURES, MemberId::NULL);
        let mut out = Vec::with_capacity(batch.len);
        for row in 0..batch.len {
            let at = batch.row(row);
            let mut found = otherwise;
            for (condition, result) in branches {
                if logical::is_true(self.values(condition, &at)?.get(0)) {
                    found = Some(result);
                    break;
                }
            }
            out.push(match found {
                Some(e) => *self.objects(e, &at)?.get(0),
                None => null,
            });
        }
        Ok(Col::Many(out))
    }

    /// The tuple that `expr`, a member or tuple, yields at each row.
    pub(crate) fn tuples(&self, expr: &Expr, batch: &Batch) -> Result<TupleColumn> {
        match &expr.kind {
            ExprKind::Tuple(parts) => {
                let mut out = TupleColumn { hierarchies: Vec::new(), members: Vec::new() };
                for part in parts {
                    let tuple = self.tuples(part, batch)?;
                    if let Some(twice) = tuple.hierarchies.iter().find(|h| out.hierarchies.contains(h)) {
                        let name = &self.cube.hierarchy(*twice).unique_name;
                        let error = facetta_model::error!(
                            HierarchyTwice,
                            "Tuple contains more than one member of hierarchy '{name}'."
                        );
                        return Err(error.at(expr.span));
                    }
                    out.hierarchies.extend(tuple.hierarchies);
                    out.members.extend(tuple.members);
                }
                Ok(out)
            }
            ExprKind::Current(iteration) => self.current_tuple(*iteration, expr, batch),
            ExprKind::Call(call) if matches!(call.function.run, Run::Tuples(_)) => {
                let _depth = self.enter(expr.span)?;
                let Run::Tuples(run) = call.function.run else { unreachable!("matched above") };
                run(self, call, batch)
            }
            ExprKind::Failed(error) => Err(error.clone()),
            _ => {
                let objects = self.objects(expr, batch)?;
                let hierarchy = objects.get(0).hierarchy;
                if let Col::Many(many) = &objects
                    && many.iter().any(|o| o.hierarchy != hierarchy)
                {
                    bail!(Type, "members of different hierarchies stand in one place of a tuple");
                }
                Ok(TupleColumn { hierarchies: vec![hierarchy], members: vec![objects.map(|o| o.as_member())] })
            }
        }
    }

    /// A property of a member; of no member, its name is `#null`.
    pub(crate) fn property(&self, members: &facetta_model::Members, object: Object, property: &Property) -> Value {
        let member = coordinate::seen(object.as_member());
        match coordinate::place(member) {
            Place::Null => match property {
                Property::MemberName | Property::MemberCaption => Value::str("#null"),
                Property::MemberUniqueName => {
                    Value::from(format!("{}.[#null]", self.cube.hierarchy(object.hierarchy).unique_name))
                }
                _ => Value::Empty,
            },
            Place::Calculated(index) => {
                let found = self.calculation(index).ok().and_then(|c| c.named_property(property).cloned());
                match found {
                    Some(expr) => {
                        let at = self.base().with_one(object.hierarchy, member);
                        self.values(&expr, &at).map_or_else(Value::Error, |v| v.get(0).clone())
                    }
                    None => members.property(object.hierarchy, member, property),
                }
            }
            Place::Set(_) => Value::Empty,
            _ => members.property(object.hierarchy, member, property),
        }
    }

    /// The level of a member; of no member the first one, as messages about it show.
    pub(crate) fn level_of(&self, object: Object) -> LevelId {
        let member = coordinate::seen(object.as_member());
        if member.is_null() { LevelId(0) } else { self.members().level(object.hierarchy, member) }
    }
}

/// Members as a column of coordinates.
pub(crate) fn column(members: Col<MemberId>) -> Column {
    match members {
        Col::One(m) => Column::One(m),
        Col::Many(members) => Column::of(members),
    }
}
