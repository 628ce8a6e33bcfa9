//! A fleet as large as they get, loaded over HTTP.

use futures::{StreamExt, stream};
use local::{Stack, StackOptions};
use serde_json::json;
use turbofan::{Conditions, Engine};

use crate::{
    round_trips::{calls_of, measured},
    support::{User, run, start},
};

const ENGINES: usize = 500;
const CYCLES: usize = 300;
/// Most predictions of one call.
const BATCH: usize = 100;
/// Below what one user may send in a minute.
const BY_ONE_USER: usize = 90;
/// Loads that are under way at the same time.
const LOADS: usize = 4;

#[test]
fn a_page_of_five_hundred_engines_of_three_hundred_cycles_takes_two_calls() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let users: Vec<_> = (0..=ENGINES / BY_ONE_USER).map(|_| User::with_fleets(&stack, None, &["large"])).collect();
        let loads = (0..ENGINES).map(|n| load(&users[n / BY_ONE_USER], n));
        stream::iter(loads).buffer_unordered(LOADS).collect::<()>().await;
        let planner = User::with_fleets(&stack, None, &["large"]);
        predict_all(&planner).await;
        for (page, listed) in [("fleet", 50), ("fleet?limit=500", ENGINES)] {
            let answer = planner.get(page).await.success();
            let shown = (&answer["summary"]["total"], answer["engines"].as_array().unwrap().len());
            assert_eq!(shown, (&json!(ENGINES), listed), "{page}");
            assert_two_calls(&stack, &planner, page).await;
        }
        stack.shutdown().await;
    });
}

async fn load(user: &User, n: usize) {
    let engine = Engine::outliving(CYCLES, 1_000 * n as u64, Conditions::Six);
    let stored = user.reads(&format!("e-{n}"), &json!(engine.readings()[..CYCLES])).await;
    assert_eq!(stored["stored"], CYCLES);
}

/// From what is stored.
async fn predict_all(user: &User) {
    for first in (0..ENGINES).step_by(BATCH) {
        let requests: Vec<_> = (first..first + BATCH).map(|n| json!({ "engine_id": format!("e-{n}") })).collect();
        let answer = user.post("predict/batch", &json!({ "requests": requests })).await.success();
        assert!(answer["results"].as_array().unwrap().iter().all(|result| result["stored"] == true), "{answer}");
    }
}

async fn assert_two_calls(stack: &Stack, user: &User, page: &str) {
    let calls =
        measured(stack, 1, async || calls_of(stack, "fleet", async { user.get(page).await.success() }).await.0).await;
    assert_eq!((calls.operations(), calls.depth()), ([("Query", 1), ("UpdateItem", 1)].into(), 1), "{page}");
}
