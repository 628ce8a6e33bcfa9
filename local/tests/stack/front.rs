use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use local::front::{Fault, Service};
use reqwest::StatusCode;
use serde_json::json;

use crate::support::Fixture;

#[tokio::test]
async fn calls_are_counted_by_function_and_their_depth_is_known() {
    let fixture = Fixture::start().await;
    let front = fixture.stack.front();
    front.set_latency(Duration::from_millis(30));
    for (order, depth) in [("in_sequence", 3), ("at_once", 1)] {
        front.clear_calls();
        let (status, body) = fixture.order("echo", json!({"do": order, "calls": 3})).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let calls = front.calls().by("echo");
        assert_eq!((calls.count(), calls.depth()), (3, depth), "{calls:?}");
        assert_eq!(calls.operations()["PutItem"], 3);
        assert!(calls.0.iter().all(|call| call.resources == ["local-Table"] && call.status == Some(200)));
    }
}

#[tokio::test]
async fn a_refused_call_is_tried_again_by_the_sdk_and_counted() {
    let fixture = Fixture::start().await;
    let front = fixture.stack.front();
    for fault in [Fault::throttle(), Fault::internal_error(), Fault::drop_connection()] {
        front.clear_calls();
        front.inject(fault.function("echo").operation("PutItem").times(1));
        assert_eq!(fixture.order("echo", json!({"do": "in_sequence", "calls": 1})).await.0, StatusCode::OK);
        assert_eq!(front.calls().by("echo").count(), 2);
    }
}

#[tokio::test]
async fn a_lost_answer_means_that_the_call_was_carried_out() {
    let fixture = Fixture::start().await;
    let client = aws_sdk_dynamodb::Client::new(&fixture.sdk(&fixture.stack.aws().dynamodb));
    let table = fixture.stack.table("Table").unwrap();
    fixture.stack.front().inject(Fault::lose_answer().operation("PutItem"));
    let put = client.put_item().table_name(table).item("key", AttributeValue::S("k".to_owned())).send().await;
    assert!(put.is_err());
    fixture.stack.front().clear_faults();
    let got = client.get_item().table_name(table).key("key", AttributeValue::S("k".to_owned())).send().await.unwrap();
    assert!(got.item.is_some());
}

#[tokio::test]
async fn the_tables_indexes_and_conditions_work_through_the_front() {
    let fixture = Fixture::start().await;
    let client = aws_sdk_dynamodb::Client::new(&fixture.sdk(&fixture.stack.aws().dynamodb));
    let table = fixture.stack.table("Table").unwrap();
    let text = |text: &str| AttributeValue::S(text.to_owned());
    client.put_item().table_name(table).item("key", text("k")).item("owner", text("o")).send().await.unwrap();
    let query = client.query().table_name(table).index_name("by_owner").key_condition_expression("#o = :o");
    let query = query.expression_attribute_names("#o", "owner").expression_attribute_values(":o", text("o"));
    assert_eq!(query.send().await.unwrap().count, 1);
    let again =
        client.put_item().table_name(table).item("key", text("k")).condition_expression("attribute_not_exists(#k)");
    let error = again.expression_attribute_names("#k", "key").send().await.unwrap_err().into_service_error();
    assert!(error.is_conditional_check_failed_exception());
    let ttl = client.describe_time_to_live().table_name(table).send().await.unwrap();
    assert_eq!(ttl.time_to_live_description.unwrap().attribute_name.as_deref(), Some("ttl"));
}

#[tokio::test]
async fn a_presigned_url_reads_the_object_and_a_changed_one_does_not() {
    let fixture = Fixture::start().await;
    let (status, url) = fixture.order("echo", json!({"do": "presign"})).await;
    assert_eq!(status, StatusCode::OK, "{url}");
    let answer = fixture.client.get(&url).send().await.unwrap();
    assert_eq!((answer.status(), answer.headers()["content-type"].to_str().unwrap()), (StatusCode::OK, "text/html"));
    assert_eq!(answer.text().await.unwrap(), "<p>report</p>");
    for changed in [url.replace("a%20b", "other"), url.split('?').next().unwrap().to_owned()] {
        assert_eq!(fixture.client.get(&changed).send().await.unwrap().status(), StatusCode::FORBIDDEN, "{changed}");
    }
    let calls = fixture.stack.front().calls().of(Service::S3);
    assert_eq!((calls.by("echo").count(), calls.named("GetObject").count()), (1, 2));
}

#[tokio::test]
async fn a_key_that_nobody_has_is_refused() {
    let fixture = Fixture::start().await;
    let key = aws_sdk_dynamodb::config::Credentials::new("NOBODY", "secret", None, None, "test");
    let config = fixture.sdk(&fixture.stack.aws().dynamodb);
    let config = aws_sdk_dynamodb::config::Builder::from(&config).credentials_provider(key).build();
    let error = aws_sdk_dynamodb::Client::from_conf(config).list_tables().send().await.unwrap_err();
    assert_eq!(error.into_service_error().meta().code(), Some("UnrecognizedClientException"));
}
