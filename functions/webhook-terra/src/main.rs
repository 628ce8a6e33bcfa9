use lambda_http::Error;
use shared::{
    Context,
    config::{name, secret},
    http,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let required = [
        name::CONTROL_TABLE,
        name::WEBHOOKS_TABLE,
        name::JOBS_TABLE,
        name::BUCKET,
        name::JOB_QUEUE_URL,
        secret::TERRA_SIGNING_SECRET,
    ];
    let context = Context::from_env("webhook-terra", &required)?;
    http::serve(context, webhook_terra::handle).await
}
