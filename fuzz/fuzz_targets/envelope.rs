//! Requests: any bytes are a request or an error, within the limits of memory and time.
#![no_main]

use facetta_model::Context;
use facetta_xmla::Request;
use facetta_xmla::client::request_bytes;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let context = Context::new(64 << 20, None);
    if let Ok(request) = Request::read(bytes, &context) {
        // What was understood can be written, and says the same when it is read again.
        let again = Request::read(&request_bytes(&request), &context);
        assert_eq!(again.as_ref(), Ok(&request));
    }
});
