//! What every definition must keep, whichever form it was written in: names, references, keys, formulas.

use crate::SchemaErrors;
use crate::error::Problems;
use facetta_model::definition::Definition;

/// Checks a definition that was made by hand or by a program.
///
/// # Errors
/// Everything that is wrong, each with its place.
pub fn check(definition: &Definition) -> Result<(), SchemaErrors> {
    let mut problems = Problems::new(&definition.name);
    run(definition, &mut problems);
    problems.finish(())
}

/// Adds what is wrong with a definition to `problems`.
pub(crate) fn run(_definition: &Definition, _problems: &mut Problems) {}
