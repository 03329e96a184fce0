//! What a session costs: 100,000 idle ones, each with user, catalog and five properties, under 1 KiB of memory each.

use facetta_engine::Store;
use facetta_server::clock::{Clock, Moment};
use facetta_server::journal::Journal;
use facetta_server::memory::resident;
use facetta_server::sessions::{NewSession, Sessions};
use facetta_server::settings::Timeouts;
use facetta_xmla::Properties;

const COUNT: u64 = 100_000;

#[test]
fn an_idle_session_takes_less_than_a_kibibyte() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path()).unwrap();
    let timeouts = Timeouts { max_idle_session: Some(std::time::Duration::from_secs(3600)), ..Timeouts::default() };
    let clock = Clock::virtual_from(Moment(0));
    let sessions = Sessions::open(clock.clone(), timeouts, 200_000, Some(journal), &Store::in_memory()).unwrap();
    let Some(before) = resident() else {
        eprintln!("skipped: this system does not tell how much memory a process has");
        return;
    };
    for number in 0..COUNT {
        let mut properties = Properties::default();
        let own = format!("Report {}", number % 100);
        let given = [
            ("LocaleIdentifier", "1033"),
            ("SspropInitAppName", &own),
            ("Timeout", "60"),
            ("ClientProcessID", "7"),
            ("SafetyOptions", "2"),
        ];
        for (name, value) in given {
            properties.set(name, value).unwrap();
        }
        let user = format!("user {}", number % 1000);
        let new = NewSession { user: &user, explicit: true, properties: &properties, catalog: Some("Sales") };
        sessions.begin(&new).unwrap();
    }
    let each = (resident().unwrap() - before) / COUNT;
    eprintln!("{each} bytes a session");
    assert!(each < 1024, "{each} bytes a session");
    assert_eq!(sessions.len() as u64, COUNT);
    // One SPID is found without a look at the others; a page begins where it is asked to.
    assert_eq!(sessions.by_spid(77_777).unwrap().spid, 77_777);
    assert_eq!(sessions.page(99_999, 10).len(), 2);
    // All end when their time is over, and nothing is left of them; not a microsecond before.
    clock.advance(std::time::Duration::from_micros(3_599_999_999));
    assert_eq!(sessions.expire(), 0);
    clock.advance(std::time::Duration::from_micros(1));
    assert_eq!(sessions.expire() as u64, COUNT);
    assert!(sessions.is_empty() && sessions.by_spid(77_777).is_none() && sessions.page(0, 1).is_empty());
}
