//! Texts: concatenation, names of objects, objects as text.

use super::{Function, Run, function};
use crate::evaluate::{Batch, Col, Evaluator, Object, TupleColumn, Values};
use crate::expr::{Call, Kind, Kind::*};
use facetta_model::{Charge, Context, HierarchyId, LevelId, MemberId, Members, Property, Result, Value};
use std::fmt::Write;

pub(crate) const FUNCTIONS: &[Function] = &[
    function("||", &[String, String], String, Run::Row(concat), "Two texts, one after the other.").infix(),
    function("||", &[Kind::Value, Kind::Value], String, Run::Row(concat), "Two values as text, one after the other.")
        .infix(),
    function("Name", &[Dimension], String, Run::Values(dimension_name), "The name of a dimension.").property(),
    function("Name", &[Hierarchy], String, Run::Values(hierarchy_name), "The name of a hierarchy.").property(),
    function("Name", &[Level], String, Run::Values(level_name), "The name of a level.").property(),
    function("Name", &[Member], String, Run::Values(member_name), "The name of a member.").property(),
    function("UniqueName", &[Dimension], String, Run::Values(dimension_unique_name), "The unique name of a dimension.")
        .property(),
    function("UniqueName", &[Hierarchy], String, Run::Values(hierarchy_unique_name), "The unique name of a hierarchy.")
        .property(),
    function("UniqueName", &[Level], String, Run::Values(level_unique_name), "The unique name of a level.").property(),
    function("UniqueName", &[Member], String, Run::Values(member_unique_name), "The unique name of a member.")
        .property(),
    function("Unique_Name", &[Member], String, Run::Values(member_unique_name), "The unique name of a member.")
        .property(),
    function("Caption", &[Dimension], String, Run::Values(dimension_caption), "The caption of a dimension.").property(),
    function("Caption", &[Hierarchy], String, Run::Values(hierarchy_caption), "The caption of a hierarchy.").property(),
    function("Caption", &[Level], String, Run::Values(level_caption), "The caption of a level.").property(),
    function("Caption", &[Member], String, Run::Values(member_caption), "The caption of a member.").property(),
    function("Member_Caption", &[Member], String, Run::Values(member_caption), "The caption of a member.").property(),
    function("MemberValue", &[Member], Kind::Value, Run::Values(member_value), "The value of a member: its key.")
        .property(),
    function("Member_Value", &[Member], Kind::Value, Run::Values(member_value), "The value of a member: its key.")
        .property(),
    function("Member_Key", &[Member], Kind::Value, Run::Values(member_value), "The key of a member.").property(),
    function("MemberToStr", &[Member], String, Run::Values(member_to_text), "The unique name of a member."),
    function("TupleToStr", &[Tuple], String, Run::Values(tuple_to_text), "A tuple as text."),
    function("SetToStr", &[Kind::Set], String, Run::Values(set_to_text), "A set as text."),
    function(
        "Generate",
        &[Kind::Set, String],
        String,
        Run::Values(generate),
        "A text for each tuple of a set, one after the other.",
    )
    .each(1),
    function(
        "Generate",
        &[Kind::Set, String, String],
        String,
        Run::Values(generate),
        "A text for each tuple of a set, with a separator between them.",
    )
    .each(1),
    function(
        "Properties of",
        &[Member, String],
        Kind::Value,
        Run::Values(properties),
        "The property of a member that has a computed name.",
    )
    .method(),
    function("UserName", &[], String, Run::Values(user_name), "The user who asks."),
    function("CustomData", &[], String, Run::Values(custom_data), "The CustomData of the request."),
    function("Value", &[Member], Kind::Value, Run::Values(cell_value), "The value of the cell at a member.")
        .property()
        .on_all(),
    function("Value", &[Tuple], Kind::Value, Run::Values(cell_value), "The value of the cell at a tuple.")
        .property()
        .on_all(),
];

fn concat(args: &[Value]) -> Result<Value> {
    match args {
        [Value::Empty, Value::Empty] => Ok(Value::Empty),
        [a, b] => Ok(Value::from(format!("{a}{b}"))),
        _ => Ok(Value::Empty),
    }
}

fn of_objects(
    evaluator: &Evaluator,
    call: &Call,
    batch: &Batch,
    text: impl Fn(&Members, Object) -> Value,
) -> Result<Values> {
    let members = evaluator.members();
    Ok(evaluator.objects(&call.args[0], batch)?.map(|o| text(&members, *o)))
}

fn dimension_name(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    of_objects(evaluator, call, batch, |m, o| Value::str(&m.cube.dimension_of(o.hierarchy).name))
}

fn dimension_unique_name(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    of_objects(evaluator, call, batch, |m, o| Value::str(&m.cube.dimension_of(o.hierarchy).unique_name))
}

fn dimension_caption(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    of_objects(evaluator, call, batch, |m, o| {
        let dimension = m.cube.dimension_of(o.hierarchy);
        Value::str(dimension.texts.caption.as_ref().unwrap_or(&dimension.name))
    })
}

/// The name of a hierarchy where names are paths is that of its dimension, with its own after a dot unless they agree.
fn hierarchy_text(members: &Members, hierarchy: HierarchyId) -> std::string::String {
    let name = &members.hierarchy(hierarchy).name;
    let dimension = &members.cube.dimension_of(hierarchy).name;
    if !members.cube.compatibility.names_by_path() || facetta_model::name::same(name, dimension) {
        return name.clone();
    }
    format!("{dimension}.{name}")
}

fn hierarchy_name(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    of_objects(evaluator, call, batch, |m, o| hierarchy_text(m, o.hierarchy).into())
}

fn hierarchy_unique_name(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    of_objects(evaluator, call, batch, |m, o| Value::str(&m.cube.hierarchy(o.hierarchy).unique_name))
}

fn hierarchy_caption(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    of_objects(evaluator, call, batch, |m, o| match &m.hierarchy(o.hierarchy).texts.caption {
        Some(caption) => Value::str(caption),
        None => hierarchy_text(m, o.hierarchy).into(),
    })
}

fn level_name(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    of_objects(evaluator, call, batch, |m, o| match m.hierarchy(o.hierarchy).levels.get(o.id as usize) {
        Some(level) => Value::str(&level.name),
        None => Value::Empty,
    })
}

fn level_unique_name(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    of_objects(evaluator, call, batch, |m, o| {
        if o.is_null() { Value::Empty } else { m.level_unique_name(o.hierarchy, LevelId(o.id)).into() }
    })
}

fn level_caption(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    of_objects(evaluator, call, batch, |m, o| match m.hierarchy(o.hierarchy).levels.get(o.id as usize) {
        Some(level) => Value::str(level.texts.caption.as_ref().unwrap_or(&level.name)),
        None => Value::Empty,
    })
}

fn read(evaluator: &Evaluator, call: &Call, batch: &Batch, property: &Property) -> Result<Values> {
    of_objects(evaluator, call, batch, |m, o| evaluator.property(m, o, property))
}

fn member_name(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    read(evaluator, call, batch, &Property::MemberName)
}

fn member_unique_name(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    read(evaluator, call, batch, &Property::MemberUniqueName)
}

fn member_caption(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    read(evaluator, call, batch, &Property::MemberCaption)
}

fn member_value(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    read(evaluator, call, batch, &Property::MemberValue)
}

fn member_to_text(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    of_objects(evaluator, call, batch, |m, o| {
        if o.is_null() { Value::Empty } else { evaluator.property(m, o, &Property::MemberUniqueName) }
    })
}

fn properties(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    let members = evaluator.members();
    let objects = evaluator.objects(&call.args[0], batch)?;
    let names = evaluator.values(&call.args[1], batch)?;
    Ok(objects.zip(&names, batch.len, |o, name| {
        let name = name.to_string();
        let property = Property::intrinsic(&name).unwrap_or(Property::Named(name));
        evaluator.property(&members, *o, &property)
    }))
}

fn write_tuple(out: &mut std::string::String, members: &Members, hierarchies: &[HierarchyId], tuple: &[MemberId]) {
    let many = tuple.len() > 1;
    if many {
        out.push('(');
    }
    for (at, (hierarchy, member)) in hierarchies.iter().zip(tuple).enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        members.write_unique_name(out, *hierarchy, *member);
    }
    if many {
        out.push(')');
    }
}

/// Charges for texts that grow, whenever one has taken more room.
struct Room {
    charge: Charge,
    bytes: usize,
}

impl Room {
    fn of(context: &Context) -> Result<Room> {
        Ok(Room { charge: context.charge("Text", 0)?, bytes: 0 })
    }

    /// Appends to a text what `write` writes.
    fn grow(&mut self, text: &mut std::string::String, write: impl FnOnce(&mut std::string::String)) -> Result<()> {
        let before = text.capacity();
        write(text);
        let more = text.capacity() - before;
        if more > 0 {
            self.bytes += more;
            self.charge.resize(self.bytes)?;
        }
        Ok(())
    }
}

fn tuple_to_text(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    let members = evaluator.members();
    let tuples: TupleColumn = evaluator.tuples(&call.args[0], batch)?;
    let text = |row: usize| match tuples.get(row) {
        Some(tuple) => {
            let mut text = std::string::String::new();
            write_tuple(&mut text, &members, &tuples.hierarchies, &tuple);
            text.into()
        }
        None => Value::str(""),
    };
    Ok(Col::Many((0..batch.len).map(text).collect()))
}

fn set_to_text(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    let members = evaluator.members();
    let sets = evaluator.sets(&call.args[0], batch)?;
    let mut room = Room::of(&evaluator.context)?;
    let (mut texts, mut tuple, mut step) = (Vec::new(), Vec::new(), 0);
    for set in sets.sets {
        let set = match set {
            Ok(set) => set,
            Err(e) => {
                texts.push(Value::Error(e));
                continue;
            }
        };
        let hierarchies = set.hierarchies();
        let mut text = "{".to_owned();
        for index in 0..set.len() {
            evaluator.context.check_every(&mut step)?;
            set.read(index, &mut tuple);
            room.grow(&mut text, |text| {
                if index > 0 {
                    text.push_str(", ");
                }
                write_tuple(text, &members, &hierarchies, &tuple);
            })?;
        }
        text.push('}');
        texts.push(text.into());
    }
    Ok(Col::Many(texts).pick(&sets.of))
}

fn generate(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    let sets = evaluator.sets(&call.args[0], batch)?;
    let separators = match call.arg(2) {
        Some(arg) => evaluator.values(arg, batch)?,
        None => Col::One(Value::str("")),
    };
    let mut out = vec![std::string::String::new(); batch.len];
    let mut room = Room::of(&evaluator.context)?;
    evaluator.for_each_value(batch, &sets, &call.args[0], Some(&call.args[1]), &mut |row, position, value| {
        room.grow(&mut out[row], |text| {
            // Writing to a String does not fail.
            let _ = match position {
                0 => write!(text, "{value}"),
                _ => write!(text, "{}{value}", separators.get(row)),
            };
        })
    })?;
    Ok(Col::Many(out.into_iter().map(Value::from).collect()))
}

fn user_name(evaluator: &Evaluator, _: &Call, _: &Batch) -> Result<Values> {
    Ok(Col::One(Value::Str(evaluator.settings.user.clone())))
}

fn custom_data(evaluator: &Evaluator, _: &Call, _: &Batch) -> Result<Values> {
    Ok(Col::One(Value::Str(evaluator.settings.custom_data.clone())))
}

fn cell_value(evaluator: &Evaluator, call: &Call, batch: &Batch) -> Result<Values> {
    evaluator.cell_at(&call.args[0], batch)
}
