//! Which model answers.

use chrono::{DateTime, Utc};
use shared::{
    Context, Result,
    domain::engine::{Interval, ModelKind, Prediction},
};

use crate::{
    model::{self, Estimate},
    subject::Subject,
};

/// What a model says of each of these, in their order.
pub async fn predict(ctx: &Context, subjects: Vec<Result<Subject>>) -> Vec<Result<(Subject, Prediction)>> {
    let now = ctx.clock.now();
    let predicted = |subject: Subject| {
        let prediction = builtin(&subject, now);
        (subject, prediction)
    };
    subjects.into_iter().map(|subject| subject.map(predicted)).collect()
}

/// The model in the binary.
fn builtin(subject: &Subject, now: DateTime<Utc>) -> Prediction {
    let Estimate { rul, low, high, confidence, warnings } = model::estimate(&subject.readings);
    Prediction {
        predicted_rul: cycles(rul.round()),
        confidence: (confidence * 1e4).round() / 1e4,
        interval: Some(Interval {
            low: cycles(low.floor()),
            high: high.map(|high| cycles(high.ceil())),
            level: model::LEVEL,
            censored: high.is_none(),
        }),
        model: ModelKind::Builtin,
        model_version: model::version().to_owned(),
        degraded: false,
        warnings,
        cycle: subject.readings.last().map_or(0, |reading| reading.cycle),
        at: now,
    }
}

/// Whole cycles, of what a model says: 0 to its cap.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
fn cycles(value: f64) -> u32 {
    value.clamp(0.0, model::CAP) as u32
}
