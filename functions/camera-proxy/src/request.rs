//! The request's body.

use serde_json::Value;
use shared::{
    domain::{
        invalid::{Fields, Invalid, instant, uuid},
        session::FrameNumber,
    },
    ids::SessionId,
    openapi::{self, Body},
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

/// What `delivery` may be.
const DELIVERIES: [&str; 2] = ["inline", "url"];

/// Which frame is wanted, and how.
#[derive(Debug, Clone, Copy)]
pub struct FrameWish {
    pub session_id: SessionId,
    pub frame_number: FrameNumber,
    pub delivery: Delivery,
}

/// How the frame comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Base64 in the answer.
    Inline,
    /// A signed URL.
    Url,
}

impl FrameWish {
    pub fn parse(body: &Value) -> Result<Self, Invalid> {
        let mut fields = Fields::of(body)?;
        let session_id = fields.required("session_id", uuid);
        let frame_number = fields.required("frame_number", FrameNumber::parse);
        fields.optional("timestamp", instant);
        let delivery = fields.optional("delivery", delivery);
        fields.finish(|| {
            Some(Self {
                session_id: SessionId(session_id?),
                frame_number: frame_number?,
                delivery: delivery.unwrap_or(Delivery::Inline),
            })
        })
    }
}

impl PartialSchema for FrameWish {
    fn schema() -> RefOr<Schema> {
        Body::of("Which frame is wanted, and how.")
            .required("session_id", "An active session.", openapi::uuid())
            .required("frame_number", "Number of the frame within its session.", FrameNumber::schema())
            .optional("timestamp", "When it is asked for.", openapi::time())
            .optional("delivery", "`inline`, unless said: base64 in the answer; or `url`.", openapi::one_of(DELIVERIES))
            .into()
    }
}

impl ToSchema for FrameWish {}

fn delivery(value: &Value) -> Result<Delivery, Invalid> {
    match value.as_str() {
        Some("inline") => Ok(Delivery::Inline),
        Some("url") => Ok(Delivery::Url),
        _ => Err(Invalid::not_one_of(DELIVERIES)),
    }
}
