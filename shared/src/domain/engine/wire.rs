//! A reading that is read in one go, without a look at which of its fields is wrong.

use serde::Deserialize;

use super::reading::{MAX_CYCLE, Reading};

/// The fields of a reading.
#[derive(Deserialize)]
pub(super) struct Wire {
    cycle: u32,
    os1: f64,
    os2: f64,
    os3: f64,
    s2: f64,
    s3: f64,
    s4: f64,
    s7: f64,
    s8: f64,
    s9: f64,
    s11: f64,
    s12: f64,
    s13: f64,
    s14: f64,
    s15: f64,
    s17: f64,
    s20: f64,
    s21: f64,
}

impl Wire {
    /// The reading, if its cycle is one; the numbers of JSON are finite.
    pub(super) fn reading(&self) -> Option<Reading> {
        (1..=MAX_CYCLE).contains(&self.cycle).then_some(Reading {
            cycle: self.cycle,
            settings: [self.os1, self.os2, self.os3],
            sensors: [
                self.s2, self.s3, self.s4, self.s7, self.s8, self.s9, self.s11, self.s12, self.s13, self.s14, self.s15,
                self.s17, self.s20, self.s21,
            ],
        })
    }
}
