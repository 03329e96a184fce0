//! The rowsets of a query: which columns there are, and the rows they start with.

use super::{Flow, Query, Row, expression, join};
use crate::rowsets::definition::{Ask, ColumnInfo, Table, Type};
use crate::rowsets::value::parse_field;
use crate::rowsets::{find, unknown};
use facetta_mdx::ast::{DmvColumn, DmvExpression, DmvExpressionKind, DmvOperator, DmvSource};
use facetta_model::{Error, ErrorKind, Field, Location, Result, Rowset, bail, name};
use facetta_xmla::{Restriction, Restrictions};

/// A column of the rowsets of a query.
pub(crate) struct ScopeColumn {
    /// The rowset's name, and its alias.
    table: (&'static str, Option<String>),
    /// The column.
    pub info: ColumnInfo,
}

/// The columns of all rowsets of a query, one after the other.
pub(crate) struct Scope {
    /// The columns; their positions are those in a row.
    pub columns: Vec<ScopeColumn>,
}

impl Scope {
    /// The position of a column.
    ///
    /// # Errors
    /// There is none of the name, or more than one.
    pub(crate) fn find(&self, column: &DmvColumn, text: &str) -> Result<usize> {
        let of_table = |c: &ScopeColumn| match &column.table {
            None => true,
            Some(table) => {
                let alias = c.table.1.as_deref();
                name::same(alias.unwrap_or(c.table.0), &table.text)
            }
        };
        let mut found = (0..self.columns.len())
            .filter(|&i| of_table(&self.columns[i]) && name::same(self.columns[i].info.name, &column.name.text));
        match (found.next(), found.next()) {
            (Some(index), None) => Ok(index),
            (Some(_), Some(_)) => {
                let message = format!("The column '{}' is in more than one of the rowsets", column.name.text);
                Err(Error::new(ErrorKind::Invalid, message).at(column.span()).located_in(text))
            }
            (None, _) => {
                // In the words of Analysis Services (spec/dmv.md section 5), which have the place within.
                let at = Location::of(column.span(), text);
                let message = format!(
                    "Error (Data mining): The specified DMX column was not found in the context at line {}, column {}.",
                    at.start_line, at.start_column
                );
                Err(Error::new(ErrorKind::NotFound, message))
            }
        }
    }

    fn add(&mut self, table: &dyn Table, source: &DmvSource) {
        let alias = source.alias.as_ref().map(|a| a.text.to_string());
        let columns = table.columns().into_iter();
        self.columns.extend(columns.map(|info| ScopeColumn { table: (table.name(), alias.clone()), info }));
    }
}

/// Opens the rowsets of a query and joins them.
///
/// # Errors
/// A rowset is unknown, cannot be read, or a name in a join is unknown.
pub(crate) fn open_sources(ask: &Ask, query: &Query<'_>) -> Result<(Scope, Flow)> {
    let first = table(&query.select.source)?;
    let mut scope = Scope { columns: Vec::new() };
    scope.add(first, &query.select.source);
    let alone = query.select.joins.is_empty();
    let hints = query.select.filter.iter().filter(|_| alone).flat_map(|f| hints(first, query, f)).collect();
    let mut flow = open(ask, query, first, &query.select.source, hints)?;
    for one in &query.select.joins {
        let right = table(&one.source)?;
        let left_width = scope.columns.len();
        scope.add(right, &one.source);
        let rows = open(ask, query, right, &one.source, Vec::new())?;
        flow = join::joined(flow, rows, &scope, left_width, query, one)?;
    }
    Ok((scope, flow))
}

fn table(source: &DmvSource) -> Result<&'static dyn Table> {
    find(&source.rowset.text).filter(|t| t.is_dmv()).ok_or_else(|| unknown(&source.rowset.text))
}

fn open(
    ask: &Ask,
    query: &Query<'_>,
    table: &'static dyn Table,
    source: &DmvSource,
    hints: Vec<Restriction>,
) -> Result<Flow> {
    let mut restrictions = hints;
    let mut exact = None;
    for one in &source.restrictions {
        let value = expression::literal(query, &one.value)?;
        let text = match &value {
            Field::Boolean(b) => b.to_string(),
            Field::Int(i) => i.to_string(),
            Field::Double(d) => d.to_string(),
            other => expression::text(other).unwrap_or_default(),
        };
        // Case counts in this one (spec/dmv.md section 2).
        if name::same(&one.name.text, "CATALOG_NAME") {
            exact = table.column("CATALOG_NAME").map(|(index, _)| (index, text.clone()));
        }
        restrictions.push(Restriction { name: one.name.text.to_string(), values: vec![text] });
    }
    let is_given = |wanted: &str| restrictions.iter().any(|r| name::same(&r.name, wanted));
    if let Some((missing, _)) = table.restrictions().into_iter().find(|(name, def)| def.needed && !is_given(name)) {
        bail!(
            RestrictionRequired,
            "The '{missing}' restriction is required but is missing from the request. Consider using SYSTEMRESTRICTSCHEMA to \
             provide restrictions."
        );
    }
    let rowset = table.open(ask.clone(), &Restrictions::new(restrictions))?;
    Ok(flow(rowset, table.columns().len(), exact))
}

/// The rows of a rowset, of which a query sees the columns that the table has: what follows them depends on the request.
fn flow(rowset: Rowset, width: usize, exact: Option<(usize, String)>) -> Flow {
    let mut source = rowset.rows;
    Box::new(move |context| {
        let Some(batch) = source(context)? else { return Ok(None) };
        let fits = |row: &Row| exact.as_ref().is_none_or(|(index, text)| row[*index].as_str() == Some(text));
        Ok(Some(batch.rows().map(|row| row[..width].to_vec()).filter(fits).collect()))
    })
}

/// Comparisons that must hold in every row, as restrictions: a rowset may know how to find such rows without a look at the
/// others. WHERE still looks at what comes.
fn hints(table: &dyn Table, query: &Query<'_>, filter: &DmvExpression) -> Vec<Restriction> {
    match &filter.kind {
        DmvExpressionKind::And(all) => all.iter().flat_map(|one| hints(table, query, one)).collect(),
        DmvExpressionKind::Compare(compare) if compare.operator == DmvOperator::Equal => {
            let sides = [(&compare.left, &compare.right), (&compare.right, &compare.left)];
            sides.into_iter().find_map(|(column, value)| hint(table, query, column, value)).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn hint(table: &dyn Table, query: &Query<'_>, column: &DmvExpression, value: &DmvExpression) -> Option<Restriction> {
    let DmvExpressionKind::Column(column) = &column.kind else { return None };
    let (_, info) = table.column(&column.name.text)?;
    let (_, def) = table.restrictions().into_iter().find(|(name, _)| *name == info.name)?;
    // Only what compares the same way as a restriction and as a condition.
    if def.ty != info.ty || !matches!(info.ty, Type::Str | Type::Int | Type::UInt | Type::Long | Type::ULong) {
        return None;
    }
    let text = expression::text(&expression::literal(query, value).ok()?).filter(|t| !t.trim().is_empty())?;
    parse_field(def.ty, &text).ok()?;
    Some(Restriction { name: info.name.to_owned(), values: vec![text] })
}
