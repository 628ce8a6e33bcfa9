//! Secrets: fetched when an instance starts, and again after what a rotation would explain.

use std::time::Duration;

use jsonwebtoken::{EncodingKey, Header};
use local::{Stack, StackOptions, camera::SceneOrder, terra::signature};
use serde_json::json;
use uuid::Uuid;

use crate::support::{
    User, frame,
    in_process::{clock, instance, signed_from},
    run, scene,
    stand_in::{Reply, StandIn},
    start,
    terra::{Sender, webhook},
    watch::assert_not_logged,
    wearables::{self, Watch, days_ago},
};

const NEXT: &str = "the-secret-of-next-month";

/// How often a function asked for its secrets.
fn asked(stack: &Stack, function: &str) -> usize {
    stack.front().calls().by(function).named("GetSecretValue").count()
}

#[test]
fn a_rotated_webhook_secret_is_used_by_a_warm_instance_after_one_look() {
    run(async {
        let stack = start(wearables::options()).await;
        let watch = Watch::of(&User::new(&stack), "GARMIN");
        let (before, steps) = (Sender::new(&stack), || webhook(&watch.steps(days_ago(1), 8_000)));
        before.accepted(&steps()).await;
        before.accepted(&steps()).await;
        assert_eq!(asked(&stack, "webhook-terra"), 1, "at its start");
        let old = stack.terra_signing_secret();
        stack.secrets().set("terra_signing_secret", NEXT);
        let after = Sender::new(&stack);
        after.accepted(&steps()).await;
        after.accepted(&steps()).await;
        assert_eq!(asked(&stack, "webhook-terra"), 2);
        // Nothing signs with the old one any more, and whoever does is no reason to look again within a minute.
        before.send(&steps()).await.is_problem(401, "unauthenticated");
        assert_eq!(asked(&stack, "webhook-terra"), 2);
        assert_not_logged(&stack, &[("the secret", NEXT), ("the secret before", &old)]);
        stack.shutdown().await;
    });
}

#[test]
fn however_many_signatures_are_wrong_the_secret_is_looked_at_once_a_minute() {
    run(async {
        let (stack, clock) = (start(StackOptions::default()).await, clock());
        let terra = instance(&stack, "webhook-terra", &clock);
        let here = || asked(&stack, local::front::EVERYBODY_ELSE);
        let forge = async |count| {
            let forged = signature("not-the-secret", clock.now().timestamp(), b"{}");
            let call = || terra.answer(webhook_terra::handle, signed_from("192.0.2.1", &forged, "{}"));
            let answers = futures::future::join_all((0..count).map(|_| call())).await;
            assert!(answers.iter().all(|answer| answer.status == 401));
        };
        forge(20).await;
        assert_eq!(here(), 2, "once to know it, once because of the forged ones");
        clock.advance(Duration::from_secs(59));
        forge(20).await;
        assert_eq!(here(), 2);
        clock.advance(Duration::from_secs(1));
        forge(20).await;
        assert_eq!(here(), 3);
        stack.shutdown().await;
    });
}

#[test]
fn a_secret_that_can_not_be_used_ends_the_start_and_the_log_says_why() {
    run(async {
        let stack = start(wearables::options()).await;
        let watch = Watch::of(&User::new(&stack), "GARMIN");
        let (terra, steps) = (Sender::new(&stack), webhook(&watch.steps(days_ago(1), 8_000)));
        let good = stack.terra_signing_secret();
        for (text, why) in [
            ("hush-hush", "it is no JSON object of texts"),
            (r#"{"terra_signing_secret":""}"#, "terra_signing_secret is missing in it"),
        ] {
            stack.secrets().replace(text);
            assert!(terra.send(&steps).await.status >= 500);
            let line = stack.logs().entries("webhook-terra").pop().unwrap_or_default();
            let lines: Vec<_> = stack.logs().entries("webhook-terra");
            assert!(lines.iter().any(|line| line.to_string().contains(why)), "{why}: {line:#}");
        }
        stack.secrets().set("terra_signing_secret", &good);
        terra.accepted(&steps).await;
        assert_not_logged(&stack, &[("the secret", "hush-hush")]);
        stack.shutdown().await;
    });
}

#[test]
fn who_needs_no_secret_asks_for_none() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let user = User::new(&stack);
        user.session().await;
        user.get("health-check").await.success();
        assert_eq!((asked(&stack, "start-session"), asked(&stack, "health-check")), (0, 0));
        stack.shutdown().await;
    });
}

/// A token of an older Supabase project.
fn hs256(stack: &Stack, user: Uuid, secret: &str) -> String {
    let claims = stack.identity().claims(user, None);
    jsonwebtoken::encode(&Header::default(), &claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

#[test]
fn tokens_of_an_older_project_follow_their_secret() {
    run(async {
        let options = StackOptions::default().parameter("SupabaseHs256", "true");
        let stack = start(options.secret("supabase_jwt_secret", "first")).await;
        let user = User::new(&stack);
        let bearing = |secret: &str| user.with_token(&hs256(&stack, user.id, secret));
        bearing("first").session().await;
        bearing("second").post("start-session", &json!({})).await.is_problem(401, "unauthenticated");
        assert_eq!(asked(&stack, "start-session"), 2);
        // A minute must pass before it is looked at again: another function has not looked yet.
        stack.secrets().set("supabase_jwt_secret", "second");
        let body = json!({ "session_id": user.id, "end_reason": "completed" });
        bearing("first").post("end-session", &body).await;
        bearing("second").post("end-session", &body).await.is_problem(404, "not_found");
        stack.shutdown().await;
    });
}

#[test]
fn a_key_that_the_camera_refuses_is_looked_up_again_within_the_request() {
    run(async {
        let camera = StandIn::start(Reply::json(401, &json!({}))).await;
        let stack = start(StackOptions::default().parameter("CameraApiUrl", camera.url())).await;
        let user = User::new(&stack);
        let session = user.session().await;
        scene(&stack, session, SceneOrder { width: 320, height: 240, ..SceneOrder::default() });
        let shown = Reply::jpeg(&frame(&stack, session, 1).await);
        let refused = Reply::json(401, &json!({}));
        camera.replies([shown.clone(), refused, shown]);
        let wish = json!({ "session_id": session, "frame_number": 1 });
        user.post("camera-proxy", &wish).await.success();
        stack.secrets().set("camera_api_key", "the-next-key");
        user.post("camera-proxy", &wish).await.success();
        let keys: Vec<String> = camera.asked().into_iter().map(|asked| asked.authorization).collect();
        let old = format!("Bearer {}", stack.camera().unwrap().key());
        assert_eq!(keys, [old.clone(), old, "Bearer the-next-key".to_owned()]);
        assert_eq!(asked(&stack, "camera-proxy"), 2);
        stack.shutdown().await;
    });
}
