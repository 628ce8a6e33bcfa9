//! SQS's errors, with the messages that it gives.

use hyper::StatusCode;

use crate::front::Refusal;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SqsError {
    #[error("The specified queue does not exist.")]
    QueueDoesNotExist,
    #[error("The request must contain the parameter {0}.")]
    MissingParameter(&'static str),
    #[error("{0}")]
    InvalidParameter(String),
    #[error("Unknown Attribute {0}.")]
    InvalidAttributeName(String),
    #[error(
        "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
    )]
    InvalidMessageContents,
    #[error("Invalid value for the parameter {0}.")]
    InvalidAttributeValue(String),
    #[error("The resource that you specified for the {0} parameter doesn't exist.")]
    ResourceNotFound(&'static str),
    #[error("Task does not exist.")]
    NoSuchTask,
    #[error("There should be at least one {0} in the request.")]
    EmptyBatch(&'static str),
    #[error("Maximum number of entries per request are 10. You have sent {0}.")]
    TooManyEntries(usize),
    #[error("Id {0} repeated.")]
    IdsNotDistinct(String),
    #[error(
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long."
    )]
    InvalidEntryId,
    #[error("Batch requests cannot be longer than {limit} bytes. You have sent {sent} bytes.")]
    BatchTooLong { limit: usize, sent: usize },
    #[error("The input receipt handle is invalid.")]
    InvalidReceiptHandle,
    #[error(
        "Value {0} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change."
    )]
    NotInFlight(String),
    #[error("Too many messages are in flight.")]
    OverLimit,
    #[error("The local stack does not know {0}.")]
    UnsupportedOperation(String),
    #[error("{0}")]
    Internal(String),
}

impl SqsError {
    /// The code that the JSON protocol gives.
    pub fn code(&self) -> &'static str {
        match self {
            Self::QueueDoesNotExist => "QueueDoesNotExist",
            Self::MissingParameter(_) => "MissingParameter",
            Self::InvalidParameter(_) | Self::NotInFlight(_) => "InvalidParameterValue",
            Self::InvalidAttributeName(_) => "InvalidAttributeName",
            Self::InvalidMessageContents => "InvalidMessageContents",
            Self::InvalidAttributeValue(_) => "InvalidAttributeValue",
            Self::ResourceNotFound(_) | Self::NoSuchTask => "ResourceNotFoundException",
            Self::EmptyBatch(_) => "EmptyBatchRequest",
            Self::TooManyEntries(_) => "TooManyEntriesInBatchRequest",
            Self::IdsNotDistinct(_) => "BatchEntryIdsNotDistinct",
            Self::InvalidEntryId => "InvalidBatchEntryId",
            Self::BatchTooLong { .. } => "BatchRequestTooLong",
            Self::InvalidReceiptHandle => "ReceiptHandleIsInvalid",
            Self::OverLimit => "OverLimit",
            Self::UnsupportedOperation(_) => "UnsupportedOperation",
            Self::Internal(_) => "InternalError",
        }
    }

    pub fn refusal(&self) -> Refusal {
        let status = match self {
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::ResourceNotFound(_) | Self::NoSuchTask => StatusCode::NOT_FOUND,
            _ => StatusCode::BAD_REQUEST,
        };
        Refusal::new(status, self.code(), self.to_string())
    }
}
