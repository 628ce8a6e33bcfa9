//! What is stored: rows of a session, sessions of a user, objects of the bucket. And which writes were made.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use local::{
    Stack,
    front::{Call, Service},
};
use uuid::Uuid;

/// A table's row.
pub type Row = HashMap<String, AttributeValue>;

/// All rows of a session by their sort keys.
pub async fn rows(stack: &Stack, session: Uuid) -> BTreeMap<String, Row> {
    let query = dynamodb(stack).query().table_name(stack.table("SessionsTable").unwrap()).consistent_read(true);
    let query = query.key_condition_expression("session_id = :id").expression_attribute_values(":id", text(session));
    let items = query.send().await.unwrap().items.unwrap_or_default();
    items.into_iter().map(|row| (row["sk"].as_s().unwrap().clone(), row)).collect()
}

/// How many sessions a user has.
pub async fn sessions_of(stack: &Stack, user: Uuid) -> usize {
    let query = dynamodb(stack).query().table_name(stack.table("SessionsTable").unwrap()).index_name("by_user");
    let query = query.key_condition_expression("user_id = :id").expression_attribute_values(":id", text(user));
    query.send().await.unwrap().items.unwrap_or_default().len()
}

/// A table's row by its key.
pub async fn item(stack: &Stack, table: &str, key: &[(&str, &str)]) -> Option<Row> {
    let mut get = dynamodb(stack).get_item().table_name(stack.table(table).unwrap()).consistent_read(true);
    for (name, value) in key {
        get = get.key(*name, text(value));
    }
    get.send().await.unwrap().item
}

/// All rows of a table under one hash key.
pub async fn rows_of(stack: &Stack, table: &str, (name, value): (&str, &str)) -> Vec<Row> {
    let query = dynamodb(stack).query().table_name(stack.table(table).unwrap()).consistent_read(true);
    let query = query.key_condition_expression("#key = :value").expression_attribute_names("#key", name);
    let pages = query.expression_attribute_values(":value", text(value)).into_paginator().items().send();
    pages.collect::<Result<_, _>>().await.unwrap()
}

/// All rows of a table.
pub async fn all_rows(stack: &Stack, table: &str) -> Vec<Row> {
    let scan = dynamodb(stack).scan().table_name(stack.table(table).unwrap()).consistent_read(true);
    scan.into_paginator().items().send().collect::<Result<_, _>>().await.unwrap()
}

/// Puts a row as it stands.
pub async fn put(stack: &Stack, table: &str, row: Row) {
    dynamodb(stack).put_item().table_name(stack.table(table).unwrap()).set_item(Some(row)).send().await.unwrap();
}

/// Sets one attribute of a row, whatever it was.
pub async fn set(stack: &Stack, table: &str, key: &[(&str, &str)], attribute: &str, value: &str) {
    set_value(stack, table, key, attribute, text(value)).await;
}

/// The same, to a number.
pub async fn set_number(stack: &Stack, table: &str, key: &[(&str, &str)], attribute: &str, value: i64) {
    set_value(stack, table, key, attribute, AttributeValue::N(value.to_string())).await;
}

async fn set_value(stack: &Stack, table: &str, key: &[(&str, &str)], attribute: &str, value: AttributeValue) {
    let mut update = dynamodb(stack).update_item().table_name(stack.table(table).unwrap());
    for (name, value) in key {
        update = update.key(*name, text(value));
    }
    let update =
        update.update_expression("SET #attribute = :value").expression_attribute_names("#attribute", attribute);
    update.expression_attribute_values(":value", value).send().await.unwrap();
}

/// Media type and bytes of an object of the bucket.
pub async fn object(stack: &Stack, key: &str) -> (String, Vec<u8>) {
    let get = s3(stack).get_object().bucket(stack.bucket("Bucket").unwrap()).key(key);
    let object = get.send().await.unwrap_or_else(|err| panic!("{key}: {err:?}"));
    let media_type = object.content_type.unwrap_or_default();
    (media_type, object.body.collect().await.unwrap().to_vec())
}

/// Keys of the objects whose keys begin so.
pub async fn keys(stack: &Stack, prefix: &str) -> Vec<String> {
    let list = s3(stack).list_objects_v2().bucket(stack.bucket("Bucket").unwrap()).prefix(prefix);
    let objects = list.send().await.unwrap().contents.unwrap_or_default();
    objects.into_iter().filter_map(|object| object.key).collect()
}

/// Writes that the functions made since the calls were cleared, beside the limiter's own in the Control table.
pub fn writes(stack: &Stack) -> Vec<Call> {
    let control = stack.table("ControlTable").unwrap();
    let reads = [
        "GetItem",
        "BatchGetItem",
        "Query",
        "GetObject",
        "HeadObject",
        "ListObjectsV2",
        "HeadBucket",
        "GetSecretValue",
    ];
    let limiter = |call: &Call| call.operation == "UpdateItem" && call.resources == [control];
    let written = |call: &Call| !reads.contains(&call.operation.as_str()) && !limiter(call);
    let made = stack.front().calls().filtered(|call| call.function != local::front::EVERYBODY_ELSE);
    made.filtered(|call| call.service != Service::Sqs && written(call)).0
}

/// Without the functions' deadlines: a busy machine is no reason to fail.
fn dynamodb(stack: &Stack) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::new(&stack.aws().sdk_config())
}

fn s3(stack: &Stack) -> aws_sdk_s3::Client {
    aws_sdk_s3::Client::new(&stack.aws().sdk_config())
}

fn text(value: impl ToString) -> AttributeValue {
    AttributeValue::S(value.to_string())
}
