use lambda_http::Error;
use shared::{Context, config::name, http};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let required = [name::ENGINES_TABLE, name::CONTROL_TABLE, name::AUTH_ISSUERS];
    let context = Context::from_env("fleet", &required)?;
    http::serve(context, fleet::handle).await
}
