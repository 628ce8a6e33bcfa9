//! One shooting session: frames in, scored shots and a report out.

use std::path::Path;

use serde_json::json;
use shared::domain::target::TargetType;
use uuid::Uuid;

use super::{DemoOptions, Failure, client::Client};
use crate::{
    Stack,
    camera::{RangeCamera, SceneOrder},
};

mod figures;
mod pictures;
mod verdict;

use figures::Figures;
use verdict::Verdict;

/// Where the demo writes the plot and the report.
const OUTPUT: &str = "target/demo";
/// Shots of the demo's own session, and the frames that show them: one without a hole, one a shot, one more at the end.
const SHOTS: usize = 10;
const FRAMES: u32 = 12;

/// Runs the session; true only if all that was found is right.
pub async fn run(stack: &Stack, options: &DemoOptions) -> Result<bool, Failure> {
    println!("\nA shooting session: frames of a target come in, every shot is found, scored and counted once.\n");
    let client = Client::new(stack, "user");
    let camera = stack.camera().ok_or("the stack has no camera")?;
    let session = start(&client, target(options)).await?;
    let mut figures = Figures::default();
    match &options.frames {
        Some(folder) => own_frames(&client, session, folder, &mut figures).await?,
        None => camera_frames(camera, &client, session, options, &mut figures).await?,
    }
    let ended = figures
        .time("end-session", client.post("end-session", &json!({ "session_id": session, "end_reason": "completed" })))
        .await?;
    let url = ended["session"]["report_url"].as_str().ok_or("no report_url")?;
    let report = figures.time("report", client.fetch(url)).await?;
    figures::print_result(&ended["session"]);
    let written = figures::write(OUTPUT.as_ref(), &report)?;
    println!("\nplot    {}\nreport  {}\n", written.plot.display(), written.report.display());
    figures.print_times();
    let truth = options.frames.is_none().then(|| camera.truth(session, FRAMES)).flatten();
    let verdict = Verdict::of(truth.as_deref(), figures.detections(), &ended["session"], &report);
    verdict.print();
    Ok(verdict.is_good())
}

/// Starts a session and returns its id.
async fn start(client: &Client, target: TargetType) -> Result<Uuid, Failure> {
    let metadata = json!({ "equipment": "pistol", "target_type": target });
    let body = json!({ "user_id": client.user, "session_type": "practice", "metadata": metadata });
    let started = client.post("start-session", &body).await?;
    Ok(started["session"]["id"].as_str().ok_or("no session id")?.parse()?)
}

/// The range camera's frames, through camera-proxy.
async fn camera_frames(
    camera: &RangeCamera,
    client: &Client,
    session: Uuid,
    options: &DemoOptions,
    figures: &mut Figures,
) -> Result<(), Failure> {
    let hidden_shots = options.hide_shot.map(|shot| shot.saturating_sub(1)).into_iter().collect();
    let scene = SceneOrder {
        target_type: target(options),
        seed: Some(options.seed()),
        shots: SHOTS,
        hidden_shots,
        ..SceneOrder::default()
    };
    camera.set_scene(session, scene)?;
    for number in 1..=FRAMES {
        let wish = json!({ "session_id": session, "frame_number": number });
        let frame = figures.time("camera-proxy", client.post("camera-proxy", &wish)).await?;
        let frame_data = frame["frame_data"].as_str().ok_or("no frame_data")?;
        let body = json!({ "session_id": session, "frame_number": number, "frame_data": frame_data });
        let seen = figures.time("analyze-frame", client.post("analyze-frame", &body)).await?;
        figures.frame(&format!("frame {number:>2}"), &seen["analysis"]);
    }
    Ok(())
}

/// The user's own photographs.
async fn own_frames(client: &Client, session: Uuid, folder: &Path, figures: &mut Figures) -> Result<(), Failure> {
    for (number, path) in (1..).zip(pictures::of(folder)?) {
        let frame_data = pictures::base64_of(&path)?;
        let body = json!({ "session_id": session, "frame_number": number, "frame_data": frame_data });
        let seen = figures.time("analyze-frame", client.post("analyze-frame", &body)).await?;
        figures.frame(&path.file_name().unwrap_or_default().to_string_lossy(), &seen["analysis"]);
    }
    Ok(())
}

fn target(options: &DemoOptions) -> TargetType {
    options.target.unwrap_or(TargetType::AirPistol10m)
}
