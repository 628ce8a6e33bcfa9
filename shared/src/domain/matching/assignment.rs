//! Which hole is which shot: the best one-to-one assignment of two sets of points.

use crate::domain::position::Position;

/// A hole and a shot that lie close enough to be the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pair {
    pub found: usize,
    pub known: usize,
    pub squared_mm: f64,
}

/// The known shots, ordered for looking up what lies close to a point.
pub(super) struct Neighbours<'a> {
    known: &'a [Position],
    by_x: Vec<usize>,
}

impl<'a> Neighbours<'a> {
    pub fn of(known: &'a [Position]) -> Self {
        let mut by_x: Vec<usize> = (0..known.len()).collect();
        by_x.sort_by(|a, b| known[*a].x_mm.total_cmp(&known[*b].x_mm));
        Self { known, by_x }
    }

    /// The shots closer to `point` than `gate_mm`, each with its squared distance.
    pub fn within(&self, point: Position, gate_mm: f64) -> impl Iterator<Item = (usize, f64)> {
        let first = self.by_x.partition_point(|known| self.known[*known].x_mm <= point.x_mm - gate_mm);
        self.by_x[first..]
            .iter()
            .map(|known| (*known, self.known[*known]))
            .take_while(move |(_, shot)| shot.x_mm < point.x_mm + gate_mm)
            .map(move |(known, shot)| (known, squared_mm(point, shot)))
            .filter(move |(_, squared)| *squared < gate_mm * gate_mm)
    }

    /// All pairs closer than the gate, by hole.
    pub fn pairs(&self, found: &[Position], gate_mm: f64) -> Vec<Pair> {
        let of_hole = |(found, hole): (usize, &Position)| {
            let near = self.within(*hole, gate_mm);
            near.map(move |(known, squared_mm)| Pair { found, known, squared_mm }).collect::<Vec<_>>()
        };
        found.iter().enumerate().flat_map(of_hole).collect()
    }
}

/// A good assignment, fast: the closest pair first, then the closest of what is left.
pub(super) fn assign_greedily(mut pairs: Vec<Pair>, found: usize, known: usize) -> Vec<Pair> {
    pairs.sort_by(|a, b| a.squared_mm.total_cmp(&b.squared_mm));
    let mut hole_is_free = vec![true; found];
    let mut shot_is_free = vec![true; known];
    pairs.retain(|pair| {
        let is_free = hole_is_free[pair.found] && shot_is_free[pair.known];
        if is_free {
            hole_is_free[pair.found] = false;
            shot_is_free[pair.known] = false;
        }
        is_free
    });
    pairs
}

/// The best assignment: the sum of what its pairs are worth is as large as can be. A pair is worth something or it
/// would not be one.
///
/// The worth should fall with the squared distance: noise is normal, so squares add up to its likelihood; and the best
/// assignment of two holes to two shots then stays the same when the whole frame is shifted, so that neighbours are not
/// swapped. Solved for each connected component of the pairs alone, which keeps a frame of spread shots cheap.
pub(super) fn assign(pairs: &[Pair], worth: impl Fn(&Pair) -> f64) -> Vec<Pair> {
    components(pairs).iter().flat_map(|component| assign_component(component, &worth)).collect()
}

/// The pairs in groups that share neither hole nor shot with one another.
fn components(pairs: &[Pair]) -> Vec<Vec<Pair>> {
    let mut components: Vec<Vec<Pair>> = Vec::new();
    for pair in pairs {
        let touches = |other: &Pair| other.found == pair.found || other.known == pair.known;
        let (touched, apart): (Vec<_>, Vec<_>) = components.into_iter().partition(|c| c.iter().any(touches));
        components = apart;
        components.push(touched.into_iter().flatten().chain([*pair]).collect());
    }
    components
}

fn assign_component(component: &[Pair], worth: impl Fn(&Pair) -> f64) -> Vec<Pair> {
    if let [only] = component {
        return vec![*only];
    }
    let holes = distinct(component.iter().map(|pair| pair.found));
    let shots = distinct(component.iter().map(|pair| pair.known));
    // A column more for every hole, of no cost: a hole may stay alone.
    let mut cost = vec![vec![0.0; shots.len() + holes.len()]; holes.len()];
    for pair in component {
        if let (Ok(hole), Ok(shot)) = (holes.binary_search(&pair.found), shots.binary_search(&pair.known)) {
            cost[hole][shot] = -worth(pair);
        }
    }
    let shot_of = cheapest(&cost);
    let is_chosen = |pair: &&Pair| {
        let hole = holes.binary_search(&pair.found).ok();
        hole.and_then(|hole| shots.get(shot_of[hole])) == Some(&pair.known)
    };
    component.iter().filter(is_chosen).copied().collect()
}

fn distinct(indices: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut indices: Vec<usize> = indices.collect();
    indices.sort_unstable();
    indices.dedup();
    indices
}

/// For each row of `cost` a column of its own, at the lowest total: the Hungarian method with prices kept as rows are
/// added one by one, O(rows² × columns). There are at least as many columns as rows.
fn cheapest(cost: &[Vec<f64>]) -> Vec<usize> {
    let rows = cost.len();
    let columns = cost.first().map_or(0, Vec::len);
    let mut row_price = vec![0.0; rows];
    // One column more than there are: the row that is being added sits there until it finds a place.
    let start = columns;
    let mut column_price = vec![0.0; columns + 1];
    let mut row_at: Vec<Option<usize>> = vec![None; columns + 1];
    for new_row in 0..rows {
        row_at[start] = Some(new_row);
        let mut slack = vec![f64::INFINITY; columns];
        let mut came_from = vec![start; columns];
        let mut path = Vec::new();
        let mut is_on_path = vec![false; columns + 1];
        let mut here = start;
        // Walk to the nearest column until one is free.
        while let Some(row) = row_at[here] {
            path.push(here);
            is_on_path[here] = true;
            let mut nearest = (f64::INFINITY, here);
            for column in (0..columns).filter(|column| !is_on_path[*column]) {
                let reduced = cost[row][column] - row_price[row] - column_price[column];
                if reduced < slack[column] {
                    (slack[column], came_from[column]) = (reduced, here);
                }
                if slack[column] < nearest.0 {
                    nearest = (slack[column], column);
                }
            }
            let (step, next) = nearest;
            for column in &path {
                column_price[*column] -= step;
                row_at[*column].into_iter().for_each(|row| row_price[row] += step);
            }
            slack.iter_mut().for_each(|slack| *slack -= step);
            here = next;
        }
        // Everyone on the way moves on by one.
        while here != start {
            row_at[here] = row_at[came_from[here]];
            here = came_from[here];
        }
    }
    let mut column_of = vec![columns; rows];
    for (column, row) in row_at.iter().enumerate().take(columns) {
        row.iter().for_each(|row| column_of[*row] = column);
    }
    column_of
}

fn squared_mm(a: Position, b: Position) -> f64 {
    (a.x_mm - b.x_mm).powi(2) + (a.y_mm - b.y_mm).powi(2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GATE_MM: f64 = 2.25;

    fn points(xy: &[(f64, f64)]) -> Vec<Position> {
        xy.iter().map(|(x, y)| Position::new(*x, *y)).collect()
    }

    fn chosen(known: &[Position], found: &[Position]) -> Vec<(usize, usize)> {
        let pairs = Neighbours::of(known).pairs(found, GATE_MM);
        let mut chosen: Vec<_> = assign(&pairs, worth_of).iter().map(|pair| (pair.found, pair.known)).collect();
        chosen.sort_unstable();
        chosen
    }

    fn worth_of(pair: &Pair) -> f64 {
        GATE_MM * GATE_MM - pair.squared_mm
    }

    fn worth(pairs: &[Pair]) -> f64 {
        pairs.iter().map(worth_of).sum()
    }

    /// The largest worth by trying everything.
    fn best_worth(pairs: &[Pair], found: usize, holes: usize, taken: u32) -> f64 {
        if found == holes {
            return 0.0;
        }
        let alone = best_worth(pairs, found + 1, holes, taken);
        let own = pairs.iter().filter(|pair| pair.found == found && taken & (1 << pair.known) == 0);
        own.map(|pair| worth_of(pair) + best_worth(pairs, found + 1, holes, taken | 1 << pair.known))
            .fold(alone, f64::max)
    }

    #[test]
    fn two_holes_that_overlap_stay_two() {
        let known = points(&[(0.0, 0.0), (2.0, 0.0)]);
        assert_eq!(chosen(&known, &points(&[(1.1, 0.0), (2.3, 0.0)])), [(0, 0), (1, 1)]);
    }

    #[test]
    fn a_shot_takes_one_hole_at_most() {
        assert_eq!(chosen(&points(&[(0.0, 0.0)]), &points(&[(1.5, 0.0), (0.2, 0.0)])), [(1, 0)]);
    }

    #[test]
    fn a_shift_of_the_whole_frame_swaps_no_neighbours() {
        let known = points(&[(0.0, 0.0), (1.5, 0.0), (3.0, 0.0)]);
        let shifted = points(&[(1.2, 0.0), (2.7, 0.0), (4.2, 0.0)]);
        assert_eq!(chosen(&known, &shifted), [(0, 0), (1, 1), (2, 2)]);
    }

    #[test]
    fn what_lies_beyond_the_gate_is_no_pair() {
        assert_eq!(chosen(&points(&[(0.0, 0.0)]), &points(&[(GATE_MM, 0.0)])), []);
    }

    proptest! {
        #[test]
        fn no_assignment_is_worth_more(
            known in prop::collection::vec((0.0..6.0, 0.0..6.0), 0..7),
            found in prop::collection::vec((0.0..6.0, 0.0..6.0), 0..7),
        ) {
            let (known, found) = (points(&known), points(&found));
            let pairs = Neighbours::of(&known).pairs(&found, GATE_MM);
            let assigned = assign(&pairs, worth_of);
            prop_assert!((worth(&assigned) - best_worth(&pairs, 0, found.len(), 0)).abs() < 1e-9);
            prop_assert_eq!(distinct(assigned.iter().map(|pair| pair.found)).len(), assigned.len());
            prop_assert_eq!(distinct(assigned.iter().map(|pair| pair.known)).len(), assigned.len());
            let greedy = assign_greedily(pairs, found.len(), known.len());
            prop_assert!(worth(&greedy) <= worth(&assigned) + 1e-9);
            prop_assert!(2.0 * worth(&greedy) >= worth(&assigned) - 1e-9);
        }
    }
}
