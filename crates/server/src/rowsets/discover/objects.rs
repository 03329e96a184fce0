//! DISCOVER_OBJECT_ACTIVITY, _OBJECT_MEMORY_USAGE, _INSTANCES, _LOCATIONS.

use crate::rowsets::definition::{
    Ask, Audience, Rows, RowsetDef, Type::*, column, extra, needed, restriction, rows_of,
};
use facetta_model::{Field, Result, bail};
use jiff::civil::DateTime;
use std::iter;

/// A database or a cube.
pub struct ObjectRow {
    parent: String,
    id: String,
    version: Option<u64>,
    created: DateTime,
    /// What it holds; of a cube that is the measure groups' and dimensions'.
    bytes: Option<u64>,
}

fn objects(ask: &Ask) -> Result<Rows<ObjectRow>> {
    let mut rows = Vec::new();
    for snapshot in ask.server.catalogs.ready() {
        let catalog = snapshot.catalog();
        let (version, created) = (Some(snapshot.data_version()), catalog.last_schema_update);
        let object = |parent: String, id: &str, bytes| ObjectRow { parent, id: id.to_owned(), version, created, bytes };
        let of_groups = ask.server.store.database(&catalog.name).map(|d| d.group_bytes()).unwrap_or_default();
        let all = of_groups.iter().copied().chain(catalog.dimensions.iter().map(|d| d.bytes())).sum();
        rows.push(object("Server.Databases".to_owned(), &catalog.name, Some(all)));
        let cubes = format!("Server.Databases.{}.Cubes", catalog.name);
        rows.extend(catalog.cubes.iter().map(|cube| object(cubes.clone(), &cube.name, None)));
        let groups = format!("Server.Databases.{}.MeasureGroups", catalog.name);
        let with_bytes =
            catalog.measure_groups.iter().zip(of_groups.iter().map(|b| Some(*b)).chain(iter::repeat(None)));
        rows.extend(with_bytes.map(|(group, bytes)| object(groups.clone(), &group.name, bytes)));
        let dimensions = format!("Server.Databases.{}.Dimensions", catalog.name);
        rows.extend(catalog.dimensions.iter().map(|d| object(dimensions.clone(), &d.name, Some(d.bytes()))));
    }
    Ok(rows_of(rows))
}

fn unmeasured(_: &ObjectRow) -> Field {
    Field::Null
}

/// What objects have been used for; what is not measured by object is left out.
#[rustfmt::skip]
pub static DISCOVER_OBJECT_ACTIVITY: RowsetDef<ObjectRow> = RowsetDef {
    name: "DISCOVER_OBJECT_ACTIVITY",
    guid: "A07CCD36-8148-11D0-87BB-00C04FC33942",
    about: "Objects of the server; their use is not measured one by one yet",
    dmv: true,
    audience: Audience::Administrators,
    rows: objects,
    order: &[],
    extra: &[],
    columns: &[
        restriction(0, "OBJECT_PARENT_PATH", Str, |r| r.parent.clone().into()),
        restriction(1, "OBJECT_ID", Str, |r| r.id.clone().into()),
        column("OBJECT_CPU_TIME_MS", Long, unmeasured),
        column("OBJECT_READS", Long, unmeasured),
        column("OBJECT_READ_KB", Long, unmeasured),
        column("OBJECT_WRITES", Long, unmeasured),
        column("OBJECT_WRITE_KB", Long, unmeasured),
        column("OBJECT_AGGREGATION_HIT", Long, unmeasured),
        column("OBJECT_AGGREGATION_MISS", Long, unmeasured),
        column("OBJECT_HIT", Long, unmeasured),
        column("OBJECT_MISS", Long, unmeasured),
        column("OBJECT_VERSION", Int, unmeasured),
        column("OBJECT_DATA_VERSION", Int, |r| r.version.and_then(|v| i32::try_from(v).ok()).into()),
        column("OBJECT_ROWS_SCANNED", Long, unmeasured),
        column("OBJECT_ROWS_RETURNED", Long, unmeasured),
    ],
};

/// The memory of objects: members, and segments, which are mapped where there is a data folder.
#[rustfmt::skip]
pub static DISCOVER_OBJECT_MEMORY_USAGE: RowsetDef<ObjectRow> = RowsetDef {
    name: "DISCOVER_OBJECT_MEMORY_USAGE",
    guid: "A07CCD37-8148-11D0-87BB-00C04FC33942",
    about: "Memory of the objects of the server",
    dmv: true,
    audience: Audience::Administrators,
    rows: objects,
    order: &[],
    extra: &[],
    columns: &[
        restriction(0, "OBJECT_PARENT_PATH", Str, |r| r.parent.clone().into()),
        restriction(1, "OBJECT_ID", Str, |r| r.id.clone().into()),
        column("OBJECT_MEMORY_SHRINKABLE", Long, unmeasured),
        column("OBJECT_MEMORY_NONSHRINKABLE", Long, |r| r.bytes.into()),
        column("OBJECT_VERSION", Int, unmeasured),
        column("OBJECT_DATA_VERSION", Int, |r| r.version.and_then(|v| i32::try_from(v).ok()).into()),
        column("OBJECT_TYPE_ID", Int, unmeasured),
        column("OBJECT_TIME_CREATED", Date, |r| r.created.into()),
    ],
};

/// An instance on the machine: this one.
pub struct InstanceRow {
    name: String,
    port: u16,
}

fn instances(ask: &Ask) -> Result<Rows<InstanceRow>> {
    let server = &ask.server;
    Ok(rows_of([InstanceRow { name: server.settings.server_name.clone(), port: server.address.port() }]))
}

/// This server, with its state (4: running).
pub static DISCOVER_INSTANCES: RowsetDef<InstanceRow> = RowsetDef {
    name: "DISCOVER_INSTANCES",
    guid: "20518699-2474-4C15-9885-0E947EC7A7E3",
    about: "Instances on the machine",
    dmv: true,
    audience: Audience::Everyone,
    rows: instances,
    order: &[],
    extra: &[],
    columns: &[
        restriction(0, "INSTANCE_NAME", Str, |r| r.name.clone().into()),
        column("INSTANCE_PORT_NUMBER", Int, |r| r.port.into()),
        column("INSTANCE_STATE", Int, |_| 4i32.into()),
        // Ours, where ProviderVersion and DBMSVersion tell clients whom we take the place of.
        column("INSTANCE_VERSION", Str, |_| env!("CARGO_PKG_VERSION").into()),
    ],
};

/// A partition in a backup file.
pub struct LocationRow {
    never: std::convert::Infallible,
}

impl LocationRow {
    fn field(&self) -> Field {
        match self.never {}
    }
}

fn locations(ask: &Ask) -> Result<Rows<LocationRow>> {
    // There are no backups yet, so that no path can name one: an empty answer would say that one is empty.
    let path = ask.wanted_text("LOCATION_BACKUP_FILE_PATHNAME").unwrap_or("");
    bail!(Io, "'{path}' is not a backup file of this server: backups are not supported yet")
}

/// What a backup file holds.
#[rustfmt::skip]
pub static DISCOVER_LOCATIONS: RowsetDef<LocationRow> = RowsetDef {
    name: "DISCOVER_LOCATIONS",
    guid: "A07CCD92-8148-11D0-87BB-00C04FC33942",
    about: "Contents of a backup file",
    dmv: false,
    audience: Audience::Administrators,
    rows: locations,
    order: &[],
    extra: &[extra(1, "LOCATION_PASSWORD", Str)],
    columns: &[
        needed(restriction(0, "LOCATION_BACKUP_FILE_PATHNAME", Str, LocationRow::field)),
        column("LOCATION_PARTITION_OBJECTPATH", Str, LocationRow::field),
        column("LOCATION_PARTITION_DATASOURCEID", Str, LocationRow::field),
        column("LOCATION_PARTITION_DATASOURCENAME", Str, LocationRow::field),
        column("LOCATION_PARTITION_NAME", Str, LocationRow::field),
        column("LOCATION_PARTITION_SIZE", Str, LocationRow::field),
        column("LOCATION_CONNECTION_STRING", Str, LocationRow::field),
        column("LOCATION_PARTITION_FOLDER", Str, LocationRow::field),
    ],
};
