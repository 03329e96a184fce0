//! The XMLA server: sockets, sessions, connections, commands, and the rowsets that show them.
//!
//! [`start`] takes [`Settings`] and gives a [`Handle`]; that is all that programs and tests need.

pub mod accept;
// Elsewhere the system's allocator does all.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub mod allocator;
pub mod auth;
pub mod body;
pub mod catalogs;
pub mod clock;
pub mod commands;
pub mod config;
pub mod connections;
pub mod dispatch;
pub mod environment;
pub mod globals;
pub mod guid;
pub mod handler;
pub mod http;
pub mod interner;
pub mod journal;
pub mod load;
pub mod memory;
pub mod pool;
pub mod respond;
pub mod rowsets;
pub mod running;
pub mod scope;
pub mod server;
pub mod session;
pub mod sessions;
pub mod settings;
mod sync;

pub use server::{Handle, Server, start, start_with};
pub use settings::{CatalogSettings, Settings};
