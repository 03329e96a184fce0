//! Dimensions: hierarchies, levels, closures, properties.

use super::relation::{column_or_expression, data_type, generic_sql, relation, relations};
use super::xml::Element;
use crate::error::Problems;
use facetta_model::definition::{
    AllDef, ClosureDef, ColumnRef, DataType, DimensionDef, DimensionKind, Expression, HideMemberIf, HierarchyDef,
    LevelDef, LevelKind, ParentDef, Place, PropertyDef, Relation, Texts,
};

/// Caption, description, visibility and folder of an element.
pub(super) fn texts(element: &Element) -> Texts {
    Texts {
        caption: element.text_of("caption"),
        description: element.text_of("description"),
        visible: element.flag("visible", true),
        display_folder: element.text_of("displayFolder"),
    }
}

/// A shared dimension, or one of a cube.
pub(super) fn dimension(element: &Element, problems: &mut Problems) -> Option<DimensionDef> {
    let name = element.text_of("name")?;
    let kind = match element.get("type") {
        Some("TimeDimension") => DimensionKind::Time,
        _ => DimensionKind::Regular,
    };
    let mut hierarchies = Vec::new();
    for child in element.all("Hierarchy") {
        hierarchies.extend(hierarchy(child, &name, kind, problems));
    }
    if element.first("Hierarchy").is_none() {
        problems.add(element.line, element.label(), "A dimension needs a hierarchy");
    }
    Some(DimensionDef { name, texts: texts(element), kind, hierarchies, place: element.place(problems) })
}

fn hierarchy(element: &Element, dimension: &str, kind: DimensionKind, problems: &mut Problems) -> Option<HierarchyDef> {
    let name = element.text_of("name").filter(|n| !n.is_empty()).unwrap_or_else(|| dimension.to_owned());
    let relations: Vec<&Element> = relations(element).collect();
    let relation = match relations[..] {
        [] => Some(Relation::Fact),
        [one] => relation(one, problems),
        [_, second, ..] => {
            problems.add(second.line, second.label(), "A hierarchy has one table or join, this is a second one");
            None
        }
    };
    let all = element.flag("hasAll", true).then(|| AllDef {
        member_name: element.text_of("allMemberName"),
        member_caption: element.text_of("allMemberCaption"),
        level_name: element.text_of("allLevelName"),
    });
    let mut levels = Vec::new();
    for (depth, child) in element.all("Level").enumerate() {
        levels.extend(level(child, depth, kind, problems));
    }
    let place = Place { element: format!("Hierarchy '{name}'"), ..element.place(problems) };
    if element.first("Level").is_none() {
        problems.at(&place, "A hierarchy needs a level");
    }
    Some(HierarchyDef {
        name,
        texts: texts(element),
        all,
        default_member: element.text_of("defaultMember"),
        primary_key: primary_key(element),
        relation: relation?,
        levels,
        place,
    })
}

fn primary_key(element: &Element) -> Option<ColumnRef> {
    let column = element.text_of("primaryKey")?;
    Some(ColumnRef { table: element.text_of("primaryKeyTable"), column })
}

fn level(element: &Element, depth: usize, dimension: DimensionKind, problems: &mut Problems) -> Option<LevelDef> {
    let table = element.get("table");
    let mut part = |attribute, child| column_or_expression(element, attribute, child, table, problems);
    let key = part("column", "KeyExpression");
    let name_expression = part("nameColumn", "NameExpression");
    let caption_expression = part("captionColumn", "CaptionExpression");
    let ordinal = part("ordinalColumn", "OrdinalExpression");
    let parent_key = part("parentColumn", "ParentExpression");
    let place = element.place(problems);
    if element.get("column").is_none() && element.first("KeyExpression").is_none() {
        problems.at(&place, "A level needs a column or a KeyExpression");
    }
    let kind = level_kind(element);
    match (dimension, kind) {
        (DimensionKind::Time, LevelKind::Regular) => {
            problems.at(&place, "A level of a time dimension needs a levelType such as 'TimeYears'");
        }
        (DimensionKind::Regular, kind) if kind != LevelKind::Regular => {
            problems.at(&place, "A time level stands in a dimension whose type is not 'TimeDimension'");
        }
        _ => {}
    }
    let properties = element.all("Property").filter_map(|p| property(p, table, problems)).collect();
    let parent = parent(element, parent_key, problems);
    Some(LevelDef {
        name: element.text_of("name")?,
        texts: texts(element),
        kind,
        key: key?,
        key_type: data_type(element, "type", problems).unwrap_or(DataType::String),
        // A key of the first level has no parents' keys to be told apart by.
        unique: depth == 0 || element.flag("uniqueMembers", false),
        name_expression,
        caption_expression,
        ordinal,
        parent,
        hide_if: match element.get("hideMemberIf") {
            Some("IfBlankName") => HideMemberIf::BlankName,
            Some("IfParentsName") => HideMemberIf::ParentsName,
            _ => HideMemberIf::Never,
        },
        properties,
        place,
    })
}

fn level_kind(element: &Element) -> LevelKind {
    match element.get("levelType") {
        Some("TimeYears") => LevelKind::TimeYears,
        Some("TimeHalfYears" | "TimeHalfYear") => LevelKind::TimeHalfYears,
        Some("TimeQuarters") => LevelKind::TimeQuarters,
        Some("TimeMonths") => LevelKind::TimeMonths,
        Some("TimeWeeks") => LevelKind::TimeWeeks,
        Some("TimeDays") => LevelKind::TimeDays,
        Some("TimeHours") => LevelKind::TimeHours,
        Some("TimeMinutes") => LevelKind::TimeMinutes,
        Some("TimeSeconds") => LevelKind::TimeSeconds,
        Some("TimeUndefined") => LevelKind::TimeUndefined,
        _ => LevelKind::Regular,
    }
}

/// What makes a level a parent-child one. Without a parent, what belongs to one is an error.
fn parent(element: &Element, key: Option<Expression>, problems: &mut Problems) -> Option<ParentDef> {
    let closure = element.first("Closure");
    let Some(key) = key else {
        if element.first("ParentExpression").is_none() {
            if let Some(closure) = closure {
                problems.add(closure.line, element.label(), "A Closure needs the parentColumn of its level");
            }
            if element.written("nullParentValue").is_some() {
                problems.add(element.line, element.label(), "A nullParentValue needs a parentColumn");
            }
        }
        return None;
    };
    let closure = closure.and_then(|closure| {
        let Some(table) = closure.first("Table") else {
            problems.add(closure.line, element.label(), "A Closure needs a Table");
            return None;
        };
        if table.first("SQL").is_some() {
            problems.add(table.line, element.label(), "A filter on a closure table is not supported");
        }
        Some(ClosureDef {
            table: table.text_of("name")?,
            parent_column: closure.text_of("parentColumn")?,
            child_column: closure.text_of("childColumn")?,
        })
    });
    Some(ParentDef { key, null_value: element.written("nullParentValue").map(str::to_owned), closure })
}

fn property(element: &Element, table: Option<&str>, problems: &mut Problems) -> Option<PropertyDef> {
    let Some(column) = element.text_of("column") else {
        problems.add(element.line, element.label(), "A property needs a column");
        return None;
    };
    Some(PropertyDef {
        name: element.text_of("name")?,
        texts: texts(element),
        value: Expression::Column(ColumnRef { table: table.map(str::to_owned), column }),
        data_type: data_type(element, "type", problems).unwrap_or(DataType::String),
        place: element.place(problems),
    })
}

/// The rows of facts of a cube: a table or an inline table.
pub(super) fn fact(cube: &Element, problems: &mut Problems) -> Option<Relation> {
    let relations: Vec<&Element> = relations(cube).collect();
    match relations[..] {
        [] => {
            problems.add(cube.line, cube.label(), "A cube needs a fact table");
            None
        }
        [one] => relation(one, problems),
        [_, second, ..] => {
            problems.add(second.line, cube.label(), "A cube has one fact table, this is a second one");
            None
        }
    }
}

/// The value of a measure's rows; `Some(None)` if none is given, `None` if it is wrong.
pub(super) fn measure_value(element: &Element, problems: &mut Problems) -> Option<Option<Expression>> {
    if let Some(expression) = element.first("MeasureExpression") {
        if element.get("column").is_some() {
            problems.add(element.line, element.label(), "A measure has a column or a MeasureExpression, not both");
        }
        return generic_sql(expression, problems).map(Some);
    }
    Some(element.get("column").map(Expression::column))
}
