//! The requests that were recorded from clients, as the shared conformance material has them.

#![allow(clippy::unwrap_used)]

use facetta_model::Context;
use facetta_xmla::Request;
use std::path::PathBuf;

#[test]
fn recorded_requests_are_read_and_wrong_ones_refused() {
    let shared = std::env::var_os("FACETTA_SHARED").map_or_else(|| PathBuf::from("../../../shared"), PathBuf::from);
    let Ok(folders) = std::fs::read_dir(shared.join("conformance/xmla_open")) else {
        assert!(std::env::var_os("FACETTA_NO_SKIP").is_none(), "no recorded requests at FACETTA_SHARED");
        eprintln!("skipped: no recorded requests at FACETTA_SHARED");
        return;
    };
    let mut read = 0;
    for folder in folders.map(|f| f.unwrap().path()) {
        let bytes = std::fs::read(folder.join("request.xml")).unwrap();
        let refused = Request::read(&bytes, &Context::unlimited()).err();
        // The folders without an answer are those whose answer is a fault.
        let answered = folder.join("response.xml").exists() || folder.join("response.json").exists();
        assert_eq!(refused.is_none(), answered, "{}: {refused:?}", folder.display());
        read += 1;
    }
    assert!(read >= 50, "only {read} recorded requests");
}
