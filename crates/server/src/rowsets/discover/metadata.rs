//! DISCOVER_XML_METADATA: the server and its databases as ASSL objects, as far as AMO needs them.

use crate::rowsets::definition::{Ask, Audience, Extra, Rows, RowsetDef, Type::*, column, extra, rows_of};
use crate::settings::{SERVER_PROPERTIES, Settings};
use facetta_model::{Result, bail, catalog::Catalog, name};
use facetta_xmla::xml::writer::escape;
use jiff::civil::DateTime;
use std::fmt::Write;
use std::sync::Arc;

const ENGINE: &str = "http://schemas.microsoft.com/analysisservices/2003/engine";

/// How much of an object is told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Expansion {
    /// Name, id, times.
    ReferenceOnly,
    /// Its own properties too.
    ObjectProperties,
    /// References to its children too.
    ExpandObject,
    /// Its children in full.
    ExpandFull,
}

fn expansion(ask: &Ask) -> Result<Expansion> {
    Ok(match ask.wanted_text("ObjectExpansion") {
        None | Some("ExpandFull") => Expansion::ExpandFull,
        Some("ReferenceOnly") => Expansion::ReferenceOnly,
        Some("ObjectProperties") => Expansion::ObjectProperties,
        Some("ExpandObject") => Expansion::ExpandObject,
        Some(other) => bail!(
            TypeMismatch,
            "The restriction ObjectExpansion cannot be '{other}', only one of ReferenceOnly, ObjectProperties, ExpandObject, ExpandFull"
        ),
    })
}

fn metadata(ask: &Ask) -> Result<Rows<String>> {
    let expansion = expansion(ask)?;
    for one in RESTRICTIONS.iter().filter(|e| !["DatabaseID", "ObjectExpansion"].contains(&e.name)) {
        if ask.wanted(one.name).is_some() {
            bail!(NotSupported, "DISCOVER_XML_METADATA by {} is not supported yet", one.name);
        }
    }
    let catalogs = ask.server.catalogs.definitions();
    let Some(id) = ask.wanted_text("DatabaseID") else { return Ok(rows_of([server(ask, &catalogs, expansion)])) };
    let Some(catalog) = catalogs.iter().find(|c| name::same(&c.name, id)) else {
        bail!(
            CatalogNotFound,
            "Either the user, '{}', does not have access to the '{id}' database, or the database does not exist.",
            ask.user.name
        );
    };
    Ok(rows_of([database(catalog, expansion, Some(ENGINE))]))
}

fn server(ask: &Ask, catalogs: &[Arc<Catalog>], expansion: Expansion) -> String {
    let settings = &ask.server.settings;
    let started = ask.server.started.to_datetime();
    let mut out = format!("<Server xmlns=\"{ENGINE}\">");
    named(&mut out, &settings.server_name, started, started);
    if expansion >= Expansion::ObjectProperties {
        element(&mut out, "ProductName", "Facetta");
        element(&mut out, "Edition", "Enterprise64");
        // The number of that edition; AMO reads it together with the name.
        element(&mut out, "EditionID", "1804890536");
        element(&mut out, "Version", &settings.provider_version);
        element(&mut out, "ProductLevel", "RTM");
        let mode = "http://schemas.microsoft.com/analysisservices/2011/engine/300";
        let _ = write!(out, "<ServerMode xmlns=\"{mode}\">Multidimensional</ServerMode>");
    }
    if expansion >= Expansion::ExpandObject {
        let child = if expansion == Expansion::ExpandFull { expansion } else { Expansion::ReferenceOnly };
        out.push_str("<Databases>");
        catalogs.iter().for_each(|c| out.push_str(&database(c, child, None)));
        out.push_str("</Databases>");
    }
    if expansion >= Expansion::ObjectProperties {
        server_properties(&mut out, settings);
    }
    out.push_str("</Server>");
    out
}

/// The server's time-outs, in the order of elements that ASSL gives. A change of the configuration waits for a restart.
fn server_properties(out: &mut String, settings: &Settings) {
    let defaults = Settings::default();
    out.push_str("<ServerProperties>");
    for property in SERVER_PROPERTIES {
        let value = (property.value)(settings).to_string();
        out.push_str("<ServerProperty>");
        element(out, "Name", property.name);
        element(out, "Value", &value);
        element(out, "RequiresRestart", "true");
        element(out, "PendingValue", &value);
        element(out, "DefaultValue", &(property.value)(&defaults).to_string());
        element(out, "DisplayFlag", "true");
        out.push_str("</ServerProperty>");
    }
    out.push_str("</ServerProperties>");
}

fn database(catalog: &Catalog, expansion: Expansion, namespace: Option<&str>) -> String {
    let mut out = match namespace {
        Some(namespace) => format!("<Database xmlns=\"{namespace}\">"),
        None => "<Database>".to_owned(),
    };
    named(&mut out, &catalog.name, catalog.last_schema_update, catalog.last_schema_update);
    if let Some(description) = catalog.description.as_deref().filter(|_| expansion >= Expansion::ObjectProperties) {
        element(&mut out, "Description", description);
    }
    if expansion >= Expansion::ObjectProperties {
        element(&mut out, "LastUpdate", &stamp(catalog.last_data_update));
        element(&mut out, "State", "Processed");
        element(&mut out, "LastProcessed", &stamp(catalog.last_data_update));
    }
    out.push_str("</Database>");
    out
}

fn named(out: &mut String, name: &str, created: DateTime, updated: DateTime) {
    element(out, "Name", name);
    element(out, "ID", name);
    element(out, "CreatedTimestamp", &stamp(created));
    element(out, "LastSchemaUpdate", &stamp(updated));
}

fn stamp(at: DateTime) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

fn element(out: &mut String, name: &str, text: &str) {
    // Writing to a text cannot fail.
    let _ = write!(out, "<{name}>{}</{name}>", escape(text));
}

#[rustfmt::skip]
static RESTRICTIONS: &[Extra] = &[
    extra(0, "DatabaseID", Str), extra(1, "DimensionID", Str), extra(2, "CubeID", Str), extra(3, "MeasureGroupID", Str),
    extra(4, "PartitionID", Str), extra(5, "PerspectiveID", Str), extra(6, "DimensionPermissionID", Str),
    extra(7, "RoleID", Str), extra(8, "DatabasePermissionID", Str), extra(9, "MiningModelID", Str),
    extra(10, "MiningModelPermissionID", Str), extra(11, "DataSourceID", Str), extra(12, "MiningStructureID", Str),
    extra(13, "AggregationDesignID", Str), extra(14, "TraceID", Str), extra(15, "MiningStructurePermissionID", Str),
    extra(16, "CubePermissionID", Str), extra(17, "AssemblyID", Str), extra(18, "MdxScriptID", Str),
    extra(19, "DataSourceViewID", Str), extra(20, "DataSourcePermissionID", Str), extra(21, "CalculatedColumns", Str),
    extra(22, "ObjectExpansion", Str), extra(23, "DBWorkloadGroupID", Str), extra(24, "ResourcePoolID", Str),
    extra(25, "ModifiedAfter", Date),
];

/// The definition of an object.
pub static DISCOVER_XML_METADATA: RowsetDef<String> = RowsetDef {
    name: "DISCOVER_XML_METADATA",
    guid: "3444B255-171E-4CB9-AD98-19E57888A75F",
    about: "The server and its databases as ASSL objects",
    dmv: false,
    audience: Audience::Everyone,
    rows: metadata,
    order: &[],
    extra: RESTRICTIONS,
    columns: &[column("METADATA", Xml, |r: &String| r.clone().into())],
};
