//! From Lambda to a handler and back.

use std::{convert::Infallible, panic::AssertUnwindSafe, time::Instant};

use futures::{FutureExt, future::BoxFuture};
use lambda_http::{Body, aws_lambda_events::apigw::ApiGatewayV2httpRequest};
use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use tracing::{Instrument, error, info};

use super::{
    answer, event,
    exchange::Exchange,
    problem::{self, Problem},
    request::Request,
    response::Response,
};
use crate::{
    Context,
    error::{Error, Result},
    shutdown,
    telemetry::{RequestRecord, request_span},
};

/// Answers Lambda's events with `handler` until the instance ends. SIGTERM ends it at once: by then nothing is under
/// way, and nothing is ever held back.
pub async fn serve<H, F>(context: Context, handler: H) -> Result<(), lambda_http::Error>
where
    H: Fn(&'static Context, Request) -> F + Copy + Send + 'static,
    F: Future<Output = Result<Response>> + Send + 'static,
{
    // It lives as long as the process. Borrowed for ever, it lets handlers be plain `async fn`s of `&Context`.
    let context: &'static Context = Box::leak(Box::new(context));
    context.fetch_secrets().await?;
    shutdown::in_order().await;
    let service = service_fn(move |event: LambdaEvent<ApiGatewayV2httpRequest>| async move {
        // Behind a pointer, a handler's future of futures does not add to the depth of the runtime's own: together
        // they pass what the compiler computes a layout of.
        let boxed =
            move |context, request| -> BoxFuture<'static, Result<Response>> { handler(context, request).boxed() };
        Ok::<_, Infallible>(event::answer(respond(context, boxed, event::request(event)).await))
    });
    // One event at a time, unless the platform sets AWS_LAMBDA_MAX_CONCURRENCY (managed instances).
    Runtime::new(service).run_concurrent().await
}

/// Answers one event: there is an answer, a closing log line and a metrics record, whatever the handler does.
pub async fn respond<'a, H, F>(ctx: &'a Context, handler: H, event: lambda_http::Request) -> lambda_http::Response<Body>
where
    H: FnOnce(&'a Context, Request) -> F,
    F: Future<Output = Result<Response>>,
{
    let started = Instant::now();
    let request = Request::new(event, ctx.ids);
    let exchange = request.exchange.clone();
    let span =
        request_span(&exchange.route, &exchange.correlation_id, &exchange.request_id, exchange.trace_id.as_deref());
    async {
        // The context's locks outlive a panic: whoever takes one afterwards finds it as the panic left it.
        let outcome = AssertUnwindSafe(async { handler(ctx, request).await }).catch_unwind().await;
        let response = answer::complete(settle(outcome, &exchange), &exchange);
        close(ctx, &exchange, &response, started);
        answer::into_lambda(response)
    }
    .instrument(span)
    .await
}

/// The handler's response if it can be sent, or the problem that stands in its place.
fn settle(outcome: std::thread::Result<Result<Response>>, exchange: &Exchange) -> Response {
    match outcome {
        Ok(result) => result
            .and_then(Response::sendable)
            .and_then(|response| answer::compressed(response, exchange))
            .and_then(answer::within_limit)
            .unwrap_or_else(|error| refuse(&error, exchange)),
        // The panic hook has logged it, with its place.
        Err(_panic) => problem::response(&Error::internal("the handler panicked"), &exchange.correlation_id),
    }
}

/// The one place that logs what a handler failed with: what is ours with all its causes, what is the caller's only by
/// its code in the closing line.
fn refuse(error: &Error, exchange: &Exchange) -> Response {
    let problem = Problem::new(error, &exchange.correlation_id);
    if problem.status().is_server_error() {
        error!(error = error as &dyn std::error::Error, code = problem.code(), "request failed");
    }
    problem::response(error, &exchange.correlation_id)
}

/// The closing line and the metrics. Both are out before the answer is: Lambda freezes the instance behind it.
fn close(ctx: &Context, exchange: &Exchange, response: &Response, started: Instant) {
    let duration = started.elapsed();
    let cold_start = ctx.metrics.cold_start();
    let status = response.status.as_u16();
    info!(
        status,
        code = response.code,
        duration_ms = (duration.as_secs_f64() * 1e6).round() / 1e3,
        cold_start,
        "request ended"
    );
    ctx.metrics.request(RequestRecord {
        route: &exchange.route,
        correlation_id: &exchange.correlation_id,
        request_id: &exchange.request_id,
        status,
        duration,
        cold_start,
    });
}

#[cfg(test)]
mod tests;
