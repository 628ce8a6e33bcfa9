//! Messages on SQLite. Times are milliseconds since 1970.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, Row, Transaction, params};

use super::take::{Take, Taken};
use crate::system;
use crate::template::Queue;

/// Every index begins with the queue and holds what its query asks for, so that a full queue is no slower than an empty one.
const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = OFF;
    CREATE TABLE IF NOT EXISTS messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        queue TEXT NOT NULL,
        message_id TEXT NOT NULL,
        body TEXT NOT NULL,
        attributes TEXT NOT NULL,
        trace TEXT,
        sent_at INTEGER NOT NULL,
        visible_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        receive_count INTEGER NOT NULL DEFAULT 0,
        first_received_at INTEGER,
        receipt TEXT,
        dead_letter_source TEXT
    );
    CREATE INDEX IF NOT EXISTS messages_by_visibility ON messages (queue, visible_at);
    CREATE INDEX IF NOT EXISTS messages_by_expiry ON messages (queue, expires_at);
    CREATE INDEX IF NOT EXISTS messages_in_flight ON messages (queue, visible_at) WHERE receive_count > 0;
";

/// More than there are statements, so that each is compiled once.
const STATEMENTS: usize = 64;

#[derive(Debug)]
pub struct Store {
    connection: Connection,
}

/// A message to be stored.
#[derive(Debug)]
pub struct NewMessage {
    pub message_id: String,
    pub body: String,
    /// JSON.
    pub attributes: String,
    pub trace: Option<String>,
    pub delay: Duration,
}

/// A message as it is received.
#[derive(Debug, Clone)]
pub struct Received {
    pub id: i64,
    pub message_id: String,
    pub body: String,
    /// JSON.
    pub attributes: String,
    pub trace: Option<String>,
    pub sent_at: i64,
    pub receive_count: u32,
    pub first_received_at: i64,
    pub receipt: String,
    pub dead_letter_source: Option<String>,
}

/// How many messages of a queue are where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub visible: i64,
    pub in_flight: i64,
    pub delayed: i64,
}

/// What a step of a move did.
#[derive(Debug, Default)]
pub struct Moved {
    pub count: usize,
    /// Names of the queues that got some.
    pub destinations: BTreeSet<String>,
    /// It met a message that belongs nowhere, and went no further.
    pub lost: bool,
}

impl Store {
    pub fn open(file: Option<&Path>) -> rusqlite::Result<Self> {
        let connection = match file {
            Some(file) => Connection::open(file)?,
            None => Connection::open_in_memory()?,
        };
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        connection.execute_batch(SCHEMA)?;
        Ok(Self { connection })
    }

    pub fn send(&mut self, queue: &Queue, messages: &[NewMessage]) -> rusqlite::Result<()> {
        let now = system::now_ms();
        let transaction = self.connection.transaction()?;
        for message in messages {
            transaction
                .prepare_cached(
                    "INSERT INTO messages (queue, message_id, body, attributes, trace, sent_at, visible_at, expires_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )?
                .execute(params![
                    queue.name,
                    message.message_id,
                    message.body,
                    message.attributes,
                    message.trace,
                    now,
                    now + millis(message.delay),
                    now + millis(queue.retention),
                ])?;
        }
        transaction.commit()
    }

    /// Takes visible messages, and moves those that were received often enough to `dead_letters`.
    pub fn receive(&mut self, queue: &Queue, dead_letters: Option<&Queue>, take: &Take) -> rusqlite::Result<Taken> {
        let now = system::now_ms();
        let transaction = self.connection.transaction()?;
        let expired = "DELETE FROM messages WHERE queue = ?1 AND expires_at <= ?2";
        transaction.prepare_cached(expired)?.execute(params![queue.name, now])?;
        let taken = take.run(&transaction, queue, dead_letters, now)?;
        transaction.commit()?;
        Ok(taken)
    }

    /// Deletes the messages whose latest receipt this is; an older one is no error and deletes nothing.
    pub fn delete(&mut self, queue: &str, receipts: &[(i64, String)]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        for (id, receipt) in receipts {
            let statement = "DELETE FROM messages WHERE id = ?1 AND queue = ?2 AND receipt = ?3";
            transaction.prepare_cached(statement)?.execute(params![id, queue, receipt])?;
        }
        transaction.commit()
    }

    /// Whether there was such a message in flight.
    pub fn change_visibility(
        &mut self,
        queue: &str,
        id: i64,
        receipt: &str,
        visibility: Duration,
    ) -> rusqlite::Result<bool> {
        let now = system::now_ms();
        let statement =
            "UPDATE messages SET visible_at = ?1 WHERE id = ?2 AND queue = ?3 AND receipt = ?4 AND visible_at > ?5";
        let mut statement = self.connection.prepare_cached(statement)?;
        Ok(statement.execute(params![now + millis(visibility), id, queue, receipt, now])? == 1)
    }

    /// A changed retention holds for the messages that are there, too.
    pub fn change_retention(&mut self, queue: &str, retention: Duration) -> rusqlite::Result<()> {
        let statement = "UPDATE messages SET expires_at = sent_at + ?1 WHERE queue = ?2";
        self.connection.execute(statement, params![millis(retention), queue]).map(drop)
    }

    /// Moves visible messages to the queue that `destination` gives for their dead letter source. They are new messages
    /// there, as on AWS: with another id, sent now.
    pub fn move_visible(
        &mut self,
        queue: &str,
        limit: usize,
        destination: &dyn Fn(Option<&str>) -> Option<Arc<Queue>>,
    ) -> rusqlite::Result<Moved> {
        let now = system::now_ms();
        let transaction = self.connection.transaction()?;
        let mut moved = Moved::default();
        for message in visible(&transaction, queue, now, limit)? {
            let Some(destination) = destination(message.dead_letter_source.as_deref()) else {
                moved.lost = true;
                break;
            };
            let statement =
                "UPDATE messages SET queue = ?1, message_id = ?2, sent_at = ?3, visible_at = ?3, expires_at = ?4,
                                 receive_count = 0, receipt = NULL, first_received_at = NULL, dead_letter_source = NULL
                             WHERE id = ?5";
            let (id, expires_at) = (system::new_id().to_string(), now + millis(destination.retention));
            let values = params![destination.name, id, now, expires_at, message.id];
            transaction.prepare_cached(statement)?.execute(values)?;
            moved.count += 1;
            moved.destinations.insert(destination.name.clone());
        }
        transaction.commit()?;
        Ok(moved)
    }

    pub fn purge(&mut self, queue: &str) -> rusqlite::Result<()> {
        self.connection.execute("DELETE FROM messages WHERE queue = ?1", [queue]).map(drop)
    }

    pub fn counts(&mut self, queue: &str) -> rusqlite::Result<Counts> {
        let now = system::now_ms();
        let query = "SELECT count(*) FILTER (WHERE visible_at <= ?2),
                            count(*) FILTER (WHERE visible_at > ?2 AND receive_count > 0),
                            count(*) FILTER (WHERE visible_at > ?2 AND receive_count = 0)
                     FROM messages WHERE queue = ?1 AND expires_at > ?2";
        self.connection.prepare_cached(query)?.query_row(params![queue, now], |row| {
            Ok(Counts { visible: row.get(0)?, in_flight: row.get(1)?, delayed: row.get(2)? })
        })
    }

    pub fn is_empty(&mut self, queue: &str) -> rusqlite::Result<bool> {
        let query = "SELECT NOT EXISTS (SELECT 1 FROM messages WHERE queue = ?1 AND expires_at > ?2)";
        self.connection.prepare_cached(query)?.query_row(params![queue, system::now_ms()], |row| row.get(0))
    }
}

/// Visible messages, those first that have been so for longest.
pub fn visible(transaction: &Transaction, queue: &str, now: i64, limit: usize) -> rusqlite::Result<Vec<Received>> {
    let query = "SELECT * FROM messages WHERE queue = ?1 AND visible_at <= ?2 ORDER BY visible_at, id LIMIT ?3";
    let mut statement = transaction.prepare_cached(query)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let messages = statement.query_map(params![queue, now, limit], received)?;
    messages.collect()
}

fn received(row: &Row) -> rusqlite::Result<Received> {
    Ok(Received {
        id: row.get("id")?,
        message_id: row.get("message_id")?,
        body: row.get("body")?,
        attributes: row.get("attributes")?,
        trace: row.get("trace")?,
        sent_at: row.get("sent_at")?,
        receive_count: row.get("receive_count")?,
        first_received_at: row.get::<_, Option<i64>>("first_received_at")?.unwrap_or_default(),
        receipt: row.get::<_, Option<String>>("receipt")?.unwrap_or_default(),
        dead_letter_source: row.get("dead_letter_source")?,
    })
}

pub fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}
