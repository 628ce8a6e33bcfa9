use lambda_http::Error;
use shared::{Context, config::name, http};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let required = [name::JOBS_TABLE, name::JOB_QUEUE_URL, name::CONTROL_TABLE, name::AUTH_ISSUERS];
    let context = Context::from_env("retry-jobs", &required)?;
    http::serve(context, retry_jobs::handle).await
}
