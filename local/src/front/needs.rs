//! Which actions on which resources a call needs, as AWS documents it for each service:
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>
//!
//! An operation that no function uses needs the action of its own name, on the table, queue or bucket that it names, or on `*`
//! where it names none.

use super::Service;
use super::operation::Operation;
use crate::template::Site;

/// One action on one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// Such as `dynamodb:PutItem`.
    pub action: String,
    pub resource: String,
}

impl Need {
    fn new(service: &str, action: &str, resource: String) -> Self {
        Self { action: format!("{service}:{action}"), resource }
    }

    /// What tells a caller whether there is such an object: without it, one that is not there is refused like any other.
    pub fn to_miss(site: &Site, operation: &str, buckets: &[String]) -> Option<Self> {
        let reads = matches!(operation, "GetObject" | "HeadObject");
        let bucket = buckets.first().filter(|_| reads)?;
        Some(Self::new("s3", "ListBucket", site.bucket_arn(bucket)))
    }
}

pub fn needs(site: &Site, service: Service, operation: &Operation) -> Vec<Need> {
    match service {
        Service::DynamoDb => dynamodb(site, operation),
        Service::Sqs => sqs(site, operation),
        Service::S3 => s3(site, operation),
        Service::SecretsManager => secrets_manager(operation),
    }
}

fn dynamodb(site: &Site, operation: &Operation) -> Vec<Need> {
    let need = |action: &str, resource: String| Need::new("dynamodb", action, resource);
    let Operation { name, resources, index, members, .. } = operation;
    // IAM knows no transactions, only what is in them.
    if matches!(name.as_str(), "TransactWriteItems" | "TransactGetItems") {
        let member = |(kind, table): &(String, String)| need(member_action(kind), site.table_arn(table));
        return members.iter().map(member).collect();
    }
    let arn = |table: &String| match index {
        Some(index) => format!("{}/index/{index}", site.table_arn(table)),
        None => site.table_arn(table),
    };
    or_anything(resources.iter().map(|table| need(name, arn(table))).collect(), || need(name, "*".to_owned()))
}

fn member_action(kind: &str) -> &str {
    match kind {
        "Put" => "PutItem",
        "Update" => "UpdateItem",
        "Delete" => "DeleteItem",
        "ConditionCheck" => "ConditionCheckItem",
        "Get" => "GetItem",
        other => other,
    }
}

fn sqs(site: &Site, operation: &Operation) -> Vec<Need> {
    let action = match operation.name.as_str() {
        "SendMessageBatch" => "SendMessage",
        "DeleteMessageBatch" => "DeleteMessage",
        "ChangeMessageVisibilityBatch" => "ChangeMessageVisibility",
        other => other,
    };
    let need = |resource| Need::new("sqs", action, resource);
    let queues = operation.resources.iter().map(|queue| need(site.queue_arn(queue)));
    or_anything(queues.collect(), || need("*".to_owned()))
}

/// A secret is named by its ARN, as our functions have it, or by its name, which no policy of ours allows.
fn secrets_manager(operation: &Operation) -> Vec<Need> {
    let need = |resource| Need::new("secretsmanager", &operation.name, resource);
    or_anything(operation.resources.iter().cloned().map(need).collect(), || need("*".to_owned()))
}

fn s3(site: &Site, operation: &Operation) -> Vec<Need> {
    let need = |action: &str, resource: String| Need::new("s3", action, resource);
    let Operation { name, resources, key, copied, .. } = operation;
    let Some(bucket) = resources.first().map(|bucket| site.bucket_arn(bucket)) else {
        let action = if name == "ListBuckets" { "ListAllMyBuckets" } else { name.as_str() };
        return vec![need(action, "*".to_owned())];
    };
    let object = |action: &str| need(action, format!("{bucket}/{}", key.as_deref().unwrap_or("*")));
    match name.as_str() {
        "GetObject" | "HeadObject" => vec![object("GetObject")],
        "PutObject" | "UploadPart" | "CreateMultipartUpload" | "CompleteMultipartUpload" => vec![object("PutObject")],
        "CopyObject" => {
            let source = copied.as_ref().map(|source| need("GetObject", format!("arn:aws:s3:::{source}")));
            [object("PutObject")].into_iter().chain(source).collect()
        }
        // Of several the keys are not looked at: whoever deletes so must be allowed to delete any.
        "DeleteObject" | "DeleteObjects" => vec![object("DeleteObject")],
        "ListObjects" | "ListObjectsV2" | "HeadBucket" => vec![need("ListBucket", bucket)],
        other if key.is_some() => vec![object(other)],
        other => vec![need(other, bucket)],
    }
}

fn or_anything(needs: Vec<Need>, anything: impl FnOnce() -> Need) -> Vec<Need> {
    if needs.is_empty() { vec![anything()] } else { needs }
}

#[cfg(test)]
mod tests {
    use hyper::Request;
    use hyper::body::Bytes;

    use super::super::operation::operation;
    use super::*;

    fn site() -> Site {
        let [region, account, stack] = ["eu-west-1", "1", "local"].map(str::to_owned);
        Site { region, account, stack, api_id: String::new(), sqs_url: String::new() }
    }

    fn of(service: Service, request: hyper::http::request::Builder, body: &'static str) -> Vec<String> {
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let operation = operation(service, &parts, &Bytes::from_static(body.as_bytes()));
        needs(&site(), service, &operation)
            .into_iter()
            .map(|need| format!("{} {}", need.action, need.resource))
            .collect()
    }

    #[test]
    fn dynamodb_is_asked_for_tables_indexes_and_a_transactions_members() {
        for (name, body, expected) in [
            ("GetItem", r#"{"TableName":"a"}"#, &["GetItem a"][..]),
            ("Query", r#"{"TableName":"a"}"#, &["Query a"]),
            ("Query", r#"{"TableName":"a","IndexName":"i"}"#, &["Query a/index/i"]),
            ("Scan", r#"{"TableName":"a","IndexName":"i"}"#, &["Scan a/index/i"]),
            ("BatchGetItem", r#"{"RequestItems":{"a":{"Keys":[]},"b":{}}}"#, &["BatchGetItem a", "BatchGetItem b"]),
            ("BatchWriteItem", r#"{"RequestItems":{"a":[{"PutRequest":{}}]}}"#, &["BatchWriteItem a"]),
            ("TransactGetItems", r#"{"TransactItems":[{"Get":{"TableName":"a"}}]}"#, &["GetItem a"]),
            (
                "TransactWriteItems",
                r#"{"TransactItems":[{"Update":{"TableName":"b"}},{"Put":{"TableName":"b"}},{"Put":{"TableName":"a"}},
                    {"Put":{"TableName":"b"}},{"Delete":{"TableName":"a"}},{"ConditionCheck":{"TableName":"c"}}]}"#,
                &["ConditionCheckItem c", "DeleteItem a", "PutItem a", "PutItem b", "UpdateItem b"],
            ),
        ] {
            let request = Request::post("/").header("x-amz-target", format!("DynamoDB_20120810.{name}"));
            let arn = |text: &&str| {
                let (action, table) = text.split_once(' ').unwrap();
                format!("dynamodb:{action} arn:aws:dynamodb:eu-west-1:1:table/{table}")
            };
            assert_eq!(of(Service::DynamoDb, request, body), expected.iter().map(arn).collect::<Vec<_>>(), "{body}");
        }
        let request = Request::post("/").header("x-amz-target", "DynamoDB_20120810.ListTables");
        assert_eq!(of(Service::DynamoDb, request, "{}"), ["dynamodb:ListTables *"]);
    }

    #[test]
    fn a_batch_of_messages_needs_what_one_of_them_needs() {
        for (name, action) in [
            ("SendMessage", "SendMessage"),
            ("SendMessageBatch", "SendMessage"),
            ("DeleteMessageBatch", "DeleteMessage"),
            ("ChangeMessageVisibilityBatch", "ChangeMessageVisibility"),
            ("GetQueueAttributes", "GetQueueAttributes"),
        ] {
            let request = Request::post("/").header("x-amz-target", format!("AmazonSQS.{name}"));
            let needs = of(Service::Sqs, request, r#"{"QueueUrl":"http://127.0.0.1:1/1/q"}"#);
            assert_eq!(needs, [format!("sqs:{action} arn:aws:sqs:eu-west-1:1:q")]);
        }
    }

    #[test]
    fn s3_is_asked_for_objects_by_their_keys_and_for_buckets() {
        for (method, uri, expected) in [
            ("GET", "/b/frames/a%20b.jpg?x-id=GetObject", "s3:GetObject arn:aws:s3:::b/frames/a b.jpg"),
            ("HEAD", "/b/frames/1", "s3:GetObject arn:aws:s3:::b/frames/1"),
            ("PUT", "/b/frames/1", "s3:PutObject arn:aws:s3:::b/frames/1"),
            ("PUT", "/b/frames/1?partNumber=1&uploadId=2", "s3:PutObject arn:aws:s3:::b/frames/1"),
            ("DELETE", "/b/frames/1", "s3:DeleteObject arn:aws:s3:::b/frames/1"),
            ("POST", "/b?delete", "s3:DeleteObject arn:aws:s3:::b/*"),
            ("HEAD", "/b", "s3:ListBucket arn:aws:s3:::b"),
            ("GET", "/b?list-type=2", "s3:ListBucket arn:aws:s3:::b"),
            ("GET", "/", "s3:ListAllMyBuckets *"),
        ] {
            assert_eq!(of(Service::S3, Request::builder().method(method).uri(uri), ""), [expected]);
        }
        let copy = Request::put("/b/reports/1").header("x-amz-copy-source", "/b/frames/a%20b");
        let expected = ["s3:PutObject arn:aws:s3:::b/reports/1", "s3:GetObject arn:aws:s3:::b/frames/a b"];
        assert_eq!(of(Service::S3, copy, ""), expected);
    }
}
