//! Roles and their grants, kept as read.

use super::xml::Element;
use crate::error::Problems;
use facetta_model::definition::{CubeGrantDef, HierarchyGrantDef, RoleDef};

/// A role: grants, or a union of other roles.
pub(super) fn role(element: &Element, problems: &mut Problems) -> Option<RoleDef> {
    let grants: Vec<&Element> = element.all("SchemaGrant").collect();
    let unions: Vec<&Element> = element.all("Union").collect();
    if grants.len() + unions.len() > 1 {
        problems.add(element.line, element.label(), "A role has one SchemaGrant or one Union");
    } else if grants.is_empty() && unions.is_empty() {
        problems.add(element.line, element.label(), "A role needs a SchemaGrant or a Union");
    }
    Some(RoleDef {
        name: element.text_of("name")?,
        schema_access: grants.first().and_then(|g| g.text_of("access")),
        cubes: grants.iter().flat_map(|g| g.all("CubeGrant")).filter_map(cube_grant).collect(),
        union: unions.iter().flat_map(|u| u.all("RoleUsage")).filter_map(|r| r.text_of("roleName")).collect(),
        place: element.place(problems),
    })
}

fn cube_grant(element: &Element) -> Option<CubeGrantDef> {
    let pair = |e: &Element, name| Some((e.text_of(name)?, e.text_of("access")?));
    Some(CubeGrantDef {
        cube: element.text_of("cube")?,
        access: element.text_of("access")?,
        hierarchies: element
            .all("HierarchyGrant")
            .filter_map(|grant| {
                Some(HierarchyGrantDef {
                    hierarchy: grant.text_of("hierarchy")?,
                    access: grant.text_of("access")?,
                    top_level: grant.text_of("topLevel"),
                    bottom_level: grant.text_of("bottomLevel"),
                    rollup_policy: grant.text_of("rollupPolicy"),
                    members: grant.all("MemberGrant").filter_map(|m| pair(m, "member")).collect(),
                })
            })
            .collect(),
        dimensions: element.all("DimensionGrant").filter_map(|d| pair(d, "dimension")).collect(),
    })
}
