//! What of a request's body the front looks at.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// What of a body says what is called. The rest, most of it, is passed over: every call comes through here.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Body {
    table_name: Option<String>,
    pub index_name: Option<String>,
    queue_url: Option<String>,
    queue_name: Option<String>,
    pub secret_id: Option<String>,
    consistent_read: Option<bool>,
    request_items: BTreeMap<String, Batch>,
    /// Each under what it does, such as `Put`.
    transact_items: Vec<BTreeMap<String, Action>>,
}

/// One item of a transaction.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Action {
    table_name: Option<String>,
}

/// What a batch asks of one table: an object for reads, a list for writes.
#[derive(Default)]
struct Batch {
    consistent: bool,
}

impl<'de> Deserialize<'de> for Batch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BatchVisitor)
    }
}

struct BatchVisitor;

impl<'de> Visitor<'de> for BatchVisitor {
    type Value = Batch;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the keys to read or a list of writes")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Batch, A::Error> {
        let mut batch = Batch::default();
        while let Some(name) = map.next_key::<String>()? {
            if name == "ConsistentRead" {
                batch.consistent = map.next_value::<Option<bool>>()?.unwrap_or_default();
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(batch)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut writes: A) -> Result<Batch, A::Error> {
        while writes.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Batch::default())
    }
}

impl Body {
    /// A batch counts as consistent where any of its tables is read so.
    pub fn is_eventual(&self, operation: &str) -> bool {
        match operation {
            "GetItem" | "Query" | "Scan" => !self.consistent_read.unwrap_or_default(),
            "BatchGetItem" => !self.request_items.values().any(|read| read.consistent),
            _ => false,
        }
    }

    pub fn tables(&self) -> Vec<String> {
        let transaction = self.transact_items.iter().flat_map(|item| item.values());
        let transaction = transaction.filter_map(|action| action.table_name.clone());
        let batch = self.request_items.keys().cloned();
        let mut tables: Vec<String> = self.table_name.iter().cloned().chain(batch).chain(transaction).collect();
        tables.sort();
        tables.dedup();
        tables
    }

    /// What a transaction does to which tables.
    pub fn members(&self) -> Vec<(String, String)> {
        let actions = self.transact_items.iter().flatten();
        let members = actions.filter_map(|(kind, action)| Some((kind.as_str(), action.table_name.as_deref()?)));
        let members: BTreeSet<_> = members.collect();
        members.into_iter().map(|(kind, table)| (kind.to_owned(), table.to_owned())).collect()
    }

    pub fn queue(&self) -> Vec<String> {
        let url = self.queue_url.as_deref().and_then(|url| url.rsplit('/').next());
        url.or(self.queue_name.as_deref()).map(str::to_owned).into_iter().collect()
    }
}
