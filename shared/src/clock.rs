//! Time behind a `Clock`: the one place that asks the system what time it is.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, SecondsFormat, SubsecRound, Utc};

/// Where the time comes from: the system, or a test that moves it by hand.
#[derive(Debug, Clone)]
pub enum Clock {
    System,
    /// Milliseconds since the epoch, moved by [`Clock::advance`].
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands still until it is advanced.
    pub fn manual(start: DateTime<Utc>) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(start.timestamp_millis())))
    }

    /// The time now, in UTC, cut to milliseconds: what the API shows is what is stored.
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            #[expect(clippy::disallowed_methods, reason = "this is the clock")]
            Self::System => Utc::now().trunc_subsecs(3),
            Self::Manual(millis) => DateTime::from_timestamp_millis(millis.load(Ordering::SeqCst)).unwrap_or_default(),
        }
    }

    /// Moves a manual clock; the system's clock stays as it is.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(millis) = self {
            millis.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }
}

/// A time as the API and the tables have it: RFC 3339, UTC, with milliseconds. It sorts as time does.
pub fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// When Lambda ends an invocation, by its milliseconds since 1970. None for what is no such time: nothing at all, as in
/// tests, or how long the invocation may take, as `cargo lambda watch` says it.
pub fn deadline(millis: u64) -> Option<DateTime<Utc>> {
    const YEAR_2001: i64 = 1_000_000_000_000;
    i64::try_from(millis).ok().filter(|millis| *millis > YEAR_2001).and_then(DateTime::from_timestamp_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_a_time_and_no_duration() {
        assert_eq!(deadline(1_795_251_600_000).map(rfc3339).as_deref(), Some("2026-11-21T09:00:00.000Z"));
        for millis in [0, 600_000, u64::MAX] {
            assert_eq!(deadline(millis), None, "{millis}");
        }
    }
}
