//! Pictures of what went wrong: true holes green where found and red where missed, found holes blue, inventions yellow.
#![expect(
    clippy::cast_possible_truncation,
    reason = "marks are drawn on whole pixels; beyond the frame nothing is drawn"
)]

use std::error::Error;
use std::fs;
use std::path::Path;

use analyze_frame::detector::builtin::Detection;
use image::{Rgb, RgbImage};
use range_camera::RenderedFrame;

use crate::matching::Outcome;

const GREEN: Rgb<u8> = Rgb([0, 255, 0]);
const RED: Rgb<u8> = Rgb([255, 0, 0]);
const BLUE: Rgb<u8> = Rgb([60, 140, 255]);
const YELLOW: Rgb<u8> = Rgb([255, 255, 0]);

pub fn save(
    folder: &Path,
    name: &str,
    frame: &RenderedFrame,
    detection: &Detection,
    outcome: &Outcome,
) -> Result<(), Box<dyn Error>> {
    let mut picture = RgbImage::from_raw(frame.width, frame.height, frame.pixels.clone())
        .ok_or("the frame's pixels are not as many as its size says")?;
    for (hole, (_, found)) in frame.truth.iter().zip(&outcome.holes) {
        let radius = hole.diameter_mm / 2.0 * frame.view.pixels_per_mm + 6.0;
        circle(&mut picture, (hole.x_px, hole.y_px), radius, if found.is_some() { GREEN } else { RED });
    }
    for (index, hole) in detection.holes.iter().enumerate() {
        let colour = if outcome.invented.contains(&index) { YELLOW } else { BLUE };
        circle(&mut picture, (hole.x_px, hole.y_px), 1.5, colour);
        circle(&mut picture, (hole.x_px, hole.y_px), hole.width_px.max(hole.height_px) / 2.0 + 3.0, colour);
    }
    if let Some(target) = &detection.target {
        circle(&mut picture, target.centre_px, 4.0, BLUE);
    }
    fs::create_dir_all(folder)?;
    picture.save(folder.join(name))?;
    Ok(())
}

fn circle(picture: &mut RgbImage, (x, y): (f64, f64), radius: f64, colour: Rgb<u8>) {
    for step in 0..360_u16 {
        let (sin, cos) = f64::from(step).to_radians().sin_cos();
        let at = ((x + radius * cos) as i64, (y + radius * sin) as i64);
        let (Ok(px), Ok(py)) = (u32::try_from(at.0), u32::try_from(at.1)) else { continue };
        if let Some(pixel) = picture.get_pixel_mut_checked(px, py) {
            *pixel = colour;
        }
    }
}
