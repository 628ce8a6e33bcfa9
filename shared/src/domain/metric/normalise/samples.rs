//! The samples behind a value: how many, and how much of the time they cover.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::read::{at, number_at, time};

/// Where a metric's samples lie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Series {
    pub path: &'static str,
    /// How long a sample stands for that doesn't say so itself.
    pub each: TimeDelta,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sampled {
    pub samples: u32,
    /// Share of the interval, 0 to 1.
    pub coverage: Option<f64>,
}

impl Series {
    /// Counts the samples, and the time that they cover of `interval`.
    pub(super) fn measure(self, item: &Value, interval: Option<(DateTime<Utc>, DateTime<Utc>)>) -> Sampled {
        let list = at(item, self.path).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let samples = list.iter().filter(|sample| sample.is_object()).count();
        if samples == 0 {
            return Sampled::default();
        }
        let coverage = interval.map(|interval| self.coverage(list, interval));
        Sampled { samples: u32::try_from(samples).unwrap_or(u32::MAX), coverage }
    }

    /// The union of what the samples cover, clipped to the interval: one more sample never makes it smaller.
    fn coverage(self, list: &[Value], (start, end): (DateTime<Utc>, DateTime<Utc>)) -> f64 {
        let span = |sample: &Value| {
            let from = time(sample.get("timestamp")?)?.to_utc();
            let to = from.checked_add_signed(self.stands_for(sample, end - start))?;
            (from < end && to > start).then(|| (from.max(start), to.min(end)))
        };
        let mut spans: Vec<_> = list.iter().filter_map(span).collect();
        spans.sort_unstable();
        let mut covered = TimeDelta::zero();
        let mut until = start;
        for (from, to) in spans {
            covered += (to - from.max(until)).max(TimeDelta::zero());
            until = until.max(to);
        }
        let share = covered.as_seconds_f64() / (end - start).as_seconds_f64();
        // Four digits: no more are ever looked at, and each stands in every row.
        (share.clamp(0.0, 1.0) * 1e4).round() / 1e4
    }

    /// What the sample says, or what samples of its kind stand for.
    fn stands_for(self, sample: &Value, longest: TimeDelta) -> TimeDelta {
        let said = number_at(sample, "timer_duration_seconds").filter(|seconds| *seconds > 0.0);
        // Through `std`'s duration, which knows no number that it can't hold.
        let said = said.and_then(|seconds| std::time::Duration::try_from_secs_f64(seconds).ok());
        said.and_then(|said| TimeDelta::from_std(said).ok()).unwrap_or(self.each).min(longest)
    }
}
