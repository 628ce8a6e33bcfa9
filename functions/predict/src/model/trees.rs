//! A forest of boosted regression trees, its nodes in flat lists.

use super::features::FEATURE_COUNT;

/// Marks a leaf, whose threshold is its value.
pub const LEAF: u16 = u16::MAX;

/// Trees in preorder, one after the other: a node's left child follows it, its right child is some steps on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Forest {
    /// Features below it go left; a leaf's value, as a share of the cap.
    pub thresholds: Vec<f32>,
    /// The feature that is asked, or [`LEAF`].
    pub features: Vec<u16>,
    /// From a node to its right child; from a root leaf's end nothing.
    pub steps: Vec<u16>,
    pub trees: usize,
    roots: Vec<usize>,
}

impl Forest {
    /// A forest of such nodes; none where they do not make up so many trees.
    pub fn from_parts(thresholds: Vec<f32>, features: Vec<u16>, steps: Vec<u16>, trees: usize) -> Option<Self> {
        if features.len() != thresholds.len() || steps.len() != thresholds.len() {
            return None;
        }
        let mut roots = Vec::with_capacity(trees);
        let mut open = 0_usize;
        for (node, feature) in features.iter().enumerate() {
            if open == 0 {
                roots.push(node);
                open = 1;
            }
            let leaf = *feature == LEAF;
            if !leaf && usize::from(*feature) >= FEATURE_COUNT {
                return None;
            }
            open = if leaf { open - 1 } else { open + 1 };
        }
        (open == 0 && roots.len() == trees).then_some(Self { thresholds, features, steps, trees, roots })
    }

    /// The sum over all trees, as a share of the cap.
    pub fn predict(&self, features: &[f32; FEATURE_COUNT]) -> f32 {
        self.roots.iter().map(|root| self.leaf(*root, features)).sum()
    }

    fn leaf(&self, mut node: usize, values: &[f32; FEATURE_COUNT]) -> f32 {
        loop {
            let (Some(feature), Some(threshold)) = (self.features.get(node), self.thresholds.get(node)) else {
                return 0.0;
            };
            let Some(value) = values.get(usize::from(*feature)) else { return *threshold };
            node += if value < threshold {
                1
            } else {
                self.steps.get(node).map_or(usize::MAX / 2, |step| usize::from(*step)).max(1)
            };
        }
    }
}
