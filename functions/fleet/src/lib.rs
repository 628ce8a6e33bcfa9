//! `GET fleet`: a fleet's engines in service, the most critical first, and what the fleet comes to.

use serde::Serialize;
use serde_json::json;
use shared::{
    Context, Result, access,
    domain::engine::{Shown, Totals},
    http::{self, Request, Response},
    rate_limit::Preset,
    store::engines::FleetPage,
};

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
    let shown: Vec<_> = engines.iter().map(|listed| Shown::of(&listed.engine)).collect();
    let answer = json!({
        "engines": shown,
        "summary": Summary::of(totals),
        "cursor": cursor.map(|cursor| cursor.to_string()),
    });
    Ok(http::tagged(&request, &answer)?.compressible())
}

/// What a fleet comes to.
#[derive(Debug, Serialize)]
struct Summary {
    /// Engines in service.
    total: i64,
    critical: i64,
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
