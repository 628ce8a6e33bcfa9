//! Values that break a rule: every fault of a body, each with the place where it stands.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

/// One fault: where it stands (a JSON pointer, RFC 6901; empty for the value itself) and what the rule is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    pub pointer: String,
    pub detail: String,
}

/// All the faults of a value. The texts are for the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Invalid(pub Vec<FieldError>);

impl Invalid {
    /// A fault of the value itself.
    pub fn new(detail: impl Into<String>) -> Self {
        Self::at("", detail)
    }

    /// A fault at a JSON pointer such as `/metadata/distance`.
    pub fn at(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self(vec![FieldError { pointer: pointer.into(), detail: detail.into() }])
    }

    /// A fault of the value itself: it is none of `names`.
    pub fn not_one_of(names: impl IntoIterator<Item = &'static str>) -> Self {
        let names: Vec<_> = names.into_iter().collect();
        Self::new(format!("must be one of {}", names.join(", ")))
    }

    /// The same faults, seen from the object that holds the value as `name`.
    pub fn within(mut self, name: &str) -> Self {
        for fault in &mut self.0 {
            fault.pointer.insert_str(0, name);
            fault.pointer.insert(0, '/');
        }
        self
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, FieldError { pointer, detail }) in self.0.iter().enumerate() {
            let separator = if i == 0 { "" } else { "; " };
            let subject = if pointer.is_empty() { "the value" } else { pointer };
            write!(f, "{separator}{subject} {detail}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Invalid {}

/// Reads the fields of a JSON object one after the other and keeps every fault, so that a caller learns of all of them
/// at once.
///
/// ```
/// # use serde_json::json;
/// # use shared::domain::{invalid::{Fields, Invalid, uuid}, session::FrameNumber};
/// # fn parse(body: &serde_json::Value) -> Result<(uuid::Uuid, FrameNumber), Invalid> {
/// let mut fields = Fields::of(body)?;
/// let session_id = fields.required("session_id", uuid);
/// let frame_number = fields.required("frame_number", FrameNumber::parse);
/// fields.finish(|| Some((session_id?, frame_number?)))
/// # }
/// # let invalid = parse(&json!({ "frame_number": 0 })).unwrap_err();
/// # assert_eq!(invalid.to_string(), "/session_id is required; /frame_number must be at least 1");
/// ```
pub struct Fields<'a> {
    object: &'a Map<String, Value>,
    faults: Vec<FieldError>,
}

impl<'a> Fields<'a> {
    pub fn of(value: &'a Value) -> Result<Self, Invalid> {
        let object = value.as_object().ok_or_else(|| Invalid::new("must be an object"))?;
        Ok(Self { object, faults: Vec::new() })
    }

    /// The field as `parse` reads it; absent, `null` or faulty it is `None`, and the fault is kept.
    pub fn required<T>(&mut self, name: &str, parse: impl FnOnce(&Value) -> Result<T, Invalid>) -> Option<T> {
        let field = match self.object.get(name) {
            None | Some(Value::Null) => Err(Invalid::new("is required")),
            Some(value) => parse(value),
        };
        self.keep(name, field)
    }

    /// The field as `parse` reads it; `None` where it is absent or `null`, and where it is faulty: then the fault is
    /// kept.
    pub fn optional<T>(&mut self, name: &str, parse: impl FnOnce(&Value) -> Result<T, Invalid>) -> Option<T> {
        match self.object.get(name) {
            None | Some(Value::Null) => None,
            Some(value) => self.keep(name, parse(value)),
        }
    }

    /// What `build` makes of the fields if none had a fault, or else all the faults. `build` returns `None` only where
    /// a required field is missing.
    pub fn finish<T>(self, build: impl FnOnce() -> Option<T>) -> Result<T, Invalid> {
        match build() {
            Some(value) if self.faults.is_empty() => Ok(value),
            _ => Err(Invalid(self.faults)),
        }
    }

    fn keep<T>(&mut self, name: &str, field: Result<T, Invalid>) -> Option<T> {
        field.map_err(|invalid| self.faults.extend(invalid.within(name).0)).ok()
    }
}

/// A string.
pub fn text(value: &Value) -> Result<&str, Invalid> {
    value.as_str().ok_or_else(|| Invalid::new("must be a string"))
}

/// A UUID in one of its usual spellings.
pub fn uuid(value: &Value) -> Result<Uuid, Invalid> {
    value.as_str().and_then(|s| Uuid::try_parse(s).ok()).ok_or_else(|| Invalid::new("must be a UUID"))
}

/// A time as RFC 3339 has it, in any offset.
pub fn instant(value: &Value) -> Result<DateTime<Utc>, Invalid> {
    let time = value.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    time.map(|time| time.to_utc()).ok_or_else(|| Invalid::new("must be a time as RFC 3339 has it"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn two_ids(body: &Value) -> Result<(Uuid, Option<Uuid>), Invalid> {
        let mut fields = Fields::of(body)?;
        let id = fields.required("id", uuid);
        let other = fields.optional("other", uuid);
        fields.finish(|| Some((id?, other)))
    }

    #[test]
    fn every_fault_of_a_body_is_reported_at_its_place() {
        let invalid = two_ids(&json!({ "other": 7 })).unwrap_err();
        assert_eq!(
            invalid,
            Invalid(vec![
                FieldError { pointer: "/id".into(), detail: "is required".into() },
                FieldError { pointer: "/other".into(), detail: "must be a UUID".into() },
            ])
        );
        assert_eq!(invalid.to_string(), "/id is required; /other must be a UUID");
    }

    #[test]
    fn an_optional_field_may_be_absent_or_null_but_not_wrong() {
        let id = Uuid::nil();
        assert_eq!(two_ids(&json!({ "id": id })), Ok((id, None)));
        assert_eq!(two_ids(&json!({ "id": id, "other": null })), Ok((id, None)));
        assert!(two_ids(&json!({ "id": id, "other": "x" })).is_err());
    }

    #[test]
    fn what_is_no_object_has_no_fields() {
        assert_eq!(two_ids(&json!([])), Err(Invalid::new("must be an object")));
    }

    #[test]
    fn a_nested_fault_names_the_whole_path() {
        let invalid = Invalid::at("/distance", "must be positive").within("metadata");
        assert_eq!(invalid.0[0].pointer, "/metadata/distance");
        assert_eq!(Invalid::new("is too large").within("metadata").0[0].pointer, "/metadata");
    }
}
