//! `cargo demo`: what the backend does, through HTTP, against the local stack: a shooting session from its start to its
//! report ([`session`]), two weeks of somebody's days and nights ([`wearables`]), and a fleet of engines ([`engines`]).

use std::{error::Error, path::PathBuf, time::Instant};

use shared::domain::target::TargetType;

use crate::{Binaries, Stack, StackOptions};

pub(crate) mod client;
mod engines;
mod session;
mod wearables;

use wearables::bucket::Bucket;

/// The same chance each time unless another is asked for.
const SEED: u64 = 2026;

type Failure = Box<dyn Error + Send + Sync>;

/// What the demo is to show.
#[derive(Debug, Clone, Default)]
pub struct DemoOptions {
    /// One part alone.
    pub only: Option<Part>,
    /// The user's own photographs, in the order of their names, in place of the range camera's frames.
    pub frames: Option<PathBuf>,
    /// By default the air pistol's.
    pub target: Option<TargetType>,
    pub seed: Option<u64>,
    /// A shot, counted from 1, that is fired and never seen: to see the demo fail.
    pub hide_shot: Option<usize>,
    /// The link of the large delivery is never mended: to see the demo fail.
    pub broken_link: bool,
    /// Release builds of the functions.
    pub release: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Sessions,
    Wearables,
    Engines,
}

impl Part {
    /// As on the command line.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "sessions" => Some(Self::Sessions),
            "wearables" => Some(Self::Wearables),
            "engines" => Some(Self::Engines),
            _ => None,
        }
    }
}

impl DemoOptions {
    fn shows(&self, part: Part) -> bool {
        self.only.is_none_or(|only| only == part)
    }

    fn seed(&self) -> u64 {
        self.seed.unwrap_or(SEED)
    }
}

/// Runs the demo with progress on the terminal; true only if all that it shows is right.
///
/// # Errors
/// Whatever kept a part from running to its end.
pub async fn run(options: &DemoOptions) -> Result<bool, Failure> {
    let started = Instant::now();
    println!("building the functions and starting the stack …");
    let binaries = if options.release { Binaries::BuildRelease } else { Binaries::default() };
    let bucket = Bucket::start().await?;
    let stack = StackOptions { binaries, quiet_build: false, ..StackOptions::default() };
    let stack = Stack::start(stack.parameter("TerraPayloadHosts", bucket.host())).await?;
    println!("ready after {:.1} s at {}", started.elapsed().as_secs_f64(), stack.base_url());
    let started = Instant::now();
    let outcome = parts(&stack, &bucket, options).await;
    println!("\n{:.1} s", started.elapsed().as_secs_f64());
    stack.shutdown().await;
    outcome
}

async fn parts(stack: &Stack, bucket: &Bucket, options: &DemoOptions) -> Result<bool, Failure> {
    let mut good = true;
    if options.shows(Part::Sessions) {
        good &= session::run(stack, options).await?;
    }
    if options.shows(Part::Wearables) {
        good &= wearables::run(stack, bucket, options).await?;
    }
    if options.shows(Part::Engines) {
        good &= engines::run(stack, options).await?;
    }
    Ok(good)
}
