//! DBSCHEMA rowsets: catalogs, and cubes and DMVs seen as tables.

use crate::rowsets::ROWSETS;
use crate::rowsets::definition::{Ask, Audience, Rows, RowsetDef, Table, Type, Type::*, column, restriction, rows_of};
use crate::rowsets::mdschema::{View, dbtype, views};
use facetta_model::catalog::Catalog;
use facetta_model::{Field, HierarchyId, LevelId, Result, name};
use std::sync::Arc;

fn catalogs(ask: &Ask) -> Result<Rows<Arc<Catalog>>> {
    Ok(rows_of(ask.server.catalogs.definitions()))
}

/// The roles of a catalog, a comma list; `*` for whoever administers it all.
fn roles(catalog: &Arc<Catalog>) -> String {
    let mut names: Vec<&str> = catalog.roles.iter().map(|r| r.name.as_str()).collect();
    names.sort_unstable();
    if names.is_empty() { "*".to_owned() } else { names.join(",") }
}

/// The catalogs.
#[rustfmt::skip]
pub static DBSCHEMA_CATALOGS: RowsetDef<Arc<Catalog>> = RowsetDef {
    name: "DBSCHEMA_CATALOGS",
    guid: "C8B52211-5CF3-11CE-ADE5-00AA0044773D",
    about: "Catalogs that the user may see",
    dmv: true,
    audience: Audience::Everyone,
    rows: catalogs,
    order: &["CATALOG_NAME"],
    extra: &[],
    columns: &[
        restriction(0, "CATALOG_NAME", Str, |r| r.name.clone().into()),
        column("DESCRIPTION", Str, |r| r.description.clone().unwrap_or_else(|| r.compatibility.no_description().to_owned()).into()),
        column("ROLES", Str, |r| roles(r).into()),
        column("DATE_MODIFIED", Date, |r| r.last_schema_update.max(r.last_data_update).into()),
        column("COMPATIBILITY_LEVEL", Int, |_| 1100.into()),
        column("TYPE", Int, |_| 0.into()),
        column("VERSION", Long, |_| Field::Null),
        column("DATABASE_ID", Str, |r| r.name.clone().into()),
        column("DATE_QUERIED", Date, |_| Field::Null),
        column("CURRENTLY_USED", Bool, |_| true.into()),
        column("POPULARITY", Float, |_| Field::Null),
    ],
};

/// A table: a measure group or dimension of a cube, or a DMV.
#[derive(Clone)]
pub enum TableRow {
    /// A measure group, by position in the cube.
    Group(View, usize),
    /// A dimension, by position in the cube.
    Dimension(View, usize),
    /// A rowset of `$SYSTEM`.
    System(&'static dyn Table),
}

impl TableRow {
    fn view(&self) -> Option<&View> {
        match self {
            TableRow::Group(view, _) | TableRow::Dimension(view, _) => Some(view),
            TableRow::System(_) => None,
        }
    }

    fn schema(&self) -> String {
        self.view().map_or_else(|| "$SYSTEM".to_owned(), |v| v.cube.name.clone())
    }

    fn name(&self) -> String {
        match self {
            TableRow::Group(view, group) => {
                view.catalog.measure_groups[view.cube.measure_groups[*group].index()].name.clone()
            }
            TableRow::Dimension(view, dimension) => format!("${}", view.cube.dimensions[*dimension].name),
            TableRow::System(table) => table.name().to_owned(),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            TableRow::Group(..) => "TABLE",
            TableRow::Dimension(..) => "SYSTEM TABLE",
            TableRow::System(_) => "SCHEMA",
        }
    }

    fn olap_kind(&self) -> &'static str {
        match self {
            TableRow::Group(..) => "MEASURE_GROUP",
            TableRow::Dimension(..) => "CUBE_DIMENSION",
            TableRow::System(_) => "SCHEMA",
        }
    }
}

fn tables(ask: &Ask) -> Result<Rows<TableRow>> {
    let of = |view: View| {
        let groups = (0..view.cube.measure_groups.len()).map(|g| TableRow::Group(view.clone(), g));
        let dimensions = (1..view.cube.dimensions.len()).map(|d| TableRow::Dimension(view.clone(), d));
        groups.chain(dimensions).collect::<Vec<_>>()
    };
    let system = ROWSETS.iter().copied().filter(|t| t.is_dmv()).map(TableRow::System);
    Ok(rows_of(views(ask)?.into_iter().flat_map(of).chain(system)))
}

/// The tables.
#[rustfmt::skip]
pub static DBSCHEMA_TABLES: RowsetDef<TableRow> = RowsetDef {
    name: "DBSCHEMA_TABLES",
    guid: "C8B52229-5CF3-11CE-ADE5-00AA0044773D",
    about: "Measure groups and dimensions as tables, and the DMVs",
    dmv: true,
    audience: Audience::Everyone,
    rows: tables,
    order: &["TABLE_TYPE", "TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME"],
    extra: &[],
    columns: &[
        restriction(0, "TABLE_CATALOG", Str, |r| r.view().map(|v| v.catalog.name.clone()).into()),
        restriction(1, "TABLE_SCHEMA", Str, |r| r.schema().into()),
        restriction(2, "TABLE_NAME", Str, |r| r.name().into()),
        restriction(3, "TABLE_TYPE", Str, |r| r.kind().into()),
        column("TABLE_GUID", Str, |r| match r { TableRow::System(t) => t.guid().into(), _ => Field::Null }),
        column("DESCRIPTION", Str, |_| Field::Null),
        column("TABLE_PROPID", UInt, |_| Field::Null),
        column("DATE_CREATED", Date, |_| Field::Null),
        column("DATE_MODIFIED", Date, |r| r.view().map(|v| v.catalog.last_schema_update).into()),
        restriction(4, "TABLE_OLAP_TYPE", Str, |r| r.olap_kind().into()),
    ],
};

/// A column of a table.
pub struct ColumnRow {
    table: TableRow,
    name: String,
    position: u32,
    dbtype: u16,
    nullable: bool,
    kind: &'static str,
}

fn columns_of(table: TableRow) -> Vec<ColumnRow> {
    let row = |(position, (name, dbtype, nullable, kind)): (usize, (String, u16, bool, &'static str))| ColumnRow {
        table: table.clone(),
        name,
        position: position as u32 + 1,
        dbtype,
        nullable,
        kind,
    };
    match &table {
        TableRow::System(rowset) => {
            let columns = rowset.columns().into_iter();
            columns
                .map(|c| (c.name.to_owned(), system_dbtype(c.ty), c.optional, "SCHEMA"))
                .enumerate()
                .map(row)
                .collect()
        }
        TableRow::Group(view, group) => {
            let measures = view.cube.measures.iter().filter(|m| m.group == *group);
            measures.map(|m| (m.name.clone(), dbtype(&m.data_type), true, "MEASURE")).enumerate().map(row).collect()
        }
        TableRow::Dimension(view, dimension) => {
            let hierarchies = view.cube.dimensions[*dimension].hierarchies.clone().map(HierarchyId);
            let mut attributes: Vec<(String, u16, bool, &'static str)> = Vec::new();
            for id in hierarchies {
                let hierarchy = view.hierarchy(id).1;
                let first = LevelId(u32::from(hierarchy.has_all));
                for level in &hierarchy.levels[first.index()..] {
                    if !attributes.iter().any(|(n, ..)| name::same(n, &level.name)) {
                        attributes.push((level.name.clone(), dbtype(&level.key_type), true, "ATTRIBUTE"));
                    }
                }
            }
            attributes.into_iter().enumerate().map(row).collect()
        }
    }
}

/// The DBTYPE number of a rowset's column; 136 (a chapter) for a nested one.
fn system_dbtype(ty: Type) -> u16 {
    match ty {
        Type::Nested(_) => 136,
        other => dbtype(&other.column_type()),
    }
}

fn columns(ask: &Ask) -> Result<Rows<ColumnRow>> {
    let wanted = ask.wanted_text("TABLE_NAME").map(str::to_owned);
    let rows = tables(ask)?.filter(move |table| match (table, &wanted) {
        (Ok(table), Some(wanted)) => name::same(&table.name(), wanted),
        _ => true,
    });
    Ok(Box::new(rows.flat_map(|table| match table {
        Ok(table) => columns_of(table).into_iter().map(Ok).collect::<Vec<_>>(),
        Err(error) => vec![Err(error)],
    })))
}

/// The columns of those tables.
#[rustfmt::skip]
pub static DBSCHEMA_COLUMNS: RowsetDef<ColumnRow> = RowsetDef {
    name: "DBSCHEMA_COLUMNS",
    guid: "C8B52214-5CF3-11CE-ADE5-00AA0044773D",
    about: "Columns of the tables and DMVs",
    dmv: true,
    audience: Audience::Everyone,
    rows: columns,
    order: &["TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME"],
    extra: &[],
    columns: &[
        restriction(0, "TABLE_CATALOG", Str, |r| r.table.view().map(|v| v.catalog.name.clone()).into()),
        restriction(1, "TABLE_SCHEMA", Str, |r| r.table.schema().into()),
        restriction(2, "TABLE_NAME", Str, |r| r.table.name().into()),
        restriction(3, "COLUMN_NAME", Str, |r| r.name.clone().into()),
        column("COLUMN_GUID", Uuid, |_| Field::Null),
        column("COLUMN_PROPID", UInt, |_| Field::Null),
        column("ORDINAL_POSITION", UInt, |r| r.position.into()),
        column("COLUMN_HAS_DEFAULT", Bool, |_| false.into()),
        column("COLUMN_DEFAULT", Str, |_| Field::Null),
        column("COLUMN_FLAGS", UInt, |_| 0u32.into()),
        column("IS_NULLABLE", Bool, |r| r.nullable.into()),
        column("DATA_TYPE", UShort, |r| r.dbtype.into()),
        column("TYPE_GUID", Uuid, |_| Field::Null),
        column("CHARACTER_MAXIMUM_LENGTH", UInt, |_| Field::Null),
        column("CHARACTER_OCTET_LENGTH", UInt, |_| Field::Null),
        column("NUMERIC_PRECISION", UShort, |_| Field::Null),
        column("NUMERIC_SCALE", Short, |_| Field::Null),
        column("DATETIME_PRECISION", UInt, |_| Field::Null),
        column("CHARACTER_SET_CATALOG", Str, |_| Field::Null),
        column("CHARACTER_SET_SCHEMA", Str, |_| Field::Null),
        column("CHARACTER_SET_NAME", Str, |_| Field::Null),
        column("COLLATION_CATALOG", Str, |_| Field::Null),
        column("COLLATION_SCHEMA", Str, |_| Field::Null),
        column("COLLATION_NAME", Str, |_| Field::Null),
        column("DOMAIN_CATALOG", Str, |_| Field::Null),
        column("DOMAIN_SCHEMA", Str, |_| Field::Null),
        column("DOMAIN_NAME", Str, |_| Field::Null),
        column("DESCRIPTION", Str, |_| Field::Null),
        restriction(4, "COLUMN_OLAP_TYPE", Str, |r| r.kind.into()),
    ],
};

/// A type of the provider: name, DBTYPE, size, prefix and suffix of literals, whether it is unsigned, of fixed scale.
pub struct TypeRow {
    name: &'static str,
    dbtype: u16,
    size: u32,
    quote: Option<&'static str>,
    unsigned: Option<bool>,
}

const fn number(name: &'static str, dbtype: u16, size: u32, unsigned: bool) -> TypeRow {
    TypeRow { name, dbtype, size, quote: None, unsigned: Some(unsigned) }
}

/// The types that results have, as OLE DB names them.
static TYPES: &[TypeRow] = &[
    number("DBTYPE_I2", 2, 5, false),
    number("DBTYPE_I4", 3, 10, false),
    number("DBTYPE_R4", 4, 7, false),
    number("DBTYPE_R8", 5, 15, false),
    number("DBTYPE_CY", 6, 19, false),
    number("DBTYPE_UI2", 18, 5, true),
    number("DBTYPE_UI4", 19, 10, true),
    number("DBTYPE_I8", 20, 19, false),
    number("DBTYPE_UI8", 21, 20, true),
    TypeRow { name: "DBTYPE_DATE", dbtype: 7, size: 8, quote: Some("'"), unsigned: None },
    TypeRow { name: "DBTYPE_BOOL", dbtype: 11, size: 1, quote: None, unsigned: None },
    TypeRow { name: "DBTYPE_GUID", dbtype: 72, size: 36, quote: None, unsigned: None },
    TypeRow { name: "DBTYPE_WSTR", dbtype: 130, size: u32::MAX, quote: Some("\""), unsigned: None },
];

/// The types.
#[rustfmt::skip]
pub static DBSCHEMA_PROVIDER_TYPES: RowsetDef<&'static TypeRow> = RowsetDef {
    name: "DBSCHEMA_PROVIDER_TYPES",
    guid: "C8B5222C-5CF3-11CE-ADE5-00AA0044773D",
    about: "Types of values",
    dmv: true,
    audience: Audience::Everyone,
    rows: |_| Ok(rows_of(TYPES)),
    order: &["DATA_TYPE"],
    extra: &[],
    columns: &[
        column("TYPE_NAME", Str, |r| r.name.into()),
        restriction(0, "DATA_TYPE", UShort, |r| r.dbtype.into()),
        column("COLUMN_SIZE", UInt, |r| r.size.into()),
        column("LITERAL_PREFIX", Str, |r| r.quote.into()),
        column("LITERAL_SUFFIX", Str, |r| r.quote.into()),
        column("CREATE_PARAMS", Str, |_| Field::Null),
        column("IS_NULLABLE", Bool, |_| true.into()),
        column("CASE_SENSITIVE", Bool, |_| false.into()),
        column("SEARCHABLE", UInt, |_| 4u32.into()),
        column("UNSIGNED_ATTRIBUTE", Bool, |r| r.unsigned.into()),
        column("FIXED_PREC_SCALE", Bool, |r| (r.dbtype == 6).into()),
        column("AUTO_UNIQUE_VALUE", Bool, |_| false.into()),
        column("LOCAL_TYPE_NAME", Str, |_| Field::Null),
        column("MINIMUM_SCALE", Short, |_| Field::Null),
        column("MAXIMUM_SCALE", Short, |_| Field::Null),
        column("GUID", Uuid, |_| Field::Null),
        column("TYPELIB", Str, |_| Field::Null),
        column("VERSION", Str, |_| Field::Null),
        column("IS_LONG", Bool, |_| false.into()),
        restriction(1, "BEST_MATCH", Bool, |_| true.into()),
        column("IS_FIXEDLENGTH", Bool, |r| (r.dbtype != 130).into()),
    ],
};

/// The type of a column of results has a row here; the test walks the types.
#[cfg(test)]
mod tests {
    use super::*;
    use facetta_model::ColumnType;

    #[test]
    fn every_type_of_a_column_is_a_provider_type() {
        use ColumnType::*;
        for ty in
            [Short, Int, Float, Double, DateTime, Boolean, UnsignedShort, UnsignedInt, Long, UnsignedLong, Uuid, String]
        {
            assert!(TYPES.iter().any(|t| t.dbtype == dbtype(&ty)), "{ty:?}");
        }
    }
}
