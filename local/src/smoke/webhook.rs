//! A watch's day: a signed webhook, and the metric that comes of it.

use std::time::{Duration, Instant};

use chrono::Days;
use serde_json::{Value, json};

use super::report::{Report, expect};
use super::target::Target;
use super::{Failure, SEED};
use crate::athlete::{Athlete, Device, Samples};
use crate::system;
use crate::terra::{Terra, Webhook};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(500);
const METRIC: &str = "steps";

/// None where a step failed that the rest builds on.
pub async fn check(target: &Target, report: &mut Report, wait: Duration) -> Option<()> {
    let steps = count_of_steps();
    let webhook = yesterday(target, steps);
    report.step("webhook-terra without a signature", refused(target, &webhook)).await;
    let Some(terra) = &target.terra else {
        report.skip("webhook-terra", "TERRA_SIGNING_SECRET is not set");
        report.skip("latest-metrics", "no webhook was sent");
        return None;
    };
    report.step("webhook-terra", accepted(terra, &webhook)).await?;
    report.step("latest-metrics", shown(target, steps, wait)).await
}

/// Another count each time, so that what is shown is this webhook's.
fn count_of_steps() -> i32 {
    6_000 + i32::try_from(system::now_ms().rem_euclid(6_000)).unwrap_or_default()
}

/// Of one watch for each user: what is sent later takes the place of what was sent before.
fn yesterday(target: &Target, steps: i32) -> Webhook {
    let user = target.client.user;
    let watch =
        Device { terra_user_id: format!("smoke-{user}"), provider: "GARMIN", reference_id: Some(user.to_string()) };
    let now = system::now();
    let athlete = Athlete::new(SEED, now);
    let mut day = athlete.day(athlete.today() - Days::new(1), Samples::Never);
    day["distance_data"] = json!({ "steps": steps, "distance_meters": steps * 3 / 4 });
    Webhook::new(watch.event("daily", &[day]).to_string())
        .trace_id(format!("smoke-{}", system::new_id()))
        .ordered_at(now.timestamp_millis())
}

/// A backend that takes what anybody sends is worse than one that takes nothing.
async fn refused(target: &Target, webhook: &Webhook) -> Result<((), String), Failure> {
    let response = target.client.post_as_nobody("webhook-terra", webhook.body.clone()).send().await?;
    let status = response.status();
    expect(status == 401, || format!("it was answered {status}, not 401"))?;
    Ok(((), "401".into()))
}

/// Sent again as Terra would: what is answered 429 or 5xx is not lost.
async fn accepted(terra: &Terra, webhook: &Webhook) -> Result<((), String), Failure> {
    let mut attempt = 1;
    loop {
        let response = terra.send(webhook).await?;
        let status = response.status();
        if attempt < 3 && (status == 429 || status.is_server_error()) {
            attempt += 1;
            tokio::time::sleep(LOOK).await;
            continue;
        }
        let text = response.text().await?;
        expect(status.is_success(), || format!("{status}: {text}"))?;
        let answer: Value = serde_json::from_str(&text)?;
        expect(answer["status"] == "queued", || format!("status is {}, not queued", answer["status"]))?;
        return Ok(((), if attempt == 1 { "queued".into() } else { format!("queued, at attempt {attempt}") }));
    }
}

/// Waits until the metric is there.
async fn shown(target: &Target, steps: i32, wait: Duration) -> Result<((), String), Failure> {
    let started = Instant::now();
    let route = format!("latest-metrics/{}?metrics={METRIC}", target.client.user);
    loop {
        let answer = target.client.get(&route).await?;
        let row = answer["metrics"].as_array().and_then(|rows| rows.first()).cloned().unwrap_or_default();
        if row["value"].as_f64().is_some_and(|value| (value - f64::from(steps)).abs() < 0.5) {
            return Ok(((), format!("{steps} {METRIC}, confidence {}", row["confidence"])));
        }
        expect(started.elapsed() < wait, || {
            format!("after {} s {METRIC} is {}, and {steps} were sent", wait.as_secs(), row["value"])
        })?;
        tokio::time::sleep(LOOK).await;
    }
}
