//! FoodMart against the facts of its README.

mod common;

use common::{Ask, foodmart};
use facetta_model::Grain;

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
