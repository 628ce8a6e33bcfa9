use aws_sdk_secretsmanager::Client;
use local::front::Fault;
use serde_json::{Value, json};

use crate::support::Fixture;

async fn client() -> (Fixture, Client, String) {
    let fixture = Fixture::with(|options| options.secret("camera_api_key", "first")).await;
    let client = Client::new(&fixture.sdk(&fixture.stack.aws().secrets_manager));
    let arn = fixture.stack.model().secrets[0].arn.clone();
    (fixture, client, arn)
}

async fn read(client: &Client, id: &str) -> Value {
    let answer = client.get_secret_value().secret_id(id).send().await.unwrap();
    assert!(answer.version_stages().contains(&"AWSCURRENT".to_owned()));
    serde_json::from_str(answer.secret_string().unwrap()).unwrap()
}

#[tokio::test]
async fn the_secret_holds_what_the_options_say_beside_what_the_stack_needs() {
    let (fixture, client, arn) = client().await;
    let held = read(&client, &arn).await;
    assert_eq!(held["camera_api_key"], "first");
    assert_eq!(held["terra_signing_secret"], fixture.stack.terra_signing_secret());
    assert_eq!(read(&client, "local-Secrets").await, held, "by its name, too");
}

#[tokio::test]
async fn a_secret_is_rotated_by_the_test_and_by_the_api() {
    let (fixture, client, arn) = client().await;
    fixture.stack.secrets().set("camera_api_key", "second");
    let mut held = read(&client, &arn).await;
    assert_eq!(held["camera_api_key"], "second");
    held["camera_api_key"] = json!("third");
    client.put_secret_value().secret_id(&arn).secret_string(held.to_string()).send().await.unwrap();
    assert_eq!(read(&client, &arn).await["camera_api_key"], "third");
    assert_eq!(fixture.stack.secrets().value("camera_api_key").as_deref(), Some("third"));
}

#[tokio::test]
async fn what_is_not_there_is_an_error_that_the_sdk_knows_and_calls_are_counted() {
    let (fixture, client, arn) = client().await;
    let missing = client.get_secret_value().secret_id("elsewhere").send().await.unwrap_err();
    assert!(missing.as_service_error().unwrap().is_resource_not_found_exception(), "{missing:?}");
    fixture.stack.front().inject(Fault::refuse(400, "AccessDeniedException").operation("GetSecretValue").times(1));
    assert!(client.get_secret_value().secret_id(&arn).send().await.is_err());
    let calls = fixture.stack.front().calls().named("GetSecretValue");
    assert_eq!(calls.0[1].resources, [arn]);
}
