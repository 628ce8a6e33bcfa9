//! A fleet of five hundred engines with three hundred cycles each: loading it, predicting it, and reading a page of it.

use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use local::Stack;
use serde_json::{Value, json};
use turbofan::{Conditions, Engine};

use super::user::User;

const ENGINES: u64 = 500;
const CYCLES: usize = 300;
/// What one call takes.
const BATCH: usize = 100;
/// By one user in a minute.
const BY_ONE_USER: u64 = 90;
const FLEET: &str = "bench";
/// Calls by which the times of one prediction and of one page are measured.
const TIMES: usize = 41;

/// Prints what each step took.
pub async fn measure(stack: &Stack) {
    let started = Instant::now();
    let loads = (0..ENGINES.div_ceil(BY_ONE_USER)).map(|user| load(stack, user));
    stream::iter(loads).buffer_unordered(2).collect::<Vec<_>>().await;
    println!("\n{ENGINES} engines of {CYCLES} cycles stored in {:.1} s", started.elapsed().as_secs_f64());
    let planner = User::new(stack, Some("admin"));
    let started = Instant::now();
    for first in (0..ENGINES).step_by(BATCH) {
        let one = |n: u64| json!({ "fleet_id": FLEET, "engine_id": name(n) });
        let requests: Vec<_> = (first..first + BATCH as u64).map(one).collect();
        let answer = planner.post("predict/batch", &json!({ "requests": requests })).await;
        assert!(answer["results"].as_array().unwrap().iter().all(|result| result["stored"] == true), "{answer}");
    }
    println!("predicted from what is stored, {BATCH} a call, in {:.1} s", started.elapsed().as_secs_f64());
    let history = json!({ "fleet_id": FLEET, "engine_id": name(7) });
    let page = format!("fleet?fleet_id={FLEET}");
    planner.get(&page).await;
    let (stored, listed) = (
        median(async || drop(planner.post("predict", &history).await)).await,
        median(async || drop(planner.get(&page).await)).await,
    );
    stack.front().clear_calls();
    let first = planner.get(&page).await;
    let calls = stack.front().calls().by("fleet");
    let calls = calls.operations();
    println!(
        "one prediction {stored:.1} ms, one page {listed:.1} ms; the page's calls: {calls:?}; {}",
        first["summary"]
    );
}

async fn load(stack: &Stack, user: u64) {
    let planner = User::new(stack, Some("admin"));
    for n in user * BY_ONE_USER..((user + 1) * BY_ONE_USER).min(ENGINES) {
        let engine = Engine::outliving(CYCLES, 1_000 * n, Conditions::Six);
        let readings: Vec<Value> = engine.readings().iter().take(CYCLES).map(|reading| json!(reading)).collect();
        planner
            .post(&format!("engines/{}/readings", name(n)), &json!({ "fleet_id": FLEET, "readings": readings }))
            .await;
    }
}

fn name(n: u64) -> String {
    format!("TF-{n:03}")
}

/// In milliseconds, from call to answer.
async fn median(call: impl AsyncFn()) -> f64 {
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..TIMES {
        let started = Instant::now();
        call().await;
        times.push(started.elapsed());
    }
    times.sort();
    times[TIMES / 2].as_secs_f64() * 1e3
}
