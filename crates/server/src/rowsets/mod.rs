//! Rowsets: every one that the server answers, and how one is opened.

pub mod dbschema;
pub mod definition;
pub mod discover;
pub mod mdschema;
pub mod select;
pub mod value;

use definition::{Ask, Table};
use discover::{commands, connections, memory, metadata, objects, provider, sessions, words};
use facetta_model::{Error, Result, Rowset, error, name};
use facetta_xmla::Restrictions;
use mdschema::{cubes, dimensions, functions, measures, members, properties, sets};

/// Every rowset, in the order in which DISCOVER_SCHEMA_ROWSETS shows them.
pub static ROWSETS: &[&dyn Table] = &[
    &provider::DISCOVER_DATASOURCES,
    &provider::DISCOVER_PROPERTIES,
    &provider::DISCOVER_SCHEMA_ROWSETS,
    &words::DISCOVER_ENUMERATORS,
    &words::DISCOVER_KEYWORDS,
    &words::DISCOVER_LITERALS,
    &metadata::DISCOVER_XML_METADATA,
    &objects::DISCOVER_INSTANCES,
    &sessions::DISCOVER_SESSIONS,
    &connections::DISCOVER_CONNECTIONS,
    &commands::DISCOVER_COMMANDS,
    &commands::DISCOVER_COMMAND_OBJECTS,
    &commands::DISCOVER_JOBS,
    &commands::DISCOVER_LOCKS,
    &sessions::DISCOVER_TRANSACTIONS,
    &objects::DISCOVER_OBJECT_ACTIVITY,
    &objects::DISCOVER_OBJECT_MEMORY_USAGE,
    &memory::DISCOVER_MEMORYUSAGE,
    &memory::DISCOVER_MEMORYGRANT,
    &memory::DISCOVER_PERFORMANCE_COUNTERS,
    &memory::DISCOVER_TRACES,
    &objects::DISCOVER_LOCATIONS,
    &dbschema::DBSCHEMA_CATALOGS,
    &dbschema::DBSCHEMA_TABLES,
    &dbschema::DBSCHEMA_COLUMNS,
    &dbschema::DBSCHEMA_PROVIDER_TYPES,
    &cubes::MDSCHEMA_CUBES,
    &dimensions::MDSCHEMA_DIMENSIONS,
    &dimensions::MDSCHEMA_HIERARCHIES,
    &dimensions::MDSCHEMA_LEVELS,
    &measures::MDSCHEMA_MEASURES,
    &members::MDSCHEMA_MEMBERS,
    &properties::MDSCHEMA_PROPERTIES,
    &sets::MDSCHEMA_SETS,
    &functions::MDSCHEMA_FUNCTIONS,
    &cubes::MDSCHEMA_MEASUREGROUPS,
    &cubes::MDSCHEMA_MEASUREGROUP_DIMENSIONS,
    &sets::MDSCHEMA_KPIS,
    &cubes::MDSCHEMA_ACTIONS,
    &cubes::MDSCHEMA_INPUT_DATASOURCES,
];

/// The rowset of a name, in whatever case.
pub fn find(wanted: &str) -> Option<&'static dyn Table> {
    ROWSETS.iter().copied().find(|t| name::same(t.name(), wanted))
}

/// The fault for a request type that is unknown.
pub fn unknown(request_type: &str) -> Error {
    error!(RequestType, "XML for Analysis parser: The '{request_type}' request type was not recognized by the server.")
}

/// Answers a Discover.
///
/// # Errors
/// There is no such rowset, or those of [`Table::open`].
pub fn discover(ask: Ask, request_type: &str, restrictions: &Restrictions) -> Result<Rowset> {
    find(request_type).ok_or_else(|| unknown(request_type))?.open(ask, restrictions)
}

#[cfg(test)]
mod tests;
