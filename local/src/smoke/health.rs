//! Whether the backend says of itself that it can work.

use std::time::Duration;

use serde_json::Value;

use super::Failure;
use super::report::{Report, expect};
use super::target::Target;

/// Attempts to have a good answer: a function that has just been deployed gives its dependencies half a second, and keeps
/// what it found for five.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_secs(6);

pub async fn check(target: &Target, report: &mut Report) {
    let live = asked(target, "health-check/live", |answer| {
        expect(answer["status"] == "alive", || format!("status is {}", answer["status"]))?;
        Ok(String::new())
    });
    report.step("health-check/live", live).await;
    let ready = asked(target, "health-check/ready", |answer| {
        expect(answer["ready"] == true, || "it is not ready".into())?;
        Ok(String::new())
    });
    report.step("health-check/ready", ready).await;
    let whole = asked(target, "health-check", |answer| {
        // A camera that is away makes it degraded, which is for people to judge.
        let status = answer["status"].as_str().unwrap_or("no status");
        expect(["healthy", "degraded"].contains(&status), || status.to_owned())?;
        Ok(format!("{status}, version {}", answer["version"].as_str().unwrap_or("?")))
    });
    report.step("health-check", whole).await;
}

async fn asked(
    target: &Target,
    route: &str,
    judge: impl Fn(&Value) -> Result<String, Failure>,
) -> Result<((), String), Failure> {
    let mut attempt = 1;
    loop {
        let judged = target.client.get(route).await.and_then(|answer| judge(&answer));
        match judged {
            Ok(found) => return Ok(((), found)),
            Err(error) if attempt >= ATTEMPTS => return Err(error),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
        attempt += 1;
    }
}
