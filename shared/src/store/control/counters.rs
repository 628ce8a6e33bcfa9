//! `count:<hour>#<shard>` {scored, confident, confidence_tenths, webhooks_done, webhooks_dead, ttl}: what jobs came to, hour
//! by hour. An hour is spread over a few items, so that workers which are done at the same time seldom meet in one.

use std::{collections::HashMap, iter::Sum, ops::Add};

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, TransactWriteItem, Update};
use chrono::{DateTime, TimeDelta, Utc};

use super::{Control, ControlUnavailable, Item, number, read_number, text, unavailable};
use crate::jobs::{Job, Tally};

const SHARDS: u8 = 4;
/// With [`SHARDS`], 96 keys: what one `BatchGetItem` reads.
const HOURS: i64 = 24;
const SECONDS_AN_HOUR: i64 = 3600;
const KEPT_FOR: TimeDelta = TimeDelta::days(2);

/// Sums over jobs of what each of them came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Observations that were scored.
    pub scored: u64,
    /// Of these, with a confidence of at least 80.
    pub confident: u64,
    /// The sum of their confidences, in tenths.
    pub confidence_tenths: u64,
    pub webhooks_done: u64,
    pub webhooks_dead: u64,
}

impl Counts {
    /// Of a job that is done.
    pub fn of(tally: Tally) -> Self {
        Self {
            scored: tally.scored,
            confident: tally.confident,
            confidence_tenths: tally.confidence_tenths,
            webhooks_done: tally.webhooks,
            webhooks_dead: 0,
        }
    }

    /// Of a job of this type that died.
    pub fn dead(kind: &str) -> Self {
        Self { webhooks_dead: u64::from(Job::WEBHOOKS.contains(&kind)), ..Self::default() }
    }

    fn named(&self) -> [(&'static str, u64); 5] {
        [
            ("scored", self.scored),
            ("confident", self.confident),
            ("confidence_tenths", self.confidence_tenths),
            ("webhooks_done", self.webhooks_done),
            ("webhooks_dead", self.webhooks_dead),
        ]
    }

    fn read(item: &Item) -> Self {
        let count = |name| read_number(item, name).unwrap_or_default();
        Self {
            scored: count("scored"),
            confident: count("confident"),
            confidence_tenths: count("confidence_tenths"),
            webhooks_done: count("webhooks_done"),
            webhooks_dead: count("webhooks_dead"),
        }
    }
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            scored: self.scored + other.scored,
            confident: self.confident + other.confident,
            confidence_tenths: self.confidence_tenths + other.confidence_tenths,
            webhooks_done: self.webhooks_done + other.webhooks_done,
            webhooks_dead: self.webhooks_dead + other.webhooks_dead,
        }
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), Add::add)
    }
}

fn key(hour: i64, shard: u8) -> String {
    format!("count:{hour}#{shard}")
}

/// Hours since the epoch.
fn hour_of(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(SECONDS_AN_HOUR)
}

impl Control {
    /// The write, for a transaction of the caller's, that adds these to the hour's counters, in a shard drawn anew each time;
    /// nothing where there is nothing to add.
    pub(crate) fn count_item(&self, counts: Counts, now: DateTime<Utc>) -> Option<TransactWriteItem> {
        let added: Vec<_> = counts.named().into_iter().filter(|(_, count)| *count > 0).collect();
        if added.is_empty() {
            return None;
        }
        let sums: Vec<_> = added.iter().map(|(name, _)| format!("{name} :{name}")).collect();
        let mut update = Update::builder()
            .table_name(&self.table)
            .key("key", text(key(hour_of(now), rand::random_range(0..SHARDS))))
            .update_expression(format!("SET #ttl = :ttl ADD {}", sums.join(", ")))
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":ttl", number((now + KEPT_FOR).timestamp()));
        for (name, count) in added {
            update = update.expression_attribute_values(format!(":{name}"), number(count));
        }
        // It fails only for want of a key or an expression.
        Some(TransactWriteItem::builder().update(update.build().ok()?).build())
    }

    /// What the last 24 hours came to, this hour first.
    pub async fn counts_of_day(&self, now: DateTime<Utc>) -> Result<Vec<Counts>, ControlUnavailable> {
        let this_hour = hour_of(now);
        let keys = (0..HOURS).flat_map(|ago| (0..SHARDS).map(move |shard| key(this_hour - ago, shard)));
        let keys = keys.map(|key| HashMap::from([("key".to_owned(), text(key))])).collect();
        let mut sums: HashMap<String, Counts> = HashMap::new();
        for item in self.items(keys).await? {
            let hour = item.get("key").and_then(|key| key.as_s().ok()).and_then(|key| key.split('#').next());
            let sum = sums.entry(hour.unwrap_or_default().to_owned()).or_default();
            *sum = *sum + Counts::read(&item);
        }
        Ok((0..HOURS).map(|ago| sums.remove(&format!("count:{}", this_hour - ago)).unwrap_or_default()).collect())
    }

    /// The items that are there; what was written a moment ago may not be in them.
    async fn items(&self, keys: Vec<HashMap<String, AttributeValue>>) -> Result<Vec<Item>, ControlUnavailable> {
        let mut wanted = KeysAndAttributes::builder().set_keys(Some(keys)).build().ok();
        let mut found = Vec::new();
        while let Some(keys) = wanted.take() {
            let get = self.aws.dynamodb().await.batch_get_item().request_items(&self.table, keys);
            let get = get.customize().config_override(super::within(self.deadlines.breaker));
            let output = get.send().await.map_err(unavailable)?;
            let items = output.responses.unwrap_or_default().remove(&self.table).unwrap_or_default();
            wanted = output.unprocessed_keys.unwrap_or_default().remove(&self.table);
            if items.is_empty() && wanted.is_some() {
                return Err(unavailable("keys were left unprocessed"));
            }
            found.extend(items);
        }
        Ok(found)
    }
}
