//! Turbofan engines: what their sensors read, cycle by cycle.

mod reading;

pub use reading::{MAX_CYCLE, MAX_READINGS, Reading, SENSORS, SETTINGS, in_order};
