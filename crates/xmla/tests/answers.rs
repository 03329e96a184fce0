//! Answers byte by byte, and read back by the client side.

#![allow(clippy::unwrap_used)]

mod common;

use common::*;
use expect_test::{Expect, expect};
use facetta_model::{Property, *};
use facetta_xmla::client::{Answer, AnswerResult, request_bytes};
use facetta_xmla::*;
use std::sync::Arc;

fn execute(reply: &Reply, outcome: Outcome) -> String {
    let mut out = Vec::new();
    let delivery = write_execute_response(&mut out, &Context::unlimited(), reply, outcome).unwrap();
    assert_eq!(delivery, Delivery::Complete);
    String::from_utf8(out).unwrap()
}

/// The root of an answer, a line for each tag that begins or follows another, for reading.
fn root(answer: &str) -> String {
    let from = answer.find("<root").unwrap();
    let to = answer.find("</return>").unwrap();
    answer[from..to].replace("><", ">\n<")
}

fn check(answer: &str, expected: &Expect) {
    Answer::read(answer.as_bytes(), &Context::unlimited()).unwrap();
    expected.assert_eq(&root(answer));
}

fn sample_rowset() -> Rowset {
    let nested: Arc<[Column]> =
        vec![Column::new("Name", ColumnType::String), Column::new("Type", ColumnType::String)].into();
    let columns = vec![
        Column { optional: false, ..Column::new("SchemaName", ColumnType::String) },
        Column::new("SchemaGuid", ColumnType::Uuid),
        Column::new("Restrictions", ColumnType::Nested(nested)),
        Column::new("[Measures].[Unit Sales]", ColumnType::Variant),
        Column::new("METADATA", ColumnType::Xml),
        Column::new("Amount", ColumnType::Double),
        Column::new("Amount", ColumnType::Long),
        Column::new("Flag", ColumnType::Boolean),
        Column::new("At", ColumnType::DateTime),
    ];
    let row = |name: &'static str, type_: &'static str| vec![Field::from(name), Field::from(type_)];
    let full = vec![
        "A & <B>".into(),
        "A07CCD0B-8148-11D0-87BB-00C04FC33942".into(),
        Field::Rows(vec![row("CATALOG_NAME", "xsd:string"), vec!["X".into(), Field::Null]]),
        Value::Double(266_773.0).into(),
        "<Server xmlns=\"urn:x\"/>".into(),
        Field::Double(109_809_274.203_028_56),
        Field::Int(i64::MIN),
        true.into(),
        "2022-03-22T01:45:31.21".parse::<jiff::civil::DateTime>().unwrap().into(),
    ];
    let mut empty = vec![Field::Null; 9];
    empty[0] = "".into();
    empty[1] = "".into();
    empty[3] = Value::Empty.into();
    let variant = |v: Value| {
        let mut row = vec![Field::Null; 9];
        row[3] = v.into();
        row
    };
    let many = {
        let mut row = vec![Field::Null; 9];
        row[0] = Field::Many(vec!["MDP".into(), Field::Null, "TDP".into()]);
        row
    };
    let error = error!(NotFound, "The object \"X\" was not found");
    let rows =
        [full, empty, variant(Value::str(" x ")), variant(Value::Int(1 << 40)), variant(Value::Error(error)), many];
    Rowset::of(columns, rows)
}

#[test]
fn rowset() {
    let answer = execute(&Reply::default(), Outcome::Rowset(sample_rowset()));
    check(
        &answer,
        &expect![[r#"
        <root xmlns="urn:schemas-microsoft-com:xml-analysis:rowset" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:msxmla="http://schemas.microsoft.com/analysisservices/2003/xmla">
        <xsd:schema targetNamespace="urn:schemas-microsoft-com:xml-analysis:rowset" xmlns:sql="urn:schemas-microsoft-com:xml-sql" elementFormDefault="qualified">
        <xsd:element name="root">
        <xsd:complexType>
        <xsd:sequence minOccurs="0" maxOccurs="unbounded">
        <xsd:element name="row" type="row"/>
        </xsd:sequence>
        </xsd:complexType>
        </xsd:element>
        <xsd:simpleType name="uuid">
        <xsd:restriction base="xsd:string">
        <xsd:pattern value="[0-9a-zA-Z]{8}-[0-9a-zA-Z]{4}-[0-9a-zA-Z]{4}-[0-9a-zA-Z]{4}-[0-9a-zA-Z]{12}"/>
        </xsd:restriction>
        </xsd:simpleType>
        <xsd:complexType name="xmlDocument">
        <xsd:sequence>
        <xsd:any/>
        </xsd:sequence>
        </xsd:complexType>
        <xsd:complexType name="row">
        <xsd:sequence>
        <xsd:element sql:field="SchemaName" name="SchemaName" type="xsd:string"/>
        <xsd:element sql:field="SchemaGuid" name="SchemaGuid" type="uuid" minOccurs="0"/>
        <xsd:element sql:field="Restrictions" name="Restrictions" minOccurs="0" maxOccurs="unbounded">
        <xsd:complexType>
        <xsd:sequence>
        <xsd:element sql:field="Name" name="Name" type="xsd:string" minOccurs="0"/>
        <xsd:element sql:field="Type" name="Type" type="xsd:string" minOccurs="0"/>
        </xsd:sequence>
        </xsd:complexType>
        </xsd:element>
        <xsd:element sql:field="[Measures].[Unit Sales]" name="_x005B_Measures_x005D_._x005B_Unit_x0020_Sales_x005D_" minOccurs="0"/>
        <xsd:element sql:field="METADATA" name="METADATA" type="xmlDocument" minOccurs="0"/>
        <xsd:element sql:field="Amount" name="Amount" type="xsd:double" minOccurs="0"/>
        <xsd:element sql:field="Amount" name="Amount1" type="xsd:long" minOccurs="0"/>
        <xsd:element sql:field="Flag" name="Flag" type="xsd:boolean" minOccurs="0"/>
        <xsd:element sql:field="At" name="At" type="xsd:dateTime" minOccurs="0"/>
        </xsd:sequence>
        </xsd:complexType>
        </xsd:schema>
        <row>
        <SchemaName>A &amp; &lt;B&gt;</SchemaName>
        <SchemaGuid>A07CCD0B-8148-11D0-87BB-00C04FC33942</SchemaGuid>
        <Restrictions>
        <Name>CATALOG_NAME</Name>
        <Type>xsd:string</Type>
        </Restrictions>
        <Restrictions>
        <Name>X</Name>
        </Restrictions>
        <_x005B_Measures_x005D_._x005B_Unit_x0020_Sales_x005D_ xsi:type="xsd:double">266773</_x005B_Measures_x005D_._x005B_Unit_x0020_Sales_x005D_>
        <METADATA>
        <Server xmlns="urn:x"/>
        </METADATA>
        <Amount>1.0980927420302856E8</Amount>
        <Amount1>-9223372036854775808</Amount1>
        <Flag>true</Flag>
        <At>2022-03-22T01:45:31.21</At>
        </row>
        <row>
        <SchemaName>
        </SchemaName>
        </row>
        <row>
        <_x005B_Measures_x005D_._x005B_Unit_x0020_Sales_x005D_ xsi:type="xsd:string"> x </_x005B_Measures_x005D_._x005B_Unit_x0020_Sales_x005D_>
        </row>
        <row>
        <_x005B_Measures_x005D_._x005B_Unit_x0020_Sales_x005D_ xsi:type="xsd:long">1099511627776</_x005B_Measures_x005D_._x005B_Unit_x0020_Sales_x005D_>
        </row>
        <row>
        <_x005B_Measures_x005D_._x005B_Unit_x0020_Sales_x005D_>
        <Error xmlns="urn:schemas-microsoft-com:xml-analysis:exception" ErrorCode="3238658054" Description="The object &quot;X&quot; was not found">
        <ErrorCode>3238658054</ErrorCode>
        <Description>The object &quot;X&quot; was not found</Description>
        </Error>
        </_x005B_Measures_x005D_._x005B_Unit_x0020_Sales_x005D_>
        </row>
        <row>
        <SchemaName>MDP</SchemaName>
        <SchemaName>TDP</SchemaName>
        </row>
        </root>"#]],
    );
    let AnswerResult::Table(table) = Answer::read(answer.as_bytes(), &Context::unlimited()).unwrap().result else {
        panic!("{answer}")
    };
    assert_eq!(table.columns[3], "[Measures].[Unit Sales]");
    assert_eq!(table.get(0, 0), Some("A & <B>"));
    assert_eq!(table.get(0, 2), Some("{Name=CATALOG_NAME, Type=xsd:string} {Name=X}"));
    assert_eq!(table.get(4, 3), Some("#Error The object \"X\" was not found"));
    assert_eq!((table.get(1, 0), table.get(1, 1)), (Some(""), None));
}

#[test]
fn rowset_contents_and_range() {
    let content = |content, row_range| {
        execute(&Reply { content, row_range, ..Reply::default() }, Outcome::Rowset(sample_rowset()))
    };
    let parts = |answer: &str| (answer.contains("<xsd:schema"), answer.matches("<row>").count());
    assert_eq!(parts(&content(Content::None, None)), (false, 0));
    assert_eq!(parts(&content(Content::Schema, None)), (true, 0));
    assert_eq!(parts(&content(Content::Metadata, None)), (true, 0));
    assert_eq!(parts(&content(Content::Data, None)), (false, 6));
    assert_eq!(parts(&content(Content::SchemaData, Some(0..2))), (true, 2));
    assert_eq!(parts(&content(Content::SchemaData, Some(4..9))), (true, 2));
    assert_eq!(parts(&content(Content::SchemaData, Some(2..2))), (true, 0));
}

#[test]
fn names_of_elements_are_encoded_as_the_rowset_says() {
    let row = || Rowset::of(vec![Column::new("[A]", ColumnType::Int)], [vec![Field::Int(1)]]);
    let answer = |names| execute(&Reply::default(), Outcome::Rowset(Rowset { names, ..row() }));
    assert!(answer(NameEncoding::UpperCase).contains("<_x005B_A_x005D_>1<"));
    let lower = answer(NameEncoding::LowerCase);
    assert!(
        lower.contains("<_x005b_A_x005d_>1<") && lower.contains(r#"sql:field="[A]" name="_x005b_A_x005d_""#),
        "{lower}"
    );
}

/// Two measures have no parent that they could share; Analysis Services takes them for siblings nevertheless.
#[test]
fn members_without_a_parent_are_siblings_as_the_catalog_has_it() {
    for (compatibility, info) in [(Compatibility::AnalysisServices, "131072"), (Compatibility::Mondrian, "0")] {
        let members = members(compatibility, 2);
        let columns = axis(&members, &[MEASURES], [0, 1]);
        let slicer = axis(&members, &[PRODUCT], [0]);
        let cells = cell_set(&members, vec![columns], slicer, one_block(CellBlock::default()));
        let answer = execute(&Reply::default(), Outcome::CellSet(cells));
        let infos: Vec<&str> = answer.split("<DisplayInfo>").skip(1).map(|t| t.split('<').next().unwrap()).collect();
        assert_eq!(infos[..2], ["0", info], "{compatibility:?}");
    }
}

fn product_property(name: &str, property: Property) -> AxisProperty {
    AxisProperty { name: name.into(), unique_name: format!("[Product].[{name}]"), property }
}

fn sample_cell_set(compatibility: Compatibility) -> CellSet {
    let members = members(compatibility, 2);
    let mut columns = axis(&members, &[PRODUCT], [0, 1, 3, 4]);
    columns.hierarchies[0].properties = vec![
        product_property("MEMBER_CAPTION", Property::MemberCaption),
        product_property("PARENT_UNIQUE_NAME", Property::ParentUniqueName),
        product_property("Shelf Depth", Property::Level { level: LevelId(2), index: 0 }),
        product_property("MEMBER_VALUE", Property::MemberValue),
        product_property("PARENT_UNIQUE_NAME", Property::ParentUniqueName),
    ];
    let slicer = axis(&members, &[MEASURES], [1]);
    let block = CellBlock {
        ordinals: vec![0, 1, 2, 3],
        values: vec![
            Value::Double(17.5),
            Value::Empty,
            Value::Error(error!(Type, "division of \"x\" by zero")),
            Value::Currency(Currency(12_345)),
        ],
        formatted: ["$17.50", "", "#Error", "1.23"].into_iter().collect(),
        others: vec![vec![Value::Int(255), Value::Int(1), Value::Empty, Value::Empty]],
    };
    let mut cell_set = cell_set(&members, vec![columns], slicer, one_block(block));
    cell_set.cell_properties.extend([CellProperty::BackColor, CellProperty::Value]);
    cell_set
}

#[test]
fn cells_and_members() {
    let reply = Reply { content: Content::Data, ..Reply::default() };
    let answer = execute(&reply, Outcome::CellSet(sample_cell_set(Compatibility::AnalysisServices)));
    check(
        &answer,
        &expect![[r#"
        <root xmlns="urn:schemas-microsoft-com:xml-analysis:mddataset" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:msxmla="http://schemas.microsoft.com/analysisservices/2003/xmla">
        <OlapInfo>
        <CubeInfo>
        <Cube>
        <CubeName>Sales</CubeName>
        <LastDataUpdate xmlns="http://schemas.microsoft.com/analysisservices/2003/engine">2022-03-22T01:45:31.21</LastDataUpdate>
        <LastSchemaUpdate xmlns="http://schemas.microsoft.com/analysisservices/2003/engine">2022-03-21T00:00:00</LastSchemaUpdate>
        </Cube>
        </CubeInfo>
        <AxesInfo>
        <AxisInfo name="Axis0">
        <HierarchyInfo name="[Product].[Product]">
        <UName name="[Product].[Product].[MEMBER_UNIQUE_NAME]" type="xsd:string"/>
        <Caption name="[Product].[Product].[MEMBER_CAPTION]" type="xsd:string"/>
        <LName name="[Product].[Product].[LEVEL_UNIQUE_NAME]" type="xsd:string"/>
        <LNum name="[Product].[Product].[LEVEL_NUMBER]" type="xsd:int"/>
        <DisplayInfo name="[Product].[Product].[DISPLAY_INFO]" type="xsd:unsignedInt"/>
        <PARENT_UNIQUE_NAME name="[Product].[PARENT_UNIQUE_NAME]" type="xsd:string"/>
        <Shelf_x0020_Depth name="[Product].[Shelf Depth]" type="xsd:int"/>
        <MEMBER_VALUE name="[Product].[MEMBER_VALUE]"/>
        </HierarchyInfo>
        </AxisInfo>
        <AxisInfo name="SlicerAxis">
        <HierarchyInfo name="[Measures]">
        <UName name="[Measures].[MEMBER_UNIQUE_NAME]" type="xsd:string"/>
        <Caption name="[Measures].[MEMBER_CAPTION]" type="xsd:string"/>
        <LName name="[Measures].[LEVEL_UNIQUE_NAME]" type="xsd:string"/>
        <LNum name="[Measures].[LEVEL_NUMBER]" type="xsd:int"/>
        <DisplayInfo name="[Measures].[DISPLAY_INFO]" type="xsd:unsignedInt"/>
        </HierarchyInfo>
        </AxisInfo>
        </AxesInfo>
        <CellInfo>
        <Value name="VALUE"/>
        <FmtValue name="FORMATTED_VALUE" type="xsd:string"/>
        <CellOrdinal name="CELL_ORDINAL" type="xsd:unsignedInt"/>
        <BackColor name="BACK_COLOR" type="xsd:unsignedInt"/>
        <Value name="VALUE"/>
        </CellInfo>
        </OlapInfo>
        <Axes>
        <Axis name="Axis0">
        <Tuples>
        <Tuple>
        <Member Hierarchy="[Product].[Product]">
        <UName>[Product].[Product].[All Products]</UName>
        <Caption>All Products</Caption>
        <LName>[Product].[Product].[(All)]</LName>
        <LNum>0</LNum>
        <DisplayInfo>65538</DisplayInfo>
        <MEMBER_VALUE xsi:type="xsd:int">0</MEMBER_VALUE>
        </Member>
        </Tuple>
        <Tuple>
        <Member Hierarchy="[Product].[Product]">
        <UName>[Product].[Product].[Category].&amp;[Drink]</UName>
        <Caption>Drink</Caption>
        <LName>[Product].[Product].[Category]</LName>
        <LNum>1</LNum>
        <DisplayInfo>65538</DisplayInfo>
        <PARENT_UNIQUE_NAME>[Product].[Product].[All Products]</PARENT_UNIQUE_NAME>
        <MEMBER_VALUE xsi:type="xsd:string">Drink</MEMBER_VALUE>
        </Member>
        </Tuple>
        <Tuple>
        <Member Hierarchy="[Product].[Product]">
        <UName>[Product].[Product].[Product Name].&amp;[P0]</UName>
        <Caption>P0</Caption>
        <LName>[Product].[Product].[Product Name]</LName>
        <LNum>2</LNum>
        <DisplayInfo>0</DisplayInfo>
        <PARENT_UNIQUE_NAME>[Product].[Product].[Category].&amp;[Drink]</PARENT_UNIQUE_NAME>
        <Shelf_x0020_Depth>0</Shelf_x0020_Depth>
        <MEMBER_VALUE xsi:type="xsd:string">P0</MEMBER_VALUE>
        </Member>
        </Tuple>
        <Tuple>
        <Member Hierarchy="[Product].[Product]">
        <UName>[Product].[Product].[Product Name].&amp;[P1]</UName>
        <Caption>P1</Caption>
        <LName>[Product].[Product].[Product Name]</LName>
        <LNum>2</LNum>
        <DisplayInfo>131072</DisplayInfo>
        <PARENT_UNIQUE_NAME>[Product].[Product].[Category].&amp;[Drink]</PARENT_UNIQUE_NAME>
        <Shelf_x0020_Depth>1</Shelf_x0020_Depth>
        <MEMBER_VALUE xsi:type="xsd:string">P1</MEMBER_VALUE>
        </Member>
        </Tuple>
        </Tuples>
        </Axis>
        <Axis name="SlicerAxis">
        <Tuples>
        <Tuple>
        <Member Hierarchy="[Measures]">
        <UName>[Measures].[Units]</UName>
        <Caption>Units</Caption>
        <LName>[Measures].[MeasuresLevel]</LName>
        <LNum>0</LNum>
        <DisplayInfo>0</DisplayInfo>
        </Member>
        </Tuple>
        </Tuples>
        </Axis>
        </Axes>
        <CellData>
        <Cell CellOrdinal="0">
        <Value xsi:type="xsd:double">17.5</Value>
        <FmtValue>$17.50</FmtValue>
        <BackColor>255</BackColor>
        </Cell>
        <Cell CellOrdinal="2">
        <Value>
        <Error ErrorCode="3238658121" Description="division of &quot;x&quot; by zero">
        <ErrorCode>3238658121</ErrorCode>
        <Description>division of &quot;x&quot; by zero</Description>
        </Error>
        </Value>
        <FmtValue>#Error</FmtValue>
        </Cell>
        <Cell CellOrdinal="3">
        <Value xsi:type="xsd:decimal">1.2345</Value>
        <FmtValue>1.23</FmtValue>
        </Cell>
        </CellData>
        </root>"#]],
    );
}

#[test]
fn hierarchies_are_named_as_mondrian_does() {
    let reply = Reply { content: Content::Data, ..Reply::default() };
    let answer = execute(&reply, Outcome::CellSet(sample_cell_set(Compatibility::Mondrian)));
    assert!(answer.contains("<HierarchyInfo name=\"Product\"><UName name=\"[Product].[MEMBER_UNIQUE_NAME]\""));
    assert!(answer.contains("<Member Hierarchy=\"Product\"><UName>[Product].[All Products]</UName>"));
}

#[test]
fn cell_set_contents() {
    let parts = |content| {
        let cell_set = sample_cell_set(Compatibility::AnalysisServices);
        let answer = execute(&Reply { content, ..Reply::default() }, Outcome::CellSet(cell_set));
        Answer::read(answer.as_bytes(), &Context::unlimited()).unwrap();
        ["<xs:schema", "<OlapInfo>", "<Axes>", "<CellData>"].map(|part| answer.contains(part))
    };
    assert_eq!(parts(Content::None), [false, false, false, false]);
    assert_eq!(parts(Content::Schema), [true, false, false, false]);
    assert_eq!(parts(Content::Metadata), [true, true, false, false]);
    assert_eq!(parts(Content::Data), [false, true, true, true]);
    assert_eq!(parts(Content::SchemaData), [true, true, true, true]);
}

#[test]
fn axes_without_tuples_and_without_hierarchies() {
    let members = members(Compatibility::AnalysisServices, 1);
    let axes = vec![axis(&members, &[MEASURES], []), axis(&members, &[], [])];
    let cell_set = cell_set(&members, axes, axis(&members, &[], []), one_block(CellBlock::default()));
    let answer = execute(&Reply { content: Content::Data, ..Reply::default() }, Outcome::CellSet(cell_set));
    let axes = &answer[answer.find("<Axes>").unwrap()..answer.find("</root>").unwrap()];
    expect![[r#"
        <Axes>
        <Axis name="Axis0">
        <Tuples/>
        </Axis>
        <Axis name="Axis1">
        <Tuples/>
        </Axis>
        <Axis name="SlicerAxis">
        <Tuples>
        <Tuple>
        </Tuple>
        </Tuples>
        </Axis>
        </Axes>
        <CellData/>"#]]
    .assert_eq(&axes.replace("><", ">\n<"));
}

#[test]
fn cells_of_a_range() {
    let ordinals = |range: std::ops::Range<u64>| {
        let reply = Reply { cell_range: Some(range), ..Reply::default() };
        let answer = execute(&reply, Outcome::CellSet(sample_cell_set(Compatibility::AnalysisServices)));
        match Answer::read(answer.as_bytes(), &Context::unlimited()).unwrap().result {
            AnswerResult::Cells(cells) => cells.cells.iter().map(|c| c.ordinal).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(ordinals(0..u64::MAX), [0, 2, 3]);
    assert_eq!(ordinals(1..3), [2]);
    assert_eq!(ordinals(0..1), [0]);
    assert_eq!(ordinals(2..2), [0; 0]);
}

/// Axes as clusters: sizes, and the members of each list.
fn clusters(hierarchies: &[HierarchyId], tuples: &[&[u32]]) -> Vec<String> {
    let members = members(Compatibility::AnalysisServices, 2);
    let columns = axis(&members, hierarchies, tuples.iter().copied().flatten().copied());
    let cell_set = cell_set(&members, vec![columns], axis(&members, &[], []), one_block(CellBlock::default()));
    let reply = Reply { content: Content::Data, axis_format: AxisFormat::Cluster, ..Reply::default() };
    let answer = execute(&reply, Outcome::CellSet(cell_set));
    let axis = &answer[answer.find("<Axis name=\"Axis0\">").unwrap()..answer.find("</Axis>").unwrap()];
    let cluster = |text: &str| {
        let lists = text.split("<Members ").skip(1).map(|list| {
            let captions = list.split("<Caption>").skip(1).map(|c| c[..c.find('<').unwrap()].to_owned());
            captions.collect::<Vec<_>>().join(",")
        });
        format!("{} {}", &text[..text.find('>').unwrap()], lists.collect::<Vec<_>>().join(" x "))
    };
    axis.split("<CrossProduct ").skip(1).map(cluster).collect()
}

#[test]
fn clusters_are_products() {
    let both = [MEASURES, PRODUCT];
    let one = ["Size=\"3\" P0,P1,P2"];
    assert_eq!(clusters(&[PRODUCT], &[&[3], &[4], &[5]]), one);
    let product: [&[u32]; 6] = [&[0, 3], &[0, 4], &[0, 5], &[1, 3], &[1, 4], &[1, 5]];
    assert_eq!(clusters(&both, &product), ["Size=\"6\" Sales,Units x P0,P1,P2"]);
    let ragged: [&[u32]; 5] = [&[0, 3], &[0, 4], &[1, 3], &[1, 4], &[1, 5]];
    assert_eq!(clusters(&both, &ragged), ["Size=\"4\" Sales,Units x P0,P1", "Size=\"1\" Units x P2"]);
    let repeated: [&[u32]; 4] = [&[0, 3], &[0, 3], &[1, 4], &[0, 5]];
    assert_eq!(
        clusters(&both, &repeated),
        ["Size=\"2\" Sales x P0,P0", "Size=\"1\" Units x P1", "Size=\"1\" Sales x P2"]
    );
}

#[test]
fn empty_roots_sessions_and_warnings() {
    let plain = execute(&Reply::default(), Outcome::Done);
    expect![[r#"<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><ExecuteResponse xmlns="urn:schemas-microsoft-com:xml-analysis"><return><root xmlns="urn:schemas-microsoft-com:xml-analysis:empty"/></return></ExecuteResponse></soap:Body></soap:Envelope>"#]].assert_eq(&plain);
    let reply = Reply {
        session: Some("ABC".into()),
        warnings: vec![Warning::nothing_to_cancel()],
        content: Content::None,
        ..Reply::default()
    };
    let answer = execute(&reply, Outcome::Done);
    expect![[r#"<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Header><Session xmlns="urn:schemas-microsoft-com:xml-analysis" SessionId="ABC"/></soap:Header><soap:Body><ExecuteResponse xmlns="urn:schemas-microsoft-com:xml-analysis"><return><root xmlns="urn:schemas-microsoft-com:xml-analysis:empty"><Messages xmlns="urn:schemas-microsoft-com:xml-analysis:exception"><Warning WarningCode="1091829763" Description="Errors in the metadata manager. The command cannot be cancelled because there is no command currently running on the session." Source="Facetta" HelpFile=""/></Messages></root></return></ExecuteResponse></soap:Body></soap:Envelope>"#]].assert_eq(&answer);
    let read = Answer::read(answer.as_bytes(), &Context::unlimited()).unwrap();
    assert_eq!(read.session.as_deref(), Some("ABC"));
    assert_eq!(read.warnings[0].code, 1_091_829_763);
}

#[test]
fn faults() {
    let text = "select\n x";
    let error = error!(Syntax, "Parser: The syntax for 'x' is incorrect.").at(Span::new(8, 9)).located_in(text);
    let fault = String::from_utf8(fault_response(&error)).unwrap();
    expect![[r#"<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><soap:Fault xmlns="http://schemas.xmlsoap.org/soap/envelope/"><faultcode>XMLAnalysisError.0xc10a0004</faultcode><faultstring>Query (2, 2) Parser: The syntax for 'x' is incorrect.</faultstring><detail><Error ErrorCode="3238658052" Description="Query (2, 2) Parser: The syntax for 'x' is incorrect." Source="Facetta" HelpFile=""><Location xmlns="http://schemas.microsoft.com/analysisservices/2003/engine"><Start><Line>2</Line><Column>2</Column></Start><End><Line>2</Line><Column>2</Column></End><LineOffset>0</LineOffset><TextLength>1</TextLength></Location></Error></detail></soap:Fault></soap:Body></soap:Envelope>"#]].assert_eq(&fault);
    match Answer::read(fault.as_bytes(), &Context::unlimited()).unwrap().result {
        AnswerResult::Fault(read) => {
            assert_eq!((read.code, read.faultcode.as_str()), (error.code(), "XMLAnalysisError.0xc10a0004"));
            assert_eq!(read.description, error.to_string());
        }
        other => panic!("{other:?}"),
    }
    let must = String::from_utf8(fault_response(&error!(MustUnderstand, "x"))).unwrap();
    assert!(must.contains("<faultcode>soap:MustUnderstand</faultcode>"));
    for &kind in ErrorKind::ALL {
        let bytes = fault_response(&Error::new(kind, "<&\"\u{0}"));
        match Answer::read(&bytes, &Context::unlimited()).unwrap().result {
            AnswerResult::Fault(read) => {
                assert_eq!((read.code, read.description.as_str()), (kind.code(), "<&\"\u{FFFD}"), "{kind:?}")
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_error_before_the_first_byte_is_a_fault() {
    let columns = vec![Column::new("A", ColumnType::String)];
    let failing = Rowset::new(columns, Box::new(|_| Err(error!(NotFound, "gone"))));
    let mut out = Vec::new();
    let reply = Reply { session: Some("S".into()), ..Reply::default() };
    let delivery = write_discover_response(&mut out, &Context::unlimited(), &reply, failing).unwrap();
    assert_eq!(delivery, Delivery::Fault(error!(NotFound, "gone")));
    let answer = Answer::read(&out, &Context::unlimited()).unwrap();
    assert_eq!(answer.session, None);
    assert!(matches!(answer.result, AnswerResult::Fault(_)));
}

#[test]
fn a_sink_that_takes_no_more_ends_the_writing() {
    struct Closed;
    impl std::io::Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let error =
        write_execute_response(&mut Closed, &Context::unlimited(), &Reply::default(), Outcome::Done).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
}

#[test]
fn requests_come_back() {
    let mut properties = Properties::default();
    for (name, value) in [("Catalog", "A & B"), ("Content", "Data"), ("Timeout", "5")] {
        properties.set(name, value).unwrap();
    }
    let restriction = |name: &str, values: &[&str]| Restriction {
        name: name.into(),
        values: values.iter().map(|v| v.to_string()).collect(),
    };
    let restrictions = Restrictions::new([restriction("CUBE_NAME", &["<x>"]), restriction("T", &["a", "b"])]);
    let discover = Discover { request_type: "MDSCHEMA_CUBES".into(), restrictions, properties: properties.clone() };
    let value = Value::Double(1e300);
    let execute = |command| Execute {
        command,
        properties: properties.clone(),
        parameters: vec![
            Parameter { name: "p".into(), value: value.clone() },
            Parameter { name: "q".into(), value: Value::Empty },
        ],
    };
    let requests = [
        (SessionHeaders::None, Body::Discover(discover)),
        (SessionHeaders::Begin, Body::Execute(execute(Command::Statement("a < b\n& ]]> c".into())))),
        (SessionHeaders::Use("1".into()), Body::Execute(execute(Command::Cancel(Cancel::default())))),
        (SessionHeaders::End("\"".into()), Body::Execute(execute(Command::CommitTransaction(Durability::LocalDisk)))),
    ];
    for (headers, body) in requests {
        let request = Request { headers, body };
        assert_eq!(Request::read(&request_bytes(&request), &Context::unlimited()).unwrap(), request);
    }
}
