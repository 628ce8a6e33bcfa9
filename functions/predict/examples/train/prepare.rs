//! From readings to rows of features: scales, indices of health, limits.

use std::ops::Range;

use predict::model::CAP;
use predict::model::features::{FEATURE_COUNT, Features, SCATTER_WINDOW};
use predict::model::history::{History, INDEX_COUNT, SENSOR_COUNT, Scales};
use predict::model::limits::{LEVEL_WINDOW, Limits, SCATTER_FROM};
use predict::model::regimes::{REGIMES, recognise};
use predict::model::trend::Trend;

use crate::cuts::density;
use crate::fleet::{Engine, Fleet};
use crate::ridge::System;

/// Readings that a history must have to be trained on.
const LEAST_READINGS: usize = 8;

/// Weight of a row that no official test set would hold, against the mean of those that it would.
const FLOOR: f64 = 0.15;

/// One cut of one engine.
#[derive(Clone, Copy)]
pub struct Row {
    pub subset: usize,
    pub fold: usize,
    /// Cycles until failure.
    pub left: f64,
    /// How likely a test set cuts the engine here.
    pub density: f64,
    /// How often training draws it.
    pub weight: f64,
}

/// All rows, engine by engine.
pub struct Prepared {
    pub scales: Scales,
    pub limits: Limits,
    pub centre: [f32; FEATURE_COUNT],
    pub stretch: [f32; FEATURE_COUNT],
    pub rows: Vec<Row>,
    /// Of each row, scaled.
    pub features: Vec<[f32; FEATURE_COUNT]>,
    /// The rows of each engine.
    pub engines: Vec<Range<usize>>,
}

impl Prepared {
    pub fn of(fleet: &Fleet) -> Self {
        let scales = scales(&fleet.0);
        let mut rows: Vec<Row> = Vec::new();
        let mut features = Vec::new();
        let mut engines = Vec::new();
        let mut limits = widest();
        for engine in &fleet.0 {
            let history = History::of(&engine.readings, &scales);
            let life = engine.readings.len();
            widen(&mut limits, &history);
            let start = rows.len();
            for len in LEAST_READINGS..=life {
                let left = count(life - len);
                let density = density(engine.subset, count(life), left);
                rows.push(Row { subset: engine.subset, fold: engine.fold, left, density, weight: 0.0 });
                features.push(Features::of(&history, len, &scales.failure).0);
            }
            engines.push(start..rows.len());
        }
        weigh(&mut rows, &engines);
        let (centre, stretch) = standardise(&mut features);
        Self { scales, limits, centre, stretch, rows, features, engines }
    }
}

/// A count as a number.
pub fn count(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Makes each engine count as one cut, wherever it falls, and adds the floor.
fn weigh(rows: &mut [Row], engines: &[Range<usize>]) {
    for engine in engines {
        let sum: f64 = rows[engine.clone()].iter().map(|row| row.density).sum();
        for row in &mut rows[engine.clone()] {
            row.density /= sum;
        }
    }
    let held = rows.iter().filter(|row| row.density > 0.0).count();
    let mean = rows.iter().map(|row| row.density).sum::<f64>() / count(held);
    for row in rows {
        row.weight = row.density / mean + FLOOR;
    }
}

fn scales(engines: &[Engine]) -> Scales {
    let (mean, deviation) = moments(engines);
    let mut scales = Scales {
        mean,
        deviation,
        health: [[[0.0; SENSOR_COUNT + 1]; INDEX_COUNT]; REGIMES.len()],
        failure: [0.0; INDEX_COUNT],
    };
    let mut systems = [const { [const { System::new() }; INDEX_COUNT] }; REGIMES.len()];
    for engine in engines {
        let history = History::of(&engine.readings, &scales);
        for (number, (sensors, regime)) in history.sensors.iter().zip(&history.regimes).enumerate() {
            let left = count(engine.readings.len() - 1 - number);
            for (system, goal) in systems[*regime].iter_mut().zip(goals(engine.subset, left)) {
                if let Some(goal) = goal {
                    system.add(sensors, goal);
                }
            }
        }
    }
    scales.health = systems.map(|indices| indices.map(System::solve));
    let mut sum = [0.0; INDEX_COUNT];
    for engine in engines {
        let last = History::of(&engine.readings, &scales).health.last().copied().unwrap_or_default();
        for (sum, value) in sum.iter_mut().zip(last) {
            *sum += f64::from(value);
        }
    }
    scales.failure = sum.map(|sum| single(sum / count(engines.len())));
    scales
}

/// What the indices of health are fitted to, where a cycle counts for them: the life that is left, up to the cap; how
/// near the end is; and whether the engine is of a subset in which fans fail too.
fn goals(subset: usize, left: f64) -> [Option<f64>; INDEX_COUNT] {
    let near = 1.0 / (1.0 + (left / 30.0) * (left / 30.0));
    let life = (left < 200.0).then_some(left.min(CAP) / CAP);
    let fan = (left < 25.0).then_some(if subset > 2 { 1.0 } else { 0.0 });
    [life, Some(near), fan]
}

fn moments(engines: &[Engine]) -> ([[f32; SENSOR_COUNT]; REGIMES.len()], [[f32; SENSOR_COUNT]; REGIMES.len()]) {
    let mut mean = [[0.0_f64; SENSOR_COUNT]; REGIMES.len()];
    let mut square = mean;
    let mut counts = [0.0_f64; REGIMES.len()];
    let readings = || engines.iter().flat_map(|engine| &engine.readings);
    for reading in readings() {
        let (regime, _) = recognise(&reading.settings);
        counts[regime] += 1.0;
        for (sum, value) in mean[regime].iter_mut().zip(reading.sensors) {
            *sum += value;
        }
    }
    for (mean, count) in mean.iter_mut().zip(counts) {
        *mean = mean.map(|sum| sum / count);
    }
    for reading in readings() {
        let (regime, _) = recognise(&reading.settings);
        for n in 0..SENSOR_COUNT {
            let away = reading.sensors[n] - mean[regime][n];
            square[regime][n] += away * away;
        }
    }
    for (square, count) in square.iter_mut().zip(counts) {
        *square = square.map(|sum| (sum / count).sqrt());
    }
    (mean.map(|row| row.map(single)), square.map(|row| row.map(single)))
}

#[expect(clippy::cast_possible_truncation, reason = "the artefact holds single precision")]
pub fn single(value: f64) -> f32 {
    value as f32
}

fn widest() -> Limits {
    let none = [[f32::INFINITY; SENSOR_COUNT], [f32::NEG_INFINITY; SENSOR_COUNT]];
    Limits { level: none, scatter: none, oldest: [0.0] }
}

fn widen(limits: &mut Limits, history: &History) {
    for len in 1..=history.readings() {
        let over = |window: usize| {
            let from = len.saturating_sub(window);
            Trend::over(&history.cycles[from..len], &history.sensors[from..len])
        };
        stretch(&mut limits.level, &over(LEVEL_WINDOW).level);
        if len >= SCATTER_FROM {
            stretch(&mut limits.scatter, &over(SCATTER_WINDOW).scatter);
        }
    }
    limits.oldest[0] = limits.oldest[0].max(single(count(history.readings())));
}

fn stretch(range: &mut [[f32; SENSOR_COUNT]; 2], values: &[f64; SENSOR_COUNT]) {
    let [least, most] = range;
    for n in 0..SENSOR_COUNT {
        least[n] = least[n].min(single(values[n]));
        most[n] = most[n].max(single(values[n]));
    }
}

/// Centres the features and brings them to a deviation of 1, as [`predict::model::artefact::Artefact::scaled`] will.
fn standardise(features: &mut [[f32; FEATURE_COUNT]]) -> ([f32; FEATURE_COUNT], [f32; FEATURE_COUNT]) {
    let mut mean = [0.0_f64; FEATURE_COUNT];
    let mut square = [0.0_f64; FEATURE_COUNT];
    let rows = count(features.len());
    for row in features.iter() {
        for n in 0..FEATURE_COUNT {
            mean[n] += f64::from(row[n]) / rows;
        }
    }
    for row in features.iter() {
        for n in 0..FEATURE_COUNT {
            let away = f64::from(row[n]) - mean[n];
            square[n] += away * away / rows;
        }
    }
    let centre = mean.map(single);
    let stretch = square.map(|square| if square > 1e-12 { single(1.0 / square.sqrt()) } else { 0.0 });
    for row in features {
        *row = predict::model::scaled(row, &centre, &stretch);
    }
    (centre, stretch)
}
