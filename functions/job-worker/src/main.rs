use lambda_runtime::Error;
use shared::{Context, config::name, jobs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let required = [
        name::CONTROL_TABLE,
        name::SESSIONS_TABLE,
        name::WEBHOOKS_TABLE,
        name::CONNECTIONS_TABLE,
        name::QUARANTINE_TABLE,
        name::JOBS_TABLE,
        name::METRICS_TABLE,
        name::LATEST_METRICS_TABLE,
        name::ENGINES_TABLE,
        name::BUCKET,
        name::JOB_QUEUE_URL,
        name::JOB_DEAD_LETTER_QUEUE_URL,
    ];
    let context = Context::from_env("job-worker", &required)?;
    jobs::serve(context, job_worker::perform, job_worker::scheduled).await
}
