//! The same delivery again: stored once, done once.

use futures::future::join_all;
use local::terra::Webhook;

use crate::support::{
    User, run, start,
    storage::all_rows,
    terra::{Sender, delivery_of, drained, job_of, job_of_delivery, outcome, settled, webhook},
    wearables::{self, Watch, counted, days_ago, values},
};

#[test]
fn a_delivery_that_comes_twice_or_eight_times_at_once_is_one() {
    run(async {
        let stack = start(wearables::options()).await;
        let user = User::new(&stack);
        let (terra, watch) = (Sender::new(&stack), Watch::of(&user, "GARMIN"));
        let webhook = webhook(&watch.steps(days_ago(1), 8_000));
        let answers = join_all((0..8).map(|_| terra.answered(&webhook))).await;
        let refused = answers.iter().any(|(_, again)| *again);
        let statuses: Vec<_> = answers.into_iter().map(|(answer, _)| answer.success()["status"].clone()).collect();
        let new = statuses.iter().filter(|status| *status == "queued").count();
        // None, where the first one had to be sent again.
        assert!(new == 1 || new == 0 && refused, "{statuses:?}");
        assert!(statuses.iter().all(|status| status == "queued" || status == "duplicate"), "{statuses:?}");
        drained(&stack).await;
        assert_eq!(settled(&stack, job_of(&webhook).unwrap()).await.state, "done");
        assert_eq!(terra.accepted(&webhook).await, "duplicate");
        drained(&stack).await;
        for table in ["WebhooksTable", "JobsTable", "ConnectionsTable"] {
            assert_eq!(all_rows(&stack, table).await.len(), 1, "{table}");
        }
        assert_eq!(values(&stack, user.id).await.len(), 1);
        assert_eq!((counted(&stack, "webhooks_done").await, counted(&stack, "scored").await), (1, 1));
        stack.shutdown().await;
    });
}

#[test]
fn without_a_trace_id_the_body_is_the_delivery() {
    run(async {
        let stack = wearables::stack().await;
        let user = User::new(stack);
        let (terra, watch) = (Sender::new(stack), Watch::of(&user, "GARMIN"));
        let [one, other] = [8_000, 8_001].map(|steps| Webhook::new(watch.steps(days_ago(1), steps).to_string()));
        assert_eq!(terra.accepted(&one).await, "queued");
        assert_eq!(terra.accepted(&one).await, "duplicate");
        assert_eq!(terra.accepted(&other).await, "queued");
        for webhook in [one, other] {
            assert_eq!(delivery_of(&webhook).0.len(), 64);
            assert_eq!(settled(stack, job_of(&webhook).unwrap()).await.state, "done");
        }
        assert_eq!(values(stack, user.id).await[0].2, 8_001.0);
    });
}

#[test]
fn another_body_under_a_known_id_is_not_lost() {
    run(async {
        let stack = wearables::stack().await;
        let user = User::new(stack);
        let (terra, watch) = (Sender::new(stack), Watch::of(&user, "GARMIN"));
        let first = webhook(&watch.steps(days_ago(2), 7_000));
        let second = Webhook { body: watch.steps(days_ago(1), 8_000).to_string().into(), ..first.clone() };
        assert_eq!(terra.accepted(&first).await, "queued");
        assert_eq!(terra.accepted(&second).await, "queued");
        assert_eq!(terra.accepted(&second).await, "duplicate");
        assert_eq!(terra.accepted(&first).await, "duplicate");
        assert_eq!(settled(stack, job_of(&first).unwrap()).await.state, "done");
        let rows = all_rows(stack, "WebhooksTable").await.into_iter();
        let ids: Vec<_> = rows
            .map(|row| row["delivery_id"].as_s().unwrap().clone())
            .filter(|id| id.starts_with(&delivery_of(&first).0))
            .collect();
        assert_eq!(ids.len(), 2, "{ids:?}");
        let apart = ids.into_iter().find(|id| *id != delivery_of(&first).0).unwrap();
        let job = job_of_delivery(&shared::ids::DeliveryId(apart), &second.body).unwrap();
        assert_eq!(settled(stack, job).await.state, "done");
        let stored: Vec<_> = values(stack, user.id).await.into_iter().map(|(_, _, value)| value).collect();
        assert_eq!(stored, [7_000.0, 8_000.0]);
    });
}

#[test]
fn a_duplicate_wakes_a_worker_again_until_the_job_is_done() {
    run(async {
        let stack = start(wearables::options()).await;
        let user = User::new(&stack);
        let (terra, watch) = (Sender::new(&stack), Watch::of(&user, "GARMIN"));
        let webhook = webhook(&watch.steps(days_ago(1), 8_000));
        let job = job_of(&webhook).unwrap();
        let sent = || stack.front().calls().by("webhook-terra").named("SendMessage").count();
        stack.pause_sources("job-worker").await;
        assert_eq!(terra.accepted(&webhook).await, "queued");
        assert_eq!(terra.accepted(&webhook).await, "duplicate");
        assert_eq!((outcome(&stack, job).await.state.as_str(), sent()), ("queued", 2));
        assert_eq!(stack.queue_counts("JobQueue").await.unwrap().visible, 2);
        stack.resume_sources("job-worker");
        drained(&stack).await;
        let done = outcome(&stack, job).await;
        assert_eq!((done.state.as_str(), done.attempts), ("done", 0), "{done:?}");
        assert_eq!(terra.accepted(&webhook).await, "duplicate");
        assert_eq!(sent(), 2, "there is nothing left to do of it");
        assert_eq!(counted(&stack, "webhooks_done").await, 1);
        stack.shutdown().await;
    });
}
