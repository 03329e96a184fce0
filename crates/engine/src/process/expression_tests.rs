//! Expressions over a small frame: values, nulls, types.

use super::*;
use BinaryOperator as B;
use Expression as E;

/// a: 1, 2, null; d: 1.50, 2.25, 3.00; t: "x", null, "Ab"; m: 1997-03-31 23:00 in each row.
fn frame() -> (Frame, Vec<FrameColumn>) {
    let a = Vector::new(Data::Int(vec![1, 2, 0]), Some(vec![false, false, true]));
    let d = Vector::new(Data::Decimal { units: vec![150, 225, 300], scale: 2 }, None);
    let t = Vector::new(Data::Text(["x", "", "Ab"].into_iter().collect()), Some(vec![false, true, false]));
    let moment = super::super::vector::parse_moment("1997-03-31T23:00", false).unwrap();
    let m = Vector::new(Data::Date { micros: vec![moment; 3], days: false }, None);
    let columns = [("a", &a), ("d", &d), ("t", &t), ("m", &m)].map(|(name, v)| FrameColumn {
        table: "f".to_owned(),
        name: name.to_owned(),
        ty: Some(v.ty()),
    });
    (Frame { columns: vec![a.clone(), d.clone(), t.clone(), m.clone()], rows: 3 }, columns.to_vec())
}

fn column(name: &str) -> E {
    E::Column(ColumnRef { table: None, column: name.to_owned() })
}

fn number(text: &str) -> E {
    E::Number(text.to_owned())
}

fn text(text: &str) -> E {
    E::Text(text.to_owned())
}

fn binary(a: E, operator: B, b: E) -> E {
    E::Binary(Box::new(a), operator, Box::new(b))
}

fn call(name: &str, arguments: &[E]) -> E {
    E::Call(name.to_owned(), arguments.to_vec())
}

/// The values of each row as text, `~` for null; or the error.
fn values(expression: &E) -> String {
    let (frame, columns) = frame();
    match Bound::new(expression, &columns).and_then(|b| Ok(b.evaluate(&frame)?.into_owned())) {
        Ok(v) => (0..3).map(|i| if v.is_null(i) { "~".into() } else { v.text(i) }).collect::<Vec<_>>().join(" "),
        Err(e) => e.message().to_owned(),
    }
}

#[test]
fn expressions_have_values() {
    let case =
        |otherwise| E::Case { branches: vec![(binary(column("a"), B::Equal, number("1")), number("0"))], otherwise };
    let table: Vec<(E, &str)> = vec![
        (binary(column("a"), B::Add, number("1")), "2 3 ~"),
        (binary(column("a"), B::Multiply, column("d")), "1.5 4.5 ~"),
        (binary(column("d"), B::Subtract, number("0.005")), "1.495 2.245 2.995"),
        (binary(column("d"), B::Divide, column("a")), "1.5 1.125 ~"),
        (binary(column("d"), B::Divide, number("0")), "~ ~ ~"),
        (binary(column("t"), B::Concat, text("!")), "x! ~ Ab!"),
        (binary(column("d"), B::Greater, number("2")), "false true true"),
        (binary(column("a"), B::Less, column("d")), "true true ~"),
        (E::IsNull(Box::new(column("t"))), "false true false"),
        (E::Not(Box::new(binary(column("a"), B::Equal, number("1")))), "false true ~"),
        (binary(binary(column("a"), B::Equal, number("1")), B::Or, E::Boolean(true)), "true true true"),
        (binary(binary(column("a"), B::Equal, number("1")), B::And, E::Boolean(true)), "true false ~"),
        (E::In(Box::new(column("t")), vec![text("x"), text("y")]), "true ~ false"),
        (case(Some(Box::new(column("d")))), "0 2.25 3"),
        (case(None), "0 ~ ~"),
        (E::Negate(Box::new(column("d"))), "-1.5 -2.25 -3"),
        (call("upper", &[column("t")]), "X ~ AB"),
        (call("substring", &[column("t"), number("2"), number("1")]), " ~ b"),
        (call("coalesce", &[column("a"), number("9")]), "1 2 9"),
        (call("concat", &[column("t"), column("a")]), "x1 ~ ~"),
        (call("quarter", &[column("m")]), "1 1 1"),
        (call("week", &[text("1997-01-01")]), "1 1 1"),
        (call("month_name", &[column("m")]), "March March March"),
        (call("weekday", &[column("m")]), "1 1 1"),
        (call("weekday_name", &[column("m")]), "Monday Monday Monday"),
        (call("date", &[column("m")]), "1997-03-31 1997-03-31 1997-03-31"),
        (call("length", &[column("t")]), "1 ~ 2"),
        (call("nullif", &[column("a"), number("2")]), "1 ~ ~"),
        (call("abs", &[number("-1.50")]), "1.5 1.5 1.5"),
        (call("round", &[column("d")]), "2 2 3"),
        (call("round", &[E::Negate(Box::new(column("d"))), number("1")]), "-1.5 -2.3 -3"),
        (call("floor", &[E::Negate(Box::new(column("d")))]), "-2 -3 -3"),
        (call("ceiling", &[column("d")]), "2 3 3"),
        (E::Cast(Box::new(column("a")), DataType::String), "1 2 ~"),
        (E::Cast(Box::new(text("12")), DataType::Integer), "12 12 12"),
    ];
    for (expression, expected) in table {
        assert_eq!(values(&expression), expected, "{expression:?}");
    }
}

#[test]
fn wrong_expressions_say_why() {
    let table: Vec<(E, &str)> = vec![
        (column("nothing"), "column 'nothing' does not exist"),
        (binary(column("a"), B::Add, text("1")), "cannot compute with integer and text"),
        (binary(column("t"), B::Equal, column("a")), "cannot compare text with integer"),
        (call("frobnicate", &[]), "the function 'frobnicate' is unknown"),
        (call("upper", &[]), "the function 'upper' cannot have 0 arguments"),
        (binary(number("9223372036854775807"), B::Add, column("a")), "a computed number is too large"),
        (E::Not(Box::new(column("t"))), "NOT wants true or false, not text"),
    ];
    for (expression, expected) in table {
        assert_eq!(values(&expression), expected, "{expression:?}");
    }
}

#[test]
fn depth_is_limited() {
    let deep = (0..1_000).fold(number("1"), |e, _| E::Negate(Box::new(e)));
    assert_eq!(values(&deep), "an expression nests deeper than 200");
}
