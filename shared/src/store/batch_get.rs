//! Items by their keys, as many as there are: `BatchGetItem` in its portions, until every key has its answer.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use futures::future::try_join_all;

use crate::{
    aws::Aws,
    error::{Error, Result},
};

/// Most keys of one call.
const KEYS_AT_ONCE: usize = 100;
/// Rounds until what the database leaves out counts as its failure.
const ROUNDS: u32 = 6;
/// Before the second round; doubled for each further one, and cut short by up to half so that callers don't march in step.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

type Item = HashMap<String, AttributeValue>;

/// The items that are there, in no order, read strongly consistent. No key may stand in `keys` twice.
pub(crate) async fn batch_get(aws: &Aws, table: &str, keys: Vec<Item>) -> Result<Vec<Item>> {
    let portions = keys.chunks(KEYS_AT_ONCE).map(|keys| portion(aws, table, keys.to_vec()));
    Ok(try_join_all(portions).await?.concat())
}

async fn portion(aws: &Aws, table: &str, mut keys: Vec<Item>) -> Result<Vec<Item>> {
    let mut found = Vec::with_capacity(keys.len());
    let mut pause = FIRST_PAUSE;
    for round in 1..=ROUNDS {
        let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
        let get = aws.dynamodb().await.batch_get_item().request_items(table, wanted.map_err(Error::internal)?);
        let output = get.send().await.map_err(unavailable)?;
        found.extend(output.responses.unwrap_or_default().remove(table).unwrap_or_default());
        let rest = output.unprocessed_keys.unwrap_or_default().remove(table);
        keys = rest.map(|rest| rest.keys).unwrap_or_default();
        if keys.is_empty() {
            return Ok(found);
        }
        if round < ROUNDS {
            tokio::time::sleep(pause.mul_f64(rand::random_range(0.5..=1.0))).await;
            pause *= 2;
        }
    }
    Err(unavailable("keys were left unprocessed"))
}

fn unavailable(err: impl Into<crate::error::Cause>) -> Error {
    Error::unavailable("the database is not available, try again", err)
}
