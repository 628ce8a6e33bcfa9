//! recalculate-metrics: what metrics say is worked out anew, for one user or for all, and the operation can be followed.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::{StreamExt, stream};
use local::{Stack, front::Fault};
use serde_json::{Value, json};
use shared::ids::Ids;
use uuid::Uuid;

use crate::support::{
    User, run, start,
    storage::{Row, all_rows, put, rows_of},
    terra::{Sender, drained, text},
    wearables::{self, Watch, days_ago, latest, stack},
};

async fn ask(stack: &Stack, user: Option<Uuid>) -> String {
    let answer = User::with_role(stack, Some("admin")).post("recalculate-metrics", &json!({ "user_id": user })).await;
    assert_eq!(answer.status, 202, "{:#}", answer.body);
    assert_eq!(answer.body["success"], true);
    answer.body["operation_id"].as_str().unwrap().to_owned()
}

/// The operation's jobs: type and row.
async fn jobs(stack: &Stack, operation: &str) -> Vec<(String, Row)> {
    let rows = all_rows(stack, "JobsTable").await.into_iter();
    let own = rows.filter(|row| text(row, "operation_id").as_deref() == Some(operation));
    own.map(|row| (text(&row, "type").unwrap(), row)).collect()
}

/// Makes what is told of a user's metrics wrong, as an older rule might have.
async fn spoil(stack: &Stack, user: &User) {
    for mut row in rows_of(stack, "LatestMetricsTable", ("user_id", &user.id.to_string())).await {
        let spoilt = json!({ "completeness": 0.1, "source": 0.1, "plausibility": 0.1, "sufficiency": 0.1 }).to_string();
        assert!(row.insert("components".into(), AttributeValue::S(spoilt)).is_some(), "{row:?}");
        put(stack, "LatestMetricsTable", row).await;
    }
}

async fn told(user: &User) -> Value {
    let mut row = latest(user).await.remove("steps").unwrap();
    // Which fade with time.
    row["confidence"].take();
    row["components"]["freshness"].take();
    row
}

async fn walker(stack: &Stack) -> User {
    let user = User::new(stack);
    let watch = Watch::of(&user, "GARMIN");
    Sender::new(stack).deliver_body(&watch.steps(days_ago(1), 8_000)).await;
    user
}

#[test]
fn one_users_metrics_are_worked_out_anew_and_nobody_elses() {
    run(async {
        let stack = start(wearables::options()).await;
        let (user, other) = (walker(&stack).await, walker(&stack).await);
        let before = told(&user).await;
        for user in [&user, &other] {
            spoil(&stack, user).await;
            assert_ne!(told(user).await, before);
        }
        // A metric that nothing stands behind any more.
        let mut orphan = rows_of(&stack, "LatestMetricsTable", ("user_id", &user.id.to_string())).await.remove(0);
        let sk = wearables::sort_key(&orphan).replace("steps#", "weight#");
        orphan.insert("sk".into(), AttributeValue::S(sk));
        put(&stack, "LatestMetricsTable", orphan).await;
        let operation = ask(&stack, Some(user.id)).await;
        drained(&stack).await;
        assert_eq!(told(&user).await, before);
        assert_eq!(latest(&user).await.len(), 1);
        assert_ne!(told(&other).await, before);
        let kinds: BTreeSet<_> = jobs(&stack, &operation).await.into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(kinds, ["confidence_score".to_owned(), "recalculate_metrics".to_owned()].into());
        let logged = stack.logs().entries("job-worker");
        assert!(logged.iter().any(|line| line.to_string().contains(&operation)), "the log tells of the operation");
        stack.shutdown().await;
    });
}

#[test]
fn all_users_are_worked_out_anew_page_by_page_each_once() {
    const USERS: usize = 230;
    run(async {
        let stack = start(wearables::options()).await;
        let walkers = [walker(&stack).await, walker(&stack).await];
        let before = told(&walkers[0]).await;
        for user in &walkers {
            spoil(&stack, user).await;
        }
        let connection = |user: Option<Uuid>| {
            let key = AttributeValue::S(Ids.uuid().to_string());
            let mut row = Row::from([("terra_user_id".into(), key), ("version".into(), AttributeValue::N("1".into()))]);
            if let Some(user) = user {
                row.insert("user_id".into(), AttributeValue::S(user.to_string()));
                row.insert("connection_id".into(), AttributeValue::S(Ids.uuid().to_string()));
                row.insert("provider".into(), AttributeValue::S("OURA".into()));
            }
            row
        };
        let users: Vec<Uuid> = (0..USERS).map(|_| Ids.uuid()).collect();
        // Some have two connections, and some connections are nobody's yet.
        let bound = users.iter().chain(&users[..20]).map(|user| connection(Some(*user)));
        let rows: Vec<Row> = bound.chain((0..10).map(|_| connection(None))).collect();
        let connections = rows.len() + walkers.len();
        stream::iter(rows).for_each_concurrent(8, |row| put(&stack, "ConnectionsTable", row)).await;
        let operation = ask(&stack, None).await;
        drained(&stack).await;
        for user in &walkers {
            assert_eq!(told(user).await, before);
        }
        let jobs = jobs(&stack, &operation).await;
        assert!(jobs.iter().all(|(_, row)| text(row, "state").as_deref() == Some("done")));
        let of = |kind: &str| jobs.iter().filter(|job| job.0 == kind).count();
        assert_eq!(of("confidence_score"), USERS + walkers.len(), "each user once");
        assert_eq!(of("recalculate_metrics"), connections.div_ceil(100), "a job a page");
        stack.shutdown().await;
    });
}

#[test]
fn an_operation_that_fails_can_be_found_among_the_dead_and_tried_again() {
    run(async {
        let stack = start(wearables::options()).await;
        let user = walker(&stack).await;
        let before = told(&user).await;
        spoil(&stack, &user).await;
        stack.pause_sources("job-worker").await;
        let operation = ask(&stack, None).await;
        // At its last attempt: the pauses between five of them are no matter here.
        let (_, mut job) = jobs(&stack, &operation).await.remove(0);
        job.insert("attempts".into(), AttributeValue::N("4".into()));
        put(&stack, "JobsTable", job).await;
        let refused = Fault::refuse(400, "AccessDeniedException").function("job-worker").operation("Scan");
        let refused = stack.front().inject(refused);
        stack.resume_sources("job-worker");
        drained(&stack).await;
        assert!(refused.hits() > 0);
        let admin = User::with_role(&stack, Some("admin"));
        let dead = admin.get("dead-jobs?job_type=recalculate_metrics").await.success();
        assert_eq!(dead["jobs"].as_array().unwrap().len(), 1, "{dead:#}");
        let job = &dead["jobs"][0];
        assert_eq!((&job["operation_id"], &job["attempts"]), (&json!(operation), &json!(5)), "{job:#}");
        let logged = stack.logs().entries("job-worker");
        let warned = logged.iter().find(|line| line["level"] == "WARN" && line["operation_id"] == *operation).unwrap();
        assert!(warned["error"].is_string(), "{warned:#}");
        refused.remove();
        assert_eq!(admin.post("retry-jobs", &json!({})).await.success()["retried"], 1);
        drained(&stack).await;
        assert_eq!(told(&user).await, before);
        stack.shutdown().await;
    });
}

#[test]
fn only_admins_have_metrics_recalculated_and_only_of_users_who_can_be() {
    run(async {
        let stack = stack().await;
        let user = User::new(stack);
        for role in [None, Some("trainer")] {
            let refused =
                User::with_role(stack, role).post("recalculate-metrics", &json!({ "user_id": user.id })).await;
            refused.is_problem(403, "forbidden");
        }
        // Not even one's own.
        user.post("recalculate-metrics", &json!({ "user_id": user.id })).await.is_problem(403, "forbidden");
        user.without_token().post("recalculate-metrics", &json!({})).await.is_problem(401, "unauthenticated");
        let refused =
            User::with_role(stack, Some("admin")).post("recalculate-metrics", &json!({ "user_id": "all" })).await;
        refused.is_problem(422, "invalid");
        assert_eq!(refused.pointers(), ["/user_id"]);
    });
}
