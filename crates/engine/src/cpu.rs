//! Processor time of the calling thread, so that parallel work is charged to the command that caused it.

/// Nanoseconds of processor time that this thread has used; 0 where the platform does not say.
#[cfg(unix)]
#[allow(unsafe_code)]
pub(crate) fn thread_nanos() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid, writable timespec for the whole call, which keeps no pointer to it.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    if status == 0 { (time.tv_sec as u64).saturating_mul(1_000_000_000).saturating_add(time.tv_nsec as u64) } else { 0 }
}

/// Nanoseconds of processor time that this thread has used; 0 where the platform does not say.
#[cfg(not(unix))]
pub(crate) fn thread_nanos() -> u64 {
    0
}
