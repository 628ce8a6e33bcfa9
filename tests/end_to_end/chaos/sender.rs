//! Terra's side: it sends what was not taken again, the same bytes under a signature of that moment.

use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures::{StreamExt, stream};
use local::{Stack, terra::Terra};
use serde_json::Value;

use super::deliveries::Delivery;

/// Deliveries under way at once.
const AT_ONCE: usize = 4;
/// Where the machine is busy, an answer may be lost on its way.
const AFTER_NO_ANSWER: Duration = Duration::from_secs(1);

/// What the sender saw.
#[derive(Debug, Default)]
pub struct Seen {
    /// 429
    pub limited: AtomicUsize,
    /// 5xx, or no answer at all.
    pub failed: AtomicUsize,
    /// `duplicate`
    pub known: AtomicUsize,
}

impl Seen {
    pub fn known(&self) -> usize {
        self.known.load(Ordering::Relaxed)
    }
}

/// Sends all of them in their order, by turns from so many addresses, until each is taken.
pub async fn send(stack: &Stack, deliveries: &[&Delivery], addresses: u8) -> Seen {
    let terra = Terra::of(stack);
    let client = |at: u8| reqwest::Client::builder().local_address(Some(Ipv4Addr::new(127, 0, 1, at).into())).build();
    let senders: Vec<Terra> = (1..=addresses).map(|at| terra.with_client(client(at).unwrap())).collect();
    let seen = Seen::default();
    let sent = stream::iter(deliveries.iter().zip(senders.iter().cycle()));
    sent.for_each_concurrent(AT_ONCE, |(delivery, sender)| until_taken(sender, delivery, &seen)).await;
    seen
}

async fn until_taken(terra: &Terra, delivery: &Delivery, seen: &Seen) {
    loop {
        let Ok(answer) = terra.send(&delivery.webhook).await else {
            seen.failed.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(AFTER_NO_ANSWER).await;
            continue;
        };
        let status = answer.status().as_u16();
        let wait = answer.headers().get("retry-after").map(|seconds| seconds.to_str().unwrap().parse().unwrap());
        match status {
            200 => {
                let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
                let known = usize::from(answer["status"] == "duplicate");
                seen.known.fetch_add(known, Ordering::Relaxed);
                return;
            }
            429 => seen.limited.fetch_add(1, Ordering::Relaxed),
            500.. => seen.failed.fetch_add(1, Ordering::Relaxed),
            status => panic!("{} was answered with {status}: {:?}", delivery.id, answer.text().await),
        };
        // Of what ends a function in its midst, API Gateway says no time.
        tokio::time::sleep(wait.map_or(AFTER_NO_ANSWER, Duration::from_secs)).await;
    }
}
