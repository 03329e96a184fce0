//! Filters by tuples: rows that belong to one of many combinations of members.

use crate::column::{Codes, with_codes};
use crate::plan::{FoundPath, NO_SLOT, check_member, members_of_codes};
use crate::segment::{CodeMap, Segment};
use facetta_model::{Charge, Context, Grain, MemberId, Path, Result, TupleFilter, bail};
use rustc_hash::{FxHashMap, FxHashSet};
use std::ops::Range;
use std::sync::Arc;

/// One tuple filter over the codes of segments that share their maps; a row passes if one of the shapes has it.
pub(crate) struct TupleTables {
    shapes: Vec<Shape>,
    _charge: Charge,
}

/// The tuples whose members stand at the same depths.
struct Shape {
    /// For each path its column, and for each code the position of its ancestor among the tuples' members.
    columns: Vec<(usize, Vec<u32>)>,
    /// How many positions each path has.
    sizes: Vec<u128>,
    /// The combined positions of each tuple.
    tuples: FxHashSet<u128>,
}

/// Builds the tables of a filter.
pub(crate) fn tuple_tables<'a>(
    filter: &TupleFilter,
    found: &impl Fn(Path) -> Result<FoundPath<'a>>,
    maps: &Arc<[CodeMap]>,
    context: &Context,
) -> Result<TupleTables> {
    let paths: Vec<FoundPath<'a>> = filter.paths.iter().map(|&p| found(p)).collect::<Result<_>>()?;
    let width = paths.len();
    if width == 0 || !filter.tuples.len().is_multiple_of(width) {
        bail!(Internal, "a tuple filter has incomplete tuples");
    }
    let mut charge = context.charge("Scan", filter.tuples.len() * 40)?;
    let mut by_depths: FxHashMap<Vec<u8>, Vec<&[MemberId]>> = FxHashMap::default();
    let mut step = 0;
    for tuple in filter.tuples.chunks_exact(width) {
        context.check_every(&mut step)?;
        let mut depths = Vec::with_capacity(width);
        for (member, path) in tuple.iter().zip(&paths) {
            check_member(*member, &path.hierarchy.members)?;
            depths.push(path.hierarchy.members.depth(*member) as u8);
        }
        by_depths.entry(depths).or_default().push(tuple);
    }
    let mut shapes = Vec::with_capacity(by_depths.len());
    for (depths, tuples) in by_depths {
        shapes.push(shape(&paths, &depths, &tuples, maps, (context, &mut charge))?);
    }
    Ok(TupleTables { shapes, _charge: charge })
}

fn shape(
    paths: &[FoundPath<'_>],
    depths: &[u8],
    tuples: &[&[MemberId]],
    maps: &Arc<[CodeMap]>,
    (context, charge): (&Context, &mut Charge),
) -> Result<Shape> {
    let mut columns = Vec::with_capacity(paths.len());
    let mut positions: Vec<FxHashMap<u32, u32>> = Vec::with_capacity(paths.len());
    for (at, (path, &depth)) in paths.iter().zip(depths).enumerate() {
        let mut position: FxHashMap<u32, u32> = FxHashMap::default();
        for tuple in tuples {
            let next = position.len() as u32;
            position.entry(tuple[at].0).or_insert(next);
        }
        let map = &maps[path.column];
        charge.grow(map.len() * 4)?;
        let mut of_codes = members_of_codes(Grain::Depth(depth), path.hierarchy, map, context)?;
        of_codes.iter_mut().for_each(|m| *m = position.get(m).copied().unwrap_or(NO_SLOT));
        columns.push((path.column, of_codes));
        positions.push(position);
    }
    let sizes: Vec<u128> = positions.iter().map(|p| p.len() as u128).collect();
    if sizes.iter().try_fold(1u128, |product, size| product.checked_mul(*size)).is_none() {
        bail!(ServerLimit, "a filter by tuples combines too many hierarchies");
    }
    let combine = |tuple: &&[MemberId]| {
        let each = tuple.iter().zip(&positions).zip(&sizes);
        each.fold(0u128, |key, ((member, position), size)| key * size + u128::from(position[&member.0]))
    };
    let mut keys = FxHashSet::default();
    let mut step = 0;
    for tuple in tuples {
        context.check_every(&mut step)?;
        keys.insert(combine(tuple));
    }
    Ok(Shape { columns, sizes, tuples: keys })
}

impl TupleTables {
    /// Clears the mask of the rows that belong to no tuple.
    pub(crate) fn restrict(&self, segment: &Segment, rows: Range<usize>, mask: &mut [u8]) {
        let mut any = vec![0u8; mask.len()];
        for shape in &self.shapes {
            let mut keys = vec![0u128; mask.len()];
            let mut inside = mask.to_vec();
            for ((column, positions), size) in shape.columns.iter().zip(&shape.sizes) {
                combine(&segment.paths[*column].codes, rows.clone(), positions, *size, (&mut keys, &mut inside));
            }
            for ((any, inside), key) in any.iter_mut().zip(&inside).zip(&keys) {
                if *inside != 0 && *any == 0 {
                    *any = u8::from(shape.tuples.contains(key));
                }
            }
        }
        mask.copy_from_slice(&any);
    }
}

fn combine(codes: &Codes, rows: Range<usize>, positions: &[u32], size: u128, (keys, inside): (&mut [u128], &mut [u8])) {
    use crate::column::Code;
    with_codes!(codes, codes => {
        for ((code, key), inside) in codes[rows].iter().zip(keys).zip(inside) {
            let position = positions.get(code.index()).copied().unwrap_or(NO_SLOT);
            *inside &= u8::from(position != NO_SLOT);
            *key = key.wrapping_mul(size).wrapping_add(u128::from(position));
        }
    });
}
