//! Callers who are not let in: without a token, with a forged signature, over the limit.

use futures::{StreamExt, stream};
use local::StackOptions;
use serde_json::json;

use super::{driven_by, judge::assert_all_go_off};
use crate::support::{User, run, start, terra::Sender};

pub const DRIVES: &[&str] = &["AuthenticationFailures", "WebhookSignatureFailures", "RateLimitStorm"];

#[test]
fn a_wave_of_failed_authentications_alarms() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let (nobody, terra) = (User::stranger(&stack), Sender::new(&stack));
        for _ in 0..55 {
            nobody.post("start-session", &json!({})).await.is_problem(401, "unauthenticated");
        }
        let forged = [("terra-signature", "t=1,v1=00")];
        for _ in 0..10 {
            terra.post(&forged, "{}").await.is_problem(401, "unauthenticated");
        }
        assert_all_go_off(&stack, &driven_by(&["AuthenticationFailures", "WebhookSignatureFailures"]));
        stack.shutdown().await;
    });
}

#[test]
fn a_client_in_a_loop_alarms() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let user = User::new(&stack);
        // The limit is 100 a minute; however long this takes, more than fifty are over it.
        let over = stream::iter(0..400)
            .map(|_| async { user.post("start-session", &json!({})).await.status == 429 })
            .buffer_unordered(4)
            .filter(|refused| futures::future::ready(*refused))
            .count()
            .await;
        assert!(over >= 50, "{over}");
        assert_all_go_off(&stack, &driven_by(&["RateLimitStorm"]));
        stack.shutdown().await;
    });
}
