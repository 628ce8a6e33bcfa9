//! `GET dead-jobs`: the jobs that died, for those who run the system; by type, the newest first.

use futures::future::try_join_all;
use serde_json::{Value, json};
use shared::{
    Context, Error, Result,
    clock::rfc3339,
    http::{self, Request, Response},
    rate_limit::Preset,
    store::jobs::{DeadJob, DeadPage},
};

mod page;
mod wish;

use page::{Page, page};
use wish::Wish;

pub async fn handle(ctx: &Context, request: Request) -> Result<Response> {
    let caller = request.caller(ctx).await?;
    if !caller.is_staff() {
        request.limited(ctx, &caller, Preset::Lenient, async { Ok(()) }).await?;
        return Err(Error::Forbidden("dead jobs are for trainers and admins"));
    }
    let Page { jobs, cursor } = request
        .limited(ctx, &caller, Preset::Lenient, async {
            let wish = Wish::parse(&request)?;
            read(ctx, &wish).await
        })
        .await?;
    let jobs: Vec<_> = jobs.iter().map(shown).collect();
    Ok(http::ok(json!({ "jobs": jobs, "cursor": cursor.map(|cursor| cursor.to_string()) })))
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

/// A job as the API shows it.
fn shown(job: &DeadJob) -> Value {
    json!({
        "id": job.id,
        "job_type": job.kind,
        "operation_id": job.operation_id,
        "error": job.error,
        "attempts": job.attempts,
        "failed_at": rfc3339(job.failed_at),
        "retried_at": job.retried_at.map(rfc3339),
    })
}
