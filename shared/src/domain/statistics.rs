//! The figures of a session.
//!
//! Two-dimensional normal dispersion with the same σ on both axes; formulas and their derivation: Ballistipedia,
//! "Closed Form Precision"; Grubbs, "Statistical Measures of Accuracy for Riflemen and Missile Engineers" (1964).

mod chi_square;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    position::Position,
    shot::Shot,
    target::{RingTable, Score},
};

/// Shots to a series; the last one of a session may have fewer.
pub const SERIES_SHOTS: usize = 5;

/// Half of a normal dispersion lies within this many σ: √(2 ln 2).
pub const R50_SIGMAS: f64 = 1.1774;

/// 95 % of a normal dispersion lie within this many σ: √(2 ln 20).
pub const R95_SIGMAS: f64 = 2.4477;

/// Of 100 sessions, σ lies outside its interval in ten: in five below it, in five above it.
const TAIL: f64 = 0.05;

/// What a session comes to. Scores, millimetres, minutes and percentages are rounded to a tenth; what has no shots to
/// come from is `null`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Statistics {
    pub total_shots: usize,
    /// Shots in the black (the aiming mark, gauged as the rules do) of all shots.
    pub accuracy_percentage: Option<f64>,
    pub average_score: Option<f64>,
    pub session_duration_minutes: f64,
    pub best_score: Option<f64>,
    pub worst_score: Option<f64>,
    pub total_score: f64,
    /// `null` without shots.
    pub group: Option<Group>,
    pub series: Vec<Series>,
}

/// How the shots lie to one another and to the target's centre, in millimetres.
///
/// What is measured is there from the first shot on; σ and what follows from it is an estimate that takes two.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Group {
    /// Mean distance of the shots from the group's own centre, as measured.
    pub mean_radius_mm: f64,
    /// Standard deviation per axis.
    pub sigma_mm: Option<f64>,
    /// Radius about the group's centre that half of all shots will lie in.
    pub r50_mm: Option<f64>,
    /// Radius about the group's centre that 95 % of all shots will lie in.
    pub r95_mm: Option<f64>,
    /// Between which values σ lies with 90 % confidence.
    pub sigma_interval_mm: Option<[f64; 2]>,
    /// Distance between the two shots that lie farthest apart.
    pub extreme_spread_mm: f64,
    /// The group's centre as seen from the target's.
    pub offset_mm: Offset,
}

/// Right and up are positive.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Offset {
    pub x: f64,
    pub y: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Series {
    pub shots: usize,
    pub average_score: f64,
}

impl Statistics {
    /// The figures of `shots`, which are in firing order.
    pub fn of(shots: &[Shot], rings: &RingTable, duration: TimeDelta) -> Self {
        let in_black = shots.iter().filter(|shot| rings.is_in_black(shot.position.radius_um())).count();
        let scores = || shots.iter().map(|shot| shot.score);
        Self {
            total_shots: shots.len(),
            accuracy_percentage: tenths_of(1000 * in_black, shots.len()),
            average_score: average(shots),
            session_duration_minutes: to_tenth(duration.as_seconds_f64() / 60.0),
            best_score: scores().max().map(Score::as_f64),
            worst_score: scores().min().map(Score::as_f64),
            total_score: f64::from(total_tenths(shots)) / 10.0,
            group: Dispersion::of(shots).map(|dispersion| Group::of(&dispersion, shots)),
            series: shots
                .chunks(SERIES_SHOTS)
                .filter_map(|series| Some(Series { shots: series.len(), average_score: average(series)? }))
                .collect(),
        }
    }
}

/// How shots lie, in full precision: what the rounded figures and the advice come from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dispersion {
    pub shots: usize,
    /// The group's centre.
    pub centre: Position,
    /// Sums of the squared distances from the centre along each axis, in mm².
    pub squares_x: f64,
    pub squares_y: f64,
}

impl Dispersion {
    /// `None` without shots.
    pub fn of(shots: &[Shot]) -> Option<Self> {
        if shots.is_empty() {
            return None;
        }
        let n = real(shots.len());
        let mean = |axis: fn(&Shot) -> f64| shots.iter().map(axis).sum::<f64>() / n;
        let centre = Position::new(mean(|shot| shot.position.x_mm), mean(|shot| shot.position.y_mm));
        let squares_x = shots.iter().map(|shot| (shot.position.x_mm - centre.x_mm).powi(2)).sum();
        let squares_y = shots.iter().map(|shot| (shot.position.y_mm - centre.y_mm).powi(2)).sum();
        Some(Self { shots: shots.len(), centre, squares_x, squares_y })
    }

    /// The Rayleigh estimate of σ per axis in millimetres: σ² = Σr² / 2(n − 1), which is unbiased in σ²; `None` for
    /// fewer than two shots. The factor that would make σ itself unbiased (1.014 for ten shots) is left out, so that σ
    /// and its interval come from the same Σr².
    pub fn sigma_mm(&self) -> Option<f64> {
        (self.shots > 1).then(|| (self.squares() / real(self.degrees())).sqrt())
    }

    /// σ along each axis alone, horizontal and vertical, in millimetres; `None` for fewer than two shots.
    pub fn axis_sigmas_mm(&self) -> Option<(f64, f64)> {
        let sigma = |squares: f64| (squares / real(self.shots.saturating_sub(1))).sqrt();
        (self.shots > 1).then(|| (sigma(self.squares_x), sigma(self.squares_y)))
    }

    /// Σr² in mm².
    pub fn squares(&self) -> f64 {
        self.squares_x + self.squares_y
    }

    /// Between which values σ lies with 90 % confidence: Σr²/σ² is distributed as χ² with 2(n − 1) degrees of freedom.
    pub fn sigma_interval_mm(&self) -> Option<[f64; 2]> {
        let bound = |probability| (self.squares() / chi_square::quantile(probability, self.degrees())).sqrt();
        (self.shots > 1).then(|| [bound(1.0 - TAIL), bound(TAIL)])
    }

    /// Degrees of freedom: two coordinates a shot, less the two of the centre.
    fn degrees(&self) -> usize {
        2 * self.shots.saturating_sub(1)
    }
}

impl Group {
    fn of(dispersion: &Dispersion, shots: &[Shot]) -> Self {
        let centre = dispersion.centre;
        let sigma = dispersion.sigma_mm();
        let radii: f64 = shots.iter().map(|shot| shot.position.distance_mm(centre)).sum();
        Self {
            mean_radius_mm: to_tenth(radii / real(shots.len())),
            sigma_mm: sigma.map(to_tenth),
            r50_mm: sigma.map(|sigma| to_tenth(R50_SIGMAS * sigma)),
            r95_mm: sigma.map(|sigma| to_tenth(R95_SIGMAS * sigma)),
            sigma_interval_mm: dispersion.sigma_interval_mm().map(|bounds| bounds.map(to_tenth)),
            extreme_spread_mm: to_tenth(extreme_spread_mm(shots)),
            offset_mm: Offset { x: to_tenth(centre.x_mm), y: to_tenth(centre.y_mm) },
        }
    }
}

/// Distance between the two shots that lie farthest apart, in millimetres.
fn extreme_spread_mm(shots: &[Shot]) -> f64 {
    let rest = |from: usize| shots.iter().skip(from + 1);
    let pairs = shots.iter().enumerate().flat_map(|(i, a)| rest(i).map(move |b| a.position.distance_mm(b.position)));
    pairs.fold(0.0, f64::max)
}

/// Sum of the scores in tenths.
fn total_tenths(shots: &[Shot]) -> u32 {
    shots.iter().fold(0, |total, shot| total + shot.score)
}

/// Mean score, rounded to a tenth.
fn average(shots: &[Shot]) -> Option<f64> {
    tenths_of(usize::try_from(total_tenths(shots)).ok()?, shots.len())
}

/// `total / count` of tenths, rounded half up in whole numbers, so that no binary fraction decides.
fn tenths_of(total: usize, count: usize) -> Option<f64> {
    (2 * total + count).checked_div(2 * count).map(|tenths| real(tenths) / 10.0)
}

/// Rounded to a tenth; never −0.
fn to_tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0 + 0.0
}

/// A count as a real number.
#[expect(clippy::cast_precision_loss, reason = "shots and tenths of a session stay far below 2^53")]
pub(super) fn real(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
