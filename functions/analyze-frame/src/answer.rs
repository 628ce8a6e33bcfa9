//! The answer, as the API has it.

use serde::Serialize;
use serde_json::value::RawValue;
use shared::{
    domain::{
        position::Position,
        session::{FrameNumber, Session},
        target::{Score, TargetType},
    },
    ids::SessionId,
    store::sessions::FrameRow,
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Seen, counting::Counted};

/// What is told of a frame.
#[derive(Debug, Serialize, ToSchema)]
pub struct Answer<'a> {
    success: bool,
    session_id: SessionId,
    /// As it is stored.
    #[schema(value_type = Analysis)]
    analysis: &'a RawValue,
}

/// What was found; kept with the frame, so that the same frame again gets the same answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct Analysis<'a> {
    detections: Vec<Detection>,
    /// Null where none was found, and so nothing to be scored.
    target: Option<Target>,
    frame_number: FrameNumber,
    processing_time_ms: u64,
    model_version: &'a str,
    /// `builtin` or `roboflow`.
    detector: &'a str,
    /// Whether another detector had to look, or the frame shows another view.
    degraded: bool,
}

/// A hole.
#[derive(Debug, Serialize, ToSchema)]
struct Detection {
    /// Always `shot`.
    class: &'static str,
    /// 0 to 1.
    confidence: f64,
    coordinates: Coordinates,
    /// Where it lies on the target; what the score is worked out from.
    position: Position,
    score: Score,
    /// Null where the hole does not count: the frame is another view.
    shot_id: Option<Uuid>,
    /// Whether no frame before showed it.
    new: bool,
}

/// A box in the frame's own pixels: its centre and its size.
#[derive(Debug, Serialize, ToSchema)]
struct Coordinates {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

/// The target that was found on the frame.
#[derive(Debug, Serialize, ToSchema)]
struct Target {
    #[serde(rename = "type")]
    target_type: TargetType,
    centre: Point,
    pixels_per_mm: f64,
    confidence: f64,
}

/// In the frame's own pixels.
#[derive(Debug, Serialize, ToSchema)]
struct Point {
    x: f64,
    y: f64,
}

impl<'a> Analysis<'a> {
    pub fn of(session: &Session, frame_number: FrameNumber, seen: &'a Seen, counted: &Counted) -> Self {
        let findings = &seen.findings;
        let rings = session.target_type().rings();
        let detections = findings.holes.iter().zip(&counted.holes).map(|(hole, counted)| Detection {
            class: "shot",
            confidence: rounded(hole.confidence, 1000.0),
            coordinates: Coordinates {
                x: rounded(hole.x_px, 10.0),
                y: rounded(hole.y_px, 10.0),
                width: rounded(hole.width_px, 10.0),
                height: rounded(hole.height_px, 10.0),
            },
            position: Position::new(rounded(hole.position.x_mm, 1000.0), rounded(hole.position.y_mm, 1000.0)),
            score: rings.score(hole.position.radius_um()),
            shot_id: counted.map(|counted| counted.shot_id),
            new: counted.is_some_and(|counted| counted.new),
        });
        Self {
            detections: detections.collect(),
            target: findings.target.as_ref().map(|target| Target {
                target_type: session.target_type(),
                centre: Point { x: rounded(target.centre_px.0, 10.0), y: rounded(target.centre_px.1, 10.0) },
                pixels_per_mm: rounded(target.pixels_per_mm, 1000.0),
                confidence: rounded(target.confidence, 1000.0),
            }),
            frame_number,
            processing_time_ms: u64::try_from(seen.took.as_millis()).unwrap_or(u64::MAX),
            model_version: &findings.model_version,
            detector: findings.detector,
            degraded: findings.degraded || counted.other_view,
        }
    }
}

impl<'a> Answer<'a> {
    /// Out of what is stored.
    pub fn of(session_id: SessionId, frame: &'a FrameRow) -> Self {
        Self { success: true, session_id, analysis: &frame.analysis }
    }
}

fn rounded(value: f64, steps: f64) -> f64 {
    (value * steps).round() / steps
}
