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

/// Pieces that make expressions more often than not.
const OPERANDS: &[&str] =
    &["x", "[a].[b]", "f(", "{", "(", "1", "- ", "NOT ", "CASE WHEN ", "'s'", "a.b(", "@p", "EXISTING "];
const LINKS: &[&str] = &[
    " + ",
    " - ",
    ", ",
    ")",
    "}",
    " AND ",
    " = ",
    " IS EMPTY",
    ".c",
    ".&[k]",
    ".m(",
    ":",
    " AS n",
    " THEN ",
    " END",
    " WHEN ",
    " * ",
    " ^ ",
    " NOT IN ",
    " OR ",
];

fn soup(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    let piece = (prop::sample::select(pieces), prop::bool::weighted(0.8));
    prop::collection::vec(piece, 0..40).prop_map(|pieces| {
        pieces.iter().map(|(piece, space)| format!("{piece}{}", if *space { " " } else { "" })).collect()
    })
}

fn sentence() -> impl Strategy<Value = String> {
    let part = (prop::sample::select(OPERANDS), prop::sample::select(LINKS));
    prop::collection::vec(part, 1..12).prop_map(|parts| parts.iter().map(|(a, b)| format!("{a}{b}")).collect())
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
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn soups_of_tokens(text in soup(PIECES)) {
        try_all(&text);
        try_all(&format!("SELECT {text}"));
        try_all(&format!("SELECT a FROM $SYSTEM.x WHERE {text}"));
    }

    #[test]
    fn soups_of_expressions(text in sentence()) {
        try_all(&text);
        try_all(&format!("SELECT {{{text}}} ON 0 FROM c"));
        try_all(&format!("WITH MEMBER m AS '{text}' SELECT FROM c"));
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
