//! Answers as scripts show them: a line for what is short, a table for a rowset, a list for a cell set.

use super::http::Response;
use super::names::Names;
use facetta_model::Context;
use facetta_xmla::client::{Answer, AnswerResult, Cells, Fault, Table};
use std::fmt::Write;

/// How much of an answer is shown.
#[derive(Clone, Debug, Default)]
pub struct Form {
    /// The body as it is, instead of what it means.
    pub xml: bool,
    /// How many rows there are, instead of the rows.
    pub count: bool,
    /// These columns only, if there are any.
    pub columns: Vec<String>,
    /// The headers of HTTP too.
    pub headers: bool,
}

/// An answer that says that something went wrong; scripts expect it. Any other error is the script's own.
#[derive(Debug)]
pub struct Failure(pub String);

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

/// Whether an answer says that something went wrong.
pub fn is_failure(response: &Response) -> bool {
    if response.status != 200 || response.broken_off {
        return true;
    }
    let is_xml = response.header("Content-Type").is_some_and(|ty| ty.starts_with("text/xml"));
    match Answer::read(&response.body, &Context::unlimited()) {
        Ok(answer) => matches!(answer.result, AnswerResult::Fault(_)) || answer.exception.is_some(),
        Err(_) => is_xml,
    }
}

/// An answer to an XMLA request.
pub fn answer(response: &Response, form: &Form, names: &mut Names) -> String {
    let mut text = String::new();
    // Writing to a String does not fail.
    if response.status != 200 || form.headers {
        let _ = writeln!(text, "HTTP {} {}", response.status, response.reason);
    }
    if form.headers {
        for (name, value) in &response.headers {
            if !["date", "content-length"].contains(&name.to_ascii_lowercase().as_str()) {
                let _ = writeln!(text, "{}: {value}", name.to_ascii_lowercase());
            }
        }
    }
    if response.broken_off {
        let _ = writeln!(text, "the answer broke off");
    }
    if form.xml || response.status != 200 {
        let _ = writeln!(text, "{}", names.hide(&response.text()).trim_end());
        return text;
    }
    match Answer::read(&response.body, &Context::unlimited()) {
        Ok(answer) => meaning(&mut text, &answer, form, names),
        Err(error) => {
            let _ = writeln!(text, "unreadable answer: {error}: {}", response.text());
        }
    }
    text
}

fn meaning(text: &mut String, answer: &Answer, form: &Form, names: &mut Names) {
    if let Some(id) = &answer.session {
        let _ = writeln!(text, "session {}", names.hide(id));
    }
    match &answer.result {
        AnswerResult::Empty if answer.exception.is_none() => text.push_str("ok\n"),
        AnswerResult::Empty => {}
        AnswerResult::Fault(fault) => write_fault(text, "fault", fault, names),
        // How far an answer got that is broken off depends on the machine.
        AnswerResult::Table(_) if form.count && answer.exception.is_some() => text.push_str("some rows\n"),
        AnswerResult::Table(table) if form.count => {
            let _ = writeln!(text, "{} rows", table.rows.len());
        }
        AnswerResult::Table(table) => write_table(text, table, form, names),
        AnswerResult::Cells(cells) => write_cells(text, cells),
    }
    for warning in &answer.warnings {
        let _ = writeln!(text, "warning 0x{:08X}: {}", warning.code, names.hide(&warning.description));
    }
    if let Some(exception) = &answer.exception {
        write_fault(text, "exception", exception, names);
    }
}

/// faultcode is shown only where it does not say the same as the number.
fn write_fault(text: &mut String, what: &str, fault: &Fault, names: &mut Names) {
    let usual = format!("XMLAnalysisError.0x{:08x}", fault.code);
    let code = &fault.faultcode;
    let odd = if code.is_empty() || *code == usual { String::new() } else { format!(" ({code})") };
    let _ = writeln!(text, "{what} 0x{:08X}{odd}: {}", fault.code, names.hide(&fault.description));
}

fn write_table(text: &mut String, table: &Table, form: &Form, names: &mut Names) {
    let is_null = |column: usize| (0..table.rows.len()).all(|row| table.get(row, column).is_none());
    // A whole rowset is shown without what is null everywhere.
    let wide = table.columns.len() > 10;
    let shown: Vec<usize> = if form.columns.is_empty() {
        (0..table.columns.len()).filter(|&c| !wide || table.rows.is_empty() || !is_null(c)).collect()
    } else {
        form.columns.iter().filter_map(|wanted| table.columns.iter().position(|c| c == wanted)).collect()
    };
    let header: Vec<&str> = shown.iter().map(|&c| table.columns[c].as_str()).collect();
    let _ = writeln!(text, "{}", header.join(" | "));
    for row in 0..table.rows.len() {
        let fields = shown.iter().map(|&column| match table.get(row, column) {
            Some("") => "''".to_owned(),
            Some(value) => names.field(&table.columns[column], value).replace('\r', "").replace('\n', "\\n"),
            None => "null".to_owned(),
        });
        let fields: Vec<String> = fields.collect();
        let _ = writeln!(text, "{}", fields.join(" | "));
    }
    if table.rows.is_empty() {
        text.push_str("no rows\n");
    }
}

fn write_cells(text: &mut String, cells: &Cells) {
    for (number, axis) in cells.axes.iter().enumerate() {
        let tuples: Vec<String> =
            axis.iter().map(|tuple| tuple.iter().map(|m| m.caption.as_str()).collect::<Vec<_>>().join(", ")).collect();
        let _ = writeln!(text, "axis {number}: {}", tuples.join("; "));
    }
    for cell in &cells.cells {
        let value = cell.error.as_ref().map(|e| format!("#Error {e}"));
        let value = value.or_else(|| cell.formatted.clone()).or_else(|| cell.value.clone()).unwrap_or_default();
        let _ = writeln!(text, "cell {}: {value}", cell.ordinal);
    }
    if cells.cells.is_empty() {
        text.push_str("no cells\n");
    }
}
