//! MDSCHEMA_MEMBERS: the members of hierarchies, by level, by name, by place in the tree.

use super::sets::scope;
use super::{View, views};
use crate::rowsets::definition::{
    Ask, Audience, ColumnInfo, Further, RestrictionDef, Rows, RowsetDef, Table, Type::*, column, extra, restriction,
};
use facetta_model::{
    Column, Context, Field, HierarchyId, LevelId, MemberId, Members, Property, Result, Rowset, Value, bail, name,
};
use facetta_xmla::Restrictions;

/// A member of a hierarchy.
pub struct MemberRow {
    view: View,
    id: HierarchyId,
    member: MemberId,
}

impl MemberRow {
    fn members(&self) -> &Members {
        &self.view.described.members
    }

    fn property(&self, property: Property) -> Field {
        self.members().property(self.id, self.member, &property).into()
    }

    fn key(&self) -> Field {
        match self.members().property(self.id, self.member, &Property::MemberKey) {
            Value::Empty => Field::Null,
            key => key.to_string().into(),
        }
    }
}

/// TREE_OP: which relatives of the member are wanted.
mod tree {
    pub(super) const CHILDREN: i64 = 0x01;
    pub(super) const SIBLINGS: i64 = 0x02;
    pub(super) const PARENT: i64 = 0x04;
    pub(super) const SELF: i64 = 0x08;
    pub(super) const DESCENDANTS: i64 = 0x10;
    pub(super) const ANCESTORS: i64 = 0x20;
    pub(super) const ALL: i64 = 0x3F;
}

fn members(ask: &Ask) -> Result<Rows<MemberRow>> {
    let operation = ask.wanted_number("TREE_OP").unwrap_or(tree::SELF);
    if operation & !tree::ALL != 0 {
        bail!(TypeMismatch, "The following system error occurred:  Out of present range. ");
    }
    let views = views(ask)?;
    if let Some(names) = ask.wanted("MEMBER_UNIQUE_NAME") {
        let names: Vec<String> = names.iter().filter_map(|f| Some(f.as_str()?.to_owned())).collect();
        let context = ask.context.clone();
        let relatives = move |view: View| {
            let of_name = |text: &String| relatives(&view, text, operation, &context);
            let found: Result<Vec<_>> = names.iter().map(of_name).collect();
            match found {
                Ok(rows) => rows.into_iter().flatten().map(Ok).collect::<Vec<_>>(),
                Err(error) => vec![Err(error)],
            }
        };
        return Ok(Box::new(views.into_iter().flat_map(relatives)));
    }
    let hierarchy = ask.wanted_text("HIERARCHY_UNIQUE_NAME").map(str::to_owned);
    let dimension = ask.wanted_text("DIMENSION_UNIQUE_NAME").map(str::to_owned);
    let level = ask.wanted_text("LEVEL_UNIQUE_NAME").map(str::to_owned);
    let all = move |view: View| {
        let (hierarchy, dimension, level) = (hierarchy.clone(), dimension.clone(), level.clone());
        let wanted = {
            let view = view.clone();
            move |id: &HierarchyId| {
                let same = |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|w| name::same(w, is));
                same(&hierarchy, &view.hierarchy(*id).0.unique_name)
                    && same(&dimension, &view.dimension(*id).unique_name)
            }
        };
        let shown = view.hierarchies().filter(wanted);
        shown.flat_map(move |id| of_hierarchy(&view, id, level.as_deref()))
    };
    Ok(Box::new(views.into_iter().flat_map(all).map(Ok)))
}

/// The members of a hierarchy, or of its level of a unique name, in the order of the tree; calculated ones last.
fn of_hierarchy(view: &View, id: HierarchyId, level: Option<&str>) -> impl Iterator<Item = MemberRow> + Send + use<> {
    let hierarchy = &view.hierarchy(id).1;
    let names = &view.described.members;
    let wanted = level.map(|l| {
        let at = (0..hierarchy.levels.len()).find(|&i| name::same(&names.level_unique_name(id, i.into()), l));
        at.map(LevelId::from)
    });
    let range = match wanted {
        None => 0..hierarchy.members.len() as u32,
        Some(None) => 0..0,
        Some(Some(level)) => hierarchy.levels[level.index()].members.clone(),
    };
    let calculated = view.described.calculated(id).filter(|&m| match wanted {
        None => true,
        Some(level) => level == Some(names.level(id, m)),
    });
    let calculated: Vec<MemberId> = calculated.filter(|&m| visible(names, m)).collect();
    let view = view.clone();
    let stored = {
        let view = view.clone();
        let measures = id == HierarchyId::MEASURES;
        range.map(MemberId).filter(move |&m| match measures {
            true => view.cube.measures[m.index()].texts.visible,
            false => !view.hierarchy(id).1.members.is_hidden(m),
        })
    };
    stored.chain(calculated).map(move |member| MemberRow { view: view.clone(), id, member })
}

fn visible(members: &Members, member: MemberId) -> bool {
    members.calculated(member).is_none_or(|c| c.texts.visible)
}

/// The member of a unique name and its relatives, ancestors first; nothing if there is no such member.
fn relatives(view: &View, text: &str, operation: i64, context: &Context) -> Result<Vec<MemberRow>> {
    let Some((id, member)) = facetta_query::find_member(&view.query, &view.cube, text, context)? else {
        return Ok(Vec::new());
    };
    let members = &view.described.members;
    let parent = members.parent(id, member);
    let mut found = Vec::new();
    let mut up = parent;
    while !up.is_null() && (operation & tree::ANCESTORS != 0 || (operation & tree::PARENT != 0 && up == parent)) {
        found.push(up);
        up = members.parent(id, up);
    }
    found.reverse();
    let siblings = if operation & tree::SIBLINGS != 0 { brothers(view, id, member, parent) } else { Vec::new() };
    let before = siblings.iter().take_while(|&&m| m < member).count();
    found.extend(&siblings[..before]);
    if operation & tree::SELF != 0 {
        found.push(member);
    }
    if operation & tree::DESCENDANTS != 0 {
        descend(view, id, member, true, &mut found, context)?;
    } else if operation & tree::CHILDREN != 0 {
        descend(view, id, member, false, &mut found, context)?;
    }
    found.extend(&siblings[before..]);
    Ok(found.into_iter().map(|member| MemberRow { view: view.clone(), id, member }).collect())
}

/// The other children of the member's parent; of a member without one, the other members at its depth.
fn brothers(view: &View, id: HierarchyId, member: MemberId, parent: MemberId) -> Vec<MemberId> {
    let table = &view.hierarchy(id).1.members;
    let all = if parent.is_null() { table.at_depth(0) } else { table.children(parent) };
    all.map(MemberId).filter(|&m| m != member && !table.is_hidden(m)).collect()
}

fn descend(
    view: &View,
    id: HierarchyId,
    member: MemberId,
    all: bool,
    found: &mut Vec<MemberId>,
    context: &Context,
) -> Result<()> {
    if member.is_calculated() {
        return Ok(());
    }
    let table = &view.hierarchy(id).1.members;
    let mut waiting: Vec<MemberId> = table.children(member).rev().map(MemberId).collect();
    let mut step = 0;
    while let Some(next) = waiting.pop() {
        context.check_every(&mut step)?;
        let hidden = table.is_hidden(next);
        if !hidden {
            found.push(next);
        }
        if all || hidden {
            waiting.extend(table.children(next).rev().map(MemberId));
        }
    }
    Ok(())
}

/// The members, with the properties of their level where a request names one.
pub struct WithProperties(RowsetDef<MemberRow>);

/// The members.
pub static MDSCHEMA_MEMBERS: WithProperties = WithProperties(MEMBERS);

impl Table for WithProperties {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn guid(&self) -> &'static str {
        self.0.guid()
    }

    fn about(&self) -> &'static str {
        self.0.about()
    }

    fn is_dmv(&self) -> bool {
        self.0.is_dmv()
    }

    fn audience(&self) -> Audience {
        self.0.audience()
    }

    fn columns(&self) -> Vec<ColumnInfo> {
        self.0.columns()
    }

    fn order(&self) -> &'static [&'static str] {
        self.0.order()
    }

    fn restrictions(&self) -> Vec<(&'static str, RestrictionDef)> {
        self.0.restrictions()
    }

    fn open(&'static self, ask: Ask, restrictions: &Restrictions) -> Result<Rowset> {
        self.0.open_with(ask, restrictions, level_properties)
    }
}

/// A column for each property of the level that a request names; none if it names no level, or several.
fn level_properties(ask: &Ask) -> Result<Vec<Further<MemberRow>>> {
    let Some(wanted) = ask.wanted_text("LEVEL_UNIQUE_NAME") else { return Ok(Vec::new()) };
    let of_level = |view: &View| {
        let levels = |id: HierarchyId| (0..view.hierarchy(id).1.levels.len()).map(move |l| (id, LevelId::from(l)));
        let named = |&(id, level): &(HierarchyId, LevelId)| {
            name::same(&view.described.members.level_unique_name(id, level), wanted)
        };
        let (id, level) = view.hierarchies().flat_map(levels).find(named)?;
        let properties = view.hierarchy(id).1.levels[level.index()].properties.iter().enumerate();
        let further = properties.map(|(index, property)| {
            let read = Property::Level { level, index: index as u32 };
            Further {
                column: Column::new(property.name.clone(), property.data_type.clone()),
                get: Box::new(move |row: &MemberRow| row.property(read.clone())),
            }
        });
        Some(further.collect())
    };
    Ok(views(ask)?.iter().find_map(of_level).unwrap_or_default())
}

#[rustfmt::skip]
const MEMBERS: RowsetDef<MemberRow> = RowsetDef {
    name: "MDSCHEMA_MEMBERS",
    guid: "C8B522DE-5CF3-11CE-ADE5-00AA0044773D",
    about: "Members of the hierarchies",
    dmv: true,
    audience: Audience::Everyone,
    rows: members,
    order: &[],
    extra: &[extra(8, "MEMBER_UNIQUE_NAME", Str), extra(11, "TREE_OP", Int), extra(12, "CUBE_SOURCE", UShort)],
    columns: &[
        restriction(0, "CATALOG_NAME", Str, |r| r.view.catalog.name.clone().into()),
        restriction(1, "SCHEMA_NAME", Str, |r| r.view.schema_name().into()),
        restriction(2, "CUBE_NAME", Str, |r| r.view.cube.name.clone().into()),
        restriction(3, "DIMENSION_UNIQUE_NAME", Str, |r| r.view.dimension(r.id).unique_name.clone().into()),
        restriction(4, "HIERARCHY_UNIQUE_NAME", Str, |r| r.view.hierarchy(r.id).0.unique_name.clone().into()),
        restriction(5, "LEVEL_UNIQUE_NAME", Str, |r| r.property(Property::LevelUniqueName)),
        restriction(6, "LEVEL_NUMBER", UInt, |r| r.property(Property::LevelNumber)),
        column("MEMBER_ORDINAL", UInt, |r| r.property(Property::MemberOrdinal)),
        restriction(7, "MEMBER_NAME", Str, |r| r.property(Property::MemberName)),
        column("MEMBER_UNIQUE_NAME", Str, |r| r.property(Property::MemberUniqueName)),
        restriction(10, "MEMBER_TYPE", Int, |r| r.property(Property::MemberType)),
        column("MEMBER_GUID", Uuid, |_| Field::Null),
        restriction(9, "MEMBER_CAPTION", Str, |r| r.property(Property::MemberCaption)),
        column("CHILDREN_CARDINALITY", UInt, |r| r.property(Property::ChildrenCardinality)),
        column("PARENT_LEVEL", UInt, |r| r.property(Property::ParentLevel)),
        column("PARENT_UNIQUE_NAME", Str, |r| r.property(Property::ParentUniqueName)),
        column("PARENT_COUNT", UInt, |r| r.property(Property::ParentCount)),
        column("DESCRIPTION", Str, |r| r.property(Property::Description)),
        column("EXPRESSION", Str, |r| r.members().calculated(r.member).map(|c| c.formula.to_string()).into()),
        column("MEMBER_KEY", Str, MemberRow::key),
        column("IS_PLACEHOLDERMEMBER", Bool, |_| false.into()),
        column("IS_DATAMEMBER", Bool, |_| false.into()),
        restriction(13, "SCOPE", Int, |r| r.members().calculated(r.member).map(|c| scope(c.scope)).into()),
        // Not of Analysis Services; Mondrian sends it and olap4j reads it.
        column("DEPTH", UInt, |r| r.property(Property::Depth)),
    ],
};
