//! Who may go on: authentication, the block that follows too many failed ones, and the limits.

use futures::join;
use tracing::warn;

use super::request::Request;
use crate::{
    Context,
    auth::{Caller, Reason, Refusal},
    error::{Error, Result},
    rate_limit::{Limit, Preset, Subject},
};

impl Request {
    /// The caller whom the bearer token speaks for. A token that verifies costs no look at the block and no write.
    /// Without one, the answer may be that the address is blocked, and a token that fails counts towards that.
    pub async fn caller(&self, ctx: &Context) -> Result<Caller> {
        match ctx.auth.verify(self.header("authorization")).await {
            Ok(caller) => Ok(caller),
            Err(refusal) => Err(self.refuse(ctx, refusal).await),
        }
    }

    async fn refuse(&self, ctx: &Context, refusal: Refusal) -> Error {
        let address = self.address();
        warn!(reason = refusal.reason.name(), %address, "not authenticated");
        if refusal.reason == Reason::KeysUnavailable {
            // The token may well be good: that is no matter for the block.
            return refusal.into();
        }
        ctx.metrics.count("authentication_failed");
        let blocked = if refusal.counts {
            ctx.limiter.failed_authentication(address).await
        } else {
            ctx.limiter.blocked(address).await
        };
        blocked.map_or_else(|| refusal.into(), |retry_after| Error::Blocked { retry_after })
    }

    /// What `work` comes to, if the caller's limit has room for this request.
    ///
    /// The limit's write and `work` run side by side, and neither is given up for the other: a body that makes `work`
    /// fail at once is no way around the count. Over the limit, whatever `work` came to is dropped: it must only read, or
    /// write what does no harm without the rest (a delivery that is stored and refused is sent again, and is known then).
    /// Where the limit is known to be reached before anything is asked, `work` does not begin.
    pub async fn limited<T>(
        &self,
        ctx: &Context,
        caller: &Caller,
        preset: Preset,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        self.limited_as(ctx, Subject::User(caller.user_id), preset, work).await
    }

    /// [`Request::limited`] for a route without callers: by address.
    pub async fn limited_by_address<T>(
        &self,
        ctx: &Context,
        preset: Preset,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        self.limited_as(ctx, Subject::Address(self.address()), preset, work).await
    }

    /// The limit of a route that does no I/O at all: by address, and counted by this instance alone.
    pub fn limited_in_memory(&self, ctx: &Context, preset: Preset) -> Result<()> {
        let limit = ctx.limiter.take_in_memory(&Subject::Address(self.address()), self.route(), preset);
        self.note(limit)
    }

    async fn limited_as<T>(
        &self,
        ctx: &Context,
        subject: Subject,
        preset: Preset,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        if let Some(refused) = ctx.limiter.refused(&subject, self.route(), preset) {
            self.note(refused)?;
        }
        let (limit, outcome) = join!(ctx.limiter.take(&subject, self.route(), preset), work);
        self.note(limit)?;
        outcome
    }

    /// Keeps the verdict for the response's headers, and gives it.
    fn note(&self, limit: Limit) -> Result<()> {
        // Of two limits on one request the headers tell of the first.
        let _ = self.exchange.limit.set(limit);
        match limit.denied {
            None => Ok(()),
            Some(retry_after) => Err(Error::RateLimited { retry_after }),
        }
    }
}
