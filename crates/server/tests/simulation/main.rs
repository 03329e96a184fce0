//! A seeded simulation: random clients begin and end sessions, query, cancel by each kind of id, hang up, wait too long, use
//! transactions and see the server restart. A model says what each of them has to get, and what the DMVs have to show.
//!
//! `FACETTA_SIM_COUNT` histories are played (500 if it is not set), from the seed `FACETTA_SIM_SEED` on. A history that goes
//! wrong is printed with its seed; the two variables replay it.

// Its modules are all of this one test binary.
#![allow(unreachable_pub)]

#[path = "../common/mod.rs"]
mod common;
mod driver;
mod gate;
mod model;

use common::log::Log;
use driver::Driver;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable)
        .ok()
        .map_or(default, |v| v.parse().unwrap_or_else(|_| panic!("{variable} is no number: {v}")))
}

/// Numbers that look random, the same ones for the same seed (splitmix64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % limit.max(1) as u64) as usize
    }

    pub(crate) fn one_of<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        (!all.is_empty()).then(|| all[self.below(all.len())])
    }
}

/// Steps of a history.
const STEPS: usize = 20;

#[test]
fn histories() {
    let log = Log::begin();
    let (seed, count) = (number("FACETTA_SIM_SEED", 1), number("FACETTA_SIM_COUNT", 500));
    let mut driver = Driver::new().unwrap();
    for seed in seed..seed + count {
        let mut random = Random(seed);
        let played = (0..STEPS).try_for_each(|_| driver.step(&mut random)).and_then(|()| driver.end_history());
        if let Err(error) = played {
            let story = driver.story.join("\n");
            panic!("{story}\n{error}\nreplay with FACETTA_SIM_SEED={seed} FACETTA_SIM_COUNT=1");
        }
    }
    assert_eq!(log.defects(), Vec::<String>::new());
    println!("{count} histories, {} requests, {} restarts", driver.requests, driver.restarts);
}
