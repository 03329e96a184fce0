//! The XMLA server: sockets, sessions, connections, commands, and the rowsets that show them.

pub mod clock;
pub mod config;
mod guid;
mod interner;
mod journal;
mod running;
mod session;
mod sessions;
pub mod settings;
mod sync;

pub use settings::Settings;
