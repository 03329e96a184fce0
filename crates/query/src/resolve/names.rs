//! Names: which object a dotted identifier means.

use super::Resolver;
use crate::coordinate;
use facetta_mdx::ast::{Identifier, Name, Segment};
use facetta_model::catalog::Hierarchy;
use facetta_model::{Error, HierarchyId, LevelId, MemberId, error, name};

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// A dimension by position in the cube.
    Dimension(usize),
    Hierarchy(HierarchyId),
    Level(HierarchyId, LevelId),
    Member(HierarchyId, MemberId),
    /// A named set by position.
    Set(usize),
    /// A set named in the statement, by position.
    Alias(usize),
}

impl Resolver<'_> {
    /// The object that the longest leading part of `segments` names, and how many segments that takes.
    pub(crate) fn find(&self, segments: &[Segment]) -> Option<(Named, usize)> {
        let first = segments.first()?.name()?;
        // Of `[Gender].[M]` a set named Gender is not meant.
        let path = segments
            .get(1)
            .is_some_and(|s| s.name().is_none_or(|n| n.quoted || crate::functions::overloads(&n.text).is_empty()));
        let dimension =
            self.cube.dimensions.iter().position(|d| name::same(&d.name, &first.text)).map(Named::Dimension);
        let start = match dimension {
            Some(dimension) if path && segments.get(1).is_some_and(|s| self.child(dimension, s).is_some()) => {
                Some((dimension, 1))
            }
            _ => self.first(first),
        };
        let (mut found, mut used) = start?;
        while let Some(next) = segments.get(used).and_then(|s| self.child(found, s)) {
            (found, used) = (next, used + 1);
        }
        // `[Time].[Weekly]` may come as one name that ends in the hierarchy's: `[Time.Weekly]`; that was `first`'s work.
        Some((found, used))
    }

    /// The object that all of `identifier` names.
    pub(crate) fn find_whole(&self, identifier: &Identifier) -> Option<Named> {
        self.find(&identifier.segments).filter(|(_, used)| *used == identifier.segments.len()).map(|(found, _)| found)
    }

    /// That an identifier means nothing in this cube.
    pub(crate) fn not_found(&self, identifier: &Identifier) -> Error {
        let is_it = |name: &Identifier| {
            name.segments.len() <= identifier.segments.len()
                && name.segments.iter().zip(&identifier.segments).all(|(a, b)| match (a.name(), b.name()) {
                    (Some(a), Some(b)) => name::same(&a.text, &b.text),
                    _ => a == b,
                })
        };
        if let Some((_, error)) = self.broken.iter().rev().find(|(name, _)| is_it(name)) {
            return self.error_at(error.clone(), identifier.span());
        }
        let mut path = String::new();
        for segment in &identifier.segments {
            if !path.is_empty() {
                path.push('.');
            }
            match segment {
                Segment::Name(n) if n.quoted => name::quote_into(&mut path, &n.text),
                Segment::Name(n) => path.push_str(&n.text),
                Segment::Key(parts) => parts.iter().for_each(|p| {
                    path.push('&');
                    name::quote_into(&mut path, &p.text);
                }),
            }
        }
        let error = error!(NotFound, "MDX object '{path}' not found in cube '{}'", self.cube.name);
        self.error_at(error, identifier.span())
    }

    fn first(&self, first: &Name) -> Option<(Named, usize)> {
        let wanted = &*first.text;
        if let Some(at) = self.aliases.iter().rposition(|a| name::same(&a.name, wanted)) {
            return Some((Named::Alias(at), 1));
        }
        // Later definitions hide earlier ones: the query's those of the session, these those of the cube.
        if let Some(at) = self.sets.iter().rposition(|s| name::same(&s.name, wanted)) {
            return Some((Named::Set(at), 1));
        }
        if let Some(at) = self.cube.dimensions.iter().position(|d| name::same(&d.name, wanted)) {
            return Some((Named::Dimension(at), 1));
        }
        let found = self.hierarchy_by_one_name(wanted).map(Named::Hierarchy);
        let found = found.or_else(|| self.anywhere(wanted));
        found.map(|f| (f, 1))
    }

    /// The hierarchy written `Dimension.Hierarchy` in one name, or by its own name where only one has it.
    fn hierarchy_by_one_name(&self, wanted: &str) -> Option<HierarchyId> {
        let ids = || (0..self.cube.hierarchies.len()).map(HierarchyId::from);
        let of = |id: HierarchyId| &self.cube.hierarchy(id).hierarchy.name;
        let dotted = |id: &HierarchyId| {
            wanted.split_once('.').is_some_and(|(dimension, rest)| {
                name::same(&self.cube.dimension_of(*id).name, dimension) && name::same(of(*id), rest)
            })
        };
        let bare =
            |id: &HierarchyId| name::same(of(*id), wanted) || name::same(&self.cube.hierarchy(*id).unique_name, wanted);
        ids().find(dotted).or_else(|| {
            let mut found = ids().filter(bare);
            found.next().filter(|_| found.next().is_none())
        })
    }

    /// A level, measure or top member named without its dimension.
    fn anywhere(&self, wanted: &str) -> Option<Named> {
        let ids = || (0..self.cube.hierarchies.len()).map(HierarchyId::from);
        let level = |id: HierarchyId| Some(Named::Level(id, self.cube.hierarchy(id).hierarchy.level(wanted)?));
        if let Some(member) = self.top_member(HierarchyId::MEASURES, wanted) {
            return Some(Named::Member(HierarchyId::MEASURES, member));
        }
        ids()
            .skip(1)
            .find_map(level)
            .or_else(|| ids().skip(1).find_map(|id| Some(Named::Member(id, self.top_member(id, wanted)?))))
    }

    /// The hierarchy that a dimension stands for: that of its own name, else the first.
    pub(crate) fn default_hierarchy(&self, dimension: usize) -> HierarchyId {
        let dimension = &self.cube.dimensions[dimension];
        let mut ids = dimension.hierarchies.clone().map(HierarchyId);
        let own = ids.clone().find(|id| name::same(&self.cube.hierarchy(*id).hierarchy.name, &dimension.name));
        own.or_else(|| ids.next()).unwrap_or(HierarchyId::MEASURES)
    }

    /// What `segment` names within `of`.
    pub(super) fn named_child(&self, of: Named, segment: &Segment) -> Option<Named> {
        self.child(of, segment)
    }

    fn child(&self, of: Named, segment: &Segment) -> Option<Named> {
        match (of, segment) {
            (Named::Dimension(d), Segment::Name(n)) => self.in_dimension(d, &n.text),
            (Named::Dimension(d), Segment::Key(_)) => self.child(Named::Hierarchy(self.default_hierarchy(d)), segment),
            (Named::Hierarchy(h), Segment::Name(n)) => self.in_hierarchy(h, &n.text),
            (Named::Hierarchy(h), Segment::Key(key)) => {
                let levels = 0..self.cube.hierarchy(h).hierarchy.levels.len();
                levels.rev().find_map(|l| Some(Named::Member(h, self.by_key(h, LevelId::from(l), key)?)))
            }
            (Named::Level(h, l), Segment::Name(n)) => Some(Named::Member(h, self.in_level(h, l, &n.text)?)),
            (Named::Level(h, l), Segment::Key(key)) => Some(Named::Member(h, self.by_key(h, l, key)?)),
            (Named::Member(h, m), Segment::Name(n)) => Some(Named::Member(h, self.child_named(h, m, &n.text)?)),
            (Named::Member(h, m), Segment::Key(key)) => Some(Named::Member(h, self.child_with_key(h, m, key)?)),
            (Named::Set(_) | Named::Alias(_), _) => None,
        }
    }

    fn in_dimension(&self, dimension: usize, wanted: &str) -> Option<Named> {
        let default = self.default_hierarchy(dimension);
        let mut ids = self.cube.dimensions[dimension].hierarchies.clone().map(HierarchyId);
        let hierarchy = || {
            let id = ids.find(|id| name::same(&self.cube.hierarchy(*id).hierarchy.name, wanted))?;
            Some(Named::Hierarchy(id))
        };
        let level = || Some(Named::Level(default, self.cube.hierarchy(default).hierarchy.level(wanted)?));
        let mut hierarchy = hierarchy;
        let found = if self.compatibility().second_name_is_hierarchy() {
            hierarchy().or_else(level)
        } else {
            level().or_else(hierarchy)
        };
        found.or_else(|| self.in_hierarchy(default, wanted)).or_else(|| {
            // A dimension without a hierarchy of its own name: any of its hierarchies may be meant.
            let mut others = self.cube.dimensions[dimension].hierarchies.clone().map(HierarchyId);
            others.find_map(|id| if id == default { None } else { self.in_hierarchy(id, wanted) })
        })
    }

    fn in_hierarchy(&self, hierarchy: HierarchyId, wanted: &str) -> Option<Named> {
        if let Some(level) = self.cube.hierarchy(hierarchy).hierarchy.level(wanted) {
            return Some(Named::Level(hierarchy, level));
        }
        let found = self.top_member(hierarchy, wanted).or_else(|| {
            if !self.compatibility().finds_members_at_any_depth() {
                return None;
            }
            let members = &self.cube.hierarchy(hierarchy).hierarchy.members;
            members.with_name(wanted).find(|m| !members.is_hidden(*m))
        });
        found.map(|m| Named::Member(hierarchy, m))
    }

    /// A measure, a member without parent or all member, the all member, or a calculated member without other parent.
    fn top_member(&self, hierarchy: HierarchyId, wanted: &str) -> Option<MemberId> {
        let of = self.cube.hierarchy(hierarchy);
        let h = &of.hierarchy;
        let all = h.all_member();
        let is_top = |parent: MemberId| parent.is_null() || Some(parent) == all;
        if let Some(calculated) = self.calculated_named(hierarchy, wanted, is_top) {
            return Some(calculated);
        }
        if hierarchy == HierarchyId::MEASURES {
            return self.cube.measures.iter().position(|m| name::same(&m.name, wanted)).map(MemberId::from);
        }
        let found = h.members.with_name(wanted).find(|&m| !h.members.is_hidden(m) && is_top(self.visible_parent(h, m)));
        found.or_else(|| all.filter(|_| self.is_all_name(hierarchy, wanted)))
    }

    /// Other names of the all member: `[All]`, and `[All Time.Weeklys]` in catalogs that named it after the hierarchy.
    fn is_all_name(&self, hierarchy: HierarchyId, wanted: &str) -> bool {
        let dimension = &self.cube.dimension_of(hierarchy).name;
        let own = &self.cube.hierarchy(hierarchy).hierarchy.name;
        name::same(wanted, "All")
            || name::same(wanted, &format!("All {dimension}.{own}s"))
            || name::same(wanted, &self.compatibility().all_member_name(own))
    }

    fn calculated_named(
        &self,
        hierarchy: HierarchyId,
        wanted: &str,
        parent: impl Fn(MemberId) -> bool,
    ) -> Option<MemberId> {
        let fits = |c: &std::sync::Arc<facetta_model::CalculatedMember>| {
            c.hierarchy == hierarchy && name::same(&c.name, wanted) && parent(c.parent)
        };
        self.members.calculated.iter().rposition(fits).map(coordinate::calculated)
    }

    fn in_level(&self, hierarchy: HierarchyId, level: LevelId, wanted: &str) -> Option<MemberId> {
        let calculated = |c: &std::sync::Arc<facetta_model::CalculatedMember>| {
            c.hierarchy == hierarchy && c.level == level && name::same(&c.name, wanted)
        };
        if let Some(at) = self.members.calculated.iter().rposition(calculated) {
            return Some(coordinate::calculated(at));
        }
        let h = &self.cube.hierarchy(hierarchy).hierarchy;
        if hierarchy == HierarchyId::MEASURES {
            return self.cube.measures.iter().position(|m| name::same(&m.name, wanted)).map(MemberId::from);
        }
        let range = h.levels[level.index()].members.clone();
        h.members.with_name(wanted).find(|m| range.contains(&m.0) && !h.members.is_hidden(*m))
    }

    fn child_named(&self, hierarchy: HierarchyId, parent: MemberId, wanted: &str) -> Option<MemberId> {
        if let Some(calculated) = self.calculated_named(hierarchy, wanted, |p| p == parent) {
            return Some(calculated);
        }
        if hierarchy == HierarchyId::MEASURES || parent.is_calculated() {
            return None;
        }
        let h = &self.cube.hierarchy(hierarchy).hierarchy;
        let hidden_too = |m: &MemberId| h.members.parent(*m) == parent || self.visible_parent(h, *m) == parent;
        // A name path may spell a hidden member out: `[Store].[USA].[USA].[Washington]`.
        let mut found = h.members.with_name(wanted).filter(hidden_too).collect::<Vec<_>>();
        found.sort_by_key(|m| h.members.is_hidden(*m));
        found.first().copied()
    }

    fn visible_parent(&self, h: &Hierarchy, member: MemberId) -> MemberId {
        let mut at = h.members.parent(member);
        while !at.is_null() && h.members.is_hidden(at) {
            at = h.members.parent(at);
        }
        at
    }

    fn child_with_key(&self, hierarchy: HierarchyId, parent: MemberId, key: &[Name]) -> Option<MemberId> {
        let [key] = key else { return None };
        if hierarchy == HierarchyId::MEASURES || parent.is_calculated() {
            return None;
        }
        let members = &self.cube.hierarchy(hierarchy).hierarchy.members;
        members.children(parent).map(MemberId).find(|&m| key_matches(&members.key(m), &key.text))
    }

    /// The member of a level with a key; of several parts the last is its own, those before its parents', outermost first.
    fn by_key(&self, hierarchy: HierarchyId, level: LevelId, key: &[Name]) -> Option<MemberId> {
        if hierarchy == HierarchyId::MEASURES {
            let [name] = key else { return None };
            return self.top_member(hierarchy, &name.text);
        }
        let h = &self.cube.hierarchy(hierarchy).hierarchy;
        let level = &h.levels[level.index()];
        let (own, parents) = key.split_last()?;
        // Keys are mostly names, which are indexed; only others need a walk over the level.
        let fits = |m: &MemberId| {
            level.members.contains(&m.0)
                && !h.members.is_hidden(*m)
                && key_matches(&h.members.key(*m), &own.text)
                && parents
                    .iter()
                    .rev()
                    .try_fold(*m, |at, key| {
                        let parent = h.members.parent(at);
                        (!parent.is_null() && key_matches(&h.members.key(parent), &key.text)).then_some(parent)
                    })
                    .is_some()
        };
        h.members.with_name(&own.text).find(fits).or_else(|| level.members.clone().map(MemberId).find(fits))
    }
}

fn key_matches(key: &facetta_model::Value, text: &str) -> bool {
    use facetta_model::Value;
    match key {
        Value::Str(s) => name::same(s, text),
        Value::Int(i) => text.trim().parse() == Ok(*i),
        Value::Double(d) => text.trim().parse() == Ok(*d),
        Value::Empty => text.is_empty() || name::same(text, "#null"),
        other => name::same(&other.to_string(), text),
    }
}
