//! Writing what documents change: all of it or nothing, on the condition that what it was worked out from still stands.

use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{Delete, Put, TransactWriteItem},
};
use uuid::Uuid;

use super::{
    DocumentKey, LatestKey, Metrics, RowKey, StoredDocument, StoredRow, database, item_key, latest_row, row, text,
};
use crate::{
    domain::metric::{AsOf, Latest},
    error::{Error, Result},
    ids::UserId,
};

/// Most writes of one transaction.
pub const MOST_WRITES: usize = 100;

/// Writes of one user that belong together.
#[derive(Debug, Clone)]
pub struct Segment {
    pub user: UserId,
    pub documents: Vec<DocumentWrite>,
    pub puts: Vec<StoredRow>,
    pub deletes: Vec<RowKey>,
    pub latest: Vec<LatestWrite>,
}

/// A document's own row.
#[derive(Debug, Clone)]
pub struct DocumentWrite {
    pub key: DocumentKey,
    pub document: StoredDocument,
    /// As of when its row was when it was read; none where there was none.
    pub read: Option<AsOf>,
}

/// What a connection says of a metric. One that says nothing has no row.
#[derive(Debug, Clone)]
pub struct LatestWrite {
    pub key: LatestKey,
    pub latest: Latest,
    /// The version of the row when it was read; none where there was none.
    pub read: Option<Uuid>,
    /// What the row's version is from now on. One of its own and no count: a row that was deleted and written again must not
    /// look like the one before.
    pub version: Uuid,
}

/// What came of a conditional write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    Done,
    /// Another writer was first: read again, then decide again.
    Conflict,
    /// The database does not take one of the items, whatever is tried.
    Refused,
}

impl Segment {
    pub fn new(user: UserId) -> Self {
        Self { user, documents: Vec::new(), puts: Vec::new(), deletes: Vec::new(), latest: Vec::new() }
    }

    /// The writes that it takes.
    pub fn len(&self) -> usize {
        self.documents.len() + self.puts.len() + self.deletes.len() + self.latest.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl LatestWrite {
    /// Whether nothing stands behind it: then its row goes.
    pub fn says_nothing(&self) -> bool {
        self.latest.newest.is_none() && self.latest.daily.is_empty()
    }
}

impl Metrics {
    /// Writes segments of different users, [`MOST_WRITES`] at most, in one transaction.
    pub async fn write(&self, segments: &[&Segment]) -> Result<Written> {
        let mut items = Vec::with_capacity(segments.iter().map(|segment| segment.len()).sum());
        for segment in segments {
            self.items(segment, &mut items)?;
        }
        if items.is_empty() {
            return Ok(Written::Done);
        }
        let write = self.aws.dynamodb().await.transact_write_items();
        match write.set_transact_items(Some(items)).send().await {
            Ok(_) => Ok(Written::Done),
            Err(err) => match err.as_service_error().and_then(verdict) {
                Some(written) => Ok(written),
                None => Err(database(err)),
            },
        }
    }

    fn items(&self, segment: &Segment, items: &mut Vec<TransactWriteItem>) -> Result<()> {
        let Segment { user, documents, puts, deletes, latest } = segment;
        for DocumentWrite { key, document, read } in documents {
            let put = Put::builder().table_name(&self.table);
            let put = put.set_item(Some(row::document_item(*user, key, document)?));
            items.push(on_condition(put, "as_of", read.as_ref().map(AsOf::as_str))?);
        }
        for row in puts {
            let put = Put::builder().table_name(&self.table).set_item(Some(row::observation_item(*user, row)?));
            items.push(TransactWriteItem::builder().put(put.build().map_err(Error::internal)?).build());
        }
        for key in deletes {
            let delete = Delete::builder().table_name(&self.table).set_key(Some(item_key(*user, &key.sk())));
            items.push(TransactWriteItem::builder().delete(delete.build().map_err(Error::internal)?).build());
        }
        for write in latest {
            items.extend(self.latest_item(*user, write)?);
        }
        Ok(())
    }

    fn latest_item(&self, user: UserId, write: &LatestWrite) -> Result<Option<TransactWriteItem>> {
        let read = write.read.map(|version| version.to_string());
        if !write.says_nothing() {
            let item = latest_row::item(user, write.key, &write.latest, write.version)?;
            let put = Put::builder().table_name(&self.latest).set_item(Some(item));
            return on_condition(put, "version", read.as_deref()).map(Some);
        }
        let Some(version) = read else { return Ok(None) };
        let delete = Delete::builder()
            .table_name(&self.latest)
            .set_key(Some(item_key(user, &write.key.sk())))
            .condition_expression("version = :read")
            .expression_attribute_values(":read", text(version))
            .build()
            .map_err(Error::internal)?;
        Ok(Some(TransactWriteItem::builder().delete(delete).build()))
    }
}

/// A put on the condition that `name` still is what was read; that there is no row, where none was.
fn on_condition(
    put: aws_sdk_dynamodb::types::builders::PutBuilder,
    name: &str,
    read: Option<&str>,
) -> Result<TransactWriteItem> {
    let put = match read {
        Some(value) => put
            .condition_expression("#name = :read")
            .expression_attribute_names("#name", name)
            .expression_attribute_values(":read", text(value)),
        None => put.condition_expression("attribute_not_exists(sk)"),
    };
    Ok(TransactWriteItem::builder().put(put.build().map_err(Error::internal)?).build())
}

/// What a refused transaction says; none where it says nothing about what was to be written.
fn verdict(err: &TransactWriteItemsError) -> Option<Written> {
    use aws_sdk_dynamodb::error::ProvideErrorMetadata;
    let canceled = match err {
        TransactWriteItemsError::TransactionCanceledException(canceled) => canceled,
        TransactWriteItemsError::TransactionInProgressException(_) => return Some(Written::Conflict),
        err if err.code() == Some("ValidationException") => return Some(Written::Refused),
        _ => return None,
    };
    let codes = canceled.cancellation_reasons().iter().filter_map(|reason| reason.code());
    let codes: Vec<_> = codes.filter(|code| *code != "None").collect();
    match codes.as_slice() {
        [] => None,
        codes if codes.contains(&"ValidationError") || codes.contains(&"ItemCollectionSizeLimitExceeded") => {
            Some(Written::Refused)
        }
        codes if codes.iter().all(|code| matches!(*code, "ConditionalCheckFailed" | "TransactionConflict")) => {
            Some(Written::Conflict)
        }
        _ => None,
    }
}
