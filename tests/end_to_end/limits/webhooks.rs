//! The limit of those who send webhooks: by address, and apart from all that concerns tokens.

use std::time::Duration;

use futures::{StreamExt, stream};
use local::terra::signature;
use serde_json::json;

use super::{expired, left, retry_after};
use crate::support::{
    Answer, User,
    in_process::{clock, instance, signed_from},
    run, start,
    storage::all_rows,
    terra::{Sender, webhook},
    wearables::{self, Watch, days_ago},
};

#[test]
fn past_a_thousand_a_minute_a_webhook_is_refused_and_nothing_of_it_is_stored() {
    run(async {
        let (stack, clock) = (start(wearables::options()).await, clock());
        let webhooks = instance(&stack, "webhook-terra", &clock);
        let body = Watch::of(&User::new(&stack), "GARMIN").steps(days_ago(1), 8_000).to_string();
        let send = async |address: &str, body: &str| -> Answer {
            let signature = signature(&stack.terra_signing_secret(), clock.now().timestamp(), body.as_bytes());
            webhooks.answer(webhook_terra::handle, signed_from(address, &signature, body)).await
        };
        let busy = "198.51.100.77";
        let counted = stream::iter(0..1_000).map(|_| send(busy, "{")).buffer_unordered(8);
        assert!(counted.all(async |answer| answer.status == 400).await);
        // The first over the limit is found out by its write; those after it cost nothing.
        send(busy, "{").await.is_problem(429, "rate_limited");
        stack.front().clear_calls();
        let refused = send(busy, &body).await;
        refused.is_problem(429, "rate_limited");
        assert_eq!((retry_after(&refused), left(&refused).0), (60, 0));
        assert_eq!(stack.front().calls().count(), 0);
        assert!(all_rows(&stack, "WebhooksTable").await.is_empty());
        assert_eq!(send("198.51.100.78", &body).await.status, 200, "another address is no matter to it");
        clock.advance(Duration::from_secs(120));
        assert_eq!(send(busy, &body).await.success()["status"], "duplicate");
        stack.shutdown().await;
    });
}

#[test]
fn an_address_that_is_blocked_for_its_tokens_may_send_webhooks() {
    run(async {
        let stack = start(wearables::options()).await;
        let user = User::new(&stack);
        let terra = Sender::new(&stack);
        let bad = terra.caller().with_token(&expired(&stack, &user));
        for _ in 0..40 {
            if bad.post("retry-jobs", &json!({})).await.code() == "blocked" {
                break;
            }
        }
        bad.post("retry-jobs", &json!({})).await.is_problem(429, "blocked");
        let watch = Watch::of(&user, "GARMIN");
        assert_eq!(terra.accepted(&webhook(&watch.steps(days_ago(1), 8_000))).await, "queued");
        // Nor do bad signatures count as failed authentications.
        let honest = Sender::new(&stack);
        for _ in 0..30 {
            honest.post(&[("terra-signature", "t=1,v1=00")], "{}").await.is_problem(401, "unauthenticated");
        }
        let caller = honest.caller().with_token(user.token.as_deref().unwrap());
        caller.get(&format!("latest-metrics/{}", user.id)).await.success();
        honest.caller().get("dead-jobs").await.is_problem(401, "unauthenticated");
        stack.shutdown().await;
    });
}
