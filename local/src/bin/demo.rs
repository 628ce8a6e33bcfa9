//! `cargo demo`: one session from its start to its report. See `cargo demo --help`.

use std::error::Error;
use std::process::ExitCode;

use local::demo::{DemoOptions, run};
use shared::domain::target::TargetType;

const HELP: &str = "\
One shooting session through the whole backend on this machine: frames in, scored shots and a report out.

  --frames <dir>     your own photographs of one target, in the order of their names
  --target <type>    standard, air_pistol_10m (default), air_rifle_10m, rapid_fire_25m, rifle_50m
  --seed <n>         another scene before the range camera
  --hide-shot <n>    fire a shot that is never seen, to see the demo fail
  --release          functions from the release profile
";

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error + Send + Sync>> {
    let Some(options) = arguments()? else {
        print!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    };
    Ok(if run(&options).await? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn arguments() -> Result<Option<DemoOptions>, Box<dyn Error + Send + Sync>> {
    let mut arguments = pico_args::Arguments::from_env();
    if arguments.contains(["-h", "--help"]) {
        return Ok(None);
    }
    let target: Option<String> = arguments.opt_value_from_str("--target")?;
    let target = target.map(|name| TargetType::from_name(&name).ok_or(format!("--target {name} is not known")));
    let options = DemoOptions {
        frames: arguments.opt_value_from_str("--frames")?,
        target: target.transpose()?,
        seed: arguments.opt_value_from_str("--seed")?,
        hide_shot: arguments.opt_value_from_str("--hide-shot")?,
        release: arguments.contains("--release"),
    };
    match arguments.finish().as_slice() {
        [] => Ok(Some(options)),
        rest => Err(format!("not known: {rest:?}; see --help").into()),
    }
}
