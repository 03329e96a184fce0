//! Definitions that mean harm end in an error that says what is too much, quickly and without a crash.

use facetta_schema::parse_yaml;
use proptest::prelude::*;

fn cases() -> Vec<(&'static str, String, &'static str)> {
    let bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]";
    vec![
        ("is large", " ".repeat(10 << 20), "larger than 8 MiB"),
        ("has anchors", bomb.to_owned(), "Anchors (&name) are not supported"),
        ("has aliases", "a: *b".to_owned(), "unknown anchor"),
        ("has tags", "a: !!binary aGk=".to_owned(), "Tags (!name) are not supported"),
        ("is deep", "[".repeat(100_000), "recursion limit exceeded"),
        ("is deep in maps", (0..200).map(|i| format!("{:i$}a:\n", "")).collect(), "nest more than 32 deep"),
        ("has many values", format!("a: [{}]", "1,".repeat(300_000)), "more than 200000 values"),
        ("has many keys", (0..6_000).map(|i| format!("k{i}: 1\n")).collect(), "more than 5000 keys"),
        ("has many wrong keys", (0..4_000).map(|i| format!("k{i}: 1\n")).collect(), "more errors"),
        ("has two documents", "catalog: a\n---\ncatalog: b\n".to_owned(), "second document"),
        ("is empty", String::new(), "holds no definition"),
        ("is a comment", "# nothing".to_owned(), "holds no definition"),
        ("is a text", "just text".to_owned(), "Expected a map"),
        ("is a list", "- a\n- b".to_owned(), "Expected a map"),
        ("has a list for a key", "? [a, b]\n: c".to_owned(), "A key is a text"),
        ("is not closed", "catalog: \"abc".to_owned(), "not well formed"),
        ("is indented wrongly", "a: 1\n  b: 2".to_owned(), "not well formed"),
        ("is binary", "\u{0}\u{1}\u{2}".to_owned(), "bad.yaml"),
    ]
}

#[test]
fn hostile_definitions_are_errors() {
    for (what, text, expected) in cases() {
        let errors = parse_yaml(&text, "bad.yaml").expect_err(what).to_string();
        assert!(errors.contains(expected), "{what}: {}", errors.chars().take(300).collect::<String>());
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(\\PC|\n|  |: |- ){0,80}") {
        let _ = facetta_schema::parse(&text, "any");
    }
}
