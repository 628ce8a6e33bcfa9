//! What is written about a job that was worked on, and what becomes of its message.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Failure, Tally, decision::MAX_CRASHES, effect::Effect};
use crate::{store::jobs::Change, telemetry::describe};

/// Failed attempts of one epoch.
const MAX_ATTEMPTS: u32 = 5;
/// After the first failed attempt; four times as long after each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// How the work on a job ended.
#[derive(Debug)]
pub(super) enum Ending {
    Settled(Result<Tally, Failure>),
    /// Its batch's time was up before anybody began.
    NotBegun,
}

/// The job as it was taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    /// This one, from 1.
    pub(super) attempt: u32,
    /// Runs without a word before this one.
    pub(super) crashes: u32,
}

/// The pause after the `attempt`th failed attempt, at `jitter` 0.5 to 1 of its full length, in whole seconds as SQS has them.
fn pause(attempt: u32, jitter: f64) -> Duration {
    let full = FIRST_PAUSE.saturating_mul(4_u32.saturating_pow(attempt.saturating_sub(1))).min(LONGEST_PAUSE);
    whole_seconds(full.mul_f64(jitter))
}

fn whole_seconds(pause: Duration) -> Duration {
    Duration::from_secs(pause.as_secs() + u64::from(pause.subsec_nanos() > 0))
}

/// `jitter`: 0.5 to 1.
pub(super) fn conclude(standing: Standing, ending: Ending, now: DateTime<Utc>, jitter: f64) -> (Change, Effect) {
    let Standing { attempt, crashes } = standing;
    match ending {
        Ending::Settled(Ok(tally)) => (Change::Done(tally), Effect::Acknowledge),
        Ending::Settled(Err(Failure::Void(_))) => (Change::Removed, Effect::Acknowledge),
        Ending::Settled(Err(Failure::Permanent(error))) => {
            (Change::Dead { attempts: attempt, error }, Effect::Acknowledge)
        }
        Ending::Settled(Err(Failure::Transient { cause, after })) => {
            let error = describe(&*cause);
            if attempt >= MAX_ATTEMPTS {
                return (Change::Dead { attempts: attempt, error }, Effect::Acknowledge);
            }
            let pause = after.map_or_else(|| pause(attempt, jitter), |after| whole_seconds(after.min(Effect::LONGEST)));
            (Change::Queued { attempts: attempt, crashes, due_at: now + pause, error }, Effect::BackIn(pause))
        }
        Ending::NotBegun => {
            let (attempts, crashes, error) = (attempt - 1, crashes + 1, "no worker had the time for it".to_owned());
            if crashes >= MAX_CRASHES {
                return (Change::Dead { attempts, error }, Effect::Acknowledge);
            }
            (Change::Queued { attempts, crashes, due_at: now, error }, Effect::BackIn(Duration::ZERO))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-21T09:00:00Z".parse().unwrap()
    }

    fn after(ending: Ending, attempt: u32) -> (Change, Effect) {
        conclude(Standing { attempt, crashes: 2 }, ending, now(), 1.0)
    }

    #[test]
    fn pauses_grow_fourfold_up_to_a_quarter_of_an_hour() {
        let pauses: Vec<_> = (1..7).map(|attempt| pause(attempt, 1.0).as_secs()).collect();
        assert_eq!(pauses, [10, 40, 160, 640, 900, 900]);
    }

    proptest! {
        #[test]
        fn a_pause_is_whole_seconds_and_at_least_half_as_long_as_it_may_be(attempt in 1_u32..50, jitter in 0.5..1.0) {
            let (paused, full) = (pause(attempt, jitter), pause(attempt, 1.0));
            prop_assert!(paused <= full && paused * 2 >= full && paused.subsec_nanos() == 0);
        }
    }

    #[test]
    fn a_transient_failure_waits_and_the_fifth_is_the_last() {
        let queued = |attempts, seconds| {
            let pause = Duration::from_secs(seconds);
            let change = Change::Queued { attempts, crashes: 2, due_at: now() + pause, error: "lost".into() };
            (change, Effect::BackIn(pause))
        };
        let failed = |after| Ending::Settled(Err(Failure::Transient { cause: "lost".into(), after }));
        assert_eq!(after(failed(None), 1), queued(1, 10));
        assert_eq!(after(failed(None), 4), queued(4, 640));
        assert_eq!(after(failed(Some(Duration::from_millis(4_500))), 4), queued(4, 5));
        assert_eq!(after(failed(Some(Duration::MAX)), 1), queued(1, 43_200));
        let dead = (Change::Dead { attempts: 5, error: "lost".into() }, Effect::Acknowledge);
        assert_eq!(after(failed(None), 5), dead);
        assert_eq!(after(failed(Some(Duration::ZERO)), 5), dead);
    }

    #[test]
    fn what_no_attempt_mends_is_dead_at_once_and_what_never_was_is_taken_away() {
        let permanent = Ending::Settled(Err(Failure::permanent("no list")));
        assert_eq!(after(permanent, 1), (Change::Dead { attempts: 1, error: "no list".into() }, Effect::Acknowledge));
        assert_eq!(after(Ending::Settled(Err(Failure::Void("x"))), 1), (Change::Removed, Effect::Acknowledge));
        let tally = Tally { scored: 1, ..Tally::default() };
        assert_eq!(after(Ending::Settled(Ok(tally)), 5), (Change::Done(tally), Effect::Acknowledge));
    }

    #[test]
    fn a_job_that_was_not_begun_costs_no_attempt_and_comes_back_at_once() {
        let (change, effect) = after(Ending::NotBegun, 5);
        assert!(matches!(change, Change::Queued { attempts: 4, crashes: 3, due_at, .. } if due_at == now()));
        assert_eq!(effect, Effect::BackIn(Duration::ZERO));
        let standing = Standing { attempt: 1, crashes: MAX_CRASHES - 1 };
        let (change, _) = conclude(standing, Ending::NotBegun, now(), 1.0);
        assert!(matches!(change, Change::Dead { attempts: 0, .. }), "{change:?}");
    }
}
