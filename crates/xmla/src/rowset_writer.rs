//! A rowset on the wire: inline schema and rows (spec/results.md section 1).

use crate::properties::Content;
use crate::value::{column_type, field_into, field_type};
use crate::xml::name::encode_name_as;
use crate::xml::namespace::Namespace;
use crate::xml::writer::{Writer, Written};
use facetta_model::{Column, ColumnType, Field, NameEncoding, Rowset};
use std::collections::HashSet;
use std::ops::Range;

/// Writes the root of a rowset and leaves it open. Only the rows at positions in `range` are written, and none is pulled
/// from the source behind them.
pub(crate) fn write_rowset(w: &mut Writer, mut rowset: Rowset, content: Content, range: Range<u64>) -> Written {
    start_root(w, Namespace::Rowset);
    let columns = Columns::new(&rowset.columns, rowset.names);
    if content.has_schema() {
        write_schema(w, &columns)?;
    }
    if !content.has_data() {
        return Ok(());
    }
    let mut next = 0;
    while next < range.end && !range.is_empty() {
        w.context().check()?;
        let Some(batch) = (rowset.rows)(w.context())? else { break };
        for (position, row) in (next..range.end).zip(batch.rows()) {
            w.poll()?;
            if position < range.start {
                continue;
            }
            let out = w.bytes();
            out.extend_from_slice(b"<row>");
            columns.row_into(out, row);
            out.extend_from_slice(b"</row>");
            w.flush_full()?;
        }
        next = next.saturating_add(batch.len() as u64);
    }
    Ok(())
}

/// Begins a root with the namespaces that values and schemas use.
pub(crate) fn start_root(w: &mut Writer, namespace: Namespace) {
    w.start("root");
    w.attribute("xmlns", namespace.uri());
    w.attribute("xmlns:xsi", Namespace::Xsi.uri());
    w.attribute("xmlns:xsd", Namespace::Xsd.uri());
    w.attribute("xmlns:msxmla", Namespace::MsXmla.uri());
}

/// The columns of a rowset with the names of their elements.
struct Columns<'a>(Vec<(&'a Column, String, Option<Columns<'a>>)>);

impl<'a> Columns<'a> {
    fn new(columns: &'a [Column], names: NameEncoding) -> Self {
        let mut taken = HashSet::new();
        let one = |column: &'a Column| {
            let nested = match &column.ty {
                ColumnType::Nested(columns) => Some(Columns::new(columns, names)),
                _ => None,
            };
            (column, element_name(&column.name, names, &mut taken), nested)
        };
        Columns(columns.iter().map(one).collect())
    }

    fn row_into(&self, out: &mut Vec<u8>, row: &[Field]) {
        for ((column, name, nested), field) in self.0.iter().zip(row) {
            field_element_into(out, column, name, nested.as_ref(), field);
        }
    }
}

/// The name of a column's element, other than those taken: later ones of equal names get a number.
fn element_name(name: &str, names: NameEncoding, taken: &mut HashSet<String>) -> String {
    let first = encode_name_as(name, names);
    let mut unique = first.clone().into_owned();
    let mut number = 0;
    while !taken.insert(unique.clone()) {
        number += 1;
        unique = format!("{first}{number}");
    }
    unique
}

fn field_element_into(out: &mut Vec<u8>, column: &Column, name: &str, nested: Option<&Columns>, field: &Field) {
    match field {
        // Null: left out.
        field if field.is_null() => {}
        Field::Rows(rows) => {
            for row in rows {
                start_into(out, name, None);
                if let Some(columns) = nested {
                    columns.row_into(out, row);
                }
                end_into(out, name);
            }
        }
        Field::Many(fields) => {
            for field in fields {
                field_element_into(out, column, name, nested, field);
            }
        }
        field => {
            // An empty element of any other type than text cannot be read (spec/results.md 1.2).
            let text = matches!(column.ty, ColumnType::String | ColumnType::Variant);
            if !text && field.as_str().is_some_and(str::is_empty) {
                return;
            }
            start_into(out, name, if column.ty == ColumnType::Variant { field_type(field) } else { None });
            match (&column.ty, field.as_str()) {
                (ColumnType::Xml, Some(markup)) => out.extend_from_slice(markup.as_bytes()),
                _ => field_into(out, field, Namespace::Exception.uri()),
            }
            end_into(out, name);
        }
    }
}

fn start_into(out: &mut Vec<u8>, name: &str, xsi_type: Option<&str>) {
    out.push(b'<');
    out.extend_from_slice(name.as_bytes());
    if let Some(xsi_type) = xsi_type {
        out.extend_from_slice(b" xsi:type=\"");
        out.extend_from_slice(xsi_type.as_bytes());
        out.push(b'"');
    }
    out.push(b'>');
}

fn end_into(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b"</");
    out.extend_from_slice(name.as_bytes());
    out.push(b'>');
}

const TYPES: &str = concat!(
    r#"<xsd:element name="root"><xsd:complexType><xsd:sequence minOccurs="0" maxOccurs="unbounded">"#,
    r#"<xsd:element name="row" type="row"/></xsd:sequence></xsd:complexType></xsd:element>"#,
    r#"<xsd:simpleType name="uuid"><xsd:restriction base="xsd:string"><xsd:pattern value="#,
    r#""[0-9a-zA-Z]{8}-[0-9a-zA-Z]{4}-[0-9a-zA-Z]{4}-[0-9a-zA-Z]{4}-[0-9a-zA-Z]{12}"/>"#,
    r#"</xsd:restriction></xsd:simpleType>"#,
    r#"<xsd:complexType name="xmlDocument"><xsd:sequence><xsd:any/></xsd:sequence></xsd:complexType>"#,
);

fn write_schema(w: &mut Writer, columns: &Columns) -> Written {
    w.start("xsd:schema");
    w.attribute("targetNamespace", Namespace::Rowset.uri());
    w.attribute("xmlns:sql", Namespace::Sql.uri());
    w.attribute("elementFormDefault", "qualified");
    w.raw(TYPES);
    w.start("xsd:complexType");
    w.attribute("name", "row");
    write_columns(w, columns)?;
    w.end()?;
    w.end()
}

fn write_columns(w: &mut Writer, columns: &Columns) -> Written {
    w.start("xsd:sequence");
    for (column, name, nested) in &columns.0 {
        w.start("xsd:element");
        w.attribute("sql:field", &column.name);
        w.attribute("name", name);
        if let Some(ty) = column_type(&column.ty) {
            w.attribute("type", ty);
        }
        if column.optional {
            w.attribute("minOccurs", "0");
        }
        if let Some(columns) = nested {
            w.attribute("maxOccurs", "unbounded");
            w.start("xsd:complexType");
            write_columns(w, columns)?;
            w.end()?;
        }
        w.end()?;
    }
    w.end()
}
