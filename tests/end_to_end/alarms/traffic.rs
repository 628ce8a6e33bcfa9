//! A request of every route that has alarms: the one place to add a route to.

use futures::{FutureExt, future::BoxFuture, future::join_all};
use local::Stack;
use serde_json::json;
use uuid::Uuid;

use crate::support::{
    Answer, User,
    engines::readings,
    frame,
    terra::{Sender, webhook},
    wearables::{Watch, days_ago},
};

/// Who calls, and about what.
pub struct Traffic<'a> {
    user: User,
    admin: User,
    /// Whose only fleet is theirs alone.
    planner: User,
    watch: Watch,
    terra: Sender<'a>,
    frame: Vec<u8>,
    pub session: Uuid,
}

impl<'a> Traffic<'a> {
    /// Calls about a session that may or may not be there.
    pub async fn about(stack: &'a Stack, user: User, session: Uuid) -> Self {
        let admin = User::with_role(stack, Some("admin"));
        let (planner, _) = User::with_own_fleet(stack);
        let (watch, terra) = (Watch::of(&user, "GARMIN"), Sender::new(stack));
        let frame = frame(stack, session, 1).await;
        Self { user, admin, planner, watch, terra, frame, session }
    }

    /// One request of each route, in an order in which a session can be shot.
    fn requests(&self) -> Vec<BoxFuture<'_, Answer>> {
        let Self { user, admin, planner, session, .. } = self;
        let start = json!({ "user_id": user.id, "session_type": "practice", "metadata": {} });
        let wish = json!({ "session_id": session, "frame_number": 1 });
        let steps = webhook(&self.watch.steps(days_ago(1), 8_000));
        vec![
            user.get("health-check").boxed(),
            user.get("health-check/ready").boxed(),
            admin.get("health-check/detailed").boxed(),
            async move { user.post("start-session", &start).await }.boxed(),
            async move { user.post("camera-proxy", &wish).await }.boxed(),
            user.analyze(*session, 1, &self.frame).boxed(),
            user.end(*session).boxed(),
            async move { self.terra.send(&steps).await }.boxed(),
            async move { user.get(&format!("latest-metrics/{}", user.id)).await }.boxed(),
            admin.get("dead-jobs").boxed(),
            async { admin.post("retry-jobs", &json!({})).await }.boxed(),
            async { planner.put("engines/e", &json!({ "unit_number": 7 })).await }.boxed(),
            planner.get("engines/e").boxed(),
            async { planner.post("engines/e/readings", &json!({ "readings": readings(7, 30) })).await }.boxed(),
            async { planner.post("predict", &json!({ "engine_id": "e" })).await }.boxed(),
            self.batch().boxed(),
            planner.get("fleet").boxed(),
            async { admin.post("recalculate-metrics", &json!({ "user_id": user.id })).await }.boxed(),
        ]
    }

    /// Answers each of its requests by itself: what the database refuses is an error in a 200.
    pub async fn batch(&self) -> Answer {
        self.planner.post("predict/batch", &json!({ "requests": [{ "engine_id": "e" }] })).await
    }

    /// One after the other.
    pub async fn in_turn(&self) -> Vec<Answer> {
        let mut answers = Vec::new();
        for request in self.requests() {
            answers.push(request.await);
        }
        answers
    }

    pub async fn at_once(&self) -> Vec<Answer> {
        join_all(self.requests()).await
    }
}
