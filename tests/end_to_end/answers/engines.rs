//! What is asked of engines, well and badly.

use futures::future::join_all;
use local::functions::PAYLOAD_LIMIT;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Outcome, Produced, limits::until_refused};
use crate::support::{Answer, User, engines::readings, stack, storage::set};

/// Method, path and name of each route.
pub const ROUTES: [(Method, &str, &str); 6] = [
    (Method::POST, "predict", "predict"),
    (Method::POST, "predict/batch", "predict/batch"),
    (Method::PUT, "engines/e", "PUT engines/{id}"),
    (Method::POST, "engines/e/readings", "engines/{id}/readings"),
    (Method::GET, "engines/e", "engines/{id}"),
    (Method::GET, "fleet", "fleet"),
];

/// What each route answers, beside what all of them do.
pub const OWN: [(&str, &[Outcome]); 6] = [
    ("predict", &[(403, "forbidden"), (404, "not_found"), (500, "internal")]),
    ("predict/batch", &[(413, "too_large")]),
    ("PUT engines/{id}", &[(403, "forbidden"), (500, "internal")]),
    ("engines/{id}/readings", &[(403, "forbidden"), (500, "internal")]),
    ("engines/{id}", &[(304, ""), (403, "forbidden"), (404, "not_found"), (500, "internal")]),
    ("fleet", &[(304, ""), (403, "forbidden"), (500, "internal")]),
];
pub const ALL: [Outcome; 6] = [
    (200, ""),
    (401, "unauthenticated"),
    (422, "invalid"),
    (429, "blocked"),
    (429, "rate_limited"),
    (503, "unavailable"),
];
pub const WITH_BODY: [Outcome; 4] =
    [(400, "malformed_json"), (400, "missing_body"), (413, ""), (415, "unsupported_media_type")];

/// A request to one of [`ROUTES`].
pub async fn ask(user: &User, (method, path, _): &(Method, &str, &str), body: &str, media_type: &str) -> Answer {
    let request = user.request(method.clone(), path);
    let request = match *method {
        Method::GET => request,
        _ => request.header("content-type", media_type).body(body.to_owned()),
    };
    Answer::of(request.send().await.unwrap()).await
}

/// The same with a body that is JSON.
pub async fn send(user: &User, route: &(Method, &str, &str), body: &Value) -> Answer {
    ask(user, route, &body.to_string(), "application/json").await
}

pub async fn cases(produced: &Produced) {
    futures::join!(bodies(produced), successes(produced), refusals(produced), broken_rows(produced));
}

async fn bodies(produced: &Produced) {
    let stack = stack().await;
    let (user, stranger) = (&User::with_own_fleet(stack).0, &User::stranger(stack));
    join_all(ROUTES.map(async |route| {
        produced.problem(route.2, 401, "unauthenticated", &send(stranger, &route, &json!({})).await);
        if route.0 == Method::GET {
            return;
        }
        produced.problem(route.2, 400, "malformed_json", &ask(user, &route, "{\"a\":", "application/json").await);
        produced.problem(route.2, 400, "missing_body", &ask(user, &route, "", "application/json").await);
        produced.problem(route.2, 415, "unsupported_media_type", &ask(user, &route, "{}", "text/plain").await);
        produced.problem(route.2, 422, "invalid", &send(user, &route, &json!([])).await);
        let large = send(user, &route, &json!({ "note": "n".repeat(PAYLOAD_LIMIT) })).await;
        assert_eq!((large.status, &large.body), (413, &json!({ "message": "Request Entity Too Large" })));
        produced.note(route.2, 413, "");
    }))
    .await;
    let large = json!({ "requests": [], "note": "n".repeat(5_000_000) });
    produced.problem("predict/batch", 413, "too_large", &user.post("predict/batch", &large).await);
    produced.problem("fleet", 422, "invalid", &user.get("fleet?limit=0").await);
    produced.problem("engines/{id}", 422, "invalid", &user.get("engines/e?fields=mood").await);
}

async fn successes(produced: &Produced) {
    let (user, _) = User::with_own_fleet(stack().await);
    let body = json!({
        "engine_id": "e", "sensor_data": readings(1, 30), "readings": readings(1, 30), "requests": [{ "engine_id": "e" }],
    });
    let [predict, batch, put, store, show, fleet] = ROUTES;
    for route in [put, store, predict, batch, show, fleet] {
        let answer = send(&user, &route, &body).await;
        produced.success(route.2, 200, &answer);
        if route.0 == Method::GET {
            let request = user.request(Method::GET, route.1).header("if-none-match", answer.header("etag").unwrap());
            produced.success(route.2, 304, &Answer::of(request.send().await.unwrap()).await);
        }
    }
}

async fn refusals(produced: &Produced) {
    let (user, _) = User::with_own_fleet(stack().await);
    let other = json!({ "fleet_id": "another", "engine_id": "e", "readings": readings(1, 2) });
    for (method, path, name) in ROUTES.into_iter().filter(|route| route.2 != "predict/batch") {
        let path = if method == Method::GET { format!("{path}?fleet_id=another") } else { path.to_owned() };
        produced.problem(name, 403, "forbidden", &send(&user, &(method, &path, name), &other).await);
    }
    produced.problem("predict", 404, "not_found", &user.post("predict", &json!({ "engine_id": "nobodys" })).await);
    produced.problem("engines/{id}", 404, "not_found", &user.get("engines/nobodys").await);
}

/// A row that no code of ours wrote.
async fn broken_rows(produced: &Produced) {
    let stack = stack().await;
    let (user, fleet) = User::with_own_fleet(stack);
    user.reads("e", &readings(1, 2)).await;
    let key = [("engine_key", &*format!("{fleet}#e")), ("sk", "META")];
    set(stack, "EnginesTable", &key, "status", "somewhere").await;
    let body = json!({ "engine_id": "e", "readings": readings(1, 2) });
    for route in ROUTES.into_iter().filter(|route| route.2 != "predict/batch") {
        produced.problem(route.2, 500, "internal", &send(&user, &route, &body).await);
    }
}

/// Every route has its limit, for itself.
pub async fn limits(produced: &Produced) {
    let user = &User::with_own_fleet(stack().await).0;
    join_all(ROUTES.map(async |(method, path, name)| {
        let limit = if method == Method::GET { 500 } else { 100 };
        let path = match name {
            "fleet" => "fleet?limit=0",
            "engines/{id}" => "engines/e?limit=0",
            _ => path,
        };
        let route = (method, path, name);
        let (refused, passed) = until_refused(limit, async || send(user, &route, &json!([])).await).await;
        assert!(passed >= limit, "{name}: only {passed} were let through");
        produced.problem(name, 429, "rate_limited", &refused);
    }))
    .await;
}
