//! Walks the table of scalar functions, and runs the examples.

use super::cast::{CastType, cast};
use super::*;
use std::collections::HashSet;

fn context() -> ScalarContext {
    ScalarContext::new("2008-04-24T19:10:45".parse().unwrap(), Locale::en_us())
}

/// Reads the values of an example's text, from the front.
struct Reader<'a>(&'a str);

/// A value of an example: scalar or series.
#[derive(Debug)]
enum Example {
    Scalar(Value),
    Series(Vec<f64>),
}

impl<'a> Reader<'a> {
    /// Takes the text before a character, and the character.
    fn until(&mut self, end: char) -> &'a str {
        let (before, after) = self.0.split_once(end).unwrap_or_else(|| panic!("no {end} in {:?}", self.0));
        self.0 = after;
        before
    }

    fn value(&mut self) -> Example {
        self.0 = self.0.trim_start();
        if let Some(rest) = self.0.strip_prefix('"') {
            self.0 = rest;
            let mut text = self.until('"').to_owned();
            while let Some(rest) = self.0.strip_prefix('"') {
                self.0 = rest;
                text = text + "\"" + self.until('"');
            }
            return Example::Scalar(text.into());
        }
        if let Some(rest) = self.0.strip_prefix('#') {
            self.0 = rest;
            return Example::Scalar(Value::Date(self.until('#').parse().unwrap()));
        }
        if let Some(rest) = self.0.strip_prefix('{') {
            self.0 = rest;
            return Example::Series(self.until('}').split(',').map(|number| number.trim().parse().unwrap()).collect());
        }
        let end = self.0.find([',', ')']).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(end);
        self.0 = rest;
        Example::Scalar(match word.trim() {
            "NULL" => Value::Empty,
            "true" => true.into(),
            "false" => false.into(),
            word => match word.parse::<i64>() {
                Ok(whole) => whole.into(),
                Err(_) => word.parse::<f64>().unwrap_or_else(|_| panic!("what is {word:?}?")).into(),
            },
        })
    }

    /// `Name(value, …)` and what comes after.
    fn call(&mut self) -> (&'a str, Vec<Value>, Option<Vec<f64>>) {
        let name = self.until('(');
        let (mut values, mut series) = (Vec::new(), None);
        while !self.0.starts_with(')') {
            match self.value() {
                Example::Scalar(value) => values.push(value),
                Example::Series(numbers) => series = Some(numbers),
            }
            self.0 = self.0.trim_start_matches([',', ' ']);
        }
        self.until(')');
        (name, values, series)
    }
}

fn same(got: &Value, expected: &Value, tolerance: f64) -> bool {
    match (got.as_f64(), expected.as_f64()) {
        (Some(got), Some(expected)) if got.is_nan() || expected.is_nan() => got.is_nan() && expected.is_nan(),
        (Some(a), Some(b)) if got.is_number() && expected.is_number() => (a - b).abs() <= tolerance * b.abs().max(1e-3),
        _ => got == expected,
    }
}

#[test]
fn examples() {
    let mut shown = HashSet::new();
    let mut failures = Vec::new();
    for line in include_str!("examples.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut reader = Reader(line);
        let (name, values, series) = reader.call();
        let arguments = values.len() + usize::from(series.is_some());
        let Some(function) = find(name, arguments).or_else(|| overloads(name).next()) else {
            panic!("{line}: there is no {name}");
        };
        shown.insert((function.name, function.parameters.len()));
        let result = match &series {
            Some(numbers) => function.call_with_series(&context(), &values, numbers),
            None => function.call(&context(), &values),
        };
        let (operator, expected) = reader.0.trim().split_once(' ').unwrap();
        let right = match (operator, &result) {
            ("!", Err(error)) => error.kind().name() == expected,
            ("=" | "~", Ok(got)) => match Reader(expected).value() {
                Example::Scalar(expected) => same(got, &expected, if operator == "~" { 1e-10 } else { 0.0 }),
                Example::Series(_) => false,
            },
            _ => false,
        };
        if !right {
            failures.push(format!("{line}\n    got {result:?}"));
        }
    }
    assert!(failures.is_empty(), "{} examples fail:\n{}", failures.len(), failures.join("\n"));
    for function in all() {
        assert!(shown.contains(&(function.name, function.parameters.len())), "{} has no example", function.name);
    }
}

#[test]
fn rows_are_complete_and_do_not_clash() {
    let rows: Vec<_> = all().collect();
    for (index, function) in rows.iter().enumerate() {
        let name = function.name;
        assert!(function.doc.ends_with('.') && function.doc.len() > 10, "{name} has no sentence");
        let mut optional = function.parameters.iter().map(|parameter| parameter.optional);
        optional.by_ref().find(|optional| *optional);
        assert!(optional.all(|optional| optional), "{name}: an optional parameter stands before one that is not");
        for other in &rows[..index] {
            if other.name.eq_ignore_ascii_case(name) {
                let both = (0..=8).any(|arguments| other.takes(arguments) && function.takes(arguments));
                assert!(!both, "{name}: two overloads take the same number of arguments");
            }
        }
    }
}

/// Every function of the specification's list whose parameters are scalars is here, in all its overloads.
#[test]
fn the_specified_functions_are_here() {
    let shared = std::env::var("FACETTA_SHARED")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared").to_owned());
    let Ok(text) = std::fs::read_to_string(format!("{shared}/spec/functions.tsv")) else {
        assert!(!std::env::var("FACETTA_NO_SKIP").is_ok_and(|v| v == "1"), "no functions.tsv in {shared}");
        println!("skipped: no functions.tsv in {shared}");
        return;
    };
    // Operators, and functions whose scalars stand for members, parameters of the statement or unevaluated arguments.
    let elsewhere = [
        "IsEmpty",
        "LastPeriods",
        "Dimensions",
        "Levels",
        "Members",
        "ParamRef",
        "StrToMember",
        "StrToSet",
        "StrToTuple",
    ];
    let scalars = ["Numeric Expression", "Integer", "String", "DateTime", "Value", "Logical Expression", "Array", ""];
    let mut checked = 0;
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let (name, parameters, returns) = (fields[0], fields[1], fields[2]);
        let kinds: Vec<&str> = if parameters.is_empty() { Vec::new() } else { parameters.split(", ").collect() };
        let is_function = name.chars().all(|c| c.is_ascii_alphanumeric())
            && !["AND", "OR", "XOR", "NOT", "MATCHES", "IIf"].contains(&name);
        let is_scalar =
            ["2", "5", "7", "8", "11"].contains(&returns) && kinds.iter().all(|kind| scalars.contains(kind));
        if !is_function || !is_scalar || elsewhere.contains(&name) || fields[4] != "yes" {
            continue;
        }
        checked += 1;
        assert!(find(name, kinds.len()).is_some(), "{name} with {} arguments is missing", kinds.len());
    }
    assert!(checked > 200, "only {checked} rows");
}

#[test]
fn names_are_found_in_any_case() {
    assert_eq!(find("LEFT", 2).unwrap().name, "Left");
    assert!(find("left", 3).is_none());
    assert!(find("nothing", 0).is_none());
    assert_eq!(overloads("instr").count(), 2);
}

#[test]
fn errors_and_nulls_pass_through() {
    let error = facetta_model::error!(Invalid, "spoilt");
    let left = find("Left", 2).unwrap();
    assert_eq!(left.call(&context(), &[Value::Error(error.clone()), 1.into()]), Err(error.clone()));
    assert_eq!(find("IsError", 1).unwrap().call(&context(), &[Value::Error(error)]), Ok(true.into()));
    let only_nulls = |function: &ScalarFunction| {
        let nulls = vec![Value::Empty; function.parameters.iter().filter(|p| p.kind != ScalarKind::Series).count()];
        function.call(&context(), &nulls)
    };
    for function in all().filter(|function| !function.null_aware && !function.parameters.is_empty()) {
        assert_eq!(only_nulls(function), Ok(Value::Empty), "{}", function.name);
    }
}

/// No argument whatsoever makes a function panic, run long or answer without end.
#[test]
fn no_argument_is_too_strange() {
    let strange = [
        Value::Int(0),
        Value::Int(-1),
        Value::Int(i64::MIN),
        Value::Int(i64::MAX),
        Value::Double(f64::NAN),
        Value::Double(f64::NEG_INFINITY),
        Value::Double(1e308),
        Value::Double(-0.5),
        Value::Currency(facetta_model::Currency(i64::MIN)),
        Value::str(""),
        Value::str("ä€𝄞"),
        Value::str("yyyy"),
        Value::str("ww"),
        Value::str("12:xAM 9/9/99"),
        Value::Boolean(true),
        Value::Date("-009999-01-02T00:00:00".parse().unwrap()),
        Value::Date("9999-12-31T23:59:59".parse().unwrap()),
    ];
    let series = [-1e300, 0.0, 1e300];
    for function in all() {
        let most = function.parameters.iter().filter(|p| p.kind != ScalarKind::Series).count();
        for round in 0..strange.len().pow(2) {
            let values: Vec<Value> =
                (0..most).map(|i| strange[(round / (1 + i * 7) + i * round) % strange.len()].clone()).collect();
            for count in 0..=most {
                let _ = function.call_with_series(&context(), &values[..count], &series);
            }
        }
    }
    let long = Value::str("x".repeat(arguments::LONGEST_TEXT));
    let replace = find("Replace", 3).unwrap();
    assert!(replace.call(&context(), &[long, "x".into(), "xx".into()]).is_err());
}

#[test]
fn casts() {
    let to = |value: Value, name: &str| cast(&value, CastType::parse(name).unwrap());
    assert_eq!(to(1.4.into(), "Integer"), Ok(1.into()));
    assert_eq!(to((-1.6).into(), "integer"), Ok((-1).into()));
    assert_eq!(to("42".into(), "INTEGER"), Ok(42.into()));
    assert_eq!(to("4.5".into(), "NUMERIC"), Ok(4.5.into()));
    assert_eq!(to(3.into(), "Decimal"), Ok(3.into()));
    assert_eq!(to(3.into(), "Boolean"), Ok(true.into()));
    assert_eq!(to(0.into(), "Boolean"), Ok(false.into()));
    assert_eq!(to("TRUE".into(), "Boolean"), Ok(true.into()));
    assert_eq!(to("yes".into(), "Boolean"), Ok(false.into()));
    assert_eq!(to(false.into(), "String"), Ok("false".into()));
    assert_eq!(to((-5).into(), "String"), Ok("-5".into()));
    assert_eq!(to(Value::Empty, "String"), Ok(Value::Empty));
    assert_eq!(to("x".into(), "Numeric").unwrap_err().kind(), ErrorKind::Type);
    assert_eq!(to(1e300.into(), "Integer").unwrap_err().kind(), ErrorKind::Type);
    let message = CastType::parse("Double").unwrap_err().to_string();
    assert!(message.starts_with("Unknown type 'Double'; values are NUMERIC, STRING, BOOLEAN"), "{message}");
}
