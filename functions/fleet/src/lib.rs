//! `GET fleet`: a fleet's engines in service, the most critical first, and what the fleet comes to.

use serde::Serialize;
use shared::{
    Context, Result, access,
    domain::engine::{Shown, Totals},
    http::{self, Request, Response},
    rate_limit::Preset,
    store::engines::FleetPage,
};
use utoipa::ToSchema;

pub mod api;
mod cursor;
mod wish;

use cursor::Cursor;
use wish::Wish;

pub async fn handle(ctx: &Context, request: Request) -> Result<Response> {
    let caller = request.caller(ctx).await?;
    let read = async {
        let fleet = access::fleet(&caller, request.query("fleet_id"))?;
        let wish = Wish::parse(&request, &fleet)?;
        let page = ctx.engines.fleet(&fleet, wish.after.as_ref().map(Cursor::position), wish.limit).await?;
        Ok((fleet, wish, page))
    };
    let (fleet, wish, FleetPage { engines, totals, more }) =
        request.limited(ctx, &caller, Preset::Lenient, read).await?;
    // The later pages tell what the fleet came to when the first was read: they belong together.
    let totals = totals.or(wish.after.map(|after| after.totals)).unwrap_or_default();
    let cursor = engines.last().filter(|_| more).map(|last| Cursor::new(&fleet, last.position.clone(), totals));
    let answer = Answer {
        engines: engines.iter().map(|listed| Shown::of(&listed.engine)).collect(),
        summary: Summary::of(totals),
        cursor: cursor.map(|cursor| cursor.to_string()),
    };
    Ok(http::tagged(&request, &answer)?.compressible())
}

/// A page of a fleet.
#[derive(Debug, Serialize, ToSchema)]
struct Answer<'a> {
    /// The most critical first; those without a prediction last.
    engines: Vec<Shown<'a>>,
    summary: Summary,
    /// Where the next page begins; null on the last.
    cursor: Option<String>,
}

/// What a fleet comes to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FleetSummary)]
struct Summary {
    /// Engines in service.
    total: i64,
    /// With fewer than 20 cycles left.
    critical: i64,
    /// With fewer than 50, and 20 or more.
    warning: i64,
    /// Of those that have a prediction, in cycles.
    average_rul: Option<f64>,
}

impl Summary {
    fn of(totals: Totals) -> Self {
        let Totals { total, critical, warning, .. } = totals;
        Self { total, critical, warning, average_rul: totals.average_rul() }
    }
}
