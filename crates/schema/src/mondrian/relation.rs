//! Tables, joins, inline tables and SQL expressions.

use super::xml::Element;
use crate::check::aliases;
use crate::error::Problems;
use crate::sql;
use facetta_model::definition::{ColumnRef, DataType, Expression, Relation};

/// The dialect of `<SQL>` that is read (spec/decisions.md, Roles in a loaded schema).
const DIALECT: &str = "generic";

/// The relation elements among the children.
pub(super) fn relations(parent: &Element) -> impl Iterator<Item = &Element> {
    parent.children.iter().filter(|c| matches!(c.name.as_str(), "Table" | "Join" | "InlineTable" | "View"))
}

/// A table, join or inline table. A view has been refused by the table of elements.
pub(super) fn relation(element: &Element, problems: &mut Problems) -> Option<Relation> {
    match element.name.as_str() {
        "Table" => table(element, problems),
        "Join" => join(element, problems),
        "InlineTable" => inline_table(element, problems),
        _ => None,
    }
}

fn table(element: &Element, problems: &mut Problems) -> Option<Relation> {
    let name = element.text_of("name")?;
    let alias = element.text_of("alias").unwrap_or_else(|| name.clone());
    let filter = if element.first("SQL").is_some() { Some(generic_sql(element, problems)?) } else { None };
    Some(Relation::Table { name, alias, filter })
}

fn join(element: &Element, problems: &mut Problems) -> Option<Relation> {
    let sides: Vec<&Element> = relations(element).collect();
    let [left, right] = sides[..] else {
        problems.add(element.line, element.label(), format!("A join has two sides, not {}", sides.len()));
        return None;
    };
    let (left, right) = (relation(left, problems), relation(right, problems));
    let (left, right) = (left?, right?);
    let left_key = join_key(element, "leftKey", "leftAlias", &left, problems);
    let right_key = join_key(element, "rightKey", "rightAlias", &right, problems);
    Some(Relation::Join { left_key: left_key?, right_key: right_key?, left: Box::new(left), right: Box::new(right) })
}

/// One key of a join. The alias is needed where a side is a join itself.
fn join_key(element: &Element, key: &str, alias: &str, side: &Relation, problems: &mut Problems) -> Option<ColumnRef> {
    let column = element.text_of(key)?;
    let aliases = aliases(side);
    let table = match element.get(alias) {
        Some(table) if aliases.contains(&table) => table,
        Some(table) => {
            let message = format!("The {alias} '{table}' names no table on that side");
            problems.add(element.line, element.label(), message);
            return None;
        }
        None => match aliases[..] {
            [only] => only,
            // The nearest table of the other side's join is what Mondrian takes: the left one on the left.
            [first, ..] if alias == "rightAlias" => first,
            [.., last] => last,
            [] => return None,
        },
    };
    Some(ColumnRef { table: Some(table.to_owned()), column })
}

fn inline_table(element: &Element, problems: &mut Problems) -> Option<Relation> {
    let Some(alias) = element.text_of("alias") else {
        problems.add(element.line, element.label(), "An inline table needs an alias");
        return None;
    };
    let mut columns = Vec::new();
    for column in element.all("ColumnDefs").flat_map(|defs| defs.all("ColumnDef")) {
        let data_type = data_type(column, "type", problems).unwrap_or(DataType::String);
        columns.push((column.text_of("name")?, data_type));
    }
    if columns.is_empty() {
        problems.add(element.line, element.label(), "An inline table needs columns (ColumnDefs)");
    }
    let mut rows = Vec::new();
    for row in element.all("Rows").flat_map(|rows| rows.all("Row")) {
        let mut values = vec![None; columns.len()];
        for value in row.all("Value") {
            let name = value.get("column").unwrap_or_default();
            match columns.iter().position(|(column, _)| column == name) {
                Some(index) => values[index] = Some(value.text.trim().to_owned()),
                None => problems.add(value.line, value.label(), format!("The column '{name}' is not defined")),
            }
        }
        rows.push(values);
    }
    Some(Relation::Inline { alias, columns, rows })
}

/// The type that an attribute names; `None` if it is not there.
pub(super) fn data_type(element: &Element, attribute: &str, problems: &mut Problems) -> Option<DataType> {
    match element.get(attribute)? {
        "String" => Some(DataType::String),
        "Numeric" => Some(DataType::Numeric),
        "Integer" => Some(DataType::Integer),
        "Boolean" => Some(DataType::Boolean),
        "Date" => Some(DataType::Date),
        "Timestamp" => Some(DataType::DateTime),
        "Time" => {
            let message = format!("The {attribute} 'Time' (a time of day) is not supported");
            problems.add(element.line, element.label(), message);
            None
        }
        // The table of elements has refused it.
        _ => None,
    }
}

/// The expression in the `<SQL>` children: that of the dialect `generic`.
pub(super) fn generic_sql(parent: &Element, problems: &mut Problems) -> Option<Expression> {
    let is_generic = |e: &&Element| e.get("dialect").is_none_or(|d| d.trim().eq_ignore_ascii_case(DIALECT));
    let Some(sql) = parent.all("SQL").find(is_generic) else {
        let dialects: Vec<&str> = parent.all("SQL").filter_map(|e| e.get("dialect")).collect();
        let message = if dialects.is_empty() {
            "It holds no SQL expression".to_owned()
        } else {
            format!(
                "There is no SQL of dialect '{DIALECT}', which is the one that is read; given: {}",
                dialects.join(", ")
            )
        };
        problems.add(parent.line, parent.label(), message);
        return None;
    };
    match sql::parse(&sql.text) {
        Ok(expression) => Some(expression),
        Err(error) => {
            let line = sql.line + error.line;
            problems.add(line, parent.label(), format!("SQL: {}", error.message));
            None
        }
    }
}

/// A column given by an attribute, or an expression given by a child element; the element wins.
pub(super) fn column_or_expression(
    element: &Element,
    attribute: &str,
    child: &str,
    table: Option<&str>,
    problems: &mut Problems,
) -> Option<Expression> {
    if let Some(expression) = element.first(child) {
        return generic_sql(expression, problems);
    }
    let column = element.text_of(attribute)?;
    Some(Expression::Column(ColumnRef { table: table.map(str::to_owned), column }))
}
