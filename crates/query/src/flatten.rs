//! A cell set as a rowset: the flattening of OLE DB for OLAP (spec/results.md section 3).

use facetta_model::{
    AxisHierarchy, AxisTuples, Batch, CellBlock, CellSet, CellSource, Charge, Column, ColumnType, Context, Field,
    HierarchyId, LevelId, MemberId, Members, Property, Result, Rowset, Value,
};
use std::sync::Arc;

/// Rows in a batch.
const BATCH_ROWS: usize = 1024;

/// A column that shows a member of an axis, or its ancestor, at one level.
struct LabelColumn {
    /// The axis, 1 or more.
    axis: usize,
    /// The position in the axis' tuples.
    position: usize,
    hierarchy: HierarchyId,
    level: LevelId,
    property: Property,
}

/// The cell set as a rowset: columns for the levels of the axes 1 and up, then one for each tuple of axis 0; a row for
/// each combination of tuples of the axes 1 and up, at most `max_rows` where given. The slicer and cell properties
/// other than VALUE are not shown.
///
/// # Errors
/// The columns do not fit the command's memory; interrupts.
pub fn flatten(cells: CellSet, max_rows: Option<u64>, context: &Context) -> Result<Rowset> {
    let names = cells.members.cube.compatibility.name_encoding();
    let mut columns = Vec::new();
    let mut labels = Vec::new();
    for (axis, shown) in cells.axes.iter().enumerate().skip(1).rev() {
        for (position, hierarchy) in shown.hierarchies.iter().enumerate() {
            let deepest = deepest_level(&cells.members, &shown.tuples, position);
            let target = (axis, position);
            label_columns(&cells.members, hierarchy, target, deepest, shown.properties_asked, &mut |column, label| {
                columns.push(column);
                labels.push(label);
            });
        }
    }
    let charge = value_columns(&cells, &mut columns, context)?;
    let width = columns.len();
    let values = width - labels.len();
    let inner = cells.axes.iter().skip(1).fold(1u64, |n, a| n.saturating_mul(a.tuples.len()));
    // An empty axis 0 leaves no cells, but the rows of the others; without any other there is nothing to show.
    let rows = if width == 0 { 0 } else { inner.min(max_rows.unwrap_or(u64::MAX)) };
    let mut flattening = Flattening {
        members: cells.members,
        tuples: cells.axes.into_iter().skip(1).map(|a| a.tuples).collect(),
        labels,
        values,
        cells: Pulled { source: cells.cells, block: CellBlock::default(), next: 0, done: false },
        row: 0,
        rows,
        _columns: charge,
    };
    Ok(Rowset { names, ..Rowset::new(columns, Box::new(move |context| flattening.pull(context))) })
}

/// The deepest level that occurs at a position of the tuples; none if only the all member, or nothing, does.
fn deepest_level(members: &Members, tuples: &AxisTuples, position: usize) -> Option<LevelId> {
    let hierarchy = *tuples.hierarchies().get(position)?;
    let shown = tuples.members_at(position).filter(|m| !m.is_null());
    shown.map(|m| members.level(hierarchy, m)).max()
}

fn label_columns(
    members: &Members,
    shown: &AxisHierarchy,
    (axis, position): (usize, usize),
    deepest: Option<LevelId>,
    properties_asked: bool,
    add: &mut dyn FnMut(Column, LabelColumn),
) {
    let Some(deepest) = deepest else { return };
    let hierarchy = members.hierarchy(shown.id);
    let first = u32::from(hierarchy.has_all);
    for level in (first..=deepest.0).map(LevelId) {
        let prefix = members.level_unique_name(shown.id, level);
        let mut label = |name: &str, property: Property, ty: ColumnType| {
            let label = LabelColumn { axis, position, hierarchy: shown.id, level, property };
            add(Column::new(format!("{prefix}.[{name}]"), ty), label);
        };
        if !properties_asked || shown.properties.is_empty() {
            label("MEMBER_CAPTION", Property::MemberCaption, ColumnType::String);
            continue;
        }
        for asked in &shown.properties {
            match asked.property {
                Property::Level { level: of, .. } if of != level => {}
                _ => label(&asked.name, asked.property.clone(), ColumnType::Variant),
            }
        }
    }
}

/// A column for each tuple of axis 0, named by its members; without axes one for the measure of the slicer. All of them are
/// there before the first row, and charged.
fn value_columns(cells: &CellSet, columns: &mut Vec<Column>, context: &Context) -> Result<Charge> {
    let members = &cells.members;
    let mut charge = context.charge("Columns", 0)?;
    match cells.axes.first() {
        Some(axis) => {
            let mut step = 0;
            for tuple in axis.tuples.iter() {
                context.check_every(&mut step)?;
                let name = tuple_name(members, axis.tuples.hierarchies(), &tuple);
                charge.grow(size_of::<Column>() + name.len())?;
                columns.push(Column::new(name, ColumnType::Variant));
            }
        }
        None => {
            let slicer = &cells.slicer.tuples;
            let at = slicer.hierarchies().iter().position(|&h| h == HierarchyId::MEASURES);
            let measure = at.filter(|_| !slicer.is_empty()).map(|p| slicer.member(0, p));
            let name = members.unique_name(HierarchyId::MEASURES, measure.unwrap_or(MemberId(0)));
            columns.push(Column::new(name, ColumnType::Variant));
        }
    }
    Ok(charge)
}

fn tuple_name(members: &Members, hierarchies: &[HierarchyId], tuple: &[MemberId]) -> String {
    let mut name = String::new();
    for (&hierarchy, &member) in hierarchies.iter().zip(tuple) {
        if !name.is_empty() {
            name.push('.');
        }
        members.write_unique_name(&mut name, hierarchy, member);
    }
    name
}

struct Flattening {
    members: Arc<Members>,
    /// The tuples of the axes 1 and up.
    tuples: Vec<AxisTuples>,
    labels: Vec<LabelColumn>,
    /// Value columns: tuples of axis 0, or one.
    values: usize,
    cells: Pulled,
    row: u64,
    rows: u64,
    /// What the columns are charged with, for as long as there are rows.
    _columns: Charge,
}

impl Flattening {
    fn pull(&mut self, context: &Context) -> Result<Option<Batch>> {
        if self.row >= self.rows {
            return Ok(None);
        }
        let width = self.labels.len() + self.values;
        let mut batch = Batch::new(width);
        let end = self.rows.min(self.row + (BATCH_ROWS.min(1 + 65_536 / width.max(1)) as u64));
        let mut step = 0;
        while self.row < end {
            context.check_every(&mut step)?;
            let mut fields = Vec::with_capacity(width);
            fields.extend(self.labels.iter().map(|l| self.label(l)));
            let first = self.row * self.values as u64;
            for ordinal in first..first + self.values as u64 {
                fields.push(self.cells.at(ordinal, context)?);
            }
            batch.push(fields);
            self.row += 1;
        }
        Ok(Some(batch))
    }

    fn label(&self, label: &LabelColumn) -> Field {
        let mut index = self.row;
        for tuples in &self.tuples[..label.axis - 1] {
            index /= tuples.len();
        }
        let tuples = &self.tuples[label.axis - 1];
        let member = tuples.member(index % tuples.len(), label.position);
        let mut at = member;
        while !at.is_null() && self.members.level(label.hierarchy, at) > label.level {
            at = self.members.parent(label.hierarchy, at);
        }
        if at.is_null() || self.members.level(label.hierarchy, at) != label.level {
            return Field::Null;
        }
        match self.members.property(label.hierarchy, at, &label.property) {
            Value::Empty => Field::Null,
            Value::Str(s) => Field::Shared(s),
            value => Field::Value(value),
        }
    }
}

/// A source of cells, read forward by ordinal.
struct Pulled {
    source: CellSource,
    block: CellBlock,
    next: usize,
    done: bool,
}

impl Pulled {
    /// The value of the cell; ordinals must be asked for in ascending order.
    fn at(&mut self, ordinal: u64, context: &Context) -> Result<Field> {
        loop {
            match self.block.ordinals.get(self.next) {
                Some(&o) if o < ordinal => self.next += 1,
                Some(&o) if o == ordinal => {
                    return Ok(Field::Value(std::mem::take(&mut self.block.values[self.next])));
                }
                Some(_) => return Ok(Field::Null),
                None if self.done => return Ok(Field::Null),
                None => match (self.source)(context)? {
                    Some(block) => (self.block, self.next) = (block, 0),
                    None => self.done = true,
                },
            }
        }
    }
}
