//! The answer, as the API has it.

use serde_json::{Value, json};
use shared::{Context, clock::rfc3339};

use crate::checks::{Report, Service};

/// What everyone may see: no error texts.
pub fn public(ctx: &Context, report: &Report) -> Value {
    body(ctx, report, &|service| match service {
        Service::Operational { latency } => json!({ "status": "operational", "latency_ms": millis(*latency) }),
        Service::Failed { .. } => json!({ "status": "failed" }),
        Service::NotConfigured => json!({ "status": "not_configured" }),
    })
}

/// What those who run the system see.
pub fn detailed(ctx: &Context, report: &Report) -> Value {
    body(ctx, report, &|service| match service {
        Service::Operational { latency } => json!({ "status": "operational", "latency_ms": millis(*latency) }),
        Service::Failed { latency, error } => {
            json!({ "status": "failed", "latency_ms": millis(*latency), "error": error })
        }
        Service::NotConfigured => json!({ "status": "not_configured" }),
    })
}

fn body(ctx: &Context, report: &Report, service: &dyn Fn(&Service) -> Value) -> Value {
    let figures = &report.figures;
    json!({
        "status": status(report),
        "timestamp": rfc3339(report.at),
        "version": env!("CARGO_PKG_VERSION"),
        "services": {
            "database": service(&report.database),
            "queue": service(&report.queue),
            "storage": service(&report.storage),
            "roboflow": service(&report.roboflow),
            "camera": service(&report.camera),
            "model": model(&report.model, service),
        },
        "checks": {
            "database": if report.database.has_failed() { "failed" } else { "ok" },
            "database_latency_ms": match &report.database {
                Service::Operational { latency } => Some(millis(*latency)),
                _ => None,
            },
            "jobWorker": report.worker_stalls.map(|stalls| if stalls { "stalled" } else { "ok" }),
            "cacheHitRate": figures.cache_hit_rate,
            "avgConfidence": figures.avg_confidence,
            "webhookSuccessRate": figures.webhook_success_rate,
            "webhookStatus": figures.webhooks_fail.map(|fail| if fail { "degraded" } else { "ok" }),
            "pendingJobs": report.pending_jobs,
            "failedJobs": report.failed_jobs,
        },
        "system": {
            "uptime_ms": millis(ctx.uptime()),
            "memory_usage_mb": resident_mb(),
            "active_sessions": report.active_sessions,
        },
    })
}

/// The built-in model is part of predict, and so there whenever predict is.
fn model(remote: &Service, service: &dyn Fn(&Service) -> Value) -> Value {
    if let Service::NotConfigured = remote {
        return json!({ "status": "operational", "kind": "builtin" });
    }
    let mut model = service(remote);
    model["kind"] = json!("grpc");
    model
}

fn status(report: &Report) -> &'static str {
    match (report.is_healthy(), report.is_degraded()) {
        (false, _) => "unhealthy",
        (true, true) => "degraded",
        (true, false) => "healthy",
    }
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Resident memory of this process, where the system tells (`VmRSS` of Linux' /proc, in kB).
fn resident_mb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes.div_ceil(1024))
}
