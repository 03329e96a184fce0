//! A cell set on the wire: OlapInfo, Axes, CellData (spec/results.md section 2).

use crate::axis_writer::{AxisWriter, property_type};
use crate::properties::{AxisFormat, Content};
use crate::rowset_writer::start_root;
use crate::value::{error_into, uint_into, value_into, value_type};
use crate::xml::name::encode_name_as;
use crate::xml::namespace::Namespace;
use crate::xml::writer::{Writer, Written, date_into, escape_text_into};
use facetta_model::{Axis, CellBlock, CellProperty, CellSet, Value};
use jiff::civil::DateTime;
use std::ops::Range;

/// Writes the root of a cell set and leaves it open. Only the cells with ordinals in `range` are written.
///
/// The first cells are evaluated before the first byte: axes alone may be long enough to leave, and a query that is cancelled or
/// fails while it computes what it was asked for should still get a fault.
pub(crate) fn write_cell_set(
    w: &mut Writer,
    mut cell_set: CellSet,
    content: Content,
    format: AxisFormat,
    range: Range<u64>,
) -> Written {
    let first = if content.has_data() && !range.is_empty() { (cell_set.cells)(w.context())? } else { None };
    start_root(w, Namespace::MdDataset);
    if content.has_schema() {
        w.raw(SCHEMA);
    }
    if content.has_data() || content == Content::Metadata {
        write_olap_info(w, &cell_set)?;
    }
    if content.has_data() {
        write_axes(w, &cell_set, format)?;
        write_cells(w, &mut cell_set, first, range)?;
    }
    Ok(())
}

/// The axes by name, the slicer last.
fn axes(cell_set: &CellSet) -> impl Iterator<Item = (String, &Axis)> {
    let numbered = cell_set.axes.iter().enumerate().map(|(n, axis)| (format!("Axis{n}"), axis));
    numbered.chain(std::iter::once(("SlicerAxis".to_owned(), &cell_set.slicer)))
}

fn write_olap_info(w: &mut Writer, cell_set: &CellSet) -> Written {
    w.start("OlapInfo");
    w.start("CubeInfo");
    w.start("Cube");
    w.element("CubeName", &cell_set.cube_name)?;
    write_update(w, "LastDataUpdate", cell_set.last_data_update)?;
    write_update(w, "LastSchemaUpdate", cell_set.last_schema_update)?;
    w.end()?;
    w.end()?;
    w.start("AxesInfo");
    for (name, axis) in axes(cell_set) {
        w.start("AxisInfo");
        w.attribute("name", &name);
        write_hierarchies(w, cell_set, axis)?;
        w.end()?;
    }
    w.end()?;
    w.start("CellInfo");
    for &property in &cell_set.cell_properties {
        let info = CellPropertyInfo::of(property);
        write_property(w, info.element, info.name, info.ty)?;
    }
    w.end()?;
    w.end()
}

fn write_update(w: &mut Writer, name: &str, at: DateTime) -> Written {
    w.start(name);
    w.attribute("xmlns", Namespace::Engine.uri());
    date_into(w.bytes(), at);
    w.end()
}

/// The five properties that every member has, in the order in which clients read them: element, name, type.
const STANDARD: [(&str, &str, &str); 5] = [
    ("UName", "MEMBER_UNIQUE_NAME", "xsd:string"),
    ("Caption", "MEMBER_CAPTION", "xsd:string"),
    ("LName", "LEVEL_UNIQUE_NAME", "xsd:string"),
    ("LNum", "LEVEL_NUMBER", "xsd:int"),
    ("DisplayInfo", "DISPLAY_INFO", "xsd:unsignedInt"),
];

fn write_hierarchies(w: &mut Writer, cell_set: &CellSet, axis: &Axis) -> Written {
    let compatibility = cell_set.members.cube.compatibility;
    for hierarchy in &axis.hierarchies {
        w.start("HierarchyInfo");
        w.attribute("name", &compatibility.axis_hierarchy_name(&hierarchy.unique_name));
        for (element, name, ty) in STANDARD {
            write_property(w, element, &format!("{}.[{name}]", hierarchy.unique_name), Some(ty))?;
        }
        for property in hierarchy.further_properties() {
            let ty = property_type(&cell_set.members, hierarchy.id, &property.property);
            write_property(
                w,
                &encode_name_as(&property.name, compatibility.name_encoding()),
                &property.unique_name,
                ty,
            )?;
        }
        w.end()?;
    }
    Ok(())
}

fn write_property(w: &mut Writer, element: &str, name: &str, ty: Option<&str>) -> Written {
    w.start(element);
    w.attribute("name", name);
    if let Some(ty) = ty {
        w.attribute("type", ty);
    }
    w.end()
}

fn write_axes(w: &mut Writer, cell_set: &CellSet, format: AxisFormat) -> Written {
    w.start("Axes");
    for (name, axis) in axes(cell_set) {
        w.context().check()?;
        w.start("Axis");
        w.attribute("name", &name);
        let mut writer = AxisWriter::new(&cell_set.members, axis);
        match format {
            // A query with all hierarchies on its axes is sliced by one tuple without members. ADOMD.NET cannot read it as
            // `<Tuple/>`.
            _ if std::ptr::eq(axis, &cell_set.slicer) && axis.hierarchies.is_empty() => {
                w.raw("<Tuples><Tuple></Tuple></Tuples>");
            }
            AxisFormat::Cluster if !axis.tuples.is_empty() => writer.write_clusters(w)?,
            // CustomFormat leaves the choice to the server.
            AxisFormat::Tuple | AxisFormat::Custom | AxisFormat::Cluster => writer.write_tuples(w)?,
        }
        w.end()?;
    }
    w.end()
}

/// How a cell property is called and typed.
struct CellPropertyInfo {
    name: &'static str,
    element: &'static str,
    ty: Option<&'static str>,
}

impl CellPropertyInfo {
    const fn of(property: CellProperty) -> Self {
        use CellProperty::*;
        let (name, element, ty) = match property {
            Value => ("VALUE", "Value", None),
            FormattedValue => ("FORMATTED_VALUE", "FmtValue", Some("xsd:string")),
            CellOrdinal => ("CELL_ORDINAL", "CellOrdinal", Some("xsd:unsignedInt")),
            FormatString => ("FORMAT_STRING", "FormatString", Some("xsd:string")),
            Language => ("LANGUAGE", "Language", Some("xsd:unsignedInt")),
            BackColor => ("BACK_COLOR", "BackColor", Some("xsd:unsignedInt")),
            ForeColor => ("FORE_COLOR", "ForeColor", Some("xsd:unsignedInt")),
            FontName => ("FONT_NAME", "FontName", Some("xsd:string")),
            FontSize => ("FONT_SIZE", "FontSize", Some("xsd:unsignedShort")),
            FontFlags => ("FONT_FLAGS", "FontFlags", Some("xsd:int")),
            ActionType => ("ACTION_TYPE", "ActionType", Some("xsd:unsignedInt")),
            Updateable => ("UPDATEABLE", "Updateable", Some("xsd:unsignedInt")),
            NonEmptyBehavior => ("NON_EMPTY_BEHAVIOR", "NonEmptyBehavior", None),
            SolveOrder => ("SOLVE_ORDER", "SolveOrder", Some("xsd:int")),
            CellEvaluationList => ("CELL_EVALUATION_LIST", "CellEvaluationList", Some("xsd:string")),
        };
        Self { name, element, ty }
    }
}

/// Where a child of Cell comes from in a block.
enum CellPart {
    Value,
    Formatted,
    /// Column of `others`, and the element's name.
    Other(usize, &'static str),
}

/// The children of a Cell in the order asked, each once; CELL_ORDINAL is an attribute.
fn cell_parts(properties: &[CellProperty]) -> Vec<CellPart> {
    let mut others = 0;
    let mut parts = Vec::new();
    for (i, &property) in properties.iter().enumerate() {
        let first = !properties[..i].contains(&property);
        let part = match property {
            CellProperty::Value => CellPart::Value,
            CellProperty::FormattedValue => CellPart::Formatted,
            CellProperty::CellOrdinal => continue,
            other => {
                others += 1;
                CellPart::Other(others - 1, CellPropertyInfo::of(other).element)
            }
        };
        if first {
            parts.push(part);
        }
    }
    parts
}

/// Writes the cells of `first`, which was pulled, and of all further blocks.
fn write_cells(w: &mut Writer, cell_set: &mut CellSet, first: Option<CellBlock>, range: Range<u64>) -> Written {
    let parts = cell_parts(&cell_set.cell_properties);
    w.start("CellData");
    let mut next = first;
    'pull: while let Some(block) = next {
        w.context().check()?;
        for (i, &ordinal) in block.ordinals.iter().enumerate() {
            w.poll()?;
            if ordinal >= range.end {
                break 'pull;
            }
            if ordinal >= range.start && !is_empty(&block, i) {
                cell_into(w.bytes(), &block, i, &parts);
                w.flush_full()?;
            }
        }
        next = (cell_set.cells)(w.context())?;
    }
    w.end()
}

/// Whether a cell has neither value nor text; the wire leaves it out.
fn is_empty(block: &CellBlock, i: usize) -> bool {
    block.values[i].is_empty() && (block.formatted.is_empty() || block.formatted.get(i).is_empty())
}

fn cell_into(out: &mut Vec<u8>, block: &CellBlock, i: usize, parts: &[CellPart]) {
    out.extend_from_slice(b"<Cell CellOrdinal=\"");
    uint_into(out, block.ordinals[i]);
    out.extend_from_slice(b"\">");
    for part in parts {
        match part {
            CellPart::Value => cell_value_into(out, &block.values[i]),
            CellPart::Formatted if block.formatted.is_empty() => {}
            CellPart::Formatted => {
                out.extend_from_slice(b"<FmtValue>");
                escape_text_into(out, block.formatted.get(i));
                out.extend_from_slice(b"</FmtValue>");
            }
            CellPart::Other(column, element) => match &block.others[*column][i] {
                Value::Empty => {}
                value => {
                    out.push(b'<');
                    out.extend_from_slice(element.as_bytes());
                    out.push(b'>');
                    value_into(out, value);
                    out.extend_from_slice(b"</");
                    out.extend_from_slice(element.as_bytes());
                    out.push(b'>');
                }
            },
        }
    }
    out.extend_from_slice(b"</Cell>");
}

fn cell_value_into(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Empty => return,
        Value::Error(error) => {
            out.extend_from_slice(b"<Value>");
            error_into(out, error, None);
        }
        value => {
            out.extend_from_slice(b"<Value xsi:type=\"");
            out.extend_from_slice(value_type(value).unwrap_or("xsd:string").as_bytes());
            out.extend_from_slice(b"\">");
            value_into(out, value);
        }
    }
    out.extend_from_slice(b"</Value>");
}

/// The inline schema, the same for every cell set.
const SCHEMA: &str = concat!(
    r#"<xs:schema targetNamespace="urn:schemas-microsoft-com:xml-analysis:mddataset" elementFormDefault="qualified" "#,
    r#"xmlns="urn:schemas-microsoft-com:xml-analysis:mddataset" xmlns:xs="http://www.w3.org/2001/XMLSchema">"#,
    r#"<xs:complexType name="MemberType"><xs:sequence><xs:any minOccurs="0" "#,
    r#"maxOccurs="unbounded" processContents="skip"/></xs:sequence><xs:attribute name="Hierarchy" type="xs:string"/>"#,
    r#"</xs:complexType><xs:complexType name="PropType"><xs:sequence><xs:element name="Default" minOccurs="0"/>"#,
    r#"</xs:sequence><xs:attribute name="name" type="xs:string" use="required"/>"#,
    r#"<xs:attribute name="type" type="xs:QName"/></xs:complexType>"#,
    r#"<xs:complexType name="TupleType"><xs:sequence><xs:element name="Member" type="MemberType" minOccurs="0" "#,
    r#"maxOccurs="unbounded"/></xs:sequence></xs:complexType>"#,
    r#"<xs:complexType name="MembersType"><xs:sequence><xs:element name="Member" type="MemberType" minOccurs="0" "#,
    r#"maxOccurs="unbounded"/></xs:sequence><xs:attribute name="Hierarchy" type="xs:string" use="required"/>"#,
    r#"</xs:complexType><xs:complexType name="TuplesType"><xs:sequence><xs:element name="Tuple" type="TupleType" "#,
    r#"minOccurs="0" maxOccurs="unbounded"/></xs:sequence></xs:complexType>"#,
    r#"<xs:group name="SetType"><xs:choice><xs:element name="Members" type="MembersType"/>"#,
    r#"<xs:element name="Tuples" type="TuplesType"/><xs:element name="CrossProduct" type="SetListType"/>"#,
    r#"<xs:element name="Union" type="SetListType"/></xs:choice></xs:group>"#,
    r#"<xs:complexType name="SetListType"><xs:group ref="SetType" minOccurs="0" maxOccurs="unbounded"/>"#,
    r#"<xs:attribute name="Size" type="xs:unsignedInt"/></xs:complexType>"#,
    r#"<xs:complexType name="AnyType"><xs:sequence><xs:any minOccurs="0" maxOccurs="unbounded" "#,
    r#"processContents="skip"/></xs:sequence></xs:complexType>"#,
    r#"<xs:complexType name="OlapInfo"><xs:sequence><xs:element name="CubeInfo" type="AnyType"/>"#,
    r#"<xs:element name="AxesInfo" type="AnyType"/><xs:element name="CellInfo" type="AnyType"/></xs:sequence>"#,
    r#"</xs:complexType><xs:complexType name="Axes"><xs:sequence><xs:element name="Axis" minOccurs="0" "#,
    r#"maxOccurs="unbounded"><xs:complexType><xs:group ref="SetType" minOccurs="0" maxOccurs="unbounded"/>"#,
    r#"<xs:attribute name="name" type="xs:string"/></xs:complexType></xs:element></xs:sequence></xs:complexType>"#,
    r#"<xs:complexType name="CellData"><xs:sequence><xs:element name="Cell" minOccurs="0" maxOccurs="unbounded">"#,
    r#"<xs:complexType><xs:sequence><xs:any minOccurs="0" maxOccurs="unbounded" "#,
    r#"processContents="skip"/></xs:sequence><xs:attribute name="CellOrdinal" type="xs:unsignedInt" use="required"/>"#,
    r#"</xs:complexType></xs:element></xs:sequence></xs:complexType>"#,
    r#"<xs:element name="root"><xs:complexType><xs:sequence><xs:element name="OlapInfo" type="OlapInfo" minOccurs="0"/>"#,
    r#"<xs:element name="Axes" type="Axes" minOccurs="0"/><xs:element name="CellData" type="CellData" minOccurs="0"/>"#,
    r#"<xs:any namespace="http://www.w3.org/2001/XMLSchema urn:schemas-microsoft-com:xml-analysis:exception" "#,
    r#"minOccurs="0" maxOccurs="unbounded" processContents="lax"/></xs:sequence></xs:complexType></xs:element>"#,
    r#"</xs:schema>"#,
);
