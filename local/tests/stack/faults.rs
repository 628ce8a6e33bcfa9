use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::AttributeValue;
use local::front::{Fault, FaultHandle};

use crate::support::Fixture;

struct Table {
    fixture: Fixture,
    /// Tries once, so that a fault is seen.
    client: Client,
    name: String,
}

impl Table {
    async fn new() -> Self {
        let fixture = Fixture::start().await;
        let config = fixture.sdk(&fixture.stack.aws().dynamodb);
        let config = aws_sdk_dynamodb::config::Builder::from(&config).retry_config(RetryConfig::disabled()).build();
        let name = fixture.stack.table("Table").unwrap().to_owned();
        Self { client: Client::from_conf(config), name, fixture }
    }

    fn inject(&self, fault: Fault) -> FaultHandle {
        self.fixture.stack.front().inject(fault)
    }

    /// The error's code; empty where there was no answer.
    async fn put(&self, key: &str) -> Result<(), String> {
        let put = self.client.put_item().table_name(&self.name).item("key", AttributeValue::S(key.to_owned()));
        let code = |error: aws_sdk_dynamodb::Error| error.code().unwrap_or_default().to_owned();
        put.send().await.map(drop).map_err(|error| code(error.into()))
    }

    async fn delete(&self, key: &str) -> Result<(), String> {
        let delete = self.client.delete_item().table_name(&self.name).key("key", AttributeValue::S(key.to_owned()));
        let code = |error: aws_sdk_dynamodb::Error| error.code().unwrap_or_default().to_owned();
        delete.send().await.map(drop).map_err(|error| code(error.into()))
    }

    async fn has(&self, key: &str) -> bool {
        let get = self.client.get_item().table_name(&self.name).key("key", AttributeValue::S(key.to_owned()));
        get.send().await.unwrap().item.is_some()
    }

    /// The statuses of the writes, which are forgotten.
    fn statuses(&self) -> Vec<Option<u16>> {
        let front = self.fixture.stack.front();
        let statuses = front.calls().named("PutItem").0.iter().map(|call| call.status).collect();
        front.clear_calls();
        statuses
    }
}

#[tokio::test]
async fn every_action_hits_its_share_of_the_calls_and_the_log_says_which() {
    let table = Table::new().await;
    for (name, fault, code, status, done) in [
        ("throttle", Fault::throttle(), "ProvisionedThroughputExceededException", Some(400), false),
        ("error", Fault::internal_error(), "InternalServerError", Some(500), false),
        ("conflict", Fault::write_conflict(), "TransactionConflictException", Some(400), false),
        ("dropped", Fault::drop_connection(), "", None, false),
        ("lost", Fault::lose_answer(), "", None, true),
    ] {
        let handle = table.inject(fault.operation("PutItem").rate(0.4).seed(9));
        let mut expected = Vec::new();
        for n in 0..20 {
            let key = format!("{name}-{n}");
            let answer = table.put(&key).await;
            let hit = answer.is_err();
            assert_eq!(answer.err(), hit.then(|| code.to_owned()), "{key}");
            assert_eq!(table.has(&key).await, done || !hit, "{key}");
            expected.push(if hit { status } else { Some(200) });
        }
        let hits = expected.iter().filter(|status| **status != Some(200)).count();
        assert!((1..20).contains(&hits), "{name}: {hits}");
        assert_eq!((handle.hits(), handle.matched(), table.statuses()), (hits, 20, expected), "{name}");
        handle.remove();
    }
}

#[tokio::test]
async fn the_same_seed_hits_the_same_calls_and_another_seed_others() {
    let table = Table::new().await;
    let mut hit = Vec::new();
    for seed in [1, 1, 2] {
        let handle = table.inject(Fault::throttle().rate(0.5).seed(seed));
        let mut hits = Vec::new();
        for _ in 0..24 {
            hits.push(table.put("k").await.is_err());
        }
        handle.remove();
        hit.push(hits);
    }
    assert_eq!(hit[0], hit[1]);
    assert_ne!(hit[0], hit[2]);
}

#[tokio::test]
async fn a_write_conflict_hits_single_writes_and_no_transaction() {
    let table = Table::new().await;
    let conflict = Err("TransactionConflictException".to_owned());
    let handle = table.inject(Fault::write_conflict());
    assert_eq!((table.put("k").await, table.delete("k").await), (conflict.clone(), conflict));
    let key = AttributeValue::S("k".to_owned());
    let put = aws_sdk_dynamodb::types::Put::builder().table_name(&table.name).item("key", key).build().unwrap();
    let item = aws_sdk_dynamodb::types::TransactWriteItem::builder().put(put).build();
    table.client.transact_write_items().transact_items(item).send().await.unwrap();
    assert_eq!(handle.hits(), 2);
}

#[tokio::test]
async fn a_drawn_delay_lasts_at_least_its_shortest_time() {
    let table = Table::new().await;
    let (min, max) = (Duration::from_millis(20), Duration::from_millis(40));
    let handle = table.inject(Fault::delay_between(min, max).operation("PutItem").seed(2));
    for _ in 0..4 {
        table.put("k").await.unwrap();
    }
    let calls = table.fixture.stack.front().calls();
    assert!(calls.0.iter().all(|call| call.end - call.start >= min && call.status == Some(200)), "{calls:?}");
    assert_eq!(handle.hits(), 4);
}

#[tokio::test]
async fn faults_are_removed_one_by_one_or_all_and_their_hits_stay_known() {
    let table = Table::new().await;
    let (first, second) = (table.inject(Fault::throttle()), table.inject(Fault::internal_error()));
    assert_eq!(table.put("k").await, Err("ProvisionedThroughputExceededException".to_owned()));
    first.remove();
    assert_eq!(table.put("k").await, Err("InternalServerError".to_owned()));
    table.fixture.stack.front().clear_faults();
    assert_eq!(table.put("k").await, Ok(()));
    assert_eq!((first.hits(), second.hits()), (1, 1));
}
