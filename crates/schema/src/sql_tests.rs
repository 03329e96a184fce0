//! Tests of the SQL of expressions: what each form means, what is refused, and that nothing crashes it.

use super::parse;
use proptest::prelude::*;

/// Text and meaning, in the form of [`show`].
const MEANINGS: &[(&str, &str)] = &[
    ("a", "a"),
    ("t.a", "t.a"),
    ("s.t.a", "t.a"),
    (r#""a b"."c""d""#, "a b.c\"d"),
    ("`t`.`a`", "t.a"),
    ("1", "1"),
    ("1.50", "1.50"),
    (".5e-3", ".5e-3"),
    ("'it''s'", "'it's'"),
    ("NULL", "null"),
    ("true", "true"),
    ("a + b * c - d", "((a + (b * c)) - d)"),
    ("(a + b) * c", "((a + b) * c)"),
    ("-a * b", "((-a) * b)"),
    ("- - a", "(-(-a))"),
    ("+a", "a"),
    ("a / b / c", "((a / b) / c)"),
    ("a || ' ' || b", "((a || ' ') || b)"),
    ("a + 1 || b", "((a + 1) || b)"),
    ("a = 1 OR b <> 2 AND NOT c", "((a = 1) or ((b <> 2) and (not c)))"),
    ("a != 1", "(a <> 1)"),
    ("a <= 1", "(a <= 1)"),
    ("a is null", "(a is null)"),
    ("a is not null", "(not (a is null))"),
    ("a in (1, 2)", "(a in (1, 2))"),
    ("a not in ('x')", "(not (a in ('x')))"),
    ("a between 1 and 2 and b", "(((a >= 1) and (a <= 2)) and b)"),
    ("a not between 1 and 2", "(not ((a >= 1) and (a <= 2)))"),
    ("case when a then 1 when b then 2 else 3 end", "case(a: 1, b: 2, else 3)"),
    ("case a when 1 then 'x' end", "case((a = 1): 'x')"),
    ("Upper(a)", "upper(a)"),
    ("coalesce(a, b, 0)", "coalesce(a, b, 0)"),
    ("cast(a as varchar(10))", "cast(a String)"),
    ("CAST(a AS int)", "cast(a Integer)"),
    ("year(d)", "year(d)"),
    ("a -- the column\n + 1", "(a + 1)"),
    ("upper", "upper"),
    ("größe", "größe"),
];

/// Text and the error.
const ERRORS: &[(&str, &str)] = &[
    ("", "The expression is empty"),
    ("  -- nothing", "The expression is empty"),
    ("a +", "The end where a value is expected"),
    ("a b", "'b' is not expected here"),
    ("a = = b", "'=' where a value is expected"),
    ("(a", "The end where ')' is expected"),
    ("a)", "')' is not expected here"),
    ("a.", "The end where a column is expected"),
    ("a.b.c.d", "'a.b.c.d' has more parts than schema, table and column"),
    ("'abc", "The closing ' is missing"),
    ("\"\"", "A quoted name is empty"),
    ("12abc", "'12a' is not a number"),
    ("a ? b", "The character '?' is not expected here"),
    ("a % b", "The character '%' is not expected here"),
    ("[a]", "The character '[' is not expected here"),
    ("case else 1 end", "'else' is not expected here"),
    ("case a else 1 end", "'else' where WHEN is expected"),
    ("case when a 1 end", "'1' where THEN is expected"),
    ("case when a then 1", "The end where END is expected"),
    ("a is 1", "'1' where NULL is expected"),
    ("a in ()", "')' where a value is expected"),
    ("a not like 'x'", "'like' where IN or BETWEEN is expected"),
    ("a between 1", "The end where AND is expected"),
    ("cast(a as blob)", "CAST to the type 'blob' is not supported"),
    ("cast(a)", "')' where AS is expected"),
    ("soundex(a)", "The function 'soundex' is not supported"),
    ("uper(a)", "The function 'uper' is not supported; did you mean 'upper'?"),
    ("upper(a, b)", "The function 'upper' does not take 2 arguments"),
    ("(select 1)", "A query (SELECT) is not supported in an expression"),
    ("and", "'and' is not expected here"),
];

fn show(e: &facetta_model::definition::Expression) -> String {
    use facetta_model::definition::{BinaryOperator::*, Expression::*};
    let list = |items: &[facetta_model::definition::Expression]| items.iter().map(show).collect::<Vec<_>>().join(", ");
    match e {
        Column(c) => c.table.iter().map(|t| format!("{t}.")).collect::<String>() + &c.column,
        Number(n) => n.clone(),
        Text(t) => format!("'{t}'"),
        Boolean(b) => b.to_string(),
        Null => "null".to_owned(),
        Binary(a, operator, b) => {
            let operator = match operator {
                Add => "+",
                Subtract => "-",
                Multiply => "*",
                Divide => "/",
                Concat => "||",
                Equal => "=",
                NotEqual => "<>",
                Less => "<",
                LessOrEqual => "<=",
                Greater => ">",
                GreaterOrEqual => ">=",
                And => "and",
                Or => "or",
            };
            format!("({} {operator} {})", show(a), show(b))
        }
        Not(x) => format!("(not {})", show(x)),
        Negate(x) => format!("(-{})", show(x)),
        IsNull(x) => format!("({} is null)", show(x)),
        Case { branches, otherwise } => {
            let mut parts: Vec<String> = branches.iter().map(|(c, v)| format!("{}: {}", show(c), show(v))).collect();
            parts.extend(otherwise.iter().map(|x| format!("else {}", show(x))));
            format!("case({})", parts.join(", "))
        }
        In(x, items) => format!("({} in ({}))", show(x), list(items)),
        Cast(x, data_type) => format!("cast({} {data_type:?})", show(x)),
        Call(name, arguments) => format!("{name}({})", list(arguments)),
    }
}

#[test]
fn meanings() {
    for (text, expected) in MEANINGS {
        let expression = parse(text).unwrap_or_else(|e| panic!("{text}: {}", e.message));
        assert_eq!(show(&expression), *expected, "{text}");
    }
}

#[test]
fn errors() {
    for (text, expected) in ERRORS {
        let error = parse(text).expect_err(text);
        assert_eq!(error.message, *expected, "{text}");
    }
}

#[test]
fn errors_tell_the_line() {
    assert_eq!(parse("a\n+\n?").map_err(|e| e.line), Err(2));
}

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused(text in "\\PC{0,60}") {
        let _ = parse(&text);
    }

    #[test]
    fn any_words_are_parsed_or_refused(words in prop::collection::vec("case|when|then|else|end|[a-c]|1|'x'|\\(|\\)|,|\\+|-|not|in|between|and|is|null|cast|as|upper|\\.", 0..40)) {
        let _ = parse(&words.join(" "));
    }
}
