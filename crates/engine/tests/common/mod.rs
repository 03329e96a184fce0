//! What tests share: FoodMart loaded, requests written by names.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses a part of it, and may panic")]

use facetta_engine::{Database, Source, Store};
use facetta_model::catalog::Catalog;
use facetta_model::{
    Context, Grain, LinkId, MeasureGroupId, MemberId, Path, Snapshot, Subcube, SubcubeAxis, SubcubeFilter,
    SubcubeRequest, Value, name,
};
use std::path::PathBuf;
use std::sync::Arc;

/// The folder of the shared material; none (with a line that says so) where the machine lacks it.
pub(crate) fn shared(part: &str) -> Option<PathBuf> {
    let root = std::env::var_os("FACETTA_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = root.join(part);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("FACETTA_NO_SKIP").is_none(), "{} is missing", path.display());
    println!("skipped: {} is missing", path.display());
    None
}

/// FoodMart, loaded into memory.
pub(crate) fn foodmart() -> Option<Arc<Database>> {
    let folder = shared("foodmart")?;
    let definition = facetta_schema::load(&folder.join("FoodMart.xml")).unwrap_or_else(|e| panic!("{e}"));
    let source = Source::Folder(folder.join("data"));
    let store = Store::in_memory();
    let loaded = store.load("FoodMart", &definition, &source, &Context::unlimited(), &|_| {});
    Some(loaded.unwrap_or_else(|e| panic!("{e}")))
}

/// A measure group by the cube's name.
pub(crate) fn group(catalog: &Catalog, wanted: &str) -> MeasureGroupId {
    let at = catalog.measure_groups.iter().position(|g| name::same(&g.name, wanted));
    MeasureGroupId::from(at.unwrap_or_else(|| panic!("no measure group {wanted}")))
}

/// The path from a measure group to a hierarchy: `Store`, or `Time.Weekly`.
pub(crate) fn path(catalog: &Catalog, group: MeasureGroupId, wanted: &str) -> Path {
    let (dimension, hierarchy) = wanted.split_once('.').unwrap_or((wanted, ""));
    let links = &catalog.measure_groups[group.index()].links;
    for (at, link) in links.iter().enumerate() {
        let found = &catalog.dimensions[link.dimension.index()];
        if name::same(&found.name, dimension) {
            let position = found.hierarchies.iter().position(|h| name::same(&h.name, hierarchy)).unwrap_or(0);
            return Path { link: LinkId::from(at), hierarchy: position as u32 };
        }
    }
    panic!("no dimension {wanted}")
}

/// A member by its names from the top, without the all member: `USA.CA`.
pub(crate) fn member(catalog: &Catalog, group: MeasureGroupId, at: Path, names: &str) -> MemberId {
    let link = &catalog.measure_groups[group.index()].links[at.link.index()];
    let hierarchy = &catalog.dimensions[link.dimension.index()].hierarchies[at.hierarchy as usize];
    let members = &hierarchy.members;
    let mut candidates = if hierarchy.has_all { members.children(MemberId(0)) } else { members.at_depth(0) };
    let mut found = MemberId::NULL;
    for part in names.split('.') {
        found = candidates
            .clone()
            .map(MemberId)
            .find(|&m| name::same(members.name(m), part))
            .unwrap_or_else(|| panic!("no member {part} of {names}"));
        candidates = members.children(found);
    }
    found
}

/// A request by names.
pub(crate) struct Ask<'a> {
    pub(crate) snapshot: &'a dyn Snapshot,
    pub(crate) request: SubcubeRequest,
}

impl<'a> Ask<'a> {
    /// Of all rows of a measure group.
    pub(crate) fn of(snapshot: &'a dyn Snapshot, wanted: &str) -> Ask<'a> {
        let group = group(snapshot.catalog(), wanted);
        let request = SubcubeRequest { group, measures: vec![], axes: vec![], filters: vec![], tuples: vec![] };
        Ask { snapshot, request }
    }

    pub(crate) fn measure(mut self, wanted: &str) -> Self {
        let measures = &self.snapshot.catalog().measure_groups[self.request.group.index()].measures;
        let at = measures.iter().position(|m| name::same(&m.name, wanted));
        self.request.measures.push(at.unwrap_or_else(|| panic!("no measure {wanted}")) as u32);
        self
    }

    pub(crate) fn by(mut self, hierarchy: &str, grain: Grain) -> Self {
        let path = path(self.snapshot.catalog(), self.request.group, hierarchy);
        self.request.axes.push(SubcubeAxis { path, grain });
        self
    }

    pub(crate) fn only(mut self, hierarchy: &str, members: &[&str]) -> Self {
        let catalog = self.snapshot.catalog();
        let path = path(catalog, self.request.group, hierarchy);
        let mut subtrees: Vec<MemberId> =
            members.iter().map(|m| member(catalog, self.request.group, path, m)).collect();
        subtrees.sort_unstable();
        self.request.filters.push(SubcubeFilter { path, subtrees, own: vec![] });
        self
    }

    pub(crate) fn answer(&self) -> Subcube {
        self.snapshot.subcube(&self.request, &Context::unlimited()).unwrap_or_else(|e| panic!("{e}"))
    }

    /// The one value of a request without axes.
    pub(crate) fn value(&self) -> Value {
        let answer = self.answer();
        assert_eq!(answer.rows, 1);
        answer.values[0].value(0)
    }

    /// A line for each row: names of members, then values; sorted.
    pub(crate) fn lines(&self) -> Vec<String> {
        let answer = self.answer();
        let catalog = self.snapshot.catalog();
        let links = &catalog.measure_groups[self.request.group.index()].links;
        let mut lines: Vec<String> = (0..answer.rows)
            .map(|row| {
                let keys = answer.keys.iter().zip(&self.request.axes).map(|(keys, axis)| {
                    let dimension = &catalog.dimensions[links[axis.path.link.index()].dimension.index()];
                    dimension.hierarchies[axis.path.hierarchy as usize].members.name(keys[row]).to_owned()
                });
                let values = answer.values.iter().map(|v| v.value(row).to_string());
                keys.chain(values).collect::<Vec<_>>().join(" | ")
            })
            .collect();
        lines.sort();
        lines
    }
}
