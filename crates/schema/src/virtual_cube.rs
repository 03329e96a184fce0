//! Virtual cubes, whichever form wrote them: a union of measures over the dimensions of several cubes.

use crate::error::did_you_mean;
use crate::names::{self, Chain};
use facetta_model::definition::{
    CalculatedMemberDef, CubeDef, CubeDimensionDef, CubeMeasureDef, Definition, NamedSetDef, Place, Texts,
};
use facetta_model::name;

/// A virtual cube while it is built. Cubes are named by their index into [`Definition::cubes`].
pub(crate) struct VirtualCube {
    name: String,
    texts: Texts,
    place: Place,
    /// The measure groups, each with the cube that it came from.
    groups: Vec<(usize, usize)>,
    measures: Vec<CubeMeasureDef>,
    dimensions: Vec<Wanted>,
    /// Calculated members of base cubes, each with its cube.
    imported: Vec<(usize, CalculatedMemberDef)>,
    /// Calculated members of its own.
    pub(crate) calculated_members: Vec<CalculatedMemberDef>,
    /// Named sets of its own.
    pub(crate) named_sets: Vec<NamedSetDef>,
    /// Name of the default measure.
    pub(crate) default_measure: Option<String>,
}

/// A dimension asked for. Its links are known once all measure groups are.
struct Wanted {
    name: String,
    texts: Texts,
    dimension: usize,
    /// The cube whose dimension it is; none for one that all cubes share.
    base: Option<usize>,
}

impl VirtualCube {
    pub(crate) fn new(name: String, texts: Texts, place: Place) -> Self {
        Self {
            name,
            texts,
            place,
            groups: Vec::new(),
            measures: Vec::new(),
            dimensions: Vec::new(),
            imported: Vec::new(),
            calculated_members: Vec::new(),
            named_sets: Vec::new(),
            default_measure: None,
        }
    }

    /// The names of the visible measures of the cube `base`, stored ones first.
    pub(crate) fn measure_names(&self, definition: &Definition, base: usize) -> Vec<String> {
        let cube = &definition.cubes[base];
        let stored = cube.measures.iter().filter(|m| m.texts.visible).map(|m| m.name.clone());
        let calculated = cube.calculated_members.iter().filter(|m| m.texts.visible && is_measure(m));
        stored.chain(calculated.map(|m| m.name.clone())).collect()
    }

    /// Takes a stored or calculated measure of the cube `base`; `visible` overrides what that cube says.
    ///
    /// # Errors
    /// A message, if there is no such measure or the name is taken.
    pub(crate) fn import_measure(
        &mut self,
        definition: &Definition,
        base: usize,
        measure: &str,
        visible: Option<bool>,
    ) -> Result<(), String> {
        if self.has_measure(measure) {
            return Err(format!("The cube has two measures '{measure}'"));
        }
        let cube = &definition.cubes[base];
        if let Some(stored) = cube.measures.iter().find(|m| name::same(&m.name, measure)) {
            self.import_stored(cube, base, stored, visible);
            return Ok(());
        }
        let calculated = cube.calculated_members.iter().find(|m| is_measure(m) && name::same(&m.name, measure));
        let Some(calculated) = calculated else {
            let stored = cube.measures.iter().map(|m| m.name.as_str());
            let calculated = cube.calculated_members.iter().filter(|m| is_measure(m)).map(|m| m.name.as_str());
            let hint = did_you_mean(measure, stored.chain(calculated));
            return Err(format!("The cube '{}' has no measure '{measure}'{hint}", cube.name));
        };
        let mut calculated = calculated.clone();
        calculated.texts.visible = visible.unwrap_or(calculated.texts.visible);
        self.imported.push((base, calculated));
        Ok(())
    }

    fn import_stored(&mut self, cube: &CubeDef, base: usize, stored: &CubeMeasureDef, visible: Option<bool>) {
        let group = cube.measure_groups[stored.group];
        let position = self.groups.iter().position(|(g, _)| *g == group).unwrap_or_else(|| {
            self.groups.push((group, base));
            self.groups.len() - 1
        });
        let mut measure = CubeMeasureDef { group: position, ..stored.clone() };
        measure.texts.visible = visible.unwrap_or(measure.texts.visible);
        self.measures.push(measure);
    }

    /// Takes a dimension: that of the cube `base`, or without it the one of index `shared`, which several cubes use.
    ///
    /// # Errors
    /// A message, if there is no such dimension.
    pub(crate) fn add_dimension(
        &mut self,
        definition: &Definition,
        base: Option<usize>,
        wanted: &str,
        shared: Option<usize>,
        given: Texts,
    ) -> Result<(), String> {
        if self.dimensions.iter().any(|d| name::same(&d.name, wanted)) {
            return Err(format!("The cube has two dimensions '{wanted}'"));
        }
        let source = match (base, shared) {
            (Some(base), _) => definition.cubes[base].dimensions.iter().find(|d| name::same(&d.name, wanted)),
            (None, Some(shared)) => {
                let base_cubes = definition.cubes.iter().filter(|c| !c.is_virtual);
                base_cubes.flat_map(|c| &c.dimensions).find(|d| d.dimension == shared)
            }
            (None, None) => {
                return Err(format!("There is no shared dimension '{wanted}' that a cube uses; name the cube"));
            }
        };
        let Some(source) = source else {
            let cube = base.map_or("", |b| definition.cubes[b].name.as_str());
            return Err(format!("The cube '{cube}' has no dimension '{wanted}'"));
        };
        let texts = Texts {
            caption: given.caption.or_else(|| source.texts.caption.clone()),
            description: given.description.or_else(|| source.texts.description.clone()),
            visible: given.visible && source.texts.visible,
            display_folder: None,
        };
        self.dimensions.push(Wanted { name: wanted.to_owned(), texts, dimension: source.dimension, base });
        Ok(())
    }

    fn has_measure(&self, wanted: &str) -> bool {
        self.measures.iter().any(|m| name::same(&m.name, wanted))
            || self.imported.iter().any(|(_, m)| is_measure(m) && name::same(&m.name, wanted))
    }

    /// The cube, with what its imported formulas need (hidden) and the links of its dimensions.
    ///
    /// # Errors
    /// Messages: what is missing or ambiguous.
    pub(crate) fn finish(mut self, definition: &Definition) -> Result<CubeDef, Vec<String>> {
        let mut messages = Vec::new();
        if self.measures.is_empty() && self.imported.is_empty() {
            messages.push("A virtual cube needs a measure".to_owned());
        }
        // The list grows while it is walked: what is needed may need more.
        let mut next = 0;
        while let Some((base, member)) = self.imported.get(next) {
            let (base, formula) = (*base, member.formula.clone());
            next += 1;
            // A formula that does not parse is reported where it stands.
            for chain in names::identifiers(&formula).unwrap_or_default() {
                if let Err(message) = self.import_needed(definition, base, &chain) {
                    messages.push(message);
                }
            }
        }
        if !messages.is_empty() {
            return Err(messages);
        }
        let dimensions = self.dimensions.iter().map(|wanted| self.dimension(definition, wanted)).collect();
        let mut calculated_members: Vec<CalculatedMemberDef> = self.imported.into_iter().map(|(_, m)| m).collect();
        calculated_members.extend(self.calculated_members);
        Ok(CubeDef {
            name: self.name,
            texts: self.texts,
            measure_groups: self.groups.iter().map(|(group, _)| *group).collect(),
            dimensions,
            measures: self.measures,
            default_measure: self.default_measure,
            calculated_members,
            named_sets: self.named_sets,
            is_virtual: true,
            place: self.place,
            ..CubeDef::default()
        })
    }

    /// Takes what an identifier of a formula of the cube `base` names there, hidden, unless the virtual cube has it.
    fn import_needed(&mut self, definition: &Definition, base: usize, chain: &Chain) -> Result<(), String> {
        let cube = &definition.cubes[base];
        let (Some(first), in_measures) = (chain.first(), chain.first().is_some_and(|n| name::same(n, "Measures")))
        else {
            return Ok(());
        };
        let wanted = if in_measures { chain.get(1) } else { Some(first) };
        let Some(wanted) = wanted else { return Ok(()) };
        if let Some(stored) = cube.measures.iter().find(|m| name::same(&m.name, wanted)) {
            if let Some(present) = self.measures.iter().find(|m| name::same(&m.name, wanted)) {
                let same = self.groups[present.group].0 == cube.measure_groups[stored.group]
                    && present.measure == stored.measure;
                return if same { Ok(()) } else { Err(self.ambiguous(cube, wanted)) };
            }
            if self.has_measure(wanted) {
                return Err(self.ambiguous(cube, wanted));
            }
            self.import_stored(cube, base, stored, Some(false));
            return Ok(());
        }
        let names = |m: &CalculatedMemberDef| match is_measure(m) {
            true => name::same(&m.name, wanted),
            false => {
                names::path(&m.hierarchy).is_some_and(|p| p.first().is_some_and(|d| name::same(d, first)))
                    && chain.iter().any(|n| name::same(n, &m.name))
            }
        };
        if let Some(member) = cube.calculated_members.iter().find(|m| names(m)) {
            let present = self
                .imported
                .iter()
                .find(|(_, m)| name::same(&m.name, &member.name) && m.hierarchy == member.hierarchy);
            return match present {
                Some((from, _)) if *from == base => Ok(()),
                Some(_) => Err(self.ambiguous(cube, wanted)),
                None if is_measure(member) && self.has_measure(wanted) => Err(self.ambiguous(cube, wanted)),
                None => {
                    let mut member = member.clone();
                    member.texts.visible = false;
                    self.imported.push((base, member));
                    Ok(())
                }
            };
        }
        if let (1, Some(set)) = (chain.len(), cube.named_sets.iter().find(|s| name::same(&s.name, first)))
            && !self.named_sets.iter().any(|s| name::same(&s.name, first))
        {
            let mut set = set.clone();
            set.texts.visible = false;
            self.named_sets.push(set);
        }
        Ok(())
    }

    fn ambiguous(&self, cube: &CubeDef, wanted: &str) -> String {
        format!("A formula needs '{wanted}' of the cube '{}', but '{wanted}' is another measure here", cube.name)
    }

    /// A dimension with the links of all measure groups: those of its own cube, and of each other cube that uses the same
    /// dimension under the same name, or, if it is shared, under any one name.
    fn dimension(&self, definition: &Definition, wanted: &Wanted) -> CubeDimensionDef {
        let link = |&(group, owner): &(usize, usize)| {
            let cube = &definition.cubes[owner];
            let mut uses = cube.dimensions.iter().filter(|d| d.dimension == wanted.dimension);
            let same_name = uses.clone().find(|d| name::same(&d.name, &wanted.name));
            let only = || uses.next().filter(|_| uses.next().is_none() && wanted.base.is_none());
            let found = same_name.or_else(only)?;
            let position = cube.measure_groups.iter().position(|g| *g == group)?;
            found.links.get(position).copied().flatten()
        };
        CubeDimensionDef {
            name: wanted.name.clone(),
            texts: wanted.texts.clone(),
            dimension: wanted.dimension,
            links: self.groups.iter().map(link).collect(),
        }
    }
}

/// Whether a calculated member is a measure.
pub(crate) fn is_measure(member: &CalculatedMemberDef) -> bool {
    names::path(&member.hierarchy).is_some_and(|p| p.first().is_some_and(|d| name::same(d, "Measures")))
}
