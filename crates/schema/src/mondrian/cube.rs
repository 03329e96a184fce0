//! Cubes: a fact table, the dimensions that it uses, measures.

use super::calculation::{calculated_member, named_set};
use super::dimension::{dimension, fact, measure_value, texts};
use super::relation::data_type;
use super::xml::Element;
use super::{Schema, to_fact};
use crate::error::did_you_mean;
use facetta_model::definition::{
    Aggregator, CubeDef, CubeDimensionDef, CubeMeasureDef, DimensionDef, Expression, LinkDef, MeasureDef,
    MeasureGroupDef, Relation, Texts,
};
use facetta_model::name;

impl Schema<'_> {
    /// A cube over one fact table.
    pub(super) fn cube(&mut self, element: &Element) {
        let before = self.problems.count();
        let Some(name) = element.text_of("name") else { return };
        // Without a fact table the rest is still read, for its errors.
        let relation = fact(element, self.problems).unwrap_or(Relation::Fact);
        let mut links = Vec::new();
        let mut dimensions = Vec::new();
        for child in &element.children {
            let used = match child.name.as_str() {
                "Dimension" => self.own_dimension(child, &relation),
                "DimensionUsage" => self.dimension_usage(child, &relation),
                _ => continue,
            };
            let Some((link, texts)) = used else { continue };
            let dimension = CubeDimensionDef {
                name: link.name.clone(),
                texts,
                dimension: link.dimension,
                links: vec![Some(links.len())],
            };
            links.push(link);
            dimensions.push(dimension);
        }
        let (measures, cube_measures) = self.measures(element);
        let place = element.place(self.problems);
        let cube = CubeDef {
            name: name.clone(),
            texts: texts(element),
            measure_groups: vec![self.definition.measure_groups.len()],
            dimensions,
            measures: cube_measures,
            default_measure: element.text_of("defaultMeasure"),
            calculated_members: element
                .all("CalculatedMember")
                .filter_map(|e| calculated_member(e, self.problems))
                .collect(),
            named_sets: element.all("NamedSet").filter_map(|e| named_set(e, self.problems)).collect(),
            place: place.clone(),
            ..CubeDef::default()
        };
        if self.problems.count() > before {
            self.wrong_cubes.insert(self.definition.cubes.len());
        }
        self.definition.measure_groups.push(MeasureGroupDef { name, fact: relation, measures, links, place });
        self.definition.cubes.push(cube);
    }

    /// A dimension of this cube only.
    fn own_dimension(&mut self, element: &Element, fact: &Relation) -> Option<(LinkDef, Texts)> {
        let mut definition = dimension(element, self.problems)?;
        if element.get("foreignKey").is_none() {
            to_fact(&mut definition, fact);
        }
        let foreign_key = self.foreign_key(element, &definition, fact)?;
        let link = LinkDef {
            name: definition.name.clone(),
            dimension: self.definition.dimensions.len(),
            foreign_key,
            level: None,
            place: element.place(self.problems),
        };
        let texts = definition.texts.clone();
        self.definition.dimensions.push(definition);
        Some((link, texts))
    }

    /// A use of a shared dimension.
    fn dimension_usage(&mut self, element: &Element, fact: &Relation) -> Option<(LinkDef, Texts)> {
        let source = element.get("source")?;
        let Some(shared) = self.shared.get(&name::fold(source)) else {
            let names: Vec<&str> =
                self.shared.values().filter_map(|s| s.definition.as_ref()).map(|d| d.name.as_str()).collect();
            let message = format!("There is no shared dimension '{source}'{}", did_you_mean(source, names));
            self.problems.add(element.line, element.label(), message);
            return None;
        };
        // One that is wrong has been reported where it stands.
        shared.definition.as_ref()?;
        let dimension = self.use_shared(source, fact)?;
        let definition = self.definition.dimensions.get(dimension)?.clone();
        let foreign_key = self.foreign_key(element, &definition, fact)?;
        let own = texts(element);
        let same_name = element.get("name").is_some_and(|n| name::same(n, &definition.name));
        let texts = Texts {
            caption: own.caption.or_else(|| definition.texts.caption.clone().filter(|_| same_name)),
            description: own.description.or_else(|| definition.texts.description.clone()),
            visible: own.visible && definition.texts.visible,
            display_folder: None,
        };
        let link = LinkDef {
            name: element.text_of("name")?,
            dimension,
            foreign_key,
            level: element.text_of("level"),
            place: element.place(self.problems),
        };
        Some((link, texts))
    }

    /// The fact column that leads to a dimension; `Some(None)` if its members come from the fact rows themselves. Without
    /// a foreignKey the dimension's table must be the fact table, and a row's own key leads to its member.
    fn foreign_key(
        &mut self,
        element: &Element,
        dimension: &DimensionDef,
        fact: &Relation,
    ) -> Option<Option<Expression>> {
        if dimension.hierarchies.iter().all(|h| h.relation == Relation::Fact) {
            return Some(None);
        }
        if let Some(column) = element.get("foreignKey") {
            return Some(Some(Expression::column(column)));
        }
        let Relation::Table { name: fact, .. } = fact else {
            self.problems.add(element.line, element.label(), "The attribute 'foreignKey' is missing");
            return None;
        };
        let mut keys = dimension.hierarchies.iter().map(|h| match (&h.relation, &h.primary_key) {
            (Relation::Table { name, .. }, Some(key)) if name == fact => Some(key.column.as_str()),
            _ => None,
        });
        match keys.next() {
            Some(Some(key)) if keys.all(|k| k == Some(key)) => Some(Some(Expression::column(key))),
            _ => {
                let message = "The attribute 'foreignKey' is missing, and its table is not the fact table";
                self.problems.add(element.line, element.label(), message);
                None
            }
        }
    }

    fn measures(&mut self, cube: &Element) -> (Vec<MeasureDef>, Vec<CubeMeasureDef>) {
        let mut stored = Vec::new();
        let mut shown = Vec::new();
        for element in cube.all("Measure") {
            let Some(measure) = self.measure(element) else { continue };
            let mut cube_measure = CubeMeasureDef {
                name: measure.name.clone(),
                texts: texts(element),
                format: element.text_of("formatString"),
                group: 0,
                measure: stored.len(),
                ordinal: None,
            };
            for property in element.all("CalculatedMemberProperty") {
                self.measure_property(property, &mut cube_measure);
            }
            stored.push(measure);
            shown.push(cube_measure);
        }
        self.fact_count(cube, &mut stored, &mut shown);
        (stored, shown)
    }

    /// A hidden measure that counts the rows, where none does.
    fn fact_count(&self, cube: &Element, stored: &mut Vec<MeasureDef>, shown: &mut Vec<CubeMeasureDef>) {
        let Some(name) = self.definition.compatibility.fact_count() else { return };
        if stored.iter().any(|m| m.aggregator == Aggregator::Count || name::same(&m.name, name)) {
            return;
        }
        shown.push(CubeMeasureDef {
            name: name.to_owned(),
            texts: Texts { visible: false, ..Texts::default() },
            format: None,
            group: 0,
            measure: stored.len(),
            ordinal: None,
        });
        stored.push(MeasureDef {
            name: name.to_owned(),
            aggregator: Aggregator::Count,
            value: None,
            data_type: None,
            writable: false,
            place: cube.place(self.problems),
        });
    }

    fn measure(&mut self, element: &Element) -> Option<MeasureDef> {
        let aggregator = match element.get("aggregator") {
            Some("sum") => Aggregator::Sum,
            Some("count") => Aggregator::Count,
            Some("min") => Aggregator::Min,
            Some("max") => Aggregator::Max,
            Some("avg") => Aggregator::Avg,
            Some("distinct-count" | "distinct count") => Aggregator::DistinctCount,
            _ => return None,
        };
        let value = measure_value(element, self.problems);
        let data_type = data_type(element, "datatype", self.problems);
        let value = value?;
        Some(MeasureDef {
            name: element.text_of("name")?,
            aggregator,
            // Sums stored as columns (spec/decisions.md, Transactions).
            writable: aggregator == Aggregator::Sum && matches!(value, Some(Expression::Column(_))),
            value,
            data_type,
            place: element.place(self.problems),
        })
    }

    /// A property of a stored measure that is written as a child element.
    fn measure_property(&mut self, element: &Element, measure: &mut CubeMeasureDef) {
        let Some(name) = element.get("name") else { return };
        let Some(value) = element.written("value") else {
            let message = "A property of a stored measure needs a value; expressions belong to calculated members";
            return self.problems.add(element.line, element.label(), message);
        };
        match name.to_uppercase().as_str() {
            "MEMBER_ORDINAL" => match value.trim().parse() {
                Ok(ordinal) => measure.ordinal = Some(ordinal),
                Err(_) => {
                    let message = format!("The value '{value}' is not a whole number");
                    self.problems.add(element.line, element.label(), message);
                }
            },
            "FORMAT_STRING" => measure.format = Some(value.to_owned()),
            "CAPTION" => measure.texts.caption = Some(value.to_owned()),
            "DESCRIPTION" => measure.texts.description = Some(value.to_owned()),
            "DISPLAY_FOLDER" => measure.texts.display_folder = Some(value.to_owned()),
            _ => {
                let message = format!("The property '{name}' of a stored measure is not supported");
                self.problems.add(element.line, element.label(), message);
            }
        }
    }
}
