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
    run, scene,
    stand_in::{Reply, StandIn},
    start,
};

/// Long enough that calls which a function makes at once overlap, and below half of the limiter's 200 ms.
const LATENCY: Duration = Duration::from_millis(60);

/// The calls that a function makes meanwhile, each of them a round trip that takes its time.
async fn calls_of(stack: &Stack, function: &str, request: impl Future<Output = Value>) -> (Calls, Value) {
    stack.front().set_latency(LATENCY);
    stack.front().clear_calls();
    let answer = request.await;
    stack.front().set_latency(Duration::ZERO);
    (stack.front().calls().by(function), answer)
}

/// Repeats work until a whole run of it lies in one window of the limiter: the first request in a new one reads the
/// window before, once more than the others.
async fn in_one_window<T>(work: impl AsyncFn() -> T) -> T {
    loop {
        let before = window(Clock::System.now());
        let done = work().await;
        if window(Clock::System.now()) == before {
            return done;
        }
    }
}

fn operations(calls: &Calls) -> BTreeMap<&str, usize> {
    calls.operations()
}

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
        user.get("health-check/live").await.success();
        let (calls, _) = calls_of(&stack, "health-check", async { user.get("health-check").await.success() }).await;
        let expected = [("GetItem", 2), ("GetQueueAttributes", 2), ("HeadBucket", 1), ("Query", 8), ("UpdateItem", 1)];
        assert_eq!((operations(&calls), calls.depth()), (expected.into(), 1));
        stack.shutdown().await;
    });
}

#[test]
fn start_session_takes_two_round_trips() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let user = User::new(&stack);
        let calls = in_one_window(async || {
            user.session().await;
            let request = async { user.post("start-session", &start_body(&user)).await.success() };
            calls_of(&stack, "start-session", request).await.0
        })
        .await;
        assert_eq!((operations(&calls), calls.depth()), ([("TransactWriteItems", 1), ("UpdateItem", 1)].into(), 2));
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
        // Cold: the breaker's state and the limiter's window before are read beside it all.
        user.post("camera-proxy", &json!({})).await.is_problem(422, "invalid");
        stack.kill_instances("camera-proxy").await;
        let (calls, _) = calls_of(&stack, "camera-proxy", ask()).await;
        assert_eq!((operations(&calls), calls.depth()), ([("GetItem", 3), ("UpdateItem", 1)].into(), 1));
        let calls = in_one_window(async || {
            ask().await;
            calls_of(&stack, "camera-proxy", ask()).await.0
        })
        .await;
        assert_eq!((operations(&calls), calls.depth()), ([("GetItem", 1), ("UpdateItem", 1)].into(), 1));
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
        let calls = in_one_window(async || {
            analyze(&user, session, number(), &picture).await;
            calls_of(&stack, "analyze-frame", analyze(&user, session, number(), &picture)).await.0
        })
        .await;
        let once = ["GetItem", "PutObject", "Query", "TransactWriteItems", "UpdateItem"].map(|name| (name, 1));
        assert_eq!(operations(&calls), once.into());
        is_read_then_upload_then_write(&calls);

        let calls = in_one_window(async || {
            let frame_number = number();
            analyze(&user, session, frame_number, &picture).await;
            calls_of(&stack, "analyze-frame", analyze(&user, session, frame_number, &picture)).await.0
        })
        .await;
        let repeated = ["GetItem", "Query", "UpdateItem"].map(|name| (name, 1));
        assert_eq!((operations(&calls), calls.depth()), (repeated.into(), 1), "a frame that is known");
        stack.shutdown().await;
    });
}

#[test]
fn analyze_frame_with_a_hosted_model_takes_one_more_beside_the_upload() {
    run(async {
        let model = StandIn::start(Reply::json(200, &json!({ "predictions": [] }))).await;
        let options = StackOptions::default().parameter("RoboflowUrl", model.url());
        let options = options.parameter("RoboflowApiKey", "key").parameter("RoboflowModel", "holes/1");
        let stack = start(options).await;
        let user = User::new(&stack);
        let session = wall(&stack, &user).await;
        let picture = frame(&stack, session, 1).await;
        user.post("analyze-frame", &json!({})).await.is_problem(422, "invalid");
        let (calls, _) = calls_of(&stack, "analyze-frame", analyze(&user, session, 1, &picture)).await;
        // The breaker's state is read beside session and frame; the first call of an instance reads it, and then again
        // after five seconds.
        let expected = [("GetItem", 2), ("PutObject", 1), ("Query", 1), ("TransactWriteItems", 1), ("UpdateItem", 1)];
        assert_eq!(operations(&calls), expected.into());
        is_read_then_upload_then_write(&calls);
        let (asked, put) = (model.asked(), &calls.of(Service::S3).0[0]);
        assert_eq!(asked.len(), 1);
        assert!(asked[0].at < put.end, "the model is not asked beside the upload but after it");
        assert!(asked[0].at < calls.named("TransactWriteItems").0[0].start);
        stack.shutdown().await;
    });
}

#[test]
fn the_cost_does_not_grow_with_frames_and_shots() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let user = User::new(&stack);
        // A session of one frame, then one of eight frames and six shots: the last frame and the end of each.
        let costs = in_one_window(async || {
            let mut costs = Vec::new();
            for (frames, shots) in [(1, 0), (8, 6)] {
                let session = user.session().await;
                scene(&stack, session, SceneOrder { shots, seed: Some(11), ..SceneOrder::default() });
                for number in 1..frames {
                    analyze(&user, session, number, &frame(&stack, session, number).await).await;
                }
                let picture = frame(&stack, session, frames).await;
                let first = user.session().await;
                user.end(first).await.success();
                let (analysis, _) = calls_of(&stack, "analyze-frame", analyze(&user, session, frames, &picture)).await;
                let (end, ended) = calls_of(&stack, "end-session", async { user.end(session).await.success() }).await;
                assert_eq!(ended["session"]["statistics"]["total_shots"], shots);
                costs.push((analysis, end));
            }
            costs
        })
        .await;
        let end_session = ["PutObject", "Query", "UpdateItem"].into_iter().zip([1, 1, 2]).collect::<BTreeMap<_, _>>();
        for (analysis, end) in &costs {
            assert_eq!((operations(end), end.depth()), (end_session.clone(), 2));
            assert_eq!(analysis.of(Service::DynamoDb).depth(), 2);
        }
        // The first analysis of an instance also reads the window before; everything else is the same.
        let [few, many] = [&costs[0].0, &costs[1].0].map(|calls| calls.filtered(|call| call.operation != "GetItem").count());
        assert_eq!(few, many);
        assert!(costs[1].0.count() <= costs[0].0.count());
        stack.shutdown().await;
    });
}
