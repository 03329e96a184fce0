//! Random text never breaks the parser, and what parses prints to what parses to the same tree.

mod common;

use common::{round_trip, shape};
use facetta_mdx::{classify, mondrian_statement, parse_expression, parse_script, parse_statement};
use facetta_model::Context;
use proptest::prelude::*;

/// Pieces of which soups are made: every keyword, every kind of token, and broken ones.
const PIECES: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "WITH",
    "MEMBER",
    "SET",
    "AS",
    "ON",
    "COLUMNS",
    "ROWS",
    "AXIS",
    "NON",
    "EMPTY",
    "HAVING",
    "DIMENSION",
    "PROPERTIES",
    "CELL",
    "CALCULATION",
    "CACHE",
    "VISUAL",
    "DRILLTHROUGH",
    "MAXROWS",
    "RETURN",
    "CREATE",
    "SESSION",
    "DYNAMIC",
    "SUBCUBE",
    "KPI",
    "DROP",
    "ALTER",
    "CUBE",
    "UPDATE",
    "DEFAULT_MEMBER",
    "REFRESH",
    "CALL",
    "BEGIN",
    "COMMIT",
    "TRAN",
    "SCOPE",
    "END",
    "IF",
    "THEN",
    "ELSE",
    "FREEZE",
    "this",
    "CASE",
    "WHEN",
    "CAST",
    "NULL",
    "AND",
    "OR",
    "XOR",
    "NOT",
    "IS",
    "IN",
    "MATCHES",
    "EXISTING",
    "$SYSTEM",
    "SYSTEMRESTRICTSCHEMA",
    "TOP",
    "DISTINCT",
    "JOIN",
    "LEFT",
    "GROUP",
    "ORDER",
    "BY",
    "LIKE",
    "COUNT",
    "USE_WEIGHTED_ALLOCATION",
    "FOR",
    "x",
    "y.z",
    "[a]",
    "[b]",
    "[a]]b]",
    "&[k]",
    "&k",
    "'s'",
    "'a + ''b'''",
    "\"t\"",
    "1",
    "2.5",
    ".5",
    "1e3",
    "@p",
    "é",
    ",",
    ".",
    ";",
    ":",
    "!",
    "(",
    ")",
    "{",
    "}",
    "+",
    "-",
    "*",
    "/",
    "^",
    "||",
    "=",
    "<>",
    "<",
    "<=",
    ">",
    ">=",
    "--c\n",
    "/*c*/",
    "#",
    "[",
    "'",
    "\"",
];

fn soup(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    let piece = (prop::sample::select(pieces), prop::bool::weighted(0.8));
    prop::collection::vec(piece, 0..40).prop_map(|pieces| {
        pieces.iter().map(|(piece, space)| format!("{piece}{}", if *space { " " } else { "" })).collect()
    })
}

/// Text of an expression that parses, with operators in any order.
fn expression() -> impl Strategy<Value = String> {
    const LEAVES: &[&str] = &[
        "x",
        "[a].[b]",
        "[a].&[1]&k.Children",
        "Time.Order.On",
        "1",
        "2.5",
        ".5e-3",
        "9e30",
        "'it''s'",
        "\"a\"\"b\"",
        "@p",
        "NULL",
        "f()",
        "VBA!g(1)",
        "{}",
        "()",
        "h(,1,)",
        "[]",
    ];
    const SIGNS: &[&str] = &["", "", "", "-", "+", "- -", "EXISTING"];
    const OPERATORS: &[&str] = &[
        "+",
        "-",
        "*",
        "/",
        " ^ ",
        "||",
        ":",
        "=",
        "<>",
        "<",
        "<=",
        ">",
        ">=",
        " AND ",
        " or ",
        " XOR ",
        " IN ",
        " not in ",
        " MATCHES ",
        " NOT MATCHES ",
        " IS ",
        " AND NOT ",
        " or not/**/not ",
        " : NOT ",
        " IS EMPTY = ",
        " IS EMPTY or ",
    ];
    const AFTER: &[&str] = &["", "", ".p", ".[q]", ".&[k]", ".m(1)", ".Item(0).Name"];
    let link = || (prop::sample::select(OPERATORS), prop::sample::select(SIGNS), prop::sample::select(AFTER));
    prop::sample::select(LEAVES).prop_map(str::to_owned).prop_recursive(6, 64, 4, move |inner| {
        let many = prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            3 => prop::collection::vec((link(), inner.clone()), 1..5).prop_map(chain),
            1 => many.clone().prop_map(|items| format!("({})", items.join(","))),
            1 => many.clone().prop_map(|items| format!("{{{}}}", items.join(" AS n, "))),
            1 => many.clone().prop_map(|items| format!("f({}).m({})", items.join(","), items.join(",,"))),
            1 => (inner.clone(), many).prop_map(|(e, items)| {
                let branches: Vec<String> = items.iter().map(|item| format!("WHEN {item} THEN {e}")).collect();
                format!("CASE {e} {} ELSE {e} END", branches.join(" "))
            }),
            1 => inner.clone().prop_map(|e| format!("NOT EXISTING ({e}) IS NULL IS EMPTY")),
            1 => inner.prop_map(|e| format!("CAST({e} AS NUMERIC)")),
        ]
    })
}

/// Operands in parentheses with operators between them, a sign before and steps after some.
fn chain(parts: Vec<((&str, &str, &str), String)>) -> String {
    let mut text = String::new();
    for (i, ((operator, sign, after), part)) in parts.iter().enumerate() {
        let operator = if i == 0 { "" } else { operator };
        let sign = if *sign == "EXISTING" { "EXISTING " } else { sign };
        text += &format!("{operator} {sign}({part}){after}");
    }
    text
}

/// Text of a DMV's condition that parses.
fn condition() -> impl Strategy<Value = String> {
    const LEAVES: &[&str] = &[
        "a",
        "NOT b",
        "[c] = 1",
        "t.d <> 'x'",
        "1.5 >= e",
        "f LIKE '%'",
        "g NOT LIKE @p",
        "h IN (1, -2, NULL)",
        "i NOT IN ('x')",
        "j IS NULL",
        "k IS NOT NULL",
        "TRUE",
        "COUNT(*) > 1",
        "MAX(DISTINCT l) = -1e300",
        "$SYSTEM.t.m = \"n\"",
    ];
    prop::sample::select(LEAVES).prop_map(str::to_owned).prop_recursive(5, 32, 3, |inner| {
        let many = prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            many.clone().prop_map(|parts| parts.join(" AND ")),
            many.prop_map(|parts| parts.join(" or ")),
            inner.clone().prop_map(|condition| format!("NOT ({condition})")),
            inner.prop_map(|condition| format!("({condition})")),
        ]
    })
}

/// Parses `text` in every way; what parses must round-trip.
fn try_all(text: &str) {
    let context = Context::unlimited();
    classify(text);
    if let Ok(statement) = parse_statement(text, &context) {
        mondrian_statement(&statement);
    }
    match parse_script(text, &context) {
        Ok(_) => round_trip(text),
        Err(error) => assert!(error.location().is_some(), "{error}"),
    }
    if let Ok(tree) = parse_expression(text, &context) {
        let printed = tree.to_string();
        let again = parse_expression(&printed, &context).unwrap_or_else(|error| panic!("{error}\n{printed}\n{text}"));
        assert_eq!(shape(&tree), shape(&again), "{printed}\n{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn soups_of_tokens(text in soup(PIECES)) {
        try_all(&text);
        try_all(&format!("SELECT {text}"));
        try_all(&format!("SELECT a FROM $SYSTEM.x WHERE {text}"));
    }

    #[test]
    fn expressions(text in expression(), other in expression()) {
        let context = Context::unlimited();
        let tree = parse_expression(&text, &context).unwrap_or_else(|error| panic!("{error}\n{text}"));
        prop_assert_eq!(shape(&tree), shape(&parse_expression(&tree.to_string(), &context).unwrap()), "{}", text);
        round_trip(&format!(
            "WITH MEMBER m AS '{}', P = {other} SET s AS {{{text}}} SELECT ({other}) HAVING {text} ON 0 FROM c WHERE {{{text}}}",
            text.replace('\'', "''")
        ));
        round_trip(&format!("({text}) = {other}; UPDATE CUBE c SET ({text}) = {other} USE_WEIGHTED_ALLOCATION BY {text}"));
    }

    #[test]
    fn conditions(text in condition(), other in condition()) {
        round_trip(&format!(
            "SELECT a AS b, SUM(c) FROM $SYSTEM.x y LEFT JOIN $SYSTEM.z ON {other} WHERE {text} GROUP BY a ORDER BY a DESC"
        ));
    }

    #[test]
    fn any_characters(text in any::<String>()) {
        try_all(&text);
    }

    #[test]
    fn statements_with_a_hole(cut in 0usize..400, length in 0usize..6, with in prop::sample::select(PIECES)) {
        let text = "WITH MEMBER [M].[x] AS 'CASE [a].CurrentMember WHEN ''b'' THEN -1.5e3 ELSE Sum({[c]:[d]}, [e]) END', \
                    FORMAT_STRING = \"#,#\" SET s AS {([f].&[1]&[2], [g].Levels(1).Item(0))} SELECT NON EMPTY Generate(s AS t, \
                    t.Current * -{[h]}) HAVING [m] IS EMPTY DIMENSION PROPERTIES P ON AXIS(0) FROM (SELECT {[i]} ON 0 \
                    FROM [j]) WHERE ([k], [l]) CELL PROPERTIES VALUE";
        let cut = cut.min(text.len());
        let end = (cut + length).min(text.len());
        try_all(&format!("{}{with}{}", &text[..cut], &text[end..]));
    }
}
