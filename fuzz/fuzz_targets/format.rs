//! Format strings: any text formats any number.
#![no_main]

use facetta_model::Value;
use facetta_query::format::{Format, Locale};

libfuzzer_sys::fuzz_target!(|input: (&str, f64)| {
    let (text, number) = input;
    let mut out = String::new();
    Format::parse(text).write(&Value::Double(number), Locale::en_us(), &mut out);
});
