//! A second database that lags behind the first. Stale reads are answered from it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use dynoxide::Database;
use hyper::body::Bytes;
use tokio::sync::RwLock;
use tokio::task::spawn_blocking;
use tracing::warn;

use super::changes::{Change, changes};
use super::dice::{Dice, Tally};
use super::{Call, StaleHandle, StaleReads};
use crate::dynamodb::{self, DynamoError};
use crate::http::Answer;
use crate::lock::lock;

pub struct Replica {
    database: Database,
    replica: Database,
    /// Writes share it. While there are stale reads each has it alone, so that the log has them in the order in which they
    /// happened; the database takes them one after another anyway.
    gate: RwLock<()>,
    /// Held by whoever changes the replica: what one took from the log is there before the next one's.
    applying: Mutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    reads: Option<Active>,
    /// Of the next stale reads.
    id: u64,
}

/// Stale reads in force.
struct Active {
    id: u64,
    reads: StaleReads,
    dice: Dice,
    tally: Tally,
    /// What the replica does not have yet, by the time of the answer.
    log: VecDeque<(Instant, Vec<Change>)>,
}

impl fmt::Debug for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replica").finish_non_exhaustive()
    }
}

impl Replica {
    pub fn new(database: Database, replica: Database) -> Self {
        let (gate, applying, state) = Default::default();
        Self { database, replica, gate, applying, state }
    }

    /// Copies the database as it is between two writes, and lets reads be stale from there on.
    pub async fn begin(self: &Arc<Self>, reads: StaleReads) -> Result<StaleHandle, DynamoError> {
        let _alone = self.gate.write().await;
        let replica = Arc::clone(self);
        let (id, tally) = spawn_blocking(move || replica.restart(reads)).await.map_err(|_| DynamoError::Ended)??;
        Ok(StaleHandle { replica: Arc::clone(self), id, tally })
    }

    fn restart(&self, reads: StaleReads) -> Result<(u64, Tally), DynamoError> {
        let _turn = lock(&self.applying);
        dynamodb::copy(&self.database, &self.replica)?;
        let mut state = lock(&self.state);
        let (id, tally) = (state.id, Tally::default());
        state.id += 1;
        let dice = Dice::new(reads.chance, &format!("{:?}", reads.selection));
        state.reads = Some(Active { id, reads, dice, tally: tally.clone(), log: VecDeque::new() });
        Ok((id, tally))
    }

    /// Ends these stale reads, or whichever there are.
    pub fn end(&self, id: Option<u64>) {
        lock(&self.state).reads.take_if(|active| id.is_none_or(|id| id == active.id));
    }

    /// Carries out a write, which goes into the log while there are stale reads. The future must not be dropped halfway:
    /// the write would happen and never come to the replica.
    pub async fn follow(&self, operation: &str, body: &Bytes, call: impl Future<Output = Answer>) -> Answer {
        let shared = self.gate.read().await;
        // It can only begin with the gate for itself, so this holds until the call has ended.
        if lock(&self.state).reads.is_none() {
            return call.await;
        }
        drop(shared);
        let _alone = self.gate.write().await;
        let answer = call.await;
        // An error of the server says nothing about what was done, so it is looked at too.
        if !answer.status().is_client_error() {
            self.log(operation, body);
        }
        answer
    }

    fn log(&self, operation: &str, body: &Bytes) {
        match changes(&self.database, body) {
            Ok(changes) => {
                if let Some(active) = &mut lock(&self.state).reads {
                    active.log.push_back((Instant::now(), changes));
                }
            }
            Err(error) => warn!(operation, %error, "a write does not come to the replica"),
        }
    }

    /// Whether this read, one that may be stale, is to be answered by the replica; it is ready to then.
    pub async fn answers(self: &Arc<Self>, call: &Call) -> bool {
        let Some(id) = self.draw(call) else { return false };
        let replica = Arc::clone(self);
        spawn_blocking(move || replica.catch_up(id, Instant::now())).await.is_ok()
    }

    fn draw(&self, call: &Call) -> Option<u64> {
        let mut state = lock(&self.state);
        let active = state.reads.as_mut().filter(|active| active.reads.selection.matches(call))?;
        let knows = |table: &String| self.replica.get_table_metadata(table).is_ok_and(|found| found.is_some());
        if !call.resources.iter().all(knows) {
            return None;
        }
        active.tally.count_match();
        let hit = active.dice.throw().hit;
        hit.then(|| {
            active.tally.count_hit();
            active.id
        })
    }

    pub async fn release(replica: &Arc<Self>, id: u64) {
        let replica = Arc::clone(replica);
        if spawn_blocking(move || replica.apply(id, |_, _| true)).await.is_err() {
            warn!("the replica was not brought up to date");
        }
    }

    /// Brings to the replica what is to be seen at this time.
    fn catch_up(&self, id: u64, now: Instant) {
        self.apply(id, |at, lag| at.checked_add(lag).is_some_and(|seen| seen <= now));
    }

    /// Brings to the replica what is due of these stale reads' log.
    fn apply(&self, id: u64, due: impl Fn(Instant, Duration) -> bool) {
        let _turn = lock(&self.applying);
        let changes = match &mut lock(&self.state).reads {
            Some(active) if active.id == id => {
                let lag = active.reads.lag;
                let count = active.log.partition_point(|(at, _)| due(*at, lag));
                active.log.drain(..count).collect()
            }
            _ => Vec::new(),
        };
        for change in changes.into_iter().flat_map(|(_, changes)| changes) {
            if let Err(error) = change.apply(&self.replica) {
                warn!(%error, "the replica refuses an item");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use dynoxide::actions::create_table::CreateTableRequest;
    use dynoxide::actions::put_item::PutItemRequest;
    use dynoxide::actions::scan::ScanRequest;
    use hyper::StatusCode;
    use serde_json::json;

    use super::*;
    use crate::front::calls::tests::call;
    use crate::http;

    fn replica() -> Arc<Replica> {
        let database = Database::memory().unwrap();
        let table = json!({
            "TableName": "tab",
            "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
        });
        database.create_table(serde_json::from_value::<CreateTableRequest>(table).unwrap()).unwrap();
        Arc::new(Replica::new(database, Database::memory().unwrap()))
    }

    /// Puts an item in the database as the call would, then answers.
    async fn put(replica: &Replica, key: &str, status: StatusCode) {
        let body = json!({"TableName": "tab", "Item": {"k": {"S": key}}}).to_string();
        let request = serde_json::from_str::<PutItemRequest>(&body).unwrap();
        let call = async {
            replica.database.put_item(request).unwrap();
            http::empty(status)
        };
        replica.follow("PutItem", &body.clone().into(), call).await;
    }

    fn count(database: &Database) -> usize {
        database.scan(ScanRequest { table_name: "tab".to_owned(), ..ScanRequest::default() }).unwrap().count
    }

    #[tokio::test]
    async fn a_write_is_seen_when_it_is_as_old_as_the_lag() {
        let replica = replica();
        put(&replica, "before", StatusCode::OK).await;
        let lag = Duration::from_secs(10);
        let stale = replica.begin(StaleReads::lag(lag)).await.unwrap();
        let begin = Instant::now();
        put(&replica, "a", StatusCode::OK).await;
        let written = Instant::now();
        for (now, seen) in [(begin, 1), (begin + lag / 2, 1), (written + lag, 2), (written + lag * 2, 2)] {
            replica.catch_up(stale.id, now);
            assert_eq!(count(&replica.replica), seen, "{:?}", now - begin);
        }
        put(&replica, "b", StatusCode::OK).await;
        replica.catch_up(stale.id, written + lag / 2);
        assert_eq!((count(&replica.replica), count(&replica.database)), (2, 3));
        stale.release().await;
        assert_eq!(count(&replica.replica), 3);
    }

    #[tokio::test]
    async fn a_write_whose_answer_is_the_servers_error_comes_too() {
        let replica = replica();
        let stale = replica.begin(StaleReads::frozen()).await.unwrap();
        put(&replica, "a", StatusCode::INTERNAL_SERVER_ERROR).await;
        stale.release().await;
        assert_eq!(count(&replica.replica), 1);
    }

    #[tokio::test]
    async fn an_old_handle_neither_releases_nor_ends_what_came_after_it() {
        let replica = replica();
        let old = replica.begin(StaleReads::frozen()).await.unwrap();
        put(&replica, "a", StatusCode::OK).await;
        let new = replica.begin(StaleReads::frozen()).await.unwrap();
        put(&replica, "b", StatusCode::OK).await;
        old.release().await;
        old.end();
        assert_eq!(count(&replica.replica), 1);
        let read = Call { resources: vec!["tab".to_owned()], ..call("a", "Scan") };
        assert!(replica.answers(&read).await);
        assert_eq!((old.hits(), new.hits()), (0, 1));
        new.end();
        assert!(!replica.answers(&read).await);
    }
}
