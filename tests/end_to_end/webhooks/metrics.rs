//! Each data event becomes exactly its metrics.

use futures::{StreamExt, stream};
use serde_json::Value;

use super::fixtures::{Expected, data};
use crate::support::{
    User, run,
    terra::Sender,
    wearables::{Observed, Watch, latest, observations, stack},
};

/// What was stored, as the fixtures say it, in their order: by metric, then by value.
fn found(rows: &[Observed]) -> Vec<(&str, f64, &str)> {
    let mut found: Vec<_> = rows.iter().map(|row| (row.metric.as_str(), row.value, row.local_date.as_str())).collect();
    found.sort_by(|a, b| a.0.cmp(b.0).then(a.1.total_cmp(&b.1)));
    found
}

async fn is_worth(kind: &str, number: usize, expected: &[Expected]) {
    let stack = stack().await;
    let user = User::new(stack);
    let watch = Watch::of(&user, "GARMIN");
    let body = data(&watch).swap_remove(number).0;
    Sender::new(stack).deliver_body(&body).await;
    let rows = observations(stack, user.id).await;
    let without_unit: Vec<_> = expected.iter().map(|(metric, value, _, date)| (*metric, *value, *date)).collect();
    assert_eq!(found(&rows), without_unit, "{kind}, fixture {number}");
    let told = latest(&user).await;
    for (metric, _, unit, _) in expected {
        let row = &told[*metric];
        assert_eq!((row["unit"].as_str(), row["source"].as_str()), (Some(*unit), Some("GARMIN")), "{metric}");
        let values: Vec<_> = expected.iter().filter(|row| row.0 == *metric).map(|row| Value::from(row.1)).collect();
        assert!(values.contains(&row["value"]), "{metric}: {row:#}");
    }
    assert_eq!(told.len(), expected.iter().map(|row| row.0).collect::<std::collections::BTreeSet<_>>().len());
}

#[test]
fn each_data_event_becomes_exactly_its_metrics() {
    run(async {
        let fixtures = data(&Watch::of_nobody("GARMIN"));
        let cases = fixtures.iter().enumerate().map(|(number, (body, expected))| async move {
            is_worth(body["type"].as_str().unwrap(), number, expected).await;
        });
        stream::iter(cases).buffer_unordered(4).collect::<Vec<()>>().await;
    });
}

#[test]
fn a_nap_is_no_latest_night_and_a_run_is_no_usual_day() {
    run(async {
        let stack = stack().await;
        let user = User::new(stack);
        let (terra, watch) = (Sender::new(stack), Watch::of(&user, "OURA"));
        let night = data(&watch).swap_remove(1).0;
        let mut nap = night.clone();
        let metadata = &mut nap["data"][0]["metadata"];
        metadata["is_nap"] = true.into();
        metadata["summary_id"] = "nap-1".into();
        metadata["start_time"] = "2026-07-02T13:00:00.000000+02:00".into();
        metadata["end_time"] = "2026-07-02T13:40:00.000000+02:00".into();
        nap["data"][0]["sleep_durations_data"]["asleep"]["duration_asleep_state_seconds"] = 1_800.into();
        terra.deliver_body(&nap).await;
        assert!(latest(&user).await.is_empty(), "a nap says nothing of a night");
        terra.deliver_body(&night).await;
        assert_eq!(latest(&user).await["sleep_duration"]["value"], 26_100.0);
        let stored = observations(stack, user.id).await;
        let slept = stored.iter().filter(|row| row.metric == "sleep_duration").map(|row| row.value);
        assert_eq!(slept.collect::<Vec<_>>(), [1_800.0, 26_100.0], "both are kept");
    });
}
