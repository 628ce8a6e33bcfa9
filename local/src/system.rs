//! What the stack takes from the machine that it runs on: time, ids, and the few variables that cargo sets.
//! Everything else asks here, so that nothing of the developer's environment slips in unseen.

use std::ffi::OsString;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};
use uuid::Uuid;

#[expect(clippy::disallowed_methods, reason = "the stack stands outside the functions and has no Context")]
pub fn now() -> DateTime<Utc> {
    SystemTime::now().into()
}

/// Milliseconds since 1970, as SQS and Lambda count.
pub fn now_ms() -> i64 {
    now().timestamp_millis()
}

/// The instant of a time in milliseconds since 1970; now for one that has passed.
pub fn instant_at(ms: i64) -> Instant {
    Instant::now() + Duration::from_millis(u64::try_from(ms - now_ms()).unwrap_or(0))
}

/// Seconds since 1970, as tokens count.
pub fn now_secs() -> i64 {
    now().timestamp()
}

/// The instant that lies `ahead` from now, in milliseconds since 1970.
pub fn deadline_ms(ahead: Duration) -> u128 {
    let now: SystemTime = now().into();
    (now + ahead).duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis())
}

#[expect(clippy::disallowed_methods, reason = "the stack stands outside the functions and has no Context")]
pub fn new_id() -> Uuid {
    Uuid::new_v4()
}

/// A trace id as X-Ray makes them: version, seconds since 1970, 96 random bits.
pub fn trace_root() -> String {
    let random = new_id().simple().to_string();
    format!("1-{:08x}-{}", now_secs(), random.get(..24).unwrap_or_default())
}

/// A variable of the process that runs the stack. Only what cargo sets is asked for: functions get none of these.
#[expect(clippy::disallowed_methods, reason = "cargo says by CARGO which of several toolchains runs this")]
pub fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// A variable that is set for the command that runs; none where it is empty.
#[expect(clippy::disallowed_methods, reason = "secrets come this way: arguments are in every list of processes")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
