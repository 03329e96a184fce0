//! What a statement is carried out in: snapshot, cube and session scope, settings.

use crate::SubcubeCache;
use crate::coordinate::is_special;
use crate::format::Locale;
use facetta_mdx::ast::{CellCalculation, MemberDefinition, SetDefinition, Source};
use facetta_model::catalog::{Cube, Hierarchy};
use facetta_model::{HierarchyId, Scope, Snapshot, SubcubeFilter, TupleSet, Value};
use jiff::civil::DateTime;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What to do with a member that does not exist (property MdxMissingMemberMode).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingMemberMode {
    /// An error.
    #[default]
    Error,
    /// A null member: it is left out of sets.
    Ignore,
}

/// What the request and session say about how results look and behave.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Number and date formats.
    pub locale: &'static Locale,
    /// What `Now` says; the time at which the statement began.
    pub now: DateTime,
    /// Members that do not exist.
    pub missing_members: MissingMemberMode,
    /// The user's name, for `UserName`.
    pub user: Arc<str>,
    /// CustomData of the request.
    pub custom_data: Arc<str>,
    /// Parameters of the Execute, by name in lower case.
    pub parameters: Arc<BTreeMap<String, Value>>,
}

/// What administrators have defined for everybody and a session for itself, the latter last.
#[derive(Clone, Debug, Default)]
pub struct SessionScope {
    /// Calculated members, in order of definition.
    pub members: Vec<SessionDefinition<MemberDefinition>>,
    /// Named sets.
    pub sets: Vec<SessionSet>,
    /// Cell calculations.
    pub cell_calculations: Vec<SessionDefinition<CellCalculation>>,
    /// Subcubes: the cube is what the last one leaves of what those before it leave.
    pub subcubes: Vec<SessionDefinition<Source>>,
}

/// One definition that is none of the schema.
#[derive(Clone, Debug)]
pub struct SessionDefinition<T> {
    /// The cube it is for.
    pub cube: String,
    /// Whose it is: the session's, or everybody's (then that of the cube).
    pub scope: Scope,
    /// Whether clients are shown it.
    pub visible: bool,
    /// The parsed definition; its name without the cube's.
    pub definition: T,
    /// The statement that made it.
    pub text: Arc<str>,
}

/// A named set that is none of the schema.
#[derive(Clone, Debug)]
pub struct SessionSet {
    /// Its definition.
    pub made: SessionDefinition<SetDefinition>,
    /// How many subcubes of its cube there were when it was made.
    pub subcubes: usize,
    /// What a static one is.
    pub tuples: Arc<StaticSet>,
}

/// The tuples of a static named set, which is evaluated once: when it is made, and anew when the catalog has been loaded again
/// or the server started.
#[derive(Debug, Default)]
pub struct StaticSet(Mutex<Option<Evaluated>>);

#[derive(Debug)]
struct Evaluated {
    /// Of the same load, which tells what the members mean.
    hierarchies: Vec<Arc<Hierarchy>>,
    tuples: TupleSet,
}

/// Members up to which a static set is kept; larger ones are evaluated by each statement, as they were when they were made.
const MOST_KEPT: usize = 1 << 16;

impl StaticSet {
    /// The tuples, if they are known for this version of the cube.
    pub(crate) fn get(&self, cube: &Cube) -> Option<TupleSet> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.as_ref()?;
        let same = |(h, then): (&HierarchyId, &Arc<Hierarchy>)| Arc::ptr_eq(&cube.hierarchy(*h).hierarchy, then);
        known.tuples.hierarchies.iter().zip(&known.hierarchies).all(same).then(|| known.tuples.clone())
    }

    /// Keeps the tuples, if they are stored members and not too many.
    pub(crate) fn keep(&self, cube: &Cube, tuples: &TupleSet) {
        if tuples.members.len() > MOST_KEPT || tuples.members.iter().any(|m| is_special(*m)) {
            return;
        }
        let hierarchies = tuples.hierarchies.iter().map(|h| cube.hierarchy(*h).hierarchy.clone()).collect();
        let evaluated = Evaluated { hierarchies, tuples: tuples.clone() };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(evaluated);
    }
}

/// What a role lets a user see of a cube.
#[derive(Clone, Debug, Default)]
pub struct RoleFilter {
    /// Filters on the cells of each measure group (its position in the catalog); applied to every subcube request.
    pub cells: Vec<(u32, SubcubeFilter)>,
    /// Hierarchies that do not exist for the user.
    pub hidden: Vec<HierarchyId>,
}

/// All that a statement is carried out in. Cheap to clone.
#[derive(Clone)]
pub struct Query {
    /// The version of the catalog and its data.
    pub snapshot: Arc<dyn Snapshot>,
    /// The session's definitions.
    pub session: Arc<SessionScope>,
    /// The user's roles, joined.
    pub role: Arc<RoleFilter>,
    /// Locale, clock and the like.
    pub settings: Settings,
    /// Subcubes kept between statements.
    pub cache: Arc<SubcubeCache>,
}

impl Query {
    /// A statement's environment with default settings and without session or role.
    pub fn new(snapshot: Arc<dyn Snapshot>, now: DateTime) -> Query {
        let settings = Settings {
            locale: Locale::en_us(),
            now,
            missing_members: MissingMemberMode::default(),
            user: "".into(),
            custom_data: "".into(),
            parameters: Arc::default(),
        };
        Query {
            snapshot,
            session: Arc::default(),
            role: Arc::default(),
            settings,
            cache: Arc::new(SubcubeCache::new(64 << 20)),
        }
    }
}
