//! Writes rendered frames and their truth to a folder:
//! `cargo run --release --example render -- --out DIR [--count N] [--target T] [--backing B] [--seed S] [--pairs N]
//! [--shots N] [--tilt DEGREES] [--width W --height H] [--subject target|bare_paper|wall|noise] [--png] [--session]`.
//!
//! `--session` writes one session of `--count` frames (0, 1, 2 … shots, the camera nudged) instead of separate scenes.

use std::{error::Error, fs, path::PathBuf, time::Instant};

use range_camera::{Backing, RenderedFrame, Scene, SceneSpec, Subject};
use serde_json::{Value, json};
use shared::domain::target::TargetType;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = pico_args::Arguments::from_env();
    let out: PathBuf = args.value_from_str("--out")?;
    let count: u64 = args.opt_value_from_str("--count")?.unwrap_or(10);
    let seed: u64 = args.opt_value_from_str("--seed")?.unwrap_or(1);
    let target: Option<String> = args.opt_value_from_str("--target")?;
    let target = target.as_deref().map_or(Some(TargetType::AirPistol10m), TargetType::from_name);
    let target = target.ok_or("--target is not known")?;
    let backing: Option<String> = args.opt_value_from_str("--backing")?;
    let subject: Option<String> = args.opt_value_from_str("--subject")?;
    let default = SceneSpec::default();
    let spec = SceneSpec {
        width: args.opt_value_from_str("--width")?.unwrap_or(default.width),
        height: args.opt_value_from_str("--height")?.unwrap_or(default.height),
        shots: args.opt_value_from_str("--shots")?.unwrap_or(default.shots),
        overlapping_pairs: args.opt_value_from_str("--pairs")?.unwrap_or(0),
        backing: backing.map(|name| Backing::from_name(&name).ok_or("--backing is not known")).transpose()?,
        tilt_deg: args.opt_value_from_str("--tilt")?,
        subject: subject.map_or(Ok(Subject::Target), |name| serde_json::from_value(json!(name)))?,
    };
    let (png, session) = (args.contains("--png"), args.contains("--session"));
    fs::create_dir_all(&out)?;
    let mut truth = Vec::new();
    for number in 0..count {
        let scene = Scene::random(target, if session { seed } else { seed + number }, &spec);
        let started = Instant::now();
        let shots = usize::try_from(number)?;
        let frame = if session { scene.frame(shots, number) } else { scene.frame(usize::MAX, 0) };
        let painted = started.elapsed();
        let bytes = if png { frame.png()? } else { frame.jpeg()? };
        let name = format!("{}_{:04}.{}", target.name(), number, if png { "png" } else { "jpg" });
        println!("{name}: painted in {painted:.1?}, encoded after {:.1?}", started.elapsed());
        fs::write(out.join(&name), bytes)?;
        truth.push(describe(&name, &scene, &frame));
    }
    fs::write(out.join("truth.json"), serde_json::to_vec_pretty(&truth)?)?;
    Ok(())
}

fn describe(name: &str, scene: &Scene, frame: &RenderedFrame) -> Value {
    let rings = scene.target.rings();
    let holes: Vec<Value> = frame
        .truth
        .iter()
        .map(|hole| {
            json!({
                "index": hole.index, "x_mm": hole.position.x_mm, "y_mm": hole.position.y_mm,
                "x_px": hole.x_px, "y_px": hole.y_px, "diameter_mm": hole.diameter_mm,
                "score": rings.score(hole.position.radius_um()),
            })
        })
        .collect();
    json!({
        "file": name, "target": scene.target, "seed": scene.seed, "backing": scene.backing, "subject": scene.subject,
        "view": frame.view, "centre_px": frame.centre_px, "holes": holes,
    })
}
