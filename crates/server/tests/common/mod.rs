//! What the tests of the running server share: an HTTP client, a world of server and clients, its log, names for its ids.

// Each test binary uses its own part.
#![allow(dead_code, unreachable_pub)]

pub mod catalogs;
pub mod envelope;
pub mod http;
pub mod log;
pub mod names;
pub mod random;
pub mod show;
pub mod world;
