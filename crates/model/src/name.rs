//! Names: bracket quoting, comparison without regard to case.

use std::cmp::Ordering;

/// `name` in brackets, `]` doubled: `a]b` becomes `[a]]b]`.
pub fn quote(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 2);
    quote_into(&mut out, name);
    out
}

/// Appends `name` in brackets.
pub fn quote_into(out: &mut String, name: &str) {
    out.push('[');
    for c in name.chars() {
        out.push(c);
        if c == ']' {
            out.push(']');
        }
    }
    out.push(']');
}

/// Whether two names are the same to MDX: letters compare without regard to case.
pub fn same(a: &str, b: &str) -> bool {
    if a.is_ascii() && b.is_ascii() { a.eq_ignore_ascii_case(b) } else { fold(a) == fold(b) }
}

/// The name in the form by which it is looked up.
pub fn fold(name: &str) -> String {
    name.chars().flat_map(char::to_lowercase).collect()
}

/// Order of text: without regard to case first, then with it.
pub fn compare_text(a: &str, b: &str) -> Ordering {
    let folded = a.chars().flat_map(char::to_lowercase).cmp(b.chars().flat_map(char::to_lowercase));
    folded.then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_doubles_the_closing_bracket() {
        assert_eq!(quote("a]b"), "[a]]b]");
    }

    #[test]
    fn case_counts_only_between_equals() {
        assert_eq!(compare_text("abc", "ABD"), Ordering::Less);
        assert_eq!(compare_text("a", "A"), Ordering::Greater);
        assert!(same("Größe", "GRÖßE"));
    }
}
