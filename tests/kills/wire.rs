//! A socket to the server and what is asked on it.

use crate::envelope::{envelope, execute, session_header, statement};
use crate::http::{Request, Socket};
use crate::ledger::{Cells, READ};
use facetta_model::{Context, ErrorKind};
use facetta_xmla::client::{Answer, AnswerResult, Fault, Table};
use std::fmt;
use std::io;

/// Why there is no result.
#[derive(Debug)]
pub enum Trouble {
    /// The server is gone: it may or may not have done what was asked.
    Gone(io::Error),
    /// It says no.
    Fault(Fault),
    /// Its answer makes no sense.
    Nonsense(String),
}

impl Trouble {
    /// Whether it is the fault of a kind of error.
    pub fn is(&self, kind: ErrorKind) -> bool {
        matches!(self, Trouble::Fault(fault) if fault.code == kind.code())
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Gone(error) => write!(f, "the server is gone: {error}"),
            Trouble::Fault(fault) => write!(f, "a fault: {:#X} {}", fault.code, fault.description),
            Trouble::Nonsense(what) => write!(f, "an answer that makes no sense: {what}"),
        }
    }
}

/// What is asked.
pub type Asked<T> = std::result::Result<T, Trouble>;

/// An XML command of transactions, or the statement that says the same.
pub fn transaction(word: &str, as_statement: bool) -> String {
    if as_statement {
        statement(&format!("{word} TRANSACTION"), &[])
    } else {
        execute(&format!("<{word}Transaction/>"), &[])
    }
}

/// A statement over the ledger.
pub fn mdx(text: &str) -> String {
    statement(text, &[("Catalog".to_owned(), "Ledger".to_owned())])
}

/// A socket.
#[derive(Debug)]
pub struct Wire {
    socket: Socket,
}

impl Wire {
    /// Connects to the server of a URL.
    pub fn connect(url: &str) -> io::Result<Wire> {
        let address = url.trim_start_matches("http://").trim_end_matches("/xmla");
        let address =
            address.parse().map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, format!("{url}: {e}")))?;
        Ok(Wire { socket: Socket::connect(address)? })
    }

    /// Sends a body in a session, or without one, and reads the answer.
    pub fn ask(&mut self, session: Option<&str>, body: &str) -> Asked<Answer> {
        let header = session.map(|id| session_header("Session", Some(id))).unwrap_or_default();
        self.ask_with(&header, body)
    }

    /// Sends a body with a header block, and reads the answer.
    pub fn ask_with(&mut self, header: &str, body: &str) -> Asked<Answer> {
        let response = self.socket.ask(&Request::post(envelope(header, body))).map_err(Trouble::Gone)?;
        if response.broken_off {
            return Err(Trouble::Gone(io::ErrorKind::UnexpectedEof.into()));
        }
        let answer = Answer::read(&response.body, &Context::unlimited());
        let answer =
            answer.map_err(|e| Trouble::Nonsense(format!("{e}: HTTP {} {}", response.status, response.text())))?;
        match (answer.result, answer.exception) {
            (AnswerResult::Fault(fault), _) | (_, Some(fault)) => Err(Trouble::Fault(fault)),
            (result, None) => Ok(Answer { result, exception: None, ..answer }),
        }
    }

    /// Begins a session; its id.
    pub fn begin(&mut self) -> Asked<String> {
        let answer = self.ask_with(&session_header("BeginSession", None), &mdx(""))?;
        answer.session.ok_or_else(|| Trouble::Nonsense("BeginSession told no id".to_owned()))
    }

    /// A rowset.
    pub fn table(&mut self, session: Option<&str>, dmv: &str) -> Asked<Table> {
        match self.ask(session, &statement(dmv, &[]))?.result {
            AnswerResult::Table(table) => Ok(table),
            other => Err(Trouble::Nonsense(format!("no rowset: {other:?}"))),
        }
    }

    /// Every cell of the ledger.
    pub fn cells(&mut self, session: Option<&str>) -> Asked<Cells> {
        let AnswerResult::Cells(cells) = self.ask(session, &mdx(READ))?.result else {
            return Err(Trouble::Nonsense("no cells".to_owned()));
        };
        let members = cells.axes.first().into_iter().flatten().filter_map(|tuple| tuple.first());
        let mut found: Cells = members.map(|m| (m.caption.clone(), 0)).collect();
        for cell in &cells.cells {
            let member = cells.axes[0].get(cell.ordinal as usize).and_then(|t| t.first());
            let value = cell.value.as_deref().and_then(|v| v.parse::<f64>().ok());
            let (Some(member), Some(value)) = (member, value) else {
                return Err(Trouble::Nonsense(format!("a cell {cell:?}")));
            };
            found.insert(member.caption.clone(), value as i64);
        }
        Ok(found)
    }

    /// The one cell of a measure.
    pub fn measure(&mut self, session: Option<&str>, name: &str) -> Asked<Option<String>> {
        let query = format!("SELECT {{[Measures].[{name}]}} ON 0 FROM [Ledger]");
        match self.ask(session, &mdx(&query))?.result {
            AnswerResult::Cells(cells) => Ok(cells.cells.first().and_then(|c| c.value.clone())),
            other => Err(Trouble::Nonsense(format!("no cell: {other:?}"))),
        }
    }
}
