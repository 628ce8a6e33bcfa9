use lambda_http::Error;
use shared::{Context, config::name, http};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let context = Context::from_env("dead-jobs", &[name::JOBS_TABLE, name::CONTROL_TABLE, name::AUTH_ISSUERS])?;
    http::serve(context, dead_jobs::handle).await
}
