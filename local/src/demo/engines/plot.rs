//! One engine's life as a picture: what was predicted at each point of it, with its interval, and what was true.

use serde_json::Value;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 62.0;
const TOP: f64 = 62.0;
const RIGHT: f64 = 20.0;
const BOTTOM: f64 = 52.0;
/// The top of the picture, in cycles left: a little more than the model tells apart.
const MOST: f64 = 150.0;
/// What the model says at most; an open interval is drawn to the top.
const CAP: f64 = 125.0;

/// A prediction at one point of a life.
#[derive(Debug, Clone, Copy)]
pub struct Point {
    pub cycle: u32,
    /// Cycles that are truly left.
    pub left: u32,
    pub predicted: f64,
    pub low: f64,
    /// None where it is open.
    pub high: Option<f64>,
}

impl Point {
    /// Out of an answer of predict.
    pub fn read(cycle: u32, left: u32, answer: &Value) -> Option<Self> {
        let interval = &answer["interval"];
        Some(Self {
            cycle,
            left,
            predicted: answer["predicted_rul"].as_f64()?,
            low: interval["low"].as_f64()?,
            high: interval["high"].as_f64(),
        })
    }

    /// Whether the truth lies within the interval.
    pub fn holds(&self) -> bool {
        let left = f64::from(self.left);
        self.low <= left && self.high.is_none_or(|high| left <= high)
    }
}

/// The picture.
pub fn svg(points: &[Point]) -> String {
    let last = points.iter().map(|point| point.cycle + point.left).max().unwrap_or(1);
    let axes = Axes { last: f64::from(last) };
    let high = |point: &Point| (point.cycle, point.high.unwrap_or(MOST));
    let band: Vec<_> =
        points.iter().map(high).chain(points.iter().rev().map(|point| (point.cycle, point.low))).collect();
    let predicted: Vec<_> = points.iter().map(|point| (point.cycle, point.predicted)).collect();
    let truth: Vec<_> = points.iter().map(|point| (point.cycle, f64::from(point.left).min(MOST))).collect();
    let labels = [
        text(LEFT, 22.0, "start", 15, "One engine's remaining useful life, predicted along its life"),
        text(LEFT + (WIDTH - LEFT - RIGHT) / 2.0, HEIGHT - 12.0, "middle", 13, "cycles flown"),
        text(14.0, TOP - 12.0, "start", 13, "cycles left"),
    ];
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n{}{}\
         <polygon points=\"{}\" fill=\"#1f77b4\" fill-opacity=\"0.18\"/>\n\
         <polyline points=\"{}\" fill=\"none\" stroke=\"#444\" stroke-width=\"1.5\" stroke-dasharray=\"6 4\"/>\n\
         <polyline points=\"{}\" fill=\"none\" stroke=\"#1f77b4\" stroke-width=\"2.2\"/>\n{}</svg>\n",
        axes.grid(),
        labels.concat(),
        axes.path(&band),
        axes.path(&truth),
        axes.path(&predicted),
        legend(),
    )
}

struct Axes {
    last: f64,
}

impl Axes {
    fn place(&self, cycle: f64, left: f64) -> (f64, f64) {
        let x = LEFT + (WIDTH - LEFT - RIGHT) * cycle / self.last;
        (x, HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * left.clamp(0.0, MOST) / MOST)
    }

    fn path(&self, points: &[(u32, f64)]) -> String {
        let place = |(cycle, left): &(u32, f64)| self.place(f64::from(*cycle), *left);
        points.iter().map(place).map(|(x, y)| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ")
    }

    /// Lines at every 25 cycles left and every 50 flown; the cap is marked.
    fn grid(&self) -> String {
        let mut lines = String::new();
        for left in (0..=150).step_by(25).map(f64::from) {
            let ((x1, y), (x2, _)) = (self.place(0.0, left), self.place(self.last, left));
            let colour = if left == CAP { "#c44" } else { "#ddd" };
            lines += &format!("<path d=\"M{x1:.1} {y:.1}H{x2:.1}\" stroke=\"{colour}\"/>\n");
            lines += &text(x1 - 8.0, y + 4.0, "end", 12, &format!("{left:.0}"));
        }
        for cycle in (0..).step_by(50).map(f64::from).take_while(|cycle| *cycle <= self.last) {
            let ((x, y1), (_, y2)) = (self.place(cycle, 0.0), self.place(cycle, MOST));
            lines += &format!("<path d=\"M{x:.1} {y1:.1}V{y2:.1}\" stroke=\"#eee\"/>\n");
            lines += &text(x, y1 + 18.0, "middle", 12, &format!("{cycle:.0}"));
        }
        lines
    }
}

fn legend() -> String {
    let x = WIDTH - RIGHT - 210.0;
    format!(
        "<rect x=\"{x}\" y=\"70\" width=\"206\" height=\"66\" fill=\"white\" fill-opacity=\"0.85\"/>\n\
         <path d=\"M{x} 82h26\" stroke=\"#1f77b4\" stroke-width=\"2.2\"/>\n\
         <rect x=\"{x}\" y=\"96\" width=\"26\" height=\"12\" fill=\"#1f77b4\" fill-opacity=\"0.18\"/>\n\
         <path d=\"M{x} 124h26\" stroke=\"#444\" stroke-width=\"1.5\" stroke-dasharray=\"6 4\"/>\n{}{}{}",
        text(x + 34.0, 86.0, "start", 12, "predicted (125 at most)"),
        text(x + 34.0, 107.0, "start", 12, "90 % interval"),
        text(x + 34.0, 128.0, "start", 12, "true"),
    )
}

fn text(x: f64, y: f64, anchor: &str, size: u32, words: &str) -> String {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    format!(
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" font-size=\"{size}\" fill=\"#333\">{words}</text>\n"
    )
}
