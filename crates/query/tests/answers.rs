//! Statements with their answers, one file a topic in `answers/`, for each way a catalog can speak, on both implementors of the
//! seam to storage.
//!
//! A file is blocks: a line `axis CUBE: set`, `expr CUBE: expression` or `query: statement`, perhaps with
//! `[analysis-services]` before it (else the catalog speaks as Mondrian does), then the answer, indented. An axis
//! answers its tuples, an expression the text of its cell, a query the whole; what fails answers `! ` and the
//! message. A `#` begins a comment.

#![allow(clippy::unwrap_used)]

mod common;

use common::{foodmart, lines, run, shared, text};
use facetta_engine::Answers;
use facetta_model::Compatibility;
use facetta_query::{Query, STACK_BYTES};
use std::fmt::Write;

struct Block {
    line: usize,
    compatibility: Compatibility,
    command: String,
    expected: String,
}

fn blocks(file: &str) -> Vec<Block> {
    let mut out: Vec<Block> = Vec::new();
    for (number, line) in file.lines().enumerate() {
        if let Some(rest) = line.strip_prefix("  ") {
            let block = out.last_mut().expect("an answer has a command before it");
            writeln!(block.expected, "{rest}").unwrap();
        } else if !line.is_empty() && !line.starts_with('#') {
            let (compatibility, command) = match line.strip_prefix("[analysis-services] ") {
                Some(rest) => (Compatibility::AnalysisServices, rest),
                None => (Compatibility::Mondrian, line),
            };
            out.push(Block { line: number + 1, compatibility, command: command.to_owned(), expected: String::new() });
        }
    }
    out
}

/// What a command answers.
fn answer(command: &str, query: &Query) -> String {
    let (head, body) = command.split_once(": ").expect("a command has a colon and a space");
    let (kind, cube) = head.split_once(' ').unwrap_or((head, "Sales"));
    let mdx = match kind {
        "axis" => format!("select {{{body}}} on columns from [{cube}]"),
        "expr" => {
            let quoted = body.replace('\'', "''");
            format!("with member [Measures].[Foo] as '{quoted}' select {{[Measures].[Foo]}} on columns from [{cube}]")
        }
        _ => body.to_owned(),
    };
    let (cells, texts) = match run(&mdx, query) {
        Ok(found) => found,
        Err(error) => return format!("! {}\n", error.message()),
    };
    match kind {
        "axis" => {
            let line = |t: &Vec<String>| t.join(", ") + "\n";
            lines(&cells, &cells.axes[0], usize::MAX).iter().map(line).collect()
        }
        "expr" => format!("{}\n", texts.get(&0).map_or("", String::as_str)),
        _ => {
            let all = text(&cells, &texts, "Axis #0:\n{}\n");
            all.trim_start_matches("Axis #0:\n{}\n").to_owned()
        }
    }
}

macro_rules! topics {
    ($($name:ident)+) => {
        const TOPICS: &[(&str, &str)] =
            &[$((stringify!($name), include_str!(concat!("answers/", stringify!($name), ".txt")))),+];
    };
}

topics! { values members sets slicers looks elsewhere }

fn check(answers: Answers) {
    let Some(folder) = shared("foodmart") else { return };
    let worker = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(move || {
        let catalogs =
            [Compatibility::Mondrian, Compatibility::AnalysisServices].map(|c| (c, foodmart(&folder, c, answers)));
        let mut wrong = String::new();
        for (topic, block) in TOPICS.iter().flat_map(|(topic, file)| blocks(file).into_iter().map(move |b| (topic, b)))
        {
            let (_, query) = catalogs.iter().find(|(c, _)| *c == block.compatibility).unwrap();
            let got = answer(&block.command, query);
            if got.trim_end() != block.expected.trim_end() {
                writeln!(wrong, "{topic}.txt:{}: {}\n{got}", block.line, block.command).unwrap();
            }
        }
        assert!(wrong.is_empty(), "{wrong}");
    });
    worker.unwrap().join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

#[test]
fn statements_have_these_answers() {
    check(Answers::ByColumn);
}

#[test]
fn statements_have_these_answers_row_by_row() {
    check(Answers::RowByRow);
}
