//! Schedules: the event that a schedule sends, and rates in real time. `cron(…)` and `at(…)` fire only by hand.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::tap::{State, Tap};
use crate::functions::{Functions, InvokeError};
use crate::logs::Logs;
use crate::template::Schedule;
use crate::{ACCOUNT, REGION, system};

/// Whether schedules fire by themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Schedules {
    /// Only by [`Stack::fire`](crate::Stack::fire).
    #[default]
    ByHand,
    /// Rates that are enabled, in real time.
    Running,
}

/// Why a schedule was not fired.
#[derive(Debug, thiserror::Error)]
pub enum FireError {
    #[error("there is no schedule {id}; there are: {}", known.join(", "))]
    Unknown { id: String, known: Vec<String> },
    #[error(transparent)]
    Invoke(#[from] InvokeError),
}

/// Its Input, or what EventBridge sends where there is none.
pub fn event(schedule: &Schedule) -> String {
    schedule.input.clone().unwrap_or_else(|| {
        // Only the scheduler gives `detail` as a text.
        let scheduler = schedule.arn.starts_with("arn:aws:scheduler:");
        let (source, detail) = if scheduler { ("aws.scheduler", json!("{}")) } else { ("aws.events", json!({})) };
        let event = json!({
            "version": "0",
            "id": system::new_id(),
            "detail-type": "Scheduled Event",
            "source": source,
            "account": ACCOUNT,
            "time": system::now().format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "region": REGION,
            "resources": [schedule.arn],
            "detail": detail,
        });
        event.to_string()
    })
}

/// Fires for the first time after a period, as EventBridge does, until the tap is closed for good. What takes longer than
/// the period does not hold up the next.
pub async fn run<F>(period: Duration, tap: Arc<Tap>, fire: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut ticks = interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut under_way = JoinSet::new();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = tap.wait_for(|state| *state == State::Ended) => break,
        }
        under_way.spawn(fire());
        while under_way.try_join_next().is_some() {}
    }
    while under_way.join_next().await.is_some() {}
}

/// One invocation; one that fails is not repeated.
pub async fn fire(schedule: Arc<Schedule>, functions: Functions, logs: Logs) {
    let why = match functions.invoke(&schedule.function, event(&schedule).into(), None).await {
        Ok(invocation) => invocation.error.map(|error| format!("{error:?}")),
        Err(error) => Some(error.to_string()),
    };
    if let Some(why) = why {
        logs.note(&format!("{} → {}: {why}", schedule.id, schedule.function));
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_rate_fires_until_the_end_which_waits_for_what_is_under_way() {
        let tap = Arc::new(Tap::new(true));
        let (begun, mut begins) = mpsc::unbounded_channel();
        let (ended, mut ends) = mpsc::unbounded_channel();
        let fire = {
            let tap = tap.clone();
            move || {
                let (tap, begun, ended) = (tap.clone(), begun.clone(), ended.clone());
                async move {
                    begun.send(()).unwrap();
                    tap.wait_for(|state| *state == State::Ended).await;
                    ended.send(()).unwrap();
                }
            }
        };
        let running = tokio::spawn(run(Duration::from_millis(5), tap.clone(), fire));
        for _ in 0..3 {
            begins.recv().await.unwrap();
        }
        assert!(ends.try_recv().is_err());
        tap.end();
        running.await.unwrap();
        let rest = std::iter::from_fn(|| begins.try_recv().ok()).count();
        assert_eq!(std::iter::from_fn(|| ends.try_recv().ok()).count(), 3 + rest);
    }
}
