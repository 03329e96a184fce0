//! The other side of the wire, for the command line and for tests: requests to XML, answers to tables and cells.

use crate::command::Command;
use crate::envelope::SessionHeaders;
use crate::fault::Warning;
use crate::request::{Body, Discover, Execute, Request};
use crate::value::{value_into, value_type};
use crate::xml::decode::decode;
use crate::xml::name::{decode_name, encode_name};
use crate::xml::namespace::Namespace;
use crate::xml::reader::{Element, Event, Reader};
use crate::xml::writer::{Writer, Written};
use facetta_model::{Context, Result, bail};

/// The bytes of a request.
pub fn request_bytes(request: &Request) -> Vec<u8> {
    let mut bytes = Vec::new();
    let context = Context::unlimited();
    let mut w = Writer::new(&mut bytes, &context);
    // A Vec takes all.
    let _ = write_request(&mut w, request);
    bytes
}

fn write_request(w: &mut Writer, request: &Request) -> Written {
    w.start("soap:Envelope");
    w.attribute("xmlns:soap", Namespace::Soap.uri());
    w.attribute("xmlns:xsi", Namespace::Xsi.uri());
    w.attribute("xmlns:xsd", Namespace::Xsd.uri());
    let header = match &request.headers {
        SessionHeaders::None => None,
        SessionHeaders::Begin => Some(("BeginSession", None)),
        SessionHeaders::Use(id) => Some(("Session", Some(id))),
        SessionHeaders::End(id) => Some(("EndSession", Some(id))),
    };
    if let Some((name, id)) = header {
        w.start("soap:Header");
        w.start(name);
        w.attribute("xmlns", Namespace::Xmla.uri());
        w.attribute("soap:mustUnderstand", "1");
        if let Some(id) = id {
            w.attribute("SessionId", id);
        }
        w.end()?;
        w.end()?;
    }
    w.start("soap:Body");
    match &request.body {
        Body::Discover(discover) => write_discover(w, discover)?,
        Body::Execute(execute) => write_execute(w, execute)?,
    }
    w.end_to(0)?;
    w.flush()
}

fn write_discover(w: &mut Writer, discover: &Discover) -> Written {
    w.start("Discover");
    w.attribute("xmlns", Namespace::Xmla.uri());
    w.element("RequestType", &discover.request_type)?;
    w.start("Restrictions");
    w.start("RestrictionList");
    for restriction in discover.restrictions.iter() {
        w.start(&encode_name(&restriction.name));
        match restriction.values.as_slice() {
            [one] => w.text(one),
            several => several.iter().try_for_each(|value| w.element("Value", value))?,
        }
        w.end()?;
    }
    w.end()?;
    w.end()?;
    write_properties(w, discover.properties.iter())?;
    w.end()
}

fn write_properties<'p>(
    w: &mut Writer,
    properties: impl Iterator<Item = (&'static crate::Property, &'p str)>,
) -> Written {
    w.start("Properties");
    w.start("PropertyList");
    for (property, value) in properties {
        w.element(property.name, value)?;
    }
    w.end()?;
    w.end()
}

fn write_execute(w: &mut Writer, execute: &Execute) -> Written {
    w.start("Execute");
    w.attribute("xmlns", Namespace::Xmla.uri());
    w.start("Command");
    match &execute.command {
        Command::Statement(text) => w.element("Statement", text)?,
        other => w.raw(&other.text()),
    }
    w.end()?;
    write_properties(w, execute.properties.iter())?;
    if !execute.parameters.is_empty() {
        w.start("Parameters");
        for parameter in &execute.parameters {
            w.start("Parameter");
            w.element("Name", &parameter.name)?;
            w.start("Value");
            match value_type(&parameter.value) {
                Some(ty) => w.attribute("xsi:type", ty),
                None => w.attribute("xsi:nil", "true"),
            }
            value_into(w.bytes(), &parameter.value);
            w.end()?;
            w.end()?;
        }
        w.end()?;
    }
    w.end()
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The id of the session that was begun.
    pub session: Option<String>,
    /// What was answered.
    pub result: AnswerResult,
    /// What the command had to say beside its result.
    pub warnings: Vec<Warning>,
    /// Why the result is cut short.
    pub exception: Option<Fault>,
}

/// What was answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum AnswerResult {
    /// A command without result.
    #[default]
    Empty,
    /// Columns and rows.
    Table(Table),
    /// Axes and cells.
    Cells(Cells),
    /// Nothing but a fault.
    Fault(Fault),
}

/// An error as the wire has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// faultcode; empty in an exception.
    pub faultcode: String,
    /// ErrorCode.
    pub code: u32,
    /// Description, or faultstring where there is none.
    pub description: String,
}

/// A rowset as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The names of the columns: those of the inline schema, then those that rows have beside.
    pub columns: Vec<String>,
    /// The types of the columns as the schema has them; empty where it has none.
    pub types: Vec<String>,
    /// For each row a text for each column; none for null. A nested rowset is `{NAME=text, …}` for each of its rows.
    pub rows: Vec<Vec<Option<String>>>,
}

/// A cell set as text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cells {
    /// The cube.
    pub cube: String,
    /// The tuples of each axis.
    pub axes: Vec<Vec<Vec<AxisMember>>>,
    /// The tuples of the slicer.
    pub slicer: Vec<Vec<AxisMember>>,
    /// The cells that are not empty, by ascending ordinal.
    pub cells: Vec<Cell>,
}

/// A member on an axis.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AxisMember {
    /// UName.
    pub unique_name: String,
    /// Caption.
    pub caption: String,
    /// LName.
    pub level_unique_name: String,
    /// LNum.
    pub level_number: u32,
    /// DisplayInfo.
    pub display_info: u32,
    /// Further properties, by the names of their elements decoded.
    pub properties: Vec<(String, String)>,
}

/// A cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Its position: the first axis runs fastest.
    pub ordinal: u64,
    /// VALUE.
    pub value: Option<String>,
    /// The type of VALUE, as `xsd:double`; empty where the answer has none.
    pub value_type: String,
    /// FORMATTED_VALUE.
    pub formatted: Option<String>,
    /// What is wrong with it.
    pub error: Option<String>,
}

impl Answer {
    /// Reads an answer from the bytes of an HTTP body.
    pub fn read(bytes: &[u8], context: &Context) -> Result<Answer> {
        let text = decode(bytes, context)?;
        let mut reader = Reader::new(&text, context);
        let envelope = reader.root()?;
        if envelope.name != "Envelope" || envelope.namespace != Namespace::Soap {
            return Err(reader.unexpected(&envelope));
        }
        let mut answer = Answer::default();
        while let Some(child) = reader.child()? {
            match child.name {
                "Header" => {
                    while let Some(block) = reader.child()? {
                        if block.name == "Session" {
                            answer.session = block.attribute("SessionId").map(str::to_owned);
                        }
                        reader.skip()?;
                    }
                }
                "Body" => answer.read_body(&mut reader)?,
                _ => reader.skip()?,
            }
        }
        reader.finish()?;
        Ok(answer)
    }

    fn read_body(&mut self, reader: &mut Reader) -> Result<()> {
        while let Some(child) = reader.child()? {
            match child.name {
                "Fault" => {
                    let fault = Node::read(reader, child)?;
                    let detail = fault.child("detail").and_then(|d| d.child("Error"));
                    let mut described = detail.map(Fault::of).unwrap_or_default();
                    described.faultcode = fault.text_of("faultcode").to_owned();
                    if described.description.is_empty() {
                        described.description = fault.text_of("faultstring").to_owned();
                    }
                    self.result = AnswerResult::Fault(described);
                }
                "DiscoverResponse" | "ExecuteResponse" | "return" => self.read_body(reader)?,
                "root" => self.read_root(reader, &child)?,
                _ => reader.skip()?,
            }
        }
        Ok(())
    }

    fn read_root(&mut self, reader: &mut Reader, root: &Element) -> Result<()> {
        self.result = match root.namespace {
            Namespace::Rowset => AnswerResult::Table(Table::default()),
            Namespace::MdDataset => AnswerResult::Cells(Cells::default()),
            _ => AnswerResult::Empty,
        };
        while let Some(child) = reader.child()? {
            match (&mut self.result, child.name) {
                (_, "Messages") => {
                    let messages = Node::read(reader, child)?;
                    for message in &messages.children {
                        if message.name == "Error" {
                            self.exception = Some(Fault::of(message));
                        } else {
                            self.warnings.push(Warning::of(message));
                        }
                    }
                }
                (AnswerResult::Table(table), "schema") => table.read_schema(&Node::read(reader, child)?),
                (AnswerResult::Table(table), "row") => table.add_row(&Node::read(reader, child)?),
                (AnswerResult::Cells(cells), "OlapInfo") => {
                    let info = Node::read(reader, child)?;
                    let cube = info.child("CubeInfo").and_then(|c| c.child("Cube"));
                    cells.cube = cube.map_or("", |c| c.text_of("CubeName")).to_owned();
                }
                (AnswerResult::Cells(cells), "Axes") => cells.read_axes(reader)?,
                (AnswerResult::Cells(cells), "CellData") => {
                    while let Some(cell) = reader.child()? {
                        if cell.name == "Cell" {
                            cells.cells.push(Cell::of(&Node::read(reader, cell)?));
                        } else {
                            reader.skip()?;
                        }
                    }
                }
                _ => reader.skip()?,
            }
        }
        Ok(())
    }
}

impl Fault {
    fn of(node: &Node) -> Fault {
        Fault {
            faultcode: String::new(),
            code: node.attribute("ErrorCode").and_then(|c| c.parse().ok()).unwrap_or_default(),
            description: node.attribute("Description").unwrap_or_default().to_owned(),
        }
    }
}

impl Warning {
    fn of(node: &Node) -> Warning {
        Warning {
            code: node.attribute("WarningCode").and_then(|c| c.parse().ok()).unwrap_or_default(),
            description: node.attribute("Description").unwrap_or_default().to_owned(),
        }
    }
}

impl Table {
    fn read_schema(&mut self, schema: &Node) {
        let row = schema.children.iter().find(|c| c.name == "complexType" && c.attribute("name") == Some("row"));
        for column in row.and_then(|r| r.child("sequence")).into_iter().flat_map(|s| &s.children) {
            let name = column.attribute("field").or(column.attribute("name")).unwrap_or_default();
            self.columns.push(name.to_owned());
            self.types.push(column.attribute("type").unwrap_or_default().to_owned());
        }
    }

    fn add_row(&mut self, row: &Node) {
        let mut fields: Vec<Option<String>> = vec![None; self.columns.len()];
        for field in &row.children {
            let name = decode_name(&field.name);
            let column = self.columns.iter().position(|c| *c == name).unwrap_or_else(|| {
                self.columns.push(name.clone().into_owned());
                self.types.push(String::new());
                fields.push(None);
                self.columns.len() - 1
            });
            let text = field.flat_text();
            match &mut fields[column] {
                Some(more) => {
                    more.push(' ');
                    more.push_str(&text);
                }
                none => *none = Some(text),
            }
        }
        // Earlier rows lack columns that were met only now; readers take what is not there for null.
        self.rows.push(fields);
    }

    /// A field of a row.
    pub fn get(&self, row: usize, column: usize) -> Option<&str> {
        self.rows.get(row)?.get(column)?.as_deref()
    }
}

impl Cells {
    fn read_axes(&mut self, reader: &mut Reader) -> Result<()> {
        while let Some(axis) = reader.child()? {
            let mut tuples = Vec::new();
            while let Some(set) = reader.child()? {
                if set.name != "Tuples" {
                    bail!(Soap, "The axis is written as {}; ask for the AxisFormat TupleFormat", set.name);
                }
                while let Some(tuple) = reader.child()? {
                    if tuple.name == "Tuple" {
                        let tuple = Node::read(reader, tuple)?;
                        tuples.push(tuple.children.iter().map(AxisMember::of).collect());
                    } else {
                        reader.skip()?;
                    }
                }
            }
            match axis.attribute("name") {
                Some("SlicerAxis") => self.slicer = tuples,
                _ => self.axes.push(tuples),
            }
        }
        Ok(())
    }
}

impl AxisMember {
    fn of(node: &Node) -> AxisMember {
        let mut member = AxisMember::default();
        for property in &node.children {
            let text = property.text.clone();
            match property.name.as_str() {
                "UName" => member.unique_name = text,
                "Caption" => member.caption = text,
                "LName" => member.level_unique_name = text,
                "LNum" => member.level_number = text.parse().unwrap_or_default(),
                "DisplayInfo" => member.display_info = text.parse().unwrap_or_default(),
                other => member.properties.push((decode_name(other).into_owned(), text)),
            }
        }
        member
    }
}

impl Cell {
    fn of(node: &Node) -> Cell {
        let value = node.child("Value");
        let error = value.and_then(|v| v.child("Error"));
        Cell {
            ordinal: node.attribute("CellOrdinal").and_then(|o| o.parse().ok()).unwrap_or_default(),
            value: value.filter(|_| error.is_none()).map(|v| v.text.clone()),
            value_type: value.and_then(|v| v.attribute("type")).unwrap_or_default().to_owned(),
            formatted: node.child("FmtValue").map(|f| f.text.clone()),
            error: error.map(|e| e.attribute("Description").unwrap_or_default().to_owned()),
        }
    }
}

/// An element with all that it holds, for small parts of an answer.
#[derive(Default)]
struct Node {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    children: Vec<Node>,
}

impl Node {
    /// Reads the element that has just begun and closes it. The reader's limit of depth bounds the recursion.
    fn read(reader: &mut Reader, element: Element) -> Result<Node> {
        let attributes = element.attributes.into_iter().map(|a| (a.name.to_string(), a.value.into_owned())).collect();
        let mut node = Node { name: element.name.to_string(), attributes, ..Node::default() };
        while let Some(event) = reader.next()? {
            match event {
                Event::Start(child) => node.children.push(Node::read(reader, child)?),
                Event::Text(text) => node.text.push_str(&text),
                Event::End => break,
            }
        }
        Ok(node)
    }

    fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|c| c.name == name)
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    fn text_of(&self, child: &str) -> &str {
        self.child(child).map_or("", |c| c.text.as_str())
    }

    /// The text, or the children as `{NAME=text, …}`.
    fn flat_text(&self) -> String {
        if self.children.is_empty() {
            return self.text.clone();
        }
        if self.name == "Error" || self.children[0].name == "Error" {
            let error = self.child("Error").unwrap_or(self);
            return format!("#Error {}", error.attribute("Description").unwrap_or_default());
        }
        let parts: Vec<String> =
            self.children.iter().map(|c| format!("{}={}", decode_name(&c.name), c.flat_text())).collect();
        format!("{{{}}}", parts.join(", "))
    }
}
