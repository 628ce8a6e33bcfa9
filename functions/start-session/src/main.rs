use lambda_http::Error;
use shared::{Context, config::name, http};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let context = Context::from_env("start-session", &[name::SESSIONS_TABLE, name::CONTROL_TABLE, name::AUTH_ISSUERS])?;
    http::serve(context, start_session::handle).await
}
