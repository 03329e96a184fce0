//! Relations: tables, joins of tables, rows written in a definition; checked, then read frame by frame.

use super::dictionary::{Dictionary, NONE};
use super::expression::{Bound, Frame, FrameColumn, resolve};
use super::source::{Table, Tables};
use super::vector::{Data, Vector};
use facetta_model::definition::{DataType, Relation};
use facetta_model::{Context, Error, Result, Strings, bail};
use std::sync::Arc;

/// Joins nest at most so deep.
const MAX_DEPTH: usize = 50;

/// A relation whose tables and columns exist.
pub(crate) struct Opened<'a> {
    node: Node<'a>,
    /// All columns that expressions may name.
    pub(crate) columns: Vec<FrameColumn>,
    /// Which of them are read.
    used: Vec<bool>,
}

enum Node<'a> {
    Table { table: &'a Table<'a>, start: usize, width: usize, filter: Option<Bound> },
    Join { left: Box<Node<'a>>, left_key: usize, right: Box<Node<'a>>, right_key: usize },
    Inline { start: usize, columns: Vec<Vector> },
}

/// Frames, one after the other.
pub(crate) type Frames<'s> = Box<dyn Iterator<Item = Result<Frame>> + 's>;

impl<'a> Opened<'a> {
    /// Finds the tables and columns of `relation`.
    pub(crate) fn new(relation: &Relation, tables: &'a Tables<'a>, context: &Context) -> Result<Opened<'a>> {
        let mut opened =
            Opened { node: Node::Inline { start: 0, columns: Vec::new() }, columns: Vec::new(), used: Vec::new() };
        opened.node = opened.open(relation, tables, context, 0)?;
        Ok(opened)
    }

    fn open(
        &mut self,
        relation: &Relation,
        tables: &'a Tables<'a>,
        context: &Context,
        depth: usize,
    ) -> Result<Node<'a>> {
        if depth > MAX_DEPTH {
            bail!(Definition, "joins nest deeper than {MAX_DEPTH}");
        }
        let start = self.columns.len();
        match relation {
            Relation::Fact => bail!(Definition, "a fact table must be a table"),
            Relation::Table { name, alias, filter } => {
                let table = tables.find(name)?;
                let alias = if alias.is_empty() { name } else { alias };
                if self.columns.iter().any(|c| c.table == *alias) {
                    bail!(Definition, "two tables are called '{alias}': one needs an alias of its own");
                }
                let own = table.frame_columns(alias, context)?;
                let width = own.len();
                self.add(own);
                // The filter sees its own table only.
                let visible: Vec<FrameColumn> = self.columns[start..].to_vec();
                let filter = filter.as_ref().map(|f| Bound::new(f, &visible)).transpose()?;
                if let Some(filter) = &filter {
                    filter.columns(&mut |at| self.used[start + at] = true);
                }
                Ok(Node::Table { table, start, width, filter })
            }
            Relation::Join { left, left_key, right, right_key } => {
                let left = self.open(left, tables, context, depth + 1)?;
                let middle = self.columns.len();
                let right = self.open(right, tables, context, depth + 1)?;
                let left_key = start + resolve(left_key, &self.columns[start..middle])?;
                let right_key = middle + resolve(right_key, &self.columns[middle..])?;
                self.used[left_key] = true;
                self.used[right_key] = true;
                Ok(Node::Join { left: Box::new(left), left_key, right: Box::new(right), right_key })
            }
            Relation::Inline { alias, columns, rows } => {
                let vectors = inline(columns, rows)?;
                let own = columns.iter().zip(&vectors).map(|((name, _), v)| FrameColumn {
                    table: alias.clone(),
                    name: name.clone(),
                    ty: Some(v.ty()),
                });
                self.add(own.collect());
                Ok(Node::Inline { start, columns: vectors })
            }
        }
    }

    fn add(&mut self, columns: Vec<FrameColumn>) {
        self.used.resize(self.used.len() + columns.len(), false);
        self.columns.extend(columns);
    }

    /// Says that the columns of `bound` will be read.
    pub(crate) fn want(&mut self, bound: &Bound) {
        bound.columns(&mut |at| self.used[at] = true);
    }

    /// How many rows it has, if it is one table that knows.
    pub(crate) fn rows(&self, context: &Context) -> Option<u64> {
        match &self.node {
            Node::Table { table, filter: None, .. } => table.info(context).ok()?.rows,
            Node::Inline { columns, .. } => columns.first().map(|c| c.len() as u64),
            _ => None,
        }
    }

    /// Reads it, frame by frame; the right sides of joins are held in memory.
    pub(crate) fn frames<'s>(&'s self, context: &'s Context) -> Result<Frames<'s>> {
        self.read(&self.node, context)
    }

    /// Reads it as one frame.
    pub(crate) fn whole(&self, context: &Context) -> Result<Frame> {
        self.collect(&self.node, context)
    }

    fn collect(&self, node: &Node<'a>, context: &Context) -> Result<Frame> {
        let mut charge = context.charge("Process", 0)?;
        let mut whole: Option<Frame> = None;
        for frame in self.read(node, context)? {
            let frame = frame?;
            charge.grow(frame.columns.iter().map(Vector::bytes).sum())?;
            match &mut whole {
                None => whole = Some(frame),
                Some(whole) => {
                    whole.rows += frame.rows;
                    for (to, from) in whole.columns.iter_mut().zip(&frame.columns) {
                        context.check()?;
                        to.append(from)?;
                    }
                }
            }
        }
        // No frame at all: no rows of the right types.
        Ok(whole.unwrap_or_else(|| self.placeholder(0)))
    }

    /// A frame whose columns are all empty.
    fn placeholder(&self, rows: usize) -> Frame {
        let columns = self.columns.iter().map(|c| c.ty.map_or_else(|| Vector::null(0), Vector::empty));
        Frame { columns: columns.collect(), rows }
    }

    fn read<'s>(&'s self, node: &'s Node<'a>, context: &'s Context) -> Result<Frames<'s>> {
        match node {
            Node::Table { table, start, width, filter } => self.read_table(table, *start, *width, filter, context),
            Node::Inline { start, columns } => {
                let mut frame = self.placeholder(columns.first().map_or(0, Vector::len));
                frame.columns[*start..*start + columns.len()].clone_from_slice(columns);
                Ok(Box::new(std::iter::once(Ok(frame))))
            }
            Node::Join { left, left_key, right, right_key } => {
                let right = self.collect(right, context)?;
                let joiner = Joiner::new(right, *right_key, context)?;
                let left_key = *left_key;
                let frames = self.read(left, context)?;
                Ok(Box::new(frames.map(move |frame| joiner.join(frame?, left_key, &self.used, context))))
            }
        }
    }

    fn read_table<'s>(
        &'s self,
        table: &'s Table<'a>,
        start: usize,
        width: usize,
        filter: &'s Option<Bound>,
        context: &'s Context,
    ) -> Result<Frames<'s>> {
        let used = self.used[start..start + width].iter().enumerate();
        let mut wanted: Vec<usize> = used.filter(|(_, used)| **used).map(|(at, _)| at).collect();
        if wanted.is_empty() {
            // Rows must be counted even where no column is asked for.
            wanted.extend(self.columns[start..start + width].iter().position(|c| c.ty.is_some()));
        }
        let wanted: Arc<[usize]> = wanted.into();
        let batches = table.read(wanted.clone(), context)?;
        Ok(Box::new(batches.map(move |vectors| {
            let vectors = vectors?;
            let rows = vectors.first().map_or(0, Vector::len);
            let mut frame = self.placeholder(rows);
            for (&at, vector) in wanted.iter().zip(vectors) {
                frame.columns[start + at] = vector;
            }
            match filter {
                None => Ok(frame),
                Some(filter) => self.filtered(frame, start, width, filter),
            }
        })))
    }

    fn filtered(&self, mut frame: Frame, start: usize, width: usize, filter: &Bound) -> Result<Frame> {
        let own = Frame { columns: frame.columns.drain(start..start + width).collect(), rows: frame.rows };
        let keep = filter.evaluate(&own)?;
        let Data::Boolean(values) = &keep.data else {
            bail!(Definition, "the condition of a table is {}, not true or false", keep.ty().name());
        };
        let rows: Vec<u32> =
            (0..own.rows as u32).filter(|&r| values[r as usize] && !keep.is_null(r as usize)).collect();
        let taken = own.columns.iter().map(|c| if c.len() == own.rows { c.take(&rows) } else { c.clone() });
        frame.columns.splice(start..start, taken);
        frame.rows = rows.len();
        Ok(frame)
    }
}

/// The right side of a join, by key.
struct Joiner {
    right: Frame,
    keys: Dictionary,
    /// The rows of each key: `rows[starts[k]..starts[k + 1]]`.
    starts: Vec<u32>,
    rows: Vec<u32>,
}

impl Joiner {
    fn new(right: Frame, key: usize, context: &Context) -> Result<Joiner> {
        let column = &right.columns[key];
        let mut keys = Dictionary::new(column.ty());
        let numbers = keys.encode(column, context)?;
        keys.freeze();
        let mut starts = vec![0u32; keys.len() + 2];
        numbers.iter().filter(|&&n| n != NONE).for_each(|&n| starts[n as usize + 2] += 1);
        (1..starts.len()).for_each(|i| starts[i] += starts[i - 1]);
        let mut rows = vec![0; starts.last().copied().unwrap_or(0) as usize];
        for (row, &n) in numbers.iter().enumerate().filter(|(_, n)| **n != NONE) {
            let at = &mut starts[n as usize + 1];
            rows[*at as usize] = row as u32;
            *at += 1;
        }
        Ok(Joiner { right, keys, starts, rows })
    }

    /// An inner join: rows without a partner are left out.
    fn join(&self, mut left: Frame, left_key: usize, used: &[bool], context: &Context) -> Result<Frame> {
        let numbers = self.keys.find(&left.columns[left_key], context)?;
        let (mut left_rows, mut right_rows) = (Vec::new(), Vec::new());
        for (row, &n) in numbers.iter().enumerate().filter(|(_, n)| **n != NONE) {
            let partners = &self.rows[self.starts[n as usize] as usize..self.starts[n as usize + 1] as usize];
            left_rows.resize(left_rows.len() + partners.len(), row as u32);
            right_rows.extend_from_slice(partners);
        }
        for (at, column) in left.columns.iter_mut().enumerate().filter(|(at, _)| used[*at]) {
            let right = &self.right.columns[at];
            // Either side has the columns of the other as empty ones.
            if column.len() == left.rows && left.rows > 0 {
                *column = column.take(&left_rows);
            } else if right.len() == self.right.rows && self.right.rows > 0 {
                *column = right.take(&right_rows);
            }
        }
        left.rows = left_rows.len();
        Ok(left)
    }
}

fn inline(columns: &[(String, DataType)], rows: &[Vec<Option<String>>]) -> Result<Vec<Vector>> {
    if rows.iter().any(|r| r.len() != columns.len()) {
        bail!(Definition, "a row of an inline table has not as many values as there are columns");
    }
    let column = |(at, (name, ty)): (usize, &(String, DataType))| {
        let texts: Strings = rows.iter().map(|r| r[at].as_deref().unwrap_or("")).collect();
        let nulls = rows.iter().map(|r| r[at].is_none()).collect();
        let texts = Vector::new(Data::Text(texts), Some(nulls));
        let values = texts.convert(*ty);
        values
            .map(std::borrow::Cow::into_owned)
            .map_err(|e| Error::new(e.kind(), format!("column '{name}': {}", e.message())))
    };
    columns.iter().enumerate().map(column).collect()
}
