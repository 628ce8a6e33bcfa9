#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "light becomes bytes here; values are clamped first"
)]
//! From light to bytes: lens blur, tone curve, sensor noise, chroma resolution.

use crate::{
    canvas::{Canvas, in_bands},
    dice::{Dice, hash},
    light::Light,
};

/// A camera's imperfections.
#[derive(Debug, Clone, Copy)]
pub struct Sensor {
    /// Sigma of the lens blur.
    pub blur_px: f32,
    /// Sigma of the noise in the encoded frame, 0–255.
    pub noise: f32,
    /// Whether colour is stored at half the resolution, as most cameras do.
    pub half_chroma: bool,
    pub jpeg_quality: u8,
}

const TONE_STEPS: usize = 8192;
const NOISE_STEPS: usize = 4096;

impl Sensor {
    pub fn choose(dice: &mut Dice) -> Self {
        Self {
            blur_px: dice.tint(0.3, 1.5),
            noise: dice.tint(2.0, 8.0),
            half_chroma: dice.chance(0.7),
            jpeg_quality: dice.between(70.0, 96.0) as u8,
        }
    }

    /// Exposes the canvas and returns RGB bytes.
    pub fn expose(&self, mut canvas: Canvas, light: &Light, seed: u64) -> Vec<u8> {
        blur(&mut canvas, self.blur_px, light);
        let mut pixels = self.read_out(&canvas, seed);
        if self.half_chroma {
            halve_chroma(&mut pixels, canvas.width);
        }
        pixels
    }

    fn read_out(&self, canvas: &Canvas, seed: u64) -> Vec<u8> {
        let tone: Vec<f32> = (0..TONE_STEPS).map(|i| encode(i as f32 / (TONE_STEPS - 1) as f32)).collect();
        let mut dice = Dice::new(seed);
        let normal: Vec<f32> = (0..NOISE_STEPS).map(|_| dice.normal() as f32 * self.noise).collect();
        let last = (TONE_STEPS - 1) as f32;
        let mut pixels = vec![0_u8; canvas.data.len()];
        let stride = canvas.width * 3;
        in_bands(&mut pixels, stride, |first, band| {
            let offset = first * canvas.width;
            let light = canvas.data[offset * 3..].chunks_exact(3);
            for (index, (light, out)) in light.zip(band.chunks_exact_mut(3)).enumerate() {
                let bits = hash(seed ^ (offset + index) as u64) as usize;
                // Demosaicing ties the channels' noise together: most of it is common to the three.
                let common = 0.85 * normal[bits & (NOISE_STEPS - 1)];
                for channel in 0..3 {
                    let own = 0.5 * normal[(bits >> (12 * (channel + 1))) & (NOISE_STEPS - 1)];
                    let level = tone[(light[channel] * last).clamp(0.0, last) as usize];
                    out[channel] = (level + common + own + 0.5).clamp(0.0, 255.0) as u8;
                }
            }
        });
        pixels
    }
}

/// sRGB's tone curve, 0–1 to 0–255.
fn encode(linear: f32) -> f32 {
    let encoded = if linear <= 0.003_130_8 { 12.92 * linear } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 };
    encoded * 255.0
}

fn illuminate(row: &mut [f32], y: usize, light: &Light) {
    for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
        let level = light.at(x as f32 + 0.5, y as f32 + 0.5);
        pixel.iter_mut().zip(level).for_each(|(value, level)| *value *= level);
    }
}

/// Lights the canvas and blurs it, a Gaussian in both directions; what lies beyond the frame repeats its edge.
fn blur(canvas: &mut Canvas, sigma: f32, light: &Light) {
    let reach = (sigma * 2.5).ceil() as usize;
    let weights: Vec<f32> =
        (0..=2 * reach).map(|i| (-0.5 * ((i as f32 - reach as f32) / sigma).powi(2)).exp()).collect();
    let total: f32 = weights.iter().sum();
    let weights: Vec<f32> = weights.iter().map(|weight| weight / total).collect();
    let stride = canvas.width * 3;
    in_bands(&mut canvas.data, stride, |first, band| {
        let mut padded = vec![0.0_f32; stride + 6 * reach];
        for (y, row) in band.chunks_exact_mut(stride).enumerate() {
            illuminate(row, first + y, light);
            pad(&mut padded, row, reach);
            row.fill(0.0);
            for (i, &weight) in weights.iter().enumerate() {
                add_scaled(row, &padded[3 * i..3 * i + stride], weight);
            }
        }
    });
    let mut blurred = vec![0.0_f32; canvas.data.len()];
    in_bands(&mut blurred, stride, |first, band| {
        for (y, row) in band.chunks_exact_mut(stride).enumerate() {
            for (i, &weight) in weights.iter().enumerate() {
                let source = (first + y + i).saturating_sub(reach).min(canvas.height - 1);
                add_scaled(row, &canvas.data[source * stride..(source + 1) * stride], weight);
            }
        }
    });
    canvas.data = blurred;
}

fn pad(padded: &mut [f32], row: &[f32], reach: usize) {
    let edge = 3 * reach;
    padded[edge..edge + row.len()].copy_from_slice(row);
    for i in 0..reach {
        padded[3 * i..3 * i + 3].copy_from_slice(&row[..3]);
        let right = edge + row.len() + 3 * i;
        padded[right..right + 3].copy_from_slice(&row[row.len() - 3..]);
    }
}

fn add_scaled(into: &mut [f32], from: &[f32], weight: f32) {
    into.iter_mut().zip(from).for_each(|(sum, value)| *sum += value * weight);
}

/// Gives the four pixels of each 2 × 2 block one colour and leaves each its brightness.
fn halve_chroma(pixels: &mut [u8], width: usize) {
    let stride = width * 3;
    in_bands(pixels, 2 * stride, |_, band| {
        for rows in band.chunks_exact_mut(2 * stride) {
            let (upper, lower) = rows.split_at_mut(stride);
            upper
                .chunks_exact_mut(6)
                .zip(lower.chunks_exact_mut(6))
                .for_each(|(above, below)| one_colour(above, below));
        }
    });
}

fn one_colour(above: &mut [u8], below: &mut [u8]) {
    let sum = |channel: usize| {
        f32::from(above[channel])
            + f32::from(above[channel + 3])
            + f32::from(below[channel])
            + f32::from(below[channel + 3])
    };
    let mean = [sum(0) * 0.25, sum(1) * 0.25, sum(2) * 0.25];
    let mean_luma = luma(mean);
    for pixel in above.chunks_exact_mut(3).chain(below.chunks_exact_mut(3)) {
        let brighter = luma([f32::from(pixel[0]), f32::from(pixel[1]), f32::from(pixel[2])]) - mean_luma;
        pixel.iter_mut().zip(mean).for_each(|(value, mean)| *value = (mean + brighter + 0.5).clamp(0.0, 255.0) as u8);
    }
}

fn luma([red, green, blue]: [f32; 3]) -> f32 {
    0.299 * red + 0.587 * green + 0.114 * blue
}
