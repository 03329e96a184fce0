//! A rowset on the wire: inline schema and rows (spec/results.md section 1).

use crate::properties::Content;
use crate::value::{column_type, field_into, field_type};
use crate::xml::name::encode_name_as;
use crate::xml::namespace::Namespace;
use crate::xml::writer::{Writer, Written};
use facetta_model::{Column, ColumnType, Context, Field, NameEncoding, Result, Rowset};
use std::collections::HashMap;
use std::ops::Range;

/// Writes the root of a rowset and leaves it open. Only the rows at positions in `range` are written, and none is pulled
/// from the source behind them.
pub(crate) fn write_rowset(w: &mut Writer, mut rowset: Rowset, content: Content, range: Range<u64>) -> Written {
    start_root(w, Namespace::Rowset);
    let columns = Columns::new(&rowset.columns, rowset.names, w.context())?;
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
            w.start("row");
            columns.write_row(w, row)?;
            w.end_with_tag()?;
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
struct Columns<'a>(Vec<NamedColumn<'a>>);

type NamedColumn<'a> = (&'a Column, String, Option<Columns<'a>>);

/// Fields that are written between polls: a row may be as wide as an axis.
const FIELDS: usize = 512;

impl<'a> Columns<'a> {
    fn new(columns: &'a [Column], names: NameEncoding, context: &Context) -> Result<Self> {
        let mut taken = Taken::default();
        let mut step = 0;
        let one = |column: &'a Column| {
            context.check_every(&mut step)?;
            let nested = match &column.ty {
                ColumnType::Nested(columns) => Some(Columns::new(columns, names, context)?),
                _ => None,
            };
            Ok((column, taken.element_name(&column.name, names), nested))
        };
        columns.iter().map(one).collect::<Result<_>>().map(Columns)
    }

    /// The fields of a row that is one of many.
    fn write_row(&self, w: &mut Writer, row: &[Field]) -> Written {
        if row.len() <= FIELDS {
            fields_into(w.bytes(), &self.0, row);
            return Ok(());
        }
        for (columns, fields) in self.0.chunks(FIELDS).zip(row.chunks(FIELDS)) {
            w.context().check()?;
            fields_into(w.bytes(), columns, fields);
            w.flush_full()?;
        }
        Ok(())
    }
}

fn fields_into(out: &mut Vec<u8>, columns: &[NamedColumn<'_>], row: &[Field]) {
    for ((column, name, nested), field) in columns.iter().zip(row) {
        field_element_into(out, column, name, nested.as_ref(), field);
    }
}

/// The names of elements that are taken, each with the last number that was tried behind it.
#[derive(Default)]
struct Taken(HashMap<String, u32>);

impl Taken {
    /// The name of a column's element, other than those taken: later ones of equal names get a number.
    fn element_name(&mut self, name: &str, names: NameEncoding) -> String {
        let first = encode_name_as(name, names).into_owned();
        let Some(mut number) = self.0.get(&first).copied() else {
            self.0.insert(first.clone(), 0);
            return first;
        };
        loop {
            number += 1;
            let unique = format!("{first}{number}");
            if !self.0.contains_key(&unique) {
                self.0.insert(first, number);
                self.0.insert(unique.clone(), 0);
                return unique;
            }
        }
    }
}

fn field_element_into(out: &mut Vec<u8>, column: &Column, name: &str, nested: Option<&Columns>, field: &Field) {
    match field {
        // Null: left out.
        field if field.is_null() => {}
        Field::Rows(rows) => {
            for row in rows {
                start_into(out, name, None);
                if let Some(columns) = nested {
                    fields_into(out, &columns.0, row);
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
        w.poll()?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use facetta_model::{Batch, CancelReason};

    #[test]
    fn equal_names_get_numbers_that_are_free() {
        let mut taken = Taken::default();
        let names = ["A", "A", "A1", "A", "B", "A1"].map(|name| taken.element_name(name, NameEncoding::default()));
        assert_eq!(names, ["A", "A1", "A11", "A2", "B", "A12"]);
    }

    /// Takes all, and cancels the command with the first bytes of a row.
    struct Cancels<'a>(Vec<u8>, &'a Context);

    impl std::io::Write for Cancels<'_> {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.extend_from_slice(bytes);
            if String::from_utf8_lossy(&self.0).contains("<row>") {
                self.1.token().cancel(CancelReason::Cancel);
            }
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_wide_row_is_not_finished_once_it_is_cancelled() {
        let width = 100_000;
        let columns: Vec<Column> = (0..width).map(|i| Column::new(format!("C{i}"), ColumnType::Int)).collect();
        let mut batch = Batch::new(width);
        batch.push((0..width).map(|i| Field::from(i as i64)));
        let mut batch = Some(batch);
        let rowset = Rowset::new(columns, Box::new(move |_| Ok(batch.take())));
        let context = Context::unlimited();
        let mut sink = Cancels(Vec::new(), &context);
        let mut w = Writer::new(&mut sink, &context);
        let written = write_rowset(&mut w, rowset, Content::Data, 0..u64::MAX);
        assert!(matches!(written, Err(crate::xml::writer::Failure::Command(_))));
        w.end_to(0).unwrap();
        w.flush().unwrap();
        let text = String::from_utf8(sink.0).unwrap();
        assert!(text.ends_with("</row></root>"), "{}", &text[text.len() - 80..]);
        assert!(text.len() < 200_000, "{} bytes of {} columns", text.len(), width);
    }
}
