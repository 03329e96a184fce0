//! What is wrong in a schema, an error at a time: its whole text is part of the contract.

use crate::changed;
use facetta_schema::parse_mondrian;

/// Part to change, what to put there, and the errors.
const ERRORS: &[(&str, &str, &str)] = &[
    (
        "</Role>\n</Schema>",
        "</Role>\n",
        "shop.xml:68: Schema 'Shop': The file ends before 'Schema' of line 2 is closed",
    ),
    (
        r#"<Cube name="Stock">"#,
        r#"<Cube name="Stock" name="Stock">"#,
        "shop.xml:47: Schema 'Shop': Element 'Cube': position 18: duplicated attribute, previous declaration at position 5",
    ),
    (
        "<Formula>[Store].Members</Formula>",
        "<Formula>&secret;</Formula>",
        "shop.xml:45: Formula of NamedSet 'All Stores': The entity '&secret;' is not known",
    ),
    (
        r#"<?xml version="1.0"?>"#,
        r#"<!DOCTYPE Schema [<!ENTITY a "b">]>"#,
        "shop.xml:1: A document type (DOCTYPE) is not allowed",
    ),
    (
        "<Formula>[Store].Members</Formula>",
        "<Formula>a&#1;b</Formula>",
        "shop.xml:45: Formula of NamedSet 'All Stores': The character U+0001 is not allowed",
    ),
    ("</Schema>\n", r#"</Schema><Schema name="Second"/>"#, "shop.xml:67: The file has a second root element"),
    (r#"<Schema name="Shop">"#, "<Schema>", "shop.xml:2: Schema: The attribute 'name' is missing"),
    (
        r#"<Schema name="Shop">"#,
        r#"<Schema name="Shop" defaultRole="Reader">"#,
        "shop.xml:2: Schema 'Shop': The attribute 'defaultRole' is not supported: roles are not enforced yet, so a default role would not protect anything",
    ),
    (
        r#"<Schema name="Shop">"#,
        r#"<Schema name="Shop" metamodelVersion="4.0">"#,
        "shop.xml:2: Schema 'Shop': The attribute 'metamodelVersion' is not supported: this is a Mondrian 4 schema; Mondrian 3 schemas can be read",
    ),
    (
        r#"<Schema name="Shop">"#,
        r#"<Schema name="Shop">stray text"#,
        "shop.xml:2: Schema 'Shop': Text does not belong here: 'stray text'",
    ),
    (
        r#"<Schema name="Shop">"#,
        r#"<Schema name="Shop"><UserDefinedFunction name="F" className="x.Y"/>"#,
        "shop.xml:2: UserDefinedFunction 'F': 'UserDefinedFunction' is not supported: it names a Java class, which cannot be run here",
    ),
    (
        r#"<Schema name="Shop">"#,
        r#"<Schema name="Shop"><Dimention name="X"/>"#,
        "shop.xml:2: Dimention 'X': The element 'Dimention' is not known; did you mean 'Dimension'?",
    ),
    (
        r#"<Schema name="Shop">"#,
        r#"<Schema name="Shop"><Level name="X" column="x"/>"#,
        "shop.xml:2: Level 'X': The element 'Level' does not belong in 'Schema'",
    ),
    (
        r#"<Schema name="Shop">"#,
        r#"<Schema name="Shop"><Parameter name="P" type="Text"/>"#,
        "shop.xml:2: Parameter 'P': The attribute 'type' is 'Text'; expected 'String', 'Numeric', 'Integer', 'Boolean', 'Date', 'Time', 'Timestamp', 'Member'",
    ),
    (
        r#"<Schema name="Shop">"#,
        r#"<Schema name="Shop"><Parameter name="P" type="String" defaultValue="(("/>"#,
        "shop.xml:2: Parameter 'P': The default value does not parse: Query (1, 3) Parser: The end of the input was reached.",
    ),
    (
        r#"<Dimension name="Product">"#,
        r#"<Dimension name="store">"#,
        "shop.xml:12: Dimension 'store': There are two shared dimensions 'store'\nshop.xml:25: DimensionUsage 'Product': There is no shared dimension 'Product'",
    ),
    (
        r#"<Dimension name="Product">"#,
        r#"<Dimension name="Product" type="MoonDimension">"#,
        "shop.xml:12: Dimension 'Product': The attribute 'type' is 'MoonDimension'; expected 'StandardDimension', 'TimeDimension'",
    ),
    (
        r#"<Dimension name="Product">"#,
        r#"<Dimension name="Product" foreignKey="product_id">"#,
        "shop.xml:12: Dimension 'Product': A shared dimension has no foreignKey; its uses in cubes have",
    ),
    (
        r#"<Dimension name="Product">"#,
        "<Dimension>",
        "shop.xml:12: Dimension of Schema 'Shop': The attribute 'name' is missing\nshop.xml:25: DimensionUsage 'Product': There is no shared dimension 'Product'",
    ),
    (
        r#"    <Hierarchy hasAll="true" primaryKey="store_id">"#,
        r#"    <Hierarchy primaryKey="store_id">"#,
        "shop.xml:4: Hierarchy of Dimension 'Store': The attribute 'hasAll' is missing",
    ),
    (
        r#"    <Hierarchy hasAll="true" primaryKey="store_id">"#,
        r#"    <Hierarchy hasAll="yes" primaryKey="store_id">"#,
        "shop.xml:4: Hierarchy of Dimension 'Store': The attribute 'hasAll' is 'yes'; expected 'true' or 'false'",
    ),
    (
        r#"    <Hierarchy hasAll="true" primaryKey="store_id">"#,
        r#"    <Hierarchy hasAll="true">"#,
        "shop.xml:4: Hierarchy 'Store': The primary key is missing: the column that foreign keys of facts point to",
    ),
    (
        r#"    <Hierarchy hasAll="true" primaryKey="store_id">"#,
        r#"    <Hierarchy hasAll="true" primaryKey="store_id" memberReaderClass="x.Y">"#,
        "shop.xml:4: Hierarchy of Dimension 'Store': The attribute 'memberReaderClass' is not supported: it names a Java class, which cannot be run here",
    ),
    (
        r#" primaryKeyTable="product""#,
        "",
        "shop.xml:13: Hierarchy 'Product': The table of the primary key is missing: a join has more than one",
    ),
    (
        r#" primaryKeyTable="product""#,
        r#" primaryKeyTable="products""#,
        "shop.xml:13: Hierarchy 'Product': The primary key takes 'product_id' from the table 'products', which is not here; did you mean 'product'?",
    ),
    (
        r#"<Table name="store"/>"#,
        r#"<View alias="store"><SQL dialect="generic">select * from store</SQL></View>"#,
        "shop.xml:5: View of Hierarchy of Dimension 'Store': 'View' is not supported: the SQL of a view cannot be run over files; make a table of it",
    ),
    (
        r#"<Table name="store"/>"#,
        r#"<Table name="store"/><Table name="other"/>"#,
        "shop.xml:5: Table 'other': A hierarchy has one table or join, this is a second one",
    ),
    (
        r#"<Table name="store"/>"#,
        r#"<Table name="store"><SQL dialect="oracle">x</SQL></Table>"#,
        "shop.xml:5: Table 'store': There is no SQL of dialect 'generic', which is the one that is read; given: oracle",
    ),
    (
        r#"<Table name="store"/>"#,
        r#"<Table name="store"><SQL dialect="generic">size ></SQL></Table>"#,
        "shop.xml:5: Table 'store': SQL: The end where a value is expected",
    ),
    (
        r#"<Table name="store"/>"#,
        r#"<InlineTable><ColumnDefs><ColumnDef name="store_id"/></ColumnDefs></InlineTable>"#,
        "shop.xml:5: InlineTable of Hierarchy of Dimension 'Store': An inline table needs an alias",
    ),
    (
        r#"<Table name="store"/>"#,
        r#"<InlineTable alias="i"><ColumnDefs><ColumnDef name="store_id"/></ColumnDefs><Rows><Row><Value column="x">1</Value></Row></Rows></InlineTable>"#,
        "shop.xml:5: Value of Row of Rows of InlineTable of Hierarchy of Dimension 'Store': The column 'x' is not defined\nshop.xml:6: Level 'Country': The key takes 'country', which the inline table does not have\nshop.xml:7: Level 'City': The key takes 'city', which the inline table does not have\nshop.xml:7: Level 'City': The property 'Size' takes 'size', which the inline table does not have",
    ),
    (
        "        <Table name=\"product\"/>\n        <Table name=\"class\"/>",
        r#"        <Table name="product"/>"#,
        "shop.xml:14: Join of Hierarchy of Dimension 'Product': A join has two sides, not 1",
    ),
    (
        r#"<Table name="class"/>"#,
        r#"<Table name="product"/>"#,
        "shop.xml:13: Hierarchy 'Product': The table 'product' stands twice; give one of them an alias\nshop.xml:18: Level 'Class': The key takes 'class_name' from the table 'class', which is not here",
    ),
    (
        r#"leftKey="class_id" rightKey="class_id""#,
        r#"leftKey="class_id""#,
        "shop.xml:14: Join of Hierarchy of Dimension 'Product': The attribute 'rightKey' is missing",
    ),
    (
        r#"leftKey="class_id" rightKey"#,
        r#"leftKey="class_id" leftAlias="nothing" rightKey"#,
        "shop.xml:14: Join of Hierarchy of Dimension 'Product': The leftAlias 'nothing' names no table on that side",
    ),
    (
        r#"<Table name="class"/>"#,
        r#"<Join leftKey="a" rightKey="b"><Table name="class"/></Join>"#,
        "shop.xml:16: Join of Join of Hierarchy of Dimension 'Product': A join has two sides, not 1",
    ),
    (
        r#"<Level name="Country" column="country" uniqueMembers="true"/>"#,
        r#"<Level name="Country" uniqueMembers="true"/>"#,
        "shop.xml:6: Level 'Country': A level needs a column or a KeyExpression",
    ),
    (
        r#"<Level name="Country" column="country" uniqueMembers="true"/>"#,
        r#"<Level column="country"/>"#,
        "shop.xml:6: Level of Hierarchy of Dimension 'Store': The attribute 'name' is missing",
    ),
    (
        r#"<Level name="Country" column="country" uniqueMembers="true"/>"#,
        r#"<Level name="Country" colunm="country"/>"#,
        "shop.xml:6: Level 'Country': The attribute 'colunm' is not known; did you mean 'column'?\nshop.xml:6: Level 'Country': A level needs a column or a KeyExpression",
    ),
    (
        r#"<Level name="Country" column="country" uniqueMembers="true"/>"#,
        r#"<Level name="Country" column="country" uniqueMembers="maybe"/>"#,
        "shop.xml:6: Level 'Country': The attribute 'uniqueMembers' is 'maybe'; expected 'true' or 'false'",
    ),
    (
        r#"<Level name="Country" column="country" uniqueMembers="true"/>"#,
        r#"<Level name="City" column="country"/>"#,
        "shop.xml:7: Level 'City': There are two levels 'City'",
    ),
    (
        r#"<Level name="Country" column="country" uniqueMembers="true"/>"#,
        r#"<Level name="(All)" column="country"/>"#,
        "shop.xml:6: Level '(All)': The level has the name of the all level",
    ),
    (
        r#"<Level name="Country" column="country" uniqueMembers="true"/>"#,
        r#"<Level name="Country" column="country" type="Float"/>"#,
        "shop.xml:6: Level 'Country': The attribute 'type' is 'Float'; expected 'String', 'Numeric', 'Integer', 'Boolean', 'Date', 'Time', 'Timestamp'",
    ),
    (
        r#"<Level name="Country" column="country" uniqueMembers="true"/>"#,
        r#"<Level name="Country" column="country" type="Time"/>"#,
        "shop.xml:6: Level 'Country': The type 'Time' (a time of day) is not supported",
    ),
    (
        r#"<Level name="Country" column="country" uniqueMembers="true"/>"#,
        r#"<Level name="Country" column="country" hideMemberIf="Blank"/>"#,
        "shop.xml:6: Level 'Country': The attribute 'hideMemberIf' is 'Blank'; expected 'Never', 'IfBlankName', 'IfParentsName'",
    ),
    (
        r#"<Level name="Country" column="country" uniqueMembers="true"/>"#,
        r#"<Level name="Country" column="country" formatter="x.Y"/>"#,
        "shop.xml:6: Level 'Country': The attribute 'formatter' is not supported: formatters are Java classes or scripts, which cannot be run here; use a format string",
    ),
    (
        r#"<Level name="Country" column="country" uniqueMembers="true"/>"#,
        r#"<Level name="Country" column="country" levelType="TimeYears"/>"#,
        "shop.xml:6: Level 'Country': A time level stands in a dimension whose type is not 'TimeDimension'",
    ),
    (
        r#"<Level name="Country" column="country" uniqueMembers="true"/>"#,
        r#"<Level name="Country" column="country" parentColumn="continent"/>"#,
        "shop.xml:6: Level 'Country': A parent-child level must be the last of its hierarchy",
    ),
    (
        r#"<Level name="Country" column="country" uniqueMembers="true"/>"#,
        r#"<Level name="Country"><KeyExpression><SQL dialect="mysql">`country`</SQL><SQL dialect="oracle">"country"</SQL></KeyExpression></Level>"#,
        "shop.xml:6: KeyExpression of Level 'Country': There is no SQL of dialect 'generic', which is the one that is read; given: mysql, oracle",
    ),
    (
        r#"<Level name="Country" column="country" uniqueMembers="true"/>"#,
        r#"<Level name="Country"><KeyExpression/></Level>"#,
        "shop.xml:6: KeyExpression of Level 'Country': It holds no SQL expression",
    ),
    (
        r#"<Level name="Country" column="country" uniqueMembers="true"/>"#,
        "<Level name=\"Country\"><KeyExpression>\n<SQL dialect=\"generic\">\nupper(country) +\n</SQL></KeyExpression></Level>",
        "shop.xml:9: KeyExpression of Level 'Country': SQL: The end where a value is expected",
    ),
    (
        r#"<Level name="Country" column="country" uniqueMembers="true"/>"#,
        r#"<Level name="Country"><KeyExpression><SQL>decode(country, 1)</SQL></KeyExpression></Level>"#,
        "shop.xml:6: KeyExpression of Level 'Country': SQL: The function 'decode' is not supported",
    ),
    (
        r#"<Level name="Country" column="country" uniqueMembers="true"/>"#,
        r#"<Level name="Country" column="country"><NameExpression><SQL>shops.name</SQL></NameExpression></Level>"#,
        "shop.xml:6: Level 'Country': The name takes 'name' from the table 'shops', which is not here",
    ),
    (
        r#"levelType="TimeYears""#,
        "",
        "shop.xml:29: Level 'Year': A level of a time dimension needs a levelType such as 'TimeYears'",
    ),
    (
        r#"<Property name="Size" column="size" type="Numeric"/>"#,
        r#"<Property name="Size"/>"#,
        "shop.xml:8: Property 'Size': A property needs a column",
    ),
    (
        r#"<Property name="Size" column="size" type="Numeric"/>"#,
        r#"<Property name="Size" column="size" formatter="x"/>"#,
        "shop.xml:8: Property 'Size': The attribute 'formatter' is not supported: formatters are Java classes or scripts, which cannot be run here; use a format string",
    ),
    (
        r#"<Property name="Size" column="size" type="Numeric"/>"#,
        r#"<Property name="Size" column="size"/><Property name="size" column="b"/>"#,
        "shop.xml:8: Property 'size': There are two properties 'size'",
    ),
    (
        r#"<Property name="Size" column="size" type="Numeric"/>"#,
        r#"<MemberFormatter className="x"/>"#,
        "shop.xml:8: MemberFormatter of Level 'City': 'MemberFormatter' is not supported: formatters are Java classes or scripts, which cannot be run here; use a format string",
    ),
    (
        r#"table="class" column="class_name""#,
        r#"table="klass" column="class_name""#,
        "shop.xml:18: Level 'Class': The key takes 'class_name' from the table 'klass', which is not here; did you mean 'class'?",
    ),
    (
        r#" parentColumn="boss" nullParentValue"#,
        " nullParentValue",
        "shop.xml:35: Level 'Person': A nullParentValue needs a parentColumn\nshop.xml:36: Level 'Person': A Closure needs the parentColumn of its level",
    ),
    (r#"<Table name="tree"/>"#, "", "shop.xml:36: Level 'Person': A Closure needs a Table"),
    (
        r#" childColumn="staff_id""#,
        "",
        "shop.xml:36: Closure of Level 'Person': The attribute 'childColumn' is missing",
    ),
    (r#"<Table name="sales"/>"#, "", "shop.xml:22: Cube 'Sales': A cube needs a fact table"),
    (
        r#"<Table name="sales"/>"#,
        r#"<Table name="sales"/><Table name="more"/>"#,
        "shop.xml:23: Cube 'Sales': A cube has one fact table, this is a second one",
    ),
    (
        r#"<Cube name="Stock">"#,
        r#"<Cube name="Sales">"#,
        "shop.xml:47: Cube 'Sales': There are two cubes 'Sales'\nshop.xml:56: VirtualCubeMeasure '[Measures].[Units]': There is no cube 'Stock'",
    ),
    (
        r#"defaultMeasure="Amount""#,
        r#"defaultMeasure="Amuont""#,
        "shop.xml:22: Cube 'Sales': The default measure 'Amuont' is no measure of the cube; did you mean 'Amount'?",
    ),
    (
        r#"name="Product" source="Product" foreignKey"#,
        r#"name="Product" source="Products" foreignKey"#,
        "shop.xml:25: DimensionUsage 'Product': There is no shared dimension 'Products'; did you mean 'Product'?",
    ),
    (
        r#"name="Product" source="Product" foreignKey="product_id""#,
        r#"name="Product" source="Product""#,
        "shop.xml:25: DimensionUsage 'Product': The attribute 'foreignKey' is missing, and its table is not the fact table",
    ),
    (
        r#"name="Product" source="Product" foreignKey="product_id""#,
        r#"name="Store" source="Product" foreignKey="product_id""#,
        "shop.xml:25: DimensionUsage 'Store': There are two dimensions 'Store'",
    ),
    (
        r#"name="Product" source="Product" foreignKey="product_id""#,
        r#"name="Product" source="Product" foreignKey="product_id" level="Brand""#,
        "shop.xml:25: DimensionUsage 'Product': The dimension 'Product' has no level 'Brand'",
    ),
    (
        r#"name="Product" source="Product" foreignKey="product_id""#,
        r#"name="Measures" source="Product" foreignKey="product_id""#,
        "shop.xml:22: Cube 'Sales': The name 'Measures' belongs to the dimension of the measures",
    ),
    (
        r#"<Dimension name="Time" type="TimeDimension" foreignKey="day">"#,
        r#"<Dimension name="Time" type="TimeDimension">"#,
        "shop.xml:26: Dimension 'Time': The attribute 'foreignKey' is missing, and its table is not the fact table",
    ),
    (
        r#"<Measure name="Amount" column="amount" aggregator="sum"/>"#,
        r#"<Measure name="Amount" aggregator="sum"/>"#,
        "shop.xml:40: Measure 'Amount': A measure needs a column or an expression; only a count of rows has none",
    ),
    (
        r#"<Measure name="Amount" column="amount" aggregator="sum"/>"#,
        r#"<Measure name="Amount" column="amount" aggregator="median"/>"#,
        "shop.xml:40: Measure 'Amount': The attribute 'aggregator' is 'median'; expected 'sum', 'count', 'min', 'max', 'avg', 'distinct-count', 'distinct count'",
    ),
    (
        r#"<Measure name="Amount" column="amount" aggregator="sum"/>"#,
        r#"<Measure name="Amount" column="amount"/>"#,
        "shop.xml:40: Measure 'Amount': The attribute 'aggregator' is missing",
    ),
    (
        r#"<Measure name="Amount" column="amount" aggregator="sum"/>"#,
        r#"<Measure name="Amount" column="amount" aggregator="sum" datatype="String"/>"#,
        "shop.xml:40: Measure 'Amount': A sum or average cannot have this type; it is a number",
    ),
    (
        r#"<Measure name="Amount" column="amount" aggregator="sum"/>"#,
        r#"<Measure name="Amount" column="amount" aggregator="sum" formatter="x"/>"#,
        "shop.xml:40: Measure 'Amount': The attribute 'formatter' is not supported: formatters are Java classes or scripts, which cannot be run here; use a format string",
    ),
    (
        r#"<Measure name="Amount" column="amount" aggregator="sum"/>"#,
        r#"<Measure name="Amount" column="amount" aggregator="sum"><CellFormatter><Script>x</Script></CellFormatter></Measure>"#,
        "shop.xml:40: CellFormatter of Measure 'Amount': 'CellFormatter' is not supported: formatters are Java classes or scripts, which cannot be run here; use a format string",
    ),
    (
        r#"<Measure name="Amount" column="amount" aggregator="sum"/>"#,
        r#"<Measure name="Amount" column="amount" aggregator="sum"><CalculatedMemberProperty name="MEMBER_ORDINAL" value="one"/></Measure>"#,
        "shop.xml:40: CalculatedMemberProperty 'MEMBER_ORDINAL': The value 'one' is not a whole number",
    ),
    (
        r#"<Measure name="Amount" column="amount" aggregator="sum"/>"#,
        r#"<Measure name="Amount" column="amount" aggregator="sum"><CalculatedMemberProperty name="COLOUR" value="red"/></Measure>"#,
        "shop.xml:40: CalculatedMemberProperty 'COLOUR': The property 'COLOUR' of a stored measure is not supported",
    ),
    (
        r#"<Measure name="Double" aggregator="sum">"#,
        r#"<Measure name="Double" column="amount" aggregator="sum">"#,
        "shop.xml:41: Measure 'Double': A measure has a column or a MeasureExpression, not both",
    ),
    (
        r#"<Measure name="Double" aggregator="sum">"#,
        r#"<Measure name="amount" aggregator="sum">"#,
        "shop.xml:41: Measure 'amount': There are two measures 'amount'",
    ),
    (
        "amount * 2",
        "(amount * 2",
        "shop.xml:42: MeasureExpression of Measure 'Double': SQL: The end where ')' is expected",
    ),
    (
        "amount * 2",
        "stock.units * 2",
        "shop.xml:41: Measure 'Double': The value takes 'units' from the table 'stock', which is not here",
    ),
    (
        r#"dimension="Measures" formula="[Measures].[Amount] / 2""#,
        r#"dimension="Measures""#,
        "shop.xml:44: CalculatedMember 'Half': A formula is needed",
    ),
    (
        r#"dimension="Measures" formula="[Measures].[Amount] / 2""#,
        r#"formula="[Measures].[Amount] / 2""#,
        "shop.xml:44: CalculatedMember 'Half': A calculated member needs a dimension or a hierarchy",
    ),
    (
        r#"dimension="Measures" formula="[Measures].[Amount] / 2""#,
        r#"dimension="Measures" hierarchy="[Store]" formula="1""#,
        "shop.xml:44: CalculatedMember 'Half': A calculated member has a dimension or a hierarchy, not both",
    ),
    (
        r#"dimension="Measures" formula="[Measures].[Amount] / 2""#,
        r#"dimension="Shop" formula="1""#,
        "shop.xml:44: CalculatedMember 'Half': The cube 'Sales' has no hierarchy [Shop]\nshop.xml:55: VirtualCubeMeasure '[Measures].[Half]': The cube 'Sales' has no measure 'Half'",
    ),
    (
        r#"dimension="Measures" formula="[Measures].[Amount] / 2""#,
        r#"hierarchy="[Time].[Weekly]" formula="1""#,
        "shop.xml:44: CalculatedMember 'Half': The cube 'Sales' has no hierarchy [Time].[Weekly]\nshop.xml:55: VirtualCubeMeasure '[Measures].[Half]': The cube 'Sales' has no measure 'Half'",
    ),
    (
        r#"dimension="Measures" formula="[Measures].[Amount] / 2""#,
        r#"dimension="Measures" formula="[Measures].[Amount] /""#,
        "shop.xml:44: CalculatedMember 'Half': The formula does not parse: Query (1, 22) Parser: The end of the input was reached.",
    ),
    (
        r#"<CalculatedMember name="Half""#,
        r#"<CalculatedMember name="Double""#,
        "shop.xml:44: CalculatedMember 'Double': There are two measures 'Double'\nshop.xml:55: VirtualCubeMeasure '[Measures].[Half]': The cube 'Sales' has no measure 'Half'",
    ),
    (
        r#"formula="[Measures].[Amount] / 2"/>"#,
        r#"formula="1"><CalculatedMemberProperty name="FORMAT_STRING"/></CalculatedMember>"#,
        "shop.xml:44: CalculatedMemberProperty 'FORMAT_STRING': A CalculatedMemberProperty has a value or an expression",
    ),
    (
        r#"formula="[Measures].[Amount] / 2"/>"#,
        r#"formula="1"><CalculatedMemberProperty name="FORMAT_STRING" expression="Iif("/></CalculatedMember>"#,
        "shop.xml:44: CalculatedMember 'Half': The property 'FORMAT_STRING' does not parse: Query (1, 5) Parser: The end of the input was reached.",
    ),
    (
        "[Store].Members",
        "{[Store].Members",
        "shop.xml:45: NamedSet 'All Stores': The formula does not parse: Query (1, 17) Parser: The end of the input was reached.",
    ),
    (
        r#"<VirtualCubeDimension name="Store"/>"#,
        r#"<VirtualCubeDimension name="Shop"/>"#,
        "shop.xml:53: VirtualCubeDimension 'Shop': There is no shared dimension 'Shop' that a cube uses; name the cube",
    ),
    (
        r#"cubeName="Sales" name="Time""#,
        r#"cubeName="Sale" name="Time""#,
        "shop.xml:54: VirtualCubeDimension 'Time': There is no cube 'Sale'; did you mean 'Sales'?",
    ),
    (
        r#"cubeName="Sales" name="Time""#,
        r#"cubeName="Stock" name="Time""#,
        "shop.xml:54: VirtualCubeDimension 'Time': The cube 'Stock' has no dimension 'Time'",
    ),
    (
        r#"cubeName="Sales" name="Time""#,
        r#"cubeName="Sales" name="Store""#,
        "shop.xml:54: VirtualCubeDimension 'Store': The cube has two dimensions 'Store'",
    ),
    (
        "[Measures].[Half]",
        "Half",
        "shop.xml:55: VirtualCubeMeasure 'Half': 'Half' is not the name of a measure; expected '[Measures].[name]'",
    ),
    (
        "[Measures].[Half]",
        "[Measures].[Hlaf]",
        "shop.xml:55: VirtualCubeMeasure '[Measures].[Hlaf]': The cube 'Sales' has no measure 'Hlaf'; did you mean 'Half'?",
    ),
    (
        r#"<VirtualCubeDimension name="Store"/>"#,
        r#"<CubeUsages><CubeUsage cubeName="Sales" ignoreUnrelatedDimensions="true"/></CubeUsages><VirtualCubeDimension name="Store"/>"#,
        "shop.xml:53: CubeUsage 'Sales': ignoreUnrelatedDimensions is not supported; use ValidMeasure in formulas",
    ),
    (
        r#"<VirtualCubeMeasure cubeName="Stock" name="[Measures].[Units]"/>"#,
        r#"<VirtualCubeMeasure cubeName="Stock" name="[Measures].[Units]"/><VirtualCubeMeasure cubeName="Stock" name="[Measures].[Units]"/>"#,
        "shop.xml:56: VirtualCubeMeasure '[Measures].[Units]': The cube has two measures 'Units'",
    ),
    (
        r#"<CubeGrant cube="Sales" access="all">"#,
        r#"<CubeGrant cube="Sale" access="all">"#,
        "shop.xml:58: Role 'Reader': There is no cube 'Sale'; did you mean 'Sales'?",
    ),
    (
        r#"<CubeGrant cube="Sales" access="all">"#,
        r#"<CubeGrant cube="Sales" access="some">"#,
        "shop.xml:60: CubeGrant 'Sales': The attribute 'access' is 'some'; expected 'all', 'all_dimensions', 'custom', 'none'",
    ),
    (
        r#"hierarchy="[Store]""#,
        r#"hierarchy="[Shop]""#,
        "shop.xml:58: Role 'Reader': The cube 'Sales' has no hierarchy '[Shop]'",
    ),
    (
        r#"member="[Store].[USA]""#,
        r#"member="[Store].[USA""#,
        "shop.xml:58: Role 'Reader': '[Store].[USA' is not the name of a member",
    ),
    (
        r#"<SchemaGrant access="none">"#,
        r#"<Union><RoleUsage roleName="Writer"/></Union><SchemaGrant access="none">"#,
        "shop.xml:58: Role 'Reader': A role has one SchemaGrant or one Union",
    ),
];

#[test]
fn errors() {
    let mut wrong = Vec::new();
    for (find, replace, expected) in ERRORS {
        let found = match parse_mondrian(&changed(find, replace), "shop.xml") {
            Ok(_) => "no error".to_owned(),
            Err(errors) => errors.to_string(),
        };
        if found != *expected {
            wrong.push(format!("({find:?}, {replace:?}, {found:?})"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
