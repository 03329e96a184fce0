//! Statements of every kind: each prints to the text beside it (the same text where that is empty), which parses to the same
//! tree.

mod common;

use common::{expression, round_trip, shape, statement};
use facetta_mdx::ast::{ExpressionKind, Segment, StatementKind, Syntax};
use facetta_mdx::{StatementClass, classify, parse_expression, parse_script};
use facetta_model::Context;

const EXPRESSIONS: &[(&str, &str)] = &[
    ("[a]]b].[c]", ""),
    ("[Time].[1997].Children", ""),
    ("[Product].[Food].&[12]&[x]]y].[z]", ""),
    ("[d].&k1&k2", ""),
    ("Time.Dimension.Value.Order.Select.On.From", ""),
    ("[Measures].[Value].Value", ""),
    ("[Time].CurrentMember.Lag(1).Name", ""),
    ("[Sales].[Customers].Levels(2).Members", ""),
    ("Dimensions(0).[Foo].&[3]&[4].Children", ""),
    ("([a],[b]).Item(0)", "([a], [b]).Item(0)"),
    ("{[a]}.Item(\"x\", 'y')", "{[a]}.Item(\"x\", \"y\")"),
    ("VBA!Exp(2.0)", ""),
    ("ExcelMDX!Lib!f()", ""),
    ("f()", ""),
    ("f(,)", "f(, )"),
    ("DrilldownLevel({x},,,INCLUDE_CALC_MEMBERS)", "DrilldownLevel({x}, , , INCLUDE_CALC_MEMBERS)"),
    ("Descendants([a],,LEAVES)", "Descendants([a], , LEAVES)"),
    ("'it''s' || \"a\"\"b\"", "\"it's\" || \"a\"\"b\""),
    ("1 + 1.5 - .5 * 1e2 / 1.25E-2 ^ 2", "1 + 1.5 - 0.5 * 100 / 0.0125 ^ 2"),
    ("9223372036854775807 + 9223372036854775808", "9223372036854775807 + 9.223372036854776e18"),
    ("1e400", "1e999"),
    ("-1 - - 1", "-1 - -1"),
    ("- - x", "- -x"),
    ("+-x", "+ -x"),
    ("2 ^ -1", ""),
    ("-{[a]}", ""),
    ("a:b", "a : b"),
    ("{[a]:[b], ([c],[d])}", "{[a] : [b], ([c], [d])}"),
    ("{[a]}*{[b]}-{[c]}+{[d]}", "{[a]} * {[b]} - {[c]} + {[d]}"),
    ("not a and b or not c xor d", "NOT a AND b OR NOT c XOR d"),
    ("not not a", "NOT NOT a"),
    ("a <> b and c <= d and e >= f and g < h and i > j", "a <> b AND c <= d AND e >= f AND g < h AND i > j"),
    ("[m] is null", "[m] IS NULL"),
    ("x is empty is empty", "x IS EMPTY IS EMPTY"),
    ("[m] is [n].parent", "[m] IS [n].parent"),
    ("a in {b} or a not in {c}", "a IN {b} OR a NOT IN {c}"),
    ("a matches 'x.*' and b not matches 'y'", "a MATCHES \"x.*\" AND b NOT MATCHES \"y\""),
    ("existing [a].members", "EXISTING [a].members"),
    ("Count(Existing ([a].members))", "Count(EXISTING ([a].members))"),
    ("existing.members", ""),
    ("f(existing)", ""),
    ("case when a then 1 when b then 2 else 3 end", "CASE WHEN a THEN 1 WHEN b THEN 2 ELSE 3 END"),
    ("case a when 1 then 'x' end", "CASE a WHEN 1 THEN \"x\" END"),
    ("cast(a + 1 as numeric)", "CAST(a + 1 AS numeric)"),
    ("Generate({[a]} as s, s.current.parent)", "Generate({[a]} AS s, s.current.parent)"),
    ("[x].Current AS [y] AS z", ""),
    ("@p1 + StrToMember(@p2).Children", ""),
    ("null", "NULL"),
    ("null.x", ""),
    ("(1)", ""),
    ("()", ""),
    ("{}", ""),
    ("cast.x + case.y", ""),
    ("$a + __b + Größe + 名前", ""),
    ("a /* c /* d */ + -- e\n b // f", "a + b"),
];

const STATEMENTS: &[(&str, &str)] = &[
    ("SELECT FROM [c]", ""),
    ("select  from [a].[c] where ([m])", "SELECT FROM [a].[c] WHERE ([m])"),
    ("select {} on 1, {} on columns from c", "SELECT {} ON ROWS, {} ON COLUMNS FROM c"),
    (
        "select a on axis(0), b on 1, c on pages, d on sections, e on chapters, f on 5 from c",
        "SELECT a ON COLUMNS, b ON ROWS, c ON PAGES, d ON SECTIONS, e ON CHAPTERS, f ON AXIS(5) FROM c",
    ),
    (
        "select non empty {[a]} having [m] > 1 dimension properties PARENT_UNIQUE_NAME, [a].[b].[c] on 0 from c",
        "SELECT NON EMPTY {[a]} HAVING [m] > 1 DIMENSION PROPERTIES PARENT_UNIQUE_NAME, [a].[b].[c] ON COLUMNS FROM c",
    ),
    (
        "select non.x on 0, nonempty(y) properties p on 1 from c",
        "SELECT non.x ON COLUMNS, nonempty(y) DIMENSION PROPERTIES p ON ROWS FROM c",
    ),
    ("select a as s on 0 from c", "SELECT a AS s ON COLUMNS FROM c"),
    (
        "select [a].columns on columns, rows.[b] on rows from c",
        "SELECT [a].columns ON COLUMNS, rows.[b] ON ROWS FROM c",
    ),
    (
        "select a on 0 from c where [w] cell properties VALUE, FORMATTED_VALUE",
        "SELECT a ON COLUMNS FROM c WHERE [w] CELL PROPERTIES VALUE, FORMATTED_VALUE",
    ),
    ("select from c properties VALUE", "SELECT FROM c CELL PROPERTIES VALUE"),
    (
        "select from (select {a} on 0, b on 1 from (select c on 0 from [x] where d)) where e",
        "SELECT FROM (SELECT {a} ON COLUMNS, b ON ROWS FROM (SELECT c ON COLUMNS FROM [x] WHERE d)) WHERE e",
    ),
    ("select from non visual (select a on 0 from c)", "SELECT FROM NON VISUAL (SELECT a ON COLUMNS FROM c)"),
    (
        "with member [Measures].[x] as '[a] + ''b''', solve_order = 2, format_string = '#,##0', visible=1 select from c",
        "WITH MEMBER [Measures].[x] AS [a] + \"b\", solve_order = 2, format_string = \"#,##0\", visible = 1 SELECT FROM c",
    ),
    (
        "with member x as 'a, caption = \"k\"', language = 1033 select from c",
        "WITH MEMBER x AS a, caption = \"k\", language = 1033 SELECT FROM c",
    ),
    (
        "with calculated member m as \"text 'x'\", NON_EMPTY_BEHAVIOR={[a],[b]} set s as {m} dynamic set d as 's' static set e as d select s on 0 from c",
        "WITH MEMBER m AS \"text 'x'\", NON_EMPTY_BEHAVIOR = {[a], [b]} SET s AS {m} DYNAMIC SET d AS s STATIC SET e AS d SELECT s ON COLUMNS FROM c",
    ),
    (
        "with cell calculation k for '([a].members)' as 'CalculationPassValue(1)', condition = 'x > 1' cache as '({[a]},[b])' select from c",
        "WITH CELL CALCULATION k FOR ([a].members) AS CalculationPassValue(1), condition = \"x > 1\" CACHE AS ({[a]}, [b]) SELECT FROM c",
    ),
    (
        "with member set.member as member set set as set.set select set on 0 from c",
        "WITH MEMBER set.member AS member SET set AS set.set SELECT set ON COLUMNS FROM c",
    ),
    ("DRILLTHROUGH SELECT FROM c", ""),
    (
        "drillthrough maxrows 5 firstrowset 7 select a on 0 from c return [d].[e] as [f], name([g].[h]), KEY(i), UniqueName(j), caption(k), MemberValue(l), key",
        "DRILLTHROUGH MAXROWS 5 FIRSTROWSET 7 SELECT a ON COLUMNS FROM c RETURN [d].[e] AS [f], NAME([g].[h]), KEY(i), UNIQUENAME(j), CAPTION(k), MEMBERVALUE(l), key",
    ),
    ("explain plan for drillthrough select from c", "EXPLAIN PLAN FOR DRILLTHROUGH SELECT FROM c"),
    ("EXPLAIN PLAN FOR WITH SET s AS a SELECT s ON COLUMNS FROM c", ""),
    (
        "create session member [Sales].[Measures].[x] as '1', solve_order = 3",
        "CREATE SESSION MEMBER [Sales].[Measures].[x] AS 1, solve_order = 3",
    ),
    (
        "create hidden calculated member currentcube.[Measures].x as a",
        "CREATE HIDDEN MEMBER currentcube.[Measures].x AS a",
    ),
    ("create global member c.m as 1 + 1", "CREATE GLOBAL MEMBER c.m AS 1 + 1"),
    ("create session hidden set c.s as '{a}', caption = 'x'", "CREATE SESSION HIDDEN SET c.s AS {a}, caption = \"x\""),
    ("CREATE DYNAMIC SET CURRENTCUBE.[s] AS TopCount([a].Members, 5)", ""),
    ("create session static hidden set c.s as {a}", "CREATE SESSION HIDDEN STATIC SET c.s AS {a}"),
    ("CREATE GLOBAL HIDDEN DYNAMIC SET c.s AS {a}", ""),
    ("CREATE GLOBAL SUBCUBE c AS (SELECT a ON COLUMNS FROM c WHERE b)", ""),
    ("DROP GLOBAL SET c.s, c.t", ""),
    (
        "with cell calculation k for '{}' as 'a', condition = 'a > 1', disabled = true, calculation_pass_depth = 2 select from c",
        "WITH CELL CALCULATION k FOR {} AS a, condition = \"a > 1\", disabled = true, calculation_pass_depth = 2 SELECT FROM c",
    ),
    ("WITH CELL CALCULATION [c].[k] FOR NULL AS CalculationPassValue(a, -1, RELATIVE) SELECT FROM c", ""),
    ("create subcube [c] as select {a} on 0 from [c]", "CREATE SUBCUBE [c] AS (SELECT {a} ON COLUMNS FROM [c])"),
    ("CREATE SESSION SUBCUBE c AS NON VISUAL (SELECT a ON COLUMNS FROM c)", ""),
    (
        "create session cell calculation [c].[k] for '([a], [b].members)' as 'x * 2', calculation_pass_number = 2",
        "CREATE SESSION CELL CALCULATION [c].[k] FOR ([a], [b].members) AS x * 2, calculation_pass_number = 2",
    ),
    (
        "create kpi currentcube.[k] as [m], goal = 5, status = 'x'",
        "CREATE KPI currentcube.[k] AS [m], goal = 5, status = \"x\"",
    ),
    ("drop member c.[a].b, c.d", "DROP MEMBER c.[a].b, c.d"),
    ("drop session calculated member c.m", "DROP SESSION MEMBER c.m"),
    ("DROP SET c.s", ""),
    ("DROP SUBCUBE c", ""),
    ("DROP CELL CALCULATION c.k", ""),
    ("DROP KPI c.k", ""),
    (
        "alter cube currentcube update dimension [a].[b], default_member = '[a].[b].&[1]'",
        "ALTER CUBE currentcube UPDATE DIMENSION [a].[b], DEFAULT_MEMBER = [a].[b].&[1]",
    ),
    ("update cube [c] set ([a],[b]) = 5", "UPDATE CUBE [c] SET ([a], [b]) = 5"),
    (
        "update [c] set ([a]).value = 1 + 1 use_equal_allocation, [b] = 2 use_weighted_increment by [w] / 2, c = 3 use_equal_increment, d = 4 use_weighted_allocation, e = 5 no_allocation",
        "UPDATE CUBE [c] SET ([a]).value = 1 + 1 USE_EQUAL_ALLOCATION, [b] = 2 USE_WEIGHTED_INCREMENT BY [w] / 2, c = 3 USE_EQUAL_INCREMENT, d = 4 USE_WEIGHTED_ALLOCATION, e = 5 NO_ALLOCATION",
    ),
    ("update cube set (a) = 1", "UPDATE CUBE SET (a) = 1"),
    ("REFRESH CUBE [Adventure Works]", ""),
    ("clear calculations", "CLEAR CALCULATIONS"),
    ("CLEAR CALCULATIONS FROM c", ""),
    ("call ASSP.Discover('x', 1)", "CALL ASSP.Discover(\"x\", 1)"),
    ("CALL ClearCache", ""),
    ("use library \"a.dll\", b", "USE LIBRARY \"a.dll\", b"),
    ("USE LIBRARY", ""),
    ("begin tran", "BEGIN TRANSACTION"),
    ("COMMIT TRANSACTION;;", "COMMIT TRANSACTION"),
    ("rollback tran", "ROLLBACK TRANSACTION"),
    ("CALCULATE", ""),
    ("this = 5", ""),
    ("([a].[b], {[c]}) = [d] * 2", ""),
    ("Format_String(this) = 'x'", "Format_String(this) = \"x\""),
    ("[Measures].[m] = CASE WHEN a THEN 1 END", ""),
    ("{[a]:[b]} = 0", "{[a] : [b]} = 0"),
    ("freeze", "FREEZE"),
    ("freeze ([a], [b])", "FREEZE ([a], [b])"),
    (
        "scope ([a].members, [m]); this = 1; scope [b]; this = 2 end scope; freeze; end scope",
        "SCOPE ([a].members, [m]); this = 1; SCOPE ([b]); this = 2; END SCOPE; FREEZE; END SCOPE",
    ),
    (
        "if [m] > 1 then this = 1; this = 2 else this = 3 end if",
        "IF [m] > 1 THEN this = 1; this = 2; ELSE this = 3; END IF",
    ),
    ("select * from $system.discover_sessions", "SELECT * FROM $SYSTEM.discover_sessions"),
    (
        "select distinct top 5 A, [B] as x, count(*) as n, sum(distinct C) from [$system].R where A = 'x' order by A desc, n asc, max(C)",
        "SELECT DISTINCT TOP 5 A, [B] AS x, COUNT(*) AS n, SUM(DISTINCT C) FROM $SYSTEM.R WHERE A = 'x' ORDER BY A DESC, n, MAX(C)",
    ),
    (
        "select a from SYSTEMRESTRICTSCHEMA($System.R, [X] = 'y', Z = -1.5, W = @p) s where not (a = 1 or b) and not c",
        "SELECT a FROM SYSTEMRESTRICTSCHEMA($SYSTEM.R, [X] = 'y', Z = -1.5, W = @p) AS s WHERE NOT (a = 1 OR b) AND NOT c",
    ),
    ("select a from systemrestrictschema($system.R)", "SELECT a FROM $SYSTEM.R"),
    (
        "select s.A, c.B from $system.S s join $system.C as c on s.X = c.X left outer join $system.D d on d.Y = c.Y inner join $system.E on $system.E.Z = 1 where s.A like '%x_' and B not like @p",
        "SELECT s.A, c.B FROM $SYSTEM.S AS s JOIN $SYSTEM.C AS c ON s.X = c.X LEFT JOIN $SYSTEM.D AS d ON d.Y = c.Y JOIN $SYSTEM.E ON E.Z = 1 WHERE s.A LIKE '%x_' AND B NOT LIKE @p",
    ),
    (
        "select A, avg(B) from $system.R where A in (1, 'x', null) or A not in (true) or A is null or A is not null or A <> -5 group by A, R.B",
        "SELECT A, AVG(B) FROM $SYSTEM.R WHERE A IN (1, 'x', NULL) OR A NOT IN (TRUE) OR A IS NULL OR A IS NOT NULL OR A <> -5 GROUP BY A, R.B",
    ),
    (
        "select A from $system.R where true and false = B and 5 >= C",
        "SELECT A FROM $SYSTEM.R WHERE TRUE AND FALSE = B AND 5 >= C",
    ),
];

/// Statements of spec/dmv.md sections 1 and 7.
const DMVS: &[&str] = &[
    "select [CATALOG_NAME] from $system.DBSCHEMA_CATALOGS",
    "Select [CUBE_NAME], [BASE_CUBE_NAME], [CUBE_CAPTION] from $system.mdschema_cubes where [CUBE_SOURCE] = 1",
    "SELECT * FROM $SYSTEM.DISCOVER_STORAGE_TABLES",
    "SELECT * FROM $System.DISCOVER_CALC_DEPENDENCY WHERE OBJECT_TYPE = 'ACTIVE_RELATIONSHIP'",
    "SELECT * FROM $System.DBSchema_Tables WHERE TABLE_TYPE = 'SCHEMA' ORDER BY TABLE_NAME ASC",
    "select * from SYSTEMRESTRICTSCHEMA ($System.Discover_csdl_metadata, [CATALOG_NAME] = 'Adventure Works DW')",
    "SELECT SESSION_SPID, SESSION_USER_NAME, SESSION_LAST_COMMAND FROM $SYSTEM.DISCOVER_SESSIONS WHERE SESSION_STATUS = 1 ORDER BY SESSION_ELAPSED_TIME_MS DESC",
    "SELECT TOP 10 * FROM $SYSTEM.DISCOVER_COMMANDS WHERE COMMAND_ELAPSED_TIME_MS > 60000",
    "SELECT DISTINCT [CONNECTION_USER_NAME] FROM $System.DISCOVER_CONNECTIONS",
    "SELECT * FROM SYSTEMRESTRICTSCHEMA($System.DISCOVER_JOBS, [JOB_MIN_TOTAL_TIME_MS] = 1000) WHERE NOT (SPID = 5)",
    "SELECT * FROM $SYSTEM.DISCOVER_LOCKS WHERE LOCK_STATUS = 0",
    "SELECT * FROM $SYSTEM.X WHERE Shrinkable",
    "SELECT * FROM $SYSTEM.X WHERE NOT SHRINKABLE",
    "SELECT a FROM -- c\n $SYSTEM.X /* d */ WHERE b = \"it\"\"s\";",
];

/// Statements of the shapes of spec/excel.md section 1.3.
const EXCEL: &[&str] = &[
    "SELECT  FROM [Cube] WHERE ([Measures].[X]) CELL PROPERTIES VALUE, FORMAT_STRING, LANGUAGE, BACK_COLOR, FORE_COLOR, FONT_FLAGS",
    "SELECT NON EMPTY Hierarchize({DrilldownLevel({[D].[H].[All]},,,INCLUDE_CALC_MEMBERS)}) DIMENSION PROPERTIES PARENT_UNIQUE_NAME,HIERARCHY_UNIQUE_NAME ON COLUMNS FROM [Cube] WHERE ([Measures].[X]) CELL PROPERTIES VALUE, FORMAT_STRING, LANGUAGE, BACK_COLOR, FORE_COLOR, FONT_FLAGS",
    "SELECT NON EMPTY CrossJoin(Hierarchize(AddCalculatedMembers({DrilldownLevel({[D].[H].[All]})})), {[Measures].[A],[Measures].[B]}) ON COLUMNS FROM [Cube]",
    "SELECT Hierarchize(DrilldownMember(CrossJoin({[A].[H].[All],[A].[H].[L].AllMembers},{([B].[H].[All])}), [A].[H].[L].AllMembers, [B].[H])) DIMENSION PROPERTIES PARENT_UNIQUE_NAME ON ROWS, {[Measures].[A]} ON COLUMNS FROM [Cube]",
    "SELECT NON EMPTY {DrilldownLevel({[A].[H].[All]})-{[A].[H].&[1]}} ON COLUMNS FROM (SELECT ({[A].[H].&[1],[A].[H].&[2]}) ON COLUMNS FROM [Cube])",
    "SELECT NON EMPTY Hierarchize(DrilldownMember({{DrilldownMember({{DrilldownLevel({[A].[H].[All]})}}, {[A].[H].&[1]})}}, {[A].[H].&[1].&[2]})) ON COLUMNS FROM [Cube]",
    "SELECT FROM (SELECT Filter([A].[H].[L].AllMembers, ([A].[H].CurrentMember.member_caption = \"x\")) ON COLUMNS FROM [Cube])",
    "SELECT FROM (SELECT Filter([A].[H].[L].AllMembers, (InStr(1, [A].[H].CurrentMember.member_caption, \"x\") > 0 AND Left([A].[H].CurrentMember.member_caption, 2) <> \"ab\")) ON COLUMNS FROM (SELECT Filter([A].[H].[L], ([Measures].[X]>5)) ON COLUMNS FROM [Cube]))",
    "SELECT NON EMPTY {DrilldownLevel({[A].[H].[All]})} ON COLUMNS FROM (SELECT Generate(Hierarchize({[A].[H].[All]}) AS [XL_Filter_Set_0], TopCount(Filter(Except(DrilldownLevel([XL_Filter_Set_0].Current AS [XL_Filter_HelperSet_0],,0), [XL_Filter_HelperSet_0]), Not IsEmpty([Measures].[X])), 10, [Measures].[X])) ON COLUMNS FROM [Cube]) WHERE ([Measures].[X])",
    "WITH SET [XL_Row_Dim_0] AS 'VisualTotals(Distinct(Hierarchize({Ascendants([S].[A]), Descendants([S].[A])})))' SELECT NON EMPTY Hierarchize([XL_Row_Dim_0]) ON COLUMNS FROM [Cube]",
    "SELECT {AddCalculatedMembers({[A].[H].[(All)].Members})} DIMENSION PROPERTIES PARENT_UNIQUE_NAME ON COLUMNS FROM [Cube]",
    "REFRESH CUBE [Cube]",
    "DRILLTHROUGH MAXROWS 1000 SELECT FROM [Cube] WHERE ((([Measures].[X],[A].[H].&[k]),[B].[H].&[j]))",
    "WITH MEMBER [Measures].[XL_PROP0] AS 'strtomember(\"[A].[H].&[1]\").Properties(\"Caption\")' SELECT {[Measures].[XL_PROP0]} ON COLUMNS FROM [Cube] CELL PROPERTIES VALUE",
];

fn expected<'a>(text: &'a str, printed: &'a str) -> &'a str {
    if printed.is_empty() { text } else { printed }
}

#[test]
fn expressions_print_canonically() {
    for (text, printed) in EXPRESSIONS {
        let tree = expression(text);
        let printed = expected(text, printed);
        assert_eq!(tree.to_string(), printed);
        assert_eq!(shape(&tree), shape(&expression(printed)), "{text}");
        assert_eq!((tree.span.start as usize, tree.span.end as usize), covered(text), "{text}");
    }
}

/// The bytes from the first token to the last.
fn covered(text: &str) -> (usize, usize) {
    (0, text.find(" // ").unwrap_or(text.len()))
}

#[test]
fn statements_print_canonically() {
    for (text, printed) in STATEMENTS {
        let printed = expected(text, printed);
        let tree = statement(text);
        assert_eq!(tree.to_string(), printed);
        assert_eq!(shape(&tree), shape(&statement(printed)), "{text}");
        assert_eq!(tree.span.start, 0, "{text}");
        assert_eq!(tree.span.end as usize, text.trim_end_matches(';').len(), "{text}");
    }
}

#[test]
fn what_clients_send_parses() {
    for text in EXCEL {
        round_trip(text);
        assert_ne!(classify(text), StatementClass::Dmv, "{text}");
    }
    for text in DMVS {
        round_trip(text);
        assert_eq!(classify(text), StatementClass::Dmv, "{text}");
        assert!(matches!(statement(text).kind, StatementKind::Dmv(_)), "{text}");
    }
}

#[test]
fn a_script_has_any_number_of_statements() {
    for (text, count) in [
        ("", 0),
        (" ; ; -- nothing\n", 0),
        ("CALCULATE; SCOPE(a); this = 1; END SCOPE  IF x THEN this = 1 END IF; CREATE MEMBER c.m AS 1;", 4),
        ("BEGIN TRAN; UPDATE CUBE c SET (a) = 1; COMMIT TRAN", 3),
        ("SELECT FROM c; SELECT * FROM $SYSTEM.X; DRILLTHROUGH SELECT FROM c", 3),
    ] {
        assert_eq!(parse_script(text, &Context::unlimited()).unwrap().len(), count, "{text}");
        round_trip(text);
    }
}

#[test]
fn a_chain_ends_where_a_call_begins() {
    let kind = |text| expression(text).kind;
    let ExpressionKind::Identifier(identifier) = kind("[Time].[1997].&[1]&[2].Children") else { panic!() };
    assert_eq!(identifier.segments.len(), 4);
    assert!(matches!(&identifier.segments[2], Segment::Key(parts) if parts.len() == 2));

    let ExpressionKind::Call(name) = kind("[Time].[1997].Lead(1).Name") else { panic!() };
    assert_eq!((name.syntax, &*name.name.text), (Syntax::Property, "Name"));
    let ExpressionKind::Call(lead) = &name.arguments[0].kind else { panic!() };
    assert_eq!((lead.syntax, lead.arguments.len()), (Syntax::Method, 2));
    let ExpressionKind::Identifier(time) = &lead.arguments[0].kind else { panic!() };
    assert_eq!(time.segments.len(), 2);

    let ExpressionKind::Step(step) = kind("f(x).[Foo]") else { panic!() };
    assert!(matches!(&step.segment, Segment::Name(name) if name.quoted));
}

#[test]
fn operators_of_one_precedence_are_one_node() {
    let ExpressionKind::Operators(sum) = expression("a - b + c * d - e").kind else { panic!() };
    assert_eq!(sum.rest.len(), 3);
    assert!(matches!(sum.rest[1].operand.kind, ExpressionKind::Operators(_)));
}

#[test]
fn spans_inside_quotes_point_into_the_statement() {
    let text = "with member x as ' ''é'' + [y''z] ' select from c";
    let StatementKind::Select(select) = statement(text).kind else { panic!() };
    let facetta_mdx::ast::Definition::Member(member) = &select.with[0] else { panic!() };
    let ExpressionKind::Operators(sum) = &member.expression.kind else { panic!() };
    let slice = |span: facetta_model::Span| &text[span.start as usize..span.end as usize];
    assert_eq!(slice(sum.first.span), "''é''");
    assert_eq!(slice(sum.rest[0].span), "+");
    assert_eq!(slice(sum.rest[0].operand.span), "[y''z]");
    assert_eq!(slice(member.expression.span), "''é'' + [y''z]");
    assert_eq!(sum.rest[0].operand.to_string(), "[y'z]");
}

#[test]
fn an_expression_ends_the_text() {
    assert!(parse_expression("a b", &Context::unlimited()).is_err());
    assert!(parse_expression("", &Context::unlimited()).is_err());
    assert_eq!(expression(" -- c\n x ").to_string(), "x");
}
