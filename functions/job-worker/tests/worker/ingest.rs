//! Data events become metrics, and of a document that comes several times the newest version stands.

use serde_json::{Value, json};
use shared::{
    domain::metric::Metric,
    ids::{DeliveryId, Ids, JobId, UserId},
    jobs::{Failure, Job, NewJob},
};

use crate::{
    bodies::{data, day, night, permutations, terra, user, weighings},
    database,
    world::{World, message},
};

fn garmin() -> Value {
    terra("t-1", "garmin", Some(user(1)))
}

fn daily(items: Vec<Value>) -> Value {
    data("daily", &garmin(), items)
}

/// The sort keys of a table, each cut before the connection.
async fn keys(world: &World, table: &str) -> Vec<String> {
    let items = world.items(table).await;
    let mut keys: Vec<_> = items.iter().map(|item| item["sk"].as_str().unwrap().to_owned()).collect();
    keys.sort();
    keys.iter().map(|key| key.split('#').take(2).collect::<Vec<_>>().join("#")).collect()
}

#[tokio::test]
async fn a_day_becomes_a_row_a_metric_and_counts_once() {
    let world = World::start().await;
    let job = world.deliver("d-1", "2026-07-02T06:00:00Z", &daily(vec![day("2026-07-01", 9000, Some(52))])).await;
    world.work(10).await;
    assert_eq!(world.state(job).await, shared::store::jobs::State::Done);
    assert_eq!(world.latest(user(1)).await, [("resting_hr", 52.0), ("steps", 9000.0)]);
    let expected = ["document#daily", "resting_hr#2026-07-01", "steps#2026-07-01"];
    assert_eq!(keys(&world, database::METRICS).await, expected);
    let readings = world.ctx.health.latest(user(1)).await.unwrap();
    let steps = readings.iter().find(|reading| reading.metric == Metric::Steps).unwrap();
    assert_eq!((steps.source.as_str(), steps.local_date.to_string().as_str()), ("GARMIN", "2026-07-01"));
    // Delivered again, and its job sent again: nothing more.
    world.deliver("d-1", "2026-07-02T06:00:00Z", &daily(vec![day("2026-07-01", 9000, Some(52))])).await;
    world.work(10).await;
    let counts = world.counts().await;
    assert_eq!((counts.scored, counts.webhooks_done), (2, 1));
}

#[tokio::test]
async fn the_newest_version_of_a_day_stands_whatever_the_order() {
    let versions = [
        ("d-1", "2026-07-01T08:00:00Z", daily(vec![day("2026-07-01", 100, None), day("2026-06-30", 7000, Some(51))])),
        ("d-2", "2026-07-01T12:00:00Z", daily(vec![day("2026-07-01", 2000, Some(55))])),
        ("d-3", "2026-07-01T20:00:00Z", daily(vec![day("2026-07-01", 1500, None)])),
    ];
    let mut ends = Vec::new();
    for order in permutations(&versions) {
        for batch in [1, 3] {
            let world = World::start().await;
            for (id, at, body) in &order {
                world.deliver(id, at, body).await;
            }
            world.work(batch).await;
            assert_eq!(world.latest(user(1)).await, [("resting_hr", 51.0), ("steps", 1500.0)], "{order:?}");
            ends.push(world.stored().await);
        }
    }
    assert!(ends.iter().all(|end| *end == ends[0]));
}

#[tokio::test]
async fn measurements_that_are_no_longer_there_go() {
    let world = World::start().await;
    let body = |weights: &[(u32, f64)]| data("body", &garmin(), vec![weighings("2026-07-01", weights)]);
    world.deliver("d-1", "2026-07-01T22:00:00Z", &body(&[(400, 71.0), (800, 72.0), (1200, 73.0)])).await;
    world.work(10).await;
    assert_eq!(world.latest(user(1)).await, [("weight", 73.0)]);
    world.deliver("d-2", "2026-07-02T22:00:00Z", &body(&[(400, 71.5)])).await;
    world.work(10).await;
    assert_eq!(world.latest(user(1)).await, [("weight", 71.5)]);
    assert_eq!(keys(&world, database::METRICS).await, ["document#body", "weight#2026-07-01"]);
    world.deliver("d-3", "2026-07-03T22:00:00Z", &body(&[])).await;
    world.work(10).await;
    assert_eq!(world.latest(user(1)).await, []);
    assert_eq!(keys(&world, database::METRICS).await, ["document#body"]);
    assert!(world.items(database::LATEST_METRICS).await.is_empty());
}

#[tokio::test]
async fn what_the_newest_loses_an_older_day_has() {
    let world = World::start().await;
    world.deliver("d-1", "2026-07-01T22:00:00Z", &daily(vec![day("2026-06-20", 1, Some(50))])).await;
    world.deliver("d-2", "2026-07-01T22:00:00Z", &daily(vec![day("2026-07-01", 2, Some(60))])).await;
    world.work(10).await;
    world.deliver("d-3", "2026-07-01T23:00:00Z", &daily(vec![day("2026-07-01", 2, None)])).await;
    world.work(10).await;
    assert_eq!(world.latest(user(1)).await, [("resting_hr", 50.0), ("steps", 2.0)]);
}

#[tokio::test]
async fn each_connection_of_a_user_says_its_own() {
    let world = World::start().await;
    let oura = terra("t-2", "oura", Some(user(1)));
    world.deliver("d-1", "2026-07-02T06:00:00Z", &daily(vec![day("2026-07-01", 9000, Some(52))])).await;
    world.deliver("d-2", "2026-07-02T06:00:00Z", &data("daily", &oura, vec![day("2026-07-01", 8000, None)])).await;
    world.deliver("d-3", "2026-07-02T06:00:00Z", &data("sleep", &oura, vec![night("2026-07-01", "n-1", 27_000)])).await;
    world.work(10).await;
    let expected = [("resting_hr", 52.0), ("sleep_duration", 27_000.0), ("steps", 8000.0), ("steps", 9000.0)];
    assert_eq!(world.latest(user(1)).await, expected);
    assert!(world.latest(user(2)).await.is_empty());
}

#[tokio::test]
async fn two_batches_of_the_same_user_at_once_lose_nothing() {
    let world = World::start().await;
    let mut messages = Vec::new();
    for n in 1..=20 {
        let body = daily(vec![day(&format!("2026-06-{n:02}"), 1000 * n, Some(40 + n))]);
        messages.push(message(&world.store(&format!("d-{n}"), "2026-07-02T06:00:00Z", &body).await));
    }
    let (one, two) = messages.split_at(10);
    let (left, right) = tokio::join!(world.batch(one), world.batch(two));
    left.into_iter().chain(right).for_each(|body| world.queue.put(body));
    world.work(10).await;
    assert_eq!(world.latest(user(1)).await, [("resting_hr", 60.0), ("steps", 20_000.0)]);
    let rows = keys(&world, database::METRICS).await;
    assert_eq!(rows.iter().filter(|key| key.starts_with("steps")).count(), 20);
    let items = world.items(database::LATEST_METRICS).await;
    assert!(items.iter().all(|item| item["daily"].as_str().unwrap().lines().count() == 20), "{items:#?}");
}

#[tokio::test]
async fn a_year_in_one_delivery_is_written_piece_by_piece() {
    let world = World::start().await;
    let first: chrono::NaiveDate = "2025-07-01".parse().unwrap();
    let days = first.iter_days().take(365).zip(1..).map(|(date, n)| day(&date.to_string(), n, Some(50)));
    let job = world.store("d-1", "2026-07-02T06:00:00Z", &daily(days.collect())).await;
    let tally = world.perform(vec![job]).await.pop().unwrap().unwrap();
    assert_eq!((tally.scored, tally.webhooks), (730, 1));
    assert_eq!(world.latest(user(1)).await, [("resting_hr", 50.0), ("steps", 365.0)]);
    assert_eq!(keys(&world, database::METRICS).await.len(), 3 * 365);
}

/// More than one transaction takes: 150 weighings of one day.
fn many_weighings(from: f64, count: u32) -> Value {
    let weights: Vec<_> = (0..count).map(|n| (n * 9, from + f64::from(n) / 100.0)).collect();
    data("body", &garmin(), vec![weighings("2026-07-01", &weights)])
}

#[tokio::test]
async fn a_document_that_is_more_than_a_transaction_takes_is_whole_in_any_order() {
    let versions = [
        ("d-1", "2026-07-02T06:00:00Z", many_weighings(70.0, 150)),
        ("d-2", "2026-07-02T07:00:00Z", many_weighings(80.0, 130)),
        ("d-3", "2026-07-02T08:00:00Z", many_weighings(90.0, 110)),
    ];
    for order in permutations(&versions) {
        let world = World::start().await;
        for (id, at, body) in order {
            world.deliver(id, at, &body).await;
            world.work(10).await;
        }
        let rows = world.items(database::METRICS).await;
        assert_eq!(rows.len(), 111);
        let values = rows.iter().filter_map(|row| row["value"].as_f64());
        assert!(values.clone().all(|value| value >= 90.0), "{:?}", values.collect::<Vec<_>>());
        assert_eq!(world.latest(user(1)).await, [("weight", 91.09)]);
        assert!(rows.iter().all(|row| row.get("unfinished").is_none()));
    }
}

#[tokio::test]
async fn a_document_whose_writer_crashed_is_finished_by_the_next() {
    let world = World::start().await;
    let job = world.store("d-1", "2026-07-02T06:00:00Z", &many_weighings(70.0, 150)).await;
    world.perform(vec![job.clone()]).await.pop().unwrap().unwrap();
    let whole = world.stored().await;
    // As a crash leaves it: claimed, some rows missing, the latest values not written.
    let table = world.items(database::METRICS).await;
    let document = table.iter().find(|row| row["sk"].as_str().unwrap().starts_with("document#")).unwrap();
    world.set(database::METRICS, document, "unfinished", json!(true)).await;
    for row in table.iter().filter(|row| row["sk"].as_str().unwrap().starts_with("weight#")).skip(100) {
        world.delete(database::METRICS, row).await;
    }
    world.delete(database::LATEST_METRICS, &world.items(database::LATEST_METRICS).await[0]).await;
    world.perform(vec![job]).await.pop().unwrap().unwrap();
    assert_eq!(world.stored().await, whole);
}

#[tokio::test]
async fn poison_spoils_no_other() {
    let world = World::start().await;
    let good = |n: u128| {
        let user = terra(&format!("t-{n}"), "garmin", Some(user(n)));
        data("daily", &user, vec![day("2026-07-01", 100, None)])
    };
    let mut jobs = vec![world.store("good-1", "2026-07-02T06:00:00Z", &good(1)).await];
    let poison = [
        json!({ "type": "daily", "user": garmin(), "data": 5 }),
        json!({ "type": "daily", "user": garmin(), "data": [1] }),
        json!({ "type": "daily", "data": [] }),
    ];
    for (n, body) in poison.iter().enumerate() {
        jobs.push(world.store(&format!("poison-{n}"), "2026-07-02T06:00:00Z", body).await);
    }
    // Days that can't be placed are left out; the others of the delivery stand.
    let half = daily(vec![json!({ "distance_data": { "steps": 5 } }), day("2026-07-02", 200, None)]);
    jobs.push(world.store("half", "2026-07-02T06:00:00Z", &half).await);
    jobs.push(world.store("good-2", "2026-07-02T06:00:00Z", &good(2)).await);
    let mut unknown = world.store("unknown", "2026-07-02T06:00:00Z", &good(3)).await;
    unknown.job = Job::TerraIngest { delivery_id: DeliveryId("never-stored".into()), terra_user_id: String::new() };
    jobs.push(unknown);
    // What no table takes as a key.
    for id in [String::new(), "x".repeat(5000)] {
        let job = Job::TerraIngest { delivery_id: DeliveryId(id.clone()), terra_user_id: id };
        jobs.push(NewJob { id: JobId(Ids.uuid()), job, created_at: world.ctx.clock.now() });
    }

    let outcomes = world.perform(jobs).await;
    let told: Vec<_> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Ok(_) => "done",
            Err(Failure::Permanent(_)) => "dead",
            Err(Failure::Void(_)) => "void",
            Err(Failure::Transient { .. }) => "again",
        })
        .collect();
    assert_eq!(told, ["done", "dead", "dead", "dead", "done", "done", "void", "void", "void"]);
    let named = outcomes[1..4].iter().map(|outcome| outcome.as_ref().unwrap_err().to_string()).collect::<Vec<_>>();
    for (text, field) in named.iter().zip(["/data", "/data/0", "/user/user_id"]) {
        assert!(text.starts_with(field), "{text}");
    }
    assert_eq!(world.latest(user(1)).await, [("steps", 200.0)]);
    assert_eq!(world.latest(user(2)).await, [("steps", 100.0)]);
    assert_eq!(world.counted("items_unplaced"), 1.0);
}

#[tokio::test]
async fn numbers_that_no_table_takes_spoil_nothing() {
    let world = World::start().await;
    let mut absurd = day("2026-07-01", 0, None);
    absurd["distance_data"]["steps"] = json!(1e300);
    absurd["distance_data"]["distance_meters"] = json!(1e-300);
    absurd["metadata"]["end_time"] = json!("9999-12-31T23:59:59.999999-14:00");
    let job = world.store("d-1", "2026-07-02T06:00:00Z", &daily(vec![absurd, day("2026-07-02", 5, None)])).await;
    world.perform(vec![job]).await.pop().unwrap().unwrap();
    let latest = world.ctx.health.latest(user(1)).await.unwrap();
    assert!(latest.iter().any(|reading| reading.metric == Metric::Steps), "{latest:?}");
}

#[tokio::test]
async fn a_hundred_users_take_few_calls() {
    let world = World::start().await;
    let mut jobs = Vec::new();
    for n in 0..100 {
        let user = terra(&format!("t-{n}"), "garmin", Some(UserId(uuid::Uuid::from_u128(n))));
        let body = data("daily", &user, vec![day("2026-07-01", 100, Some(50))]);
        jobs.push(world.store(&format!("d-{n}"), "2026-07-02T06:00:00Z", &body).await);
    }
    // Known from now on: a first delivery takes a write more, which binds its Terra user.
    assert!(world.perform(jobs.clone()).await.iter().all(Result::is_ok));
    let before = world.calls();
    assert!(world.perform(jobs).await.iter().all(Result::is_ok));
    // Deliveries, connections, documents and latest values; nothing is new, so nothing is written.
    assert!(world.calls() - before <= 5.0, "{}", world.calls() - before);
}
