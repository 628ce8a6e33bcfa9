//! The tables Metrics and LatestMetrics: what is written holds only for what was read.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::json;
use shared::{
    domain::{
        metric::{AsOf, Latest, normalise},
        terra::DataType,
    },
    ids::{ConnectionId, DeliveryId, Ids, UserId},
    store::metrics::{
        DocumentKey, DocumentWrite, LatestKey, LatestWrite, Metrics, Segment, StoredDocument, StoredRow, Written,
        storable,
    },
};

use crate::database::{Database, LATEST_METRICS, METRICS};

struct Tables {
    _database: Database,
    metrics: Metrics,
    user: UserId,
    connection: ConnectionId,
}

impl Tables {
    async fn new() -> Self {
        let database = Database::start().await;
        let metrics = Metrics::new(database.aws.clone(), METRICS.into(), LATEST_METRICS.into());
        Self { _database: database, metrics, user: UserId(Ids.uuid()), connection: ConnectionId(Ids.uuid()) }
    }

    fn document(&self) -> DocumentKey {
        DocumentKey { data_type: DataType::Daily, key: "2026-07-01".into(), connection: self.connection }
    }

    /// A day with its steps, as of a second, where nothing was before.
    fn day(&self, second: i64, steps: u32) -> Segment {
        let day = json!({
            "metadata": { "start_time": "2026-07-01T00:00:00+02:00", "end_time": "2026-07-02T00:00:00+02:00" },
            "distance_data": { "steps": steps },
        });
        let as_of = AsOf::new(at(second), &DeliveryId("d".into()));
        let key = self.document();
        let observations = normalise(DataType::Daily, "OURA", &day).unwrap().observations.into_iter().map(storable);
        let mut segment = Segment::new(self.user);
        for observation in observations {
            let key = key.row(observation.metric, observation.ordinal);
            let mut latest = Latest::new(observation.metric);
            let _ = latest.offer(&key.sk(), &observation, &as_of);
            segment.latest.push(LatestWrite { key: key.latest(), latest, read: None, version: Ids.uuid() });
            segment.puts.push(StoredRow { key, observation, as_of: as_of.clone() });
        }
        let rows = segment.puts.iter().map(|row| row.key.clone()).collect();
        let document = StoredDocument { as_of, rows, unfinished: false };
        segment.documents.push(DocumentWrite { key, document, read: None });
        segment
    }

    /// The same in place of what `before` wrote.
    fn after(&self, before: &Segment, second: i64, steps: u32) -> Segment {
        let mut segment = self.day(second, steps);
        segment.documents[0].read = Some(before.documents[0].document.as_of.clone());
        segment.latest[0].read = Some(before.latest[0].version);
        segment
    }

    async fn write(&self, segments: &[&Segment]) -> Written {
        self.metrics.write(segments).await.unwrap()
    }

    async fn values(&self) -> Vec<f64> {
        self.metrics.latest(self.user).await.unwrap().iter().map(|reading| reading.value).collect()
    }
}

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_782_900_000 + second, 0).unwrap()
}

#[tokio::test]
async fn what_was_written_is_read_back() {
    let tables = Tables::new().await;
    let day = tables.day(1, 9000);
    assert_eq!(tables.write(&[&day]).await, Written::Done);

    let (user, key) = (tables.user, day.latest[0].key);
    let standing = tables.metrics.standing(&[(user, tables.document())], &[(user, key)]).await.unwrap();
    assert_eq!(standing.documents[&(user, tables.document())], day.documents[0].document);
    let latest = &standing.latest[&(user, key)];
    assert_eq!((&latest.latest, latest.version), (&day.latest[0].latest, day.latest[0].version));
    assert!(latest.says(&day.latest[0].latest));
    assert_eq!(tables.metrics.all_latest(user).await.unwrap()[&key], *latest);

    let mut rows = Vec::new();
    tables.metrics.rows(user, key, |row| rows.push(row)).await.unwrap();
    assert_eq!(rows, day.puts);
    rows.clear();
    tables.metrics.all_rows(user, |row| rows.push(row)).await.unwrap();
    assert_eq!(rows, day.puts);

    let reading = tables.metrics.latest(user).await.unwrap().pop().unwrap();
    assert_eq!((reading.metric.name(), reading.value, reading.source.as_str()), ("steps", 9000.0, "OURA"));
    assert_eq!((reading.connection, reading.local_date.to_string().as_str()), (tables.connection, "2026-07-01"));
    let (read, exact) = (reading.components, day.latest[0].latest.components().unwrap());
    assert!((read.completeness - exact.completeness).abs() < 1e-6 && (read.source - exact.source).abs() < 1e-6);
    assert!(
        (read.plausibility - exact.plausibility).abs() < 1e-6 && (read.sufficiency - exact.sufficiency).abs() < 1e-6
    );
}

#[tokio::test]
async fn a_document_or_a_latest_value_that_has_moved_is_a_conflict() {
    let tables = Tables::new().await;
    let first = tables.day(1, 1000);
    assert_eq!(tables.write(&[&first]).await, Written::Done);
    assert_eq!(tables.write(&[&tables.day(2, 2000)]).await, Written::Conflict);
    let second = tables.after(&first, 2, 2000);
    assert_eq!(tables.write(&[&second]).await, Written::Done);
    let (mut document, mut latest) = (tables.after(&second, 3, 3000), tables.after(&second, 3, 3000));
    document.documents[0].read = first.documents[0].document.as_of.clone().into();
    latest.latest[0].read = Some(first.latest[0].version);
    for moved in [document, latest] {
        assert_eq!(tables.write(&[&moved]).await, Written::Conflict);
    }
    assert_eq!(tables.values().await, [2000.0]);
}

#[tokio::test]
async fn segments_that_share_a_transaction_are_all_written_or_none() {
    let mut tables = Tables::new().await;
    let one = tables.day(1, 1000);
    assert_eq!(tables.write(&[&one]).await, Written::Done);
    let first = tables.user;
    tables.user = UserId(Ids.uuid());
    let two = tables.day(1, 2000);
    assert_eq!(tables.write(&[&two, &one]).await, Written::Conflict);
    assert!(tables.values().await.is_empty());
    assert_eq!(tables.write(&[&two]).await, Written::Done);
    assert_eq!(tables.values().await, [2000.0]);
    tables.user = first;
    assert_eq!(tables.values().await, [1000.0]);
}

#[tokio::test]
async fn a_latest_value_that_says_nothing_has_no_row() {
    let tables = Tables::new().await;
    let day = tables.day(1, 1000);
    tables.write(&[&day]).await;
    let LatestKey { metric, .. } = day.latest[0].key;
    let nothing = |read| LatestWrite { key: day.latest[0].key, latest: Latest::new(metric), read, version: Ids.uuid() };
    let only = |write| Segment { latest: vec![write], ..Segment::new(tables.user) };
    assert_eq!(tables.write(&[&only(nothing(Some(Ids.uuid())))]).await, Written::Conflict);
    assert_eq!(tables.write(&[&only(nothing(Some(day.latest[0].version)))]).await, Written::Done);
    assert!(tables.metrics.all_latest(tables.user).await.unwrap().is_empty());
    // Where there was none, there is nothing to do.
    assert_eq!(tables.write(&[&only(nothing(None))]).await, Written::Done);
}

#[tokio::test]
async fn what_the_database_never_takes_is_refused_and_no_failure_of_its_own() {
    let tables = Tables::new().await;
    let mut large = tables.day(1, 1000);
    let document = &mut large.documents[0];
    let row = large.puts[0].key.clone();
    // Over 400 KB.
    document.document.rows = (0..40_000).map(|n| document.key.row(row.metric, n)).collect::<BTreeSet<_>>();
    assert_eq!(tables.write(&[&large]).await, Written::Refused);
}
