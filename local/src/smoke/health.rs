//! Whether the backend says of itself that it can work.

use super::report::{Report, expect};
use super::target::Target;

pub async fn check(target: &Target, report: &mut Report) {
    let client = &target.client;
    let live = async {
        let answer = client.get("health-check/live").await?;
        expect(answer["status"] == "alive", || format!("status is {}", answer["status"]))?;
        Ok(((), String::new()))
    };
    report.step("health-check/live", live).await;
    let ready = async {
        let answer = client.get("health-check/ready").await?;
        expect(answer["ready"] == true, || "it is not ready: database or queue".into())?;
        Ok(((), String::new()))
    };
    report.step("health-check/ready", ready).await;
    let whole = async {
        let answer = client.get("health-check").await?;
        // A camera that is away makes it degraded, which is for people to judge.
        let status = answer["status"].as_str().unwrap_or("no status");
        expect(["healthy", "degraded"].contains(&status), || status.to_owned())?;
        Ok(((), format!("{status}, version {}", answer["version"].as_str().unwrap_or("?"))))
    };
    report.step("health-check", whole).await;
}
