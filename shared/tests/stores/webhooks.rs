use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use shared::{
    domain::metric::AsOf,
    ids::{DeliveryId, Ids},
    store::{
        objects::{Objects, sha256_hex},
        webhooks::{NewDelivery, Stored, Webhooks},
    },
};

use crate::database::{Database, WEBHOOKS};

/// A test is never in a hurry.
const DEADLINE: Duration = Duration::from_secs(30);

fn now() -> DateTime<Utc> {
    "2026-03-04T05:06:07.089Z".parse().unwrap()
}

fn webhooks(database: &Database) -> Webhooks {
    let objects = Objects::new(database.aws.clone(), "bucket".into());
    Webhooks::new(database.aws.clone(), WEBHOOKS.into(), objects)
}

fn delivery(id: &str, body: &'static str) -> NewDelivery {
    let id = DeliveryId(id.into());
    NewDelivery {
        kind: "daily".into(),
        terra_user_id: Some("u1".into()),
        body: Bytes::from_static(body.as_bytes()),
        sha256: sha256_hex(body.as_bytes()),
        received_at: now(),
        as_of: AsOf::new(now(), &id),
        receipt: Ids.uuid(),
        id,
    }
}

#[tokio::test]
async fn a_delivery_reads_back_byte_by_byte_and_what_is_not_there_is_left_out() {
    let database = Database::start().await;
    let webhooks = webhooks(&database);
    let body = "{ \"type\":\"d\\u0061ily\",\t\"n\":1.50, \"e\":\"é\\ud800\"}\n";
    let nobodys = NewDelivery { terra_user_id: None, ..delivery("d2", "{}") };
    assert_eq!(webhooks.store(&delivery("d1", body), DEADLINE).await.unwrap(), Stored::New);
    assert_eq!(webhooks.store(&nobodys, DEADLINE).await.unwrap(), Stored::New);
    let ids = ["d1", "d2", "d3", "d1"].map(|id| DeliveryId(id.into()));
    let mut read = webhooks.read(&ids).await.unwrap();
    assert_eq!(read.len(), 2);
    assert_eq!(read[&ids[1]].as_ref().unwrap().body, "{}");
    let first = read.remove(&ids[0]).unwrap().unwrap();
    assert_eq!(
        (first.id, first.kind.as_str(), first.body),
        (ids[0].clone(), "daily", Bytes::from_static(body.as_bytes()))
    );
    assert_eq!((first.received_at, first.as_of), (now(), AsOf::new(now(), &ids[0])));
}

#[tokio::test]
async fn of_two_deliveries_of_one_id_the_first_stays_and_the_second_learns_of_it() {
    let database = Database::start().await;
    let webhooks = webhooks(&database);
    let first = delivery("d1", "{}");
    webhooks.store(&first, DEADLINE).await.unwrap();
    let later = now() + TimeDelta::hours(1);
    let second = NewDelivery { received_at: later, as_of: AsOf::new(later, &first.id), ..delivery("d1", "[]") };
    let known = Stored::Known { sha256: first.sha256.clone(), received_at: now(), as_of: first.as_of.clone() };
    assert_eq!(webhooks.store(&second, DEADLINE).await.unwrap(), known);
    let read = webhooks.read(std::slice::from_ref(&first.id)).await.unwrap();
    assert_eq!(read[&first.id].as_ref().unwrap().body, "{}");
}

#[tokio::test]
async fn a_retry_after_a_lost_answer_takes_its_own_row_for_new() {
    let database = Database::start().await;
    let webhooks = webhooks(&database);
    let delivery = delivery("d1", "{}");
    for _ in 0..2 {
        assert_eq!(webhooks.store(&delivery, DEADLINE).await.unwrap(), Stored::New);
    }
}

#[tokio::test]
async fn many_deliveries_are_read_a_hundred_a_call() {
    let database = Database::start().await;
    let webhooks = webhooks(&database);
    let ids: Vec<_> = (0..101).map(|n| DeliveryId(format!("d{n}"))).collect();
    for id in &ids {
        webhooks.store(&delivery(&id.0, "{}"), DEADLINE).await.unwrap();
    }
    let before = database.calls();
    assert_eq!(webhooks.read(&ids).await.unwrap().len(), 101);
    assert!((database.calls() - before - 2.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn a_database_that_is_away_is_an_error_and_never_an_empty_answer() {
    let database = Database::start().await;
    let webhooks = webhooks(&database);
    database.stop().await;
    assert!(webhooks.read(&[DeliveryId("d1".into())]).await.is_err());
    assert!(webhooks.store(&delivery("d1", "{}"), Duration::from_millis(500)).await.is_err());
}
