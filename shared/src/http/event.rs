//! API Gateway's event (HTTP API, payload 2.0) and the answer that it expects.
//!
//! lambda_http could convert both, but it builds a URL of path, query and `Host` and panics where they make none: any
//! caller could turn a request into a 502 that no code of ours has seen. Nothing here needs the URL.

use lambda_http::{
    Body, RequestExt,
    aws_lambda_events::{
        apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse},
        query_map::QueryMap,
    },
    request::RequestContext,
};
use lambda_runtime::LambdaEvent;

/// The event as a request. Its URI is `/`, whatever the event's is.
pub(super) fn request(event: LambdaEvent<ApiGatewayV2httpRequest>) -> lambda_http::Request {
    let LambdaEvent { payload, context } = event;
    // API Gateway joins repeated parameters by a comma in its own map; the raw string tells them apart.
    let query: QueryMap = match payload.raw_query_string.as_deref().map(str::parse) {
        Some(Ok(query)) => query,
        _ => payload.query_string_parameters,
    };
    let body =
        payload.body.as_deref().map_or(Body::Empty, |body| Body::from_maybe_encoded(payload.is_base64_encoded, body));
    let mut request = lambda_http::Request::new(body)
        .with_path_parameters(payload.path_parameters)
        .with_query_string_parameters(query);
    *request.method_mut() = payload.request_context.http.method.clone();
    *request.headers_mut() = payload.headers;
    request.with_request_context(RequestContext::ApiGatewayV2(payload.request_context)).with_lambda_context(context)
}

/// The response in API Gateway's form, written out in full: it takes JSON without a `statusCode` for a body.
pub(super) fn answer(response: lambda_http::Response<Body>) -> ApiGatewayV2httpResponse {
    let (parts, body) = response.into_parts();
    let mut answer = ApiGatewayV2httpResponse::default();
    answer.status_code = parts.status.as_u16().into();
    answer.headers = parts.headers;
    answer.is_base64_encoded = matches!(body, Body::Binary(_));
    answer.body = Some(body).filter(|body| !matches!(body, Body::Empty));
    answer
}
