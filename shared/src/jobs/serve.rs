//! From Lambda to a batch or a schedule, and back.

use std::{panic::AssertUnwindSafe, time::Instant};

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use serde_json::Value;
use tracing::{Instrument, error};

use super::{
    record::{records, source},
    runner::{Batch, Times, run},
};
use crate::{
    Context, clock,
    error::{Error, Result},
    shutdown,
    telemetry::{InvocationRecord, invocation_span},
};

/// What an invocation may take where nothing says when it ends.
const TIME: TimeDelta = TimeDelta::seconds(30);

/// Runs batches with `perform`, and answers schedules with `scheduled`, until the instance ends.
pub async fn serve<P, S>(context: Context, perform: P, scheduled: S) -> Result<(), lambda_runtime::Error>
where
    P: AsyncFn(&Context, &Batch),
    S: AsyncFn(&Context, &Value) -> Result<()>,
{
    let (context, perform, scheduled) = (&context, &perform, &scheduled);
    context.fetch_secrets().await?;
    shutdown::in_order().await;
    let service = service_fn(async move |event: LambdaEvent<Value>| {
        let (event, lambda) = (event.payload, event.context);
        let deadline = clock::deadline(lambda.deadline).unwrap_or_else(|| context.clock.now() + TIME);
        let trace = lambda.xray_trace_id.as_deref();
        match records(&event, &context.config.job_dead_letter_queue_url) {
            Some(records) => {
                let span = invocation_span(source(&records), &lambda.request_id, trace);
                // On the heap, or the future of an invocation, one in the other, is deeper than the compiler follows.
                let answer = Box::pin(run(context, perform, &records, deadline, &lambda.request_id));
                let answer = answer.instrument(span).await;
                serde_json::to_value(answer).map_err(lambda_runtime::Error::from)
            }
            None => {
                let span = invocation_span("schedule", &lambda.request_id, trace);
                let answered = Box::pin(answer_schedule(context, scheduled, &event, deadline, &lambda.request_id));
                answered.instrument(span).await.map(|()| Value::Null).map_err(lambda_runtime::Error::from)
            }
        }
    });
    Runtime::new(service).run().await
}

async fn answer_schedule<S>(
    ctx: &Context,
    scheduled: &S,
    event: &Value,
    deadline: DateTime<Utc>,
    request_id: &str,
) -> Result<()>
where
    S: AsyncFn(&Context, &Value) -> Result<()>,
{
    let started = Instant::now();
    let now = ctx.clock.now();
    let left = (Times::of(now, deadline).until - now).to_std().unwrap_or_default();
    let answered = AssertUnwindSafe(async { scheduled(ctx, event).await }).catch_unwind();
    let answered = match tokio::time::timeout(left, answered).await {
        Ok(Ok(answered)) => answered,
        Ok(Err(_panic)) => Err(Error::internal("the schedule panicked")),
        Err(_) => Err(Error::internal("the schedule's time is up")),
    };
    if let Err(err) = &answered {
        error!(error = err as &dyn std::error::Error, "schedule failed");
    }
    let record = InvocationRecord {
        source: "schedule",
        request_id,
        messages: 0,
        failed: answered.is_err(),
        duration: started.elapsed(),
        cold_start: ctx.metrics.cold_start(),
    };
    ctx.metrics.invocation(record, Vec::new());
    answered
}
