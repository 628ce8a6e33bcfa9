//! Schemas of what is parsed by hand: they are written beside the parser, from its own limits.

use std::{fmt::Display, ops::RangeInclusive};

use serde_json::Value;
use utoipa::{
    Number,
    openapi::{
        KnownFormat, Object, ObjectBuilder, RefOr, Required, Schema, SchemaFormat, Type,
        path::{ParameterBuilder, ParameterIn},
        schema::{AdditionalProperties, OneOfBuilder, SchemaType},
    },
};

/// The fields of a body, as [`crate::domain::invalid::Fields`] reads them.
pub struct Body(ObjectBuilder);

impl Body {
    pub fn of(description: &str) -> Self {
        Self(ObjectBuilder::new().schema_type(Type::Object).description(Some(description)))
    }

    pub fn required(self, name: &str, description: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        Self(self.0.property(name, described(schema.into(), description)).required(name))
    }

    /// Takes fields of any other name too, and keeps them.
    pub fn and_more(self) -> Self {
        Self(self.0.additional_properties(Some(AdditionalProperties::FreeForm(true))))
    }

    /// A field that may be left out, or be null.
    pub fn optional(self, name: &str, description: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        Self(self.0.property(name, described(or_null(schema.into()), description)))
    }
}

impl From<Body> for RefOr<Schema> {
    fn from(body: Body) -> Self {
        body.0.into()
    }
}

fn described(schema: RefOr<Schema>, description: &str) -> RefOr<Schema> {
    let description = description.to_owned();
    match schema {
        RefOr::Ref(mut reference) => {
            reference.description = description;
            RefOr::Ref(reference)
        }
        RefOr::T(mut schema) => {
            match &mut schema {
                Schema::Object(object) => object.description = Some(description),
                Schema::Array(array) => array.description = Some(description),
                Schema::OneOf(one_of) => one_of.description = Some(description),
                _ => {}
            }
            RefOr::T(schema)
        }
    }
}

fn or_null(schema: RefOr<Schema>) -> RefOr<Schema> {
    let null = || SchemaType::Type(Type::Null);
    match schema {
        RefOr::T(Schema::Object(mut object)) if object.enum_values.is_none() => {
            object.schema_type = nullable(object.schema_type);
            RefOr::T(Schema::Object(object))
        }
        RefOr::T(Schema::Array(mut array)) => {
            array.schema_type = nullable(array.schema_type);
            RefOr::T(Schema::Array(array))
        }
        other => OneOfBuilder::new().item(Object::with_type(null())).item(other).into(),
    }
}

fn nullable(schema_type: SchemaType) -> SchemaType {
    match schema_type {
        SchemaType::Type(one) => SchemaType::Array(vec![one, Type::Null]),
        other => other,
    }
}

/// A parameter of path, query or header.
pub struct Parameter(ParameterBuilder);

impl Parameter {
    pub fn path(name: &str, description: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        Self::new(ParameterIn::Path, name, description, schema.into(), Required::True)
    }

    pub fn query(name: &str, description: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        Self::new(ParameterIn::Query, name, description, schema.into(), Required::False)
    }

    pub fn header(name: &str, description: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        Self::new(ParameterIn::Header, name, description, schema.into(), Required::False)
    }

    /// The request is refused without it.
    pub fn required(self) -> Self {
        Self(self.0.required(Required::True))
    }

    fn new(place: ParameterIn, name: &str, description: &str, schema: RefOr<Schema>, required: Required) -> Self {
        let parameter = ParameterBuilder::new().name(name).parameter_in(place).description(Some(description));
        Self(parameter.schema(Some(schema)).required(required))
    }
}

impl From<Parameter> for utoipa::openapi::path::Parameter {
    fn from(parameter: Parameter) -> Self {
        parameter.0.build()
    }
}

/// A string.
pub fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// A UUID.
pub fn uuid() -> ObjectBuilder {
    text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
}

/// A time as RFC 3339 has it.
pub fn time() -> ObjectBuilder {
    text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
}

/// A name of 1 to so many of `A-Za-z0-9._-`.
pub fn name(longest: usize) -> ObjectBuilder {
    text().pattern(Some(format!("^[A-Za-z0-9._-]{{1,{longest}}}$")))
}

/// One of these names.
pub fn one_of<N: Into<Value>>(names: impl IntoIterator<Item = N>) -> ObjectBuilder {
    text().enum_values(Some(names))
}

/// A whole number within these limits.
pub fn whole<N: Into<Number> + Copy + Display>(limits: RangeInclusive<N>) -> ObjectBuilder {
    let integer = ObjectBuilder::new().schema_type(Type::Integer);
    integer.minimum(Some(*limits.start())).maximum(Some(*limits.end()))
}

/// A number within these limits.
pub fn number(limits: RangeInclusive<f64>) -> ObjectBuilder {
    let number = ObjectBuilder::new().schema_type(Type::Number);
    number.minimum(Some(*limits.start())).maximum(Some(*limits.end()))
}

/// Requires every field that may be null: serde writes it, whatever it holds. A field that is left out where there is
/// nothing to say is declared not to be nullable, and an object that takes further fields is the caller's own.
pub(super) fn require_nullable(schema: &mut RefOr<Schema>) {
    let RefOr::T(schema) = schema else { return };
    match schema {
        Schema::Object(object) if object.additional_properties.is_none() => {
            for (name, property) in &object.properties {
                if is_nullable(property) && !object.required.contains(name) {
                    object.required.push(name.clone());
                }
            }
        }
        Schema::OneOf(one_of) => one_of.items.iter_mut().for_each(require_nullable),
        Schema::AllOf(all_of) => all_of.items.iter_mut().for_each(require_nullable),
        _ => {}
    }
}

fn is_nullable(schema: &RefOr<Schema>) -> bool {
    let has_null = |schema_type: &SchemaType| match schema_type {
        SchemaType::Type(one) => *one == Type::Null,
        SchemaType::Array(several) => several.contains(&Type::Null),
        SchemaType::AnyValue => false,
    };
    match schema {
        RefOr::Ref(_) => false,
        RefOr::T(Schema::Object(object)) => has_null(&object.schema_type),
        RefOr::T(Schema::Array(array)) => has_null(&array.schema_type),
        RefOr::T(Schema::OneOf(one_of)) => one_of.items.iter().any(is_nullable),
        RefOr::T(_) => false,
    }
}
