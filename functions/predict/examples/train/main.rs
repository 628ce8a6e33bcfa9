//! Trains the built-in model on C-MAPSS: `cargo train DIR` writes the artefact, its version and its measures, `cargo
//! train --check DIR` trains again and says whether the same artefact came out, to the byte.
//!
//! `DIR` holds `train_FD001` to `train_FD004`, as NASA's `.txt` or as `.csv` with a header, each perhaps as `.gz`.
//! Everything follows from one seed: no thread's timing, no platform's mathematics library has a say in it.

mod boost;
mod calibrate;
mod cmapss;
mod cuts;
mod fleet;
mod learn;
mod matrix;
mod measure;
mod prepare;
mod ridge;
mod threads;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use aws_lc_rs::digest::{SHA256, digest};
use predict::model::artefact::Artefact;

use crate::fleet::Fleet;
use crate::prepare::Prepared;
use crate::threads::Trained;

/// What training draws its random numbers from, unless `--seed` says otherwise.
const SEED: u64 = 20_080_601;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut args = pico_args::Arguments::from_env();
    let check = args.contains("--check");
    let seed = args.opt_value_from_str("--seed")?.unwrap_or(SEED);
    let out: PathBuf =
        args.opt_value_from_str("--out")?.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("model"));
    let source: PathBuf = args.free_from_str()?;
    let started = Instant::now();
    let (artefact, report) = train(&source, seed)?;
    let bytes = artefact.to_bytes();
    let sum = hexadecimal(digest(&SHA256, &bytes).as_ref());
    println!("{report}\n{sum}  {} bytes, after {:.0?}", bytes.len(), started.elapsed());
    if check {
        let shipped = fs::read(out.join("turbofan.bin"))?;
        let same = hexadecimal(digest(&SHA256, &shipped).as_ref()) == sum;
        println!("{}", if same { "the artefact is the shipped one" } else { "the shipped artefact is another one" });
        return Ok(if same { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    fs::create_dir_all(&out)?;
    fs::write(out.join("turbofan.bin"), &bytes)?;
    fs::write(out.join("version.txt"), format!("builtin-{}\n", sum.get(..8).unwrap_or(&sum)))?;
    fs::write(out.join("measures.md"), report)?;
    Ok(ExitCode::SUCCESS)
}

fn train(source: &Path, seed: u64) -> Result<(Artefact, String), Box<dyn Error>> {
    let fleet = Fleet::read(source, seed)?;
    let prepared = Prepared::of(&fleet);
    let trained = Trained::on(&prepared, seed);
    let cuts = cuts::sample(&prepared, seed);
    let predictions = calibrate::predictions(&prepared, &trained, &cuts)?;
    let artefact = Artefact {
        scales: prepared.scales,
        centre: prepared.centre,
        stretch: prepared.stretch,
        limits: prepared.limits,
        residuals: calibrate::residuals(&predictions),
        networks: trained.networks.concat(),
        forest: trained.forest()?,
    };
    let report = measure::report(&predictions);
    Ok((artefact, report))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
