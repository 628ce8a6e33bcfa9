//! Something that a function does for somebody, who sees whether it was done.

use futures::future::BoxFuture;

use super::stage::Stage;
use crate::support::Answer;

/// To add one: an `async` function in one of the modules beside, and its place in `SCENARIOS`. It uses the function by its own
/// means, and everything else by the stack's key, so that only the function can miss a permission. It may be run again and
/// again, beside those of other functions: whatever it needs it makes anew.
pub struct Scenario {
    pub name: &'static str,
    pub run: for<'a> fn(&'a Stage, &'a str) -> BoxFuture<'a, Outcome>,
}

pub type Outcome = Result<(), Trouble>;

/// What whoever needs the function sees when it can't do what it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// An answer that is an error, a job that fails.
    Failed(String),
    /// The code goes on without; this is how one sees it.
    Degraded(String),
}

/// Fails where `well` is false.
pub fn check(well: bool, otherwise: impl FnOnce() -> String) -> Outcome {
    if well { Ok(()) } else { Err(Trouble::Failed(otherwise())) }
}

/// The answer, where it is a success.
pub fn success(answer: Answer) -> Result<Answer, Trouble> {
    let said = || format!("answered {} {}", answer.status, answer.body);
    check((200..300).contains(&answer.status), said).map(|()| answer)
}
