//! A run of plain numbers that is owned or lies in a mapped file.

use facetta_model::{Result, bail};
use memmap2::Mmap;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

/// Every column in a file begins at a multiple of this many bytes: a cache line, and more than any number's alignment.
pub(crate) const ALIGNMENT: usize = 64;

mod sealed {
    pub(crate) trait Sealed {}
}

/// Numbers for which every pattern of bits is a value and which have no padding.
pub(crate) trait Plain: Copy + Send + Sync + 'static + sealed::Sealed {}

macro_rules! plain {
    ($($ty:ty)+) => {$(
        impl sealed::Sealed for $ty {}
        impl Plain for $ty {}
    )+};
}

plain!(u8 u16 u32 u64 i64 f64);

/// Numbers of one type, owned or mapped. Never changed once made.
pub(crate) enum Buffer<T: Plain> {
    Owned(Vec<T>),
    Mapped(Mapped<T>),
}

/// A part of a mapped file.
pub(crate) struct Mapped<T> {
    file: Arc<Mmap>,
    start: usize,
    len: usize,
    of: PhantomData<T>,
}

impl<T: Plain> Buffer<T> {
    /// The `len` numbers that begin at byte `start` of `file`.
    pub(crate) fn mapped(file: &Arc<Mmap>, start: usize, len: usize) -> Result<Buffer<T>> {
        let end = len.checked_mul(size_of::<T>()).and_then(|bytes| bytes.checked_add(start));
        if end.is_none_or(|end| end > file.len()) || !start.is_multiple_of(ALIGNMENT) {
            bail!(Io, "a segment file is shorter than its manifest says");
        }
        Ok(Buffer::Mapped(Mapped { file: file.clone(), start, len, of: PhantomData }))
    }

    /// Its bytes as they are written to a file.
    #[allow(unsafe_code)]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        let values: &[T] = self;
        // SAFETY: `Plain` types are numbers without padding, so every byte of the slice is initialised, and bytes
        // have no alignment of their own. The lifetime is that of `self`.
        unsafe { std::slice::from_raw_parts(values.as_ptr().cast::<u8>(), size_of_val(values)) }
    }
}

impl<T: Plain> Deref for Buffer<T> {
    type Target = [T];

    #[allow(unsafe_code)]
    fn deref(&self) -> &[T] {
        match self {
            Buffer::Owned(values) => values,
            Buffer::Mapped(part) => {
                let bytes = &part.file[part.start..];
                // SAFETY: `mapped` checked that `len` numbers lie within the file from `start` on, and that `start` is
                // a multiple of ALIGNMENT, as a mapping's first byte is of the page size. Every pattern of bits is a
                // value of a `Plain` type. The mapping lives as long as `self` holds its `Arc`, and the store
                // never writes to a segment file once it is mapped.
                unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast::<T>(), part.len) }
            }
        }
    }
}

impl<T: Plain> From<Vec<T>> for Buffer<T> {
    fn from(mut values: Vec<T>) -> Self {
        values.shrink_to_fit();
        Buffer::Owned(values)
    }
}
