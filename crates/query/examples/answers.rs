//! Answers MDX statements over a catalog loaded from files: one JSON string a line in, one JSON object a line out.
//!
//! `answers SCHEMA DATA_FOLDER < statements.jsonl > answers.jsonl`; conformance programs read what it writes.

use facetta_model::{Axis, CellSet, Context, Error, Members, Outcome, Result, Value};
use facetta_query::{Query, STACK_BYTES, execute};
use serde_json::{Value as Json, json};
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(schema), Some(folder)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: answers SCHEMA DATA_FOLDER < statements.jsonl");
        std::process::exit(2);
    };
    let work = move || run(&PathBuf::from(schema), PathBuf::from(folder));
    let worker = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work);
    match worker.map(std::thread::JoinHandle::join) {
        Ok(Ok(Ok(()))) => {}
        Ok(Ok(Err(error))) => {
            eprintln!("{error}");
            std::process::exit(1);
        }
        _ => std::process::exit(3),
    }
}

fn run(schema: &std::path::Path, folder: PathBuf) -> Result<(), String> {
    let context = Context::unlimited();
    let definition = facetta_schema::load(schema).map_err(|e| e.to_string())?;
    let store = facetta_engine::Store::in_memory();
    let source = facetta_engine::Source::Folder(folder);
    let database = store.load("FoodMart", &definition, &source, &context, &|_| {}).map_err(|e| e.to_string())?;
    let query = Query::new(database.snapshot(), jiff::civil::DateTime::constant(2024, 8, 22, 10, 20, 30, 0));
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|e| e.to_string())?;
        let Ok(Json::String(mdx)) = serde_json::from_str(&line) else { return Err(format!("no JSON string: {line}")) };
        let started = Instant::now();
        let mut answer =
            answer(&mdx, &query).unwrap_or_else(|e| json!({ "fault": e.to_string(), "kind": e.kind().name() }));
        answer["ms"] = json!(started.elapsed().as_secs_f64() * 1e3);
        writeln!(out, "{answer}").and_then(|()| out.flush()).map_err(|e| e.to_string())?;
    }
    Ok(())
}

fn answer(mdx: &str, query: &Query) -> Result<Json> {
    let context = Context::new(1 << 30, Some(Duration::from_secs(60)));
    let statement = facetta_mdx::parse_statement(mdx, &context).map_err(|e| e.located_in(mdx))?;
    let outcome = execute(&statement, query, &context).map_err(|e| e.located_in(mdx))?;
    let Outcome::CellSet(mut cells) = outcome else {
        return Err(Error::not_supported("an outcome that is no cell set"));
    };
    let mut values = serde_json::Map::new();
    while let Some(block) = (cells.cells)(&context)? {
        for (i, ordinal) in block.ordinals.iter().enumerate() {
            let formatted = (i < block.formatted.len()).then(|| block.formatted.get(i));
            let cell = match &block.values[i] {
                Value::Error(e) => json!([null, formatted, e.to_string()]),
                value => json!([value.to_string(), formatted, null]),
            };
            values.insert(ordinal.to_string(), cell);
        }
    }
    Ok(json!({ "axes": axes(&cells), "slicer": axis(&cells.slicer, &cells.members), "cells": values }))
}

fn axes(cells: &CellSet) -> Json {
    cells.axes.iter().map(|a| axis(a, &cells.members)).collect()
}

fn axis(axis: &Axis, members: &Members) -> Json {
    let tuple = |tuple: Vec<facetta_model::MemberId>| -> Json {
        let member = |(h, m): (&facetta_model::HierarchyId, &facetta_model::MemberId)| {
            let hierarchy = &members.cube.hierarchy(*h).unique_name;
            json!([hierarchy, members.unique_name(*h, *m), members.caption(*h, *m), members.name(*h, *m)])
        };
        axis.tuples.hierarchies().iter().zip(&tuple).map(member).collect()
    };
    axis.tuples.iter().map(tuple).collect()
}
