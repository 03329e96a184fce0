//! Checks of roles: what they grant must exist.

use super::formula::has_hierarchy;
use crate::error::{Problems, did_you_mean};
use crate::names;
use facetta_model::definition::{Definition, RoleDef};
use facetta_model::name;

pub(super) fn check(definition: &Definition, role: &RoleDef, problems: &mut Problems) {
    for wanted in &role.union {
        if !definition.roles.iter().any(|r| name::same(&r.name, wanted)) {
            let hint = did_you_mean(wanted, definition.roles.iter().map(|r| r.name.as_str()));
            problems.missing(&role.place, format!("There is no role '{wanted}'{hint}"));
        }
    }
    for grant in &role.cubes {
        let Some(cube) = definition.cubes.iter().find(|c| name::same(&c.name, &grant.cube)) else {
            let hint = did_you_mean(&grant.cube, definition.cubes.iter().map(|c| c.name.as_str()));
            problems.missing(&role.place, format!("There is no cube '{}'{hint}", grant.cube));
            continue;
        };
        let hierarchies = grant.hierarchies.iter().map(|h| h.hierarchy.as_str());
        for wanted in hierarchies.chain(grant.dimensions.iter().map(|(d, _)| d.as_str())) {
            // A dimension may be named without brackets.
            let plain = cube.dimensions.iter().any(|d| name::same(&d.name, wanted));
            if !plain && !has_hierarchy(definition, cube, wanted) {
                problems.missing(&role.place, format!("The cube '{}' has no hierarchy '{wanted}'", cube.name));
            }
        }
        for member in grant.hierarchies.iter().flat_map(|h| &h.members) {
            if !names::is_identifier(&member.0) {
                problems.at(&role.place, format!("'{}' is not the name of a member", member.0));
            }
        }
    }
}
