//! Terra users are bound to ours, and what waited for that is ingested: in every order the end is the same.

use serde_json::Value;
use shared::{
    domain::{connection::Change, metric::AsOf, terra::TerraUser},
    ids::{DeliveryId, JobId, derived},
    jobs::{Batch, Job, Leased, NewJob},
    store::jobs::State,
};

use crate::{
    bodies::{data, day, event, permutations, reauth, terra, user},
    database,
    world::World,
};

/// A day's steps of a Terra user who names nobody.
fn steps(terra_user: &str, date: &str, steps: u32) -> Value {
    data("daily", &terra(terra_user, "garmin", None), vec![day(date, steps, None)])
}

async fn connection(world: &World, id: &str) -> Value {
    let items = world.items(database::CONNECTIONS).await;
    items.into_iter().find(|item| item["terra_user_id"] == id).unwrap()
}

#[tokio::test]
async fn a_delivery_that_names_nobody_waits_until_its_user_is_known() {
    let world = World::start().await;
    let job = world.deliver("d-1", "2026-07-02T06:00:00Z", &steps("t-1", "2026-07-01", 9000)).await;
    world.work(10).await;
    assert_eq!(world.state(job).await, State::Done);
    assert_eq!(world.items(database::QUARANTINE).await.len(), 1);
    assert!(world.items(database::METRICS).await.is_empty());
    // Its observations count now: whether it waits or not is no matter of its own.
    let counted = world.counts().await;
    assert_eq!((counted.scored, counted.webhooks_done), (1, 1));

    world.deliver("a-1", "2026-07-02T07:00:00Z", &event("auth", &terra("t-1", "garmin", Some(user(1))))).await;
    world.work(10).await;
    assert_eq!(world.latest(user(1)).await, [("steps", 9000.0)]);
    assert!(world.items(database::QUARANTINE).await.is_empty());
    let now = world.counts().await;
    assert_eq!((now.scored, now.confidence_tenths, now.webhooks_done), (1, counted.confidence_tenths, 2));
    let connection = connection(&world, "t-1").await;
    assert_eq!((connection["state"].as_str(), connection["scopes"].as_str()), (Some("connected"), Some("DAILY")));
    assert!(connection.get("waiting").is_none() && connection.get("unspread").is_none());
}

#[tokio::test]
async fn a_delivery_that_names_a_user_releases_those_before_it() {
    let world = World::start().await;
    for n in 1..=60 {
        world.deliver(&format!("d-{n}"), "2026-07-02T06:00:00Z", &steps("t-1", "2026-07-01", n)).await;
    }
    world.work(50).await;
    assert_eq!(world.items(database::QUARANTINE).await.len(), 60);
    let named = data("daily", &terra("t-1", "garmin", Some(user(1))), vec![day("2026-07-02", 7, None)]);
    world.deliver("named", "2026-07-03T06:00:00Z", &named).await;
    world.work(50).await;
    assert!(world.items(database::QUARANTINE).await.is_empty());
    assert_eq!(world.latest(user(1)).await, [("steps", 7.0)]);
    // One delivery after the other has said something of that day: the one whose id is the last, since all are as old.
    let rows = world.items(database::METRICS).await;
    let row = rows.iter().find(|row| row["sk"].as_str().unwrap().starts_with("steps#2026-07-01")).unwrap();
    assert_eq!(row["value"], 9);
    assert_eq!(world.counts().await.webhooks_done, 61);
}

#[tokio::test]
async fn every_order_of_auth_data_reauth_and_data_ends_the_same() {
    let (old, new) = (terra("old", "garmin", None), terra("new", "garmin", None));
    let life = [
        ("1-auth", "2026-07-01T06:00:00Z", event("auth", &terra("old", "garmin", Some(user(1))))),
        ("2-data", "2026-07-02T06:00:00Z", steps("old", "2026-07-01", 1000)),
        ("3-reauth", "2026-07-03T06:00:00Z", reauth(&old, &new)),
        ("4-data", "2026-07-04T06:00:00Z", steps("new", "2026-07-03", 3000)),
    ];
    let mut first: Option<(Vec<_>, _)> = None;
    for order in permutations(&life) {
        // One by one, each worked on to its end; and all in one batch.
        for batch in [1, 10] {
            let world = World::start().await;
            for (id, at, body) in &order {
                world.deliver(id, at, body).await;
                if batch == 1 {
                    world.work(batch).await;
                }
            }
            world.work(batch).await;
            let ids: Vec<_> = order.iter().map(|(id, ..)| *id).collect();
            let end = (world.stored().await, world.counts().await);
            assert_eq!(world.latest(user(1)).await, [("steps", 3000.0)], "{ids:?}");
            let (expected, like) = first.get_or_insert_with(|| (ids.clone(), end.clone()));
            assert_eq!(end, *like, "{ids:?} in batches of {batch} is not like {expected:?}");
        }
    }
    let (_, (stored, counts)) = first.unwrap();
    assert_eq!(counts.webhooks_done, 4);
    assert!(stored[database::QUARANTINE].is_empty());
    let ids: Vec<_> = stored[database::CONNECTIONS].iter().map(|item| &item["connection_id"]).collect();
    assert_eq!(ids[0], ids[1], "no rows have moved");
}

#[tokio::test]
async fn a_connection_is_never_bound_to_another_user() {
    let world = World::start().await;
    let of = |n| terra("t-1", "garmin", Some(user(n)));
    world.deliver("a-1", "2026-07-02T06:00:00Z", &event("auth", &of(1))).await;
    world.work(10).await;
    world.deliver("a-2", "2026-07-02T07:00:00Z", &event("auth", &of(2))).await;
    world.deliver("d-1", "2026-07-02T08:00:00Z", &data("daily", &of(2), vec![day("2026-07-01", 5, None)])).await;
    world.work(1).await;
    assert_eq!(connection(&world, "t-1").await["user_id"], user(1).to_string());
    assert_eq!(world.latest(user(1)).await, [("steps", 5.0)]);
    assert!(world.latest(user(2)).await.is_empty());
    assert_eq!(world.counted("connection_conflicts"), 2.0);
}

#[tokio::test]
async fn states_are_those_of_the_newest_event() {
    let world = World::start().await;
    let me = terra("t-1", "garmin", Some(user(1)));
    for (id, at, kind) in [
        ("e-3", "2026-07-03T06:00:00Z", "access_revoked"),
        ("e-1", "2026-07-01T06:00:00Z", "auth"),
        ("e-2", "2026-07-02T06:00:00Z", "deauth"),
    ] {
        world.deliver(id, at, &event(kind, &me)).await;
        world.work(10).await;
    }
    assert_eq!(connection(&world, "t-1").await["state"], "revoked");
    world.deliver("e-4", "2026-07-04T06:00:00Z", &event("connection_error", &me)).await;
    // A failed authentication changes nothing.
    let mut failed = event("auth", &me);
    failed["status"] = "error".into();
    world.deliver("e-5", "2026-07-05T06:00:00Z", &failed).await;
    world.work(10).await;
    assert_eq!(connection(&world, "t-1").await["state"], "error");
}

/// The Terra user is bound, and then the worker was gone.
async fn bind_and_crash(world: &World) {
    let me = TerraUser {
        user_id: "t-1".into(),
        provider: "GARMIN".into(),
        reference_id: Some(user(1).to_string()),
        scopes: None,
    };
    let change = Change::of_data(&me, AsOf::new(world.ctx.clock.now(), &DeliveryId("a-1".into())));
    world.ctx.connections.change("t-1", |connection| connection.apply(&change)).await.unwrap();
}

#[tokio::test]
async fn a_crash_between_binding_and_release_loses_nothing() {
    let world = World::start().await;
    world.deliver("d-1", "2026-07-02T06:00:00Z", &steps("t-1", "2026-07-01", 9000)).await;
    world.work(10).await;
    bind_and_crash(&world).await;
    assert_eq!(world.items(database::QUARANTINE).await.len(), 1);
    // Whatever comes next finds what was left undone.
    let me = terra("t-1", "garmin", Some(user(1)));
    world.deliver("d-2", "2026-07-03T06:00:00Z", &data("daily", &me, vec![day("2026-06-01", 5, None)])).await;
    world.work(10).await;
    assert!(world.items(database::QUARANTINE).await.is_empty());
    assert_eq!(world.latest(user(1)).await, [("steps", 9000.0)]);
}

#[tokio::test]
async fn a_release_that_has_no_time_left_goes_on_as_another_job() {
    let world = World::start().await;
    world.deliver("d-1", "2026-07-02T06:00:00Z", &steps("t-1", "2026-07-01", 9000)).await;
    world.work(10).await;
    bind_and_crash(&world).await;
    let id = JobId(derived("test", &[]));
    let job = Job::ReleaseQuarantine { terra_user_id: "t-1".into() };
    let leased = Leased::new(id, job, 1, 1, world.ctx.clock.now(), false);
    let batch = Batch { jobs: vec![leased], until: world.ctx.clock.now() };
    Box::pin(job_worker::perform(&world.ctx, &batch)).await;
    batch.jobs[0].take().unwrap().unwrap();
    assert_eq!(world.items(database::QUARANTINE).await.len(), 1);
    world.work(10).await;
    assert!(world.items(database::QUARANTINE).await.is_empty());
    assert_eq!(world.latest(user(1)).await, [("steps", 9000.0)]);
}

#[tokio::test]
async fn nothing_is_released_for_a_user_who_is_still_nobody() {
    let world = World::start().await;
    world.deliver("d-1", "2026-07-02T06:00:00Z", &steps("t-1", "2026-07-01", 9000)).await;
    world.work(10).await;
    let job = Job::ReleaseQuarantine { terra_user_id: "t-1".into() };
    let job = NewJob { id: JobId(derived("test", &[])), job, created_at: world.ctx.clock.now() };
    world.perform(vec![job]).await.pop().unwrap().unwrap();
    assert_eq!(world.items(database::QUARANTINE).await.len(), 1);
}
