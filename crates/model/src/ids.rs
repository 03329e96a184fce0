//! Small numbers that stand for named things within one cube or catalog version.

macro_rules! ids {
    ($($(#[doc = $doc:literal])+ $name:ident;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl $name {
            /// The number as an index.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl From<usize> for $name {
            fn from(index: usize) -> Self {
                $name(index as u32)
            }
        }
    )+};
}

ids! {
    /// A cube of a catalog.
    CubeId;
    /// A dimension of a catalog: shared dimensions once, a cube's own ones each.
    DimensionId;
    /// A hierarchy of a **cube**, over all its dimensions; 0 is Measures.
    HierarchyId;
    /// A level of a hierarchy, from the top; the all level counts.
    LevelId;
    /// A member of a hierarchy: stored ones by position in its member table, others from [`MemberId::FIRST_CALCULATED`].
    MemberId;
    /// A measure group of a catalog.
    MeasureGroupId;
    /// A link of a measure group: the way from its fact rows to one dimension in one role.
    LinkId;
}

impl HierarchyId {
    /// The hierarchy of the measures.
    pub const MEASURES: HierarchyId = HierarchyId(0);
}

impl MemberId {
    /// Calculated members (of the cube, a session, a query) have numbers from here.
    pub const FIRST_CALCULATED: u32 = 1 << 31;
    /// No member: what a null member expression yields.
    pub const NULL: MemberId = MemberId(u32::MAX);

    /// Whether it is none.
    pub const fn is_null(self) -> bool {
        self.0 == u32::MAX
    }

    /// Whether it is calculated, and not stored.
    pub const fn is_calculated(self) -> bool {
        self.0 >= Self::FIRST_CALCULATED && !self.is_null()
    }

    /// The position among the calculated members of its scope.
    pub const fn calculated_index(self) -> Option<usize> {
        if self.is_calculated() { Some((self.0 - Self::FIRST_CALCULATED) as usize) } else { None }
    }
}
