//! The answer, as the API has it.

use serde::Serialize;
use shared::{clock::rfc3339, domain::session::FrameNumber, ids::SessionId};
use utoipa::ToSchema;

use crate::{Frame, request::FrameWish};

/// A frame of the camera's.
#[derive(Debug, Serialize, ToSchema)]
pub struct Answer {
    success: bool,
    session_id: SessionId,
    frame_metadata: FrameMetadata,
    /// Base64; where the frame was asked for inline.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, content_encoding = "base64")]
    pub frame_data: Option<String>,
    /// Signed, good for 15 minutes; where a URL was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = "uri")]
    pub frame_url: Option<String>,
}

/// Size and format are those of the frame's own bytes.
#[derive(Debug, Serialize, ToSchema)]
struct FrameMetadata {
    #[schema(format = DateTime)]
    timestamp: String,
    frame_number: FrameNumber,
    /// Of the upright picture.
    #[schema(pattern = "^[0-9]+x[0-9]+$", example = "1920x1080")]
    resolution: String,
    /// `jpeg` or `png`.
    format: &'static str,
    /// `hardware`, or `test` for the test frame of a backend without a camera.
    source: &'static str,
}

impl Answer {
    /// Without the frame itself.
    pub fn new(wish: &FrameWish, frame: &Frame) -> Self {
        Self {
            success: true,
            session_id: wish.session_id,
            frame_metadata: FrameMetadata {
                timestamp: rfc3339(frame.timestamp),
                frame_number: wish.frame_number,
                resolution: frame.info.resolution(),
                format: frame.info.format.name(),
                source: frame.source,
            },
            frame_data: None,
            frame_url: None,
        }
    }
}
