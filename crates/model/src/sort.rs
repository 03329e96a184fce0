//! A stable sort that can be cancelled.

use crate::{Context, Result};
use std::cmp::Ordering;

/// Items that the standard library sorts in one go: some tenths of a millisecond.
const RUN: usize = 4096;

/// Sorts as the standard library does, stable, but polls the context: runs of some thousand items are sorted by the standard
/// library, then merged with polls between.
///
/// # Errors
/// Those of the context.
pub fn sorted<T>(items: Vec<T>, context: &Context, compare: impl Fn(&T, &T) -> Ordering) -> Result<Vec<T>> {
    context.check()?;
    if items.len() <= RUN {
        let mut items = items;
        items.sort_by(compare);
        return Ok(items);
    }
    let mut runs: Vec<Vec<T>> = Vec::with_capacity(items.len() / RUN + 1);
    let mut items = items.into_iter();
    loop {
        context.check()?;
        let mut run: Vec<T> = items.by_ref().take(RUN).collect();
        if run.is_empty() {
            break;
        }
        run.sort_by(&compare);
        runs.push(run);
    }
    drop(items);
    while runs.len() > 1 {
        let mut pairs = runs.into_iter();
        let mut merged = Vec::with_capacity(pairs.len() / 2 + 1);
        while let Some(left) = pairs.next() {
            merged.push(match pairs.next() {
                Some(right) => merge(left, right, context, &compare)?,
                None => left,
            });
        }
        runs = merged;
    }
    Ok(runs.pop().unwrap_or_default())
}

fn merge<T>(left: Vec<T>, right: Vec<T>, context: &Context, compare: &impl Fn(&T, &T) -> Ordering) -> Result<Vec<T>> {
    let mut out = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    let mut step = 0;
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        context.check_every(&mut step)?;
        let from_right = compare(a, b).is_gt();
        out.extend(if from_right { right.next() } else { left.next() });
    }
    out.extend(left);
    out.extend(right);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CancelReason;

    fn items(count: u64) -> Vec<(u64, u64)> {
        (0..count).map(|i| (i * 7919 % 10_007, i)).collect()
    }

    #[test]
    fn sorting_is_right_and_stable() {
        let context = Context::unlimited();
        for count in [0, 1, 4096, 4097, 20_000, 100_003] {
            let mut expected = items(count);
            expected.sort_by_key(|(key, _)| key / 10);
            let found = sorted(items(count), &context, |a, b| (a.0 / 10).cmp(&(b.0 / 10))).unwrap();
            assert_eq!(found, expected, "{count}");
        }
    }

    #[test]
    fn sorting_can_be_cancelled_at_any_poll() {
        let context = Context::unlimited();
        let compared = std::cell::Cell::new(0);
        let result = sorted(items(100_000), &context, |a, b| {
            compared.set(compared.get() + 1);
            if compared.get() == 600_000 {
                context.token().cancel(CancelReason::Cancel);
            }
            a.cmp(b)
        });
        assert!(result.is_err());
        // The rest of one run at most.
        assert!(compared.get() < 660_000, "{} comparisons", compared.get());
    }
}
