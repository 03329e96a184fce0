//! Columns of a segment: dense codes of members in the narrowest width, and numbers of measures.

use crate::buffer::{Buffer, Plain};

/// Rows in a block: the unit of skipping, of parallel work and of polling.
pub(crate) const BLOCK_ROWS: usize = 64 * 1024;

/// A code in one of its widths.
pub(crate) trait Code: Plain + PartialOrd {
    /// Every code is smaller.
    const SPACE: usize;
    /// Of a number that fits.
    fn of(number: u32) -> Self;
    /// As an index.
    fn index(self) -> usize;
}

macro_rules! code {
    ($($ty:ty => $space:expr;)+) => {$(
        impl Code for $ty {
            const SPACE: usize = $space;
            #[inline(always)]
            fn of(number: u32) -> Self { number as $ty }
            #[inline(always)]
            fn index(self) -> usize { self as usize }
        }
    )+};
}

code! {
    u8 => 1 << 8;
    u16 => 1 << 16;
    u32 => 1 << 32;
}

/// Codes in the narrowest width that holds them all.
pub(crate) enum Codes {
    U8(Buffer<u8>),
    U16(Buffer<u16>),
    U32(Buffer<u32>),
}

/// Runs `$body` with `$values` as the typed slice of `$codes`.
macro_rules! with_codes {
    ($codes:expr, $values:ident => $body:expr) => {
        match $codes {
            $crate::column::Codes::U8($values) => $body,
            $crate::column::Codes::U16($values) => $body,
            $crate::column::Codes::U32($values) => $body,
        }
    };
}
pub(crate) use with_codes;

impl Codes {
    /// The code of a row.
    pub(crate) fn get(&self, row: usize) -> u32 {
        with_codes!(self, v => v[row].index() as u32)
    }

    /// Bytes of a code.
    pub(crate) fn width(&self) -> usize {
        match self {
            Codes::U8(_) => 1,
            Codes::U16(_) => 2,
            Codes::U32(_) => 4,
        }
    }

    /// The entries that a table over codes below `space` must have, so that no code in the file, even of a damaged
    /// one, lies outside it; codes of 32 bits are checked one by one instead.
    pub(crate) fn table_len(&self, space: usize) -> usize {
        match self {
            Codes::U8(_) => u8::SPACE,
            Codes::U16(_) => u16::SPACE,
            Codes::U32(_) => space,
        }
    }

    /// The bytes of a code for codes below `space`.
    pub(crate) fn width_for(space: usize) -> usize {
        match space {
            0..=0x100 => 1,
            0x101..=0x1_0000 => 2,
            _ => 4,
        }
    }
}

/// A code column with the smallest and largest code of each block.
pub(crate) struct CodeColumn {
    pub(crate) codes: Codes,
    pub(crate) mins: Buffer<u32>,
    pub(crate) maxs: Buffer<u32>,
}

impl CodeColumn {
    pub(crate) fn new(codes: Codes) -> CodeColumn {
        fn range<C: Code>(block: &[C]) -> (u32, u32) {
            let all = block.iter().map(|c| c.index() as u32);
            all.fold((u32::MAX, 0), |(min, max), c| (min.min(c), max.max(c)))
        }
        let (mins, maxs): (Vec<u32>, Vec<u32>) = with_codes!(&codes, v => v.chunks(BLOCK_ROWS).map(range).unzip());
        CodeColumn { codes, mins: mins.into(), maxs: maxs.into() }
    }
}

/// Codes while rows are added, in a width known beforehand.
pub(crate) enum CodesBuilder {
    U8(Vec<u8>),
    U16(Vec<u16>),
    U32(Vec<u32>),
}

impl CodesBuilder {
    /// For codes below `space`.
    pub(crate) fn new(space: usize) -> CodesBuilder {
        match Codes::width_for(space) {
            1 => CodesBuilder::U8(Vec::new()),
            2 => CodesBuilder::U16(Vec::new()),
            _ => CodesBuilder::U32(Vec::new()),
        }
    }

    pub(crate) fn extend(&mut self, codes: impl Iterator<Item = u32>) {
        match self {
            CodesBuilder::U8(v) => v.extend(codes.map(u8::of)),
            CodesBuilder::U16(v) => v.extend(codes.map(u16::of)),
            CodesBuilder::U32(v) => v.extend(codes),
        }
    }

    /// What was added, leaving nothing.
    pub(crate) fn take(&mut self) -> Codes {
        match self {
            CodesBuilder::U8(v) => Codes::U8(std::mem::take(v).into()),
            CodesBuilder::U16(v) => Codes::U16(std::mem::take(v).into()),
            CodesBuilder::U32(v) => Codes::U32(std::mem::take(v).into()),
        }
    }
}

/// The numbers of a measure.
pub(crate) enum Numbers {
    /// Units of 10^-scale.
    Scaled {
        units: Buffer<i64>,
        scale: u8,
    },
    Double(Buffer<f64>),
}

/// A number column.
pub(crate) struct NumberColumn {
    /// Nulls are stored as 0.
    pub(crate) numbers: Numbers,
    /// 1 where there is a value, 0 where there is null; none if all are there.
    pub(crate) valid: Option<Buffer<u8>>,
    /// No unit is farther from 0: how many can be added in 64 bits follows from it.
    pub(crate) bound: u64,
}

impl NumberColumn {
    pub(crate) fn new(numbers: Numbers, valid: Option<Vec<u8>>) -> NumberColumn {
        let bound = match &numbers {
            Numbers::Scaled { units, .. } => units.iter().map(|u| u.unsigned_abs()).max().unwrap_or(0),
            Numbers::Double(_) => 0,
        };
        let valid = valid.filter(|v| v.contains(&0)).map(Buffer::from);
        NumberColumn { numbers, valid, bound }
    }

    /// Whether a row has a value.
    pub(crate) fn is_valid(&self, row: usize) -> bool {
        self.valid.as_ref().is_none_or(|v| v[row] != 0)
    }
}

/// Distinct values of a column, by code.
pub(crate) struct DistinctColumn {
    /// The code of each row; `space - 1` for null.
    pub(crate) codes: Codes,
    /// Codes are below.
    pub(crate) space: usize,
}
