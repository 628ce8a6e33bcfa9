//! Deliveries that lie in Terra's bucket: fetched into ours, and ingested from there.

use local::{Stack, StackOptions, terra::Webhook};
use serde_json::{Value, json};

use crate::support::{
    User, run,
    stand_in::{Reply, StandIn},
    start,
    storage::{item, object},
    terra::{Outcome, PATIENCE, Sender, delivery_of, drained, job_of, outcome, settled, text, webhook},
    watch::{assert_not_logged, sum},
    wearables::{self, Watch, days_ago, full_day, latest_values, observations, state},
};

mod bucket;

use bucket::{Bucket, Tail};

const SIGNATURE: &str = "0123456789abcdef-hush";

/// A stack that may fetch from these hosts.
fn options(hosts: &[&str]) -> StackOptions {
    wearables::options().parameter("TerraPayloadHosts", hosts.join(","))
}

/// The word that a delivery lies at a URL.
fn lies_at(url: &str) -> Webhook {
    webhook(&json!({ "type": "s3_payload", "status": "success", "url": url, "expires_in": 300 }))
}

fn host(bucket: &StandIn) -> &str {
    bucket.url().strip_prefix("http://").unwrap()
}

/// What became of fetching from a URL.
async fn fetched(stack: &Stack, url: &str) -> Outcome {
    let webhook = lies_at(url);
    assert_eq!(Sender::new(stack).accepted(&webhook).await, "queued");
    settled(stack, job_of(&webhook).unwrap()).await
}

fn many_days(watch: &Watch, days: u64) -> Value {
    watch.event("daily", (1..=days).map(|ago| full_day(days_ago(ago))))
}

#[test]
fn a_large_delivery_is_copied_into_our_bucket_and_ingested_from_there() {
    run(async {
        let bucket = StandIn::start(Reply::json(200, &Value::Null)).await;
        let stack = start(options(&[host(&bucket)])).await;
        let user = User::new(&stack);
        let watch = Watch::of(&user, "GARMIN");
        let body = many_days(&watch, 30);
        bucket.replies([Reply::json(200, &body)]);
        let ping = lies_at(&format!("{}/payloads/daily.json?X-Amz-Signature={SIGNATURE}", bucket.url()));
        assert_eq!(Sender::new(&stack).accepted(&ping).await, "queued");
        assert_eq!(settled(&stack, job_of(&ping).unwrap()).await.state, "done");
        drained(&stack).await;
        assert_eq!(observations(&stack, user.id).await.len(), 30 * 13);
        assert_eq!(latest_values(&user).await.len(), 13);
        let asked = bucket.asked();
        assert_eq!(asked.len(), 1, "asked once, whatever follows reads our copy");
        assert_eq!((asked[0].path.as_str(), asked[0].query.contains(SIGNATURE)), ("/payloads/daily.json", true));
        let id = format!("{}.payload", delivery_of(&ping).0);
        let row = item(&stack, "WebhooksTable", &[("delivery_id", &id)]).await.expect("our copy's row");
        let (_, copy) = object(&stack, &text(&row, "object_key").unwrap()).await;
        assert_eq!(copy, body.to_string().into_bytes());
        // The word sent again fetches nothing again.
        assert_eq!(Sender::new(&stack).accepted(&ping).await, "duplicate");
        drained(&stack).await;
        assert_eq!(bucket.asked().len(), 1);
        // What lies there may be any event.
        bucket.replies([Reply::json(200, &watch.says("deauth"))]);
        assert_eq!(fetched(&stack, &format!("{}/deauth.json", bucket.url())).await.state, "done");
        drained(&stack).await;
        assert_eq!(state(&stack, &watch).await.as_deref(), Some("deauthenticated"));
        assert_not_logged(&stack, &[("the URL's signature", SIGNATURE)]);
        stack.shutdown().await;
    });
}

#[test]
fn what_lies_elsewhere_is_dead_at_once_and_nobody_is_asked() {
    run(async {
        let (bucket, elsewhere) = futures::join!(StandIn::start(Reply::text("")), StandIn::start(Reply::text("")));
        let stack = start(options(&[host(&bucket), "*.trusted.example"])).await;
        let (allowed, other) = (host(&bucket), host(&elsewhere));
        let port = other.split_once(':').unwrap().1;
        let query = format!("?X-Amz-Signature={SIGNATURE}");
        let urls = [
            format!("{}/p{query}", elsewhere.url()),
            format!("http://localhost:{port}/p{query}"),
            format!("http://{allowed}@{other}/p{query}"),
            format!("http://user:word@{allowed}/p{query}"),
            format!("http://{allowed}.evil.example/p{query}"),
            format!("http://bucket.trusted.example/p{query}"),
            "https://trusted.example.evil/p".to_owned(),
            "https://untrusted.example/p".to_owned(),
            format!("ftp://{allowed}/p"),
            "file:///etc/passwd".to_owned(),
            "/p".to_owned(),
            "no URL".to_owned(),
        ];
        for url in &urls {
            let dead = fetched(&stack, url).await;
            assert_eq!((dead.state.as_str(), dead.attempts), ("dead", 1), "{url}: {dead:?}");
            let error = dead.error.unwrap();
            assert!(!error.contains(SIGNATURE) && !error.contains("word@"), "{error}");
        }
        for body in [json!({ "type": "s3_payload" }), json!({ "type": "s3_payload", "url": null })] {
            let ping = webhook(&body);
            Sender::new(&stack).accepted(&ping).await;
            assert_eq!(settled(&stack, job_of(&ping).unwrap()).await.state, "dead", "{body}");
        }
        assert!(bucket.asked().is_empty() && elsewhere.asked().is_empty());
        assert_not_logged(&stack, &[("the URL's signature", SIGNATURE)]);
        stack.shutdown().await;
    });
}

#[test]
fn what_is_gone_is_dead_as_expired_until_somebody_has_it_tried_again() {
    run(async {
        let bucket = StandIn::start(Reply::text("")).await;
        let stack = start(options(&[host(&bucket)])).await;
        let user = User::new(&stack);
        let url = format!("{}/p?X-Amz-Signature={SIGNATURE}", bucket.url());
        for (times, status) in (1u8..).zip([403, 404, 410]) {
            bucket.replies([Reply::json(status, &json!({ "Code": "AccessDenied" }))]);
            let dead = fetched(&stack, &url).await;
            let error = dead.error.unwrap();
            assert!(dead.state == "dead" && error.contains("expired"), "{status}: {error}");
            assert!(!error.contains(SIGNATURE), "{error}");
            // The row says so before the batch has ended and left its record.
            drained(&stack).await;
            assert_eq!(sum(&stack, "job-worker", "large_deliveries_expired"), f64::from(times));
        }
        assert_eq!(bucket.asked().len(), 3, "once each");
        bucket.replies([Reply::json(200, &Watch::of(&user, "OURA").steps(days_ago(1), 8_000))]);
        let admin = User::with_role(&stack, Some("admin"));
        let retried = admin.post("retry-jobs", &json!({ "job_type": "fetch_large_delivery" })).await.success();
        assert_eq!(retried["retried"], 3);
        drained(&stack).await;
        assert_eq!(latest_values(&user).await["steps"], 8_000.0);
        let left = admin.get("dead-jobs").await.success();
        assert_eq!(left["jobs"], json!([]));
        stack.shutdown().await;
    });
}

#[test]
fn a_redirect_is_not_followed() {
    run(async {
        let elsewhere = StandIn::start(Reply::json(200, &json!({ "type": "daily", "user": { "user_id": "u" } }))).await;
        let head = format!("HTTP/1.1 302 Found\r\nlocation: {}/p\r\ncontent-length: 0\r\n\r\n", elsewhere.url());
        let redirecting = Bucket::start(&head, Tail::Nothing).await;
        let stack = start(options(&[&redirecting.host, host(&elsewhere)])).await;
        let ping = lies_at(&format!("http://{}/p", redirecting.host));
        Sender::new(&stack).accepted(&ping).await;
        let job = job_of(&ping).unwrap();
        let failed = stack
            .logs()
            .wait_for("job-worker", |line| line.text.contains(&job.to_string()) && line.text.contains("302"));
        tokio::time::timeout(PATIENCE, failed).await.unwrap();
        assert_eq!(elsewhere.asked().len(), 0, "not even where it may ask");
        assert_ne!(outcome(&stack, job).await.state, "done");
        stack.shutdown().await;
    });
}

#[test]
fn what_is_too_large_is_not_taken() {
    run(async {
        let announced = Bucket::start("HTTP/1.1 200 OK\r\ncontent-length: 33554433\r\n\r\n", Tail::Nothing);
        let streamed = Bucket::start("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", Tail::Endless);
        let buckets: [Bucket; 2] = futures::future::join(announced, streamed).await.into();
        let hosts = buckets.each_ref().map(|bucket| bucket.host.as_str());
        let stack = start(options(&hosts)).await;
        for (bucket, what) in buckets.iter().zip(["announced", "streamed"]) {
            let dead = fetched(&stack, &format!("http://{}/p", bucket.host)).await;
            assert_eq!((dead.state.as_str(), dead.attempts), ("dead", 1), "{what}: {dead:?}");
            assert_eq!(bucket.asked(), 1, "{what}");
        }
        // 32, and what lies on the way to a reader that has gone.
        assert!((32..48).contains(&buckets[1].taken()), "{} MiB were taken", buckets[1].taken());
        stack.shutdown().await;
    });
}

#[test]
fn a_bucket_that_hangs_up_is_asked_again_and_a_slow_one_is_waited_for() {
    run(async {
        let bucket = StandIn::start(Reply::text("")).await;
        let stack = start(options(&[host(&bucket)])).await;
        let user = User::new(&stack);
        let watch = Watch::of(&user, "OURA");
        let good = Reply::json(200, &watch.steps(days_ago(1), 8_000));
        bucket.replies([Reply::HangUp, good.held()]);
        let ping = lies_at(&format!("{}/p", bucket.url()));
        Sender::new(&stack).accepted(&ping).await;
        bucket.arrived().await;
        bucket.release();
        let done = settled(&stack, job_of(&ping).unwrap()).await;
        assert_eq!(done.state, "done", "{done:?}");
        drained(&stack).await;
        assert_eq!(latest_values(&user).await["steps"], 8_000.0);
        stack.shutdown().await;
    });
}
