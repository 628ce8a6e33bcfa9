//! The description of the API, held against itself and against what is taken. What is answered is held against it wherever
//! a test gets an answer.

use reqwest::Method;
use serde_json::Value;

use crate::support::{Answer, User, description::Description, run, stack};

#[test]
fn every_example_fits_its_schema() {
    let examples = Description::examples();
    assert!(examples.len() > 100, "only {} examples", examples.len());
    for (place, schema, example) in examples {
        let faults = Description::faults_of(schema, example);
        assert!(faults.is_empty(), "{place}: {faults:#?}\n{example:#}");
    }
}

#[test]
fn every_example_of_a_request_is_taken() {
    run(async {
        let stack = stack().await;
        let admin = User::with_fleets(stack, Some("admin"), &["of-examples"]);
        // Somebody has to sign for Terra: its bodies are sent by tests of their own.
        for (method, path, body) in Description::requests().into_iter().filter(|(_, path, _)| *path != "/webhook-terra")
        {
            let method: Method = method.to_uppercase().parse().unwrap();
            let path = path.trim_start_matches('/').replace("{id}", "of-examples");
            let answer = send(&admin, method, &path, body).await;
            // Nothing is wrong with it, though there may be no such session or engine.
            assert!([200, 201, 202, 404].contains(&answer.status), "{path}: {:#}", answer.body);
        }
    });
}

async fn send(user: &User, method: Method, path: &str, body: &Value) -> Answer {
    let request = user.request(method, path).header("content-type", "application/json");
    Answer::of(request.body(body.to_string()).send().await.unwrap()).await
}
