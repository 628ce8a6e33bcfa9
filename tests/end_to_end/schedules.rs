//! What comes by schedule: sessions that nobody ended, and jobs whose message was lost.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use local::Stack;
use serde_json::json;
use shared::clock::{Clock, rfc3339};
use uuid::Uuid;

use crate::support::{
    User,
    in_process::instance,
    pictures::picture,
    run, stack, start,
    storage::{item, rows, set},
    terra::{Sender, drained, job_of, outcome, text, webhook},
    wearables::{self, Watch, days_ago, latest_values},
};

/// Moves one of a session's times.
async fn dated(stack: &Stack, session: Uuid, attribute: &str, ago: TimeDelta) {
    let key = [("session_id", &*session.to_string()), ("sk", "META")];
    set(stack, "SessionsTable", &key, attribute, &rfc3339(Clock::System.now() - ago)).await;
}

async fn fire(stack: &Stack, schedule: &str) {
    let fired = stack.fire(schedule).await.unwrap();
    assert_eq!(fired.error, None, "{}", String::from_utf8_lossy(&fired.payload));
    drained(stack).await;
}

async fn is_active(stack: &Stack, session: Uuid) -> bool {
    rows(stack, session).await["META"].contains_key("active_shard")
}

#[test]
fn a_session_that_nobody_ended_is_ended_six_hours_after_its_last_frame() {
    run(async {
        let stack = start(wearables::options()).await;
        let user = User::new(&stack);
        let (six, seven) = (TimeDelta::hours(6) + TimeDelta::minutes(1), TimeDelta::hours(7));
        let [filmed, empty, still_filmed, new] =
            [user.session().await, user.session().await, user.session().await, user.session().await];
        let frame = picture(4).await;
        for session in [filmed, still_filmed] {
            user.analyze(session, 1, &frame).await.success();
            dated(&stack, session, "created_at", seven).await;
        }
        dated(&stack, filmed, "last_frame_at", six).await;
        dated(&stack, empty, "created_at", six).await;
        fire(&stack, "EndStaleSessions").await;
        for (session, ended, shots) in [(filmed, true, 3), (empty, true, 0), (still_filmed, false, 3), (new, false, 0)]
        {
            assert_eq!(is_active(&stack, session).await, !ended, "{session}");
            if ended {
                user.analyze(session, 2, &frame).await.is_problem(409, "session_ended");
            } else {
                user.analyze(session, 2, &frame).await.success();
            }
            let first = user.end(session).await.success();
            let status = if ended { "timed_out" } else { "completed" };
            assert_eq!(first["session"]["status"], status);
            if ended {
                assert_eq!(first["session"]["statistics"]["total_shots"], shots);
                let page = reqwest::get(first["session"]["report_url"].as_str().unwrap()).await.unwrap();
                assert_eq!(page.status(), 200);
                assert_eq!(page.text().await.unwrap().matches("<tr data-shot=").count(), shots);
            }
            let again = user.end(session).await.success();
            for part in ["status", "ended_at", "statistics", "coaching_advice"] {
                assert_eq!(again["session"][part], first["session"][part], "{part}");
            }
        }
        // Nothing is left to end.
        stack.front().clear_calls();
        fire(&stack, "EndStaleSessions").await;
        let writes = stack.front().calls().by("job-worker");
        assert_eq!(writes.named("UpdateItem").count() + writes.named("TransactWriteItems").count(), 0, "{writes:#?}");
        stack.shutdown().await;
    });
}

#[test]
fn six_hours_are_six_hours() {
    run(async {
        let stack = start(wearables::options()).await;
        let user = User::new(&stack);
        let session = user.session().await;
        let created: DateTime<Utc> = text(&rows(&stack, session).await["META"], "created_at").unwrap().parse().unwrap();
        let clock = Clock::manual(created + TimeDelta::hours(6) - TimeDelta::milliseconds(1));
        let worker = instance(&stack, "job-worker", &clock).context();
        let tick = async || {
            // On the heap: unoptimised, it takes more stack than a test's thread has.
            Box::pin(job_worker::scheduled(worker, &json!({ "schedule": "end_stale_sessions" }))).await.unwrap();
        };
        tick().await;
        assert!(is_active(&stack, session).await);
        clock.advance(Duration::from_millis(2));
        tick().await;
        assert!(!is_active(&stack, session).await);
        stack.shutdown().await;
    });
}

#[test]
fn a_job_whose_message_was_lost_is_swept_up() {
    run(async {
        let stack = start(wearables::options().parameter("JobOverdueAfterSeconds", "1")).await;
        let user = User::new(&stack);
        let (terra, watch) = (Sender::new(&stack), Watch::of(&user, "GARMIN"));
        let lost = webhook(&watch.steps(days_ago(1), 8_000));
        // Accepted as far as its rows, and then the sender never comes again.
        let queue = local::front::Fault::internal_error().function("webhook-terra").service(local::front::Service::Sqs);
        let gone = stack.front().inject(queue);
        terra.send(&lost).await.is_problem(503, "unavailable");
        gone.remove();
        let job = job_of(&lost).unwrap();
        assert_eq!(outcome(&stack, job).await.state, "queued");
        // Long ago, as far as the sweeper can see.
        let key = [("job_id", &*job.to_string())];
        let an_hour_ago = rfc3339(Clock::System.now() - TimeDelta::hours(1));
        set(&stack, "JobsTable", &key, "due_at", &an_hour_ago).await;
        fire(&stack, "SweepJobs").await;
        assert_eq!(outcome(&stack, job).await.state, "done");
        assert_eq!(latest_values(&user).await["steps"], 8_000.0);
        assert!(!item(&stack, "JobsTable", &key).await.unwrap().contains_key("queued_shard"));
        stack.shutdown().await;
    });
}

#[test]
fn the_template_has_these_schedules_and_no_other_event_is_taken_for_one() {
    run(async {
        let stack = stack().await;
        let mut schedules = stack.schedules();
        schedules.sort_unstable();
        assert_eq!(schedules, ["EndStaleSessions", "ReconcileFleets", "SweepJobs"]);
        for event in [json!({ "schedule": "make_coffee" }), json!({}), json!([])] {
            let answer = stack.invoke("job-worker", event.to_string()).await.unwrap();
            assert!(answer.error.is_some(), "{event}: {}", String::from_utf8_lossy(&answer.payload));
        }
    });
}
