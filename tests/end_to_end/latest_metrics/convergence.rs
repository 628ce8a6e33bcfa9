//! However deliveries come, late, doubled, in any order or at once, what they end as is the same.

use std::collections::BTreeMap;

use futures::future::join_all;
use local::{front::StaleReads, terra::Webhook};
use serde_json::{Value, json};
use shared::clock::Clock;

use crate::support::{
    User, run, start,
    terra::{Sender, job_of, settled, webhook},
    wearables::{self, Watch, days_ago, latest_values, observations, of_day, values},
};

/// A body with this many measurements of weight.
fn weighed(watch: &Watch, weights: &[f64]) -> Value {
    let date = days_ago(1);
    let measurement = |(n, kg): (usize, &f64)| json!({ "measurement_time": format!("{date}T{:02}:00:00.000000+02:00", 7 + n), "weight_kg": kg });
    let measurements: Vec<Value> = weights.iter().enumerate().map(measurement).collect();
    watch.event("body", [json!({ "metadata": of_day(date), "measurements_data": { "measurements": measurements } })])
}

/// Deliveries, each ordered a minute after the one before.
fn in_time(bodies: &[Value]) -> Vec<Webhook> {
    let start = Clock::System.now().timestamp_millis() - 3_600_000;
    bodies.iter().zip(0i64..).map(|(body, n)| webhook(body).ordered_at(start + n * 60_000)).collect()
}

/// What is stored in the end of these bodies: in every order, and all at once, each twice.
async fn ends_as(bodies: impl Fn(&Watch) -> Vec<Value>, expected: &[(&str, f64)]) {
    let count = bodies(&Watch::of_nobody("GARMIN")).len();
    let orders = orders(count).into_iter().map(Some).chain([None]);
    join_all(orders.map(|order| ends_as_in(order, &bodies, expected))).await;
}

async fn ends_as_in(order: Option<Vec<usize>>, bodies: impl Fn(&Watch) -> Vec<Value>, expected: &[(&str, f64)]) {
    let stack = wearables::stack().await;
    let user = User::new(stack);
    let (terra, watch) = (Sender::new(stack), Watch::of(&user, "GARMIN"));
    let deliveries = in_time(&bodies(&watch));
    match &order {
        Some(order) => {
            for n in order {
                terra.deliver(&deliveries[*n..=*n]).await;
            }
        }
        None => {
            join_all(deliveries.iter().chain(&deliveries).map(|delivery| terra.accepted(delivery))).await;
            for delivery in &deliveries {
                assert_eq!(settled(stack, job_of(delivery).unwrap()).await.state, "done");
            }
        }
    }
    let stored = values(stack, user.id).await;
    let stored: Vec<_> = stored.iter().map(|(metric, _, value)| (metric.as_str(), *value)).collect();
    assert_eq!(stored, expected, "in the order {order:?}");
    // The last that is stored of a metric is its newest.
    let newest: BTreeMap<String, f64> = expected.iter().map(|(metric, value)| ((*metric).to_owned(), *value)).collect();
    assert_eq!(latest_values(&user).await, newest, "in the order {order:?}");
}

/// All orders of so many.
fn orders(count: usize) -> Vec<Vec<usize>> {
    (0..count).fold(vec![vec![]], |orders, next| {
        let with = |order: Vec<usize>| {
            (0..=order.len()).map(move |at| {
                let mut order = order.clone();
                order.insert(at, next);
                order
            })
        };
        orders.into_iter().flat_map(with).collect()
    })
}

#[test]
fn a_day_that_is_sent_again_ends_as_its_newest_version() {
    run(async {
        let day = |watch: &Watch, steps: u32, distance: Option<f64>| {
            let distance_data = json!({ "steps": steps, "distance_meters": distance });
            watch.event("daily", [json!({ "metadata": of_day(days_ago(1)), "distance_data": distance_data })])
        };
        let versions = |watch: &Watch| {
            vec![day(watch, 3_000, Some(2_100.0)), day(watch, 6_000, Some(4_300.0)), day(watch, 9_000, None)]
        };
        // The last one knows no distance any more.
        ends_as(versions, &[("steps", 9_000.0)]).await;
    });
}

#[test]
fn measurements_that_a_newer_version_does_not_have_are_gone() {
    run(async {
        let versions = |watch: &Watch| {
            vec![
                weighed(watch, &[72.0, 72.5, 73.0, 73.5]),
                weighed(watch, &[71.0, 71.5]),
                weighed(watch, &[70.0, 70.5, 70.9]),
            ]
        };
        ends_as(versions, &[("weight", 70.0), ("weight", 70.5), ("weight", 70.9)]).await;
    });
}

#[test]
fn days_that_come_late_take_their_own_place() {
    run(async {
        let days = |watch: &Watch| {
            [(3, 3_000), (1, 1_000), (2, 2_000)].map(|(ago, steps)| watch.steps(days_ago(ago), steps)).into()
        };
        ends_as(days, &[("steps", 3_000.0), ("steps", 2_000.0), ("steps", 1_000.0)]).await;
    });
}

#[test]
fn without_an_ordering_timestamp_what_was_received_first_is_older() {
    run(async {
        let stack = wearables::stack().await;
        let user = User::new(stack);
        let (terra, watch) = (Sender::new(stack), Watch::of(&user, "GARMIN"));
        let [first, second] = [6_000, 9_000].map(|steps| webhook(&watch.steps(days_ago(1), steps)));
        terra.deliver(&[first.clone(), second]).await;
        // Sent again, it is as old as it was.
        assert_eq!(terra.accepted(&first).await, "duplicate");
        assert_eq!(latest_values(&user).await["steps"], 9_000.0);
        // An ordering timestamp of an hour ago is older than both.
        let hour_ago = Clock::System.now().timestamp_millis() - 3_600_000;
        terra.deliver(&[webhook(&watch.steps(days_ago(1), 100)).ordered_at(hour_ago)]).await;
        assert_eq!(latest_values(&user).await["steps"], 9_000.0);
    });
}

#[test]
fn a_day_is_the_users_own_whatever_the_offset() {
    run(async {
        let stack = wearables::stack().await;
        let user = User::new(stack);
        let (terra, watch) = (Sender::new(stack), Watch::of(&user, "GARMIN"));
        let day = |date: &str, offset: &str, steps: u32| {
            let start = format!("{date}T00:00:00.000000{offset}");
            watch.event(
                "daily",
                [json!({ "metadata": { "start_time": start, "end_time": null }, "distance_data": { "steps": steps } })],
            )
        };
        // In Kiritimati the day begins while it is still the day before in London, in Honolulu when it is half over there.
        for body in [day("2026-07-02", "+14:00", 1), day("2026-07-03", "-10:00", 2), day("2026-07-04", "+00:00", 3)] {
            terra.deliver_body(&body).await;
        }
        // The same day from elsewhere is the same day.
        terra.deliver_body(&day("2026-07-03", "+09:00", 4)).await;
        let rows = observations(stack, user.id).await;
        let days: Vec<_> = rows.iter().map(|row| (row.key.as_str(), row.local_date.as_str(), row.value)).collect();
        assert_eq!(
            days,
            [("2026-07-02", "2026-07-02", 1.0), ("2026-07-03", "2026-07-03", 4.0), ("2026-07-04", "2026-07-04", 3.0)]
        );
    });
}

#[test]
fn a_reading_that_lags_behind_does_no_harm() {
    run(async {
        let stack = start(wearables::options()).await;
        let user = User::new(&stack);
        let (terra, watch) = (Sender::new(&stack), Watch::of(&user, "GARMIN"));
        let long_ago = Clock::System.now().timestamp_millis() - 7_200_000;
        terra.deliver(&[webhook(&watch.steps(days_ago(2), 2_000)).ordered_at(long_ago)]).await;
        // From now on whatever need not be consistent sees nothing new.
        let stale = stack.front().stale_reads(StaleReads::frozen()).await.unwrap();
        let deliveries =
            in_time(&[(2, 2_500), (1, 500), (1, 1_000)].map(|(ago, steps)| watch.steps(days_ago(ago), steps)));
        for delivery in deliveries.iter().rev() {
            terra.deliver(std::slice::from_ref(delivery)).await;
        }
        let one_of = latest_values(&user).await["steps"];
        assert!([2_000.0, 1_000.0].contains(&one_of), "what was or what is, and nothing else: {one_of}");
        stale.end();
        assert_eq!(latest_values(&user).await["steps"], 1_000.0);
        let stored: Vec<_> = values(&stack, user.id).await.into_iter().map(|(_, _, value)| value).collect();
        assert_eq!(stored, [2_500.0, 1_000.0]);
        stack.shutdown().await;
    });
}
