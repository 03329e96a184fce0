//! What a schema may say, an element or attribute at a time.

use crate::{BASE, changed};
use facetta_schema::parse_mondrian;

/// Part to change, what to put there, and what the definition then says that it did not say before.
const ELEMENTS: &[(&str, &str, &str)] = &[
    // Schema editors write empty attributes; they say nothing, but for the key of no parent.
    (r#"<Table name="stock"/>"#, r#"<Table name="stock" alias="" schema="x"/>"#, "unused_hints: 1"),
    (r#"nullParentValue="0""#, r#"nullParentValue="""#, r#"null_value: Some("")"#),
    (
        r#"<Schema name="Shop">"#,
        r#"<Schema name="Shop" description="All shops" measuresCaption="Figures">"#,
        r#"measures_caption: Some("Figures")"#,
    ),
    (
        r#"<Schema name="Shop">"#,
        r#"<Schema name="Shop"><Parameter name="P" type="Numeric" defaultValue="1" modifiable="false"/>"#,
        r#"ParameterDef { name: "P""#,
    ),
    (
        r#"<Schema name="Shop">"#,
        r#"<Schema name="Shop"><Annotations><Annotation name="a">b</Annotation><Annotation name="c"/></Annotations>"#,
        "unused_hints: 2",
    ),
    (
        "</VirtualCube>",
        r#"</VirtualCube><NamedSet name="Years" formula="[Time].Members"/>"#,
        r#"NamedSetDef { name: "Years""#,
    ),
    (
        r#"<Hierarchy hasAll="true" primaryKey="store_id">"#,
        r#"<Hierarchy name="Places" hasAll="true" primaryKey="store_id">"#,
        r#"HierarchyDef { name: "Places""#,
    ),
    (
        r#"<Hierarchy hasAll="true" primaryKey="store_id">"#,
        r#"<Hierarchy hasAll="false" primaryKey="store_id" defaultMember="[Store].[USA]">"#,
        r#"all: None, default_member: Some("[Store].[USA]")"#,
    ),
    (
        r#"<Hierarchy hasAll="true" primaryKey="store_id">"#,
        r#"<Hierarchy hasAll="true" primaryKey="store_id" allMemberName="Everywhere" allMemberCaption="The world" allLevelName="World">"#,
        r#"AllDef { member_name: Some("Everywhere"), member_caption: Some("The world"), level_name: Some("World") }"#,
    ),
    (
        r#"<Hierarchy hasAll="true" primaryKey="store_id">"#,
        r#"<Hierarchy hasAll="true" primaryKey="store_id" caption="Laden" description="Where" visible="false" displayFolder="Places">"#,
        r#"Texts { caption: Some("Laden"), description: Some("Where"), visible: false, display_folder: Some("Places") }"#,
    ),
    (
        r#"<Table name="store"/>"#,
        r#"<Table name="store" alias="s" schema="dbo"/>"#,
        r#"Table { name: "store", alias: "s", filter: None }"#,
    ),
    (
        r#"<Table name="store"/>"#,
        r#"<Table name="store"><Hint type="x">y</Hint><SQL dialect="generic">size &gt; 5</SQL></Table>"#,
        r#"filter: Some(Binary(Column(ColumnRef { table: None, column: "size" }), Greater, Number("5")))"#,
    ),
    (
        r#"<Table name="store"/>"#,
        r#"<InlineTable alias="i"><ColumnDefs><ColumnDef name="store_id" type="Numeric"/><ColumnDef name="country"/><ColumnDef name="city"/><ColumnDef name="size"/></ColumnDefs><Rows><Row><Value column="store_id">1</Value><Value column="city">Paris</Value></Row></Rows></InlineTable>"#,
        r#"rows: [[Some("1"), None, Some("Paris"), None]]"#,
    ),
    (
        r#"<Table name="class"/>"#,
        r#"<Join leftKey="group_id" rightKey="id"><Table name="class"/><Table name="groups"/></Join>"#,
        r#"right_key: ColumnRef { table: Some("groups"), column: "id" } }, right_key: ColumnRef { table: Some("class")"#,
    ),
    (
        r#"leftKey="class_id" rightKey="class_id""#,
        r#"leftKey="c" leftAlias="product" rightKey="d" rightAlias="class""#,
        r#"left_key: ColumnRef { table: Some("product"), column: "c" }"#,
    ),
    (
        r#"<Level name="Country" column="country" uniqueMembers="true"/>"#,
        r#"<Level name="Country" column="country" nameColumn="n" captionColumn="c" ordinalColumn="o" type="Integer" internalType="int" approxRowCount="9"/>"#,
        r#"key_type: Integer, unique: true, name_expression: Some(Column(ColumnRef { table: None, column: "n" })), caption_expression: Some(Column(ColumnRef { table: None, column: "c" })), ordinal: Some(Column(ColumnRef { table: None, column: "o" }))"#,
    ),
    (
        r#"<Level name="Country" column="country" uniqueMembers="true"/>"#,
        r#"<Level name="Country" column="country" hideMemberIf="IfBlankName"/>"#,
        "hide_if: BlankName",
    ),
    (
        r#"<Level name="Country" column="country" uniqueMembers="true"/>"#,
        r#"<Level name="Country" column="country" hideMemberIf="IfParentsName"/>"#,
        "hide_if: ParentsName",
    ),
    (
        r#"<Level name="Country" column="country" uniqueMembers="true"/>"#,
        r#"<Level name="Country" column="country" type="Timestamp"/>"#,
        "key_type: DateTime",
    ),
    (
        r#"<Level name="Country" column="country" uniqueMembers="true"/>"#,
        r#"<Level name="Country"><KeyExpression><SQL dialect="oracle">x</SQL><SQL dialect="Generic">"store"."k" || '-'</SQL></KeyExpression></Level>"#,
        r#"key: Binary(Column(ColumnRef { table: Some("store"), column: "k" }), Concat, Text("-"))"#,
    ),
    (
        r#"<Level name="Country" column="country" uniqueMembers="true"/>"#,
        r#"<Level name="Country" column="country"><NameExpression><SQL>upper(country)</SQL></NameExpression></Level>"#,
        r#"name_expression: Some(Call("upper", [Column(ColumnRef { table: None, column: "country" })]))"#,
    ),
    (
        r#"<Level name="Country" column="country" uniqueMembers="true"/>"#,
        r#"<Level name="Country" column="country"><CaptionExpression><SQL><![CDATA[case when a < 1 then 'x' end]]></SQL></CaptionExpression></Level>"#,
        r#"caption_expression: Some(Case { branches: [(Binary(Column(ColumnRef { table: None, column: "a" }), Less, Number("1")), Text("x"))], otherwise: None })"#,
    ),
    (
        r#"<Level name="Country" column="country" uniqueMembers="true"/>"#,
        r#"<Level name="Country" column="country"><OrdinalExpression><SQL>-rank</SQL></OrdinalExpression></Level>"#,
        r#"ordinal: Some(Negate(Column(ColumnRef { table: None, column: "rank" })))"#,
    ),
    (
        r#"<Level name="City" column="city">"#,
        r#"<Level name="City" column="city"><ParentExpression><SQL>mother</SQL></ParentExpression>"#,
        r#"ParentDef { key: Column(ColumnRef { table: None, column: "mother" }), null_value: None, closure: None }"#,
    ),
    (
        r#"<Property name="Size" column="size" type="Numeric"/>"#,
        r#"<Property name="Size" column="size" type="Boolean" caption="Big" dependsOnLevelValue="true"/>"#,
        "data_type: Boolean",
    ),
    (
        r#"column="year" type="Numeric" levelType="TimeYears""#,
        r#"column="year" levelType="TimeHalfYear""#,
        "kind: TimeHalfYears",
    ),
    (
        r#"column="year" type="Numeric" levelType="TimeYears""#,
        r#"column="year" levelType="TimeUndefined""#,
        "kind: TimeUndefined",
    ),
    (
        r#"name="Product" source="Product" foreignKey="product_id""#,
        r#"name="Goods" source="Product" foreignKey="good_id" level="Class" caption="Waren" visible="false" usagePrefix="p""#,
        r#"LinkDef { name: "Goods", dimension: 1, foreign_key: Some(Column(ColumnRef { table: None, column: "good_id" })), level: Some("Class")"#,
    ),
    (
        r#"<Dimension name="Staff" foreignKey="staff_id">"#,
        r#"<Dimension name="Paid by"><Hierarchy hasAll="true"><Level name="Card" column="card"/></Hierarchy></Dimension><Dimension name="Staff" foreignKey="staff_id">"#,
        r#"LinkDef { name: "Paid by", dimension: 3, foreign_key: None"#,
    ),
    (
        r#"<DimensionUsage name="Product" source="Product" foreignKey="product_id"/>"#,
        r#"<DimensionUsage name="Product" source="Product" foreignKey="product_id"/><DimensionUsage name="Old" source="Product" foreignKey="old_id"/>"#,
        r#"LinkDef { name: "Old", dimension: 1"#,
    ),
    (
        r#"<Measure name="Amount" column="amount" aggregator="sum"/>"#,
        r#"<Measure name="Amount" aggregator="count"/>"#,
        r#"MeasureDef { name: "Amount", aggregator: Count, value: None"#,
    ),
    (
        r#"<Measure name="Amount" column="amount" aggregator="sum"/>"#,
        r#"<Measure name="Amount" column="a" aggregator="distinct-count" datatype="Integer"/>"#,
        r#"aggregator: DistinctCount, value: Some(Column(ColumnRef { table: None, column: "a" })), data_type: Some(Integer), writable: false"#,
    ),
    (
        r#"<Measure name="Amount" column="amount" aggregator="sum"/>"#,
        r#"<Measure name="Amount" column="a" aggregator="distinct count"/>"#,
        "aggregator: DistinctCount",
    ),
    (
        r#"<Measure name="Amount" column="amount" aggregator="sum"/>"#,
        r#"<Measure name="Amount" column="a" aggregator="min" formatString="0.0" visible="false"/>"#,
        "aggregator: Min",
    ),
    (
        r#"<Measure name="Amount" column="amount" aggregator="sum"/>"#,
        r#"<Measure name="Amount" column="a" aggregator="max"/>"#,
        "aggregator: Max",
    ),
    (
        r#"<Measure name="Amount" column="amount" aggregator="sum"/>"#,
        r#"<Measure name="Amount" column="a" aggregator="avg"/>"#,
        "aggregator: Avg",
    ),
    (
        r#"<Measure name="Amount" column="amount" aggregator="sum"/>"#,
        r#"<Measure name="Amount" column="a" aggregator="sum"><CalculatedMemberProperty name="member_ordinal" value="7"/><CalculatedMemberProperty name="FORMAT_STRING" value="0"/></Measure>"#,
        r#"format: Some("0"), group: 0, measure: 0, ordinal: Some(7)"#,
    ),
    (
        r#"dimension="Measures" formula="[Measures].[Amount] / 2""#,
        r#"dimension="Measures" formula="[Measures].[Amount] / 2" formatString="say &quot;x&quot;""#,
        r#"("FORMAT_STRING", "\"say \"\"x\"\"\"")"#,
    ),
    (
        r#"dimension="Measures" formula="[Measures].[Amount] / 2""#,
        r#"hierarchy="Store" formula="1" parent="[Store].[USA]"/><CalculatedMember name="Half" dimension="Measures" formula="1""#,
        r#"hierarchy: "[Store]", parent: Some("[Store].[USA]")"#,
    ),
    (
        r#"dimension="Measures" formula="[Measures].[Amount] / 2"/>"#,
        r#"dimension="Measures" formula="[Measures].[Amount] / 2"><CalculatedMemberProperty name="solve_order" value="3"/><CalculatedMemberProperty name="FORE_COLOR" expression="Iif(1 = 1, 2, 3)"/></CalculatedMember>"#,
        r#"[("SOLVE_ORDER", "3"), ("FORE_COLOR", "Iif(1 = 1, 2, 3)")]"#,
    ),
    (
        r#"<NamedSet name="All Stores"><Formula>[Store].Members</Formula></NamedSet>"#,
        r#"<NamedSet name="All Stores" formula="[Store].Members" caption="Every store"/>"#,
        r#"caption: Some("Every store")"#,
    ),
    (
        r#"<Cube name="Stock">"#,
        r#"<Cube name="Stock" caption="Lager" visible="false" cache="false">"#,
        r#"Texts { caption: Some("Lager"), description: None, visible: false"#,
    ),
    (
        r#"<Table name="stock"/>"#,
        r#"<Table name="stock"><AggExclude name="x"/><AggPattern pattern="y"/><AggName name="z"><AggFactCount column="c"/></AggName></Table>"#,
        "unused_hints: 3",
    ),
    (r#"<Table name="stock"/>"#, r#"<Table name="stock" alias="st"/>"#, r#"Table { name: "stock", alias: "st""#),
    (
        r#"<VirtualCube name="Both">"#,
        r#"<VirtualCube name="Both" defaultMeasure="Units"><CubeUsages><CubeUsage cubeName="Sales"/></CubeUsages>"#,
        r#"default_measure: Some("Units")"#,
    ),
    (
        r#"<VirtualCube name="Both">"#,
        r#"<VirtualCube name="Both"><CalculatedMember name="Own" dimension="Measures" formula="[Measures].[Half] + 1"/><NamedSet name="Mine" formula="[Time].Members"/>"#,
        r#"CalculatedMemberDef { name: "Own""#,
    ),
    (
        r#"<VirtualCubeMeasure cubeName="Stock" name="[Measures].[Units]"/>"#,
        r#"<VirtualCubeMeasure cubeName="Stock" name="Measures.Units" visible="false"/>"#,
        r#"CubeMeasureDef { name: "Units", texts: Texts { caption: None, description: None, visible: false"#,
    ),
    (
        "</Role>\n",
        "</Role><Role name=\"Two\"><Union><RoleUsage roleName=\"Reader\"/></Union></Role>\n",
        r#"union: ["Reader"]"#,
    ),
    (
        r#"<CubeGrant cube="Sales" access="all">"#,
        r#"<CubeGrant cube="Sales" access="all_dimensions"><DimensionGrant dimension="Time" access="none"/>"#,
        r#"dimensions: [("Time", "none")]"#,
    ),
    (
        r#"hierarchy="[Store]" access="custom""#,
        r#"hierarchy="[Store]" access="custom" topLevel="[Store].[Country]" bottomLevel="[Store].[City]" rollupPolicy="hidden""#,
        r#"rollup_policy: Some("hidden")"#,
    ),
];

#[test]
fn elements() {
    let plain = format!("{:?}", parse_mondrian(BASE, "shop.xml"));
    for (find, replace, expected) in ELEMENTS {
        let definition = parse_mondrian(&changed(find, replace), "shop.xml");
        let definition = definition.unwrap_or_else(|e| panic!("{replace}: {e}"));
        let text = format!("{definition:?}");
        assert!(text.contains(expected), "{replace}: expected {expected} in {text}");
        assert!(!plain.contains(expected), "{expected} is there anyhow");
    }
}

#[test]
fn a_disabled_cube_is_not_there() {
    let text = changed("<VirtualCube name=\"Both\">", "<VirtualCube name=\"Both\" enabled=\"false\">");
    let definition = parse_mondrian(&text, "shop.xml").unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(definition.cubes.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["Sales", "Stock"]);
}

#[test]
fn a_virtual_cube_takes_what_its_formulas_need() {
    let definition = parse_mondrian(BASE, "shop.xml").unwrap_or_else(|e| panic!("{e}"));
    let both = &definition.cubes[2];
    let measures: Vec<_> = both.measures.iter().map(|m| (m.name.as_str(), m.texts.visible, m.group)).collect();
    assert_eq!(measures, [("Units", true, 0), ("Amount", false, 1)]);
    let links: Vec<_> = both.dimensions.iter().map(|d| (d.name.as_str(), d.links.clone())).collect();
    assert_eq!(links, [("Store", vec![Some(0), Some(0)]), ("Time", vec![None, Some(2)])]);
}
