//! DynamoDB: dynoxide on a port of its own behind the front, with the template's tables in it.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use dynoxide::actions::create_table::CreateTableRequest;
use dynoxide::actions::describe_table::DescribeTableRequest;
use dynoxide::actions::update_time_to_live::UpdateTimeToLiveRequest;
use dynoxide::{Database, DynoxideError};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tracing::warn;

use crate::http::{self, Stop};
use crate::template::Table;

/// How often expired items go. On AWS it takes up to days, so no function may count on it.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

#[derive(Debug, thiserror::Error)]
pub enum DynamoError {
    #[error("the database cannot be opened: {0}")]
    Open(DynoxideError),
    #[error("{id} cannot be created: {source}")]
    Create { id: String, source: DynoxideError },
    #[error("{id} has properties that CreateTable does not take: {source}")]
    Properties { id: String, source: serde_json::Error },
    #[error("{id} lies in the data directory with other keys or indexes than the template's: take another directory")]
    Changed { id: String },
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("the database's thread ended early")]
    Ended,
    #[error("the database cannot be copied: {0}")]
    Copy(DynoxideError),
    #[error("a request is not what it was understood as: {0}")]
    Request(#[from] serde_json::Error),
    #[error("there is no table {0}")]
    NoTable(String),
}

/// The database, in the file or in memory.
pub fn open(file: Option<&Path>) -> Result<Database, DynamoError> {
    match file {
        Some(file) => Database::new(&file.to_string_lossy()),
        None => Database::memory(),
    }
    .map_err(DynamoError::Open)
}

/// Creates what is not there yet.
pub fn create_tables(database: &Database, tables: &[Table]) -> Result<(), DynamoError> {
    for table in tables {
        let failed = |source| DynamoError::Create { id: table.id.clone(), source };
        let request = || {
            serde_json::from_value::<CreateTableRequest>(table.create.clone())
                .map_err(|source| DynamoError::Properties { id: table.id.clone(), source })
        };
        match database.create_table(request()?) {
            Ok(_) => set_ttl(database, table).map_err(failed)?,
            Err(DynoxideError::ResourceInUseException(_)) => check_unchanged(database, table)?,
            Err(source) => return Err(failed(source)),
        }
    }
    Ok(())
}

fn set_ttl(database: &Database, table: &Table) -> dynoxide::Result<()> {
    let Some(attribute) = &table.ttl else { return Ok(()) };
    let request = json!({
        "TableName": table.name,
        "TimeToLiveSpecification": {"AttributeName": attribute, "Enabled": true},
    });
    let request = serde_json::from_value::<UpdateTimeToLiveRequest>(request)
        .map_err(|error| DynoxideError::InternalServerError(error.to_string()))?;
    database.update_time_to_live(request).map(drop)
}

fn check_unchanged(database: &Database, table: &Table) -> Result<(), DynamoError> {
    let failed = |source| DynamoError::Create { id: table.id.clone(), source };
    let properties = |source| DynamoError::Properties { id: table.id.clone(), source };
    let request =
        serde_json::from_value::<DescribeTableRequest>(json!({"TableName": table.name})).map_err(properties)?;
    let found = database.describe_table(request).map_err(failed)?;
    let found = serde_json::to_value(found).map_err(properties)?;
    let found = found.get("Table").unwrap_or(&Value::Null);
    match keys(found) == keys(&table.create) {
        true => Ok(()),
        false => Err(DynamoError::Changed { id: table.id.clone() }),
    }
}

/// Keys of the table and of its indexes, in an order of their own.
fn keys(table: &Value) -> (String, Vec<String>) {
    let text = |value: &Value, name: &str| value.get(name).map(Value::to_string).unwrap_or_default();
    let indexes = table.get("GlobalSecondaryIndexes").and_then(Value::as_array).into_iter().flatten();
    let mut indexes: Vec<String> = indexes
        .map(|index| text(index, "IndexName") + &text(index, "KeySchema") + &text(index, "Projection"))
        .collect();
    indexes.sort();
    (text(table, "KeySchema"), indexes)
}

/// The names of a table's key attributes.
pub fn key_names(database: &Database, table: &str) -> Result<Vec<String>, DynamoError> {
    let metadata = database.get_table_metadata(table).map_err(DynamoError::Copy)?;
    let metadata = metadata.ok_or_else(|| DynamoError::NoTable(table.to_owned()))?;
    let schema: Vec<Value> = serde_json::from_str(&metadata.key_schema)?;
    let names = schema.iter().filter_map(|key| key.get("AttributeName").and_then(Value::as_str));
    Ok(names.map(str::to_owned).collect())
}

/// Leaves `to` with everything that is in `from`, as it is at one moment, and nothing else.
pub fn copy(from: &Database, to: &Database) -> Result<(), DynamoError> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("copy.sqlite");
    let file = file.to_string_lossy();
    from.vacuum_into(&file).and_then(|()| to.restore_from(&file)).map_err(DynamoError::Copy)
}

/// The database and an empty second one beside it, and where both answer.
pub struct Served {
    pub database: Database,
    pub address: SocketAddr,
    pub replica: Database,
    pub replica_address: SocketAddr,
}

/// Starts the servers; they end with `stop`.
pub async fn start(database: Database, stop: Stop) -> Result<Served, DynamoError> {
    tokio::spawn(sweep(database.clone(), stop.clone()));
    let replica = open(None)?;
    let address = serve(database.clone(), stop.clone()).await?;
    let replica_address = serve(replica.clone(), stop).await?;
    Ok(Served { database, address, replica, replica_address })
}

async fn serve(database: Database, stop: Stop) -> Result<SocketAddr, DynamoError> {
    let listener: TcpListener = http::bind(0).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        if let Err(error) = dynoxide::server::serve_with_shutdown(listener, database, stop.wait()).await {
            warn!(%error, "DynamoDB ended");
        }
    });
    Ok(address)
}

async fn sweep(database: Database, stop: Stop) {
    let stopped = stop.wait();
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            () = &mut stopped => return,
            () = tokio::time::sleep(SWEEP_EVERY) => {}
        }
        let database = database.clone();
        match tokio::task::spawn_blocking(move || database.sweep_ttl()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => warn!(%error, "expired items not deleted"),
            Err(error) => warn!(%error, "expired items not deleted"),
        }
    }
}
