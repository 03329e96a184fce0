//! The nouns of Facetta: catalog, values, results, errors, and the context of a running command.
//!
//! Every other crate speaks in these types; this one knows nothing of files, sockets, XML or MDX text.
//! Data flows one way: a [`definition::Definition`] and a source become a [`catalog::Catalog`] with its storage; a query
//! asks storage for a [`Subcube`] and yields an [`Outcome`].

pub mod calendar;
pub mod catalog;
mod cellset;
mod column;
mod compatibility;
mod context;
pub mod definition;
mod error;
mod ids;
mod later;
mod member;
mod members;
pub mod name;
mod rowset;
pub mod sort;
mod strings;
mod subcube;
mod value;

pub use cellset::{
    Axis, AxisHierarchy, AxisProperty, AxisTuples, CellBlock, CellProperty, CellSet, CellSource, Outcome, TupleSet,
};
pub use column::{ValueColumn, ValueData};
pub use compatibility::{Compatibility, NameEncoding};
pub use context::{CancelReason, CancelToken, Charge, Context, Counters, MemoryAccount, Trip};
pub use error::{Error, ErrorKind, Location, Result, Span};
pub use ids::{CubeId, DimensionId, HierarchyId, LevelId, LinkId, MeasureGroupId, MemberId};
pub use later::{collect_or_drop_later, drop_later};
pub use member::{MemberParts, MemberTable};
pub use members::{CalculatedMember, INTRINSIC_PROPERTIES, Members, Property, Scope};
pub use rowset::{Batch, Column, ColumnType, Field, RowSource, Rowset};
pub use strings::Strings;
pub use subcube::{
    Grain, MeasureColumn, MeasureData, MemberPart, Path, RowsRequest, Snapshot, SourceColumn, Subcube, SubcubeAxis,
    SubcubeFilter, SubcubeRequest, TupleFilter,
};
pub use value::{Currency, Value};
