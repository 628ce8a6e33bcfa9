//! A photograph instead of rendered frames.
//!
//! Annotations are `{"<file name>": [[x, y], …]}`, hole centres in pixels of the upright picture; `scale` is the size of
//! the picture that they were made on, as a share of the original's.

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Instant;

use analyze_frame::detector::builtin::{Detection, detect};
use serde_json::Value;
use shared::domain::{frame::DecodedFrame, target::TargetType};

use crate::matching::nearest_first;

pub fn run(path: &Path, target: TargetType, annotations: Option<&Path>, scale: f64) -> Result<(), Box<dyn Error>> {
    let bytes = fs::read(path)?;
    let started = Instant::now();
    let decoded = DecodedFrame::decode(&bytes)?;
    let decode = started.elapsed();
    let started = Instant::now();
    let detection = detect(&decoded, target);
    println!("{}: decoded in {decode:.1?}, looked at in {:.1?}", decoded.info.resolution(), started.elapsed());
    let Some(located) = &detection.target else {
        println!("no target");
        return Ok(());
    };
    let (x, y) = located.centre_px;
    let scale_px = located.pixels_per_mm;
    println!("target at ({x:.1}, {y:.1}), {scale_px:.3} px/mm, confidence {:.2}", located.confidence);
    for hole in &detection.holes {
        let position = hole.position;
        println!(
            "hole at ({:.1}, {:.1}) px, ({:+.2}, {:+.2}) mm, score {}, confidence {:.2}",
            hole.x_px,
            hole.y_px,
            position.x_mm,
            position.y_mm,
            target.rings().score(position.radius_um()),
            hole.confidence,
        );
    }
    match annotations {
        Some(annotations) => compare(&read(annotations, path, scale)?, &detection, target, scale_px),
        None => Ok(()),
    }
}

fn read(annotations: &Path, photo: &Path, scale: f64) -> Result<Vec<[f64; 2]>, Box<dyn Error>> {
    let mut files: HashMap<String, Value> = serde_json::from_slice(&fs::read(annotations)?)?;
    let name = photo.file_name().and_then(|name| name.to_str()).ok_or("the photograph has no name")?;
    let holes = files.remove(name).ok_or_else(|| format!("no annotations for {name}"))?;
    let holes: Vec<[f64; 2]> = serde_json::from_value(holes)?;
    Ok(holes.into_iter().map(|[x, y]| [x / scale, y / scale]).collect())
}

fn compare(
    truth: &[[f64; 2]],
    detection: &Detection,
    target: TargetType,
    pixels_per_mm: f64,
) -> Result<(), Box<dyn Error>> {
    let distance = |t: usize, f: usize| {
        let hole = &detection.holes[f];
        (truth[t][0] - hole.x_px).hypot(truth[t][1] - hole.y_px) / pixels_per_mm
    };
    let matches = nearest_first(truth.len(), detection.holes.len(), target.rings().calibre_mm() / 2.0, distance);
    for (t, found) in matches.iter().enumerate() {
        let [x, y] = truth[t];
        match found {
            Some(f) => println!("({x:.0}, {y:.0}) found, {:.2} mm off", distance(t, *f)),
            None => println!("({x:.0}, {y:.0}) MISSED"),
        }
    }
    let found = matches.iter().flatten().count();
    println!("{found} of {} found, {} found elsewhere", truth.len(), detection.holes.len() - found);
    Ok(())
}
