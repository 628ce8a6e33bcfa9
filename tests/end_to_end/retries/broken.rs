//! A stack with dead jobs whose cause can be mended.

use std::{cell::RefCell, collections::BTreeSet};

use futures::future::join_all;
use local::{Stack, front::Call, terra::Webhook};
use serde_json::{Value, json};
use shared::ids::{DeliveryId, JobId};

use crate::support::{
    Answer, User,
    stand_in::{Reply, StandIn},
    start,
    storage::{Row, item},
    terra::{Sender, delivery_of, drained, job_of, job_of_delivery, number, text, webhook},
    wearables::{Watch, latest_values, options, today},
};

/// Large deliveries whose links are not to be had at first.
pub const LARGE: usize = 24;

/// A stack, and where Terra keeps large deliveries: its links answer 403 until they are mended.
pub struct Broken {
    pub stack: Stack,
    pub terra: StandIn,
    user: User,
    pub deliveries: Vec<Webhook>,
    pub poison: Webhook,
    payload: Value,
}

impl Broken {
    /// All of them dead, and one job of another type.
    pub async fn start() -> Self {
        let terra = StandIn::start(Reply::json(403, &Value::Null)).await;
        let hosts = terra.url().trim_start_matches("http://").to_owned();
        let stack = start(options().parameter("TerraPayloadHosts", hosts)).await;
        let user = User::new(&stack);
        let watch = Watch::of(&user, "GARMIN");
        let link = |at: usize| json!({ "type": "s3_payload", "url": format!("{}/{at}?key=secret", terra.url()) });
        let deliveries: Vec<_> = (0..LARGE).map(|at| webhook(&link(at))).collect();
        let poison = webhook(&json!({ "type": "daily", "user": watch.user(), "data": 7 }));
        let sender = Sender::new(&stack);
        for delivery in deliveries.iter().chain([&poison]) {
            assert_eq!(sender.accepted(delivery).await, "queued");
        }
        drained(&stack).await;
        let payload = watch.steps(today(), 7_777);
        let broken = Self { stack, terra, user, deliveries, poison, payload };
        broken.each_large(|row| (state(row), number(row, "epoch"))).await.iter().for_each(|job| {
            assert_eq!(*job, ("dead".to_owned(), 1));
        });
        assert_eq!(broken.terra.asked().len(), LARGE);
        broken
    }

    pub fn mend(&self) {
        self.terra.replies([Reply::json(200, &self.payload)]);
    }

    pub async fn row(&self, job: JobId) -> Row {
        item(&self.stack, "JobsTable", &[("job_id", &job.to_string())]).await.unwrap()
    }

    pub async fn each_large<T>(&self, of: impl Fn(&Row) -> T) -> Vec<T> {
        let jobs = self.deliveries.iter().map(|delivery| job_of(delivery).unwrap());
        join_all(jobs.map(async |job| of(&self.row(job).await))).await
    }

    pub async fn retry(&self, body: &Value) -> Answer {
        User::with_role(&self.stack, Some("admin")).post("retry-jobs", body).await
    }

    pub async fn dead(&self) -> Vec<String> {
        let answer = User::with_role(&self.stack, Some("trainer")).get("dead-jobs").await.success();
        answer["jobs"].as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until retry-jobs has marked each of them.
    pub async fn all_marked(&self) {
        let jobs = self.stack.table("JobsTable").unwrap().to_owned();
        let marked = RefCell::new(BTreeSet::new());
        let last = |call: &Call| {
            let mark =
                call.function == "retry-jobs" && call.operation == "UpdateItem" && call.resources.contains(&jobs);
            mark && call.status == Some(200) && marked.borrow_mut().insert(call.start) && marked.borrow().len() == LARGE
        };
        self.stack.front().wait_for(last).await;
    }

    /// Each was fetched once more, made its metrics, and says that it was retried; the other type's is as it was.
    pub async fn all_succeeded_once(&self) {
        let standing =
            self.each_large(|row| (state(row), number(row, "epoch"), number(row, "attempts"), number(row, "crashes")));
        for standing in standing.await {
            assert_eq!(standing, ("done".to_owned(), 2, 0, 0));
        }
        assert!(self.each_large(|row| row.contains_key("retried_at")).await.iter().all(|retried| *retried));
        assert_eq!(self.terra.asked().len(), 2 * LARGE);
        for delivery in &self.deliveries {
            let id = DeliveryId(format!("{}.payload", delivery_of(delivery)));
            let ingested = self.row(job_of_delivery(&id, self.payload.to_string().as_bytes()).unwrap()).await;
            assert_eq!((state(&ingested), number(&ingested, "epoch")), ("done".to_owned(), 1));
        }
        assert_eq!(latest_values(&self.user).await["steps"], 7_777.0);
        let poison = self.row(job_of(&self.poison).unwrap()).await;
        assert_eq!((state(&poison), number(&poison, "epoch")), ("dead".to_owned(), 1));
        assert!(!poison.contains_key("retried_at"));
        assert_eq!(self.dead().await, [job_of(&self.poison).unwrap().to_string()]);
    }
}

pub fn state(row: &Row) -> String {
    text(row, "state").unwrap()
}
