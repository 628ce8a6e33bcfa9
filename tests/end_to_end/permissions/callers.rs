//! Who calls, and how often: what every route keeps in the Control table.

use futures::FutureExt;
use reqwest::Method;
use serde_json::json;
use shared::clock::Clock;

use super::{
    scenario::{Outcome, Scenario, Trouble, check, success},
    stage::{Stage, number, text},
};
use crate::support::{
    Answer, User,
    in_process::window,
    storage::{Row, put},
    terra::{Sender, webhook},
};

/// Of functions that ask for a token.
pub const BLOCKED: &[Scenario] = &[Scenario {
    name: "an address is blocked, and every instance knows it",
    run: |stage, function| blocked(stage, function).boxed(),
}];

/// Of those that go by address alone.
pub const OVER_THE_LIMIT: &[Scenario] = &[Scenario {
    name: "an address that has filled the window before waits",
    run: |stage, _| over_the_limit(stage).boxed(),
}];

/// More than the attempts that an address has.
const TOO_MANY: usize = 15;

async fn blocked(stage: &Stage, function: &str) -> Outcome {
    let somebody = User::new(&stage.stack).with_token("not.a.token");
    let mut asking = None;
    for (method, path) in stage.routes(function) {
        if ask(&somebody, &method, &path).await.status == 401 {
            asking = Some((method, path));
            break;
        }
    }
    let (method, path) = asking.ok_or_else(|| Trouble::Failed("no route wants a token".into()))?;
    let mut last = 0;
    for _ in 0..TOO_MANY {
        last = ask(&somebody, &method, &path).await.status;
        if last == 429 {
            break;
        }
    }
    check(last == 429, || format!("still answered {last}"))?;
    stage.restart(function).await;
    match ask(&somebody.without_token(), &method, &path).await.status {
        429 => Ok(()),
        status => Err(Trouble::Degraded(format!("another instance answered {status}"))),
    }
}

async fn ask(user: &User, method: &Method, path: &str) -> Answer {
    Answer::of(user.request(method.clone(), path).send().await.unwrap()).await
}

async fn over_the_limit(stage: &Stage) -> Outcome {
    let sender = Sender::new(&stage.stack);
    let address = sender.caller().address;
    loop {
        let now = window(Clock::System.now());
        let key = format!("addr:{address}#webhook-terra#{}", now - 1);
        let full = Row::from([("key".to_owned(), text(key)), ("count".to_owned(), number(1_000_000_000_u64))]);
        put(&stage.stack, "ControlTable", full).await;
        let answer = sender.send(&webhook(&json!({ "type": "healthcheck" }))).await;
        if window(Clock::System.now()) != now {
            continue;
        }
        return match answer.status {
            429 => Ok(()),
            _ => success(answer).and_then(|_| Err(Trouble::Degraded("the window before did not count".into()))),
        };
    }
}
