//! Statements: any text is a statement or an error, which points nowhere outside the text.
#![no_main]

use facetta_model::Context;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = facetta_mdx::classify(text);
    let parsed = facetta_mdx::parse(text, &Context::new(64 << 20, None));
    if let Some(span) = parsed.err().and_then(|error| error.span()) {
        assert!(span.start <= span.end && span.end as usize <= text.len() + 1);
    }
});
