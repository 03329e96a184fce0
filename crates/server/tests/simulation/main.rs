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
use common::random::{Random, number};
use driver::Driver;

/// Steps of a history.
const STEPS: usize = 20;

#[test]
fn histories() {
    let log = Log::begin();
    let (seed, count) = (number("FACETTA_SIM_SEED", 1), number("FACETTA_SIM_COUNT", 500));
    let mut driver = Driver::new().unwrap();
    for (played, seed) in (seed..seed + count).enumerate() {
        if played > 0 && played % 1000 == 0 {
            println!("{played} of {count} histories");
        }
        let mut random = Random::new(seed);
        let played = (0..STEPS).try_for_each(|_| driver.step(&mut random)).and_then(|()| driver.end_history());
        if let Err(error) = played {
            let story = driver.story.join("\n");
            panic!("{story}\n{error}\nreplay with FACETTA_SIM_SEED={seed} FACETTA_SIM_COUNT=1");
        }
    }
    assert_eq!(log.defects(), Vec::<String>::new());
    println!("{count} histories, {} requests, {} restarts", driver.requests, driver.restarts);
}
