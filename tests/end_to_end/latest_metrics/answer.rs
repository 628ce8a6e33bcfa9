//! The answer: values, how far they are to be trusted, and which connection speaks.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::{Value, json};
use shared::clock::Clock;

use crate::support::{
    User, run,
    terra::{Sender, webhook},
    wearables::{Watch, days_ago, full_day, full_night, latest, night_until, of_day, stack},
};

/// Everything of a day and the night before, from a watch that records both.
async fn worn(watch: &Watch) {
    let today = days_ago(0);
    let events =
        [watch.event("daily", [full_day(days_ago(1))]), watch.event("sleep", [full_night(today, "last-night")])];
    Sender::new(stack().await).deliver(&events.map(|body| webhook(&body))).await;
}

#[test]
fn a_row_says_value_unit_source_and_how_far_to_trust_it() {
    run(async {
        let user = User::new(stack().await);
        worn(&Watch::of(&user, "GARMIN")).await;
        let rows = latest(&user).await;
        let expected = [
            ("active_calories", 620.0, "kcal"),
            ("active_time", 5_400.0, "s"),
            ("bmr_calories", 1_690.0, "kcal"),
            ("distance", 6_870.5, "m"),
            ("resting_hr", 48.0, "bpm"),
            ("skin_temp_delta", -0.2, "°C"),
            ("sleep_duration", 26_100.0, "s"),
            ("sleep_efficiency", 90.6, "%"),
            ("steps", 9_120.0, "count"),
            ("vo2max", 46.5, "ml/min/kg"),
        ];
        for (metric, value, unit) in expected {
            let row = &rows[metric];
            assert_eq!((&row["value"], &row["unit"], &row["source"]), (&json!(value), &json!(unit), &json!("GARMIN")));
            let keys: Vec<&String> = row.as_object().unwrap().keys().collect();
            let all = ["components", "confidence", "metric", "observed_at", "quality", "source", "unit", "value"];
            assert_eq!(keys.len(), all.len(), "{row:#}");
            assert!(all.iter().all(|key| row.get(*key).is_some()), "{row:#}");
            is_whole(row);
        }
        let names: Vec<&String> = rows.keys().collect();
        assert_eq!(names.len(), 17, "{names:?}");
    });
}

/// Components between 0 and 1, the confidence theirs, the quality the confidence's.
#[track_caller]
fn is_whole(row: &Value) {
    for name in ["completeness", "freshness", "source", "plausibility", "sufficiency"] {
        let component = row["components"][name].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&component), "{name} of {row:#}");
    }
    let confidence = row["confidence"].as_f64().unwrap();
    assert!((confidence * 10.0 - (confidence * 10.0).round()).abs() < 1e-9, "{confidence} is not to a tenth");
    let quality = match confidence {
        90.0..=100.0 => "excellent",
        75.0..90.0 => "good",
        50.0..75.0 => "fair",
        0.0..50.0 => "poor",
        _ => panic!("{confidence}"),
    };
    assert_eq!(row["quality"], quality, "{row:#}");
    let at = row["observed_at"].as_str().unwrap();
    assert!(at.len() == 24 && at.ends_with('Z'), "{at}");
}

/// What a night that ended two hours ago is worth, after this change.
async fn confidences(change: impl Fn(&mut Value)) -> BTreeMap<String, f64> {
    let stack = stack().await;
    let user = User::new(stack);
    let watch = Watch::of(&user, "GARMIN");
    let mut night = night_until(Clock::System.now().fixed_offset() - TimeDelta::hours(2), "night");
    change(&mut night);
    Sender::new(stack).deliver_body(&watch.event("sleep", [night])).await;
    latest(&user).await.into_iter().map(|(metric, row)| (metric, row["confidence"].as_f64().unwrap())).collect()
}

#[test]
fn a_recorded_night_is_trusted_and_what_contradicts_itself_or_was_typed_in_is_not() {
    run(async {
        let recorded = confidences(|_| {}).await;
        assert_eq!(recorded.len(), 10, "{recorded:?}");
        assert!(recorded.values().all(|confidence| *confidence >= 90.0), "{recorded:?}");

        let contradictory = confidences(|night| night["heart_rate_data"]["summary"]["avg_hr_bpm"] = 80.into()).await;
        for (metric, confidence) in &contradictory {
            assert_eq!(*confidence < 75.0, ["avg_hr", "max_hr"].contains(&metric.as_str()), "{metric}: {confidence}");
        }

        let typed = confidences(|night| night["metadata"]["upload_type"] = 2.into()).await;
        assert!(typed.values().all(|confidence| *confidence <= 60.0), "{typed:?}");

        let nonsense =
            confidences(|night| night["respiration_data"]["breaths_data"]["avg_breaths_per_min"] = 140.into()).await;
        assert_eq!(nonsense["respiration"], 0.0);
    });
}

#[test]
fn of_two_connections_the_newer_day_speaks_and_of_one_day_the_more_trusted() {
    run(async {
        let stack = stack().await;
        let user = User::new(stack);
        let terra = Sender::new(stack);
        let (watch, phone) = (Watch::of(&user, "GARMIN"), Watch::of(&user, "APPLE"));
        let typed_in = |date, steps| {
            let mut metadata = of_day(date);
            metadata["upload_type"] = 2.into();
            phone.event("daily", [json!({ "metadata": metadata, "distance_data": { "steps": steps } })])
        };
        let speaks = async || {
            let row = latest(&user).await.remove("steps").unwrap();
            (row["source"].as_str().unwrap().to_owned(), row["value"].as_f64().unwrap())
        };
        terra.deliver_body(&watch.steps(days_ago(3), 3_000)).await;
        terra.deliver_body(&typed_in(days_ago(4), 4_000)).await;
        assert_eq!(speaks().await, ("GARMIN".into(), 3_000.0));
        terra.deliver_body(&typed_in(days_ago(2), 2_000)).await;
        assert_eq!(speaks().await, ("APPLE".into(), 2_000.0), "whatever it is worth");
        terra.deliver_body(&watch.steps(days_ago(2), 2_500)).await;
        assert_eq!(speaks().await, ("GARMIN".into(), 2_500.0));
        assert_eq!(latest(&user).await.len(), 1, "one row a metric");
    });
}

#[test]
fn a_selection_gives_these_metrics_alone_and_unknown_names_are_named() {
    run(async {
        let user = User::new(stack().await);
        worn(&Watch::of(&user, "FITBIT")).await;
        let ask = async |query: &str| user.get(&format!("latest-metrics/{}{query}", user.id)).await;
        let names = async |query: &str| -> Vec<String> {
            let answer = ask(query).await.success();
            let rows = answer["metrics"].as_array().unwrap().iter();
            rows.map(|row| row["metric"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names("?metrics=resting_hr,steps").await, ["resting_hr", "steps"]);
        assert_eq!(names("?metrics=steps,%20resting_hr,steps").await, ["resting_hr", "steps"]);
        assert_eq!(names("?metrics=weight").await, [""; 0], "there is none");
        assert_eq!(names("?other=steps").await.len(), 17);
        for query in ["?metrics=pulse", "?metrics=steps,Steps", "?metrics=", "?metrics=steps,"] {
            let refused = ask(query).await;
            refused.is_problem(422, "invalid");
            assert_eq!(refused.pointers(), ["/metrics"], "{query}");
        }
        let named = ask("?metrics=steps,pulse,mood").await.body["errors"][0]["detail"].to_string();
        assert!(named.contains("pulse") && named.contains("mood"), "{named}");
        for id in ["me", "00000000", "%20"] {
            let refused = user.get(&format!("latest-metrics/{id}")).await;
            refused.is_problem(422, "invalid");
            assert_eq!(refused.pointers(), ["/user_id"], "{id}");
        }
    });
}

#[test]
fn who_has_no_data_gets_an_empty_list() {
    run(async {
        let user = User::new(stack().await);
        let answer = user.get(&format!("latest-metrics/{}", user.id)).await.success();
        assert_eq!(answer, json!({ "user_id": user.id, "metrics": [] }));
    });
}
