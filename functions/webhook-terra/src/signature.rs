//! Terra's signature: `t=<unix seconds>,v1=<hex>[,v1=<hex>]`, each `v1` an HMAC-SHA256 over `<t>.` and the raw body.
//!
//! Source: <https://docs.tryterra.co/> and the verifier of Terra's own SDKs. Parts of other schemes are ignored, so that a
//! `v2` can come beside `v1`.

use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use chrono::{DateTime, TimeDelta, Utc};
use shared::config::Secret;

/// The names that the header goes by.
pub const HEADERS: [&str; 2] = ["terra-signature", "x-terra-signature"];
/// How far the time of signing may lie from ours: a delivery that somebody kept can't be played again later.
const TOLERANCE: TimeDelta = TimeDelta::seconds(300);
const TAG_BYTES: usize = 32;

/// Why a delivery is not taken for Terra's. Ordered by how far it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// There is no signature.
    Missing,
    /// It is none: no time or several, no number, no `v1`.
    Malformed,
    /// It was signed too long ago, or too far ahead.
    Stale,
    /// None of our secrets made it over this body.
    Mismatch,
}

impl Refusal {
    /// For the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::Stale => "stale",
            Self::Mismatch => "mismatch",
        }
    }
}

/// Whether one of these headers' values was made over the body with one of the secrets. A value that is no text is `None`.
pub fn verify<'a>(
    values: impl IntoIterator<Item = Option<&'a str>>,
    body: &[u8],
    secrets: &[Secret],
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    let mut refusal = Refusal::Missing;
    for value in values {
        match value.ok_or(Refusal::Malformed).and_then(|value| verify_one(value, body, secrets, now)) {
            Ok(()) => return Ok(()),
            Err(why) => refusal = refusal.max(why),
        }
    }
    Err(refusal)
}

fn verify_one(value: &str, body: &[u8], secrets: &[Secret], now: DateTime<Utc>) -> Result<(), Refusal> {
    let signature = Signature::parse(value).ok_or(Refusal::Malformed)?;
    if (now - signature.at).abs() > TOLERANCE {
        return Err(Refusal::Stale);
    }
    // One pass over the body a secret, however many tags there are: the header's length is the sender's choice.
    let made_by = |secret: &Secret| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
        let mut expected = hmac::Context::with_key(&key);
        expected.update(signature.time.as_bytes());
        expected.update(b".");
        expected.update(body);
        let expected = expected.sign();
        signature.tags.iter().any(|tag| verify_slices_are_equal(tag, expected.as_ref()).is_ok())
    };
    if secrets.iter().any(made_by) { Ok(()) } else { Err(Refusal::Mismatch) }
}

/// What a header says, nothing of it checked.
struct Signature<'a> {
    /// As it was written: this text was signed.
    time: &'a str,
    at: DateTime<Utc>,
    /// Of those that could be right at all.
    tags: Vec<[u8; TAG_BYTES]>,
}

impl<'a> Signature<'a> {
    fn parse(value: &'a str) -> Option<Self> {
        let parts = || value.split(',').filter_map(|part| part.trim().split_once('='));
        let mut times = parts().filter(|(scheme, _)| *scheme == "t").map(|(_, time)| time);
        let time = times.next().filter(|time| time.bytes().all(|byte| byte.is_ascii_digit()))?;
        let at = DateTime::from_timestamp(time.parse().ok()?, 0)?;
        let mut tags = parts().filter(|(scheme, _)| *scheme == "v1").map(|(_, tag)| tag).peekable();
        // Of two times, who knows which was signed.
        if times.next().is_some() || tags.peek().is_none() {
            return None;
        }
        Some(Self { time, at, tags: tags.filter_map(from_hex).collect() })
    }
}

fn from_hex(text: &str) -> Option<[u8; TAG_BYTES]> {
    let digits: Vec<u32> = text.chars().map(|digit| digit.to_digit(16)).collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks_exact(2).filter_map(|pair| u8::try_from(pair[0] << 4 | pair[1]).ok()).collect();
    bytes.try_into().ok().filter(|_| digits.len() == 2 * TAG_BYTES)
}

#[cfg(test)]
mod tests;
