//! What each endpoint costs: how many calls of AWS, and how many of them in sequence.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use local::{
    Stack, StackOptions,
    camera::{SceneOrder, Subject},
    front::{Calls, Service},
};
use serde_json::{Value, json};
use shared::clock::Clock;
use uuid::Uuid;

use crate::support::{
    User, frame,
    in_process::window,
    pictures::picture,
    run, scene,
    stand_in::{Reply, StandIn},
    start,
    watch::sum,
};

mod wearables;

/// Long enough that calls which a function makes at once overlap, and below half of the limiter's 200 ms.
const LATENCY: Duration = Duration::from_millis(60);

/// The calls that a function makes meanwhile, each of them a round trip that takes its time.
pub async fn calls_of(stack: &Stack, function: &str, request: impl Future<Output = Value>) -> (Calls, Value) {
    stack.front().set_latency(LATENCY);
    stack.front().clear_calls();
    let answer = request.await;
    stack.front().set_latency(Duration::ZERO);
    (stack.front().calls().by(function), answer)
}

/// Calls that were measured in one window of the limiter, since the first request in a new one reads the window before;
/// without a call that was given up; and no deeper than expected, if that can be had. On a machine that stands still for a
/// moment calls are given up that would not be, and those made at once look as if one had waited for the other, never the
/// reverse, so that the best of a few measurements counts.
pub async fn measured(stack: &Stack, depth: usize, measurement: impl AsyncFn() -> Calls) -> Calls {
    let given_up = || FUNCTIONS.map(|function| sum(stack, function, "limiter_unavailable"));
    let mut calls = Calls::default();
    for _ in 0..5 {
        let before = (window(Clock::System.now()), given_up());
        calls = measurement().await;
        let after = (window(Clock::System.now()), given_up());
        if before == after && calls.of(Service::DynamoDb).depth() <= depth {
            break;
        }
    }
    calls
}

const FUNCTIONS: [&str; 13] = [
    "health-check",
    "start-session",
    "camera-proxy",
    "analyze-frame",
    "end-session",
    "webhook-terra",
    "latest-metrics",
    "dead-jobs",
    "retry-jobs",
    "recalculate-metrics",
    "predict",
    "engines",
    "fleet",
];

/// Of a frame that is new, by a warm instance.
const ANALYSIS: [(&str, usize); 5] =
    [("GetItem", 1), ("PutObject", 1), ("Query", 1), ("TransactWriteItems", 1), ("UpdateItem", 1)];

fn start_body(user: &User) -> Value {
    json!({ "user_id": user.id, "session_type": "practice", "metadata": { "target_type": "air_pistol_10m" } })
}

/// A session before a wall: its frames are small, and have no target.
async fn wall(stack: &Stack, user: &User) -> Uuid {
    let session = user.session().await;
    scene(stack, session, SceneOrder { subject: Subject::Wall, width: 320, height: 240, ..SceneOrder::default() });
    session
}

async fn analyze(user: &User, session: Uuid, number: u32, frame: &[u8]) -> Value {
    user.analyze(session, number, frame).await.success()
}

#[test]
fn health_check_asks_everything_at_once() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let user = User::stranger(&stack);
        let calls = measured(&stack, 1, async || {
            stack.kill_instances("health-check").await;
            user.get("health-check/live").await.success();
            calls_of(&stack, "health-check", async { user.get("health-check").await.body }).await.0
        })
        .await;
        // Eight shards of sessions, and eight types of dead jobs.
        let expected = [
            ("BatchGetItem", 1),
            ("GetItem", 3),
            ("GetQueueAttributes", 2),
            ("HeadBucket", 1),
            ("Query", 16),
            ("UpdateItem", 1),
        ];
        assert_eq!((calls.operations(), calls.of(Service::DynamoDb).depth()), (expected.into(), 1));
        let (first, last) = (calls.0.iter().map(|call| call.end).min(), calls.0.iter().map(|call| call.start).max());
        assert!(last < first, "one call waits for another");
        stack.shutdown().await;
    });
}

#[test]
fn start_session_takes_two_round_trips() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let user = User::new(&stack);
        for (key, write) in [(None, "PutItem"), (Some("a-key"), "TransactWriteItems")] {
            let headers: Vec<_> = key.map(|key| ("idempotency-key", key)).into_iter().collect();
            let calls = measured(&stack, 2, async || {
                user.session().await;
                let body = start_body(&user);
                let request = async { user.post_with("start-session", &body, &headers).await.success() };
                calls_of(&stack, "start-session", request).await.0
            })
            .await;
            assert_eq!((calls.operations(), calls.depth()), ([(write, 1), ("UpdateItem", 1)].into(), 2));
        }
        stack.shutdown().await;
    });
}

#[test]
fn camera_proxy_takes_one_round_trip_beside_the_camera() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let user = User::new(&stack);
        let session = wall(&stack, &user).await;
        let wish = json!({ "session_id": session, "frame_number": 1 });
        let ask = async || user.post("camera-proxy", &wish).await.success();
        let cold = measured(&stack, 2, async || {
            stack.kill_instances("camera-proxy").await;
            calls_of(&stack, "camera-proxy", ask()).await.0
        })
        .await;
        // The camera's key is fetched before the instance takes its first event. The breaker's state and the limiter's window
        // before are read beside it all.
        let expected = [("GetItem", 3), ("GetSecretValue", 1), ("UpdateItem", 1)];
        assert_eq!((cold.operations(), cold.depth()), (expected.into(), 2));
        let warm = measured(&stack, 1, async || {
            ask().await;
            calls_of(&stack, "camera-proxy", ask()).await.0
        })
        .await;
        assert_eq!((warm.operations(), warm.depth()), ([("GetItem", 1), ("UpdateItem", 1)].into(), 1));
        stack.shutdown().await;
    });
}

/// Reads come first, then the upload, then the write: DynamoDB is two deep, and the upload runs beside nothing of it.
#[track_caller]
fn is_read_then_upload_then_write(calls: &Calls) {
    assert_eq!(calls.of(Service::DynamoDb).depth(), 2);
    let puts = calls.of(Service::S3);
    let (put, transaction) = (&puts.0[0], &calls.named("TransactWriteItems").0[0]);
    let reads = calls.filtered(|call| call.service == Service::DynamoDb && call.operation != "TransactWriteItems");
    assert!(reads.0.iter().all(|read| read.end <= put.start), "uploaded for a caller that was not let in yet");
    assert!(put.end <= transaction.start, "a frame is written that may not be there");
    assert_eq!((reads.depth(), puts.count()), (1, 1));
}

#[test]
fn analyze_frame_takes_two_round_trips_beside_the_upload() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let user = User::new(&stack);
        let session = wall(&stack, &user).await;
        let picture = frame(&stack, session, 1).await;
        let next = AtomicU32::new(1);
        let number = || next.fetch_add(1, Ordering::Relaxed);
        let calls = measured(&stack, 2, async || {
            analyze(&user, session, number(), &picture).await;
            calls_of(&stack, "analyze-frame", analyze(&user, session, number(), &picture)).await.0
        })
        .await;
        assert_eq!(calls.operations(), ANALYSIS.into());
        is_read_then_upload_then_write(&calls);

        let repeated = measured(&stack, 1, async || {
            let frame_number = number();
            analyze(&user, session, frame_number, &picture).await;
            calls_of(&stack, "analyze-frame", analyze(&user, session, frame_number, &picture)).await.0
        })
        .await;
        let reads = ["GetItem", "Query", "UpdateItem"].map(|name| (name, 1));
        assert_eq!((repeated.operations(), repeated.depth()), (reads.into(), 1), "a frame that is known");
        stack.shutdown().await;
    });
}

#[test]
fn analyze_frame_asks_a_hosted_model_beside_the_upload() {
    run(async {
        let model = StandIn::start(Reply::json(200, &json!({ "predictions": [] }))).await;
        let options = StackOptions::default().parameter("RoboflowUrl", model.url());
        let options = options.secret("roboflow_api_key", "key").parameter("RoboflowModel", "holes/1");
        let stack = start(options).await;
        let user = User::new(&stack);
        let session = wall(&stack, &user).await;
        let picture = frame(&stack, session, 1).await;
        let next = AtomicU32::new(1);
        let calls = measured(&stack, 2, async || {
            // An instance that has read the limiter's window before, and not yet the breaker's state.
            stack.kill_instances("analyze-frame").await;
            user.post("analyze-frame", &json!({})).await.is_problem(422, "invalid");
            let number = next.fetch_add(1, Ordering::Relaxed);
            calls_of(&stack, "analyze-frame", analyze(&user, session, number, &picture)).await.0
        })
        .await;
        let mut expected = BTreeMap::from(ANALYSIS);
        expected.insert("GetItem", 2);
        assert_eq!(calls.operations(), expected);
        is_read_then_upload_then_write(&calls);
        let (asked, put) = (model.asked(), &calls.of(Service::S3).0[0]);
        assert_eq!(asked.len(), next.into_inner() as usize - 1, "once a frame");
        assert!(asked.last().unwrap().at < put.end, "asked after the upload, and not beside it");
        stack.shutdown().await;
    });
}

#[test]
fn the_cost_does_not_grow_with_frames_and_shots() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let user = User::new(&stack);
        // Frame n shows n − 1 shots.
        for (frames, shots) in [(1, 0), (8, 7)] {
            let filmed = async |frames: u32| {
                let session = user.session().await;
                for number in 1..=frames {
                    analyze(&user, session, number, &picture(number).await).await;
                }
                session
            };
            let last = picture(frames).await;
            let analysis = measured(&stack, 2, async || {
                let session = filmed(frames - 1).await;
                user.post("analyze-frame", &json!({})).await.is_problem(422, "invalid");
                calls_of(&stack, "analyze-frame", analyze(&user, session, frames, &last)).await.0
            })
            .await;
            assert_eq!(analysis.operations(), ANALYSIS.into(), "{frames} frames");
            is_read_then_upload_then_write(&analysis);
            let end = measured(&stack, 2, async || {
                let session = filmed(frames).await;
                user.post("end-session", &json!({})).await.is_problem(422, "invalid");
                let end = async { user.end(session).await.success() };
                let (calls, ended) = calls_of(&stack, "end-session", end).await;
                assert_eq!(ended["session"]["statistics"]["total_shots"], shots);
                calls
            })
            .await;
            let expected = [("PutObject", 1), ("Query", 1), ("UpdateItem", 2)];
            assert_eq!((end.operations(), end.depth()), (expected.into(), 2), "{frames} frames");
        }
        stack.shutdown().await;
    });
}
