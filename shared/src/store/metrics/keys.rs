//! The sort keys of Metrics and LatestMetrics. Their parts hold no `#`.

use uuid::Uuid;

use crate::{
    domain::{
        metric::Metric,
        terra::{DataType, Handling},
    },
    ids::ConnectionId,
};

/// A day, a night or an activity that a connection tells of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DocumentKey {
    pub data_type: DataType,
    /// The local date or summary id.
    pub key: String,
    pub connection: ConnectionId,
}

/// One observation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey {
    pub metric: Metric,
    /// The local date or summary id.
    pub key: String,
    pub connection: ConnectionId,
    pub n: u32,
}

/// What a connection says of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LatestKey {
    pub metric: Metric,
    pub connection: ConnectionId,
}

impl DocumentKey {
    /// What no metric is named.
    pub(super) const PREFIX: &str = "document#";

    pub fn sk(&self) -> String {
        format!("{}{}#{}#{}", Self::PREFIX, self.data_type.name(), self.key, self.connection)
    }

    pub(super) fn parse(sk: &str) -> Option<Self> {
        let (rest, connection) = sk.strip_prefix(Self::PREFIX)?.rsplit_once('#')?;
        let (data_type, key) = rest.split_once('#')?;
        let Handling::Ingest(data_type) = Handling::of(data_type) else { return None };
        Some(Self { data_type, key: key.to_owned(), connection: parse_connection(connection)? })
    }

    /// An observation of it.
    pub fn row(&self, metric: Metric, n: u32) -> RowKey {
        RowKey { metric, key: self.key.clone(), connection: self.connection, n }
    }
}

impl RowKey {
    pub fn sk(&self) -> String {
        format!("{}#{}#{}#{}", self.metric.name(), self.key, self.connection, self.n)
    }

    pub(super) fn parse(sk: &str) -> Option<Self> {
        let (rest, n) = sk.rsplit_once('#')?;
        let (rest, connection) = rest.rsplit_once('#')?;
        let (metric, key) = rest.split_once('#')?;
        let metric = Metric::from_name(metric)?;
        Some(Self { metric, key: key.to_owned(), connection: parse_connection(connection)?, n: n.parse().ok()? })
    }

    /// The row of LatestMetrics that it concerns.
    pub fn latest(&self) -> LatestKey {
        LatestKey { metric: self.metric, connection: self.connection }
    }
}

impl LatestKey {
    pub fn sk(self) -> String {
        format!("{}#{}", self.metric.name(), self.connection)
    }

    pub(super) fn parse(sk: &str) -> Option<Self> {
        let (metric, connection) = sk.split_once('#')?;
        Some(Self { metric: Metric::from_name(metric)?, connection: parse_connection(connection)? })
    }

    /// An observation of it, by what tells it apart from the others.
    pub(super) fn row(self, key: &str, n: u32) -> RowKey {
        RowKey { metric: self.metric, key: key.to_owned(), connection: self.connection, n }
    }
}

fn parse_connection(text: &str) -> Option<ConnectionId> {
    Uuid::try_parse(text).ok().map(ConnectionId)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::derived;

    #[test]
    fn a_key_is_read_as_it_was_written() {
        let connection = ConnectionId(derived("connection", &["test"]));
        let document = DocumentKey { data_type: DataType::Sleep, key: "a.b:c_-9".to_owned(), connection };
        assert_eq!(document.sk(), format!("document#sleep#a.b:c_-9#{connection}"));
        assert_eq!(DocumentKey::parse(&document.sk()), Some(document.clone()));
        let row = document.row(Metric::RestingHr, 12);
        assert_eq!(row.sk(), format!("resting_hr#a.b:c_-9#{connection}#12"));
        assert_eq!(RowKey::parse(&row.sk()), Some(row.clone()));
        assert_eq!(LatestKey::parse(&row.latest().sk()), Some(row.latest()));
    }

    #[test]
    fn what_is_no_key_is_none() {
        let connection = ConnectionId(derived("connection", &["test"]));
        let row = RowKey { metric: Metric::Steps, key: "2026-07-01".to_owned(), connection, n: 0 };
        assert_eq!(DocumentKey::parse(&row.sk()), None);
        for text in ["", "steps", "steps#2026-07-01#x#0", &format!("strides#2026-07-01#{connection}#0")] {
            assert_eq!(RowKey::parse(text), None, "{text}");
            assert_eq!(LatestKey::parse(text), None, "{text}");
        }
    }
}
