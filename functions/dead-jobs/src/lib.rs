//! `GET dead-jobs`: the jobs that died, for those who run the system; by type, the newest first.

use futures::future::try_join_all;
use shared::{
    Context, Error, Result,
    http::{self, Request, Response},
    rate_limit::Preset,
    store::jobs::DeadPage,
};

mod answer;
pub mod api;
mod page;
mod wish;

use answer::Answer;
use page::{Page, page};
use wish::Wish;

pub async fn handle(ctx: &Context, request: Request) -> Result<Response> {
    let caller = request.caller(ctx).await?;
    if !caller.is_staff() {
        request.limited(ctx, &caller, Preset::Lenient, async { Ok(()) }).await?;
        return Err(Error::Forbidden("dead jobs are for trainers and admins"));
    }
    let page = request
        .limited(ctx, &caller, Preset::Lenient, async {
            let wish = Wish::parse(&request)?;
            read(ctx, &wish).await
        })
        .await?;
    Ok(http::ok(Answer::of(&page)))
}

/// One query a type, all at once: what a page takes of the later types depends on the earlier ones.
async fn read(ctx: &Context, wish: &Wish) -> Result<Page> {
    let queries = wish.kinds.iter().map(async |kind| -> Result<DeadPage> {
        let after = wish.after.as_ref().filter(|after| after.kind == *kind).map(|after| &after.position);
        // One more than is shown says whether there is another page.
        ctx.jobs.dead(kind, after, wish.limit + 1, true).await
    });
    Ok(page(wish.kinds.iter().copied().zip(try_join_all(queries).await?), wish.limit))
}
