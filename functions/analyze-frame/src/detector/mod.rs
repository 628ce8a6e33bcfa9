//! Finding target and holes: by the built-in detector, or by a hosted model that it stands in for.

use std::borrow::Cow;

use shared::{
    Context, Error, Result,
    breaker::Gate,
    config::RoboflowConfig,
    domain::{frame::DecodedFrame, position::Position, target::TargetType},
    provider::roboflow,
};

pub mod builtin;
mod hosted;

/// The built-in detector's version, as the answer names it.
const BUILTIN_VERSION: &str = "builtin-1";

/// Which detector looks first.
pub enum Detector<'a> {
    Builtin,
    Roboflow(&'a RoboflowConfig),
}

/// What a detector saw.
#[derive(Debug)]
pub struct Findings {
    /// `None`: no target, and so nothing that could be scored.
    pub target: Option<FoundTarget>,
    pub holes: Vec<FoundHole>,
    pub detector: &'static str,
    pub model_version: Cow<'static, str>,
    /// Another detector than the configured one had to look.
    pub degraded: bool,
}

#[derive(Debug, Clone, Copy)]
pub struct FoundTarget {
    /// In pixels of the upright picture.
    pub centre_px: (f64, f64),
    pub pixels_per_mm: f64,
    /// 0 to 1.
    pub confidence: f64,
}

/// A hole: its box in pixels of the upright picture, and where it lies on the target.
#[derive(Debug, Clone, Copy)]
pub struct FoundHole {
    pub x_px: f64,
    pub y_px: f64,
    pub width_px: f64,
    pub height_px: f64,
    pub position: Position,
    pub diameter_mm: f64,
    /// 0 to 1.
    pub confidence: f64,
}

impl<'a> Detector<'a> {
    /// The hosted model where one is configured, or else the built-in detector.
    pub fn configured(ctx: &'a Context) -> Self {
        ctx.config.roboflow.as_ref().map_or(Self::Builtin, Self::Roboflow)
    }

    /// The state of what the detector depends on, to be read beside everything else; the built-in one needs nothing.
    pub async fn gate(&self, ctx: &Context) -> Option<Gate> {
        match self {
            Self::Builtin => None,
            Self::Roboflow(_) => Some(ctx.breakers.gate(roboflow::NAME).await),
        }
    }

    /// Looks at the frame. Where the hosted model is away the built-in detector looks, and the findings say so.
    pub async fn detect(
        &self,
        ctx: &Context,
        gate: Option<Gate>,
        bytes: &[u8],
        picture: DecodedFrame,
        target: TargetType,
    ) -> Result<Findings> {
        let (Self::Roboflow(model), Some(gate)) = (self, gate) else {
            return builtin(picture, target).await;
        };
        match roboflow::infer(ctx, model, &gate, bytes).await {
            Ok(predictions) => hosted::findings(model, predictions, picture, target).await,
            Err(err) => {
                tracing::warn!(error = ?err, "hosted model failed, the built-in detector looks instead");
                ctx.metrics.fallback_used(roboflow::NAME);
                Ok(Findings { degraded: true, ..builtin(picture, target).await? })
            }
        }
    }
}

async fn builtin(picture: DecodedFrame, target: TargetType) -> Result<Findings> {
    let seen = tokio::task::spawn_blocking(move || builtin::detect(&picture, target)).await.map_err(Error::internal)?;
    let pixels_per_mm = seen.target.as_ref().map_or(1.0, |target| target.pixels_per_mm);
    Ok(Findings {
        target: seen.target.as_ref().map(FoundTarget::from),
        holes: seen
            .holes
            .iter()
            .map(|hole| FoundHole {
                x_px: hole.x_px,
                y_px: hole.y_px,
                width_px: hole.width_px,
                height_px: hole.height_px,
                position: hole.position,
                diameter_mm: hole.width_px.midpoint(hole.height_px) / pixels_per_mm,
                confidence: hole.confidence,
            })
            .collect(),
        detector: "builtin",
        model_version: BUILTIN_VERSION.into(),
        degraded: false,
    })
}

impl From<&builtin::LocatedTarget> for FoundTarget {
    fn from(target: &builtin::LocatedTarget) -> Self {
        Self { centre_px: target.centre_px, pixels_per_mm: target.pixels_per_mm, confidence: target.confidence }
    }
}
