//! The catalogs that worlds serve.

use facetta_model::catalog::Catalog;
use facetta_model::{Compatibility, Context, Result, RowsRequest, Rowset, Snapshot, Subcube, SubcubeRequest};
use jiff::civil::date;
use std::sync::Arc;

/// A catalog without cubes.
struct Bare(Arc<Catalog>);

impl Snapshot for Bare {
    fn catalog(&self) -> &Arc<Catalog> {
        &self.0
    }

    fn data_version(&self) -> u64 {
        1
    }

    fn subcube(&self, _: &SubcubeRequest, _: &Context) -> Result<Subcube> {
        Ok(Subcube::default())
    }

    fn source_rows(&self, _: &RowsRequest, _: &Context) -> Result<Rowset> {
        Ok(Rowset::of(Vec::new(), Vec::new()))
    }
}

/// The catalogs Sales and HR, without cubes.
pub fn bare() -> Vec<(String, Arc<dyn Snapshot>)> {
    let one = |name: &str| {
        let catalog = Catalog {
            name: name.to_owned(),
            description: None,
            compatibility: Compatibility::AnalysisServices,
            dimensions: Vec::new(),
            measure_groups: Vec::new(),
            cubes: Vec::new(),
            roles: Vec::new(),
            last_schema_update: date(2024, 1, 2).at(3, 4, 5, 0),
            last_data_update: date(2024, 1, 2).at(3, 4, 5, 0),
        };
        (name.to_owned(), Arc::new(Bare(Arc::new(catalog))) as Arc<dyn Snapshot>)
    };
    vec![one("Sales"), one("HR")]
}
