//! What names say: keys, parents, parts of dates, prices; and names in words.

use crate::yaml::in_words;
use facetta_model::definition::LevelKind;

const KEY_ENDINGS: &[&str] = &["_id", "_key", "_code", "_no", "_nr", "_sk", "_fk", "_number", "key", "id"];

/// A column name in lower case without a prefix of a few letters (`lo_custkey`) and without the ending of a key.
pub(super) fn stem(column: &str) -> String {
    let lower = spaced(column);
    let short = lower.split_once('_').filter(|(prefix, rest)| prefix.len() <= 3 && is_key(rest) && !rest.is_empty());
    let lower = short.map_or(lower.as_str(), |(_, rest)| rest);
    let ending = KEY_ENDINGS.iter().find(|e| lower.ends_with(*e) && lower.len() > e.len());
    let stem = ending.map_or(lower, |e| &lower[..lower.len() - e.len()]);
    stem.trim_end_matches('_').to_owned()
}

/// Lower case, with `_` between words: `OrderDate` is `order_date`.
fn spaced(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut before_lower = false;
    for c in name.chars() {
        if c.is_uppercase() && before_lower {
            out.push('_');
        }
        before_lower = c.is_lowercase() || c.is_numeric();
        if c == ' ' || c == '-' || c == '.' { out.push('_') } else { out.extend(c.to_lowercase()) }
    }
    out
}

/// Whether a name is that of a key.
pub(super) fn is_key(column: &str) -> bool {
    let lower = spaced(column);
    matches!(lower.as_str(), "id" | "key" | "code")
        || KEY_ENDINGS.iter().any(|e| lower.ends_with(e) && (e.starts_with('_') || *e == "key"))
}

/// Whether a name is that of a member's parent in the same table.
pub(super) fn is_parent(column: &str) -> bool {
    let lower = spaced(column);
    ["parent", "manager", "supervisor", "boss", "reports_to", "superior"].iter().any(|w| lower.contains(w))
}

/// Whether numbers of this name are to be averaged, not added up.
pub(super) fn is_rate(column: &str) -> bool {
    let lower = spaced(column);
    let words = ["price", "rate", "percent", "pct", "ratio", "age", "temperature", "score", "discount_percent"];
    lower.split('_').any(|word| words.contains(&word))
}

/// The part of a date that a name tells; of several the finest, as in `month_of_year`.
pub(super) fn date_part(column: &str) -> Option<LevelKind> {
    let lower = spaced(column);
    let kinds = [
        ("date", LevelKind::TimeDays),
        ("day", LevelKind::TimeDays),
        ("week", LevelKind::TimeWeeks),
        ("month", LevelKind::TimeMonths),
        ("quarter", LevelKind::TimeQuarters),
        ("year", LevelKind::TimeYears),
    ];
    let found = kinds.iter().find(|(word, _)| lower.split('_').any(|w| w == *word));
    // Words that are written together: `lo_orderdate`, `d_yearmonthnum`.
    let together =
        || kinds.iter().find(|(word, _)| word.len() > 3 && lower.contains(word) && !lower.contains("update"));
    found.or_else(together).map(|(_, kind)| *kind)
}

/// A name in words: `store_city` is `Store City`, without a prefix of a letter or two as in `d_year`.
pub(super) fn words(name: &str) -> String {
    let name = name.split_once('_').filter(|(p, rest)| p.len() <= 2 && rest.len() > 2).map_or(name, |(_, rest)| rest);
    let words = in_words(&spaced(name));
    if words.is_empty() { name.to_owned() } else { words }
}

/// The name of one row of a table: `stores` is `Store`, `product_categories` is `Product Category`.
pub(super) fn singular(table: &str) -> String {
    let words = in_words(&spaced(table));
    let words = words.strip_prefix("Dim ").unwrap_or(&words);
    let words = words.strip_suffix(" Dim").or(words.strip_suffix(" Dimension")).unwrap_or(words);
    if let Some(start) = words.strip_suffix("ies") {
        format!("{start}y")
    } else if words.ends_with('s') && !words.ends_with("ss") && !words.ends_with("us") && words.len() > 3 {
        words[..words.len() - 1].to_owned()
    } else {
        words.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_understood() {
        for (column, expected) in [
            ("store_id", "store"),
            ("lo_custkey", "cust"),
            ("c_custkey", "cust"),
            ("CustomerID", "customer"),
            ("id", "id"),
            ("date_key", "date"),
            ("amount", "amount"),
        ] {
            assert_eq!(stem(column), expected, "{column}");
        }
        for (table, expected) in [("stores", "Store"), ("time_by_day", "Time By Day"), ("categories", "Category")] {
            assert_eq!(singular(table), expected, "{table}");
        }
        assert_eq!(date_part("the_year"), Some(LevelKind::TimeYears));
        assert_eq!(date_part("d_yearmonthnum"), Some(LevelKind::TimeMonths));
        assert_eq!(date_part("lo_orderdate"), Some(LevelKind::TimeDays));
        assert_eq!(date_part("month_of_year"), Some(LevelKind::TimeMonths));
        assert_eq!((date_part("holiday"), date_part("updates"), date_part("days_open")), (None, None, None));
        assert!(is_key("order_id") && is_key("lo_custkey") && !is_key("paid") && !is_key("monkeys"));
        assert!(is_rate("unit_price") && !is_rate("wages"));
    }
}
