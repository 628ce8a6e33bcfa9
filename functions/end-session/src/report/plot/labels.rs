//! Where the numbers of the shots go: inside their holes, or beside them where a hole is too small or crowded.

/// A point of the drawing, in its units; y grows downwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub x: f64,
    pub y: f64,
}

impl Point {
    fn distance(self, other: Self) -> f64 {
        (self.x - other.x).hypot(self.y - other.y)
    }
}

/// Height of a number; on a telephone 360 px wide it is 11 px.
pub(super) const LETTER: f64 = 20.0;

/// Width of a digit as a share of its height, in the usual sans-serif faces.
const DIGIT_WIDTH: f64 = 0.6;

/// Directions that are tried around a hole.
const DIRECTIONS: u8 = 24;

/// How many letters away from the hole's edge a number may stand; the nearest free place is taken.
const STEPS: u8 = 14;

/// A number's middle, and whether a line must lead to its hole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Label {
    pub at: Point,
    pub has_leader: bool,
}

/// What is drawn, in its units.
pub(super) struct Holes<'a> {
    pub centres: &'a [Point],
    pub radius: f64,
    /// Side of the square drawing.
    pub side: f64,
}

impl Holes<'_> {
    /// A place for every number, in the order of the holes: no two overlap as long as there is room.
    pub fn place_labels(&self) -> Vec<Label> {
        let mut placed: Vec<Frame> = Vec::new();
        let mut labels = Vec::new();
        for (index, hole) in self.centres.iter().enumerate() {
            let label = self.place(index, *hole, &placed);
            placed.push(Frame::of(index + 1, label.at));
            labels.push(label);
        }
        labels
    }

    fn place(&self, index: usize, hole: Point, placed: &[Frame]) -> Label {
        let inside = Label { at: hole, has_leader: false };
        let frame = |label: &Label| Frame::of(index + 1, label.at);
        let is_free = |label: &Label| !placed.iter().any(|other| other.overlaps(&frame(label)));
        let others = || self.centres.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, centre)| *centre);
        // Its corners hold no ink, so a number may touch the edge with its sides.
        let fits = frame(&inside).half_width.max(frame(&inside).half_height) <= self.radius;
        if fits && is_free(&inside) && others().all(|other| other.distance(hole) > self.radius) {
            return inside;
        }
        let around: Vec<Label> = self.around(index, hole).filter(|label| is_free(label)).collect();
        let is_clear = |label: &&Label| self.centres.iter().all(|centre| !frame(label).touches(*centre, self.radius));
        around.iter().find(is_clear).or(around.first()).copied().unwrap_or(inside)
    }

    /// Places around a hole, the nearest first, and of those the ones that point away from the middle of all holes.
    fn around(&self, index: usize, hole: Point) -> impl Iterator<Item = Label> {
        let outwards = (hole.y - self.middle().y).atan2(hole.x - self.middle().x);
        let turn = std::f64::consts::TAU / f64::from(DIRECTIONS);
        let size = Frame::of(index + 1, hole);
        (0..STEPS)
            .flat_map(move |step| (0..DIRECTIONS).map(move |direction| (step, direction)))
            .map(move |(step, direction)| {
                // 0, +1, −1, +2, −2, …
                let side = if direction % 2 == 0 { 1.0 } else { -1.0 };
                let angle = outwards + side * turn * f64::from(direction.div_ceil(2));
                let (sin, cos) = angle.sin_cos();
                let gap = self.radius + 0.5 * LETTER * f64::from(step) + 2.0;
                let at =
                    Point { x: hole.x + cos * (gap + size.half_width), y: hole.y + sin * (gap + size.half_height) };
                Label { at, has_leader: step > 0 }
            })
            .filter(move |label| Frame::of(index + 1, label.at).is_within(self.side))
    }

    fn middle(&self) -> Point {
        let count = self.centres.iter().fold(0.0, |count, _| count + 1.0_f64).max(1.0);
        let sum = self.centres.iter().fold((0.0, 0.0), |sum, centre| (sum.0 + centre.x, sum.1 + centre.y));
        Point { x: sum.0 / count, y: sum.1 / count }
    }
}

/// The rectangle that a number fills.
#[derive(Debug, Clone, Copy)]
struct Frame {
    at: Point,
    half_width: f64,
    half_height: f64,
}

impl Frame {
    fn of(number: usize, at: Point) -> Self {
        let digits = number.to_string().chars().fold(0.0, |digits, _| digits + 1.0);
        Self { at, half_width: (digits * DIGIT_WIDTH * LETTER + 2.0) / 2.0, half_height: 0.42 * LETTER }
    }

    fn overlaps(&self, other: &Self) -> bool {
        (self.at.x - other.at.x).abs() < self.half_width + other.half_width
            && (self.at.y - other.at.y).abs() < self.half_height + other.half_height
    }

    fn touches(&self, centre: Point, radius: f64) -> bool {
        let beyond = |distance: f64, half: f64| (distance.abs() - half).max(0.0);
        beyond(centre.x - self.at.x, self.half_width).hypot(beyond(centre.y - self.at.y, self.half_height)) < radius
    }

    fn is_within(&self, side: f64) -> bool {
        let fits = |at: f64, half: f64| at >= half && at <= side - half;
        fits(self.at.x, self.half_width) && fits(self.at.y, self.half_height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(xy: &[(f64, f64)]) -> Vec<Point> {
        xy.iter().map(|(x, y)| Point { x: *x, y: *y }).collect()
    }

    fn place(centres: &[Point], radius: f64) -> Vec<Label> {
        Holes { centres, radius, side: 600.0 }.place_labels()
    }

    #[test]
    fn a_number_stands_in_its_hole_if_it_fits() {
        let centres = points(&[(300.0, 300.0)]);
        assert_eq!(place(&centres, 20.0), [Label { at: centres[0], has_leader: false }]);
    }

    #[test]
    fn a_small_hole_has_its_number_beside_it_without_a_line() {
        let label = place(&points(&[(300.0, 300.0)]), 8.0)[0];
        assert!(!label.has_leader);
        assert!(!Frame::of(1, label.at).touches(Point { x: 300.0, y: 300.0 }, 8.0));
    }

    #[test]
    fn overlapping_holes_have_numbers_that_do_not_overlap() {
        for radius in [8.0, 25.0] {
            let spread = |i: u8| (300.0 + 4.0 * f64::from(i % 6), 300.0 + 5.0 * f64::from(i / 6));
            let centres = points(&(0..30).map(spread).collect::<Vec<_>>());
            let labels = place(&centres, radius);
            let frames: Vec<Frame> = labels.iter().enumerate().map(|(i, l)| Frame::of(i + 1, l.at)).collect();
            for (i, frame) in frames.iter().enumerate() {
                assert!(!frames[i + 1..].iter().any(|other| other.overlaps(frame)), "{radius}: number {}", i + 1);
            }
        }
    }

    #[test]
    fn numbers_stay_on_the_paper() {
        for label in place(&points(&[(2.0, 2.0), (598.0, 2.0), (300.0, 599.0)]), 8.0) {
            assert!(Frame::of(1, label.at).is_within(600.0), "{label:?}");
        }
    }
}
