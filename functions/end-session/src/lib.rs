//! `POST end-session`: the session's statistics, advice and report. A second call gives the same figures.

use serde_json::Value;
use shared::{
    Context, Error, Result,
    access::writable,
    domain::{
        invalid::{Fields, Invalid, uuid},
        session::{End, EndReason},
        shot::in_firing_order,
    },
    http::{self, Request, Response},
    ids::SessionId,
    openapi::{self, Body},
    rate_limit::Preset,
    store::{
        objects::report_key,
        sessions::{Ending, Loaded, Written},
    },
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

mod answer;
pub mod api;
pub mod report;

use answer::Answer;

/// Attempts to end a session that frames are still being written to.
const ATTEMPTS: usize = 6;

pub async fn handle(ctx: &Context, request: Request) -> Result<Response> {
    let caller = request.caller(ctx).await?;
    let (wish, found) = request
        .limited(ctx, &caller, Preset::Standard, async {
            let wish = EndWish::parse(&request.json()?)?;
            Ok((wish, ctx.sessions.load(wish.session_id).await?))
        })
        .await?;
    let mut loaded = writable(&caller, found)?;

    for _ in 0..ATTEMPTS {
        let (ending, first) = ending(ctx, &loaded, wish.reason);
        let report = Report::of(&loaded, &ending, first);
        let (written, stored) = tokio::join!(
            async { if first { ctx.sessions.end(&loaded.session, &ending).await } else { Ok(Written::Done) } },
            ctx.objects.put(&report.key, report.page.into_bytes(), "text/html; charset=utf-8"),
        );
        if written? == Written::Done {
            stored?;
            let url = ctx.objects.signed_url(&report.key).await?;
            return Ok(http::ok(Answer::new(&loaded, &ending, &url)));
        }
        loaded = ctx.sessions.load(wish.session_id).await?.ok_or(Error::NotFound("session"))?;
    }
    Err(Error::unavailable("frames are being written to the session, try again", "version moved at every attempt"))
}

/// What the caller asks for.
#[derive(Debug, Clone, Copy)]
struct EndWish {
    session_id: SessionId,
    reason: EndReason,
}

impl EndWish {
    fn parse(body: &Value) -> Result<Self, Invalid> {
        let mut fields = Fields::of(body)?;
        let session_id = fields.required("session_id", uuid);
        let reason = fields.required("end_reason", EndReason::parse);
        fields.finish(|| Some(Self { session_id: SessionId(session_id?), reason: reason? }))
    }
}

impl PartialSchema for EndWish {
    fn schema() -> RefOr<Schema> {
        Body::of("Which session ends, and why.")
            .required("session_id", "One that the caller may write to.", openapi::uuid())
            .required("end_reason", "Why it ends; of one that has ended, the first reason stays.", EndReason::schema())
            .into()
    }
}

impl ToSchema for EndWish {}

/// How the session ended before, or how it ends now; the flag says that this call ends it.
fn ending(ctx: &Context, loaded: &Loaded, reason: EndReason) -> (Ending, bool) {
    if let Some(ending) = &loaded.ending {
        return (ending.clone(), false);
    }
    (Ending::of(loaded, End { at: ctx.clock.now(), reason }), true)
}

/// The page, and the key that it lies under.
struct Report {
    key: String,
    page: String,
}

impl Report {
    /// Drawn from what is stored, so that a repeated call writes the same page.
    fn of(loaded: &Loaded, ending: &Ending, first: bool) -> Self {
        let shots = in_firing_order(loaded.shots.clone());
        let version = loaded.session.version + u64::from(first);
        Self {
            key: report_key(loaded.session.id, version),
            page: report::render(&report::Report {
                session: &loaded.session.clone().ended(ending.end.reason, ending.end.at),
                shots: &shots,
                statistics: &ending.statistics,
                advice: &ending.advice,
            }),
        }
    }
}
