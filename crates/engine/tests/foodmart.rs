//! FoodMart against the facts of its README.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Ask, foodmart};
use facetta_model::catalog::Hierarchy;
use facetta_model::{Context, Field, Grain, MemberId, MemberPart, RowsRequest, SourceColumn, Value};

#[test]
fn sums_and_counts_are_those_of_the_readme() {
    let Some(database) = foodmart() else { return };
    let snapshot = database.snapshot();
    let table = [
        ("Sales", "Unit Sales", "266773"),
        ("Sales", "Store Sales", "565238.13"),
        ("Sales", "Store Cost", "225627.2336"),
        ("Sales", "Sales Count", "86837"),
        ("Sales", "Customer Count", "5581"),
    ];
    for (group, measure, expected) in table {
        assert_eq!(Ask::of(&*snapshot, group).measure(measure).value().to_string(), expected, "{measure}");
    }
    let rows = |group: &str| {
        let catalog = snapshot.catalog();
        catalog.measure_groups[common::group(catalog, group).index()].rows
    };
    assert_eq!(rows("Sales"), 86_837);
    assert_eq!(rows("Warehouse"), 4_070);
    assert_eq!(rows("HR"), 21_252);
    assert_eq!(rows("Store"), 25);
    let quarters = Ask::of(&*snapshot, "Sales").measure("Unit Sales").by("Time", Grain::Depth(1));
    assert_eq!(quarters.lines(), ["Q1 | 66291", "Q2 | 62610", "Q3 | 65848", "Q4 | 72024"]);
    let states =
        Ask::of(&*snapshot, "Sales").measure("Unit Sales").by("Store", Grain::Depth(2)).only("Store", &["USA"]);
    assert_eq!(states.lines(), ["CA | 74748", "OR | 67659", "WA | 124366"]);
}

/// Sums by SQL over the same files.
#[test]
fn every_shape_of_hierarchy_adds_up() {
    let Some(database) = foodmart() else { return };
    let snapshot = database.snapshot();
    let ask = |group: &str, measure: &str| Ask::of(&*snapshot, group).measure(measure);
    // A snowflake, an expression, a level with a null.
    let food =
        ask("Sales", "Store Cost").measure("Sales Count").by("Product", Grain::Depth(1)).only("Time", &["1997.Q2"]);
    assert_eq!(
        food.lines(),
        ["Drink | 4728.4702 | 1901", "Food | 38112.6264 | 14594", "Non-Consumable | 10123.1282 | 3873"]
    );
    assert_eq!(ask("Sales", "Promotion Sales").value(), Value::Double(151_211.21));
    let media = ask("Sales", "Customer Count").by("Promotion Media", Grain::Depth(1)).lines();
    assert_eq!(media[..3], ["Bulk Mail | 333", "Cash Register Handout | 482", "Daily Paper | 528"]);
    let profit = ask("Warehouse", "Warehouse Sales").measure("Warehouse Profit").by("Warehouse", Grain::Depth(1));
    assert_eq!(profit.lines(), ["USA | 196770.8876 | 107727.635"]);
    // The second hierarchy of a dimension.
    let weeks = ask("Sales", "Unit Sales").by("Time.Weekly", Grain::Depth(2)).lines();
    assert!(weeks.contains(&"3 | 9518".to_owned()), "{weeks:?}");
    // The fact table is the dimension table, and holds a degenerate dimension.
    let bars = ask("Store", "Store Sqft").by("Has coffee bar", Grain::Depth(1));
    assert_eq!(bars.lines(), ["false | 247156", "true | 324440"]);
    // Hidden levels of a ragged hierarchy are in the tree all the same.
    let ragged = ask("Sales Ragged", "Unit Sales").by("Store", Grain::Depth(3)).only("Store", &["Israel", "Vatican"]);
    assert_eq!(ragged.lines(), ["#null | 35257", "Haifa | 2203", "Tel Aviv | 11491"]);
}

#[test]
fn a_parent_child_hierarchy_has_totals_and_own_data() {
    let Some(database) = foodmart() else { return };
    let snapshot = database.snapshot();
    let ask = |grain| Ask::of(&*snapshot, "HR").measure("Org Salary").by("Employees", grain);
    assert_eq!(ask(Grain::Depth(0)).lines(), ["All Employees | 271552.4411"]);
    assert_eq!(ask(Grain::Depth(1)).lines(), ["Sheri Nowmer | 271552.4411"]);
    let below = ask(Grain::Depth(2)).lines();
    assert!(below.contains(&"Derrick Whelply | 75777.5389".to_owned()), "{below:?}");
    let own = ask(Grain::Own).lines();
    assert!(own.contains(&"Sheri Nowmer | 1824".to_owned()), "{own:?}");
    assert!(own.contains(&"Derrick Whelply | 912".to_owned()), "{own:?}");
    assert_eq!(own.len(), 1155);
    let pay = Ask::of(&*snapshot, "HR").measure("Count").by("Pay Type", Grain::Depth(1));
    assert_eq!(pay.lines(), ["Hourly | 9780", "Monthly | 11472"]);
    let in_1997 = Ask::of(&*snapshot, "HR").measure("Count").measure("Number of Employees").only("Time", &["1997"]);
    assert_eq!((in_1997.value(), in_1997.answer().values[1].value(0)), (Value::Int(7392), Value::Int(616)));
}

#[test]
fn members_are_named_ordered_and_described() {
    let Some(database) = foodmart() else { return };
    let catalog = database.snapshot().catalog().clone();
    let hierarchy = |cube: &str, wanted: &str| {
        let cube = catalog.cube(cube).unwrap();
        let found = cube.hierarchies.iter().find(|h| h.unique_name == wanted);
        found.unwrap_or_else(|| panic!("{wanted}")).hierarchy.clone()
    };
    let names = |h: &Hierarchy, depth: usize| -> Vec<String> {
        h.members.at_depth(depth).map(|m| h.members.name(MemberId(m)).to_owned()).collect()
    };
    let sizes = hierarchy("Sales", "[Store Size in SQFT]");
    assert_eq!(names(&sizes, 1)[..3], ["#null", "20319", "21215"]);
    assert!(sizes.members.key(MemberId(1)).is_empty());
    let time = hierarchy("Sales", "[Time]");
    assert!(!time.has_all);
    assert_eq!(time.members.name(time.default_member), "1997");
    assert_eq!(names(&time, 2)[..12], ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"]);
    assert_eq!(names(&hierarchy("Sales", "[Time].[Weekly]"), 0), ["All Weeklys"]);
    let media = hierarchy("Sales", "[Promotion Media]");
    assert_eq!(media.members.name(media.default_member), "All Media");
    // Keys are numbers, names are full names, the order is that of the names.
    let customers = hierarchy("Sales", "[Customers]");
    let level = customers.level("Name").unwrap();
    let first = MemberId(customers.levels[level.index()].members.start);
    assert!(matches!(customers.members.key(first), Value::Int(_)));
    let gender = &customers.levels[level.index()].properties[0];
    assert_eq!((gender.name.as_str(), gender.values.len()), ("Gender", 10_281));
    // Positions are ordered by a number that is neither key nor name.
    let position = hierarchy("HR", "[Position]");
    let titles = names(&position, 2);
    assert_eq!(titles[4..7], ["President", "VP Country Manager", "VP Information Systems"], "{titles:?}");
    let employees = hierarchy("HR", "[Employees]");
    assert!(employees.parent_child);
    assert_eq!(names(&employees, 1), ["Sheri Nowmer"]);
    let ragged = hierarchy("Sales Ragged", "[Store]");
    let hidden: Vec<String> = (0..ragged.members.len() as u32)
        .map(MemberId)
        .filter(|&m| ragged.members.is_hidden(m))
        .map(|m| ragged.members.name(m).to_owned())
        .collect();
    assert_eq!(hidden, ["Israel", "USA", "Vatican", "#null"]);
    let measures = &catalog.cube("Sales").unwrap().measures;
    assert_eq!(measures[3].data_type, facetta_model::ColumnType::Int);
}

#[test]
fn fact_rows_can_be_drilled_through() {
    let Some(database) = foodmart() else { return };
    let snapshot = database.snapshot();
    let catalog = snapshot.catalog();
    let ask = Ask::of(&*snapshot, "Sales").only("Time", &["1997.Q1.2"]).only("Store", &["USA.WA.Seattle"]);
    let path = |wanted: &str| common::path(catalog, ask.request.group, wanted);
    let member = |wanted: &str, level, part| SourceColumn::Member { path: path(wanted), level, part };
    let columns = vec![
        ("City".to_owned(), member("Store", 3, MemberPart::Caption)),
        ("Month".to_owned(), member("Time", 2, MemberPart::UniqueName)),
        ("Customer".to_owned(), member("Customers", 4, MemberPart::Key)),
        ("Gender".to_owned(), member("Customers", 4, MemberPart::Property(0))),
        ("Units".to_owned(), SourceColumn::Measure(0)),
    ];
    let request = |max_rows, skip_rows| RowsRequest {
        group: ask.request.group,
        columns: columns.clone(),
        filters: ask.request.filters.clone(),
        tuples: vec![],
        max_rows,
        skip_rows,
    };
    let rows = |request: &RowsRequest| {
        let context = Context::unlimited();
        let mut rowset = snapshot.source_rows(request, &context).unwrap();
        let mut rows: Vec<Vec<Field>> = Vec::new();
        while let Some(batch) = (rowset.rows)(&context).unwrap() {
            assert!(!batch.is_empty());
            rows.extend(batch.rows().map(<[Field]>::to_vec));
        }
        rows
    };
    let all = rows(&request(None, 0));
    let units: f64 = all.iter().map(|r| if let Field::Value(v) = &r[4] { v.as_f64().unwrap() } else { 0.0 }).sum();
    let total = Ask { snapshot: &*snapshot, request: ask.request.clone() }.measure("Unit Sales").value();
    assert_eq!(Value::Double(units), total);
    assert_eq!(all[0][0].as_str(), Some("Seattle"));
    assert_eq!(all[0][1].as_str(), Some("[Time].[1997].[Q1].[2]"));
    assert!(matches!(&all[0][2], Field::Value(Value::Int(_))));
    assert!(matches!(all[0][3].as_str(), Some("F" | "M")));
    assert_eq!(rows(&request(Some(7), 3)), all[3..10]);
    assert_eq!(rows(&request(Some(0), 0)).len(), 0);
    assert_eq!(rows(&request(None, all.len() as u64 + 5)).len(), 0);
}
