//! A catalog that is large enough for statements that nobody can wait for: five dimensions of a hundred members, a million rows.

use super::random::Random;
use std::fmt::Write;
use std::path::Path;

const SCHEMA: &str = "
catalog: Wide
dimensions:
  A: {table: numbers, key: id, hierarchies: {A: {levels: {A: id}}}}
  B: {table: numbers, key: id, hierarchies: {B: {levels: {B: id}}}}
  C: {table: numbers, key: id, hierarchies: {C: {levels: {C: id}}}}
  D: {table: numbers, key: id, hierarchies: {D: {levels: {D: id}}}}
  E: {table: numbers, key: id, hierarchies: {E: {levels: {E: id}}}}
cubes:
  Wide:
    measure_groups:
      Facts:
        fact: facts
        dimensions: {A: a, B: b, C: c, D: d, E: e}
        measures:
          Number: {value: sum(number)}
";

/// A query over it that nobody can wait for; it keeps a core busy with little memory.
pub const ENDLESS: &str = "WITH MEMBER [Measures].[X] AS 'Sum([A].[A].[A].Members, Sum([B].[B].[B].Members, Sum([C].[C].[C].Members, \
                    Sum([D].[D].[D].Members, Sum([E].[E].[E].Members, [Measures].[Number] + 1)))))' \
                    SELECT {[Measures].[X]} ON 0 FROM [Wide]";

/// Writes schema and data; the value of the key `catalog` that serves them.
pub fn wide(folder: &Path, rows: usize) -> String {
    let source = folder.join("wide");
    std::fs::create_dir_all(&source).unwrap();
    let (mut numbers, mut facts) = ("id\n".to_owned(), "a,b,c,d,e,number\n".to_owned());
    for id in 0..100 {
        // Writing to a String does not fail.
        let _ = writeln!(numbers, "{id}");
    }
    let mut random = Random::new(1);
    for _ in 0..rows {
        let [a, b, c, d, e, number] = [100, 100, 100, 100, 100, 1000].map(|limit| random.below(limit));
        let _ = writeln!(facts, "{a},{b},{c},{d},{e},{number}");
    }
    std::fs::write(source.join("numbers.csv"), numbers).unwrap();
    std::fs::write(source.join("facts.csv"), facts).unwrap();
    let schema = folder.join("wide.yaml");
    std::fs::write(&schema, SCHEMA).unwrap();
    format!("Wide={},{}", schema.display(), source.display())
}
