//! A metric's last days as one text: LatestMetrics is paid by the KB with every observation.
//!
//! A line a day: date, value, moment in milliseconds, stretch, key and ordinal of the row, as of when. Numbers are as Rust prints
//! them, which reads back as exactly the same.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate};

use super::{LatestKey, origin};
use crate::domain::metric::{Daily, Stretch};

pub(super) fn write(days: &BTreeMap<NaiveDate, Daily>) -> String {
    let lines = days.iter().filter_map(|(date, day)| {
        // What is no key of ours has come from nowhere: the day is worked out again with the next rebuilding.
        let origin = origin::write(&day.row, &day.as_of)?;
        let (value, at, stretch) = (day.value, day.observed_at.timestamp_millis(), letter(day.stretch));
        Some(format!("{date} {value} {at} {stretch} {origin}"))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// `None` for a text that was not written here.
pub(super) fn read(text: &str, latest: LatestKey) -> Option<BTreeMap<NaiveDate, Daily>> {
    text.lines().map(|line| day(line, latest)).collect()
}

fn day(line: &str, latest: LatestKey) -> Option<(NaiveDate, Daily)> {
    let mut fields = line.splitn(5, ' ');
    let mut next = || fields.next();
    let date = next()?.parse().ok()?;
    let value = next()?.parse().ok()?;
    let observed_at = DateTime::from_timestamp_millis(next()?.parse().ok()?)?;
    let stretch = stretch(next()?)?;
    let (row, as_of) = origin::read(next()?, latest)?;
    Some((date, Daily { value, observed_at, as_of, row, stretch }))
}

const STRETCHES: [Stretch; 4] = [Stretch::Day, Stretch::Night, Stretch::Activity, Stretch::Moment];

fn letter(stretch: Stretch) -> &'static str {
    match stretch {
        Stretch::Day => "d",
        Stretch::Night => "n",
        Stretch::Activity => "a",
        Stretch::Moment => "m",
    }
}

fn stretch(text: &str) -> Option<Stretch> {
    STRETCHES.into_iter().find(|stretch| letter(*stretch) == text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        domain::metric::{AsOf, Metric},
        ids::{ConnectionId, DeliveryId, derived},
    };

    const LATEST: LatestKey = LatestKey { metric: Metric::Steps, connection: ConnectionId(uuid::Uuid::nil()) };

    proptest! {
        #[test]
        fn days_are_read_as_they_were_written(days in proptest::collection::btree_map(0..40_000_i32, any::<(i64, f64, u32)>(), 0..5)) {
            let days = days.into_iter().filter(|(_, (_, value, _))| value.is_finite()).map(|(day, (at, value, n))| {
                let at = DateTime::from_timestamp_millis(at.rem_euclid(4_000_000_000_000)).unwrap();
                let as_of = AsOf::new(at, &DeliveryId(derived("d", &[&day.to_string()]).to_string()));
                let row = LATEST.row("a.b:c", n).sk();
                (NaiveDate::from_epoch_days(day).unwrap(), Daily { value, observed_at: at, as_of, row, stretch: STRETCHES[n as usize % 4] })
            });
            let days: BTreeMap<_, _> = days.collect();
            prop_assert_eq!(read(&write(&days), LATEST), Some(days));
        }
    }

    #[test]
    fn what_was_not_written_here_is_not_read() {
        for text in ["x", "2026-07-01 1 2", "2026-07-01 many 0 d 2026-07-01 0 1#d", "2026-07-01 1 0 x 2026-07-01 0 1#d"]
        {
            assert_eq!(read(text, LATEST), None, "{text}");
        }
    }
}
