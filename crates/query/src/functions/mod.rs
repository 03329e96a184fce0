//! The table of functions: name, signature, implementation, a sentence; MDSCHEMA_FUNCTIONS and COMPAT.md read it.
//!
//! To add a function:
//! 1. Pick the family's file (`set.rs`, `member.rs`, `numeric.rs` …) and add a row for each overload to its table:
//!    `function("Head", &[Set, Numeric], Set, Run::Set(head), "The first tuples of a set.")`. The name is written as clients
//!    should see it. `.method()` and `.property()` say that it is written after its first argument.
//! 2. Parameters evaluated for each tuple of the first set, in its context, are marked with `.each(position)`; the dependency
//!    analysis relies on it. Further arguments that repeat the last ones are marked with `.repeat(how_many)`.
//! 3. What an object or set result is over is that of the first argument that has a hierarchy, unless `.typed(…)` says otherwise.
//! 4. Write the implementation for its `Run`: scalars and members work on whole batches (one result for each row, or
//!    `Col::One` for all), sets at one coordinate. Use `Evaluator`'s `values`, `objects`, `tuples`, `set_at` for arguments and
//!    `Evaluator::for_each_value` to evaluate something over a set. An error of one row is a `Value::Error` in that row.

use crate::evaluate::{Batch, Evaluator, Objects, Set, TupleColumn, Values};
use crate::expr::{Call, Expr, Kind, Type};
use facetta_model::{Result, Value, name};
use rustc_hash::FxHashMap;
use std::sync::OnceLock;

pub(crate) mod aggregate;
pub(crate) mod drill;
pub(crate) mod level;
pub(crate) mod logical;
pub(crate) mod lookup;
pub(crate) mod member;
pub(crate) mod numeric;
pub(crate) mod set;
pub(crate) mod set_native;
pub(crate) mod set_navigate;
pub(crate) mod set_order;
pub(crate) mod special;
pub(crate) mod statistical;
pub(crate) mod string;
pub(crate) mod time;
pub(crate) mod time_now;
pub(crate) mod tuple;

/// How a function is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Syntax {
    /// `name(arguments)`.
    Function,
    /// `first.name(others)`.
    Method,
    /// `first.name`.
    Property,
    /// `left name right`.
    Infix,
    /// `name operand`.
    Prefix,
    /// `operand name`.
    Postfix,
    /// In a way of its own: braces, CASE, CAST.
    Special,
}

type ValuesFn = fn(&Evaluator, &Call, &Batch) -> Result<Values>;
type ObjectsFn = fn(&Evaluator, &Call, &Batch) -> Result<Objects>;
type TuplesFn = fn(&Evaluator, &Call, &Batch) -> Result<TupleColumn>;
type SetFn = fn(&Evaluator, &Call, &Batch) -> Result<Set>;

/// How a function is carried out.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Run {
    /// Scalars of a batch.
    Values(ValuesFn),
    /// A scalar of scalars: the same for the same arguments.
    Row(fn(&[Value]) -> Result<Value>),
    /// Members, levels, hierarchies or dimensions of a batch.
    Objects(ObjectsFn),
    /// Tuples of a batch.
    Tuples(TuplesFn),
    /// The set at one coordinate.
    Set(SetFn),
    /// Rewritten by the resolver, which knows it by name.
    Resolver,
}

/// What an object or set result is over.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Typing {
    /// As the first argument whose hierarchies are known.
    First,
    /// As the argument at a position.
    Argument(usize),
    /// The sets' hierarchies one after the other.
    Product,
    /// As a function of the arguments says.
    By(fn(&[Expr]) -> Result<Type>),
}

/// Which coordinates a function looks at besides what its arguments depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// None.
    Arguments,
    /// All but those of its first set.
    Cells,
    /// All.
    All,
}

/// One overload of a function.
#[derive(Debug)]
pub struct Function {
    /// Its name as clients see it.
    pub name: &'static str,
    /// How it is written.
    pub syntax: Syntax,
    /// Its parameters.
    pub parameters: &'static [Kind],
    /// How many of the last parameters may be repeated; 0: none.
    pub repeats: usize,
    /// What it yields.
    pub returns: Kind,
    /// A sentence for people.
    pub doc: &'static str,
    pub(crate) run: Run,
    pub(crate) typing: Typing,
    /// Bit by bit the parameters that are evaluated for each tuple of the first set.
    pub(crate) each: u16,
    /// What it depends on besides its arguments.
    pub(crate) reach: Reach,
    /// Whether clients are told of it: false for what faults by name and for what the resolver alone calls.
    pub(crate) announced: bool,
}

pub(crate) const fn function(
    name: &'static str,
    parameters: &'static [Kind],
    returns: Kind,
    run: Run,
    doc: &'static str,
) -> Function {
    Function {
        name,
        syntax: Syntax::Function,
        parameters,
        repeats: 0,
        returns,
        doc,
        run,
        typing: Typing::First,
        each: 0,
        reach: Reach::Arguments,
        announced: true,
    }
}

impl Function {
    pub(crate) const fn method(mut self) -> Function {
        self.syntax = Syntax::Method;
        self
    }

    pub(crate) const fn property(mut self) -> Function {
        self.syntax = Syntax::Property;
        self
    }

    pub(crate) const fn infix(mut self) -> Function {
        self.syntax = Syntax::Infix;
        self
    }

    pub(crate) const fn prefix(mut self) -> Function {
        self.syntax = Syntax::Prefix;
        self
    }

    /// Clients are not told of it (yet).
    pub(crate) const fn unannounced(mut self) -> Function {
        self.announced = false;
        self
    }

    pub(crate) const fn postfix(mut self) -> Function {
        self.syntax = Syntax::Postfix;
        self
    }

    pub(crate) const fn special(mut self) -> Function {
        self.syntax = Syntax::Special;
        self
    }

    /// The last `count` parameters may be repeated.
    pub(crate) const fn repeat(mut self, count: usize) -> Function {
        self.repeats = count;
        self
    }

    /// The parameter at `position` is evaluated for each tuple of the first set.
    pub(crate) const fn each(mut self, position: usize) -> Function {
        self.each |= 1 << position;
        self
    }

    pub(crate) const fn typed(mut self, typing: Typing) -> Function {
        self.typing = typing;
        self
    }

    /// It looks at cells itself, at the tuples of its first set.
    pub(crate) const fn on_cells(mut self) -> Function {
        self.reach = Reach::Cells;
        self
    }

    /// Its result depends on every coordinate, whatever the arguments say.
    pub(crate) const fn on_all(mut self) -> Function {
        self.reach = Reach::All;
        self
    }

    /// The kind of the parameter at `index`, repeated ones counted; none beyond the last.
    pub fn parameter(&self, index: usize) -> Option<Kind> {
        match self.parameters.get(index) {
            Some(kind) => Some(*kind),
            None if self.repeats > 0 => {
                let base = self.parameters.len() - self.repeats;
                Some(self.parameters[base + (index - base) % self.repeats])
            }
            None => None,
        }
    }

    /// Whether it may take `count` arguments.
    pub fn takes(&self, count: usize) -> bool {
        count == self.parameters.len()
            || self.repeats > 0
                && count > self.parameters.len()
                && (count - self.parameters.len()).is_multiple_of(self.repeats)
    }

    pub(crate) fn is_each(&self, index: usize) -> bool {
        let index = index.min(15);
        self.each & 1 << index != 0 || self.repeats > 0 && index >= self.parameters.len() && self.each != 0
    }
}

/// Every family with its functions.
pub(crate) const FAMILIES: &[(&str, &[Function])] = &[
    ("Operators", logical::FUNCTIONS),
    ("Numeric", numeric::FUNCTIONS),
    ("Aggregation", aggregate::FUNCTIONS),
    ("Statistical", statistical::FUNCTIONS),
    ("String", string::FUNCTIONS),
    ("Member", member::FUNCTIONS),
    ("Level", level::FUNCTIONS),
    ("Tuple", tuple::FUNCTIONS),
    ("Set", set::FUNCTIONS),
    ("Set navigation", set_navigate::FUNCTIONS),
    ("Set order", set_order::FUNCTIONS),
    ("Drill", drill::FUNCTIONS),
    ("Time", time::FUNCTIONS),
    ("Special", special::FUNCTIONS),
];

/// Every overload that works, with its family, in the order of the table: what clients are told of.
pub fn announced() -> impl Iterator<Item = (&'static str, &'static Function)> {
    all().filter(|(_, f)| f.announced)
}

/// Every overload with its family, in the order of the table.
pub fn all() -> impl Iterator<Item = (&'static str, &'static Function)> {
    FAMILIES.iter().flat_map(|(family, functions)| functions.iter().map(move |f| (*family, f)))
}

/// The overloads of a name, without regard to case, in the order of the table.
pub(crate) fn overloads(wanted: &str) -> &'static [&'static Function] {
    static INDEX: OnceLock<FxHashMap<String, Vec<&'static Function>>> = OnceLock::new();
    let index = INDEX.get_or_init(|| {
        let mut index: FxHashMap<String, Vec<&'static Function>> = FxHashMap::default();
        for (_, function) in all() {
            index.entry(name::fold(function.name)).or_default().push(function);
        }
        index
    });
    index.get(&name::fold(wanted)).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn overloads_are_unique_and_documented() {
        let mut seen = HashSet::new();
        for (family, f) in all() {
            assert!(
                seen.insert((name::fold(f.name), f.syntax, f.parameters)),
                "{family}: {} twice with {:?}",
                f.name,
                f.parameters
            );
            assert!(f.doc.ends_with('.') && f.doc.len() > 10, "{} has no sentence", f.name);
            assert!(f.repeats <= f.parameters.len(), "{} repeats more than it has", f.name);
        }
    }

    #[test]
    fn names_are_spelled_one_way() {
        let mut spelled: FxHashMap<String, &str> = FxHashMap::default();
        for (_, f) in all() {
            assert_eq!(*spelled.entry(name::fold(f.name)).or_insert(f.name), f.name);
        }
    }

    #[test]
    fn repeated_parameters_are_found() {
        let order = overloads("Crossjoin").iter().find(|f| f.repeats > 0).unwrap();
        assert!(order.takes(2) && order.takes(4) && !order.takes(1));
        assert_eq!(order.parameter(5), Some(Kind::Set));
    }
}
