use serde_json::json;
use shared::ids::ConnectionId;
use uuid::Uuid;

use super::*;

const NOW: &str = "2026-07-03T09:00:00Z";

fn reading(metric: Metric, value: f64, date: &str, source: &str, trust: f64) -> Reading {
    Reading {
        metric,
        connection: ConnectionId(Uuid::from_u128(source.len() as u128)),
        value,
        observed_at: format!("{date}T08:00:00Z").parse().unwrap(),
        local_date: date.parse().unwrap(),
        source: source.into(),
        components: Components { completeness: 1.0, source: trust, plausibility: 0.975, sufficiency: 0.8 },
    }
}

fn answer(readings: Vec<Reading>, wanted: &[Metric]) -> Vec<(&'static str, String)> {
    let answer = Answer::new(UserId(Uuid::nil()), readings, wanted, NOW.parse().unwrap());
    answer.metrics.into_iter().map(|row| (row.metric.name(), row.source)).collect()
}

#[test]
fn of_each_metric_the_newest_day_stands_and_of_one_day_the_most_trusted() {
    let readings = vec![
        reading(Metric::Steps, 1.0, "2026-07-01", "OURA", 1.0),
        reading(Metric::Steps, 2.0, "2026-07-03", "FITBIT", 0.4),
        reading(Metric::RestingHr, 52.0, "2026-07-02", "GARMIN", 0.6),
        reading(Metric::RestingHr, 54.0, "2026-07-02", "OURA", 0.9),
        reading(Metric::RestingHr, 56.0, "2026-07-02", "WITHINGS", 0.5),
    ];
    let expected = [("resting_hr", "OURA".to_owned()), ("steps", "FITBIT".to_owned())];
    for turn in 0..readings.len() {
        let mut readings = readings.clone();
        readings.rotate_left(turn);
        assert_eq!(answer(readings, &Metric::ALL), expected);
    }
    assert_eq!(answer(readings, &[Metric::Steps, Metric::Weight]), expected[1..]);
    assert_eq!(answer(Vec::new(), &Metric::ALL), []);
}

#[test]
fn of_two_that_are_trusted_alike_always_the_same_stands() {
    let (one, other) = ("GARMIN", "WITHINGS");
    let readings = [one, other].map(|source| reading(Metric::Steps, 1.0, "2026-07-01", source, 0.7));
    let first = answer(readings.clone().into(), &Metric::ALL);
    let [one, other] = readings;
    assert_eq!(answer(vec![other, one], &Metric::ALL), first);
}

#[test]
fn an_answer_has_the_documented_form() {
    let now = NOW.parse().unwrap();
    let readings = vec![
        reading(Metric::RestingHr, 52.04, "2026-07-02", "GARMIN", 0.9),
        reading(Metric::SkinTempDelta, -0.04, "2026-07-03", "OURA", 0.853),
    ];
    let [pulse, skin] = [0, 1].map(|at| Weighed::at(readings[at].clone(), now));
    let answer = Answer::new(UserId(Uuid::nil()), readings, &Metric::ALL, now);
    let expected = json!({
        "user_id": "00000000-0000-0000-0000-000000000000",
        "metrics": [
            {
                "metric": "resting_hr", "value": 52.0, "unit": "bpm", "observed_at": "2026-07-02T08:00:00.000Z",
                "source": "GARMIN", "confidence": pulse.confidence, "quality": pulse.confidence.quality(),
                "components": {
                    "completeness": 1.0, "freshness": rounded(pulse.freshness, 100.0), "source": 0.9,
                    "plausibility": 0.98, "sufficiency": 0.8
                }
            },
            {
                "metric": "skin_temp_delta", "value": 0.0, "unit": "°C", "observed_at": "2026-07-03T08:00:00.000Z",
                "source": "OURA", "confidence": skin.confidence, "quality": skin.confidence.quality(),
                "components": {
                    "completeness": 1.0, "freshness": rounded(skin.freshness, 100.0), "source": 0.85,
                    "plausibility": 0.98, "sufficiency": 0.8
                }
            }
        ]
    });
    assert_eq!(serde_json::to_value(&answer).unwrap(), expected);
    assert!(!serde_json::to_string(&answer).unwrap().contains("-0.0"));
}
