//! `engines/{id}`: what is known of an engine, its readings, and what it is like.

use shared::{
    Context, Error, Result, access,
    auth::Caller,
    domain::engine::{Description, Shown},
    http::{self, Request, Response},
    ids::{EngineId, FleetId},
    rate_limit::Preset,
    store::engines::Edit,
};

mod answer;
pub mod api;
mod detail;
mod readings;
mod wish;

use answer::{Described, Stored};
use readings::Readings;
use wish::Wish;

pub async fn handle(ctx: &Context, request: Request) -> Result<Response> {
    let caller = request.caller(ctx).await?;
    match request.route() {
        "PUT engines/{id}" => describe(ctx, &caller, &request).await,
        "engines/{id}/readings" => store_readings(ctx, &caller, &request).await,
        _ => show(ctx, &caller, &request).await,
    }
}

/// `PUT engines/{id}`: what the caller says of the engine, which is known from then on.
async fn describe(ctx: &Context, caller: &Caller, request: &Request) -> Result<Response> {
    let read = async {
        let body = request.json()?;
        let named = body.get("fleet_id").filter(|id| !id.is_null()).map(|id| id.as_str().unwrap_or_default());
        let (fleet_id, engine_id) = engine_of(caller, request, named)?;
        let description = Description::parse(&body)?;
        let before = ctx.engines.find(&fleet_id, &engine_id).await?;
        Ok(Edit { fleet_id, engine_id, before, description, prediction: None })
    };
    let edit = request.limited(ctx, caller, Preset::Standard, read).await?;
    let engines = ctx.engines.apply(vec![edit], ctx.clock.now()).await?;
    let engine = engines.first().ok_or_else(|| Error::internal("an engine was written and is not there"))?;
    Ok(http::ok(Described { success: true, engine: Shown::of(engine) }))
}

/// `POST engines/{id}/readings`: each cycle is stored once, whatever is sent twice; the engine is known from then on.
async fn store_readings(ctx: &Context, caller: &Caller, request: &Request) -> Result<Response> {
    let read = async {
        let Readings { fleet_id, readings } = Readings::parse(request.raw_json()?)?;
        let (fleet_id, engine_id) = engine_of(caller, request, fleet_id.as_deref())?;
        let before = ctx.engines.find(&fleet_id, &engine_id).await?;
        Ok((fleet_id, engine_id, before, readings))
    };
    let (fleet_id, engine_id, before, readings) = request.limited(ctx, caller, Preset::Standard, read).await?;
    ctx.engines.put_readings(&fleet_id, &engine_id, &readings).await?;
    let answer = Stored::new(&fleet_id, &engine_id, &readings);
    if before.is_none() {
        let edit = Edit { fleet_id, engine_id, before, description: Description::default(), prediction: None };
        ctx.engines.apply(vec![edit], ctx.clock.now()).await?;
    }
    Ok(http::ok(answer))
}

/// `GET engines/{id}`: the engine, a page of its history, its sensors' statistics and its last predictions.
async fn show(ctx: &Context, caller: &Caller, request: &Request) -> Result<Response> {
    let read = async {
        let (fleet_id, engine_id) = engine_of(caller, request, None)?;
        detail::read(ctx, &fleet_id, &engine_id, &Wish::parse(request)?).await
    };
    let detail = request.limited(ctx, caller, Preset::Lenient, read).await?;
    Ok(http::tagged(request, &detail)?.compressible())
}

/// The engine of the path, in the fleet of body or query.
fn engine_of(caller: &Caller, request: &Request, named: Option<&str>) -> Result<(FleetId, EngineId)> {
    let id = request.path_parameter("id").unwrap_or_default();
    let engine_id = EngineId::parse(id).map_err(|fault| fault.within("id"))?;
    Ok((access::fleet(caller, named.or_else(|| request.query("fleet_id")))?, engine_id))
}
