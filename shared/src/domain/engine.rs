//! Turbofan engines: what their sensors read cycle by cycle, how long they are thought to last, and what a fleet comes to.

mod description;
mod prediction;
mod reading;
mod shown;
mod statistics;
mod totals;
mod wire;

pub use description::{Description, Engine, Status};
pub use prediction::{Health, Interval, ModelKind, Prediction};
pub use reading::{MAX_CYCLE, MAX_READINGS, Reading, SENSORS, SETTINGS, in_order};
pub use shown::Shown;
pub use statistics::{SensorStatistics, statistics};
pub use totals::Totals;
