//! What a rowset is: a table of columns, each with its type, its restriction and its getter on one line.
//!
//! Restricting, the XML schema, DISCOVER_SCHEMA_ROWSETS, `$SYSTEM` queries and COMPAT.md all read the same table.

use crate::auth::User;
use crate::rowsets::value::{Wanted, accepts, order, parse_restriction, shares_bits};
use crate::server::Server;
use crate::session::Session;
use facetta_model::{Batch, Column, ColumnType, Context, Field, Result, Rowset, Snapshot, bail, name};
use facetta_xmla::{Properties, Restrictions};
use std::cmp::Ordering;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Type {
    Str,
    Bool,
    Short,
    UShort,
    Int,
    UInt,
    Long,
    ULong,
    Float,
    Double,
    Date,
    Uuid,
    Xml,
    Variant,
    /// A rowset within the row.
    Nested(&'static [(&'static str, Type)]),
}

impl Type {
    /// Its name on the wire, as DISCOVER_SCHEMA_ROWSETS gives it.
    pub const fn name(self) -> &'static str {
        match self {
            Type::Str => "xsd:string",
            Type::Bool => "xsd:boolean",
            Type::Short => "xsd:short",
            Type::UShort => "xsd:unsignedShort",
            Type::Int => "xsd:int",
            Type::UInt => "xsd:unsignedInt",
            Type::Long => "xsd:long",
            Type::ULong => "xsd:unsignedLong",
            Type::Float => "xsd:float",
            Type::Double => "xsd:double",
            Type::Date => "xsd:dateTime",
            Type::Uuid => "uuid",
            Type::Xml => "xmlDocument",
            Type::Variant => "variant",
            Type::Nested(_) => "nested",
        }
    }

    /// The type of a column of a result.
    pub fn column_type(self) -> ColumnType {
        match self {
            Type::Str => ColumnType::String,
            Type::Bool => ColumnType::Boolean,
            Type::Short => ColumnType::Short,
            Type::UShort => ColumnType::UnsignedShort,
            Type::Int => ColumnType::Int,
            Type::UInt => ColumnType::UnsignedInt,
            Type::Long => ColumnType::Long,
            Type::ULong => ColumnType::UnsignedLong,
            Type::Float => ColumnType::Float,
            Type::Double => ColumnType::Double,
            Type::Date => ColumnType::DateTime,
            Type::Uuid => ColumnType::Uuid,
            Type::Xml => ColumnType::Xml,
            Type::Variant => ColumnType::Variant,
            Type::Nested(columns) => {
                ColumnType::Nested(columns.iter().map(|&(name, ty)| Column::new(name, ty.column_type())).collect())
            }
        }
    }
}

/// Who may read a rowset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Everyone; of server state each sees his own part, which the rows function minds.
    Everyone,
    /// Server administrators only.
    Administrators,
}

/// A column of a rowset over rows of type `R`.
pub struct ColumnDef<R: 'static> {
    name: &'static str,
    ty: Type,
    always: bool,
    get: fn(&R) -> Field,
    restriction: Option<RestrictionDef>,
    bits: bool,
}

/// A name by which rows can be restricted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RestrictionDef {
    /// Its position among the rowset's restrictions: the bit in RestrictionsMask.
    pub bit: u8,
    /// The type of its value.
    pub ty: Type,
    /// Whether a request must give it.
    pub needed: bool,
}

/// A column that cannot be restricted.
pub const fn column<R>(name: &'static str, ty: Type, get: fn(&R) -> Field) -> ColumnDef<R> {
    ColumnDef { name, ty, always: false, get, restriction: None, bits: false }
}

/// A column that can be restricted; `bit` is its position among the restrictions.
pub const fn restriction<R>(bit: u8, name: &'static str, ty: Type, get: fn(&R) -> Field) -> ColumnDef<R> {
    ColumnDef {
        name,
        ty,
        always: false,
        get,
        restriction: Some(RestrictionDef { bit, ty, needed: false }),
        bits: false,
    }
}

impl<R> ColumnDef<R> {
    fn fits(&self, wanted: &[Field], row: &R) -> bool {
        let field = (self.get)(row);
        if self.bits { shares_bits(wanted, &field) } else { accepts(wanted, &field) }
    }
}

/// A column that every row has: the schema says so, and Excel drops a rowset that does not keep the promise.
pub const fn always<R>(mut column: ColumnDef<R>) -> ColumnDef<R> {
    column.always = true;
    column
}

/// A column that a request must restrict.
pub const fn needed<R>(mut column: ColumnDef<R>) -> ColumnDef<R> {
    if let Some(restriction) = &mut column.restriction {
        restriction.needed = true;
    }
    column
}

/// A column whose restriction is a bit mask: rows fit that have one of its bits.
pub const fn bits<R>(mut column: ColumnDef<R>) -> ColumnDef<R> {
    column.bits = true;
    column
}

/// A column whose restriction has another type than itself.
pub const fn restricted_as<R>(ty: Type, mut column: ColumnDef<R>) -> ColumnDef<R> {
    if let Some(restriction) = &mut column.restriction {
        restriction.ty = ty;
    }
    column
}

/// A restriction without a column; the rows function reads it of [`Ask::wanted`].
pub struct Extra {
    /// Its name.
    pub name: &'static str,
    /// Position, type, need.
    pub restriction: RestrictionDef,
}

/// A restriction without a column.
pub const fn extra(bit: u8, name: &'static str, ty: Type) -> Extra {
    Extra { name, restriction: RestrictionDef { bit, ty, needed: false } }
}

impl Extra {
    /// A request must give it.
    #[must_use]
    pub const fn needed(mut self) -> Self {
        self.restriction.needed = true;
        self
    }
}

/// A column that a request brings about.
pub struct Further<R> {
    /// The column.
    pub column: Column,
    /// Its value in a row.
    pub get: Box<dyn Fn(&R) -> Field + Send>,
}

/// The rows of a rowset, pulled one by one.
pub type Rows<R> = Box<dyn Iterator<Item = Result<R>> + Send>;

/// Rows that are there already.
pub fn rows_of<R: Send + 'static>(rows: impl IntoIterator<Item = R, IntoIter: Send + 'static>) -> Rows<R> {
    Box::new(rows.into_iter().map(Ok))
}

/// A rowset over rows of type `R`.
pub struct RowsetDef<R: 'static> {
    /// Its name.
    pub name: &'static str,
    /// Its GUID.
    pub guid: &'static str,
    /// A sentence about it.
    pub about: &'static str,
    /// Whether `$SYSTEM` has it.
    pub dmv: bool,
    /// Who may read it.
    pub audience: Audience,
    /// The columns in the order of the wire.
    pub columns: &'static [ColumnDef<R>],
    /// The columns by which the rows are sorted; none where they come in the order of what they describe.
    pub order: &'static [&'static str],
    /// Restrictions without a column.
    pub extra: &'static [Extra],
    /// The rows for a request. Restrictions on columns need not be minded: rows that do not meet them are left out after.
    pub rows: fn(&Ask) -> Result<Rows<R>>,
}

/// What a rowset is asked with.
#[derive(Clone)]
pub struct Ask {
    /// The server.
    pub server: Arc<Server>,
    /// The session in which it is asked.
    pub session: Arc<Session>,
    /// Who asks.
    pub user: Arc<User>,
    /// The properties of the request and its session.
    pub properties: Properties,
    /// The restrictions, checked and typed; empty until the rowset is opened.
    pub wanted: Vec<Wanted>,
    /// Token, deadline, memory, counters.
    pub context: Context,
}

impl Ask {
    /// The values wanted of a column or extra restriction; none if it is not restricted.
    pub fn wanted(&self, name: &str) -> Option<&[Field]> {
        self.wanted.iter().find(|w| w.name == name).map(|w| w.values.as_slice())
    }

    /// The one whole number wanted of a column, if one is.
    pub fn wanted_number(&self, name: &str) -> Option<i64> {
        match self.wanted(name)? {
            [Field::Int(number)] => Some(*number),
            [Field::Uint(number)] => i64::try_from(*number).ok(),
            _ => None,
        }
    }

    /// The one text wanted of a column, if one is.
    pub fn wanted_text(&self, name: &str) -> Option<&str> {
        match self.wanted(name)? {
            [field] => field.as_str(),
            _ => None,
        }
    }

    /// The name of the current catalog: the property, the session's, or the default one.
    ///
    /// # Errors
    /// The server has none.
    pub fn catalog_name(&self) -> Result<Arc<str>> {
        match self.properties.catalog() {
            Some(given) => self.server.catalogs.canonical(given, &self.user.name),
            None => match self.session.state().catalog.clone() {
                Some(current) => Ok(current),
                None => self.server.catalogs.default_name(),
            },
        }
    }

    /// The current catalog as the session's transaction sees it; without one, its newest version.
    ///
    /// # Errors
    /// There is none, or it does not answer.
    pub fn snapshot(&self) -> Result<Arc<dyn Snapshot>> {
        let within = self.session.changes();
        self.server.catalogs.snapshot(&self.catalog_name()?, &self.user.name, within.as_deref())
    }
}

/// What the table says of a column, whatever its rows are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColumnInfo {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub ty: Type,
    /// Whether a row may leave it out.
    pub optional: bool,
}

/// A rowset, whatever its rows are.
pub trait Table: Sync {
    /// Its name.
    fn name(&self) -> &'static str;
    /// Its GUID.
    fn guid(&self) -> &'static str;
    /// A sentence about it.
    fn about(&self) -> &'static str;
    /// Whether `$SYSTEM` has it.
    fn is_dmv(&self) -> bool;
    /// Who may read it.
    fn audience(&self) -> Audience;
    /// The columns in the order of the wire.
    fn columns(&self) -> Vec<ColumnInfo>;
    /// The columns by which the rows are sorted.
    fn order(&self) -> &'static [&'static str];
    /// The restrictions by bit.
    fn restrictions(&self) -> Vec<(&'static str, RestrictionDef)>;
    /// The rows that `ask` wants under `restrictions`.
    ///
    /// # Errors
    /// The user may not, a restriction is unknown, missing or of the wrong type, or the rows cannot be told.
    fn open(&'static self, ask: Ask, restrictions: &Restrictions) -> Result<Rowset>;

    /// The column of a name, in whatever case.
    fn column(&self, wanted: &str) -> Option<(usize, ColumnInfo)> {
        self.columns().into_iter().enumerate().find(|(_, c)| name::same(c.name, wanted))
    }
}

/// Rows of the first batch: few, so that the first bytes leave soon.
const FIRST_BATCH: usize = 32;
/// Rows of a batch.
const BATCH: usize = 1024;

impl<R: Send + 'static> RowsetDef<R> {
    /// Opens it with columns that follow those of the table, which a request may bring about.
    ///
    /// # Errors
    /// As [`Table::open`], and those of `further`.
    pub fn open_with(
        &'static self,
        mut ask: Ask,
        restrictions: &Restrictions,
        further: fn(&Ask) -> Result<Vec<Further<R>>>,
    ) -> Result<Rowset> {
        if self.audience == Audience::Administrators && !ask.user.admin {
            bail!(
                Permission,
                "Either the user, '{}', does not have permission to request the {} rowset, or the rowset does not exist.",
                ask.user.name,
                self.name
            );
        }
        ask.wanted = check_restrictions(self, restrictions)?;
        let filters: Vec<(&ColumnDef<R>, Vec<Field>)> = self
            .columns
            .iter()
            .filter(|c| c.restriction.is_some())
            .filter_map(|c| ask.wanted(c.name).map(|values| (c, values.to_vec())))
            .collect();
        let further = further(&ask)?;
        let mut columns: Vec<Column> = self.columns().into_iter().map(model_column).collect();
        columns.extend(further.iter().map(|f| f.column.clone()));
        let width = columns.len();
        let mut rows = self.sorted((self.rows)(&ask)?, &ask.context)?;
        let mut size = FIRST_BATCH;
        let source = move |context: &Context| {
            context.check()?;
            let mut batch = Batch::new(width);
            let mut step = 0;
            for row in rows.by_ref() {
                context.check_every(&mut step)?;
                let row = row?;
                if !filters.iter().all(|(column, values)| column.fits(values, &row)) {
                    continue;
                }
                batch.push(self.columns.iter().map(|c| (c.get)(&row)).chain(further.iter().map(|f| (f.get)(&row))));
                if batch.len() >= size {
                    break;
                }
            }
            size = BATCH;
            context.counters().cells.fetch_add(batch.len() as u64, Relaxed);
            Ok(Some(batch).filter(|b| !b.is_empty()))
        };
        Ok(Rowset::new(columns, Box::new(source)))
    }

    /// The rows by the columns of `order`, equal ones as they came.
    fn sorted(&'static self, rows: Rows<R>, context: &Context) -> Result<Rows<R>> {
        if self.order.is_empty() {
            return Ok(rows);
        }
        let by = |name: &&str| self.columns.iter().find(|c| c.name == *name);
        let columns: Vec<&ColumnDef<R>> = self.order.iter().filter_map(by).collect();
        let mut keyed = Vec::new();
        let mut step = 0;
        for row in rows {
            context.check_every(&mut step)?;
            let row = row?;
            let key: Vec<Field> = columns.iter().map(|c| (c.get)(&row)).collect();
            keyed.push((key, row));
        }
        let compare = |a: &[Field], b: &[Field]| {
            let unequal = a.iter().zip(b).map(|(a, b)| order(a, b)).find(|o| o.is_ne());
            unequal.unwrap_or(Ordering::Equal)
        };
        keyed.sort_by(|(a, _), (b, _)| compare(a, b));
        Ok(rows_of(keyed.into_iter().map(|(_, row)| row)))
    }
}

impl<R: Send + 'static> Table for RowsetDef<R> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn guid(&self) -> &'static str {
        self.guid
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn is_dmv(&self) -> bool {
        self.dmv
    }

    fn audience(&self) -> Audience {
        self.audience
    }

    fn columns(&self) -> Vec<ColumnInfo> {
        self.columns.iter().map(|c| ColumnInfo { name: c.name, ty: c.ty, optional: !c.always }).collect()
    }

    fn order(&self) -> &'static [&'static str] {
        self.order
    }

    fn restrictions(&self) -> Vec<(&'static str, RestrictionDef)> {
        let of_columns = self.columns.iter().filter_map(|c| c.restriction.map(|r| (c.name, r)));
        let mut all: Vec<_> = of_columns.chain(self.extra.iter().map(|e| (e.name, e.restriction))).collect();
        all.sort_by_key(|(_, r)| r.bit);
        all
    }

    fn open(&'static self, ask: Ask, restrictions: &Restrictions) -> Result<Rowset> {
        self.open_with(ask, restrictions, |_| Ok(Vec::new()))
    }
}

/// A column of a result, as the table has it.
pub fn model_column(column: ColumnInfo) -> Column {
    Column { name: column.name.into(), ty: column.ty.column_type(), optional: column.optional }
}

/// The restrictions of a request by the rules of spec/protocol.md section 3.
fn check_restrictions(table: &dyn Table, given: &Restrictions) -> Result<Vec<Wanted>> {
    let known = table.restrictions();
    let mut wanted = Vec::new();
    for one in given.iter() {
        let Some((name, def)) = known.iter().find(|(name, _)| name::same(name, &one.name)) else {
            bail!(
                RestrictionUnknown,
                "XML for Analysis parser: The restriction, {}, is not recognized by the server.",
                one.name
            );
        };
        if let Some(values) = parse_restriction(name, def.ty, &one.values)? {
            wanted.push(Wanted { name, values });
        }
    }
    for (name, def) in known {
        if def.needed && !wanted.iter().any(|w| w.name == name) {
            bail!(
                RestrictionRequired,
                "XML for Analysis parser: The {name} restriction is required but is missing from the request."
            );
        }
    }
    Ok(wanted)
}
