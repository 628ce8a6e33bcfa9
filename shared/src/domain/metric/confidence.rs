//! How far a value is to be trusted, 0 to 100: the weighted geometric mean of five components, each 0 to 1.
//!
//! A geometric mean, because no component makes up for another: what is nonsense, or a year old, is worth nothing
//! however complete it came. The dimensions are those of Cho et al., "Factors affecting the quality of person-generated
//! wearable device data" (JMIR mHealth and uHealth 2021, e31618); ratios of missing data as in QPrism.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Evidence, Metric};

mod history;
mod sources;
mod weights;

pub use history::History;

/// 0 to 100, to a tenth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "f64", from = "f64")]
pub struct Confidence {
    tenths: u32,
}

/// The parts that do not age, each 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Components {
    pub completeness: f64,
    pub source: f64,
    pub plausibility: f64,
    pub sufficiency: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// From 90.
    Excellent,
    /// From 75.
    Good,
    /// From 50.
    Fair,
    Poor,
}

impl Components {
    /// Out of the payload's evidence and the user's usual values (empty: the payload alone speaks).
    pub fn of(metric: Metric, value: f64, evidence: &Evidence, history: &History<'_>) -> Self {
        Self {
            completeness: completeness(metric, evidence),
            source: sources::prior(&evidence.provider, evidence.upload_type),
            plausibility: plausibility(metric, value, evidence, history),
            sufficiency: sufficiency(metric, evidence),
        }
    }

    /// `exp(−age/τ)`, 0 to 1; what lies ahead is as fresh as now.
    pub fn freshness(metric: Metric, observed_at: DateTime<Utc>, now: DateTime<Utc>) -> f64 {
        let age = (now - observed_at).as_seconds_f64().max(0.0);
        (-age / metric.fades_in().as_seconds_f64()).exp()
    }

    /// The weighted geometric mean of the components and this freshness.
    pub fn confidence(&self, freshness: f64) -> Confidence {
        let part = |component: f64, weight: f64| component.clamp(0.0, 1.0).powf(weight);
        let mean = part(self.completeness, weights::COMPLETENESS)
            * part(freshness, weights::FRESHNESS)
            * part(self.source, weights::SOURCE)
            * part(self.plausibility, weights::PLAUSIBILITY)
            * part(self.sufficiency, weights::SUFFICIENCY);
        Confidence::from(100.0 * mean)
    }
}

/// The fields that are there of those expected, and for a metric that has samples the share of the time that they
/// cover.
fn completeness(metric: Metric, evidence: &Evidence) -> f64 {
    let expected = f64::from(evidence.fields_expected.max(1));
    let fields = (f64::from(evidence.fields_present) / expected).min(1.0);
    let covered = match metric.ample_samples() {
        0 => 1.0,
        _ => evidence.coverage.unwrap_or(0.0).clamp(0.0, 1.0),
    };
    from_floor(weights::NO_FIELDS, fields) * from_floor(weights::NO_COVERAGE, covered)
}

/// What the value itself says: out of range it is nonsense; what its own payload contradicts, or what the user never
/// has, is doubtful.
fn plausibility(metric: Metric, value: f64, evidence: &Evidence, history: &History<'_>) -> f64 {
    if !metric.plausible().contains(&value) {
        return 0.0;
    }
    history.plausibility(value, metric.least_spread()) * weights::CONTRADICTED.powi(i32::from(evidence.contradictions))
}

/// How many samples stand behind the value. By the logarithm, as the tenth sample tells more than the hundredth.
fn sufficiency(metric: Metric, evidence: &Evidence) -> f64 {
    match (metric.ample_samples(), evidence.samples) {
        (0, _) => 1.0,
        (_, 0) => weights::NO_SAMPLES,
        (ample, samples) => {
            let share = f64::from(samples).ln() / f64::from(ample).ln();
            from_floor(weights::ONE_SAMPLE, share.min(1.0))
        }
    }
}

/// From the floor up to 1 as `share` goes from 0 to 1.
fn from_floor(floor: f64, share: f64) -> f64 {
    floor + (1.0 - floor) * share
}

impl Confidence {
    pub fn get(self) -> f64 {
        f64::from(self.tenths) / 10.0
    }

    /// In tenths, for exact sums.
    pub fn tenths(self) -> u32 {
        self.tenths
    }

    pub fn quality(self) -> Quality {
        match self.tenths {
            900.. => Quality::Excellent,
            750.. => Quality::Good,
            500.. => Quality::Fair,
            _ => Quality::Poor,
        }
    }
}

impl From<Confidence> for f64 {
    fn from(confidence: Confidence) -> Self {
        confidence.get()
    }
}

impl From<f64> for Confidence {
    /// Rounded to a tenth; 0 to 100 at most.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number from 0 to 1000")]
    fn from(percent: f64) -> Self {
        Self { tenths: (percent * 10.0).round().clamp(0.0, 1000.0) as u32 }
    }
}

#[cfg(test)]
mod tests;
