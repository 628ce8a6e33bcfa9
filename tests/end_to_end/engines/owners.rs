//! Whose engines are whose.

use serde_json::json;

use crate::support::{User, engines::readings, run, stack, storage::all_rows};

#[test]
fn engines_are_for_those_who_work_with_their_fleet_and_for_admins() {
    run(async {
        let stack = stack().await;
        let (owner, fleet) = User::with_own_fleet(stack);
        let history = readings(5, 30);
        owner.reads("e", &history).await;
        owner.predicts("e").await;
        let stored = all_rows(stack, "EnginesTable").await.len();
        let others = [
            User::with_own_fleet(stack).0,
            User::new(stack),
            User::with_role(stack, Some("trainer")),
            User::with_fleets(stack, Some("trainer"), &["another"]),
        ];
        for other in &others {
            let of_fleet = json!({ "fleet_id": fleet, "engine_id": "e", "sensor_data": history, "readings": history });
            for answer in [
                other.get(&format!("engines/e?fleet_id={fleet}")).await,
                other.get(&format!("fleet?fleet_id={fleet}")).await,
                other.put("engines/e", &of_fleet).await,
                other.put(&format!("engines/e?fleet_id={fleet}"), &json!({})).await,
                other.post("engines/e/readings", &of_fleet).await,
                other.post("predict", &of_fleet).await,
            ] {
                answer.is_problem(403, "forbidden");
            }
            let batch = other.post("predict/batch", &json!({ "requests": [of_fleet] })).await.success();
            assert_eq!(batch["results"][0]["error"]["code"], "forbidden");
        }
        assert!(all_rows(stack, "EnginesTable").await.len() >= stored);
        let admin = User::with_role(stack, Some("admin"));
        let shown = admin.get(&format!("engines/e?fleet_id={fleet}")).await.success();
        assert_eq!(shown["predictions"].as_array().unwrap().len(), 1, "nobody else's was stored");
        assert_eq!(admin.get(&format!("fleet?fleet_id={fleet}")).await.success()["summary"]["total"], 1);
        admin.post("predict", &json!({ "fleet_id": fleet, "engine_id": "e" })).await.success();
    });
}

#[test]
fn a_fleet_is_named_unless_there_is_only_one() {
    run(async {
        let stack = stack().await;
        let (_, [north, south]) = ((), ["north", "south"].map(|name| format!("{name}-{}", shared::ids::Ids.uuid())));
        let user = User::with_fleets(stack, None, &[&north, &south]);
        for answer in [user.get("fleet").await, user.get("engines/e").await, user.put("engines/e", &json!({})).await] {
            answer.is_problem(422, "invalid");
            assert_eq!(answer.pointers(), ["/fleet_id"]);
        }
        // One id, two engines.
        for (fleet, unit) in [(&north, 1), (&south, 2)] {
            user.put("engines/e", &json!({ "fleet_id": fleet, "unit_number": unit })).await.success();
        }
        for (fleet, unit) in [(&north, 1), (&south, 2)] {
            let shown = user.get(&format!("engines/e?fleet_id={fleet}&fields=engine")).await.success();
            assert_eq!(shown["engine"]["unit_number"], unit);
        }
    });
}
