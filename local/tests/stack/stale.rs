use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, Delete, DeleteRequest, Get, KeySchemaElement, KeyType,
    KeysAndAttributes, Put, PutRequest, ScalarAttributeType, TransactGetItem, TransactWriteItem, Update, WriteRequest,
};
use local::front::{Fault, StaleHandle, StaleReads};
use serde_json::json;

use crate::support::Fixture;

/// Values by key.
type Values = BTreeMap<String, String>;
type Item = std::collections::HashMap<String, AttributeValue>;

struct Table {
    fixture: Fixture,
    client: Client,
    name: String,
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn key(name: &str) -> Item {
    Item::from([("key".to_owned(), text(name))])
}

fn item(name: &str, value: &str) -> Item {
    Item::from([("key".to_owned(), text(name)), ("owner".to_owned(), text("o")), ("v".to_owned(), text(value))])
}

fn value(item: Option<&Item>) -> String {
    item.map_or("none", |item| item["v"].as_s().unwrap()).to_owned()
}

impl Table {
    async fn new() -> Self {
        let fixture = Fixture::start().await;
        let client = Client::new(&fixture.sdk(&fixture.stack.aws().dynamodb));
        let name = fixture.stack.table("Table").unwrap().to_owned();
        Self { fixture, client, name }
    }

    async fn stale(&self, reads: StaleReads) -> StaleHandle {
        self.fixture.stack.front().stale_reads(reads).await.unwrap()
    }

    async fn put(&self, name: &str, value: &str) {
        self.client.put_item().table_name(&self.name).set_item(Some(item(name, value))).send().await.unwrap();
    }

    async fn update(&self, name: &str, value: &str) {
        let update = self.client.update_item().table_name(&self.name).set_key(Some(key(name)));
        let update = update.update_expression("SET v = :v, #o = :o").expression_attribute_names("#o", "owner");
        let update = update.expression_attribute_values(":v", text(value)).expression_attribute_values(":o", text("o"));
        update.send().await.unwrap();
    }

    async fn get(&self, name: &str, consistent: bool) -> String {
        let get = self.client.get_item().table_name(&self.name).set_key(Some(key(name))).consistent_read(consistent);
        value(get.send().await.unwrap().item())
    }

    async fn scan(&self, consistent: bool) -> Values {
        let scan = self.client.scan().table_name(&self.name).consistent_read(consistent).send().await.unwrap();
        let pair = |item: &Item| (item["key"].as_s().unwrap().clone(), value(Some(item)));
        scan.items().iter().map(pair).collect()
    }

    async fn query_index(&self) -> Vec<String> {
        let query = self.client.query().table_name(&self.name).index_name("by_owner");
        let query = query.key_condition_expression("#o = :o").expression_attribute_names("#o", "owner");
        let found = query.expression_attribute_values(":o", text("o")).send().await.unwrap();
        let mut keys: Vec<_> = found.items().iter().map(|item| item["key"].as_s().unwrap().clone()).collect();
        keys.sort();
        keys
    }

    async fn query(&self, name: &str, consistent: bool) -> String {
        let query = self.client.query().table_name(&self.name).key_condition_expression("#k = :k");
        let query = query.expression_attribute_names("#k", "key").expression_attribute_values(":k", text(name));
        value(query.consistent_read(consistent).send().await.unwrap().items().first())
    }

    async fn batch_get(&self, name: &str, consistent: bool) -> String {
        let keys = KeysAndAttributes::builder().keys(key(name)).consistent_read(consistent).build().unwrap();
        let got = self.client.batch_get_item().request_items(&self.name, keys).send().await.unwrap();
        value(got.responses().unwrap()[&self.name].first())
    }

    async fn transact_get(&self, name: &str) -> String {
        let get = Get::builder().table_name(&self.name).set_key(Some(key(name))).build().unwrap();
        let get = TransactGetItem::builder().get(get).build();
        let got = self.client.transact_get_items().transact_items(get).send().await.unwrap();
        value(got.responses()[0].item())
    }

    /// Operations that were answered from the past, in order.
    fn stale_calls(&self) -> Vec<String> {
        let stale = self.fixture.stack.front().calls().filtered(|call| call.stale);
        stale.0.into_iter().map(|call| call.operation).collect()
    }
}

#[tokio::test]
async fn only_reads_that_may_be_stale_are_and_only_until_the_release() {
    let table = Table::new().await;
    table.put("a", "old").await;
    let stale = table.stale(StaleReads::frozen()).await;
    table.update("a", "new").await;
    table.put("b", "new").await;
    for (value, keys) in [("old", &["a"][..]), ("new", &["a", "b"])] {
        assert_eq!(table.get("a", false).await, value);
        assert_eq!(table.query("a", false).await, value);
        assert_eq!(table.batch_get("a", false).await, value);
        assert_eq!(table.scan(false).await["a"], value);
        assert_eq!(table.query_index().await, keys);
        assert_eq!(table.get("a", true).await, "new");
        assert_eq!(table.query("a", true).await, "new");
        assert_eq!(table.batch_get("a", true).await, "new");
        assert_eq!(table.scan(true).await["a"], "new");
        assert_eq!(table.transact_get("a").await, "new");
        stale.release().await;
    }
    assert_eq!(table.stale_calls(), ["GetItem", "Query", "BatchGetItem", "Scan", "Query"].repeat(2));
    assert_eq!((stale.hits(), stale.matched()), (10, 10));
    table.put("a", "newer").await;
    assert_eq!(table.get("a", false).await, "new");
    stale.end();
    assert_eq!(table.get("a", false).await, "newer");
    assert_eq!(stale.hits(), 11);
}

#[tokio::test]
async fn every_kind_of_write_comes_to_the_past_with_the_release() {
    let table = Table::new().await;
    for name in ["updated", "deleted", "batch-deleted", "transaction-deleted", "kept"] {
        table.put(name, "old").await;
    }
    let before = table.scan(true).await;
    let stale = table.stale(StaleReads::frozen()).await;
    let (client, name) = (&table.client, &table.name);
    table.put("put", "new").await;
    table.update("updated", "new").await;
    client.delete_item().table_name(name).set_key(Some(key("deleted"))).send().await.unwrap();
    let put = PutRequest::builder().set_item(Some(item("batch-put", "new"))).build().unwrap();
    let delete = DeleteRequest::builder().set_key(Some(key("batch-deleted"))).build().unwrap();
    let batch =
        vec![WriteRequest::builder().put_request(put).build(), WriteRequest::builder().delete_request(delete).build()];
    client.batch_write_item().request_items(name, batch).send().await.unwrap();
    let put = Put::builder().table_name(name).set_item(Some(item("transaction-put", "new"))).build().unwrap();
    let delete = Delete::builder().table_name(name).set_key(Some(key("transaction-deleted"))).build().unwrap();
    let update = Update::builder().table_name(name).set_key(Some(key("transaction-updated")));
    let update = update.update_expression("SET v = :v").expression_attribute_values(":v", text("new")).build().unwrap();
    let transaction = client.transact_write_items().client_request_token("token");
    let transaction = transaction.transact_items(TransactWriteItem::builder().put(put).build());
    let transaction = transaction.transact_items(TransactWriteItem::builder().delete(delete).build());
    let transaction = transaction.transact_items(TransactWriteItem::builder().update(update).build());
    transaction.clone().send().await.unwrap();
    transaction.send().await.unwrap();
    let refused = client.put_item().table_name(name).set_item(Some(item("kept", "refused")));
    let refused = refused.condition_expression("attribute_not_exists(v)").send().await;
    assert!(refused.unwrap_err().into_service_error().is_conditional_check_failed_exception());

    assert_eq!(table.scan(false).await, before);
    stale.release().await;
    let after = table.scan(true).await;
    let expected = json!({
        "batch-put": "new", "kept": "old", "put": "new", "transaction-put": "new", "transaction-updated": "new", "updated": "new",
    });
    assert_eq!((json!(after), table.scan(false).await), (expected, after));
}

#[tokio::test]
async fn without_a_lag_the_past_is_the_present_and_with_a_long_one_it_is_not() {
    let table = Table::new().await;
    for (lag, seen) in [(Duration::ZERO, "new"), (Duration::from_secs(3_600), "old")] {
        table.put("a", "old").await;
        let stale = table.stale(StaleReads::lag(lag)).await;
        table.put("a", "new").await;
        assert_eq!((table.get("a", false).await.as_str(), stale.hits()), (seen, 1));
    }
}

#[tokio::test]
async fn a_share_of_the_reads_is_stale_and_the_seed_says_which() {
    let table = Table::new().await;
    let mut drawn = Vec::new();
    for seed in [1, 1, 2] {
        table.put("a", "old").await;
        let stale = table.stale(StaleReads::frozen().rate(0.5).seed(seed)).await;
        table.put("a", "new").await;
        table.fixture.stack.front().clear_calls();
        let mut seen = Vec::new();
        for _ in 0..24 {
            seen.push(table.get("a", false).await == "old");
        }
        let logged: Vec<bool> = table.fixture.stack.front().calls().0.iter().map(|call| call.stale).collect();
        assert_eq!((stale.hits(), &logged), (seen.iter().filter(|old| **old).count(), &seen));
        drawn.push(seen);
    }
    assert_eq!(drawn[0], drawn[1]);
    assert_ne!(drawn[0], drawn[2]);
}

#[tokio::test]
async fn stale_reads_can_be_those_of_one_index_or_one_function() {
    let table = Table::new().await;
    table.put("a", "old").await;
    let index = table.stale(StaleReads::frozen().index("by_owner")).await;
    table.put("b", "new").await;
    assert_eq!((table.query_index().await, table.get("b", false).await), (vec!["a".to_owned()], "new".to_owned()));
    assert_eq!(index.hits(), 1);
    let function = table.stale(StaleReads::frozen().function("echo")).await;
    table.put("c", "new").await;
    assert_eq!((table.get("c", false).await.as_str(), function.matched()), ("new", 0));
}

#[tokio::test]
async fn writes_at_once_come_to_the_past_in_the_order_in_which_they_happened() {
    let table = Table::new().await;
    let stale = table.stale(StaleReads::frozen()).await;
    let write = |n: usize| {
        let (table, name) = (&table, format!("{}", n % 3));
        async move { table.put(&name, &n.to_string()).await }
    };
    futures::future::join_all((0..60).map(write)).await;
    assert_eq!(table.scan(false).await, Values::new());
    stale.release().await;
    assert_eq!(table.scan(false).await, table.scan(true).await);
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_comes_to_the_past_too() {
    let table = Table::new().await;
    let stale = table.stale(StaleReads::frozen()).await;
    let fault = table.fixture.stack.front().inject(Fault::lose_answer().operation("PutItem").times(1));
    // Tried again by the SDK.
    table.put("a", "new").await;
    assert_eq!(fault.hits(), 1);
    assert_eq!(table.get("a", false).await, "none");
    stale.release().await;
    assert_eq!(table.get("a", false).await, "new");
}

#[tokio::test]
async fn a_table_made_later_is_read_as_it_is() {
    let table = Table::new().await;
    let stale = table.stale(StaleReads::frozen()).await;
    let attribute = AttributeDefinition::builder().attribute_name("key").attribute_type(ScalarAttributeType::S);
    let schema = KeySchemaElement::builder().attribute_name("key").key_type(KeyType::Hash);
    let create = table.client.create_table().table_name("later").billing_mode(BillingMode::PayPerRequest);
    let create = create.attribute_definitions(attribute.build().unwrap()).key_schema(schema.build().unwrap());
    create.send().await.unwrap();
    table.client.put_item().table_name("later").set_item(Some(item("a", "new"))).send().await.unwrap();
    let got = table.client.get_item().table_name("later").set_key(Some(key("a"))).send().await.unwrap();
    assert_eq!((value(got.item()).as_str(), stale.matched()), ("new", 0));
}
