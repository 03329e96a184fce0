//! Schemas: any text is a definition or errors with lines.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = facetta_schema::parse(text, "fuzz");
});
