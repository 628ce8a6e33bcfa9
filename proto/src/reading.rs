//! Readings as the protocol has them: single precision, a field a column.

use shared::domain::engine::Reading;

use crate::generated::SensorReading;

impl From<&Reading> for SensorReading {
    fn from(reading: &Reading) -> Self {
        let [os1, os2, os3] = reading.settings.map(single);
        let [s2, s3, s4, s7, s8, s9, s11, s12, s13, s14, s15, s17, s20, s21] = reading.sensors.map(single);
        // A cycle has six digits at most.
        let cycle = i32::try_from(reading.cycle).unwrap_or(i32::MAX);
        Self { s2, s3, s4, s7, s8, s9, s11, s12, s13, s14, s15, s17, s20, s21, os1, os2, os3, cycle }
    }
}

impl From<&SensorReading> for Reading {
    /// A cycle below 0 becomes 0, which no engine has.
    fn from(reading: &SensorReading) -> Self {
        let SensorReading { s2, s3, s4, s7, s8, s9, s11, s12, s13, s14, s15, s17, s20, s21, os1, os2, os3, cycle } =
            *reading;
        Self {
            cycle: u32::try_from(cycle).unwrap_or_default(),
            settings: [os1, os2, os3].map(decimal),
            sensors: [s2, s3, s4, s7, s8, s9, s11, s12, s13, s14, s15, s17, s20, s21].map(decimal),
        }
    }
}

/// As near as a `float` gets; what is too large for one becomes the largest, since no model expects an infinity.
#[expect(clippy::cast_possible_truncation, reason = "the protocol is of single precision")]
fn single(value: f64) -> f32 {
    value.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32
}

/// The shortest decimal number that is sent as this one: 0.87, not 0.8700000047683716. C-MAPSS writes no more than the
/// seven digits that a `float` keeps, so that its readings come out as they went in.
pub fn decimal(value: f32) -> f64 {
    value.to_string().parse().unwrap_or_else(|_| f64::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_comes_out_as_it_went_in() {
        let mut reading = Reading {
            cycle: 999_999,
            settings: [-0.0007, 0.8415, 100.0],
            sensors: [
                641.82, 1589.7, 1400.6, 554.36, 2388.06, 9046.19, 47.47, 521.66, 2388.02, 8138.62, 8.4195, 392.0,
                39.06, 23.419,
            ],
        };
        assert_eq!(Reading::from(&SensorReading::from(&reading)), reading);
        reading.sensors[3] = f64::MAX;
        reading.settings[0] = f64::MIN;
        let sent = SensorReading::from(&reading);
        assert_eq!((sent.s7, sent.os1), (f32::MAX, f32::MIN));
    }

    #[test]
    fn every_column_has_the_field_of_its_name() {
        let protocol = include_str!("../prediction.proto");
        let numbered = Reading {
            cycle: 18,
            settings: [15.0, 16.0, 17.0],
            sensors: [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0],
        };
        let names = shared::domain::engine::SENSORS.iter().chain(&shared::domain::engine::SETTINGS);
        for (number, name) in (1..).zip(names) {
            assert!(protocol.contains(&format!("float {name} = {number};")), "{name}");
        }
        assert!(protocol.contains("int32 cycle = 18;"));
        let sent = format!("{:?}", SensorReading::from(&numbered));
        for (number, name) in (1..).zip(shared::domain::engine::SENSORS) {
            assert!(sent.contains(&format!("{name}: {number}.0")), "{name} in {sent}");
        }
    }
}
