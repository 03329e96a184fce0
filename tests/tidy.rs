//! House rules that a machine can check: shape of files and functions, direction of dependencies, words that stay out.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

/// A file of the project.
struct SourceFile {
    /// From the workspace's root, with `/`.
    path: String,
    text: String,
}

impl SourceFile {
    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether all of it is test code.
    fn is_test(&self) -> bool {
        let in_folder = |name: &str| self.path.split('/').rev().skip(1).any(|part| part == name);
        let file = self.path.rsplit('/').next().unwrap_or_default();
        in_folder("tests") || in_folder("benches") || file == "tests.rs" || file.ends_with("_tests.rs")
    }

    /// The lines before the test module, which stands last; none in a file of tests.
    fn production(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = match self.text.find("#[cfg(test)]\nmod tests {") {
            _ if self.is_test() => 0,
            Some(end) => end,
            None => self.text.len(),
        };
        (1..).zip(self.text[..end].lines())
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every text file of the project.
fn files() -> Vec<SourceFile> {
    let (mut files, mut folders) = (Vec::new(), vec![root().to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if ![".git", "target", "node_modules"].contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if let Ok(text) = fs::read_to_string(&path) {
                let path = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
                files.push(SourceFile { path, text });
            }
        }
    }
    assert!(files.len() > 50, "the walk found only {} files", files.len());
    files
}

fn rust_files() -> impl Iterator<Item = SourceFile> {
    files().into_iter().filter(SourceFile::is_rust)
}

fn demand(violations: Vec<String>) {
    assert!(violations.is_empty(), "\n{}", violations.join("\n"));
}

#[test]
fn every_file_opens_with_a_sentence_that_says_its_job() {
    let mut bad = Vec::new();
    for file in rust_files() {
        let paragraph: Vec<&str> = file
            .text
            .lines()
            .map_while(|l| l.strip_prefix("//!"))
            .map(str::trim)
            .take_while(|l| !l.is_empty())
            .collect();
        if !paragraph.last().is_some_and(|l| l.ends_with(['.', ':'])) {
            bad.push(format!("{}: opens with no '//!' sentence", file.path));
        }
    }
    demand(bad);
}

#[test]
fn files_have_at_most_600_lines() {
    let mut bad = Vec::new();
    for file in rust_files() {
        let lines = file.production().count();
        if lines > 600 {
            bad.push(format!("{}: {lines} lines without its tests", file.path));
        }
    }
    demand(bad);
}

/// The files are formatted, so that a function ends at the first closing brace that is indented as its `fn`. Blank lines and
/// comments do not count, as they do not for clippy's `too_many_lines`.
#[test]
fn functions_have_at_most_70_lines() {
    let mut bad = Vec::new();
    for file in rust_files() {
        // The first line, its indentation, the name, the lines so far.
        let mut open: Option<(usize, usize, &str, usize)> = None;
        for (number, line) in file.production() {
            let text = line.trim_start();
            let indent = line.len() - text.len();
            match &mut open {
                Some((start, at, name, lines)) if indent == *at && text.starts_with('}') => {
                    if *lines > 70 {
                        bad.push(format!("{}:{start}: fn {name} has {lines} lines", file.path));
                    }
                    open = None;
                }
                Some((.., lines)) => *lines += usize::from(!text.is_empty() && !text.starts_with("//")),
                None => {
                    let one_line = text.ends_with('}') || text.ends_with(';');
                    if let (Some(name), false) = (function_name(text), one_line) {
                        open = Some((number, indent, name, 0));
                    }
                }
            }
        }
    }
    demand(bad);
}

/// The name of the function that a line begins.
fn function_name(line: &str) -> Option<&str> {
    let words = ["pub ", "pub(crate) ", "pub(super) ", "const ", "async ", "unsafe ", "extern \"C\" "];
    let mut rest = line;
    while let Some(shorter) = words.iter().find_map(|word| rest.strip_prefix(word)) {
        rest = shorter;
    }
    rest.strip_prefix("fn ")?.split(['(', '<']).next()
}

#[test]
fn nothing_panics_on_purpose_or_is_left_for_later() {
    let words = [".unwrap()", concat!("todo", "!("), concat!("unimplemented", "!("), concat!("dbg", "!(")];
    let mut bad = Vec::new();
    for file in rust_files() {
        for (number, line) in file.production() {
            if let Some(word) = words.iter().find(|w| line.contains(**w) && !line.trim_start().starts_with("//")) {
                bad.push(format!("{}:{number}: {word}", file.path));
            }
        }
    }
    demand(bad);
}

/// Which of our crates each may use, and which foreign ones it must not see.
const MAY_USE: &[(&str, &[&str], &[&str])] = &[
    ("model", &[], &["tokio", "quick-xml", "axum", "hyper", "arrow-array", "parquet"]),
    ("mdx", &["model"], &["tokio", "quick-xml", "axum", "hyper", "arrow-array", "parquet"]),
    ("schema", &["model", "mdx"], &["tokio", "axum", "hyper", "arrow-array", "parquet"]),
    ("engine", &["model"], &["tokio", "axum", "hyper", "quick-xml"]),
    ("query", &["model", "mdx"], &["tokio", "axum", "hyper", "quick-xml", "arrow-array", "parquet"]),
    ("xmla", &["model"], &["tokio", "axum", "hyper", "arrow-array", "parquet"]),
    ("server", &["model", "mdx", "schema", "engine", "query", "xmla"], &[]),
];

#[test]
fn dependencies_run_one_way() {
    let mut bad = Vec::new();
    for (name, ours, forbidden) in MAY_USE {
        let path = format!("crates/{name}/Cargo.toml");
        let text = fs::read_to_string(root().join(&path)).unwrap();
        // Development dependencies are free to look the other way.
        let section = text.split("[dependencies]").nth(1).unwrap_or("").split("\n[").next().unwrap_or("");
        for line in section.lines() {
            let dependency = line.split(['.', '=', ' ']).next().unwrap_or("");
            let wrong = match dependency.strip_prefix("facetta-") {
                Some(own) => !ours.contains(&own),
                None => forbidden.contains(&dependency),
            };
            if wrong {
                bad.push(format!("{path}: {name} must not use {dependency}"));
            }
        }
    }
    let crates = fs::read_dir(root().join("crates")).unwrap().count();
    assert_eq!(crates, MAY_USE.len(), "a crate without a row in the table");
    demand(bad);
}

/// Folder, and the words that its production code must not hold.
const BORDERS: &[(&str, &[&str])] = &[
    ("crates/server/src/commands/", &["axum", "hyper::"]),
    ("crates/server/src/rowsets/", &["axum", "hyper::"]),
    ("crates/query/src/", &["async fn", "std::fs", "std::net"]),
    ("crates/engine/src/", &["async fn", "std::net"]),
    ("crates/mdx/src/", &["async fn", "std::fs", "std::net"]),
    ("crates/xmla/src/", &["async fn", "std::fs", "std::net"]),
];

#[test]
fn borders_inside_the_workspace_are_kept() {
    let mut bad = Vec::new();
    for file in rust_files() {
        for (folder, words) in BORDERS.iter().filter(|(folder, _)| file.path.starts_with(folder)) {
            for (number, line) in file.production().filter(|(_, l)| !l.trim_start().starts_with("//")) {
                if let Some(word) = words.iter().find(|w| line.contains(**w)) {
                    bad.push(format!("{}:{number}: '{word}' has no place in {folder}", file.path));
                }
            }
        }
    }
    demand(bad);
}

#[test]
fn nothing_of_a_machine_or_of_unfinished_work_is_left_in_a_file() {
    let words = [
        concat!("/wo", "rk/"),
        concat!("/ho", "me/"),
        concat!("/ro", "ot/"),
        concat!("C:", "\\Users"),
        concat!("index.", "crates.io"),
        concat!("pypi", ".org"),
        concat!("npmjs", ".com"),
        concat!("arti", "factory"),
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X:"),
    ];
    let mut bad = Vec::new();
    for file in files() {
        for (number, line) in (1..).zip(file.text.lines()) {
            if let Some(word) = words.iter().find(|w| line.contains(**w)) {
                bad.push(format!("{}:{number}: {word}", file.path));
            }
        }
    }
    demand(bad);
}

#[test]
fn every_dependency_comes_from_the_public_registry() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let public = r#"source = "registry+https://github.com/rust-lang/crates.io-index""#;
    let other: Vec<String> =
        lock.lines().filter(|l| l.starts_with("source") && *l != public).map(String::from).collect();
    demand(other);
}

#[test]
fn the_readme_commands_exist() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for command in ["cargo run --release -- demo", "cargo xtask test"] {
        assert!(readme.contains(command), "README.md does not name '{command}'");
    }
    let aliases = fs::read_to_string(root().join(".cargo/config.toml")).unwrap();
    assert!(aliases.contains("xtask ="), "there is no alias xtask");
    let demo = std::process::Command::new(env!("CARGO_BIN_EXE_facetta")).args(["demo", "--help"]).output().unwrap();
    assert!(demo.status.success(), "facetta demo --help fails");
}

#[test]
fn links_in_the_documents_lead_somewhere() {
    let mut bad = Vec::new();
    for file in files().into_iter().filter(|f| f.path.ends_with(".md")) {
        let folder = root().join(&file.path).parent().unwrap().to_path_buf();
        for link in file.text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or("");
            if !target.is_empty() && !target.contains("://") && !folder.join(target).exists() {
                bad.push(format!("{}: no {link}", file.path));
            }
        }
    }
    demand(bad);
}
