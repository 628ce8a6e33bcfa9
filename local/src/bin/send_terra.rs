//! `cargo send-terra`: webhooks of a folder, signed and sent. See `cargo send-terra --help`.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use local::send_terra::{Reference, SendOptions, run};

const HELP: &str = "\
Signs every *.json of a folder as Terra does, sends it, and shows what became of it.

  cargo send-terra <dir>

  --stack-file <path>  of a running `cargo dev` (target/local/stack.json); without one, a stack is started
  --url <url>          any backend, up to /functions/v1; needs --secret
  --secret <secret>    that webhooks are signed with
  --token <token>      an admin's, to be told of dead jobs at --url
  --reference <uuid>   our user whom the bodies are for (the stack's user); `keep` leaves each reference_id as it is
  --wait <seconds>     how long jobs are waited for at the end (60)
  --release            functions from the release profile, where a stack is started

Exits 0 only if every body was accepted and every job is done.
";

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error + Send + Sync>> {
    let Some(options) = arguments()? else {
        print!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    };
    Ok(if run(&options).await? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn arguments() -> Result<Option<SendOptions>, Box<dyn Error + Send + Sync>> {
    let mut given = pico_args::Arguments::from_env();
    if given.contains(["-h", "--help"]) {
        return Ok(None);
    }
    let reference: Option<String> = given.opt_value_from_str("--reference")?;
    let mut options = SendOptions {
        url: given.opt_value_from_str("--url")?,
        secret: given.opt_value_from_str("--secret")?,
        token: given.opt_value_from_str("--token")?,
        stack_file: given.opt_value_from_os_str("--stack-file", |path| Ok::<_, String>(PathBuf::from(path)))?,
        reference: match reference.as_deref() {
            None => Reference::Ours,
            Some("keep") => Reference::Keep,
            Some(id) => Reference::Is(id.parse().map_err(|_| "--reference must be a UUID or `keep`")?),
        },
        wait: Duration::from_secs(given.opt_value_from_str("--wait")?.unwrap_or(60)),
        release: given.contains("--release"),
        ..SendOptions::default()
    };
    match given.finish().as_slice() {
        [folder] => {
            options.folder = PathBuf::from(folder);
            Ok(Some(options))
        }
        rest => Err(format!("one folder is needed, not {rest:?}; see --help").into()),
    }
}
