//! Data events become metrics.

use crate::{
    bodies::{data, day, terra, user},
    world::World,
};

#[tokio::test]
async fn a_day_becomes_metrics() {
    let world = World::start().await;
    let garmin = terra("t-1", "garmin", Some(user(1)));
    let job = world
        .store("d-1", "2026-07-02T06:00:00Z", &data("daily", &garmin, vec![day("2026-07-01", 9000, Some(52))]))
        .await;
    let outcome = world.perform(vec![job]).await;
    assert_eq!(outcome.len(), 1);
    let tally = outcome.into_iter().next().unwrap().unwrap();
    assert_eq!((tally.scored, tally.webhooks), (2, 1));
    assert_eq!(world.latest(user(1)).await, [("resting_hr", 52.0), ("steps", 9000.0)]);
    println!("{:#?}", world.stored().await);
}
