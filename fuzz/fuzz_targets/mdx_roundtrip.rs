//! Statements: what is printed is parsed again, and printed the same.
#![no_main]

use facetta_mdx::parse_statement;
use facetta_model::Context;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let context = Context::new(64 << 20, None);
    if let Ok(statement) = parse_statement(text, &context) {
        let printed = statement.to_string();
        let again = parse_statement(&printed, &context).expect("what was printed can be parsed");
        assert_eq!(printed, again.to_string());
    }
});
