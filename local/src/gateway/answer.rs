//! A function's answer as an HTTP response, payload format 2.0.

use base64::prelude::{BASE64_STANDARD, Engine};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, SET_COOKIE, TRANSFER_ENCODING};
use hyper::{Response, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::http::{self, Answer};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FullAnswer {
    status_code: u16,
    #[serde(default)]
    headers: Option<Map<String, Value>>,
    #[serde(default)]
    cookies: Option<Vec<String>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// The response, or why API Gateway would take it for a broken integration.
pub fn answer(payload: &Bytes) -> Result<Answer, String> {
    let value: Value = serde_json::from_slice(payload).map_err(|error| format!("the answer is no JSON: {error}"))?;
    if value.get("statusCode").is_none() {
        // JSON without a status code is the body of a 200; a text is taken out of its quotes.
        let body = value.as_str().map_or_else(|| payload.clone(), |text| Bytes::from(text.to_owned()));
        return Ok(http::answer(StatusCode::OK, "application/json", body));
    }
    let full: FullAnswer =
        serde_json::from_value(value).map_err(|error| format!("the answer has a wrong shape: {error}"))?;
    let body = match full.body {
        Some(body) if full.is_base64_encoded => {
            BASE64_STANDARD.decode(body).map(Bytes::from).map_err(|error| format!("the body is no base64: {error}"))?
        }
        Some(body) => Bytes::from(body),
        None => Bytes::new(),
    };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = StatusCode::from_u16(full.status_code).map_err(|error| error.to_string())?;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    for (name, value) in full.headers.unwrap_or_default() {
        let name = HeaderName::try_from(&name).map_err(|_| format!("{name:?} is no header name"))?;
        // These belong to the connection, which is API Gateway's.
        if [CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION].contains(&name) {
            continue;
        }
        response.headers_mut().insert(name, header_value(&value)?);
    }
    for cookie in full.cookies.unwrap_or_default() {
        response.headers_mut().append(SET_COOKIE, header_value(&Value::String(cookie))?);
    }
    Ok(response)
}

fn header_value(value: &Value) -> Result<HeaderValue, String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => return Err(format!("{value} is no header value")),
    };
    HeaderValue::try_from(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use serde_json::json;

    use super::*;

    async fn rendered(payload: Value) -> Result<(u16, Vec<(String, String)>, String), String> {
        let (parts, body) = answer(&payload.to_string().into())?.into_parts();
        let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
        let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        Ok((parts.status.as_u16(), headers.collect(), String::from_utf8(body.into()).unwrap()))
    }

    #[tokio::test]
    async fn the_full_structure_is_honoured() {
        let payload = json!({
            "statusCode": 201, "headers": {"Content-Type": "text/html", "x-n": 1, "content-length": "99"},
            "cookies": ["a=1; Path=/", "b=2"], "body": "PGI+", "isBase64Encoded": true, "multiValueHeaders": {"x": ["y"]},
        });
        let (status, headers, body) = rendered(payload).await.unwrap();
        assert_eq!((status, body.as_str()), (201, "<b>"));
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let expected = [
            header("content-type", "text/html"),
            header("x-n", "1"),
            header("set-cookie", "a=1; Path=/"),
            header("set-cookie", "b=2"),
        ];
        assert_eq!(headers, expected);
    }

    #[tokio::test]
    async fn json_without_a_status_is_the_body_of_a_200() {
        let (status, headers, body) = rendered(json!({"a": 1})).await.unwrap();
        assert_eq!((status, body.as_str()), (200, r#"{"a":1}"#));
        assert_eq!(headers, [("content-type".to_owned(), "application/json".to_owned())]);
    }

    #[tokio::test]
    async fn what_cannot_be_understood_is_an_error() {
        for payload in [
            json!({"statusCode": "x"}),
            json!({"statusCode": 1}),
            json!({"statusCode": 200, "body": "?", "isBase64Encoded": true}),
            json!({"statusCode": 200, "headers": {"a b": "c"}}),
        ] {
            assert!(rendered(payload.clone()).await.is_err(), "{payload}");
        }
    }
}
