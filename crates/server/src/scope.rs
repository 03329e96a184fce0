//! What a session defines for itself: calculated members, named sets, cell calculations, subcubes, as text and as parsed.

use facetta_mdx::ast::{
    CreateCellCalculation, CreateMember, CreateSet, CreateSubcube, DefinitionScope, DropObjects, Identifier, Name,
    ObjectKind, Segment, Source, Statement, StatementKind,
};
use facetta_mdx::parse_statement;
use facetta_model::{Context, Error, Result, bail, error, name};
use facetta_query::{SessionDefinition, SessionScope};
use std::sync::Arc;

/// The definitions of a session, in order. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    definitions: Vec<Arc<Definition>>,
}

/// One definition.
#[derive(Debug)]
pub struct Definition {
    /// The catalog in which it was made.
    catalog: Arc<str>,
    /// The statement that made it.
    text: Arc<str>,
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
        let definition = |(catalog, text): &(Arc<str>, Arc<str>)| {
            // What a session kept was understood once; a statement that ran within limits parses within them.
            let parsed = parse_statement(text, &Context::unlimited()).and_then(|s| Parsed::of(s, None));
            Arc::new(Definition { catalog: catalog.clone(), text: text.clone(), parsed })
        };
        (!texts.is_empty()).then(|| Scope { definitions: texts.iter().map(definition).collect() })
    }

    /// Catalog and statement of each definition.
    pub fn texts(&self) -> Vec<(Arc<str>, Arc<str>)> {
        self.definitions.iter().map(|d| (d.catalog.clone(), d.text.clone())).collect()
    }

    /// Whether there is no definition.
    pub fn is_empty(&self) -> bool {
        self.definitions.is_empty()
    }

    /// The definitions for a catalog, as queries want them.
    ///
    /// # Errors
    /// One is no longer understood; the error names it.
    pub fn for_catalog(&self, catalog: &str) -> Result<SessionScope> {
        let mut scope = SessionScope::default();
        for definition in self.definitions.iter().filter(|d| name::same(&d.catalog, catalog)) {
            let parsed = definition.parsed.as_ref().map_err(|e| {
                error!(Invalid, "The session's definition '{}' is no longer understood: {e}", definition.text)
            })?;
            parsed.add_to(&mut scope, &definition.text);
        }
        Ok(scope)
    }

    /// The scope after a CREATE, and the cube that it is for. A subcube is made of the cube as subcubes before it leave it.
    ///
    /// # Errors
    /// The statement is not for a session, names no cube, or the name is taken.
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
                "The {} '{}' already exists in the session",
                kind.text().to_lowercase(),
                shown(&parsed.name)
            );
        }
        let mut scope = self.clone();
        let cube = parsed.cube.clone();
        scope.definitions.push(Arc::new(Definition { catalog: catalog.into(), text: text.into(), parsed: Ok(parsed) }));
        Ok((scope, cube))
    }

    /// The scope after a DROP. With a subcube goes what was made of it since.
    ///
    /// # Errors
    /// The statement is not for a session, or names what is not there; nothing is dropped then.
    pub fn without(&self, catalog: &str, drop: &DropObjects, cube: Option<&str>) -> Result<Scope> {
        if drop.scope == Some(DefinitionScope::Global) {
            return Err(Error::not_supported(format_args!("DROP GLOBAL {}", drop.kind.text())));
        }
        let mut scope = self.clone();
        for written in &drop.names {
            let (of_cube, wanted) = match drop.kind {
                ObjectKind::Subcube => (cube_alone(written, cube)?, Identifier { segments: Vec::new() }),
                _ => split(written, cube)?,
            };
            let Some(position) = scope.last(catalog, drop.kind, &of_cube, &wanted) else {
                bail!(
                    NotFound,
                    "The {} '{}' does not exist in the session, so it cannot be dropped",
                    drop.kind.text().to_lowercase(),
                    shown(written)
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
    fn is_of(&self, catalog: &str, cube: &str) -> bool {
        name::same(&self.catalog, catalog) && self.parsed.as_ref().is_ok_and(|p| name::same(&p.cube, cube))
    }
}

impl Parsed {
    fn of(statement: Statement, cube: Option<&str>) -> Result<Parsed> {
        let global = |scope: Option<DefinitionScope>, what: &str| match scope {
            Some(DefinitionScope::Global) => Err(Error::not_supported(format_args!("CREATE GLOBAL {what}"))),
            _ => Ok(()),
        };
        let (object, written) = match statement.kind {
            StatementKind::CreateMember(create) => {
                global(create.scope, "MEMBER")?;
                let written = create.member.name.clone();
                (Object::Member(create), written)
            }
            StatementKind::CreateSet(create) => {
                global(create.scope, "SET")?;
                let written = create.set.name.clone();
                (Object::Set(create), written)
            }
            StatementKind::CreateCellCalculation(create) => {
                global(create.scope, "CELL CALCULATION")?;
                let written = create.calculation.name.clone();
                (Object::CellCalculation(create), written)
            }
            StatementKind::CreateSubcube(create) => {
                global(create.scope, "SUBCUBE")?;
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

    fn add_to(&self, scope: &mut SessionScope, text: &Arc<str>) {
        let (cube, text) = (self.cube.clone(), text.clone());
        match &self.object {
            Object::Member(create) => {
                let mut definition = create.member.clone();
                definition.name = self.name.clone();
                scope.members.push(SessionDefinition { cube, visible: !create.hidden, definition, text });
            }
            Object::Set(create) => {
                let mut definition = create.set.clone();
                definition.name = self.name.clone();
                scope.sets.push(SessionDefinition { cube, visible: !create.hidden, definition, text });
            }
            Object::CellCalculation(create) => {
                let mut definition = create.calculation.clone();
                definition.name = self.name.clone();
                scope.cell_calculations.push(SessionDefinition { cube, visible: true, definition, text });
            }
            Object::Subcube(create) => {
                let definition = create.source.clone();
                scope.subcubes.push(SessionDefinition { cube, visible: true, definition, text });
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
