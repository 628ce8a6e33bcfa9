//! Reading what may be null, absent or of another type.

use std::ops::Range;

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, SubsecRound};
use serde_json::Value;

/// Beyond it nothing was ever measured, not even wrongly.
const GREATEST: f64 = 1e12;
/// Up to here a number is kept to six decimals, which are more than any device has, and beyond to three: fifteen digits,
/// which read back from their JSON as exactly the same number.
const SIX_DECIMALS_UP_TO: f64 = 1e9;
/// Before it there was nothing to wear, and after it there is nobody who has a value from it.
const YEARS: Range<i32> = 1970..2200;

/// The value at a path of names with points between them.
pub(super) fn at<'a>(item: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(item, |value, name| value.get(name))
}

/// A number that can have been measured, in at most fifteen digits.
pub(super) fn number(value: &Value) -> Option<f64> {
    let number = value.as_f64().filter(|number| number.abs() <= GREATEST)?;
    let steps = if number.abs() < SIX_DECIMALS_UP_TO { 1e6 } else { 1e3 };
    // Adding nought makes −0 the nought that it is.
    Some((number * steps).round() / steps + 0.0)
}

/// The number at a path.
pub(super) fn number_at(item: &Value, path: &str) -> Option<f64> {
    at(item, path).and_then(number)
}

/// A time, in its own offset; UTC where it has none, as some providers send it. A date alone is its midnight. To the
/// millisecond: that is what we keep, and of two times that are kept as the same neither may be the newer.
pub(super) fn time(value: &Value) -> Option<DateTime<FixedOffset>> {
    let text = value.as_str()?.trim();
    let utc = |local: NaiveDateTime| local.and_utc().fixed_offset();
    let time = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").map(utc))
        .ok()
        .or_else(|| Some(utc(date(text)?.and_hms_opt(0, 0, 0)?)));
    time.map(|time| time.trunc_subsecs(3)).filter(|time| YEARS.contains(&time.year()))
}

/// A date, in exactly the ten characters that one has.
pub(super) fn date(text: &str) -> Option<NaiveDate> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    (YEARS.contains(&date.year()) && date.to_string() == text).then_some(date)
}
