//! What a model said of an engine's remaining useful life.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use crate::clock::rfc3339;

/// Below so many cycles an engine is critical.
const CRITICAL_BELOW: u32 = 20;
/// Below so many it is to be watched.
const WARNING_BELOW: u32 = 50;

/// How much an engine's remaining useful life gives to think about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = EngineHealth)]
pub enum Health {
    Healthy,
    Warning,
    Critical,
}

impl Health {
    /// Of an engine that has `rul` cycles left.
    pub fn of(rul: u32) -> Self {
        match rul {
            ..CRITICAL_BELOW => Self::Critical,
            CRITICAL_BELOW..WARNING_BELOW => Self::Warning,
            _ => Self::Healthy,
        }
    }
}

/// Which model answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelKind {
    /// The one in the binary.
    Builtin,
    /// The planner's own.
    Grpc,
}

/// Where the true value lies with the probability `level`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Interval {
    /// Cycles.
    pub low: u32,
    /// Cycles; null where the end is open, because the model does not tell apart what lies beyond its cap.
    pub high: Option<u32>,
    pub level: f64,
    /// Whether the upper end is open.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub censored: bool,
}

/// A model's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Prediction {
    /// Cycles until failure.
    pub predicted_rul: u32,
    /// 0 to 1.
    pub confidence: f64,
    /// Only some models give one.
    pub interval: Option<Interval>,
    pub model: ModelKind,
    pub model_version: String,
    /// Whether another model should have answered.
    pub degraded: bool,
    pub warnings: Vec<String>,
    /// The last cycle that it was worked out from.
    pub cycle: u32,
    #[serde(rename = "timestamp", serialize_with = "as_rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub at: DateTime<Utc>,
}

/// As all times are answered.
fn as_rfc3339<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&rfc3339(*at))
}

impl Prediction {
    pub fn health(&self) -> Health {
        Health::of(self.predicted_rul)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_is_critical_below_twenty_cycles_and_watched_below_fifty() {
        let of = [0, 19, 20, 49, 50, 125].map(Health::of);
        use Health::{Critical, Healthy, Warning};
        assert_eq!(of, [Critical, Critical, Warning, Warning, Healthy, Healthy]);
    }
}
