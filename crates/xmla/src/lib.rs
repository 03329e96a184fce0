//! XML for Analysis: SOAP and XML to model types and back.
//!
//! Requests come as bytes and leave as [`Request`]; results of the model and errors leave as bytes. Nothing here knows what a
//! statement, a rowset or a session means.

mod axis_writer;
pub mod client;
mod command;
mod envelope;
mod fault;
mod mddataset_writer;
mod properties;
mod request;
mod response;
mod rowset_writer;
mod value;
pub mod xml;

pub use command::{Cancel, Command, Durability, NOT_SUPPORTED};
pub use envelope::{SessionHeaders, session_not_found};
pub use fault::Warning;
pub use properties::{Access, AxisFormat, Content, Effect, Format, PROPERTIES, Properties, Property, PropertyType};
pub use request::{Body, Discover, Execute, Parameter, Request, Restriction, Restrictions};
pub use response::{Delivery, Reply, fault_response, write_discover_response, write_execute_response};
