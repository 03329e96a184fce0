//! Loading the catalogs of the settings: schemas before the port opens, data behind it.

use crate::catalogs::CatalogState;
use crate::server::Server;
use crate::settings::CatalogSettings;
use facetta_engine::{Database, Progress, Source, Step, Store};
use facetta_model::definition::Definition;
use facetta_model::{Context, Result, error};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How often the log is told how far a load is.
const TELL: Duration = Duration::from_secs(2);

/// A catalog whose schema has been read.
pub struct Prepared {
    settings: CatalogSettings,
    definition: Definition,
}

/// Reads the schema of a catalog, and looks whether its source is there.
///
/// # Errors
/// The schema is wrong, with file and line; or there is no such folder.
pub fn prepare(settings: &CatalogSettings) -> Result<Prepared> {
    let mut definition = facetta_schema::load(&settings.schema)?;
    if !settings.source.is_dir() {
        let folder = settings.source.display();
        return Err(error!(
            Io,
            "The source of catalog '{}', {folder}, is not a folder of Parquet or CSV files", settings.name
        ));
    }
    if !settings.writable {
        let measures = definition.measure_groups.iter_mut().flat_map(|g| &mut g.measures);
        measures.for_each(|m| m.writable = false);
    }
    Ok(Prepared { settings: settings.clone(), definition })
}

/// Loads catalogs, one after the other. Those that fail say so to who asks for them.
///
/// # Errors
/// The first that failed.
pub fn run(server: &Server, all: Vec<Prepared>) -> Result<()> {
    let mut first = Ok(());
    for one in all {
        let name = &one.settings.name;
        tracing::info!(catalog = name, schema = %one.settings.schema.display(), "loading");
        match load(&server.store, &one) {
            Ok(database) => server.catalogs.set(name, CatalogState::Ready(database)),
            Err(error) => {
                tracing::error!(catalog = name, %error, "the catalog could not be loaded");
                server.catalogs.set(name, CatalogState::Failed(error.clone()));
                first = first.and(Err(error));
            }
        }
    }
    first
}

fn load(store: &Store, one: &Prepared) -> Result<Arc<Database>> {
    let told = Mutex::new(Instant::now());
    let progress: &Progress<'_> = &|step: &Step<'_>| {
        let mut told = crate::sync::lock(&told);
        if told.elapsed() >= TELL {
            *told = Instant::now();
            tracing::info!(
                catalog = one.settings.name,
                stage = step.stage,
                rows = step.rows,
                total = step.total,
                "loading"
            );
        }
    };
    let source = Source::Folder(one.settings.source.clone());
    store.load(&one.settings.name, &one.definition, &source, &Context::unlimited(), progress)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_catalog_that_is_not_writable_has_no_writable_measure() {
        let folder = tempfile::tempdir().unwrap();
        let schema = folder.path().join("s.yaml");
        let text = "
catalog: S
dimensions:
  T: {table: t, key: id, hierarchies: {T: {levels: {T: id}}}}
cubes:
  C: {measure_groups: {F: {fact: f, dimensions: {T: id}, measures: {A: {value: sum(a)}, N: {value: count}}}}}
";
        std::fs::write(&schema, text).unwrap();
        for (writable, expected) in [(true, [true, false]), (false, [false, false])] {
            let source = folder.path().to_owned();
            let settings = CatalogSettings { name: "S".into(), schema: schema.clone(), source, writable };
            let prepared = prepare(&settings).unwrap();
            let measures = &prepared.definition.measure_groups[0].measures;
            assert_eq!(measures.iter().map(|m| m.writable).collect::<Vec<_>>(), expected);
        }
    }
}
