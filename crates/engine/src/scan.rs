//! Rows of blocks that pass the filters: blocks skipped by their smallest and largest codes, rows tested by masks.

use crate::column::{BLOCK_ROWS, Code, Codes, with_codes};
use crate::plan::{BlockTest, CodeFilter, CodeTest, Tables};
use crate::segment::Segment;
use facetta_model::{Context, Result};
use std::ops::Range;
use std::sync::atomic::Ordering::Relaxed;

/// Rows that are worked on at a time: what the steps hand to each other stays in the first cache.
pub(crate) const CHUNK_ROWS: usize = 4096;

/// Which rows of a chunk pass.
pub(crate) enum Selection<'a> {
    /// All of them.
    All,
    /// Those at these offsets, ascending.
    Some(&'a [u16]),
}

/// What a scan needs from block to block.
pub(crate) struct Scanner<'a> {
    segment: &'a Segment,
    tables: &'a Tables,
    mask: Vec<u8>,
    selected: Vec<u16>,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(segment: &'a Segment, tables: &'a Tables) -> Scanner<'a> {
        Scanner { segment, tables, mask: vec![0; CHUNK_ROWS], selected: Vec::with_capacity(CHUNK_ROWS) }
    }

    /// Calls `visit` with the rows of each chunk of a block in which any row passes. False if the block was not looked at, since no
    /// row of it can pass.
    pub(crate) fn block(
        &mut self,
        block: usize,
        context: &Context,
        mut visit: impl FnMut(Range<usize>, Selection<'_>) -> Result<()>,
    ) -> Result<bool> {
        context.check()?;
        let mut filters: Vec<&CodeFilter> = Vec::new();
        for filter in &self.tables.filters {
            let column = &self.segment.paths[filter.column];
            match filter.block(column.mins[block], column.maxs[block]) {
                BlockTest::Skip => return Ok(false),
                BlockTest::All => {}
                BlockTest::Some => filters.push(filter),
            }
        }
        let rows = self.segment.block(block);
        let widths: usize = filters.iter().map(|f| self.segment.paths[f.column].codes.width()).sum();
        context.counters().rows_read.fetch_add(rows.len() as u64, Relaxed);
        context.counters().bytes_read.fetch_add((rows.len() * widths) as u64, Relaxed);
        let mut start = rows.start;
        while start < rows.end {
            let chunk = start..rows.end.min(start + CHUNK_ROWS);
            start = chunk.end;
            if filters.is_empty() && self.tables.tuples.is_empty() {
                visit(chunk, Selection::All)?;
                continue;
            }
            self.test(&filters, chunk.clone());
            if !self.tables.tuples.is_empty() {
                context.check()?;
            }
            match self.selected.len() {
                0 => {}
                n if n == chunk.len() => visit(chunk, Selection::All)?,
                _ => visit(chunk, Selection::Some(&self.selected))?,
            }
        }
        Ok(true)
    }

    /// Fills `selected` with the rows of a chunk that pass.
    fn test(&mut self, filters: &[&CodeFilter], chunk: Range<usize>) {
        let mask = &mut self.mask[..chunk.len()];
        mask.fill(1);
        for filter in filters {
            let codes = &self.segment.paths[filter.column].codes;
            test_codes(codes, chunk.clone(), &filter.test, mask);
        }
        for tuples in &self.tables.tuples {
            tuples.restrict(self.segment, chunk.clone(), mask);
        }
        select(mask, &mut self.selected);
    }
}

/// How many work items there are at most: blocks are dealt out in runs of neighbours, so that what is added is
/// added in the same order whatever the number of processors.
pub(crate) fn runs(blocks: usize, most: usize) -> Vec<Range<usize>> {
    let count = blocks.min(most.max(1));
    (0..count).map(|i| blocks * i / count..blocks * (i + 1) / count).collect()
}

fn test_codes(codes: &Codes, rows: Range<usize>, test: &CodeTest, mask: &mut [u8]) {
    with_codes!(codes, codes => match test {
        CodeTest::Range { first, last } => test_range(&codes[rows], *first, *last, mask),
        CodeTest::Table(passes) => test_table(&codes[rows], passes, mask),
    });
}

/// One comparison for each code, without a branch: the compiler makes vector instructions of it.
fn test_range<C: Code>(codes: &[C], first: u32, last: u32, mask: &mut [u8]) {
    // A range that codes of this width cannot reach does not occur: tables are as long as the codes' space.
    let (first, last) = (C::of(first), C::of(last));
    for (mask, &code) in mask.iter_mut().zip(codes) {
        *mask &= u8::from(code >= first) & u8::from(code <= last);
    }
}

fn test_table<C: Code>(codes: &[C], passes: &[u8], mask: &mut [u8]) {
    // A table as long as the codes can reach needs no check for each row.
    if let Some(whole) = passes.get(..C::SPACE) {
        for (mask, &code) in mask.iter_mut().zip(codes) {
            *mask &= whole[code.index()];
        }
    } else {
        for (mask, &code) in mask.iter_mut().zip(codes) {
            *mask &= passes.get(code.index()).copied().unwrap_or(0);
        }
    }
}

/// The offsets at which the mask is set.
fn select(mask: &[u8], selected: &mut Vec<u16>) {
    selected.clear();
    selected.resize(mask.len() + 8, 0);
    let mut count = 0;
    let (words, rest) = mask.as_chunks::<8>();
    for (word, bytes) in words.iter().enumerate() {
        // Eight rows at once where none passes.
        if u64::from_ne_bytes(*bytes) == 0 {
            continue;
        }
        for (bit, &byte) in bytes.iter().enumerate() {
            selected[count] = (word * 8 + bit) as u16;
            count += usize::from(byte);
        }
    }
    for (at, &byte) in rest.iter().enumerate() {
        selected[count] = (words.len() * 8 + at) as u16;
        count += usize::from(byte);
    }
    selected.truncate(count);
}

const _: () = assert!(BLOCK_ROWS.is_multiple_of(CHUNK_ROWS) && CHUNK_ROWS <= u16::MAX as usize);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_rows_are_selected() {
        let mask: Vec<u8> = (0..37).map(|i| u8::from(i % 5 == 0 || i == 36)).collect();
        let mut selected = Vec::new();
        select(&mask, &mut selected);
        assert_eq!(selected, [0, 5, 10, 15, 20, 25, 30, 35, 36]);
    }

    #[test]
    fn runs_cover_all_blocks_once() {
        for blocks in 0..40 {
            let covered: Vec<usize> = runs(blocks, 16).into_iter().flatten().collect();
            assert_eq!(covered, (0..blocks).collect::<Vec<_>>());
        }
    }
}
