//! The environment of an instance: the template's variables, what Lambda sets, and nothing else.

use std::collections::BTreeMap;
use std::path::Path;

use crate::system;
use crate::template::Function;

/// Where the AWS APIs are.
#[derive(Debug, Clone)]
pub struct Endpoints {
    pub dynamodb: String,
    pub sqs: String,
    pub s3: String,
    pub secrets_manager: String,
}

/// An access key of the stack: one for each function, so that the front knows who calls, and one for everybody else.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    pub access_key_id: String,
    pub secret_access_key: String,
}

/// What all instances of a function share.
#[derive(Debug)]
pub struct Surroundings<'a> {
    pub region: &'a str,
    pub endpoints: &'a Endpoints,
    pub credentials: &'a Credentials,
    pub task_root: &'a Path,
}

/// Set by `cargo llvm-cov`; read by code that is instrumented for it.
const PROFILE: &str = "LLVM_PROFILE_FILE";

/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>
pub fn variables(
    function: &Function,
    surroundings: &Surroundings,
    instance: &str,
    runtime_api: &str,
) -> BTreeMap<String, String> {
    let Surroundings { region, endpoints, credentials, task_root } = surroundings;
    let task_root = task_root.to_string_lossy().into_owned();
    let lambda = [
        ("_HANDLER", "bootstrap".to_owned()),
        ("AWS_ACCESS_KEY_ID", credentials.access_key_id.clone()),
        ("AWS_DEFAULT_REGION", (*region).to_owned()),
        ("AWS_ENDPOINT_URL_DYNAMODB", endpoints.dynamodb.clone()),
        ("AWS_ENDPOINT_URL_S3", endpoints.s3.clone()),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", endpoints.secrets_manager.clone()),
        ("AWS_ENDPOINT_URL_SQS", endpoints.sqs.clone()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", function.function_name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_FORMAT", if function.json_logs { "JSON" } else { "Text" }.to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", function.log_group.clone()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", instance.to_owned()),
        ("AWS_LAMBDA_RUNTIME_API", runtime_api.to_owned()),
        ("AWS_REGION", (*region).to_owned()),
        ("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key.clone()),
        // Lambda's credentials are temporary; a presigned URL carries their token.
        ("AWS_SESSION_TOKEN", "local".to_owned()),
        ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR".to_owned()),
        ("LAMBDA_RUNTIME_DIR", task_root.clone()),
        ("LAMBDA_TASK_ROOT", task_root),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin".to_owned()),
        ("TZ", ":UTC".to_owned()),
    ];
    // Lambda refuses a template that sets one of its own names, so it does not matter which comes last.
    let mut variables = function.environment.clone();
    variables.extend(lambda.map(|(name, value)| (name.to_owned(), value)));
    // Where a coverage run collects what a process has executed: a function's is part of it.
    variables.extend(system::variable(PROFILE).map(|pattern| (PROFILE.to_owned(), pattern)));
    variables
}
