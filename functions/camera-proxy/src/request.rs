//! The request's body.

use serde_json::Value;
use shared::{
    domain::{
        invalid::{Fields, Invalid, instant, uuid},
        session::FrameNumber,
    },
    ids::SessionId,
};

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

fn delivery(value: &Value) -> Result<Delivery, Invalid> {
    match value.as_str() {
        Some("inline") => Ok(Delivery::Inline),
        Some("url") => Ok(Delivery::Url),
        _ => Err(Invalid::not_one_of(["inline", "url"])),
    }
}
