//! The formats of the conformance cases, and a table after the public documentation of Visual Basic's `Format`.

use super::*;
use facetta_model::Currency;
use jiff::civil::DateTime;
use std::path::PathBuf;

fn shown(format: &str, value: &Value, locale: &Locale) -> String {
    let mut out = String::new();
    Format::parse(format).write(value, locale, &mut out);
    out
}

/// The locale that Mondrian's FormatTest makes up for French.
fn made_up_french() -> Locale {
    static LANGUAGE: Language = Language {
        months_long: [
            "Janvier",
            "Fevrier",
            "Mars",
            "Avril",
            "Mai",
            "Juin",
            "Juillet",
            "Aout",
            "Septembre",
            "Octobre",
            "Novembre",
            "Decembre",
        ],
        months_short: ["Jan", "Fev", "Mar", "Avr", "Mai", "Jui", "Jui", "Aou", "Sep", "Oct", "Nov", "Dec"],
        days_long: ["Dimanche", "Lundi", "Mardi", "Mercredi", "Jeudi", "Vendredi", "Samedi"],
        days_short: ["Dim", "Lun", "Mar", "Mer", "Jeu", "Ven", "Sam"],
    };
    Locale::new("fr", 0, &LANGUAGE, [",", ".", "-", "#"], ["FF", "#,##0.00FF"])
}

/// testFrenchNumbers turns its expected texts from English into French, which the extraction of the cases left out.
fn in_french(english: &str, format: &str) -> String {
    let swapped: String = english
        .chars()
        .map(|c| {
            if c == '.' {
                ','
            } else if c == ',' {
                '.'
            } else {
                c
            }
        })
        .collect();
    match swapped.strip_prefix('$') {
        Some(amount) if format == "Currency" => format!("{amount}FF"),
        _ => swapped,
    }
}

/// A language without a region has no currency of its own in Java: the generic picture, with the symbol of the machine.
fn japanese_without_region() -> Locale {
    Locale::new("ja", 0, Locale::en_us().language, [".", ",", "/", ":"], ["$", "¤ #,##0.00"])
}

/// The same number in every type that can hold it exactly.
fn numbers(text: &str) -> Vec<Value> {
    let double: f64 = text.parse().unwrap();
    let mut values = vec![Value::Double(double)];
    if double.fract() == 0.0 && double.abs() < 1e15 {
        values.push(Value::Int(double as i64));
    }
    let decimals = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    if decimals <= 4 && double.abs() < 1e12 {
        values.push(Value::Currency(Currency((double * 10_000.0).round() as i64)));
    }
    values
}

fn conformance_file() -> Option<String> {
    let shared = std::env::var_os("FACETTA_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")), PathBuf::from);
    let path = shared.join("conformance/mdx_open.jsonl");
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) if std::env::var_os("FACETTA_NO_SKIP").is_some_and(|v| v == "1") => {
            panic!("{}: {error}", path.display())
        }
        Err(error) => {
            println!("skipped: {}: {error}", path.display());
            None
        }
    }
}

#[test]
fn conformance() {
    let Some(text) = conformance_file() else { return };
    let (french, japanese) = (made_up_french(), japanese_without_region());
    let mut failures = Vec::new();
    let mut cases = 0;
    for line in text.lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let field = |name: &str| case[name].as_str().unwrap_or_default();
        if field("kind") != "format" {
            continue;
        }
        cases += 1;
        let locale = match field("locale") {
            "fr" => &french,
            "JAPANESE" => &japanese,
            name => Locale::by_name(name).unwrap(),
        };
        let values = match field("value_type") {
            "null" => vec![Value::Empty],
            "string" => vec![Value::str(field("value"))],
            "date" => vec![Value::Date(field("value").parse().unwrap())],
            "number" => numbers(field("value")),
            other => panic!("unknown type {other}"),
        };
        let expected = match field("id").starts_with("FormatTest.testFrenchNumbers") {
            true => in_french(field("expected"), field("format")),
            false => field("expected").to_owned(),
        };
        for value in values {
            let got = shown(field("format"), &value, locale);
            if got != expected {
                failures.push(format!(
                    "{}: {value:?} as {:?}: {got:?}, not {expected:?}",
                    field("id"),
                    field("format")
                ));
            }
        }
    }
    assert!(cases > 100, "only {cases} cases");
    assert!(failures.is_empty(), "{} of {cases} cases:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn numbers_by_the_documentation() {
    let table: &[(&str, &str, &str)] = &[
        // digits
        ("5459.4", "##,##0.00", "5,459.40"),
        ("334.9", "###0.00", "334.90"),
        ("5", "0.00%", "500.00%"),
        ("12345.678", "", "12,345.678"),
        ("12345.6786", "", "12,345.679"),
        ("12345.0625", "", "12,345.062"),
        ("0.0004", "", "0"),
        ("-0.0004", "", "0"),
        ("-1234.5", "", "-1,234.5"),
        ("1e20", "", "100,000,000,000,000,000,000"),
        ("0.5", "#.##", ".5"),
        ("0.5", "#", "1"),
        ("0", "#", ""),
        ("7", "000", "007"),
        ("7", "0#0", "007"),
        ("1.5", "0.0#0", "1.500"),
        ("1.5", ".00#", "1.50"),
        ("12", "#.", "12."),
        ("2.5", "0", "3"),
        ("1.005", "0.00", "1.01"),
        ("-1.005", "0.00", "-1.01"),
        ("999.995", "#,##0.00", "1,000.00"),
        ("0.000000000000000000000000000001", "0.0", "0.0"),
        ("1e300", "0.0E+00", "1.0E+300"),
        // grouping and scaling
        ("1234567", "#,##0", "1,234,567"),
        ("1234567", "0,000,000,000", "0,001,234,567"),
        ("1234567", "#,##0,", "1,235"),
        ("1234567", "0.0,", "1234567.0,"),
        ("1234567", "#0.0,,", "1234567.0,,"),
        ("100000000", "##0,,", "100"),
        ("400000", "##0,,", "0"),
        ("1234567", "0,\"K\"", "1235K"),
        ("12345678", "#,##,##0", "1,23,45,678"),
        // literals among the places
        ("5551234567", "(000) 000-0000", "(555) 123-4567"),
        ("123456789", "000-00-0000", "123-45-6789"),
        ("1234", "0\\.00", "12.34"),
        ("5", "\"0\" 0", "0 5"),
        ("5", "\\#0", "#5"),
        ("5", "0\"unclosed", "5unclosed"),
        ("5", "0\\", "5"),
        ("5", "$0 (net)", "$5 (net)"),
        ("5", "USD 0", "USD 5"),
        ("5", "¤0.00", "$5.00"),
        // exponents
        ("12345", "0.00E+00", "1.23E+04"),
        ("12345", "0.00e-0", "1.23e4"),
        ("0.00012", "0.0E-0", "1.2E-4"),
        ("9.999", "0.00E+0", "1.00E+1"),
        ("-0.000001", "0.00E+00", "-1.00E-06"),
        ("12345", "00.0E+0", "12.3E+3"),
        ("5", "E", "E"),
        // sections
        ("-5", "0;(0)", "(5)"),
        ("-5", "0;;\"zero\"", "-5"),
        ("0", "0;;\"zero\"", "zero"),
        ("0", "0;(0)", "0"),
        ("-5", "0;\"\"", ""),
        ("-0.001", "0.0;(0.0)", "0.0"),
        ("-0.01", "0.00;(0.0)", "-0.01"),
        ("5", "Yes;No", "Yes"),
        ("-5", "Yes;No", "No"),
        ("0", "a;b;c;d", "c"),
        ("-5", "|0|style='red'", "|-5|style='red'"),
        // named formats, whatever the case
        ("1234.5", "standard", "1,235"),
        ("1234.5", "GENERAL NUMBER", "1,234.5"),
        ("0.5", "percent", "50.00%"),
        ("-1234.5", "Currency", "($1,234.50)"),
        ("0", "Yes/No", "No"),
        // a number in a picture of dates is a serial date
        ("40428", "yyyy-mm-dd", "2010-09-07"),
        ("40428.75", "hh:nn", "18:00"),
        ("1e300", "yyyy", "1,000,000,000,000,000,000,000"),
    ];
    for (value, format, expected) in table {
        let got = shown(format, &Value::Double(value.parse().unwrap()), Locale::en_us());
        // The text of 10^300 without a picture is long; its start tells.
        let got = if got.len() > 100 { &got[..expected.len()] } else { &got };
        assert_eq!(got, *expected, "{value} as {format:?}");
    }
}

#[test]
fn special_doubles() {
    for (value, format, expected) in [
        (f64::NAN, "#,##0.00", "NaN"),
        (f64::INFINITY, "#,##0.00", "Infinity"),
        (f64::NEG_INFINITY, "#,##0.00", "-Infinity"),
        (f64::NEG_INFINITY, "0;(0)", "(Infinity)"),
        (f64::INFINITY, "0.0E+00", "Infinity"),
        (f64::NAN, "", "NaN"),
        (f64::INFINITY, "Standard", "Infinity"),
        (-0.0, "", "0"),
        (-0.0, "0.0", "0.0"),
        (f64::MIN_POSITIVE, "0.00", "0.00"),
    ] {
        assert_eq!(shown(format, &Value::Double(value), Locale::en_us()), expected, "{value} as {format:?}");
    }
    assert_eq!(shown("0", &Value::Int(i64::MIN), Locale::en_us()), "-9223372036854775808");
    assert_eq!(shown("", &Value::Int(i64::MIN), Locale::en_us()), "-9,223,372,036,854,775,808");
    assert_eq!(shown("0.0000", &Value::Currency(Currency(i64::MIN)), Locale::en_us()), "-922337203685477.5808");
}

#[test]
fn money_without_a_format_is_rounded_half_to_even() {
    for (units, expected) in [(12_345, "1.234"), (12_355, "1.236"), (-12_345, "-1.234"), (12_346, "1.235"), (5, "0")] {
        assert_eq!(shown("", &Value::Currency(Currency(units)), Locale::en_us()), expected);
    }
}

#[test]
fn dates_by_the_documentation() {
    let afternoon = "1993-04-03T17:04:23";
    let table: &[(&str, &str, &str)] = &[
        (afternoon, "m/d/yy", "4/3/93"),
        (afternoon, "d-mmm", "3-Apr"),
        (afternoon, "mmmm-yy", "April-93"),
        (afternoon, "hh:mm AM/PM", "05:04 PM"),
        (afternoon, "h:mm:ss a/p", "5:04:23 p"),
        (afternoon, "h:mm", "17:04"),
        (afternoon, "h:mm:ss", "17:04:23"),
        (afternoon, "h \"o'clock\" m", "17 o'clock 4"),
        (afternoon, "m/d/yy h:mm", "4/3/93 17:04"),
        (afternoon, "dddd, mmm d yyyy", "Saturday, Apr 3 1993"),
        (afternoon, "ddd", "Sat"),
        (afternoon, "ddddd", "4/3/93"),
        (afternoon, "dddddd", "April 03, 1993"),
        (afternoon, "ttttt", "17:04:23"),
        (afternoon, "c", "4/3/93 17:04:23"),
        (afternoon, "w ww q y", "7 14 2 93"),
        (afternoon, "n nn s ss", "4 04 23 23"),
        (afternoon, "YYYY-MM-DD HH:nn:SS", "1993-04-03 17:04:23"),
        (afternoon, "General Date", "4/3/93 5:04:23 PM"),
        (afternoon, "Long Date", "Saturday, April 03, 1993"),
        (afternoon, "Long Time", "5:04:23 PM"),
        (afternoon, "Short Time", "17:04"),
        (afternoon, "dd.mm.yyyy;;;none", "03.04.1993"),
        (afternoon, "<", "4/3/93 5:04:23 pm"),
        (afternoon, "0", "34063"),
        ("1993-04-03T00:00:00", "", "4/3/93"),
        ("1993-04-03T00:00:00", "h AM/PM", "12 AM"),
        ("1993-04-03T12:30:00", "h:nn AM/PM", "12:30 PM"),
        ("1899-12-30T06:00:00", "", "6:00:00 AM"),
        ("2000-01-01T00:00:00", "ww", "1"),
        ("2000-01-02T00:00:00", "ww", "2"),
        ("2000-12-31T00:00:00", "ww", "54"),
    ];
    for (moment, format, expected) in table {
        let moment: DateTime = moment.parse().unwrap();
        assert_eq!(shown(format, &Value::Date(moment), Locale::en_us()), *expected, "{moment} as {format:?}");
    }
}

#[test]
fn texts_by_the_documentation() {
    let table: &[(&str, &str, &str)] = &[
        ("Hello", "<", "hello"),
        ("This is it", ">", "THIS IS IT"),
        ("Straße", ">", "STRASSE"),
        ("abc", "@@@@@", "  abc"),
        ("abc", "!@@@@@", "abc  "),
        ("abc", "&&&&&", "abc"),
        ("abcdef", "@@@", "abcdef"),
        ("abcdef", "!@-@", "a-bcdef"),
        ("5551234", "@@@-@@@@", "555-1234"),
        ("abc", "!", "abc"),
        ("", "@@;\"nothing\"", "nothing"),
        ("abc", "#,##0", "abc"),
        ("abc", "dd/mm/yyyy", "abc"),
        ("", "", ""),
        ("{1}", "|<|arrow=\"up\"", "|{1}|arrow=up"),
    ];
    for (text, format, expected) in table {
        assert_eq!(shown(format, &Value::str(text), Locale::en_us()), *expected, "{text:?} as {format:?}");
    }
}

#[test]
fn other_values() {
    let locale = Locale::en_us();
    assert_eq!(shown("", &Value::Empty, locale), "");
    assert_eq!(shown("dd;;;\"none\"", &Value::Empty, locale), "none");
    assert_eq!(shown("a;b;c;d", &Value::Empty, locale), "d");
    assert_eq!(shown("0;0;0;0.0", &Value::Empty, locale), "0.0");
    assert_eq!(shown("@;\"none\"", &Value::Empty, locale), "none");
    assert_eq!(shown("", &Value::Boolean(true), locale), "true");
    assert_eq!(shown("0", &Value::Boolean(false), locale), "false");
    assert_eq!(shown("Yes/No", &Value::Boolean(true), locale), "Yes");
    assert_eq!(shown("On/Off", &Value::Boolean(false), locale), "Off");
    let error = facetta_model::error!(Invalid, "too bad");
    assert_eq!(shown("0.0", &Value::Error(error), locale), "#Error too bad");
}

#[test]
fn locales() {
    let show =
        |name: &str, format: &str, value: f64| shown(format, &Value::Double(value), Locale::by_name(name).unwrap());
    assert_eq!(show("de-DE", "Currency", -1234.5), "(1.234,50 €)");
    assert_eq!(show("fr_FR", "#,##0.00", 1234.5), "1\u{a0}234,50");
    assert_eq!(show("de_CH", "Currency", 1234.5), "CHF 1’234.50");
    assert_eq!(show("ja", "Currency", 1234.5), "¥1,235");
    assert_eq!(show("en-IN", "Currency", 12_345_678.0), "₹1,23,45,678.00");
    assert_eq!(show("da-DK", "Currency", 5.0), "5,00 kr.");
    let moment = Value::Date("2010-09-07T06:05:04".parse().unwrap());
    assert_eq!(shown("dddd dd/mmm/yyyy", &moment, Locale::by_name("FR").unwrap()), "mardi 07/sept./2010");
    assert_eq!(Locale::by_lcid(1031).unwrap().name, "de-DE");
    assert_eq!(Locale::by_lcid(5127).unwrap().name, "de-DE", "Liechtenstein falls back to its language");
    assert!(Locale::by_lcid(1).is_none_or(|l| l.lcid & 0x3FF == 1));
    assert!(Locale::by_name("xx-XX").is_none());
    for locale in Locale::all() {
        assert_eq!(Locale::by_lcid(locale.lcid).unwrap().name, locale.name);
        assert_eq!(Locale::by_name(locale.name).unwrap().lcid, locale.lcid);
        let shown = shown("Currency", &Value::Int(-1), locale);
        assert!(shown.starts_with('(') && shown.contains('1') && shown.ends_with(')'), "{}: {shown}", locale.name);
        assert!(shown.contains(locale.currency_symbol), "{}: {shown}", locale.name);
    }
}

#[test]
fn serial_dates_go_round() {
    for (moment, serial) in [
        ("1899-12-30T00:00:00", 0.0),
        ("1900-01-01T12:00:00", 2.5),
        ("1899-12-29T06:00:00", -1.25),
        ("2010-09-07T06:00:00", 40428.25),
    ] {
        let moment: DateTime = moment.parse().unwrap();
        assert_eq!(date::to_serial(moment), serial);
        assert_eq!(date::from_serial(serial), Some(moment));
    }
    assert_eq!(date::from_serial(f64::NAN), None);
    assert_eq!(date::from_serial(1e12), None);
}

/// Whatever the text, a format compiles and writes every kind of value.
#[test]
fn no_format_fails() {
    let pieces = [
        "0",
        "#",
        ",",
        ".",
        "%",
        "E+",
        "e-0",
        "\\",
        "\"",
        ";",
        "/",
        ":",
        "d",
        "mmm",
        "h",
        "AM/PM",
        "C",
        "@",
        "&",
        "<",
        ">",
        "!",
        "¤",
        "é",
        "|",
        "USD",
        " ",
        "yyyy",
        "-",
        "General Number",
    ];
    let values = [
        Value::Empty,
        Value::Int(i64::MIN),
        Value::Double(-12345.678),
        Value::Double(f64::NAN),
        Value::Double(1e-300),
        Value::Double(f64::MAX),
        Value::Currency(Currency(-5)),
        Value::str("Ünï"),
        Value::Boolean(true),
        Value::Date("-000044-03-15T12:00:00".parse().unwrap()),
    ];
    let mut out = String::new();
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    for round in 0..20_000 {
        let text: String = (0..1 + round % 9)
            .map(|_| {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                pieces[(seed % pieces.len() as u64) as usize]
            })
            .collect();
        let format = Format::parse(&text);
        for value in &values {
            out.clear();
            format.write(value, Locale::en_us(), &mut out);
        }
    }
    // A picture of many places is as long as it says, and takes no time that grows faster.
    let long = "0".repeat(100_000);
    assert_eq!(shown(&long, &Value::Int(7), Locale::en_us()).len(), 100_000);
    assert_eq!(shown(&format!("0E+{long}"), &Value::Int(7), Locale::en_us()).len(), 100_003);
    assert_eq!(shown(&format!("0.{long}"), &Value::Int(7), Locale::en_us()).len(), 100_002);
    assert_eq!(shown(&format!("{long}%"), &Value::Double(-1e300), Locale::en_us()).len(), 100_002);
    assert_eq!(shown(&"\\x".repeat(100_000), &Value::Int(7), Locale::en_us()).len(), 100_000);
}
