//! A stack that waits for its end, in a process that the crate's own tests can kill:
//! `waiting_stack <template> <directory of binaries>` says `instance=<pid> <its files>` once an instance runs.

use std::error::Error;

use local::{Binaries, Stack, StackOptions};
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(template), Some(binaries)) = (arguments.next(), arguments.next()) else {
        return Err("usage: waiting_stack <template> <directory of binaries>".into());
    };
    let binaries = Binaries::In(binaries.into());
    let stack = Stack::start(StackOptions { template: template.into(), binaries, ..StackOptions::default() }).await?;
    let answer = reqwest::get(format!("{}/echo/1", stack.base_url())).await?.text().await?;
    let answer: Value = serde_json::from_str(&answer)?;
    let files = answer["environment"]["LAMBDA_TASK_ROOT"].as_str().ok_or("the fixture does not say where it runs")?;
    println!("instance={} {files}", answer["pid"]);
    std::future::pending::<()>().await;
    Ok(())
}
