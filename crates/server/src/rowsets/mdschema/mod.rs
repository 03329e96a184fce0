//! MDSCHEMA rowsets: what the cubes of the current catalog are made of, as the session may see it.

pub mod cubes;
pub mod dimensions;
pub mod functions;
pub mod measures;
pub mod members;
pub mod properties;
pub mod sets;

use crate::rowsets::definition::Ask;
use facetta_model::catalog::{Catalog, Cube, CubeDimension, CubeHierarchy, Hierarchy};
use facetta_model::definition::{DimensionKind, Texts};
use facetta_model::{ColumnType, HierarchyId, Result, bail, name};
use facetta_query::{CubeDescription, Query};
use std::sync::Arc;

/// A cube with the calculated members and sets that the session sees in it.
#[derive(Clone)]
pub struct View {
    /// The environment in which names are resolved.
    pub query: Query,
    /// The catalog.
    pub catalog: Arc<Catalog>,
    /// The cube.
    pub cube: Arc<Cube>,
    /// Its calculated members and sets, the session's too.
    pub described: Arc<CubeDescription>,
}

impl View {
    /// A hierarchy of the cube, by number.
    pub fn hierarchy(&self, id: HierarchyId) -> (&CubeHierarchy, &Hierarchy) {
        let hierarchy = self.cube.hierarchy(id);
        (hierarchy, &hierarchy.hierarchy)
    }

    /// The dimension of a hierarchy.
    pub fn dimension(&self, id: HierarchyId) -> &CubeDimension {
        self.cube.dimension_of(id)
    }

    /// The hierarchies of the cube, those of hidden dimensions too.
    pub fn hierarchies(&self) -> impl Iterator<Item = HierarchyId> + use<> {
        (0..self.cube.hierarchies.len()).map(HierarchyId::from)
    }

    /// A description: the definition's own, or one that says what the thing is where clients of this catalog expect one.
    pub fn description(&self, texts: &Texts, otherwise: impl FnOnce() -> String) -> String {
        match &texts.description {
            Some(text) => text.clone(),
            None if self.catalog.compatibility.describes_everything() => {
                format!("{} Cube - {}", self.cube.name, otherwise())
            }
            None => String::new(),
        }
    }

    /// The name of a hierarchy in made descriptions.
    pub fn described_name(&self, id: HierarchyId) -> String {
        let (dimension, hierarchy) = (&self.dimension(id).name, &self.hierarchy(id).1.name);
        self.catalog.compatibility.described_hierarchy(dimension, hierarchy)
    }

    /// SCHEMA_NAME: null for Analysis Services.
    pub fn schema_name(&self) -> Option<String> {
        self.catalog.compatibility.has_schema_names().then(|| self.catalog.name.clone())
    }
}

/// The cubes of the current catalog that the restrictions CATALOG_NAME, CUBE_NAME and CUBE_SOURCE leave, by name.
///
/// # Errors
/// The current catalog cannot be told or does not answer, or a definition of the session is wrong.
pub fn views(ask: &Ask) -> Result<Vec<View>> {
    // Bit 1 is cubes, bit 2 the dimensions seen as cubes, which there are none of.
    let cubes_wanted = ask.wanted_number("CUBE_SOURCE").is_none_or(|mask| mask & 1 != 0);
    if !cubes_wanted {
        return Ok(Vec::new());
    }
    let query = crate::environment::query(ask)?;
    let catalog = query.snapshot.catalog().clone();
    let is_catalog = |f: &facetta_model::Field| f.as_str().is_some_and(|n| name::same(n, &catalog.name));
    if ask.wanted("CATALOG_NAME").is_some_and(|all| !all.iter().any(is_catalog)) {
        return Ok(Vec::new());
    }
    let hidden_too = ask.properties.show_hidden_cubes();
    let named = |c: &Cube| match ask.wanted("CUBE_NAME") {
        Some(all) => all.iter().any(|f| f.as_str().is_some_and(|n| name::same(n, &c.name))),
        None => true,
    };
    let mut cubes: Vec<_> =
        catalog.cubes.iter().filter(|c| (c.texts.visible || hidden_too) && named(c)).cloned().collect();
    cubes.sort_by(|a, b| name::compare_text(&a.name, &b.name));
    let view = |cube: Arc<Cube>| {
        let described = facetta_query::describe(&query, &cube, &ask.context)?;
        Ok(View { query: query.clone(), catalog: catalog.clone(), cube, described: Arc::new(described) })
    };
    cubes.into_iter().map(view).collect()
}

/// Whether a thing is shown under a `…_VISIBILITY` restriction: a mask of 1 (visible) and 2 (hidden). The default is 1, or 3
/// where the property EmitInvisibleMembers asks for it.
///
/// # Errors
/// The mask is out of its range.
pub fn shown(ask: &Ask, restriction: &str, visible: bool) -> Result<bool> {
    let otherwise = if ask.properties.emit_invisible_members() { 3 } else { 1 };
    let mask = ask.wanted_number(restriction).unwrap_or(otherwise);
    if !(0..=3).contains(&mask) {
        bail!(TypeMismatch, "The following system error occurred:  Out of present range. ");
    }
    Ok(mask & if visible { 1 } else { 2 } != 0)
}

/// DIMENSION_TYPE.
pub fn dimension_type(kind: DimensionKind) -> i64 {
    match kind {
        DimensionKind::Time => 1,
        DimensionKind::Measures => 2,
        DimensionKind::Regular => 3,
    }
}

/// The DBTYPE number of a type.
pub fn dbtype(ty: &ColumnType) -> u16 {
    match ty {
        ColumnType::Short => 2,
        ColumnType::Int => 3,
        ColumnType::Float => 4,
        ColumnType::Double => 5,
        ColumnType::DateTime => 7,
        ColumnType::Boolean => 11,
        ColumnType::Variant => 12,
        ColumnType::UnsignedShort => 18,
        ColumnType::UnsignedInt => 19,
        ColumnType::Long => 20,
        ColumnType::UnsignedLong => 21,
        ColumnType::Uuid => 72,
        ColumnType::String | ColumnType::Xml | ColumnType::Nested(_) => 130,
    }
}
