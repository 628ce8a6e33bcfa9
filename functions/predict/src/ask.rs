//! What is asked for.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use shared::{
    Error, Result, access,
    auth::Caller,
    domain::{
        engine::Reading,
        invalid::{FieldError, Invalid},
    },
    ids::{EngineId, FleetId},
    openapi,
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ArrayBuilder, Ref, RefOr, Schema},
};

/// Requests of a batch, at most.
const MOST: usize = 100;
/// Bytes of a batch, at most.
const MOST_BYTES: usize = 5_000_000;

/// One engine of which the remaining useful life is asked for.
#[derive(Debug, PartialEq)]
pub struct Ask {
    pub engine_id: EngineId,
    /// None where the engine is not looked up: readings came along, and no fleet is named or clear.
    pub fleet_id: Option<FleetId>,
    /// None where its stored history is meant.
    pub readings: Option<Vec<Reading>>,
}

/// The body, its parts unread.
#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    fleet_id: Option<&'a RawValue>,
    #[serde(borrow)]
    engine_id: Option<&'a RawValue>,
    #[serde(borrow)]
    sensor_data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct BatchBody<'a> {
    #[serde(borrow)]
    requests: Option<&'a RawValue>,
}

impl Ask {
    /// Reads `{"fleet_id","engine_id","sensor_data"}`; all faults together.
    pub fn parse(json: &RawValue, caller: &Caller) -> Result<Self> {
        let body: Body = serde_json::from_str(json.get()).map_err(|_| Invalid::new("must be an object"))?;
        let mut faults: Vec<FieldError> = Vec::new();
        let mut keep = |name: &str, fault: Invalid| faults.extend(fault.within(name).0);
        let engine_id = required(body.engine_id).and_then(|id| EngineId::parse(&id));
        let engine_id = engine_id.map_err(|fault| keep("engine_id", fault)).ok();
        let named = given(body.fleet_id).map(text).transpose();
        let named = named.map_err(|fault| keep("fleet_id", fault)).ok().flatten();
        let readings = given(body.sensor_data).map(Reading::history).transpose();
        let readings = readings.map_err(|fault| keep("sensor_data", fault)).ok().flatten();
        match engine_id {
            Some(engine_id) if faults.is_empty() => {
                let fleet_id = fleet(caller, named.as_deref(), readings.is_some())?;
                Ok(Self { engine_id, fleet_id, readings })
            }
            _ => Err(Invalid(faults).into()),
        }
    }
}

/// Reads `{"requests":[…]}` of so many bytes: each by itself, whatever is wrong with another.
pub fn several(bytes: usize, json: &RawValue, caller: &Caller) -> Result<Vec<Result<Ask>>> {
    if bytes > MOST_BYTES {
        return Err(Error::TooLarge(format!("a batch may have {MOST_BYTES} bytes, this one has {bytes}")));
    }
    let body: BatchBody = serde_json::from_str(json.get()).map_err(|_| Invalid::new("must be an object"))?;
    let list = given(body.requests).ok_or_else(|| Invalid::at("/requests", "is required"))?;
    let requests: Vec<&RawValue> =
        serde_json::from_str(list.get()).map_err(|_| Invalid::at("/requests", "must be a list of requests"))?;
    if !(1..=MOST).contains(&requests.len()) {
        return Err(Invalid::at("/requests", format!("must hold 1 to {MOST} requests")).into());
    }
    Ok(requests.into_iter().map(|request| Ask::parse(request, caller)).collect())
}

impl PartialSchema for Ask {
    fn schema() -> RefOr<Schema> {
        openapi::Body::of("An engine of which the remaining useful life is asked for.")
            .optional(
                "fleet_id",
                "May be left out by a caller who has exactly one, and where the readings come along.",
                FleetId::schema(),
            )
            .required("engine_id", "Its id within the fleet.", EngineId::schema())
            .optional(
                "sensor_data",
                "In cycle order; without it the stored history is meant.",
                Reading::history_schema(),
            )
            .into()
    }
}

impl ToSchema for Ask {
    fn name() -> Cow<'static, str> {
        // As the request for one is called: a batch holds the same.
        "PredictRequest".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Reading::name().into(), Reading::schema()));
    }
}

/// Several of them, for the description of the API.
pub struct Asks;

impl PartialSchema for Asks {
    fn schema() -> RefOr<Schema> {
        let bytes = format!("Requests for one engine each; {MOST_BYTES} bytes in all.");
        let request = Ref::from_schema_name(Ask::name());
        let requests =
            ArrayBuilder::new().items(RefOr::<Schema>::Ref(request)).min_items(Some(1)).max_items(Some(MOST));
        openapi::Body::of("A batch.").required("requests", &bytes, requests).into()
    }
}

impl ToSchema for Asks {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Ask::name().into(), Ask::schema()));
        Ask::schemas(schemas);
    }
}

/// An engine that brings its readings along needs no fleet, and is looked up only where it is clear in which.
fn fleet(caller: &Caller, named: Option<&str>, brings_readings: bool) -> Result<Option<FleetId>> {
    if named.is_none() && brings_readings && caller.fleets.len() != 1 {
        return Ok(None);
    }
    access::fleet(caller, named).map(Some)
}

/// A part that is there and not null.
fn given(part: Option<&RawValue>) -> Option<&RawValue> {
    part.filter(|part| part.get() != "null")
}

fn required(part: Option<&RawValue>) -> Result<String, Invalid> {
    text(given(part).ok_or_else(|| Invalid::new("is required"))?)
}

fn text(part: &RawValue) -> Result<String, Invalid> {
    serde_json::from_str(part.get()).map_err(|_| Invalid::new("must be a string"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shared::{auth::Role, ids::UserId};

    use super::*;

    fn caller(fleets: &[&str]) -> Caller {
        let fleets = fleets.iter().map(ToString::to_string).collect();
        Caller { user_id: UserId(Default::default()), role: Role::User, fleets }
    }

    fn parse(body: &serde_json::Value, fleets: &[&str]) -> Result<Ask> {
        Ask::parse(&serde_json::value::to_raw_value(body).unwrap(), &caller(fleets))
    }

    fn fleet_of(body: &serde_json::Value, fleets: &[&str]) -> Option<String> {
        parse(body, fleets).unwrap().fleet_id.map(|id| id.to_string())
    }

    #[test]
    fn an_engine_that_brings_its_readings_is_looked_up_only_where_its_fleet_is_clear() {
        let readings = [Reading { cycle: 1, settings: [0.0; 3], sensors: [0.0; 14] }];
        let inline = json!({ "engine_id": "e", "sensor_data": readings });
        assert_eq!(fleet_of(&inline, &[]), None);
        assert_eq!(fleet_of(&inline, &["a", "b"]), None);
        assert_eq!(fleet_of(&inline, &["a"]), Some("a".into()));
        let named = json!({ "engine_id": "e", "fleet_id": "b", "sensor_data": readings });
        assert_eq!(fleet_of(&named, &["a", "b"]), Some("b".into()));
        assert!(matches!(parse(&named, &["a"]), Err(Error::Forbidden(_))));
        let stored = json!({ "engine_id": "e", "sensor_data": null });
        assert_eq!(fleet_of(&stored, &["a"]), Some("a".into()));
        assert!(matches!(parse(&stored, &["a", "b"]), Err(Error::Invalid(_))));
    }

    #[test]
    fn every_fault_is_named() {
        let body = json!({ "engine_id": "a#b", "fleet_id": 7, "sensor_data": [{ "cycle": 1 }] });
        let Err(Error::Invalid(Invalid(faults))) = parse(&body, &["a"]) else { panic!("taken") };
        let pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers[..3], ["/engine_id", "/fleet_id", "/sensor_data/0/os1"]);
    }

    #[test]
    fn a_batch_holds_one_to_a_hundred_requests_each_by_itself() {
        let read = |bytes, body: &serde_json::Value| {
            several(bytes, &serde_json::value::to_raw_value(body).unwrap(), &caller(&["a"]))
        };
        let asks = read(10, &json!({ "requests": [{ "engine_id": "e" }, 7, { "engine_id": "" }] })).unwrap();
        assert_eq!(asks.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, false]);
        for body in
            [json!({}), json!({ "requests": [] }), json!({ "requests": vec![0; 101] }), json!({ "requests": 1 })]
        {
            assert!(matches!(read(10, &body), Err(Error::Invalid(_))), "{body}");
        }
        assert!(matches!(read(5_000_001, &json!({ "requests": [0] })), Err(Error::TooLarge(_))));
    }
}
