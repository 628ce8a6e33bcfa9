//! Roboflow hosted inference.
//!
//! `POST {ROBOFLOW_URL}/{project}/{version}?api_key=…` with the picture as base64 text. Source: Roboflow's "Hosted API"
//! documentation and the responses that its server's own tests record. The key travels in the query, so no URL of
//! this module may reach a log or an error.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use super::{Call, Failure, body, keyed, retry_after};
use crate::{
    Context,
    breaker::Gate,
    config::{RoboflowConfig, Secret},
    error::{Error, Result},
};

pub const NAME: &str = "roboflow";
const CALL: Call = Call { provider: NAME, deadline: Duration::from_secs(8) };
/// Predictions of one picture are kilobytes.
const MAX_ANSWER_BYTES: usize = 1_000_000;
/// What is said of an error is cut to this: it goes to the log.
const MAX_MESSAGE_CHARS: usize = 200;

/// What the model saw.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    /// Width and height of the picture as the model saw it, where it says so.
    pub image: Option<(f64, f64)>,
    pub predictions: Vec<Prediction>,
}

/// A box: its centre and size in pixels of the picture.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Prediction {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
    /// 0 to 1; a box without one counts for nothing against another.
    #[serde(default)]
    pub confidence: f64,
    pub class: String,
}

/// Asks the model about one picture.
pub async fn infer(ctx: &Context, model: &RoboflowConfig, gate: &Gate, picture: &[u8]) -> Result<Predictions> {
    let text = Bytes::from(STANDARD.encode(picture));
    let url = reqwest::Url::parse(&format!("{}/{}", model.url, model.model)).map_err(Error::internal)?;
    let attempt = |key| attempt(ctx, &url, &text, key);
    CALL.run(ctx, gate, || keyed(ctx, |secrets| secrets.roboflow_api_key.as_ref(), attempt)).await
}

async fn attempt(ctx: &Context, url: &reqwest::Url, text: &Bytes, key: Secret) -> Result<Predictions, Failure> {
    let mut url = url.clone();
    url.query_pairs_mut().append_pair("api_key", key.expose());
    let post = ctx.http.post(url)?;
    let post = post.header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(text.clone());
    let response = post.send().await.map_err(Failure::of_http)?;
    let status = response.status().as_u16();
    let wait = retry_after(&response);
    let bytes = body(response, MAX_ANSWER_BYTES).await?;
    match status {
        200 => parse(&bytes),
        429 | 503 | 504 => Err(Failure::Overloaded { status, retry_after: wait }),
        500.. => Err(Failure::Broken { status }),
        _ => Err(Failure::Refused { status, message: message(&bytes, &key) }),
    }
}

/// Reads an answer: an object, or a list with one object a picture. Boxes without place, size or class are left out.
fn parse(bytes: &[u8]) -> Result<Predictions, Failure> {
    let unusable = |what: &str| Failure::Unusable(what.to_owned());
    let answer: Value = serde_json::from_slice(bytes).map_err(|_| unusable("no JSON"))?;
    let answer = match &answer {
        Value::Array(answers) => answers.first().ok_or_else(|| unusable("an empty list"))?,
        answer => answer,
    };
    let predictions = answer.get("predictions").and_then(Value::as_array).ok_or_else(|| unusable("no predictions"))?;
    let side = |name: &str| answer.get("image")?.get(name)?.as_f64().filter(|side| *side >= 1.0);
    Ok(Predictions {
        image: side("width").zip(side("height")),
        predictions: predictions.iter().filter_map(|one| Prediction::deserialize(one).ok()).collect(),
    })
}

/// What the model's host says of an error, without our key, should it repeat it.
fn message(bytes: &[u8], key: &Secret) -> String {
    let answer: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let text = answer.get("message").and_then(Value::as_str).unwrap_or("no message");
    text.replace(key.expose(), "***").chars().take(MAX_MESSAGE_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(answer: &Value) -> Result<Predictions, Failure> {
        parse(answer.to_string().as_bytes())
    }

    #[test]
    fn fields_may_be_missing_and_boxes_without_a_place_are_left_out() {
        let read = read(&json!({"time": 0.03, "predictions": [
            {"x": 5, "y": 6.5, "width": 2, "height": 3, "class": "shot"},
            {"x": 5, "confidence": 0.9, "class": "shot"},
        ]}))
        .unwrap();
        assert_eq!(read.image, None);
        let only = Prediction { x: 5.0, y: 6.5, width: 2.0, height: 3.0, confidence: 0.0, class: "shot".into() };
        assert_eq!(read.predictions, [only]);
    }

    #[test]
    fn a_list_of_pictures_gives_the_first() {
        let read = read(&json!([{"image": {"width": 640, "height": 480}, "predictions": []}])).unwrap();
        assert_eq!(read, Predictions { image: Some((640.0, 480.0)), predictions: Vec::new() });
    }

    #[test]
    fn what_is_no_answer_is_unusable() {
        for junk in [&b"<html>"[..], b"[]", b"{}", br#"{"predictions": 3}"#] {
            assert!(matches!(parse(junk), Err(Failure::Unusable(_))));
        }
    }

    #[test]
    fn an_error_message_never_repeats_the_key() {
        let key = Secret::new("k3y");
        assert_eq!(message(br#"{"message":"key k3y is not known"}"#, &key), "key *** is not known");
    }
}
