//! Properties of a request: the table of those that the server knows, and the values that a PropertyList gives them.

mod table;

pub use table::PROPERTIES;

use facetta_model::{Result, bail};
use std::time::Duration;

/// The type of a property's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PropertyType {
    /// `xsd:string`
    String,
    /// `xsd:int`
    Int,
    /// `xsd:long`
    Long,
    /// `xsd:boolean`
    Boolean,
    /// `xsd:double`
    Double,
}

impl PropertyType {
    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            PropertyType::String => "xsd:string",
            PropertyType::Int => "xsd:int",
            PropertyType::Long => "xsd:long",
            PropertyType::Boolean => "xsd:boolean",
            PropertyType::Double => "xsd:double",
        }
    }
}

/// Who may do what with a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The server tells it.
    Read,
    /// A request gives it, for itself.
    Write,
    /// A request gives it; the request that begins a session gives it to the session.
    ReadWrite,
}

impl Access {
    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Access::Read => "Read",
            Access::Write => "Write",
            Access::ReadWrite => "ReadWrite",
        }
    }
}

/// What the server does with a property; COMPAT.md shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It does what it says.
    Acts,
    /// It is accepted and kept, and changes nothing yet.
    Ignored,
    /// A value that is not empty faults, since to ignore it would show more than it should.
    Refused,
    /// It tells something of the server.
    Fact,
}

/// A property that the server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Property {
    /// Its name.
    pub name: &'static str,
    /// The type of its value.
    pub ty: PropertyType,
    /// Who may do what with it.
    pub access: Access,
    /// IsRequired of DISCOVER_PROPERTIES; requests without it work all the same.
    pub required: bool,
    /// Its value where nothing is given; empty for none, or for one that the server finds at run time.
    pub default: &'static str,
    /// What the server does with it.
    pub effect: Effect,
    /// The values that it can have; empty for all of its type.
    pub choices: &'static [&'static str],
    /// What it means.
    pub meaning: &'static str,
}

impl Property {
    const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The property with this name, in whatever case.
    pub fn named(name: &str) -> Option<&'static Property> {
        PROPERTIES.iter().find(|p| p.name.eq_ignore_ascii_case(name))
    }

    /// `value` as it is kept: trimmed, in the spelling of the table; `None` if the property cannot have it.
    fn canonical(&self, value: &str) -> Option<String> {
        let value = value.trim();
        if !self.choices.is_empty() {
            // Excel 2007 and olap4j write the second of these.
            let value = if value.eq_ignore_ascii_case("Multidimension") { "Multidimensional" } else { value };
            return self.choices.iter().find(|c| c.eq_ignore_ascii_case(value)).map(|c| (*c).to_owned());
        }
        match self.ty {
            PropertyType::String => Some(value.to_owned()),
            PropertyType::Int => value.parse::<i32>().ok().map(|n| n.to_string()),
            PropertyType::Long => value.parse::<i64>().ok().map(|n| n.to_string()),
            PropertyType::Double => value.parse::<f64>().ok().map(|n| n.to_string()),
            PropertyType::Boolean => match value.to_ascii_lowercase().as_str() {
                "true" | "1" => Some("true".to_owned()),
                "false" | "0" => Some("false".to_owned()),
                _ => None,
            },
        }
    }
}

/// What an answer holds (spec/results.md 2.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Content {
    /// Nothing: the statement is only checked.
    None,
    /// The inline schema.
    Schema,
    /// Rows or cells.
    Data,
    /// Both.
    #[default]
    SchemaData,
    /// Inline schema, and OlapInfo, without axes and cells.
    Metadata,
}

impl Content {
    /// Whether there is an inline schema.
    pub fn has_schema(self) -> bool {
        matches!(self, Content::Schema | Content::SchemaData | Content::Metadata)
    }

    /// Whether there are rows or cells.
    pub fn has_data(self) -> bool {
        matches!(self, Content::Data | Content::SchemaData)
    }
}

/// What form an answer has (spec/results.md 2.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// What the method or statement yields.
    #[default]
    Native,
    /// A rowset; cell sets are flattened.
    Tabular,
    /// A cell set, of a statement that yields one.
    Multidimensional,
}

/// How axes are written (spec/results.md 2.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AxisFormat {
    /// Tuple after tuple.
    #[default]
    Tuple,
    /// As products of lists of members, where an axis is one.
    Cluster,
    /// As the server likes: as tuples.
    Custom,
}

/// The values of a PropertyList: known properties only, checked, each once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Properties {
    given: Vec<(&'static Property, String)>,
}

impl Properties {
    /// Gives `name` a value. Unknown names and facts of the server are ignored, an empty value is none, the last of several
    /// counts; a value that a known property cannot have is an error that names it (spec/decisions.md).
    pub fn set(&mut self, name: &str, value: &str) -> Result<()> {
        let Some(property) = Property::named(name) else { return Ok(()) };
        if property.access == Access::Read {
            return Ok(());
        }
        self.given.retain(|(p, _)| p.name != property.name);
        if value.trim().is_empty() {
            return Ok(());
        }
        let Some(canonical) = property.canonical(value) else {
            let shown: String = value.trim().chars().take(64).collect();
            if property.choices.is_empty() {
                bail!(
                    Property,
                    "The value '{shown}' of the property '{name}' is not of the type {}",
                    property.ty.name()
                );
            }
            let choices = property.choices.join(", ");
            bail!(Property, "The property '{name}' cannot have the value '{shown}', only one of {choices}");
        };
        if property.effect == Effect::Refused {
            bail!(
                Property,
                "The property '{name}' is not supported yet, so that a request which gives it a value is refused"
            );
        }
        self.check_range(property, &canonical)?;
        self.given.push((property, canonical));
        Ok(())
    }

    fn check_range(&self, property: &Property, value: &str) -> Result<()> {
        let least = match property.name {
            "Timeout" | "MaximumRows" | "DbpropMsmdRequestMemoryLimit" | "LocaleIdentifier" => 0,
            "BeginRange" | "EndRange" => -1,
            _ => return Ok(()),
        };
        if value.parse::<i64>().is_ok_and(|n| n < least) {
            bail!(Property, "The property '{}' cannot have the value '{value}', which is below {least}", property.name);
        }
        Ok(())
    }

    /// These properties, and those of `session` that are not given here.
    #[must_use]
    pub fn over(mut self, session: &Properties) -> Properties {
        for (property, value) in &session.given {
            if self.text(property.name).is_none() {
                self.given.push((property, value.clone()));
            }
        }
        self
    }

    /// All that are given, with their values.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'static Property, &str)> {
        self.given.iter().map(|(p, v)| (*p, v.as_str()))
    }

    /// Those that a session keeps when this request begins it.
    #[must_use]
    pub fn of_session(&self) -> Properties {
        let given = self.given.iter().filter(|(p, _)| p.access == Access::ReadWrite).cloned().collect();
        Properties { given }
    }

    /// The value of the property `name`, if it is given.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.given.iter().find(|(p, _)| p.name == name).map(|(_, v)| v.as_str())
    }

    fn number(&self, name: &str) -> Option<i64> {
        self.text(name)?.parse().ok()
    }

    fn flag(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }

    /// Catalog: the current database.
    pub fn catalog(&self) -> Option<&str> {
        self.text("Catalog")
    }

    /// Cube: where the statement names none.
    pub fn cube(&self) -> Option<&str> {
        self.text("Cube")
    }

    /// Timeout, unless it is 0.
    pub fn timeout(&self) -> Option<Duration> {
        self.number("Timeout").and_then(|s| u64::try_from(s).ok()).filter(|&s| s > 0).map(Duration::from_secs)
    }

    /// Content.
    pub fn content(&self) -> Content {
        match self.text("Content") {
            Some("None") => Content::None,
            Some("Schema") => Content::Schema,
            Some("Data") => Content::Data,
            Some("Metadata") => Content::Metadata,
            _ => Content::SchemaData,
        }
    }

    /// Format.
    pub fn format(&self) -> Format {
        match self.text("Format") {
            Some("Tabular") => Format::Tabular,
            Some("Multidimensional") => Format::Multidimensional,
            _ => Format::Native,
        }
    }

    /// AxisFormat.
    pub fn axis_format(&self) -> AxisFormat {
        match self.text("AxisFormat") {
            Some("ClusterFormat") => AxisFormat::Cluster,
            Some("CustomFormat") => AxisFormat::Custom,
            _ => AxisFormat::Tuple,
        }
    }

    /// BeginRange and EndRange as a half-open range of ordinals (spec/results.md 2.5).
    pub fn cell_range(&self) -> std::ops::Range<u64> {
        let begin = self.number("BeginRange").unwrap_or(-1);
        let end = self.number("EndRange").unwrap_or(-1);
        begin.max(0) as u64..u64::try_from(end).map_or(u64::MAX, |end| end.saturating_add(1))
    }

    /// MaximumRows, unless it is 0.
    pub fn maximum_rows(&self) -> Option<u64> {
        self.number("MaximumRows").and_then(|n| u64::try_from(n).ok()).filter(|&n| n > 0)
    }

    /// Which rows of a rowset are sent: those of BeginRange to EndRange, at most MaximumRows of them.
    pub fn row_range(&self) -> std::ops::Range<u64> {
        let range = self.cell_range();
        let most = self.maximum_rows().unwrap_or(u64::MAX);
        range.start..range.end.min(range.start.saturating_add(most))
    }

    /// LocaleIdentifier.
    pub fn locale(&self) -> Option<u32> {
        self.number("LocaleIdentifier").and_then(|n| u32::try_from(n).ok())
    }

    /// SspropInitAppName: the client's name.
    pub fn application(&self) -> Option<&str> {
        self.text("SspropInitAppName")
    }

    /// CustomData.
    pub fn custom_data(&self) -> Option<&str> {
        self.text("CustomData")
    }

    /// DbpropMsmdRequestMemoryLimit in bytes, unless it is 0.
    pub fn memory_limit(&self) -> Option<u64> {
        let kib = self.number("DbpropMsmdRequestMemoryLimit").and_then(|n| u64::try_from(n).ok());
        kib.filter(|&n| n > 0).map(|n| n << 10)
    }

    /// ExecutionMode=Prepare: the statement is only checked.
    pub fn prepare_only(&self) -> bool {
        self.text("ExecutionMode") == Some("Prepare")
    }

    /// ShowHiddenCubes.
    pub fn show_hidden_cubes(&self) -> bool {
        self.flag("ShowHiddenCubes")
    }

    /// EmitInvisibleMembers: hidden objects are listed too where no restriction says which.
    pub fn emit_invisible_members(&self) -> bool {
        self.flag("EmitInvisibleMembers")
    }

    /// FacettaCancelReceipt: a Cancel answers what it hit.
    pub fn cancel_receipt(&self) -> bool {
        self.flag("FacettaCancelReceipt")
    }
}
