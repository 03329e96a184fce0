//! The member table of a hierarchy with levels: members numbered, ordered, named, hidden.

use super::bind::{LevelVectors, located};
use super::paths::PathCoder;
use super::vector::{Data, Type, Vector};
use super::{HierarchyData, LevelData};
use facetta_model::definition::{DataType, DimensionDef, HideMemberIf, HierarchyDef, LevelDef, Place};
use facetta_model::{
    ColumnType, Compatibility, Context, MemberId, MemberParts, MemberTable, Result, Strings, ValueColumn, ValueData,
    bail,
};

/// The members of a hierarchy and the leaf member of each path of keys.
pub(crate) struct BuiltHierarchy {
    pub(crate) data: HierarchyData,
    /// The member of the last level by the number of its path.
    pub(crate) leaves: Vec<u32>,
}

/// The columns of members while they are made, in breadth-first order.
#[derive(Default)]
pub(crate) struct Columns {
    pub(crate) names: Strings,
    captions: Option<Strings>,
    pub(crate) keys: Vec<ValueColumn>,
    pub(crate) parents: Vec<MemberId>,
    hidden: Option<Vec<bool>>,
    pub(crate) levels: Vec<LevelData>,
}

/// What naming a member needs besides its vectors.
pub(crate) struct Naming<'a> {
    pub(crate) compatibility: Compatibility,
    pub(crate) dimension: &'a DimensionDef,
    pub(crate) hierarchy: &'a HierarchyDef,
}

impl Columns {
    /// Begins with the all member, if there is one.
    pub(crate) fn new(naming: &Naming<'_>) -> Columns {
        let mut columns = Columns::default();
        if let Some(all) = &naming.hierarchy.all {
            let default_name = || naming.compatibility.all_member_name(&naming.hierarchy.name);
            columns.names.push(&all.member_name.clone().unwrap_or_else(default_name));
            if let Some(caption) = &all.member_caption {
                columns.captions = Some([caption].into_iter().collect());
            }
            columns.keys.push(ValueColumn { data: ValueData::Int(vec![0]), nulls: None });
            columns.parents.push(MemberId::NULL);
            columns.levels.push(LevelData { members: 0..1, key_type: ColumnType::Int, properties: Vec::new() });
        }
        columns
    }

    /// Appends a level: `rows` are the rows of `vectors` that its members come from, in their order.
    pub(crate) fn push_level(
        &mut self,
        level: &LevelDef,
        naming: &Naming<'_>,
        vectors: &LevelVectors,
        rows: &[u32],
        parents: &[MemberId],
    ) -> Result<()> {
        let start = self.parents.len() as u32;
        let in_level = |e| located(&level.place, &e);
        let keys = vectors.key.take(rows);
        let keys = keys.convert(level.key_type).map_err(in_level)?;
        let names = vectors.name.as_ref().map(|n| n.take(rows));
        let names = names.as_ref().unwrap_or(&keys);
        let null_name = naming.compatibility.null_member_name();
        for row in 0..rows.len() {
            let name = names.text(row);
            self.names.push(if names.is_null(row) { null_name } else { &name });
        }
        self.push_captions(vectors, rows);
        let hidden = self.hidden_in(level.hide_if, names, parents);
        if hidden.is_some() || self.hidden.is_some() {
            let all = self.hidden.get_or_insert_with(|| vec![false; start as usize]);
            all.extend(hidden.unwrap_or_else(|| vec![false; rows.len()]));
        }
        self.parents.extend_from_slice(parents);
        let mut properties = Vec::new();
        for (property, vector) in level.properties.iter().zip(&vectors.properties) {
            let values = vector.take(rows);
            let values = values.convert(property.data_type).map_err(|e| located(&property.place, &e))?;
            properties.push((column_type(&values, property.data_type), value_column(&values)));
        }
        let key_type = column_type(&keys, level.key_type);
        self.keys.push(value_column(&keys));
        self.levels.push(LevelData { members: start..start + rows.len() as u32, key_type, properties });
        if self.parents.len() >= MemberId::FIRST_CALCULATED as usize {
            bail!(Definition, "the hierarchy '{}' has too many members", naming.hierarchy.name);
        }
        Ok(())
    }

    fn push_captions(&mut self, vectors: &LevelVectors, rows: &[u32]) {
        let named = self.names.len() - rows.len();
        let own = vectors.caption.as_ref().map(|c| c.take(rows));
        if own.is_none() && self.captions.is_none() {
            return;
        }
        let names = &self.names;
        let captions = self.captions.get_or_insert_with(|| (0..named).map(|i| names.get(i)).collect());
        for row in 0..rows.len() {
            match &own {
                Some(own) if !own.is_null(row) => captions.push(&own.text(row)),
                _ => captions.push(names.get(named + row)),
            }
        }
    }

    /// Which members of a level are hidden; none if none is.
    fn hidden_in(&self, rule: HideMemberIf, names: &Vector, parents: &[MemberId]) -> Option<Vec<bool>> {
        let named = self.names.len() - parents.len();
        let hide = |row: usize| match rule {
            HideMemberIf::Never => false,
            HideMemberIf::BlankName => names.is_null(row) || names.text(row).trim().is_empty(),
            HideMemberIf::ParentsName => {
                let parent = parents[row];
                !parent.is_null() && self.names.get(parent.index()) == self.names.get(named + row)
            }
        };
        let hidden: Vec<bool> = (0..parents.len()).map(hide).collect();
        hidden.contains(&true).then_some(hidden)
    }

    /// The finished hierarchy.
    pub(crate) fn finish(self, naming: &Naming<'_>, parent_child: bool) -> Result<HierarchyData> {
        let members = MemberTable::new(MemberParts {
            names: self.names,
            captions: self.captions,
            keys: self.keys,
            parents: self.parents,
            hidden: self.hidden,
        })?;
        if members.depths() > usize::from(u8::MAX) {
            bail!(Definition, "the hierarchy '{}' is deeper than {} members", naming.hierarchy.name, u8::MAX);
        }
        let default_member = super::default_member::find(naming.dimension, naming.hierarchy, &members)
            .map_err(|e| located(&naming.hierarchy.place, &e))?;
        let defined_levels = naming.hierarchy.levels.len();
        Ok(HierarchyData { levels: self.levels, defined_levels, default_member, parent_child, members })
    }
}

/// Builds the members of a hierarchy with levels from the values of its rows.
pub(crate) fn build(
    naming: &Naming<'_>,
    vectors: &[LevelVectors],
    coder: &mut PathCoder,
    context: &Context,
) -> Result<(BuiltHierarchy, Vec<u32>)> {
    let _charge = context.charge("Process", vectors.first().map_or(0, |v| v.key.len() * 8 * vectors.len()))?;
    let keys: Vec<&Vector> = vectors.iter().map(|v| &v.key).collect();
    let mut paths = coder.encode(&keys, context)?;
    let mut columns = Columns::new(naming);
    let all = naming.hierarchy.all.is_some().then_some(MemberId(0));
    // The member of each path of the level above.
    let mut above: Option<Vec<u32>> = None;
    for (at, (level, vectors)) in naming.hierarchy.levels.iter().zip(vectors).enumerate() {
        let first_rows = first_rows(&paths[at], coder.count(at));
        let parent_of = |path: usize| match &above {
            None => all.unwrap_or(MemberId::NULL),
            Some(above) => MemberId(above[paths[at - 1][first_rows[path] as usize] as usize]),
        };
        let order = ordered(vectors, &first_rows, &parent_of, context)?;
        let rows: Vec<u32> = order.iter().map(|&p| first_rows[p as usize]).collect();
        let parents: Vec<MemberId> = order.iter().map(|&p| parent_of(p as usize)).collect();
        let start = columns.parents.len() as u32;
        columns.push_level(level, naming, vectors, &rows, &parents)?;
        if level.unique {
            warn_of_doubles(level, naming, coder.count(at), vectors, &rows, context)?;
        }
        let mut members = vec![0; order.len()];
        order.iter().enumerate().for_each(|(position, &path)| members[path as usize] = start + position as u32);
        above = Some(members);
    }
    let data = columns.finish(naming, false)?;
    Ok((BuiltHierarchy { data, leaves: above.unwrap_or_default() }, paths.pop().unwrap_or_default()))
}

/// The first row of each path.
fn first_rows(paths: &[u32], count: usize) -> Vec<u32> {
    let mut first = vec![u32::MAX; count];
    for (row, &path) in paths.iter().enumerate().rev() {
        first[path as usize] = row as u32;
    }
    first
}

/// The paths of a level by parent, then by ordinal or key, then by key, then as they came.
fn ordered(
    vectors: &LevelVectors,
    first_rows: &[u32],
    parent_of: &impl Fn(usize) -> MemberId,
    context: &Context,
) -> Result<Vec<u32>> {
    let key = vectors.key.take(first_rows);
    let ordinal = vectors.ordinal.as_ref().map(|o| o.take(first_rows));
    let (key, ordinal) = (key.ordered(), ordinal.as_ref().map(Vector::ordered));
    let parents: Vec<MemberId> = (0..first_rows.len()).map(parent_of).collect();
    let mut order: Vec<u32> = (0..first_rows.len() as u32).collect();
    context.check()?;
    order.sort_by(|&a, &b| {
        let by_parent = parents[a as usize].cmp(&parents[b as usize]);
        let by_ordinal = || ordinal.as_ref().map_or(std::cmp::Ordering::Equal, |o| o.compare(a, b));
        by_parent.then_with(by_ordinal).then_with(|| key.compare(a, b))
    });
    context.check()?;
    Ok(order)
}

/// A key that is said to be unique, but stands under several parents, makes several members: totals stay right.
fn warn_of_doubles(
    level: &LevelDef,
    naming: &Naming<'_>,
    count: usize,
    vectors: &LevelVectors,
    rows: &[u32],
    context: &Context,
) -> Result<()> {
    let keys = vectors.key.take(rows);
    let mut distinct = super::dictionary::Dictionary::new(keys.ty());
    let numbers = distinct.encode(&keys, context)?;
    let nulls = numbers.iter().filter(|n| **n == super::dictionary::NONE).count();
    let doubles = count - distinct.len() - nulls;
    if doubles > 0 {
        let (dimension, level) = (&naming.dimension.name, &level.name);
        tracing::warn!(%dimension, %level, doubles, "keys that should be unique stand under several parents");
    }
    Ok(())
}

/// The values as a column of the model.
pub(crate) fn value_column(vector: &Vector) -> ValueColumn {
    let data = match &vector.data {
        Data::Null(count) => ValueData::Str(std::iter::repeat_n("", *count).collect()),
        Data::Int(v) => ValueData::Int(v.clone()),
        Data::Decimal { units, scale: 0 } if units.iter().all(|u| i64::try_from(*u).is_ok()) => {
            ValueData::Int(units.iter().map(|&u| u as i64).collect())
        }
        Data::Decimal { .. } | Data::Double(_) => ValueData::Double(super::expression::doubles(vector).into_owned()),
        Data::Boolean(v) => ValueData::Boolean(v.clone()),
        Data::Date { micros, .. } => ValueData::Date(micros.iter().map(|&m| super::vector::to_civil(m)).collect()),
        Data::Text(v) => ValueData::Str(v.clone()),
    };
    let nulls = if vector.ty() == Type::Null { Some(vec![true; vector.len()]) } else { vector.nulls.clone() };
    ValueColumn { data, nulls }
}

/// The type on the wire of values that a definition wants as `wanted`.
fn column_type(vector: &Vector, wanted: DataType) -> ColumnType {
    match &vector.data {
        Data::Int(v) if v.iter().all(|i| i32::try_from(*i).is_ok()) => ColumnType::Int,
        Data::Int(_) => ColumnType::Long,
        Data::Decimal { .. } | Data::Double(_) => ColumnType::Double,
        Data::Boolean(_) => ColumnType::Boolean,
        Data::Date { .. } => ColumnType::DateTime,
        Data::Text(_) => ColumnType::String,
        Data::Null(_) => match wanted {
            DataType::String | DataType::Native => ColumnType::String,
            DataType::Integer => ColumnType::Int,
            DataType::Numeric => ColumnType::Double,
            DataType::Boolean => ColumnType::Boolean,
            DataType::Date | DataType::DateTime => ColumnType::DateTime,
        },
    }
}

/// The error of a place for a hierarchy.
pub(crate) fn in_hierarchy(place: &Place) -> impl Fn(facetta_model::Error) -> facetta_model::Error + '_ {
    move |e| located(place, &e)
}
