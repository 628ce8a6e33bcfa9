//! Days and nights of somebody who wears a watch that records everything.

use chrono::{DateTime, FixedOffset, NaiveDate, SecondsFormat, TimeDelta};
use serde_json::{Value, json};

use super::of_day;

/// One sample an hour.
fn hourly(date: NaiveDate, name: &str, value: f64) -> Vec<Value> {
    let sample = |hour: u32| json!({ "timestamp": format!("{date}T{hour:02}:00:00.000000+02:00"), name: value, "timer_duration_seconds": 3600 });
    (0..24).map(sample).collect()
}

/// A whole day as a watch records it that has everything: its body lies in the bucket.
pub fn full_day(date: NaiveDate) -> Value {
    json!({
        "metadata": of_day(date),
        "distance_data": {
            "steps": 9_120, "distance_meters": 6_870.5,
            "detailed": { "step_samples": hourly(date, "steps", 380.0) },
        },
        "calories_data": {
            "total_burned_calories": 2_410.5, "net_activity_calories": 620.0, "BMR_calories": 1_690.0,
            "calorie_samples": hourly(date, "calories", 100.4),
        },
        "heart_rate_data": {
            "summary": {
                "avg_hr_bpm": 68.0, "max_hr_bpm": 151.0, "min_hr_bpm": 44.0, "resting_hr_bpm": 52.0,
                "avg_hrv_rmssd": 48.5, "avg_hrv_sdnn": 61.0,
            },
            "detailed": { "hr_samples": hourly(date, "bpm", 68.0) },
        },
        "active_durations_data": { "activity_seconds": 5_400.0, "low_intensity_seconds": 3_000.0 },
        "oxygen_data": { "avg_saturation_percentage": 97.0, "vo2max_ml_per_min_per_kg": 46.5 },
    })
}

/// A night that ends at half past six of this morning, in the summer of Central Europe.
pub fn full_night(morning: NaiveDate, id: &str) -> Value {
    night_until(format!("{morning}T06:30:00+02:00").parse().unwrap(), id)
}

/// A night of eight hours with everything, recorded by a device.
pub fn night_until(end: DateTime<FixedOffset>, id: &str) -> Value {
    let time = |at: DateTime<FixedOffset>| at.to_rfc3339_opts(SecondsFormat::Micros, false);
    let start = end - TimeDelta::hours(8);
    let hours = || (0..8).map(move |hour| time(start + TimeDelta::hours(hour)));
    let samples = |name: &str, value: f64| -> Vec<Value> {
        hours().map(|at| json!({ "timestamp": at, name: value, "timer_duration_seconds": 3600 })).collect()
    };
    json!({
        "metadata": {
            "summary_id": id, "is_nap": false, "upload_type": 1, "start_time": time(start), "end_time": time(end),
        },
        "sleep_durations_data": {
            "asleep": {
                "duration_asleep_state_seconds": 26_100.0, "duration_deep_sleep_state_seconds": 5_700.0,
                "duration_light_sleep_state_seconds": 14_400.0, "duration_REM_sleep_state_seconds": 6_000.0,
            },
            "awake": { "duration_awake_state_seconds": 2_700.0, "num_wakeup_events": 3 },
            "other": { "duration_in_bed_seconds": 28_800.0 },
            "sleep_efficiency": 90.6,
            "hypnogram_samples": hours().map(|at| json!({ "timestamp": at, "level": 4 })).collect::<Vec<_>>(),
        },
        "heart_rate_data": {
            "summary": {
                "avg_hr_bpm": 54.0, "max_hr_bpm": 71.0, "min_hr_bpm": 45.0, "resting_hr_bpm": 48.0,
                "avg_hrv_rmssd": 55.5, "avg_hrv_sdnn": 64.0,
            },
            "detailed": { "hr_samples": samples("bpm", 54.0), "hrv_samples_rmssd": samples("hrv_rmssd", 55.5) },
        },
        "respiration_data": {
            "breaths_data": { "avg_breaths_per_min": 14.2, "samples": samples("breaths_per_min", 14.2) },
            "oxygen_saturation_data": { "avg_saturation_percentage": 96.0, "samples": samples("percentage", 96.0) },
        },
        "temperature_data": { "delta": -0.2 },
    })
}
