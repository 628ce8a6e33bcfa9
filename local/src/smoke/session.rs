//! A session of ten shots: two frames of one target, as a range camera would have taken them, and their report.

use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine};
use range_camera::{Scene, SceneSpec, TargetType};
use serde_json::{Value, json};
use uuid::Uuid;

use super::report::{Report, expect};
use super::target::Target;
use super::{Failure, SEED};

/// Shots that each of the two frames shows.
const FRAMES: [usize; 2] = [6, 10];
/// How far a hole may be found from where it is.
const TOLERANCE_MM: f64 = 1.0;
/// How far the total may be off for each shot, in rings.
const SCORE_TOLERANCE: f64 = 0.1;

/// None where a step failed that the rest builds on.
pub async fn check(target: &Target, report: &mut Report) -> Option<()> {
    let scene = Arc::new(Scene::random(TargetType::AirPistol10m, SEED, &SceneSpec::default()));
    let session = report.step("start-session", start(target)).await?;
    report.step("camera-proxy", camera(target, session)).await;
    let mut known = 0;
    for (number, shots) in (1..).zip(FRAMES) {
        let name = format!("analyze-frame, {shots} shots");
        report.step(&name, frame(target, session, &scene, number, shots, known)).await?;
        known = shots;
    }
    let url = report.step("end-session", end(target, session, &scene)).await?;
    report.step("the session's report", read_report(target, &url)).await
}

async fn start(target: &Target) -> Result<(Uuid, String), Failure> {
    let metadata = json!({ "equipment": "pistol", "target_type": TargetType::AirPistol10m });
    let body = json!({ "user_id": target.client.user, "session_type": "training", "metadata": metadata });
    let answer = target.client.post("start-session", &body).await?;
    let id: Uuid = answer["session"]["id"].as_str().and_then(|id| id.parse().ok()).ok_or("no session id")?;
    Ok((id, format!("session {id}")))
}

/// A frame of the camera's, where there is one: a backend without one says so.
async fn camera(target: &Target, session: Uuid) -> Result<((), String), Failure> {
    let wish = json!({ "session_id": session, "frame_number": 1 });
    let (status, answer) = target.client.ask("camera-proxy", &wish).await?;
    if status == 503 && answer["detail"] == "no camera is configured" {
        return Ok(((), "no camera".into()));
    }
    expect(status == 200, || format!("{status}: {answer}"))?;
    let metadata = &answer["frame_metadata"];
    let text = |name: &str| metadata[name].as_str().unwrap_or("?").to_owned();
    Ok(((), format!("{} {}, {}", text("resolution"), text("format"), text("source"))))
}

async fn frame(
    target: &Target,
    session: Uuid,
    scene: &Arc<Scene>,
    number: u32,
    shots: usize,
    known: usize,
) -> Result<((), String), Failure> {
    let picture = rendered(scene, shots, number).await?;
    let body = json!({ "session_id": session, "frame_number": number, "frame_data": BASE64_STANDARD.encode(picture) });
    let answer = target.client.post("analyze-frame", &body).await?;
    let analysis = &answer["analysis"];
    let holes = analysis["detections"].as_array().ok_or("no detections")?;
    let missed = scene.shots.iter().take(shots).filter(|shot| {
        let near = |hole: &Value| {
            let at = |name: &str| hole["position"][name].as_f64().unwrap_or(f64::NAN);
            (at("x_mm") - shot.position.x_mm).hypot(at("y_mm") - shot.position.y_mm) <= TOLERANCE_MM
        };
        !holes.iter().any(near)
    });
    let missed = missed.count();
    expect(missed == 0 && holes.len() == shots, || {
        format!("{} holes were found, {shots} are there, and {missed} of them were missed", holes.len())
    })?;
    let new = holes.iter().filter(|hole| hole["new"] == true).count();
    expect(new == shots - known, || format!("{new} holes are new, not {}", shots - known))?;
    let degraded = if analysis["degraded"] == true { ", degraded" } else { "" };
    let by = analysis["model_version"].as_str().unwrap_or("?");
    Ok(((), format!("{new} new, by {by} in {} ms{degraded}", analysis["processing_time_ms"])))
}

/// The bytes of a frame. Painting it takes a while, and is not the backend's time; it is part of the step all the same.
async fn rendered(scene: &Arc<Scene>, shots: usize, number: u32) -> Result<Vec<u8>, Failure> {
    let scene = Arc::clone(scene);
    Ok(tokio::task::spawn_blocking(move || scene.frame(shots, number.into()).jpeg()).await??)
}

/// Ends the session; its report's address.
async fn end(target: &Target, session: Uuid, scene: &Scene) -> Result<(String, String), Failure> {
    let body = json!({ "session_id": session, "end_reason": "completed" });
    let answer = target.client.post("end-session", &body).await?;
    let statistics = &answer["session"]["statistics"];
    expect(statistics["total_shots"] == scene.shots.len(), || {
        format!("{} shots were counted, {} were fired", statistics["total_shots"], scene.shots.len())
    })?;
    let rings = scene.target.rings();
    let score = |radius| rings.score(radius).as_f64();
    let fired: f64 = scene.shots.iter().map(|shot| score(shot.position.radius_um())).sum();
    let counted = statistics["total_score"].as_f64().unwrap_or(f64::NAN);
    #[expect(clippy::cast_precision_loss, reason = "ten shots")]
    let tolerance = SCORE_TOLERANCE * scene.shots.len() as f64;
    expect((counted - fired).abs() <= tolerance + 1e-9, || {
        format!("the total is {counted:.1}, and {fired:.1} were shot")
    })?;
    let url = answer["session"]["report_url"].as_str().ok_or("no report_url")?;
    Ok((url.to_owned(), format!("{} shots, {counted:.1} rings", statistics["total_shots"])))
}

async fn read_report(target: &Target, url: &str) -> Result<((), String), Failure> {
    let page = target.client.fetch(url).await?;
    let shown = (1..=FRAMES[1]).filter(|shot| page.contains(&format!("data-shot=\"{shot}\""))).count();
    expect(shown == FRAMES[1], || format!("the report shows {shown} shots of {}", FRAMES[1]))?;
    Ok(((), format!("{} KB", page.len() / 1024)))
}
