//! Mondrian 3 schema XML, read as it is: the catalog level. The elements below it have a file each.

mod calculation;
mod cube;
mod dimension;
mod elements;
mod relation;
mod role;
mod virtual_cube;
mod xml;

use crate::check;
use crate::error::Problems;
use crate::names;
use facetta_model::definition::{Definition, DimensionDef, NamedSetDef, ParameterDef, Relation};
use facetta_model::{Compatibility, name};
use std::collections::{HashMap, HashSet};
use xml::Element;

/// Reads a schema. `None` if nothing could be read; problems tell why, and what else is wrong.
pub(crate) fn read(text: &str, problems: &mut Problems) -> Option<Definition> {
    let root = xml::parse(text, problems)?;
    if root.name != "Schema" {
        let message = format!("The root element is '{}'; a Mondrian schema has 'Schema'", root.name);
        problems.add(root.line, "", message);
        return None;
    }
    let unused_hints = elements::check(&root, problems);
    let mut schema = Schema::new(unused_hints, problems);
    schema.read(&root);
    Some(schema.definition)
}

/// A schema while it is read.
struct Schema<'a> {
    problems: &'a mut Problems,
    definition: Definition,
    /// Shared dimensions by folded name.
    shared: HashMap<String, Shared>,
    /// The cubes in which something is wrong, by index: what is not found in them may be just that.
    wrong_cubes: HashSet<usize>,
}

/// A shared dimension.
struct Shared {
    /// Its definition; none if it was wrong.
    definition: Option<DimensionDef>,
    /// Its index in the catalog, once a cube has used it.
    index: Option<usize>,
}

impl<'a> Schema<'a> {
    fn new(unused_hints: usize, problems: &'a mut Problems) -> Self {
        let definition = Definition { compatibility: Compatibility::Mondrian, unused_hints, ..Definition::default() };
        Self { problems, definition, shared: HashMap::new(), wrong_cubes: HashSet::new() }
    }

    fn read(&mut self, root: &Element) {
        self.definition.name = root.text_of("name").unwrap_or_default();
        self.definition.texts = dimension::texts(root);
        self.definition.measures_caption = root.text_of("measuresCaption");
        for element in root.all("Dimension") {
            self.shared_dimension(element);
        }
        for element in root.all("Cube").filter(|e| e.flag("enabled", true)) {
            self.cube(element);
        }
        for element in root.all("VirtualCube").filter(|e| e.flag("enabled", true)) {
            self.virtual_cube(element);
        }
        for element in root.all("NamedSet") {
            if let Some(set) = calculation::named_set(element, self.problems) {
                self.schema_set(&set);
            }
        }
        for shared in self.shared.values().filter(|s| s.index.is_none()) {
            shared.definition.iter().for_each(|d| check::unused_dimension(d, self.problems));
        }
        self.definition.parameters = root.all("Parameter").filter_map(|e| parameter(e, self.problems)).collect();
        self.definition.roles = root.all("Role").filter_map(|e| role::role(e, self.problems)).collect();
    }

    fn shared_dimension(&mut self, element: &Element) {
        for attribute in ["foreignKey"] {
            if element.get(attribute).is_some() {
                let message = "A shared dimension has no foreignKey; its uses in cubes have";
                self.problems.add(element.line, element.label(), message);
            }
        }
        let definition = dimension::dimension(element, self.problems);
        let Some(name) = element.get("name") else { return };
        let shared = Shared { definition, index: None };
        if self.shared.insert(name::fold(name), shared).is_some() {
            let message = format!("There are two shared dimensions '{name}'");
            self.problems.add(element.line, element.label(), message);
        }
    }

    /// The index of a shared dimension that a cube over `fact` uses. One that lives in fact tables is another one for
    /// each cube.
    fn use_shared(&mut self, name: &str, fact: &Relation) -> Option<usize> {
        let shared = self.shared.get_mut(&name::fold(name))?;
        if shared.index.is_some() {
            return shared.index;
        }
        let mut definition = shared.definition.clone()?;
        let in_facts = definition.hierarchies.iter().any(|h| lives_in(&h.relation, h.primary_key.is_some(), fact));
        if in_facts {
            to_fact(&mut definition, fact);
        }
        let index = self.definition.dimensions.len();
        self.definition.dimensions.push(definition);
        if !in_facts {
            shared.index = Some(index);
        }
        Some(index)
    }

    /// A named set of the schema belongs to every cube that has the dimensions that its formula names.
    fn schema_set(&mut self, set: &NamedSetDef) {
        let chains = match names::identifiers(&set.formula) {
            Ok(chains) => chains,
            Err(error) => return self.problems.at(&set.place, format!("The formula does not parse: {error}")),
        };
        let dimension_names: Vec<String> = self.shared.keys().cloned().collect();
        let mut used = false;
        for cube in &mut self.definition.cubes {
            let has = |chain: &[String]| {
                let Some(first) = chain.first() else { return true };
                let is_dimension = chain.len() > 1 || dimension_names.contains(&name::fold(first));
                let first = first.split('.').next().unwrap_or(first);
                !is_dimension
                    || name::same(first, "Measures")
                    || cube.dimensions.iter().any(|d| name::same(&d.name, first))
            };
            if chains.iter().all(|chain| has(chain)) && !cube.named_sets.iter().any(|s| name::same(&s.name, &set.name))
            {
                cube.named_sets.push(set.clone());
                used = true;
            }
        }
        if !used && !self.definition.cubes.is_empty() {
            self.problems.at(&set.place, "No cube has the dimensions that the formula names");
        }
    }
}

/// Whether a hierarchy's members come from the fact rows: it names no table, or the fact table without a key.
fn lives_in(relation: &Relation, has_key: bool, fact: &Relation) -> bool {
    match (relation, fact) {
        (Relation::Fact, _) => true,
        (Relation::Table { name, .. }, Relation::Table { name: fact, .. }) => !has_key && name == fact,
        _ => false,
    }
}

/// Makes hierarchies over the fact table without a key degenerate ones.
fn to_fact(dimension: &mut DimensionDef, fact: &Relation) {
    for hierarchy in &mut dimension.hierarchies {
        if lives_in(&hierarchy.relation, hierarchy.primary_key.is_some(), fact) {
            hierarchy.relation = Relation::Fact;
            hierarchy.primary_key = None;
        }
    }
}

fn parameter(element: &Element, problems: &mut Problems) -> Option<ParameterDef> {
    Some(ParameterDef {
        name: element.text_of("name")?,
        texts: dimension::texts(element),
        data_type: element.text_of("type").unwrap_or_else(|| "String".to_owned()),
        default: element.text_of("defaultValue"),
        modifiable: element.flag("modifiable", true),
        place: element.place(problems),
    })
}
