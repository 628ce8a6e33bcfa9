//! A function's `handle` in this process, on the stack's own tables, bucket and queues: for rules that take time. Its
//! clock is the test's, everything behind it is the stack's.

use std::time::Duration;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use lambda_http::{Body, RequestExt, request::RequestContext};
use local::Stack;
use serde_json::{Value, json};
use shared::{
    Context, Result,
    aws::Aws,
    breaker::Breakers,
    clock::Clock,
    config::Config,
    http::{Request, Response, respond},
    rate_limit::RateLimiter,
    store::control::Deadlines,
    telemetry::Metrics,
};

use super::{Answer, fresh_address, on_a_large_stack};

/// A busy machine must not be taken for a database that is away.
const PATIENT: Deadlines = Deadlines { limiter: Duration::from_secs(20), breaker: Duration::from_secs(20) };

/// One instance of a function. As in the function's own process, its context lasts as long as the process.
#[derive(Clone, Copy)]
pub struct Instance(&'static Context);

/// A clock that stands at the start of a minute, close to now: tokens that are signed now are good.
pub fn clock() -> Clock {
    Clock::manual(Clock::System.now().duration_round(TimeDelta::minutes(1)).unwrap())
}

/// An instance of a function of the stack's, with the template's configuration, that waits for its tables.
pub fn instance(stack: &Stack, function: &'static str, clock: &Clock) -> Instance {
    Instance::of(patient(context(stack, function, clock, |_| {})))
}

/// The same, with changes to its configuration.
pub fn instance_with(
    stack: &Stack,
    function: &'static str,
    clock: &Clock,
    change: impl FnOnce(&mut Config),
) -> Instance {
    Instance::of(patient(context(stack, function, clock, change)))
}

/// The same as [`instance`] with the deadlines that it is deployed with.
pub fn hurried(stack: &Stack, function: &'static str, clock: &Clock) -> Instance {
    Instance::of(context(stack, function, clock, |_| {}))
}

fn context(stack: &Stack, function: &'static str, clock: &Clock, change: impl FnOnce(&mut Config)) -> Context {
    let variables = &stack.model().functions.iter().find(|known| known.name == function).unwrap().environment;
    let mut config = Config::from_lookup(&[], |name| variables.get(name).cloned()).unwrap();
    change(&mut config);
    let metrics = Metrics::discard();
    let aws = Aws::from_config(stack.aws().sdk_config(), metrics.clone());
    Context::new(function, config, clock.clone(), metrics, aws)
}

fn patient(mut context: Context) -> Context {
    let control = context.control.clone().with_deadlines(PATIENT);
    context.limiter = RateLimiter::new(control.clone(), context.clock.clone(), context.metrics.clone());
    context.breakers = Breakers::new(control, context.clock.clone(), context.metrics.clone());
    context
}

/// Clients of the stack's APIs, for a test that looks at what is stored.
pub fn aws(stack: &Stack) -> Aws {
    Aws::from_config(stack.aws().sdk_config(), Metrics::discard())
}

impl Instance {
    fn of(context: Context) -> Self {
        Self(Box::leak(Box::new(context)))
    }

    /// For functions that answer no requests.
    pub fn context(self) -> &'static Context {
        self.0
    }

    /// What the function answers.
    pub async fn call<H, F>(&self, handle: H, call: Call<'_>) -> Answer
    where
        H: FnOnce(&'static Context, Request) -> F + Send + 'static,
        F: Future<Output = Result<Response>> + Send + 'static,
    {
        self.answer(handle, call.event()).await
    }

    /// The same for any event.
    pub async fn answer<H, F>(&self, handle: H, event: lambda_http::Request) -> Answer
    where
        H: FnOnce(&'static Context, Request) -> F + Send + 'static,
        F: Future<Output = Result<Response>> + Send + 'static,
    {
        let context = self.0;
        // On the heap, or it would pass through the stack of the test's thread on its way.
        let response = on_a_large_stack(async move { Box::pin(respond(context, handle, event)).await }).await;
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.to_vec()).unwrap();
        let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() };
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }
}

/// A request as API Gateway hands it over.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// `POST start-session`
    pub route: &'a str,
    /// The caller's address.
    pub from: &'a str,
    pub token: Option<&'a str>,
    pub body: &'a Value,
}

impl Call<'_> {
    fn event(&self) -> lambda_http::Request {
        let mut event = event(self.route, self.from, self.body.to_string());
        if let Some(token) = self.token {
            event.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        event
    }
}

/// A webhook with this signature, from an address that no other one comes from.
pub fn signed(signature: &str, body: &str) -> lambda_http::Request {
    signed_from(&fresh_address().to_string(), signature, body)
}

/// The same from a certain address.
pub fn signed_from(address: &str, signature: &str, body: &str) -> lambda_http::Request {
    let mut event = event("POST webhook-terra", address, body.to_owned());
    event.headers_mut().insert("terra-signature", signature.parse().unwrap());
    event
}

fn event(route: &str, from: &str, body: String) -> lambda_http::Request {
    let (method, route) = route.split_once(' ').unwrap();
    let path = format!("/functions/v1/{route}");
    let context = json!({
        "routeKey": format!("{method} {path}"), "stage": "$default", "timeEpoch": 0, "accountId": "1", "apiId": "a",
        "domainName": "api.example", "requestId": "gateway",
        "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": from, "userAgent": "test" },
    });
    let mut event = lambda_http::Request::new(Body::Text(body));
    *event.method_mut() = method.parse().unwrap();
    event.headers_mut().insert("content-type", "application/json".parse().unwrap());
    event
        .with_request_context(RequestContext::ApiGatewayV2(serde_json::from_value(context).unwrap()))
        .with_lambda_context(lambda_http::Context::default())
}

/// Which window of the limiter a time lies in.
pub fn window(at: DateTime<Utc>) -> i64 {
    at.timestamp() / 60
}
