//! Who may send webhooks.

use std::time::Duration;

use local::terra::signature;
use shared::clock::Clock;

use crate::support::{
    Answer,
    in_process::{clock, instance, signed},
    run, start,
    storage::all_rows,
    terra::Sender,
    watch::sum,
    wearables::{self, PREVIOUS_SECRET},
};

const BODY: &str = r#"{"type":"healthcheck","creation_timestamp":"2026-11-21T09:00:00Z","trend_percentage":1.5}"#;
/// A tag that no secret makes of anything.
const WRONG: &str = "v1=0000000000000000000000000000000000000000000000000000000000000000";

fn now() -> i64 {
    Clock::System.now().timestamp()
}

/// The tag alone, `v1=…`.
fn tag(header: &str) -> String {
    header.split_once(',').unwrap().1.to_owned()
}

#[test]
fn a_good_signature_is_taken_under_either_name_and_among_others() {
    run(async {
        let stack = wearables::stack().await;
        let (terra, t) = (Sender::new(stack), now());
        let good = signature(&stack.terra_signing_secret(), t, BODY.as_bytes());
        let previous = signature(PREVIOUS_SECRET, t, BODY.as_bytes());
        let v1 = tag(&good);
        let cases: &[&[(&str, &str)]] = &[
            &[("terra-signature", &good)],
            &[("x-terra-signature", &good)],
            &[("Terra-Signature", &format!("t={t},{WRONG},{v1}"))],
            &[("terra-signature", &format!("t={t},{v1},{WRONG}"))],
            &[("terra-signature", &format!("v2=later,t={t},v0=earlier,{v1}"))],
            &[("terra-signature", &format!("t={t},{WRONG}")), ("x-terra-signature", &good)],
            &[("terra-signature", &good), ("x-terra-signature", "nothing")],
            &[("terra-signature", &previous)],
        ];
        for headers in cases {
            let trace = shared::ids::Ids.uuid().to_string();
            let headers = [*headers, &[("content-type", "application/json"), ("x-terra-trace-id", &trace)]].concat();
            let answer = terra.post(&headers, BODY).await;
            assert_eq!(answer.status, 200, "{headers:?}: {:#}", answer.body);
            assert_eq!(answer.success()["status"], "ignored");
        }
    });
}

#[test]
fn each_way_of_being_wrong_is_refused_and_counted_and_leaves_nothing() {
    run(async {
        let stack = start(wearables::options()).await;
        let (terra, t) = (Sender::new(&stack), now());
        let of = |t| signature(&stack.terra_signing_secret(), t, BODY.as_bytes());
        let good = of(t);
        let cases: &[(&str, Option<String>)] = &[
            ("missing", None),
            ("malformed", Some(String::new())),
            ("malformed", Some(tag(&good))),
            ("malformed", Some(format!("t={t}"))),
            ("malformed", Some(format!("t={t},{}", tag(&good).replace("v1=", "v2=")))),
            ("malformed", Some(good.replace("t=", "t=x"))),
            // Margin for the time that a busy machine takes to ask.
            ("stale", Some(of(t - 302))),
            ("stale", Some(of(t + 360))),
            ("mismatch", Some(format!("t={t},{WRONG}"))),
            ("mismatch", Some(format!("t={},{}", t - 1, tag(&good)))),
            ("mismatch", Some(good[..good.len() - 1].to_owned())),
            ("mismatch", Some(signature("another-secret", t, BODY.as_bytes()))),
            // Good for the secret before, which this stack does not know.
            ("mismatch", Some(signature(PREVIOUS_SECRET, t, BODY.as_bytes()))),
            ("mismatch", Some(signature(&stack.terra_signing_secret(), t, BODY.replace("1.5", "1.6").as_bytes()))),
        ];
        for (reason, header) in cases {
            let mut headers = vec![("content-type", "application/json"), ("x-terra-trace-id", "a-delivery")];
            headers.extend(header.as_deref().map(|header| ("terra-signature", header)));
            let refused = terra.post(&headers, BODY).await;
            refused.is_problem(401, "unauthenticated");
            let id = refused.header("x-correlation-id").unwrap();
            let lines = stack.logs().entries("webhook-terra");
            let told: Vec<_> =
                lines.iter().filter(|line| line["correlation_id"] == id && line["level"] == "WARN").collect();
            assert_eq!(told.len(), 1, "{header:?}");
            assert_eq!(told[0]["reason"], *reason, "{header:?}");
        }
        // Beside the secret, which is looked at again once.
        let calls = stack.front().calls().by("webhook-terra").filtered(|call| call.operation != "GetSecretValue");
        assert_eq!(calls.count(), 0, "refused before anything is read or written: {calls:#?}");
        assert_eq!(
            sum(&stack, "webhook-terra", "webhook_signature_failures"),
            f64::from(u8::try_from(cases.len()).unwrap())
        );
        for table in ["WebhooksTable", "JobsTable", "ControlTable"] {
            assert!(all_rows(&stack, table).await.is_empty(), "{table}");
        }
        stack.shutdown().await;
    });
}

#[test]
fn a_signature_is_good_for_three_hundred_seconds_either_way() {
    run(async {
        let (stack, clock) = (wearables::stack().await, clock());
        let webhooks = instance(stack, "webhook-terra", &clock);
        let signed_at = clock.now().timestamp();
        let header = signature(&stack.terra_signing_secret(), signed_at, BODY.as_bytes());
        let ahead = signature(&stack.terra_signing_secret(), signed_at + 300, BODY.as_bytes());
        let too_far = signature(&stack.terra_signing_secret(), signed_at + 301, BODY.as_bytes());
        let send =
            async |header: &str| -> Answer { webhooks.answer(webhook_terra::handle, signed(header, BODY)).await };
        assert_eq!(send(&header).await.status, 200);
        assert_eq!(send(&ahead).await.status, 200);
        send(&too_far).await.is_problem(401, "unauthenticated");
        clock.advance(Duration::from_secs(300));
        assert_eq!(send(&header).await.status, 200);
        clock.advance(Duration::from_secs(1));
        send(&header).await.is_problem(401, "unauthenticated");
    });
}

#[test]
fn a_body_is_verified_byte_by_byte_whatever_it_is_sent_as() {
    run(async {
        let stack = wearables::stack().await;
        let terra = Sender::new(stack);
        let text = r#"{"type":"healthcheck","note":"Grüße, 心拍"}"#.as_bytes();
        let latin1 = b"{\"type\":\"healthcheck\",\"note\":\"Gr\xfc\xdfe\"}".as_slice();
        // What is no text travels as base64, and so does what does not say that it is.
        for (media_type, body, status, code) in [
            ("application/json", text, 200, ""),
            ("application/octet-stream", text, 200, ""),
            ("application/json", latin1, 400, "malformed_json"),
            ("application/octet-stream", latin1, 400, "malformed_json"),
            ("application/octet-stream", b"{\"type\":", 400, "malformed_json"),
            ("application/json", b"", 400, "missing_body"),
        ] {
            let header = signature(&stack.terra_signing_secret(), now(), body);
            let headers = [("content-type", media_type), ("terra-signature", header.as_str())];
            let answer = terra.post(&headers, body.to_vec()).await;
            assert_eq!((answer.status, answer.code()), (status, code), "{}", body.escape_ascii());
            for at in [0, body.len() / 2, body.len().saturating_sub(1)].into_iter().filter(|at| *at < body.len()) {
                let mut changed = body.to_vec();
                changed[at] ^= 1;
                terra.post(&headers, changed).await.is_problem(401, "unauthenticated");
            }
        }
    });
}
