//! The engines that are asked about, with their histories.

use std::collections::{BTreeSet, HashMap};

use futures::{StreamExt, future::join, stream};
use shared::{
    Context, Error, Result,
    domain::{
        engine::{Engine, MAX_READINGS, Reading},
        invalid::Invalid,
    },
    ids::{EngineId, FleetId},
};
use tracing::error;

use crate::ask::Ask;

/// Histories that are read at the same time.
const AT_ONCE: usize = 32;

/// An engine with its history.
#[derive(Debug)]
pub struct Subject {
    pub engine_id: EngineId,
    /// As it is stored, where it is known.
    pub known: Option<Engine>,
    /// One at least, in the order of their cycles.
    pub readings: Vec<Reading>,
}

impl Subject {
    /// The last cycle of its history.
    pub fn last_cycle(&self) -> u32 {
        self.readings.last().map_or(0, |reading| reading.cycle)
    }
}

type Key = (FleetId, EngineId);

/// The engines that are known and the histories that are stored, all read at once: one read for all engines that brought
/// their readings along, and one for each that did not.
pub async fn load(ctx: &Context, asks: Vec<Result<Ask>>) -> Vec<Result<Subject>> {
    let inline: BTreeSet<Key> = asks.iter().flatten().filter(|ask| ask.readings.is_some()).filter_map(key).collect();
    let stored: Vec<Key> = asks.iter().flatten().filter(|ask| ask.readings.is_none()).filter_map(key).collect();
    let histories: Vec<_> =
        stored.iter().map(|(fleet, engine)| ctx.engines.history(fleet, engine, MAX_READINGS)).collect();
    let histories = stream::iter(histories).buffered(AT_ONCE).collect::<Vec<_>>();
    let (known, histories) = join(known(ctx, inline), histories).await;
    let mut histories = histories.into_iter();
    let mut subject = |ask: Ask| match ask.readings {
        Some(readings) => {
            let known = key_of(&ask.fleet_id, &ask.engine_id).map(|key| known.engine(&key)).transpose()?.flatten();
            Ok(Subject { engine_id: ask.engine_id, known, readings })
        }
        None => {
            let history = histories.next().ok_or_else(|| Error::internal("a history was not read"))?;
            of_history(ask.engine_id, history?)
        }
    };
    asks.into_iter().map(|ask| ask.and_then(&mut subject)).collect::<Vec<_>>()
}

fn of_history(engine_id: EngineId, (known, readings): (Option<Engine>, Vec<Reading>)) -> Result<Subject> {
    match known {
        None => Err(Error::NotFound("engine")),
        Some(_) if readings.is_empty() => {
            Err(Invalid::at("/sensor_data", "is required: no readings of the engine are stored").into())
        }
        known => Ok(Subject { engine_id, known, readings }),
    }
}

/// What was read of the engines that brought their readings along.
enum Known {
    Engines(HashMap<Key, Engine>),
    /// The database did not answer.
    Unavailable,
}

impl Known {
    fn engine(&self, key: &Key) -> Result<Option<Engine>> {
        match self {
            Self::Engines(engines) => Ok(engines.get(key).cloned()),
            Self::Unavailable => Err(Error::unavailable("the database is not available, try again", "logged before")),
        }
    }
}

async fn known(ctx: &Context, keys: BTreeSet<Key>) -> Known {
    let keys: Vec<_> = keys.into_iter().collect();
    match ctx.engines.find_all(&keys).await {
        Ok(engines) => Known::Engines(
            engines.into_iter().map(|engine| ((engine.fleet_id.clone(), engine.engine_id.clone()), engine)).collect(),
        ),
        Err(err) => {
            error!(error = &err as &dyn std::error::Error, "engines not read");
            Known::Unavailable
        }
    }
}

fn key(ask: &Ask) -> Option<Key> {
    key_of(&ask.fleet_id, &ask.engine_id)
}

fn key_of(fleet: &Option<FleetId>, engine: &EngineId) -> Option<Key> {
    fleet.clone().map(|fleet| (fleet, engine.clone()))
}
