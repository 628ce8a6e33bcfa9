//! One batch of everything that can be wrong with a message, and of good ones.

use std::collections::BTreeMap;

use local::{Stack, StackOptions};
use serde_json::{Value, json};
use shared::ids::{Ids, JobId};

use crate::support::{
    User,
    in_process::aws,
    run, start,
    storage::{all_rows, object},
    terra::{Sender, drained, job_of, number, outcome, text, webhook},
    wearables::{Watch, latest_values, today},
};

/// Over what a worker takes, and below what SQS takes.
const TOO_LARGE: usize = 300 * 1024;

async fn send(stack: &Stack, body: &str) {
    let aws = aws(stack);
    let send = aws.sqs().await.send_message().queue_url(stack.queue_url("JobQueue").unwrap());
    send.message_body(body).send().await.unwrap();
}

/// What dead-jobs lists to an admin, by type and then in its order.
async fn dead_jobs(stack: &Stack) -> BTreeMap<String, Vec<Value>> {
    let answer = User::with_role(stack, Some("admin")).get("dead-jobs").await.success();
    let mut by_type = BTreeMap::<String, Vec<Value>>::new();
    for job in answer["jobs"].as_array().unwrap() {
        by_type.entry(job["job_type"].as_str().unwrap().to_owned()).or_default().push(job.clone());
    }
    by_type
}

/// The messages of the batches that the worker says it has ended.
fn batches(stack: &Stack) -> Vec<u64> {
    let lines = stack.logs().entries("job-worker").into_iter();
    lines.filter(|line| line["message"] == "batch ended").map(|line| line["messages"].as_u64().unwrap()).collect()
}

#[test]
fn what_is_wrong_in_a_batch_dies_alone_and_is_not_received_again() {
    run(async {
        let stack = start(StackOptions::default()).await;
        stack.pause_sources("job-worker").await;
        let (sender, users) = (Sender::new(&stack), [(); 4].map(|()| User::new(&stack)));
        let watches: Vec<Watch> = users.iter().map(|user| Watch::of(user, "GARMIN")).collect();
        let good: Vec<_> = watches.iter().map(|watch| webhook(&watch.steps(today(), 4_321))).collect();
        let poison = webhook(&json!({ "type": "daily", "user": watches[0].user(), "data": "tomorrow" }));
        for webhook in good[..2].iter().chain([&poison]).chain(&good[2..]) {
            assert_eq!(sender.accepted(webhook).await, "queued");
        }
        let inline = JobId(Ids.uuid());
        let score = json!({ "type": "confidence_score", "user_id": users[0].id, "operation_id": Ids.uuid() });
        let large = json!({ "job_id": Ids.uuid(), "epoch": 1, "padding": "x".repeat(TOO_LARGE) }).to_string();
        let unknown = json!({ "job_id": Ids.uuid(), "epoch": 1 }).to_string();
        let broken = r#"{"job_id":"#;
        for body in [broken, &large, &unknown, &json!({ "job_id": inline, "epoch": 1, "job": score }).to_string()] {
            send(&stack, body).await;
        }
        stack.resume_sources("job-worker");
        drained(&stack).await;

        for id in good.iter().map(|webhook| job_of(webhook).unwrap()).chain([inline]) {
            let job = outcome(&stack, id).await;
            assert_eq!((job.state.as_str(), job.attempts, job.error), ("done", 0, None));
        }
        for user in &users {
            assert_eq!(latest_values(user).await["steps"], 4_321.0);
        }
        let mut dead = dead_jobs(&stack).await;
        let ingest = dead.remove("terra_ingest").unwrap();
        assert_eq!((ingest.len(), ingest[0]["attempts"].as_u64()), (1, Some(1)));
        assert_eq!(ingest[0]["id"], job_of(&poison).unwrap().to_string());
        assert!(ingest[0]["error"].as_str().unwrap().contains("/data"), "{ingest:?}");
        let unparsable = dead.remove("unparsable").unwrap();
        assert!(unparsable.iter().all(|job| !job["error"].as_str().unwrap().is_empty()), "{unparsable:?}");
        assert_eq!((unparsable.len(), dead), (3, BTreeMap::new()));
        assert_eq!(kept_bodies(&stack).await, [broken.to_owned(), unknown, large].map(|body| (body, 1)).into());
        let batches = batches(&stack);
        assert_eq!((batches[0], batches.iter().sum::<u64>()), (9, 9 + 3), "{batches:?}");
        stack.shutdown().await;
    });
}

/// The messages that are no jobs, whole, each with how often it is listed.
async fn kept_bodies(stack: &Stack) -> BTreeMap<String, usize> {
    let mut bodies = BTreeMap::new();
    for row in all_rows(stack, "JobsTable").await {
        if text(&row, "type").as_deref() == Some("unparsable") {
            assert_eq!(number(&row, "epoch"), 1);
            let body = match text(&row, "payload_key") {
                Some(key) => String::from_utf8(object(stack, &key).await.1).unwrap(),
                None => text(&row, "payload").unwrap(),
            };
            *bodies.entry(body).or_default() += 1;
        }
    }
    bodies
}
