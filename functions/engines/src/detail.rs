//! The answer of `GET engines/{id}`: what is asked for is read at once.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use shared::{
    Context, Error, Result,
    domain::engine::{Engine, MAX_READINGS, Prediction, Reading, SensorStatistics, Shown, statistics},
    ids::{EngineId, FleetId},
    store::engines::Engines,
};
use tokio::try_join;
use utoipa::ToSchema;

use crate::wish::{Part, Wish};

/// Predictions that are shown.
const PREDICTIONS: usize = 10;

/// The parts that were asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct Detail {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<Shown>)]
    engine: Option<Value>,
    /// In the order of their cycles.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    history: Option<Vec<Reading>>,
    /// By the sensor's name; null without a reading. Of the newest thousand readings.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BTreeMap<String, SensorStatistics>>)]
    statistics: Option<Option<BTreeMap<&'static str, SensorStatistics>>>,
    /// The newest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    predictions: Option<Vec<Predicted>>,
    /// Where the history goes on; null where it does not.
    cursor: Option<String>,
}

/// A prediction as it was answered.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StoredPrediction)]
struct Predicted {
    status: shared::domain::engine::Health,
    #[serde(flatten)]
    prediction: Prediction,
}

pub async fn read(ctx: &Context, fleet: &FleetId, engine: &EngineId, wish: &Wish) -> Result<Detail> {
    let store = &ctx.engines;
    let (newest, page, predictions) = try_join!(
        newest(store, fleet, engine, wish),
        async {
            match wish.has(Part::History) {
                // One more than is shown says whether there is another page.
                true => store.readings(fleet, engine, wish.after, wish.limit + 1).await.map(Some),
                false => Ok(None),
            }
        },
        async {
            match wish.has(Part::Predictions) {
                true => store.predictions(fleet, engine, PREDICTIONS).await.map(Some),
                false => Ok(None),
            }
        },
    )?;
    let (Some(known), readings) = newest else { return Err(Error::NotFound("engine")) };
    let (history, cursor) = page.map(|page| cut(page, wish.limit)).unzip();
    Ok(Detail {
        engine: wish
            .has(Part::Engine)
            .then(|| serde_json::to_value(Shown::of(&known)))
            .transpose()
            .map_err(Error::internal)?,
        history,
        statistics: wish.has(Part::Statistics).then(|| statistics(&readings).map(BTreeMap::from_iter)),
        predictions: predictions.map(|all| all.into_iter().map(Predicted::of).collect()),
        cursor: cursor.flatten(),
    })
}

/// The engine, with its newest readings where statistics are asked for.
async fn newest(
    store: &Engines,
    fleet: &FleetId,
    engine: &EngineId,
    wish: &Wish,
) -> Result<(Option<Engine>, Vec<Reading>)> {
    if wish.has(Part::Statistics) {
        store.history(fleet, engine, MAX_READINGS).await
    } else {
        Ok((store.find(fleet, engine).await?, Vec::new()))
    }
}

/// The page, and where it ended if there is more.
fn cut(mut readings: Vec<Reading>, limit: usize) -> (Vec<Reading>, Option<String>) {
    let more = readings.len() > limit;
    readings.truncate(limit);
    let cursor = readings.last().filter(|_| more).map(|last| last.cycle.to_string());
    (readings, cursor)
}

impl Predicted {
    fn of(prediction: Prediction) -> Self {
        Self { status: prediction.health(), prediction }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_given_only_where_there_is_more() {
        let page = |count: u32| -> Vec<_> {
            (1..=count).map(|cycle| Reading { cycle, settings: [0.0; 3], sensors: [0.0; 14] }).collect()
        };
        assert_eq!(cut(page(3), 2), (page(2), Some("2".to_owned())));
        assert_eq!(cut(page(2), 2), (page(2), None));
        assert_eq!(cut(page(0), 2), (page(0), None));
    }
}
