//! Webhooks through HTTP, one after the other: what accepting one costs.

use std::time::Instant;

use local::{Stack, terra::Terra};

use super::{PATIENCE, RECEIVER, calls, deliveries::Deliveries, options::Options};

/// What a sender may send in a minute, with room to spare.
const MOST: usize = 900;

/// Sends the webhooks, waits until they are worked on, and returns how many there were.
pub async fn send(stack: &Stack, options: &Options) -> usize {
    let count = options.webhooks.min(MOST);
    let deliveries =
        Deliveries::new(&Options { jobs: count + 1, users: 1, days_per_user: 30, binaries: None, ..*options });
    let terra = Terra::of(stack);
    let mut times = Vec::with_capacity(count);
    for n in 0..=count {
        // The first one pays for the start of an instance.
        if n == 1 {
            stack.front().clear_calls();
        }
        let started = Instant::now();
        let answer = terra.send(&deliveries.get(n)).await.unwrap();
        times.push(started.elapsed());
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }
    let mut warm = times.split_off(1);
    warm.sort();
    println!();
    calls::print(&stack.front().calls().by(RECEIVER), count, "webhook");
    if let (Some(median), Some(slowest)) = (warm.get(count / 2), warm.last()) {
        let ms = |time: &std::time::Duration| time.as_secs_f64() * 1e3;
        println!(
            "{count} webhooks through HTTP, one by one: median {:.1} ms, slowest {:.1} ms",
            ms(median),
            ms(slowest)
        );
    }
    assert!(stack.queue_drained("JobQueue", PATIENCE).await.unwrap(), "the queue is not empty");
    count + 1
}
