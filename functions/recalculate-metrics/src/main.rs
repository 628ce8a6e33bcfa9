use lambda_http::Error;
use shared::{Context, config::name, http};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let required = [name::CONTROL_TABLE, name::JOBS_TABLE, name::JOB_QUEUE_URL, name::AUTH_ISSUERS];
    let context = Context::from_env("recalculate-metrics", &required)?;
    http::serve(context, recalculate_metrics::handle).await
}
