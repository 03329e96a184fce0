//! Answers of a million rows and ten million cells: what is held stays small, and what is cut short ends well formed.

#![allow(clippy::unwrap_used)]

mod common;

use common::*;
use facetta_model::*;
use facetta_xmla::client::{Answer, AnswerResult};
use facetta_xmla::{Content, Delivery, Reply, write_discover_response, write_execute_response};
use std::io::{self, Write};
use std::sync::atomic::Ordering::Relaxed;

/// The most bytes that a writer may give a sink at once: its chunk, and what one row or cell can add to it.
const MOST_HELD: usize = 64 << 10;

/// Takes all, counts, and cancels the command after a number of bytes.
struct Sink {
    bytes: u64,
    largest: usize,
    cancel_at: u64,
    context: Context,
    kept: Option<Vec<u8>>,
}

impl Sink {
    fn new(context: &Context, cancel_at: u64, keep: bool) -> Self {
        Sink { bytes: 0, largest: 0, cancel_at, context: context.clone(), kept: keep.then(Vec::new) }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes += bytes.len() as u64;
        self.largest = self.largest.max(bytes.len());
        if self.bytes >= self.cancel_at {
            self.context.token().cancel(CancelReason::Cancel);
        }
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `count` rows in batches of 1,000; then an error, if one is given.
fn rows(count: u64, mut end: Option<Error>) -> Rowset {
    let columns = vec![Column::new("MEMBER_UNIQUE_NAME", ColumnType::String), Column::new("N", ColumnType::Long)];
    let mut next = 0;
    let source = move |context: &Context| {
        context.check()?;
        if next >= count {
            return end.take().map_or(Ok(None), Err);
        }
        let mut batch = Batch::new(2);
        for n in next..(next + 1000).min(count) {
            batch.push([Field::from(format!("[Customers].[Name].&[{n}]")), Field::Int(n as i64)]);
        }
        next += 1000;
        Ok(Some(batch))
    };
    Rowset::new(columns, Box::new(source))
}

/// `count` cells in blocks of 4,096; then an error, if one is given.
fn cells(count: u64, mut end: Option<Error>) -> CellSource {
    let mut next = 0;
    Box::new(move |context| {
        context.check()?;
        if next >= count {
            return end.take().map_or(Ok(None), Err);
        }
        let ordinals: Vec<u64> = (next..(next + 4096).min(count)).collect();
        let values = ordinals.iter().map(|&n| Value::Double(n as f64 / 3.0)).collect();
        let mut formatted = Strings::default();
        ordinals.iter().for_each(|n| formatted.push_with(|out| out.push_str(&n.to_string())));
        next += 4096;
        Ok(Some(CellBlock { ordinals, values, formatted, others: vec![] }))
    })
}

fn wide(products: usize, measures: &[u32], cells: CellSource) -> CellSet {
    let members = members(Compatibility::AnalysisServices, products / 2);
    let columns = axis(&members, &[MEASURES], measures.iter().copied());
    let rows = axis(&members, &[PRODUCT], 3..3 + products as u32);
    cell_set(&members, vec![columns, rows], axis(&members, &[], []), cells)
}

#[test]
fn a_million_rows_in_constant_memory() {
    let context = Context::unlimited();
    let mut sink = Sink::new(&context, u64::MAX, false);
    let delivery = write_discover_response(&mut sink, &context, &Reply::default(), rows(1_000_000, None)).unwrap();
    assert_eq!(delivery, Delivery::Complete);
    assert!(sink.bytes > 80_000_000 && sink.largest < MOST_HELD, "{} of {}", sink.largest, sink.bytes);
    assert_eq!(context.counters().bytes_written.load(Relaxed), sink.bytes);
    // The source asks 1,000 times, the writer at each batch and every 1,024 rows.
    assert!(context.counters().checks.load(Relaxed) > 2900);
}

#[test]
fn a_million_tuples_and_ten_million_cells_in_constant_memory() {
    let context = Context::unlimited();
    let mut sink = Sink::new(&context, u64::MAX, false);
    let cell_set = wide(1_000_000, &[0, 1, 0, 1, 0, 1, 0, 1, 0, 1], cells(10_000_000, None));
    let reply = Reply { content: Content::Data, ..Reply::default() };
    let delivery = write_execute_response(&mut sink, &context, &reply, Outcome::CellSet(cell_set)).unwrap();
    assert_eq!(delivery, Delivery::Complete);
    assert!(sink.bytes > 1_000_000_000 && sink.largest < MOST_HELD, "{} of {}", sink.largest, sink.bytes);
    assert!(context.counters().checks.load(Relaxed) > 10_700);
}

/// Reads an answer that was cut: its error, and what it holds before it.
fn cut(sink: Sink) -> (u32, String, AnswerResult) {
    let answer = Answer::read(&sink.kept.unwrap(), &Context::unlimited()).unwrap();
    let exception = answer.exception.unwrap();
    (exception.code, exception.description, answer.result)
}

#[test]
fn a_source_that_fails_in_the_middle_ends_the_answer_well_formed() {
    let context = Context::unlimited();
    let error = error!(Io, "the disk is <gone>");
    let mut sink = Sink::new(&context, u64::MAX, true);
    let reply = Reply { session: Some("S".into()), ..Reply::default() };
    let delivery = write_discover_response(&mut sink, &context, &reply, rows(50_000, Some(error.clone()))).unwrap();
    assert_eq!(delivery, Delivery::Exception(error.clone()));
    let text = String::from_utf8_lossy(sink.kept.as_deref().unwrap()).into_owned();
    assert!(text.ends_with(
        "</row><Exception xmlns=\"urn:schemas-microsoft-com:xml-analysis:exception\"/>\
         <Messages xmlns=\"urn:schemas-microsoft-com:xml-analysis:exception\"><Error ErrorCode=\"3238395906\" \
         Description=\"the disk is &lt;gone&gt;\" Source=\"Facetta\" HelpFile=\"\"/></Messages>\
         </root></return></DiscoverResponse></soap:Body></soap:Envelope>"
    ));
    let (code, description, result) = cut(sink);
    assert_eq!((code, description.as_str()), (error.code(), error.message()));
    assert!(matches!(result, AnswerResult::Table(t) if t.rows.len() == 50_000));

    let mut sink = Sink::new(&context, u64::MAX, true);
    let cell_set = wide(10_000, &[0], cells(8192, Some(error.clone())));
    let delivery = write_execute_response(&mut sink, &context, &reply, Outcome::CellSet(cell_set)).unwrap();
    assert_eq!(delivery, Delivery::Exception(error));
    let text = String::from_utf8_lossy(sink.kept.as_deref().unwrap()).into_owned();
    assert!(text.contains(
        "</Cell><Exception xmlns=\"urn:schemas-microsoft-com:xml-analysis:exception\"/></CellData><Messages"
    ));
    assert!(matches!(cut(sink).2, AnswerResult::Cells(c) if c.cells.len() == 8192));
}

#[test]
fn what_fails_in_its_first_cells_is_a_fault_however_long_the_axes() {
    let context = Context::unlimited();
    let error = error!(Io, "the disk is gone");
    let mut sink = Sink::new(&context, u64::MAX, true);
    let cell_set = wide(100_000, &[0], cells(0, Some(error.clone())));
    let delivery = write_execute_response(&mut sink, &context, &Reply::default(), Outcome::CellSet(cell_set)).unwrap();
    assert_eq!(delivery, Delivery::Fault(error));
    let answer = Answer::read(&sink.kept.unwrap(), &Context::unlimited()).unwrap();
    assert!(matches!(answer.result, AnswerResult::Fault(f) if f.description == "the disk is gone"));
}

type Stage<'a> = &'a dyn Fn(&Context, &mut Sink) -> io::Result<Delivery>;

#[test]
fn a_cancel_ends_every_stage_of_an_answer_at_once() {
    let reply = |axis_format| Reply { content: Content::Data, axis_format, ..Reply::default() };
    let tuples = facetta_xmla::AxisFormat::Tuple;
    let clusters = facetta_xmla::AxisFormat::Cluster;
    // Where the cancel comes, in bytes: among the rows, the tuples of an axis, the members of a cluster, the cells.
    let stages: [(&str, u64, Stage); 4] = [
        ("rows", 1 << 20, &|context, sink| {
            write_discover_response(sink, context, &Reply::default(), rows(100_000, None))
        }),
        ("tuples", 1 << 20, &|context, sink| {
            let cell_set = wide(100_000, &[0], cells(100_000, None));
            write_execute_response(sink, context, &reply(tuples), Outcome::CellSet(cell_set))
        }),
        ("clusters", 1 << 20, &|context, sink| {
            let cell_set = wide(100_000, &[0], cells(100_000, None));
            write_execute_response(sink, context, &reply(clusters), Outcome::CellSet(cell_set))
        }),
        ("cells", 2 << 20, &|context, sink| {
            let cell_set = wide(2, &[0], cells(100_000, None));
            write_execute_response(sink, context, &reply(tuples), Outcome::CellSet(cell_set))
        }),
    ];
    for (stage, cancel_at, write) in stages {
        let context = Context::unlimited();
        let mut sink = Sink::new(&context, cancel_at, true);
        let delivery = write(&context, &mut sink).unwrap();
        assert!(
            matches!(delivery, Delivery::Exception(ref e) if e.kind() == ErrorKind::Cancelled),
            "{stage}: {delivery:?}"
        );
        assert!(sink.bytes < cancel_at + (512 << 10), "{stage}: {} bytes after the cancel", sink.bytes - cancel_at);
        let text = String::from_utf8_lossy(sink.kept.as_deref().unwrap()).into_owned();
        facetta_xmla::xml::reader::Reader::new(&text, &Context::unlimited()).finish().unwrap();
        assert!(text.contains("Description=\"Server: The operation has been cancelled.\""), "{stage}");
    }
}

#[test]
fn a_cancel_before_the_first_byte_is_a_fault() {
    let context = Context::unlimited();
    context.token().cancel(CancelReason::Timeout);
    let mut sink = Sink::new(&context, u64::MAX, true);
    let delivery = write_discover_response(&mut sink, &context, &Reply::default(), rows(10, None)).unwrap();
    assert!(matches!(delivery, Delivery::Fault(e) if e.kind() == ErrorKind::Timeout));
    let answer = Answer::read(&sink.kept.unwrap(), &Context::unlimited()).unwrap();
    assert!(matches!(answer.result, AnswerResult::Fault(f) if f.description.contains("because of timeout")));
}
