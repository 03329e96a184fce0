//! The statements of the conformance cases and of the recorded clients: all parse, and print to what parses to the same.

mod common;

use common::{expression, round_trip, statement};
use facetta_mdx::{mondrian_expression, mondrian_statement, parse_statement};
use facetta_model::Context;
use serde_json::Value;
use std::path::PathBuf;

/// The lines of a file of the shared material; `None` where that is not there and may lack.
fn cases(file: &str) -> Option<Vec<Value>> {
    let shared = std::env::var_os("FACETTA_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = shared.join("conformance").join(file);
    let Ok(text) = std::fs::read_to_string(&path) else {
        assert!(std::env::var("FACETTA_NO_SKIP").as_deref() != Ok("1"), "{} is missing", path.display());
        println!("skipped: {} is missing", path.display());
        return None;
    };
    Some(text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect())
}

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap_or("")
}

/// The statement of a case, made from its expression as the conformance runner makes it; `None` for kinds without one.
fn statement_of(case: &Value) -> Option<String> {
    let (kind, mdx, cube) = (text(case, "kind"), text(case, "mdx"), text(case, "cube"));
    let first = mdx.split_whitespace().next().unwrap_or("").to_ascii_lowercase();
    let expression = kind.starts_with("expr") || case["expr"] == Value::Bool(true);
    let whole = kind.starts_with("query") || kind.starts_with("parse") || ["select", "with"].contains(&first.as_str());
    match kind {
        "format" | "parse_expr" => None,
        _ if expression => {
            let mdx = mdx.replace('\'', "''");
            Some(format!(
                "with member [Measures].[Foo] as '{mdx}' select {{[Measures].[Foo]}} on columns from [{cube}]"
            ))
        }
        _ if whole => Some(mdx.to_owned()),
        _ => Some(format!("select {{{mdx}}} on columns from [{cube}]")),
    }
}

#[test]
fn every_statement_of_the_cases_parses_and_prints_to_itself() {
    let Some(cases) = cases("mdx_open.jsonl") else { return };
    let mut count = 0;
    for case in &cases {
        if text(case, "kind").ends_with("_throws") {
            continue;
        }
        let Some(statement) = statement_of(case) else { continue };
        round_trip(&statement);
        count += 1;
    }
    assert!(count > 700, "{count}");
}

#[test]
fn every_query_of_the_analysts_parses_and_prints_to_itself() {
    let Some(cases) = cases("analyst_open.jsonl") else { return };
    for case in &cases {
        round_trip(text(case, "mdx"));
    }
    assert!(cases.len() >= 300);
}

#[test]
fn what_must_not_parse_does_not() {
    let Some(cases) = cases("mdx_open.jsonl") else { return };
    // Beside the cases of the parser, two that fail for their text.
    let syntax = ["BasicQueryTest.testInvalidAxisFails#3", "TestCalculatedMembers.testCalcMemberWithQuote#4"];
    let mut count = 0;
    for case in &cases {
        if text(case, "kind") == "parse_throws" || syntax.contains(&text(case, "id")) {
            let mdx = text(case, "mdx");
            let error = parse_statement(mdx, &Context::unlimited()).expect_err(mdx);
            assert!(error.location().is_some(), "{error}");
            count += 1;
        }
    }
    assert!(count >= 5, "{count}");
}

#[test]
fn what_fails_for_its_meaning_parses() {
    let Some(cases) = cases("mdx_open.jsonl") else { return };
    let syntax = ["BasicQueryTest.testInvalidAxisFails#3", "TestCalculatedMembers.testCalcMemberWithQuote#4"];
    for case in &cases {
        let kind = text(case, "kind");
        let means = kind.ends_with("_throws") && kind != "parse_throws" && !syntax.contains(&text(case, "id"));
        if let (true, Some(statement)) = (means, statement_of(case)) {
            round_trip(&statement);
        }
    }
}

#[test]
fn prints_as_mondrian_does() {
    // What Mondrian prints there is no print of the parsed text.
    let otherwise = [
        ("ParserTest.testUnparse#1", "prints the resolved query: functions are spelled as its table spells them"),
        ("ParameterTest.testChangeable#1", "prints the resolved query: a member became another"),
        ("ParserTest.testDrillThroughExtended#1", "prints the word return twice"),
    ];
    let Some(cases) = cases("mdx_open.jsonl") else { return };
    let mut count = 0;
    for case in &cases {
        let (kind, mdx, expected) = (text(case, "kind"), text(case, "mdx"), text(case, "expected"));
        if otherwise.iter().any(|(id, _)| *id == text(case, "id")) {
            continue;
        }
        let printed = match kind {
            "parse_query" => mondrian_statement(&statement(mdx)),
            "parse_expr" => mondrian_expression(&expression(mdx)),
            _ => continue,
        };
        assert_eq!(printed.trim(), expected.trim(), "{}", text(case, "id"));
        count += 1;
    }
    assert!(count >= 25, "{count}");
}
