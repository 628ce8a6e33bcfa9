use lambda_http::Error;
use shared::{Context, config::name, http};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let required = [name::CONTROL_TABLE, name::LATEST_METRICS_TABLE, name::AUTH_ISSUERS];
    let context = Context::from_env("latest-metrics", &required)?;
    http::serve(context, latest_metrics::handle).await
}
