//! Engines: from their readings to a fleet, the most critical first.

use serde_json::{Value, json};

use crate::support::{User, engines::readings, run, stack, storage::rows_of};

mod batch;
mod fleet;
mod large_fleet;
mod own_model;
mod owners;
mod round_trips;
mod totals;

#[test]
fn an_engines_history_is_stored_predicted_from_and_shown() {
    run(async {
        let stack = stack().await;
        let (user, fleet) = User::with_own_fleet(stack);
        let history = readings(1, 120);
        let stored = user.reads("FD001-7", &history).await;
        assert_eq!((&stored["stored"], &stored["last_cycle"]), (&json!(120), &json!(120)));
        let from_stored = user.predicts("FD001-7").await;
        let body = json!({ "engine_id": "FD001-7", "sensor_data": history });
        let inline = user.post("predict", &body).await.success();
        for field in ["predicted_rul", "confidence", "interval", "status", "model_version", "model", "warnings"] {
            assert_eq!(from_stored[field], inline[field], "{field}");
        }
        for answer in [&from_stored, &inline] {
            assert_eq!(
                (&answer["stored"], &answer["model"], &answer["degraded"]),
                (&json!(true), &json!("builtin"), &json!(false))
            );
        }
        let shown = user.get("engines/FD001-7").await.success();
        assert_eq!(shown["engine"]["fleet_id"], fleet);
        assert_eq!(shown["engine"]["predicted_rul"], inline["predicted_rul"]);
        assert_eq!(shown["engine"]["model_version"], inline["model_version"]);
        assert_eq!(shown["engine"]["cycle"], 120);
        assert_eq!(shown["history"].as_array().unwrap().as_slice(), &history.as_array().unwrap()[..100]);
        assert_eq!(shown["predictions"].as_array().unwrap().len(), 2, "both are kept, the newest first");
        assert_eq!(shown["predictions"][0]["timestamp"], inline["timestamp"]);
        assert_eq!(shown["statistics"].as_object().unwrap().len(), 14);
        // The rest of the history, and then no more.
        let rest = user.get(&format!("engines/FD001-7?cursor={}", shown["cursor"].as_str().unwrap())).await.success();
        assert_eq!(rest["history"].as_array().unwrap().as_slice(), &history.as_array().unwrap()[100..]);
        assert_eq!(rest["cursor"], Value::Null);
        let part = user.get("engines/FD001-7?fields=history&limit=1").await.success();
        assert_eq!(part, json!({ "history": [history[0]], "cursor": "1" }));
    });
}

#[test]
fn an_unknown_engine_is_answered_and_not_stored() {
    run(async {
        let stack = stack().await;
        let (user, fleet) = User::with_own_fleet(stack);
        let body = json!({ "engine_id": "new", "sensor_data": readings(2, 40) });
        assert_eq!(user.post("predict", &body).await.success()["stored"], false);
        user.get("engines/new").await.is_problem(404, "not_found");
        user.post("predict", &json!({ "engine_id": "new" })).await.is_problem(404, "not_found");
        assert!(rows_of(stack, "EnginesTable", ("engine_key", &format!("{fleet}#new"))).await.is_empty());
        // Who has no fleet at all, or several, may still ask.
        for fleets in [&[][..], &["a", "b"]] {
            let user = User::with_fleets(stack, None, fleets);
            assert_eq!(user.post("predict", &body).await.success()["stored"], false);
        }
        // Known, and without a reading.
        user.put("engines/new", &json!({ "unit_number": 7 })).await.success();
        let without = user.post("predict", &json!({ "engine_id": "new" })).await;
        without.is_problem(422, "invalid");
        assert_eq!(without.pointers(), ["/sensor_data"]);
        assert_eq!(user.post("predict", &body).await.success()["stored"], true);
    });
}

#[test]
fn readings_that_come_twice_late_or_corrected_are_stored_once_each() {
    run(async {
        let stack = stack().await;
        let (user, _) = User::with_own_fleet(stack);
        let all = readings(3, 60);
        let part = |from: usize, to: usize| json!(all.as_array().unwrap()[from..to]);
        // The later ones first, with an overlap, twice, and two at the same time.
        user.reads("e", &part(20, 60)).await;
        let (first, second) = (part(0, 30), part(10, 40));
        futures::join!(user.reads("e", &first), user.reads("e", &second), user.reads("e", &first));
        let shown = user.get("engines/e?fields=history&limit=1000").await.success();
        assert_eq!(shown["history"], all);
        let mut corrected = part(59, 60);
        corrected[0]["s2"] = json!(640.0);
        user.reads("e", &corrected).await;
        let shown = user.get("engines/e?fields=history&cursor=59").await.success();
        assert_eq!(shown["history"], corrected);
        let fleet = user.get("fleet").await.success();
        assert_eq!(fleet["summary"], json!({ "total": 1, "critical": 0, "warning": 0, "average_rul": null }));
        assert_eq!(fleet["engines"][0]["predicted_rul"], Value::Null, "known, and not predicted");
    });
}

#[test]
fn what_is_wrong_with_a_history_names_the_reading() {
    run(async {
        let (user, _) = User::with_own_fleet(stack().await);
        let good = readings(4, 3);
        let with = |index: usize, field: &str, value: Value| {
            let mut readings = good.clone();
            readings[index][field] = value;
            readings
        };
        for (history, pointer) in [
            (with(1, "s7", json!("NaN")), "/1/s7"),
            (with(1, "s7", Value::Null), "/1/s7"),
            (with(2, "cycle", json!(2)), "/2/cycle"),
            (with(2, "cycle", json!(1)), "/2/cycle"),
            (with(0, "cycle", json!(0)), "/0/cycle"),
            (json!([]), ""),
            (json!(7), ""),
        ] {
            let inline = user.post("predict", &json!({ "engine_id": "e", "sensor_data": history })).await;
            inline.is_problem(422, "invalid");
            assert_eq!(inline.pointers(), [format!("/sensor_data{pointer}")]);
            let stored = user.post("engines/e/readings", &json!({ "readings": history })).await;
            stored.is_problem(422, "invalid");
            assert_eq!(stored.pointers(), [format!("/readings{pointer}")]);
        }
        // Infinite, as only text can say it.
        let text = json!({ "engine_id": "e", "sensor_data": with(1, "s4", json!("here")) }).to_string();
        let request = user.request(reqwest::Method::POST, "predict").header("content-type", "application/json");
        let infinite =
            crate::support::Answer::of(request.body(text.replace("\"here\"", "1e999")).send().await.unwrap());
        assert_eq!(infinite.await.pointers(), ["/sensor_data/1/s4"]);
        user.get("engines/e").await.is_problem(404, "not_found");
    });
}

#[test]
fn an_engine_is_described_in_parts_and_retired() {
    run(async {
        let (user, fleet) = User::with_own_fleet(stack().await);
        let body = json!({ "fleet_id": fleet, "unit_number": 7, "last_maintenance": "2026-11-01" });
        let first = user.put("engines/e", &body).await.success();
        assert_eq!(first["engine"]["status"], "operational");
        let second = user.put("engines/e", &json!({ "status": "maintenance" })).await.success();
        assert_eq!((&second["engine"]["unit_number"], &second["engine"]["status"]), (&json!(7), &json!("maintenance")));
        assert_eq!(user.get("fleet").await.success()["summary"]["total"], 1);
        user.put("engines/e", &json!({ "status": "retired" })).await.success();
        let left = user.get("fleet").await.success();
        assert_eq!((&left["engines"], &left["summary"]["total"]), (&json!([]), &json!(0)));
        let wrong = user.put("engines/e", &json!({ "status": "lost", "unit_number": -1 })).await;
        assert_eq!(wrong.pointers(), ["/status", "/unit_number"]);
        assert_eq!(user.put("engines/a%23b", &json!({})).await.pointers(), ["/id"]);
    });
}
