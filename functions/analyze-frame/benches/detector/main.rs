//! `cargo bench-detector`: the built-in detector on rendered frames whose holes are known.
//!
//! Options: `--frames N` (240), `--seed S` (1), `--target T` and `--backing B` (all that are tested), `--save-failures
//! DIR` (annotated PNGs of frames with misses or inventions), or `--photo PATH [--annotations JSON]
//! [--annotation-scale F]` for a photograph instead.
//!
//! Paths are taken from this package's folder, where cargo runs benches; absolute ones are safe.
//!
//! Exits with 1 where a figure of the overall row is missed.

mod annotate;
mod figures;
mod matching;
mod photo;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use analyze_frame::detector::builtin::detect;
use range_camera::{Backing, Scene, SceneSpec, Subject};
use shared::domain::{frame::DecodedFrame, target::TargetType};

use figures::Figures;
use matching::Outcome;

const TARGETS: [TargetType; 3] = [TargetType::AirPistol10m, TargetType::Standard, TargetType::RapidFire25m];
/// One frame without a target for so many with one.
const WITHOUT_TARGET_EVERY: u64 = 8;

struct Options {
    frames: u64,
    seed: u64,
    targets: Vec<TargetType>,
    backings: Vec<Backing>,
    save_failures: Option<PathBuf>,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut args = pico_args::Arguments::from_env();
    // Cargo adds it to every bench.
    args.contains("--bench");
    let photo: Option<PathBuf> = args.opt_value_from_str("--photo")?;
    let target = args.opt_value_from_fn("--target", |name| TargetType::from_name(name).ok_or("no such target"))?;
    if let Some(path) = photo {
        let annotations: Option<PathBuf> = args.opt_value_from_str("--annotations")?;
        let scale = args.opt_value_from_str("--annotation-scale")?.unwrap_or(1.0);
        photo::run(&path, target.unwrap_or(TargetType::AirPistol10m), annotations.as_deref(), scale)?;
        return Ok(ExitCode::SUCCESS);
    }
    let backing = args.opt_value_from_fn("--backing", |name| Backing::from_name(name).ok_or("no such backing"))?;
    let options = Options {
        frames: args.opt_value_from_str("--frames")?.unwrap_or(240),
        seed: args.opt_value_from_str("--seed")?.unwrap_or(1),
        targets: target.map_or_else(|| TARGETS.to_vec(), |target| vec![target]),
        backings: backing.map_or_else(|| Backing::ALL.to_vec(), |backing| vec![backing]),
        save_failures: args.opt_value_from_str("--save-failures")?,
    };
    let unknown = args.finish();
    if !unknown.is_empty() {
        return Err(format!("unknown options: {unknown:?}").into());
    }
    bench(&options)
}

fn bench(options: &Options) -> Result<ExitCode, Box<dyn Error>> {
    let mut groups: Vec<(TargetType, Backing, Figures)> = Vec::new();
    for &target in &options.targets {
        groups.extend(options.backings.iter().map(|&backing| (target, backing, Figures::default())));
    }
    for number in 0..options.frames {
        let group = usize::try_from(number)? % groups.len();
        let (target, backing, figures) = &mut groups[group];
        // Every other round of the groups has an overlapping pair.
        let pairs = usize::from((usize::try_from(number)? / options.targets.len() / options.backings.len()) % 2 == 1);
        let spec = SceneSpec { backing: Some(*backing), overlapping_pairs: pairs, ..SceneSpec::default() };
        figures.add(&with_target(*target, options.seed + number, &spec, options)?);
    }
    let overall = print_table(&options.targets, &groups);
    without_target(options)?;
    Ok(overall.verdict())
}

fn with_target(target: TargetType, seed: u64, spec: &SceneSpec, options: &Options) -> Result<Outcome, Box<dyn Error>> {
    let frame = Scene::random(target, seed, spec).frame(spec.shots, seed);
    let jpeg = frame.jpeg()?;
    let started = Instant::now();
    let decoded = DecodedFrame::decode(&jpeg)?;
    let decode = started.elapsed();
    let started = Instant::now();
    let detection = detect(&decoded, target);
    let outcome = Outcome::new(target, &frame.truth, &detection, decode, started.elapsed());
    if let Some(folder) = options.save_failures.as_ref().filter(|_| outcome.is_failure()) {
        annotate::save(folder, &format!("{}_{seed}.png", target.name()), &frame, &detection, &outcome)?;
    }
    Ok(outcome)
}

fn print_table(targets: &[TargetType], groups: &[(TargetType, Backing, Figures)]) -> Figures {
    println!("{}", figures::HEADER);
    let mut overall = Figures::default();
    for &target in targets {
        let mut all = Figures::default();
        for (_, backing, figures) in groups.iter().filter(|(of, _, _)| *of == target) {
            println!("{}", figures.row(target.name(), backing.name()));
            all.merge(figures);
        }
        println!("{}", all.row(target.name(), "all"));
        overall.merge(&all);
    }
    println!("{}", overall.row("all", "all"));
    overall
}

/// Frames of walls, bare paper and noise: nothing may be found there.
fn without_target(options: &Options) -> Result<(), Box<dyn Error>> {
    for subject in [Subject::BarePaper, Subject::Wall, Subject::Noise] {
        let (mut frames, mut wrong, mut holes) = (0_u32, 0_u32, 0_usize);
        for number in 0..options.frames.div_ceil(3 * WITHOUT_TARGET_EVERY) {
            let target = options.targets[usize::try_from(number)? % options.targets.len()];
            let spec = SceneSpec { subject, ..SceneSpec::default() };
            let frame = Scene::random(target, options.seed + number, &spec).frame(0, 0);
            let detection = detect(&DecodedFrame::decode(&frame.jpeg()?)?, target);
            frames += 1;
            wrong += u32::from(detection.target.is_some());
            holes += detection.holes.len();
        }
        println!("{subject:?} without a target: {wrong} of {frames} frames wrongly got one, {holes} holes");
    }
    Ok(())
}
