//! `POST recalculate-metrics`: has what metrics say worked out anew, for one user or for all.

use lambda_http::http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use shared::{
    Context, Error, Result,
    domain::invalid::{Fields, Invalid, uuid},
    http::{self, Request, Response},
    ids::{JobId, UserId},
    jobs::{self, Job, NewJob},
    openapi::{self, Body},
    rate_limit::Preset,
};
use tracing::info;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};
use uuid::Uuid;

pub mod api;

/// A recalculation that has begun.
#[derive(Debug, Serialize, ToSchema)]
struct Answer {
    success: bool,
    /// Logs and dead jobs carry it.
    operation_id: Uuid,
}

pub async fn handle(ctx: &Context, request: Request) -> Result<Response> {
    let caller = request.caller(ctx).await?;
    let read = async {
        if !caller.is_admin() {
            return Err(Error::Forbidden("metrics are recalculated by admins"));
        }
        Ok(Wish::parse(&request.json()?)?.user_id)
    };
    let user_id = request.limited(ctx, &caller, Preset::Strict, read).await?;
    let operation_id = ctx.ids.uuid();
    let job = Job::RecalculateMetrics { operation_id, user_id, cursor: None };
    let job = NewJob { id: JobId(ctx.ids.uuid()), job, created_at: ctx.clock.now() };
    jobs::submit(ctx, vec![job]).await?;
    info!(%operation_id, user_id = user_id.map(tracing::field::display), "recalculation begins");
    Ok(http::json(StatusCode::ACCEPTED, Answer { success: true, operation_id }))
}

/// Whose metrics are meant.
struct Wish {
    /// None for everybody.
    user_id: Option<UserId>,
}

impl Wish {
    fn parse(body: &Value) -> Result<Self, Invalid> {
        let mut fields = Fields::of(body)?;
        let user_id = fields.optional("user_id", uuid);
        fields.finish(|| Some(Self { user_id: user_id.map(UserId) }))
    }
}

impl PartialSchema for Wish {
    fn schema() -> RefOr<Schema> {
        Body::of("Whose metrics are meant.")
            .optional("user_id", "One user; everybody where nobody is named.", openapi::uuid())
            .into()
    }
}

impl ToSchema for Wish {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn user(body: &Value) -> Result<Option<UserId>, Invalid> {
        Wish::parse(body).map(|wish| wish.user_id)
    }

    #[test]
    fn a_body_names_one_user_or_all() {
        let id = "7b1c0a52-3f5e-4b7a-9b0e-0d5a4d1f2c3e";
        assert_eq!(user(&json!({ "user_id": id })), Ok(Some(UserId(id.parse().unwrap()))));
        assert_eq!(user(&json!({ "user_id": null })), Ok(None));
        assert_eq!(user(&json!({})), Ok(None));
        assert_eq!(user(&json!({ "user_id": "all" })), Err(Invalid::at("/user_id", "must be a UUID")));
        assert_eq!(user(&json!([])), Err(Invalid::new("must be an object")));
    }
}
