//! `facetta compat`: COMPAT.md, printed from the tables that do the work.

use anyhow::Result;
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
         What of XML for Analysis and MDX this version knows. Written by `cargo xtask compat` from the tables that do the work;\n\
         what is not here faults and is named in the fault.\n",
    );
    rowsets(&mut page)?;
    commands(&mut page)?;
    properties(&mut page)?;
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

/// A text that cannot end its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
