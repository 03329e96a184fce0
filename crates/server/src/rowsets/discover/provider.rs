//! DISCOVER_DATASOURCES, _PROPERTIES, _SCHEMA_ROWSETS: what the server is and understands.

use crate::rowsets::ROWSETS;
use crate::rowsets::definition::{
    Ask, Audience, Rows, RowsetDef, Table, Type::*, always, column, restriction, rows_of,
};
use facetta_model::{Field, Result};
use facetta_xmla::{PROPERTIES, Property};

/// The one data source.
pub struct DataSourceRow {
    name: String,
    authenticated: bool,
}

/// Data sources; one, this server.
#[rustfmt::skip]
pub static DISCOVER_DATASOURCES: RowsetDef<DataSourceRow> = RowsetDef {
    name: "DISCOVER_DATASOURCES",
    guid: "06C03D41-F66D-49F3-B1B8-987F7AF4CF18",
    about: "Data sources that the endpoint offers",
    dmv: false,
    audience: Audience::Everyone,
    rows: |ask| Ok(rows_of([DataSourceRow {
        name: ask.server.settings.server_name.clone(),
        authenticated: !ask.server.auth.is_open(),
    }])),
    order: &[],
    extra: &[],
    columns: &[
        always(restriction(0, "DataSourceName", Str, |r| r.name.clone().into())),
        column("DataSourceDescription", Str, |_| Field::Null),
        restriction(1, "URL", Str, |_| Field::Null),
        column("DataSourceInfo", Str, |r| r.name.clone().into()),
        always(restriction(2, "ProviderName", Str, |_| "Facetta".into())),
        always(restriction(3, "ProviderType", Str, |_| "MDP".into())),
        always(restriction(4, "AuthenticationMode", Str,
            |r| if r.authenticated { "Authenticated" } else { "Unauthenticated" }.into())),
    ],
};

/// A property and its value now.
pub struct PropertyRow {
    property: &'static Property,
    value: Option<String>,
}

/// What a property is in the request, in its session, or where neither says anything.
fn current(ask: &Ask, property: &Property) -> Option<String> {
    let settings = &ask.server.settings;
    let told = match property.name {
        "Catalog" => ask.catalog_name().ok().map(|c| c.to_string()),
        "UserName" => Some(ask.user.name.to_string()),
        "ServerName" => Some(settings.server_name.clone()),
        "ProviderVersion" | "DBMSVersion" => Some(settings.provider_version.clone()),
        // The server's unless the request gives more than 0 (spec/properties.tsv).
        name @ ("CommitTimeout" | "ForceCommitTimeout") => {
            let given = ask.properties.text(name).filter(|v| v.parse().is_ok_and(|millis: i64| millis > 0));
            given.map(str::to_owned).or_else(|| settings.server_property(name).map(|v| v.to_string()))
        }
        name => ask.properties.text(name).map(str::to_owned),
    };
    told.or_else(|| Some(property.default.to_owned()).filter(|d| !d.is_empty()))
}

fn properties(ask: &Ask) -> Result<Rows<PropertyRow>> {
    let rows: Vec<_> = PROPERTIES.iter().map(|p| PropertyRow { property: p, value: current(ask, p) }).collect();
    Ok(rows_of(rows))
}

/// Properties, with their access and value.
#[rustfmt::skip]
pub static DISCOVER_PROPERTIES: RowsetDef<PropertyRow> = RowsetDef {
    name: "DISCOVER_PROPERTIES",
    guid: "4B40ADFB-8B09-4758-97BB-636E8AE97BCF",
    about: "Properties the server knows, with access and current value",
    dmv: true,
    audience: Audience::Everyone,
    rows: properties,
    order: &[],
    extra: &[],
    columns: &[
        always(restriction(0, "PropertyName", Str, |r| r.property.name.into())),
        column("PropertyDescription", Str, |r| r.property.meaning.into()),
        column("PropertyType", Str, |r| r.property.ty.name().trim_start_matches("xsd:").into()),
        always(column("PropertyAccessType", Str, |r| r.property.access.name().into())),
        column("IsRequired", Bool, |r| r.property.required.into()),
        column("Value", Str, |r| r.value.clone().into()),
    ],
};

/// The restrictions of a rowset as rows within its row.
fn restrictions(table: &dyn Table) -> Field {
    let rows = table.restrictions().into_iter().map(|(name, def)| vec![name.into(), def.ty.name().into()]);
    Field::Rows(rows.collect())
}

/// Rowsets, with their restrictions.
#[rustfmt::skip]
pub static DISCOVER_SCHEMA_ROWSETS: RowsetDef<&'static dyn Table> = RowsetDef {
    name: "DISCOVER_SCHEMA_ROWSETS",
    guid: "EEA0302B-7922-4992-8991-0E605D0E5593",
    about: "Rowsets of the server with their restrictions",
    dmv: true,
    audience: Audience::Everyone,
    rows: |_| Ok(rows_of(ROWSETS.iter().copied())),
    order: &[],
    extra: &[],
    columns: &[
        always(restriction(0, "SchemaName", Str, |r| r.name().into())),
        column("SchemaGuid", Uuid, |r| r.guid().into()),
        column("Restrictions", Nested(&[("Name", Str), ("Type", Str)]), |r| restrictions(*r)),
        column("Description", Str, |r| r.about().into()),
        column("RestrictionsMask", ULong, |r| ((1u64 << r.restrictions().len()) - 1).into()),
    ],
};
