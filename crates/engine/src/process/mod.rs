//! Process: a definition and a source become a catalog with its members and the segments of its facts.

mod assemble;
mod bind;
mod csv;
mod default_member;
mod dictionary;
mod expression;
mod facts;
mod functions;
mod members;
mod parent_child;
mod paths;
mod profile;
mod relation;
mod source;
mod vector;

pub use profile::{ColumnProfile, ProfileKind, TableProfile};
pub use source::{BatchesOf, MemoryTable, Source};

pub(crate) use assemble::{Times, assemble, with_data_update};
pub(crate) use facts::Sink;
pub(crate) use source::{SourceTable, io_error};

use crate::version::GroupData;
use bind::{BoundDefinition, BoundHierarchy, LevelVectors, OwnTable, Way, located};
use facetta_model::definition::{Definition, DimensionDef, HierarchyDef};
use facetta_model::{ColumnType, Context, MemberId, MemberTable, Result, ValueColumn};
use facts::{HierarchyIndex, KeyIndex};
use members::Naming;
use paths::PathCoder;
use std::ops::Range;

/// What Process is doing: told now and then while it runs.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// The dimension or measure group that is being read.
    pub stage: &'a str,
    /// Rows of it read so far.
    pub rows: u64,
    /// Rows that it has, where that is known.
    pub total: Option<u64>,
}

/// Who is told of each [`Step`].
pub type Progress<'a> = dyn Fn(&Step<'_>) + Sync + 'a;

/// The members of a hierarchy as they are stored.
pub(crate) struct HierarchyData {
    /// The all level counts.
    pub(crate) levels: Vec<LevelData>,
    /// How many levels the definition has: without the all level.
    pub(crate) defined_levels: usize,
    pub(crate) default_member: MemberId,
    pub(crate) parent_child: bool,
    pub(crate) members: MemberTable,
}

/// A level as it is stored.
pub(crate) struct LevelData {
    pub(crate) members: Range<u32>,
    pub(crate) key_type: ColumnType,
    /// Types and values of the properties.
    pub(crate) properties: Vec<(ColumnType, ValueColumn)>,
}

/// What Process makes.
pub(crate) struct Processed {
    /// For each dimension its hierarchies.
    pub(crate) dimensions: Vec<Vec<HierarchyData>>,
    pub(crate) groups: Vec<GroupData>,
}

/// Loads everything that `definition` names. Finished segments go to `sink`.
pub(crate) fn process(
    definition: &Definition,
    source: &Source,
    sink: &mut Sink<'_>,
    (context, progress): (&Context, &Progress<'_>),
) -> Result<Processed> {
    let tables = source.open()?;
    let bound = bind::bind(definition, &tables, context)?;
    let mut indexes = Vec::new();
    for (at, dimension) in definition.dimensions.iter().enumerate() {
        let mut of_dimension = Vec::new();
        for (position, hierarchy) in dimension.hierarchies.iter().enumerate() {
            let naming = Naming { compatibility: definition.compatibility, dimension, hierarchy };
            let built = match &bound.dimensions[at][position] {
                BoundHierarchy { own: Some(own) } => build_own(&naming, own, context),
                BoundHierarchy { own: None } => build_degenerate(&naming, (at, position), definition, &bound, context),
            };
            let built = built.map_err(members::in_hierarchy(&hierarchy.place))?;
            let rows = built.data.members.len() as u64;
            progress(&Step { stage: &dimension.name, rows, total: Some(rows) });
            of_dimension.push(built);
        }
        indexes.push(of_dimension);
    }
    let mut groups = Vec::new();
    for (group, bound) in definition.measure_groups.iter().zip(&bound.groups) {
        groups.push(facts::load(bound, group, &mut indexes, sink, (context, progress))?);
    }
    let dimensions = indexes.into_iter().map(|d| d.into_iter().map(|h| h.data).collect()).collect();
    Ok(Processed { dimensions, groups })
}

fn build_own(naming: &Naming<'_>, own: &OwnTable<'_>, context: &Context) -> Result<HierarchyIndex> {
    let frame = own.relation.whole(context)?;
    let vectors: Result<Vec<LevelVectors>> = own.levels.iter().map(|l| l.evaluate(&frame)).collect();
    let vectors = vectors?;
    let (data, members) = build(naming, &vectors, &mut PathCoder::default(), context)?;
    if let Some(closure) = &own.closure {
        parent_child::check_closure(naming, &data, closure, context)?;
    }
    let primary_key = match &own.primary_key {
        Some(key) => Some(KeyIndex::new(key.evaluate(&frame)?.as_ref(), &members, context)?),
        None => None,
    };
    Ok(HierarchyIndex { data, primary_key, degenerate: None })
}

/// The hierarchy and the leaf member of each row.
fn build(
    naming: &Naming<'_>,
    vectors: &[LevelVectors],
    coder: &mut PathCoder,
    context: &Context,
) -> Result<(HierarchyData, Vec<u32>)> {
    if let ([level], [values]) = (&naming.hierarchy.levels[..], vectors)
        && level.parent.is_some()
    {
        return parent_child::build(naming, level, values, context);
    }
    let (built, paths) = members::build(naming, vectors, coder, context)?;
    let of_rows = paths.iter().map(|&p| built.leaves[p as usize]).collect();
    Ok((built.data, of_rows))
}

/// A hierarchy whose members are in the fact tables of the measure groups that link to it: only the first row of
/// each path of keys is kept.
fn build_degenerate(
    naming: &Naming<'_>,
    (dimension, position): (usize, usize),
    definition: &Definition,
    bound: &BoundDefinition<'_>,
    context: &Context,
) -> Result<HierarchyIndex> {
    if naming.hierarchy.levels.iter().any(|l| l.parent.is_some()) {
        return Err(facetta_model::Error::not_supported("a parent-child hierarchy in a fact table"));
    }
    let mut coder = PathCoder::default();
    let mut kept: Option<Vec<LevelVectors>> = None;
    let mut charge = context.charge("Process", 0)?;
    for (def, group) in definition.measure_groups.iter().zip(&bound.groups) {
        let links = def.links.iter().zip(&group.ways).filter(|(l, _)| l.dimension == dimension);
        let Some(Way::Degenerate(levels)) = links.map(|(_, ways)| &ways[position]).next() else { continue };
        for frame in group.relation.frames(context)? {
            let frame = frame?;
            let vectors: Result<Vec<LevelVectors>> = levels.iter().map(|l| l.evaluate(&frame)).collect();
            let vectors = vectors?;
            let mut known = coder.count(levels.len() - 1) as u32;
            let keys: Vec<_> = vectors.iter().map(|v| &v.key).collect();
            let paths = coder.encode(&keys, context)?.pop().unwrap_or_default();
            let mut first = Vec::new();
            for (row, &path) in paths.iter().enumerate() {
                if path == known {
                    first.push(row as u32);
                    known += 1;
                }
            }
            let mut vectors: Vec<LevelVectors> = vectors.into_iter().map(|v| v.take(&first)).collect();
            charge.grow(vectors.iter_mut().map(LevelVectors::bytes).sum())?;
            match &mut kept {
                None => kept = Some(vectors),
                Some(kept) => kept.iter_mut().zip(vectors).try_for_each(|(to, from)| to.append(from))?,
            }
        }
    }
    let Some(vectors) = kept else {
        facetta_model::bail!(Definition, "no fact table holds the members of '{}'", naming.hierarchy.name)
    };
    let (data, leaves) = build(naming, &vectors, &mut PathCoder::default(), context)?;
    Ok(HierarchyIndex { data, primary_key: None, degenerate: Some((coder, leaves)) })
}

/// The tables that a definition reads, by name, in order.
pub(crate) fn tables_of(definition: &Definition) -> Vec<String> {
    use facetta_model::definition::Relation;
    fn add(relation: &Relation, names: &mut Vec<String>) {
        match relation {
            Relation::Table { name, .. } => names.push(name.clone()),
            Relation::Join { left, right, .. } => {
                add(left, names);
                add(right, names);
            }
            Relation::Fact | Relation::Inline { .. } => {}
        }
    }
    let mut names = Vec::new();
    let hierarchies = definition.dimensions.iter().flat_map(|d: &DimensionDef| &d.hierarchies);
    hierarchies.for_each(|h: &HierarchyDef| add(&h.relation, &mut names));
    definition.measure_groups.iter().for_each(|g| add(&g.fact, &mut names));
    names.sort();
    names.dedup();
    names
}

/// An error of a definition with its place in front.
pub(crate) fn at_place(place: &facetta_model::definition::Place, error: &facetta_model::Error) -> facetta_model::Error {
    located(place, error)
}
