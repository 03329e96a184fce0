//! An axis on the wire: tuple after tuple, or products of lists of members (spec/results.md 2.3).

use crate::value::{column_type, int_into, value_into, value_type};
use crate::xml::name::encode_name_as;
use crate::xml::writer::{Writer, Written, escape_attribute_into, escape_text_into};
use facetta_model::{
    Axis, AxisHierarchy, AxisTuples, ColumnType, HierarchyId, LevelId, MemberId, Members, Property, Value,
};
use std::borrow::Cow;

/// DisplayInfo: the bits that count children.
const CHILDREN: u64 = 0xFFFF;
/// DisplayInfo: the next member of the hierarchy on this axis is a child of this one.
const DRILLED_DOWN: u64 = 0x1_0000;
/// DisplayInfo: the previous member of the hierarchy on this axis has the same parent.
const SAME_PARENT_AS_PREVIOUS: u64 = 0x2_0000;

/// The type that a member property declares in OlapInfo; none if each value says its own.
pub(crate) fn property_type(members: &Members, hierarchy: HierarchyId, property: &Property) -> Option<&'static str> {
    match property {
        Property::LevelNumber | Property::MemberType | Property::ParentLevel | Property::Depth => Some("xsd:int"),
        Property::MemberOrdinal | Property::ChildrenCardinality | Property::ParentCount | Property::DisplayInfo => {
            Some("xsd:unsignedInt")
        }
        Property::Visible => Some("xsd:boolean"),
        Property::MemberValue => None,
        Property::Level { level, index } => {
            let level = members.hierarchy(hierarchy).levels.get(level.index())?;
            match &level.properties.get(*index as usize)?.data_type {
                ColumnType::Uuid | ColumnType::Xml => Some("xsd:string"),
                ty => column_type(ty),
            }
        }
        // Its level may differ from member to member.
        Property::Named(_) => None,
        _ => Some("xsd:string"),
    }
}

/// Writes one axis.
pub(crate) struct AxisWriter<'a> {
    tuples: &'a AxisTuples,
    hierarchies: Vec<MemberWriter<'a>>,
}

/// Writes the members of one hierarchy of an axis.
struct MemberWriter<'a> {
    members: &'a Members,
    id: HierarchyId,
    /// The name in attributes.
    axis_name: Cow<'a, str>,
    /// Element, whether values say their type, property.
    properties: Vec<(Cow<'a, str>, bool, &'a Property)>,
    /// The unique names of levels met, escaped.
    levels: Vec<Option<Vec<u8>>>,
    /// The children of the last Member written, and of which member with which DisplayInfo they are: in a crossjoin the
    /// outer hierarchies repeat theirs.
    last: Option<(MemberId, u64)>,
    markup: Vec<u8>,
    name: String,
}

impl<'a> AxisWriter<'a> {
    pub(crate) fn new(members: &'a Members, axis: &'a Axis) -> Self {
        let hierarchies = axis.hierarchies.iter().map(|h| MemberWriter::new(members, h)).collect();
        Self { tuples: &axis.tuples, hierarchies }
    }

    /// Writes Tuples with every tuple.
    pub(crate) fn write_tuples(&mut self, w: &mut Writer) -> Written {
        w.start("Tuples");
        let (tuples, len) = (self.tuples, self.tuples.len());
        for i in 0..len {
            w.poll()?;
            let out = w.bytes();
            out.extend_from_slice(b"<Tuple>");
            for (h, hierarchy) in self.hierarchies.iter_mut().enumerate() {
                let previous = i.checked_sub(1).map(|p| tuples.member(p, h));
                let next = (i + 1 < len).then(|| tuples.member(i + 1, h));
                hierarchy.member_into(out, tuples.member(i, h), previous, next, true);
            }
            out.extend_from_slice(b"</Tuple>");
            w.flush_full()?;
        }
        w.end()
    }

    /// Writes the tuples as CrossProducts of Members: one if the set is a product, else as few as a scan from the start finds.
    pub(crate) fn write_clusters(&mut self, w: &mut Writer) -> Written {
        let mut start = 0;
        while start < self.tuples.len() {
            let cluster = Cluster::at(self.tuples, start, w)?;
            w.start("CrossProduct");
            w.attribute("Size", &cluster.size.to_string());
            for (h, &(count, stride)) in cluster.lists.iter().enumerate() {
                let member = |i: u64| self.tuples.member(start + i * stride, h);
                w.start("Members");
                w.attribute("Hierarchy", &self.hierarchies[h].axis_name);
                for i in 0..count {
                    w.poll()?;
                    let (previous, next) = (i.checked_sub(1).map(member), (i + 1 < count).then(|| member(i + 1)));
                    self.hierarchies[h].member_into(w.bytes(), member(i), previous, next, false);
                    w.flush_full()?;
                }
                w.end()?;
            }
            w.end()?;
            start += cluster.size;
        }
        Ok(())
    }
}

/// A run of tuples that is the product of one list of members for each hierarchy, the last running fastest.
struct Cluster {
    /// Tuples in the run.
    size: u64,
    /// For each hierarchy the length of its list, and the distance of its members in the run.
    lists: Vec<(u64, u64)>,
}

impl Cluster {
    /// The product that begins at the tuple `start`: from the last hierarchy outwards, each list is as long as the block of
    /// tuples found so far repeats with only this member changing.
    fn at(tuples: &AxisTuples, start: u64, w: &mut Writer) -> Written<Cluster> {
        let arity = tuples.hierarchies().len();
        let mut lists = vec![(1, 1); arity];
        let mut size = 1;
        for h in (0..arity).rev() {
            let mut count = 1;
            'extend: while start + (count + 1) * size <= tuples.len() {
                let block = start + count * size;
                let member = tuples.member(block, h);
                for i in 0..size {
                    w.poll()?;
                    let same = |at: usize| tuples.member(block + i, at) == tuples.member(start + i, at);
                    if tuples.member(block + i, h) != member || !(0..arity).all(|at| at == h || same(at)) {
                        break 'extend;
                    }
                }
                count += 1;
            }
            lists[h] = (count, size);
            size *= count;
        }
        Ok(Cluster { size, lists })
    }
}

impl<'a> MemberWriter<'a> {
    fn new(members: &'a Members, hierarchy: &'a AxisHierarchy) -> Self {
        let names = members.cube.compatibility.name_encoding();
        let axis_name = members.cube.compatibility.axis_hierarchy_name(&hierarchy.unique_name);
        let property = |p: &'a facetta_model::AxisProperty| {
            let typed = property_type(members, hierarchy.id, &p.property).is_some();
            (encode_name_as(&p.name, names), !typed, &p.property)
        };
        MemberWriter {
            members,
            id: hierarchy.id,
            axis_name,
            properties: hierarchy.further_properties().map(property).collect(),
            levels: Vec::new(),
            last: None,
            markup: Vec::new(),
            name: String::new(),
        }
    }

    /// Appends a Member. `previous` and `next` are its neighbours in this hierarchy on this axis.
    fn member_into(
        &mut self,
        out: &mut Vec<u8>,
        member: MemberId,
        previous: Option<MemberId>,
        next: Option<MemberId>,
        names_hierarchy: bool,
    ) {
        let display_info = self.display_info(member, previous, next);
        if self.last != Some((member, display_info)) {
            self.last = Some((member, display_info));
            self.children(member, display_info);
        }
        out.extend_from_slice(b"<Member");
        if names_hierarchy {
            out.extend_from_slice(b" Hierarchy=\"");
            escape_attribute_into(out, &self.axis_name);
            out.push(b'"');
        }
        out.push(b'>');
        out.extend_from_slice(&self.markup);
        out.extend_from_slice(b"</Member>");
    }

    fn display_info(&self, member: MemberId, previous: Option<MemberId>, next: Option<MemberId>) -> u64 {
        let parent = |m| self.members.stored(self.members.parent(self.id, m));
        let siblings = |a: MemberId, b: MemberId| {
            let (a, b) = (parent(a), parent(b));
            a == b && (!a.is_null() || self.members.cube.compatibility.roots_are_siblings())
        };
        let mut info = self.members.children_count(self.id, member).min(CHILDREN);
        if next.is_some_and(|next| !next.is_null() && parent(next) == self.members.stored(member)) {
            info |= DRILLED_DOWN;
        }
        if previous.is_some_and(|previous| !previous.is_null() && siblings(previous, member)) {
            info |= SAME_PARENT_AS_PREVIOUS;
        }
        info
    }

    /// Makes the children of a Member in `markup`.
    fn children(&mut self, member: MemberId, display_info: u64) {
        let mut out = std::mem::take(&mut self.markup);
        out.clear();
        self.name.clear();
        self.members.write_unique_name(&mut self.name, self.id, member);
        out.extend_from_slice(b"<UName>");
        escape_text_into(&mut out, &self.name);
        out.extend_from_slice(b"</UName><Caption>");
        escape_text_into(&mut out, self.members.caption(self.id, member));
        out.extend_from_slice(b"</Caption><LName>");
        let level = self.members.level(self.id, member);
        out.extend_from_slice(self.level_name(level));
        out.extend_from_slice(b"</LName><LNum>");
        int_into(&mut out, self.members.depth(self.id, member).into());
        out.extend_from_slice(b"</LNum><DisplayInfo>");
        int_into(&mut out, display_info as i64);
        out.extend_from_slice(b"</DisplayInfo>");
        for (element, says_type, property) in &self.properties {
            let value = match property {
                Property::DisplayInfo => Value::Int(display_info as i64),
                property => self.members.property(self.id, member, property),
            };
            property_into(&mut out, element, *says_type, &value);
        }
        self.markup = out;
    }

    fn level_name(&mut self, level: LevelId) -> &[u8] {
        if self.levels.len() <= level.index() {
            self.levels.resize(level.index() + 1, None);
        }
        let (members, id) = (self.members, self.id);
        self.levels[level.index()].get_or_insert_with(|| {
            let mut escaped = Vec::new();
            escape_text_into(&mut escaped, &members.level_unique_name(id, level));
            escaped
        })
    }
}

fn property_into(out: &mut Vec<u8>, element: &str, says_type: bool, value: &Value) {
    if value.is_empty() {
        return;
    }
    out.push(b'<');
    out.extend_from_slice(element.as_bytes());
    if let (true, Some(ty)) = (says_type, value_type(value)) {
        out.extend_from_slice(b" xsi:type=\"");
        out.extend_from_slice(ty.as_bytes());
        out.push(b'"');
    }
    out.push(b'>');
    value_into(out, value);
    out.extend_from_slice(b"</");
    out.extend_from_slice(element.as_bytes());
    out.push(b'>');
}
