//! The request's body.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::Value;
use shared::{
    Error, Result,
    domain::{
        frame::{FrameFormat, FrameInfo},
        invalid::{Fields, Invalid, instant, text, uuid},
        session::FrameNumber,
    },
    ids::SessionId,
    openapi::{self, Body},
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

/// Largest frame that is taken in a body, in bytes once decoded: with its base64 it just passes Lambda's limit.
const MAX_FRAME_BYTES: usize = 4_500_000;

/// A frame as it was sent.
#[derive(Debug)]
pub struct SubmittedFrame {
    session_id: SessionId,
    number: FrameNumber,
    bytes: Bytes,
}

/// A frame whose size, format and header are such that it is worth to be decoded.
#[derive(Debug, Clone)]
pub struct Frame {
    pub session_id: SessionId,
    pub number: FrameNumber,
    pub bytes: Bytes,
    pub format: FrameFormat,
}

impl SubmittedFrame {
    pub fn parse(body: &Value) -> Result<Self, Invalid> {
        let mut fields = Fields::of(body)?;
        let session_id = fields.required("session_id", uuid);
        let number = fields.required("frame_number", FrameNumber::parse);
        fields.optional("timestamp", instant);
        let bytes = fields.required("frame_data", base64);
        fields.finish(|| Some(Self { session_id: SessionId(session_id?), number: number?, bytes: bytes? }))
    }

    /// Refuses what is too large, of another type, or has a header that makes no sense.
    pub fn check(self) -> Result<Frame> {
        let Self { session_id, number, bytes } = self;
        if bytes.len() > MAX_FRAME_BYTES {
            let size = bytes.len();
            return Err(Error::TooLarge(format!("the frame has {size} bytes, more than {MAX_FRAME_BYTES}")));
        }
        let format = FrameInfo::read(&bytes).map_err(super::unusable)?.format;
        Ok(Frame { session_id, number, bytes, format })
    }
}

impl PartialSchema for SubmittedFrame {
    fn schema() -> RefOr<Schema> {
        let data = format!("A JPEG or PNG of at most {MAX_FRAME_BYTES} bytes, in base64.");
        Body::of("A frame of a session.")
            .required("session_id", "An active session.", openapi::uuid())
            .required("frame_number", "Number of the frame within its session.", FrameNumber::schema())
            .optional("timestamp", "When it was taken.", openapi::time())
            .required("frame_data", &data, openapi::text().min_length(Some(1)).content_encoding("base64"))
            .into()
    }
}

impl ToSchema for SubmittedFrame {}

fn base64(value: &Value) -> Result<Bytes, Invalid> {
    let text = text(value)?;
    if text.is_empty() {
        return Err(Invalid::new("must not be empty"));
    }
    STANDARD.decode(text).map(Bytes::from).map_err(|err| Invalid::new(format!("must be base64: {err}")))
}
