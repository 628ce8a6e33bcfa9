//! What happens when AWS fails in the middle: the caller hears it, nothing is counted by halves, and the same request
//! again gives the right result.

use std::time::Duration;

use local::{
    Stack, StackOptions,
    front::{Call, Fault},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    Answer, User,
    pictures::picture,
    run,
    stand_in::{Reply, StandIn},
    start,
    storage::{keys, rows, sessions_of},
};

/// On the frame of these tests.
const SHOTS: usize = 2;

async fn frame() -> Vec<u8> {
    picture(3).await
}

/// 503 with `Retry-After`.
#[track_caller]
fn is_unavailable(answer: &Answer) {
    answer.is_problem(503, "unavailable");
    let wait = answer.header("retry-after").map(|seconds| seconds.parse::<u64>().unwrap());
    assert!(wait.is_some_and(|seconds| seconds >= 1), "{wait:?}");
}

/// A request that a fault hits: mended by the SDK's own retry, or refused and then sent once more without the fault.
async fn interrupted(stack: &Stack, fault: Fault, mended: bool, request: impl AsyncFn() -> Answer) -> Value {
    stack.front().inject(fault);
    let first = request().await;
    stack.front().clear_faults();
    if mended {
        return first.success();
    }
    is_unavailable(&first);
    request().await.success()
}

/// The frame was counted once, whatever happened on the way.
async fn is_counted_once(stack: &Stack, user: &User, session: Uuid, answer: &Value) {
    let detections = answer["analysis"]["detections"].as_array().unwrap();
    assert_eq!(detections.iter().filter(|shot| shot["new"] == true).count(), SHOTS, "{answer:#}");
    let rows = rows(stack, session).await;
    let of_kind = |kind: &str| rows.keys().filter(|key| key.starts_with(kind)).count();
    assert_eq!((of_kind("FRAME#"), of_kind("SHOT#")), (1, SHOTS));
    assert_eq!(keys(stack, &format!("frames/{session}/")).await.len(), 1);
    let statistics = user.end(session).await.success()["session"]["statistics"].clone();
    assert_eq!(statistics["total_shots"], SHOTS);
    let scores: f64 = detections.iter().map(|shot| shot["score"].as_f64().unwrap()).sum();
    assert!((statistics["total_score"].as_f64().unwrap() - scores).abs() < 1e-6, "{statistics:#} {scores}");
}

fn throttled(operation: &str) -> Fault {
    Fault::throttle().operation(operation)
}

fn broken(operation: &str) -> Fault {
    Fault::internal_error().operation(operation)
}

fn dropped(operation: &str) -> Fault {
    Fault::drop_connection().operation(operation)
}

fn lost(operation: &str) -> Fault {
    Fault::lose_answer().operation(operation)
}

fn slow_down() -> Fault {
    Fault::refuse(503, "SlowDown").operation("PutObject")
}

#[test]
fn a_frame_is_counted_once_whatever_fails_while_it_is_analysed() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let sessions = stack.table("SessionsTable").unwrap();
        let transaction = "TransactWriteItems";
        let table = [
            (throttled("Query"), false),
            (broken("GetItem").resource(sessions), false),
            (slow_down(), false),
            (lost("PutObject"), false),
            (lost("PutObject").times(1), true),
            (throttled(transaction), false),
            (broken(transaction), false),
            (dropped(transaction), false),
            (dropped(transaction).times(1), true),
            (lost(transaction), false),
            (lost(transaction).times(1), true),
            (Fault::transaction_conflict().times(2), true),
        ];
        for (fault, mended) in table {
            let user = User::new(&stack);
            let (session, frame) = (user.session().await, frame().await);
            let fault = fault.function("analyze-frame");
            let analyze = async || user.analyze(session, 1, &frame).await;
            let answer = interrupted(&stack, fault, mended, analyze).await;
            assert_eq!(analyze().await.success(), answer, "a frame that is known gets the answer that it got");
            is_counted_once(&stack, &user, session, &answer).await;
        }
        stack.shutdown().await;
    });
}

#[test]
fn a_session_that_is_written_to_without_end_is_given_up_and_may_be_tried_again() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let user = User::new(&stack);
        let (session, frame) = (user.session().await, frame().await);
        let analyze = async || user.analyze(session, 1, &frame).await;
        let answer = interrupted(&stack, Fault::transaction_conflict(), false, analyze).await;
        let tried = stack.front().calls().by("analyze-frame").named("TransactWriteItems").count();
        assert_eq!(tried, 6 + 1, "once and five times more, and then once");
        is_counted_once(&stack, &user, session, &answer).await;
        stack.shutdown().await;
    });
}

#[test]
fn a_start_that_fails_leaves_no_session_or_the_one_of_its_key() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let transaction = "TransactWriteItems";
        let put = "PutItem";
        let plain = [(throttled(put), false), (dropped(put), false), (lost(put).times(1), true)];
        let keyed = [
            (broken(transaction), false),
            (lost(transaction), false),
            (lost(transaction).times(1), true),
            (Fault::transaction_conflict().times(1), true),
        ];
        let plain = plain.into_iter().map(|(fault, mended)| (fault, mended, None));
        let keyed = keyed.into_iter().map(|(fault, mended)| (fault, mended, Some(("idempotency-key", "once"))));
        for (fault, mended, key) in plain.chain(keyed) {
            let user = User::new(&stack);
            let body = json!({ "user_id": user.id, "session_type": "practice", "metadata": {} });
            let request = async || user.post_with("start-session", &body, key.as_slice()).await;
            let answer = interrupted(&stack, fault.function("start-session"), mended, request).await;
            assert_eq!(sessions_of(&stack, user.id).await, 1);
            let id: Uuid = answer["session"]["id"].as_str().unwrap().parse().unwrap();
            user.end(id).await.success();
            if key.is_some() {
                assert_eq!(request().await.success(), answer);
            }
        }
        stack.shutdown().await;
    });
}

#[test]
fn a_session_ends_once_whatever_fails_while_it_is_ended() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let sessions = stack.table("SessionsTable").unwrap();
        let update = |fault: Fault| fault.resource(sessions);
        let table = [
            (throttled("Query"), false),
            (update(broken("UpdateItem")), false),
            (update(dropped("UpdateItem")), false),
            (update(lost("UpdateItem")), false),
            (update(lost("UpdateItem")).times(1), true),
            (slow_down(), false),
            (lost("PutObject"), false),
        ];
        for (fault, mended) in table {
            let user = User::new(&stack);
            let (session, frame) = (user.session().await, frame().await);
            user.analyze(session, 1, &frame).await.success();
            let end = async || user.end(session).await;
            let ended = interrupted(&stack, fault.function("end-session"), mended, end).await;
            is_ended(&stack, &user, session, ended).await;
        }
        stack.shutdown().await;
    });
}

/// It has its figures and its report, takes no frame any more, and says the same when it is asked again.
async fn is_ended(stack: &Stack, user: &User, session: Uuid, mut ended: Value) {
    assert_eq!(ended["session"]["statistics"]["total_shots"], SHOTS);
    let report = reqwest::get(ended["session"]["report_url"].as_str().unwrap()).await.unwrap();
    assert_eq!(report.status(), 200);
    assert!(report.text().await.unwrap().contains("<svg"));
    user.analyze(session, 2, &frame().await).await.is_problem(409, "session_ended");
    let mut again = user.end(session).await.success();
    let urls = [&mut ended, &mut again].map(|answer| answer["session"]["report_url"].take());
    assert_eq!(ended, again);
    assert!(urls.iter().all(|url| url.as_str().unwrap().contains(&format!("/reports/{session}/"))));
    assert_eq!(keys(stack, &format!("reports/{session}/")).await.len(), 1);
}

#[test]
fn an_instance_that_dies_in_the_middle_of_a_frame_loses_nothing() {
    run(async {
        let model = StandIn::start(Reply::json(500, &Value::Null).held()).await;
        let options = StackOptions::default().parameter("RoboflowUrl", model.url());
        let stack = start(options.secret("roboflow_api_key", "key").parameter("RoboflowModel", "holes/1")).await;
        let user = User::new(&stack);
        let (session, frame) = (user.session().await, frame().await);
        let crash = async {
            model.arrived().await;
            stack.kill_instances("analyze-frame").await;
            model.replies([Reply::json(500, &Value::Null)]);
        };
        let (answer, ()) = futures::join!(user.analyze(session, 1, &frame), crash);
        assert!(answer.status >= 500, "{answer:?}");
        let answer = user.analyze(session, 1, &frame).await.success();
        assert_eq!(answer["analysis"]["detector"], "builtin");
        is_counted_once(&stack, &user, session, &answer).await;
        stack.shutdown().await;
    });
}

#[test]
fn an_instance_that_dies_between_the_end_and_its_report_leaves_both_to_be_had() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let user = User::new(&stack);
        let (session, frame) = (user.session().await, frame().await);
        user.analyze(session, 1, &frame).await.success();
        let table = stack.table("SessionsTable").unwrap().to_owned();
        stack.front().inject(Fault::delay(Duration::from_secs(60)).operation("PutObject").function("end-session"));
        let crash = async {
            let is_end = |call: &Call| call.operation == "UpdateItem" && call.resources.contains(&table);
            stack.front().wait_for(is_end).await;
            stack.kill_instances("end-session").await;
        };
        let (answer, ()) = futures::join!(user.end(session), crash);
        assert!(answer.status >= 500, "{answer:?}");
        assert_eq!(keys(&stack, &format!("reports/{session}/")).await.len(), 0);
        stack.front().clear_faults();
        is_ended(&stack, &user, session, user.end(session).await.success()).await;
        stack.shutdown().await;
    });
}
