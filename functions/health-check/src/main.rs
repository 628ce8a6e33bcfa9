use health_check::Kept;
use lambda_http::Error;
use shared::{Context, config::name, http};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let required = [
        name::SESSIONS_TABLE,
        name::CONTROL_TABLE,
        name::BUCKET,
        name::JOBS_TABLE,
        name::JOB_QUEUE_URL,
        name::JOB_DEAD_LETTER_QUEUE_URL,
        name::AUTH_ISSUERS,
    ];
    let context = Context::from_env("health-check", &required)?;
    // As the context, it lives as long as the process.
    let kept: &'static Kept = Box::leak(Box::default());
    http::serve(context, move |ctx, request| health_check::handle(ctx, kept, request)).await
}
