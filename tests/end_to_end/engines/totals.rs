//! What a fleet comes to is right at every moment, whoever writes at the same time.

use std::time::Duration;

use futures::future::join_all;
use local::{StackOptions, front::Fault};
use serde_json::{Value, json};
use shared::clock::Clock;

use crate::support::{
    User,
    engines::readings,
    in_process::instance,
    run, stack, start,
    storage::{item, set_number},
};

/// What counting gives.
fn counted(fleet: &Value) -> Value {
    let ruls = fleet["engines"].as_array().unwrap().iter().filter_map(|engine| engine["predicted_rul"].as_f64());
    let ruls: Vec<_> = ruls.collect();
    let below = |limit: f64| ruls.iter().filter(|rul| **rul < limit).count();
    let average = (ruls.iter().sum::<f64>() / ruls.len() as f64 * 10.0).round() / 10.0;
    json!({
        "total": fleet["engines"].as_array().unwrap().len(),
        "critical": below(20.0),
        "warning": below(50.0) - below(20.0),
        "average_rul": if ruls.is_empty() { Value::Null } else { json!(average) },
    })
}

#[test]
fn totals_are_what_counting_gives_while_many_write_at_once() {
    run(async {
        let stack = stack().await;
        let (user, fleet) = User::with_own_fleet(stack);
        let user = &user;
        // Each engine is written by several callers at a time: described, read, predicted alone and in batches.
        join_all((0..6).flat_map(|n| {
            (0..3).map(move |part| async move {
                let engine = format!("e-{n}");
                match part {
                    0 => drop(user.put(&format!("engines/{engine}"), &json!({ "unit_number": n + 1 })).await.success()),
                    1 => drop(user.reads(&engine, &readings(n, 200)).await),
                    _ => drop(user.reads(&engine, &readings(n, 100)).await),
                }
            })
        }))
        .await;
        join_all((0..24).map(|n| async move {
            let requests: Vec<_> = (0..6)
                .map(|e| json!({ "engine_id": format!("e-{e}"), "sensor_data": readings(e, 40 + 20 * ((n + usize::try_from(e).unwrap()) % 8)) }))
                .collect();
            let batch = user.post("predict/batch", &json!({ "requests": requests[..(n % 6) + 1] })).await.success();
            for result in batch["results"].as_array().unwrap() {
                assert!(result["success"] == true || result["error"]["code"] == "unavailable", "{result}");
            }
        }))
        .await;
        let whole = user.get("fleet").await.success();
        assert_eq!(whole["summary"], counted(&whole));
        assert_eq!(whole["summary"]["total"], 6);
        for n in 0..2 {
            user.put(&format!("engines/e-{n}"), &json!({ "status": "retired" })).await.success();
        }
        user.put("engines/e-0", &json!({ "status": "operational", "fleet_id": fleet })).await.success();
        let whole = user.get("fleet").await.success();
        assert_eq!((&whole["summary"]["total"], &whole["summary"]), (&json!(5), &counted(&whole)));
    });
}

#[test]
fn conflicts_and_throttles_leave_no_trace_in_the_totals() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let (user, _) = User::with_own_fleet(&stack);
        user.reads("e", &readings(6, 150)).await;
        stack.front().inject(Fault::transaction_conflict().function("predict").rate(0.3).seed(11));
        for cycles in [30, 60, 90, 120, 150] {
            let body = json!({ "engine_id": "e", "sensor_data": readings(6, cycles) });
            let answer = user.post("predict", &body).await;
            assert!(answer.status == 200 || answer.code() == "unavailable", "{:#}", answer.body);
        }
        stack.front().clear_faults();
        let whole = user.get("fleet").await.success();
        assert_eq!(whole["summary"], counted(&whole));
        stack.shutdown().await;
    });
}

#[test]
fn totals_that_a_hand_has_spoilt_are_put_right() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let (user, fleet) = User::with_own_fleet(&stack);
        for engine in ["a", "b"] {
            user.reads(engine, &readings(7, 100)).await;
            user.predicts(engine).await;
        }
        let right = user.get("fleet").await.success()["summary"].clone();
        let key = format!("{fleet}#");
        let mut shard = 0;
        while item(&stack, "EnginesTable", &[("engine_key", &key), ("sk", &format!("TOTALS#{shard}"))]).await.is_none()
        {
            shard += 1;
        }
        let sk = format!("TOTALS#{shard}");
        set_number(&stack, "EnginesTable", &[("engine_key", &key), ("sk", &sk)], "total", 70).await;
        assert_ne!(user.get("fleet").await.success()["summary"], right);
        let clock = Clock::manual(Clock::System.now());
        let worker = instance(&stack, "job-worker", &clock).context();
        let reconcile = async || {
            Box::pin(job_worker::scheduled(worker, &json!({ "schedule": "reconcile_fleets" }))).await.unwrap();
        };
        // The fleet changed a moment ago, and the index may not know of it yet.
        reconcile().await;
        assert_ne!(user.get("fleet").await.success()["summary"], right);
        clock.advance(Duration::from_secs(120));
        reconcile().await;
        assert_eq!(user.get("fleet").await.success()["summary"], right);
        // Nothing is left to do.
        stack.front().clear_calls();
        let fired = stack.fire("ReconcileFleets").await.unwrap();
        assert_eq!(fired.error, None);
        let calls = stack.front().calls().by("job-worker");
        assert_eq!(calls.named("TransactWriteItems").count(), 0, "{calls:#?}");
        stack.shutdown().await;
    });
}
