//! A delivery as it came: what its headers and its body make of it.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use shared::{
    Context, Result,
    domain::{metric::AsOf, terra::Handling},
    http::Request,
    ids::DeliveryId,
    jobs::{Job, NewJob},
    store::{objects::sha256_hex, webhooks::NewDelivery},
};
use tracing::warn;

use crate::content::Content;

pub const TRACE_ID: &str = "x-terra-trace-id";
pub const ORDERING: &str = "x-terra-ordering-timestamp";
const MAX_TRACE_ID: usize = 128;
/// The end of the year 9999: beyond, times are no longer sorted by their text.
const MAX_ORDERING_MS: i64 = 253_402_300_799_999;
/// A type's name is kept for those who look at the row; no known one is longer.
const MAX_KIND_CHARS: usize = 64;
/// So much of its body's digest tells a delivery apart from another of the same id.
const APART_BY: usize = 16;

/// A delivery that may be stored, and what is to be done about it.
#[derive(Debug)]
pub struct Received {
    pub delivery: NewDelivery,
    /// None where it is only kept.
    pub job: Option<NewJob>,
}

/// A delivery before it has its id.
#[derive(Debug)]
pub struct Unnamed {
    id: DeliveryId,
    content: Content,
    body: Bytes,
    sha256: String,
    received_at: DateTime<Utc>,
    ordered_at: DateTime<Utc>,
}

impl Unnamed {
    /// # Errors
    /// `MissingBody`, `MalformedJson`
    pub fn read(request: &Request, now: DateTime<Utc>) -> Result<Self> {
        let content = Content::read(request.body())?;
        let sha256 = sha256_hex(request.body());
        let header = |name: &str| request.headers().get(name).map(|value| value.as_bytes());
        Ok(Self {
            id: delivery_id(header(TRACE_ID), &sha256),
            content,
            body: Bytes::copy_from_slice(request.body()),
            sha256,
            received_at: now,
            ordered_at: header(ORDERING).and_then(ordering).unwrap_or(now),
        })
    }

    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Under the id that its sender gave it.
    pub fn named(&self, ctx: &Context) -> Received {
        self.under(ctx, self.id.clone())
    }

    /// Under an id that no delivery with another body has.
    pub fn named_apart(&self, ctx: &Context) -> Received {
        let digest = self.sha256.get(..APART_BY).unwrap_or(&self.sha256);
        self.under(ctx, DeliveryId(format!("{}.{digest}", self.id)))
    }

    fn under(&self, ctx: &Context, id: DeliveryId) -> Received {
        let job = job(&id, &self.content);
        let job = job.map(|job| NewJob { id: job.id_of_delivery(&id), job, created_at: self.received_at });
        let delivery = NewDelivery {
            kind: self.content.kind.chars().take(MAX_KIND_CHARS).collect(),
            terra_user_id: self.content.terra_user_id.clone(),
            body: self.body.clone(),
            sha256: self.sha256.clone(),
            received_at: self.received_at,
            as_of: AsOf::new(self.ordered_at, &id),
            receipt: ctx.ids.uuid(),
            id,
        };
        Received { delivery, job }
    }
}

/// What a type asks for.
fn job(id: &DeliveryId, content: &Content) -> Option<Job> {
    let delivery_id = id.clone();
    match Handling::of(&content.kind) {
        Handling::Ingest(_) => {
            let terra_user_id = content.terra_user_id.clone().unwrap_or_default();
            Some(Job::TerraIngest { delivery_id, terra_user_id })
        }
        Handling::Connect(_) => Some(Job::TerraConnection { delivery_id }),
        Handling::Fetch => Some(Job::FetchLargeDelivery { delivery_id }),
        Handling::Record | Handling::Unknown => None,
    }
}

/// The trace id where it is a plain one, its digest where it is not, and the body's where there is none.
fn delivery_id(trace: Option<&[u8]>, body_sha256: &str) -> DeliveryId {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._:-".contains(byte);
    DeliveryId(match trace {
        None | Some([]) => body_sha256.to_owned(),
        Some(id) if id.len() <= MAX_TRACE_ID && id.iter().all(plain) => String::from_utf8_lossy(id).into_owned(),
        Some(id) => sha256_hex(id),
    })
}

/// The time that the sender orders by. One that can't be read counts as absent: the newest, as Terra has it.
fn ordering(value: &[u8]) -> Option<DateTime<Utc>> {
    let time = std::str::from_utf8(value).ok().map(str::trim);
    let millis = time.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit())).and_then(|text| text.parse().ok());
    let at = millis.filter(|millis| *millis <= MAX_ORDERING_MS).and_then(DateTime::from_timestamp_millis);
    if at.is_none() {
        warn!("the ordering timestamp is no time");
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_goes_by_its_trace_id_or_by_what_stands_in_for_it() {
        let hash = |text: &[u8]| sha256_hex(text);
        let long = [b'x'; 129];
        for (trace, id) in [
            (Some(&b"a1:B.c_d-9"[..]), "a1:B.c_d-9".to_owned()),
            (Some(&long[..128]), "x".repeat(128)),
            (Some(&long[..]), hash(&long)),
            (Some(b"a/b"), hash(b"a/b")),
            (Some(b"\xff"), hash(b"\xff")),
            (Some(b""), "body".to_owned()),
            (None, "body".to_owned()),
        ] {
            assert_eq!(delivery_id(trace, "body"), DeliveryId(id), "{trace:?}");
        }
    }

    #[test]
    fn an_ordering_timestamp_is_milliseconds_or_none() {
        assert_eq!(ordering(b"1723808700123").unwrap().to_rfc3339(), "2024-08-16T11:45:00.123+00:00");
        for none in [&b""[..], b"soon", b"-5", b"+5", b"1e3", b"17238087001.5", b"9999999999999999", b"\xff"] {
            assert_eq!(ordering(none), None, "{}", none.escape_ascii());
        }
    }

    #[test]
    fn a_type_has_its_job() {
        let job_of = |kind: &str| {
            let content = Content { kind: kind.into(), terra_user_id: Some("u1".into()) };
            job(&DeliveryId("d1".into()), &content).map(|job| job.kind())
        };
        for (kind, expected) in [
            ("daily", Some("terra_ingest")),
            ("athlete", Some("terra_ingest")),
            ("user_reauth", Some("terra_connection")),
            ("auth", Some("terra_connection")),
            ("s3_payload", Some("fetch_large_delivery")),
            ("healthcheck", None),
            ("a type of tomorrow", None),
            ("", None),
        ] {
            assert_eq!(job_of(kind), expected, "{kind}");
        }
    }
}
