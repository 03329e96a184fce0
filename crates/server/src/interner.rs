//! Texts that many sessions share: users, catalogs, property lists, last commands.

use crate::sync::lock;
use rustc_hash::FxHashSet;
use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::{Arc, Mutex};

/// Gives one shared copy of equal values for as long as somebody holds it.
#[derive(Debug)]
pub struct Interner<T: ?Sized>(Mutex<Inner<T>>);

#[derive(Debug)]
struct Inner<T: ?Sized> {
    held: FxHashSet<Arc<T>>,
    sweep_at: usize,
}

impl<T: ?Sized + Eq + Hash> Default for Interner<T> {
    fn default() -> Self {
        Self(Mutex::new(Inner { held: FxHashSet::default(), sweep_at: 1024 }))
    }
}

impl<T: ?Sized + Eq + Hash> Interner<T> {
    /// The shared copy of `value`; `make` makes it if there is none.
    pub fn share_with<Q>(&self, value: &Q, make: impl FnOnce() -> Arc<T>) -> Arc<T>
    where
        Q: ?Sized + Eq + Hash,
        Arc<T>: Borrow<Q>,
    {
        let mut inner = lock(&self.0);
        if let Some(found) = inner.held.get(value) {
            return found.clone();
        }
        // Values that nobody holds go when the table has doubled since the last sweep, so that a sweep costs each
        // insertion a constant.
        if inner.held.len() >= inner.sweep_at {
            inner.held.retain(|v| Arc::strong_count(v) > 1);
            inner.sweep_at = (inner.held.len() * 2).max(1024);
        }
        let shared = make();
        inner.held.insert(shared.clone());
        shared
    }

    /// How many different values are held.
    pub fn len(&self) -> usize {
        lock(&self.0).held.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Interner<str> {
    /// The shared copy of `text`.
    pub fn share(&self, text: &str) -> Arc<str> {
        self.share_with(text, || text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_one() {
        let texts = Interner::<str>::default();
        assert!(Arc::ptr_eq(&texts.share("a"), &texts.share("a")));
    }

    #[test]
    fn what_nobody_holds_goes() {
        let texts = Interner::<str>::default();
        let kept = texts.share("kept");
        for i in 0..10_000 {
            texts.share(&i.to_string());
        }
        assert!(texts.len() <= 1025, "{}", texts.len());
        assert!(Arc::ptr_eq(&kept, &texts.share("kept")));
    }
}
