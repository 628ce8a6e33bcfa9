//! Jobs that died, seen and retried by those who run the system; and jobs that are fed by hand.

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join_all;
use local::Stack;
use serde_json::{Value, json};
use shared::ids::{Ids, JobId};

use crate::support::{
    Answer, User,
    in_process::aws,
    run, start,
    storage::{item, put},
    terra::{Sender, drained, job_of, settled, webhook},
    wearables::{self, Watch, days_ago, latest_values, stack},
};

/// An event that can be none: its job dies at once.
fn poison(watch: &Watch) -> Value {
    json!({ "type": "daily", "user": watch.user(), "data": 7 })
}

/// So many dead jobs of each: poison data, a poison user event, a large delivery that may not be fetched.
async fn with_dead_jobs(stack: &Stack, counts: [usize; 3]) {
    let (terra, watch) = (Sender::new(stack), Watch::of(&User::new(stack), "GARMIN"));
    let bodies = [
        poison(&watch),
        json!({ "type": "deauth", "user": {} }),
        json!({ "type": "s3_payload", "url": "https://elsewhere.example/p?X-Amz-Signature=hush" }),
    ];
    for (body, count) in bodies.iter().zip(counts) {
        let webhooks: Vec<_> = (0..count).map(|_| webhook(body)).collect();
        join_all(webhooks.iter().map(|webhook| terra.accepted(webhook))).await;
        for webhook in &webhooks {
            assert_eq!(settled(stack, job_of(webhook).unwrap()).await.state, "dead");
        }
    }
}

/// All jobs of a list, page by page, and how many pages there were.
async fn listed(user: &User, query: &str) -> (Vec<Value>, usize) {
    let (mut jobs, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let page = user.get(&format!("dead-jobs?{query}{cursor}")).await.success();
        jobs.extend(page["jobs"].as_array().unwrap().clone());
        pages += 1;
        match page["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (jobs, pages),
        }
        assert!(pages < 50, "the list never ends");
    }
}

#[test]
fn dead_jobs_are_listed_for_admins_and_trainers_by_type_and_page() {
    run(async {
        let stack = start(wearables::options()).await;
        with_dead_jobs(&stack, [5, 2, 1]).await;
        for role in ["admin", "trainer"] {
            let staff = User::with_role(&stack, Some(role));
            let (jobs, pages) = listed(&staff, "").await;
            assert_eq!((jobs.len(), pages), (8, 1));
            for job in &jobs {
                let fields: Vec<_> = job.as_object().unwrap().keys().map(String::as_str).collect();
                let expected = ["attempts", "error", "failed_at", "id", "job_type", "operation_id", "retried_at"];
                let mut sorted = fields.clone();
                sorted.sort_unstable();
                assert_eq!(sorted, expected, "{job:#}");
                assert_eq!((&job["operation_id"], &job["retried_at"]), (&Value::Null, &Value::Null));
                assert!(job["id"].as_str().unwrap().parse::<uuid::Uuid>().is_ok() && job["failed_at"].is_string());
                let error = job["error"].as_str().unwrap();
                assert!(!error.is_empty() && !error.contains("hush"), "{error}");
            }
            for (query, count) in [
                ("job_type=terra_ingest", 5),
                ("job_type=terra_connection", 2),
                ("job_type=fetch_large_delivery", 1),
                ("job_type=confidence_score", 0),
                ("job_type=unparsable", 0),
            ] {
                let (of_type, _) = listed(&staff, query).await;
                assert_eq!(of_type.len(), count, "{query}");
                let kind = query.split('=').next_back().unwrap();
                assert!(of_type.iter().all(|job| job["job_type"] == kind), "{of_type:#?}");
                let failed: Vec<_> = of_type.iter().map(|job| job["failed_at"].as_str().unwrap()).collect();
                assert!(failed.is_sorted_by(|one, next| one >= next), "the newest first: {failed:?}");
            }
            let mut all: Vec<String> = jobs.iter().map(|job| job["id"].to_string()).collect();
            all.sort();
            for limit in [1, 2, 3, 7, 8] {
                let (paged, pages) = listed(&staff, &format!("limit={limit}")).await;
                let mut ids: Vec<String> = paged.iter().map(|job| job["id"].to_string()).collect();
                ids.sort();
                assert_eq!(ids, all, "none twice and none left out, {limit} a page");
                assert!(pages >= 8usize.div_ceil(limit), "{pages} pages of {limit}");
            }
        }
        stack.shutdown().await;
    });
}

#[test]
fn a_list_that_can_not_be_is_refused_and_so_is_who_may_not_see_it() {
    run(async {
        let stack = stack().await;
        let admin = User::with_role(stack, Some("admin"));
        for (query, pointer) in [
            ("limit=0", "/limit"),
            ("limit=101", "/limit"),
            ("limit=many", "/limit"),
            ("limit=-1", "/limit"),
            ("job_type=daily", "/job_type"),
            ("cursor=nonsense", "/cursor"),
            ("cursor=e30", "/cursor"),
            ("cursor=%00", "/cursor"),
        ] {
            let refused = admin.get(&format!("dead-jobs?{query}")).await;
            assert_eq!(refused.status, 422, "{query}");
            refused.is_problem(422, "invalid");
            assert_eq!(refused.pointers(), [pointer], "{query}");
        }
        User::new(stack).get("dead-jobs").await.is_problem(403, "forbidden");
        User::stranger(stack).get("dead-jobs").await.is_problem(401, "unauthenticated");
        for role in [None, Some("trainer")] {
            User::with_role(stack, role).post("retry-jobs", &json!({})).await.is_problem(403, "forbidden");
        }
        for body in [json!({ "limit": 0 }), json!({ "limit": 1_001 }), json!({ "limit": "all" })] {
            let refused = admin.post("retry-jobs", &body).await;
            refused.is_problem(422, "invalid");
            assert_eq!(refused.pointers(), ["/limit"], "{body}");
        }
        let refused = admin.post("retry-jobs", &json!({ "job_type": "daily" })).await;
        refused.is_problem(422, "invalid");
        assert_eq!(refused.pointers(), ["/job_type"]);
    });
}

async fn retry(admin: &User, body: Value) -> (u64, u64) {
    let answer: Answer = admin.post("retry-jobs", &body).await;
    let answer = answer.success();
    assert_eq!(answer["success"], true);
    (answer["retried"].as_u64().unwrap(), answer["remaining"].as_u64().unwrap())
}

#[test]
fn an_admin_has_dead_jobs_tried_again_by_type_and_some_at_a_time() {
    run(async {
        let stack = start(wearables::options()).await;
        with_dead_jobs(&stack, [4, 2, 0]).await;
        let admin = User::with_role(&stack, Some("admin"));
        stack.pause_sources("job-worker").await;
        assert_eq!(retry(&admin, json!({ "job_type": "terra_connection" })).await, (2, 0));
        assert_eq!(retry(&admin, json!({ "job_type": "terra_connection", "limit": null })).await, (0, 0));
        assert_eq!(retry(&admin, json!({ "job_type": null, "limit": 3 })).await, (3, 1));
        assert_eq!(listed(&admin, "").await.0.len(), 1);
        assert_eq!(stack.queue_counts("JobQueue").await.unwrap().visible, 5);
        stack.resume_sources("job-worker");
        drained(&stack).await;
        // Nothing was mended, so they died again.
        let (jobs, _) = listed(&admin, "").await;
        assert_eq!(jobs.len(), 6);
        assert_eq!(jobs.iter().filter(|job| job["retried_at"].is_string()).count(), 5);
        assert_eq!(retry(&admin, json!({})).await, (6, 0));
        drained(&stack).await;
        stack.shutdown().await;
    });
}

#[test]
fn what_died_of_something_that_is_mended_is_done_when_it_is_tried_again() {
    run(async {
        let stack = start(wearables::options()).await;
        let user = User::new(&stack);
        let (terra, watch) = (Sender::new(&stack), Watch::of(&user, "GARMIN"));
        let delivery = webhook(&poison(&watch));
        terra.accepted(&delivery).await;
        let job = job_of(&delivery).unwrap();
        assert_eq!(settled(&stack, job).await.state, "dead");
        // Somebody mends the delivery itself.
        let mut row =
            item(&stack, "WebhooksTable", &[("delivery_id", delivery.trace_id.as_ref().unwrap())]).await.unwrap();
        let mended = watch.steps(days_ago(1), 8_000).to_string();
        row.insert("body".into(), AttributeValue::S(mended));
        put(&stack, "WebhooksTable", row).await;
        assert_eq!(retry(&User::with_role(&stack, Some("admin")), json!({ "job_type": "terra_ingest" })).await, (1, 0));
        drained(&stack).await;
        let done = settled(&stack, job).await;
        assert_eq!((done.state.as_str(), done.epoch), ("done", 2));
        assert_eq!(latest_values(&user).await["steps"], 8_000.0);
        stack.shutdown().await;
    });
}

async fn feed(stack: &Stack, body: &str) {
    let aws = aws(stack);
    let send = aws.sqs().await.send_message().queue_url(stack.queue_url("JobQueue").unwrap());
    send.message_body(body).send().await.unwrap();
}

#[test]
fn a_job_that_is_fed_by_hand_is_run_and_what_is_no_job_is_listed() {
    run(async {
        let stack = start(wearables::options()).await;
        let user = User::new(&stack);
        let (terra, watch) = (Sender::new(&stack), Watch::of(&user, "GARMIN"));
        terra.deliver_body(&watch.steps(days_ago(1), 8_000)).await;
        let (job, operation) = (JobId(Ids.uuid()), Ids.uuid());
        let score = json!({ "type": "confidence_score", "user_id": user.id, "operation_id": operation });
        let message = json!({ "job_id": job, "epoch": 1, "job": score }).to_string();
        feed(&stack, &message).await;
        assert_eq!(settled(&stack, job).await.state, "done");
        feed(&stack, &message).await;
        let unknown = json!({ "job_id": Ids.uuid(), "epoch": 1 }).to_string();
        let strange = json!({ "job_id": Ids.uuid(), "epoch": 1, "job": { "type": "make_coffee" } }).to_string();
        for body in ["no JSON", "{}", &unknown, &strange] {
            feed(&stack, body).await;
        }
        drained(&stack).await;
        drained(&stack).await;
        let (jobs, _) = listed(&User::with_role(&stack, Some("trainer")), "").await;
        assert_eq!(jobs.len(), 4, "{jobs:#?}");
        assert!(jobs.iter().all(|job| job["job_type"] == "unparsable"), "{jobs:#?}");
        stack.shutdown().await;
    });
}
