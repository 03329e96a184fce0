//! A definition bound to a source: every table and column that it names is found, or every error is told at once.

use super::expression::{Bound, Frame, FrameColumn};
use super::relation::Opened;
use super::source::Tables;
use super::vector::{Type, Vector};
use facetta_model::definition::{
    Aggregator, ClosureDef, ColumnRef, Definition, Expression, HierarchyDef, LevelDef, LinkDef, MeasureGroupDef, Place,
    Relation,
};
use facetta_model::{Context, Error, ErrorKind, Result, bail, error, name};

/// A definition whose tables and columns exist.
pub(crate) struct BoundDefinition<'a> {
    /// For each dimension its hierarchies.
    pub(crate) dimensions: Vec<Vec<BoundHierarchy<'a>>>,
    pub(crate) groups: Vec<BoundGroup<'a>>,
}

/// A hierarchy with the table of its members.
pub(crate) struct BoundHierarchy<'a> {
    /// None if the members are in the fact tables.
    pub(crate) own: Option<OwnTable<'a>>,
}

/// The relation of a hierarchy, with its levels.
pub(crate) struct OwnTable<'a> {
    pub(crate) relation: Opened<'a>,
    pub(crate) primary_key: Option<Bound>,
    pub(crate) levels: Vec<BoundLevel>,
    /// The closure table of a parent-child level, with its ancestors and members.
    pub(crate) closure: Option<(Opened<'a>, Bound, Bound)>,
}

/// The expressions of a level.
pub(crate) struct BoundLevel {
    pub(crate) key: Bound,
    name: Option<Bound>,
    caption: Option<Bound>,
    ordinal: Option<Bound>,
    parent: Option<Bound>,
    properties: Vec<Bound>,
}

/// The values of a level's expressions in some rows.
pub(crate) struct LevelVectors {
    pub(crate) key: Vector,
    pub(crate) name: Option<Vector>,
    pub(crate) caption: Option<Vector>,
    pub(crate) ordinal: Option<Vector>,
    pub(crate) parent: Option<Vector>,
    pub(crate) properties: Vec<Vector>,
}

/// A fact table with its measures and ways to hierarchies.
pub(crate) struct BoundGroup<'a> {
    pub(crate) relation: Opened<'a>,
    /// The values of each measure; none for a count of rows.
    pub(crate) measures: Vec<Option<(Bound, Type)>>,
    /// For each link, for each hierarchy of its dimension, the way.
    pub(crate) ways: Vec<Vec<Way>>,
}

/// How a fact row finds its member.
pub(crate) enum Way {
    /// The hierarchy does not have the level at which the facts attach.
    Unreachable,
    /// By the primary key of the hierarchy's table.
    PrimaryKey(Bound),
    /// By the key of the level at this position among the definition's levels.
    LevelKey(Bound, usize),
    /// The levels' keys are in the fact row itself.
    Degenerate(Vec<BoundLevel>),
}

/// An error of a definition with its place: `file:line: element: message`.
pub(crate) fn located(place: &Place, error: &Error) -> Error {
    if error.is_interrupt() {
        return error.clone();
    }
    let mut text = String::new();
    if !place.file.is_empty() {
        text.push_str(&place.file);
        text.push_str(&format!(":{}: ", place.line));
    }
    if !place.element.is_empty() {
        text.push_str(&place.element);
        text.push_str(": ");
    }
    text.push_str(error.message());
    Error::new(error.kind(), text)
}

/// Errors that are told together.
#[derive(Default)]
struct Errors(Vec<Error>);

impl Errors {
    fn keep<T>(&mut self, place: &Place, result: Result<T>) -> Option<T> {
        result.map_err(|e| self.0.push(located(place, &e))).ok()
    }

    fn finish(mut self) -> Result<()> {
        if let Some(interrupt) = self.0.iter().position(Error::is_interrupt) {
            return Err(self.0.swap_remove(interrupt));
        }
        match self.0.len() {
            0 => Ok(()),
            1 => Err(self.0.swap_remove(0)),
            _ => {
                let mut lines: Vec<&str> = self.0.iter().map(Error::message).collect();
                lines.dedup();
                Err(Error::new(ErrorKind::Definition, lines.join("\n")))
            }
        }
    }
}

/// Binds `definition` to `tables`.
pub(crate) fn bind<'a>(
    definition: &Definition,
    tables: &'a Tables<'a>,
    context: &Context,
) -> Result<BoundDefinition<'a>> {
    let mut errors = Errors::default();
    let mut dimensions = Vec::new();
    for dimension in &definition.dimensions {
        let bound =
            dimension.hierarchies.iter().map(|h| BoundHierarchy { own: own_table(h, tables, context, &mut errors) });
        dimensions.push(bound.collect::<Vec<_>>());
    }
    let mut groups = Vec::new();
    for group in &definition.measure_groups {
        context.check()?;
        groups.extend(bind_group(group, definition, (tables, context), &mut errors));
    }
    errors.finish()?;
    Ok(BoundDefinition { dimensions, groups })
}

fn own_table<'a>(
    hierarchy: &HierarchyDef,
    tables: &'a Tables<'a>,
    context: &Context,
    errors: &mut Errors,
) -> Option<OwnTable<'a>> {
    if hierarchy.levels.is_empty() {
        errors.keep::<()>(&hierarchy.place, Err(error!(Definition, "a hierarchy needs a level")));
    }
    let parent_child = hierarchy.levels.iter().any(|l| l.parent.is_some());
    if parent_child && hierarchy.levels.len() > 1 {
        let message = "a parent-child level together with other levels";
        errors.keep::<()>(&hierarchy.place, Err(Error::not_supported(message)));
    }
    if hierarchy.relation == Relation::Fact {
        return None;
    }
    let mut relation = errors.keep(&hierarchy.place, Opened::new(&hierarchy.relation, tables, context))?;
    let primary_key = hierarchy
        .primary_key
        .as_ref()
        .and_then(|key| errors.keep(&hierarchy.place, Bound::new(&Expression::Column(key.clone()), &relation.columns)));
    primary_key.iter().for_each(|key| relation.want(key));
    let levels = bind_levels(&hierarchy.levels, &mut relation, errors)?;
    let closure = hierarchy.levels.iter().find_map(|level| {
        let closure = level.parent.as_ref()?.closure.as_ref()?;
        errors.keep(&level.place, bind_closure(closure, tables, context))
    });
    Some(OwnTable { relation, primary_key, levels, closure })
}

fn bind_closure<'a>(
    closure: &ClosureDef,
    tables: &'a Tables<'a>,
    context: &Context,
) -> Result<(Opened<'a>, Bound, Bound)> {
    let table = Relation::Table { name: closure.table.clone(), alias: closure.table.clone(), filter: None };
    let mut relation = Opened::new(&table, tables, context)?;
    let mut column = |name: &String| {
        let bound = Bound::new(&Expression::column(name), &relation.columns)?;
        relation.want(&bound);
        Ok::<Bound, Error>(bound)
    };
    let (parent, child) = (column(&closure.parent_column)?, column(&closure.child_column)?);
    Ok((relation, parent, child))
}

fn bind_levels(levels: &[LevelDef], relation: &mut Opened<'_>, errors: &mut Errors) -> Option<Vec<BoundLevel>> {
    let mut bound = Vec::new();
    for level in levels {
        let mut one = |e: &Expression, place: &Place| {
            let found = errors.keep(place, Bound::new(e, &relation.columns))?;
            relation.want(&found);
            Some(found)
        };
        let key = one(&level.key, &level.place);
        let mut optional = |e: &Option<Expression>| e.as_ref().and_then(|e| one(e, &level.place));
        let (name, caption) = (optional(&level.name_expression), optional(&level.caption_expression));
        let ordinal = optional(&level.ordinal);
        let parent = level.parent.as_ref().and_then(|p| one(&p.key, &level.place));
        let properties = level.properties.iter().filter_map(|p| one(&p.value, &p.place)).collect();
        bound.extend(key.map(|key| BoundLevel { key, name, caption, ordinal, parent, properties }));
    }
    Some(bound)
}

impl BoundLevel {
    /// Its values in each row of `frame`.
    pub(crate) fn evaluate(&self, frame: &Frame) -> Result<LevelVectors> {
        let optional = |bound: &Option<Bound>| -> Result<Option<Vector>> {
            bound.as_ref().map(|b| b.evaluate(frame).map(std::borrow::Cow::into_owned)).transpose()
        };
        let properties: Result<Vec<Vector>> =
            self.properties.iter().map(|p| Ok(p.evaluate(frame)?.into_owned())).collect();
        Ok(LevelVectors {
            key: self.key.evaluate(frame)?.into_owned(),
            name: optional(&self.name)?,
            caption: optional(&self.caption)?,
            ordinal: optional(&self.ordinal)?,
            parent: optional(&self.parent)?,
            properties: properties?,
        })
    }
}

impl LevelVectors {
    fn each(&mut self) -> impl Iterator<Item = &mut Vector> {
        let options = [&mut self.name, &mut self.caption, &mut self.ordinal, &mut self.parent];
        [&mut self.key].into_iter().chain(options.into_iter().flatten()).chain(&mut self.properties)
    }

    /// Only the rows at `rows`.
    pub(crate) fn take(mut self, rows: &[u32]) -> LevelVectors {
        self.each().for_each(|v| *v = v.take(rows));
        self
    }

    /// Appends the rows of `other`, which are of the same level.
    pub(crate) fn append(&mut self, mut other: LevelVectors) -> Result<()> {
        self.each().zip(other.each()).try_for_each(|(to, from)| to.append(from))
    }

    /// Bytes held, about.
    pub(crate) fn bytes(&mut self) -> usize {
        self.each().map(|v| v.bytes()).sum()
    }
}

fn bind_group<'a>(
    group: &MeasureGroupDef,
    definition: &Definition,
    (tables, context): (&'a Tables<'a>, &Context),
    errors: &mut Errors,
) -> Option<BoundGroup<'a>> {
    let mut relation = errors.keep(&group.place, Opened::new(&group.fact, tables, context))?;
    let mut measures = Vec::new();
    for measure in &group.measures {
        let bound = measure_value(measure.aggregator, measure.value.as_ref(), &relation.columns);
        let bound = errors.keep(&measure.place, bound).flatten();
        bound.iter().for_each(|(value, _)| relation.want(value));
        measures.push(bound);
    }
    let mut ways = Vec::new();
    for link in &group.links {
        let Some(dimension) = definition.dimensions.get(link.dimension) else {
            errors.keep::<()>(&link.place, Err(error!(Definition, "the link '{}' has no dimension", link.name)));
            continue;
        };
        let reached = link.level.as_ref().is_none_or(|wanted| {
            dimension.hierarchies.iter().any(|h| h.levels.iter().any(|l| name::same(&l.name, wanted)))
        });
        if !reached {
            let level = link.level.as_deref().unwrap_or("");
            let missing = error!(Definition, "the dimension '{}' has no level '{level}'", dimension.name);
            errors.keep::<()>(&link.place, Err(missing));
        }
        let of_link = dimension.hierarchies.iter().map(|h| {
            let way = bind_way(link, h, &group.fact, &mut relation, errors);
            errors.keep(&link.place, way).unwrap_or(Way::Unreachable)
        });
        ways.push(of_link.collect());
    }
    Some(BoundGroup { relation, measures, ways })
}

fn measure_value(
    aggregator: Aggregator,
    value: Option<&Expression>,
    columns: &[FrameColumn],
) -> Result<Option<(Bound, Type)>> {
    let Some(value) = value else {
        if aggregator == Aggregator::Count {
            return Ok(None);
        }
        bail!(Definition, "a measure that is not a count needs a column or an expression");
    };
    let bound = Bound::new(value, columns)?;
    let ty = bound.ty(columns)?;
    let counts = matches!(aggregator, Aggregator::Count | Aggregator::DistinctCount);
    if !counts && !ty.is_number() && !matches!(ty, Type::Boolean | Type::Null) {
        bail!(Definition, "the values of a {aggregator:?} must be numbers, not {}", ty.name());
    }
    Ok(Some((bound, ty)))
}

fn bind_way(
    link: &LinkDef,
    hierarchy: &HierarchyDef,
    fact: &Relation,
    relation: &mut Opened<'_>,
    errors: &mut Errors,
) -> Result<Way> {
    let mut column = |expression: &Expression| {
        let bound = Bound::new(expression, &relation.columns)?;
        relation.want(&bound);
        Ok::<Bound, Error>(bound)
    };
    match (&link.foreign_key, &link.level, &hierarchy.relation) {
        (_, None, Relation::Fact) => {
            Ok(bind_levels(&hierarchy.levels, relation, errors).map_or(Way::Unreachable, Way::Degenerate))
        }
        (_, Some(_), Relation::Fact) => {
            bail!(Definition, "facts cannot attach to a higher level of a hierarchy that is in the fact table")
        }
        (Some(key), Some(level), _) => {
            let at = hierarchy.levels.iter().position(|l| name::same(&l.name, level));
            let Some(at) = at else { return Ok(Way::Unreachable) };
            // The last level is reached by the primary key as ever.
            if at + 1 == hierarchy.levels.len() && hierarchy.primary_key.is_some() {
                return Ok(Way::PrimaryKey(column(key)?));
            }
            Ok(Way::LevelKey(column(key)?, at))
        }
        (Some(key), None, _) => {
            if hierarchy.primary_key.is_none() {
                bail!(Definition, "the hierarchy '{}' has no primary key for facts to point to", hierarchy.name);
            }
            Ok(Way::PrimaryKey(column(key)?))
        }
        // Without a foreign key the fact table must be the dimension's table: its own key leads to its row.
        (None, _, own) => match &hierarchy.primary_key {
            Some(key) if main_table(own).is_some_and(|t| main_table(fact).is_some_and(|f| name::same(t, f))) => {
                let key = ColumnRef { table: None, column: key.column.clone() };
                Ok(Way::PrimaryKey(column(&Expression::Column(key))?))
            }
            _ => bail!(Definition, "the link '{}' needs a foreign key: its table is not the fact table", link.name),
        },
    }
}

/// The first table of a relation.
fn main_table(relation: &Relation) -> Option<&str> {
    let mut at = relation;
    loop {
        match at {
            Relation::Table { name, .. } => return Some(name),
            Relation::Join { left, .. } => at = left,
            Relation::Fact | Relation::Inline { .. } => return None,
        }
    }
}
