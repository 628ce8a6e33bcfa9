//! What the caller says about a session.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

use crate::{
    domain::{
        invalid::{Fields, Invalid, text},
        target::TargetType,
    },
    openapi::{self, Body},
};

/// An object of at most 4 KB, free but for the fields that we read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Metadata {
    target_type: TargetType,
    fields: Map<String, Value>,
}

impl Metadata {
    /// Size of the object as compact JSON, in bytes: it lies in the session's row, whose every write is paid by the KB.
    pub const MAX_BYTES: usize = 4096;

    pub fn parse(value: &Value) -> Result<Self, Invalid> {
        let mut fields = Fields::of(value)?;
        if value.to_string().len() > Self::MAX_BYTES {
            return Err(Invalid::new(format!("must be at most {} bytes of JSON", Self::MAX_BYTES)));
        }
        let target_type = fields.optional("target_type", target_type);
        fields.optional("distance", metres);
        fields.optional("equipment", |value| text(value).map(drop));
        fields.finish(|| {
            Some(Self {
                target_type: target_type.unwrap_or(TargetType::Standard),
                fields: value.as_object().cloned().unwrap_or_default(),
            })
        })
    }

    pub const fn target_type(&self) -> TargetType {
        self.target_type
    }

    /// A field by its name, as the caller gave it.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.fields.get(name)
    }

    /// Distance to the target in metres, where the caller gave one.
    pub fn distance_m(&self) -> Option<f64> {
        self.get("distance").and_then(Value::as_f64)
    }

    pub fn equipment(&self) -> Option<&str> {
        self.get("equipment").and_then(Value::as_str)
    }
}

impl PartialSchema for Metadata {
    fn schema() -> RefOr<Schema> {
        let metres = ObjectBuilder::new().schema_type(Type::Number).exclusive_minimum(Some(0));
        Body::of(&format!("Any object of at most {} bytes of JSON; these fields of it are read.", Self::MAX_BYTES))
            .optional("target_type", "What is shot at; `standard` where nobody says.", TargetType::schema())
            .optional("distance", "Metres to the target.", metres)
            .optional("equipment", "What is shot with.", openapi::text())
            .and_more()
            .into()
    }
}

impl ToSchema for Metadata {}

impl Default for Metadata {
    fn default() -> Self {
        Self { target_type: TargetType::Standard, fields: Map::new() }
    }
}

impl TryFrom<Value> for Metadata {
    type Error = Invalid;

    fn try_from(value: Value) -> Result<Self, Invalid> {
        Self::parse(&value)
    }
}

/// The object as the caller gave it, with the target type that holds.
impl From<Metadata> for Value {
    fn from(metadata: Metadata) -> Self {
        let mut fields = metadata.fields;
        fields.insert("target_type".into(), metadata.target_type.name().into());
        Self::Object(fields)
    }
}

fn target_type(value: &Value) -> Result<TargetType, Invalid> {
    value
        .as_str()
        .and_then(TargetType::from_name)
        .ok_or_else(|| Invalid::not_one_of(TargetType::ALL.map(TargetType::name)))
}

fn metres(value: &Value) -> Result<f64, Invalid> {
    value.as_f64().filter(|metres| *metres > 0.0).ok_or_else(|| Invalid::new("must be a positive number of metres"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_fields_that_we_read_are_checked_and_the_others_are_free() {
        let cases = [
            (json!({}), vec![]),
            (json!({ "target_type": null, "distance": 10, "wind": { "m_s": -3 } }), vec![]),
            (json!([]), vec![("", "must be an object")]),
            (json!({ "distance": 0 }), vec![("/distance", "must be a positive number of metres")]),
            (json!({ "distance": "25" }), vec![("/distance", "must be a positive number of metres")]),
            (
                json!({ "target_type": "bullseye", "equipment": 9 }),
                vec![
                    (
                        "/target_type",
                        "must be one of standard, air_pistol_10m, air_rifle_10m, rapid_fire_25m, rifle_50m",
                    ),
                    ("/equipment", "must be a string"),
                ],
            ),
        ];
        for (value, expected) in cases {
            let faults = Metadata::parse(&value).err().map_or(vec![], |invalid| invalid.0);
            let faults: Vec<_> = faults.iter().map(|f| (f.pointer.as_str(), f.detail.as_str())).collect();
            assert_eq!(faults, expected, "{value}");
        }
    }

    #[test]
    fn metadata_may_fill_4096_bytes_and_no_more() {
        let frame = json!({ "note": "" }).to_string().len();
        let note = |bytes: usize| json!({ "note": "n".repeat(bytes - frame) });
        assert!(Metadata::parse(&note(4096)).is_ok());
        assert_eq!(Metadata::parse(&note(4097)), Err(Invalid::new("must be at most 4096 bytes of JSON")));
    }

    #[test]
    fn metadata_comes_back_as_it_was_given_with_the_target_type_that_holds() {
        let metadata = Metadata::parse(&json!({ "distance": 25, "lane": 4 })).unwrap();
        assert_eq!(
            serde_json::to_value(&metadata).unwrap(),
            json!({ "distance": 25, "lane": 4, "target_type": "standard" })
        );
        assert_eq!(metadata.distance_m(), Some(25.0));
        assert_eq!(serde_json::to_value(Metadata::default()).unwrap(), json!({ "target_type": "standard" }));
    }
}
