//! Resolves, plans and evaluates MDX over an engine's snapshots.
