//! Resident memory of an instance after many requests through the local stack.

use std::{fs, path::Path, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::Days;
use local::{
    Binaries, Stack, StackOptions,
    athlete::{Athlete, Device, Samples},
    camera::SceneOrder,
    terra::{Terra, Webhook},
};
use serde_json::json;
use shared::{clock::Clock, ids::Ids};
use uuid::Uuid;

use super::{fleet, user::User};

/// Also what a sender may send in a minute.
const REQUESTS: usize = 1000;
/// A frame of 12 megapixels, as a phone takes it.
const LARGE: (u32, u32) = (4032, 3024);
const LARGE_FRAMES: usize = 10;
/// By then the worker is done with all webhooks.
const PATIENCE: Duration = Duration::from_secs(120);

/// Functions that are asked by users of a role, and how often by one in a minute; then the next user goes on.
const ASKED: [(&str, Option<&str>, usize); 11] = [
    ("health-check", None, 90),
    ("start-session", None, 90),
    ("camera-proxy", None, 90),
    ("end-session", None, 90),
    ("latest-metrics", Some("trainer"), 90),
    ("dead-jobs", Some("admin"), 90),
    ("retry-jobs", Some("admin"), 9),
    ("recalculate-metrics", Some("admin"), 9),
    ("predict", Some("admin"), 90),
    ("engines", Some("admin"), 90),
    ("fleet", Some("admin"), 90),
];

pub struct Memory {
    pub function: &'static str,
    pub requests: usize,
    pub resident_mb: f64,
    pub peak_mb: f64,
}

/// One instance of each function, asked as its users ask it.
pub async fn resident(binaries: &Path) -> Vec<Memory> {
    let options = StackOptions { binaries: Binaries::In(binaries.to_owned()), max_instances: 1, ..Default::default() };
    let stack = Stack::start(options).await.unwrap();
    let athlete = webhooks(&stack).await;
    let mut measured =
        vec![of_process(binaries, "webhook-terra", REQUESTS), of_process(binaries, "job-worker", REQUESTS)];
    for (function, role, by_one_user) in ASKED {
        for batch in 0..REQUESTS.div_ceil(by_one_user) {
            let user = User::new(&stack, role);
            let session = user.start().await;
            for _ in 0..by_one_user.min(REQUESTS - batch * by_one_user) {
                user.ask(function, session, athlete).await;
            }
        }
        measured.push(of_process(binaries, function, REQUESTS));
    }
    analyze(&stack).await;
    measured.push(of_process(binaries, "analyze-frame", LARGE_FRAMES));
    fleet::measure(&stack).await;
    stack.shutdown().await;
    measured
}

/// Days of one athlete, worked on by the time that this returns: whose they are.
async fn webhooks(stack: &Stack) -> Uuid {
    let user = Ids.uuid();
    let athlete = Athlete::new(5, Clock::System.now());
    let reference_id = Some(user.to_string());
    let watch = Device { terra_user_id: Ids.uuid().to_string(), provider: "GARMIN", reference_id };
    let terra = Terra::of(stack);
    for ago in 1..=REQUESTS as u64 {
        let day = athlete.day(athlete.today() - Days::new(ago), Samples::EveryMinutes(60));
        let body = watch.event("daily", &[day]).to_string();
        let answer = terra.send(&Webhook::new(body).trace_id(format!("bench-{ago}"))).await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }
    assert!(stack.queue_drained("JobQueue", PATIENCE).await.unwrap(), "the queue is not empty");
    user
}

/// Large frames of one session, one after the other.
async fn analyze(stack: &Stack) {
    let user = User::new(stack, None);
    let session = user.start().await;
    let camera = stack.camera().unwrap();
    camera
        .set_scene(session, SceneOrder { width: LARGE.0, height: LARGE.1, seed: Some(5), ..Default::default() })
        .unwrap();
    for number in 1..=u32::try_from(LARGE_FRAMES).unwrap() {
        let frame = camera.frame(session, number).await.unwrap().unwrap();
        let body = json!({ "session_id": session, "frame_number": number, "frame_data": STANDARD.encode(frame) });
        user.post("analyze-frame", &body).await;
    }
}

/// What the kernel says of the function's one process.
fn of_process(binaries: &Path, function: &'static str, requests: usize) -> Memory {
    let binary = binaries.join(function);
    let process = fs::read_dir("/proc").unwrap().filter_map(Result::ok).map(|entry| entry.path());
    let mut ours = process.filter(|path| fs::read_link(path.join("exe")).is_ok_and(|exe| exe == binary));
    let status = fs::read_to_string(ours.next().expect("an instance is running").join("status")).unwrap();
    let megabytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    };
    Memory { function, requests, resident_mb: megabytes("VmRSS:"), peak_mb: megabytes("VmHWM:") }
}
