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
    let LambdaEvent { mut payload, context } = event;
    name_route(&mut payload);
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

/// `cargo lambda watch` chooses a function by the path and says `$default` for every route; the functions tell theirs
/// apart by its key. API Gateway names one of the template's routes, and `$default` is none of them.
fn name_route(event: &mut ApiGatewayV2httpRequest) {
    let context = &mut event.request_context;
    let (None | Some("$default"), Some(path)) = (context.route_key.as_deref(), event.raw_path.as_deref()) else {
        return;
    };
    let parameters = &event.path_parameters;
    let named = path.split('/').map(|segment| match parameters.iter().find(|(_, value)| *value == segment) {
        Some((name, _)) => format!("{{{name}}}"),
        None => segment.to_owned(),
    });
    let path = named.collect::<Vec<_>>().join("/");
    context.route_key = Some(format!("{} {path}", context.http.method));
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn route(key: &Value, path: &str, parameters: &Value) -> String {
        let context = json!({ "routeKey": key, "http": { "method": "PUT", "path": path } });
        let event = json!({ "rawPath": path, "headers": {}, "pathParameters": parameters, "requestContext": context });
        let mut event: ApiGatewayV2httpRequest = serde_json::from_value(event).unwrap();
        name_route(&mut event);
        event.request_context.route_key.unwrap()
    }

    #[test]
    fn a_route_that_is_not_named_is_that_of_the_path() {
        let id = json!({ "id": "FD001-7" });
        let path = "/functions/v1/engines/FD001-7/readings";
        for key in [json!("$default"), Value::Null] {
            assert_eq!(route(&key, path, &id), "PUT /functions/v1/engines/{id}/readings");
            assert_eq!(route(&key, "/functions/v1/fleet", &json!({})), "PUT /functions/v1/fleet");
        }
        // What API Gateway says is not touched.
        assert_eq!(route(&json!("GET /functions/v1/engines/{id}"), path, &id), "GET /functions/v1/engines/{id}");
    }
}
