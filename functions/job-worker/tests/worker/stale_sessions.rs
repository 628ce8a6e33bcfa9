//! Sessions that nobody ended.

use std::time::Duration;

use serde_json::json;
use shared::{
    domain::session::{EndReason, Session, SessionStart},
    ids::SessionId,
    store::sessions::Origin,
};

use crate::{bodies::user, world::World};

async fn start(world: &World) -> SessionId {
    let body = json!({ "user_id": user(1), "session_type": "practice" });
    let start = SessionStart::parse(&body).unwrap();
    let session = Session::start(start, world.ctx.ids.session(), user(1), world.ctx.clock.now());
    assert!(world.ctx.sessions.insert(&session, &Origin::default(), None).await.is_ok());
    session.id
}

#[tokio::test]
async fn six_hours_without_a_sign_of_life_end_a_session() {
    let world = World::start().await;
    let abandoned = start(&world).await;
    world.ctx.clock.advance(Duration::from_secs(6 * 3600 - 60));
    let younger = start(&world).await;
    let fire = json!({ "schedule": "end_stale_sessions" });
    job_worker::scheduled(&world.ctx, &fire).await.unwrap();
    assert_eq!(world.ctx.sessions.count_active().await.unwrap(), 2);

    world.ctx.clock.advance(Duration::from_secs(61));
    job_worker::scheduled(&world.ctx, &fire).await.unwrap();
    let loaded = world.ctx.sessions.load(abandoned).await.unwrap().unwrap();
    let ending = loaded.ending.unwrap();
    assert_eq!((ending.end.reason, ending.end.at), (EndReason::Timeout, world.ctx.clock.now()));
    assert!(world.ctx.sessions.find(younger).await.unwrap().unwrap().end.is_none());
    // Once more changes nothing.
    world.ctx.clock.advance(Duration::from_secs(60));
    job_worker::scheduled(&world.ctx, &fire).await.unwrap();
    assert_eq!(world.ctx.sessions.load(abandoned).await.unwrap().unwrap().ending, Some(ending));
}

#[tokio::test]
async fn what_is_no_schedule_is_an_error() {
    let world = World::start().await;
    for event in [json!({}), json!({ "schedule": "lunch" }), json!([])] {
        assert!(job_worker::scheduled(&world.ctx, &event).await.is_err(), "{event}");
    }
}
