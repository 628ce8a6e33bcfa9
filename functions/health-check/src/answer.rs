//! The answers, as the API has them.

use std::time::Duration;

use serde::Serialize;
use shared::{Context, clock::rfc3339};
use utoipa::ToSchema;

use crate::checks::{Report, Service};

/// That it runs.
#[derive(Debug, Serialize, ToSchema)]
pub struct Life {
    /// Always `alive`.
    pub status: &'static str,
    #[schema(format = DateTime)]
    pub timestamp: String,
}

/// Whether requests should be sent here.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readiness {
    pub ready: bool,
    /// When the dependencies were asked.
    #[schema(format = DateTime)]
    pub timestamp: String,
}

/// How the backend does. No figure is made up: where there is nothing to tell, it is null.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `unhealthy` without database or queue, `degraded` where something else is wrong, else `healthy`.
    status: Verdict,
    /// When the dependencies were asked.
    #[schema(format = DateTime)]
    timestamp: String,
    version: &'static str,
    services: Services,
    checks: Checks,
    system: System,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = HealthVerdict)]
enum Verdict {
    Healthy,
    Degraded,
    Unhealthy,
}

/// What the backend depends on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HealthServices)]
struct Services {
    database: State,
    queue: State,
    storage: State,
    roboflow: State,
    camera: State,
    model: Model,
}

/// One dependency.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HealthOfService)]
struct State {
    status: Standing,
    /// How long it took to answer; for those who run the system also how long to fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    latency_ms: Option<u64>,
    /// What it failed with, for those who run the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = HealthStanding)]
enum Standing {
    Operational,
    Failed,
    NotConfigured,
}

/// What predicts engines' lives.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HealthOfModel)]
struct Model {
    #[serde(flatten)]
    state: State,
    /// `grpc` where a planner's own model is asked, else `builtin`.
    kind: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = HealthChecks)]
struct Checks {
    /// `ok` or `failed`.
    database: &'static str,
    #[serde(rename = "database_latency_ms")]
    database_latency_ms: Option<u64>,
    /// `ok`, or `stalled` where jobs wait and nobody works on them.
    job_worker: Option<&'static str>,
    pending_jobs: Option<u64>,
    failed_jobs: Option<u64>,
    /// Per cent of the metrics scored in a day whose confidence was 80 or better.
    cache_hit_rate: Option<String>,
    /// Mean of the day's confidences, in per cent.
    avg_confidence: Option<String>,
    /// Per cent, of this hour and the one before.
    webhook_success_rate: Option<String>,
    /// `ok` or `degraded`.
    webhook_status: Option<&'static str>,
}

/// The instance that answers, and what is going on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HealthOfSystem)]
struct System {
    uptime_ms: u64,
    memory_usage_mb: Option<u64>,
    active_sessions: Option<usize>,
}

impl Health {
    /// What everyone may see: no error texts.
    pub fn public(ctx: &Context, report: &Report) -> Self {
        Self::of(ctx, report, State::public)
    }

    /// What those who run the system see.
    pub fn detailed(ctx: &Context, report: &Report) -> Self {
        Self::of(ctx, report, State::detailed)
    }

    fn of(ctx: &Context, report: &Report, state: fn(&Service) -> State) -> Self {
        Self {
            status: Verdict::of(report),
            timestamp: rfc3339(report.at),
            version: env!("CARGO_PKG_VERSION"),
            services: Services {
                database: state(&report.database),
                queue: state(&report.queue),
                storage: state(&report.storage),
                roboflow: state(&report.roboflow),
                camera: state(&report.camera),
                model: Model::of(&report.model, state),
            },
            checks: Checks::of(report),
            system: System {
                uptime_ms: millis(ctx.uptime()),
                memory_usage_mb: resident_mb(),
                active_sessions: report.active_sessions,
            },
        }
    }
}

impl State {
    fn public(service: &Service) -> Self {
        match service {
            Service::Failed { .. } => Self { status: Standing::Failed, latency_ms: None, error: None },
            other => Self::detailed(other),
        }
    }

    fn detailed(service: &Service) -> Self {
        let (status, latency, error) = match service {
            Service::Operational { latency } => (Standing::Operational, Some(latency), None),
            Service::Failed { latency, error } => (Standing::Failed, Some(latency), Some(error.clone())),
            Service::NotConfigured => (Standing::NotConfigured, None, None),
        };
        Self { status, latency_ms: latency.copied().map(millis), error }
    }
}

impl Model {
    /// The built-in model is part of predict, and so there whenever predict is.
    fn of(remote: &Service, state: fn(&Service) -> State) -> Self {
        match remote {
            Service::NotConfigured => {
                Self { state: State { status: Standing::Operational, latency_ms: None, error: None }, kind: "builtin" }
            }
            remote => Self { state: state(remote), kind: "grpc" },
        }
    }
}

impl Checks {
    fn of(report: &Report) -> Self {
        let figures = report.figures.clone();
        Self {
            database: if report.database.has_failed() { "failed" } else { "ok" },
            database_latency_ms: match &report.database {
                Service::Operational { latency } => Some(millis(*latency)),
                _ => None,
            },
            job_worker: report.worker_stalls.map(|stalls| if stalls { "stalled" } else { "ok" }),
            pending_jobs: report.pending_jobs,
            failed_jobs: report.failed_jobs,
            cache_hit_rate: figures.cache_hit_rate,
            avg_confidence: figures.avg_confidence,
            webhook_success_rate: figures.webhook_success_rate,
            webhook_status: figures.webhooks_fail.map(|fail| if fail { "degraded" } else { "ok" }),
        }
    }
}

impl Verdict {
    fn of(report: &Report) -> Self {
        match (report.is_healthy(), report.is_degraded()) {
            (false, _) => Self::Unhealthy,
            (true, true) => Self::Degraded,
            (true, false) => Self::Healthy,
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Resident memory of this process, where the system tells (`VmRSS` of Linux' /proc, in kB).
fn resident_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes.div_ceil(1024))
}
