//! A request as API Gateway hands it over (HTTP API, payload 2.0).

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use ::http::{HeaderMap, Method, header};
use chrono::{DateTime, Utc};
use lambda_http::{Body, RequestExt, request::RequestContext};
use serde_json::{Value, value::RawValue};

use super::{
    body,
    exchange::{Exchange, route_key},
};
use crate::{clock, error::Result, ids::Ids};

/// A request. Its body is read with [`Request::json`], its caller with [`Request::caller`].
pub struct Request {
    event: lambda_http::Request,
    pub(super) exchange: Arc<Exchange>,
}

impl Request {
    pub(super) fn new(event: lambda_http::Request, ids: Ids) -> Self {
        let exchange = Arc::new(Exchange::of(&event, ids));
        Self { event, exchange }
    }

    pub fn method(&self) -> &Method {
        self.event.method()
    }

    /// The route's short name, e.g. `start-session`, `health-check/live`, `latest-metrics/{user_id}`: for limits and
    /// metrics.
    pub fn route(&self) -> &str {
        &self.exchange.route
    }

    /// The route as the template has it, e.g. `GET /functions/v1/health-check/live`.
    pub fn route_key(&self) -> &str {
        route_key(&self.event)
    }

    /// A parameter of the route's path, e.g. `user_id`.
    pub fn path_parameter(&self, name: &str) -> Option<&str> {
        self.event.path_parameters_ref()?.first(name)
    }

    /// A parameter of the query string; the first, if it is given several times.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.event.query_string_parameters_ref()?.first(name)
    }

    /// A header, by its name in lower case; `None` also where its value is no visible ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().get(name)?.to_str().ok()
    }

    pub fn headers(&self) -> &HeaderMap {
        self.event.headers()
    }

    pub fn user_agent(&self) -> Option<&str> {
        self.header(header::USER_AGENT.as_str())
    }

    /// The caller's own id for this request, or one made for it.
    pub fn correlation_id(&self) -> &str {
        &self.exchange.correlation_id
    }

    /// Lambda's id of this invocation.
    pub fn request_id(&self) -> &str {
        &self.exchange.request_id
    }

    /// The address that API Gateway saw, not what a header says of it. `0.0.0.0` where there is none, so that all such
    /// requests share one limit.
    pub fn address(&self) -> IpAddr {
        let address = match self.event.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.as_deref(),
            _ => None,
        };
        address.and_then(|text| text.parse().ok()).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    }

    /// When Lambda ends this invocation, done or not; `None` outside of Lambda.
    pub fn deadline(&self) -> Option<DateTime<Utc>> {
        clock::deadline(self.event.lambda_context_ref()?.deadline)
    }

    /// The body's bytes, base64 undone.
    pub fn body(&self) -> &[u8] {
        match self.event.body() {
            Body::Text(text) => text.as_bytes(),
            Body::Binary(bytes) => bytes,
            _ => &[],
        }
    }

    /// The body as JSON that is not read yet: for large ones, of which each part is read where it is needed.
    ///
    /// Fails as [`Request::json`] does.
    pub fn raw_json(&self) -> Result<&RawValue> {
        body::json(self.header(header::CONTENT_TYPE.as_str()), self.body())
    }

    /// The body as JSON.
    ///
    /// Fails with `MissingBody`, `UnsupportedMediaType` (it must say `application/json`) or `MalformedJson`.
    pub fn json(&self) -> Result<Value> {
        body::json(self.header(header::CONTENT_TYPE.as_str()), self.body())
    }
}
