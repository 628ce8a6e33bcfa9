//! What the hosted model's predictions mean on the target.

use shared::{
    Error, Result,
    config::RoboflowConfig,
    domain::{
        frame::{DecodedFrame, FrameInfo},
        position::Position,
        target::{RingTable, TargetType},
    },
    provider::roboflow::{Prediction, Predictions},
};

use super::{Findings, FoundHole, FoundTarget, builtin};

/// Class of a target box that frames the aiming mark; any other class frames the outermost ring.
const AIMING_MARK_CLASS: &str = "bullseye";

/// Maps pixels to the target: by the model's target box, or by the built-in locator.
enum Geometry {
    Box { centre: (f64, f64), mm_per_px: (f64, f64), confidence: f64 },
    Located(builtin::LocatedTarget),
}

/// The findings that the predictions come to. A target box gives the geometry, or the built-in locator where the model
/// has none; without either there is no target and nothing is scored.
pub async fn findings(
    model: &RoboflowConfig,
    predictions: Predictions,
    picture: DecodedFrame,
    target: TargetType,
) -> Result<Findings> {
    let predictions = upright(predictions, picture.info);
    let of_classes = |classes: &[String]| -> Vec<Prediction> {
        predictions.iter().filter(|p| classes.contains(&p.class.to_lowercase())).cloned().collect()
    };
    let target_box = of_classes(&model.target_classes).into_iter().max_by(|a, b| a.confidence.total_cmp(&b.confidence));
    let geometry = match target_box {
        Some(target_box) => Geometry::of_box(&target_box, target.rings()),
        None => locate(picture, target).await?.map(Geometry::Located),
    };
    let holes = match &geometry {
        Some(geometry) => of_classes(&model.shot_classes).iter().map(|shot| geometry.hole(shot)).collect(),
        None => Vec::new(),
    };
    Ok(Findings {
        target: geometry.map(|geometry| geometry.target()),
        holes,
        detector: "roboflow",
        model_version: model.model.clone().into(),
        degraded: false,
    })
}

async fn locate(picture: DecodedFrame, target: TargetType) -> Result<Option<builtin::LocatedTarget>> {
    tokio::task::spawn_blocking(move || builtin::locate(&picture, target)).await.map_err(Error::internal)
}

/// The predictions in pixels of the upright picture, whatever size the model says that it looked at.
fn upright(predictions: Predictions, info: FrameInfo) -> Vec<Prediction> {
    let (width, height) = (f64::from(info.width), f64::from(info.height));
    let (sx, sy) = predictions.image.map_or((1.0, 1.0), |(w, h)| (width / w, height / h));
    let scale =
        |p: Prediction| Prediction { x: p.x * sx, y: p.y * sy, width: p.width * sx, height: p.height * sy, ..p };
    predictions.predictions.into_iter().map(scale).collect()
}

impl Geometry {
    fn of_box(target: &Prediction, rings: &RingTable) -> Option<Self> {
        let diameter_mm =
            if target.class.eq_ignore_ascii_case(AIMING_MARK_CLASS) { rings.black_mm() } else { rings.outermost_mm() };
        (target.width > 0.0 && target.height > 0.0).then(|| Self::Box {
            centre: (target.x, target.y),
            mm_per_px: (diameter_mm / target.width, diameter_mm / target.height),
            confidence: target.confidence,
        })
    }

    fn position(&self, x_px: f64, y_px: f64) -> Position {
        match self {
            Self::Box { centre, mm_per_px, .. } => {
                Position::new((x_px - centre.0) * mm_per_px.0, (centre.1 - y_px) * mm_per_px.1)
            }
            Self::Located(target) => target.plane.mm(x_px, y_px),
        }
    }

    fn pixels_per_mm(&self) -> f64 {
        match self {
            Self::Box { mm_per_px, .. } => 1.0 / mm_per_px.0.midpoint(mm_per_px.1),
            Self::Located(target) => target.pixels_per_mm,
        }
    }

    fn hole(&self, shot: &Prediction) -> FoundHole {
        FoundHole {
            x_px: shot.x,
            y_px: shot.y,
            width_px: shot.width,
            height_px: shot.height,
            position: self.position(shot.x, shot.y),
            diameter_mm: shot.width.midpoint(shot.height) / self.pixels_per_mm(),
            confidence: shot.confidence,
        }
    }

    fn target(&self) -> FoundTarget {
        match self {
            Self::Box { centre, confidence, .. } => {
                FoundTarget { centre_px: *centre, pixels_per_mm: self.pixels_per_mm(), confidence: *confidence }
            }
            Self::Located(target) => target.into(),
        }
    }
}
