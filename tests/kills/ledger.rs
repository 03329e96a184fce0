//! The catalog of the campaign, and what is true of its cells at every moment.
//!
//! Each owner has four accounts, which one client writes together: in version v they hold v, 2v, 3v and -6v. The accounts that are
//! common to all take part in transfers between two of them. So the sum of everything is 0 at every moment.

use crate::Result;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::path::Path;
use std::sync::atomic::AtomicI64;

/// Clients that write, each with accounts of its own.
pub const OWNERS: usize = 4;

/// What the accounts of an owner hold, times the version.
pub const PARTS: [i64; 4] = [1, 2, 3, -6];

/// Accounts for transfers.
pub const COMMON: usize = 5;

const SCHEMA: &str = "
catalog: Ledger
dimensions:
  Account:
    table: accounts
    key: id
    hierarchies:
      Accounts:
        levels:
          Owner: owner
          Account: {key: id, name: account}
cubes:
  Ledger:
    measure_groups:
      Postings:
        fact: postings
        dimensions: {Account: account}
        measures:
          Amount: {value: sum(amount)}
";

/// Every cell, with the totals above them.
pub const READ: &str = "SELECT {[Account].[Accounts].[All], [Account].[Accounts].[Owner].Members, \
                        [Account].[Accounts].[Account].Members} ON COLUMNS FROM [Ledger] WHERE [Measures].[Amount]";

/// What is known beside the cells: the last version of each owner that was acknowledged, and the last that was sent to be committed.
#[derive(Default)]
pub struct Ledger {
    pub acknowledged: [AtomicI64; OWNERS],
    pub sent: [AtomicI64; OWNERS],
}

/// The name of an owner's account.
pub fn account(owner: usize, part: usize) -> String {
    format!("O{owner} A{part}")
}

/// The name of an account for transfers.
pub fn common(number: usize) -> String {
    format!("C A{number}")
}

/// The unique name of an account's member.
pub fn member(account: &str) -> String {
    let owner = account.split(' ').next().unwrap_or_default();
    format!("[Account].[Accounts].[Owner].[{owner}].[{account}]")
}

/// Writes schema and data; the value of the key `catalog` that serves them.
pub fn write(folder: &Path) -> io::Result<String> {
    let source = folder.join("ledger");
    std::fs::create_dir_all(&source)?;
    let own = (0..OWNERS).flat_map(|o| (0..PARTS.len()).map(move |p| account(o, p)));
    let (mut accounts, mut postings) = ("id,owner,account\n".to_owned(), "account,amount\n".to_owned());
    for (id, name) in own.chain((0..COMMON).map(common)).enumerate() {
        let owner = name.split(' ').next().unwrap_or_default();
        // Writing to a String does not fail.
        let _ = writeln!(accounts, "{id},{owner},{name}");
        let _ = writeln!(postings, "{id},0");
    }
    std::fs::write(source.join("accounts.csv"), accounts)?;
    std::fs::write(source.join("postings.csv"), postings)?;
    let schema = folder.join("ledger.yaml");
    std::fs::write(&schema, SCHEMA)?;
    Ok(format!("Ledger={},{}", schema.display(), source.display()))
}

/// The cells at one moment, by the caption of their member.
pub type Cells = BTreeMap<String, i64>;

/// Checks what is true at every moment; the version of each owner.
pub fn versions(cells: &Cells) -> Result<[i64; OWNERS]> {
    let get = |name: &str| cells.get(name).copied().ok_or_else(|| format!("no cell of {name} in {cells:?}"));
    let total = cells.iter().find(|(name, _)| name.starts_with("All")).ok_or("no total")?;
    if *total.1 != 0 {
        return Err(format!("the sum of everything is {}: {cells:?}", total.1));
    }
    let mut versions = [0; OWNERS];
    for (owner, version) in versions.iter_mut().enumerate() {
        *version = get(&account(owner, 0))?;
        for (part, factor) in PARTS.iter().enumerate() {
            if get(&account(owner, part))? != *version * factor {
                return Err(format!("half a change of owner {owner}: {cells:?}"));
            }
        }
        if get(&format!("O{owner}"))? != 0 {
            return Err(format!("the total of owner {owner} does not follow: {cells:?}"));
        }
    }
    let transfers = (0..COMMON).map(|c| get(&common(c))).sum::<Result<i64>>()?;
    if transfers != 0 || get("C")? != 0 {
        return Err(format!("half a transfer: {cells:?}"));
    }
    Ok(versions)
}
