//! A fleet's pages.

use std::io::Read;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, User, engines::readings, run, stack};

/// A fleet of engines that are at different points of their lives.
async fn fleet(user: &User, engines: usize) {
    let requests: Vec<Value> = (0..engines)
        .map(|n| json!({ "engine_id": format!("e-{n}"), "sensor_data": readings(n as u64, 30 + 17 * (n % 8)) }))
        .collect();
    for n in 0..engines {
        user.put(&format!("engines/e-{n}"), &json!({ "unit_number": n + 1 })).await.success();
    }
    user.post("predict/batch", &json!({ "requests": requests })).await.success();
}

fn ruls(page: &Value) -> Vec<u64> {
    page["engines"].as_array().unwrap().iter().map(|engine| engine["predicted_rul"].as_u64().unwrap()).collect()
}

#[test]
fn pages_show_every_engine_once_the_most_critical_first() {
    run(async {
        let (user, _) = User::with_own_fleet(stack().await);
        fleet(&user, 8).await;
        user.put("engines/unknown", &json!({})).await.success();
        let whole = user.get("fleet").await.success();
        assert_eq!((&whole["summary"]["total"], &whole["cursor"]), (&json!(9), &Value::Null));
        let predicted = json!({ "engines": whole["engines"].as_array().unwrap()[..8] });
        assert!(ruls(&predicted).is_sorted(), "{:?}", ruls(&predicted));
        assert_eq!(whole["engines"][8]["engine_id"], "unknown", "what nothing is known of comes last");
        let sum: u64 = ruls(&predicted).iter().sum();
        assert!((whole["summary"]["average_rul"].as_f64().unwrap() - sum as f64 / 8.0).abs() <= 0.05);
        for limit in [1, 4, 5, 9] {
            let (mut shown, mut query, mut pages) = (Vec::new(), format!("fleet?limit={limit}"), 0);
            loop {
                let page = user.get(&query).await.success();
                assert_eq!(page["summary"], whole["summary"], "every page tells what the fleet comes to");
                shown.extend(page["engines"].as_array().unwrap().iter().cloned());
                pages += 1;
                match page["cursor"].as_str() {
                    Some(cursor) => query = format!("fleet?limit={limit}&cursor={cursor}"),
                    None => break,
                }
            }
            assert_eq!((json!(shown), pages), (whole["engines"].clone(), 9_usize.div_ceil(limit)), "limit {limit}");
        }
    });
}

#[test]
fn a_cursor_leads_into_no_other_fleet() {
    run(async {
        let stack = stack().await;
        let ((owner, own), (stranger, _)) = (User::with_own_fleet(stack), User::with_own_fleet(stack));
        fleet(&owner, 3).await;
        let cursor = owner.get("fleet?limit=1").await.success()["cursor"].as_str().unwrap().to_owned();
        let used = stranger.get(&format!("fleet?cursor={cursor}")).await;
        used.is_problem(422, "invalid");
        assert_eq!(used.pointers(), ["/cursor"]);
        stranger.get(&format!("fleet?fleet_id={own}&cursor={cursor}")).await.is_problem(403, "forbidden");
        for (query, pointer) in
            [("limit=0", "/limit"), ("limit=501", "/limit"), ("cursor=x", "/cursor"), ("fleet_id=%23", "/fleet_id")]
        {
            assert_eq!(owner.get(&format!("fleet?{query}")).await.pointers(), [pointer]);
        }
    });
}

#[test]
fn who_has_the_answer_is_told_so_and_a_large_one_travels_compressed() {
    run(async {
        let (user, _) = User::with_own_fleet(stack().await);
        fleet(&user, 20).await;
        user.reads("e-1", &readings(1, 60)).await;
        for route in ["fleet", "engines/e-1"] {
            let plain = user.get(route).await;
            plain.has_common_headers_but("cache-control", "private, no-cache");
            assert_eq!((plain.header("content-encoding"), plain.header("vary")), (None, Some("accept-encoding")));
            let asked = user.request(Method::GET, route).header("accept-encoding", "br, gzip").send().await.unwrap();
            assert_eq!(asked.headers()["content-encoding"], "gzip", "{route}");
            assert_eq!(asked.headers().get("etag"), plain.headers.get("etag"));
            let bytes = asked.bytes().await.unwrap();
            let mut text = String::new();
            flate2::read::GzDecoder::new(&*bytes).read_to_string(&mut text).unwrap();
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), plain.body);
            assert!(2 * bytes.len() < text.len(), "{} of {}", bytes.len(), text.len());
            let known = user.request(Method::GET, route).header("if-none-match", plain.header("etag").unwrap());
            let known = Answer::of(known.send().await.unwrap()).await;
            assert_eq!((known.status, &known.body), (304, &Value::Null));
        }
        let tag = user.get("fleet").await.header("etag").unwrap().to_owned();
        user.put("engines/e-2", &json!({ "status": "retired" })).await.success();
        let changed = Answer::of(user.request(Method::GET, "fleet").header("if-none-match", tag).send().await.unwrap());
        assert_eq!(changed.await.status, 200);
    });
}
