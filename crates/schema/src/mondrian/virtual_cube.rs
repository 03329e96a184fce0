//! Virtual cubes: measures and dimensions of several cubes.

use super::Schema;
use super::calculation::{calculated_member, named_set};
use super::dimension::texts;
use super::xml::Element;
use crate::error::did_you_mean;
use crate::virtual_cube::VirtualCube;
use facetta_model::definition::Texts;
use facetta_model::name;

impl Schema<'_> {
    /// A virtual cube over cubes that were read before.
    pub(super) fn virtual_cube(&mut self, element: &Element) {
        let Some(name) = element.text_of("name") else { return };
        let place = element.place(self.problems);
        for usage in element.all("CubeUsages").flat_map(|u| u.all("CubeUsage")) {
            self.base_cube(usage);
            if usage.flag("ignoreUnrelatedDimensions", false) {
                let message = "ignoreUnrelatedDimensions is not supported; use ValidMeasure in formulas";
                self.problems.add(usage.line, usage.label(), message);
            }
        }
        let mut cube = VirtualCube::new(name, texts(element), place);
        for child in element.all("VirtualCubeMeasure") {
            let Some(base) = self.base_cube(child) else { continue };
            let Some(written) = child.get("name") else { continue };
            let Some(measure) = crate::names::measure(written) else {
                let message = format!("'{written}' is not the name of a measure; expected '[Measures].[name]'");
                self.problems.add(child.line, child.label(), message);
                continue;
            };
            let visible = child.get("visible").map(|_| child.flag("visible", true));
            if let Err(message) = cube.import_measure(&self.definition, base, &measure, visible)
                && !self.wrong_cubes.contains(&base)
            {
                self.problems.reference(child.line, child.label(), message);
            }
        }
        for child in element.all("VirtualCubeDimension") {
            let Some(dimension) = child.get("name") else { continue };
            let base = match child.get("cubeName") {
                Some(_) => match self.base_cube(child) {
                    Some(base) => Some(base),
                    None => continue,
                },
                None => None,
            };
            let given = Texts { visible: child.flag("visible", true), ..texts(child) };
            let shared = self.shared.get(&name::fold(dimension)).and_then(|s| s.index);
            if let Err(message) = cube.add_dimension(&self.definition, base, dimension, shared, given)
                && !base.is_some_and(|base| self.wrong_cubes.contains(&base))
            {
                self.problems.reference(child.line, child.label(), message);
            }
        }
        for child in element.all("CalculatedMember") {
            cube.calculated_members.extend(calculated_member(child, self.problems));
        }
        cube.named_sets.extend(element.all("NamedSet").filter_map(|e| named_set(e, self.problems)));
        cube.default_measure = element.text_of("defaultMeasure");
        match cube.finish(&self.definition) {
            Ok(cube) => self.definition.cubes.push(cube),
            // What could not be taken from a cube that is wrong is no news.
            Err(_) if !self.wrong_cubes.is_empty() => {}
            Err(messages) => {
                for message in messages {
                    self.problems.reference(element.line, element.label(), message);
                }
            }
        }
    }

    /// The cube that `cubeName` names, an index into the cubes.
    fn base_cube(&mut self, element: &Element) -> Option<usize> {
        let wanted = element.get("cubeName")?;
        let cubes = &self.definition.cubes;
        let found = cubes.iter().position(|c| !c.is_virtual && name::same(&c.name, wanted));
        if found.is_none() {
            let hint = did_you_mean(wanted, cubes.iter().map(|c| c.name.as_str()));
            self.problems.reference(element.line, element.label(), format!("There is no cube '{wanted}'{hint}"));
        }
        found
    }
}
