//! Resolves, plans and evaluates MDX over an engine's snapshots.

pub mod flatten;
pub mod render;

pub mod format;
pub mod scalar;
