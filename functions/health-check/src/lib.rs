//! `GET health-check`, `/live`, `/ready` and `/detailed`: whether the backend can do its work.

use lambda_http::http::StatusCode;
use serde::Serialize;
use shared::{
    Context, Error, Result,
    clock::rfc3339,
    http::{self, Request, Response},
    rate_limit::Preset,
};

mod answer;
pub mod api;
mod checks;
mod jobs;

use answer::{Health, Life, Readiness};
pub use checks::Kept;

/// Answers one of the four routes; `kept` holds the last report for a few seconds.
pub async fn handle(ctx: &Context, kept: &Kept, request: Request) -> Result<Response> {
    match request.route() {
        "health-check/live" => live(ctx, &request),
        "health-check/ready" => ready(ctx, kept, &request).await,
        "health-check/detailed" => detailed(ctx, kept, &request).await,
        _ => public(ctx, kept, &request).await,
    }
}

/// It runs: no I/O at all, so that a full database never looks like a dead function.
fn live(ctx: &Context, request: &Request) -> Result<Response> {
    request.limited_in_memory(ctx, Preset::Lenient)?;
    Ok(http::ok(Life { status: "alive", timestamp: rfc3339(ctx.clock.now()) }))
}

/// Whether requests should be sent here: database and queue answer, and the gRPC model where there is one.
async fn ready(ctx: &Context, kept: &Kept, request: &Request) -> Result<Response> {
    request.limited_in_memory(ctx, Preset::Lenient)?;
    let report = kept.report(ctx).await;
    let body = Readiness { ready: report.is_ready(), timestamp: rfc3339(report.at) };
    Ok(respond(report.is_ready(), &body))
}

async fn public(ctx: &Context, kept: &Kept, request: &Request) -> Result<Response> {
    let report = request.limited_by_address(ctx, Preset::Lenient, async { Ok(kept.report(ctx).await) }).await?;
    Ok(respond(report.is_healthy(), &Health::public(ctx, &report)))
}

/// With the errors' texts, for those who run the system.
async fn detailed(ctx: &Context, kept: &Kept, request: &Request) -> Result<Response> {
    let caller = request.caller(ctx).await?;
    if !caller.is_staff() {
        request.limited(ctx, &caller, Preset::Lenient, async { Ok(()) }).await?;
        return Err(Error::Forbidden("the detailed report is for trainers and admins"));
    }
    let report = request.limited(ctx, &caller, Preset::Lenient, async { Ok(kept.report(ctx).await) }).await?;
    Ok(respond(report.is_healthy(), &Health::detailed(ctx, &report)))
}

fn respond(well: bool, body: &impl Serialize) -> Response {
    let status = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    http::json(status, body)
}
