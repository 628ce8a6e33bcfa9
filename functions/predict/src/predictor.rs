//! Which model answers: a planner's own where one is configured, or else the built-in one, which stands in for it too.

use chrono::{DateTime, Utc};
use prediction::{Answer, History, RemoteModel};
use shared::{
    Context, Result,
    breaker::Gate,
    config::Config,
    domain::engine::{Interval, ModelKind, Prediction},
};
use tracing::warn;

use crate::{
    model::{self, Estimate},
    subject::Subject,
};

/// The model that is asked first. One an instance: a planner's own keeps its connection.
#[derive(Debug)]
pub enum Predictor {
    Builtin,
    Remote(RemoteModel),
}

impl Predictor {
    /// The model that the configuration names, ready to answer.
    pub fn configured(config: &Config) -> Self {
        match &config.ml_service_url {
            Some(url) => Self::Remote(RemoteModel::new(url)),
            None => {
                model::load();
                Self::Builtin
            }
        }
    }

    /// The state of what the model depends on, to be read beside everything else; the built-in one needs nothing.
    pub async fn gate(&self, ctx: &Context) -> Option<Gate> {
        match self {
            Self::Builtin => None,
            Self::Remote(_) => Some(ctx.breakers.gate(prediction::NAME).await),
        }
    }

    /// What the model says of each of these, in their order.
    pub async fn predict(&self, ctx: &Context, gate: Option<Gate>, subjects: &[&Subject]) -> Vec<Prediction> {
        let now = ctx.clock.now();
        let builtin = |degraded| subjects.iter().map(|subject| of_builtin(subject, degraded, now)).collect();
        let (Self::Remote(model), Some(gate)) = (self, gate) else { return builtin(false) };
        match ask(ctx, model, &gate, subjects).await {
            Ok(answers) => {
                let answers = answers.into_iter().zip(subjects);
                answers.map(|(answer, subject)| of_remote(answer, subject, now)).collect()
            }
            Err(err) => {
                warn!(
                    error = &err as &dyn std::error::Error,
                    "the built-in model answers in place of the planner's own"
                );
                ctx.metrics.fallback_used(prediction::NAME);
                builtin(true)
            }
        }
    }
}

async fn ask(ctx: &Context, model: &RemoteModel, gate: &Gate, subjects: &[&Subject]) -> Result<Vec<Answer>> {
    let histories: Vec<_> = subjects.iter().map(|subject| history(subject)).collect();
    match histories.as_slice() {
        [one] => Ok(vec![model.predict(ctx, gate, *one).await?]),
        several => model.predict_all(ctx, gate, several).await,
    }
}

fn history(subject: &Subject) -> History<'_> {
    History { engine_id: subject.engine_id.as_str(), readings: &subject.readings }
}

/// What the model in the binary says.
fn of_builtin(subject: &Subject, degraded: bool, now: DateTime<Utc>) -> Prediction {
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
        degraded,
        warnings,
        cycle: subject.last_cycle(),
        at: now,
    }
}

/// What a planner's own model says; it gives no interval.
fn of_remote(answer: Answer, subject: &Subject, now: DateTime<Utc>) -> Prediction {
    Prediction {
        predicted_rul: answer.rul,
        confidence: answer.confidence,
        interval: None,
        model: ModelKind::Grpc,
        model_version: answer.version,
        degraded: false,
        warnings: Vec::new(),
        cycle: subject.last_cycle(),
        at: now,
    }
}

/// Whole cycles, of what a model says: 0 to its cap.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
fn cycles(value: f64) -> u32 {
    value.clamp(0.0, model::CAP) as u32
}
