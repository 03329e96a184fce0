//! Replies and errors as XML, through the writers of the wire.

use crate::commands::Reply;
use crate::handler::Exchange;
use facetta_model::{self as model, Error, ErrorKind, Result};
use facetta_xmla::{Delivery, fault_response, write_discover_response, write_execute_response};
use std::io::Write;

/// The method that is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Discover.
    Discover,
    /// Execute.
    Execute,
}

/// What came of a request.
#[derive(Debug)]
pub enum Outcome {
    /// It was answered.
    Done,
    /// It faulted.
    Fault(Error),
    /// Its answer had begun and ends with an exception.
    Exception(Error),
    /// The client was gone before the end.
    ClientGone,
}

/// Writes the answer to a request.
pub fn respond(out: &mut dyn Write, exchange: &Exchange, method: Method, reply: Result<Reply>) -> Outcome {
    let mut form = facetta_xmla::Reply::new(&exchange.properties);
    form.session = exchange.announce.map(|id| id.to_string());
    let result = match reply {
        Ok(Reply::Empty) => model::Outcome::Done,
        Ok(Reply::Warned(warning)) => {
            form.warnings.push(warning);
            model::Outcome::Done
        }
        Ok(Reply::Receipt(rowset, warning)) => {
            form.warnings.extend(warning);
            model::Outcome::Rowset(rowset)
        }
        Ok(Reply::Rowset(rowset)) => model::Outcome::Rowset(rowset),
        Ok(Reply::CellSet(cells)) => model::Outcome::CellSet(cells),
        Err(error) => return fault(out, error),
    };
    let context = exchange.context();
    let delivery = match (method, result) {
        (Method::Discover, model::Outcome::Rowset(rowset)) => write_discover_response(out, context, &form, rowset),
        (Method::Discover, _) => {
            return fault(out, Error::new(ErrorKind::Internal, "a Discover that yields no rowset"));
        }
        (Method::Execute, outcome) => write_execute_response(out, context, &form, outcome),
    };
    match delivery {
        Ok(Delivery::Complete) => Outcome::Done,
        Ok(Delivery::Fault(error)) => Outcome::Fault(error),
        Ok(Delivery::Exception(error)) => Outcome::Exception(error),
        Err(_) => Outcome::ClientGone,
    }
}

fn fault(out: &mut dyn Write, error: Error) -> Outcome {
    match out.write_all(&fault_response(&error)) {
        Ok(()) => Outcome::Fault(error),
        Err(_) => Outcome::ClientGone,
    }
}
