//! The answer, as the API has it: one row a metric.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::{
    clock::rfc3339,
    domain::metric::{Components, Confidence, Metric, Quality},
    ids::UserId,
    store::metrics::Reading,
};
use utoipa::ToSchema;

/// A user's newest metrics.
#[derive(Debug, Serialize, ToSchema)]
pub struct Answer {
    user_id: UserId,
    /// One row a metric, by its name.
    metrics: Vec<Row>,
}

/// What is newest of one metric.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LatestMetric)]
struct Row {
    metric: Metric,
    value: f64,
    unit: &'static str,
    #[schema(format = DateTime)]
    observed_at: String,
    /// The provider's name.
    source: String,
    /// 0 to 100: how far to trust it at this moment.
    #[schema(minimum = 0, maximum = 100)]
    confidence: f64,
    quality: Quality,
    components: Parts,
}

/// What the confidence is made of, each 0 to 1.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConfidenceComponents)]
struct Parts {
    completeness: f64,
    freshness: f64,
    source: f64,
    plausibility: f64,
    sufficiency: f64,
}

/// A reading as it is to be trusted at this moment.
struct Weighed {
    reading: Reading,
    freshness: f64,
    confidence: Confidence,
}

impl Answer {
    /// Of each metric what is newest by the user's own days; of a day, what is to be trusted most.
    pub fn new(user_id: UserId, readings: Vec<Reading>, wanted: &[Metric], now: DateTime<Utc>) -> Self {
        let readings = readings.into_iter().filter(|reading| wanted.contains(&reading.metric));
        let mut readings: Vec<Weighed> = readings.map(|reading| Weighed::at(reading, now)).collect();
        readings.sort_by_cached_key(|weighed| {
            let Weighed { reading, confidence, .. } = weighed;
            // At last by what never changes, so that the same readings always give the same answer.
            (reading.metric.name(), Reverse((reading.local_date, confidence.tenths(), reading.connection)))
        });
        readings.dedup_by_key(|weighed| weighed.reading.metric);
        Self { user_id, metrics: readings.into_iter().map(Row::of).collect() }
    }
}

impl Weighed {
    fn at(reading: Reading, now: DateTime<Utc>) -> Self {
        let freshness = Components::freshness(reading.metric, reading.observed_at, now);
        Self { confidence: reading.components.confidence(freshness), freshness, reading }
    }
}

impl Row {
    fn of(weighed: Weighed) -> Self {
        let Weighed { reading, freshness, confidence } = weighed;
        let Components { completeness, source, plausibility, sufficiency } = reading.components;
        Self {
            metric: reading.metric,
            value: rounded(reading.value, 10.0),
            unit: reading.metric.unit(),
            observed_at: rfc3339(reading.observed_at),
            source: reading.source,
            confidence: rounded(confidence.get(), 10.0),
            quality: confidence.quality(),
            components: Parts {
                completeness: rounded(completeness, 100.0),
                freshness: rounded(freshness, 100.0),
                source: rounded(source, 100.0),
                plausibility: rounded(plausibility, 100.0),
                sufficiency: rounded(sufficiency, 100.0),
            },
        }
    }
}

/// To parts of one, never `-0.0`.
fn rounded(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts + 0.0
}

#[cfg(test)]
mod tests;
