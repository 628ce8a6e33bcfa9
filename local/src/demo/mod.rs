//! `cargo demo`: one session from its start to its report, through HTTP, against the local stack.

use std::{error::Error, path::PathBuf, time::Instant};

use serde_json::json;
use shared::domain::target::TargetType;
use uuid::Uuid;

use crate::{
    Binaries, Stack, StackOptions,
    camera::{RangeCamera, SceneOrder},
};

mod client;
mod figures;
mod verdict;

use client::Client;
use figures::Figures;
use verdict::Verdict;

/// Where the demo writes the plot and the report.
const OUTPUT: &str = "target/demo";
/// The scene before the camera, the same each time unless another is asked for.
const SEED: u64 = 2026;
/// Shots of the demo's own session, and the frames that show them: one without a hole, one a shot, one more at the end.
const SHOTS: usize = 10;
const FRAMES: u32 = 12;

type Failure = Box<dyn Error + Send + Sync>;

/// What the demo is to show.
#[derive(Debug, Clone, Default)]
pub struct DemoOptions {
    /// The user's own photographs, in the order of their names, in place of the range camera's frames.
    pub frames: Option<PathBuf>,
    /// By default the air pistol's.
    pub target: Option<TargetType>,
    pub seed: Option<u64>,
    /// A shot, counted from 1, that is fired and never seen: to see the demo fail.
    pub hide_shot: Option<usize>,
    /// Release builds of the functions.
    pub release: bool,
}

/// Runs the demo with progress on the terminal; true only if all that was found is right.
///
/// # Errors
/// Whatever kept the session from running to its end.
pub async fn run(options: &DemoOptions) -> Result<bool, Failure> {
    let started = Instant::now();
    println!("building the functions and starting the stack …");
    let binaries = if options.release { Binaries::BuildRelease } else { Binaries::default() };
    let stack = Stack::start(StackOptions { binaries, quiet_build: false, ..StackOptions::default() }).await?;
    println!("ready after {:.1} s at {}\n", started.elapsed().as_secs_f64(), stack.base_url());
    let outcome = session(&stack, options).await;
    stack.shutdown().await;
    outcome
}

async fn session(stack: &Stack, options: &DemoOptions) -> Result<bool, Failure> {
    let client = Client::new(stack);
    let camera = stack.camera().ok_or("the stack has no camera")?;
    let session = client.start(target(options)).await?;
    let mut figures = Figures::default();
    match &options.frames {
        Some(folder) => own_frames(&client, session, folder, &mut figures).await?,
        None => camera_frames(camera, &client, session, options, &mut figures).await?,
    }
    let ended = figures
        .time("end-session", client.post("end-session", &json!({ "session_id": session, "end_reason": "completed" })))
        .await?;
    let report = figures.time("report", client.report(&ended)).await?;
    figures::print_result(&ended["session"]);
    let written = figures::write(OUTPUT.as_ref(), &report)?;
    println!("\nplot    {}\nreport  {}\n", written.plot.display(), written.report.display());
    figures.print_times();
    let truth = options.frames.is_none().then(|| camera.truth(session, FRAMES)).flatten();
    let verdict = Verdict::of(truth.as_deref(), figures.detections(), &ended["session"], &report);
    verdict.print();
    Ok(verdict.is_good())
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
        seed: options.seed.or(Some(SEED)),
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
async fn own_frames(
    client: &Client,
    session: Uuid,
    folder: &std::path::Path,
    figures: &mut Figures,
) -> Result<(), Failure> {
    for (number, path) in (1..).zip(client::pictures(folder)?) {
        let body = json!({ "session_id": session, "frame_number": number, "frame_data": client::base64_of(&path)? });
        let seen = figures.time("analyze-frame", client.post("analyze-frame", &body)).await?;
        figures.frame(&path.file_name().unwrap_or_default().to_string_lossy(), &seen["analysis"]);
    }
    Ok(())
}

fn target(options: &DemoOptions) -> TargetType {
    options.target.unwrap_or(TargetType::AirPistol10m)
}
