//! Our own short form of a definition, in YAML: the catalog level. `facetta init` writes an example.
//!
//! Things with names are maps from the name to the thing, in the order that they are shown; where only columns are
//! listed, a list of them will do. Values that are columns may be SQL expressions.

mod calculation;
mod cube;
mod dimension;
mod fields;
mod node;

use crate::check;
use crate::error::{Problems, did_you_mean};
use crate::virtual_cube::VirtualCube;
use cube::CUBE;
use facetta_model::definition::{Definition, DimensionDef, Relation, Texts};
use facetta_model::{Compatibility, name};
use fields::Fields;
use std::collections::{HashMap, HashSet};

pub(crate) use dimension::LEVEL_KINDS;
pub(crate) use fields::in_words;

/// The keys of a catalog.
const CATALOG: &[&str] =
    &["catalog", "caption", "description", "compatibility", "measures_caption", "dimensions", "cubes"];

/// Reads a definition. `None` if nothing could be read; problems tell why, and what else is wrong.
pub(crate) fn read(text: &str, problems: &mut Problems) -> Option<Definition> {
    let root = node::parse(text, problems)?;
    let fields = Fields::new(&root, root.line, String::new(), CATALOG, problems)?;
    let kinds = [("analysis-services", Compatibility::AnalysisServices), ("mondrian", Compatibility::Mondrian)];
    let definition = Definition {
        name: fields.text("catalog", problems).unwrap_or_default(),
        texts: Texts {
            caption: fields.text("caption", problems),
            description: fields.text("description", problems),
            ..Texts::default()
        },
        compatibility: fields.word("compatibility", &kinds, problems).unwrap_or_default(),
        measures_caption: fields.text("measures_caption", problems),
        ..Definition::default()
    };
    let mut catalog = Catalog { problems, definition, shared: HashMap::new(), wrong_cubes: HashSet::new() };
    catalog.read(&fields);
    Some(catalog.definition)
}

/// A catalog while it is read.
struct Catalog<'a> {
    problems: &'a mut Problems,
    definition: Definition,
    /// Shared dimensions by folded name.
    shared: HashMap<String, Shared>,
    /// The cubes in which something is wrong, by index: what is not found in them may be just that.
    wrong_cubes: HashSet<usize>,
}

/// A dimension that cubes share.
struct Shared {
    /// Its definition; none if it was wrong.
    definition: Option<DimensionDef>,
    /// Its index in the catalog, once a cube has used it.
    index: Option<usize>,
}

impl Catalog<'_> {
    fn read(&mut self, fields: &Fields<'_>) {
        for item in fields.items("dimensions", self.problems) {
            let label = format!("Dimension '{}'", item.name);
            let before = self.problems.count();
            let definition = match item.node {
                Some(node) => Fields::new(node, item.line, label, dimension::DIMENSION, self.problems)
                    .and_then(|fields| dimension::dimension(item.name, &fields, self.problems)),
                None => {
                    self.problems.add(item.line, label, "A dimension is a map with keys such as 'table' and 'levels'");
                    None
                }
            };
            // One that is wrong would make all its uses wrong too.
            let definition = definition.filter(|_| self.problems.count() == before);
            let shared = Shared { definition, index: None };
            if self.shared.insert(name::fold(item.name), shared).is_some() {
                let message = format!("There are two dimensions '{}'", item.name);
                self.problems.add(item.line, format!("Dimension '{}'", item.name), message);
            }
        }
        // Virtual cubes need the others, wherever they stand.
        let items = fields.items("cubes", self.problems);
        let mut cubes = Vec::new();
        for item in &items {
            let label = format!("Cube '{}'", item.name);
            let Some(node) = item.node else {
                self.problems.add(item.line, label, "A cube is a map with keys such as 'fact' and 'measures'");
                continue;
            };
            cubes.extend(Fields::new(node, item.line, label, CUBE, self.problems).map(|f| (item.name, f)));
        }
        if items.is_empty() {
            fields.wrong(self.problems, "The key 'cubes' is missing, or empty");
        }
        let (virtual_cubes, base): (Vec<_>, Vec<_>) = cubes.iter().partition(|(_, f)| f.has("virtual"));
        for (name, fields) in base {
            let before = self.problems.count();
            self.cube(name, fields);
            if self.problems.count() > before {
                self.wrong_cubes.insert(self.definition.cubes.len() - 1);
            }
        }
        for (name, fields) in virtual_cubes {
            self.virtual_cube(name, fields);
        }
        for shared in self.shared.values().filter(|s| s.index.is_none()) {
            shared.definition.iter().for_each(|d| check::unused_dimension(d, self.problems));
        }
    }

    /// The index of a shared dimension. One that lives in fact tables is another one for each use.
    fn use_shared(&mut self, wanted: &str) -> Result<usize, Option<String>> {
        let Some(shared) = self.shared.get_mut(&name::fold(wanted)) else {
            let names = self.shared.values().filter_map(|s| s.definition.as_ref()).map(|d| d.name.as_str());
            return Err(Some(format!("There is no dimension '{wanted}'{}", did_you_mean(wanted, names))));
        };
        if let Some(index) = shared.index {
            return Ok(index);
        }
        // One that is wrong has been reported where it stands.
        let definition = shared.definition.clone().ok_or(None)?;
        let index = self.definition.dimensions.len();
        if definition.hierarchies.iter().all(|h| h.relation != Relation::Fact) {
            shared.index = Some(index);
        }
        self.definition.dimensions.push(definition);
        Ok(index)
    }

    /// `virtual: [Sales, Inventory]`, or with the measures to take: `virtual: {Sales: [Amount], Inventory: all}`.
    fn virtual_cube(&mut self, name: &str, fields: &Fields<'_>) {
        for key in ["fact", "filter", "inline", "measures", "measure_groups"].iter().filter(|k| fields.has(k)) {
            fields.wrong(self.problems, format!("A virtual cube has no '{key}' of its own"));
        }
        let mut cube =
            VirtualCube::new(name.to_owned(), cube::texts(fields, self.problems), fields.place(self.problems));
        let mut bases = Vec::new();
        for item in fields.items("virtual", self.problems) {
            let cubes = &self.definition.cubes;
            let Some(base) = cubes.iter().position(|c| !c.is_virtual && name::same(&c.name, item.name)) else {
                let hint = did_you_mean(item.name, cubes.iter().map(|c| c.name.as_str()));
                let message = format!("There is no cube '{}'{hint}", item.name);
                self.problems.add(item.line, fields.label.clone(), message);
                continue;
            };
            if bases.contains(&base) {
                let message = format!("The cube '{}' stands twice", item.name);
                self.problems.add(item.line, fields.label.clone(), message);
                continue;
            }
            bases.push(base);
            let wanted: Vec<(u32, &str)> = match item.node {
                Some(node) if item.scalar() != Some("all") => {
                    let items = fields::items(node, "virtual", &fields.label, self.problems);
                    items.iter().map(|i| (i.line, i.name)).collect()
                }
                _ => Vec::new(),
            };
            let all = cube.measure_names(&self.definition, base);
            let wanted = if wanted.is_empty() { all.iter().map(|m| (item.line, m.as_str())).collect() } else { wanted };
            for (line, measure) in wanted {
                if let Err(message) = cube.import_measure(&self.definition, base, measure, None)
                    && !self.wrong_cubes.contains(&base)
                {
                    self.problems.reference(line, fields.label.clone(), message);
                }
            }
        }
        self.virtual_dimensions(&mut cube, &bases, fields);
        cube.calculated_members = calculation::calculated_members(fields, self.problems);
        cube.named_sets = calculation::named_sets(fields, self.problems);
        cube.default_measure = fields.text("default_measure", self.problems);
        match cube.finish(&self.definition) {
            Ok(mut cube) => {
                cube.kpis = calculation::kpis(fields, self.problems);
                cube.actions = calculation::actions(fields, self.problems);
                self.definition.cubes.push(cube);
            }
            // What could not be taken from a cube that is wrong is no news.
            Err(_) if !self.wrong_cubes.is_empty() => {}
            Err(messages) => messages.into_iter().for_each(|m| fields.wrong(self.problems, m)),
        }
    }

    /// The dimensions named, or all that its cubes have.
    fn virtual_dimensions(&mut self, cube: &mut VirtualCube, bases: &[usize], fields: &Fields<'_>) {
        let definition = &self.definition;
        let all = || bases.iter().flat_map(|b| definition.cubes[*b].dimensions.iter().map(|d| d.name.clone()));
        let mut wanted: Vec<(u32, String)> = Vec::new();
        if fields.has("dimensions") {
            for item in fields.items("dimensions", self.problems) {
                if item.node.is_some() {
                    let message = "A virtual cube lists the names of dimensions only";
                    self.problems.add(item.line, fields.label.clone(), message);
                }
                wanted.push((item.line, item.name.to_owned()));
            }
        } else {
            for name in all() {
                if !wanted.iter().any(|(_, n)| name::same(n, &name)) {
                    wanted.push((fields.line, name));
                }
            }
        }
        for (line, name) in wanted {
            let base =
                bases.iter().find(|b| definition.cubes[**b].dimensions.iter().any(|d| name::same(&d.name, &name)));
            let added = match base {
                Some(base) => cube.add_dimension(definition, Some(*base), &name, None, Texts::default()),
                None => Err(format!(
                    "None of its cubes has a dimension '{name}'{}",
                    did_you_mean(&name, all().collect::<Vec<_>>().iter().map(String::as_str))
                )),
            };
            if let Err(message) = added
                && !bases.iter().any(|base| self.wrong_cubes.contains(base))
            {
                self.problems.reference(line, fields.label.clone(), message);
            }
        }
    }
}
