//! Gradient boosting over histograms: trees grown leaf by leaf, each on a share of the rows and of the features.

use predict::model::CAP;
use predict::model::features::FEATURE_COUNT;
use predict::model::trees::LEAF;
use rand::seq::index::sample;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::prepare::{Prepared, count, single};

const TREES: usize = 300;
const LEAVES: usize = 20;
const RATE: f64 = 0.05;
/// Features that a tree may ask.
const FEATURES_PER_TREE: usize = FEATURE_COUNT / 4;
/// Share of the rows that training holds at all: neighbouring cuts of an engine say nearly the same.
const SHARE_OF_ROWS: f64 = 0.25;
/// Share of those that a tree is grown on.
const SHARE_PER_TREE: f64 = 0.6;
/// Rows that a leaf must have.
const LEAST_ROWS: usize = 40;
/// Weight of an imagined row of no residual in each leaf.
const RIDGE: f64 = 5.0;
/// Bins of a feature.
const BINS: usize = 128;

/// Trees in preorder, as [`predict::model::trees::Forest`] holds them.
#[derive(Default)]
pub struct Trees {
    pub thresholds: Vec<f32>,
    pub features: Vec<u16>,
    pub steps: Vec<u16>,
    pub trees: usize,
}

/// Grows trees on the rows that are not of `fold`.
pub fn trees(prepared: &Prepared, fold: usize, seed: u64) -> Trees {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let all = (0..prepared.rows.len()).filter(|row| prepared.rows[*row].fold != fold);
    let rows: Vec<usize> = all.filter(|_| random.random::<f64>() < SHARE_OF_ROWS).collect();
    let table = Table::of(prepared, &rows);
    let goals: Vec<f64> = rows.iter().map(|row| prepared.rows[*row].left.min(CAP) / CAP).collect();
    let base = goals.iter().zip(&table.weights).map(|(goal, weight)| goal * weight).sum::<f64>()
        / table.weights.iter().sum::<f64>();
    let mut residuals: Vec<f64> = goals.iter().map(|goal| goal - base).collect();
    let mut grown = Trees::default();
    grown.push(&[Node::Leaf(base)]);
    for _ in 0..TREES {
        let mut features = sample(&mut random, FEATURE_COUNT, FEATURES_PER_TREE).into_vec();
        features.sort_unstable();
        let chosen: Vec<usize> = (0..rows.len()).filter(|_| random.random::<f64>() < SHARE_PER_TREE).collect();
        let nodes = table.grow(&residuals, &features, chosen);
        for (place, residual) in residuals.iter_mut().enumerate() {
            *residual -= table.leaf(&nodes, place);
        }
        grown.push(&table.with_thresholds(nodes));
    }
    grown
}

impl Trees {
    fn push(&mut self, nodes: &[Node]) {
        self.trees += 1;
        self.place(nodes, 0);
    }

    fn place(&mut self, nodes: &[Node], number: usize) {
        let here = self.thresholds.len();
        match nodes[number] {
            Node::Leaf(value) => {
                self.thresholds.push(single(value));
                self.features.push(LEAF);
                self.steps.push(0);
            }
            Node::Split { feature, threshold, left, right, .. } => {
                self.thresholds.push(threshold);
                self.features.push(u16::try_from(feature).unwrap_or(LEAF));
                self.steps.push(0);
                self.place(nodes, left);
                self.steps[here] = u16::try_from(self.thresholds.len() - here).unwrap_or(u16::MAX);
                self.place(nodes, right);
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Node {
    Leaf(f64),
    Split { feature: usize, bin: u8, threshold: f32, left: usize, right: usize },
}

/// Rows whose features are bins.
struct Table {
    /// Row by row.
    bins: Vec<[u8; FEATURE_COUNT]>,
    /// Of each feature, the least value of each bin but the first.
    edges: Vec<Vec<f32>>,
    weights: Vec<f64>,
}

/// Sums of a bin: weights, weighted residuals, rows.
type Bin = (f64, f64, usize);

/// A leaf that may still be split.
struct Open {
    node: usize,
    rows: Vec<usize>,
    bins: Vec<[Bin; BINS]>,
    best: Option<Split>,
}

#[derive(Clone, Copy)]
struct Split {
    gain: f64,
    /// The place of the feature in the tree's.
    place: usize,
    bin: u8,
}

impl Table {
    fn of(prepared: &Prepared, rows: &[usize]) -> Self {
        let edges: Vec<Vec<f32>> = (0..FEATURE_COUNT)
            .map(|feature| {
                let mut values: Vec<f32> = rows.iter().map(|row| prepared.features[*row][feature]).collect();
                values.sort_unstable_by(f32::total_cmp);
                let mut edges: Vec<f32> = (1..BINS).map(|bin| values[bin * values.len() / BINS]).collect();
                edges.dedup();
                edges
            })
            .collect();
        let bin = |feature: usize, value: f32| {
            u8::try_from(edges[feature].partition_point(|edge| *edge <= value)).unwrap_or(u8::MAX)
        };
        let bins = rows.iter().map(|row| std::array::from_fn(|n| bin(n, prepared.features[*row][n]))).collect();
        let weights = rows.iter().map(|row| prepared.rows[*row].weight).collect();
        Self { bins, edges, weights }
    }

    fn grow(&self, residuals: &[f64], features: &[usize], rows: Vec<usize>) -> Vec<Node> {
        let mut nodes = vec![Node::Leaf(0.0)];
        let bins = self.histogram(residuals, features, &rows);
        let mut open = vec![self.open(0, rows, bins, &mut nodes)];
        for _ in 1..LEAVES {
            let best = open.iter().enumerate().filter_map(|(at, leaf)| leaf.best.map(|split| (at, split.gain)));
            let Some((at, _)) = best.reduce(|most, next| if next.1 > most.1 { next } else { most }) else { break };
            let leaf = open.swap_remove(at);
            let Some(split) = leaf.best else { break };
            let feature = features[split.place];
            let (left, right): (Vec<usize>, Vec<usize>) =
                leaf.rows.iter().partition(|row| self.bins[**row][feature] <= split.bin);
            let smaller = self.histogram(residuals, features, if left.len() < right.len() { &left } else { &right });
            let mut larger = leaf.bins;
            take(&mut larger, &smaller);
            let (left_bins, right_bins) = if left.len() < right.len() { (smaller, larger) } else { (larger, smaller) };
            let (first, second) = (nodes.len(), nodes.len() + 1);
            nodes[leaf.node] = Node::Split { feature, bin: split.bin, threshold: 0.0, left: first, right: second };
            nodes.extend([Node::Leaf(0.0); 2]);
            open.push(self.open(first, left, left_bins, &mut nodes));
            open.push(self.open(second, right, right_bins, &mut nodes));
        }
        nodes
    }

    fn open(&self, node: usize, rows: Vec<usize>, bins: Vec<[Bin; BINS]>, nodes: &mut [Node]) -> Open {
        let (weight, sum, _) = total(bins.first());
        nodes[node] = Node::Leaf(RATE * sum / (weight + RIDGE));
        let best = best(&bins);
        Open { node, rows, bins, best }
    }

    fn histogram(&self, residuals: &[f64], features: &[usize], rows: &[usize]) -> Vec<[Bin; BINS]> {
        let mut bins = vec![[(0.0, 0.0, 0); BINS]; features.len()];
        for row in rows {
            let (weight, line) = (self.weights[*row], &self.bins[*row]);
            let weighted = weight * residuals[*row];
            for (bins, feature) in bins.iter_mut().zip(features) {
                let bin = &mut bins[usize::from(line[*feature])];
                *bin = (bin.0 + weight, bin.1 + weighted, bin.2 + 1);
            }
        }
        bins
    }

    fn leaf(&self, nodes: &[Node], row: usize) -> f64 {
        let mut at = 0;
        loop {
            match nodes[at] {
                Node::Leaf(value) => return value,
                Node::Split { feature, bin, left, right, .. } => {
                    at = if self.bins[row][feature] <= bin { left } else { right };
                }
            }
        }
    }

    /// The same nodes with the features' own values: below it is left of it.
    fn with_thresholds(&self, mut nodes: Vec<Node>) -> Vec<Node> {
        for node in &mut nodes {
            if let Node::Split { feature, bin, threshold, .. } = node {
                *threshold = self.edges[*feature].get(usize::from(*bin)).copied().unwrap_or(f32::MAX);
            }
        }
        nodes
    }
}

fn take(bins: &mut [[Bin; BINS]], others: &[[Bin; BINS]]) {
    for (bins, others) in bins.iter_mut().zip(others) {
        for (bin, other) in bins.iter_mut().zip(others) {
            *bin = (bin.0 - other.0, bin.1 - other.1, bin.2 - other.2);
        }
    }
}

fn total(bins: Option<&[Bin; BINS]>) -> Bin {
    let bins = bins.map_or(&[][..], |bins| &bins[..]);
    bins.iter().fold((0.0, 0.0, 0), |sum, bin| (sum.0 + bin.0, sum.1 + bin.1, sum.2 + bin.2))
}

fn best(bins: &[[Bin; BINS]]) -> Option<Split> {
    let (weight, sum, rows) = total(bins.first());
    let worth = |weight: f64, sum: f64| sum * sum / (weight.max(0.0) + RIDGE);
    let whole = worth(weight, sum);
    let mut best: Option<Split> = None;
    for (place, bins) in bins.iter().enumerate() {
        let mut left: Bin = (0.0, 0.0, 0);
        for (bin, next) in (0..u8::MAX).zip(bins) {
            left = (left.0 + next.0, left.1 + next.1, left.2 + next.2);
            if left.2 < LEAST_ROWS || rows - left.2 < LEAST_ROWS {
                continue;
            }
            let gain = worth(left.0, left.1) + worth(weight - left.0, sum - left.1) - whole;
            if gain > best.map_or(count(0), |best| best.gain) {
                best = Some(Split { gain, place, bin });
            }
        }
    }
    best
}
