//! The elements of a Mondrian 3 schema as a table: attributes, children, what is a hint, what is refused and why.

use super::xml::Element;
use crate::error::{Problems, did_you_mean, one_of};

/// An element that may stand in a schema.
pub(super) struct ElementSpec {
    pub(super) name: &'static str,
    attributes: &'static [AttributeSpec],
    children: &'static [&'static str],
    /// Whether it may hold text.
    text: bool,
    treatment: Treatment,
}

/// What is done with an element as a whole.
#[derive(Clone, Copy)]
enum Treatment {
    /// It is read.
    Read,
    /// It is counted and left unread, with all that is in it.
    Hint,
    /// It is an error, for this reason.
    Refused(&'static str),
}

/// An attribute of an element.
struct AttributeSpec {
    name: &'static str,
    required: bool,
    kind: Kind,
}

/// What an attribute may hold.
enum Kind {
    /// Any text.
    Text,
    /// Text that is not empty.
    Name,
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Anything: it is counted and left unread.
    Hint,
    /// It is an error, for this reason.
    Refused(&'static str),
}

const fn required(name: &'static str) -> AttributeSpec {
    AttributeSpec { name, required: true, kind: Kind::Name }
}
const fn required_word(name: &'static str, words: &'static [&'static str]) -> AttributeSpec {
    AttributeSpec { name, required: true, kind: Kind::Word(words) }
}
const fn text(name: &'static str) -> AttributeSpec {
    AttributeSpec { name, required: false, kind: Kind::Text }
}
const fn named(name: &'static str) -> AttributeSpec {
    AttributeSpec { name, required: false, kind: Kind::Name }
}
const fn flag(name: &'static str) -> AttributeSpec {
    AttributeSpec { name, required: false, kind: Kind::Flag }
}
const fn word(name: &'static str, words: &'static [&'static str]) -> AttributeSpec {
    AttributeSpec { name, required: false, kind: Kind::Word(words) }
}
const fn hint(name: &'static str) -> AttributeSpec {
    AttributeSpec { name, required: false, kind: Kind::Hint }
}
const fn refused(name: &'static str, why: &'static str) -> AttributeSpec {
    AttributeSpec { name, required: false, kind: Kind::Refused(why) }
}

const fn element(
    name: &'static str,
    attributes: &'static [AttributeSpec],
    children: &'static [&'static str],
) -> ElementSpec {
    ElementSpec { name, attributes, children, text: false, treatment: Treatment::Read }
}
const fn holding_text(name: &'static str, attributes: &'static [AttributeSpec]) -> ElementSpec {
    ElementSpec { name, attributes, children: &[], text: true, treatment: Treatment::Read }
}
const fn unread(name: &'static str) -> ElementSpec {
    ElementSpec { name, attributes: &[], children: &[], text: true, treatment: Treatment::Hint }
}
const fn never(name: &'static str, why: &'static str) -> ElementSpec {
    ElementSpec { name, attributes: &[], children: &[], text: true, treatment: Treatment::Refused(why) }
}

const DATA_TYPES: &[&str] = &["String", "Numeric", "Integer", "Boolean", "Date", "Time", "Timestamp"];
const PARAMETER_TYPES: &[&str] = &["String", "Numeric", "Integer", "Boolean", "Date", "Time", "Timestamp", "Member"];
const LEVEL_TYPES: &[&str] = &[
    "Regular",
    "TimeYears",
    "TimeHalfYears",
    "TimeHalfYear",
    "TimeQuarters",
    "TimeMonths",
    "TimeWeeks",
    "TimeDays",
    "TimeHours",
    "TimeMinutes",
    "TimeSeconds",
    "TimeUndefined",
];
const AGGREGATORS: &[&str] = &["sum", "count", "min", "max", "avg", "distinct-count", "distinct count"];
const CUBE_ACCESS: &[&str] = &["all", "all_dimensions", "custom", "none"];
const ACCESS: &[&str] = &["all", "custom", "none"];
const JAVA: &str = "it names a Java class, which cannot be run here";
const SCRIPT: &str = "formatters are Java classes or scripts, which cannot be run here; use a format string";

/// Every element (Mondrian's documentation, "XML elements").
pub(super) static ELEMENTS: &[ElementSpec] = &[
    element(
        "Schema",
        &[
            required("name"),
            text("caption"),
            text("description"),
            text("measuresCaption"),
            refused("defaultRole", "roles are not enforced yet, so a default role would not protect anything"),
            refused("metamodelVersion", "this is a Mondrian 4 schema; Mondrian 3 schemas can be read"),
        ],
        &["Annotations", "Parameter", "Dimension", "Cube", "VirtualCube", "NamedSet", "Role", "UserDefinedFunction"],
    ),
    element(
        "Parameter",
        &[
            required("name"),
            text("description"),
            word("type", PARAMETER_TYPES),
            flag("modifiable"),
            text("defaultValue"),
        ],
        &["Annotations"],
    ),
    never("UserDefinedFunction", JAVA),
    unread("Annotations"),
    element(
        "Dimension",
        &[
            required("name"),
            word("type", &["StandardDimension", "TimeDimension"]),
            text("caption"),
            text("description"),
            flag("visible"),
            named("foreignKey"),
            hint("usagePrefix"),
            hint("highCardinality"),
        ],
        &["Annotations", "Hierarchy"],
    ),
    element(
        "DimensionUsage",
        &[
            required("name"),
            required("source"),
            named("foreignKey"),
            named("level"),
            text("caption"),
            text("description"),
            flag("visible"),
            hint("usagePrefix"),
            hint("highCardinality"),
        ],
        &["Annotations"],
    ),
    element(
        "Hierarchy",
        &[
            text("name"),
            AttributeSpec { name: "hasAll", required: true, kind: Kind::Flag },
            named("allMemberName"),
            text("allMemberCaption"),
            named("allLevelName"),
            named("primaryKey"),
            named("primaryKeyTable"),
            named("defaultMember"),
            text("caption"),
            text("description"),
            text("displayFolder"),
            flag("visible"),
            hint("uniqueKeyLevelName"),
            refused("memberReaderClass", JAVA),
        ],
        &["Annotations", "Table", "View", "Join", "InlineTable", "Level", "MemberReaderParameter"],
    ),
    never("MemberReaderParameter", JAVA),
    element(
        "Level",
        &[
            required("name"),
            named("table"),
            named("column"),
            named("nameColumn"),
            named("captionColumn"),
            named("ordinalColumn"),
            named("parentColumn"),
            text("nullParentValue"),
            word("type", DATA_TYPES),
            flag("uniqueMembers"),
            word("levelType", LEVEL_TYPES),
            word("hideMemberIf", &["Never", "IfBlankName", "IfParentsName"]),
            text("caption"),
            text("description"),
            flag("visible"),
            hint("approxRowCount"),
            hint("internalType"),
            refused("formatter", SCRIPT),
        ],
        &[
            "Annotations",
            "KeyExpression",
            "NameExpression",
            "CaptionExpression",
            "OrdinalExpression",
            "ParentExpression",
            "MemberFormatter",
            "Closure",
            "Property",
        ],
    ),
    element("KeyExpression", &[], &["SQL"]),
    element("NameExpression", &[], &["SQL"]),
    element("CaptionExpression", &[], &["SQL"]),
    element("OrdinalExpression", &[], &["SQL"]),
    element("ParentExpression", &[], &["SQL"]),
    element("MeasureExpression", &[], &["SQL"]),
    holding_text("SQL", &[text("dialect")]),
    never("MemberFormatter", SCRIPT),
    element("Closure", &[required("parentColumn"), required("childColumn")], &["Table"]),
    element(
        "Property",
        &[
            required("name"),
            named("column"),
            word("type", DATA_TYPES),
            text("caption"),
            text("description"),
            hint("dependsOnLevelValue"),
            refused("formatter", SCRIPT),
        ],
        &["PropertyFormatter"],
    ),
    never("PropertyFormatter", SCRIPT),
    element(
        "Table",
        &[required("name"), named("alias"), hint("schema")],
        &["SQL", "Hint", "AggExclude", "AggName", "AggPattern"],
    ),
    unread("Hint"),
    unread("AggExclude"),
    unread("AggName"),
    unread("AggPattern"),
    never("View", "the SQL of a view cannot be run over files; make a table of it"),
    element("InlineTable", &[named("alias")], &["ColumnDefs", "Rows"]),
    element("ColumnDefs", &[], &["ColumnDef"]),
    element("ColumnDef", &[required("name"), word("type", DATA_TYPES)], &[]),
    element("Rows", &[], &["Row"]),
    element("Row", &[], &["Value"]),
    holding_text("Value", &[required("column")]),
    element(
        "Join",
        &[required("leftKey"), required("rightKey"), named("leftAlias"), named("rightAlias")],
        &["Table", "View", "Join", "InlineTable"],
    ),
    element(
        "Cube",
        &[
            required("name"),
            text("caption"),
            text("description"),
            named("defaultMeasure"),
            flag("visible"),
            flag("enabled"),
            hint("cache"),
        ],
        &[
            "Annotations",
            "Table",
            "View",
            "InlineTable",
            "Dimension",
            "DimensionUsage",
            "Measure",
            "CalculatedMember",
            "NamedSet",
        ],
    ),
    element(
        "Measure",
        &[
            required("name"),
            named("column"),
            required_word("aggregator", AGGREGATORS),
            text("formatString"),
            word("datatype", DATA_TYPES),
            text("caption"),
            text("description"),
            text("displayFolder"),
            flag("visible"),
            refused("formatter", SCRIPT),
        ],
        &["Annotations", "MeasureExpression", "CalculatedMemberProperty", "CellFormatter"],
    ),
    never("CellFormatter", SCRIPT),
    element(
        "CalculatedMember",
        &[
            required("name"),
            text("formatString"),
            text("caption"),
            text("description"),
            text("displayFolder"),
            named("dimension"),
            named("hierarchy"),
            named("parent"),
            flag("visible"),
            named("formula"),
        ],
        &["Annotations", "Formula", "CalculatedMemberProperty", "CellFormatter"],
    ),
    element(
        "CalculatedMemberProperty",
        &[required("name"), hint("caption"), hint("description"), named("expression"), text("value")],
        &[],
    ),
    element(
        "NamedSet",
        &[required("name"), text("caption"), text("description"), text("displayFolder"), named("formula")],
        &["Annotations", "Formula"],
    ),
    holding_text("Formula", &[]),
    element(
        "VirtualCube",
        &[
            required("name"),
            text("caption"),
            text("description"),
            named("defaultMeasure"),
            flag("visible"),
            flag("enabled"),
        ],
        &["Annotations", "CubeUsages", "VirtualCubeDimension", "VirtualCubeMeasure", "CalculatedMember", "NamedSet"],
    ),
    element("CubeUsages", &[], &["CubeUsage"]),
    element("CubeUsage", &[required("cubeName"), flag("ignoreUnrelatedDimensions")], &[]),
    element(
        "VirtualCubeDimension",
        &[
            required("name"),
            named("cubeName"),
            text("caption"),
            text("description"),
            flag("visible"),
            hint("foreignKey"),
            hint("highCardinality"),
        ],
        &["Annotations"],
    ),
    element("VirtualCubeMeasure", &[required("cubeName"), required("name"), flag("visible")], &["Annotations"]),
    element("Role", &[required("name")], &["Annotations", "SchemaGrant", "Union"]),
    element("SchemaGrant", &[required_word("access", CUBE_ACCESS)], &["CubeGrant"]),
    element(
        "CubeGrant",
        &[required("cube"), required_word("access", CUBE_ACCESS)],
        &["DimensionGrant", "HierarchyGrant"],
    ),
    element("DimensionGrant", &[required("dimension"), required_word("access", ACCESS)], &[]),
    element(
        "HierarchyGrant",
        &[
            required("hierarchy"),
            required_word("access", ACCESS),
            named("topLevel"),
            named("bottomLevel"),
            word("rollupPolicy", &["full", "partial", "hidden"]),
        ],
        &["MemberGrant"],
    ),
    element("MemberGrant", &[required("member"), required_word("access", &["all", "none"])], &[]),
    element("Union", &[], &["RoleUsage"]),
    element("RoleUsage", &[required("roleName")], &[]),
];

/// The row of an element.
pub(super) fn spec(name: &str) -> Option<&'static ElementSpec> {
    ELEMENTS.iter().find(|e| e.name == name)
}

/// Checks a tree against the table and answers how many hints it holds. The tree is as deep as the reader allows.
pub(super) fn check(element: &Element, problems: &mut Problems) -> usize {
    let Some(spec) = spec(&element.name) else {
        let hint = did_you_mean(&element.name, ELEMENTS.iter().map(|e| e.name));
        problems.add(element.line, element.label(), format!("The element '{}' is not known{hint}", element.name));
        return 0;
    };
    match spec.treatment {
        Treatment::Read => {}
        // An annotation each; an aggregate table is one, whatever it holds.
        Treatment::Hint => return element.all("Annotation").count().max(1),
        Treatment::Refused(why) => {
            problems.add(element.line, element.label(), format!("'{}' is not supported: {why}", element.name));
            return 0;
        }
    }
    let mut hints = check_attributes(element, spec, problems);
    if !spec.text && !element.text.trim().is_empty() {
        let text: String = element.text.trim().chars().take(40).collect();
        problems.add(element.line, element.label(), format!("Text does not belong here: '{text}'"));
    }
    for child in &element.children {
        if spec.children.contains(&child.name.as_str()) {
            hints += check(child, problems);
        } else {
            let message = misplaced(child, spec);
            problems.add(child.line, child.label(), message);
        }
    }
    hints
}

fn misplaced(child: &Element, parent: &ElementSpec) -> String {
    if spec(&child.name).is_some() {
        format!("The element '{}' does not belong in '{}'", child.name, parent.name)
    } else {
        let hint = did_you_mean(&child.name, parent.children.iter().copied());
        format!("The element '{}' is not known{hint}", child.name)
    }
}

fn check_attributes(element: &Element, spec: &ElementSpec, problems: &mut Problems) -> usize {
    let mut hints = 0;
    for (name, value) in element.attributes() {
        let Some(attribute) = spec.attributes.iter().find(|a| a.name == name) else {
            let hint = did_you_mean(name, spec.attributes.iter().map(|a| a.name));
            problems.add(element.line, element.label(), format!("The attribute '{name}' is not known{hint}"));
            continue;
        };
        let wrong = match &attribute.kind {
            Kind::Text => None,
            _ if value.is_empty() && !attribute.required => None,
            Kind::Name if value.trim().is_empty() => Some(format!("The attribute '{name}' is empty")),
            Kind::Name => None,
            Kind::Flag if matches!(value, "true" | "false") => None,
            Kind::Flag => Some(format!("The attribute '{name}' is '{value}'; expected 'true' or 'false'")),
            Kind::Word(words) if words.contains(&value) => None,
            Kind::Word(words) => {
                Some(format!("The attribute '{name}' is '{value}'; expected {}", one_of(words.iter().copied())))
            }
            Kind::Hint => {
                hints += 1;
                None
            }
            Kind::Refused(why) => Some(format!("The attribute '{name}' is not supported: {why}")),
        };
        if let Some(message) = wrong {
            problems.add(element.line, element.label(), message);
        }
    }
    for attribute in spec.attributes.iter().filter(|a| a.required && element.written(a.name).is_none()) {
        problems.add(element.line, element.label(), format!("The attribute '{}' is missing", attribute.name));
    }
    hints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_closed_and_unique() {
        for (i, element) in ELEMENTS.iter().enumerate() {
            assert_eq!(ELEMENTS.iter().position(|e| e.name == element.name), Some(i), "{} stands twice", element.name);
            for child in element.children {
                assert!(spec(child).is_some(), "{child} in {}", element.name);
            }
            for (i, a) in element.attributes.iter().enumerate() {
                let first = element.attributes.iter().position(|b| b.name == a.name);
                assert_eq!(first, Some(i), "{} of {} stands twice", a.name, element.name);
            }
        }
    }

    #[test]
    fn every_element_but_the_root_has_a_parent() {
        for element in ELEMENTS.iter().filter(|e| e.name != "Schema") {
            assert!(ELEMENTS.iter().any(|e| e.children.contains(&element.name)), "{}", element.name);
        }
    }
}
