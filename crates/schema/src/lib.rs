//! Cube definition files (Mondrian XML, YAML) to a checked definition.
//!
//! [`load`] reads a file of either form. What comes out is checked: every index holds, every name that a definition
//! refers to exists in it, every formula parses; whether tables and columns exist is for whoever loads the data.
//! [`infer::infer`] writes a first definition for a folder of tables.
//!
//! # The YAML form
//! Whatever has a name is a key of a map, in the order that clients see; where only columns are listed, a list will do
//! (`[country, city]` makes the levels `Country` and `City`). Where a column may stand, an SQL expression may too.
//!
//! ```
//! # let text = r##"
//! catalog: Shop
//! dimensions:
//!   Date:
//!     table: dates                     # `stores as s` gives an alias, `filter: closed is null` leaves rows out
//!     key: date_key                    # what facts point to
//!     hierarchies:
//!       Calendar:
//!         levels:                      # `all: false` before it: no all member
//!           Year: {key: year, kind: years}
//!           Month: {key: month_key, name: month_name, kind: months, unique: true}
//!           Day: {key: date_key, name: day_name, order: date_key, kind: days}
//!     attributes:                      # hierarchies of one level
//!       Weekday: {key: weekday_key, name: weekday_name}
//!   Product:
//!     table: products
//!     joins: {classes: products.class_id = classes.id}
//!     key: products.product_id
//!     levels: [classes.family, products.brand, Product: {key: products.product_id, name: products.product, properties: [products.weight]}]
//!   Employee:
//!     table: employees
//!     key: employee_id
//!     levels:
//!       Employee: {key: employee_id, name: full_name, parent: manager_id, no_parent: 0}
//! cubes:
//!   Shop:
//!     default_measure: Amount
//!     measure_groups:                  # one fact table alone: `fact`, `measures`, `dimensions` stand in the cube
//!       Sales:
//!         fact: sales
//!         measures:
//!           Amount: {value: sum(amount), format: "#,##0.00"}
//!           Lines: count
//!           Buyers: distinct_count(customer_id)
//!         dimensions:
//!           Date: date_key             # the fact column that points to it
//!           Delivered: {dimension: Date, foreign_key: delivery_key}
//!           Product: product_id
//!           Payment: {levels: [card]}  # lives in the fact table
//!       Stock:
//!         fact: stock
//!         measures: {Units: sum(units)}
//!         dimensions:
//!           Date: {foreign_key: month_key, level: Month}
//!           Product: product_id
//!     calculated:
//!       Per Line: {formula: "[Measures].[Amount] / [Measures].[Lines]", format: "0.00", folder: Ratios}
//!     sets:
//!       Best: TopCount([Product].[Product].[Brand].Members, 5, [Measures].[Amount])
//!     kpis:
//!       Revenue: {value: "[Measures].[Amount]", goal: "1000000", status: "1", trend: "0"}
//!     actions:
//!       Search: {kind: url, on: level, object: "[Product].[Product].[Brand]", expression: "'https://example.com'"}
//!   Pay:
//!     fact: salaries
//!     measures: {Salary: sum(salary)}
//!     dimensions: {Employee: employee_id}
//!   Everything:
//!     virtual: {Shop: [Amount, Per Line], Pay: all}
//! # "##;
//! # let definition = facetta_schema::parse_yaml(text, "shop.yaml").unwrap();
//! # assert_eq!(definition.cubes.len(), 3);
//! ```
//!
//! Dimensions, hierarchies, levels, cubes, measures and calculations take `caption`, `description` and `visible`; measures,
//! hierarchies and calculations `folder`; levels, properties and measures `type` (string, integer, numeric, boolean, date, datetime), else they are as the column has them. A level
//! without `unique` tells its members apart by their parents too, but for the first level and the dimension's own key.

mod check;
mod error;
pub mod infer;
mod load;
mod mondrian;
mod names;
mod sql;
mod virtual_cube;
mod yaml;

pub use check::check;
pub use error::{SchemaError, SchemaErrors};
pub use load::{load, parse, parse_mondrian, parse_yaml};
pub use sql::parse_sql;
