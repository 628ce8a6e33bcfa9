//! `POST retry-jobs`: dead jobs get another go, of one type or all of them.

use shared::{
    Context, Error, Result,
    http::{self, Request, Response},
    rate_limit::Preset,
};

mod answer;
pub mod api;
mod retry;
mod wish;

use answer::Answer;
use retry::Retry;
use wish::Wish;

pub async fn handle(ctx: &Context, request: Request) -> Result<Response> {
    let caller = request.caller(ctx).await?;
    if !caller.is_admin() {
        request.limited(ctx, &caller, Preset::Strict, async { Ok(()) }).await?;
        return Err(Error::Forbidden("only admins may retry jobs"));
    }
    let wish = request.limited(ctx, &caller, Preset::Strict, async { Ok(Wish::parse(&request.json()?)?) }).await?;
    let Retry { retried, remaining } = retry::retry(ctx, &wish, request.deadline()).await?;
    Ok(http::ok(Answer { success: true, retried, remaining }))
}
