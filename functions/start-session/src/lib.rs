//! `POST start-session`: a new session for the caller, or by a trainer or an admin for somebody else.

use serde_json::{Value, json};
use shared::{
    Context, Error, Result,
    domain::{
        invalid::Invalid,
        session::{Session, SessionStart},
    },
    http::{self, Request, Response},
    ids::UserId,
    rate_limit::Preset,
    store::sessions::{Idempotency, Inserted, Origin},
};

mod answer;
pub mod api;

use answer::Answer;

/// Attempts where two requests with one idempotency key meet in the database.
const ATTEMPTS: usize = 3;
const KEY_LENGTH: std::ops::RangeInclusive<usize> = 1..=255;

pub async fn handle(ctx: &Context, request: Request) -> Result<Response> {
    let caller = request.caller(ctx).await?;
    let (start, key) = request
        .limited(ctx, &caller, Preset::Standard, async {
            Ok((SessionStart::parse(&request.json()?)?, idempotency_key(&request)?))
        })
        .await?;
    caller.may_act_for(start.user_id)?;

    let session = Session::start(start.clone(), ctx.ids.session(), caller.user_id, ctx.clock.now());
    // As it is kept for a repetition, which answers the very same.
    let answer = serde_json::to_value(Answer::of(&session)).map_err(Error::internal)?;
    let origin =
        Origin { user_agent: request.user_agent().map(Into::into), address: Some(request.address().to_string()) };
    let idempotency = key.map(|key| repeatable(ctx, caller.user_id, key, &start, &answer)).transpose()?;
    for _ in 0..ATTEMPTS {
        match ctx.sessions.insert(&session, &origin, idempotency.as_ref()).await? {
            Inserted::New => return Ok(http::created(&answer)),
            Inserted::Before(answer) => return Ok(http::created(&answer)),
            Inserted::Conflict => {}
        }
    }
    Err(Error::unavailable("another request with this idempotency key is under way", "transaction conflicts"))
}

/// The `Idempotency-Key` header, if there is one.
fn idempotency_key(request: &Request) -> Result<Option<&str>> {
    let Some(key) = request.headers().get("idempotency-key") else { return Ok(None) };
    // A key that can't be read is not left out: who sends one counts on it.
    let readable = |key: &&str| KEY_LENGTH.contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    let key = key.to_str().ok().filter(readable);
    let invalid = || Invalid::at("/headers/idempotency-key", "must be 1 to 255 visible ASCII characters");
    Ok(Some(key.ok_or_else(invalid)?))
}

fn repeatable(ctx: &Context, user: UserId, key: &str, start: &SessionStart, answer: &Value) -> Result<Idempotency> {
    let request = json!({
        "user_id": start.user_id,
        "session_type": start.session_type,
        "metadata": start.metadata,
    });
    Idempotency::new(&ctx.control, user, key, &request, answer, ctx.clock.now())
}
