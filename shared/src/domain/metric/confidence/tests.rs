use chrono::TimeDelta;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::metric::{Stretch, UploadType};

/// A whole night of a known device.
fn full() -> Evidence {
    Evidence {
        provider: "GARMIN".to_owned(),
        upload_type: UploadType::Automatic,
        stretch: Stretch::Night,
        fields_present: 10,
        fields_expected: 10,
        coverage: Some(1.0),
        samples: 500,
        contradictions: 0,
    }
}

/// A value in the middle of what is plausible.
fn middling(metric: Metric) -> f64 {
    f64::midpoint(*metric.plausible().start(), *metric.plausible().end())
}

fn score(metric: Metric, value: f64, evidence: &Evidence, history: &[f64], hours: i64) -> Confidence {
    let age = DateTime::default() + TimeDelta::hours(hours);
    let freshness = Components::freshness(metric, DateTime::default(), age);
    Components::of(metric, value, evidence, &History(history)).confidence(freshness)
}

#[test]
fn a_full_fresh_recorded_night_or_day_is_excellent_with_few_samples_too() {
    let providers = ["GARMIN", "FITBIT", "OURA", "WHOOP", "POLAR", "APPLE", "WITHINGS", "SAMSUNG", "COROS", "GOOGLE"];
    for metric in Metric::ALL {
        for provider in providers {
            // Those who say how it came about, with one sample that lies anywhere; the others with more.
            for (upload_type, samples, coverage) in
                [(UploadType::Automatic, 1, Some(0.0)), (UploadType::Unknown, 100, Some(0.5))]
            {
                let provider = provider.to_owned();
                let evidence = Evidence { provider, upload_type, samples, coverage, ..full() };
                for history in [&[][..], &[middling(metric); 20]] {
                    let score = score(metric, middling(metric), &evidence, history, 6);
                    assert_eq!(score.quality(), Quality::Excellent, "{metric:?} {evidence:?} {score:?}");
                }
            }
        }
    }
}

#[test]
fn a_few_fields_without_samples_are_good_or_fair() {
    for (fields_present, hours) in [(5, 1), (5, 12), (1, 1), (1, 12), (5, 30)] {
        let evidence = Evidence { fields_present, samples: 0, coverage: None, ..full() };
        let quality = score(Metric::SleepDuration, 25_000.0, &evidence, &[], hours).quality();
        assert!(
            matches!(quality, Quality::Good | Quality::Fair),
            "{fields_present} fields after {hours} h: {quality:?}"
        );
    }
}

#[test]
fn the_day_after_a_value_is_still_good_and_after_weeks_poor() {
    for metric in Metric::ALL {
        let evidence = Evidence { samples: 1, coverage: None, ..full() };
        let after = |days: i64| score(metric, middling(metric), &evidence, &[], 24 * days).quality();
        assert!(matches!(after(1), Quality::Excellent | Quality::Good), "{metric:?}");
        assert_eq!(after(200), Quality::Poor, "{metric:?}");
    }
}

#[test]
fn the_components_show_what_is_missing() {
    let complete = Components::of(Metric::AvgHr, 60.0, &full(), &History(&[60.0; 20]));
    let expected = Components { completeness: 1.0, source: 0.97, plausibility: 1.0, sufficiency: 1.0 };
    assert_eq!(complete, expected);
    let poor = Evidence {
        provider: "NEW".to_owned(),
        upload_type: UploadType::ThirdParty,
        fields_present: 5,
        coverage: None,
        samples: 0,
        contradictions: 1,
        ..full()
    };
    let components = Components::of(Metric::AvgHr, 60.0, &poor, &History(&[60.0; 20]));
    for (component, expected) in [
        (components.completeness, 0.7 * 0.9),
        (components.source, 0.7 * 0.85),
        (components.plausibility, 0.3),
        (components.sufficiency, 0.7),
    ] {
        assert!((component - expected).abs() < 1e-12, "{components:?}");
    }
}

#[test]
fn what_is_measured_once_needs_no_samples() {
    let evidence = Evidence { samples: 0, coverage: None, ..full() };
    for metric in [Metric::Weight, Metric::BodyFat, Metric::Vo2max, Metric::BmrCalories, Metric::SkinTempDelta] {
        let components = Components::of(metric, middling(metric), &evidence, &History(&[]));
        assert!(components.sufficiency >= 1.0 && components.completeness >= 1.0, "{metric:?}");
    }
}

#[test]
fn a_source_that_nobody_knows_is_trusted_less_and_a_hand_least() {
    let of = |provider: &str, upload_type| {
        let evidence = Evidence { provider: provider.to_owned(), upload_type, ..full() };
        Components::of(Metric::Steps, 5_000.0, &evidence, &History(&[])).source
    };
    let falling = [
        of("OURA", UploadType::Automatic),
        of("OURA", UploadType::Unknown),
        of("GOOGLE", UploadType::Unknown),
        of("GOOGLE", UploadType::ThirdParty),
        of("UNKNOWN", UploadType::Automatic),
        of("UNKNOWN", UploadType::ThirdParty),
        of("OURA", UploadType::Manual),
    ];
    assert!(falling.is_sorted_by(|a, b| a > b), "{falling:?}");
}

#[test]
fn a_confidence_is_rounded_to_tenths_that_add_up_exactly() {
    for (percent, tenths, quality) in [
        (0.0, 0, Quality::Poor),
        (49.94, 499, Quality::Poor),
        (49.95, 500, Quality::Fair),
        (74.9, 749, Quality::Fair),
        (75.0, 750, Quality::Good),
        (89.9, 899, Quality::Good),
        (90.0, 900, Quality::Excellent),
        (100.0, 1_000, Quality::Excellent),
        (f64::NAN, 0, Quality::Poor),
        (-1.0, 0, Quality::Poor),
        (1e9, 1_000, Quality::Excellent),
    ] {
        let confidence = Confidence::from(percent);
        assert_eq!((confidence.tenths(), confidence.quality()), (tenths, quality), "{percent}");
    }
    assert_eq!(json!(Confidence::from(91.23)), json!(91.2));
    assert_eq!(serde_json::from_value::<Confidence>(json!(91.2)).unwrap(), Confidence::from(91.2));
    assert_eq!(json!(Quality::Excellent), json!("excellent"));
}

#[test]
fn what_lies_ahead_is_as_fresh_as_now() {
    let now = DateTime::default();
    let at = |ahead| Components::freshness(Metric::Steps, now + ahead, now);
    assert!(at(TimeDelta::hours(9)) >= 1.0 && at(TimeDelta::zero()) >= 1.0);
    assert!((at(-Metric::Steps.fades_in()) - (-1.0_f64).exp()).abs() < 1e-12);
}

fn metrics() -> impl Strategy<Value = Metric> {
    proptest::sample::select(Metric::ALL.to_vec())
}

prop_compose! {
    fn evidences()(
        provider in proptest::sample::select(vec!["OURA", "STRAVA", "SUUNTO", "NEW"]),
        upload_type in proptest::sample::select(vec![
            UploadType::Unknown, UploadType::Automatic, UploadType::Manual, UploadType::Update,
            UploadType::External, UploadType::Pending, UploadType::ThirdParty,
        ]),
        (fields_present, fields_expected) in (0..12_u16, 0..12_u16),
        coverage in proptest::option::of(0.0..=1.0),
        samples in prop_oneof![0..3_u32, 0..1_000_u32, Just(u32::MAX)],
        contradictions in 0..4_u8,
    ) -> Evidence {
        let (provider, stretch) = (provider.to_owned(), Stretch::Night);
        Evidence { provider, upload_type, stretch, fields_present, fields_expected, coverage, samples, contradictions }
    }
}

prop_compose! {
    /// A metric with a value in its plausible range, and 0 to 27 other values.
    fn readings()(metric in metrics())(
        value in metric.plausible(),
        history in proptest::collection::vec(metric.plausible(), 0..28),
        metric in Just(metric),
    ) -> (Metric, f64, Vec<f64>) {
        (metric, value, history)
    }
}

proptest! {
    #[test]
    fn more_samples_never_lower_it(
        (metric, value, history) in readings(), evidence in evidences(), more in 1..500_u32, wider in 0.0..=1.0
    ) {
        let samples = evidence.samples.saturating_add(more);
        let coverage = Some(evidence.coverage.unwrap_or(0.0).max(wider));
        let better = Evidence { samples, coverage, ..evidence.clone() };
        prop_assert!(score(metric, value, &better, &history, 5) >= score(metric, value, &evidence, &history, 5));
    }

    #[test]
    fn more_fields_never_lower_it((metric, value, history) in readings(), evidence in evidences()) {
        let better = Evidence { fields_present: evidence.fields_present + 1, ..evidence.clone() };
        prop_assert!(score(metric, value, &better, &history, 5) >= score(metric, value, &evidence, &history, 5));
    }

    #[test]
    fn older_never_raises_it(
        (metric, value, history) in readings(), evidence in evidences(), hours in -50..5_000_i64, later in 0..5_000_i64
    ) {
        let at = |hours| score(metric, value, &evidence, &history, hours);
        prop_assert!(at(hours + later) <= at(hours));
    }

    #[test]
    fn out_of_the_plausible_range_it_is_nought(
        metric in metrics(), beyond in 0.001..1e12_f64, history in proptest::collection::vec(-1e6..1e6, 0..28)
    ) {
        for value in [metric.plausible().start() - beyond, metric.plausible().end() + beyond, f64::NAN] {
            prop_assert_eq!(score(metric, value, &full(), &history, 0).tenths(), 0);
        }
    }

    #[test]
    fn a_contradiction_lowers_the_plausibility_and_keeps_it_below_good(
        (metric, value, history) in readings(), evidence in evidences()
    ) {
        let contradictions = evidence.contradictions + 1;
        let worse = Evidence { contradictions, ..evidence.clone() };
        let plausibility = |evidence| Components::of(metric, value, evidence, &History(&history)).plausibility;
        prop_assert!(plausibility(&worse) < plausibility(&evidence));
        let best = Evidence { contradictions, ..full() };
        for evidence in [worse, best] {
            prop_assert!(score(metric, value, &evidence, &history, 0).tenths() < 750);
        }
    }

    #[test]
    fn what_was_entered_by_hand_is_never_good((metric, value, history) in readings(), evidence in evidences()) {
        for evidence in [evidence, full()] {
            let by_hand = Evidence { upload_type: UploadType::Manual, ..evidence };
            prop_assert!(score(metric, value, &by_hand, &history, 0).tenths() <= 600);
        }
    }

    #[test]
    fn every_part_is_a_share((metric, value, history) in readings(), evidence in evidences()) {
        let Components { completeness, source, plausibility, sufficiency } =
            Components::of(metric, value, &evidence, &History(&history));
        for part in [completeness, source, plausibility, sufficiency] {
            prop_assert!((0.0..=1.0).contains(&part));
        }
    }
}
