//! Whole answers: envelope, session header, result, and what becomes of an error on the way.

use crate::fault::{Warning, write_exception, write_fault, write_messages};
use crate::mddataset_writer::write_cell_set;
use crate::properties::{AxisFormat, Content, Properties};
use crate::rowset_writer::write_rowset;
use crate::xml::namespace::Namespace;
use crate::xml::writer::{Failure, Writer, Written};
use facetta_model::{Context, Error, Outcome, Rowset};
use std::io;
use std::ops::Range;

/// How an answer is to be written.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// The id of the session that this request has begun; it is told in the header.
    pub session: Option<String>,
    /// Schema, data, both or nothing.
    pub content: Content,
    /// How axes are written.
    pub axis_format: AxisFormat,
    /// The ordinals of the cells that are written; all if there is none.
    pub cell_range: Option<Range<u64>>,
    /// The positions of the rows of a rowset that are written; all if there is none.
    pub row_range: Option<Range<u64>>,
    /// What the command has to say beside its result.
    pub warnings: Vec<Warning>,
}

impl Reply {
    /// What the properties of a request ask.
    pub fn new(properties: &Properties) -> Self {
        Reply {
            session: None,
            content: properties.content(),
            axis_format: properties.axis_format(),
            cell_range: Some(properties.cell_range()),
            row_range: Some(properties.row_range()),
            warnings: Vec::new(),
        }
    }

    fn rows(&self) -> Range<u64> {
        self.row_range.clone().unwrap_or(0..u64::MAX)
    }
}

/// What the client was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The whole answer.
    Complete,
    /// A SOAP fault in its place, since the error came before anything was sent. A session that was begun is not told.
    Fault(Error),
    /// A part of the answer, ended by Exception and Messages. A session that was begun has been told.
    Exception(Error),
}

/// Writes the answer to a Discover. An error of the sink means that the client can be told nothing more.
pub fn write_discover_response(
    sink: &mut dyn io::Write,
    context: &Context,
    reply: &Reply,
    rowset: Rowset,
) -> io::Result<Delivery> {
    deliver(sink, context, reply, "DiscoverResponse", |w| write_rowset(w, rowset, reply.content, reply.rows()))
}

/// Writes the answer to an Execute. An error of the sink means that the client can be told nothing more.
pub fn write_execute_response(
    sink: &mut dyn io::Write,
    context: &Context,
    reply: &Reply,
    outcome: Outcome,
) -> io::Result<Delivery> {
    deliver(sink, context, reply, "ExecuteResponse", |w| match outcome {
        Outcome::Rowset(rowset) => write_rowset(w, rowset, reply.content, reply.rows()),
        Outcome::CellSet(cell_set) => {
            let range = reply.cell_range.clone().unwrap_or(0..u64::MAX);
            write_cell_set(w, cell_set, reply.content, reply.axis_format, range)
        }
        Outcome::Done => {
            // Excel refuses a schema here (spec/results.md, first paragraph).
            w.start("root");
            w.attribute("xmlns", Namespace::Empty.uri());
            Ok(())
        }
    })
}

/// The answer that is a SOAP fault and nothing else.
pub fn fault_response(error: &Error) -> Vec<u8> {
    let mut bytes = Vec::new();
    let context = Context::unlimited();
    let mut w = Writer::new(&mut bytes, &context);
    // A Vec takes all.
    let _ = write_fault_envelope(&mut w, error);
    bytes
}

/// Elements open when a root is: Envelope, Body, the response, return, root.
const ROOT: usize = 5;

fn deliver(
    sink: &mut dyn io::Write,
    context: &Context,
    reply: &Reply,
    method: &str,
    write_root: impl FnOnce(&mut Writer) -> Written,
) -> io::Result<Delivery> {
    let mut w = Writer::new(sink, context);
    let written = write_response(&mut w, reply, method, write_root);
    let (written, delivery) = match written {
        Ok(()) => (Ok(()), Delivery::Complete),
        Err(Failure::Sink(error)) => return Err(error),
        Err(Failure::Command(error)) if w.is_unsent() => {
            w.take_back();
            (write_fault_envelope(&mut w, &error), Delivery::Fault(error))
        }
        Err(Failure::Command(error)) => {
            let ended = write_exception(&mut w, ROOT, &error).and_then(|()| w.flush());
            (ended, Delivery::Exception(error))
        }
    };
    match written {
        Ok(()) => Ok(delivery),
        Err(Failure::Sink(error)) => Err(error),
        Err(Failure::Command(error)) => Err(io::Error::other(error)),
    }
}

fn write_response(
    w: &mut Writer,
    reply: &Reply,
    method: &str,
    write_root: impl FnOnce(&mut Writer) -> Written,
) -> Written {
    start_envelope(w);
    if let Some(id) = &reply.session {
        // Never an empty Header: ADOMD.NET refuses it.
        w.start("soap:Header");
        w.start("Session");
        w.attribute("xmlns", Namespace::Xmla.uri());
        w.attribute("SessionId", id);
        w.end()?;
        w.end()?;
    }
    w.start("soap:Body");
    // ADOMD.NET wants these without a prefix.
    w.start(method);
    w.attribute("xmlns", Namespace::Xmla.uri());
    w.start("return");
    write_root(w)?;
    write_messages(w, &reply.warnings, None)?;
    w.end_to(0)?;
    w.flush()
}

fn write_fault_envelope(w: &mut Writer, error: &Error) -> Written {
    start_envelope(w);
    w.start("soap:Body");
    write_fault(w, error)?;
    w.end_to(0)?;
    w.flush()
}

fn start_envelope(w: &mut Writer) {
    w.start("soap:Envelope");
    w.attribute("xmlns:soap", Namespace::Soap.uri());
}
