use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use reqwest::StatusCode;
use serde_json::json;

use crate::support::Fixture;

/// The real SDKs with the key of the function `echo`.
struct Echo {
    fixture: Fixture,
    dynamodb: aws_sdk_dynamodb::Client,
    s3: aws_sdk_s3::Client,
    sqs: aws_sdk_sqs::Client,
}

const ECHO: &str = "arn:aws:sts::000000000000:assumed-role/local-EchoFunctionRole/local-EchoFunction";
const TABLE: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/local-Table";
const BUCKET: &str = "arn:aws:s3:::local-bucket-000000000000";

impl Echo {
    async fn start() -> Self {
        let fixture = Fixture::start().await;
        let config = fixture.stack.aws_as("echo").unwrap().sdk_config();
        Self {
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            s3: aws_sdk_s3::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            fixture,
        }
    }

    /// The call was refused in these words, once, and the front tells which it was.
    #[track_caller]
    fn is_refused<T: std::fmt::Debug, E, R>(
        &self,
        result: Result<T, SdkError<E, R>>,
        (status, code): (u16, &str),
        (action, resource): (&str, &str),
    ) where
        SdkError<E, R>: ProvideErrorMetadata + std::fmt::Debug,
    {
        let error = result.unwrap_err();
        let (said, quoted) = match code {
            "AccessDenied" if resource.starts_with("arn:aws:s3") => (action.to_owned(), format!("\"{resource}\"")),
            "AccessDenied" => (action.to_lowercase(), resource.to_owned()),
            _ => (action.to_owned(), resource.to_owned()),
        };
        let message = format!(
            "User: {ECHO} is not authorized to perform: {said} on resource: {quoted} \
             because no identity-based policy allows the {said} action"
        );
        assert_eq!((error.code(), error.message()), (Some(code), Some(message.as_str())), "{error:?}");
        let front = self.fixture.stack.front();
        let calls = front.calls().denied().0;
        assert_eq!(calls.len(), 1, "tried again: {calls:?}");
        let call = &calls[0];
        let denied = call.denied.as_ref().unwrap();
        assert_eq!((denied.action.as_str(), denied.resource.as_str()), (action, resource));
        assert_eq!((call.function.as_str(), call.status), ("echo", Some(status)));
        front.clear_calls();
    }
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

#[tokio::test]
async fn what_dynamodb_does_not_allow_is_refused_in_its_own_words() {
    let echo = Echo::start().await;
    let refusal = (400, "AccessDeniedException");
    let get = echo.dynamodb.get_item().table_name("local-Table").key("key", text("k")).send().await;
    echo.is_refused(get, refusal, ("dynamodb:GetItem", TABLE));
    let query = echo.dynamodb.query().table_name("local-Table").index_name("by_owner");
    let query = query.key_condition_expression("#o = :o").expression_attribute_names("#o", "owner");
    let query = query.expression_attribute_values(":o", text("o")).send().await;
    echo.is_refused(query, refusal, ("dynamodb:Query", &format!("{TABLE}/index/by_owner")));
    let tables = echo.dynamodb.list_tables().send().await;
    echo.is_refused(tables, refusal, ("dynamodb:ListTables", "*"));
}

#[tokio::test]
async fn a_transaction_is_refused_for_one_of_its_members_and_nothing_of_it_is_done() {
    let echo = Echo::start().await;
    let put = Put::builder().table_name("local-Table").item("key", text("k")).build().unwrap();
    let put = TransactWriteItem::builder().put(put).build();
    let delete = Delete::builder().table_name("local-Table").key("key", text("other")).build().unwrap();
    let delete = TransactWriteItem::builder().delete(delete).build();
    let both = echo.dynamodb.transact_write_items().transact_items(put.clone()).transact_items(delete).send().await;
    echo.is_refused(both, (400, "AccessDeniedException"), ("dynamodb:DeleteItem", TABLE));
    let everybody = aws_sdk_dynamodb::Client::new(&echo.fixture.stack.aws().sdk_config());
    let get = everybody.get_item().table_name("local-Table").key("key", text("k"));
    assert!(get.clone().send().await.unwrap().item.is_none());
    echo.dynamodb.transact_write_items().transact_items(put).send().await.unwrap();
    assert!(get.send().await.unwrap().item.is_some());
}

#[tokio::test]
async fn what_sqs_does_not_allow_is_refused_in_its_own_words() {
    let echo = Echo::start().await;
    let url = echo.fixture.stack.queue_url("Queue").unwrap();
    let send = echo.sqs.send_message().queue_url(url).message_body("m").send().await;
    echo.is_refused(send, (403, "AccessDenied"), ("sqs:SendMessage", "arn:aws:sqs:us-east-1:000000000000:local-Queue"));
}

#[tokio::test]
async fn what_s3_does_not_allow_is_refused_in_its_own_words() {
    let echo = Echo::start().await;
    let (bucket, refusal) = ("local-bucket-000000000000", (403, "AccessDenied"));
    let body = || ByteStream::from_static(b"page");
    echo.s3.put_object().bucket(bucket).key("reports/a b").body(body()).send().await.unwrap();
    let elsewhere = echo.s3.put_object().bucket(bucket).key("frames/a b").body(body()).send().await;
    echo.is_refused(elsewhere, refusal, ("s3:PutObject", &format!("{BUCKET}/frames/a b")));
    let delete = echo.s3.delete_object().bucket(bucket).key("reports/a b").send().await;
    echo.is_refused(delete, refusal, ("s3:DeleteObject", &format!("{BUCKET}/reports/a b")));
    let list = echo.s3.list_objects_v2().bucket(bucket).send().await;
    echo.is_refused(list, refusal, ("s3:ListBucket", BUCKET));
    // Whoever may not list what is there is not told what is not there.
    let missing = echo.s3.get_object().bucket(bucket).key("reports/none").send().await;
    echo.is_refused(missing, refusal, ("s3:ListBucket", BUCKET));
}

#[tokio::test]
async fn a_presigned_url_is_worth_what_its_signer_may_do() {
    let echo = Echo::start().await;
    let (bucket, everybody) = ("local-bucket-000000000000", echo.fixture.stack.aws().sdk_config());
    for (key, status) in [("reports/1", StatusCode::OK), ("frames/1", StatusCode::FORBIDDEN)] {
        let put = aws_sdk_s3::Client::new(&everybody).put_object().bucket(bucket).key(key);
        put.body(ByteStream::from_static(b"page")).send().await.unwrap();
        let expires = PresigningConfig::expires_in(std::time::Duration::from_secs(60)).unwrap();
        let url = echo.s3.get_object().bucket(bucket).key(key).presigned(expires).await.unwrap();
        let answer = echo.fixture.client.get(url.uri()).send().await.unwrap();
        assert_eq!(answer.status(), status, "{key}");
    }
}

#[tokio::test]
async fn a_permission_that_is_taken_away_is_missed_until_it_is_back() {
    let fixture = Fixture::start().await;
    let front = fixture.stack.front();
    let permissions: Vec<_> = front.permissions().iter().map(ToString::to_string).collect();
    assert!(permissions.contains(&format!("echo dynamodb:PutItem on {TABLE}")), "{permissions:?}");
    let order = json!({"do": "in_sequence", "calls": 1});
    let withheld = front.without("echo", "dynamodb:PutItem", TABLE).unwrap();
    assert_eq!(fixture.order("echo", order.clone()).await.0, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(front.calls().by("echo").denied().count(), 1);
    drop(withheld);
    assert_eq!(fixture.order("echo", order).await.0, StatusCode::OK);
    let used = front.calls().by("echo").0.pop().unwrap().permissions;
    assert_eq!(used.iter().map(|used| used.action.as_str()).collect::<Vec<_>>(), ["dynamodb:PutItem"]);
    assert!(front.without("echo", "dynamodb:GetItem", TABLE).is_none());
}
