//! Sessions, from their start to their report.

use std::io::Cursor;

use futures::FutureExt;
use image::{DynamicImage, ImageFormat};
use serde_json::{Value, json};
use shared::ids::Ids;

use super::{
    scenario::{Outcome, Scenario, Trouble, check, success},
    stage::Stage,
};
use crate::support::User;

pub const START: &[Scenario] = &[
    Scenario { name: "a session starts", run: |stage, _| start(stage, None).boxed() },
    Scenario {
        name: "a session starts once, however often it is asked for",
        run: |stage, _| {
            async move {
                let key = Ids.uuid().to_string();
                start(stage, Some(&key)).await
            }
            .boxed()
        },
    },
];
pub const CAMERA: &[Scenario] =
    &[Scenario { name: "a frame is fetched by its URL", run: |stage, _| camera(stage).boxed() }];
pub const ANALYZE: &[Scenario] = &[Scenario { name: "a frame is analysed", run: |stage, _| analyze(stage).boxed() }];
pub const END: &[Scenario] =
    &[Scenario { name: "a session ends and its report is read", run: |stage, _| end(stage).boxed() }];

async fn start(stage: &Stage, key: Option<&str>) -> Outcome {
    let user = User::new(&stage.stack);
    let body = json!({ "user_id": user.id, "session_type": "practice" });
    let headers: Vec<_> = key.map(|key| ("idempotency-key", key)).into_iter().collect();
    success(user.post_with("start-session", &body, &headers).await).map(drop)
}

async fn camera(stage: &Stage) -> Outcome {
    let user = User::new(&stage.stack);
    let session = stage.session(&user).await;
    let body = json!({ "session_id": session, "frame_number": 1, "delivery": "url" });
    let answer = success(user.post("camera-proxy", &body).await)?;
    is_there(&answer.body["frame_url"]).await
}

async fn analyze(stage: &Stage) -> Outcome {
    let user = User::new(&stage.stack);
    let session = stage.session(&user).await;
    success(user.analyze(session.0, 1, &nothing()).await).map(drop)
}

/// A frame that shows nothing.
fn nothing() -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::new_rgb8(64, 64).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

async fn end(stage: &Stage) -> Outcome {
    let user = User::new(&stage.stack);
    let session = stage.session(&user).await;
    let answer = success(user.end(session.0).await)?;
    is_there(&answer.body["session"]["report_url"]).await
}

/// Whoever has the URL needs no more.
async fn is_there(url: &Value) -> Outcome {
    let url = url.as_str().ok_or_else(|| Trouble::Failed("no URL".into()))?;
    let status = reqwest::get(url).await.unwrap().status();
    check(status == 200, || format!("the URL answers {status}"))
}
