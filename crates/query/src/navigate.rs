//! Ways through the tree of a hierarchy: parents, children, siblings, cousins, order; calculated members and hidden ones minded.

use crate::coordinate::{Place, place, seen};
use facetta_model::catalog::Hierarchy;
use facetta_model::{HierarchyId, LevelId, MemberId, Members};
use std::ops::Range;

/// The tree of one hierarchy.
#[derive(Clone, Copy)]
pub(crate) struct Tree<'a> {
    members: &'a Members,
    id: HierarchyId,
    hierarchy: &'a Hierarchy,
}

impl<'a> Tree<'a> {
    pub(crate) fn new(members: &'a Members, id: HierarchyId) -> Tree<'a> {
        Tree { members, id, hierarchy: members.hierarchy(id) }
    }

    pub(crate) fn hierarchy(&self) -> &'a Hierarchy {
        self.hierarchy
    }

    fn stored(&self, member: MemberId) -> Option<MemberId> {
        match place(seen(self.members.original(member))) {
            Place::Stored(m) => Some(m),
            _ => None,
        }
    }

    /// The nearest ancestor that is shown, or NULL.
    pub(crate) fn parent(&self, member: MemberId) -> MemberId {
        if member.is_null() { member } else { self.members.parent(self.id, seen(member)) }
    }

    pub(crate) fn level(&self, member: MemberId) -> LevelId {
        self.members.level(self.id, seen(member))
    }

    pub(crate) fn depth(&self, member: MemberId) -> u32 {
        self.members.depth(self.id, seen(member))
    }

    /// The children that are shown, in order.
    pub(crate) fn children(&self, member: MemberId) -> Vec<MemberId> {
        let mut out = Vec::new();
        if self.id != HierarchyId::MEASURES
            && let Some(member) = self.stored(member)
        {
            self.push_shown(self.hierarchy.members.children(member), &mut out);
        }
        out
    }

    /// Members of a range; of hidden ones the children instead.
    fn push_shown(&self, range: std::ops::Range<u32>, out: &mut Vec<MemberId>) {
        let members = &self.hierarchy.members;
        if !members.is_ragged() {
            out.extend(range.map(MemberId));
            return;
        }
        for member in range.map(MemberId) {
            if members.is_hidden(member) {
                self.push_shown(members.children(member), out);
            } else {
                out.push(member);
            }
        }
    }

    /// The members without parent.
    pub(crate) fn roots(&self) -> Vec<MemberId> {
        let mut out = Vec::new();
        if self.id == HierarchyId::MEASURES {
            out.extend((0..self.members.cube.measures.len()).map(MemberId::from));
        } else {
            self.push_shown(self.hierarchy.members.at_depth(0), &mut out);
        }
        out
    }

    /// The member and those with the same parent.
    pub(crate) fn siblings(&self, member: MemberId) -> Vec<MemberId> {
        if member.is_null() {
            return Vec::new();
        }
        if self.id == HierarchyId::MEASURES {
            return self.measures();
        }
        let mut parent = self.parent(member);
        if self.members.cube.compatibility.steps_skip_hidden_members()
            && let Some(stored) = self.stored(member)
        {
            // Those below a hidden member are siblings of each other only.
            parent = self.hierarchy.members.parent(stored);
        }
        match parent {
            MemberId::NULL => self.roots(),
            parent => self.children(parent),
        }
    }

    /// The measures in the order in which they are neighbours.
    fn measures(&self) -> Vec<MemberId> {
        let mut out = self.roots();
        if self.members.cube.compatibility.calculated_measures_are_siblings() {
            let of_cube = |m: &MemberId| {
                self.members.calculated(*m).is_some_and(|c| matches!(c.scope, facetta_model::Scope::Cube))
            };
            out.extend(self.calculated(None).into_iter().filter(of_cube));
        }
        out
    }

    /// The members of a level in the order of the tree; hidden ones are left out.
    pub(crate) fn level_members(&self, level: LevelId) -> Vec<MemberId> {
        if self.id == HierarchyId::MEASURES {
            return self.roots();
        }
        let members = &self.hierarchy.members;
        let range = self.hierarchy.levels[level.index()].members.clone().map(MemberId);
        let mut out: Vec<_> = range.filter(|m| !members.is_hidden(*m)).collect();
        if self.hierarchy.parent_child {
            out.sort_unstable_by_key(|m| members.preorder(*m));
        }
        out
    }

    /// All members in the order of the tree, parents before children.
    pub(crate) fn all_members(&self) -> Vec<MemberId> {
        if self.id == HierarchyId::MEASURES {
            return self.roots();
        }
        let members = &self.hierarchy.members;
        let mut out: Vec<_> = (0..members.len() as u32).map(MemberId).filter(|m| !members.is_hidden(*m)).collect();
        out.sort_unstable_by_key(|m| members.preorder(*m));
        out
    }

    /// The member `steps` after `member` among those of its level; NULL beyond the ends.
    pub(crate) fn step(&self, member: MemberId, steps: i64) -> MemberId {
        if steps == 0 {
            return member;
        }
        if self.id == HierarchyId::MEASURES {
            let measures = self.measures();
            let Some(position) = measures.iter().position(|m| *m == seen(member)) else { return MemberId::NULL };
            let at = usize::try_from((position as i64).saturating_add(steps)).ok();
            return at.and_then(|at| measures.get(at)).copied().unwrap_or(MemberId::NULL);
        }
        let Some(member) = self.stored(member) else { return MemberId::NULL };
        let range = if self.hierarchy.parent_child {
            self.hierarchy.members.at_depth(self.hierarchy.members.depth(member))
        } else {
            self.hierarchy.levels[self.hierarchy.level_of(member).index()].members.clone()
        };
        let members = &self.hierarchy.members;
        if !members.is_ragged() {
            let at = i64::from(member.0).saturating_add(steps);
            return if at >= i64::from(range.start) && at < i64::from(range.end) {
                MemberId(at as u32)
            } else {
                MemberId::NULL
            };
        }
        let mut shown: Box<dyn Iterator<Item = u32>> =
            if steps > 0 { Box::new(member.0 + 1..range.end) } else { Box::new((range.start..member.0).rev()) };
        let found = shown.by_ref().filter(|m| !members.is_hidden(MemberId(*m))).nth(steps.unsigned_abs() as usize - 1);
        found.map_or(MemberId::NULL, MemberId)
    }

    /// The ancestor at a level, the member itself if it is there; NULL if there is none.
    pub(crate) fn ancestor_at(&self, member: MemberId, level: LevelId) -> MemberId {
        let mut at = seen(member);
        while !at.is_null() && self.level(at) > level {
            at = self.parent(at);
        }
        if !at.is_null() && self.level(at) == level { at } else { MemberId::NULL }
    }

    /// Whether `member` is `ancestor` or below it.
    pub(crate) fn is_at_or_under(&self, member: MemberId, ancestor: MemberId) -> bool {
        let (mut at, ancestor) = (seen(member), seen(ancestor));
        if let (Some(m), Some(a)) = (self.stored(at), self.stored(ancestor)) {
            return self.id != HierarchyId::MEASURES && self.hierarchy.members.is_at_or_under(m, a) || m == a;
        }
        while !at.is_null() && at != ancestor {
            at = self.parent(at);
        }
        !at.is_null()
    }

    /// A key by which members sort as in the tree, parents first; calculated members after their siblings.
    pub(crate) fn key(&self, member: MemberId) -> (u32, u32) {
        let after = |member: MemberId| match self.stored(member) {
            Some(m) if self.id == HierarchyId::MEASURES => m.0,
            Some(m) => self.hierarchy.members.subtree(m).end.saturating_sub(1),
            None => u32::MAX,
        };
        match place(seen(member)) {
            Place::Stored(m) if self.id == HierarchyId::MEASURES => (m.0, 0),
            Place::Stored(m) => (self.hierarchy.members.preorder(m), 0),
            Place::Calculated(index) => {
                let original = self.members.calculated.get(index).map_or(MemberId::NULL, |c| c.original);
                match original {
                    MemberId::NULL => (after(self.parent(member)), 1 + index as u32),
                    original => self.key(original),
                }
            }
            _ => (u32::MAX, u32::MAX),
        }
    }

    /// A key by which members sort as in the tree, children first.
    pub(crate) fn key_after_children(&self, member: MemberId) -> (u32, u32, std::cmp::Reverse<u32>) {
        let (position, tie) = self.key(member);
        let depth = std::cmp::Reverse(if member.is_null() { 0 } else { self.depth(member) });
        match self.stored(member) {
            Some(m) if self.id != HierarchyId::MEASURES => {
                (self.hierarchy.members.subtree(m).end.saturating_sub(1), 0, depth)
            }
            _ => (position, tie, depth),
        }
    }

    /// The calculated members that belong to the hierarchy, of a level if one is given, in the order of their definition.
    pub(crate) fn calculated(&self, level: Option<LevelId>) -> Vec<MemberId> {
        let of = |(index, c): (usize, &std::sync::Arc<facetta_model::CalculatedMember>)| {
            let fits = c.hierarchy == self.id && c.original.is_null() && level.is_none_or(|l| c.level == l);
            fits.then(|| crate::coordinate::calculated(index))
        };
        self.members.calculated.iter().enumerate().filter_map(of).collect()
    }

    /// Whether a member has no children; hidden ones do not count.
    pub(crate) fn is_leaf(&self, member: MemberId) -> bool {
        self.stored(member).is_none_or(|m| self.members.children_count(self.id, m) == 0)
    }
}

/// Some members of a hierarchy, asked whether another is one of them, above one or below one, without looking at each.
pub(crate) struct Related<'a> {
    tree: Tree<'a>,
    /// Where those that are stored stand in the order of the tree, ascending.
    positions: Vec<u32>,
    /// The positions of them and all below them: apart from each other, ascending.
    subtrees: Vec<Range<u32>>,
    /// Those that are not stored, and all measures.
    others: Vec<MemberId>,
    all: Vec<MemberId>,
}

impl<'a> Related<'a> {
    pub(crate) fn new(tree: Tree<'a>, to: impl IntoIterator<Item = MemberId>) -> Related<'a> {
        let mut all: Vec<MemberId> = to.into_iter().collect();
        all.sort_unstable();
        all.dedup();
        let mut related = Related { tree, positions: Vec::new(), subtrees: Vec::new(), others: Vec::new(), all };
        let mut subtrees = Vec::new();
        for &member in &related.all {
            match related.subtree(member) {
                Some(subtree) => subtrees.push(subtree),
                None => related.others.push(member),
            }
        }
        subtrees.sort_unstable_by_key(|s| (s.start, std::cmp::Reverse(s.end)));
        related.positions = subtrees.iter().map(|s| s.start).collect();
        for subtree in subtrees {
            // In a tree one is within the other or apart from it.
            if related.subtrees.last().is_none_or(|last| last.end <= subtree.start) {
                related.subtrees.push(subtree);
            }
        }
        related
    }

    fn subtree(&self, member: MemberId) -> Option<Range<u32>> {
        let stored = self.tree.stored(seen(member)).filter(|_| self.tree.id != HierarchyId::MEASURES)?;
        Some(self.tree.hierarchy.members.subtree(stored))
    }

    pub(crate) fn holds(&self, member: MemberId) -> bool {
        let pair = |o: &MemberId| self.tree.is_at_or_under(member, *o) || self.tree.is_at_or_under(*o, member);
        let Some(own) = self.subtree(member) else { return self.all.iter().any(pair) };
        let next = self.positions.partition_point(|p| *p < own.start);
        let below = self.positions.get(next).is_some_and(|p| *p < own.end);
        let before = self.subtrees.partition_point(|s| s.start <= own.start);
        let above = before.checked_sub(1).is_some_and(|i| self.subtrees[i].end > own.start);
        below || above || self.others.iter().any(pair)
    }
}
