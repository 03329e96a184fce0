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

/// The processor time of a thread since a moment; other threads can read it while that one works.
#[derive(Debug)]
pub struct ThreadTime {
    clock: libc::clockid_t,
    before: u64,
}

impl ThreadTime {
    /// Of the calling thread, from now on.
    pub fn begin() -> ThreadTime {
        let clock = clock_of_this_thread();
        ThreadTime { clock, before: nanos_of(clock) }
    }

    /// Nanoseconds so far. To be asked as long as the thread lives; where the system does not let one thread read the time of
    /// another, only by the thread itself.
    pub fn nanos(&self) -> u64 {
        nanos_of(self.clock).saturating_sub(self.before)
    }
}

/// The clock of the calling thread under a name that holds on other threads.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn clock_of_this_thread() -> libc::clockid_t {
    let mut clock = libc::CLOCK_THREAD_CPUTIME_ID;
    // SAFETY: the thread is this one, which lives, and the pointer is to a number of ours that lives over the call.
    let result = unsafe { libc::pthread_getcpuclockid(libc::pthread_self(), &mut clock) };
    if result == 0 { clock } else { libc::CLOCK_THREAD_CPUTIME_ID }
}

#[cfg(not(target_os = "linux"))]
fn clock_of_this_thread() -> libc::clockid_t {
    libc::CLOCK_THREAD_CPUTIME_ID
}

#[allow(unsafe_code)]
fn nanos_of(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a timespec of ours that lives over the call.
    let result = unsafe { libc::clock_gettime(clock, &mut time) };
    if result != 0 {
        return 0;
    }
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    #[test]
    fn memory_is_between_nothing_and_all() {
        assert!(resident().is_none_or(|bytes| bytes > 0 && bytes < physical()));
    }

    #[test]
    fn the_time_of_a_thread_is_read_while_it_works() {
        let (stop, (tell, told)) = (AtomicBool::new(false), std::sync::mpsc::channel());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                tell.send(ThreadTime::begin()).unwrap();
                while !stop.load(Relaxed) {
                    std::hint::spin_loop();
                }
            });
            let time = told.recv().unwrap();
            while time.nanos() < 1_000_000 {
                std::thread::yield_now();
            }
            stop.store(true, Relaxed);
        });
    }
}
