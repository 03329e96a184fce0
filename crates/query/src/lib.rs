//! Resolves, plans and evaluates MDX over an engine's snapshots.
//!
//! A statement comes as a syntax tree (`facetta_mdx`), names become ids (`resolve`), the typed tree (`expr`) is evaluated
//! over batches of coordinates (`evaluate`), stored cells come from the snapshot as subcubes, and the outcome is pulled.
//! Evaluation recurses: threads that run [`execute`] need [`STACK_BYTES`] of stack.

mod cellset;
mod coordinate;
mod describe;
mod drillthrough;
mod environment;
mod evaluate;
mod execute;
mod expr;
pub mod flatten;
pub mod format;
pub mod functions;
mod navigate;
mod plan;
mod program;
pub mod render;
mod resolve;
pub mod scalar;
mod update;

pub use describe::{
    CubeDescription, SetDescription, check_cube, check_definition, describe, evaluate_newest_set, find_member,
};
pub use environment::{
    MissingMemberMode, Query, RoleFilter, SessionDefinition, SessionScope, SessionSet, Settings, StaticSet,
};
pub use evaluate::SubcubeCache;
pub use execute::execute;
pub use expr::Kind;
pub use update::{CellUpdate, updates};

/// Stack that a thread needs to evaluate calculations that are nested as deep as the evaluator lets them.
pub const STACK_BYTES: usize = 64 << 20;
