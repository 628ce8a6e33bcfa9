//! The target with its shots, as SVG.

mod labels;
mod view;

use labels::{Holes, LETTER, Label, Point};
use maud::{Markup, html};
use shared::domain::{
    position::Position,
    shot::Shot,
    statistics::{Dispersion, R50_SIGMAS, SERIES_SHOTS},
    target::{RingTable, TargetType, um_to_mm},
};
use view::{SIDE, View, radius_mm};

use super::series_colour;

const PAPER: &str = "#f6f2e7";
const BLACK: &str = "#16181b";
const INK: &str = "#23262b";
/// The group's centre and its R50: a hue that no series has.
const GROUP: &str = "#d4145a";

/// Height of a line of the legend, in the drawing's units.
const LINE: f64 = 30.0;
/// Entries to a line of the legend.
const COLUMNS: usize = 5;

/// The target with its shots drawn to scale, numbered and coloured by series, as an SVG document of its own or a part
/// of a page. Without scripts, styles or anything from outside.
pub fn plot_svg(target: TargetType, shots: &[Shot]) -> String {
    draw(target, shots).into_string()
}

pub(super) fn draw(target: TargetType, shots: &[Shot]) -> Markup {
    let rings = target.rings();
    let view = View::of(rings, shots);
    let series = shots.len().div_ceil(SERIES_SHOTS);
    let height = SIDE + LINE * lines(series.div_ceil(COLUMNS) + 2) + 12.0;
    html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (SIDE) " " (height) } role="img"
            font-family="system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif" font-size=(LETTER) {
            title { "Target plot: " (target.name()) ", shots: " (shots.len()) }
            rect width=(SIDE) height=(units(height)) rx="12" fill=(PAPER) {}
            // A drawing of its own, so that rings end at its edge.
            svg width=(SIDE) height=(SIDE) viewBox={ "0 0 " (SIDE) " " (SIDE) } {
                (draw_rings(rings, view))
                (draw_shots(shots, rings, view))
                (draw_group(shots, view))
            }
            (draw_scale(rings, view, SIDE + LINE))
            (draw_legend(shots.len(), SIDE + 2.0 * LINE))
        }
    }
}

fn draw_rings(rings: &RingTable, view: View) -> Markup {
    let middle = units(SIDE / 2.0);
    let circle = |diameter_um: i64, fill: &str, stroke: &str| {
        let radius = units(view.length(um_to_mm(diameter_um) / 2.0));
        html! { circle cx=(middle) cy=(middle) r=(radius) fill=(fill) stroke=(stroke) stroke-width="1" {} }
    };
    let line = |diameter_um: i64| if diameter_um <= rings.black_um { "#8b9097" } else { "#5c6066" };
    html! {
        (circle(rings.black_um, BLACK, "none"))
        @for ring in rings.lowest_ring..=10 {
            (circle(rings.diameter_um(ring), "none", line(rings.diameter_um(ring))))
        }
        @if let Some(inner_ten) = rings.inner_ten_um { (circle(inner_ten, "none", line(inner_ten))) }
        @for ring in rings.lowest_ring..=9 { (draw_ring_number(rings, view, ring)) }
    }
}

/// The ring's number in the middle of its band, on the four sides, as it is printed; the ten has none.
fn draw_ring_number(rings: &RingTable, view: View, ring: u8) -> Markup {
    let at_mm = f64::midpoint(radius_mm(rings, ring), radius_mm(rings, ring + 1));
    let size = (0.6 * view.length(radius_mm(rings, ring) - radius_mm(rings, ring + 1))).min(LETTER);
    let colour = if 2.0 * at_mm < rings.black_mm() { "#b9bec5" } else { "#5c6066" };
    let sides =
        [(at_mm, 0.0), (-at_mm, 0.0), (0.0, at_mm), (0.0, -at_mm)].map(|(x, y)| view.point(Position::new(x, y)));
    html! {
        @for Point { x, y } in sides.into_iter().filter(|side| is_in_sight(*side)) {
            text x=(units(x)) y=(units(y)) fill=(colour) font-size=(units(size)) text-anchor="middle"
                dominant-baseline="central" { (ring) }
        }
    }
}

fn is_in_sight(point: Point) -> bool {
    (0.0..SIDE).contains(&point.x) && (0.0..SIDE).contains(&point.y)
}

fn draw_shots(shots: &[Shot], rings: &RingTable, view: View) -> Markup {
    let radius = view.length(rings.calibre_mm() / 2.0);
    let centres: Vec<Point> = shots.iter().map(|shot| view.point(shot.position)).collect();
    let labels = Holes { centres: &centres, radius, side: SIDE }.place_labels();
    let numbered = || (1_usize..).zip(centres.iter().zip(&labels));
    html! {
        @for (number, (hole, _)) in numbered() {
            circle cx=(units(hole.x)) cy=(units(hole.y)) r=(units(radius))
                fill=(series_colour((number - 1) / SERIES_SHOTS)) fill-opacity="0.85" stroke=(INK) stroke-width="2.5" {}
        }
        // All edges again, so that no hole hides another.
        g fill="none" stroke="#fff" stroke-width="1" {
            @for hole in &centres { circle cx=(units(hole.x)) cy=(units(hole.y)) r=(units(radius)) {} }
        }
        // Above all holes, so that none hides which one is meant.
        @for (_, (hole, label)) in numbered().filter(|(_, (_, label))| label.has_leader) { (draw_leader(*hole, label)) }
        @for (number, (_, label)) in numbered() {
            text x=(units(label.at.x)) y=(units(label.at.y)) fill="#000" stroke="#fff" stroke-width="4"
                stroke-linejoin="round" paint-order="stroke" font-weight="600" text-anchor="middle" dominant-baseline="central" { (number) }
        }
    }
}

/// A line from a number to a dot in its hole, light with a dark edge, so that it shows on white and black.
fn draw_leader(hole: Point, label: &Label) -> Markup {
    html! {
        @for (colour, width, dot) in [(INK, "3", "3.5"), ("#fff", "1.4", "2.5")] {
            line x1=(units(label.at.x)) y1=(units(label.at.y)) x2=(units(hole.x)) y2=(units(hole.y))
                stroke=(colour) stroke-width=(width) {}
            circle cx=(units(hole.x)) cy=(units(hole.y)) r=(dot) fill=(colour) {}
        }
    }
}

/// A cross at the group's centre and the circle about it that half of all shots will lie in.
fn draw_group(shots: &[Shot], view: View) -> Markup {
    let Some(group) = Dispersion::of(shots).filter(|group| group.shots > 1) else { return html! {} };
    let Point { x, y } = view.point(group.centre);
    let r50 = view.length(R50_SIGMAS * group.sigma_mm().unwrap_or_default());
    html! {
        @for (colour, width) in [("#fff", "4"), (GROUP, "2")] {
            g fill="none" stroke=(colour) stroke-width=(width) {
                (draw_cross(x, y))
                circle cx=(units(x)) cy=(units(y)) r=(units(r50)) stroke-dasharray="10 7" {}
            }
        }
    }
}

fn draw_cross(x: f64, y: f64) -> Markup {
    const ARM: f64 = 12.0;
    let (left, right, top, bottom) = (units(x - ARM), units(x + ARM), units(y - ARM), units(y + ARM));
    html! { path d={ "M" (left) " " (units(y)) "H" (right) "M" (units(x)) " " (top) "V" (bottom) } {} }
}

/// The scale, and what part of the target is shown.
fn draw_scale(rings: &RingTable, view: View, y: f64) -> Markup {
    let length = view.length(view.scale_mm());
    html! {
        path d={ "M14 " (units(y - 13.0)) "v6h" (units(length)) "v-6" } fill="none" stroke=(INK) stroke-width="2" {}
        text x=(units(length + 24.0)) y=(units(y)) fill=(INK) { (view.scale_mm()) " mm" }
        text x=(units(SIDE - 14.0)) y=(units(y)) fill=(INK) text-anchor="end" {
            @match view.zoomed_to {
                Some(ring) => { "Zoomed: rings " (ring) "–10 of " (rings.lowest_ring) "–10" },
                None => { "Rings " (rings.lowest_ring) "–10" },
            }
        }
    }
}

/// Which colour is which series, and what the cross and the dashed circle are.
fn draw_legend(shots: usize, top: f64) -> Markup {
    let column = SIDE / lines(COLUMNS);
    let at = |entry: usize| (14.0 + column * lines(entry % COLUMNS), top + LINE * lines(entry / COLUMNS));
    let series = (0..shots.div_ceil(SERIES_SHOTS)).map(|series| {
        let first = series * SERIES_SHOTS + 1;
        (series, first, shots.min(first + SERIES_SHOTS - 1), at(series))
    });
    let bottom = top + LINE * lines(shots.div_ceil(SERIES_SHOTS).div_ceil(COLUMNS));
    html! {
        @for (series, first, last, (x, y)) in series {
            circle cx=(units(x + 8.0)) cy=(units(y - 7.0)) r="8"
                fill=(series_colour(series)) stroke=(INK) stroke-width="1.5" {}
            text x=(units(x + 22.0)) y=(units(y)) fill=(INK) { (first) @if last > first { "–" (last) } }
        }
        @if shots > 1 {
            g fill="none" stroke=(GROUP) stroke-width="2" { (draw_cross(22.0, bottom - 7.0)) }
            text x="42" y=(units(bottom)) fill=(INK) { "group’s centre" }
            path d={ "M200 " (units(bottom - 7.0)) "h34" } stroke=(GROUP) stroke-width="2" stroke-dasharray="10 7" {}
            text x="242" y=(units(bottom)) fill=(INK) { "R50: half of all shots within" }
        } @else if shots == 0 {
            text x="14" y=(units(bottom)) fill=(INK) { "No shots" }
        }
    }
}

/// A number of units as text, to a tenth: finer than any screen.
fn units(value: f64) -> String {
    format!("{:.1}", value + 0.0)
}

#[expect(clippy::cast_precision_loss, reason = "a legend has fewer entries than 2^53")]
fn lines(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
