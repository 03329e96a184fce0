//! Floors of the conformance cases: how many must pass; they only rise.

use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Where they are kept, from the workspace's root.
pub(crate) const FILE: &str = "tests/conformance/floors.toml";

/// Every floor: `name = count` lines of a flat TOML file.
#[derive(Debug)]
pub(crate) struct Floors {
    path: PathBuf,
    text: String,
    counts: BTreeMap<String, u64>,
}

impl Floors {
    /// Reads the file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        Ok(Floors { path: path.to_path_buf(), ..Self::parse(&text).with_context(|| path.display().to_string())? })
    }

    /// Parses the file's text.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut counts = BTreeMap::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or("").trim();
            if line.is_empty() {
                continue;
            }
            let entry = line.split_once('=').and_then(|(n, c)| Some((n.trim().to_string(), c.trim().parse().ok()?)));
            let Some((name, count)) = entry else { bail!("line {}: 'name = count' was expected", number + 1) };
            ensure!(counts.insert(name, count).is_none(), "line {}: a second time the same name", number + 1);
        }
        Ok(Floors { path: PathBuf::new(), text: text.to_string(), counts })
    }

    /// Every floor of `earlier` is still there and not lower.
    pub(crate) fn not_below(&self, earlier: &Floors) -> Result<()> {
        for (name, count) in &earlier.counts {
            match self.counts.get(name) {
                Some(now) if now >= count => {}
                Some(now) => bail!("floor '{name}' is {now}, but was {count} once"),
                None => bail!("floor '{name}' is gone"),
            }
        }
        Ok(())
    }

    /// Compares measured counts with their floors: an error if one is lower; the line to print otherwise.
    /// With `raise`, floors that were surpassed are written.
    pub(crate) fn check(mut self, measured: &[(&str, u64, u64)], raise: bool) -> Result<String> {
        let mut parts = Vec::new();
        let mut below = Vec::new();
        for &(name, count, of) in measured {
            let floor = *self.counts.get(name).with_context(|| format!("{FILE} has no floor '{name}'"))?;
            if count < floor {
                below.push(format!("{name}: {count} of {of} passed, the floor is {floor}"));
            } else if count > floor && raise {
                self.raise(name, count);
                parts.push(format!("{name} {count} of {of} (floor raised from {floor})"));
            } else if count > floor {
                parts.push(format!("{name} {count} of {of} (floor {floor}; --raise would lift it)"));
            } else {
                parts.push(format!("{name} {count} of {of} (floor {floor})"));
            }
        }
        ensure!(below.is_empty(), "{}", below.join("; "));
        if raise {
            fs::write(&self.path, &self.text).with_context(|| format!("writing {}", self.path.display()))?;
        }
        Ok(parts.join(", "))
    }

    fn raise(&mut self, name: &str, count: u64) {
        let lines = self.text.lines().map(|line| match line.split_once('=') {
            Some((left, _)) if left.trim() == name => format!("{name} = {count}\n"),
            _ => format!("{line}\n"),
        });
        self.text = lines.collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_floor_that_sinks_or_vanishes_is_an_error() {
        let earlier = Floors::parse("# why\na = 3\nb = 0\n").unwrap();
        let cases = [("a = 3\nb = 0", true), ("a = 4\nb = 9", true), ("a = 2\nb = 0", false), ("a = 3", false)];
        for (text, fine) in cases {
            assert_eq!(Floors::parse(text).unwrap().not_below(&earlier).is_ok(), fine, "{text}");
        }
    }

    #[test]
    fn counts_below_the_floor_fail_and_higher_ones_raise_it() {
        let floors = || Floors::parse("# kept\na = 3\nb = 5\n").unwrap();
        assert!(floors().check(&[("a", 2, 9)], false).is_err());
        assert!(floors().check(&[("c", 2, 9)], false).is_err());
        assert!(floors().check(&[("a", 3, 9), ("b", 6, 9)], false).is_ok());
        let mut raised = floors();
        raised.raise("a", 7);
        assert_eq!(raised.text, "# kept\na = 7\nb = 5\n");
    }

    #[test]
    fn nonsense_names_its_line() {
        for text in ["a = 1\nb", "a = 1\na = 2", "a = 1\nb = x"] {
            assert!(Floors::parse(text).unwrap_err().to_string().contains("line 2"), "{text}");
        }
    }
}
