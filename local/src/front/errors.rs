//! AWS errors in each service's own shape, as the SDKs read them.

use hyper::StatusCode;
use hyper::header::HeaderValue;
use serde_json::json;

use super::{Denied, Service};
use crate::http::{self, Answer};
use crate::system;

/// The code of the JSON protocols' refusals.
const ACCESS_DENIED: &str = "AccessDeniedException";

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

    /// The answer to a caller whose policies don't allow what the call needs.
    pub fn denied(service: Service, denied: &Denied) -> Self {
        let Denied { user, action, resource, explicit } = denied;
        // S3 quotes resources, and SQS knows its actions in small letters only.
        let (action, resource) = match service {
            Service::DynamoDb | Service::SecretsManager => (action.clone(), resource.clone()),
            Service::Sqs => (action.to_ascii_lowercase(), resource.clone()),
            Service::S3 => (action.clone(), format!("\"{resource}\"")),
        };
        let why = if *explicit {
            "with an explicit deny in an identity-based policy".to_owned()
        } else {
            format!("because no identity-based policy allows the {action} action")
        };
        let message = format!("User: {user} is not authorized to perform: {action} on resource: {resource} {why}");
        match service {
            Service::DynamoDb | Service::SecretsManager => Self::new(StatusCode::BAD_REQUEST, ACCESS_DENIED, message),
            Service::Sqs => Self::new(StatusCode::FORBIDDEN, ACCESS_DENIED, message),
            Service::S3 => Self::new(StatusCode::FORBIDDEN, "AccessDenied", message),
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
                    // It is not the service that says so, but what stands before it.
                    _ if code == ACCESS_DENIED => "com.amazon.coral.service",
                    Service::Sqs => "com.amazonaws.sqs",
                    _ => "com.amazonaws.dynamodb.v20120810",
                };
                let name = if code == ACCESS_DENIED { "Message" } else { "message" };
                let body = json!({"__type": format!("{namespace}#{code}"), name: message});
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
        ACCESS_DENIED => "AccessDenied".to_owned(),
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
