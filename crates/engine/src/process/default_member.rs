//! The default member of a hierarchy from the text that names it.

use facetta_model::definition::{DimensionDef, HierarchyDef};
use facetta_model::{MemberId, MemberTable, Result, bail, name};

/// A part of a name: `[CA]`, `CA`, or `&[CA]`, which is a key.
struct Segment {
    text: String,
    is_key: bool,
}

/// The default member: the one that the definition names, else the all member, else the first that is not hidden.
pub(crate) fn find(dimension: &DimensionDef, hierarchy: &HierarchyDef, members: &MemberTable) -> Result<MemberId> {
    if let Some(text) = &hierarchy.default_member {
        return named(text, dimension, hierarchy, members);
    }
    let first = (0..members.len() as u32).map(MemberId).find(|&m| !members.is_hidden(m));
    Ok(first.unwrap_or(MemberId::NULL))
}

fn named(text: &str, dimension: &DimensionDef, hierarchy: &HierarchyDef, members: &MemberTable) -> Result<MemberId> {
    let Some(segments) = segments(text) else { bail!(Definition, "the default member '{text}' is not a name") };
    let mut rest = &segments[..];
    // `[Time]`, `[Time].[Weekly]`, `[Time.Weekly]` and a level may stand before the members' names.
    for own in [&dimension.name, &hierarchy.name, &format!("{}.{}", dimension.name, hierarchy.name)] {
        if let [first, after @ ..] = rest
            && !first.is_key
            && !after.is_empty()
            && name::same(&first.text, own)
        {
            rest = after;
        }
    }
    if let [first, after @ ..] = rest
        && !after.is_empty()
        && hierarchy.levels.iter().any(|l| name::same(&l.name, &first.text))
    {
        rest = after;
    }
    let fits = |member: MemberId, segment: &Segment| {
        if segment.is_key {
            members.key(member).to_string() == segment.text
        } else {
            name::same(members.name(member), &segment.text)
        }
    };
    let roots = members.at_depth(0);
    let below_all = if hierarchy.all.is_some() { members.at_depth(1) } else { 0..0 };
    let Some((first, after)) = rest.split_first() else {
        bail!(Definition, "the default member '{text}' is not a name");
    };
    let mut found = roots.chain(below_all).map(MemberId).find(|&m| fits(m, first));
    if found.is_none() && after.is_empty() {
        // A name alone may be of any level.
        found = (0..members.len() as u32).map(MemberId).find(|&m| fits(m, first));
    }
    for segment in after {
        found = found.and_then(|m| members.children(m).map(MemberId).find(|&c| fits(c, segment)));
    }
    match found {
        Some(member) => Ok(member),
        None => bail!(Definition, "the default member '{text}' does not exist"),
    }
}

/// The parts of `[a].[b]]c].&[d].e`; none if a bracket is not closed.
fn segments(text: &str) -> Option<Vec<Segment>> {
    let mut segments = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let is_key = rest.starts_with('&');
        rest = rest.strip_prefix('&').unwrap_or(rest);
        let mut part = String::new();
        if let Some(inside) = rest.strip_prefix('[') {
            let mut chars = inside.char_indices().peekable();
            let end = loop {
                match chars.next()? {
                    (_, ']') if chars.peek().is_some_and(|(_, c)| *c == ']') => {
                        chars.next();
                        part.push(']');
                    }
                    (at, ']') => break at + 1,
                    (_, c) => part.push(c),
                }
            };
            rest = &inside[end..];
        } else {
            let end = rest.find('.').unwrap_or(rest.len());
            part.push_str(rest[..end].trim());
            rest = &rest[end..];
        }
        segments.push(Segment { text: part, is_key });
        rest = rest.trim_start();
        rest = match rest.strip_prefix('.') {
            Some(after) => after.trim_start(),
            None if rest.is_empty() => rest,
            None => return None,
        };
    }
    Some(segments).filter(|s| !s.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_at_points_outside_brackets() {
        let split = |text| segments(text).map(|s| s.iter().map(|s| s.text.clone()).collect::<Vec<_>>());
        assert_eq!(split("All Media"), Some(vec!["All Media".to_owned()]));
        assert_eq!(split("[a]]b].[c.d] . e"), Some(vec!["a]b".to_owned(), "c.d".to_owned(), "e".to_owned()]));
        assert_eq!(split("[Time].&[1997]").unwrap()[1], "1997");
        assert_eq!(split("[open"), None);
        assert_eq!(split(""), None);
    }
}
