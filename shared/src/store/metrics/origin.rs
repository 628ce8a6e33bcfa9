//! Which row a value of LatestMetrics comes from, as one short text: of the row's key, metric and connection stand in the
//! key of LatestMetrics already.

use serde::{Deserialize, de::IntoDeserializer};

use super::{LatestKey, RowKey};
use crate::domain::metric::AsOf;

/// Key and ordinal of the row, and as of when; `None` for what is no key of ours.
pub(super) fn write(row: &str, as_of: &AsOf) -> Option<String> {
    let RowKey { key, n, .. } = RowKey::parse(row)?;
    Some(format!("{key} {n} {}", as_of.as_str()))
}

/// The row's key, and as of when; `None` for a text that was not written here.
pub(super) fn read(text: &str, latest: LatestKey) -> Option<(String, AsOf)> {
    let mut fields = text.splitn(3, ' ');
    let mut next = || fields.next();
    let row = latest.row(next()?, next()?.parse().ok()?).sk();
    let as_of: serde::de::value::StrDeserializer<'_, serde::de::value::Error> = next()?.into_deserializer();
    Some((row, AsOf::deserialize(as_of).ok()?))
}
