//! How fast statements parse, in bytes a second: queries as Excel sends them, and long lists of members.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use facetta_mdx::{classify, parse_statement};
use facetta_model::Context;
use std::hint::black_box;

const PIVOT: &str = "SELECT NON EMPTY CrossJoin(Hierarchize({DrilldownLevel({[Product].[Product].[All Products]},,,\
    INCLUDE_CALC_MEMBERS)}), {[Measures].[Unit Sales],[Measures].[Store Sales]}) DIMENSION PROPERTIES PARENT_UNIQUE_NAME,\
    HIERARCHY_UNIQUE_NAME ON COLUMNS, NON EMPTY Hierarchize(DrilldownMember({{DrilldownLevel({[Store].[Store].[All Stores]},,,\
    INCLUDE_CALC_MEMBERS)}}, {[Store].[Store].[Country].&[USA]},,,INCLUDE_CALC_MEMBERS)) DIMENSION PROPERTIES \
    PARENT_UNIQUE_NAME,HIERARCHY_UNIQUE_NAME ON ROWS FROM (SELECT ({[Time].[Time].[Year].&[1997],[Time].[Time].[Year].&[1998]}) \
    ON COLUMNS FROM [Sales]) WHERE ([Gender].[Gender].[All Gender]) CELL PROPERTIES VALUE, FORMAT_STRING, LANGUAGE, \
    BACK_COLOR, FORE_COLOR, FONT_FLAGS";

const CALCULATED: &str = "WITH MEMBER [Measures].[Ratio] AS 'IIf(IsEmpty([Measures].[Store Cost]) OR [Measures].[Store Cost] = 0, \
    NULL, ([Measures].[Store Sales] - [Measures].[Store Cost]) / [Measures].[Store Cost] * 100)', FORMAT_STRING = '#,##0.00', \
    SOLVE_ORDER = 2 SET [Best] AS 'TopCount(Filter([Product].[Brand Name].Members, [Measures].[Unit Sales] > 100 AND NOT \
    [Product].CurrentMember.Name MATCHES ''(?i)x.*''), 10, [Measures].[Ratio])' SELECT {[Measures].[Ratio]} ON 0, [Best] ON 1 \
    FROM [Sales] WHERE ([Time].[1997].[Q1], [Store].[USA].[CA])";

const DMV: &str = "SELECT SESSION_SPID, SESSION_USER_NAME, SESSION_LAST_COMMAND FROM $SYSTEM.DISCOVER_SESSIONS \
    WHERE SESSION_STATUS = 1 AND NOT (SESSION_USER_NAME LIKE 'a%') ORDER BY SESSION_ELAPSED_TIME_MS DESC";

/// A set of members by key of about `bytes` bytes.
fn members(bytes: usize) -> String {
    let mut text = String::from("SELECT {");
    for key in 0.. {
        text.push_str(&format!("[Product].[Product].[Product Name].&[{key}],"));
        if text.len() > bytes {
            break;
        }
    }
    text + "[Product].[Product].[All]} ON 0 FROM [Sales]"
}

/// A condition of comparisons of about `bytes` bytes.
fn conditions(bytes: usize) -> String {
    let link = " OR [Product].CurrentMember.Name = \"Best Choice Cookies\" AND [Measures].[Unit Sales] >= 10.5";
    format!("SELECT Filter({{}}, 1 = 1{}) ON 0 FROM [Sales]", link.repeat(bytes / link.len()))
}

fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    let (members, conditions) = (members(1 << 20), conditions(1 << 20));
    let cases = [
        ("pivot", PIVOT),
        ("calculated", CALCULATED),
        ("dmv", DMV),
        ("members_1mb", &members),
        ("conditions_1mb", &conditions),
    ];
    for (name, text) in cases {
        group.throughput(Throughput::Bytes(text.len() as u64));
        let context = Context::unlimited();
        group.bench_function(name, |bencher| {
            bencher.iter(|| parse_statement(black_box(text), &context).expect("the statement parses"));
        });
    }
    group.finish();
    // Reads a few tokens whatever the length, so it has no throughput.
    criterion.bench_function("classify/members_1mb", |bencher| bencher.iter(|| classify(black_box(&members))));
}

criterion_group!(benches, parse);
criterion_main!(benches);
