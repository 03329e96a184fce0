//! XML for Analysis: SOAP and XML to model types and back.
//!
//! Requests come as bytes and leave as [`Request`]; results of the model and errors leave as bytes. Nothing here knows what a
//! statement, a rowset or a session means.

mod command;
mod envelope;
mod properties;
mod request;
pub mod xml;

pub use command::{Cancel, Command, Durability, NOT_SUPPORTED};
pub use envelope::{SessionHeaders, session_not_found};
pub use properties::{Access, AxisFormat, Content, Effect, Format, PROPERTIES, Properties, Property, PropertyType};
pub use request::{Body, Discover, Execute, Parameter, Request, Restriction, Restrictions};
