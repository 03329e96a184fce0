//! No reader sees half a commit, end to end: sessions move units between categories while clients add them up.

#![allow(clippy::unwrap_used)]

mod common;

use common::catalogs::serve_shop;
use common::envelope;
use common::http::{Request, Socket};
use facetta_model::Context;
use facetta_xmla::client::{Answer, AnswerResult};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

const TRANSACTIONS: usize = 25;
const READERS: usize = 3;
const TOTAL: usize = 500;

struct Client {
    socket: Socket,
    session: Option<String>,
}

impl Client {
    fn new(address: SocketAddr, session: bool) -> Client {
        let mut client = Client { socket: Socket::connect(address).unwrap(), session: None };
        if session {
            let answer = client.send(&envelope::session_header("BeginSession", None), "");
            client.session = answer.session;
            assert!(client.session.is_some());
        }
        client
    }

    fn send(&mut self, headers: &str, text: &str) -> Answer {
        let properties = [("Catalog", "Shop"), ("Format", "Multidimensional")];
        let properties = properties.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let body = envelope::statement(text, &properties);
        let response = self.socket.ask(&Request::post(envelope::envelope(headers, &body))).unwrap();
        let answer = Answer::read(&response.body, &Context::unlimited()).unwrap();
        assert!(!matches!(answer.result, AnswerResult::Fault(_)), "{text}: {}", response.text());
        answer
    }

    fn ask(&mut self, text: &str) -> Answer {
        let headers = self.session.as_deref().map(|id| envelope::session_header("Session", Some(id)));
        self.send(&headers.unwrap_or_default(), text)
    }

    /// The units of Drink, of Food, and of both.
    fn units(&mut self) -> Vec<f64> {
        let answer = self.ask(
            "WITH MEMBER [Product].[Products].[Both] AS [Product].[Products].[Drink] + [Product].[Products].[Food] \
             SELECT {[Product].[Products].[Drink], [Product].[Products].[Food], [Product].[Products].[Both], \
             [Product].[Products].[All]} ON 0 FROM [Shop] WHERE [Measures].[Units]",
        );
        let AnswerResult::Cells(cells) = answer.result else { panic!("no cell set") };
        cells.cells.iter().map(|cell| cell.value.as_deref().unwrap().parse().unwrap()).collect()
    }
}

/// Ends the readers when the writer is done, or has failed; and the other way round.
struct Finish<'a>(&'a AtomicBool);

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

#[test]
fn no_reader_sees_half_a_commit() {
    let folder = tempfile::tempdir().unwrap();
    let handle = serve_shop(folder.path()).unwrap();
    let address = handle.address();
    let (reads, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    let set = |category: &str, value: usize| {
        format!("UPDATE CUBE [Shop] SET ([Product].[Products].[{category}], [Measures].[Units]) = {value}")
    };
    let mut writer = Client::new(address, true);
    let mut move_to = |drink: usize, between: &dyn Fn(), end: &str| {
        writer.ask("BEGIN TRANSACTION");
        writer.ask(&set("Drink", drink));
        between();
        writer.ask(&set("Food", TOTAL - drink));
        between();
        assert_eq!(writer.units()[..2], [drink as f64, (TOTAL - drink) as f64]);
        writer.ask(end);
        between();
    };
    move_to(0, &|| (), "COMMIT TRANSACTION");
    std::thread::scope(|scope| {
        let finish = Finish(&done);
        let read = || {
            let _finish = Finish(&done);
            let mut reader = Client::new(address, false);
            let mut seen = std::collections::BTreeSet::new();
            while !done.load(SeqCst) {
                let units = reader.units();
                let total = TOTAL as f64;
                assert!(units[0] + units[1] == total && units[2..] == [total, total], "half a commit: {units:?}");
                seen.insert(units[0] as usize);
                reads.fetch_add(1, SeqCst);
            }
            seen
        };
        let readers: Vec<_> = (0..READERS).map(|_| scope.spawn(read)).collect();
        // Readers read at every step of the writer's transactions; one that has failed reads no more.
        let between = || {
            let before = reads.load(SeqCst);
            while reads.load(SeqCst) < before + READERS && !done.load(SeqCst) {
                std::thread::yield_now();
            }
        };
        for n in 1..=TRANSACTIONS {
            let end = if n % 5 == 0 { "ROLLBACK TRANSACTION" } else { "COMMIT TRANSACTION" };
            move_to(n * 10, &between, end);
        }
        drop(finish);
        for reader in readers {
            let seen = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            assert!(seen.len() > 1, "{seen:?}");
            assert!(!seen.iter().any(|&drink| drink > 0 && drink % 50 == 0), "what was rolled back was seen: {seen:?}");
        }
    });
    assert_eq!(Client::new(address, false).units()[0], 240.0);
    handle.stop();
}
