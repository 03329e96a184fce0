//! How much memory and processor time the process, and a thread, have used.

/// Bytes of the process that are in memory; none where the system does not tell.
pub fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * page_size())
}

#[allow(unsafe_code)]
fn page_size() -> u64 {
    // SAFETY: sysconf reads a number and touches no memory of ours.
    u64::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
}

/// Bytes of memory of this machine.
#[allow(unsafe_code)]
pub fn physical() -> u64 {
    // SAFETY: as above.
    let pages = u64::try_from(unsafe { libc::sysconf(libc::_SC_PHYS_PAGES) }).unwrap_or(0);
    pages.saturating_mul(page_size()).max(1 << 30)
}

/// Processor time of this thread so far, nanoseconds.
#[allow(unsafe_code)]
pub fn thread_cpu_nanos() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a timespec of ours that lives over the call.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    if result != 0 {
        return 0;
    }
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_works_uses_time() {
        let before = thread_cpu_nanos();
        let sum = (0..2_000_000u64).fold(0u64, |a, b| std::hint::black_box(a ^ b));
        assert!(thread_cpu_nanos() > before, "{sum}");
        assert!(resident().is_none_or(|bytes| bytes > 0 && bytes < physical()));
    }
}
