//! Calculated members and named sets.

use super::dimension::texts;
use super::xml::Element;
use crate::error::Problems;
use crate::names::{is_identifier, path, string_literal};
use facetta_model::definition::{CalculatedMemberDef, NamedSetDef};
use facetta_model::name;

/// Properties whose values are numbers: they are kept without quotes.
const NUMBERS: &[&str] = &["MEMBER_ORDINAL", "SOLVE_ORDER", "BACK_COLOR", "FORE_COLOR", "FONT_FLAGS", "FONT_SIZE"];

/// A calculated member of a cube or virtual cube.
pub(super) fn calculated_member(element: &Element, problems: &mut Problems) -> Option<CalculatedMemberDef> {
    let place = element.place(problems);
    let formula = formula(element, problems);
    let mut properties = Vec::new();
    if let Some(format) = element.get("formatString") {
        properties.push(("FORMAT_STRING".to_owned(), string_literal(format)));
    }
    let mut texts = texts(element);
    for child in element.all("CalculatedMemberProperty") {
        let Some((name, value)) = property(child, problems) else { continue };
        match (name.as_str(), child.written("value")) {
            // What has a place of its own goes there.
            ("CAPTION", Some(value)) => texts.caption = Some(value.to_owned()),
            ("DESCRIPTION", Some(value)) => texts.description = Some(value.to_owned()),
            ("DISPLAY_FOLDER", Some(value)) => texts.display_folder = Some(value.to_owned()),
            _ => properties.push((name, value)),
        }
    }
    let hierarchy = hierarchy(element, problems);
    let parent = element.text_of("parent");
    if parent.as_deref().is_some_and(|p| !is_identifier(p)) {
        problems.at(&place, "The parent is not the name of a member");
    }
    Some(CalculatedMemberDef {
        name: element.text_of("name")?,
        texts,
        hierarchy: hierarchy?,
        parent,
        formula: formula?,
        properties,
        place,
    })
}

/// The hierarchy as MDX. `dimension` is a plain name, `hierarchy` may be `Time.Weekly` or `[Time].[Weekly]`.
fn hierarchy(element: &Element, problems: &mut Problems) -> Option<String> {
    let place = element.place(problems);
    match (element.get("dimension"), element.get("hierarchy")) {
        (Some(_), Some(_)) => {
            problems.at(&place, "A calculated member has a dimension or a hierarchy, not both");
            None
        }
        (Some(dimension), None) => Some(name::quote(dimension.trim_start_matches('[').trim_end_matches(']'))),
        (None, Some(hierarchy)) => match path(hierarchy) {
            Some(names) => Some(names.iter().map(|n| name::quote(n)).collect::<Vec<_>>().join(".")),
            None => {
                problems.at(&place, format!("'{hierarchy}' is not the name of a hierarchy"));
                None
            }
        },
        (None, None) => {
            problems.at(&place, "A calculated member needs a dimension or a hierarchy");
            None
        }
    }
}

/// Name in upper case and MDX of a `CalculatedMemberProperty`.
fn property(element: &Element, problems: &mut Problems) -> Option<(String, String)> {
    let name = element.get("name")?.to_uppercase();
    let value = match (element.written("value"), element.get("expression")) {
        (Some(value), None) if NUMBERS.contains(&name.as_str()) && value.trim().parse::<i64>().is_ok() => {
            value.trim().to_owned()
        }
        (Some(value), None) => string_literal(value),
        (None, Some(expression)) => expression.to_owned(),
        (both, _) => {
            let what = if both.is_some() { ", not both" } else { "" };
            let message = format!("A CalculatedMemberProperty has a value or an expression{what}");
            problems.add(element.line, element.label(), message);
            return None;
        }
    };
    Some((name, value))
}

/// A named set of a cube, or of the schema.
pub(super) fn named_set(element: &Element, problems: &mut Problems) -> Option<NamedSetDef> {
    let formula = formula(element, problems);
    Some(NamedSetDef {
        name: element.text_of("name")?,
        texts: texts(element),
        formula: formula?,
        place: element.place(problems),
    })
}

fn formula(element: &Element, problems: &mut Problems) -> Option<String> {
    let text = element.first("Formula").map(|f| f.text.as_str()).or(element.get("formula"));
    let text = text.map(str::trim).filter(|t| !t.is_empty());
    if text.is_none() {
        problems.add(element.line, element.label(), "A formula is needed");
    }
    text.map(str::to_owned)
}
