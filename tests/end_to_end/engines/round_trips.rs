//! What engines cost: how many calls of AWS, and how many of them in sequence.

use serde_json::{Value, json};

use crate::{
    round_trips::{calls_of, measured},
    support::{User, engines::readings, run, start},
};
use local::StackOptions;

#[test]
fn a_prediction_takes_two_round_trips_and_so_does_a_batch() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let (user, _) = User::with_own_fleet(&stack);
        let engines: Vec<_> = (0..20).map(|n| format!("e-{n}")).collect();
        for engine in &engines {
            user.reads(engine, &readings(8, 100)).await;
        }
        let inline = |engine: &str| json!({ "engine_id": engine, "sensor_data": readings(8, 90) });
        let many: Vec<_> = engines.iter().map(|engine| inline(engine)).collect();
        let stored: Vec<Value> = engines.iter().map(|engine| json!({ "engine_id": engine })).collect();
        for (route, body, read, reads) in [
            ("predict", stored[0].clone(), "Query", 1),
            ("predict", inline("e-0"), "BatchGetItem", 1),
            ("predict/batch", json!({ "requests": many }), "BatchGetItem", 1),
            ("predict/batch", json!({ "requests": stored }), "Query", 20),
        ] {
            let calls = measured(&stack, 2, async || {
                user.post(route, &body).await.success();
                calls_of(&stack, "predict", async { user.post(route, &body).await.success() }).await.0
            })
            .await;
            let expected = [(read, reads), ("TransactWriteItems", 1), ("UpdateItem", 1)];
            assert_eq!((calls.operations(), calls.depth()), (expected.into(), 2), "{route} {read}");
        }
        stack.shutdown().await;
    });
}

#[test]
fn a_page_of_a_fleet_takes_two_calls_however_many_engines_there_are() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let (user, _) = User::with_own_fleet(&stack);
        for engines in [3, 60] {
            for n in 0..engines {
                user.put(&format!("engines/e-{n}"), &json!({})).await;
            }
            let requests: Vec<_> = (0..engines)
                .map(|n| json!({ "engine_id": format!("e-{n}"), "sensor_data": readings(n, 60) }))
                .collect();
            user.post("predict/batch", &json!({ "requests": requests })).await.success();
            let first = user.get("fleet?limit=2").await.success();
            let next = format!("fleet?limit=2&cursor={}", first["cursor"].as_str().unwrap());
            for page in ["fleet?limit=2", "fleet?limit=500", &next] {
                let calls = measured(&stack, 1, async || {
                    user.get(page).await.success();
                    calls_of(&stack, "fleet", async { user.get(page).await.success() }).await.0
                })
                .await;
                let expected = [("Query", 1), ("UpdateItem", 1)];
                assert_eq!((calls.operations(), calls.depth()), (expected.into(), 1), "{page} of {engines}");
            }
        }
        stack.shutdown().await;
    });
}

#[test]
fn an_engine_is_shown_in_one_round_trip_and_described_in_two() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let (user, _) = User::with_own_fleet(&stack);
        user.reads("e", &readings(9, 150)).await;
        let show = measured(&stack, 1, async || {
            user.get("engines/e").await.success();
            calls_of(&stack, "engines", async { user.get("engines/e").await.success() }).await.0
        })
        .await;
        assert_eq!((show.operations(), show.depth()), ([("Query", 3), ("UpdateItem", 1)].into(), 1));
        let describe = measured(&stack, 2, async || {
            user.put("engines/e", &json!({})).await.success();
            calls_of(&stack, "engines", async { user.put("engines/e", &json!({})).await.success() }).await.0
        })
        .await;
        let expected = [("GetItem", 1), ("TransactWriteItems", 1), ("UpdateItem", 1)];
        assert_eq!((describe.operations(), describe.depth()), (expected.into(), 2));
        stack.shutdown().await;
    });
}
