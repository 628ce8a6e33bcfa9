//! Which Terra user is which of ours: binding, quarantine, reauthentication, and how a connection stands.

use futures::future::join_all;
use local::{Stack, terra::Webhook};
use serde_json::{Value, json};
use shared::clock::Clock;
use uuid::Uuid;

use crate::support::{
    User, run, start,
    terra::{Sender, drained, text, webhook},
    watch::sum,
    wearables::{self, Watch, bound_to, connection, days_ago, latest_values, observations, stack, state, waiting},
};

/// Bound to the user as soon as it authenticates, and not before.
fn named(user: &User, watch: &Watch) -> Watch {
    Watch { reference: Some(user.id.to_string()), ..watch.clone() }
}

async fn connection_id(stack: &Stack, watch: &Watch) -> String {
    text(&connection(stack, watch).await.unwrap(), "connection_id").unwrap()
}

/// Ordered by this many minutes after a moment of an hour ago.
fn ordered(body: &Value, minutes: i64) -> Webhook {
    webhook(body).ordered_at(Clock::System.now().timestamp_millis() - 3_600_000 + minutes * 60_000)
}

#[test]
fn an_event_that_names_a_user_binds_its_terra_user_to_them() {
    run(async {
        let stack = stack().await;
        let terra = Sender::new(stack);
        for first in ["auth", "daily"] {
            let user = User::new(stack);
            let watch = Watch::of(&user, "GARMIN");
            let body = if first == "auth" { watch.says("auth") } else { watch.steps(days_ago(1), 8_000) };
            terra.deliver_body(&body).await;
            assert_eq!(bound_to(stack, &watch).await, Some(user.id.to_string()), "{first}");
            let expected = if first == "auth" { Some("connected".to_owned()) } else { None };
            assert_eq!(state(stack, &watch).await, expected, "{first}: data say nothing of how it stands");
        }
        // A reference that is no id of ours, as others use them.
        let id = Uuid::from_u128(7);
        for reference in ["your-user-123".to_owned(), String::new(), id.simple().to_string(), format!("{{{id}}}")] {
            let watch = Watch { reference: Some(reference.clone()), ..Watch::of_nobody("GARMIN") };
            terra.deliver_body(&watch.says("auth")).await;
            assert_eq!(bound_to(stack, &watch).await, None, "{reference}");
            assert_eq!(state(stack, &watch).await.as_deref(), Some("connected"));
        }
        // An authentication that failed connects nobody.
        let watch = Watch::of(&User::new(stack), "GARMIN");
        let mut failed = watch.says("auth");
        failed["status"] = "error".into();
        terra.deliver_body(&failed).await;
        assert_eq!(bound_to(stack, &watch).await, None);
    });
}

#[test]
fn what_is_bound_stays_bound_whoever_is_named_later() {
    run(async {
        let stack = start(wearables::options()).await;
        let (owner, other) = (User::new(&stack), User::new(&stack));
        let (terra, watch) = (Sender::new(&stack), Watch::of(&owner, "GARMIN"));
        terra.deliver_body(&watch.steps(days_ago(2), 2_000)).await;
        let taken = named(&other, &watch);
        terra.deliver_body(&taken.says("auth")).await;
        terra.deliver_body(&taken.steps(days_ago(1), 1_000)).await;
        assert_eq!(bound_to(&stack, &watch).await, Some(owner.id.to_string()));
        assert_eq!(latest_values(&owner).await["steps"], 1_000.0, "the watch is the owner's, and so is what it says");
        assert!(latest_values(&other).await.is_empty());
        assert!(sum(&stack, "job-worker", "connection_conflicts") >= 1.0);
        let told = stack.logs().entries("job-worker");
        assert!(
            told.iter().any(|line| line["level"] == "WARN" && line.to_string().contains("another user")),
            "{told:#?}"
        );
        stack.shutdown().await;
    });
}

#[test]
fn what_names_nobody_waits_until_its_terra_user_is_known() {
    run(async {
        let stack = start(wearables::options()).await;
        let user = User::new(&stack);
        let (terra, watch) = (Sender::new(&stack), Watch::of_nobody("OURA"));
        for ago in 1..=3 {
            terra.deliver_body(&watch.steps(days_ago(ago), 1_000)).await;
        }
        assert_eq!(waiting(&stack, &watch).await, 3);
        // Another one's authentication is no matter to it.
        terra.deliver_body(&Watch::of(&User::new(&stack), "OURA").says("auth")).await;
        assert_eq!(waiting(&stack, &watch).await, 3);
        terra.deliver_body(&named(&user, &watch).says("auth")).await;
        drained(&stack).await;
        assert_eq!(waiting(&stack, &watch).await, 0);
        assert_eq!(observations(&stack, user.id).await.len(), 3);
        // Also by data that name the user, and what comes then does not wait.
        let (later, ring) = (User::new(&stack), Watch::of_nobody("OURA"));
        terra.deliver_body(&ring.steps(days_ago(2), 2_000)).await;
        terra.deliver_body(&named(&later, &ring).steps(days_ago(1), 1_000)).await;
        terra.deliver_body(&ring.steps(days_ago(3), 3_000)).await;
        drained(&stack).await;
        assert_eq!((waiting(&stack, &ring).await, observations(&stack, later.id).await.len()), (0, 3));
        stack.shutdown().await;
    });
}

#[test]
fn many_deliveries_that_wait_are_released_page_by_page() {
    run(async {
        let stack = start(wearables::options()).await;
        let user = User::new(&stack);
        let (terra, watch) = (Sender::new(&stack), Watch::of_nobody("OURA"));
        let bodies: Vec<Value> = (1..=60).map(|ago| watch.steps(days_ago(ago), 1_000)).collect();
        join_all(bodies.iter().map(|body| terra.deliver_body(body))).await;
        assert_eq!(waiting(&stack, &watch).await, 60);
        terra.deliver_body(&named(&user, &watch).says("auth")).await;
        drained(&stack).await;
        assert_eq!((waiting(&stack, &watch).await, observations(&stack, user.id).await.len()), (0, 60));
        stack.shutdown().await;
    });
}

#[test]
fn a_reauthentication_takes_all_along_whenever_it_comes() {
    run(async {
        let stack = stack().await;
        // auth of the old, data of the old, reauth, data of the new: in these orders.
        let orders = [[0, 1, 2, 3], [0, 1, 3, 2], [2, 3, 0, 1], [3, 2, 1, 0], [1, 3, 2, 0], [2, 1, 3, 0], [3, 0, 2, 1]];
        join_all(orders.map(|order| async move {
            let user = User::new(stack);
            let terra = Sender::new(stack);
            let (old, new) = (Watch::of_nobody("FITBIT"), Watch::of_nobody("FITBIT"));
            let events = [
                named(&user, &old).says("auth"),
                old.steps(days_ago(2), 2_000),
                new.replaces(Some(&old)),
                new.steps(days_ago(1), 1_000),
            ];
            for n in order {
                terra.deliver(&[ordered(&events[n], n.try_into().unwrap())]).await;
            }
            // What was put in motion by the last of them.
            until(async || observations(stack, user.id).await.len() == 2).await;
            let owner = Some(user.id.to_string());
            assert_eq!((bound_to(stack, &old).await, bound_to(stack, &new).await), (owner.clone(), owner), "{order:?}");
            let rows = observations(stack, user.id).await;
            assert_eq!(rows[0].connection, rows[1].connection, "{order:?}: no rows have to move");
            assert_eq!(rows[0].connection, connection_id(stack, &new).await);
            assert_eq!(state(stack, &new).await.as_deref(), Some("connected"), "{order:?}");
            assert_eq!(state(stack, &old).await.as_deref(), Some("deauthenticated"), "{order:?}");
            assert_eq!(latest_values(&user).await["steps"], 1_000.0);
        }))
        .await;
    });
}

/// Waits until it is so, looking again after each write of the worker's.
async fn until(is_so: impl AsyncFn() -> bool) {
    let stack = stack().await;
    let give_up = std::time::Instant::now() + crate::support::terra::PATIENCE;
    loop {
        let asked = std::time::Instant::now();
        if is_so().await {
            return;
        }
        assert!(asked < give_up, "it never became so");
        crate::support::terra::next_write(stack, asked).await;
    }
}

#[test]
fn how_a_connection_stands_is_what_its_newest_event_says() {
    run(async {
        let stack = stack().await;
        let terra = Sender::new(stack);
        let cases = [
            ("deauth", "deauthenticated"),
            ("access_revoked", "revoked"),
            ("connection_error", "error"),
            ("auth", "connected"),
            ("permission_change", "connected"),
        ];
        join_all(cases.iter().map(async |(kind, expected)| {
            for late in [false, true] {
                let user = User::new(stack);
                let watch = Watch::of(&user, "WITHINGS");
                let mut events = [ordered(&watch.says("auth"), 1), ordered(&watch.says(kind), 2)];
                if late {
                    events.reverse();
                }
                terra.deliver(&events).await;
                assert_eq!(state(stack, &watch).await.as_deref(), Some(*expected), "{kind}, late: {late}");
                // Who is not connected any more is still who they were, and data under way are theirs.
                terra.deliver_body(&watch.steps(days_ago(1), 8_000)).await;
                assert_eq!(latest_values(&user).await["steps"], 8_000.0, "{kind}");
            }
        }))
        .await;
    });
}

#[test]
fn the_newest_scopes_stand() {
    run(async {
        let stack = stack().await;
        let (terra, watch) = (Sender::new(stack), Watch::of(&User::new(stack), "GARMIN"));
        let with = |kind: &str, scopes: &str, minutes: i64| {
            let mut body = watch.says(kind);
            body["user"]["scopes"] = json!(scopes);
            ordered(&body, minutes)
        };
        let scopes = async || text(&connection(stack, &watch).await.unwrap(), "scopes");
        terra.deliver(&[with("auth", "activity", 1)]).await;
        assert_eq!(scopes().await.as_deref(), Some("activity"));
        terra.deliver(&[with("permission_change", "activity,sleep", 3), with("permission_change", "body", 2)]).await;
        assert_eq!(scopes().await.as_deref(), Some("activity,sleep"));
    });
}

#[test]
fn a_user_who_connects_again_goes_on_where_they_were() {
    run(async {
        let stack = stack().await;
        let user = User::new(stack);
        let terra = Sender::new(stack);
        let [first, again, other] = ["GARMIN", "GARMIN", "OURA"].map(|provider| Watch::of(&user, provider));
        for (watch, body) in [(&first, "auth"), (&first, "deauth"), (&again, "auth"), (&other, "auth")] {
            terra.deliver_body(&watch.says(body)).await;
        }
        let ids = [
            connection_id(stack, &first).await,
            connection_id(stack, &again).await,
            connection_id(stack, &other).await,
        ];
        assert_eq!(ids[0], ids[1]);
        assert_ne!(ids[0], ids[2]);
        // The same day from both is one day, and the newer report of it wins.
        terra.deliver_body(&first.steps(days_ago(1), 1_000)).await;
        terra.deliver_body(&again.steps(days_ago(1), 2_000)).await;
        assert_eq!(observations(stack, user.id).await.len(), 1);
        assert_eq!(latest_values(&user).await["steps"], 2_000.0);
    });
}
