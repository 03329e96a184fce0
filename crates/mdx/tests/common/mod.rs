//! What the tests share: parsing without limits, trees without spans, round trips.
#![allow(dead_code)]

use facetta_mdx::ast::{Expression, Statement};
use facetta_mdx::{parse_expression, parse_script, parse_statement};
use facetta_model::Context;

pub(crate) fn statement(text: &str) -> Statement {
    parse_statement(text, &Context::unlimited()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

pub(crate) fn expression(text: &str) -> Expression {
    parse_expression(text, &Context::unlimited()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The tree as text, spans left out.
pub(crate) fn shape(tree: &impl std::fmt::Debug) -> String {
    let debug = format!("{tree:?}");
    let mut pieces = debug.split("Span { start: ");
    let mut out = pieces.next().unwrap_or("").to_owned();
    for piece in pieces {
        out.push_str(piece.split_once('}').map_or(piece, |(_, rest)| rest));
    }
    out
}

/// Checks that the printed tree parses to the same tree and prints the same again.
pub(crate) fn round_trip(text: &str) {
    let tree = parse_script(text, &Context::unlimited()).unwrap_or_else(|error| panic!("{error}\n{text}"));
    for statement in &tree {
        let printed = statement.to_string();
        let again = parse_script(&printed, &Context::unlimited())
            .unwrap_or_else(|error| panic!("{error}\n{printed}\nprinted from\n{text}"));
        assert_eq!(again.len(), 1, "{printed}");
        assert_eq!(shape(statement), shape(&again[0]), "{printed}\nprinted from\n{text}");
        assert_eq!(printed, again[0].to_string());
    }
}
