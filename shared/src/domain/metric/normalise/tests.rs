use std::time::Instant;

use chrono::TimeDelta;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::metric::Metric;

mod evidence;
mod times;

/// What a wearable sends of a night: eight hours in bed, 7 h 12 min of sleep.
pub(super) fn night() -> Value {
    json!({
        "metadata": {
            "start_time": "2026-03-01T23:00:00.000000+01:00", "end_time": "2026-03-02T07:00:00.000000+01:00",
            "summary_id": "night-1", "is_nap": false, "upload_type": 1
        },
        "heart_rate_data": {
            "summary": {
                "avg_hr_bpm": 52, "min_hr_bpm": 44, "max_hr_bpm": 78, "resting_hr_bpm": 46,
                "avg_hrv_rmssd": 61.5, "avg_hrv_sdnn": 70
            },
            "detailed": { "hr_samples": [{ "timestamp": "2026-03-02T02:00:00.000000+01:00", "bpm": 50 }] }
        },
        "sleep_durations_data": {
            "asleep": {
                "duration_asleep_state_seconds": 25_920, "duration_deep_sleep_state_seconds": 5_920,
                "duration_light_sleep_state_seconds": 14_000, "duration_REM_sleep_state_seconds": 6_000
            },
            "awake": { "duration_awake_state_seconds": 2_880 },
            "other": { "duration_in_bed_seconds": 28_800 },
            "sleep_efficiency": 0.9
        },
        "respiration_data": {
            "breaths_data": { "avg_breaths_per_min": 13.5 },
            "oxygen_saturation_data": { "avg_saturation_percentage": 96 }
        },
        "temperature_data": { "delta": -0.2 }
    })
}

pub(super) fn day() -> Value {
    json!({
        "metadata": {
            "start_time": "2026-03-01T00:00:00.000000+01:00", "end_time": "2026-03-02T00:00:00.000000+01:00"
        },
        "heart_rate_data": {
            "summary": {
                "avg_hr_bpm": 71, "max_hr_bpm": 151, "min_hr_bpm": 44, "resting_hr_bpm": 47,
                "avg_hrv_rmssd": 48, "avg_hrv_sdnn": 55
            }
        },
        "distance_data": { "steps": 9_120, "distance_meters": 7_012.5, "summary": { "steps": 1 } },
        "oxygen_data": { "avg_saturation_percentage": 97, "vo2max_ml_per_min_per_kg": 46 },
        "calories_data": { "total_burned_calories": 2_600, "net_activity_calories": 800, "BMR_calories": 1_700 },
        "active_durations_data": { "activity_seconds": 4_500 }
    })
}

pub(super) fn training() -> Value {
    json!({
        "metadata": {
            "start_time": "2026-03-01T23:30:00.000000+01:00", "end_time": "2026-03-02T00:30:00.000000+01:00",
            "summary_id": "run 7"
        },
        "heart_rate_data": {
            "summary": {
                "avg_hr_bpm": 140, "max_hr_bpm": 171, "resting_hr_bpm": 47, "avg_hrv_rmssd": 20, "avg_hrv_sdnn": 25
            }
        },
        "distance_data": { "steps": 1, "summary": { "steps": 8_000, "distance_meters": 9_000 } },
        "oxygen_data": { "avg_saturation_percentage": 97, "vo2max_ml_per_min_per_kg": 46 },
        "calories_data": { "total_burned_calories": 700, "net_activity_calories": 620, "BMR_calories": 80 },
        "active_durations_data": { "activity_seconds": 3_500 }
    })
}

pub(super) fn body() -> Value {
    json!({
        "metadata": {
            "start_time": "2026-03-01T00:00:00.000000+01:00", "end_time": "2026-03-02T00:00:00.000000+01:00"
        },
        "measurements_data": {
            "measurements": [
                {
                    "measurement_time": "2026-03-01T07:10:00.000000+01:00",
                    "weight_kg": 70.4, "bodyfat_percentage": 17, "BMI": 22
                },
                { "measurement_time": "2026-02-28T23:50:00.000000+01:00", "weight_kg": 71 },
                { "bodyfat_percentage": 17.5 },
                null
            ]
        },
        "heart_data": { "heart_rate_data": { "summary": { "avg_hr_bpm": 60, "resting_hr_bpm": 50 } } },
        "oxygen_data": { "avg_saturation_percentage": 98, "vo2max_ml_per_min_per_kg": 45 }
    })
}

pub(super) fn document(data_type: DataType, item: &Value) -> Document {
    normalise(data_type, "OURA", item).unwrap()
}

/// Puts a value at a path of names with points between them.
pub(super) fn with(mut item: Value, path: &str, value: Value) -> Value {
    *path.split('.').fold(&mut item, |item, name| &mut item[name]) = value;
    item
}

fn values(data_type: DataType, item: &Value) -> Vec<(Metric, f64, u32)> {
    let observations = document(data_type, item).observations;
    observations.into_iter().map(|observation| (observation.metric, observation.value, observation.ordinal)).collect()
}

#[test]
fn a_night_gives_its_metrics_and_nothing_else() {
    let expected = [
        (Metric::RestingHr, 46.0, SLEEP),
        (Metric::AvgHr, 52.0, SLEEP),
        (Metric::MaxHr, 78.0, SLEEP),
        (Metric::HrvRmssd, 61.5, SLEEP),
        (Metric::HrvSdnn, 70.0, SLEEP),
        (Metric::SleepDuration, 25_920.0, SLEEP),
        (Metric::SleepEfficiency, 90.0, SLEEP),
        (Metric::Spo2, 96.0, SLEEP),
        (Metric::Respiration, 13.5, SLEEP),
        (Metric::SkinTempDelta, -0.2, SLEEP),
    ];
    assert_eq!(values(DataType::Sleep, &night()), expected);
}

#[test]
fn a_day_gives_its_metrics_and_nothing_else() {
    let expected = [
        (Metric::RestingHr, 47.0, DAILY),
        (Metric::AvgHr, 71.0, DAILY),
        (Metric::MaxHr, 151.0, DAILY),
        (Metric::HrvRmssd, 48.0, DAILY),
        (Metric::HrvSdnn, 55.0, DAILY),
        (Metric::Steps, 9_120.0, DAILY),
        (Metric::Distance, 7_012.5, DAILY),
        (Metric::Spo2, 97.0, DAILY),
        (Metric::Vo2max, 46.0, DAILY),
        (Metric::Calories, 2_600.0, DAILY),
        (Metric::ActiveCalories, 800.0, DAILY),
        (Metric::BmrCalories, 1_700.0, DAILY),
        (Metric::ActiveTime, 4_500.0, DAILY),
    ];
    assert_eq!(values(DataType::Daily, &day()), expected);
}

#[test]
fn an_activity_gives_its_metrics_and_nothing_else() {
    let expected = [
        (Metric::AvgHr, 140.0, ACTIVITY),
        (Metric::MaxHr, 171.0, ACTIVITY),
        (Metric::HrvRmssd, 20.0, ACTIVITY),
        (Metric::HrvSdnn, 25.0, ACTIVITY),
        (Metric::Steps, 8_000.0, ACTIVITY),
        (Metric::Distance, 9_000.0, ACTIVITY),
        (Metric::Calories, 700.0, ACTIVITY),
        (Metric::ActiveCalories, 620.0, ACTIVITY),
        (Metric::BmrCalories, 80.0, ACTIVITY),
    ];
    assert_eq!(values(DataType::Activity, &training()), expected);
}

#[test]
fn a_body_gives_its_oxygen_and_each_of_its_measurements() {
    let expected = [
        (Metric::Spo2, 98.0, BODY),
        (Metric::Vo2max, 45.0, BODY),
        (Metric::Weight, 70.4, 0),
        (Metric::BodyFat, 17.0, 0),
        (Metric::Weight, 71.0, 1),
        (Metric::BodyFat, 17.5, 2),
    ];
    assert_eq!(values(DataType::Body, &body()), expected);
}

#[test]
fn the_other_types_give_nothing() {
    for data_type in
        [DataType::Athlete, DataType::Hormone, DataType::Menstruation, DataType::Nutrition, DataType::PlannedWorkout]
    {
        assert_eq!(document(data_type, &day()).observations, []);
    }
    for data_type in [DataType::Athlete, DataType::Hormone, DataType::PlannedWorkout] {
        assert_eq!(document(data_type, &json!({})).key, data_type.name());
    }
}

#[test]
fn what_is_missing_or_no_number_gives_no_row() {
    let of = |value: Value| values(DataType::Daily, &with(day(), "distance_data.steps", value));
    let steps = |value| of(value).into_iter().find(|(metric, ..)| *metric == Metric::Steps);
    for value in [json!(null), json!("9120"), json!(true), json!([1]), json!({}), json!(1e13)] {
        assert_eq!(steps(value.clone()), None, "{value}");
        assert_eq!(of(value).len(), 12);
    }
    // Nonsense is kept, for its score is nought.
    assert_eq!(steps(json!(-3)), Some((Metric::Steps, -3.0, DAILY)));
    let nothing =
        json!({ "metadata": { "start_time": "2026-03-01T00:00:00Z" }, "heart_rate_data": null, "oxygen_data": [] });
    for data_type in [DataType::Daily, DataType::Body, DataType::Sleep, DataType::Activity] {
        assert_eq!(document(data_type, &nothing).observations, [], "{data_type:?}");
    }
}

#[test]
fn an_efficiency_may_be_a_share_or_in_percent() {
    for (given, percent) in [(0.57, 57.0), (1.0, 100.0), (0.0, 0.0), (87.5, 87.5), (1.5, 1.5), (100.0, 100.0)] {
        let item = with(night(), "sleep_durations_data.sleep_efficiency", json!(given));
        assert!(values(DataType::Sleep, &item).contains(&(Metric::SleepEfficiency, percent, SLEEP)), "{given}");
    }
}

#[test]
fn naps_and_activities_are_not_usual_and_naps_not_current() {
    let nap = with(night(), "metadata.is_nap", json!(true));
    for (data_type, item, usual, current) in [
        (DataType::Sleep, night(), true, true),
        (DataType::Sleep, nap, false, false),
        (DataType::Activity, training(), false, true),
        (DataType::Daily, day(), true, true),
        (DataType::Body, body(), true, true),
    ] {
        for observation in document(data_type, &item).observations {
            assert_eq!((observation.usual, observation.current), (usual, current), "{observation:?}");
        }
    }
}

#[test]
fn no_two_types_that_share_a_key_share_a_row() {
    let named_by_date = |item| with(item, "metadata.summary_id", json!("2026-03-01"));
    let mut rows = std::collections::HashSet::new();
    for (data_type, item) in [
        (DataType::Daily, day()),
        (DataType::Body, body()),
        (DataType::Sleep, named_by_date(night())),
        (DataType::Activity, named_by_date(training())),
    ] {
        let Document { key, observations, .. } = document(data_type, &item);
        assert_eq!(key, "2026-03-01");
        for Observation { metric, ordinal, .. } in observations {
            assert!(rows.insert((metric, ordinal)), "{data_type:?} {metric:?} {ordinal}");
        }
    }
}

/// What may stand where something else should.
fn surprises() -> impl Strategy<Value = Value> {
    let number = prop_oneof![any::<f64>(), -1e13..1e13_f64, -1e4..1e4_f64, Just(-0.0), Just(1e-300)];
    prop_oneof![
        Just(json!(null)),
        Just(json!(true)),
        Just(json!([[], {}, null])),
        Just(json!([{ "timestamp": "2026-03-02T02:00:00Z", "timer_duration_seconds": -1e18 }])),
        Just(json!({ "summary": [] })),
        number.prop_map(|number| json!(number)),
        ".{0,40}".prop_map(|text| json!(text)),
        "[+-]?[0-9]{4,6}-[01][0-9]-[0-3][0-9]T[0-9]{2}:00:00(Z|[+-][0-9]{2}:?59)".prop_map(|text| json!(text)),
    ]
}

/// Puts a value in one place of the tree: the `at`-th, as they come.
fn put(item: &mut Value, at: &mut usize, surprise: &Value) {
    if *at == 0 {
        *item = surprise.clone();
    }
    *at = at.wrapping_sub(1);
    match item {
        Value::Object(fields) => fields.values_mut().for_each(|field| put(field, at, surprise)),
        Value::Array(list) => list.iter_mut().for_each(|element| put(element, at, surprise)),
        _ => {}
    }
}

proptest! {
    #[test]
    fn whatever_stands_where_it_is_read_and_comes_to_what_can_be_kept(
        surprises in proptest::collection::vec((0..40_usize, surprises()), 1..5)
    ) {
        for (data_type, mut item) in [
            (DataType::Daily, day()),
            (DataType::Body, body()),
            (DataType::Sleep, night()),
            (DataType::Activity, training()),
        ] {
            for (at, surprise) in &surprises {
                put(&mut item, &mut at.clone(), surprise);
            }
            let Ok(document) = normalise(data_type, "OURA", &item) else { continue };
            prop_assert!(document.key.len() <= 128 && !document.key.contains('#'));
            for Observation { value, observed_at, .. } in document.observations {
                // As it is after it was written and read.
                let kept: f64 = serde_json::from_str(&json!(value).to_string()).unwrap();
                prop_assert!(value.abs() <= 1e12 && kept.to_bits() == value.to_bits(), "{}", value);
                prop_assert_eq!(observed_at.timestamp_subsec_micros() % 1_000, 0);
            }
        }
    }
}

#[test]
fn a_night_is_read_in_far_less_than_a_millisecond() {
    let night = night();
    let begun = Instant::now();
    for _ in 0..100 {
        document(DataType::Sleep, &night);
    }
    // Microseconds; the bound is for a busy machine.
    assert!(begun.elapsed().as_millis() < 100, "{:?}", begun.elapsed());
}
