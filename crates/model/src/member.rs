//! The members of a hierarchy as columns, in an order in which levels, children and subtrees are ranges.

use crate::{MemberId, Strings, Value, ValueColumn, name};
use std::ops::Range;
use std::sync::OnceLock;

/// The stored members of a hierarchy.
///
/// Members are numbered breadth first: the roots, then all their children in the order of their parents, and so on.
/// So every depth of the tree is a range, and so are the children of a member. In a hierarchy with levels, depth and
/// level are the same; a parent-child level covers several depths. Members that a ragged hierarchy hides are in the
/// tree all the same and marked.
#[derive(Debug, Default)]
pub struct MemberTable {
    names: Strings,
    captions: Option<Strings>,
    keys: Vec<ValueColumn>,
    key_starts: Vec<u32>,
    parents: Vec<MemberId>,
    first_child: Vec<u32>,
    preorder: Vec<u32>,
    subtree_end: Vec<u32>,
    depth_starts: Vec<u32>,
    hidden: Option<Vec<bool>>,
    name_index: OnceLock<Vec<(u32, MemberId)>>,
}

/// What a [`MemberTable`] is made of. All columns are in breadth-first order.
#[derive(Debug, Default)]
pub struct MemberParts {
    /// Names.
    pub names: Strings,
    /// Captions, where they differ from names.
    pub captions: Option<Strings>,
    /// Keys, a column for each level; a member's key is at its position less the level's start.
    pub keys: Vec<ValueColumn>,
    /// The parent of each; [`MemberId::NULL`] for roots. Never descending, so that children are ranges.
    pub parents: Vec<MemberId>,
    /// Which are hidden, in a ragged hierarchy.
    pub hidden: Option<Vec<bool>>,
}

impl MemberTable {
    /// A table of `parts`.
    ///
    /// # Errors
    /// If the parents are not in breadth-first order or the columns differ in length.
    pub fn new(parts: MemberParts) -> crate::Result<MemberTable> {
        let count = parts.parents.len();
        let keys: usize = parts.keys.iter().map(ValueColumn::len).sum();
        if parts.names.len() != count || keys != count || parts.captions.as_ref().is_some_and(|c| c.len() != count) {
            return Err(crate::Error::internal("columns of a member table differ in length"));
        }
        let roots = parts.parents.iter().take_while(|p| p.is_null()).count();
        let rest = &parts.parents[roots..];
        let ordered = rest.windows(2).all(|w| w[0] <= w[1])
            && rest.iter().enumerate().all(|(i, p)| !p.is_null() && p.index() < roots + i);
        if !ordered {
            return Err(crate::Error::internal("members are not in breadth-first order"));
        }
        let mut key_starts = vec![0];
        key_starts.extend(parts.keys.iter().scan(0, |end, k| {
            *end += k.len() as u32;
            Some(*end)
        }));
        let mut table = MemberTable {
            names: parts.names,
            captions: parts.captions,
            keys: parts.keys,
            key_starts,
            parents: parts.parents,
            hidden: parts.hidden,
            ..MemberTable::default()
        };
        table.derive_tree(roots);
        Ok(table)
    }

    fn derive_tree(&mut self, roots: usize) {
        let count = self.parents.len();
        self.first_child = Vec::with_capacity(count + 1);
        let mut next = roots;
        for member in 0..count {
            self.first_child.push(next as u32);
            while next < count && self.parents[next].index() == member {
                next += 1;
            }
        }
        self.first_child.push(count as u32);
        self.depth_starts = vec![0];
        let mut depth = 0..roots;
        while !depth.is_empty() {
            self.depth_starts.push(depth.end as u32);
            depth = self.first_child[depth.start] as usize..self.first_child[depth.end] as usize;
        }
        // Sizes of subtrees from the bottom up, then positions from the top down.
        let mut size = vec![1u32; count];
        for member in (roots..count).rev() {
            size[self.parents[member].index()] += size[member];
        }
        self.preorder = vec![0; count];
        self.subtree_end = vec![0; count];
        let mut next_root = 0;
        for (member, &size) in size.iter().enumerate() {
            // While a parent's children are placed, its own `subtree_end` holds the next free position under it.
            let at = match self.parents[member] {
                MemberId::NULL => {
                    let at = next_root;
                    next_root += size;
                    at
                }
                parent => {
                    let at = self.subtree_end[parent.index()];
                    self.subtree_end[parent.index()] += size;
                    at
                }
            };
            self.preorder[member] = at;
            self.subtree_end[member] = at + 1;
        }
    }

    /// How many members there are, hidden ones too.
    pub fn len(&self) -> usize {
        self.parents.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.parents.is_empty()
    }

    /// The name of a member.
    pub fn name(&self, member: MemberId) -> &str {
        self.names.get(member.index())
    }

    /// The caption of a member.
    pub fn caption(&self, member: MemberId) -> &str {
        self.captions.as_ref().map_or_else(|| self.name(member), |c| c.get(member.index()))
    }

    /// The key of a member.
    pub fn key(&self, member: MemberId) -> Value {
        let column = self.key_starts.partition_point(|&start| start <= member.0) - 1;
        self.keys[column].get(member.index() - self.key_starts[column] as usize)
    }

    /// The key column of each level.
    pub fn keys(&self) -> &[ValueColumn] {
        &self.keys
    }

    /// The parent of a member, hidden or not; [`MemberId::NULL`] for a root.
    pub fn parent(&self, member: MemberId) -> MemberId {
        self.parents[member.index()]
    }

    /// The children of a member, hidden ones too.
    pub fn children(&self, member: MemberId) -> Range<u32> {
        self.first_child[member.index()]..self.first_child[member.index() + 1]
    }

    /// The members at a depth of the tree, hidden ones too.
    pub fn at_depth(&self, depth: usize) -> Range<u32> {
        if depth + 1 < self.depth_starts.len() { self.depth_starts[depth]..self.depth_starts[depth + 1] } else { 0..0 }
    }

    /// How many depths the tree has.
    pub fn depths(&self) -> usize {
        self.depth_starts.len().saturating_sub(1)
    }

    /// The depth of a member in the tree; roots are at 0.
    pub fn depth(&self, member: MemberId) -> usize {
        self.depth_starts.partition_point(|&start| start <= member.0) - 1
    }

    /// The ancestor of a member at `depth`, itself if it is there; [`MemberId::NULL`] if it lies higher.
    pub fn ancestor_at(&self, member: MemberId, depth: usize) -> MemberId {
        let mut at = member;
        let mut up = self.depth(member) as isize - depth as isize;
        if up < 0 {
            return MemberId::NULL;
        }
        while up > 0 {
            at = self.parent(at);
            up -= 1;
        }
        at
    }

    /// Position of a member in the order of the tree (parents before children).
    pub fn preorder(&self, member: MemberId) -> u32 {
        self.preorder[member.index()]
    }

    /// Positions of a member and all below it.
    pub fn subtree(&self, member: MemberId) -> Range<u32> {
        self.preorder[member.index()]..self.subtree_end[member.index()]
    }

    /// Whether `member` is `ancestor` or lies below it.
    pub fn is_at_or_under(&self, member: MemberId, ancestor: MemberId) -> bool {
        self.subtree(ancestor).contains(&self.preorder(member))
    }

    /// The members at a depth below `member`, hidden ones too: a range, since order is by parents at every depth.
    pub fn descendants_at(&self, member: MemberId, depth: usize) -> Range<u32> {
        let mut range = member.0..member.0 + 1;
        for _ in self.depth(member)..depth {
            if range.is_empty() {
                return 0..0;
            }
            range = self.first_child[range.start as usize]..self.first_child[range.end as usize];
        }
        if self.depth(member) > depth { 0..0 } else { range }
    }

    /// Whether a ragged hierarchy hides the member.
    pub fn is_hidden(&self, member: MemberId) -> bool {
        self.hidden.as_ref().is_some_and(|h| h[member.index()])
    }

    /// Whether any member is hidden.
    pub fn is_ragged(&self) -> bool {
        self.hidden.is_some()
    }

    /// All members with this name, without regard to case, ascending, hidden ones too.
    pub fn with_name<'a>(&'a self, wanted: &str) -> impl Iterator<Item = MemberId> + 'a {
        let index = self.name_index.get_or_init(|| {
            let ids = (0..self.len() as u32).map(MemberId);
            let mut index: Vec<_> = ids.map(|m| (hash(&name::fold(self.name(m))), m)).collect();
            index.sort_unstable();
            index
        });
        let folded = name::fold(wanted);
        let wanted_hash = hash(&folded);
        let from = index.partition_point(|&(h, _)| h < wanted_hash);
        index[from..]
            .iter()
            .take_while(move |&&(h, _)| h == wanted_hash)
            .map(|&(_, m)| m)
            .filter(move |&m| name::fold(self.name(m)) == folded)
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        let keys: usize = self.keys.iter().map(ValueColumn::bytes).sum();
        let index = self.name_index.get().map_or(0, |i| i.len() * 8);
        self.names.bytes() + self.captions.as_ref().map_or(0, Strings::bytes) + keys + self.len() * 16 + index
    }
}

fn hash(folded: &str) -> u32 {
    use std::hash::Hasher;
    let mut hasher = rustc_hash::FxHasher::default();
    hasher.write(folded.as_bytes());
    hasher.finish() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ValueData;

    /// All; A, B; A1, A2, B1.
    fn table() -> MemberTable {
        let names: Strings = ["All", "A", "B", "A1", "A2", "B1"].into_iter().collect();
        let key = |n: usize| ValueColumn { data: ValueData::Int((0..n as i64).collect()), nulls: None };
        let parents = [u32::MAX, 0, 0, 1, 1, 2].into_iter().map(MemberId).collect();
        let parts = MemberParts { names, keys: vec![key(1), key(2), key(3)], parents, ..MemberParts::default() };
        MemberTable::new(parts).unwrap()
    }

    #[test]
    fn the_tree_is_ranges() {
        let t = table();
        assert_eq!(t.depths(), 3);
        assert_eq!(t.children(MemberId(0)), 1..3);
        assert_eq!(t.children(MemberId(1)), 3..5);
        assert_eq!(t.children(MemberId(5)), 6..6);
        assert_eq!(t.at_depth(2), 3..6);
        assert_eq!(t.descendants_at(MemberId(0), 2), 3..6);
        assert_eq!(t.depth(MemberId(4)), 2);
        let preorder: Vec<u32> = (0..6).map(|m| t.preorder(MemberId(m))).collect();
        assert_eq!(preorder, [0, 1, 4, 2, 3, 5]);
        assert_eq!(t.subtree(MemberId(1)), 1..4);
        assert!(t.is_at_or_under(MemberId(4), MemberId(1)));
        assert!(!t.is_at_or_under(MemberId(5), MemberId(1)));
        assert_eq!(t.ancestor_at(MemberId(5), 1), MemberId(2));
        assert_eq!(t.key(MemberId(4)), Value::Int(1));
    }

    #[test]
    fn names_are_found_without_regard_to_case() {
        let t = table();
        assert_eq!(t.with_name("a2").collect::<Vec<_>>(), [MemberId(4)]);
        assert_eq!(t.with_name("a3").count(), 0);
    }

    #[test]
    fn wrong_order_is_refused() {
        let names: Strings = ["A", "B", "C"].into_iter().collect();
        let keys = vec![ValueColumn { data: ValueData::Int(vec![0, 1, 2]), nulls: None }];
        let parents = [u32::MAX, 2, 0].into_iter().map(MemberId).collect();
        assert!(MemberTable::new(MemberParts { names, keys, parents, ..MemberParts::default() }).is_err());
    }
}
