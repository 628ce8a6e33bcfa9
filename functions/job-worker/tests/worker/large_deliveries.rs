//! Large deliveries: a webhook brings a link, what lies behind it is stored and ingested.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use shared::jobs::{Failure, Leased};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::{
    bodies::{data, day, terra, user},
    database,
    world::World,
};

/// A bucket that gives every request the same answer.
struct Bucket {
    host: String,
    asked: Arc<AtomicUsize>,
}

impl Bucket {
    async fn answering(answer: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self { host, asked }
    }

    async fn with(body: &Value) -> Self {
        let body = body.to_string();
        Self::answering(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())).await
    }

    fn ping(&self) -> Value {
        let url = format!("http://{}/payload.json?X-Amz-Signature=secret", self.host);
        json!({ "type": "s3_payload", "url": url, "status": "success" })
    }
}

async fn world(hosts: &[&str]) -> World {
    let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
    World::with(|config| config.terra.payload_hosts = hosts).await
}

fn daily(steps: u32) -> Value {
    data("daily", &terra("t-1", "garmin", Some(user(1))), vec![day("2026-07-01", steps, None)])
}

#[tokio::test]
async fn what_lies_behind_the_link_is_ingested_as_of_its_webhook() {
    let bucket = Bucket::with(&daily(9000)).await;
    let world = world(&[&bucket.host]).await;
    world.deliver("ping", "2026-07-02T06:00:00Z", &bucket.ping()).await;
    world.deliver("newer", "2026-07-02T07:00:00Z", &daily(7)).await;
    world.work(10).await;
    // Ingested last, and yet the older of the two.
    assert_eq!(world.latest(user(1)).await, [("steps", 7.0)]);
    let counts = world.counts().await;
    assert_eq!((counts.webhooks_done, counts.scored), (2, 2));
    let ids: Vec<_> = world.items(database::WEBHOOKS).await.iter().map(|row| row["delivery_id"].clone()).collect();
    assert!(ids.contains(&json!("ping.payload")), "{ids:?}");
}

#[tokio::test]
async fn a_user_event_may_be_behind_a_link_too() {
    let bucket = Bucket::with(&crate::bodies::event("auth", &terra("t-1", "garmin", Some(user(1))))).await;
    let world = world(&[&bucket.host]).await;
    world.deliver("ping", "2026-07-02T06:00:00Z", &bucket.ping()).await;
    world.work(10).await;
    assert_eq!(world.items(database::CONNECTIONS).await[0]["state"], "connected");
}

/// What becomes of a job, the text of its failure checked for the link's secret.
async fn failure(world: &World, job: shared::jobs::NewJob) -> Failure {
    let failure = world.perform(vec![job]).await.pop().unwrap().unwrap_err();
    let text = format!("{failure:?}");
    assert!(!text.contains("secret") && !text.contains("payload.json"), "{text}");
    failure
}

#[tokio::test]
async fn a_link_that_has_expired_is_dead_and_counted() {
    for status in ["403 Forbidden", "404 Not Found", "410 Gone"] {
        let bucket = Bucket::answering(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n")).await;
        let world = world(&[&bucket.host]).await;
        let job = world.store("ping", "2026-07-02T06:00:00Z", &bucket.ping()).await;
        let failure = failure(&world, job).await;
        assert!(matches!(&failure, Failure::Permanent(why) if why.contains("expired")), "{failure:?}");
        assert_eq!(world.counted("large_deliveries_expired"), 1.0);
    }
}

#[tokio::test]
async fn nothing_is_asked_of_a_link_that_is_too_old_unless_somebody_wants_it_retried() {
    let bucket = Bucket::with(&daily(9000)).await;
    let world = world(&[&bucket.host]).await;
    let job = world.store("ping", "2026-07-02T06:00:00Z", &bucket.ping()).await;
    world.ctx.clock.advance(Duration::from_secs(8 * 60 + 1));
    assert!(matches!(failure(&world, job.clone()).await, Failure::Permanent(_)));
    assert_eq!(bucket.asked.load(Ordering::SeqCst), 0);
    let retried = Leased::new(job.id, job.job, 2, 1, job.created_at, true);
    let batch = shared::jobs::Batch { jobs: vec![retried], until: world.ctx.clock.now() };
    Box::pin(job_worker::perform(&world.ctx, &batch)).await;
    batch.jobs[0].take().unwrap().unwrap();
    world.work(10).await;
    assert_eq!(world.latest(user(1)).await, [("steps", 9000.0)]);
}

#[tokio::test]
async fn a_bucket_that_is_down_is_asked_again_before_the_link_expires() {
    let bucket = Bucket::answering("HTTP/1.1 500 Down\r\ncontent-length: 0\r\n\r\n".to_owned()).await;
    let world = world(&[&bucket.host]).await;
    let job = world.store("ping", "2026-07-02T06:00:00Z", &bucket.ping()).await;
    let failure = failure(&world, job).await;
    assert!(matches!(failure, Failure::Transient { after: Some(pause), .. } if pause == Duration::from_secs(5)));
}

#[tokio::test]
async fn a_body_that_is_too_large_or_lies_elsewhere_is_not_fetched() {
    let other = Bucket::with(&daily(9000)).await;
    let answers = [
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 33 * 1024 * 1024),
        format!("HTTP/1.1 302 Found\r\nlocation: http://{}/\r\ncontent-length: 0\r\n\r\n", other.host),
    ];
    for answer in answers {
        let bucket = Bucket::answering(answer).await;
        let world = world(&[&bucket.host]).await;
        let job = world.store("ping", "2026-07-02T06:00:00Z", &bucket.ping()).await;
        failure(&world, job).await;
        assert_eq!(world.items(database::WEBHOOKS).await.len(), 1);
    }
    let world = world(&["bucket.example.com"]).await;
    let job = world.store("ping", "2026-07-02T06:00:00Z", &other.ping()).await;
    assert!(matches!(failure(&world, job).await, Failure::Permanent(_)));
    assert_eq!(other.asked.load(Ordering::SeqCst), 0);
}
