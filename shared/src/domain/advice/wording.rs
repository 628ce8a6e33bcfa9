//! How figures are said.

use crate::domain::position::Position;

/// The part of a distance along one axis that is not worth saying beside the other.
const MINOR_PART: f64 = 0.2;

/// Where a point lies as seen from the target's centre: `6.1 mm left and 9.8 mm low`.
pub(super) fn place(point: Position) -> String {
    along_axes(point, ["left", "right"], ["low", "high"])
}

/// Which way to move by as much as `step`: `6.1 mm right and 9.8 mm up`.
pub(super) fn step(step: Position) -> String {
    along_axes(step, ["left", "right"], ["down", "up"])
}

fn along_axes(point: Position, sideways: [&str; 2], upright: [&str; 2]) -> String {
    let least = MINOR_PART * point.distance_mm(Position::CENTRE);
    let parts = [(point.x_mm, sideways), (point.y_mm, upright)].into_iter().filter(|(mm, _)| mm.abs() >= least);
    let said = parts.map(|(mm, [below, above])| format!("{:.1} mm {}", mm.abs(), if mm < 0.0 { below } else { above }));
    said.collect::<Vec<_>>().join(" and ")
}

/// `shot 7`, `shots 3 and 7`, `shots 1, 3 and 7`; `numbers` is not empty.
pub(super) fn shots(numbers: &[usize]) -> String {
    let said: Vec<String> = numbers.iter().map(usize::to_string).collect();
    match said.split_last() {
        Some((last, [])) => format!("shot {last}"),
        Some((last, before)) => format!("shots {} and {last}", before.join(", ")),
        None => "no shots".to_owned(),
    }
}

/// The sentence with its first letter raised.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_names_both_axes_unless_one_is_minor() {
        assert_eq!(place(Position::new(-6.1, -9.84)), "6.1 mm left and 9.8 mm low");
        assert_eq!(place(Position::new(1.0, 12.0)), "12.0 mm high");
        assert_eq!(step(Position::new(6.1, 9.8)), "6.1 mm right and 9.8 mm up");
        assert_eq!(step(Position::new(-3.0, -0.1)), "3.0 mm left");
    }

    #[test]
    fn shots_are_listed_as_one_says_them() {
        assert_eq!(shots(&[7]), "shot 7");
        assert_eq!(shots(&[3, 7]), "shots 3 and 7");
        assert_eq!(sentence(&shots(&[1, 3, 7])), "Shots 1, 3 and 7");
    }
}
