//! The one place that decides what differs between the two ways a catalog can speak; no other code asks which it is.

use crate::CellProperty;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Whose habits a catalog follows: unique names, order of nulls, error texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compatibility {
    /// `[Dimension].[Hierarchy].[Level].&[key]`, as Excel and Power BI know them.
    #[default]
    AnalysisServices,
    /// `[Dimension].[1997].[Q1]`, as Mondrian 3 names them.
    Mondrian,
}

/// How the names of elements encode characters that XML does not allow there: `_x005B_` or `_x005b_`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NameEncoding {
    /// As Analysis Services writes them.
    #[default]
    UpperCase,
    /// As Mondrian 3 writes them.
    LowerCase,
}

impl Compatibility {
    /// The unique name of a hierarchy. `same_name`: the hierarchy has the name of its dimension, or none.
    pub fn hierarchy_unique_name(self, dimension: &str, hierarchy: &str) -> String {
        let mut out = crate::name::quote(dimension);
        let short = self == Compatibility::Mondrian && crate::name::same(dimension, hierarchy);
        if !short {
            out.push('.');
            crate::name::quote_into(&mut out, hierarchy);
        }
        out
    }

    /// Whether a member's unique name is the path of names from the top (`[Time].[1997].[Q1]`), without level and key.
    pub fn names_by_path(self) -> bool {
        self == Compatibility::Mondrian
    }

    /// The name of an all member that the definition does not name.
    pub fn all_member_name(self, hierarchy: &str) -> String {
        match self {
            Compatibility::AnalysisServices => "All".to_owned(),
            Compatibility::Mondrian => format!("All {hierarchy}s"),
        }
    }

    /// The name of a member whose key is null.
    pub fn null_member_name(self) -> &'static str {
        match self {
            Compatibility::AnalysisServices => "",
            Compatibility::Mondrian => "#null",
        }
    }

    /// Whether a measure repeats its total along a dimension that its measure group has no link to
    /// (IgnoreUnrelatedDimensions), where otherwise only the default member has a value.
    pub fn ignores_unrelated_dimensions(self) -> bool {
        self == Compatibility::AnalysisServices
    }

    /// Whether solve orders count only between calculations of one scope, those of the query being applied last.
    pub fn solves_by_scope(self) -> bool {
        self == Compatibility::AnalysisServices
    }

    /// Whether a calculated member is the current member of its hierarchy while its formula is evaluated; otherwise the
    /// default member is.
    pub fn calculated_member_stays_current(self) -> bool {
        self == Compatibility::AnalysisServices
    }

    /// Whether an empty cell compares as zero or an empty text; otherwise no comparison with it holds.
    pub fn empty_compares_as_zero(self) -> bool {
        self == Compatibility::AnalysisServices
    }

    /// Whether `[Gender].[Gender]` is the hierarchy; otherwise it is the level of that name, if there is one.
    pub fn second_name_is_hierarchy(self) -> bool {
        self == Compatibility::AnalysisServices
    }

    /// Whether `[Store].[Seattle]` finds a member at any depth below.
    pub fn finds_members_at_any_depth(self) -> bool {
        self == Compatibility::AnalysisServices
    }

    /// The name that a cell set gives a hierarchy on an axis: its unique name, or for Mondrian 3 that without brackets.
    /// Where it has two parts it stays as it is: olap4j finds a second hierarchy by its unique name only.
    pub fn axis_hierarchy_name(self, unique_name: &str) -> Cow<'_, str> {
        let inner = unique_name.strip_prefix('[').and_then(|n| n.strip_suffix(']'));
        match inner {
            Some(name) if self == Compatibility::Mondrian && !name.contains("].[") => {
                Cow::Owned(name.replace("]]", "]"))
            }
            _ => Cow::Borrowed(unique_name),
        }
    }

    /// The cell properties of a query that asks for none.
    pub fn default_cell_properties(self) -> &'static [CellProperty] {
        use CellProperty::{CellOrdinal, FormatString, FormattedValue, Value};
        match self {
            Compatibility::AnalysisServices => &[Value, FormattedValue, CellOrdinal],
            Compatibility::Mondrian => &[Value, FormattedValue, FormatString, CellOrdinal],
        }
    }

    /// The full name that OlapInfo gives a property of a level: with its level, or for Mondrian 3 with its hierarchy alone.
    pub fn level_property_owner<'a>(self, hierarchy: &'a str, level: &'a str) -> &'a str {
        match self {
            Compatibility::AnalysisServices => level,
            Compatibility::Mondrian => hierarchy,
        }
    }

    /// Whether members without a parent count as siblings in DisplayInfo.
    pub fn roots_are_siblings(self) -> bool {
        self == Compatibility::AnalysisServices
    }

    /// How the names of elements write the code of a character that XML allows in none.
    pub fn name_encoding(self) -> NameEncoding {
        match self {
            Compatibility::AnalysisServices => NameEncoding::UpperCase,
            Compatibility::Mondrian => NameEncoding::LowerCase,
        }
    }

    /// Whether a member property that is declared to be a number is a double, whatever type its column has.
    pub fn numeric_properties_are_doubles(self) -> bool {
        self == Compatibility::Mondrian
    }

    /// DIMENSION_CARDINALITY: the members of the deepest level, and the all member, which Mondrian 3 always counts.
    pub fn dimension_cardinality(self, deepest: u32, has_all: bool) -> u32 {
        deepest + u32::from(has_all || self == Compatibility::Mondrian)
    }

    /// The description of a catalog that has none.
    pub fn no_description(self) -> &'static str {
        match self {
            Compatibility::AnalysisServices => "",
            Compatibility::Mondrian => "No description available",
        }
    }

    /// MEASURE_AGGREGATOR of a distinct count: 8, or 0 (unknown).
    pub fn distinct_count_aggregator(self) -> i64 {
        match self {
            Compatibility::AnalysisServices => 8,
            Compatibility::Mondrian => 0,
        }
    }

    /// How a made description names a hierarchy: with its dimension where the names differ, for Mondrian 3.
    pub fn described_hierarchy(self, dimension: &str, hierarchy: &str) -> String {
        if self == Compatibility::Mondrian && !crate::name::same(dimension, hierarchy) {
            format!("{dimension}.{hierarchy}")
        } else {
            hierarchy.to_owned()
        }
    }

    /// Whether every object has a description, a made one where the definition gives none, and a cube passes for the
    /// measure group of what is calculated (as Mondrian's clients see them).
    pub fn describes_everything(self) -> bool {
        self == Compatibility::Mondrian
    }

    /// Whether SCHEMA_NAME is the catalog's name; null otherwise.
    pub fn has_schema_names(self) -> bool {
        self == Compatibility::Mondrian
    }

    /// Whether a hierarchy of a single level counts as an attribute hierarchy.
    pub fn has_attribute_hierarchies(self) -> bool {
        self == Compatibility::AnalysisServices
    }

    /// DIMENSION_UNIQUE_SETTINGS: 1 where keys tell members.
    pub fn dimension_unique_settings(self) -> i32 {
        match self {
            Compatibility::AnalysisServices => 1,
            Compatibility::Mondrian => 0,
        }
    }

    /// DATA_TYPE of a calculated measure: any type, or text.
    pub fn calculated_measure_dbtype(self) -> u16 {
        match self {
            Compatibility::AnalysisServices => 12,
            Compatibility::Mondrian => 130,
        }
    }

    /// Whether the slicer axis begins with the hierarchies of WHERE, as written; otherwise it is in the cube's order.
    pub fn slicer_as_written(self) -> bool {
        self == Compatibility::Mondrian
    }

    /// Whether Ancestors yields all ancestors up to the one asked for, and not that one alone.
    pub fn ancestors_on_the_way(self) -> bool {
        self == Compatibility::Mondrian
    }

    /// The format of a calculated measure that neither has one nor names a measure to take it from.
    pub fn format_without_measure(self) -> Option<&'static str> {
        (self == Compatibility::Mondrian).then_some("Standard")
    }

    /// Whether a text in a cell is no number even if it spells one, and a text and a number are not compared.
    pub fn numbers_are_typed(self) -> bool {
        self == Compatibility::Mondrian
    }

    /// Whether `member : NULL` goes to the end of the level; otherwise such a range is empty.
    pub fn open_ranges(self) -> bool {
        self == Compatibility::AnalysisServices
    }

    /// Whether Rank knows a position, 0, of a member in a set over other hierarchies; otherwise that is an error.
    pub fn ranks_strangers(self) -> bool {
        self == Compatibility::Mondrian
    }

    /// Whether a covariance or regression of no values is no number; otherwise it is empty.
    pub fn statistics_of_nothing_are_nan(self) -> bool {
        self == Compatibility::Mondrian
    }

    /// How TopPercent and BottomPercent see a set without any value: as equal shares, or as one tuple that stands for all.
    pub fn empty_values_share_equally(self) -> bool {
        self == Compatibility::Mondrian
    }

    /// Whether the cube's calculated measures are neighbours and siblings of the stored ones.
    pub fn calculated_measures_are_siblings(self) -> bool {
        self == Compatibility::Mondrian
    }

    /// Whether every member has a data member, itself; otherwise only those of parent-child hierarchies have one.
    pub fn every_member_has_data(self) -> bool {
        self == Compatibility::AnalysisServices
    }

    /// The solve order of what VisualTotals makes.
    pub fn visual_total_solve_order(self) -> i32 {
        match self {
            Compatibility::AnalysisServices => 0,
            Compatibility::Mondrian => 99,
        }
    }

    /// Whether Exists takes the default members of hierarchies that only one of its sets has.
    pub fn exists_minds_default_members(self) -> bool {
        self == Compatibility::Mondrian
    }

    /// Whether NonEmptyCrossJoin orders listed members as the hierarchy does, and minds calculated measures of the query.
    pub fn non_empty_crossjoin_is_native(self) -> bool {
        self == Compatibility::Mondrian
    }

    /// Whether overlapping tuples of a slicer count each for itself; otherwise what they share counts once.
    pub fn slicer_tuples_add_up(self) -> bool {
        self == Compatibility::Mondrian
    }

    /// Whether the current member of a hierarchy that the slicer holds a set of ends the query; otherwise it fails the cell.
    pub fn current_member_of_set_is_fatal(self) -> bool {
        self == Compatibility::Mondrian
    }

    /// Whether steps up and down a ragged hierarchy are those from shown parent to child; otherwise they are levels.
    pub fn steps_skip_hidden_members(self) -> bool {
        self == Compatibility::Mondrian
    }

    /// Whether LEAVES means leaves strictly below the member and one step deeper than asked; otherwise down to the depth asked
    /// for, a leaf being its own.
    pub fn leaves_lie_below_depth(self) -> bool {
        self == Compatibility::Mondrian
    }

    /// Properties of a connection that are parameters without a value, as Mondrian 3 names them.
    pub fn connection_properties(self) -> &'static [&'static str] {
        match self {
            Compatibility::AnalysisServices => &[],
            Compatibility::Mondrian => &[
                "Provider",
                "Jdbc",
                "JdbcDrivers",
                "JdbcUser",
                "JdbcPassword",
                "Catalog",
                "CatalogContent",
                "CatalogName",
                "DataSource",
                "PoolNeeded",
                "Role",
                "UseContentChecksum",
                "UseSchemaPool",
                "DynamicSchemaProcessor",
                "Locale",
                "JdbcConnectionUuid",
                "PinSchemaTimeout",
                "AggregateScanSchema",
                "AggregateScanCatalog",
                "Instance",
            ],
        }
    }

    /// Whether ORDER with DESC turns the natural order of tuples round where their values are equal.
    pub fn ties_follow_direction(self) -> bool {
        self == Compatibility::Mondrian
    }

    /// The name of the measure that counts fact rows where a cube has no such measure, if it gets one.
    pub fn fact_count(self) -> Option<&'static str> {
        (self == Compatibility::Mondrian).then_some("Fact Count")
    }

    /// Whether a function takes the literal NULL where it takes texts.
    pub fn takes_null(self, function: &str) -> bool {
        self == Compatibility::AnalysisServices || !function.eq_ignore_ascii_case("UCase")
    }

    /// Whether the flags of Descendants other than LEAVES need a depth beside them.
    pub fn descendants_flags_need_depth(self) -> bool {
        self == Compatibility::Mondrian
    }
}
