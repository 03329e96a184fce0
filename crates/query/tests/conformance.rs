//! The conformance cases on both implementors of the seam to storage: every case passes but those listed with their reasons
//! in `conformance_known.txt`, and these do not pass (so that the list stays true).

#![allow(clippy::unwrap_used)]

mod common;

use common::{foodmart, lines, run, shared, text};
use facetta_engine::Answers;
use facetta_model::Compatibility;
use facetta_query::{Query, STACK_BYTES};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// The statement of a case; none for the kinds that other tests take.
fn statement(case: &Json) -> Option<String> {
    let mdx = case["mdx"].as_str()?;
    let cube = case["cube"].as_str().unwrap_or("Sales").replace(']', "]]");
    let kind = case["kind"].as_str()?;
    let set = case["set"] == true;
    match kind {
        "axis" | "axis_throws" => Some(format!("select {{{mdx}}} on columns from [{cube}]")),
        "member" | "size" if set => Some(format!("select {{{mdx}}} on columns from [{cube}]")),
        "expr" | "expr_throws" => {
            let quoted = mdx.replace('\'', "''");
            Some(format!(
                "with member [Measures].[Foo] as '{quoted}' select {{[Measures].[Foo]}} on columns from [{cube}]"
            ))
        }
        "query" | "query_throws" | "member" | "size" => Some(mdx.to_owned()),
        _ => None,
    }
}

/// What is wrong with the answer to a case; none if nothing is.
fn fault(case: &Json, mdx: &str, query: &Query) -> Option<String> {
    let kind = case["kind"].as_str().unwrap();
    let expected = case["expected"].as_str().unwrap_or_default();
    let (cells, texts) = match (run(mdx, query), kind.ends_with("_throws")) {
        (Err(_), true) => return None,
        (Err(error), false) => return Some(error.to_string()),
        (Ok((_, texts)), true) => {
            let in_cell = kind == "expr_throws" && texts.get(&0).is_some_and(|t| t.starts_with("#ERR"));
            return (!in_cell).then(|| "no error".to_owned());
        }
        (Ok(found), false) => found,
    };
    let got = match kind {
        "query" => text(&cells, &texts, expected),
        "axis" => {
            let line =
                |t: &Vec<String>| if let [one] = t.as_slice() { one.clone() } else { format!("{{{}}}", t.join(", ")) };
            lines(&cells, &cells.axes[0], usize::MAX).iter().map(line).collect::<Vec<_>>().join("\n")
        }
        "expr" => {
            let got = texts.get(&0).cloned().unwrap_or_default();
            if let (Some(tolerance), Ok(a), Ok(b)) =
                (case["tolerance"].as_f64(), got.replace(',', "").parse::<f64>(), expected.parse::<f64>())
            {
                // The text is rounded to the format's decimals.
                return ((a - b).abs() > tolerance.max(0.5)).then_some(got);
            }
            got
        }
        "size" => {
            let check = &case["check"];
            let axis = check["axis"].as_u64().map_or(cells.axes.len().saturating_sub(1), |a| a as usize);
            let len = cells.axes.get(axis).map_or(0, |a| a.tuples.len());
            return (Some(len) != check["size"].as_u64()).then(|| format!("{len} positions"));
        }
        _ => {
            let check = &case["check"];
            let number = |name: &str| check[name].as_u64().unwrap_or(0) as usize;
            let axis = &cells.axes[number("axis")].tuples;
            let (h, m) = (axis.hierarchies()[number("member")], axis.member(number("pos") as u64, number("member")));
            match check["prop"].as_str() {
                Some("name") => cells.members.name(h, m).to_owned(),
                Some("caption") => cells.members.caption(h, m).to_owned(),
                _ => cells.members.unique_name(h, m),
            }
        }
    };
    let same = got.trim_end().lines().count() == expected.trim_end().lines().count()
        && got.trim_end().lines().zip(expected.trim_end().lines()).all(|(g, e)| g == e || is_error(g) && is_error(e));
    (!same).then_some(got)
}

/// A cell with an error; the texts are ours.
fn is_error(line: &str) -> bool {
    line.starts_with("Row #") && line.contains(": #ERR: ")
}

/// Of the cases, those that are run row by row: all of them where the program is optimized, else one in so many.
const SAMPLE: u32 = if cfg!(debug_assertions) { 16 } else { 1 };

/// Whether a case is in the sample, the same one each time.
fn in_sample(id: &str) -> bool {
    let hash = id.bytes().fold(0x811C_9DC5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash >> 8) % SAMPLE == 0
}

/// Runs the cases that `wanted` takes; how many those are. None where the machine lacks them.
fn run_cases(answers: Answers, wanted: fn(&str) -> bool) -> Option<usize> {
    let (folder, cases) = (shared("foodmart")?, shared("conformance/mdx_open.jsonl")?);
    let work = move || {
        let query = foodmart(&folder, Compatibility::Mondrian, answers);
        let known = include_str!("conformance_known.txt");
        let known: BTreeMap<&str, &str> =
            known.lines().filter_map(|l| l.split_once(' ')).filter(|(id, _)| !id.starts_with("//")).collect();
        let cases = std::fs::read_to_string(cases).unwrap();
        let (mut wrong, mut ran) = (Vec::new(), 0);
        for line in cases.lines() {
            let case: Json = serde_json::from_str(line).unwrap();
            let Some(mdx) = statement(&case) else { continue };
            let id = case["id"].as_str().unwrap();
            if !wanted(id) {
                continue;
            }
            ran += 1;
            match (fault(&case, &mdx, &query), known.contains_key(id)) {
                (Some(got), false) => wrong.push(format!("{id} fails: {}", got.chars().take(300).collect::<String>())),
                (None, true) => wrong.push(format!("{id} passes now; take it from the list")),
                _ => {}
            }
        }
        assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
        ran
    };
    let worker = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work);
    Some(worker.unwrap().join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
}

#[test]
fn cases_pass_but_those_known() {
    let Some(ran) = run_cases(Answers::ByColumn, |_| true) else { return };
    assert!(ran > 700, "only {ran} cases were run");
}

#[test]
fn cases_pass_row_by_row_but_those_known() {
    let Some(ran) = run_cases(Answers::RowByRow, in_sample) else { return };
    assert!(ran > 700 / SAMPLE as usize / 2, "only {ran} cases were run");
}
