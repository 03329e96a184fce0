//! What a statement sees from its start to its end: one version, asked for subcubes and rows.

use crate::group::aggregate;
use crate::naive::NaiveSnapshot;
use crate::plan::{Conditions, plan};
use crate::rows::source_rows;
use crate::version::Version;
use facetta_model::catalog::Catalog;
use facetta_model::{Context, Result, RowsRequest, Rowset, Snapshot, Subcube, SubcubeRequest};
use std::sync::Arc;

/// Which implementor of the seam answers for the catalogs of a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answers {
    /// The column store.
    #[default]
    ByColumn,
    /// Row by row: slow, obvious, for tests to hold the other to.
    RowByRow,
}

impl Answers {
    /// A version as this implementor answers for it.
    pub(crate) fn snapshot(self, version: Arc<Version>) -> Arc<dyn Snapshot> {
        match self {
            Answers::ByColumn => Arc::new(StoreSnapshot { version }),
            Answers::RowByRow => Arc::new(NaiveSnapshot { version }),
        }
    }
}

/// A snapshot of the column store.
#[derive(Clone)]
pub(crate) struct StoreSnapshot {
    pub(crate) version: Arc<Version>,
}

impl Snapshot for StoreSnapshot {
    fn catalog(&self) -> &Arc<Catalog> {
        &self.version.catalog
    }

    fn data_version(&self) -> u64 {
        self.version.number
    }

    fn subcube(&self, request: &SubcubeRequest, context: &Context) -> Result<Subcube> {
        context.check()?;
        let data = self.version.group(request.group)?;
        let group = &self.version.catalog.measure_groups[request.group.index()];
        let conditions = Conditions {
            group: request.group,
            axes: &request.axes,
            filters: &request.filters,
            tuples: &request.tuples,
        };
        let plan = plan(&self.version, &conditions, context)?;
        aggregate(&plan, data, group, &request.measures, context)
    }

    fn source_rows(&self, request: &RowsRequest, context: &Context) -> Result<Rowset> {
        source_rows(&self.version, request, context)
    }
}
