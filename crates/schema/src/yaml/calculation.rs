//! What is written in MDX: calculated members, named sets, KPIs, actions.

use super::fields::{Fields, Item};
use crate::error::Problems;
use crate::names::string_literal;
use facetta_model::definition::{ActionDef, ActionKind, ActionTarget, CalculatedMemberDef, KpiDef, NamedSetDef, Texts};

const CALCULATED: &[&str] = &[
    "caption",
    "description",
    "visible",
    "folder",
    "formula",
    "hierarchy",
    "parent",
    "format",
    "solve_order",
    "properties",
];
const SET: &[&str] = &["caption", "description", "folder", "formula"];
const KPI: &[&str] =
    &["caption", "description", "folder", "value", "goal", "status", "trend", "status_graphic", "trend_graphic"];
const ACTION: &[&str] = &["caption", "description", "kind", "on", "object", "condition", "expression"];

pub(crate) const ACTION_KINDS: &[(&str, ActionKind)] = &[
    ("url", ActionKind::Url),
    ("html", ActionKind::Html),
    ("statement", ActionKind::Statement),
    ("data_set", ActionKind::DataSet),
    ("rowset", ActionKind::Rowset),
    ("drillthrough", ActionKind::DrillThrough),
];
pub(crate) const ACTION_TARGETS: &[(&str, ActionTarget)] = &[
    ("cells", ActionTarget::Cells),
    ("cube", ActionTarget::Cube),
    ("hierarchy", ActionTarget::Hierarchy),
    ("level", ActionTarget::Level),
];

/// The items of a key as maps; in short an item is the text of its `main` key.
fn things<'n, T>(
    cube: &Fields<'n>,
    (key, what, main): (&str, &str, &str),
    known: &[&'static str],
    problems: &mut Problems,
    read: impl Fn(&Item<'n>, &Fields<'n>, String, &mut Problems) -> Option<T>,
) -> Vec<T> {
    let mut things = Vec::new();
    for item in cube.items(key, problems) {
        let label = format!("{what} '{}'", item.name);
        let fields = match (item.node, item.scalar()) {
            (None, _) => {
                problems.add(item.line, label, format!("The key '{main}' is missing"));
                continue;
            }
            (_, Some(_)) => Some(Fields::empty(item.line, label)),
            (Some(node), None) => Fields::new(node, item.line, label, known, problems),
        };
        let Some(fields) = fields else { continue };
        let text = match item.scalar() {
            Some(text) => Some(text.to_owned()),
            None => fields.required(main, problems),
        };
        if let Some(text) = text {
            things.extend(read(&item, &fields, text.trim().to_owned(), problems));
        }
    }
    things
}

/// `Profit: "[Measures].[Amount] - [Measures].[Cost]"`, or a map with `formula` and more.
pub(super) fn calculated_members(cube: &Fields<'_>, problems: &mut Problems) -> Vec<CalculatedMemberDef> {
    let row = ("calculated", "Calculated member", "formula");
    things(cube, row, CALCULATED, problems, |item, fields, formula, problems| {
        let mut properties = Vec::new();
        if let Some(format) = fields.text("format", problems) {
            properties.push(("FORMAT_STRING".to_owned(), string_literal(&format)));
        }
        if let Some(order) = fields.text("solve_order", problems) {
            properties.push(("SOLVE_ORDER".to_owned(), order));
        }
        // Other properties are MDX, as in a WITH MEMBER.
        for property in fields.items("properties", problems) {
            match property.scalar() {
                Some(value) => properties.push((property.name.to_uppercase(), value.to_owned())),
                None => problems.add(property.line, fields.label.clone(), "A property is 'NAME: MDX expression'"),
            }
        }
        Some(CalculatedMemberDef {
            name: item.name.to_owned(),
            texts: fields.texts(problems),
            hierarchy: fields.text("hierarchy", problems).unwrap_or_else(|| "[Measures]".to_owned()),
            parent: fields.text("parent", problems),
            formula,
            properties,
            place: fields.place(problems),
        })
    })
}

/// `Top Stores: "TopCount(…)"`, or a map with `formula` and more.
pub(super) fn named_sets(cube: &Fields<'_>, problems: &mut Problems) -> Vec<NamedSetDef> {
    things(cube, ("sets", "Set", "formula"), SET, problems, |item, fields, formula, problems| {
        Some(NamedSetDef {
            name: item.name.to_owned(),
            texts: fields.texts(problems),
            formula,
            place: fields.place(problems),
        })
    })
}

/// `Growth: {value: …, goal: …, status: …}`.
pub(super) fn kpis(cube: &Fields<'_>, problems: &mut Problems) -> Vec<KpiDef> {
    things(cube, ("kpis", "KPI", "value"), KPI, problems, |item, fields, value, problems| {
        Some(KpiDef {
            name: item.name.to_owned(),
            texts: fields.texts(problems),
            value,
            goal: fields.text("goal", problems),
            status: fields.text("status", problems),
            trend: fields.text("trend", problems),
            status_graphic: fields.text("status_graphic", problems),
            trend_graphic: fields.text("trend_graphic", problems),
            place: fields.place(problems),
        })
    })
}

/// `Show orders: {kind: url, on: level, object: "[Customer].[City]", expression: …}`.
pub(super) fn actions(cube: &Fields<'_>, problems: &mut Problems) -> Vec<ActionDef> {
    things(cube, ("actions", "Action", "expression"), ACTION, problems, |item, fields, expression, problems| {
        Some(ActionDef {
            name: item.name.to_owned(),
            texts: Texts {
                caption: fields.text("caption", problems),
                description: fields.text("description", problems),
                ..Texts::default()
            },
            kind: fields.word("kind", ACTION_KINDS, problems).unwrap_or_default(),
            target: fields.word("on", ACTION_TARGETS, problems).unwrap_or_default(),
            object: fields.text("object", problems),
            condition: fields.text("condition", problems),
            expression,
            place: fields.place(problems),
        })
    })
}
