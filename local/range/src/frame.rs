#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "pixel centres and colours are single precision"
)]
//! Painting a frame of a scene.

use image::{ExtendedColorType, ImageEncoder, ImageError, codecs::jpeg::JpegEncoder, codecs::png::PngEncoder};
use shared::domain::position::Position;

use crate::{
    backdrop::{Backdrop, Bar},
    canvas::{Canvas, Colour, in_bands, mix, scale},
    dice::Dice,
    light::Light,
    paint_holes::paint_holes,
    print::Mark,
    scene::{Scene, Subject},
    sensor::Sensor,
    sheet::Sheet,
    texture::smoothstep,
    view::{Projection, View},
};

/// A hole as it is, and where the frame shows it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrueHole {
    /// Index of the shot in its scene.
    pub index: usize,
    pub position: Position,
    /// Continuous pixel coordinates: the first pixel's centre is (0.5, 0.5).
    pub x_px: f64,
    pub y_px: f64,
    pub diameter_mm: f64,
}

/// A frame, and what is true of it.
#[derive(Debug, Clone)]
pub struct RenderedFrame {
    pub width: u32,
    pub height: u32,
    /// Red, green, blue, row by row.
    pub pixels: Vec<u8>,
    pub jpeg_quality: u8,
    /// Holes that are drawn in the frame; none where there is no target.
    pub truth: Vec<TrueHole>,
    /// Where the target's centre is seen.
    pub centre_px: (f64, f64),
    pub view: View,
}

impl RenderedFrame {
    pub fn jpeg(&self) -> Result<Vec<u8>, ImageError> {
        let mut bytes = Vec::with_capacity(self.pixels.len() / 4);
        JpegEncoder::new_with_quality(&mut bytes, self.jpeg_quality).write_image(
            &self.pixels,
            self.width,
            self.height,
            ExtendedColorType::Rgb8,
        )?;
        Ok(bytes)
    }

    pub fn png(&self) -> Result<Vec<u8>, ImageError> {
        let mut bytes = Vec::with_capacity(self.pixels.len());
        PngEncoder::new(&mut bytes).write_image(&self.pixels, self.width, self.height, ExtendedColorType::Rgb8)?;
        Ok(bytes)
    }
}

/// The things in front of the camera, made from the scene's seed.
struct Stage {
    sheet: Sheet,
    backdrop: Backdrop,
    bars: Vec<Bar>,
    light: Light,
    sensor: Sensor,
    projection: Projection,
    /// Where the paper's shadow falls on the wall, and how dark it is.
    shadow: (f32, f32, f32),
    target_radius: f32,
    subject: Subject,
}

impl Scene {
    /// A frame that shows the first `visible_shots` holes. `nudge_seed` moves the camera a little, changes the light and
    /// the noise; 0 leaves the camera where the scene has it.
    pub fn frame(&self, visible_shots: usize, nudge_seed: u64) -> RenderedFrame {
        let mut nudge = Dice::for_purpose(self.stream(4).seed() ^ nudge_seed, 4);
        let view = if nudge_seed == 0 { self.view } else { self.view.nudged(&mut nudge) };
        let stage = Stage::new(self, &view, nudge_seed, &mut nudge);
        let mut canvas = Canvas::new(view.width, view.height);
        let mut truth = Vec::new();
        if self.subject != Subject::Noise {
            stage.paint_surfaces(&mut canvas);
        }
        if matches!(self.subject, Subject::Target | Subject::BarePaper) {
            stage.paint_marks(&mut canvas);
        }
        if self.subject == Subject::Target {
            let holes: Vec<_> = self.shots.iter().enumerate().take(visible_shots).filter(|(_, h)| !h.hidden).collect();
            paint_holes(&mut canvas, self, &holes, &stage.sheet, &stage.projection, stage.light.from);
            truth.extend(holes.iter().map(|(index, hole)| {
                let (x_px, y_px) = stage.projection.to_px(hole.position);
                TrueHole { index: *index, position: hole.position, x_px, y_px, diameter_mm: hole.diameter_mm }
            }));
        }
        RenderedFrame {
            width: view.width,
            height: view.height,
            pixels: stage.sensor.expose(canvas, &stage.light, nudge.seed()),
            jpeg_quality: stage.sensor.jpeg_quality,
            truth,
            centre_px: stage.projection.to_px(Position::CENTRE),
            view,
        }
    }
}

impl Stage {
    fn new(scene: &Scene, view: &View, nudge_seed: u64, nudge: &mut Dice) -> Self {
        let mut dice = scene.stream(5);
        let radius_mm = scene.target.rings().outermost_mm() / 2.0;
        let light = Light::new(&scene.view, radius_mm * scene.view.pixels_per_mm, &mut dice);
        let sheet = Sheet::new(scene.target, scene.subject == Subject::Target, &mut dice);
        Self {
            light: if nudge_seed == 0 { light } else { light.nudged(view, nudge) },
            bars: Bar::choose(radius_mm, sheet.half_mm, &mut dice),
            sheet,
            backdrop: Backdrop::choose(&mut dice),
            sensor: Sensor::choose(&mut dice),
            projection: view.projection(),
            shadow: (-light.from.0 * dice.tint(0.0, 0.08), -light.from.1 * dice.tint(0.0, 0.08), dice.tint(0.1, 0.7)),
            target_radius: radius_mm as f32,
            subject: scene.subject,
        }
    }

    fn paint_surfaces(&self, canvas: &mut Canvas) {
        let rows = self.projection.rows_to_mm();
        let pixel_mm = self.projection.pixel_mm(Position::CENTRE) as f32;
        let stride = canvas.width * 3;
        in_bands(&mut canvas.data, stride, |first, band| {
            for (y, line) in band.chunks_exact_mut(stride).enumerate() {
                let py = (first + y) as f64 + 0.5;
                let [at_u, at_v, at_w] = rows.map(|row| row[1] * py + row[2]);
                for (x, pixel) in line.chunks_exact_mut(3).enumerate() {
                    let px = x as f64 + 0.5;
                    let per_w = (rows[2][0] * px + at_w).recip();
                    let (x_mm, y_mm) = ((rows[0][0] * px + at_u) * per_w, (rows[1][0] * px + at_v) * per_w);
                    pixel.copy_from_slice(&self.surface(x_mm as f32, y_mm as f32, pixel_mm));
                }
            }
        });
    }

    fn surface(&self, x_mm: f32, y_mm: f32, pixel_mm: f32) -> Colour {
        if self.subject == Subject::Wall {
            return self.wall(x_mm, y_mm);
        }
        let outside = self.sheet.outside_mm(x_mm, y_mm) / pixel_mm;
        let on_paper = (0.5 - outside).clamp(0.0, 1.0);
        let mut colour = [0.0; 3];
        if on_paper < 1.0 {
            let (dx, dy, strength) = self.shadow;
            let (sx, sy) = (x_mm - dx * self.target_radius, y_mm - dy * self.target_radius);
            let soft = self.target_radius * 0.04;
            let shade = 1.0 - strength * (1.0 - smoothstep(-soft, soft, self.sheet.outside_mm(sx, sy)));
            colour = scale(self.wall(x_mm, y_mm), shade);
        }
        if on_paper > 0.0 {
            let mirrored = self.light.sheen(x_mm / self.target_radius, y_mm / self.target_radius);
            colour = mix(colour, self.sheet.at(x_mm, y_mm, pixel_mm, mirrored), on_paper);
        }
        self.bars.iter().fold(colour, |under, bar| bar.over(under, x_mm, y_mm, pixel_mm))
    }

    /// The wall in millimetres that fit the target's size, so that small targets have no giant planks behind them.
    fn wall(&self, x_mm: f32, y_mm: f32) -> Colour {
        let fit = 120.0 / self.target_radius;
        self.backdrop.at(x_mm * fit, y_mm * fit)
    }

    fn paint_marks(&self, canvas: &mut Canvas) {
        for mark in self.sheet.print.marks.iter().chain(&self.sheet.notes) {
            self.paint_mark(canvas, mark);
        }
    }

    fn paint_mark(&self, canvas: &mut Canvas, mark: &Mark) {
        let (left, bottom, right, top) = mark.bounds_mm();
        let middle = Position::new((left + right) / 2.0, (bottom + top) / 2.0);
        let radius = (right - left).hypot(top - bottom) / 2.0;
        let pixel_mm = self.projection.pixel_mm(middle);
        let ink = self.sheet.ink(mark.ink);
        let pixels = canvas.clip(self.projection.disc_px(middle, radius + pixel_mm)).pixels();
        for (x, y, px, py) in pixels {
            let at = self.projection.to_mm(px, py);
            if at.x_mm < left - pixel_mm
                || at.x_mm > right + pixel_mm
                || at.y_mm < bottom - pixel_mm
                || at.y_mm > top + pixel_mm
            {
                continue;
            }
            let inside = (mark.width_mm / 2.0 - mark.distance_mm(at.x_mm, at.y_mm)) / pixel_mm;
            // A stroke thinner than a pixel never covers one.
            let share = (inside + 0.5).clamp(0.0, 1.0).min(mark.width_mm / pixel_mm);
            if share > 0.0 && self.sheet.outside_mm(at.x_mm as f32, at.y_mm as f32) < 0.0 {
                canvas.set(x, y, mix(canvas.get(x, y), ink, share as f32));
            }
        }
    }
}
