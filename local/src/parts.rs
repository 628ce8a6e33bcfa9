//! What a running stack is made of, and why it may not come up.

use std::collections::BTreeMap;

use tokio::task::{JoinError, JoinHandle};

use crate::camera::RangeCamera;
use crate::dynamodb::DynamoError;
use crate::front::Front;
use crate::functions::{BuildError, Credentials, Functions};
use crate::grpc_model::GrpcModel;
use crate::http::Stopper;
use crate::identity::{Identity, IdentityError};
use crate::logs::Logs;
use crate::options::StackOptions;
use crate::secrets::SecretsManager;
use crate::sources::Sources;
use crate::sqs::Sqs;
use crate::template::{Model, TemplateError};

/// Why a stack did not start.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error(transparent)]
    DynamoDb(#[from] DynamoError),
    #[error("SQS: {0}")]
    Sqs(#[from] rusqlite::Error),
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error("{what}: {source}")]
    Io { what: String, source: std::io::Error },
    #[error("the stack's own thread ended early: {0}")]
    Ended(#[from] JoinError),
}

/// Where the AWS APIs are, and a key that may do everything.
#[derive(Debug, Clone)]
pub struct Aws {
    pub dynamodb: String,
    pub sqs: String,
    pub s3: String,
    pub secrets_manager: String,
    pub access_key_id: String,
    pub secret_access_key: String,
    pub region: String,
}

/// What lasts as long as the stack and can be asked for.
#[derive(Debug)]
pub(crate) struct Parts {
    pub api_url: String,
    pub aws: Aws,
    /// By function, and by what everybody else is called.
    pub credentials: BTreeMap<String, Credentials>,
    pub front: Front,
    pub identity: Identity,
    pub tokens: BTreeMap<&'static str, String>,
    pub functions: Functions,
    pub sqs: Sqs,
    pub secrets: SecretsManager,
    pub sources: Sources,
    pub logs: Logs,
    pub model: Model,
    pub options: StackOptions,
}

/// What ends with the stack, in its order.
#[derive(Debug)]
pub(crate) struct Running {
    pub gateway: (Stopper, JoinHandle<()>),
    /// Everything behind the functions.
    pub services: Stopper,
    pub camera: RangeCamera,
    pub grpc_model: Option<GrpcModel>,
    /// Holds the objects where no data directory was given, and the functions' working directory.
    pub _files: tempfile::TempDir,
}
