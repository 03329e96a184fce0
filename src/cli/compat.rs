//! `facetta compat`: COMPAT.md, printed from the tables that do the work.

use anyhow::Result;
use facetta_query::functions::{self, Function, Syntax};
use facetta_query::scalar;
use facetta_server::rowsets::ROWSETS;
use facetta_server::rowsets::definition::Audience;
use facetta_xmla::{Effect, NOT_SUPPORTED, PROPERTIES};
use std::fmt::Write as _;

/// Commands that work, with what they do.
const COMMANDS: &[(&str, &str)] = &[
    ("Statement", "MDX, DMV queries; a command pasted as text"),
    ("Cancel", "by SPID, SessionID, ConnectionID, or of the sending session; CancelAssociated"),
    ("BeginTransaction", "reference counted, in explicit sessions"),
    ("CommitTransaction", "durable before it is acknowledged"),
    ("RollbackTransaction", "undoes the whole transaction"),
];

/// Prints the page.
pub(super) fn run() -> Result<()> {
    let mut page = String::from(
        "# Compatibility\n\n\
         What of XML for Analysis and MDX this version knows, written by `cargo xtask compat` from the tables that do the\n\
         work. What is not here faults, and the fault names it.\n",
    );
    rowsets(&mut page)?;
    commands(&mut page)?;
    properties(&mut page)?;
    functions(&mut page)?;
    scalar_functions(&mut page)?;
    print!("{page}");
    Ok(())
}

fn rowsets(page: &mut String) -> Result<()> {
    writeln!(page, "\n## Rowsets ({})\n", ROWSETS.len())?;
    writeln!(
        page,
        "| rowset | columns | restrictions (**required**) | `$SYSTEM` | who | about |\n|---|---|---|---|---|---|"
    )?;
    for table in ROWSETS {
        let restrictions = table
            .restrictions()
            .into_iter()
            .map(|(name, restriction)| if restriction.needed { format!("**{name}**") } else { name.to_string() });
        let restrictions: Vec<String> = restrictions.collect();
        let who = match table.audience() {
            Audience::Everyone => "everyone",
            Audience::Administrators => "administrators",
        };
        let dmv = if table.is_dmv() { "yes" } else { "no" };
        let (name, columns) = (table.name(), table.columns().len());
        writeln!(
            page,
            "| {name} | {columns} | {} | {dmv} | {who} | {} |",
            restrictions.join(", "),
            cell(table.about())
        )?;
    }
    Ok(())
}

fn commands(page: &mut String) -> Result<()> {
    writeln!(page, "\n## Commands\n\n| command | state |\n|---|---|")?;
    for (name, state) in COMMANDS {
        writeln!(page, "| {name} | {state} |")?;
    }
    for name in NOT_SUPPORTED {
        writeln!(page, "| {name} | faults by name |")?;
    }
    Ok(())
}

fn properties(page: &mut String) -> Result<()> {
    writeln!(
        page,
        "\n## Properties ({})\n\n| property | type | access | state | meaning |\n|---|---|---|---|---|",
        PROPERTIES.len()
    )?;
    for property in PROPERTIES {
        let state = match property.effect {
            Effect::Acts => "works",
            Effect::Ignored => "accepted, changes nothing yet",
            Effect::Refused => "a value faults",
            Effect::Fact => "told by the server",
        };
        let (name, ty, access) = (property.name, property.ty, property.access);
        writeln!(page, "| {name} | {ty:?} | {access:?} | {state} | {} |", cell(property.meaning))?;
    }
    Ok(())
}

fn functions(page: &mut String) -> Result<()> {
    writeln!(page, "\n## Functions and operators of MDX ({} overloads)", functions::announced().count())?;
    let mut family = "";
    for (of, function) in functions::announced() {
        if of != family {
            writeln!(page, "\n### {of}\n\n| how it is written | yields | about |\n|---|---|---|")?;
            family = of;
        }
        writeln!(page, "| `{}` | {} | {} |", written(function), function.returns.text(), cell(function.doc))?;
    }
    Ok(())
}

fn scalar_functions(page: &mut String) -> Result<()> {
    writeln!(page, "\n## Functions of VBA and Excel ({} overloads)", scalar::all().count())?;
    writeln!(page, "\n| how it is written | library | yields | about |\n|---|---|---|---|")?;
    for function in scalar::all() {
        let mut parameters = String::new();
        for (position, parameter) in function.parameters.iter().enumerate() {
            let comma = if position > 0 { ", " } else { "" };
            let (open, close) = if parameter.optional { ("[", "]") } else { ("", "") };
            write!(parameters, "{open}{comma}«{}»{close}", parameter.kind.description())?;
        }
        let (name, library, yields) = (function.name, function.library.name(), function.returns.description());
        writeln!(page, "| `{name}({parameters})` | {library} | {yields} | {} |", cell(function.doc))?;
    }
    Ok(())
}

/// A function with the kinds of its arguments where they stand.
fn written(function: &Function) -> String {
    let name = function.name;
    let mut kinds: Vec<String> = function.parameters.iter().map(|kind| format!("«{}»", kind.text())).collect();
    if function.repeats > 0 {
        kinds.push("…".to_string());
    }
    let rest = |from: usize| kinds.get(from..).unwrap_or_default().join(", ");
    let text = match (function.syntax, kinds.as_slice()) {
        (Syntax::Method, [first, ..]) => format!("{first}.{name}({})", rest(1)),
        (Syntax::Property, [first, ..]) => format!("{first}.{name}"),
        (Syntax::Infix, [left, right, ..]) => format!("{left} {name} {right}"),
        (Syntax::Prefix, [operand, ..]) => format!("{name} {operand}"),
        (Syntax::Postfix, [operand, ..]) => format!("{operand} {name}"),
        _ => format!("{name}({})", rest(0)),
    };
    text.replace('|', "\\|")
}

/// A text that cannot end its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
