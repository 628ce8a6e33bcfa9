//! The trained model as it is shipped: counts, then numbers, all little-endian.

use super::features::FEATURE_COUNT;
use super::history::{INDEX_COUNT, SENSOR_COUNT, Scales};
use super::interval::{Residuals, STEPS};
use super::limits::Limits;
use super::network::{NUMBERS, Network};
use super::regimes::REGIMES;
use super::trees::Forest;

/// First bytes of an artefact: its kind and its layout's number.
const MAGIC: [u8; 8] = *b"turbofn1";

/// A trained model.
#[derive(Debug, Clone, PartialEq)]
pub struct Artefact {
    pub scales: Scales,
    /// Features are centred on these …
    pub centre: [f32; FEATURE_COUNT],
    /// … and multiplied by these.
    pub stretch: [f32; FEATURE_COUNT],
    /// Weights and biases of all networks.
    pub networks: Vec<f32>,
    pub forest: Forest,
    pub residuals: Residuals,
    pub limits: Limits,
}

impl Artefact {
    /// Reads what [`Self::to_bytes`] wrote; none where it was not.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.strip_prefix(&MAGIC)?;
        let (counts, bytes) = bytes.split_at_checked(12)?;
        let mut counts = counts.as_chunks::<4>().0.iter().map(|count| u32::from_le_bytes(*count) as usize);
        let (networks, nodes, roots) = (counts.next()?, counts.next()?, counts.next()?);
        let mut numbers = Numbers(bytes);
        let artefact = Self {
            scales: Scales {
                mean: numbers.table::<SENSOR_COUNT, { REGIMES.len() }>()?,
                deviation: numbers.table::<SENSOR_COUNT, { REGIMES.len() }>()?,
                health: health(&mut numbers)?,
                failure: numbers.array::<INDEX_COUNT>()?,
            },
            centre: numbers.array::<FEATURE_COUNT>()?,
            stretch: numbers.array::<FEATURE_COUNT>()?,
            residuals: Residuals { low: numbers.array::<STEPS>()?, high: numbers.array::<STEPS>()? },
            limits: Limits {
                level: [numbers.array::<SENSOR_COUNT>()?, numbers.array::<SENSOR_COUNT>()?],
                scatter: [numbers.array::<SENSOR_COUNT>()?, numbers.array::<SENSOR_COUNT>()?],
                oldest: numbers.array::<1>()?,
            },
            networks: numbers.list(networks.checked_mul(NUMBERS)?)?,
            forest: Forest::from_parts(numbers.list(nodes)?, numbers.shorts(nodes)?, numbers.shorts(nodes)?, roots)?,
        };
        numbers.0.is_empty().then_some(artefact)
    }

    /// The artefact's bytes: the same for the same model, on every platform.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for count in [self.networks.len() / NUMBERS, self.forest.thresholds.len(), self.forest.trees] {
            bytes.extend(u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
        }
        let scales = &self.scales;
        let numbers = [scales.mean.as_flattened(), scales.deviation.as_flattened()];
        let health = scales.health.as_flattened().as_flattened();
        let limits = [self.limits.level.as_flattened(), self.limits.scatter.as_flattened()];
        let numbers = numbers.into_iter().chain([health, &scales.failure, &self.centre, &self.stretch]);
        let numbers = numbers.chain([&self.residuals.low[..], &self.residuals.high]).chain(limits);
        for part in numbers.chain([&self.limits.oldest[..], &self.networks, &self.forest.thresholds]) {
            bytes.extend(part.iter().flat_map(|number| number.to_le_bytes()));
        }
        for part in [&self.forest.features, &self.forest.steps] {
            bytes.extend(part.iter().flat_map(|number| number.to_le_bytes()));
        }
        bytes
    }

    /// The networks, one after the other.
    pub fn networks(&self) -> impl Iterator<Item = Network<'_>> {
        self.networks.chunks_exact(NUMBERS).map(Network::new)
    }
}

fn health(numbers: &mut Numbers<'_>) -> Option<[[[f32; SENSOR_COUNT + 1]; INDEX_COUNT]; REGIMES.len()]> {
    let mut health = [[[0.0; SENSOR_COUNT + 1]; INDEX_COUNT]; REGIMES.len()];
    for regime in &mut health {
        *regime = numbers.table()?;
    }
    Some(health)
}

/// What is left to read.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn list(&mut self, count: usize) -> Option<Vec<f32>> {
        let (bytes, rest) = self.0.split_at_checked(count.checked_mul(4)?)?;
        self.0 = rest;
        Some(bytes.as_chunks::<4>().0.iter().map(|number| f32::from_le_bytes(*number)).collect())
    }

    fn shorts(&mut self, count: usize) -> Option<Vec<u16>> {
        let (bytes, rest) = self.0.split_at_checked(count.checked_mul(2)?)?;
        self.0 = rest;
        Some(bytes.as_chunks::<2>().0.iter().map(|number| u16::from_le_bytes(*number)).collect())
    }

    fn array<const N: usize>(&mut self) -> Option<[f32; N]> {
        self.list(N)?.try_into().ok()
    }

    fn table<const N: usize, const M: usize>(&mut self) -> Option<[[f32; N]; M]> {
        let mut table = [[0.0; N]; M];
        for row in &mut table {
            *row = self.array()?;
        }
        Some(table)
    }
}
