//! What two patches agree on.

use super::patch::Patch;

/// What two patches both show if the second stands off the first by a shift.
pub struct Common {
    pub shift: (i32, i32),
    pub values: Vec<f32>,
    /// Its normalised correlation with the patch that shows less else.
    pub likeness: f32,
}

impl Common {
    pub fn new(first: &Patch, second: &Patch, half: i32, shift: (i32, i32)) -> Self {
        let mut values = Vec::with_capacity(first.values.len());
        let (mut with_first, mut with_second, mut own) = ([0.0, 1e-3_f32], [0.0, 1e-3_f32], 1e-3_f32);
        for (a, b) in pairs_of(first, second, half, shift, |patch| &patch.values) {
            let both = if a * b > 0.0 { nearest_to_bare([a, b].into_iter()) } else { 0.0 };
            with_first = [with_first[0] + both * a, with_first[1] + a * a];
            with_second = [with_second[0] + both * b, with_second[1] + b * b];
            own += both * both;
            values.push(both);
        }
        let likeness = [with_first, with_second].map(|[product, squares]| product / (squares * own).sqrt());
        Self { shift, values, likeness: likeness[0].max(likeness[1]) }
    }
}

/// What two patches show at every place, the second shifted; nought beyond their borders.
pub fn pairs_of<'a>(
    first: &'a Patch,
    second: &'a Patch,
    half: i32,
    (du, dv): (i32, i32),
    pick: impl Fn(&Patch) -> &[f32] + 'a,
) -> impl Iterator<Item = (f32, f32)> + 'a {
    let places = (-half..=half).flat_map(move |v| (-half..=half).map(move |u| (u, v)));
    let at = move |patch: &Patch, u, v| patch.index(u, v).map_or(0.0, |at| pick(patch)[at]);
    places.map(move |(u, v)| (at(first, u, v), at(second, u + du, v + dv)))
}

/// What several prints of one place agree on: of two, the one nearer to bare ground, since the other may show a hole; the
/// middle of more.
pub fn nearest_to_bare(values: impl Iterator<Item = f32>) -> f32 {
    let (mut read, mut count) = ([0.0_f32; 4], 0);
    for value in values.take(4) {
        read[count] = value;
        count += 1;
    }
    read[..count].sort_by(f32::total_cmp);
    match read[..count] {
        [] => 0.0,
        [low, high] => {
            if low.abs() < high.abs() {
                low
            } else {
                high
            }
        }
        ref several => several[several.len() / 2],
    }
}
