//! Storing readings: each cycle once, whatever is sent twice.

use std::time::Duration;

use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use futures::{StreamExt, TryStreamExt, stream};

use super::{Engines, database, row};
use crate::{
    domain::engine::Reading,
    error::{Error, Result},
    ids::{EngineId, FleetId},
};

/// Most writes of one `BatchWriteItem`.
const WRITES_AT_ONCE: usize = 25;
/// Calls that are under way at the same time.
const CALLS_AT_ONCE: usize = 8;
/// Rounds until what the database leaves out counts as its failure.
const ROUNDS: u32 = 6;
/// Before the second round; doubled for each further one, and cut short by up to half so that callers don't march in step.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

impl Engines {
    /// Stores readings, each in place of what was stored of its cycle. No cycle may stand there twice. What a failure leaves
    /// undone is done when the same is called again.
    pub async fn put_readings(&self, fleet: &FleetId, engine: &EngineId, readings: &[Reading]) -> Result<()> {
        let portions = readings.chunks(WRITES_AT_ONCE).map(|portion| self.put_portion(fleet, engine, portion));
        let portions: Vec<_> = portions.collect();
        stream::iter(portions).buffer_unordered(CALLS_AT_ONCE).try_collect().await
    }

    async fn put_portion(&self, fleet: &FleetId, engine: &EngineId, readings: &[Reading]) -> Result<()> {
        let mut writes = Vec::with_capacity(readings.len());
        for reading in readings {
            let put = PutRequest::builder().set_item(Some(row::reading_item(fleet, engine, reading)?));
            writes.push(WriteRequest::builder().put_request(put.build().map_err(Error::internal)?).build());
        }
        let mut pause = FIRST_PAUSE;
        for round in 1..=ROUNDS {
            let write = self.aws.dynamodb().await.batch_write_item().request_items(&self.table, writes);
            let output = write.send().await.map_err(database)?;
            writes = output.unprocessed_items.unwrap_or_default().remove(&self.table).unwrap_or_default();
            if writes.is_empty() {
                return Ok(());
            }
            if round < ROUNDS {
                tokio::time::sleep(pause.mul_f64(rand::random_range(0.5..=1.0))).await;
                pause *= 2;
            }
        }
        Err(database("writes were left unprocessed"))
    }
}
