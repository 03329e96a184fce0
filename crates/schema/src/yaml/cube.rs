//! Cubes: fact tables, measures, the dimensions that they use.

use super::Catalog;
use super::calculation::{actions, calculated_members, kpis, named_sets};
use super::dimension::{DIMENSION, dimension, relation, table};
use super::fields::{Fields, Item, expression};
use super::node::Value;
use crate::error::{Problems, did_you_mean};
use facetta_model::definition::{
    Aggregator, CubeDef, CubeDimensionDef, CubeMeasureDef, Definition, Expression, LinkDef, MeasureDef,
    MeasureGroupDef, Relation, Texts,
};
use facetta_model::name;

/// The keys of a cube.
pub(super) const CUBE: &[&str] = &[
    "caption",
    "description",
    "visible",
    "fact",
    "filter",
    "inline",
    "measure_groups",
    "virtual",
    "default_measure",
    "measures",
    "dimensions",
    "calculated",
    "sets",
    "kpis",
    "actions",
];
const GROUP: &[&str] = &["fact", "filter", "inline", "measures", "dimensions"];
const MEASURE: &[&str] =
    &["caption", "description", "visible", "folder", "value", "format", "type", "writable", "ordinal"];
/// The keys of a use of a shared dimension. A dimension of one cube has those of a dimension too.
const USE: &[&str] = &["foreign_key", "level", "dimension"];

/// How rows become a value: `sum(amount)`.
pub(crate) const AGGREGATORS: &[(&str, Aggregator)] = &[
    ("sum", Aggregator::Sum),
    ("count", Aggregator::Count),
    ("min", Aggregator::Min),
    ("max", Aggregator::Max),
    ("avg", Aggregator::Avg),
    ("distinct_count", Aggregator::DistinctCount),
];

/// Caption, description and visibility of a cube.
pub(super) fn texts(fields: &Fields<'_>, problems: &mut Problems) -> Texts {
    Texts { display_folder: None, ..fields.texts(problems) }
}

/// A cube while its measure groups are read.
struct Parts {
    groups: Vec<usize>,
    measures: Vec<CubeMeasureDef>,
    dimensions: Vec<CubeDimensionDef>,
}

impl Catalog<'_> {
    /// A cube over one fact table, or over several (`measure_groups`).
    pub(super) fn cube(&mut self, name: &str, fields: &Fields<'_>) {
        let mut parts = Parts { groups: Vec::new(), measures: Vec::new(), dimensions: Vec::new() };
        if fields.has("measure_groups") {
            for key in ["fact", "filter", "inline", "measures", "dimensions"].iter().filter(|k| fields.has(k)) {
                let message = format!("'{key}' belongs to each of the measure groups, not to the cube");
                fields.wrong(self.problems, message);
            }
            for item in fields.items("measure_groups", self.problems) {
                let label = format!("Measure group '{}'", item.name);
                let Some(node) = item.node else {
                    self.problems.add(item.line, label, "A measure group is a map with keys such as 'fact'");
                    continue;
                };
                if let Some(group) = Fields::new(node, item.line, label, GROUP, self.problems) {
                    self.group(item.name, &group, &mut parts);
                }
            }
        } else {
            self.group(name, fields, &mut parts);
        }
        for dimension in &mut parts.dimensions {
            dimension.links.resize(parts.groups.len(), None);
        }
        let cube = CubeDef {
            name: name.to_owned(),
            texts: texts(fields, self.problems),
            measure_groups: parts.groups,
            dimensions: parts.dimensions,
            measures: parts.measures,
            default_measure: fields.text("default_measure", self.problems),
            calculated_members: calculated_members(fields, self.problems),
            named_sets: named_sets(fields, self.problems),
            kpis: kpis(fields, self.problems),
            actions: actions(fields, self.problems),
            is_virtual: false,
            place: fields.place(self.problems),
        };
        self.definition.cubes.push(cube);
    }

    fn group(&mut self, name: &str, fields: &Fields<'_>, parts: &mut Parts) {
        let fact = fact(fields, self.problems);
        let position = parts.groups.len();
        let mut links = Vec::new();
        for item in fields.items("dimensions", self.problems) {
            let Some((link, texts)) = self.dimension_use(&item) else { continue };
            match parts.dimensions.iter_mut().find(|d| name::same(&d.name, &link.name)) {
                // A second use in the same measure group takes the place of the first; the check of links reports it.
                Some(known) if known.dimension == link.dimension => {
                    known.links.resize(position, None);
                    known.links.push(Some(links.len()));
                }
                Some(_) => {
                    let message = format!("Another measure group uses another dimension as '{}'", link.name);
                    self.problems.at(&link.place, message);
                }
                None => {
                    let mut all = vec![None; position];
                    all.push(Some(links.len()));
                    let (name, dimension) = (link.name.clone(), link.dimension);
                    parts.dimensions.push(CubeDimensionDef { name, texts, dimension, links: all });
                }
            }
            links.push(link);
        }
        let mut measures = Vec::new();
        for item in fields.items("measures", self.problems) {
            if let Some((stored, mut shown)) = measure(&item, self.problems) {
                (shown.group, shown.measure) = (position, measures.len());
                measures.push(stored);
                parts.measures.push(shown);
            }
        }
        parts.groups.push(self.definition.measure_groups.len());
        self.definition.measure_groups.push(MeasureGroupDef {
            name: name.to_owned(),
            fact: fact.unwrap_or(Relation::Fact),
            measures,
            links,
            place: fields.place(self.problems),
        });
    }

    /// `Date: date_key`, `Ship Date: {dimension: Date, foreign_key: ship_key}`, `Payment: {levels: [payment]}`, or in a
    /// list `Date` alone, if the fact column has the name of the dimension's key.
    fn dimension_use(&mut self, item: &Item<'_>) -> Option<(LinkDef, Texts)> {
        let label = format!("Dimension '{}'", item.name);
        let is_map = item.node.is_some_and(|n| matches!(n.value, Value::Map(_)));
        let known: Vec<&'static str> = USE.iter().chain(DIMENSION).copied().collect();
        let fields = match item.node {
            Some(node) if is_map => Fields::new(node, item.line, label, &known, self.problems)?,
            Some(node) if !node.is_null() && node.scalar().is_none() => {
                self.problems.add(
                    item.line,
                    label,
                    "Expected the fact column, or a map with keys such as 'foreign_key'",
                );
                return None;
            }
            _ => Fields::empty(item.line, label),
        };
        let given = match item.scalar() {
            Some(text) => Some(expression(text, item.line, &fields.label, self.problems)?),
            None if fields.has("foreign_key") => Some(fields.expression("foreign_key", self.problems)?),
            None => None,
        };
        let own = ["table", "inline", "levels", "hierarchies", "attributes"].iter().any(|key| fields.has(key));
        let (dimension, texts) = if own {
            if fields.has("dimension") {
                fields.wrong(self.problems, "A dimension of its own does not name another 'dimension'");
            }
            let definition = dimension(item.name, &fields, self.problems)?;
            let texts = definition.texts.clone();
            self.definition.dimensions.push(definition);
            (self.definition.dimensions.len() - 1, texts)
        } else {
            self.shared_use(item.name, &fields)?
        };
        let foreign_key = match given {
            Some(key) => Some(key),
            None => key_of(&self.definition, dimension),
        };
        let link = LinkDef {
            name: item.name.to_owned(),
            dimension,
            foreign_key,
            level: fields.text("level", self.problems),
            place: fields.place(self.problems),
        };
        Some((link, texts))
    }

    fn shared_use(&mut self, name: &str, fields: &Fields<'_>) -> Option<(usize, Texts)> {
        for key in DIMENSION.iter().filter(|k| !["caption", "description", "visible"].contains(k) && fields.has(k)) {
            fields.wrong(self.problems, format!("'{key}' belongs to the definition of the dimension, not to its use"));
        }
        let source = fields.text("dimension", self.problems).unwrap_or_else(|| name.to_owned());
        let index = match self.use_shared(&source) {
            Ok(index) => index,
            Err(message) => {
                message.into_iter().for_each(|m| fields.wrong(self.problems, m));
                return None;
            }
        };
        let own = texts(fields, self.problems);
        let base = &self.definition.dimensions[index];
        let same_name = name::same(name, &base.name);
        let texts = Texts {
            caption: own.caption.or_else(|| base.texts.caption.clone().filter(|_| same_name)),
            description: own.description.or_else(|| base.texts.description.clone()),
            visible: own.visible && base.texts.visible,
            display_folder: None,
        };
        Some((index, texts))
    }
}

/// The fact column of the same name as the dimension's key; none for a dimension that lives in the fact rows.
fn key_of(definition: &Definition, dimension: usize) -> Option<Expression> {
    let hierarchy = definition.dimensions.get(dimension)?.hierarchies.first()?;
    hierarchy.primary_key.as_ref().map(|key| Expression::column(key.column.clone()))
}

/// `fact: sales` with `filter`, or `inline`.
fn fact(fields: &Fields<'_>, problems: &mut Problems) -> Option<Relation> {
    if fields.has("inline") {
        return relation(fields, problems);
    }
    let text = fields.required("fact", problems)?;
    let filter = fields.expression("filter", problems);
    Some(table(&text, filter))
}

/// `Amount: sum(amount)`, `Sales: count`, or a map with `value` and more.
fn measure(item: &Item<'_>, problems: &mut Problems) -> Option<(MeasureDef, CubeMeasureDef)> {
    let label = format!("Measure '{}'", item.name);
    let Some(node) = item.node else {
        problems.add(item.line, label, format!("A measure needs a value: '{}: sum(column)'", item.name));
        return None;
    };
    let (fields, value) = match node.scalar() {
        Some(text) => (Fields::empty(item.line, label), text.to_owned()),
        None => {
            let fields = Fields::new(node, item.line, label, MEASURE, problems)?;
            let value = fields.required("value", problems)?;
            (fields, value)
        }
    };
    let (aggregator, value) = aggregate(&value, &fields, problems)?;
    // Sums stored as columns (spec/decisions.md, Transactions).
    let can_write = aggregator == Aggregator::Sum && matches!(value, Some(Expression::Column(_)));
    let writable = fields.flag("writable", can_write, problems);
    let data_type = fields.has("type").then(|| fields.data_type(problems));
    let ordinal = fields.text("ordinal", problems).and_then(|text| {
        let ordinal = text.parse().ok();
        if ordinal.is_none() {
            fields.wrong(problems, format!("'ordinal' is a whole number, not '{text}'"));
        }
        ordinal
    });
    let place = fields.place(problems);
    let stored = MeasureDef { name: item.name.to_owned(), aggregator, value, data_type, writable, place };
    let shown = CubeMeasureDef {
        name: item.name.to_owned(),
        texts: fields.texts(problems),
        format: fields.text("format", problems),
        group: 0,
        measure: 0,
        ordinal,
    };
    Some((stored, shown))
}

/// `sum(amount)`, `count`, `count(*)`.
fn aggregate(text: &str, fields: &Fields<'_>, problems: &mut Problems) -> Option<(Aggregator, Option<Expression>)> {
    let text = text.trim();
    let (word, inner) = match text.split_once('(') {
        Some((word, rest)) => (word.trim(), Some(rest.strip_suffix(')'))),
        None => (text, None),
    };
    let Some((_, aggregator)) = AGGREGATORS.iter().find(|(name, _)| *name == word) else {
        let hint = match did_you_mean(word, AGGREGATORS.iter().map(|(name, _)| *name)) {
            hint if hint.is_empty() || inner.is_none() => {
                "; expected an aggregator with a column, such as 'sum(amount)', or 'count'".to_owned()
            }
            hint => hint,
        };
        fields.wrong(problems, format!("'{text}' is no value of a measure{hint}"));
        return None;
    };
    match inner {
        None | Some(Some("*")) if *aggregator == Aggregator::Count => Some((*aggregator, None)),
        Some(Some(inner)) => Some((*aggregator, Some(expression(inner, fields.line, &fields.label, problems)?))),
        Some(None) => {
            fields.wrong(problems, format!("The closing parenthesis of '{text}' is missing"));
            None
        }
        None => {
            fields.wrong(problems, format!("'{word}' needs a column: '{word}(column)'"));
            None
        }
    }
}
