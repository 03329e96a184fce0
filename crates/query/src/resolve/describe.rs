//! The named sets of the cube and the session, as metadata rowsets show them.

use super::Resolver;
use crate::describe::SetDescription;
use facetta_model::name;

impl Resolver<'_> {
    /// Every named set; one whose expression is not right has no hierarchies.
    pub(crate) fn describe_sets(&mut self) -> Vec<SetDescription> {
        (0..self.sets.len()).map(|index| self.describe_set(index)).collect()
    }

    fn describe_set(&mut self, index: usize) -> SetDescription {
        let resolved = self.resolved_set(index).ok();
        let hierarchies = resolved.and_then(|expr| expr.ty.hierarchies.clone()).unwrap_or_default();
        let set = &self.sets[index];
        let of_schema = set.text.is_none();
        let defined = self.cube.named_sets.iter().find(|d| of_schema && name::same(&d.name, &set.name));
        SetDescription {
            name: set.name.clone(),
            texts: set.texts.clone(),
            expression: defined.map_or_else(|| set.syntax.to_string(), |d| d.formula.clone()),
            scope: set.scope,
            hierarchies: hierarchies.to_vec(),
            dynamic: set.dynamic,
        }
    }
}
