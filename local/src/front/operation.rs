//! Who calls what: access key, operation and resources of a request.

use hyper::Method;
use hyper::body::Bytes;
use hyper::http::request::Parts;

use super::Service;
use super::body::Body;
use crate::http::decoded;

/// A request as the front understands it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Operation {
    pub name: String,
    pub resources: Vec<String>,
    pub index: Option<String>,
    /// A read of DynamoDB that may give the state of a moment ago.
    pub eventual: bool,
    /// What a transaction does to which tables, such as `Put`; each once.
    pub members: Vec<(String, String)>,
    /// Of an object.
    pub key: Option<String>,
    /// `<bucket>/<key>` of the object that is copied.
    pub copied: Option<String>,
}

/// The access key that signed a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    pub access_key: String,
    pub presigned: bool,
}

/// From `Authorization: AWS4-HMAC-SHA256 Credential=<key>/<date>/…` or `X-Amz-Credential=<key>%2F<date>%2F…`.
pub fn signer(parts: &Parts) -> Option<Signer> {
    let header = parts.headers.get("authorization").and_then(|value| value.to_str().ok());
    if let Some((_, credential)) = header.and_then(|header| header.split_once("Credential=")) {
        let access_key = credential.split('/').next().unwrap_or_default().to_owned();
        return Some(Signer { access_key, presigned: false });
    }
    let credential = query(parts).find_map(|(name, value)| (name == "X-Amz-Credential").then_some(value))?;
    let access_key = credential.split_once("%2F").or_else(|| credential.split_once('/'))?.0.to_owned();
    Some(Signer { access_key, presigned: true })
}

pub fn operation(service: Service, parts: &Parts, body: &Bytes) -> Operation {
    match service {
        Service::S3 => s3(parts),
        Service::DynamoDb | Service::Sqs | Service::SecretsManager => {
            let target = parts.headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
            let name = target.rsplit('.').next().unwrap_or_default().to_owned();
            let body: Body = serde_json::from_slice(body).unwrap_or_default();
            let eventual = service == Service::DynamoDb && body.is_eventual(&name);
            let resources = match service {
                Service::Sqs => body.queue(),
                Service::SecretsManager => body.secret_id.iter().cloned().collect(),
                _ => body.tables(),
            };
            let members = body.members();
            Operation { name, resources, index: body.index_name, eventual, members, ..Operation::default() }
        }
    }
}

/// Path style only: the endpoint is an IP address, for which the SDKs use no other.
fn s3(parts: &Parts) -> Operation {
    let path = parts.uri.path().trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let has = |wanted: &str| query(parts).any(|(name, _)| name == wanted);
    let copied = parts.headers.get("x-amz-copy-source").and_then(|source| source.to_str().ok());
    let copied = copied.map(|source| decoded(source.trim_start_matches('/')));
    let name = match (&parts.method, bucket.is_empty(), key.is_empty()) {
        (_, true, _) => "ListBuckets",
        (&Method::GET, _, true) if has("list-type") => "ListObjectsV2",
        (&Method::GET, _, true) if has("location") => "GetBucketLocation",
        (&Method::GET, _, true) => "ListObjects",
        (&Method::HEAD, _, true) => "HeadBucket",
        (&Method::PUT, _, true) => "CreateBucket",
        (&Method::DELETE, _, true) => "DeleteBucket",
        (&Method::POST, _, true) if has("delete") => "DeleteObjects",
        (&Method::GET, ..) => "GetObject",
        (&Method::HEAD, ..) => "HeadObject",
        (&Method::PUT, ..) if has("uploadId") => "UploadPart",
        (&Method::PUT, ..) if copied.is_some() => "CopyObject",
        (&Method::PUT, ..) => "PutObject",
        (&Method::DELETE, ..) if has("uploadId") => "AbortMultipartUpload",
        (&Method::DELETE, ..) => "DeleteObject",
        (&Method::POST, ..) if has("uploads") => "CreateMultipartUpload",
        (&Method::POST, ..) if has("uploadId") => "CompleteMultipartUpload",
        _ => "Unknown",
    };
    let resources = Some(bucket).filter(|bucket| !bucket.is_empty()).map(str::to_owned).into_iter().collect();
    let key = Some(key).filter(|key| !key.is_empty()).map(decoded);
    Operation { name: name.to_owned(), resources, key, copied, ..Operation::default() }
}

fn query(parts: &Parts) -> impl Iterator<Item = (&str, &str)> {
    let pairs = parts.uri.query().unwrap_or_default().split('&');
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    fn parts(method: &str, uri: &str, header: (&str, &str)) -> Parts {
        Request::builder().method(method).uri(uri).header(header.0, header.1).body(()).unwrap().into_parts().0
    }

    #[test]
    fn the_signer_is_found_in_header_and_query() {
        let header =
            "AWS4-HMAC-SHA256 Credential=KEY1/20261121/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
        let cases = [
            (parts("GET", "/", ("authorization", header)), Some(("KEY1", false))),
            (parts("GET", "/b/k?X-Amz-Credential=KEY2%2F20261121%2Fus-east-1", ("a", "b")), Some(("KEY2", true))),
            (parts("GET", "/b/k", ("a", "b")), None),
        ];
        for (parts, expected) in cases {
            let found = signer(&parts);
            assert_eq!(found.as_ref().map(|signer| (signer.access_key.as_str(), signer.presigned)), expected);
        }
    }

    #[test]
    fn a_read_may_be_stale_unless_it_is_to_be_consistent() {
        for (name, body, expected) in [
            ("GetItem", r#"{"TableName":"a"}"#, true),
            ("GetItem", r#"{"TableName":"a","ConsistentRead":false}"#, true),
            ("GetItem", r#"{"TableName":"a","ConsistentRead":true}"#, false),
            ("Query", r#"{"TableName":"a","IndexName":"i"}"#, true),
            ("Query", r#"{"TableName":"a","ConsistentRead":true}"#, false),
            ("Scan", r#"{"TableName":"a"}"#, true),
            ("BatchGetItem", r#"{"RequestItems":{"a":{"Keys":[]},"b":{"ConsistentRead":false}}}"#, true),
            ("BatchGetItem", r#"{"RequestItems":{"a":{"Keys":[]},"b":{"ConsistentRead":true}}}"#, false),
            ("TransactGetItems", r#"{"TransactItems":[]}"#, false),
            ("ExecuteStatement", r#"{"Statement":"SELECT * FROM a"}"#, false),
            ("PutItem", r#"{"TableName":"a"}"#, false),
        ] {
            let target = format!("DynamoDB_20120810.{name}");
            let parts = parts("POST", "/", ("x-amz-target", &target));
            let found = operation(Service::DynamoDb, &parts, &Bytes::from_static(body.as_bytes()));
            assert_eq!((found.name.as_str(), found.eventual), (name, expected), "{body}");
        }
    }

    #[test]
    fn operations_and_resources_are_named() {
        let dynamo = parts("POST", "/", ("x-amz-target", "DynamoDB_20120810.TransactWriteItems"));
        let body =
            r#"{"TransactItems":[{"Put":{"TableName":"b"}},{"Update":{"TableName":"a"}},{"Put":{"TableName":"b"}}]}"#;
        let found = operation(Service::DynamoDb, &dynamo, &Bytes::from_static(body.as_bytes()));
        assert_eq!(
            (found.name.as_str(), found.resources),
            ("TransactWriteItems", vec!["a".to_owned(), "b".to_owned()])
        );
        for (method, uri, name) in [
            ("GET", "/bucket?list-type=2&max-keys=1", "ListObjectsV2"),
            ("HEAD", "/bucket", "HeadBucket"),
            ("HEAD", "/bucket/", "HeadBucket"),
            ("PUT", "/bucket/frames/1.jpg?x-id=PutObject", "PutObject"),
        ] {
            let found = operation(Service::S3, &parts(method, uri, ("a", "b")), &Bytes::new());
            assert_eq!((found.name.as_str(), found.resources), (name, vec!["bucket".to_owned()]));
        }
    }
}
