//! What a request has written: its items by table and key, and as what they are left.

use dynoxide::actions::delete_item::DeleteItemRequest;
use dynoxide::actions::get_item::GetItemRequest;
use dynoxide::actions::put_item::PutItemRequest;
use dynoxide::{Database, Item};
use serde_json::{Map, Value};

use crate::dynamodb::{DynamoError, key_names};

/// An item after it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    table: String,
    key: Item,
    /// None where it was deleted.
    item: Option<Item>,
}

/// Operations that change items. PartiQL's are not among them: nothing here uses it.
pub fn writes(operation: &str) -> bool {
    matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem" | "BatchWriteItem" | "TransactWriteItems")
}

/// The request's items as they are in the database now. Read from there rather than from the request: a replay would have
/// to meet the same conditions and idempotency tokens again.
pub fn changes(database: &Database, body: &[u8]) -> Result<Vec<Change>, DynamoError> {
    let body: Value = serde_json::from_slice(body)?;
    written(&body).into_iter().map(|(table, attributes)| change(database, table, attributes)).collect()
}

fn change(database: &Database, table: &str, attributes: &Map<String, Value>) -> Result<Change, DynamoError> {
    let names = key_names(database, table)?;
    let key = attributes.iter().filter(|(name, _)| names.contains(name));
    let key = key.map(|(name, value)| (name.clone(), value.clone())).collect();
    let key: Item = serde_json::from_value(Value::Object(key))?;
    let (table_name, consistent_read) = (table.to_owned(), Some(true));
    let request = GetItemRequest { table_name, key: key.clone(), consistent_read, ..GetItemRequest::default() };
    let item = database.get_item(request).map_err(DynamoError::Copy)?.item;
    Ok(Change { table: table.to_owned(), key, item })
}

/// Tables, and attributes with the key among them.
fn written(body: &Value) -> Vec<(&str, &Map<String, Value>)> {
    let batch = body.get("RequestItems").and_then(Value::as_object).into_iter().flatten();
    let batch = batch.flat_map(|(table, requests)| {
        let requests = requests.as_array().into_iter().flatten().filter_map(Value::as_object);
        requests.flat_map(Map::values).filter_map(|request| Some((table.as_str(), attributes(request)?)))
    });
    let transaction = body.get("TransactItems").and_then(Value::as_array).into_iter().flatten();
    let actions = transaction.filter_map(Value::as_object).flatten();
    let actions = actions.filter(|(action, _)| *action != "ConditionCheck").map(|(_, action)| action);
    let single =
        actions.chain([body]).filter_map(|action| Some((action.get("TableName")?.as_str()?, attributes(action)?)));
    batch.chain(single).collect()
}

fn attributes(write: &Value) -> Option<&Map<String, Value>> {
    write.get("Item").or_else(|| write.get("Key"))?.as_object()
}

impl Change {
    /// Leaves the item of another database the same way.
    pub fn apply(self, database: &Database) -> dynoxide::Result<()> {
        let Self { table: table_name, key, item } = self;
        match item {
            Some(item) => database.put_item(PutItemRequest { table_name, item, ..PutItemRequest::default() }).map(drop),
            None => {
                database.delete_item(DeleteItemRequest { table_name, key, ..DeleteItemRequest::default() }).map(drop)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_request_writes_is_named() {
        let (a, b, c) = (json!({"S": "a"}), json!({"S": "b"}), json!({"S": "c"}));
        for (body, expected) in [
            (json!({"TableName": "t", "Item": {"k": a, "v": b}}), json!([["t", {"k": a, "v": b}]])),
            (json!({"TableName": "t", "Key": {"k": a}, "UpdateExpression": "ADD #n :n"}), json!([["t", {"k": a}]])),
            (
                json!({"RequestItems": {
                    "t": [{"PutRequest": {"Item": {"k": a}}}, {"DeleteRequest": {"Key": {"k": b}}}],
                    "u": [{"DeleteRequest": {"Key": {"k": c}}}],
                }}),
                json!([["t", {"k": a}], ["t", {"k": b}], ["u", {"k": c}]]),
            ),
            (
                json!({"TransactItems": [
                    {"ConditionCheck": {"TableName": "t", "Key": {"k": c}}},
                    {"Put": {"TableName": "t", "Item": {"k": a}}},
                    {"Update": {"TableName": "u", "Key": {"k": b}}},
                    {"Delete": {"TableName": "t", "Key": {"k": b}}},
                ]}),
                json!([["t", {"k": a}], ["u", {"k": b}], ["t", {"k": b}]]),
            ),
        ] {
            assert_eq!(json!(written(&body)), expected);
        }
    }
}
