//! What a session defines for itself, or an administrator for everybody: calculated members, named sets, cell calculations,
//! subcubes, as text and as parsed.

use facetta_engine::DefinitionChange;
use facetta_mdx::ast::{
    CreateCellCalculation, CreateMember, CreateSet, CreateSubcube, DefinitionScope, DropObjects, Identifier, Name,
    ObjectKind, Segment, Source, Statement, StatementKind,
};
use facetta_mdx::parse_statement;
use facetta_model::catalog::Catalog;
use facetta_model::{Context, Error, Result, bail, error, name};
use facetta_query::{SessionDefinition, SessionScope, SessionSet, StaticSet};
use std::sync::Arc;

/// The definitions of a session, or of a catalog, in order. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    owner: Owner,
    definitions: Vec<Arc<Definition>>,
}

/// Whose definitions they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Owner {
    /// A session's: nobody else sees them.
    #[default]
    Session,
    /// Everybody's (GLOBAL).
    Catalog,
}

impl Owner {
    /// Whose definition is written with `scope`.
    pub fn of(scope: Option<DefinitionScope>) -> Owner {
        if scope == Some(DefinitionScope::Global) { Owner::Catalog } else { Owner::Session }
    }

    /// In messages.
    fn text(self) -> &'static str {
        match self {
            Owner::Session => "session",
            Owner::Catalog => "database",
        }
    }
}

/// Whose definition a CREATE makes.
pub fn owner_of(statement: &Statement) -> Owner {
    Owner::of(match &statement.kind {
        StatementKind::CreateMember(create) => create.scope,
        StatementKind::CreateSet(create) => create.scope,
        StatementKind::CreateCellCalculation(create) => create.scope,
        StatementKind::CreateSubcube(create) => create.scope,
        _ => None,
    })
}

/// One definition.
#[derive(Debug)]
pub struct Definition {
    /// The catalog in which it was made.
    catalog: Arc<str>,
    /// Tells it from the others of its owner.
    key: Arc<str>,
    /// The statement that made it.
    text: Arc<str>,
    /// What it is, if it is a static set.
    tuples: Arc<StaticSet>,
    /// What the statement says; an error if it is no longer understood, as after an update of the server.
    parsed: Result<Parsed>,
}

#[derive(Debug)]
struct Parsed {
    cube: String,
    /// Its name without the cube's; nothing of a subcube, which has the name of its cube.
    name: Identifier,
    object: Object,
}

#[derive(Debug)]
enum Object {
    Member(Box<CreateMember>),
    Set(Box<CreateSet>),
    CellCalculation(Box<CreateCellCalculation>),
    Subcube(Box<CreateSubcube>),
}

impl Object {
    fn kind(&self) -> ObjectKind {
        match self {
            Object::Member(_) => ObjectKind::Member,
            Object::Set(_) => ObjectKind::Set,
            Object::CellCalculation(_) => ObjectKind::CellCalculation,
            Object::Subcube(_) => ObjectKind::Subcube,
        }
    }
}

impl Scope {
    /// The scope of kept texts (catalog and statement); none if there are none.
    pub fn of_texts(texts: &[(Arc<str>, Arc<str>)]) -> Option<Scope> {
        let mut scope = Scope::default();
        texts.iter().for_each(|(catalog, text)| scope.push_text(catalog.clone(), None, text.clone()));
        (!texts.is_empty()).then_some(scope)
    }

    /// What is defined for everybody in a catalog.
    pub fn of_catalog(catalog: &Catalog) -> Scope {
        let mut scope = Scope { owner: Owner::Catalog, definitions: Vec::new() };
        let name: Arc<str> = catalog.name.as_str().into();
        for definition in &*catalog.global_definitions {
            scope.push_text(name.clone(), Some(definition.key.clone()), definition.text.clone());
        }
        scope
    }

    /// Adds a kept text; one that is no longer understood keeps its key.
    fn push_text(&mut self, catalog: Arc<str>, key: Option<Arc<str>>, text: Arc<str>) {
        // What was kept was understood once; a statement that ran within limits parses within them.
        let parsed = parse_statement(&text, &Context::unlimited()).and_then(|s| Parsed::of(s, None));
        let key = key.unwrap_or_else(|| match &parsed {
            Ok(parsed) => self.key_of(&catalog, parsed),
            Err(_) => text.clone(),
        });
        self.definitions.push(Arc::new(Definition { catalog, key, text, tuples: Arc::default(), parsed }));
    }

    /// The key of a definition that comes last. Subcubes of one cube lie on each other: each has its number.
    fn key_of(&self, catalog: &str, parsed: &Parsed) -> Arc<str> {
        let (kind, cube) = (parsed.object.kind(), name::fold(&parsed.cube));
        let below = self.definitions.iter().filter(|d| d.is_subcube_of(catalog, &parsed.cube)).count();
        match kind {
            ObjectKind::Subcube => format!("{}\0{cube}\0{below}", kind.text()).into(),
            _ => format!("{}\0{cube}\0{}", kind.text(), name::fold(&shown(&parsed.name))).into(),
        }
    }

    /// What has to be done to a catalog's definitions for them to be these and no more `before`.
    pub fn changes_since(&self, before: &Scope) -> Vec<DefinitionChange> {
        let has = |scope: &Scope, key: &str| scope.definitions.iter().any(|d| &*d.key == key);
        let gone = before.definitions.iter().filter(|d| !has(self, &d.key));
        let gone = gone.map(|d| DefinitionChange { key: d.key.clone(), text: None });
        let new = self.definitions.iter().filter(|d| !has(before, &d.key));
        let new = new.map(|d| DefinitionChange { key: d.key.clone(), text: Some(d.text.clone()) });
        gone.chain(new).collect()
    }

    /// Catalog and statement of each definition.
    pub fn texts(&self) -> Vec<(Arc<str>, Arc<str>)> {
        self.definitions.iter().map(|d| (d.catalog.clone(), d.text.clone())).collect()
    }

    /// Whether there is no definition.
    pub fn is_empty(&self) -> bool {
        self.definitions.is_empty()
    }

    /// Adds the definitions for a catalog, as queries want them.
    ///
    /// # Errors
    /// One is no longer understood; the error names it.
    pub fn add_to(&self, catalog: &str, scope: &mut SessionScope) -> Result<()> {
        for definition in self.definitions.iter().filter(|d| name::same(&d.catalog, catalog)) {
            let parsed = definition.parsed.as_ref().map_err(|e| {
                error!(
                    Invalid,
                    "The {}'s definition '{}' is no longer understood: {e}",
                    self.owner.text(),
                    definition.text
                )
            })?;
            parsed.add_to(scope, self.owner, definition);
        }
        Ok(())
    }

    /// The scope after a CREATE, and the cube that it is for. A subcube is made of the cube as subcubes before it leave it.
    ///
    /// # Errors
    /// The statement names no cube, or the name is taken.
    pub fn with(
        &self,
        catalog: &str,
        statement: &Statement,
        text: &str,
        cube: Option<&str>,
    ) -> Result<(Scope, String)> {
        let parsed = Parsed::of(statement.clone(), cube)?;
        let kind = parsed.object.kind();
        if kind != ObjectKind::Subcube && self.last(catalog, kind, &parsed.cube, &parsed.name).is_some() {
            bail!(
                Invalid,
                "The {} '{}' already exists in the {}",
                kind.text().to_lowercase(),
                shown(&parsed.name),
                self.owner.text()
            );
        }
        let mut scope = self.clone();
        let (cube, key) = (parsed.cube.clone(), self.key_of(catalog, &parsed));
        let definition =
            Definition { catalog: catalog.into(), key, text: text.into(), tuples: Arc::default(), parsed: Ok(parsed) };
        scope.definitions.push(Arc::new(definition));
        Ok((scope, cube))
    }

    /// The scope after a DROP. With a subcube goes what was made of it since.
    ///
    /// # Errors
    /// It names what is not there; nothing is dropped then.
    pub fn without(&self, catalog: &str, drop: &DropObjects, cube: Option<&str>) -> Result<Scope> {
        let mut scope = self.clone();
        for written in &drop.names {
            let (of_cube, wanted) = match drop.kind {
                ObjectKind::Subcube => (cube_alone(written, cube)?, Identifier { segments: Vec::new() }),
                _ => split(written, cube)?,
            };
            let Some(position) = scope.last(catalog, drop.kind, &of_cube, &wanted) else {
                bail!(
                    NotFound,
                    "The {} '{}' does not exist in the {}, so it cannot be dropped",
                    drop.kind.text().to_lowercase(),
                    shown(written),
                    self.owner.text()
                );
            };
            scope.definitions.remove(position);
            if drop.kind == ObjectKind::Subcube {
                let later = scope.definitions.split_off(position);
                scope.definitions.extend(later.into_iter().filter(|d| !d.is_of(catalog, &of_cube)));
            }
        }
        Ok(scope)
    }

    /// Where the last definition of a kind and name is.
    fn last(&self, catalog: &str, kind: ObjectKind, cube: &str, wanted: &Identifier) -> Option<usize> {
        self.definitions.iter().rposition(|d| {
            let fits = |p: &Parsed| p.object.kind() == kind && p.is(cube, wanted);
            name::same(&d.catalog, catalog) && d.parsed.as_ref().is_ok_and(fits)
        })
    }
}

impl Definition {
    fn is_subcube_of(&self, catalog: &str, cube: &str) -> bool {
        let subcube = |p: &Parsed| p.object.kind() == ObjectKind::Subcube;
        self.is_of(catalog, cube) && self.parsed.as_ref().is_ok_and(subcube)
    }

    fn is_of(&self, catalog: &str, cube: &str) -> bool {
        name::same(&self.catalog, catalog) && self.parsed.as_ref().is_ok_and(|p| name::same(&p.cube, cube))
    }
}

impl Parsed {
    fn of(statement: Statement, cube: Option<&str>) -> Result<Parsed> {
        let (object, written) = match statement.kind {
            StatementKind::CreateMember(create) => {
                let written = create.member.name.clone();
                (Object::Member(create), written)
            }
            StatementKind::CreateSet(create) => {
                let written = create.set.name.clone();
                (Object::Set(create), written)
            }
            StatementKind::CreateCellCalculation(create) => {
                let written = create.calculation.name.clone();
                (Object::CellCalculation(create), written)
            }
            StatementKind::CreateSubcube(create) => {
                let cube = cube_alone(&create.name, cube)?;
                check_source(&create, &cube)?;
                let name = Identifier { segments: Vec::new() };
                return Ok(Parsed { cube, name, object: Object::Subcube(create) });
            }
            _ => return Err(Error::internal("not a definition of a session")),
        };
        let (cube, name) = split(&written, cube)?;
        Ok(Parsed { cube, name, object })
    }

    fn is(&self, cube: &str, wanted: &Identifier) -> bool {
        let same = |(a, b): (&Segment, &Segment)| match (a.name(), b.name()) {
            (Some(a), Some(b)) => name::same(&a.text, &b.text),
            _ => a == b,
        };
        name::same(&self.cube, cube)
            && self.name.segments.len() == wanted.segments.len()
            && self.name.segments.iter().zip(&wanted.segments).all(same)
    }

    fn add_to(&self, all: &mut SessionScope, owner: Owner, kept: &Definition) {
        let (cube, text) = (self.cube.clone(), kept.text.clone());
        let scope = match owner {
            Owner::Session => facetta_model::Scope::Session,
            Owner::Catalog => facetta_model::Scope::Cube,
        };
        match &self.object {
            Object::Member(create) => {
                let mut definition = create.member.clone();
                definition.name = self.name.clone();
                all.members.push(SessionDefinition { cube, scope, visible: !create.hidden, definition, text });
            }
            Object::Set(create) => {
                let mut definition = create.set.clone();
                definition.name = self.name.clone();
                let subcubes = all.subcubes.iter().filter(|d| name::same(&d.cube, &cube)).count();
                let made = SessionDefinition { cube, scope, visible: !create.hidden, definition, text };
                all.sets.push(SessionSet { made, subcubes, tuples: kept.tuples.clone() });
            }
            Object::CellCalculation(create) => {
                let mut definition = create.calculation.clone();
                definition.name = self.name.clone();
                all.cell_calculations.push(SessionDefinition { cube, scope, visible: true, definition, text });
            }
            Object::Subcube(create) => {
                let definition = create.source.clone();
                all.subcubes.push(SessionDefinition { cube, scope, visible: true, definition, text });
            }
        }
    }
}

/// The cube that a definition's name begins with, and the rest. `CURRENTCUBE` is the property Cube of the request.
fn split(written: &Identifier, cube: Option<&str>) -> Result<(String, Identifier)> {
    let (first, rest) = match written.segments.split_first() {
        Some((Segment::Name(first), rest)) if !rest.is_empty() => (first, rest),
        _ => return Err(error!(Invalid, "The name '{}' does not begin with a cube", shown(written)).at(written.span())),
    };
    Ok((cube_named(first, cube)?, Identifier { segments: rest.to_vec() }))
}

/// The cube that a whole name is; the catalog's may stand before it.
fn cube_alone(written: &Identifier, cube: Option<&str>) -> Result<String> {
    match written.segments.as_slice() {
        [Segment::Name(first)] | [_, Segment::Name(first)] => cube_named(first, cube),
        _ => Err(error!(Invalid, "'{}' is not the name of a cube", shown(written)).at(written.span())),
    }
}

fn cube_named(first: &Name, cube: Option<&str>) -> Result<String> {
    match cube {
        Some(cube) if first.is_word("CURRENTCUBE") => Ok(cube.to_owned()),
        None if first.is_word("CURRENTCUBE") => {
            Err(error!(Invalid, "CURRENTCUBE needs the property Cube here; name the cube").at(first.span))
        }
        _ => Ok(first.text.to_string()),
    }
}

/// A subcube is made of the cube whose name it takes.
fn check_source(create: &CreateSubcube, cube: &str) -> Result<()> {
    let mut source = &create.source;
    let innermost = loop {
        match source {
            Source::Subselect(subselect) => source = &subselect.source,
            Source::Cube(identifier) => break identifier,
        }
    };
    let is_it = matches!(innermost.segments.last(), Some(Segment::Name(n)) if name::same(&n.text, cube));
    if is_it || innermost.single().is_some_and(|n| n.is_word("CURRENTCUBE")) {
        return Ok(());
    }
    let (made, of) = (shown(&create.name), shown(innermost));
    Err(error!(Invalid, "The subcube '{made}' cannot be made of '{of}': it takes the name of the cube that it narrows")
        .at(innermost.span()))
}

fn shown(identifier: &Identifier) -> String {
    let part = |s: &Segment| match s {
        Segment::Name(n) => name::quote(&n.text),
        Segment::Key(parts) => parts.iter().map(|p| format!("&{}", name::quote(&p.text))).collect(),
    };
    identifier.segments.iter().map(part).collect::<Vec<_>>().join(".")
}
