//! Many engines in one request.

use serde_json::{Value, json};

use crate::support::{User, engines::readings, run, stack};

#[test]
fn one_bad_request_spoils_no_other() {
    run(async {
        let (user, _) = User::with_own_fleet(stack().await);
        user.reads("known", &readings(1, 50)).await;
        let requests = json!([
            { "engine_id": "known" },
            { "engine_id": "unknown" },
            7,
            { "engine_id": "inline", "sensor_data": readings(2, 40) },
            { "engine_id": "faulty", "sensor_data": [{ "cycle": 1 }] },
            { "engine_id": "known", "sensor_data": readings(1, 49) },
            { "fleet_id": "another", "engine_id": "e" },
            { "engine_id": "known" },
        ]);
        let answer = user.post("predict/batch", &json!({ "requests": requests })).await;
        let id = answer.header("x-correlation-id").unwrap().to_owned();
        let body = answer.success();
        let results = body["results"].as_array().unwrap();
        let outcome = |result: &Value| match result["success"].as_bool().unwrap() {
            true => (result["engine_id"].as_str().unwrap().to_owned(), result["stored"] == true),
            false => (result["error"]["code"].as_str().unwrap().to_owned(), false),
        };
        let expected = [
            ("known", true),
            ("not_found", false),
            ("invalid", false),
            ("inline", false),
            ("invalid", false),
            ("known", true),
            ("forbidden", false),
            ("known", true),
        ];
        assert_eq!(
            results.iter().map(outcome).collect::<Vec<_>>(),
            expected.map(|(text, stored)| (text.to_owned(), stored))
        );
        assert_eq!(results[4]["error"]["errors"][0]["pointer"], "/sensor_data/0/os1");
        assert_eq!(results[4]["error"]["correlation_id"], id);
        let shown = user.get("engines/known?fields=predictions").await.success();
        assert_eq!(shown["predictions"].as_array().unwrap().len(), 3, "each of them is kept");
        let alone = user.predicts("known").await;
        assert_eq!(results[0]["predicted_rul"], alone["predicted_rul"]);
    });
}

#[test]
fn a_batch_has_its_limits() {
    run(async {
        let (user, _) = User::with_own_fleet(stack().await);
        for (requests, pointer) in
            [(json!([]), "/requests"), (json!(vec![0; 101]), "/requests"), (Value::Null, "/requests")]
        {
            let answer = user.post("predict/batch", &json!({ "requests": requests })).await;
            answer.is_problem(422, "invalid");
            assert_eq!(answer.pointers(), [pointer]);
        }
        let large = json!({ "requests": [{ "engine_id": "e", "note": "n".repeat(5_000_000) }] });
        user.post("predict/batch", &large).await.is_problem(413, "too_large");
        let many: Vec<_> =
            (0..100).map(|n| json!({ "engine_id": format!("e-{n}"), "sensor_data": readings(n, 30) })).collect();
        let answer = user.post("predict/batch", &json!({ "requests": many })).await.success();
        assert_eq!(answer["results"].as_array().unwrap().len(), 100);
        assert_eq!(answer["results"][99]["engine_id"], "e-99");
    });
}
