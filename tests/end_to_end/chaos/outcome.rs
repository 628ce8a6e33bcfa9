//! What is stored in the end, save when it was worked on.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use futures::{StreamExt, stream};
use local::Stack;

use crate::support::{
    storage::all_rows,
    terra::{number, text},
};

/// What deliveries come to, table by table, row by row, each row as text.
pub type Outcome = BTreeMap<&'static str, BTreeMap<String, String>>;

/// Tables that deliveries alone decide, and the names of their keys.
const DECIDED: [(&str, [&str; 2]); 4] = [
    ("MetricsTable", ["user_id", "sk"]),
    ("LatestMetricsTable", ["user_id", "sk"]),
    ("ConnectionsTable", ["terra_user_id", "terra_user_id"]),
    ("QuarantineTable", ["terra_user_id", "delivery_id"]),
];
/// How often a row was written, and until when it is kept.
const OF_PROCESSING: [&str; 2] = ["version", "ttl"];

pub async fn of(stack: &Stack) -> Outcome {
    let tables = stream::iter(DECIDED).then(async |(table, keys)| {
        let rows = all_rows(stack, table).await.into_iter().map(|mut row| {
            let key = keys.map(|key| text(&row, key).unwrap()).join(" ");
            row.retain(|name, _| !OF_PROCESSING.contains(&name.as_str()));
            (key, shown(&AttributeValue::M(row)))
        });
        (table, rows.collect())
    });
    let mut outcome: Outcome = tables.collect().await;
    outcome.insert("counters", counters(stack).await);
    outcome
}

/// The hourly counters, summed up over hours and shards.
async fn counters(stack: &Stack) -> BTreeMap<String, String> {
    let mut sums = BTreeMap::<String, u64>::new();
    for row in
        all_rows(stack, "ControlTable").await.iter().filter(|row| text(row, "key").unwrap().starts_with("count:"))
    {
        for name in row.keys().filter(|name| !["key", "ttl"].contains(&name.as_str())) {
            *sums.entry(name.clone()).or_default() += number(row, name);
        }
    }
    sums.into_iter().map(|(name, sum)| (name, sum.to_string())).collect()
}

/// Every row that is not the same in both.
pub fn differences(one: &Outcome, other: &Outcome) -> Vec<String> {
    let mut found = Vec::new();
    for (table, rows) in one {
        let others = &other[table];
        let keys: BTreeSet<&String> = rows.keys().chain(others.keys()).collect();
        let differ = keys.into_iter().filter(|key| rows.get(*key) != others.get(*key));
        found.extend(differ.map(|key| format!("{table} {key}:\n  {:?}\n  {:?}", rows.get(key), others.get(key))));
    }
    found
}

/// A value in one spelling.
fn shown(value: &AttributeValue) -> String {
    match value {
        AttributeValue::M(members) => {
            let members: BTreeMap<_, _> = members.iter().map(|(name, value)| (name, shown(value))).collect();
            format!("{members:?}")
        }
        AttributeValue::L(values) => format!("{:?}", values.iter().map(shown).collect::<Vec<_>>()),
        AttributeValue::S(text) => text.clone(),
        AttributeValue::N(number) => number.clone(),
        other => format!("{other:?}"),
    }
}
