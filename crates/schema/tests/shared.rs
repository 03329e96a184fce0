//! The schemas of the shared material load unchanged, and say what their descriptions in words say.

use facetta_model::definition::*;
use facetta_model::{Compatibility, name};
use std::path::PathBuf;

/// A file of the shared material, or a line that says what is skipped. `FACETTA_NO_SKIP=1` makes a skip a failure.
fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("FACETTA_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")), PathBuf::from);
    let file = root.join(path);
    if file.exists() {
        return Some(file);
    }
    assert_ne!(std::env::var("FACETTA_NO_SKIP").as_deref(), Ok("1"), "{path} is missing, and skips are failures");
    println!("skipped: {path} of the shared material is missing");
    None
}

fn load(path: &str) -> Option<Definition> {
    Some(facetta_schema::load(&shared(path)?).unwrap_or_else(|errors| panic!("{errors}")))
}

fn cube<'a>(definition: &'a Definition, name: &str) -> &'a CubeDef {
    definition.cubes.iter().find(|c| c.name == name).expect("the cube is there")
}

fn calculated<'a>(cube: &'a CubeDef, name: &str) -> &'a CalculatedMemberDef {
    cube.calculated_members.iter().find(|m| m.name == name).expect("the calculated member is there")
}

/// Cubes, dimensions, hierarchies, levels, properties, stored measures, calculated members, links, named sets.
fn counts(d: &Definition) -> [usize; 9] {
    let hierarchies = || d.dimensions.iter().flat_map(|d| &d.hierarchies);
    let levels = || hierarchies().flat_map(|h| &h.levels);
    [
        d.cubes.len(),
        d.dimensions.len(),
        hierarchies().count(),
        levels().count(),
        levels().map(|l| l.properties.len()).sum(),
        d.measure_groups.iter().flat_map(|g| &g.measures).filter(|m| !is_fact_count(&m.name)).count(),
        d.cubes.iter().map(|c| c.calculated_members.len()).sum(),
        d.measure_groups.iter().map(|g| g.links.len()).sum(),
        d.cubes.iter().map(|c| c.named_sets.len()).sum(),
    ]
}

#[test]
fn foodmart_has_the_right_counts() {
    let Some(d) = load("foodmart/FoodMart.xml") else { return };
    assert_eq!((d.name.as_str(), d.compatibility), ("FoodMart", Compatibility::Mondrian));
    // Shared dimensions 6, of cubes 7 + 0 + 2 + 7 + 9 + 1; the virtual cube has 5 calculated members, one hidden.
    assert_eq!(counts(&d), [7, 32, 33, 65, 38, 28, 13, 44, 1]);
    // 9 annotations and aggregate tables of Sales, 2 of Sales Ragged, one count of rows.
    assert_eq!(d.unused_hints, 13);
    let roles: Vec<_> = d.roles.iter().map(|r| (r.name.as_str(), r.schema_access.as_deref(), r.cubes.len())).collect();
    let expected = [("California manager", Some("none"), 1), ("No HR Cube", Some("all"), 1)];
    assert_eq!(roles, [&expected[..], &[("Administrator", Some("all"), 0)]].concat());
    let grant = &d.roles[0].cubes[0].hierarchies[1];
    assert_eq!(grant.bottom_level.as_deref(), Some("[Customers].[City]"));
    assert_eq!(grant.members[1], ("[Customers].[USA].[CA].[Los Angeles]".into(), "none".into()));
}

#[test]
fn ssb_loads() {
    let Some(d) = load("bench/ssb.xml") else { return };
    assert_eq!(counts(&d), [1, 4, 4, 11, 0, 3, 1, 4, 0]);
    assert_eq!(d.cubes[0].default_measure.as_deref(), Some("Revenue"));
    assert_eq!(d.measure_groups[0].links[0].foreign_key, Some(Expression::column("lo_orderdate")));
}

#[test]
fn expressions_of_foodmart() {
    let Some(d) = load("foodmart/FoodMart.xml") else { return };
    let level = |cube_name: &str, dimension: &str, depth: usize| {
        let used = cube(&d, cube_name).dimensions.iter().find(|x| x.name == dimension).expect("a dimension");
        d.dimensions[used.dimension].hierarchies[0].levels[depth].clone()
    };
    let name = level("Sales", "Customers", 3);
    assert_eq!(name.key, Expression::column("customer_id"));
    assert_eq!(name.name_expression, Some(Expression::column("fullname")));
    assert_eq!(name.ordinal, Some(Expression::column("fullname")));
    let ragged = level("Sales Ragged", "Customers", 3);
    assert_eq!((ragged.key, ragged.name_expression), (Expression::column("fullname"), None));
    let promotion = d.measure_groups[0].measures[5].value.clone();
    let expected = "CASE WHEN sales_fact_1997.promotion_id = 0 THEN 0 ELSE sales_fact_1997.store_sales END";
    assert_eq!(promotion, facetta_schema::parse_sql(expected).ok());
    let profit = d.measure_groups[1].measures[6].value.clone();
    let expected = "warehouse_sales - inventory_fact_1997.warehouse_cost";
    assert_eq!(profit, facetta_schema::parse_sql(expected).ok());
    assert!(!d.measure_groups[1].measures[6].writable && d.measure_groups[1].measures[5].writable);
}

#[test]
fn the_cube_store_lies_on_its_dimension() {
    let Some(d) = load("foodmart/FoodMart.xml") else { return };
    let store = cube(&d, "Store");
    let links = &d.measure_groups[store.measure_groups[0]].links;
    // The table of the shared dimension is the fact table: a row's own key leads to its member.
    assert_eq!(links[1].foreign_key, Some(Expression::column("store_id")));
    assert_eq!(links[1].dimension, cube(&d, "Sales").dimensions[0].dimension);
    assert_eq!((&links[0].foreign_key, &links[2].foreign_key), (&None, &None));
}

#[test]
fn the_virtual_cube_joins_what_is_shared() {
    let Some(d) = load("foodmart/FoodMart.xml") else { return };
    let cube = cube(&d, "Warehouse and Sales");
    assert_eq!((cube.is_virtual, cube.default_measure.as_deref()), (true, Some("Store Sales")));
    assert_eq!(cube.measure_groups, [0, 1]);
    let links: Vec<_> =
        cube.dimensions.iter().map(|x| (x.name.as_str(), [x.links[0].is_some(), x.links[1].is_some()])).collect();
    let both = ["Product", "Store", "Time"];
    for (dimension, linked) in links {
        assert_eq!(
            linked,
            [dimension != "Warehouse", both.contains(&dimension) || dimension == "Warehouse"],
            "{dimension}"
        );
    }
    let shown = cube.calculated_members.iter().filter(|m| m.texts.visible).map(|m| m.name.as_str());
    let expected = ["Profit", "Profit Growth", "Average Warehouse Sale", "Profit Per Unit Shipped"];
    assert_eq!(shown.collect::<Vec<_>>(), expected);
    assert!(!calculated(cube, "Profit last Period").texts.visible);
    assert_eq!(calculated(cube, "Profit Growth").texts.caption.as_deref(), Some("Gewinn-Wachstum"));
    assert_eq!(calculated(cube, "Profit").properties, [("FORMAT_STRING".into(), "\"$#,##0.00\"".into())]);
    let property = ("MEMBER_ORDINAL".to_owned(), "18".to_owned());
    assert!(calculated(cube, "Profit last Period").properties.contains(&property));
}

/// Every line of model.md that describes a hierarchy, a level, its properties or a stored measure, written from the
/// definition instead: all must be the same.
#[test]
fn foodmart_is_what_its_description_says() {
    let (Some(d), Some(model)) = (load("foodmart/FoodMart.xml"), shared("foodmart/model.md")) else { return };
    let text = std::fs::read_to_string(model).expect("the description is readable");
    let told = |line: &&str| {
        ["  - hierarchy `", "    - level `", "      - properties: "].iter().any(|s| line.starts_with(s))
            || (line.starts_with("| ") && !line.starts_with("| measure") && !line.starts_with("| ---"))
    };
    let expected: Vec<String> = text.lines().filter(told).map(normal).collect();
    assert!(expected.len() > 130, "{}", expected.len());
    let mut lines = Vec::new();
    let mut described = vec![false; d.dimensions.len()];
    let shared_first = ["Store", "Store Size in SQFT", "Store Type", "Time", "Product"].len();
    let warehouse = cube(&d, "Warehouse").dimensions[5].dimension;
    for index in (0..shared_first).chain([warehouse]) {
        describe_dimension(&d.dimensions[index], &mut lines);
        described[index] = true;
    }
    for cube in d.cubes.iter().filter(|c| !c.is_virtual) {
        for used in &cube.dimensions {
            if !std::mem::replace(&mut described[used.dimension], true) {
                describe_dimension(&d.dimensions[used.dimension], &mut lines);
            }
        }
        for shown in cube.measures.iter().filter(|m| !is_fact_count(&m.name)) {
            lines.push(describe_measure(shown, &d.measure_groups[cube.measure_groups[0]].measures[shown.measure]));
        }
    }
    for (line, expected) in lines.iter().zip(&expected) {
        assert_eq!(line, expected);
    }
    assert_eq!(lines.len(), expected.len());
}

/// A line without what a definition does not keep (types that are the default, hints), and with expressions in short.
fn normal(line: &str) -> String {
    let expression = "`fname || ' ' || lname`";
    let mut line = line.replace(", String)", ")").replace("; approximate row count 111", "");
    for (long, short) in [
        (format!("name expression {expression} (the column `fullname` holds the same)"), "name `fullname`"),
        (format!("order by {expression}"), "order by `fullname`"),
        (format!("key expression {expression}"), "key `fullname`"),
    ] {
        line = line.replace(&long, short);
    }
    match line.split_once("| expression `") {
        Some((before, after)) => format!("{before}| expression |{}", after.split_once("` |").map_or("", |x| x.1)),
        None => line,
    }
}

fn describe_dimension(dimension: &DimensionDef, lines: &mut Vec<String>) {
    for hierarchy in &dimension.hierarchies {
        lines.push(describe_hierarchy(dimension, hierarchy));
        for level in &hierarchy.levels {
            lines.push(describe_level(level));
            let property = |p: &PropertyDef| {
                let Expression::Column(column) = &p.value else { panic!("{}", p.name) };
                let kind = if p.data_type == DataType::String { String::new() } else { format!(", {:?}", p.data_type) };
                format!("`{}` (`{}`{kind})", p.name, column.column)
            };
            if !level.properties.is_empty() {
                let all: Vec<String> = level.properties.iter().map(property).collect();
                lines.push(format!("      - properties: {}", all.join(", ")));
            }
        }
    }
}

fn describe_hierarchy(dimension: &DimensionDef, hierarchy: &HierarchyDef) -> String {
    let unique = Compatibility::Mondrian.hierarchy_unique_name(&dimension.name, &hierarchy.name);
    let key = |k: &ColumnRef| k.table.as_ref().map_or(k.column.clone(), |t| format!("{t}.{}", k.column));
    let mut line = format!("  - hierarchy `{unique}`: ");
    match &hierarchy.relation {
        Relation::Fact => line += "the fact table itself (degenerate)",
        Relation::Table { name, .. } => line += &format!("table `{name}`"),
        Relation::Join { left_key, right_key, .. } => {
            let side = |k: &ColumnRef| format!("`{}`.`{}`", k.table.as_deref().unwrap_or_default(), k.column);
            line += &format!("snowflake join {} = {}", side(left_key), side(right_key));
        }
        Relation::Inline { .. } => line += "an inline table",
    }
    if let Some(primary) = &hierarchy.primary_key {
        line += &format!("; primary key `{}`", key(primary));
    }
    match &hierarchy.all {
        Some(all) => {
            let name = all.member_name.clone();
            let name = name.unwrap_or_else(|| Compatibility::Mondrian.all_member_name(&hierarchy.name));
            line += &format!("; all member `{name}`");
        }
        None => line += "; no all member",
    }
    if let Some(member) = &hierarchy.default_member {
        line += &format!("; default member `{member}`");
    }
    line
}

fn describe_level(level: &LevelDef) -> String {
    let column = |e: &Expression| match e {
        Expression::Column(ColumnRef { table: Some(table), column }) => format!("`{table}.{column}`"),
        Expression::Column(ColumnRef { table: None, column }) => format!("`{column}`"),
        other => panic!("{other:?}"),
    };
    let mut line = format!("    - level `{}`: key {}", level.name, column(&level.key));
    if let Some(name) = &level.name_expression {
        line += &format!("; name {}", column(name));
    }
    if let Some(ordinal) = &level.ordinal {
        line += &format!("; order by {}", column(ordinal));
    }
    if let Some(parent) = &level.parent {
        let null = parent.null_value.as_deref().unwrap_or_default();
        line += &format!("; parent-child: parent {}, null parent value `{null}`", column(&parent.key));
        if let Some(c) = &parent.closure {
            line +=
                &format!("; closure table `{}` (parent `{}`, child `{}`)", c.table, c.parent_column, c.child_column);
        }
    }
    if level.key_type != DataType::String {
        line += &format!("; type {:?}", level.key_type);
    }
    if level.kind != LevelKind::Regular {
        line += &format!("; {:?}", level.kind);
    }
    line += if level.unique { "; unique members" } else { "; unique only under the parent" };
    match level.hide_if {
        HideMemberIf::Never => {}
        other => line += &format!("; hide member if: If{other:?}"),
    }
    line
}

fn describe_measure(shown: &CubeMeasureDef, stored: &MeasureDef) -> String {
    assert!(name::same(&shown.name, &stored.name));
    let aggregator = match stored.aggregator {
        Aggregator::DistinctCount => "distinct-count".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    };
    let value = match &stored.value {
        Some(Expression::Column(column)) => format!("`{}`", column.column),
        _ => "expression".to_owned(),
    };
    let format = shown.format.as_ref().map_or("none".to_owned(), |f| format!("`{f}`"));
    let ordinal = shown.ordinal.map_or(String::new(), |o| format!("MEMBER_ORDINAL = {o}"));
    format!("| {} | {aggregator} | {value} | {format} | {ordinal} |", shown.name)
}

/// Whether a measure is not in the file: cubes without a count of rows get one, hidden.
fn is_fact_count(name: &str) -> bool {
    name == "Fact Count"
}
