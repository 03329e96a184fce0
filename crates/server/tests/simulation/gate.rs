//! A catalog whose queries are held until the gate opens, or until they are cancelled.

use crate::common::catalogs::write_shop;
use facetta_engine::{Source, Store};
use facetta_model::catalog::Catalog;
use facetta_model::{Context, Result, RowsRequest, Rowset, Snapshot, Subcube, SubcubeRequest};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

/// A query that the gate holds.
pub(crate) const QUERY: &str = "SELECT {[Measures].[Amount]} ON COLUMNS FROM [Shop]";

/// The catalog.
pub(crate) struct Gate {
    inner: Arc<dyn Snapshot>,
    opened: AtomicU64,
    waiting: AtomicU64,
    version: AtomicU64,
}

impl Gate {
    pub(crate) fn new(folder: &Path) -> Result<Arc<Gate>> {
        write_shop(folder).map_err(facetta_model::Error::internal)?;
        let definition = facetta_schema::load(&folder.join("shop.yaml"))?;
        let source = Source::Folder(folder.join("shop"));
        let store = Store::in_memory();
        let database = store.load("Shop", &definition, &source, &Context::unlimited(), &|_| {})?;
        let inner = database.snapshot();
        let [opened, waiting, version] = [0, 0, 1].map(AtomicU64::new);
        Ok(Arc::new(Gate { inner, opened, waiting, version }))
    }

    /// How many queries it holds.
    pub(crate) fn held(&self) -> u64 {
        self.waiting.load(SeqCst)
    }

    /// Lets through what it holds; what comes later is held again.
    pub(crate) fn open(&self) {
        self.opened.fetch_add(1, SeqCst);
    }
}

impl Snapshot for Gate {
    fn catalog(&self) -> &Arc<Catalog> {
        self.inner.catalog()
    }

    /// Never the same, so that nothing is remembered and every query comes by.
    fn data_version(&self) -> u64 {
        self.version.fetch_add(1, SeqCst)
    }

    fn subcube(&self, request: &SubcubeRequest, context: &Context) -> Result<Subcube> {
        let opened = self.opened.load(SeqCst);
        self.waiting.fetch_add(1, SeqCst);
        let done = loop {
            if let Err(interrupt) = context.check() {
                break Err(interrupt);
            }
            if self.opened.load(SeqCst) != opened {
                break Ok(());
            }
            std::thread::sleep(Duration::from_micros(200));
        };
        self.waiting.fetch_sub(1, SeqCst);
        done.and_then(|()| self.inner.subcube(request, context))
    }

    fn source_rows(&self, request: &RowsRequest, context: &Context) -> Result<Rowset> {
        self.inner.source_rows(request, context)
    }
}
