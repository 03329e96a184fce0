//! Schemas that mean harm end in an error that says what is too much, quickly and without a crash.

use facetta_schema::parse_mondrian;

/// What the schema does, its text, and a part of the error.
fn cases() -> Vec<(&'static str, String, &'static str)> {
    let entities = "<!DOCTYPE s [<!ENTITY a \"aaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;\">]><Schema name=\"&b;\"/>";
    let inside = |inner: &str| format!("<Schema name='S'>{inner}</Schema>");
    let sql = |text: &str| {
        inside(&format!(
            "<Dimension name='D'><Hierarchy hasAll='true' primaryKey='k'><Table name='t'/><Level name='L'><KeyExpression><SQL>{text}</SQL></KeyExpression></Level></Hierarchy></Dimension>"
        ))
    };
    let many_attributes: String = (0..100).map(|i| format!(" a{i}='x'")).collect();
    vec![
        ("is large", inside(&" ".repeat(10 << 20)), "larger than 8 MiB"),
        ("has entities", entities.to_owned(), "DOCTYPE"),
        ("uses an entity", inside("&a;"), "The entity '&a;' is not known"),
        ("uses an entity in an attribute", "<Schema name='&a;'/>".to_owned(), "Attribute 'name' of 'Schema'"),
        ("is deep", "<Schema name='S'>".to_owned() + &"<Join>".repeat(100_000), "nest more than 64 deep"),
        ("has many elements", inside(&"<x/>".repeat(300_000)), "more than 200000 elements"),
        ("has many attributes", format!("<Schema name='S'{many_attributes}/>"), "more than 64 attributes"),
        ("has many errors", inside(&"<Cub name='x'/>".repeat(100_000)), "and 99900 more errors"),
        ("is no XML", "<Schema <".to_owned(), "not well formed"),
        ("is cut", "<Schema name='S'".to_owned(), "not well formed"),
        ("closes wrongly", "<Schema name='S'></Cube>".to_owned(), "not well formed"),
        ("is empty", "<?xml version='1.0'?>".to_owned(), "holds no element"),
        ("has another root", "<Cube name='S'/>".to_owned(), "the root element is 'Cube'"),
        ("nests parentheses", sql(&"(".repeat(100_000)), "nests more than 64 deep"),
        ("nests signs", sql(&"- ".repeat(100_000)), "nests more than 64 deep"),
        ("nests NOT", sql(&"not ".repeat(100_000)), "nests more than 64 deep"),
        ("has a long sum", sql(&("1".to_owned() + &"+1".repeat(100_000))), "more than 1000 parts"),
        ("doubles", sql(&("a".to_owned() + &" between 1 and 2".repeat(60))), "more than 1000 parts"),
        ("has a long list", sql(&("a in (1".to_owned() + &",1".repeat(100_000) + ")")), "more than 1000 parts"),
    ]
}

#[test]
fn hostile_schemas_are_errors() {
    for (what, text, expected) in cases() {
        let errors = parse_mondrian(&text, "bad.xml").expect_err(what).to_string().to_lowercase();
        assert!(errors.contains(&expected.to_lowercase()), "{what}: {}", errors.chars().take(300).collect::<String>());
    }
}

#[test]
fn a_formula_may_not_nest_without_end() {
    let formula = "(".repeat(50_000);
    let text = crate::changed("[Store].Members", &formula);
    assert!(parse_mondrian(&text, "bad.xml").is_err());
}
