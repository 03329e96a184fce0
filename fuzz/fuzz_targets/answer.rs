//! Answers, as clients read them: any bytes are an answer or an error.
#![no_main]

use facetta_model::Context;
use facetta_xmla::client::Answer;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = Answer::read(bytes, &Context::new(64 << 20, None));
});
