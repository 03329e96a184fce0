//! Evaluation: expressions over batches of coordinates, sets at single ones.

mod batch;
mod cell;
mod existing;
mod expression;
mod filter;
mod over;
mod overlap;
mod passes;
mod properties;
mod set;
mod sets;
mod stored;
mod subcubes;
mod text;

pub(crate) use batch::{Batch, CHUNK, Col, Column};
pub(crate) use cell::Rolled;
pub(crate) use expression::column;
pub(crate) use passes::wrong_pass;
pub(crate) use set::{Set, Tuples};
pub(crate) use sets::positions;
pub use subcubes::SubcubeCache;

use crate::coordinate::{self, Place};
use crate::environment::{Query, RoleFilter, Settings};
use crate::program::{Calculation, Program};
use crate::scalar::ScalarContext;
use facetta_model::catalog::Cube;
use facetta_model::{Context, Error, ErrorKind, HierarchyId, MemberId, Members, Result, Snapshot, Span, Value};
use rustc_hash::FxHashMap;
use std::cell::{Cell, RefCell};
use std::sync::Arc;

/// How deep calculations and expressions may be nested in each other while they are evaluated.
const MAX_DEPTH: u32 = 3000;

/// Scalars of a batch.
pub(crate) type Values = Col<Value>;

/// A member, level, hierarchy or dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Object {
    pub(crate) hierarchy: HierarchyId,
    /// Of a member or level its id; else 0. [`MemberId::NULL`] for no member or level.
    pub(crate) id: u32,
}

impl Object {
    pub(crate) fn member(hierarchy: HierarchyId, member: MemberId) -> Object {
        Object { hierarchy, id: member.0 }
    }

    pub(crate) fn as_member(self) -> MemberId {
        MemberId(self.id)
    }

    pub(crate) fn is_null(self) -> bool {
        self.id == MemberId::NULL.0
    }
}

/// Objects of a batch.
pub(crate) type Objects = Col<Object>;

/// Tuples of a batch, all over the same hierarchies. A tuple with a null member is no tuple.
#[derive(Clone, Debug)]
pub(crate) struct TupleColumn {
    pub(crate) hierarchies: Vec<HierarchyId>,
    /// For each hierarchy, the member of each row.
    pub(crate) members: Vec<Col<MemberId>>,
}

impl TupleColumn {
    /// The tuple of a row; none if one of its members is null.
    pub(crate) fn get(&self, row: usize) -> Option<Vec<MemberId>> {
        let tuple: Vec<_> = self.members.iter().map(|c| *c.get(row)).collect();
        (!tuple.is_empty() && tuple.iter().all(|m| !m.is_null())).then_some(tuple)
    }
}

/// Whether an error is one of the whole statement, not of a cell or of a row's set.
pub(crate) fn ends_statement(error: &Error) -> bool {
    error.is_interrupt() || matches!(error.kind(), ErrorKind::Recursion | ErrorKind::Unresolved)
}

/// A set for each row: the distinct ones, and which of them each row has.
pub(crate) struct Sets {
    pub(crate) sets: Vec<Result<Set>>,
    pub(crate) of: Col<u32>,
}

/// What a set was evaluated for: where its expression lies, whether subselects narrow it, the coordinates it depends on.
type SetKey = (usize, bool, Vec<MemberId>);

/// The state of one statement's evaluation.
pub(crate) struct Evaluator {
    pub(crate) snapshot: Arc<dyn Snapshot>,
    pub(crate) cube: Arc<Cube>,
    pub(crate) program: Arc<Program>,
    pub(crate) query: Query,
    pub(crate) settings: Settings,
    pub(crate) scalars: ScalarContext,
    pub(crate) role: Arc<RoleFilter>,
    pub(crate) context: Context,
    members: RefCell<Arc<Members>>,
    calculations: RefCell<Vec<Arc<Calculation>>>,
    base: RefCell<Batch>,
    registered: RefCell<Vec<Arc<Tuples>>>,
    iterations: RefCell<Vec<(u32, Set)>>,
    named: RefCell<FxHashMap<usize, Set>>,
    evaluating: RefCell<Vec<usize>>,
    set_cache: RefCell<FxHashMap<SetKey, Set>>,
    memo: RefCell<FxHashMap<(usize, Vec<u64>), Values>>,
    pub(crate) subcubes: subcubes::Subcubes,
    /// What subselects leave.
    pub(crate) left: RefCell<Vec<Arc<crate::plan::Left>>>,
    /// Whether functions of sets give only what subselects leave: on axes and in named sets, not in formulas of cells.
    narrowed: Cell<bool>,
    /// The cell calculations, once cells have been asked for, and the cells that they are at.
    passes: RefCell<passes::State>,
    frames: passes::Frames,
    depth: Cell<u32>,
    /// How many lookups from other cubes this one is within.
    lookups: u32,
}

impl Evaluator {
    pub(crate) fn new(program: Arc<Program>, query: &Query, context: Context) -> Evaluator {
        let members = program.members.clone();
        let cube = members.cube.clone();
        Evaluator {
            subcubes: subcubes::Subcubes::new(query.cache.clone()),
            calculations: RefCell::new(program.calculations.clone()),
            base: RefCell::new(defaults(&program)),
            members: RefCell::new(members),
            snapshot: query.snapshot.clone(),
            role: query.role.clone(),
            settings: query.settings.clone(),
            scalars: ScalarContext::new(query.settings.now, query.settings.locale),
            query: query.clone(),
            cube,
            program,
            context,
            left: RefCell::default(),
            narrowed: Cell::new(true),
            passes: RefCell::default(),
            frames: passes::Frames::default(),
            registered: RefCell::default(),
            iterations: RefCell::default(),
            named: RefCell::default(),
            evaluating: RefCell::default(),
            set_cache: RefCell::default(),
            memo: RefCell::default(),
            depth: Cell::new(0),
            lookups: 0,
        }
    }

    /// The coordinate of default members, whatever the slicer and subselects say.
    pub(crate) fn defaults(&self) -> Batch {
        defaults(&self.program)
    }

    /// The coordinate of default members, narrowed by the slicer once that is known.
    pub(crate) fn base(&self) -> Batch {
        self.base.borrow().clone()
    }

    /// Sets the coordinate from which everything starts; what was evaluated before is forgotten.
    pub(crate) fn set_base(&self, base: Batch) {
        *self.base.borrow_mut() = base;
        self.forget();
    }

    /// Forgets what was evaluated.
    fn forget(&self) {
        self.set_cache.borrow_mut().clear();
        self.named.borrow_mut().clear();
        self.memo.borrow_mut().clear();
    }

    /// Names, parents, properties of members: also of those made while evaluating.
    pub(crate) fn members(&self) -> Arc<Members> {
        self.members.borrow().clone()
    }

    /// Makes a calculated member that lives as long as the statement.
    pub(crate) fn add_member(&self, member: facetta_model::CalculatedMember, calculation: Calculation) -> MemberId {
        let mut members = self.members.borrow_mut();
        let members = Arc::make_mut(&mut members);
        members.calculated.push(Arc::new(member));
        self.calculations.borrow_mut().push(Arc::new(calculation));
        coordinate::calculated(members.calculated.len() - 1)
    }

    pub(crate) fn calculation(&self, index: usize) -> Result<Arc<Calculation>> {
        let found = self.calculations.borrow().get(index).cloned();
        found.ok_or_else(|| Error::internal("a calculated member is unknown"))
    }

    /// The coordinate that ranges over `tuples`.
    pub(crate) fn register_set(&self, tuples: Arc<Tuples>) -> Result<MemberId> {
        let mut registered = self.registered.borrow_mut();
        let same = |t: &Arc<Tuples>| Arc::ptr_eq(t, &tuples) || t.len() == tuples.len() && ***t == **tuples;
        // Looking far back would cost more than a set that is registered twice.
        let from = registered.len().saturating_sub(64);
        let index = match registered[from..].iter().position(same) {
            Some(at) => from + at,
            None => {
                registered.push(tuples);
                registered.len() - 1
            }
        };
        coordinate::set(index)
            .ok_or_else(|| Error::new(ErrorKind::MemoryLimit, "Memory error: too many sets are aggregated"))
    }

    pub(crate) fn registered_set(&self, index: usize) -> Result<Arc<Tuples>> {
        self.registered.borrow().get(index).cloned().ok_or_else(|| Error::internal("a set coordinate is unknown"))
    }

    /// The member as clients see it, for axes and `CurrentMember`: own data becomes a calculated look at its member.
    pub(crate) fn default_member(&self, hierarchy: HierarchyId) -> MemberId {
        self.cube.hierarchy(hierarchy).hierarchy.default_member
    }

    /// One level of nesting more, until the guard is dropped.
    fn enter(&self, span: Span) -> Result<Depth<'_>> {
        let depth = self.depth.get();
        if depth >= MAX_DEPTH {
            return Err(Error::new(ErrorKind::Recursion, "Infinite loop while evaluating an expression").at(span));
        }
        self.depth.set(depth + 1);
        Ok(Depth(&self.depth))
    }

    /// The rows of `batch` that differ in the coordinates `deps`, and for each row which of them it equals.
    /// None if telling them apart is no use: they all may differ.
    pub(crate) fn distinct(&self, batch: &Batch, deps: &crate::expr::Coordinates) -> Option<(Vec<u32>, Col<u32>)> {
        let columns = batch.columns();
        let varying = |i: &usize| matches!(columns[*i], Column::Many(_));
        let used: Vec<usize> = deps.iter().take_while(|i| *i < columns.len()).filter(varying).collect();
        if used.is_empty() {
            return Some((vec![0], Col::One(0)));
        }
        let all = batch.columns().iter().filter(|c| matches!(c, Column::Many(_))).count();
        if used.len() == all {
            return None;
        }
        let mut seen: FxHashMap<Vec<MemberId>, u32> = FxHashMap::default();
        let mut rows = Vec::new();
        let of = (0..batch.len)
            .map(|row| {
                let key: Vec<_> = used.iter().map(|&i| batch.columns()[i].get(row)).collect();
                *seen.entry(key).or_insert_with(|| {
                    rows.push(row as u32);
                    rows.len() as u32 - 1
                })
            })
            .collect();
        Some((rows, Col::Many(of)))
    }

    /// What stands in a coordinate, where it must be one member.
    pub(crate) fn current(&self, hierarchy: HierarchyId, member: MemberId) -> Result<MemberId> {
        if let Place::Set(_) = coordinate::place(member) {
            let fatal = self.cube.compatibility.current_member_of_set_is_fatal();
            let kind = if fatal { ErrorKind::CurrentMemberOfSet } else { ErrorKind::Invalid };
            let name = &self.cube.hierarchy(hierarchy).unique_name;
            let function = "The MDX function CURRENTMEMBER failed";
            let text = format!("{function} because the coordinate for the '{name}' hierarchy contains a set");
            return Err(Error::new(kind, text));
        }
        Ok(member)
    }

    /// Runs `then` where functions of sets give only what subselects leave, or all of the cube.
    pub(crate) fn with_narrowed<T>(&self, narrowed: bool, then: impl FnOnce() -> T) -> T {
        let before = self.narrowed.replace(narrowed);
        let result = then();
        self.narrowed.set(before);
        result
    }

    /// Runs `then` at the default members, in the first subcubes of the session only: as it was when there were so many.
    pub(crate) fn in_subcubes<T>(&self, count: usize, then: impl FnOnce() -> Result<T>) -> Result<T> {
        let (base, left) = (self.base.replace(self.defaults()), self.left.take());
        let (sets, named, memo) = (self.set_cache.take(), self.named.take(), self.memo.take());
        let result = self.with_narrowed(true, || {
            self.apply_subcubes(count)?;
            then()
        });
        self.base.replace(base);
        self.left.replace(left);
        self.set_cache.replace(sets);
        self.named.replace(named);
        self.memo.replace(memo);
        result
    }

    /// Forgets the sets that were remembered.
    pub(crate) fn forget_sets(&self) {
        self.set_cache.borrow_mut().clear();
    }

    /// Forgets what was remembered of the last block of cells.
    pub(crate) fn forget_block(&self) {
        self.memo.borrow_mut().clear();
        if self.set_cache.borrow().len() > 10_000 {
            self.set_cache.borrow_mut().clear();
        }
    }
}

/// The coordinate of the default members of a program's cube; nothing is iterated over.
fn defaults(program: &Program) -> Batch {
    let cube = &program.members.cube;
    let mut at: Vec<MemberId> = cube.hierarchies.iter().map(|h| h.hierarchy.default_member).collect();
    at.resize(cube.hierarchies.len() + program.iterations, MemberId::NULL);
    Batch::point(at)
}

struct Depth<'a>(&'a Cell<u32>);

impl Drop for Depth<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}
