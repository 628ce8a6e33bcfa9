//! AWS errors in each service's own shape, as the SDKs read them.

use hyper::StatusCode;
use hyper::header::HeaderValue;
use serde_json::json;

use super::Service;
use crate::http::{self, Answer};
use crate::system;

/// An AWS error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub status: StatusCode,
    pub code: String,
    pub message: String,
}

impl Refusal {
    pub fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into() }
    }

    /// The answer to a key that nobody has.
    pub fn unknown_key(service: Service) -> Self {
        let message = "The security token included in the request is invalid.";
        match service {
            Service::DynamoDb | Service::SecretsManager => {
                Self::new(StatusCode::BAD_REQUEST, "UnrecognizedClientException", message)
            }
            Service::Sqs => Self::new(StatusCode::FORBIDDEN, "InvalidClientTokenId", message),
            Service::S3 => {
                let message = "The AWS Access Key Id you provided does not exist in our records.";
                Self::new(StatusCode::FORBIDDEN, "InvalidAccessKeyId", message)
            }
        }
    }

    /// The answer to a request that nobody signed.
    pub fn unsigned(service: Service) -> Self {
        match service {
            Service::S3 => Self::new(StatusCode::FORBIDDEN, "AccessDenied", "Access Denied"),
            _ => Self::new(
                StatusCode::FORBIDDEN,
                "MissingAuthenticationToken",
                "Request is missing Authentication Token",
            ),
        }
    }

    pub fn answer(&self, service: Service) -> Answer {
        let Self { status, code, message } = self;
        let request_id = system::new_id().to_string();
        let id = HeaderValue::from_str(&request_id);
        let mut answer = match service {
            Service::S3 => {
                let body = format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message><RequestId>{request_id}</RequestId></Error>",
                    escaped(code),
                    escaped(message)
                );
                http::answer(*status, "application/xml", body)
            }
            Service::SecretsManager => {
                let body = json!({"__type": code, "Message": message});
                http::answer(*status, "application/x-amz-json-1.1", body.to_string())
            }
            Service::DynamoDb | Service::Sqs => {
                let namespace = match service {
                    Service::Sqs => "com.amazonaws.sqs",
                    _ => "com.amazonaws.dynamodb.v20120810",
                };
                let body = json!({"__type": format!("{namespace}#{code}"), "message": message});
                http::answer(*status, "application/x-amz-json-1.0", body.to_string())
            }
        };
        if let Ok(id) = id {
            answer.headers_mut().insert("x-amzn-requestid", id);
        }
        // SQS's SDKs still go by the code of its older protocol.
        if service == Service::Sqs
            && let Ok(code) = HeaderValue::from_str(&format!("{};Sender", query_code(code)))
        {
            answer.headers_mut().insert("x-amzn-query-error", code);
        }
        answer
    }
}

fn query_code(code: &str) -> String {
    match code {
        "QueueDoesNotExist" => "AWS.SimpleQueueService.NonExistentQueue".to_owned(),
        "EmptyBatchRequest"
        | "TooManyEntriesInBatchRequest"
        | "BatchEntryIdsNotDistinct"
        | "InvalidBatchEntryId"
        | "BatchRequestTooLong"
        | "UnsupportedOperation" => format!("AWS.SimpleQueueService.{code}"),
        _ => code.to_owned(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
