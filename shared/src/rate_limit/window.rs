//! The sliding window's arithmetic, in whole milliseconds: no rounding decides whether a request passes.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// Length of a window.
pub const WINDOW: Duration = Duration::from_secs(60);
const WINDOW_MS: u64 = 60_000;

/// Where a moment lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Which window, counted from the epoch.
    pub window: u64,
    /// Milliseconds since its start.
    elapsed: u64,
}

/// What was counted of one caller, in the window of `Moment` and in the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub previous: u64,
    pub current: u64,
}

impl Moment {
    pub fn at(now: DateTime<Utc>) -> Self {
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
        Self { window: millis / WINDOW_MS, elapsed: millis % WINDOW_MS }
    }

    /// Until the window turns.
    pub fn rest(self) -> Duration {
        Duration::from_millis(WINDOW_MS - self.elapsed)
    }

    /// When a window's item is of no more use: the window after it, in which it is the previous one, is over then.
    pub fn expires(self) -> DateTime<Utc> {
        let millis = (self.window + 2) * WINDOW_MS;
        i64::try_from(millis).ok().and_then(DateTime::from_timestamp_millis).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

impl Counts {
    /// previous × (1 − elapsed share) + current, in thousandths of a request times the window's seconds.
    fn weight(self, elapsed: u64) -> u64 {
        let share_left = WINDOW_MS.saturating_sub(elapsed);
        self.previous.saturating_mul(share_left).saturating_add(self.current.saturating_mul(WINDOW_MS))
    }

    /// Whether the request that made `current` what it is may pass.
    pub fn passes(self, limit: u64, at: Moment) -> bool {
        self.weight(at.elapsed) <= limit.saturating_mul(WINDOW_MS)
    }

    /// How many more requests would pass at this moment.
    pub fn remaining(self, limit: u64, at: Moment) -> u64 {
        limit.saturating_mul(WINDOW_MS).saturating_sub(self.weight(at.elapsed)) / WINDOW_MS
    }

    /// How long the next request has to wait: zero where it would pass now, else until the elapsed share reaches
    /// `1 − (limit − 1 − current) / previous` or the window turns, whichever is first.
    pub fn wait(self, limit: u64, at: Moment) -> Duration {
        let next = Self { current: self.current.saturating_add(1), ..self };
        if next.passes(limit, at) {
            return Duration::ZERO;
        }
        let turns = WINDOW_MS;
        let reached = match limit.checked_sub(next.current) {
            // `previous` is not 0 here, or the request would have passed.
            Some(room) => WINDOW_MS.saturating_sub(room.saturating_mul(WINDOW_MS) / self.previous.max(1)),
            None => turns,
        };
        Duration::from_millis(reached.min(turns).saturating_sub(at.elapsed))
    }
}

#[cfg(test)]
mod tests;
