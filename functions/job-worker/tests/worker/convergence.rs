//! What is stored in the end depends on which deliveries came, and on nothing else.

use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};
use serde_json::Value;
use shared::store::control::Counts;

use crate::{
    bodies::{data, day, event, night, reauth, terra, user, weighings},
    world::{Stored, World, message},
};

type Delivery = (String, String, Value);

/// What may come of two people, one of whom is known by three Terra users in the course of time.
fn delivery(n: usize, rng: &mut StdRng) -> Delivery {
    let (id, provider, of) =
        [("a", "garmin", 1), ("b", "garmin", 1), ("c", "oura", 1), ("d", "garmin", 2)][rng.random_range(0..4)];
    let me = terra(id, provider, rng.random_bool(0.3).then(|| user(of)));
    let date = format!("2026-06-{:02}", rng.random_range(1..=6));
    let body = match rng.random_range(0..10) {
        0 => event("auth", &terra(id, provider, Some(user(of)))),
        1 => reauth(&terra("a", "garmin", None), &terra("b", "garmin", None)),
        2 => event(["deauth", "access_revoked", "connection_error"][rng.random_range(0..3)], &me),
        3 => {
            let weights: Vec<_> = (0..rng.random_range(0..4)).map(|n| (n * 60, f64::from(70 + n))).collect();
            data("body", &me, vec![weighings(&date, &weights)])
        }
        4 => data("sleep", &me, vec![night(&date, &format!("n-{date}"), rng.random_range(20_000..30_000))]),
        _ => {
            let resting = rng.random_bool(0.7).then(|| rng.random_range(45..60));
            data("daily", &me, vec![day(&date, rng.random_range(0..20_000), resting)])
        }
    };
    (format!("d-{n}"), format!("2026-07-01T{:02}:00:00Z", rng.random_range(0..24)), body)
}

/// What a world comes to that gets them in this order, some twice, in batches of this size, two at once.
async fn end(deliveries: &[Delivery], size: usize, rng: &mut StdRng) -> (Stored, Counts) {
    let world = World::start().await;
    let mut messages = Vec::new();
    for (id, at, body) in deliveries {
        let message = message(&world.store(id, at, body).await);
        if rng.random_bool(0.2) {
            messages.push(message.clone());
        }
        messages.push(message);
    }
    messages.shuffle(rng);
    let batches: Vec<_> = messages.chunks(size).collect();
    for two in batches.chunks(2) {
        let (one, other) = tokio::join!(world.batch(two[0]), world.batch(two.get(1).copied().unwrap_or_default()));
        one.into_iter().chain(other).for_each(|body| world.queue.put(body));
    }
    world.work(size).await;
    (world.stored().await, world.counts().await)
}

#[tokio::test]
async fn any_order_any_batches_and_any_repetition_end_the_same() {
    for seed in 0..4 {
        let mut rng = StdRng::seed_from_u64(seed);
        let deliveries: Vec<_> = (0..40).map(|n| delivery(n, &mut rng)).collect();
        let one_by_one = end(&deliveries, 1, &mut rng).await;
        for size in [7, 50] {
            let other = end(&deliveries, size, &mut rng).await;
            assert!(one_by_one == other, "seed {seed}, batches of {size}:\n{one_by_one:#?}\n{other:#?}");
        }
    }
}
