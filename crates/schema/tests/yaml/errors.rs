//! What is wrong in a definition, an error at a time: its whole text is part of the contract.

use crate::changed;
use facetta_schema::parse_yaml;

/// Part to change, what to put there, and the errors.
const ERRORS: &[(&str, &str, &str)] = &[
    ("catalog: Shop", "catalogue: Shop", "shop.yaml:2: The key 'catalogue' is not known; did you mean 'catalog'?"),
    ("catalog: Shop", "catalog: [Shop]", "shop.yaml:2: 'catalog' is a text, not a list or map"),
    (
        "catalog: Shop",
        "catalog: Shop\ncompatibility: oracle",
        "shop.yaml:3: 'compatibility' is one of 'analysis-services', 'mondrian', not 'oracle'",
    ),
    ("catalog: Shop", "catalog: Shop\ncatalog: Shop", "shop.yaml:3: The key 'catalog' stands twice"),
    (
        "dimensions:\n  Date:\n    table: dates",
        "dimensions:\n  Date:\n    tabel: dates",
        "shop.yaml:5: Dimension 'Date': 'key' needs 'table'\nshop.yaml:6: Dimension 'Date': The key 'tabel' is not known; did you mean 'table'?",
    ),
    (
        "    table: dates\n    key: date_key",
        "    table: dates",
        "shop.yaml:8: Hierarchy 'Calendar': The primary key is missing: the column that foreign keys of facts point to\nshop.yaml:15: Attribute 'Weekday': The primary key is missing: the column that foreign keys of facts point to",
    ),
    ("    table: dates\n    key: date_key", "    key: date_key", "shop.yaml:5: Dimension 'Date': 'key' needs 'table'"),
    (
        "    table: dates\n    key: date_key",
        "    table: dates\n    key: date_key + 1",
        "shop.yaml:5: Dimension 'Date': 'key' is a column; an expression cannot be the key of a table",
    ),
    (
        "    table: dates\n",
        "    table: [dates]\n",
        "shop.yaml:5: Dimension 'Date': 'key' needs 'table'\nshop.yaml:6: Dimension 'Date': 'table' is a text, not a list or map",
    ),
    (
        "        all: false\n",
        "        all: []\n",
        "shop.yaml:10: Hierarchy 'Calendar': Expected a map with keys such as 'name', 'caption', 'level'",
    ),
    (
        "        levels:\n          Year: {key: year, kind: years}",
        "        levels:\n          Year: {kind: years}",
        "shop.yaml:12: Level 'Year': The key 'key' is missing: the column or expression that tells members apart",
    ),
    (
        "{key: year, kind: years}",
        "{key: year, kind: yearly}",
        "shop.yaml:12: Level 'Year': 'kind' is one of 'regular', 'years', 'half_years', 'quarters', 'months', 'weeks', 'days', 'hours', 'minutes', 'seconds', 'undefined', not 'yearly'",
    ),
    (
        "{key: year, kind: years}",
        "{key: year, knd: years}",
        "shop.yaml:12: Level 'Year': The key 'knd' is not known; did you mean 'kind'?",
    ),
    (
        "{key: year, kind: years}",
        "{key: year +, kind: years}",
        "shop.yaml:12: Level 'Year': 'year +': The end where a value is expected",
    ),
    (
        "{key: year, kind: years}",
        "{key: year, kind: years, unique: maybe}",
        "shop.yaml:12: Level 'Year': 'unique' is true or false",
    ),
    (
        "{key: year, kind: years}",
        "{key: year, kind: years, type: float}",
        "shop.yaml:12: Level 'Year': 'type' is one of 'string', 'integer', 'numeric', 'boolean', 'date', 'datetime', not 'float'",
    ),
    (
        "{key: year, kind: years}",
        "{key: yaer(year), kind: years}",
        "shop.yaml:12: Level 'Year': 'yaer(year)': The function 'yaer' is not supported; did you mean 'year'?",
    ),
    (
        "{key: year, kind: years}",
        "{key: days.year, kind: years}",
        "shop.yaml:12: Level 'Year': The key takes 'year' from the table 'days', which is not here",
    ),
    (
        "{key: year, kind: years}",
        "[year]",
        "shop.yaml:12: Level 'Year': Expected a map with keys such as 'caption', 'description', 'visible'",
    ),
    (
        "Month: {key: month_key",
        "Year: {key: month_key",
        "shop.yaml:13: The key 'Year' stands twice\nshop.yaml:13: Level 'Year': There are two levels 'Year'",
    ),
    (
        "Month: {key: month_key",
        "year: {key: month_key",
        "shop.yaml:13: Level 'year': There are two levels 'year'\nshop.yaml:74: Dimension 'Date': The dimension 'Date' has no level 'Month'",
    ),
    (
        "Weekday: {key: weekday_key, name: weekday_name}",
        "Calendar: weekday_key",
        "shop.yaml:16: Attribute 'Calendar': There are two hierarchies 'Calendar'",
    ),
    (
        "Weekday: {key: weekday_key, name: weekday_name}",
        "Weekday: {name: weekday_name}",
        "shop.yaml:16: Attribute 'Weekday': The key 'key' is missing: the column or expression that tells members apart",
    ),
    (
        "filter: closed is null",
        "filter: closed is",
        "shop.yaml:20: Dimension 'Store': 'closed is': The end where NULL is expected",
    ),
    (
        "stores as s",
        "stores as s\n    inline: {}",
        "shop.yaml:17: Dimension 'Store': There is 'table' or 'inline', not both\nshop.yaml:20: Dimension 'Store': The key 'rows' is missing: a list of lists of values",
    ),
    (
        "    levels:\n      - country\n",
        "    levels:\n      - [country]\n",
        "shop.yaml:24: Dimension 'Store': An item of 'levels' is a name, or 'Name: …' with one name",
    ),
    ("{value: opened, type: date}", "{type: date}", "shop.yaml:30: Property 'Opened': The key 'value' is missing"),
    (
        "products.class_id = classes.id",
        "products.class_id",
        "shop.yaml:36: Dimension 'Product': 'products.class_id' is not a join condition such as 'a.id = b.id'",
    ),
    (
        "      classes: products.class_id = classes.id\n",
        "      classes:\n",
        "shop.yaml:36: Dimension 'Product': join with 'classes': The key 'on' is missing",
    ),
    (
        "{table: groups, on: classes.group_id = g.id}",
        "{table: groups}",
        "shop.yaml:37: Dimension 'Product': join with 'g': The key 'on' is missing",
    ),
    (
        "{table: groups, on: classes.group_id = g.id}",
        "{table: groups, on: klasses.group_id = g.id}",
        "shop.yaml:39: Hierarchy 'Products': The left key takes 'group_id' from the table 'klasses', which is not here; did you mean 'classes'?",
    ),
    (
        "key: products.id",
        "key: id",
        "shop.yaml:39: Hierarchy 'Products': The table of the primary key is missing: a join has more than one",
    ),
    (
        "key: products.id",
        "key: product.id",
        "shop.yaml:39: Hierarchy 'Products': The primary key takes 'id' from the table 'product', which is not here; did you mean 'products'?",
    ),
    (
        "parent: manager_id, ",
        "",
        "shop.yaml:44: Level 'Employee': 'closure' needs 'parent': the column of the parent's key\nshop.yaml:44: Level 'Employee': 'no_parent' needs 'parent': the column of the parent's key",
    ),
    (
        "closure: {table: tree, parent: boss, child: id}",
        "closure: {table: tree, parent: boss}",
        "shop.yaml:44: Level 'Employee': The key 'child' is missing",
    ),
    (
        "id: integer",
        "id: number",
        "shop.yaml:47: Dimension 'Size': The type of 'id' is one of 'string', 'integer', 'numeric', 'boolean', 'date', 'datetime'",
    ),
    (
        "rows: [[1, Small], [2, ~]]",
        "rows: [[1], [2, Big]]",
        "shop.yaml:45: Dimension 'Size': A row of the inline table has not 2 values",
    ),
    ("rows: [[1, Small], [2, ~]]", "rows: [1, 2]", "shop.yaml:48: Dimension 'Size': A row is a list of values"),
    (
        "      rows: [[1, Small], [2, ~]]\n",
        "",
        "shop.yaml:47: Dimension 'Size': The key 'rows' is missing: a list of lists of values",
    ),
    (
        "default_measure: Amount",
        "default_measure: Ammount",
        "shop.yaml:52: Cube 'Retail': The default measure 'Ammount' is no measure of the cube; did you mean 'Amount'?",
    ),
    (
        "default_measure: Amount",
        "fact: sales",
        "shop.yaml:52: Cube 'Retail': 'fact' belongs to each of the measure groups, not to the cube",
    ),
    ("        fact: sales\n", "", "shop.yaml:55: Measure group 'Sales': The key 'fact' is missing"),
    (
        "        fact: stock\n        measures",
        "        fact: stock\n        kpis: {}\n        measures",
        "shop.yaml:71: Measure group 'Stock': The key 'kpis' is not known; known here are 'fact', 'filter', 'inline', 'measures', 'dimensions'",
    ),
    (
        "Amount: {value: sum(amount), format: 0.00}",
        "Amount: {format: 0.00}",
        "shop.yaml:59: Measure 'Amount': The key 'value' is missing",
    ),
    (
        "Amount: {value: sum(amount), format: 0.00}",
        "Amount: amount",
        "shop.yaml:59: Measure 'Amount': 'amount' is no value of a measure; expected an aggregator with a column, such as 'sum(amount)', or 'count'",
    ),
    (
        "Amount: {value: sum(amount), format: 0.00}",
        "Amount: sun(amount)",
        "shop.yaml:59: Measure 'Amount': 'sun(amount)' is no value of a measure; did you mean 'sum'?",
    ),
    (
        "Amount: {value: sum(amount), format: 0.00}",
        "Amount: sum",
        "shop.yaml:59: Measure 'Amount': 'sum' needs a column: 'sum(column)'",
    ),
    (
        "Amount: {value: sum(amount), format: 0.00}",
        "Amount: sum(amount",
        "shop.yaml:59: Measure 'Amount': The closing parenthesis of 'sum(amount' is missing",
    ),
    (
        "Amount: {value: sum(amount), format: 0.00}",
        "Amount: sum(amount))",
        "shop.yaml:59: Measure 'Amount': 'amount)': ')' is not expected here",
    ),
    (
        "Amount: {value: sum(amount), format: 0.00}",
        "Amount: {value: max(amount), writable: true}",
        "shop.yaml:59: Measure 'Amount': Only a sum of a column can be written",
    ),
    (
        "Amount: {value: sum(amount), format: 0.00}",
        "Amount: {value: sum(amount), ordinal: first}",
        "shop.yaml:59: Measure 'Amount': 'ordinal' is a whole number, not 'first'",
    ),
    (
        "Amount: {value: sum(amount), format: 0.00}",
        "Amount: {value: sum(amount), type: string}",
        "shop.yaml:59: Measure 'Amount': A sum or average cannot have this type; it is a number",
    ),
    ("Lines: count", "Units: count", "shop.yaml:71: Measure 'Units': There are two measures 'Units'"),
    (
        "          Store: store_id\n          Product",
        "          Shop: store_id\n          Product",
        "shop.yaml:66: Dimension 'Shop': There is no dimension 'Shop'",
    ),
    (
        "{dimension: Date, foreign_key: delivery_key}",
        "{dimension: Dates, foreign_key: delivery_key}",
        "shop.yaml:65: Dimension 'Delivery': There is no dimension 'Dates'; did you mean 'Date'?",
    ),
    (
        "{dimension: Date, foreign_key: delivery_key}",
        "{dimension: Date, foreign_key: delivery_key, key: x}",
        "shop.yaml:65: Dimension 'Delivery': 'key' belongs to the definition of the dimension, not to its use",
    ),
    (
        "{dimension: Date, foreign_key: delivery_key}",
        "{dimension: Date, foreign_key: delivery_key, levels: [x]}",
        "shop.yaml:65: Dimension 'Delivery': A dimension of its own does not name another 'dimension'\nshop.yaml:65: Dimension 'Delivery': A dimension without a table of its own has no foreign key",
    ),
    (
        "{dimension: Date, foreign_key: delivery_key}",
        "[x]",
        "shop.yaml:65: Dimension 'Delivery': Expected the fact column, or a map with keys such as 'foreign_key'",
    ),
    (
        "{attributes: [card]}",
        "{attributes: [card], foreign_key: card}",
        "shop.yaml:68: Dimension 'Payment': A dimension without a table of its own has no foreign key",
    ),
    (
        "{attributes: [card]}",
        "{attributes: [card], all: true, table: cards}",
        "shop.yaml:68: Dimension 'Payment': 'all' belongs to the hierarchies, as the dimension has no 'levels'\nshop.yaml:68: Attribute 'Card': The primary key is missing: the column that foreign keys of facts point to\nshop.yaml:68: Dimension 'Payment': The foreign key is missing: the fact column that leads to the dimension",
    ),
    ("level: Month}", "level: Week}", "shop.yaml:74: Dimension 'Date': The dimension 'Date' has no level 'Week'"),
    (
        "- Store\n          - Date: {",
        "- Store\n          - Store: {dimension: Date, ",
        "shop.yaml:74: Dimension 'Store': Another measure group uses another dimension as 'Store'\nshop.yaml:74: Dimension 'Store': There are two dimensions 'Store'",
    ),
    (
        "          - Store\n",
        "          - Store\n          - Store\n",
        "shop.yaml:74: Dimension 'Store': There are two dimensions 'Store'",
    ),
    (
        r#"Net: "[Measures].[Amount] - [Measures].[Tax]""#,
        r#"Net: "[Measures].[Amount] -""#,
        "shop.yaml:76: Calculated member 'Net': The formula does not parse: Query (1, 22) Parser: The end of the input was reached.",
    ),
    (
        r#"Net: "[Measures].[Amount] - [Measures].[Tax]""#,
        r#"Amount: "1""#,
        "shop.yaml:76: Calculated member 'Amount': There are two measures 'Amount'",
    ),
    (
        r#"Net: "[Measures].[Amount] - [Measures].[Tax]""#,
        "Net: {format: 0.0}",
        "shop.yaml:76: Calculated member 'Net': The key 'formula' is missing",
    ),
    (
        r#"hierarchy: "[Store].[Store]""#,
        r#"hierarchy: "[Store].[Shops]""#,
        "shop.yaml:78: Calculated member 'North': The cube 'Retail' has no hierarchy [Store].[Shops]",
    ),
    (
        r#"BACK_COLOR: "Iif(1 = 1, 2, 3)""#,
        r#"BACK_COLOR: "Iif(""#,
        "shop.yaml:77: Calculated member 'Share': The property 'BACK_COLOR' does not parse: Query (1, 5) Parser: The end of the input was reached.",
    ),
    (
        "Best: TopCount(",
        "Best: TopCount((",
        "shop.yaml:80: Set 'Best': The formula does not parse: Query (1, 66) Parser: The end of the input was reached.",
    ),
    (
        r#"goal: "100""#,
        r#"goal: "100 +""#,
        "shop.yaml:82: KPI 'Revenue': The goal does not parse: Query (1, 6) Parser: The end of the input was reached.",
    ),
    (
        r#"Revenue: {value: "[Measures].[Amount]", "#,
        "Revenue: {",
        "shop.yaml:82: KPI 'Revenue': The key 'value' is missing",
    ),
    (
        "kind: url",
        "kind: link",
        "shop.yaml:84: Action 'Map': 'kind' is one of 'url', 'html', 'statement', 'data_set', 'rowset', 'drillthrough', not 'link'",
    ),
    (
        r#"object: "[Store].[Store].[City]", "#,
        "",
        "shop.yaml:84: Action 'Map': The hierarchy or level that it is offered on is missing",
    ),
    (
        "{Retail: [Amount, Share], Pay: all}",
        "{Retail: [Amuont], Pay: all}",
        "shop.yaml:90: Cube 'Everything': The cube 'Retail' has no measure 'Amuont'; did you mean 'Amount'?",
    ),
    (
        "{Retail: [Amount, Share], Pay: all}",
        "{Retial: [Amount], Pay: all}",
        "shop.yaml:90: Cube 'Everything': There is no cube 'Retial'; did you mean 'Retail'?",
    ),
    (
        "{Retail: [Amount, Share], Pay: all}",
        "[Retail, Retail]",
        "shop.yaml:90: Cube 'Everything': The cube 'Retail' stands twice",
    ),
    (
        "{Retail: [Amount, Share], Pay: all}",
        "{Retail: [Amount]}\n    dimensions: [Date, Employee]",
        "shop.yaml:91: Cube 'Everything': None of its cubes has a dimension 'Employee'",
    ),
    (
        "{Retail: [Amount, Share], Pay: all}",
        "{Retail: [Amount]}\n    fact: sales",
        "shop.yaml:89: Cube 'Everything': A virtual cube has no 'fact' of its own",
    ),
    (
        "  Pay:\n    fact",
        "  retail:\n    fact",
        "shop.yaml:85: Cube 'retail': There are two cubes 'retail'\nshop.yaml:90: Cube 'Everything': There is no cube 'Pay'",
    ),
];

#[test]
fn errors() {
    let mut wrong = Vec::new();
    for (find, replace, expected) in ERRORS {
        let found = match parse_yaml(&changed(find, replace), "shop.yaml") {
            Ok(_) => "no error".to_owned(),
            Err(errors) => errors.to_string(),
        };
        if found != *expected {
            wrong.push(format!("({find:?}, {replace:?}, {found:?})"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
