//! The HTTP edge: an API Gateway event becomes a [`Request`], a handler's [`Response`] or error becomes an answer with
//! all its headers, and each request leaves one closing log line and its metrics.
//!
//! ```text
//! pub async fn handle(ctx: &Context, request: Request) -> Result<Response> {
//!     let caller = request.caller(ctx).await?;
//!     let wish = request
//!         .limited(ctx, &caller, Preset::Standard, async { Ok(EndWish::parse(&request.json()?)?) })
//!         .await?;
//!     …
//!     Ok(http::ok(answer))
//! }
//! ```

mod answer;
mod body;
mod etag;
mod event;
mod exchange;
mod guard;
mod problem;
mod request;
mod response;
mod serve;

pub use etag::tagged;
pub use problem::Problem;
pub use request::Request;
pub use response::{Response, created, empty, json, no_content, ok};
pub use serve::{respond, serve};
