//! `cargo demo`: a shooting session, a fortnight of wearables and a fleet of engines, from their start to what comes of them. See `cargo demo --help`.

use std::error::Error;
use std::process::ExitCode;

use local::demo::{DemoOptions, Part, run};
use shared::domain::target::TargetType;

const HELP: &str = "\
What the whole backend does, on this machine: a shooting session (frames in, scored shots and a report out), two weeks of
a watch and a ring (webhooks in, metrics out, each with how far to trust it), and a fleet of engines (sensor histories in,
remaining useful lives out, the most critical first).

  --only <part>      sessions, wearables or engines
  --frames <dir>     your own photographs of one target, in the order of their names
  --target <type>    standard, air_pistol_10m (default), air_rifle_10m, rapid_fire_25m, rifle_50m
  --seed <n>         another scene before the range camera, another athlete, other engines
  --hide-shot <n>    fire a shot that is never seen, to see the demo fail
  --broken-link      leave the link of a large delivery broken, to see the demo fail
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
    let only: Option<String> = arguments.opt_value_from_str("--only")?;
    let only = only.map(|name| Part::from_name(&name).ok_or(format!("--only {name}: there is no such part")));
    let options = DemoOptions {
        only: only.transpose()?,
        frames: arguments.opt_value_from_str("--frames")?,
        target: target.transpose()?,
        seed: arguments.opt_value_from_str("--seed")?,
        hide_shot: arguments.opt_value_from_str("--hide-shot")?,
        broken_link: arguments.contains("--broken-link"),
        release: arguments.contains("--release"),
    };
    match arguments.finish().as_slice() {
        [] => Ok(Some(options)),
        rest => Err(format!("not known: {rest:?}; see --help").into()),
    }
}
