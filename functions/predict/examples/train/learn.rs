//! Trains one network: AdamW over batches that are drawn by the rows' weights.

use predict::model::CAP;
use predict::model::features::FEATURE_COUNT;
use predict::model::network::{HIDDEN, NUMBERS, bend, bend_slope};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::cuts::at;
use crate::matrix::{View, multiply};
use crate::prepare::{Prepared, count, single};

/// Rows in a batch.
const BATCH: usize = 256;

/// Batches that a network is trained on.
const STEPS: usize = 2_000;

/// The highest rate of learning, reached after a tenth of the steps.
const RATE: f32 = 4e-3;

/// Share of the weights that decays with each step, times the rate.
const DECAY: f32 = 1e-3;

const WARM_UP: f32 = 0.1;
const MOMENTUM: f32 = 0.9;
const MOMENTUM_OF_SQUARES: f32 = 0.999;

const W1: usize = 0;
const B1: usize = W1 + FEATURE_COUNT * HIDDEN[0];
const W2: usize = B1 + HIDDEN[0];
const B2: usize = W2 + HIDDEN[0] * HIDDEN[1];
const W3: usize = B2 + HIDDEN[1];
const B3: usize = W3 + HIDDEN[1];

/// Trains on all rows that are not of `fold`, and returns the network's numbers.
pub fn network(prepared: &Prepared, fold: usize, seed: u64) -> Vec<f32> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let rows: Vec<usize> = (0..prepared.rows.len()).filter(|row| prepared.rows[*row].fold != fold).collect();
    let mut sum = 0.0;
    let sums: Vec<f64> = rows
        .iter()
        .map(|row| {
            sum += prepared.rows[*row].weight;
            sum
        })
        .collect();
    let mut adam = Adam { first: vec![0.0; NUMBERS], second: vec![0.0; NUMBERS], powers: (1.0, 1.0) };
    let mut numbers = initial(&mut random);
    let mut work = Work::new();
    for step in 0..STEPS {
        for place in 0..BATCH {
            let row = rows[at(&sums, random.random())];
            work.inputs[place * FEATURE_COUNT..(place + 1) * FEATURE_COUNT].copy_from_slice(&prepared.features[row]);
            work.goals[place] = single(prepared.rows[row].left.min(CAP) / CAP);
        }
        work.forward(&numbers);
        work.backward(&numbers);
        adam.step(&mut numbers, &work.gradient, rate(single(count(step)) / single(count(STEPS))));
    }
    numbers
}

/// The rate of learning after a share of the steps: up on a line, down on a smooth curve.
fn rate(share: f32) -> f32 {
    if share < WARM_UP {
        return RATE * (share / WARM_UP).max(0.04);
    }
    let left = (1.0 - share) / (1.0 - WARM_UP);
    RATE * left * left * (3.0 - 2.0 * left)
}

/// Weights uniform about 0, narrower where a neuron has many inputs.
fn initial(random: &mut ChaCha8Rng) -> Vec<f32> {
    let mut numbers = vec![0.0; NUMBERS];
    for (from, to, inputs) in [(W1, W2, FEATURE_COUNT), (W2, W3, HIDDEN[0]), (W3, NUMBERS, HIDDEN[1])] {
        let bound = single(1.0 / count(inputs).sqrt());
        for number in &mut numbers[from..to] {
            *number = (random.random::<f32>() * 2.0 - 1.0) * bound;
        }
    }
    numbers
}

struct Adam {
    first: Vec<f32>,
    second: Vec<f32>,
    powers: (f32, f32),
}

impl Adam {
    fn step(&mut self, numbers: &mut [f32], gradient: &[f32], rate: f32) {
        self.powers = (self.powers.0 * MOMENTUM, self.powers.1 * MOMENTUM_OF_SQUARES);
        let (first_share, second_share) = (1.0 / (1.0 - self.powers.0), 1.0 / (1.0 - self.powers.1));
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((number, slope), (first, second)) in numbers.iter_mut().zip(gradient).zip(moments) {
            *first = *first * MOMENTUM + slope * (1.0 - MOMENTUM);
            *second = *second * MOMENTUM_OF_SQUARES + slope * slope * (1.0 - MOMENTUM_OF_SQUARES);
            let change = *first * first_share / ((*second * second_share).sqrt() + 1e-8);
            *number -= rate * (change + DECAY * *number);
        }
    }
}

/// A batch on its way through the network and back.
struct Work {
    inputs: Vec<f32>,
    goals: Vec<f32>,
    first: Vec<f32>,
    first_bent: Vec<f32>,
    second: Vec<f32>,
    second_bent: Vec<f32>,
    /// What the prediction is off by, times what makes it a gradient of the mean square.
    errors: Vec<f32>,
    turned: Vec<f32>,
    gradient: Vec<f32>,
}

impl Work {
    fn new() -> Self {
        let zeros = |len: usize| vec![0.0; len];
        Self {
            inputs: zeros(BATCH * FEATURE_COUNT),
            goals: zeros(BATCH),
            first: zeros(BATCH * HIDDEN[0]),
            first_bent: zeros(BATCH * HIDDEN[0]),
            second: zeros(BATCH * HIDDEN[1]),
            second_bent: zeros(BATCH * HIDDEN[1]),
            errors: zeros(BATCH),
            turned: zeros(HIDDEN[0] * HIDDEN[1]),
            gradient: zeros(NUMBERS),
        }
    }

    fn forward(&mut self, numbers: &[f32]) {
        let inputs = View { numbers: &self.inputs, down: FEATURE_COUNT, along: 1 };
        multiply(&mut self.first, inputs, &numbers[W1..B1], HIDDEN[0]);
        add(&mut self.first, &numbers[B1..W2]);
        bend_all(&mut self.first_bent, &self.first);
        let bent = View { numbers: &self.first_bent, down: HIDDEN[0], along: 1 };
        multiply(&mut self.second, bent, &numbers[W2..B2], HIDDEN[1]);
        add(&mut self.second, &numbers[B2..W3]);
        bend_all(&mut self.second_bent, &self.second);
        let weights = &numbers[W3..B3];
        for (place, line) in self.second_bent.chunks_exact(HIDDEN[1]).enumerate() {
            let sum: f32 = line.iter().zip(weights).map(|(value, weight)| value * weight).sum();
            self.errors[place] = (sum + numbers[B3] - self.goals[place]) * (2.0 / single(count(BATCH)));
        }
    }

    /// Fills the gradient; the hidden layers' sums give way to their gradients.
    fn backward(&mut self, numbers: &[f32]) {
        self.gradient[W3..].fill(0.0);
        for (line, error) in self.second_bent.chunks_exact(HIDDEN[1]).zip(&self.errors) {
            for (slope, value) in self.gradient[W3..B3].iter_mut().zip(line) {
                *slope += value * error;
            }
            self.gradient[B3] += error;
        }
        for (line, error) in self.second.chunks_exact_mut(HIDDEN[1]).zip(&self.errors) {
            for (value, weight) in line.iter_mut().zip(&numbers[W3..B3]) {
                *value = bend_slope(*value) * weight * error;
            }
        }
        let bent = View { numbers: &self.first_bent, down: 1, along: HIDDEN[0] };
        multiply(&mut self.gradient[W2..B2], bent, &self.second, HIDDEN[1]);
        sum_lines(&mut self.gradient[B2..W3], &self.second);
        for (number, weight) in numbers[W2..B2].iter().enumerate() {
            self.turned[number % HIDDEN[1] * HIDDEN[0] + number / HIDDEN[1]] = *weight;
        }
        let second = View { numbers: &self.second, down: HIDDEN[1], along: 1 };
        multiply(&mut self.first_bent, second, &self.turned, HIDDEN[0]);
        for (value, back) in self.first.iter_mut().zip(&self.first_bent) {
            *value = bend_slope(*value) * back;
        }
        let inputs = View { numbers: &self.inputs, down: 1, along: FEATURE_COUNT };
        multiply(&mut self.gradient[W1..B1], inputs, &self.first, HIDDEN[0]);
        sum_lines(&mut self.gradient[B1..W2], &self.first);
    }
}

fn add(lines: &mut [f32], biases: &[f32]) {
    for line in lines.chunks_exact_mut(biases.len()) {
        for (value, bias) in line.iter_mut().zip(biases) {
            *value += bias;
        }
    }
}

fn bend_all(bent: &mut [f32], values: &[f32]) {
    for (bent, value) in bent.iter_mut().zip(values) {
        *bent = bend(*value);
    }
}

fn sum_lines(sums: &mut [f32], lines: &[f32]) {
    sums.fill(0.0);
    for line in lines.chunks_exact(sums.len()) {
        for (sum, value) in sums.iter_mut().zip(line) {
            *sum += value;
        }
    }
}
