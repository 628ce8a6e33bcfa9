//! Messages on SQLite. Times are milliseconds since 1970.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, Row, Transaction, params};

use crate::system;
use crate::template::Queue;

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
";

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
#[derive(Debug)]
pub struct Received {
    pub id: i64,
    pub message_id: String,
    pub body: String,
    pub attributes: String,
    pub trace: Option<String>,
    pub sent_at: i64,
    pub receive_count: u32,
    pub first_received_at: i64,
    pub receipt: String,
    pub dead_letter_source: Option<String>,
}

/// How many messages of a queue are where.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub visible: i64,
    pub in_flight: i64,
    pub delayed: i64,
}

impl Store {
    pub fn open(file: Option<&Path>) -> rusqlite::Result<Self> {
        let connection = match file {
            Some(file) => Connection::open(file)?,
            None => Connection::open_in_memory()?,
        };
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

    /// Takes up to `limit` visible messages, and moves those that were received often enough to `dead_letters`.
    pub fn receive(
        &mut self,
        queue: &Queue,
        dead_letters: Option<&Queue>,
        limit: usize,
        visibility: Duration,
    ) -> rusqlite::Result<Vec<Received>> {
        let now = system::now_ms();
        let transaction = self.connection.transaction()?;
        transaction.execute("DELETE FROM messages WHERE queue = ?1 AND expires_at <= ?2", params![queue.name, now])?;
        if let (Some(redrive), Some(dead_letters)) = (&queue.redrive, dead_letters) {
            // Retention goes on counting from when the message was sent, as for standard queues on AWS.
            transaction.execute(
                "UPDATE messages SET queue = ?1, dead_letter_source = ?2, receive_count = 0, receipt = NULL,
                     first_received_at = NULL, expires_at = sent_at + ?3
                 WHERE queue = ?4 AND visible_at <= ?5 AND receive_count >= ?6",
                params![
                    dead_letters.name,
                    queue.arn,
                    millis(dead_letters.retention),
                    queue.name,
                    now,
                    redrive.max_receive_count
                ],
            )?;
        }
        let ids = visible(&transaction, &queue.name, now, limit)?;
        let received = ids
            .into_iter()
            .map(|id| take(&transaction, id, now, now + millis(visibility)))
            .collect::<rusqlite::Result<Vec<_>>>()?;
        transaction.commit()?;
        Ok(received)
    }

    /// When the next message of the queue can be received, if there is any.
    pub fn next_visible(&mut self, queue: &str) -> rusqlite::Result<Option<i64>> {
        let query = "SELECT min(visible_at) FROM messages WHERE queue = ?1";
        self.connection.prepare_cached(query)?.query_row([queue], |row| row.get(0))
    }

    /// Deletes the message if this receipt is its latest; an older one is no error and deletes nothing.
    pub fn delete(&mut self, queue: &str, id: i64, receipt: &str) -> rusqlite::Result<()> {
        let statement = "DELETE FROM messages WHERE id = ?1 AND queue = ?2 AND receipt = ?3";
        self.connection.execute(statement, params![id, queue, receipt]).map(drop)
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
        let changed = self.connection.execute(statement, params![now + millis(visibility), id, queue, receipt, now])?;
        Ok(changed == 1)
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
}

fn visible(transaction: &Transaction, queue: &str, now: i64, limit: usize) -> rusqlite::Result<Vec<i64>> {
    let query = "SELECT id FROM messages WHERE queue = ?1 AND visible_at <= ?2 ORDER BY visible_at, id LIMIT ?3";
    let mut statement = transaction.prepare_cached(query)?;
    let ids = statement.query_map(params![queue, now, i64::try_from(limit).unwrap_or(i64::MAX)], |row| row.get(0))?;
    ids.collect()
}

fn take(transaction: &Transaction, id: i64, now: i64, visible_at: i64) -> rusqlite::Result<Received> {
    let statement = "UPDATE messages SET visible_at = ?1, receipt = ?2, receive_count = receive_count + 1,
                         first_received_at = coalesce(first_received_at, ?3)
                     WHERE id = ?4 RETURNING *";
    let receipt = system::new_id().to_string();
    let mut statement = transaction.prepare_cached(statement)?;
    statement.query_row(params![visible_at, receipt, now, id], received)
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
        first_received_at: row.get("first_received_at")?,
        receipt: row.get("receipt")?,
        dead_letter_source: row.get("dead_letter_source")?,
    })
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}
