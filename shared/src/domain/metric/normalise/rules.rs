//! What is taken from which event, from where; and which fields an event of each type is expected to have.

use chrono::TimeDelta;
use serde_json::Value;

use super::{
    read::{number, number_at},
    samples::Series,
};
use crate::domain::metric::Metric;

/// Where a metric's value lies, and its samples.
pub(super) struct Rule {
    pub metric: Metric,
    pub path: &'static str,
    pub series: Option<Series>,
}

impl Rule {
    /// The value in the metric's unit.
    pub(super) fn value(&self, item: &Value) -> Option<f64> {
        let value = number_at(item, self.path)?;
        Some(if self.metric == Metric::SleepEfficiency { percent(value) } else { value })
    }
}

/// An efficiency in percent: some providers send a share of 1. A night of which 1 % was slept is none, so up to 1 it is
/// a share.
pub(super) fn percent(value: f64) -> f64 {
    if value <= 1.0 { number(&Value::from(value * 100.0)).unwrap_or(value) } else { value }
}

/// A field that an event of its type should have: any of the paths.
pub(super) type Expected = &'static [&'static str];

// How long a sample stands for that has no duration of its own. Heart rates come every few seconds to five minutes,
// HRV is taken in windows of five; a stage of sleep lasts until the next, half an hour at most on the whole.
const HEART_RATES: Series = every(5, "heart_rate_data.detailed.hr_samples");
const RMSSDS: Series = every(5, "heart_rate_data.detailed.hrv_samples_rmssd");
const SDNNS: Series = every(5, "heart_rate_data.detailed.hrv_samples_sdnn");
const STEPS: Series = every(15, "distance_data.detailed.step_samples");
const DISTANCES: Series = every(15, "distance_data.detailed.distance_samples");
const CALORIES: Series = every(15, "calories_data.calorie_samples");
const LEVELS: Series = every(15, "active_durations_data.activity_levels_samples");
const STAGES: Series = every(30, "sleep_durations_data.hypnogram_samples");
const SATURATIONS: Series = every(15, "oxygen_data.saturation_samples");
const NIGHT_SATURATIONS: Series = every(15, "respiration_data.oxygen_saturation_data.samples");
const VO2: Series = every(15, "oxygen_data.vo2_samples");
const BREATHS: Series = every(15, "respiration_data.breaths_data.samples");

pub(super) const DAILY: &[Rule] = &[
    of(Metric::RestingHr, "heart_rate_data.summary.resting_hr_bpm", HEART_RATES),
    of(Metric::AvgHr, "heart_rate_data.summary.avg_hr_bpm", HEART_RATES),
    of(Metric::MaxHr, "heart_rate_data.summary.max_hr_bpm", HEART_RATES),
    of(Metric::HrvRmssd, "heart_rate_data.summary.avg_hrv_rmssd", RMSSDS),
    of(Metric::HrvSdnn, "heart_rate_data.summary.avg_hrv_sdnn", SDNNS),
    of(Metric::Steps, "distance_data.steps", STEPS),
    of(Metric::Distance, "distance_data.distance_meters", DISTANCES),
    of(Metric::Spo2, "oxygen_data.avg_saturation_percentage", SATURATIONS),
    of(Metric::Vo2max, "oxygen_data.vo2max_ml_per_min_per_kg", VO2),
    of(Metric::Calories, "calories_data.total_burned_calories", CALORIES),
    of(Metric::ActiveCalories, "calories_data.net_activity_calories", CALORIES),
    alone(Metric::BmrCalories, "calories_data.BMR_calories"),
    of(Metric::ActiveTime, "active_durations_data.activity_seconds", LEVELS),
];

pub(super) const SLEEP: &[Rule] = &[
    of(Metric::RestingHr, "heart_rate_data.summary.resting_hr_bpm", HEART_RATES),
    of(Metric::AvgHr, "heart_rate_data.summary.avg_hr_bpm", HEART_RATES),
    of(Metric::MaxHr, "heart_rate_data.summary.max_hr_bpm", HEART_RATES),
    of(Metric::HrvRmssd, "heart_rate_data.summary.avg_hrv_rmssd", RMSSDS),
    of(Metric::HrvSdnn, "heart_rate_data.summary.avg_hrv_sdnn", SDNNS),
    of(Metric::SleepDuration, "sleep_durations_data.asleep.duration_asleep_state_seconds", STAGES),
    of(Metric::SleepEfficiency, "sleep_durations_data.sleep_efficiency", STAGES),
    of(Metric::Spo2, "respiration_data.oxygen_saturation_data.avg_saturation_percentage", NIGHT_SATURATIONS),
    of(Metric::Respiration, "respiration_data.breaths_data.avg_breaths_per_min", BREATHS),
    alone(Metric::SkinTempDelta, "temperature_data.delta"),
];

pub(super) const ACTIVITY: &[Rule] = &[
    of(Metric::AvgHr, "heart_rate_data.summary.avg_hr_bpm", HEART_RATES),
    of(Metric::MaxHr, "heart_rate_data.summary.max_hr_bpm", HEART_RATES),
    of(Metric::HrvRmssd, "heart_rate_data.summary.avg_hrv_rmssd", RMSSDS),
    of(Metric::HrvSdnn, "heart_rate_data.summary.avg_hrv_sdnn", SDNNS),
    of(Metric::Steps, "distance_data.summary.steps", STEPS),
    of(Metric::Distance, "distance_data.summary.distance_meters", DISTANCES),
    of(Metric::Calories, "calories_data.total_burned_calories", CALORIES),
    of(Metric::ActiveCalories, "calories_data.net_activity_calories", CALORIES),
    alone(Metric::BmrCalories, "calories_data.BMR_calories"),
];

pub(super) const BODY: &[Rule] = &[
    of(Metric::Spo2, "oxygen_data.avg_saturation_percentage", SATURATIONS),
    of(Metric::Vo2max, "oxygen_data.vo2max_ml_per_min_per_kg", VO2),
];

/// The list of a body's measurements.
pub(super) const MEASUREMENTS: &str = "measurements_data.measurements";

/// Paths within one measurement.
pub(super) const MEASUREMENT: &[Rule] =
    &[alone(Metric::Weight, "weight_kg"), alone(Metric::BodyFat, "bodyfat_percentage")];

// What most wearables of the kind send. Fields that many of them can't measure are left out, or stand beside another
// that does as well, so that a good device of fewer sensors is not taken for a gap.

pub(super) const DAILY_EXPECTED: &[Expected] = &[
    &["distance_data.steps"],
    &["distance_data.distance_meters"],
    &["calories_data.total_burned_calories"],
    &["calories_data.net_activity_calories", "calories_data.BMR_calories"],
    &["active_durations_data.activity_seconds"],
    &["heart_rate_data.summary.resting_hr_bpm"],
    &["heart_rate_data.summary.avg_hr_bpm"],
    &["heart_rate_data.summary.max_hr_bpm"],
];

pub(super) const SLEEP_EXPECTED: &[Expected] = &[
    &["sleep_durations_data.asleep.duration_asleep_state_seconds"],
    &["sleep_durations_data.asleep.duration_deep_sleep_state_seconds"],
    &["sleep_durations_data.asleep.duration_light_sleep_state_seconds"],
    &["sleep_durations_data.asleep.duration_REM_sleep_state_seconds"],
    &["sleep_durations_data.awake.duration_awake_state_seconds", "sleep_durations_data.other.duration_in_bed_seconds"],
    &["sleep_durations_data.sleep_efficiency"],
    &["heart_rate_data.summary.avg_hr_bpm"],
    &["heart_rate_data.summary.resting_hr_bpm", "heart_rate_data.summary.min_hr_bpm"],
    &["heart_rate_data.summary.avg_hrv_rmssd", "heart_rate_data.summary.avg_hrv_sdnn"],
    &[
        "respiration_data.breaths_data.avg_breaths_per_min",
        "respiration_data.oxygen_saturation_data.avg_saturation_percentage",
    ],
];

pub(super) const ACTIVITY_EXPECTED: &[Expected] = &[
    &["heart_rate_data.summary.avg_hr_bpm"],
    &["heart_rate_data.summary.max_hr_bpm"],
    &["calories_data.total_burned_calories"],
    &["calories_data.net_activity_calories"],
    &["distance_data.summary.distance_meters", "distance_data.summary.steps"],
    &["active_durations_data.activity_seconds"],
    &["movement_data.avg_speed_meters_per_second", "movement_data.avg_cadence_rpm", "power_data.avg_watts"],
];

pub(super) const BODY_EXPECTED: &[Expected] = &[
    &["oxygen_data.avg_saturation_percentage"],
    &["oxygen_data.vo2max_ml_per_min_per_kg"],
    &["heart_data.heart_rate_data.summary.avg_hr_bpm", "heart_data.heart_rate_data.summary.resting_hr_bpm"],
    &["heart_data.heart_rate_data.summary.avg_hrv_rmssd", "heart_data.heart_rate_data.summary.avg_hrv_sdnn"],
    &["blood_pressure_data.day_avg_systolic_bp"],
    &["temperature_data.day_avg_body_temperature_celsius", "temperature_data.day_avg_skin_temperature_celsius"],
];

pub(super) const MEASUREMENT_EXPECTED: &[Expected] = &[
    &["weight_kg"],
    &["bodyfat_percentage"],
    &["BMI", "height_cm"],
    &["muscle_mass_g", "lean_mass_g"],
    &["water_percentage"],
    &["bone_mass_g"],
];

/// How many of the expected fields are there.
pub(super) fn present(item: &Value, expected: &[Expected]) -> u16 {
    count(expected.iter().filter(|any| any.iter().any(|path| number_at(item, path).is_some())).count())
}

/// A count of fields.
pub(super) fn count(fields: usize) -> u16 {
    u16::try_from(fields).unwrap_or(u16::MAX)
}

const fn every(minutes: i64, path: &'static str) -> Series {
    Series { path, each: TimeDelta::minutes(minutes) }
}

const fn of(metric: Metric, path: &'static str, series: Series) -> Rule {
    Rule { metric, path, series: Some(series) }
}

/// A value that no series of samples stands behind.
const fn alone(metric: Metric, path: &'static str) -> Rule {
    Rule { metric, path, series: None }
}
