//! An engine's readings as the model sees them: freed of the operating regime, with indices of health.

use shared::domain::engine::{Reading, SENSORS};

use super::regimes::{REGIMES, recognise};

/// Sensors that vary.
pub const SENSOR_COUNT: usize = SENSORS.len();

/// Indices of health, each a weighted sum of the sensors: how much life is left, how near the end is, and whether it
/// is the fan that wears.
pub const INDEX_COUNT: usize = 3;

/// What readings are scaled by, learned from the training engines.
#[derive(Debug, Clone, PartialEq)]
pub struct Scales {
    /// Mean of each sensor in each regime.
    pub mean: [[f32; SENSOR_COUNT]; REGIMES.len()],
    /// Standard deviation of each sensor in each regime.
    pub deviation: [[f32; SENSOR_COUNT]; REGIMES.len()],
    /// Weights of the scaled sensors and a constant, in each regime, for each index of health: a regime at altitude
    /// shows the same wear less clearly, so it has weights of its own.
    pub health: [[[f32; SENSOR_COUNT + 1]; INDEX_COUNT]; REGIMES.len()],
    /// Each index's mean at failure.
    pub failure: [f32; INDEX_COUNT],
}

/// A history freed of the operating regime.
#[derive(Debug, Clone)]
pub struct History {
    pub cycles: Vec<f64>,
    /// Each sensor's distance from its regime's mean, in standard deviations.
    pub sensors: Vec<[f32; SENSOR_COUNT]>,
    pub health: Vec<[f32; INDEX_COUNT]>,
    /// The regime of each reading.
    pub regimes: Vec<usize>,
    /// Readings whose settings are of no known regime; they are taken for the nearest.
    pub strangers: usize,
}

/// Scaled readings are cut here: far beyond what any engine shows, and no sum overflows.
const FARTHEST: f64 = 1e4;

impl History {
    pub fn of(readings: &[Reading], scales: &Scales) -> Self {
        let mut history = Self {
            cycles: readings.iter().map(|reading| f64::from(reading.cycle)).collect(),
            sensors: Vec::with_capacity(readings.len()),
            health: Vec::with_capacity(readings.len()),
            regimes: Vec::with_capacity(readings.len()),
            strangers: 0,
        };
        for reading in readings {
            let (regime, known) = recognise(&reading.settings);
            let scaled = scale(&reading.sensors, &scales.mean[regime], &scales.deviation[regime]);
            history.strangers += usize::from(!known);
            history.health.push(scales.health[regime].map(|weights| weigh(&scaled, &weights)));
            history.sensors.push(scaled);
            history.regimes.push(regime);
        }
        history
    }

    pub fn readings(&self) -> usize {
        self.sensors.len()
    }

    /// Whether all of it was flown at sea level, as FD001 and FD003 are.
    pub fn at_sea_level(&self) -> bool {
        self.regimes.iter().all(|regime| *regime == 0)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a scaled reading is a small number, cut to a range first")]
fn scale(
    sensors: &[f64; SENSOR_COUNT],
    mean: &[f32; SENSOR_COUNT],
    deviation: &[f32; SENSOR_COUNT],
) -> [f32; SENSOR_COUNT] {
    let mut scaled = [0.0; SENSOR_COUNT];
    for n in 0..SENSOR_COUNT {
        let away = (sensors[n] - f64::from(mean[n])) / f64::from(deviation[n]);
        scaled[n] = away.clamp(-FARTHEST, FARTHEST) as f32;
    }
    scaled
}

fn weigh(scaled: &[f32; SENSOR_COUNT], weights: &[f32; SENSOR_COUNT + 1]) -> f32 {
    let sum: f32 = scaled.iter().zip(weights).map(|(value, weight)| value * weight).sum();
    sum + weights[SENSOR_COUNT]
}
