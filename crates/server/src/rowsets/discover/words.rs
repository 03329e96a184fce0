//! DISCOVER_ENUMERATORS, _KEYWORDS, _LITERALS: the words of the protocol and the language.

use crate::rowsets::definition::{Audience, RowsetDef, Type::*, always, column, restriction, rows_of};
use facetta_model::Field;

/// An element of an enumeration.
pub struct Enumerator {
    enumeration: &'static str,
    about: &'static str,
    ty: &'static str,
    element: &'static str,
    element_about: &'static str,
    value: &'static str,
}

const fn element(
    enumeration: &'static str,
    about: &'static str,
    element: &'static str,
    element_about: &'static str,
    value: &'static str,
) -> Enumerator {
    Enumerator { enumeration, about, ty: "string", element, element_about, value }
}

const fn tree_op(name: &'static str, about: &'static str, value: &'static str) -> Enumerator {
    Enumerator {
        enumeration: "TreeOp",
        about: "Bits of TREE_OP in MDSCHEMA_MEMBERS",
        ty: "int",
        element: name,
        element_about: about,
        value,
    }
}

const PROVIDER: &str = "What kinds of data a provider has";
const AUTHENTICATION: &str = "How a data source wants to know who is calling";
const ACCESS: &str = "Who may do what with a property";

#[rustfmt::skip]
static ENUMERATORS: &[Enumerator] = &[
    element("ProviderType", PROVIDER, "TDP", "Tabular data", "TDP"),
    element("ProviderType", PROVIDER, "MDP", "Multidimensional data", "MDP"),
    element("ProviderType", PROVIDER, "DMP", "Data mining", "DMP"),
    element("AuthenticationMode", AUTHENTICATION, "Unauthenticated", "Nobody has to name himself", "Unauthenticated"),
    element("AuthenticationMode", AUTHENTICATION, "Authenticated", "User and password are needed", "Authenticated"),
    element("AuthenticationMode", AUTHENTICATION, "Integrated", "The system's own login is used", "Integrated"),
    element("PropertyAccessType", ACCESS, "Read", "The server tells it", "Read"),
    element("PropertyAccessType", ACCESS, "Write", "A request gives it", "Write"),
    element("PropertyAccessType", ACCESS, "ReadWrite", "A request gives it, a session keeps it", "ReadWrite"),
    element("StateSupport", "What a server keeps between calls", "None", "Nothing", "None"),
    element("StateSupport", "What a server keeps between calls", "Sessions", "Sessions", "Sessions"),
    element("MDXSupport", "How much MDX a server understands", "Core", "The core", "Core"),
    tree_op("MDTREEOP_CHILDREN", "The children", "1"),
    tree_op("MDTREEOP_SIBLINGS", "The siblings", "2"),
    tree_op("MDTREEOP_PARENT", "The parent", "4"),
    tree_op("MDTREEOP_SELF", "The member itself", "8"),
    tree_op("MDTREEOP_DESCENDANTS", "All descendants", "16"),
    tree_op("MDTREEOP_ANCESTORS", "All ancestors", "32"),
];

/// Enumerations of other rowsets.
#[rustfmt::skip]
pub static DISCOVER_ENUMERATORS: RowsetDef<&'static Enumerator> = RowsetDef {
    name: "DISCOVER_ENUMERATORS",
    guid: "55A9E78B-ACCB-45B4-95A6-94C5065617A7",
    about: "Enumerations used by other rowsets",
    dmv: true,
    audience: Audience::Everyone,
    rows: |_| Ok(rows_of(ENUMERATORS.iter())),
    order: &[],
    extra: &[],
    columns: &[
        always(restriction(0, "EnumName", Str, |r| r.enumeration.into())),
        column("EnumDescription", Str, |r| r.about.into()),
        always(column("EnumType", Str, |r| r.ty.into())),
        always(column("ElementName", Str, |r| r.element.into())),
        column("ElementDescription", Str, |r| r.element_about.into()),
        column("ElementValue", Str, |r| r.value.into()),
    ],
};

/// The reserved words of MDX.
#[rustfmt::skip]
static KEYWORDS: &[&str] = &[
    "ABSOLUTE", "ACTIONPARAMETERSET", "ADDCALCULATEDMEMBERS", "AFTER", "AGGREGATE", "ALL", "ALLMEMBERS", "ANCESTOR",
    "ANCESTORS", "AND", "AS", "ASC", "ASCENDANTS", "AVERAGE", "AXIS", "BASC", "BDESC", "BEFORE", "BEFORE_AND_AFTER",
    "BOTTOMCOUNT", "BOTTOMPERCENT", "BOTTOMSUM", "BY", "CACHE", "CALCULATE", "CALCULATION", "CALCULATIONCURRENTPASS",
    "CALCULATIONPASSVALUE", "CALCULATIONS", "CALL", "CASE", "CELL", "CELLFORMULASETLIST", "CHAPTERS", "CHILDREN",
    "CLEAR", "CLOSINGPERIOD", "COALESCEEMPTY", "COLUMN", "COLUMNS", "CORRELATION", "COUNT", "COUSIN", "COVARIANCE",
    "COVARIANCEN", "CREATE", "CREATEPROPERTYSET", "CREATEVIRTUALDIMENSION", "CROSSJOIN", "CUBE", "CURRENT",
    "CURRENTCUBE", "CURRENTMEMBER", "DATAMEMBER", "DEFAULT", "DEFAULTMEMBER", "DEFAULT_MEMBER", "DESC", "DESCENDANTS",
    "DESCRIPTION", "DIMENSION", "DIMENSIONS", "DISTINCT", "DISTINCTCOUNT", "DRILLDOWNLEVEL", "DRILLDOWNLEVELBOTTOM",
    "DRILLDOWNLEVELTOP", "DRILLDOWNMEMBER", "DRILLDOWNMEMBERBOTTOM", "DRILLDOWNMEMBERTOP", "DRILLTHROUGH",
    "DRILLUPLEVEL", "DRILLUPMEMBER", "DROP", "ELSE", "EMPTY", "END", "ERROR", "EXCEPT", "EXCLUDEEMPTY", "EXISTING",
    "EXTRACT", "FALSE", "FILTER", "FIRSTCHILD", "FIRSTROWSET", "FIRSTSIBLING", "FOR", "FREEZE", "FROM", "GENERATE",
    "GLOBAL", "GROUP", "GROUPING", "HAVING", "HEAD", "HIDDEN", "HIERARCHIZE", "HIERARCHY", "IF", "IGNORE", "IIF",
    "INCLUDEEMPTY", "INDEX", "INTERSECT", "IS", "ISANCESTOR", "ISEMPTY", "ISGENERATION", "ISLEAF", "ISSIBLING", "ITEM",
    "LAG", "LASTCHILD", "LASTPERIODS", "LASTSIBLING", "LEAD", "LEAVES", "LEVEL", "LEVELS", "LINKMEMBER", "LINREGINTERCEPT",
    "LINREGPOINT", "LINREGR2", "LINREGSLOPE", "LINREGVARIANCE", "LOOKUPCUBE", "MAX", "MAXROWS", "MEASURE", "MEDIAN",
    "MEMBER", "MEMBERS", "MEMBERTOSTR", "MIN", "MTD", "NAME", "NAMETOSET", "NEST", "NEXTMEMBER", "NONEMPTY",
    "NONEMPTYCROSSJOIN", "NOT", "NO_ALLOCATION", "NO_PROPERTIES", "NULL", "ON", "OPENINGPERIOD", "OR", "ORDER", "ORDINAL",
    "PAGES", "PARALLELPERIOD", "PARENT", "PASS", "PERIODSTODATE", "POST", "PREDICT", "PREVMEMBER", "PROPERTIES", "PROPERTY",
    "QTD", "RANK", "RECURSIVE", "REFRESH", "RELATIVE", "ROLLUPCHILDREN", "ROOT", "ROWS", "SCOPE", "SECTIONS", "SELECT",
    "SELF", "SELF_AND_AFTER", "SELF_AND_BEFORE", "SELF_BEFORE_AFTER", "SESSION", "SET", "SETTOARRAY", "SETTOSTR", "SORT",
    "STDDEV", "STDDEVP", "STDEV", "STDEVP", "STORAGE", "STRIPCALCULATEDMEMBERS", "STRTOMEMBER", "STRTOSET", "STRTOTUPLE",
    "STRTOVALUE", "SUBSET", "SUM", "TAIL", "THEN", "THIS", "TOGGLEDRILLSTATE", "TOPCOUNT", "TOPPERCENT", "TOPSUM",
    "TOTALS", "TREE", "TRUE", "TUPLETOSTR", "TYPE", "UNION", "UNIQUE", "UNIQUENAME", "UPDATE", "USE",
    "USERNAME", "USE_EQUAL_ALLOCATION", "USE_EQUAL_INCREMENT", "USE_WEIGHTED_ALLOCATION", "USE_WEIGHTED_INCREMENT",
    "VALIDMEASURE", "VALUE", "VAR", "VARIANCE", "VARIANCEP", "VARP", "VISUAL", "VISUALTOTALS", "WHEN", "WHERE", "WITH",
    "WTD", "XOR", "YTD",
];

/// Reserved words.
pub static DISCOVER_KEYWORDS: RowsetDef<&'static str> = RowsetDef {
    name: "DISCOVER_KEYWORDS",
    guid: "1426C443-4CDD-4A40-8F45-572FAB9BBAA1",
    about: "Reserved words of the query language",
    dmv: true,
    audience: Audience::Everyone,
    rows: |_| Ok(rows_of(KEYWORDS.iter().copied())),
    order: &[],
    extra: &[],
    columns: &[always(restriction(0, "Keyword", Str, |r: &&'static str| Field::from(*r)))],
};

/// A literal of the provider (OLE DB, DBLITERAL).
pub struct Literal {
    name: &'static str,
    value: &'static str,
    invalid: Option<&'static str>,
    invalid_start: Option<&'static str>,
    length: i32,
    number: i32,
}

/// A literal with a text of its own.
const fn mark(name: &'static str, number: i32, value: &'static str) -> Literal {
    Literal { name, value, invalid: None, invalid_start: None, length: -1, number }
}

/// A text of the client, which the server does not look at.
const fn free(name: &'static str, number: i32) -> Literal {
    Literal { name, value: "", invalid: None, invalid_start: None, length: 0, number }
}

/// A name: the characters that it must not hold, and how long it may be as far as clients reckon with.
const fn identifier(name: &'static str, number: i32, invalid: &'static str, length: i32) -> Literal {
    Literal { name, value: "", invalid: Some(invalid), invalid_start: Some("0123456789 "), length, number }
}

/// As Excel finds them at Analysis Services (spec/excel.md section 7).
#[rustfmt::skip]
static LITERALS: &[Literal] = &[
    identifier("DBLITERAL_CATALOG_NAME", 2, ".", 24),
    mark("DBLITERAL_CATALOG_SEPARATOR", 3, "."),
    identifier("DBLITERAL_COLUMN_ALIAS", 5, "'\"[]", 255),
    identifier("DBLITERAL_COLUMN_NAME", 6, ".", 14),
    identifier("DBLITERAL_CORRELATION_NAME", 7, "'\"[]", 255),
    identifier("DBLITERAL_PROCEDURE_NAME", 14, ".", 255),
    mark("DBLITERAL_QUOTE_PREFIX", 15, "["),
    identifier("DBLITERAL_SCHEMA_NAME", 16, ".", 24),
    identifier("DBLITERAL_TABLE_NAME", 17, ".", 24),
    free("DBLITERAL_TEXT_COMMAND", 18),
    free("DBLITERAL_USER_NAME", 19),
    identifier("DBLITERAL_CUBE_NAME", 21, ".", 24),
    identifier("DBLITERAL_DIMENSION_NAME", 22, ".", 14),
    identifier("DBLITERAL_HIERARCHY_NAME", 23, ".", 10),
    identifier("DBLITERAL_LEVEL_NAME", 24, ".", 255),
    identifier("DBLITERAL_MEMBER_NAME", 25, ".", 255),
    identifier("DBLITERAL_PROPERTY_NAME", 26, ".", 255),
    mark("DBLITERAL_SCHEMA_SEPARATOR", 27, "."),
    mark("DBLITERAL_QUOTE_SUFFIX", 28, "]"),
];

/// Literals of the provider.
#[rustfmt::skip]
pub static DISCOVER_LITERALS: RowsetDef<&'static Literal> = RowsetDef {
    name: "DISCOVER_LITERALS",
    guid: "C3EF5ECB-0A07-4665-A140-B075722DBDC2",
    about: "Literals of the provider",
    dmv: true,
    audience: Audience::Everyone,
    rows: |_| Ok(rows_of(LITERALS.iter())),
    order: &[],
    extra: &[],
    columns: &[
        always(restriction(0, "LiteralName", Str, |r| r.name.into())),
        always(column("LiteralValue", Str, |r| r.value.into())),
        column("LiteralInvalidChars", Str, |r| r.invalid.into()),
        column("LiteralInvalidStartingChars", Str, |r| r.invalid_start.into()),
        column("LiteralMaxLength", Int, |r| r.length.into()),
        column("LiteralNameEnumValue", Int, |r| r.number.into()),
    ],
};
