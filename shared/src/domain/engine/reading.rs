//! One cycle's readings, in C-MAPSS's columns (Saxena et al. 2008, "Damage propagation modeling for aircraft engine
//! run-to-failure simulation").

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ArrayBuilder, ObjectBuilder, Ref, RefOr, Schema, Type},
};

use super::wire::Wire;
use crate::{
    domain::invalid::{FieldError, Invalid},
    openapi::{self, Body},
};

/// Readings in one history, at most.
pub const MAX_READINGS: usize = 1_000;

/// The highest cycle number: six digits in a key.
pub const MAX_CYCLE: u32 = 999_999;

/// Names of the operating settings: altitude (1000 ft), Mach number, throttle resolver angle (degrees).
pub const SETTINGS: [&str; 3] = ["os1", "os2", "os3"];

/// Names of the fourteen sensors that vary, of C-MAPSS's twenty-one.
pub const SENSORS: [&str; 14] =
    ["s2", "s3", "s4", "s7", "s8", "s9", "s11", "s12", "s13", "s14", "s15", "s17", "s20", "s21"];

/// What an engine read over one cycle. All values are finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// Flights since the engine was new, from 1.
    pub cycle: u32,
    /// In the order of [`SETTINGS`].
    pub settings: [f64; 3],
    /// In the order of [`SENSORS`], each in its own unit.
    pub sensors: [f64; 14],
}

/// The fields of an object, each as it stands there.
type Object<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

impl Reading {
    /// Reads a history, `[{"cycle":1,"os1":…,…,"s21":…}, …]`: 1 to [`MAX_READINGS`] readings in the order of their cycles.
    /// Each fault names its reading and its field.
    pub fn history(json: &RawValue) -> Result<Vec<Self>, Invalid> {
        let readings = Self::list(json)?;
        in_order(&readings)?;
        Ok(readings)
    }

    fn list(json: &RawValue) -> Result<Vec<Self>, Invalid> {
        // Nearly always all is well, and that is seen fast; only what is not is looked at field by field.
        if let Ok(wires) = serde_json::from_str::<Vec<Wire>>(json.get())
            && (1..=MAX_READINGS).contains(&wires.len())
            && let Some(readings) = wires.iter().map(Wire::reading).collect::<Option<Vec<_>>>()
        {
            return Ok(readings);
        }
        let items: Vec<&RawValue> =
            serde_json::from_str(json.get()).map_err(|_| Invalid::new("must be a list of readings"))?;
        if items.is_empty() || items.len() > MAX_READINGS {
            return Err(Invalid::new(format!("must hold 1 to {MAX_READINGS} readings")));
        }
        let mut faults = Vec::new();
        let mut readings = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            match Self::parse(item) {
                Ok(reading) => readings.push(reading),
                Err(invalid) => faults.extend(invalid.within(&index.to_string()).0),
            }
        }
        if faults.is_empty() { Ok(readings) } else { Err(Invalid(faults)) }
    }

    /// Reads `{"cycle":1,"os1":…,…,"s21":…}`; each fault names its field. Fields that are none of these are ignored.
    pub fn parse(json: &RawValue) -> Result<Self, Invalid> {
        let object: Object = serde_json::from_str(json.get()).map_err(|_| Invalid::new("must be an object"))?;
        let mut faults = Vec::new();
        let cycle = field(&object, "cycle", &mut faults, cycle);
        let settings = SETTINGS.map(|name| field(&object, name, &mut faults, finite));
        let sensors = SENSORS.map(|name| field(&object, name, &mut faults, finite));
        match (cycle, all(settings), all(sensors)) {
            (Some(cycle), Some(settings), Some(sensors)) => Ok(Self { cycle, settings, sensors }),
            _ => Err(Invalid(faults)),
        }
    }

    /// Every value, in the order of [`SETTINGS`] and then [`SENSORS`].
    pub fn values(&self) -> impl Iterator<Item = f64> {
        self.settings.into_iter().chain(self.sensors)
    }
}

/// As [`Reading::parse`] reads it.
impl Serialize for Reading {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1 + SETTINGS.len() + SENSORS.len()))?;
        map.serialize_entry("cycle", &self.cycle)?;
        for (name, value) in SETTINGS.iter().chain(&SENSORS).zip(self.values()) {
            map.serialize_entry(name, &value)?;
        }
        map.end()
    }
}

impl PartialSchema for Reading {
    fn schema() -> RefOr<Schema> {
        let number = || ObjectBuilder::new().schema_type(Type::Number);
        let reading = Body::of("What an engine read over one cycle, in C-MAPSS's columns.").required(
            "cycle",
            "Flights since the engine was new.",
            openapi::whole(1..=MAX_CYCLE),
        );
        let settings = ["Altitude in 1000 ft.", "Mach number.", "Throttle resolver angle in degrees."];
        let reading = SETTINGS
            .into_iter()
            .zip(settings)
            .fold(reading, |reading, (name, meaning)| reading.required(name, meaning, number()));
        SENSORS
            .into_iter()
            .fold(reading, |reading, name| reading.required(name, "In the sensor's own unit.", number()))
            .into()
    }
}

impl ToSchema for Reading {}

impl Reading {
    /// A list of readings, as [`Reading::history`] takes it.
    pub fn history_schema() -> ArrayBuilder {
        let item = Ref::from_schema_name(Self::name());
        ArrayBuilder::new().items(RefOr::<Schema>::Ref(item)).min_items(Some(1)).max_items(Some(MAX_READINGS))
    }
}

/// Fails where a cycle does not come after the one before it; each fault names its reading.
pub fn in_order(readings: &[Reading]) -> Result<(), Invalid> {
    let pairs = readings.iter().zip(readings.iter().skip(1)).enumerate();
    let faults: Vec<FieldError> = pairs
        .filter(|(_, (before, after))| before.cycle >= after.cycle)
        .map(|(index, (before, _))| FieldError {
            pointer: format!("/{}/cycle", index + 1),
            detail: format!("must come after the reading before it, which is of cycle {}", before.cycle),
        })
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(Invalid(faults)) }
}

fn field<T>(
    object: &Object<'_>,
    name: &str,
    faults: &mut Vec<FieldError>,
    parse: impl Fn(&str) -> Result<T, Invalid>,
) -> Option<T> {
    let parsed = match object.get(name).map(|value| value.get()) {
        None | Some("null") => Err(Invalid::new("is required")),
        Some(json) => parse(json),
    };
    parsed.map_err(|invalid| faults.extend(invalid.within(name).0)).ok()
}

fn cycle(json: &str) -> Result<u32, Invalid> {
    let cycle = serde_json::from_str(json).ok().filter(|cycle| (1..=MAX_CYCLE).contains(cycle));
    cycle.ok_or_else(|| Invalid::new(format!("must be a whole number from 1 to {MAX_CYCLE}")))
}

/// A number that JSON can write and a float can't hold, such as 1e999, is infinite.
fn finite(json: &str) -> Result<f64, Invalid> {
    let number = serde_json::from_str(json).ok().filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| Invalid::new("must be a finite number"))
}

fn all<const N: usize>(values: [Option<f64>; N]) -> Option<[f64; N]> {
    let mut whole = [0.0; N];
    for (place, value) in whole.iter_mut().zip(values) {
        *place = value?;
    }
    Some(whole)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json, value::to_raw_value};

    use super::*;

    fn body(cycle: u32) -> Value {
        let mut body = json!({ "cycle": cycle, "s1": 518.67 });
        for (number, name) in SETTINGS.iter().chain(&SENSORS).enumerate() {
            body[*name] = json!(number);
        }
        body
    }

    fn pointers(json: &str) -> Vec<String> {
        let Invalid(faults) = Reading::history(&RawValue::from_string(json.into()).unwrap()).unwrap_err();
        faults.into_iter().map(|fault| fault.pointer).collect()
    }

    fn history(value: &Value) -> Result<Vec<Reading>, Invalid> {
        Reading::history(&to_raw_value(value).unwrap())
    }

    #[test]
    fn a_history_is_read_in_the_order_of_its_columns_and_written_as_it_was() {
        let readings = history(&json!([body(1), body(3)])).unwrap();
        assert_eq!(readings.len(), 2);
        assert_eq!((readings[1].cycle, readings[1].settings), (3, [0.0, 1.0, 2.0]));
        assert_eq!((readings[1].sensors[0], readings[1].sensors[13]), (3.0, 16.0));
        assert_eq!(history(&json!(readings)), Ok(readings));
    }

    #[test]
    fn fast_and_slow_read_the_same() {
        let raw = to_raw_value(&body(7)).unwrap();
        let fast: Wire = serde_json::from_str(raw.get()).unwrap();
        assert_eq!(fast.reading(), Reading::parse(&raw).ok());
    }

    #[test]
    fn every_fault_names_its_reading_and_its_field() {
        let with = |name: &str, value: &str| {
            let mut body = body(2);
            body[name] = json!("here");
            body.to_string().replace("\"here\"", value)
        };
        for (wrong, at) in [
            (with("s7", "null"), "/1/s7"),
            (with("os3", "\"1\""), "/1/os3"),
            (with("s21", "[]"), "/1/s21"),
            (with("s21", "1e999"), "/1/s21"),
            (with("s2", "-1e999"), "/1/s2"),
            (with("s2", "\"NaN\""), "/1/s2"),
            (with("cycle", "0"), "/1/cycle"),
            (with("cycle", "1.5"), "/1/cycle"),
            (with("cycle", "1000000"), "/1/cycle"),
            (with("cycle", "-1"), "/1/cycle"),
            // Twice the same cycle.
            (with("cycle", "1"), "/1/cycle"),
            ("7".to_owned(), "/1"),
        ] {
            assert_eq!(pointers(&format!("[{},{wrong}]", body(1))), [at], "{wrong}");
        }
        assert_eq!(pointers(&json!([body(5), body(4), body(4)]).to_string()), ["/1/cycle", "/2/cycle"]);
        let missing = pointers(r#"[{"cycle":1}]"#);
        assert_eq!((missing.len(), missing[0].as_str(), missing[16].as_str()), (17, "/0/os1", "/0/s21"));
    }

    #[test]
    fn a_history_has_one_to_a_thousand_readings() {
        let many = |count| (1..=count).map(body).collect::<Value>();
        for wrong in [json!([]), many(1_001), json!({}), json!("[]")] {
            assert_eq!(pointers(&wrong.to_string()), [""]);
        }
        assert_eq!(history(&many(1_000)).map(|readings| readings.len()), Ok(1_000));
    }
}
