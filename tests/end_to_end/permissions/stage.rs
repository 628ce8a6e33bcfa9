//! The stack that all scenarios share, and what they find there.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use local::{Stack, StackOptions, front::Permission};
use reqwest::Method;
use serde_json::Value;
use shared::{
    Context,
    clock::Clock,
    domain::session::{Metadata, Session, SessionStart, SessionType},
    ids::{Ids, SessionId, UserId},
    store::sessions::Origin,
};

use crate::support::{
    User,
    in_process::instance,
    stand_in::{Reply, StandIn},
    start,
};

pub struct Stage {
    pub stack: Stack,
    /// The stack's own hands: stores of all tables and the bucket that may do everything.
    pub ctx: &'static Context,
    /// Where Terra's large deliveries lie.
    pub payloads: StandIn,
}

impl Stage {
    pub async fn start() -> Self {
        Self::of(StackOptions::default()).await
    }

    /// No queue invokes the worker: what it does is its scenarios' affair alone.
    pub async fn of(options: StackOptions) -> Self {
        let payloads = StandIn::start(Reply::json(200, &Value::Null)).await;
        let host = payloads.url().trim_start_matches("http://").to_owned();
        let options = options
            .parameter("CameraApiUrl", "")
            .parameter("CameraFallback", "test-frame")
            .parameter("TerraPayloadHosts", host);
        let stack = start(options).await;
        stack.pause_sources("job-worker").await;
        let ctx = instance(&stack, "job-worker", &Clock::System).context();
        Self { stack, ctx, payloads }
    }

    pub fn permissions_of(&self, function: &str) -> Vec<Permission> {
        self.stack.front().permissions().into_iter().filter(|permission| permission.function == function).collect()
    }

    /// The next call meets an instance that remembers nothing.
    pub async fn restart(&self, function: &str) {
        self.stack.kill_instances(function).await;
    }

    /// A session of the user's that begins now.
    pub async fn session(&self, user: &User) -> SessionId {
        self.session_since(user, Clock::System.now()).await
    }

    pub async fn session_since(&self, user: &User, at: DateTime<Utc>) -> SessionId {
        let (user_id, metadata) = (UserId(user.id), Metadata::default());
        let start = SessionStart { user_id, session_type: SessionType::Practice, metadata };
        let session = Session::start(start, SessionId(Ids.uuid()), user_id, at);
        self.ctx.sessions.insert(&session, &Origin::default(), None).await.unwrap();
        session.id
    }

    /// A function's routes, as they are requested.
    pub fn routes(&self, function: &str) -> Vec<(Method, String)> {
        let routes = self.stack.model().routes.iter().filter(|route| route.function == function);
        let path = |path: &str| path.trim_start_matches("/functions/v1/").to_owned();
        routes.map(|route| (route.method.parse().unwrap(), path(&route.path))).collect()
    }
}

pub fn text(value: impl ToString) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

pub fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
