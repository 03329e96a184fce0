//! Bad statements: the message and the place of each, and the limits on nesting, memory and time.

mod common;

use common::{expression, round_trip};
use facetta_mdx::{MAX_HEIGHT, StatementClass, classify, parse, parse_expression, parse_script, parse_statement};
use facetta_model::{CancelReason, Context, ErrorKind, Result};

/// Statements, each with line, column and message of its error, as the client sees them after `Query` (`Parser:` left out).
const BAD: &[(&str, &str)] = &[
    ("", "(1, 1) The end of the input was reached."),
    ("  -- nothing", "(1, 13) The end of the input was reached."),
    (";", "(1, 1) The syntax for ';' is incorrect."),
    ("foo", "(1, 1) The syntax for 'foo' is incorrect."),
    ("foo bar", "(1, 1) The syntax for 'foo' is incorrect."),
    ("123", "(1, 1) The syntax for '123' is incorrect."),
    ("EVALUATE 'x'", "(1, 1) The syntax for 'EVALUATE' is incorrect."),
    ("<Cancel/>", "(1, 1) The syntax for '<' is incorrect."),
    ("select", "(1, 7) The end of the input was reached."),
    ("select from", "(1, 12) The end of the input was reached."),
    ("select from where", "(1, 13) The syntax for 'where' is incorrect."),
    ("select [member] on axes(0) from sales", "(1, 20) The syntax for 'axes' is incorrect."),
    ("select a on slicer from c", "(1, 13) The syntax for 'slicer' is incorrect."),
    ("select a, b on 0 from c", "(1, 9) The syntax for ',' is incorrect."),
    ("select a on 0 b on 1 from c", "(1, 15) The syntax for 'b' is incorrect."),
    ("select a on 0, from c", "(1, 16) The syntax for 'from' is incorrect."),
    ("select on 0 from c", "(1, 8) The syntax for 'on' is incorrect."),
    ("select a from c", "(1, 10) The syntax for 'from' is incorrect."),
    ("select a on -1 from c", "(1, 13) The syntax for '-' is incorrect."),
    ("select a on 1.5 from c", "(1, 13) The syntax for '1.5' is incorrect."),
    ("select a on 128 from c", "(1, 13) The syntax for '128' is incorrect."),
    ("select a on 99999999999999999999 from c", "(1, 13) The syntax for '99999999999999999999' is incorrect."),
    ("select a on axis(x) from c", "(1, 18) The syntax for 'x' is incorrect."),
    ("select a on axis 0 from c", "(1, 18) The syntax for '0' is incorrect."),
    ("select non empty on 0 from c", "(1, 18) The syntax for 'on' is incorrect."),
    ("select {a on 0 from c", "(1, 11) The syntax for 'on' is incorrect."),
    ("select {a,} on 0 from c", "(1, 11) The syntax for '}' is incorrect."),
    ("select {,a} on 0 from c", "(1, 9) The syntax for ',' is incorrect."),
    ("select (a,b} on 0 from c", "(1, 12) The syntax for '}' is incorrect."),
    ("select a) on 0 from c", "(1, 9) The syntax for ')' is incorrect."),
    ("select a.on 0 from c", "(1, 13) The syntax for '0' is incorrect."),
    ("select a. on 0 from c", "(1, 14) The syntax for '0' is incorrect."),
    ("select a..b on 0 from c", "(1, 10) The syntax for '.' is incorrect."),
    ("select &[a] on 0 from c", "(1, 8) The syntax for '&[a]' is incorrect."),
    ("select [a]&[b] on 0 from c", "(1, 11) The syntax for '&[b]' is incorrect."),
    ("select a having on 0 from c", "(1, 17) The syntax for 'on' is incorrect."),
    ("select a dimension properties on 0 from c", "(1, 31) The syntax for 'on' is incorrect."),
    ("select a dimension on 0 from c", "(1, 10) The syntax for 'dimension' is incorrect."),
    ("select f(a b) on 0 from c", "(1, 12) The syntax for 'b' is incorrect."),
    ("select f(a, from c", "(1, 13) The syntax for 'from' is incorrect."),
    ("select x!y on 0 from c", "(1, 12) The syntax for 'on' is incorrect."),
    ("select 1 + on 0 from c", "(1, 12) The syntax for 'on' is incorrect."),
    ("select 1 + * 2 on 0 from c", "(1, 12) The syntax for '*' is incorrect."),
    ("select a as on 0 from c", "(1, 13) The syntax for 'on' is incorrect."),
    ("select a as 1 on 0 from c", "(1, 13) The syntax for '1' is incorrect."),
    ("select a and on 0 from c", "(1, 14) The syntax for 'on' is incorrect."),
    ("select a is not null on 0 from c", "(1, 13) The syntax for 'not' is incorrect."),
    ("select a = not b on 0 from c", "(1, 12) The syntax for 'not' is incorrect."),
    ("select - not b on 0 from c", "(1, 10) The syntax for 'not' is incorrect."),
    ("select a is empty + 1 on 0 from c", "(1, 19) The syntax for '+' is incorrect."),
    ("select case when 1 then on 0 from c", "(1, 25) The syntax for 'on' is incorrect."),
    ("select case a else 1 end on 0 from c", "(1, 15) The syntax for 'else' is incorrect."),
    ("select case when a then b on 0 from c", "(1, 27) The syntax for 'on' is incorrect."),
    ("select cast(a) on 0 from c", "(1, 14) The syntax for ')' is incorrect."),
    ("select cast(a as 1) on 0 from c", "(1, 18) The syntax for '1' is incorrect."),
    ("select {} on 0 from c where", "(1, 28) The end of the input was reached."),
    ("select {} on 0 from c where a b", "(1, 31) The syntax for 'b' is incorrect."),
    ("select {} on 0 from c cell", "(1, 23) The syntax for 'cell' is incorrect."),
    ("select {} on 0 from c cell properties", "(1, 38) The end of the input was reached."),
    ("select {} on 0 from c cell properties a,", "(1, 41) The end of the input was reached."),
    ("select {} on 0 from 'c'", "(1, 21) The syntax for ''c'' is incorrect."),
    ("select {} on 0 from (c)", "(1, 22) The syntax for 'c' is incorrect."),
    ("select {} on 0 from (select a on 0 from c", "(1, 42) The end of the input was reached."),
    ("select {} on 0 from (with set s as a select s on 0 from c)", "(1, 22) The syntax for 'with' is incorrect."),
    ("select {} on 0 from c; select {} on 0 from c", "(1, 24) The syntax for 'select' is incorrect."),
    ("select __Foo on 0\nfrom _Bar#Baz", "(2, 10) The syntax for '#' is incorrect."),
    ("select [a\n on 0 from c", "(1, 8) The name that starts here has no closing bracket."),
    ("select 'a\n on 0 from c", "(1, 8) The string that starts here has no closing quote."),
    ("select \"a on 0 from c", "(1, 8) The string that starts here has no closing quote."),
    ("select a /* on 0 from c", "(1, 10) The comment that starts here is not closed."),
    ("/* a simple /* nested */ comment */ select {} on 0 from c", "(1, 26) The syntax for 'comment' is incorrect."),
    ("select é €  on 0 from c", "(1, 10) The syntax for '€' is incorrect."),
    ("select @ on 0 from c", "(1, 8) The syntax for '@' is incorrect."),
    ("select a ? b on 0 from c", "(1, 10) The syntax for '?' is incorrect."),
    ("with select a on 0 from c", "(1, 6) The syntax for 'select' is incorrect."),
    ("with foo select a on 0 from c", "(1, 6) The syntax for 'foo' is incorrect."),
    ("with member as 1 select from c", "(1, 13) The syntax for 'as' is incorrect."),
    ("with member [a].[b] 1 select from c", "(1, 21) The syntax for '1' is incorrect."),
    ("with member [a].[b] as select from c", "(1, 24) The syntax for 'select' is incorrect."),
    ("with member [a].[b] as 1, select from c", "(1, 27) The syntax for 'select' is incorrect."),
    ("with member [a].[b] as 1, x select from c", "(1, 29) The syntax for 'select' is incorrect."),
    ("with member [a].[b] as 1, x = select from c", "(1, 31) The syntax for 'select' is incorrect."),
    ("with member [a].[b] as 1", "(1, 25) The end of the input was reached."),
    ("with member [Measures].[Foo] as 1e2e3\n select from [Sales]", "(1, 36) The syntax for 'e3' is incorrect."),
    ("with member x as '1 +'\nselect from c", "(1, 22) The end of the input was reached."),
    ("with member x as ' ''a'' +\n ''b'' c' select from c", "(2, 8) The syntax for 'c' is incorrect."),
    ("with member x as '' select from c", "(1, 19) The end of the input was reached."),
    ("with member x as 'a', b = 1 select from c where +", "(1, 50) The end of the input was reached."),
    ("with set s as 'a, caption = 1' set t as 'b c' select from c", "(1, 44) The syntax for 'c' is incorrect."),
    (
        "with cell calculation k for '(a), x = 1' as 'b' select from c",
        "(1, 29) The formula in quotes has properties, which cannot stand here.",
    ),
    ("with cell calculation k as 'b' select from c", "(1, 25) The syntax for 'as' is incorrect."),
    ("drillthrough maxrows select from c", "(1, 22) The syntax for 'select' is incorrect."),
    ("drillthrough maxrows 1.5 select from c", "(1, 22) The syntax for '1.5' is incorrect."),
    ("drillthrough from c", "(1, 14) The syntax for 'from' is incorrect."),
    ("drillthrough select from c return", "(1, 34) The end of the input was reached."),
    ("drillthrough select from c return foo(a)", "(1, 35) The syntax for 'foo' is incorrect."),
    ("drillthrough select from c return name(a", "(1, 41) The end of the input was reached."),
    ("explain select from c", "(1, 9) The syntax for 'select' is incorrect."),
    ("explain plan for update cube c set (a) = 1", "(1, 18) The syntax for 'update' is incorrect."),
    ("create", "(1, 7) The end of the input was reached."),
    ("create table t", "(1, 8) The syntax for 'table' is incorrect."),
    ("create member c.m 1", "(1, 19) The syntax for '1' is incorrect."),
    ("create session set c.s as", "(1, 26) The end of the input was reached."),
    ("create subcube c as {a}", "(1, 21) The syntax for '{' is incorrect."),
    ("create subcube c as (select a on 0 from c", "(1, 42) The end of the input was reached."),
    ("create cell calculation c.k as 'x'", "(1, 29) The syntax for 'as' is incorrect."),
    ("create action c.a for x as 'y'", "(1, 8) CREATE ACTION is not supported yet"),
    ("create global cube c from x", "(1, 15) CREATE CUBE is not supported yet"),
    ("create hidden kpi c.k as 1", "(1, 15) CREATE HIDDEN KPI is not supported yet"),
    ("drop c.m", "(1, 6) The syntax for 'c' is incorrect."),
    ("drop member", "(1, 12) The end of the input was reached."),
    ("drop member a,", "(1, 15) The end of the input was reached."),
    ("alter cube c drop dimension member m", "(1, 14) ALTER CUBE … DROP DIMENSION MEMBER is not supported yet"),
    ("alter cube c update dimension member m", "(1, 14) ALTER CUBE … UPDATE DIMENSION MEMBER is not supported yet"),
    ("alter cube c update dimension d", "(1, 32) The end of the input was reached."),
    ("update cube c (a) = 1", "(1, 15) The syntax for '(' is incorrect."),
    ("update cube c set (a)", "(1, 22) The end of the input was reached."),
    ("update cube c set (a) = 1 use_magic", "(1, 27) The syntax for 'use_magic' is incorrect."),
    ("update cube c set (a) = 1 use_equal_allocation by 2", "(1, 48) The syntax for 'by' is incorrect."),
    ("refresh [c]", "(1, 9) The syntax for '[c]' is incorrect."),
    ("refresh cube", "(1, 13) The end of the input was reached."),
    ("clear cache", "(1, 7) The syntax for 'cache' is incorrect."),
    ("call", "(1, 5) The end of the input was reached."),
    ("call 'x'", "(1, 6) The syntax for ''x'' is incorrect."),
    ("begin", "(1, 6) The end of the input was reached."),
    ("begin work", "(1, 7) The syntax for 'work' is incorrect."),
    ("commit tran x", "(1, 13) The syntax for 'x' is incorrect."),
    ("use library 'a',", "(1, 17) The end of the input was reached."),
    ("scope (a); this = 1;", "(1, 21) The end of the input was reached."),
    ("scope (a); this = 1; end", "(1, 25) The end of the input was reached."),
    ("scope a b; end scope", "(1, 9) The syntax for 'b' is incorrect."),
    ("if a this = 1 end if", "(1, 6) The syntax for 'this' is incorrect."),
    ("this 1", "(1, 1) The syntax for 'this' is incorrect."),
    ("this = ", "(1, 8) The end of the input was reached."),
    ("(a) + (b) = 1", "(1, 5) The syntax for '+' is incorrect."),
    ("select from $system.x", "(1, 8) The syntax for 'from' is incorrect."),
    ("select a b from $system.x", "(1, 10) The syntax for 'b' is incorrect."),
    ("select a, from $system.x", "(1, 11) The syntax for 'from' is incorrect."),
    ("select top (5) a from $system.x", "(1, 12) The syntax for '(' is incorrect."),
    ("select top 1.5 a from $system.x", "(1, 12) The syntax for '1.5' is incorrect."),
    ("select 1 from $system.x", "(1, 8) The syntax for '1' is incorrect."),
    ("select a + b from $system.x", "(1, 10) The syntax for '+' is incorrect."),
    ("select sum(*) from $system.x", "(1, 12) The syntax for '*' is incorrect."),
    ("select median(a) from $system.x", "(1, 14) The syntax for '(' is incorrect."),
    ("select a from $system.x, $system.y", "(1, 24) The syntax for ',' is incorrect."),
    ("select a from $system.", "(1, 23) The end of the input was reached."),
    ("select a from $system.x where", "(1, 30) The end of the input was reached."),
    ("select a from $system.x where a =", "(1, 34) The end of the input was reached."),
    ("select a from $system.x where 1", "(1, 32) The end of the input was reached."),
    ("select a from $system.x where a = 1 b", "(1, 37) The syntax for 'b' is incorrect."),
    ("select a from $system.x where a between 1 and 2", "(1, 33) The syntax for 'between' is incorrect."),
    ("select a from $system.x where (a = 1", "(1, 37) The end of the input was reached."),
    ("select a from $system.x where a in ()", "(1, 37) The syntax for ')' is incorrect."),
    ("select a from $system.x where a like b", "(1, 38) The syntax for 'b' is incorrect."),
    ("select a from $system.x where a + 1 = 2", "(1, 33) The syntax for '+' is incorrect."),
    ("select a from $system.x order a", "(1, 25) The syntax for 'order' is incorrect."),
    ("select a from $system.x order by a where b = 1", "(1, 36) The syntax for 'where' is incorrect."),
    ("select a from $system.x group by", "(1, 33) The end of the input was reached."),
    ("select a from $system.x having a = 1", "(1, 25) The syntax for 'having' is incorrect."),
    ("select a from $system.x join y on a = b", "(1, 30) The syntax for 'y' is incorrect."),
    ("select a from $system.x join $system.y where a = b", "(1, 40) The syntax for 'where' is incorrect."),
    ("select a from $system.x union select b from $system.y", "(1, 25) The syntax for 'union' is incorrect."),
    ("select a from systemrestrictschema($system.x, b)", "(1, 48) The syntax for ')' is incorrect."),
    ("select a from systemrestrictschema($system.x, b = c)", "(1, 51) The syntax for 'c' is incorrect."),
    ("select a from systemrestrictschema(x)", "(1, 36) The syntax for 'x' is incorrect."),
    ("select\n  a\nfrom\n  $system.x\nwhere\n  a == 1", "(6, 6) The syntax for '=' is incorrect."),
];

#[test]
fn errors_point_at_the_token() {
    for (text, expected) in BAD {
        let error = parse_statement(text, &Context::unlimited()).map(|tree| tree.to_string()).expect_err(text);
        assert_eq!(error.to_string().replacen("Query ", "", 1).replacen("Parser: ", "", 1), *expected, "{text}");
        let kind = if expected.ends_with("yet") { ErrorKind::NotSupported } else { ErrorKind::Syntax };
        assert_eq!(error.kind(), kind, "{text}");
    }
    assert!(BAD.len() >= 150);
}

#[test]
fn a_message_shows_no_more_than_a_line_of_a_long_token() {
    let error = parse_statement(&format!("{}é", "x".repeat(1000)), &Context::unlimited()).unwrap_err();
    assert_eq!(error.message(), format!("Parser: The syntax for '{}…' is incorrect.", "x".repeat(80)));
}

/// As what a text is parsed.
#[derive(Clone, Copy, PartialEq)]
enum As {
    Expression,
    Script,
    DmvCondition,
}

impl As {
    fn parse(self, text: &str) -> Result<()> {
        let context = Context::unlimited();
        match self {
            As::Expression => parse_expression(text, &context).map(|_| ()),
            As::Script => parse_script(text, &context).map(|_| ()),
            As::DmvCondition => parse_statement(&format!("select a from $system.x where {text}"), &context).map(|_| ()),
        }
    }
}

/// Text that nests: what opens a level, what stands innermost, what closes a level, and as what it is parsed.
const NESTINGS: &[(&str, &str, &str, As)] = &[
    ("(", "a", ")", As::Expression),
    ("{", "a", "}", As::Expression),
    ("f(", "a", ")", As::Expression),
    ("f(1, b + ", "a", ")", As::Expression),
    ("(x = y or x and 1 < 2 + 3 * 4 ^ ", "a", ")", As::Expression),
    ("- ", "a", "", As::Expression),
    ("not ", "a", "", As::Expression),
    ("existing ", "a", "", As::Expression),
    ("case when 1 then ", "a", " end", As::Expression),
    ("case ", "a", " when 1 then 2 end", As::Expression),
    ("cast(", "a", " as x)", As::Expression),
    ("", "f(1)", ".f(2)", As::Expression),
    ("", "f(1)", ".p", As::Expression),
    ("", "f(1)", ".[x]", As::Expression),
    ("", "a", " is empty", As::Expression),
    ("", "a", " as b", As::Expression),
    ("f(", "a", ").p.q(1) is empty", As::Expression),
    ("a.f(1, ", "2", ").p.[q]", As::Expression),
    ("select from (", "select from c", ")", As::Script),
    ("scope (a); ", "this = 1;", " end scope;", As::Script),
    ("if a then ", "this = 1", " end if", As::Script),
    ("if a then b = 1; else ", "this = 1", " end if", As::Script),
    ("not ", "a", "", As::DmvCondition),
    ("(", "a", ")", As::DmvCondition),
    ("(b or a and not ", "a", ")", As::DmvCondition),
];

fn nested(open: &str, inner: &str, close: &str, levels: usize) -> String {
    format!("{}{inner}{}", open.repeat(levels), close.repeat(levels))
}

#[test]
fn nesting_without_end_is_refused() {
    let expected = format!("Parser: The statement nests deeper than {MAX_HEIGHT} levels.");
    for (open, inner, close, how) in NESTINGS {
        for levels in [1_000, 100_000] {
            let error = how.parse(&nested(open, inner, close, levels)).unwrap_err();
            assert_eq!(error.message(), expected, "{open}{inner}{close}");
        }
        // Text that is wrong where it is deepest leaves a tree behind that is dropped.
        for levels in [10, 100, 1_000] {
            assert!(how.parse(&nested(open, &format!("{inner} #"), close, levels)).is_err());
        }
    }
}

#[test]
fn nesting_that_people_write_is_read_and_printed() {
    for (open, inner, close, how) in NESTINGS {
        let text = nested(open, inner, close, 36);
        how.parse(&text).unwrap_or_else(|error| panic!("{error} {text}"));
        match how {
            As::Expression => round_trip(&format!("call f({text})")),
            As::Script => round_trip(&text),
            As::DmvCondition => round_trip(&format!("select a from $system.x where {text}")),
        }
    }
}

#[test]
fn the_highest_trees_fit_a_small_stack() {
    // Parsing, copying, comparing, printing and dropping recurse; the pool's threads have more than this.
    let check = || {
        for (open, inner, close, how) in NESTINGS {
            let levels = (1..=MAX_HEIGHT).rev().find(|&n| how.parse(&nested(open, inner, close, n)).is_ok()).unwrap();
            assert!(levels >= 36, "{open}{inner}{close} {levels}");
            if *how == As::Expression {
                let tree = expression(&nested(open, inner, close, levels));
                assert_eq!(tree, tree.clone());
                assert!(!tree.to_string().is_empty());
            }
        }
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(check).unwrap().join().unwrap();
}

#[test]
fn chains_may_be_long() {
    for (link, chain) in [
        (" + a", "sum"),
        (" - a * b", "sum of products"),
        (" and a = b or c", "conditions"),
        (", [a].&[1]", "list"),
        (".[a]", "identifier"),
        (" || 'x'", "text"),
    ] {
        let text = format!("f(a{})", link.repeat(100_000));
        let tree = expression(&text);
        assert_eq!(expression(&tree.to_string()).to_string(), tree.to_string(), "{chain}");
    }
    let dmv = format!("select a from $system.x where a = 1{}", " or a = 1 and b".repeat(100_000));
    assert!(parse_statement(&dmv, &Context::unlimited()).is_ok());
    assert_eq!(parse_script(&"CALCULATE;".repeat(100_000), &Context::unlimited()).unwrap().len(), 100_000);
}

// ---- the context

fn long_set(members: usize) -> String {
    format!("SELECT {{{}}} ON 0 FROM [c]", "[Product].[Product].&[123],".repeat(members) + "[x]")
}

#[test]
fn the_context_is_polled_while_parsing() {
    let text = long_set(100_000);
    let context = Context::unlimited();
    parse_statement(&text, &context).unwrap();
    // Six tokens a member, a check every 1,024.
    let checks = context.counters().checks.load(std::sync::atomic::Ordering::Relaxed);
    assert!(checks >= 580, "{checks}");
}

#[test]
fn a_cancelled_context_stops_the_parser() {
    let text = long_set(1_000);
    let context = Context::unlimited();
    context.token().cancel(CancelReason::Cancel);
    assert_eq!(parse_statement(&text, &context).unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(parse_script(&text, &context).unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(parse_expression("a", &context).unwrap_err().kind(), ErrorKind::Cancelled);
    let context = Context::new(u64::MAX / 2, Some(std::time::Duration::ZERO));
    assert_eq!(parse_statement(&text, &context).unwrap_err().kind(), ErrorKind::Timeout);
}

#[test]
fn the_tree_is_charged_and_given_back() {
    let text = long_set(10_000);
    let context = Context::unlimited();
    let parsed = parse(&text, &context).unwrap();
    assert!(parsed.charge.bytes() as usize > 20 * text.len() / 4);
    assert_eq!(context.memory().held(), parsed.charge.bytes());
    drop(parsed);
    assert_eq!(context.memory().held(), 0);

    for text in [text.clone(), format!("WITH SET s AS '{{{}x}}' SELECT FROM c", "''a'',".repeat(50_000))] {
        let context = Context::new(1 << 20, None);
        let error = parse(&text, &context).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MemoryLimit);
        assert!(error.message().contains("Parser"), "{error}");
        assert_eq!(context.memory().held(), 0);
    }
}

#[test]
fn a_statement_of_20_mb_is_told_apart_and_parsed() {
    let text = long_set(700_000);
    assert!(text.len() > 18 << 20);
    assert_eq!(classify(&text), StatementClass::Query);
    let context = Context::new(1 << 30, None);
    let parsed = parse(&text, &context).unwrap();
    assert!(parsed.charge.bytes() < 1 << 30);
}
