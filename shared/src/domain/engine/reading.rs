//! One cycle's readings, in C-MAPSS's columns (Saxena et al. 2008, "Damage propagation modeling for aircraft engine
//! run-to-failure simulation").

use serde_json::Value;

use crate::domain::invalid::{FieldError, Fields, Invalid};

/// Readings in one history, at most.
pub const MAX_READINGS: usize = 1_000;

/// The highest cycle number: six digits in a key.
pub const MAX_CYCLE: u32 = 999_999;

/// Names of the operating settings: altitude (1000 ft), Mach number, throttle resolver angle.
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

impl Reading {
    /// Reads `{"cycle":1,"os1":…,…,"s21":…}`; each fault names its field.
    pub fn parse(value: &Value) -> Result<Self, Invalid> {
        let mut fields = Fields::of(value)?;
        let cycle = fields.required("cycle", cycle);
        let settings = SETTINGS.map(|name| fields.required(name, finite));
        let sensors = SENSORS.map(|name| fields.required(name, finite));
        fields.finish(|| Some(Self { cycle: cycle?, settings: all(settings)?, sensors: all(sensors)? }))
    }

    /// Reads a history of 1 to [`MAX_READINGS`] readings in the order of their cycles; each fault names its reading.
    pub fn parse_history(value: &Value) -> Result<Vec<Self>, Invalid> {
        let values = value.as_array().ok_or_else(|| Invalid::new("must be a list of readings"))?;
        if values.is_empty() || values.len() > MAX_READINGS {
            return Err(Invalid::new(format!("must hold 1 to {MAX_READINGS} readings")));
        }
        let mut faults = Vec::new();
        let mut readings = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            match Self::parse(value) {
                Ok(reading) => readings.push(reading),
                Err(invalid) => faults.extend(invalid.within(&index.to_string()).0),
            }
        }
        if !faults.is_empty() {
            return Err(Invalid(faults));
        }
        in_order(&readings)?;
        Ok(readings)
    }
}

/// Fails where a cycle does not come after the one before it; each fault names its reading.
pub fn in_order(readings: &[Reading]) -> Result<(), Invalid> {
    let pairs = readings.iter().zip(readings.iter().skip(1)).zip(1..);
    let faults: Vec<FieldError> = pairs
        .filter(|((before, after), _)| before.cycle >= after.cycle)
        .map(|((before, after), index): (_, usize)| FieldError {
            pointer: format!("/{index}/cycle"),
            detail: if before.cycle == after.cycle {
                format!("must come after the reading before it, which is of cycle {} too", before.cycle)
            } else {
                format!("must come after the reading before it, which is of cycle {}", before.cycle)
            },
        })
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(Invalid(faults)) }
}

fn cycle(value: &Value) -> Result<u32, Invalid> {
    let cycle =
        value.as_u64().and_then(|cycle| u32::try_from(cycle).ok()).filter(|cycle| (1..=MAX_CYCLE).contains(cycle));
    cycle.ok_or_else(|| Invalid::new(format!("must be a whole number from 1 to {MAX_CYCLE}")))
}

/// A number that JSON can hold and a float can't is infinite.
fn finite(value: &Value) -> Result<f64, Invalid> {
    value.as_f64().filter(|number| number.is_finite()).ok_or_else(|| Invalid::new("must be a finite number"))
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
    use serde_json::json;

    use super::*;

    fn body(cycle: u32) -> Value {
        let mut body = json!({ "cycle": cycle });
        for (number, name) in SETTINGS.iter().chain(&SENSORS).enumerate() {
            body[*name] = json!(number);
        }
        body
    }

    fn pointers(value: &Value) -> Vec<String> {
        let Invalid(faults) = Reading::parse_history(value).unwrap_err();
        faults.into_iter().map(|fault| fault.pointer).collect()
    }

    #[test]
    fn a_history_is_read_in_the_order_of_its_columns() {
        let readings = Reading::parse_history(&json!([body(1), body(3)])).unwrap();
        assert_eq!(readings.len(), 2);
        assert_eq!((readings[1].cycle, readings[1].settings), (3, [0.0, 1.0, 2.0]));
        assert_eq!((readings[1].sensors[0], readings[1].sensors[13]), (3.0, 16.0));
    }

    #[test]
    fn every_fault_names_its_reading_and_its_field() {
        let with = |name: &str, value: Value| {
            let mut body = body(2);
            body[name] = value;
            body
        };
        for (wrong, at) in [
            (with("s7", Value::Null), "/1/s7"),
            (with("os3", json!("1")), "/1/os3"),
            (with("s21", json!([])), "/1/s21"),
            (with("cycle", json!(0)), "/1/cycle"),
            (with("cycle", json!(1.5)), "/1/cycle"),
            (with("cycle", json!(1_000_000)), "/1/cycle"),
            (with("cycle", json!(-1)), "/1/cycle"),
            // Twice the same cycle, and one that is older.
            (with("cycle", json!(1)), "/1/cycle"),
            (json!(7), "/1"),
        ] {
            assert_eq!(pointers(&json!([body(1), wrong])), [at], "{wrong}");
        }
        assert_eq!(pointers(&json!([body(5), body(4), body(4)])), ["/1/cycle", "/2/cycle"]);
    }

    #[test]
    fn a_history_has_one_to_a_thousand_readings() {
        let many = |count| (1..=count).map(body).collect::<Value>();
        assert_eq!(pointers(&json!([])), [""]);
        assert_eq!(pointers(&many(1_001)), [""]);
        assert_eq!(pointers(&json!({})), [""]);
        assert_eq!(Reading::parse_history(&many(1_000)).map(|readings| readings.len()), Ok(1_000));
    }
}
