//! A data event of each type, and the metrics that it is worth.

use serde_json::{Value, json};

use crate::support::wearables::{Watch, full_day, full_night, of_day};

/// Metric, value, unit, and the user's own day.
pub type Expected = (&'static str, f64, &'static str, &'static str);

const STEPS: Expected = ("steps", 9_120.0, "count", "2026-07-02");

/// Every type, in every form that matters, with what is made of it.
pub fn data(watch: &Watch) -> Vec<(Value, Vec<Expected>)> {
    let one = |kind: &str, element: Value, expected: &[Expected]| (watch.event(kind, [element]), expected.to_vec());
    vec![
        one("daily", full_day("2026-07-02".parse().unwrap()), &full_daily()),
        one("sleep", full_night("2026-07-02".parse().unwrap(), "night-1"), &full_sleep()),
        one("activity", run(), &full_activity()),
        one("body", scales(), &full_body()),
        // Null, of another type, or not there: no value is made up.
        one("daily", sparse_day(), &[("steps", 0.0, "count", "2026-07-02")]),
        // A share, where others send percent.
        one(
            "sleep",
            short_night(),
            &[("sleep_duration", 25_200.0, "s", "2026-07-02"), ("sleep_efficiency", 91.0, "%", "2026-07-02")],
        ),
        // What the table of metrics does not have.
        one(
            "nutrition",
            json!({ "metadata": of_day("2026-07-02".parse().unwrap()), "summary": { "macros": { "calories": 2_100 } } }),
            &[],
        ),
        one(
            "menstruation",
            json!({ "metadata": of_day("2026-07-02".parse().unwrap()), "menstruation_data": { "day_in_cycle": 4 } }),
            &[],
        ),
        one("hormone", json!({ "metadata": of_day("2026-07-02".parse().unwrap()), "hormone_samples": [] }), &[]),
        one(
            "planned_workout",
            json!({ "metadata": { "id": "w1", "planned_start_time": "2026-07-03T07:00:00Z" } }),
            &[],
        ),
        (
            json!({ "type": "athlete", "user": watch.user(), "athlete": { "first_name": "Ada", "weight_kg": 60.0 } }),
            vec![],
        ),
        // Several days at once, and none at all.
        (two_days(watch), vec![("steps", 4_000.0, "count", "2026-07-01"), STEPS]),
        (watch.event("daily", []), vec![]),
        (json!({ "type": "daily", "user": watch.user(), "data": null }), vec![]),
    ]
}

fn full_daily() -> Vec<Expected> {
    let day = |metric, value, unit| (metric, value, unit, "2026-07-02");
    vec![
        day("active_calories", 620.0, "kcal"),
        day("active_time", 5_400.0, "s"),
        day("avg_hr", 68.0, "bpm"),
        day("bmr_calories", 1_690.0, "kcal"),
        day("calories", 2_410.5, "kcal"),
        day("distance", 6_870.5, "m"),
        day("hrv_rmssd", 48.5, "ms"),
        day("hrv_sdnn", 61.0, "ms"),
        day("max_hr", 151.0, "bpm"),
        day("resting_hr", 52.0, "bpm"),
        day("spo2", 97.0, "%"),
        STEPS,
        day("vo2max", 46.5, "ml/min/kg"),
    ]
}

/// A night belongs to its morning.
fn full_sleep() -> Vec<Expected> {
    let night = |metric, value, unit| (metric, value, unit, "2026-07-02");
    vec![
        night("avg_hr", 54.0, "bpm"),
        night("hrv_rmssd", 55.5, "ms"),
        night("hrv_sdnn", 64.0, "ms"),
        night("max_hr", 71.0, "bpm"),
        night("respiration", 14.2, "/min"),
        night("resting_hr", 48.0, "bpm"),
        night("skin_temp_delta", -0.2, "°C"),
        night("sleep_duration", 26_100.0, "s"),
        night("sleep_efficiency", 90.6, "%"),
        night("spo2", 96.0, "%"),
    ]
}

/// An hour's run, begun before midnight, where it was, and ended after it.
fn run() -> Value {
    json!({
        "metadata": {
            "summary_id": "run-1", "name": "Night run", "type": 8, "upload_type": 1,
            "start_time": "2026-07-01T23:30:00.000000-04:00", "end_time": "2026-07-02T00:30:00.000000-04:00",
        },
        "distance_data": { "summary": { "distance_meters": 10_200.0, "steps": 9_800 } },
        "calories_data": { "total_burned_calories": 710.0, "net_activity_calories": 640.0, "BMR_calories": 70.0 },
        "heart_rate_data": {
            "summary": { "avg_hr_bpm": 149.0, "max_hr_bpm": 177.0, "min_hr_bpm": 92.0, "resting_hr_bpm": 50.0, "avg_hrv_rmssd": 21.0 },
        },
        "active_durations_data": { "activity_seconds": 3_600.0 },
    })
}

/// Resting heart rate and active time are a day's affair, whatever a run says of them.
fn full_activity() -> Vec<Expected> {
    let run = |metric, value, unit| (metric, value, unit, "2026-07-01");
    vec![
        run("active_calories", 640.0, "kcal"),
        run("avg_hr", 149.0, "bpm"),
        run("bmr_calories", 70.0, "kcal"),
        run("calories", 710.0, "kcal"),
        run("distance", 10_200.0, "m"),
        run("hrv_rmssd", 21.0, "ms"),
        run("max_hr", 177.0, "bpm"),
        run("steps", 9_800.0, "count"),
    ]
}

/// Three times on the scales, the last after midnight, where they stand.
fn scales() -> Value {
    json!({
        "metadata": of_day("2026-07-02".parse().unwrap()),
        "measurements_data": { "measurements": [
            { "measurement_time": "2026-07-02T07:10:00.000000+02:00", "weight_kg": 72.4, "bodyfat_percentage": 17.9, "BMI": 22.6 },
            { "measurement_time": "2026-07-02T19:40:00.000000+02:00", "weight_kg": 73.1, "bodyfat_percentage": null },
            { "measurement_time": "2026-07-03T00:05:00.000000+02:00", "weight_kg": 72.8 },
        ] },
        "oxygen_data": { "avg_saturation_percentage": 98.0, "vo2max_ml_per_min_per_kg": 47.0 },
        // No metric of a body event.
        "heart_data": { "heart_rate_data": { "summary": { "resting_hr_bpm": 61.0 } } },
    })
}

fn full_body() -> Vec<Expected> {
    vec![
        ("body_fat", 17.9, "%", "2026-07-02"),
        ("spo2", 98.0, "%", "2026-07-02"),
        ("vo2max", 47.0, "ml/min/kg", "2026-07-02"),
        ("weight", 72.4, "kg", "2026-07-02"),
        ("weight", 72.8, "kg", "2026-07-03"),
        ("weight", 73.1, "kg", "2026-07-02"),
    ]
}

fn sparse_day() -> Value {
    json!({
        "metadata": of_day("2026-07-02".parse().unwrap()),
        "distance_data": { "steps": 0, "distance_meters": null },
        "calories_data": null,
        "heart_rate_data": { "summary": { "avg_hr_bpm": "68", "max_hr_bpm": null } },
        "oxygen_data": [],
        "active_durations_data": {},
    })
}

fn short_night() -> Value {
    json!({
        "metadata": {
            "start_time": "2026-07-01T23:12:00.000000+01:00", "end_time": "2026-07-02T07:02:00.000000+01:00",
            "is_nap": false, "upload_type": 1,
        },
        "sleep_durations_data": { "asleep": { "duration_asleep_state_seconds": 25_200 }, "sleep_efficiency": 0.91 },
    })
}

fn two_days(watch: &Watch) -> Value {
    let day = |date: &str, steps: u32| json!({ "metadata": of_day(date.parse().unwrap()), "distance_data": { "steps": steps } });
    watch.event("daily", [day("2026-07-01", 4_000), day("2026-07-02", 9_120)])
}
