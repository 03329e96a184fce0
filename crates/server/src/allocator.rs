//! The allocator of the process: small blocks from jemalloc, large ones from the system.
//!
//! Short calls are a tenth cheaper with jemalloc than with the allocator of glibc, and what one thread has freed can be given back by
//! any other. A large block is better off with glibc: it is a mapping of its own, so that it grows without being copied (a Cancel
//! cannot be heeded while hundreds of megabytes are) and is the system's again as soon as it is free.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;
use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

/// Bytes from which on a block is the system's.
const LARGE: usize = 1 << 20;

struct Allocator;

fn is_large(size: usize) -> bool {
    size >= LARGE
}

// SAFETY: each block comes from one of two allocators that keep the contract and goes back to the same one: which of them it is
// follows from its size alone, and that is told with every call.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: what the caller promises is passed on; so in all that follows.
        unsafe { if is_large(layout.size()) { System.alloc(layout) } else { Jemalloc.alloc(layout) } }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        unsafe { if is_large(layout.size()) { System.alloc_zeroed(layout) } else { Jemalloc.alloc_zeroed(layout) } }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        unsafe { if is_large(layout.size()) { System.dealloc(block, layout) } else { Jemalloc.dealloc(block, layout) } }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        match (is_large(layout.size()), is_large(size)) {
            (true, true) => unsafe { System.realloc(block, layout, size) },
            (false, false) => unsafe { Jemalloc.realloc(block, layout, size) },
            // It changes hands: at most LARGE bytes are copied.
            _ => unsafe {
                let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
                if !moved.is_null() {
                    ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
                    self.dealloc(block, layout);
                }
                moved
            },
        }
    }
}

/// Makes every large block a mapping of its own, for the whole process: glibc else keeps the larger ones for whoever comes next, the
/// more of them the more were freed.
pub fn map_large_blocks() {
    // SAFETY: mallopt sets a number of the allocator, and touches no memory of ours.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE as libc::c_int);
    }
}

/// Gives back to the system, at once, what was freed by any thread and is kept for what comes next. What is not given back so goes
/// by and by, within some ten seconds.
pub fn give_back() {
    // `arena.4096` stands for all arenas (jemalloc's MALLCTL_ARENAS_ALL).
    // SAFETY: a name that ends in a zero and no value in or out; what is free already is freed, from whatever thread.
    unsafe {
        let (none, nothing) = (ptr::null_mut(), ptr::null_mut());
        tikv_jemalloc_sys::mallctl(c"arena.4096.purge".as_ptr(), none, nothing, ptr::null_mut(), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_keeps_its_bytes_when_it_changes_hands() {
        let mut bytes: Vec<u8> = Vec::with_capacity(16);
        for size in [16, LARGE - 1, LARGE, 3 * LARGE, LARGE + 1, LARGE - 1, 1000] {
            let before = bytes.len();
            bytes.truncate(size);
            bytes.shrink_to(size);
            bytes.reserve_exact(size - bytes.len());
            bytes.extend((before..size).map(|i| (i % 251) as u8));
            assert!(bytes.iter().enumerate().all(|(i, &b)| b == (i % 251) as u8), "{size}");
        }
        assert!(vec![0u64; LARGE].iter().all(|&n| n == 0));
        give_back();
    }
}
