//! MDSCHEMA_FUNCTIONS: every overload that MDX statements can use, read from the evaluator's tables.

use crate::rowsets::definition::{
    Ask, Audience, Rows, RowsetDef,
    Type::{self, *},
    column, extra, restriction, rows_of,
};
use facetta_model::{Field, Result};
use facetta_query::Kind;
use facetta_query::functions::{self, Function, Syntax};
use facetta_query::scalar::{self, ScalarFunction};

/// The columns of a parameter.
const PARAMETER: &[(&str, Type)] =
    &[("NAME", Str), ("DESCRIPTION", Str), ("OPTIONAL", Bool), ("REPEATABLE", Bool), ("REPEATGROUP", Int)];

/// An overload of a function.
pub enum FunctionRow {
    /// Of MDX, with its family.
    Mdx(&'static str, &'static Function),
    /// Of a library of scalar functions.
    Scalar(&'static ScalarFunction),
}

impl FunctionRow {
    fn name(&self) -> &'static str {
        match self {
            FunctionRow::Mdx(_, f) => f.name,
            FunctionRow::Scalar(f) => f.name,
        }
    }

    fn description(&self) -> &'static str {
        match self {
            FunctionRow::Mdx(_, f) => f.doc,
            FunctionRow::Scalar(f) => f.doc,
        }
    }

    /// The parameters behind the object to which a method or property is applied.
    fn written(f: &'static Function) -> &'static [Kind] {
        let own = usize::from(matches!(f.syntax, Syntax::Method | Syntax::Property));
        f.parameters.get(own..).unwrap_or_default()
    }

    /// PARAMETERINFO: a row for each parameter, named by what it takes where it has no name of its own; those that may be
    /// repeated are repeated together.
    fn parameter_rows(&self) -> Field {
        let row = |name: &'static str, optional: bool, repeats: bool| {
            let group = if repeats { 1.into() } else { Field::Null };
            vec![name.into(), Field::Null, optional.into(), repeats.into(), group]
        };
        let rows: Vec<Vec<Field>> = match self {
            FunctionRow::Mdx(_, f) => {
                let kinds = Self::written(f);
                let first = kinds.len().saturating_sub(f.repeats);
                kinds.iter().enumerate().map(|(i, k)| row(k.text(), false, i >= first)).collect()
            }
            FunctionRow::Scalar(f) => f.parameters.iter().map(|p| row(p.name, p.optional, false)).collect(),
        };
        if rows.is_empty() { Field::Null } else { Field::Rows(rows) }
    }

    /// PARAMETER_LIST; `(none)` where there is none.
    fn parameters(&self) -> String {
        let text = match self {
            FunctionRow::Mdx(_, f) => {
                let mut texts: Vec<&str> = Self::written(f).iter().map(|k| k.text()).collect();
                if f.repeats > 0 {
                    texts.push("...");
                }
                texts.join(", ")
            }
            FunctionRow::Scalar(f) => {
                let one = |p: &scalar::Parameter| match p.optional {
                    true => format!("[{}]", p.name),
                    false => p.name.to_owned(),
                };
                f.parameters.iter().map(one).collect::<Vec<_>>().join(", ")
            }
        };
        if text.is_empty() { "(none)".to_owned() } else { text }
    }

    /// RETURN_TYPE: the VARTYPE of the result; 12 for an object.
    fn returns(&self) -> i64 {
        match self {
            FunctionRow::Scalar(f) => f.returns.dbtype().into(),
            FunctionRow::Mdx(_, f) => match f.returns {
                Kind::Integer => 3,
                Kind::Numeric => 5,
                Kind::DateTime => 7,
                Kind::String => 8,
                Kind::Logical => 11,
                _ => 12,
            },
        }
    }

    fn family(&self) -> &'static str {
        match self {
            FunctionRow::Mdx(family, _) => family,
            FunctionRow::Scalar(f) => f.library.name(),
        }
    }

    /// OBJECT: the class of object to which a method or property is applied.
    fn object(&self) -> Option<&'static str> {
        match self {
            FunctionRow::Mdx(_, f) if matches!(f.syntax, Syntax::Method | Syntax::Property) => {
                f.parameters.first().map(|k| k.text())
            }
            _ => None,
        }
    }
}

fn rows(_: &Ask) -> Result<Rows<FunctionRow>> {
    let mdx = functions::announced().map(|(family, f)| FunctionRow::Mdx(family, f));
    Ok(rows_of(mdx.chain(scalar::all().map(FunctionRow::Scalar))))
}

/// The functions.
#[rustfmt::skip]
pub static MDSCHEMA_FUNCTIONS: RowsetDef<FunctionRow> = RowsetDef {
    name: "MDSCHEMA_FUNCTIONS",
    guid: "A07CCD07-8148-11D0-87BB-00C04FC33942",
    about: "Functions of MDX",
    dmv: true,
    audience: Audience::Everyone,
    rows,
    order: &["ORIGIN", "INTERFACE_NAME", "FUNCTION_NAME"],
    extra: &[extra(4, "CATALOG_NAME", Str)],
    columns: &[
        restriction(2, "FUNCTION_NAME", Str, |r| r.name().into()),
        column("DESCRIPTION", Str, |r| r.description().into()),
        column("PARAMETER_LIST", Str, |r| r.parameters().into()),
        column("RETURN_TYPE", Int, |r| r.returns().into()),
        restriction(3, "ORIGIN", Int, |_| 1.into()),
        restriction(1, "INTERFACE_NAME", Str, |r| r.family().into()),
        restriction(0, "LIBRARY_NAME", Str, |r| match r { FunctionRow::Scalar(f) => f.library.name().into(), _ => Field::Null }),
        column("DLL_NAME", Str, |_| Field::Null),
        column("HELP_FILE", Str, |_| Field::Null),
        column("HELP_CONTEXT", Int, |_| Field::Null),
        column("OBJECT", Str, |r| r.object().into()),
        column("CAPTION", Str, |r| r.name().into()),
        column("PARAMETERINFO", Nested(PARAMETER), FunctionRow::parameter_rows),
        column("DIRECTQUERY_PUSHABLE", Int, |_| Field::Null),
    ],
};
