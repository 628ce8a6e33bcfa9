//! Asking what the backend depends on, all at once.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use aws_sdk_sqs::types::QueueAttributeName;
use chrono::{DateTime, TimeDelta, Utc};
use prediction::RemoteModel;
use shared::{Context, jobs::Job, provider};
use tokio::sync::Mutex;

use crate::jobs::{Figures, Messages, jobs_are_late, worker_stalls};

/// What a dependency is given to answer.
const DEADLINE: Duration = Duration::from_millis(500);
/// How long a report is kept: however often it is asked for, the dependencies are asked this often at most.
const KEPT_FOR: TimeDelta = TimeDelta::seconds(5);

/// What an instance keeps: its last report, and how it reaches the gRPC model.
#[derive(Default)]
pub struct Kept {
    report: Mutex<Option<Arc<Report>>>,
    model: OnceLock<RemoteModel>,
}

impl Kept {
    /// The last report, or a new one; callers that come together share one.
    pub async fn report(&self, ctx: &Context) -> Arc<Report> {
        let mut kept = self.report.lock().await;
        let now = ctx.clock.now();
        if let Some(report) = kept.as_ref().filter(|report| now - report.at < KEPT_FOR) {
            return Arc::clone(report);
        }
        let report = Arc::new(Report::take(ctx, self.model(ctx), now).await);
        if let Some(sessions) = report.active_sessions {
            ctx.metrics.count_many("active_sessions", sessions as u64);
        }
        *kept = Some(Arc::clone(&report));
        report
    }

    /// None where no gRPC model is configured.
    fn model(&self, ctx: &Context) -> Option<&RemoteModel> {
        let url = ctx.config.ml_service_url.as_ref()?;
        Some(self.model.get_or_init(|| RemoteModel::new(url)))
    }
}

/// How the dependencies did at one moment.
#[derive(Debug)]
pub struct Report {
    pub at: DateTime<Utc>,
    pub database: Service,
    pub queue: Service,
    pub storage: Service,
    pub roboflow: Service,
    pub camera: Service,
    /// Not configured where the built-in one is all there is.
    pub model: Service,
    pub pending_jobs: Option<u64>,
    /// Dead ones, and messages that no worker could even write down.
    pub failed_jobs: Option<u64>,
    pub worker_stalls: Option<bool>,
    pub jobs_are_late: bool,
    pub figures: Figures,
    pub active_sessions: Option<usize>,
}

/// One dependency.
#[derive(Debug, Clone)]
pub enum Service {
    Operational {
        latency: Duration,
    },
    /// `error` is for those who run the system.
    Failed {
        latency: Duration,
        error: String,
    },
    NotConfigured,
}

impl Service {
    pub fn has_failed(&self) -> bool {
        matches!(self, Self::Failed { .. })
    }
}

impl Report {
    async fn take(ctx: &Context, model: Option<&RemoteModel>, at: DateTime<Utc>) -> Self {
        // A new instance makes its clients first: that is no dependency's time.
        tokio::join!(ctx.aws.dynamodb(), ctx.aws.sqs(), ctx.aws.s3());
        let (database, active, jobs, unread, dead, heartbeat, counts, storage, roboflow, camera, model) = futures::join!(
            ask(ctx.control.ping()),
            ask(ctx.sessions.count_active()),
            ask(messages(ctx, &ctx.config.job_queue_url)),
            ask(messages(ctx, &ctx.config.job_dead_letter_queue_url)),
            ask(ctx.jobs.count_dead(&Job::TYPES)),
            ask(ctx.control.heartbeat()),
            ask(ctx.control.counts_of_day(at)),
            ask(ctx.objects.ping()),
            reach(ctx, ctx.config.roboflow.as_ref().map(|model| model.url.as_str())),
            reach(ctx, ctx.config.camera.as_ref().map(|camera| camera.url.as_str())),
            reach_model(model),
        );
        let seen = jobs.0.zip(heartbeat.0);
        Self {
            at,
            database: database.1,
            queue: if unread.1.has_failed() { unread.1 } else { jobs.1 },
            storage: storage.1,
            roboflow,
            camera,
            model,
            pending_jobs: jobs.0.map(Messages::all),
            failed_jobs: unread.0.zip(dead.0).map(|(unread, dead)| unread.all() + dead),
            worker_stalls: seen.and_then(|(messages, heartbeat)| worker_stalls(messages, heartbeat, at)),
            jobs_are_late: seen.is_some_and(|(messages, heartbeat)| jobs_are_late(messages, heartbeat, at)),
            figures: counts.0.as_deref().map(Figures::of).unwrap_or_default(),
            active_sessions: active.0,
        }
    }

    /// Whether the backend can do its work: without database or queue it can't.
    pub fn is_healthy(&self) -> bool {
        !self.database.has_failed() && !self.queue.has_failed()
    }

    /// Whether it does its work as it was set up to: a planner's own model is there too, although the built-in one
    /// answers while it is not.
    pub fn is_ready(&self) -> bool {
        self.is_healthy() && !self.model.has_failed()
    }

    /// Whether something is wrong that the backend can work without.
    pub fn is_degraded(&self) -> bool {
        let failed =
            [&self.storage, &self.roboflow, &self.camera, &self.model].iter().any(|service| service.has_failed());
        let jobs = self.failed_jobs.is_some_and(|jobs| jobs > 0) || self.jobs_are_late;
        failed || jobs || self.worker_stalls == Some(true) || self.figures.webhooks_fail == Some(true)
    }
}

/// Asks one dependency, with its deadline: its answer, and how it did.
async fn ask<T, E>(question: impl Future<Output = Result<T, E>>) -> (Option<T>, Service)
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let started = Instant::now();
    let outcome = tokio::time::timeout(DEADLINE, question).await;
    let latency = started.elapsed();
    match outcome {
        Ok(Ok(answer)) => (Some(answer), Service::Operational { latency }),
        Ok(Err(err)) => (None, Service::Failed { latency, error: chain(&*err.into()) }),
        Err(_) => (None, Service::Failed { latency, error: format!("no answer in {} ms", DEADLINE.as_millis()) }),
    }
}

/// An error with all its causes.
fn chain(err: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(err), |err| err.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// A provider that is configured is asked whether it answers at all.
async fn reach(ctx: &Context, url: Option<&str>) -> Service {
    match url {
        Some(url) => ask(provider::reachable(&ctx.http, url)).await.1,
        None => Service::NotConfigured,
    }
}

async fn reach_model(model: Option<&RemoteModel>) -> Service {
    match model {
        Some(model) => ask(model.reachable()).await.1,
        None => Service::NotConfigured,
    }
}

/// The messages of a queue.
async fn messages(ctx: &Context, queue_url: &str) -> Result<Messages, String> {
    const COUNTS: [QueueAttributeName; 3] = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
    ];
    let attributes =
        ctx.aws.sqs().await.get_queue_attributes().queue_url(queue_url).set_attribute_names(Some(COUNTS.to_vec()));
    let output = attributes.send().await.map_err(|err| aws_sdk_sqs::error::DisplayErrorContext(err).to_string())?;
    let counts = output.attributes.unwrap_or_default();
    let count = |name| counts.get(name).and_then(|count| count.parse::<u64>().ok()).ok_or_else(|| format!("no {name}"));
    let [visible, in_flight, delayed] = &COUNTS;
    Ok(Messages { waiting: count(visible)?, taken: count(in_flight)? + count(delayed)? })
}
