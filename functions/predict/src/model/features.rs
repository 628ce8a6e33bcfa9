//! What the networks are fed: levels and drifts over several windows, the change since the engine was new, and the
//! health's course with its extrapolation to failure.

use super::history::{History, INDEX_COUNT, SENSOR_COUNT};
use super::trend::{Trend, parabola};

/// Features of one history.
pub const FEATURE_COUNT: usize = SENSOR_COUNT * (5 + 4 + 1 + 2 + 2) + INDEX_COUNT * (7 + 5 + 3 + 2 + 6) + 3;

/// Readings in a window over the sensors.
const WINDOWS: [usize; 5] = [5, 10, 20, 30, 50];

/// Readings in a window over the indices of health.
const HEALTH_WINDOWS: [usize; 7] = [3, 5, 10, 20, 30, 50, 80];

/// A window of fewer readings says nothing of a drift.
const DRIFT_FROM: usize = 10;

/// The window whose scatter counts, which is also what a dead sensor is noticed by.
pub const SCATTER_WINDOW: usize = 30;

/// How an engine reads when it is new: the mean of these first readings.
const FIRST: usize = 20;

/// The farthest that health is extrapolated, in cycles.
const HORIZON: f64 = 250.0;

/// Windows, in readings, over which health is extrapolated to failure.
const EXTRAPOLATED: [usize; 3] = [20, 30, 50];

/// Readings over which a parabola is laid through health.
const PARABOLAS: [(usize, f64); 2] = [(40, 40.0), (100, 100.0)];

/// A history's features up to its reading `len`, so that a trainer may cut it anywhere.
#[derive(Debug, Clone, Copy)]
pub struct Features(pub [f32; FEATURE_COUNT]);

impl Features {
    pub fn of(history: &History, len: usize, failure: &[f32; INDEX_COUNT]) -> Self {
        let mut row = Row { values: [0.0; FEATURE_COUNT], filled: 0 };
        sensors(&mut row, &history.cycles[..len], &history.sensors[..len]);
        health(&mut row, &history.cycles[..len], &history.health[..len], failure);
        let age = history.cycles[..len].last().copied().unwrap_or(0.0);
        row.push(&[age / 100.0, age / (age + 50.0), f64::from(u8::from(history.at_sea_level()))]);
        debug_assert_eq!(row.filled, FEATURE_COUNT);
        Self(row.values)
    }
}

/// A row that is being filled.
struct Row {
    values: [f32; FEATURE_COUNT],
    filled: usize,
}

impl Row {
    #[expect(clippy::cast_possible_truncation, reason = "features are small numbers")]
    fn push(&mut self, values: &[f64]) {
        for (place, value) in self.values.iter_mut().skip(self.filled).zip(values) {
            *place = *value as f32;
        }
        self.filled += values.len();
    }
}

fn sensors(row: &mut Row, cycles: &[f64], values: &[[f32; SENSOR_COUNT]]) {
    let mut recent = [0.0; SENSOR_COUNT];
    for window in WINDOWS {
        let trend = over_last(window, cycles, values);
        row.push(&trend.level);
        if window >= DRIFT_FROM {
            row.push(&trend.drift);
        }
        if window == DRIFT_FROM {
            recent = trend.level;
        }
        if window == SCATTER_WINDOW {
            row.push(&trend.scatter);
        }
    }
    let whole = Trend::over(cycles, values);
    row.push(&whole.level);
    row.push(&whole.drift);
    let first = over_first(FIRST, cycles, values).level;
    row.push(&first);
    row.push(&less(recent, first));
}

fn health(row: &mut Row, cycles: &[f64], values: &[[f32; INDEX_COUNT]], failure: &[f32; INDEX_COUNT]) {
    let mut recent = [0.0; INDEX_COUNT];
    for window in HEALTH_WINDOWS {
        let trend = over_last(window, cycles, values);
        row.push(&trend.level);
        if window >= DRIFT_FROM {
            row.push(&trend.drift);
        }
        if window == DRIFT_FROM {
            recent = trend.level;
        }
        if EXTRAPOLATED.contains(&window) {
            row.push(&to_failure(&trend, failure));
        }
    }
    let first = over_first(FIRST, cycles, values).level;
    row.push(&first);
    row.push(&less(recent, first));
    for (readings, span) in PARABOLAS {
        let from = cycles.len().saturating_sub(readings);
        for fit in parabola(&cycles[from..], &values[from..], span) {
            row.push(&fit);
        }
    }
}

/// Hundreds of cycles until each index reaches its value at failure, if it goes on like this.
fn to_failure(trend: &Trend<INDEX_COUNT>, failure: &[f32; INDEX_COUNT]) -> [f64; INDEX_COUNT] {
    let mut left = [HORIZON / 100.0; INDEX_COUNT];
    for n in 0..INDEX_COUNT {
        let now = trend.level[n] + trend.slope[n] * trend.half_span;
        let cycles = (f64::from(failure[n]) - now) / trend.slope[n];
        if (0.0..HORIZON).contains(&cycles) {
            left[n] = cycles / 100.0;
        }
    }
    left
}

fn over_last<const N: usize>(window: usize, cycles: &[f64], rows: &[[f32; N]]) -> Trend<N> {
    let from = rows.len().saturating_sub(window);
    Trend::over(&cycles[from..], &rows[from..])
}

fn over_first<const N: usize>(window: usize, cycles: &[f64], rows: &[[f32; N]]) -> Trend<N> {
    let to = rows.len().min(window);
    Trend::over(&cycles[..to], &rows[..to])
}

fn less<const N: usize>(mut values: [f64; N], others: [f64; N]) -> [f64; N] {
    for (value, other) in values.iter_mut().zip(others) {
        *value -= other;
    }
    values
}
