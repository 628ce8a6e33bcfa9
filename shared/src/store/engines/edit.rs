//! What is to become of engines, and doing it until no other writer comes between.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt, stream};

use super::{
    Engines, database,
    save::{Change, MOST_CHANGES, Written},
};
use crate::{
    domain::engine::{Description, Engine, Prediction},
    error::Result,
    ids::{EngineId, FleetId},
};

/// Attempts while others write the same engines.
const ATTEMPTS: u32 = 6;
/// After the first attempt, full jitter; doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// Transactions that are under way at the same time.
const AT_ONCE: usize = 4;

/// What is to become of one engine.
#[derive(Debug, Clone)]
pub struct Edit {
    pub fleet_id: FleetId,
    pub engine_id: EngineId,
    /// The engine as it was read; none where it was not known.
    pub before: Option<Engine>,
    pub description: Description,
    pub prediction: Option<Prediction>,
}

impl Edit {
    fn change(&self, now: DateTime<Utc>) -> Change {
        let engine = || Engine::new(self.fleet_id.clone(), self.engine_id.clone(), now);
        let mut after = self.description.apply(self.before.clone().unwrap_or_else(engine));
        after.version += 1;
        if let Some(prediction) = &self.prediction {
            // Of two that are worked out at the same time, the later one stands, whichever is written first.
            let newer = after.latest.as_ref().is_none_or(|latest| latest.at <= prediction.at);
            if newer {
                after.latest = Some(prediction.clone());
            }
        }
        Change { before: self.before.clone(), after, prediction: self.prediction.clone() }
    }

    fn key(&self) -> (FleetId, EngineId) {
        (self.fleet_id.clone(), self.engine_id.clone())
    }
}

impl Engines {
    /// Makes edits of different engines: the engines as they then are, in no order. Those that another writer has changed in
    /// the meantime are read again.
    pub async fn apply(&self, edits: Vec<Edit>, now: DateTime<Utc>) -> Result<Vec<Engine>> {
        let portions: Vec<_> = edits.chunks(MOST_CHANGES).map(|portion| self.portion(portion.to_vec(), now)).collect();
        let engines: Vec<Vec<Engine>> = stream::iter(portions).buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(engines.concat())
    }

    async fn portion(&self, mut edits: Vec<Edit>, now: DateTime<Utc>) -> Result<Vec<Engine>> {
        let mut pause = FIRST_PAUSE;
        for attempt in 1..=ATTEMPTS {
            let changes: Vec<_> = edits.iter().map(|edit| edit.change(now)).collect();
            if self.save(&changes, now).await? == Written::Done {
                return Ok(changes.into_iter().map(|change| change.after).collect());
            }
            if attempt < ATTEMPTS {
                tokio::time::sleep(pause.mul_f64(rand::random_range(0.0..=1.0))).await;
                pause *= 2;
                self.read_again(&mut edits).await?;
            }
        }
        Err(database("the engines are being written by others"))
    }

    async fn read_again(&self, edits: &mut [Edit]) -> Result<()> {
        let keys: Vec<_> = edits.iter().map(Edit::key).collect();
        let known = self.find_all(&keys).await?.into_iter();
        let mut known: HashMap<_, _> =
            known.map(|engine| ((engine.fleet_id.clone(), engine.engine_id.clone()), engine)).collect();
        for edit in edits {
            edit.before = known.remove(&edit.key());
        }
        Ok(())
    }
}
