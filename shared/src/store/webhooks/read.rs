//! Reading deliveries: all rows at once, then the objects that some of them point to.

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use futures::{StreamExt, stream};

use super::{
    Delivery, Webhooks,
    row::{self, Item},
};
use crate::{
    error::{Error, Result},
    ids::DeliveryId,
    store::batch_get::batch_get,
};

/// Objects that are read at the same time: each may be megabytes.
const OBJECTS_AT_ONCE: usize = 16;

pub(super) async fn deliveries(
    webhooks: &Webhooks,
    ids: &[DeliveryId],
) -> Result<HashMap<DeliveryId, Result<Delivery>>> {
    let unique: HashSet<&DeliveryId> = ids.iter().collect();
    let keys =
        unique.into_iter().map(|id| HashMap::from([("delivery_id".to_owned(), AttributeValue::S(id.0.clone()))]));
    let items = batch_get(&webhooks.aws, &webhooks.table, keys.collect()).await?;
    let deliveries = stream::iter(items).map(|item| whole(webhooks, item)).buffer_unordered(OBJECTS_AT_ONCE);
    Ok(deliveries.filter_map(async |delivery| delivery).collect().await)
}

/// A row with its body, or nothing where the object was never stored.
async fn whole(webhooks: &Webhooks, item: Item) -> Option<(DeliveryId, Result<Delivery>)> {
    let id = DeliveryId(item.get("delivery_id")?.as_s().ok()?.clone());
    let delivery = async {
        let mut row = row::read(item)?;
        let body = match (row.body.take(), &row.object_key) {
            (Some(text), _) => Some(Bytes::from(text)),
            (None, Some(key)) => webhooks.objects.get(key).await?,
            (None, None) => return Err(Error::internal("a delivery's row has neither a body nor an object's key")),
        };
        body.map(|body| row.with(body)).transpose()
    };
    delivery.await.transpose().map(|delivery| (id, delivery))
}
