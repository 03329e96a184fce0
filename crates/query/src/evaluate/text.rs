//! Texts that become members, tuples and sets while a statement is evaluated.

use super::{Batch, Evaluator, Object, Set, TupleColumn};
use crate::expr::Kind;
use crate::resolve::Resolver;
use facetta_model::{Result, Span, bail};

/// How deep lookups in other cubes may be nested.
const MOST_LOOKUPS: u32 = 8;

impl Evaluator {
    fn resolve_text(&self, text: &str, kind: Kind) -> Result<crate::expr::Expr> {
        let mut resolver = Resolver::of_program(&self.query, &self.program, &self.members(), &self.context);
        resolver.text_now(text, kind, None, Span::default())
    }

    /// The member that a text names; none where the text is empty.
    pub(crate) fn member_named(&self, text: &str) -> Result<Object> {
        let expr = self.resolve_text(text, Kind::Member)?;
        Ok(*self.objects(&expr, &self.base())?.get(0))
    }

    /// The hierarchy that a text names.
    pub(crate) fn hierarchy_named(&self, text: &str) -> Result<Object> {
        let resolver = Resolver::of_program(&self.query, &self.program, &self.members(), &self.context);
        Ok(Object { hierarchy: resolver.hierarchy_of_text(text)?, id: 0 })
    }

    /// The value of the expression that a text is in another cube, at the default members there.
    pub(crate) fn value_in_cube(&self, cube: &str, text: &str) -> Result<facetta_model::Value> {
        if self.lookups >= MOST_LOOKUPS {
            bail!(Recursion, "LookupCube is nested more than {MOST_LOOKUPS} deep");
        }
        let Some(cube) = self.snapshot.catalog().cube(cube).cloned() else {
            bail!(CubeNotFound, "MDX cube '{cube}' not found")
        };
        let mut resolver = Resolver::new(&self.query, &cube, &self.context)?;
        let expr = resolver.text_now(text, Kind::Value, None, Span::default())?;
        let program = resolver.finish(Vec::new(), None, Vec::new(), Vec::new())?;
        let mut inner = Evaluator::new(std::sync::Arc::new(program), &self.query, self.context.clone());
        inner.lookups = self.lookups + 1;
        inner.depth.set(self.depth.get());
        inner.apply_subselects()?;
        Ok(inner.values(&expr, &inner.base())?.get(0).clone())
    }

    /// The tuple that a text is, at one coordinate.
    pub(crate) fn tuple_named(&self, text: &str, at: &Batch) -> Result<TupleColumn> {
        let expr = self.resolve_text(text, Kind::Tuple)?;
        self.tuples(&expr, at)
    }

    /// The set that a text is, at one coordinate.
    pub(crate) fn set_named(&self, text: &str, at: &Batch) -> Result<Set> {
        let expr = self.resolve_text(text, Kind::Set)?;
        // The expression is gone after this, and its place in memory may be used again: nothing of it may stay in the cache.
        let set = self.set_at(&expr, at);
        self.forget_sets();
        set
    }

    /// The value of the expression that a text is, at one coordinate.
    pub(crate) fn value_named(&self, text: &str, at: &Batch) -> Result<facetta_model::Value> {
        let expr = self.resolve_text(text, Kind::Value)?;
        let value = self.values(&expr, at)?.get(0).clone();
        self.forget_sets();
        Ok(value)
    }
}
