//! What administrators have defined for everybody, parsed once for each version of it.

use crate::scope::Scope;
use crate::sync::lock;
use facetta_model::catalog::{Catalog, GlobalDefinition};
use std::sync::{Arc, Mutex};

/// Versions that are kept; older ones are parsed again when a long transaction asks for them.
const MOST: usize = 64;

/// The scopes of catalogs' global definitions.
#[derive(Debug, Default)]
pub struct Globals(Mutex<Vec<Parsed>>);

#[derive(Debug)]
struct Parsed {
    /// Held, so that its address means nothing else.
    definitions: Arc<[GlobalDefinition]>,
    scope: Arc<Scope>,
}

impl Globals {
    /// What is defined for everybody in a version of a catalog.
    pub fn of(&self, catalog: &Catalog) -> Arc<Scope> {
        let definitions = &catalog.global_definitions;
        if definitions.is_empty() {
            return Arc::new(Scope::of_catalog(catalog));
        }
        let mut all = lock(&self.0);
        if let Some(found) = all.iter().find(|p| Arc::ptr_eq(&p.definitions, definitions)) {
            return found.scope.clone();
        }
        let scope = Arc::new(Scope::of_catalog(catalog));
        if all.len() >= MOST {
            all.remove(0);
        }
        all.push(Parsed { definitions: definitions.clone(), scope: scope.clone() });
        scope
    }
}
