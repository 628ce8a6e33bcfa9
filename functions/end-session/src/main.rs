use lambda_http::Error;
use shared::{Context, config::name, http};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let required = [name::SESSIONS_TABLE, name::CONTROL_TABLE, name::BUCKET, name::AUTH_ISSUERS];
    let context = Context::from_env("end-session", &required)?;
    http::serve(context, end_session::handle).await
}
