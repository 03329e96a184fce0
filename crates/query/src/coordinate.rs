//! The member ids that only evaluation knows: a member's own data, and sets in the place of a member.

use facetta_model::MemberId;

/// Own data of a parent-child member: its id plus this.
const FIRST_OWN: u32 = 0xA000_0000;
/// A set as a coordinate (compound slicer, Aggregate): its number among the registered sets plus this.
const FIRST_SET: u32 = 0xC000_0000;

/// What a coordinate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A stored member.
    Stored(MemberId),
    /// A calculated member, by its position.
    Calculated(usize),
    /// Only the data that a stored parent-child member has of its own.
    Own(MemberId),
    /// A registered set, which the coordinate ranges over.
    Set(usize),
    /// No member.
    Null,
}

/// What `member` is.
pub(crate) fn place(member: MemberId) -> Place {
    match member.0 {
        u32::MAX => Place::Null,
        id if id >= FIRST_SET => Place::Set((id - FIRST_SET) as usize),
        id if id >= FIRST_OWN => Place::Own(MemberId(id - FIRST_OWN)),
        id if id >= MemberId::FIRST_CALCULATED => Place::Calculated((id - MemberId::FIRST_CALCULATED) as usize),
        _ => Place::Stored(member),
    }
}

/// Whether a coordinate is anything but a stored member.
pub(crate) fn is_special(member: MemberId) -> bool {
    member.0 >= MemberId::FIRST_CALCULATED
}

/// The coordinate of own data of a stored member.
pub(crate) fn own(member: MemberId) -> MemberId {
    debug_assert!(member.0 < FIRST_OWN - MemberId::FIRST_CALCULATED);
    MemberId(FIRST_OWN + member.0)
}

/// The coordinate that ranges over the registered set `index`; none if there are too many.
pub(crate) fn set(index: usize) -> Option<MemberId> {
    (index < (u32::MAX - FIRST_SET) as usize).then(|| MemberId(FIRST_SET + index as u32))
}

/// The calculated member at `index`.
pub(crate) fn calculated(index: usize) -> MemberId {
    MemberId(MemberId::FIRST_CALCULATED + index as u32)
}

/// The member by which a coordinate is seen in the tree: own data as its member.
pub(crate) fn seen(member: MemberId) -> MemberId {
    match place(member) {
        Place::Own(m) => m,
        _ => member,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_do_not_overlap() {
        assert_eq!(place(MemberId(7)), Place::Stored(MemberId(7)));
        assert_eq!(place(own(MemberId(7))), Place::Own(MemberId(7)));
        assert_eq!(place(calculated(3)), Place::Calculated(3));
        assert_eq!(set(5).map(place), Some(Place::Set(5)));
        assert_eq!(place(MemberId::NULL), Place::Null);
        assert_eq!(set(usize::MAX), None);
        assert_eq!(seen(own(MemberId(7))), MemberId(7));
    }
}
