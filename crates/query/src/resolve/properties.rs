//! DIMENSION PROPERTIES and CELL PROPERTIES.

use super::{Named, Resolver};
use crate::program::AxisPlan;
use facetta_mdx::ast::{Identifier, Segment};
use facetta_model::{AxisProperty, CellProperty, Error, HierarchyId, Property, Result, error, name};

/// Every cell property by its name.
const CELL_PROPERTIES: &[(&str, CellProperty)] = &[
    ("VALUE", CellProperty::Value),
    ("FORMATTED_VALUE", CellProperty::FormattedValue),
    ("CELL_ORDINAL", CellProperty::CellOrdinal),
    ("FORMAT_STRING", CellProperty::FormatString),
    ("LANGUAGE", CellProperty::Language),
    ("BACK_COLOR", CellProperty::BackColor),
    ("FORE_COLOR", CellProperty::ForeColor),
    ("FONT_NAME", CellProperty::FontName),
    ("FONT_SIZE", CellProperty::FontSize),
    ("FONT_FLAGS", CellProperty::FontFlags),
    ("ACTION_TYPE", CellProperty::ActionType),
    ("UPDATEABLE", CellProperty::Updateable),
    ("NON_EMPTY_BEHAVIOR", CellProperty::NonEmptyBehavior),
    ("SOLVE_ORDER", CellProperty::SolveOrder),
    ("CELL_EVALUATION_LIST", CellProperty::CellEvaluationList),
];

impl Resolver<'_> {
    /// CELL PROPERTIES; the three standard ones if none is written.
    pub(super) fn cell_properties(&self, written: &[Identifier]) -> Result<Vec<CellProperty>> {
        if written.is_empty() {
            return Ok(self.compatibility().default_cell_properties().to_vec());
        }
        let mut properties = Vec::new();
        for identifier in written {
            let named = identifier.single().and_then(|n| CELL_PROPERTIES.iter().find(|(p, _)| name::same(p, &n.text)));
            let Some((_, property)) = named else {
                let text = super::definitions::path_text(identifier);
                return Err(error!(NotFound, "Unknown cell property '{text}'").at(identifier.span()));
            };
            if !properties.contains(property) {
                properties.push(*property);
            }
        }
        Ok(properties)
    }

    /// DIMENSION PROPERTIES of an axis: those for all its hierarchies, and those named with a level or hierarchy.
    pub(super) fn axis_properties(&self, plan: &mut AxisPlan, written: &[Identifier]) -> Result<()> {
        for identifier in written {
            let Some((last, path)) = identifier.segments.split_last() else { continue };
            let Some(wanted) = last.name() else { return Err(self.not_found(identifier)) };
            if path.is_empty() {
                let property = match Property::intrinsic(&wanted.text) {
                    Some(property) => property,
                    None => Property::Named(wanted.text.to_string()),
                };
                let name = wanted.text.to_string();
                plan.properties.push((None, AxisProperty { unique_name: String::new(), name, property }));
                continue;
            }
            let (hierarchy, property, unique_name, name) = self.named_property(identifier, path, &wanted.text)?;
            plan.properties.push((Some(hierarchy), AxisProperty { name, unique_name, property }));
        }
        Ok(())
    }

    fn named_property(
        &self,
        identifier: &Identifier,
        path: &[Segment],
        wanted: &str,
    ) -> Result<(HierarchyId, Property, String, String)> {
        let found = self.find(path).filter(|(_, used)| *used == path.len()).map(|(named, _)| named);
        let (hierarchy, level) = match found {
            Some(Named::Dimension(d)) => (self.default_hierarchy(d), None),
            Some(Named::Hierarchy(h)) => (h, None),
            Some(Named::Level(h, l)) => (h, Some(l)),
            _ => return Err(self.not_found(identifier)),
        };
        let of = self.cube.hierarchy(hierarchy);
        let mut unique_name = match level {
            Some(level) => {
                let level = self.members.level_unique_name(hierarchy, level);
                self.compatibility().level_property_owner(&of.unique_name, &level).to_owned()
            }
            None => of.unique_name.clone(),
        };
        unique_name.push('.');
        if let Some(property) = Property::intrinsic(wanted) {
            name::quote_into(&mut unique_name, wanted);
            return Ok((hierarchy, property, unique_name, wanted.to_owned()));
        }
        let levels = &of.hierarchy.levels;
        let in_level = |l: usize| levels[l].properties.iter().position(|p| name::same(&p.name, wanted)).map(|i| (l, i));
        let found = match level {
            Some(level) => in_level(level.index()),
            None => (0..levels.len()).find_map(in_level),
        };
        let Some((l, index)) = found else {
            return Err(unknown(wanted, &self.cube.name).at(identifier.span()));
        };
        let name = levels[l].properties[index].name.clone();
        name::quote_into(&mut unique_name, &name);
        let property = match level {
            Some(level) => Property::Level { level, index: index as u32 },
            None => Property::Named(name.clone()),
        };
        Ok((hierarchy, property, unique_name, name))
    }
}

fn unknown(property: &str, cube: &str) -> Error {
    error!(NotFound, "MDX object '{property}' not found in cube '{cube}'")
}
