//! The body of `POST engines/{id}/readings`.

use serde::Deserialize;
use serde_json::value::RawValue;
use shared::{
    domain::{engine::Reading, invalid::Invalid},
    ids::FleetId,
    openapi,
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

/// What is to be stored.
#[derive(Debug, PartialEq)]
pub struct Readings {
    pub fleet_id: Option<String>,
    /// In the order of their cycles.
    pub readings: Vec<Reading>,
}

/// The body, its parts unread. They are called as in the answer of `GET engines/{id}`, or as in `POST predict`.
#[derive(Deserialize)]
struct Body<'a> {
    fleet_id: Option<String>,
    #[serde(borrow)]
    readings: Option<&'a RawValue>,
    #[serde(borrow)]
    sensor_data: Option<&'a RawValue>,
}

impl Readings {
    pub fn parse(json: &RawValue) -> Result<Self, Invalid> {
        let body: Body = serde_json::from_str(json.get())
            .map_err(|_| Invalid::new("must be an object, with a string as fleet_id and a list as readings"))?;
        let given = |part: Option<&'_ RawValue>| part.is_some_and(|part| part.get() != "null");
        let (name, list) = match (body.readings, body.sensor_data) {
            (Some(readings), _) if given(Some(readings)) => ("readings", readings),
            (_, Some(readings)) if given(Some(readings)) => ("sensor_data", readings),
            _ => return Err(Invalid::at("/readings", "is required")),
        };
        let readings = Reading::history(list).map_err(|invalid| invalid.within(name))?;
        Ok(Self { fleet_id: body.fleet_id, readings })
    }
}

impl PartialSchema for Readings {
    fn schema() -> RefOr<Schema> {
        let readings = "In cycle order. May also be called `sensor_data`, as where predictions are asked for.";
        openapi::Body::of("What is to be stored; each cycle once, whatever is sent twice.")
            .optional("fleet_id", "May be left out by a caller who has exactly one.", FleetId::schema())
            .required("readings", readings, Reading::history_schema())
            .into()
    }
}

impl ToSchema for Readings {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Reading::name().into(), Reading::schema()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Readings, Invalid> {
        Readings::parse(&RawValue::from_string(json.into()).unwrap())
    }

    fn pointer(json: &str) -> String {
        parse(json).unwrap_err().0.remove(0).pointer
    }

    #[test]
    fn readings_may_be_called_by_either_name() {
        let reading = Reading { cycle: 3, settings: [0.5; 3], sensors: [1.5; 14] };
        for name in ["readings", "sensor_data"] {
            let body = serde_json::json!({ "fleet_id": "f", name: [reading] }).to_string();
            assert_eq!(parse(&body), Ok(Readings { fleet_id: Some("f".into()), readings: vec![reading] }));
        }
    }

    #[test]
    fn every_fault_is_named() {
        assert_eq!(pointer("[]"), "");
        assert_eq!(pointer(r#"{"readings":null}"#), "/readings");
        assert_eq!(pointer(r#"{"readings":[]}"#), "/readings");
        assert_eq!(pointer(r#"{"sensor_data":[7]}"#), "/sensor_data/0");
        assert_eq!(pointer(r#"{"readings":[{"cycle":1}]}"#), "/readings/0/os1");
    }
}
