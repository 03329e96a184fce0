//! Dimensions: tables and joins, hierarchies, levels, attributes.

use super::fields::{Fields, Item, expression, flag};
use super::node::{Node, Value};
use crate::error::Problems;
use crate::sql;
use facetta_model::definition::{
    AllDef, BinaryOperator, ClosureDef, ColumnRef, DimensionDef, DimensionKind, Expression, HideMemberIf, HierarchyDef,
    LevelDef, LevelKind, ParentDef, PropertyDef, Relation, Texts,
};

/// The keys of a dimension.
pub(super) const DIMENSION: &[&str] = &[
    "caption",
    "description",
    "visible",
    "kind",
    "table",
    "filter",
    "joins",
    "inline",
    "key",
    "all",
    "default",
    "levels",
    "hierarchies",
    "attributes",
];
const HIERARCHY: &[&str] = &[
    "caption",
    "description",
    "visible",
    "folder",
    "all",
    "default",
    "levels",
    "table",
    "filter",
    "joins",
    "inline",
    "key",
];
const LEVEL: &[&str] = &[
    "caption",
    "description",
    "visible",
    "key",
    "type",
    "unique",
    "name",
    "caption_column",
    "order",
    "kind",
    "parent",
    "no_parent",
    "closure",
    "hide",
    "properties",
];
/// An attribute is a hierarchy of one level: it has the keys of both.
const ATTRIBUTE: &[&str] = &[
    "caption",
    "description",
    "visible",
    "folder",
    "all",
    "default",
    "key",
    "type",
    "name",
    "caption_column",
    "order",
    "kind",
    "parent",
    "no_parent",
    "closure",
    "properties",
];
const PROPERTY: &[&str] = &["caption", "description", "value", "type"];
const ALL: &[&str] = &["name", "caption", "level"];
const CLOSURE: &[&str] = &["table", "parent", "child"];
const JOIN: &[&str] = &["table", "on", "filter"];
const INLINE: &[&str] = &["columns", "rows"];

/// The kinds of level.
pub(crate) const LEVEL_KINDS: &[(&str, LevelKind)] = &[
    ("regular", LevelKind::Regular),
    ("years", LevelKind::TimeYears),
    ("half_years", LevelKind::TimeHalfYears),
    ("quarters", LevelKind::TimeQuarters),
    ("months", LevelKind::TimeMonths),
    ("weeks", LevelKind::TimeWeeks),
    ("days", LevelKind::TimeDays),
    ("hours", LevelKind::TimeHours),
    ("minutes", LevelKind::TimeMinutes),
    ("seconds", LevelKind::TimeSeconds),
    ("undefined", LevelKind::TimeUndefined),
];

/// When members are hidden.
pub(crate) const HIDE: &[(&str, HideMemberIf)] = &[
    ("never", HideMemberIf::Never),
    ("blank_name", HideMemberIf::BlankName),
    ("parent_name", HideMemberIf::ParentsName),
];

/// What all hierarchies of a dimension have in common.
struct Common {
    relation: Relation,
    primary_key: Option<ColumnRef>,
}

/// A dimension; `fields` may have other keys too (those of its use in a cube).
pub(super) fn dimension(name: &str, fields: &Fields<'_>, problems: &mut Problems) -> Option<DimensionDef> {
    let relation = relation(fields, problems);
    let common = Common { primary_key: primary_key(fields, problems), relation: relation? };
    let mut hierarchies = Vec::new();
    if fields.has("levels") {
        let levels = levels(fields, &common, problems);
        let mut main = hierarchy(name, fields, levels, Texts::default(), &common, problems);
        refine(&mut main, fields, problems);
        hierarchies.push(main);
    } else {
        for key in ["all", "default"].iter().filter(|key| fields.has(key)) {
            fields.wrong(problems, format!("'{key}' belongs to the hierarchies, as the dimension has no 'levels'"));
        }
    }
    for item in fields.items("hierarchies", problems) {
        hierarchies.extend(named_hierarchy(&item, &common, problems));
    }
    for item in fields.items("attributes", problems) {
        hierarchies.extend(attribute(&item, &common, problems));
    }
    if !["levels", "hierarchies", "attributes"].iter().any(|key| fields.has(key)) {
        fields.wrong(problems, "A dimension needs 'levels', 'hierarchies' or 'attributes'");
    }
    let is_time = hierarchies.iter().flat_map(|h| &h.levels).any(|l| l.kind != LevelKind::Regular);
    let kinds = [("regular", DimensionKind::Regular), ("time", DimensionKind::Time)];
    let kind = fields.word("kind", &kinds, problems);
    Some(DimensionDef {
        name: name.to_owned(),
        texts: Texts { display_folder: None, ..fields.texts(problems) },
        kind: kind.unwrap_or(if is_time { DimensionKind::Time } else { DimensionKind::Regular }),
        hierarchies,
        place: fields.place(problems),
    })
}

fn hierarchy(
    name: &str,
    fields: &Fields<'_>,
    levels: Vec<LevelDef>,
    texts: Texts,
    common: &Common,
    problems: &Problems,
) -> HierarchyDef {
    HierarchyDef {
        name: name.to_owned(),
        texts,
        all: Some(AllDef::default()),
        default_member: None,
        relation: common.relation.clone(),
        primary_key: common.primary_key.clone(),
        levels,
        place: fields.place(problems),
    }
}

/// `Calendar: {levels: …}`, or in short `Calendar: [year, month]`.
fn named_hierarchy(item: &Item<'_>, common: &Common, problems: &mut Problems) -> Option<HierarchyDef> {
    let label = format!("Hierarchy '{}'", item.name);
    let Some(node) = item.node else {
        problems.add(item.line, label, "A hierarchy needs levels");
        return None;
    };
    if matches!(node.value, Value::List(_) | Value::Scalar(_)) {
        let fields = Fields::empty(item.line, label);
        let items = super::fields::items(node, "levels", &fields.label, problems);
        let levels = level_list(items, common, problems);
        return Some(hierarchy(item.name, &fields, levels, Texts::default(), common, problems));
    }
    let fields = Fields::new(node, item.line, label, HIERARCHY, problems)?;
    if !fields.has("levels") {
        fields.wrong(problems, "The key 'levels' is missing");
    }
    let levels = levels(&fields, common, problems);
    let texts = fields.texts(problems);
    let mut hierarchy = hierarchy(item.name, &fields, levels, texts, common, problems);
    refine(&mut hierarchy, &fields, problems);
    own_table(&mut hierarchy, &fields, problems);
    Some(hierarchy)
}

/// What a hierarchy says of its own about the all member and the default member.
fn refine(hierarchy: &mut HierarchyDef, fields: &Fields<'_>, problems: &mut Problems) {
    if fields.has("all") {
        hierarchy.all = all(fields, problems);
    }
    if fields.has("default") {
        hierarchy.default_member = fields.text("default", problems);
    }
}

/// A hierarchy may have a table of its own.
fn own_table(hierarchy: &mut HierarchyDef, fields: &Fields<'_>, problems: &mut Problems) {
    if fields.has("table") || fields.has("inline") {
        if let Some(own) = relation(fields, problems) {
            hierarchy.relation = own;
        }
        hierarchy.primary_key = primary_key(fields, problems);
    } else {
        for key in ["filter", "joins", "key"].iter().filter(|key| fields.has(key)) {
            fields.wrong(problems, format!("'{key}' needs a 'table' of the hierarchy's own"));
        }
    }
}

/// `Gender: gender`, `Gender: {key: …}` or a column: a hierarchy of one level.
fn attribute(item: &Item<'_>, common: &Common, problems: &mut Problems) -> Option<HierarchyDef> {
    let (name, column) = item.column();
    let label = format!("Attribute '{name}'");
    let fields = match (item.node, column) {
        (Some(node), None) => Fields::new(node, item.line, label, ATTRIBUTE, problems)?,
        _ => Fields::empty(item.line, label),
    };
    let mut level = level(&name, column, &fields, problems)?;
    // The only level of a hierarchy has no parents' keys to be told apart by.
    level.unique = true;
    level.texts = Texts::default();
    let texts = fields.texts(problems);
    let mut hierarchy = hierarchy(&name, &fields, vec![level], texts, common, problems);
    refine(&mut hierarchy, &fields, problems);
    Some(hierarchy)
}

fn levels(fields: &Fields<'_>, common: &Common, problems: &mut Problems) -> Vec<LevelDef> {
    let items = fields.items("levels", problems);
    level_list(items, common, problems)
}

fn level_list(items: Vec<Item<'_>>, common: &Common, problems: &mut Problems) -> Vec<LevelDef> {
    let mut levels: Vec<LevelDef> = Vec::with_capacity(items.len());
    for item in items {
        let (name, column) = item.column();
        let label = format!("Level '{name}'");
        let fields = match (item.node, column) {
            (Some(node), None) => Fields::new(node, item.line, label, LEVEL, problems),
            _ => Some(Fields::empty(item.line, label)),
        };
        let Some(fields) = fields else { continue };
        let Some(mut level) = level(&name, column, &fields, problems) else { continue };
        let is_key = |key: &ColumnRef| matches!(&level.key, Expression::Column(c) if c.column == key.column);
        // The first level has no parents' keys to be told apart by, and the dimension's key tells everything apart.
        let default = levels.is_empty() || common.primary_key.as_ref().is_some_and(is_key);
        level.unique = fields.flag("unique", default, problems);
        level.texts = Texts { display_folder: None, ..fields.texts(problems) };
        levels.push(level);
    }
    levels
}

/// A level, or the one level of an attribute. `column` is its key in short; its texts and uniqueness are the caller's.
fn level(name: &str, column: Option<&str>, fields: &Fields<'_>, problems: &mut Problems) -> Option<LevelDef> {
    let key = match column {
        Some(column) => expression(column, fields.line, &fields.label, problems),
        None => {
            if fields.get("key").is_none() {
                fields.wrong(problems, "The key 'key' is missing: the column or expression that tells members apart");
            }
            fields.expression("key", problems)
        }
    };
    let properties = fields.items("properties", problems);
    let properties = properties.iter().filter_map(|item| property(item, problems)).collect();
    Some(LevelDef {
        name: name.to_owned(),
        texts: Texts::default(),
        kind: fields.word("kind", LEVEL_KINDS, problems).unwrap_or_default(),
        key_type: fields.data_type(problems),
        unique: false,
        name_expression: fields.expression("name", problems),
        caption_expression: fields.expression("caption_column", problems),
        ordinal: fields.expression("order", problems),
        parent: parent(fields, problems),
        hide_if: fields.word("hide", HIDE, problems).unwrap_or_default(),
        properties,
        place: fields.place(problems),
        key: key?,
    })
}

fn parent(fields: &Fields<'_>, problems: &mut Problems) -> Option<ParentDef> {
    let key = fields.expression("parent", problems);
    let closure = fields.get("closure").and_then(|node| {
        let closure = Fields::new(node, node.line, fields.label.clone(), CLOSURE, problems)?;
        let (table, parent) = (closure.required("table", problems), closure.required("parent", problems));
        let child = closure.required("child", problems);
        Some(ClosureDef { table: table?, parent_column: parent?, child_column: child? })
    });
    if !fields.has("parent") {
        for key in ["closure", "no_parent"].iter().filter(|key| fields.has(key)) {
            fields.wrong(problems, format!("'{key}' needs 'parent': the column of the parent's key"));
        }
    }
    Some(ParentDef { key: key?, null_value: fields.text("no_parent", problems), closure })
}

fn property(item: &Item<'_>, problems: &mut Problems) -> Option<PropertyDef> {
    let (name, column) = item.column();
    let label = format!("Property '{name}'");
    let fields = match (item.node, column) {
        (Some(node), None) => Fields::new(node, item.line, label, PROPERTY, problems)?,
        _ => Fields::empty(item.line, label),
    };
    let value = match column {
        Some(column) => expression(column, item.line, &fields.label, problems),
        None => {
            if fields.get("value").is_none() {
                fields.wrong(problems, "The key 'value' is missing");
            }
            fields.expression("value", problems)
        }
    };
    Some(PropertyDef {
        texts: Texts { display_folder: None, ..fields.texts(problems) },
        data_type: fields.data_type(problems),
        place: fields.place(problems),
        name,
        value: value?,
    })
}

/// `all: All Products`, `all: false`, `all: {name: …, caption: …, level: …}`; without it there is an all member.
fn all(fields: &Fields<'_>, problems: &mut Problems) -> Option<AllDef> {
    let Some(node) = fields.get("all") else { return Some(AllDef::default()) };
    match (&node.value, flag(node)) {
        (_, Some(true)) => Some(AllDef::default()),
        (_, Some(false)) => None,
        (Value::Scalar(name), _) => Some(AllDef { member_name: Some(name.clone()), ..AllDef::default() }),
        _ => {
            let all = Fields::new(node, node.line, fields.label.clone(), ALL, problems)?;
            Some(AllDef {
                member_name: all.text("name", problems),
                member_caption: all.text("caption", problems),
                level_name: all.text("level", problems),
            })
        }
    }
}

/// `key: store_id`, in a join `key: product.product_id`.
fn primary_key(fields: &Fields<'_>, problems: &mut Problems) -> Option<ColumnRef> {
    match fields.expression("key", problems)? {
        Expression::Column(column) => Some(column),
        _ => {
            fields.wrong(problems, "'key' is a column; an expression cannot be the key of a table");
            None
        }
    }
}

/// `table` with `filter` and `joins`, or `inline`; neither: the rows of facts. `None` if it is wrong.
pub(super) fn relation(fields: &Fields<'_>, problems: &mut Problems) -> Option<Relation> {
    if let Some(node) = fields.get("inline") {
        if fields.has("table") {
            fields.wrong(problems, "There is 'table' or 'inline', not both");
        }
        return inline(node, fields, problems);
    }
    let Some(text) = fields.text("table", problems) else {
        for key in ["filter", "joins", "key"].iter().filter(|key| fields.has(key)) {
            fields.wrong(problems, format!("'{key}' needs 'table'"));
        }
        return if fields.has("table") { None } else { Some(Relation::Fact) };
    };
    let filter = fields.expression("filter", problems);
    let mut relation = table(&text, filter);
    for item in fields.items("joins", problems) {
        relation = join(relation, &item, &fields.label, problems)?;
    }
    Some(relation)
}

/// `stores`, or `stores as s`.
pub(super) fn table(text: &str, filter: Option<Expression>) -> Relation {
    // A name may have ` as ` in it; what follows it in an alias is one plain word.
    let split = text.rsplit_once(" as ").filter(|(_, alias)| sql::is_plain_name(alias.trim()));
    let (name, alias) = split.unwrap_or((text, text));
    Relation::Table { name: name.trim().to_owned(), alias: alias.trim().to_owned(), filter }
}

/// `product_class: product.product_class_id = product_class.product_class_id`, or the same as `on:` of a map.
fn join(left: Relation, item: &Item<'_>, label: &str, problems: &mut Problems) -> Option<Relation> {
    let mut wrong = |message: String| {
        problems.add(item.line, label, message);
        None
    };
    let Some(node) = item.node else {
        return wrong(format!("The join with '{0}' needs a condition: '{0}: left.column = {0}.column'", item.name));
    };
    let (right, condition) = match node.scalar() {
        Some(condition) => (table(item.name, None), condition.to_owned()),
        None => {
            let fields = Fields::new(node, item.line, format!("{label}: join with '{}'", item.name), JOIN, problems)?;
            let name = fields.text("table", problems).unwrap_or_else(|| item.name.to_owned());
            let filter = fields.expression("filter", problems);
            let condition = fields.required("on", problems)?;
            (Relation::Table { name, alias: item.name.to_owned(), filter }, condition)
        }
    };
    let Relation::Table { alias, .. } = &right else { return None };
    let keys = match sql::parse(&condition) {
        Ok(Expression::Binary(a, BinaryOperator::Equal, b)) => match (*a, *b) {
            (Expression::Column(a), Expression::Column(b)) => Some((a, b)),
            _ => None,
        },
        _ => None,
    };
    let Some((a, b)) = keys else {
        problems.add(node.line, label, format!("'{condition}' is not a join condition such as 'a.id = b.id'"));
        return None;
    };
    let is_right = |c: &ColumnRef| c.table.as_deref() == Some(alias.as_str());
    let (left_key, mut right_key) = if is_right(&a) && !is_right(&b) { (b, a) } else { (a, b) };
    right_key.table.get_or_insert_with(|| alias.clone());
    Some(Relation::Join { left: Box::new(left), left_key, right: Box::new(right), right_key })
}

/// `inline: {columns: {id: integer, name: string}, rows: [[1, One], …]}`; its name in expressions is `inline`.
fn inline(node: &Node, fields: &Fields<'_>, problems: &mut Problems) -> Option<Relation> {
    let inline = Fields::new(node, node.line, fields.label.clone(), INLINE, problems)?;
    let mut columns = Vec::new();
    for item in inline.items("columns", problems) {
        let types = super::fields::DATA_TYPES;
        let data_type = match item.node.map(|n| n.scalar().and_then(|t| types.iter().find(|(word, _)| *word == t))) {
            None => facetta_model::definition::DataType::String,
            Some(Some((_, data_type))) => *data_type,
            Some(None) => {
                let known = crate::error::one_of(types.iter().map(|(word, _)| *word));
                problems.add(item.line, fields.label.clone(), format!("The type of '{}' is one of {known}", item.name));
                continue;
            }
        };
        columns.push((item.name.to_owned(), data_type));
    }
    let mut rows = Vec::new();
    if let Some(Value::List(list)) = inline.get("rows").map(|n| &n.value) {
        for row in list {
            match &row.value {
                Value::List(values) => rows.push(values.iter().map(|v| v.scalar().map(str::to_owned)).collect()),
                _ => problems.add(row.line, fields.label.clone(), "A row is a list of values"),
            }
        }
    } else {
        inline.wrong(problems, "The key 'rows' is missing: a list of lists of values");
    }
    Some(Relation::Inline { alias: "inline".to_owned(), columns, rows })
}
