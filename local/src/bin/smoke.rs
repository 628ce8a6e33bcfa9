//! `cargo smoke`: whether a deployment does its work. See `cargo smoke --help`.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use local::smoke::{SmokeOptions, run};

const HELP: &str = "\
Goes through a session, a webhook and an engine's life at a real address, says how long each step took, and whether all
of it was right.

  cargo smoke -- <url> [<token>]

  <url>                up to /functions/v1; without one, a running `cargo dev` is asked
  <token>              of a user for tests: what is measured stays among their sessions, metrics and engines.
                       By default SMOKE_TOKEN, which no list of processes shows
  --fleet <id>         the fleet of the engine (by default the only one that the token names)
  --wait <seconds>     how long a webhook may take to become a metric (90)
  --stack-file <path>  of a running `cargo dev` (target/local/stack.json)

TERRA_SIGNING_SECRET is what webhooks are signed with; without it a webhook is only tried without a signature.

Exits 0 only if every step that could be tried has passed.
";

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error + Send + Sync>> {
    let Some(options) = arguments()? else {
        print!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    };
    Ok(if run(&options).await? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn arguments() -> Result<Option<SmokeOptions>, Box<dyn Error + Send + Sync>> {
    let mut given = pico_args::Arguments::from_env();
    if given.contains(["-h", "--help"]) {
        return Ok(None);
    }
    let mut options = SmokeOptions {
        fleet: given.opt_value_from_str("--fleet")?,
        wait: Duration::from_secs(given.opt_value_from_str("--wait")?.unwrap_or(90)),
        stack_file: given.opt_value_from_os_str("--stack-file", |path| Ok::<_, String>(PathBuf::from(path)))?,
        ..SmokeOptions::default()
    };
    let mut rest = Vec::new();
    for argument in given.finish() {
        // The argument itself is not shown: it may be a token.
        let text = argument.into_string().map_err(|_| "an argument is no text; see --help")?;
        if text.starts_with('-') {
            return Err(format!("not known: {text}; see --help").into());
        }
        rest.push(text);
    }
    let mut rest = rest.into_iter();
    (options.url, options.token) = (rest.next(), rest.next());
    match rest.next() {
        None => Ok(Some(options)),
        Some(_) => Err("more than an address and a token; see --help".into()),
    }
}
