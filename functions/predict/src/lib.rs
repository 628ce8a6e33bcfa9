//! `POST predict` and `POST predict/batch`: the remaining useful life of engines, out of their sensors' histories.

use futures::future::join;
use serde::Serialize;
use shared::{
    Context, Error, Result,
    auth::Caller,
    breaker::Gate,
    http::{self, Problem, Request, Response},
    rate_limit::Preset,
};
use tracing::error;
use utoipa::ToSchema;

mod answer;
pub mod api;
mod ask;
mod keep;
pub mod model;
mod predictor;
mod subject;

use answer::Answer;
use ask::Ask;
pub use predictor::Predictor;
use subject::Subject;

pub async fn handle(ctx: &Context, predictor: &Predictor, request: Request) -> Result<Response> {
    let caller = request.caller(ctx).await?;
    match request.route() {
        "predict/batch" => batch(ctx, predictor, &caller, &request).await,
        _ => one(ctx, predictor, &caller, &request).await,
    }
}

async fn one(ctx: &Context, predictor: &Predictor, caller: &Caller, request: &Request) -> Result<Response> {
    let read = async {
        let ask = Ask::parse(request.raw_json()?, caller)?;
        Ok(join(subject::load(ctx, vec![Ok(ask)]), predictor.gate(ctx)).await)
    };
    let (subjects, gate) = request.limited(ctx, caller, Preset::Standard, read).await?;
    let answer = answers(ctx, predictor, gate, subjects).await.pop();
    let answer = answer.ok_or_else(|| Error::internal("a request without an answer"))??;
    Ok(http::ok(answer))
}

/// One bad request spoils no other: each has its answer or its error, in order.
async fn batch(ctx: &Context, predictor: &Predictor, caller: &Caller, request: &Request) -> Result<Response> {
    let read = async {
        let asks = ask::several(request.body().len(), request.raw_json()?, caller)?;
        Ok(join(subject::load(ctx, asks), predictor.gate(ctx)).await)
    };
    let (subjects, gate) = request.limited(ctx, caller, Preset::Standard, read).await?;
    let answers = answers(ctx, predictor, gate, subjects).await;
    let results: Vec<_> = answers.iter().map(|answer| BatchResult::of(answer, request.correlation_id())).collect();
    Ok(http::ok(Batch { success: true, results }).compressible())
}

/// What the model says of each, kept where the engine is known.
async fn answers(
    ctx: &Context,
    predictor: &Predictor,
    gate: Option<Gate>,
    subjects: Vec<Result<Subject>>,
) -> Vec<Result<Answer>> {
    let there: Vec<&Subject> = subjects.iter().flatten().collect();
    let mut predictions = predictor.predict(ctx, gate, &there).await.into_iter();
    let predicted = subjects.into_iter().map(|subject| {
        let prediction = subject.as_ref().ok().and_then(|_| predictions.next());
        subject.and_then(|subject| Ok((subject, prediction.ok_or_else(|| Error::internal("no prediction"))?)))
    });
    keep::keep(ctx, predicted.collect()).await
}

/// An answer or an error for each request, in their order.
#[derive(Serialize, ToSchema)]
struct Batch<'a> {
    success: bool,
    results: Vec<BatchResult<'a>>,
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum BatchResult<'a> {
    Answer(&'a Answer),
    Failure { success: bool, error: Problem<'a> },
}

impl<'a> BatchResult<'a> {
    fn of(answer: &'a Result<Answer>, correlation_id: &'a str) -> Self {
        match answer {
            Ok(answer) => Self::Answer(answer),
            Err(err) => {
                let problem = Problem::new(err, correlation_id);
                if problem.status().is_server_error() {
                    error!(error = err as &dyn std::error::Error, code = problem.code(), "one of a batch failed");
                }
                Self::Failure { success: false, error: problem }
            }
        }
    }
}
