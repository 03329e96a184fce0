//! Answers of a server as a client reads them: rowsets, cell sets, faults.

use super::client::Trouble;
use anyhow::{Context as _, Result};
use facetta_model::Context;
use facetta_xmla::xml::decode::decode;
use facetta_xmla::xml::name::decode_name;
use facetta_xmla::xml::reader::{Element, Event, Reader};
use std::fmt;

/// What a server answered.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    /// Nothing but success.
    Empty,
    /// Columns and rows.
    Rows(Rows),
    /// Axes and cells.
    Cells(Cells),
}

/// A rowset.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Rows {
    /// Names of the columns.
    pub(super) columns: Vec<String>,
    /// The rows; a value that is not there is null.
    pub(super) rows: Vec<Vec<Option<String>>>,
}

impl Rows {
    /// The position of a column.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c == name)
    }
}

/// A cell set.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Cells {
    /// Axes by number, the slicer left out; each a list of tuples of members.
    pub(super) axes: Vec<Vec<Vec<Member>>>,
    /// Cells that are not empty, by ordinal, ascending.
    pub(super) cells: Vec<(u64, Cell)>,
}

/// A member on an axis.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Member {
    /// Its unique name.
    pub(super) unique_name: String,
    /// Its caption.
    pub(super) caption: String,
}

/// A cell.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Cell {
    /// The value as XML has it.
    pub(super) value: String,
    /// The text to show.
    pub(super) formatted: String,
}

/// An error that the server answered.
#[derive(Debug, PartialEq)]
pub(super) struct Fault {
    /// The number of the first error, if there is one.
    pub(super) code: Option<u32>,
    /// What happened.
    pub(super) message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "{} (0x{code:08X})", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// Reads the body of a response; a fault, in the envelope or in the body, is a [`Trouble`].
pub(super) fn read(xml: &str) -> Result<Answer> {
    let context = Context::unlimited();
    let text = decode(xml.as_bytes(), &context)?;
    let mut reader = Reader::new(&text, &context);
    let parsed = read_envelope(&mut reader).context("the answer is not one of XML for Analysis")?;
    parsed.map_err(|fault| Trouble::Fault(fault).into())
}

type Parsed = Result<Answer, Fault>;

fn read_envelope(reader: &mut Reader) -> Result<Parsed> {
    reader.root()?;
    let mut parsed = Ok(Answer::Empty);
    while let Some(part) = reader.child()? {
        if part.name != "Body" {
            reader.skip()?;
            continue;
        }
        while let Some(element) = reader.child()? {
            match element.name.as_str() {
                "Fault" => parsed = Err(read_fault(reader)?),
                // The response, and in it the return, and in it the root.
                _ => {
                    while reader.child()?.is_some() {
                        while reader.child()?.is_some() {
                            parsed = read_root(reader)?;
                        }
                    }
                }
            }
        }
    }
    reader.finish()?;
    Ok(parsed)
}

fn read_fault(reader: &mut Reader) -> Result<Fault> {
    let mut fault = Fault { code: None, message: String::new() };
    let mut text = String::new();
    let mut depth = 1;
    while depth > 0 {
        match reader.next()? {
            Some(Event::Start(element)) => {
                depth += 1;
                if element.name == "Error" {
                    take_error(&element, &mut fault);
                } else if element.name == "faultstring" {
                    text = reader.content()?;
                    depth -= 1;
                }
            }
            Some(Event::Text(_)) => {}
            Some(Event::End) => depth -= 1,
            None => break,
        }
    }
    if fault.message.is_empty() {
        fault.message = text;
    }
    Ok(fault)
}

fn take_error(element: &Element, fault: &mut Fault) {
    if fault.message.is_empty() {
        fault.message = element.attribute("Description").unwrap_or_default().to_string();
        fault.code = element.attribute("ErrorCode").and_then(|code| code.parse().ok());
    }
}

/// The root of a rowset, of a cell set, or of nothing; it may end with messages.
fn read_root(reader: &mut Reader) -> Result<Parsed> {
    let (mut rows, mut cells) = (None::<Rows>, None::<Cells>);
    let mut fault = None;
    while let Some(element) = reader.child()? {
        match element.name.as_str() {
            "schema" => {
                let columns = read_schema(reader)?;
                if !columns.is_empty() {
                    rows.get_or_insert_default().columns = columns;
                }
            }
            "row" => read_row(reader, rows.get_or_insert_default())?,
            "Axes" => cells.get_or_insert_default().axes = read_axes(reader)?,
            "CellData" => cells.get_or_insert_default().cells = read_cells(reader)?,
            "Messages" => {
                let mut found = Fault { code: None, message: String::new() };
                while let Some(message) = reader.child()? {
                    let description = message.attribute("Description").unwrap_or_default();
                    match message.name.as_str() {
                        "Error" => take_error(&message, &mut found),
                        _ => tracing::warn!("{description}"),
                    }
                    reader.skip()?;
                }
                if !found.message.is_empty() {
                    fault = Some(found);
                }
            }
            _ => reader.skip()?,
        }
    }
    Ok(match (fault, cells, rows) {
        (Some(fault), _, _) => Err(fault),
        (None, Some(cells), _) => Ok(Answer::Cells(cells)),
        (None, None, Some(rows)) => Ok(Answer::Rows(rows)),
        (None, None, None) => Ok(Answer::Empty),
    })
}

/// The columns that a rowset's schema declares for its rows: the elements of the type `row`, first level only.
fn read_schema(reader: &mut Reader) -> Result<Vec<String>> {
    let mut columns = Vec::new();
    while let Some(element) = reader.child()? {
        if element.name != "complexType" || element.attribute("name") != Some("row") {
            reader.skip()?;
            continue;
        }
        while let Some(sequence) = reader.child()? {
            if sequence.name != "sequence" {
                reader.skip()?;
                continue;
            }
            while let Some(column) = reader.child()? {
                let field = column.attribute("field").or(column.attribute("name")).unwrap_or_default();
                columns.push(decode_name(field).into_owned());
                reader.skip()?;
            }
        }
    }
    Ok(columns)
}

fn read_row(reader: &mut Reader, rows: &mut Rows) -> Result<()> {
    let mut row = vec![None; rows.columns.len()];
    while let Some(element) = reader.child()? {
        let name = decode_name(&element.name);
        let column = rows.column(&name).unwrap_or_else(|| {
            rows.columns.push(name.to_string());
            rows.columns.len() - 1
        });
        row.resize(rows.columns.len(), None);
        let text = inner_text(reader)?;
        // A nested rowset repeats its element.
        let cell: &mut Option<String> = &mut row[column];
        match cell {
            Some(earlier) => {
                earlier.push_str("; ");
                earlier.push_str(&text);
            }
            None => *cell = Some(text),
        }
    }
    rows.rows.push(row);
    Ok(())
}

/// All text of the element that is open, which is closed; pieces of several children have a space between them.
fn inner_text(reader: &mut Reader) -> Result<String> {
    let (mut text, mut depth) = (String::new(), 1);
    while depth > 0 {
        match reader.next()? {
            Some(Event::Start(_)) => depth += 1,
            Some(Event::Text(piece)) if depth == 1 => text.push_str(&piece),
            Some(Event::Text(piece)) => {
                if !text.is_empty() {
                    text.push(' ');
                }
                text.push_str(piece.trim());
            }
            Some(Event::End) => depth -= 1,
            None => break,
        }
    }
    Ok(text)
}

fn read_axes(reader: &mut Reader) -> Result<Vec<Vec<Vec<Member>>>> {
    let mut axes = Vec::new();
    while let Some(axis) = reader.child()? {
        if axis.attribute("name") == Some("SlicerAxis") {
            reader.skip()?;
            continue;
        }
        let mut tuples = Vec::new();
        while reader.child()?.is_some() {
            while reader.child()?.is_some() {
                let mut tuple = Vec::new();
                while reader.child()?.is_some() {
                    tuple.push(read_member(reader)?);
                }
                tuples.push(tuple);
            }
        }
        axes.push(tuples);
    }
    Ok(axes)
}

fn read_member(reader: &mut Reader) -> Result<Member> {
    let mut member = Member::default();
    while let Some(property) = reader.child()? {
        match property.name.as_str() {
            "UName" => member.unique_name = reader.content()?,
            "Caption" => member.caption = reader.content()?,
            _ => reader.skip()?,
        }
    }
    Ok(member)
}

fn read_cells(reader: &mut Reader) -> Result<Vec<(u64, Cell)>> {
    let mut cells = Vec::new();
    while let Some(element) = reader.child()? {
        let ordinal = element.attribute("CellOrdinal").and_then(|o| o.parse().ok());
        let ordinal = ordinal.context("a cell has no ordinal")?;
        let (mut value, mut formatted) = (String::new(), None);
        while let Some(property) = reader.child()? {
            match property.name.as_str() {
                "Value" => value = inner_text(reader)?,
                "FmtValue" => formatted = Some(reader.content()?),
                _ => reader.skip()?,
            }
        }
        let formatted = formatted.unwrap_or_else(|| value.clone());
        cells.push((ordinal, Cell { value, formatted }));
    }
    Ok(cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(body: &str) -> String {
        format!(
            "<S:Envelope xmlns:S=\"http://schemas.xmlsoap.org/soap/envelope/\"><S:Body>{body}</S:Body></S:Envelope>"
        )
    }

    fn response(root: &str) -> String {
        envelope(&format!("<ExecuteResponse xmlns=\"x\"><return><root>{root}</root></return></ExecuteResponse>"))
    }

    const SCHEMA: &str = "<schema><complexType name=\"row\"><sequence><element sql:field=\"A\" name=\"A\"/>\
                          <element field=\"B c\" name=\"B_x0020_c\"><complexType><sequence><element name=\"N\"/></sequence>\
                          </complexType></element></sequence></complexType></schema>";

    #[test]
    fn a_rowset_keeps_nulls_and_columns_without_values() {
        let xml = response(&format!("{SCHEMA}<row><A>1</A></row><row><B_x0020_c><N>x</N></B_x0020_c></row>"));
        let row = |a: Option<&str>, b: Option<&str>| vec![a.map(String::from), b.map(String::from)];
        let expected =
            Rows { columns: vec!["A".into(), "B c".into()], rows: vec![row(Some("1"), None), row(None, Some("x"))] };
        assert_eq!(read(&xml).unwrap(), Answer::Rows(expected));
        let none = read(&response(SCHEMA)).unwrap();
        assert!(matches!(none, Answer::Rows(rows) if rows.columns.len() == 2 && rows.rows.is_empty()));
    }

    #[test]
    fn a_cell_set_is_axes_and_cells() {
        let xml = response(
            "<OlapInfo/><Axes><Axis name=\"Axis0\"><Tuples><Tuple><Member Hierarchy=\"[M]\"><UName>[M].[a]</UName>\
             <Caption>a</Caption></Member></Tuple></Tuples></Axis><Axis name=\"SlicerAxis\"><Tuples><Tuple/></Tuples></Axis>\
             </Axes><CellData><Cell CellOrdinal=\"0\"><Value>1.5</Value><FmtValue>1.50</FmtValue></Cell></CellData>",
        );
        let Answer::Cells(cells) = read(&xml).unwrap() else { panic!("no cell set") };
        assert_eq!(cells.axes, [[[Member { unique_name: "[M].[a]".into(), caption: "a".into() }]]]);
        assert_eq!(cells.cells, [(0, Cell { value: "1.5".into(), formatted: "1.50".into() })]);
    }

    #[test]
    fn errors_are_found_wherever_they_stand() {
        let cases = [
            envelope(
                "<S:Fault><faultcode>x</faultcode><faultstring>short</faultstring><detail>\
                 <Error ErrorCode=\"3238658121\" Description=\"long\"/></detail></S:Fault>",
            ),
            response(
                "<row><A>1</A></row><Exception/><Messages><Error ErrorCode=\"3238658121\" Description=\"long\"/></Messages>",
            ),
        ];
        for xml in cases {
            let error = read(&xml).unwrap_err();
            assert_eq!(error.to_string(), "long (0xC10A0049)", "{xml}");
            assert_eq!(error.downcast_ref::<Trouble>().map(Trouble::exit_code), Some(4));
        }
        let plain = envelope("<S:Fault><faultcode>x</faultcode><faultstring>short</faultstring></S:Fault>");
        assert_eq!(read(&plain).unwrap_err().to_string(), "short");
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        for xml in ["", "<html>", "<a/><b/>", "Not found"] {
            assert!(read(xml).is_err(), "{xml}");
        }
        let empty = read(&response("")).unwrap();
        assert_eq!(empty, Answer::Empty);
    }
}
