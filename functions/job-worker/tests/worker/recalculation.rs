//! What users' metrics say at the moment is worked out anew from what is kept.

use serde_json::json;
use shared::{
    ids::{JobId, UserId, derived},
    jobs::{Job, NewJob, submit},
};
use uuid::Uuid;

use crate::{
    bodies::{data, day, terra, user},
    database,
    world::World,
};

async fn recalculate(world: &World, operation: &str, user_id: Option<UserId>) {
    let operation_id = derived("operation", &[operation]);
    let job = Job::RecalculateMetrics { operation_id, user_id, cursor: None };
    let job = NewJob { id: JobId(operation_id), job, created_at: world.ctx.clock.now() };
    submit(&world.ctx, vec![job]).await.unwrap();
    world.work(50).await;
}

#[tokio::test]
async fn it_comes_to_what_the_deliveries_came_to() {
    let world = World::start().await;
    for n in 1..=30 {
        let body = day(&format!("2026-06-{n:02}"), 1000 + n, Some(50 + n % 3));
        let body = data("daily", &terra("t-1", "garmin", Some(user(1))), vec![body]);
        world.deliver(&format!("d-{n}"), "2026-07-02T06:00:00Z", &body).await;
    }
    world.work(7).await;
    let right = world.stored().await;
    let rows = world.items(database::LATEST_METRICS).await;
    world.set(database::LATEST_METRICS, &rows[0], "components", json!("{}")).await;
    world.delete(database::LATEST_METRICS, &rows[1]).await;
    // Nothing stands behind this one.
    let mut alone = rows[0].clone();
    alone["sk"] = json!(format!("weight#{}", Uuid::nil()));
    for (name, value) in [("daily", json!("")), ("version", json!(Uuid::nil()))] {
        world.set(database::LATEST_METRICS, &alone, name, value).await;
    }
    assert_ne!(world.stored().await, right);
    recalculate(&world, "one", Some(user(1))).await;
    assert_eq!(world.stored().await, right);
    // What is right already is not written again.
    let versions = world.versions(database::LATEST_METRICS).await;
    recalculate(&world, "two", Some(user(1))).await;
    assert_eq!(world.versions(database::LATEST_METRICS).await, versions);
}

#[tokio::test]
async fn all_users_are_done_page_by_page() {
    let world = World::start().await;
    let many = 230;
    for n in 0..many {
        // Two connections a user.
        let of = UserId(Uuid::from_u128(n / 2 + 1));
        let body = data(
            "daily",
            &terra(&format!("t-{n}"), &format!("p{}", n % 2), Some(of)),
            vec![day("2026-07-01", 5, None)],
        );
        world.deliver(&format!("d-{n}"), "2026-07-02T06:00:00Z", &body).await;
    }
    world.work(100).await;
    let right = world.stored().await;
    for row in world.items(database::LATEST_METRICS).await {
        world.set(database::LATEST_METRICS, &row, "components", json!("{}")).await;
    }
    recalculate(&world, "all", None).await;
    assert_eq!(world.stored().await, right);
    let jobs = world.items(database::JOBS).await;
    let of_type = |kind: &str| jobs.iter().filter(|job| job["type"] == kind).count();
    assert_eq!((of_type("confidence_score"), of_type("recalculate_metrics")), (115, 3));
}
