//! What counters, queue and heartbeat say of the jobs: figures, and whether something is wrong.

use chrono::{DateTime, TimeDelta, Utc};
use shared::store::control::{Counts, Heartbeat};

/// A job may wait this long, and a worker say nothing while jobs wait, before something is wrong.
const PATIENCE: TimeDelta = TimeDelta::minutes(5);
/// Of a hundred webhooks so many must succeed.
const SUCCESSES: u64 = 95;
/// This hour has just begun half of the time; with the one before there is something to go by.
const HOURS: usize = 2;

/// Messages of a queue, by SQS's own approximate counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Messages {
    /// Nobody works on them.
    pub waiting: u64,
    /// Being worked on, put off, or delayed.
    pub taken: u64,
}

impl Messages {
    pub fn all(self) -> u64 {
        self.waiting + self.taken
    }
}

/// The figures of the last day. None of them is made up: where nothing was counted there is none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Figures {
    /// Per cent of the day's scores that were 80 or better.
    pub cache_hit_rate: Option<String>,
    /// The day's mean score.
    pub avg_confidence: Option<String>,
    /// Per cent of this and the last hour's webhooks.
    pub webhook_success_rate: Option<String>,
    pub webhooks_fail: Option<bool>,
}

impl Figures {
    /// `hours` as [`shared::store::control::Control::counts_of_day`] gives them: this hour first.
    pub fn of(hours: &[Counts]) -> Self {
        let day: Counts = hours.iter().copied().sum();
        let lately: Counts = hours.iter().take(HOURS).copied().sum();
        let webhooks = lately.webhooks_done + lately.webhooks_dead;
        Self {
            cache_hit_rate: per_cent(day.confident, day.scored),
            avg_confidence: tenths(day.confidence_tenths, day.scored),
            webhook_success_rate: per_cent(lately.webhooks_done, webhooks),
            webhooks_fail: (webhooks > 0).then_some(lately.webhooks_done * 100 < SUCCESSES * webhooks),
        }
    }
}

/// Whether the worker works, as far as there is anything to go by: nothing is wrong with one that has nothing to do.
pub fn worker_stalls(messages: Messages, heartbeat: Heartbeat, now: DateTime<Utc>) -> Option<bool> {
    let last_sign = heartbeat.at.max(heartbeat.empty_at)?;
    Some(messages.waiting > 0 && now - last_sign > PATIENCE)
}

/// Whether the oldest job waits for too long. A queue that was empty holds nothing older than that moment.
pub fn jobs_are_late(messages: Messages, heartbeat: Heartbeat, now: DateTime<Utc>) -> bool {
    let since = heartbeat.oldest_sent_at.max(heartbeat.empty_at);
    messages.waiting > 0 && since.is_some_and(|since| now - since > PATIENCE)
}

fn per_cent(part: u64, whole: u64) -> Option<String> {
    tenths(part * 1000, whole)
}

/// A mean of tenths as text with one decimal, rounded.
fn tenths(sum: u64, count: u64) -> Option<String> {
    let mean = (sum + count / 2).checked_div(count)?;
    Some(format!("{}.{}", mean / 10, mean % 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(hours: &[Counts]) -> [Option<String>; 3] {
        let Figures { cache_hit_rate, avg_confidence, webhook_success_rate, .. } = Figures::of(hours);
        [cache_hit_rate, avg_confidence, webhook_success_rate]
    }

    #[test]
    fn figures_are_of_the_day_and_those_of_webhooks_of_the_last_two_hours() {
        let hour = |scored, confident, confidence_tenths, webhooks_done, webhooks_dead| Counts {
            scored,
            confident,
            confidence_tenths,
            webhooks_done,
            webhooks_dead,
        };
        let none = Counts::default();
        let some = |texts: [&str; 3]| texts.map(|text| Some(text.to_owned()));
        assert_eq!(figures(&[none; 24]), [None, None, None]);
        assert_eq!(figures(&[hour(3, 2, 2470, 2, 1), none]), some(["66.7", "82.3", "66.7"]));
        assert_eq!(figures(&[none, hour(1, 1, 1000, 5, 0), hour(1, 0, 0, 0, 5)]), some(["50.0", "50.0", "100.0"]));
        assert_eq!(figures(&[none, none, hour(1, 0, 4, 9, 9)])[2], None);
    }

    #[test]
    fn webhooks_fail_below_ninety_five_of_a_hundred() {
        let failing = |webhooks_done, webhooks_dead| {
            Figures::of(&[Counts { webhooks_done, webhooks_dead, ..Counts::default() }]).webhooks_fail
        };
        for (done, dead, expected) in
            [(0, 0, None), (95, 5, Some(false)), (94, 5, Some(true)), (9_499, 501, Some(true)), (0, 1, Some(true))]
        {
            assert_eq!(failing(done, dead), expected, "{done} done, {dead} dead");
        }
    }

    #[test]
    fn a_worker_stalls_and_jobs_are_late_only_while_messages_wait() {
        let now: DateTime<Utc> = "2026-03-04T05:06:07Z".parse().unwrap();
        let ago = |minutes: i64| Some(now - TimeDelta::minutes(minutes));
        let beat = |at, oldest_sent_at, empty_at| Heartbeat { at, oldest_sent_at, empty_at };
        let (busy, idle) = (Messages { waiting: 1, taken: 0 }, Messages { waiting: 0, taken: 3 });
        for (messages, heartbeat, stalls, late) in [
            (busy, Heartbeat::default(), None, false),
            (idle, Heartbeat::default(), None, false),
            (idle, beat(ago(60), ago(70), ago(50)), Some(false), false),
            (busy, beat(ago(1), ago(2), None), Some(false), false),
            (busy, beat(ago(1), ago(6), None), Some(false), true),
            (busy, beat(ago(1), ago(6), ago(2)), Some(false), false),
            (busy, beat(ago(60), ago(70), ago(1)), Some(false), false),
            (busy, beat(ago(6), ago(7), ago(8)), Some(true), true),
            (busy, beat(None, None, ago(6)), Some(true), true),
            (busy, beat(ago(5), ago(5), None), Some(false), false),
        ] {
            assert_eq!(worker_stalls(messages, heartbeat, now), stalls, "{messages:?} {heartbeat:?}");
            assert_eq!(jobs_are_late(messages, heartbeat, now), late, "{messages:?} {heartbeat:?}");
        }
    }
}
