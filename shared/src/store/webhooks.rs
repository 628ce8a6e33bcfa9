//! The Webhooks table: raw deliveries as they came. A body over 4 KB lies in the bucket under `webhooks/`, and its row
//! holds the key: a write is paid by the KB.
//!
//! Row and object are written side by side. A delivery is accepted once both are there and its job is on the queue; one of
//! which only a part is there was never accepted, and its sender sends it again.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{
    config::Builder,
    operation::put_item::PutItemError,
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    aws::{self, Aws},
    domain::metric::AsOf,
    error::{Error, Result},
    ids::DeliveryId,
    store::objects::Objects,
};

mod read;
mod row;

use row::Place;

const IF_NEW: &str = "attribute_not_exists(delivery_id)";

/// The Webhooks table, and the bucket for what is too large for it.
#[derive(Clone)]
pub struct Webhooks {
    aws: Aws,
    table: String,
    objects: Objects,
}

/// A delivery to be stored.
#[derive(Debug, Clone)]
pub struct NewDelivery {
    pub id: DeliveryId,
    /// As in the body's `type`; short, whatever the body says.
    pub kind: String,
    /// The body's `user.user_id`: what a user's deliveries are found by.
    pub terra_user_id: Option<String>,
    /// The bytes exactly as they came.
    pub body: Bytes,
    /// Of the body, in lower-case hexadecimal.
    pub sha256: String,
    pub received_at: DateTime<Utc>,
    /// By its ordering timestamp, or `received_at` where it has none.
    pub as_of: AsOf,
    /// Of this receipt alone, so that a retry whose first attempt did arrive knows its own row.
    pub receipt: Uuid,
}

/// What came of storing a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    New,
    /// There was one of this id before, which stays as it is.
    Known {
        /// Of its body: another one is another delivery, whatever its id.
        sha256: String,
        received_at: DateTime<Utc>,
        as_of: AsOf,
    },
}

/// A delivery as it was stored.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub id: DeliveryId,
    /// As in the body's `type`.
    pub kind: String,
    pub body: Bytes,
    pub received_at: DateTime<Utc>,
    /// By its ordering timestamp, or its first receipt where it has none.
    pub as_of: AsOf,
}

impl Webhooks {
    pub fn new(aws: Aws, table: String, objects: Objects) -> Self {
        Self { aws, table, objects }
    }

    /// Stores a delivery unless its id is known, each of its calls within `deadline` and attempted twice at most.
    ///
    /// An object that is missing is stored even if the row is known: an earlier attempt may have come only half way.
    pub async fn store(&self, delivery: &NewDelivery, deadline: Duration) -> Result<Stored> {
        match Place::of(delivery) {
            Place::Row(body) => self.put(delivery, "body", body, deadline).await,
            Place::Object(key) => {
                let body = self.objects.put_within(&key, delivery.body.clone(), "application/json", deadline);
                let row = self.put(delivery, "object_key", &key, deadline);
                Ok(tokio::try_join!(row, body)?.0)
            }
        }
    }

    async fn put(&self, delivery: &NewDelivery, name: &str, value: &str, deadline: Duration) -> Result<Stored> {
        let put = self.aws.dynamodb().await.put_item().table_name(&self.table);
        let sent = put
            .set_item(Some(row::item(delivery)))
            .item(name, AttributeValue::S(value.to_owned()))
            .condition_expression(IF_NEW)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .customize()
            .config_override(within(deadline))
            .send()
            .await;
        let Err(err) = sent else { return Ok(Stored::New) };
        match err.into_service_error() {
            PutItemError::ConditionalCheckFailedException(failed) => {
                row::known(failed.item.unwrap_or_default(), delivery.receipt)
            }
            err => Err(database(err)),
        }
    }

    /// The deliveries that are there, bodies from the bucket included. What was never stored whole (no row, or no object)
    /// is not in it; one whose object could not be read is there as an error, and no other suffers from it.
    pub async fn read(&self, ids: &[DeliveryId]) -> Result<HashMap<DeliveryId, Result<Delivery>>> {
        read::deliveries(self, ids).await
    }
}

/// Two attempts within `deadline`. The rest of the client's configuration, and with it its connections, stays.
fn within(deadline: Duration) -> Builder {
    let (timeouts, attempts) = aws::within(deadline);
    Builder::new().timeout_config(timeouts).retry_config(attempts)
}

/// What the caller hears when the database does not answer.
fn database(err: impl Into<crate::error::Cause>) -> Error {
    Error::unavailable("the database is not available, try again", err)
}
