//! What the training engines read at most and at least, and what lies beyond it: an answer about an input that the
//! model has never seen the like of must not look sure.

use shared::domain::engine::{Reading, SENSORS};

use super::features::SCATTER_WINDOW;
use super::history::{History, SENSOR_COUNT};
use super::regimes::REGIMES;
use super::trend::{Trend, to_f64};

/// The ranges of the training engines: least and most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Of each scaled sensor's mean over [`LEVEL_WINDOW`] readings.
    pub level: [[f32; SENSOR_COUNT]; 2],
    /// Of each scaled sensor's standard deviation over [`SCATTER_WINDOW`] readings.
    pub scatter: [[f32; SENSOR_COUNT]; 2],
    /// The highest cycle that an engine reached.
    pub oldest: [f32; 1],
}

/// Readings whose mean is held against the range.
pub const LEVEL_WINDOW: usize = 5;

/// Readings from which a scatter means something.
pub const SCATTER_FROM: usize = 10;

/// Share of the range that a level may lie beyond it.
const LEVEL_MARGIN: f64 = 0.1;

/// A scatter below this share of the least that was seen is no noise: the sensor is stuck, or smoothed.
const LEAST_SCATTER: f64 = 0.5;

/// A scatter beyond this multiple of the most that was seen is no wear.
const MOST_SCATTER: f64 = 1.5;

/// Readings from which on the model was validated.
const READINGS_VALIDATED: usize = 20;

/// A history that begins up to here still shows the engine when it was new.
const STILL_NEW: u32 = 20;

/// Readings from which on an engine that changes regimes should have been in most of them.
const READINGS_TO_ROTATE: usize = 30;

/// Regimes that it should have been in by then: of 30 readings, all training engines were in five at least.
const REGIMES_BY_THEN: usize = 4;

/// What speaks against a history: texts for the caller, and a doubt from 0 to 1.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Doubts {
    pub warnings: Vec<String>,
    /// 0: nothing speaks against the history; 1: nothing speaks for it.
    pub doubt: f64,
}

impl Doubts {
    /// Holds a history against the limits.
    pub fn about(readings: &[Reading], history: &History, limits: &Limits) -> Self {
        let mut doubts = Self::default();
        doubts.settings(history);
        doubts.cycles(readings, limits);
        doubts.levels(history, limits);
        doubts.scatters(history, limits);
        doubts
    }

    /// Each doubt takes its share of what was sure.
    fn add(&mut self, doubt: f64, warning: String) {
        self.doubt += (1.0 - self.doubt) * doubt.clamp(0.0, 1.0);
        self.warnings.push(warning);
    }

    fn settings(&mut self, history: &History) {
        let (strangers, all) = (history.strangers, history.readings());
        if strangers > 0 {
            let share = to_f64(strangers) / to_f64(all.max(1));
            self.add(
                0.3 + 0.7 * share,
                format!(
                    "the settings os1 to os3 of {strangers} of {all} readings fit none of the six operating regimes \
                     that the model knows"
                ),
            );
        }
        let flown = (0..REGIMES.len()).filter(|regime| history.regimes.contains(regime)).count();
        let few = all >= READINGS_TO_ROTATE && flown < REGIMES_BY_THEN;
        if few && !history.at_sea_level() {
            self.add(
                0.4,
                format!(
                    "the engine flew in {flown} of the six operating regimes; the model knows engines that stay at \
                     sea level and engines that fly in all of them"
                ),
            );
        }
    }

    fn cycles(&mut self, readings: &[Reading], limits: &Limits) {
        let (Some(first), Some(last)) = (readings.first(), readings.last()) else { return };
        let count = readings.len();
        if count < READINGS_VALIDATED {
            let missing = to_f64(READINGS_VALIDATED - count) / to_f64(READINGS_VALIDATED);
            let plural = if count == 1 { "reading" } else { "readings" };
            self.add(
                0.8 * missing,
                format!("the history has {count} {plural}: the model was validated on {READINGS_VALIDATED} and more"),
            );
        }
        let span = last.cycle.saturating_sub(first.cycle).saturating_add(1);
        let gaps = span.saturating_sub(u32::try_from(count).unwrap_or(u32::MAX));
        if gaps > 0 {
            let share = f64::from(gaps) / f64::from(span);
            self.add(
                0.6 * share,
                format!("{gaps} of the {span} cycles from {} to {} are missing", first.cycle, last.cycle),
            );
        }
        if first.cycle > STILL_NEW {
            let share = f64::from(first.cycle) / f64::from(last.cycle);
            self.add(
                0.1 + 0.3 * share,
                format!("the history begins at cycle {}: how the engine read when it was new is unknown", first.cycle),
            );
        }
        let oldest = f64::from(limits.oldest[0]);
        if f64::from(last.cycle) > oldest {
            let beyond = f64::from(last.cycle) / oldest - 1.0;
            self.add(
                0.2 + beyond,
                format!("no training engine reached cycle {}; the oldest reached {oldest}", last.cycle),
            );
        }
    }

    /// All of the history counts, not its end alone: the drift since the first cycle is what the model leans on.
    fn levels(&mut self, history: &History, limits: &Limits) {
        let mut beyond = [(0.0, ""); SENSOR_COUNT];
        for (cycles, rows) in history.cycles.rchunks(LEVEL_WINDOW).zip(history.sensors.rchunks(LEVEL_WINDOW)) {
            let level = Trend::over(cycles, rows).level;
            for (n, beyond) in beyond.iter_mut().enumerate() {
                let (least, most) = (f64::from(limits.level[0][n]), f64::from(limits.level[1][n]));
                let range = (most - least).max(f64::EPSILON);
                for (distance, side) in [(level[n] - most, "above"), (least - level[n], "below")] {
                    if distance / range > beyond.0 {
                        *beyond = (distance / range, side);
                    }
                }
            }
        }
        for (name, (distance, side)) in SENSORS.iter().zip(beyond) {
            if distance > LEVEL_MARGIN {
                let warning = format!("{name} reads {side} the range of the training engines in this operating regime");
                self.add(0.4 + 0.6 * (distance - LEVEL_MARGIN), warning);
            }
        }
    }

    fn scatters(&mut self, history: &History, limits: &Limits) {
        if history.readings() < SCATTER_FROM {
            return;
        }
        let from = history.readings().saturating_sub(SCATTER_WINDOW);
        let recent = Trend::over(&history.cycles[from..], &history.sensors[from..]);
        for (n, name) in SENSORS.iter().enumerate() {
            let (least, most) = (f64::from(limits.scatter[0][n]), f64::from(limits.scatter[1][n]));
            if recent.scatter[n] < least * LEAST_SCATTER {
                self.add(0.4, format!("{name} hardly varies, as a sensor does that is stuck or smoothed"));
            } else if recent.scatter[n] > most * MOST_SCATTER {
                self.add(0.4, format!("{name} scatters more than on any training engine"));
            }
        }
    }
}
