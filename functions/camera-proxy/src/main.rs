use lambda_http::Error;
use shared::{
    Context,
    config::{name, secret},
    http,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let required =
        [name::SESSIONS_TABLE, name::CONTROL_TABLE, name::BUCKET, name::AUTH_ISSUERS, secret::CAMERA_API_KEY];
    let context = Context::from_env("camera-proxy", &required)?;
    http::serve(context, camera_proxy::handle).await
}
