//! What comes by schedule.

use chrono::TimeDelta;
use futures::FutureExt;
use shared::{
    clock::Clock,
    ids::{Ids, JobId},
    jobs::{Job, NewJob},
};

use crate::{
    permissions::{
        scenario::{Outcome, Scenario, Trouble, check},
        stage::{Stage, number, text},
    },
    support::{
        User,
        storage::{Row, put, rows, rows_of},
    },
};

pub const SCHEDULES: &[Scenario] = &[
    Scenario { name: "a session that nobody ended is ended", run: |stage, _| stale_session(stage).boxed() },
    Scenario { name: "a job without a message gets one", run: |stage, _| lost_message(stage).boxed() },
    Scenario { name: "a fleet's totals are put right", run: |stage, _| fleet_totals(stage).boxed() },
];

async fn fire(stage: &Stage, schedule: &str) -> Outcome {
    let fired = stage.stack.fire(schedule).await.map_err(|err| Trouble::Failed(err.to_string()))?;
    check(fired.error.is_none(), || String::from_utf8_lossy(&fired.payload).into_owned())
}

async fn stale_session(stage: &Stage) -> Outcome {
    let user = User::new(&stage.stack);
    let session = stage.session_since(&user, Clock::System.now() - TimeDelta::hours(7)).await;
    fire(stage, "EndStaleSessions").await?;
    let ended = rows(&stage.stack, session.0).await["META"].contains_key("ended_at");
    check(ended, || "the session goes on".into())
}

/// Of a fleet that has totals and no engine.
async fn fleet_totals(stage: &Stage) -> Outcome {
    let fleet = format!("fleet-{}", Ids.uuid().simple());
    let key = format!("{fleet}#");
    let spoilt = [
        ("engine_key", text(&key)),
        ("sk", text("TOTALS#3")),
        ("fleet_id", text(&fleet)),
        ("predicted_rul", number(-1)),
        ("total", number(3)),
        ("changed_at", number(0)),
    ];
    put(&stage.stack, "EnginesTable", spoilt.map(|(name, value)| (name.to_owned(), value)).into()).await;
    fire(stage, "ReconcileFleets").await?;
    let rows = rows_of(&stage.stack, "EnginesTable", ("engine_key", &key)).await;
    let total: i64 = rows.iter().filter_map(|row| row["total"].as_n().ok()?.parse::<i64>().ok()).sum();
    check(total == 0, || format!("the totals come to {total}"))
}

/// While other messages wait, which a worker has seen.
async fn lost_message(stage: &Stage) -> Outcome {
    let now = Clock::System.now();
    let new = NewJob { id: JobId(Ids.uuid()), job: Job::EndStaleSessions, created_at: now - TimeDelta::hours(2) };
    stage.ctx.jobs.insert(&new).await.unwrap();
    let seen = [("key", text("heartbeat:job-worker")), ("oldest_sent_at", number(now.timestamp_millis()))];
    let seen: Row = seen.map(|(name, value)| (name.to_owned(), value)).into();
    put(&stage.stack, "ControlTable", seen).await;
    let url = stage.stack.queue_url("JobQueue").unwrap();
    let send = stage.ctx.aws.sqs().await.send_message().queue_url(url).message_body("one that waits");
    send.send().await.unwrap();
    fire(stage, "SweepJobs").await?;
    let row = stage.ctx.jobs.read([new.id]).await.unwrap().remove(&new.id);
    let claimed = row.and_then(|row| row.due_at).is_some_and(|due| due >= now);
    check(claimed, || "the job still waits".into())
}
