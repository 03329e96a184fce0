//! A request: session headers, and Discover or Execute with restrictions, properties, parameters.

use crate::command::Command;
use crate::envelope::{self, SessionHeaders};
use crate::properties::Properties;
use crate::xml::name::decode_name;
use crate::xml::namespace::Namespace;
use crate::xml::reader::{Element, Event, Reader};
use facetta_model::{Context, Currency, Error, ErrorKind, Result, Value, bail};

/// A request, read and checked in form; what its names mean is not known here.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Which session it wants.
    pub headers: SessionHeaders,
    /// What it asks.
    pub body: Body,
}

/// The one child of the SOAP body.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Metadata.
    Discover(Discover),
    /// A command.
    Execute(Execute),
}

/// The method Discover.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Discover {
    /// Which rowset.
    pub request_type: String,
    /// Which rows of it.
    pub restrictions: Restrictions,
    /// How.
    pub properties: Properties,
}

/// The method Execute.
#[derive(Clone, Debug, PartialEq)]
pub struct Execute {
    /// What to do.
    pub command: Command,
    /// How.
    pub properties: Properties,
    /// Values for the `@name`s of the statement.
    pub parameters: Vec<Parameter>,
}

/// A restriction of a Discover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restriction {
    /// The column's name, as written.
    pub name: String,
    /// The values that a row may have there: one, or any of several.
    pub values: Vec<String>,
}

/// The restrictions of a Discover, each name once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restrictions(Vec<Restriction>);

/// A parameter of an Execute.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name, without `@`.
    pub name: String,
    /// Its value, of the type that the request says.
    pub value: Value,
}

impl Request {
    /// Reads a request from the bytes of an HTTP body.
    ///
    /// Errors are of the kinds Xml (not well formed), Soap (not XMLA), EmptyBody, MustUnderstand, SessionHeader,
    /// SessionNotFound (a missing id), Property, TypeMismatch.
    pub fn read(bytes: &[u8], context: &Context) -> Result<Request> {
        envelope::read(bytes, context)
    }

    /// The properties of either method.
    pub fn properties(&self) -> &Properties {
        match &self.body {
            Body::Discover(discover) => &discover.properties,
            Body::Execute(execute) => &execute.properties,
        }
    }
}

impl Body {
    /// Reads the method that `element` begins and closes it.
    pub(crate) fn read(reader: &mut Reader, element: &Element) -> Result<Body> {
        match element.name {
            "Discover" if element.namespace == Namespace::Xmla => Discover::read(reader).map(Body::Discover),
            "Execute" if element.namespace == Namespace::Xmla => Execute::read(reader).map(Body::Execute),
            _ => Err(reader.unexpected(element)),
        }
    }
}

impl Discover {
    fn read(reader: &mut Reader) -> Result<Discover> {
        let (mut request_type, mut restrictions, mut properties) = (None, None, None);
        while let Some(child) = reader.child()? {
            match child.name {
                "RequestType" => once(reader, &child, &mut request_type, |r| Ok(r.content()?.trim().to_owned()))?,
                "Restrictions" => once(reader, &child, &mut restrictions, Restrictions::read)?,
                "Properties" => once(reader, &child, &mut properties, read_properties)?,
                _ => return Err(reader.unexpected(&child)),
            }
        }
        let Some(request_type) = request_type else { return Err(missing("RequestType", "Discover")) };
        Ok(Discover {
            request_type,
            restrictions: restrictions.unwrap_or_default(),
            properties: properties.unwrap_or_default(),
        })
    }
}

impl Execute {
    fn read(reader: &mut Reader) -> Result<Execute> {
        let (mut command, mut properties, mut parameters) = (None, None, None);
        while let Some(child) = reader.child()? {
            match child.name {
                "Command" => once(reader, &child, &mut command, read_command)?,
                "Properties" => once(reader, &child, &mut properties, read_properties)?,
                "Parameters" => once(reader, &child, &mut parameters, read_parameters)?,
                // Recorded clients send the three parts of a Discover here too.
                "Restrictions" => reader.skip()?,
                _ => return Err(reader.unexpected(&child)),
            }
        }
        let Some(command) = command else { return Err(missing("Command", "Execute")) };
        let (properties, parameters) = (properties.unwrap_or_default(), parameters.unwrap_or_default());
        Ok(Execute { command, properties, parameters })
    }
}

/// Reads a child that may be there once.
fn once<T>(
    reader: &mut Reader,
    element: &Element,
    slot: &mut Option<T>,
    read: impl FnOnce(&mut Reader) -> Result<T>,
) -> Result<()> {
    if slot.is_some() {
        return Err(reader.unexpected(element));
    }
    *slot = Some(read(reader)?);
    Ok(())
}

fn missing(element: &str, parent: &str) -> Error {
    let message = format!("XML for Analysis parser: The {element} element is missing under Envelope/Body/{parent}.");
    Error::new(ErrorKind::Soap, message)
}

fn read_command(reader: &mut Reader) -> Result<Command> {
    let Some(element) = reader.child()? else {
        bail!(Soap, "XML for Analysis parser: The Command element is empty.");
    };
    let command = Command::read(reader, &element)?;
    match reader.child()? {
        Some(second) => Err(reader.unexpected(&second)),
        None => Ok(command),
    }
}

fn read_properties(reader: &mut Reader) -> Result<Properties> {
    let mut list = None;
    while let Some(child) = reader.child()? {
        match child.name {
            "PropertyList" => once(reader, &child, &mut list, |reader| {
                let mut properties = Properties::default();
                while let Some(property) = reader.child()? {
                    properties.set(property.name, &reader.content()?)?;
                }
                Ok(properties)
            })?,
            _ => return Err(reader.unexpected(&child)),
        }
    }
    Ok(list.unwrap_or_default())
}

impl Restrictions {
    /// Restrictions from names and values, the last of equal names counting.
    pub fn new(all: impl IntoIterator<Item = Restriction>) -> Self {
        let mut restrictions = Restrictions::default();
        all.into_iter().for_each(|r| restrictions.set(r));
        restrictions
    }

    /// All of them in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Restriction> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values given for a column.
    pub fn get(&self, name: &str) -> Option<&[String]> {
        self.0.iter().find(|r| r.name.eq_ignore_ascii_case(name)).map(|r| r.values.as_slice())
    }

    fn set(&mut self, restriction: Restriction) {
        self.0.retain(|r| !r.name.eq_ignore_ascii_case(&restriction.name));
        self.0.push(restriction);
    }

    fn read(reader: &mut Reader) -> Result<Restrictions> {
        let mut list = None;
        while let Some(child) = reader.child()? {
            match child.name {
                "RestrictionList" => once(reader, &child, &mut list, |reader| {
                    let mut restrictions = Restrictions::default();
                    while let Some(element) = reader.child()? {
                        let values = read_values(reader)?;
                        restrictions.set(Restriction { name: decode_name(element.name).into_owned(), values });
                        if restrictions.0.len() > MOST_RESTRICTIONS {
                            bail!(
                                Soap,
                                "XML for Analysis parser: There are more than {MOST_RESTRICTIONS} restrictions."
                            );
                        }
                    }
                    Ok(restrictions)
                })?,
                _ => return Err(reader.unexpected(&child)),
            }
        }
        Ok(list.unwrap_or_default())
    }
}

/// No rowset has as many columns.
const MOST_RESTRICTIONS: usize = 256;

/// The text of a restriction, or its `<Value>` children.
fn read_values(reader: &mut Reader) -> Result<Vec<String>> {
    let mut text = String::new();
    let mut values = Vec::new();
    while let Some(event) = reader.next()? {
        match event {
            Event::Text(more) => text.push_str(&more),
            Event::Start(element) if element.name == "Value" => values.push(reader.content()?),
            Event::Start(element) => return Err(reader.unexpected(&element)),
            Event::End => break,
        }
    }
    if values.is_empty() {
        values.push(text);
    } else {
        reader.expect_blank(&text)?;
    }
    Ok(values)
}

fn read_parameters(reader: &mut Reader) -> Result<Vec<Parameter>> {
    let mut parameters = Vec::new();
    while let Some(child) = reader.child()? {
        if child.name != "Parameter" {
            return Err(reader.unexpected(&child));
        }
        let (mut name, mut value) = (None, None);
        while let Some(part) = reader.child()? {
            match part.name {
                "Name" => {
                    once(reader, &part, &mut name, |r| Ok(r.content()?.trim().trim_start_matches('@').to_owned()))?
                }
                "Value" => once(reader, &part, &mut value, |r| typed_value(&part, &r.content()?))?,
                _ => return Err(reader.unexpected(&part)),
            }
        }
        let Some(name) = name.filter(|n| !n.is_empty()) else {
            return Err(missing("Name", "Execute/Parameters/Parameter"));
        };
        parameters.push(Parameter { name, value: value.unwrap_or_default() });
    }
    Ok(parameters)
}

/// A value by its `xsi:type`; text without one, and empty with `xsi:nil`.
fn typed_value(element: &Element, text: &str) -> Result<Value> {
    if matches!(element.attribute("nil"), Some("true" | "1")) {
        return Ok(Value::Empty);
    }
    let ty = element.attribute("type").map_or("string", |t| t.rsplit(':').next().unwrap_or(t));
    let trimmed = text.trim();
    let value = match ty {
        "string" => Some(Value::str(text)),
        "boolean" => match trimmed {
            "true" | "1" => Some(Value::Boolean(true)),
            "false" | "0" => Some(Value::Boolean(false)),
            _ => None,
        },
        "byte" | "short" | "int" | "long" | "integer" | "unsignedByte" | "unsignedShort" | "unsignedInt" => {
            trimmed.parse().ok().map(Value::Int)
        }
        "float" | "double" => match trimmed {
            "INF" => Some(Value::Double(f64::INFINITY)),
            "-INF" => Some(Value::Double(f64::NEG_INFINITY)),
            _ => trimmed.parse().ok().map(Value::Double),
        },
        "decimal" => decimal(trimmed),
        "date" | "dateTime" => trimmed.trim_end_matches('Z').parse().ok().map(Value::Date),
        other => bail!(TypeMismatch, "XML for Analysis parser: The type '{other}' of a parameter is not supported."),
    };
    let error = || {
        Error::new(
            ErrorKind::TypeMismatch,
            format!("XML for Analysis parser: '{trimmed}' is no value of the type '{ty}' in a parameter."),
        )
    };
    value.ok_or_else(error)
}

/// Money if it has at most four decimals, else a double.
fn decimal(text: &str) -> Option<Value> {
    let double: f64 = text.parse().ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let money = || format!("{whole}{fraction:0<4}").parse().ok().map(|scaled| Value::Currency(Currency(scaled)));
    let short = fraction.len() <= 4;
    short.then(money).flatten().or(Some(Value::Double(double)))
}
