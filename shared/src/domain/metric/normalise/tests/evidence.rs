//! What speaks for and against a value.

use proptest::prelude::*;

use super::*;
use crate::domain::metric::{Components, Confidence, History};

fn evidence_of(metric: Metric, data_type: DataType, item: &Value) -> Evidence {
    let mut observations = document(data_type, item).observations.into_iter();
    observations.find(|observation| observation.metric == metric).unwrap().evidence
}

/// The metrics that something speaks against.
fn contradicted(data_type: DataType, item: &Value) -> Vec<Metric> {
    let observations = document(data_type, item).observations;
    observations.into_iter().filter(|o| o.evidence.contradictions > 0).map(|o| o.metric).collect()
}

#[test]
fn it_says_where_a_value_comes_from() {
    let of =
        |upload: Value| evidence_of(Metric::AvgHr, DataType::Sleep, &with(night(), "metadata.upload_type", upload));
    for (given, upload_type) in [
        (json!(0), UploadType::Unknown),
        (json!(1), UploadType::Automatic),
        (json!(2), UploadType::Manual),
        (json!(3), UploadType::Update),
        (json!(4), UploadType::External),
        (json!(5), UploadType::Pending),
        (json!(6), UploadType::ThirdParty),
        (json!(7), UploadType::Unknown),
        (json!("2"), UploadType::Unknown),
        (json!(null), UploadType::Unknown),
    ] {
        assert_eq!(of(given).upload_type, upload_type);
    }
    assert_eq!(of(json!(1)).provider, "OURA");
    for (data_type, item, metric, stretch) in [
        (DataType::Sleep, night(), Metric::AvgHr, Stretch::Night),
        (DataType::Daily, day(), Metric::AvgHr, Stretch::Day),
        (DataType::Activity, training(), Metric::AvgHr, Stretch::Activity),
        (DataType::Body, body(), Metric::Spo2, Stretch::Day),
        (DataType::Body, body(), Metric::Weight, Stretch::Moment),
    ] {
        assert_eq!(evidence_of(metric, data_type, &item).stretch, stretch);
    }
}

#[test]
fn the_fields_that_are_there_are_counted_of_those_expected() {
    let fields = |metric, data_type, item: &Value| {
        let evidence = evidence_of(metric, data_type, item);
        (evidence.fields_present, evidence.fields_expected)
    };
    assert_eq!(fields(Metric::AvgHr, DataType::Sleep, &night()), (10, 10));
    assert_eq!(fields(Metric::AvgHr, DataType::Daily, &day()), (8, 8));
    assert_eq!(fields(Metric::AvgHr, DataType::Activity, &training()), (6, 7));
    assert_eq!(fields(Metric::Spo2, DataType::Body, &body()), (3, 6));
    assert_eq!(fields(Metric::Weight, DataType::Body, &body()), (3, 6));
    let poorer = with(night(), "sleep_durations_data.asleep.duration_deep_sleep_state_seconds", json!(null));
    assert_eq!(fields(Metric::AvgHr, DataType::Sleep, &poorer), (9, 10));
    // One of two that do as well is enough.
    let other = with(night(), "heart_rate_data.summary.avg_hrv_sdnn", json!(null));
    assert_eq!(fields(Metric::AvgHr, DataType::Sleep, &other), (10, 10));
}

#[test]
fn the_samples_of_a_metric_are_counted() {
    let samples = |metric| evidence_of(metric, DataType::Sleep, &night()).samples;
    assert_eq!((samples(Metric::AvgHr), samples(Metric::MaxHr), samples(Metric::RestingHr)), (1, 1, 1));
    assert_eq!((samples(Metric::HrvRmssd), samples(Metric::SleepDuration)), (0, 0));
    let weighed = evidence_of(Metric::Weight, DataType::Body, &body());
    assert_eq!((weighed.samples, weighed.coverage), (1, None));

    let stages = json!([{ "level": 2 }, null, { "level": 4 }, 7]);
    let item = with(night(), "sleep_durations_data.hypnogram_samples", stages);
    assert_eq!(evidence_of(Metric::SleepEfficiency, DataType::Sleep, &item).samples, 2);
}

/// The share of the eight hours from 22:00 UTC on that heart rates cover.
fn covered(samples: Value) -> Option<f64> {
    let item = with(night(), "heart_rate_data.detailed.hr_samples", samples);
    evidence_of(Metric::AvgHr, DataType::Sleep, &item).coverage
}

#[test]
fn coverage_is_the_share_that_samples_stand_for() {
    let at = |time: &str, seconds: Value| json!({ "timestamp": time, "timer_duration_seconds": seconds });
    for (samples, expected) in [
        (json!([]), None),
        (json!(null), None),
        // Five minutes where it does not say: 300 / 28,800.
        (json!([at("2026-03-02T01:00:00Z", json!(null))]), Some(0.0104)),
        (json!([at("2026-03-01T23:00:00Z", json!(7_200))]), Some(0.25)),
        // Overlapping, in no order.
        (json!([at("2026-03-02T00:00:00Z", json!(7_200)), at("2026-03-01T23:00:00Z", json!(7_200))]), Some(0.375)),
        // Beyond both ends.
        (json!([at("2026-03-01T20:00:00Z", json!(14_400)), at("2026-03-02T05:00:00Z", json!(90_000))]), Some(0.375)),
        (json!([at("2026-03-02T01:00:00Z", json!(1e300))]), Some(0.0104)),
        (json!([at("2020-01-01T00:00:00Z", json!(60))]), Some(0.0)),
        (json!([{ "bpm": 50 }, { "timestamp": "soon" }]), Some(0.0)),
    ] {
        let coverage = covered(samples.clone());
        assert_eq!(coverage, expected, "{samples}");
    }
}

#[test]
fn without_a_beginning_and_an_end_nothing_is_covered() {
    for (path, value) in [
        ("metadata.end_time", json!(null)),
        ("metadata.start_time", json!(null)),
        ("metadata.start_time", json!("1999-03-01T22:00:00Z")),
        ("metadata.start_time", json!("2026-03-02T06:00:00Z")),
    ] {
        let evidence = evidence_of(Metric::AvgHr, DataType::Sleep, &with(night(), path, value));
        assert_eq!((evidence.samples, evidence.coverage), (1, None));
    }
}

proptest! {
    #[test]
    fn one_more_sample_never_covers_less(spans in proptest::collection::vec((0..30_000_i64, 0..4_000_u32), 1..20)) {
        let start = time(&json!("2026-03-01T21:50:00Z")).unwrap();
        let sample = |(after, seconds): &(i64, u32)| {
            let timestamp = (start + TimeDelta::seconds(*after)).to_rfc3339();
            json!({ "timestamp": timestamp, "timer_duration_seconds": seconds })
        };
        let samples: Vec<Value> = spans.iter().map(sample).collect();
        let coverage = |samples: &[Value]| covered(json!(samples)).unwrap_or(0.0);
        prop_assert!(coverage(&samples) >= coverage(&samples[1..]));
    }
}

#[test]
fn whole_payloads_contradict_nothing() {
    for (data_type, item) in [
        (DataType::Sleep, night()),
        (DataType::Daily, day()),
        (DataType::Activity, training()),
        (DataType::Body, body()),
    ] {
        assert_eq!(contradicted(data_type, &item), [], "{data_type:?}");
    }
}

#[test]
fn what_cannot_be_together_is_marked_in_all_that_it_touches() {
    let asleep = "sleep_durations_data.asleep.duration_asleep_state_seconds";
    for (data_type, item, path, value, metrics) in [
        (DataType::Sleep, night(), "heart_rate_data.summary.avg_hr_bpm", 79.0, &[Metric::AvgHr, Metric::MaxHr][..]),
        (DataType::Activity, training(), "heart_rate_data.summary.max_hr_bpm", 139.0, &[Metric::AvgHr, Metric::MaxHr]),
        (DataType::Sleep, night(), "heart_rate_data.summary.min_hr_bpm", 53.0, &[Metric::AvgHr]),
        (DataType::Sleep, night(), "heart_rate_data.summary.min_hr_bpm", 79.0, &[Metric::AvgHr, Metric::MaxHr]),
        (DataType::Sleep, night(), "heart_rate_data.summary.resting_hr_bpm", 79.0, &[Metric::RestingHr, Metric::MaxHr]),
        (DataType::Sleep, night(), asleep, 30_000.0, &[Metric::SleepDuration]),
        (DataType::Sleep, night(), asleep, 20_000.0, &[Metric::SleepDuration, Metric::SleepEfficiency]),
        (
            DataType::Sleep,
            night(),
            "sleep_durations_data.asleep.duration_REM_sleep_state_seconds",
            9_000.0,
            &[Metric::SleepDuration],
        ),
        (
            DataType::Sleep,
            night(),
            "sleep_durations_data.sleep_efficiency",
            0.7,
            &[Metric::SleepDuration, Metric::SleepEfficiency],
        ),
        (DataType::Sleep, night(), "sleep_durations_data.sleep_efficiency", 76.0, &[]),
        (
            DataType::Daily,
            day(),
            "calories_data.net_activity_calories",
            2_601.0,
            &[Metric::Calories, Metric::ActiveCalories],
        ),
        (DataType::Daily, day(), "calories_data.BMR_calories", 2_601.0, &[Metric::Calories, Metric::BmrCalories]),
        (DataType::Daily, day(), "active_durations_data.activity_seconds", 86_500.0, &[Metric::ActiveTime]),
    ] {
        assert_eq!(contradicted(data_type, &with(item, path, json!(value))), metrics, "{path} {value}");
    }
}

#[test]
fn stages_that_were_not_sent_may_be_missing_but_never_too_much() {
    let stage = |item, name: &str, value| {
        with(item, &format!("sleep_durations_data.asleep.duration_{name}_sleep_state_seconds"), json!(value))
    };
    let two = stage(night(), "light", None);
    assert_eq!(contradicted(DataType::Sleep, &two), []);
    let long = stage(two, "deep", Some(25_000));
    assert_eq!(contradicted(DataType::Sleep, &long), [Metric::SleepDuration]);
}

#[test]
fn what_ends_before_it_begins_is_contradicted_in_all_it_says() {
    let backwards = |item| with(item, "metadata.end_time", json!("2026-02-01T00:00:00Z"));
    for (data_type, item) in [
        (DataType::Sleep, backwards(night())),
        (DataType::Daily, backwards(day())),
        (DataType::Activity, backwards(training())),
        (DataType::Body, backwards(body())),
    ] {
        let all = document(data_type, &item).observations;
        assert_eq!(contradicted(data_type, &item).len(), all.len(), "{data_type:?}");
    }
    // Days that begin and end at the same midnight are a custom, no contradiction.
    let midnight = with(day(), "metadata.end_time", json!("2026-03-01T00:00:00.000000+01:00"));
    assert_eq!(contradicted(DataType::Daily, &midnight), []);
}

/// An observation's confidence so many hours after it.
fn confidence(observation: &Observation, hours: i64, history: &[f64]) -> Confidence {
    let Observation { metric, value, observed_at, evidence, .. } = observation;
    let freshness = Components::freshness(*metric, *observed_at, *observed_at + TimeDelta::hours(hours));
    Components::of(*metric, *value, evidence, &History(history)).confidence(freshness)
}

#[test]
fn a_full_night_or_day_is_excellent_for_hours() {
    for (data_type, item) in [(DataType::Sleep, night()), (DataType::Daily, day())] {
        for observation in document(data_type, &item).observations {
            let usual = [observation.value; 20];
            let confidence = confidence(&observation, 6, &usual).get();
            assert!(confidence >= 90.0, "{observation:?}: {confidence}");
        }
    }
}

#[test]
fn a_night_of_durations_and_efficiency_alone_is_good_or_fair() {
    let mut sparse = night();
    for part in ["heart_rate_data", "respiration_data", "temperature_data"] {
        sparse[part].take();
    }
    for observation in document(DataType::Sleep, &sparse).observations {
        for hours in [0, 6, 24] {
            let confidence = confidence(&observation, hours, &[]).get();
            assert!((50.0..90.0).contains(&confidence), "{observation:?}: {confidence}");
        }
    }
}
