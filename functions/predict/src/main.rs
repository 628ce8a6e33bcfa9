use lambda_http::Error;
use predict::Predictor;
use shared::{Context, config::name, http};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let required = [name::ENGINES_TABLE, name::CONTROL_TABLE, name::AUTH_ISSUERS];
    let context = Context::from_env("predict", &required)?;
    // As the context, it lives as long as the process.
    let predictor: &'static Predictor = Box::leak(Box::new(Predictor::configured(&context.config)));
    http::serve(context, move |ctx, request| predict::handle(ctx, predictor, request)).await
}
