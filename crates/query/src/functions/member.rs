//! From members to members: parents, children, neighbours, cousins, ancestors.

use super::{Function, Run, Typing, function};
use crate::coordinate::{self, Place, seen};
use crate::evaluate::{Batch, Col, Evaluator, Object, Objects, TupleColumn, Values};
use crate::expr::{Call, Expr, Kind, Kind::*, Type};
use crate::navigate::Tree;
use facetta_model::{HierarchyId, LevelId, MemberId, Property, Result, bail, error};

pub(crate) const FUNCTIONS: &[Function] = &[
    function(
        "LastNonEmpty",
        &[Kind::Set, Member],
        Member,
        Run::Tuples(last_non_empty),
        "The last member of a set at which a measure is not empty.",
    )
    .each(1),
    function("CurrentMember", &[Hierarchy], Member, Run::Objects(current_member), "The current member of a hierarchy.")
        .property()
        .on_all(),
    function("DefaultMember", &[Hierarchy], Member, Run::Objects(default_member), "The default member of a hierarchy.")
        .property(),
    function("Parent", &[Member], Member, Run::Objects(parent), "The parent of a member.").property(),
    function("FirstChild", &[Member], Member, Run::Objects(first_child), "The first child of a member.").property(),
    function("LastChild", &[Member], Member, Run::Objects(last_child), "The last child of a member.").property(),
    function("FirstSibling", &[Member], Member, Run::Objects(first_sibling), "The first child of a member's parent.")
        .property(),
    function("LastSibling", &[Member], Member, Run::Objects(last_sibling), "The last child of a member's parent.")
        .property(),
    function("PrevMember", &[Member], Member, Run::Objects(previous), "The member before one in its level.").property(),
    function("NextMember", &[Member], Member, Run::Objects(next), "The member after one in its level.").property(),
    function(
        "Lag",
        &[Member, Numeric],
        Member,
        Run::Objects(lag),
        "The member so many positions before one in its level.",
    )
    .method(),
    function(
        "Lead",
        &[Member, Numeric],
        Member,
        Run::Objects(lead),
        "The member so many positions after one in its level.",
    )
    .method(),
    function(
        "DataMember",
        &[Member],
        Member,
        Run::Objects(data_member),
        "The data that a parent-child member has of its own.",
    )
    .property(),
    function(
        "Cousin",
        &[Member, Member],
        Member,
        Run::Objects(cousin),
        "The member at the same relative position under another.",
    ),
    function(
        "Ancestor",
        &[Member, Level],
        Member,
        Run::Objects(ancestor_level),
        "The ancestor of a member at a level.",
    ),
    function(
        "Ancestor",
        &[Member, Numeric],
        Member,
        Run::Objects(ancestor_steps),
        "The ancestor so many steps above a member.",
    ),
    function(
        "CalculatedChild",
        &[Member, String],
        Member,
        Run::Objects(calculated_child),
        "The calculated child of a member with a name.",
    )
    .method(),
    function("UnknownMember", &[Hierarchy], Member, Run::Objects(unknown_member), "The unknown member of a hierarchy.")
        .property(),
    function(
        "LinkMember",
        &[Member, Hierarchy],
        Member,
        Run::Objects(link_member),
        "The member of another hierarchy with the same name or key.",
    )
    .typed(Typing::By(second_as_member)),
    function(
        "StrToMember of",
        &[String],
        Member,
        Run::Objects(text_to_member),
        "The member that a computed text names.",
    ),
    function("StrToMember", &[String], Member, Run::Resolver, "The member that a text names."),
    function(
        "OrderKey",
        &[Member],
        Kind::Value,
        Run::Values(order_key),
        "The position of a member in its level's order.",
    )
    .property(),
    function(
        "IsAncestor",
        &[Member, Member],
        Logical,
        Run::Values(is_ancestor),
        "Whether a member is an ancestor of another.",
    ),
    function(
        "IsSibling",
        &[Member, Member],
        Logical,
        Run::Values(is_sibling),
        "Whether two members have the same parent.",
    ),
    function("IsLeaf", &[Member], Logical, Run::Values(is_leaf), "Whether a member has no children."),
    function(
        "IsGeneration",
        &[Member, Numeric],
        Logical,
        Run::Values(is_generation),
        "Whether a member is so many steps above the leaves.",
    ),
    function("Properties", &[Member, String], Kind::Value, Run::Resolver, "A property of a member.").method(),
];

fn each(
    evaluator: &Evaluator,
    call: &Call,
    batch: &Batch,
    step: impl Fn(Tree<'_>, MemberId) -> MemberId,
) -> Result<Objects> {
    let members = evaluator.members();
    Ok(evaluator.objects(&call.args[0], batch)?.map(|o| {
        if o.is_null() {
            return *o;
        }
        Object::member(o.hierarchy, step(Tree::new(&members, o.hierarchy), o.as_member()))
    }))
}

fn current_member(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Objects> {
    let hierarchies = evaluator.objects(&call.args[0], batch)?;
    if let Some(h) = call.args[0].ty.hierarchy()
        && let Col::One(_) = hierarchies
    {
        let current = crate::expr::ExprKind::CurrentMember(h);
        return evaluator.objects(&Expr::constant(current, Type::on(Kind::Member, h), call.span), batch);
    }
    let one = |row: usize| {
        let h = hierarchies.get(row).hierarchy;
        Ok(Object::member(h, evaluator.current(h, batch.get(h, row))?))
    };
    Ok(Col::Many((0..batch.len).map(one).collect::<Result<_>>()?))
}

fn default_member(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Objects> {
    let hierarchies = evaluator.objects(&call.args[0], batch)?;
    Ok(hierarchies.map(|o| Object::member(o.hierarchy, evaluator.default_member(o.hierarchy))))
}

fn parent(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Objects> {
    each(evaluator, call, batch, |tree, m| tree.parent(m))
}

fn or_null(member: Option<&MemberId>) -> MemberId {
    member.copied().unwrap_or(MemberId::NULL)
}

fn first_child(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Objects> {
    each(evaluator, call, batch, |tree, m| or_null(tree.children(m).first()))
}

fn last_child(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Objects> {
    each(evaluator, call, batch, |tree, m| or_null(tree.children(m).last()))
}

fn first_sibling(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Objects> {
    each(evaluator, call, batch, |tree, m| or_null(tree.siblings(m).first()))
}

fn last_sibling(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Objects> {
    each(evaluator, call, batch, |tree, m| or_null(tree.siblings(m).last()))
}

fn previous(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Objects> {
    each(evaluator, call, batch, |tree, m| tree.step(m, -1))
}

fn next(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Objects> {
    each(evaluator, call, batch, |tree, m| tree.step(m, 1))
}

/// Steps that an argument says, for each row.
fn steps(evaluator: &Evaluator, arg: &Expr, batch: &Batch) -> Result<Col<i64>> {
    let values = evaluator.values(arg, batch)?;
    let read = |v: &facetta_model::Value| match v {
        facetta_model::Value::Error(e) => Err(e.clone()),
        v => super::numeric::number(v).map(|d| d as i64),
    };
    match values {
        Col::One(v) => Ok(Col::One(read(&v)?)),
        Col::Many(v) => Ok(Col::Many(v.iter().map(read).collect::<Result<_>>()?)),
    }
}

fn moved(evaluator: &Evaluator, call: &Call, batch: &Batch, sign: i64) -> Result<Objects> {
    let members = evaluator.members();
    let objects = evaluator.objects(&call.args[0], batch)?;
    let steps = steps(evaluator, &call.args[1], batch)?;
    Ok(objects.zip(&steps, batch.len, |o, n| {
        if o.is_null() {
            return *o;
        }
        let tree = Tree::new(&members, o.hierarchy);
        Object::member(o.hierarchy, tree.step(o.as_member(), n.saturating_mul(sign)))
    }))
}

fn lag(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Objects> {
    moved(evaluator, call, batch, -1)
}

fn lead(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Objects> {
    moved(evaluator, call, batch, 1)
}

fn data_member(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Objects> {
    let always = evaluator.cube.compatibility.every_member_has_data();
    each(evaluator, call, batch, |tree, m| match tree.hierarchy().parent_child {
        true if !coordinate::is_special(m) && !tree.is_leaf(m) => coordinate::own(m),
        false if !always => MemberId::NULL,
        _ => m,
    })
}

fn cousin(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Objects> {
    let members = evaluator.members();
    let objects = evaluator.objects(&call.args[0], batch)?;
    let ancestors = evaluator.objects(&call.args[1], batch)?;
    let mut failed = None;
    let found = objects.zip(&ancestors, batch.len, |o, a| {
        if o.is_null() || a.is_null() {
            return Object::member(o.hierarchy, MemberId::NULL);
        }
        if o.hierarchy != a.hierarchy {
            let name = |o: &Object| members.unique_name(o.hierarchy, o.as_member());
            failed = Some(error!(Invalid, "Members '{}' and '{}' are not compatible as cousins", name(o), name(a)));
        }
        let tree = Tree::new(&members, o.hierarchy);
        Object::member(o.hierarchy, cousin_under(tree, o.as_member(), a.as_member()))
    });
    match failed {
        Some(error) => Err(error),
        None => Ok(found),
    }
}

/// The member below `under` at the position that `member` has below its ancestor of the same level.
pub(crate) fn cousin_under(tree: Tree<'_>, member: MemberId, under: MemberId) -> MemberId {
    let level = tree.depth(under);
    let mut positions = Vec::new();
    let mut at = seen(member);
    while !at.is_null() && tree.depth(at) > level {
        match tree.siblings(at).iter().position(|s| *s == at) {
            Some(position) => positions.push(position),
            None => return MemberId::NULL,
        }
        at = tree.parent(at);
    }
    if at.is_null() || tree.depth(at) < level {
        return MemberId::NULL;
    }
    positions.iter().rev().fold(
        under,
        |at, &position| {
            if at.is_null() { at } else { or_null(tree.children(at).get(position)) }
        },
    )
}

fn ancestor_level(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Objects> {
    let members = evaluator.members();
    let objects = evaluator.objects(&call.args[0], batch)?;
    let levels = evaluator.objects(&call.args[1], batch)?;
    let mut failed = None;
    let found = objects.zip(&levels, batch.len, |o, l| {
        if o.is_null() || l.is_null() {
            return Object::member(o.hierarchy, MemberId::NULL);
        }
        if o.hierarchy != l.hierarchy {
            failed = Some(error!(
                Invalid,
                "Member '{}' is not in hierarchy '{}'",
                members.unique_name(o.hierarchy, o.as_member()),
                members.cube.hierarchy(l.hierarchy).unique_name
            ));
        }
        let tree = Tree::new(&members, o.hierarchy);
        Object::member(o.hierarchy, tree.ancestor_at(o.as_member(), LevelId(l.id)))
    });
    match failed {
        Some(error) => Err(error),
        None => Ok(found),
    }
}

fn ancestor_steps(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Objects> {
    let members = evaluator.members();
    let objects = evaluator.objects(&call.args[0], batch)?;
    let steps = steps(evaluator, &call.args[1], batch)?;
    let by_generation = evaluator.cube.compatibility.steps_skip_hidden_members();
    Ok(objects.zip(&steps, batch.len, |o, &n| {
        let tree = Tree::new(&members, o.hierarchy);
        let mut at = seen(o.as_member());
        if n < 0 {
            at = MemberId::NULL;
        }
        // Where a step in a ragged hierarchy is a level, an ancestor may be missing there.
        if !at.is_null() && n > 0 && !by_generation && !tree.hierarchy().parent_child {
            let level = i64::from(tree.level(at).0) - n;
            at = if level < 0 { MemberId::NULL } else { tree.ancestor_at(at, LevelId(level as u32)) };
        } else {
            for _ in 0..n.min(1 << 20) {
                if at.is_null() {
                    break;
                }
                at = tree.parent(at);
            }
        }
        Object::member(o.hierarchy, at)
    }))
}

fn calculated_child(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Objects> {
    let members = evaluator.members();
    let objects = evaluator.objects(&call.args[0], batch)?;
    let names = evaluator.values(&call.args[1], batch)?;
    Ok(objects.zip(&names, batch.len, |o, name| {
        let name = name.to_string();
        if o.is_null() {
            return *o;
        }
        let all = members.hierarchy(o.hierarchy).all_member();
        let fits = |c: &std::sync::Arc<facetta_model::CalculatedMember>| {
            let parent = c.parent == o.as_member() || c.parent.is_null() && all == Some(o.as_member());
            c.hierarchy == o.hierarchy && parent && facetta_model::name::same(&c.name, &name)
        };
        let found = members.calculated.iter().rposition(fits);
        Object::member(o.hierarchy, found.map_or(MemberId::NULL, coordinate::calculated))
    }))
}

fn unknown_member(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Objects> {
    let hierarchies = evaluator.objects(&call.args[0], batch)?;
    Ok(hierarchies.map(|o| Object::member(o.hierarchy, MemberId::NULL)))
}

fn second_as_member(args: &[Expr]) -> Result<Type> {
    Ok(args.get(1).map_or(Type::of(Kind::Member), |a| a.ty.with_kind(Kind::Member)))
}

fn link_member(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Objects> {
    let members = evaluator.members();
    let objects = evaluator.objects(&call.args[0], batch)?;
    let hierarchies = evaluator.objects(&call.args[1], batch)?;
    Ok(objects.zip(&hierarchies, batch.len, |o, h| {
        let target = members.hierarchy(h.hierarchy);
        let key = members.property(o.hierarchy, o.as_member(), &Property::MemberKey);
        let level = members.level(o.hierarchy, o.as_member());
        let name = members.name(o.hierarchy, o.as_member()).to_owned();
        let fits = |m: &MemberId| {
            target.level_of(*m) == level && members.property(h.hierarchy, *m, &Property::MemberKey) == key
        };
        Object::member(h.hierarchy, target.members.with_name(&name).find(fits).unwrap_or(MemberId::NULL))
    }))
}

fn text_to_member(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Objects> {
    let texts = evaluator.values(&call.args[0], batch)?;
    let one = |v: &facetta_model::Value| evaluator.member_named(&v.to_string());
    match texts {
        Col::One(v) => Ok(Col::One(one(&v)?)),
        Col::Many(v) => Ok(Col::Many(v.iter().map(one).collect::<Result<_>>()?)),
    }
}

fn order_key(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    let members = evaluator.members();
    Ok(evaluator.objects(&call.args[0], batch)?.map(|o| {
        let member = seen(o.as_member());
        match coordinate::place(member) {
            Place::Null => facetta_model::Value::Empty,
            Place::Stored(m) if o.hierarchy == HierarchyId::MEASURES => facetta_model::Value::Int(i64::from(m.0)),
            Place::Stored(m) => members.property(o.hierarchy, m, &Property::MemberKey),
            // After every text: calculated members come last, in the order of their definition.
            Place::Calculated(index) => format!("\u{10FFFF}{index:09}").into(),
            _ => facetta_model::Value::Empty,
        }
    }))
}

fn related(
    evaluator: &Evaluator,
    call: &Call,
    batch: &Batch,
    holds: impl Fn(Tree<'_>, MemberId, MemberId) -> bool,
) -> Result<Values> {
    let members = evaluator.members();
    let first = evaluator.objects(&call.args[0], batch)?;
    let second = evaluator.objects(&call.args[1], batch)?;
    Ok(first.zip(&second, batch.len, |a, b| {
        let same = a.hierarchy == b.hierarchy && !a.is_null() && !b.is_null();
        facetta_model::Value::Boolean(same && holds(Tree::new(&members, a.hierarchy), a.as_member(), b.as_member()))
    }))
}

fn is_ancestor(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    related(evaluator, call, batch, |tree, a, b| a != b && tree.is_at_or_under(b, a))
}

fn is_sibling(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    related(evaluator, call, batch, |tree, a, b| tree.parent(a) == tree.parent(b))
}

fn is_leaf(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    let members = evaluator.members();
    let leaf = |o: &Object| facetta_model::Value::Boolean(Tree::new(&members, o.hierarchy).is_leaf(o.as_member()));
    Ok(evaluator.objects(&call.args[0], batch)?.map(leaf))
}

fn is_generation(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    let members = evaluator.members();
    let objects = evaluator.objects(&call.args[0], batch)?;
    let steps = steps(evaluator, &call.args[1], batch)?;
    if let Col::One(o) = &objects
        && o.is_null()
    {
        bail!(Invalid, "IsGeneration was asked of no member");
    }
    Ok(objects.zip(&steps, batch.len, |o, &n| {
        let tree = Tree::new(&members, o.hierarchy);
        let leaf = i64::from(tree.hierarchy().leaf_level().0);
        facetta_model::Value::Boolean(leaf - i64::from(tree.level(o.as_member()).0) == n)
    }))
}

fn last_non_empty(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<TupleColumn> {
    let sets = evaluator.sets(&call.args[0], batch)?;
    let mut last = vec![None; batch.len];
    evaluator.for_each_value(batch, &sets, &call.args[0], Some(&call.args[1]), &mut |row, position, value| {
        if !value.is_empty() {
            last[row] = Some(position);
        }
        Ok(())
    })?;
    let mut out =
        TupleColumn { hierarchies: call.ty.hierarchies.as_deref().unwrap_or_default().to_vec(), members: Vec::new() };
    let mut columns: Vec<Vec<MemberId>> = Vec::new();
    let mut tuple = Vec::new();
    for (row, last) in last.iter().enumerate() {
        let set = sets.sets[*sets.of.get(row) as usize].as_ref().map_err(Clone::clone)?;
        if columns.is_empty() {
            out.hierarchies = set.hierarchies();
            columns = vec![Vec::with_capacity(batch.len); out.hierarchies.len()];
        }
        match last {
            Some(position) => set.read(*position, &mut tuple),
            None => tuple = vec![MemberId::NULL; columns.len()],
        }
        columns.iter_mut().zip(&tuple).for_each(|(c, m)| c.push(*m));
    }
    out.members = columns.into_iter().map(Col::Many).collect();
    Ok(out)
}
