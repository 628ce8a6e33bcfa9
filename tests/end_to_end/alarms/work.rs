//! Deliveries that come to nothing, and metrics that nobody can rely on.

use serde_json::{Value, json};

use super::{driven_by, judge::assert_all_go_off};
use crate::support::{
    User, run,
    stand_in::{Reply, StandIn},
    start,
    terra::{Sender, drained, job_of, settled, webhook},
    wearables::{self, Watch, days_ago, of_day},
};

pub const DRIVES: &[&str] = &["JobsDied", "LargeDeliveriesExpired", "LowConfidence"];

#[test]
fn lost_deliveries_and_doubtful_metrics_alarm() {
    run(async {
        let bucket = StandIn::start(Reply::json(403, &Value::Null)).await;
        let host = bucket.url().strip_prefix("http://").unwrap();
        let stack = start(wearables::options().parameter("TerraPayloadHosts", host)).await;
        let (terra, watch) = (Sender::new(&stack), Watch::of(&User::new(&stack), "GARMIN"));
        let gone = webhook(&json!({ "type": "s3_payload", "url": format!("{}/p", bucket.url()) }));
        terra.accepted(&gone).await;
        assert_eq!(settled(&stack, job_of(&gone).unwrap()).await.state, "dead");
        // A mean above its maximum: neither can be relied on.
        let doubtful = |ago| {
            let mut day = json!({ "metadata": of_day(days_ago(ago)) });
            day["heart_rate_data"] = json!({ "summary": { "avg_hr_bpm": 90, "max_hr_bpm": 80 } });
            day
        };
        terra.deliver_body(&watch.event("daily", (1..=60).map(doubtful))).await;
        drained(&stack).await;
        assert_all_go_off(&stack, &driven_by(DRIVES));
        stack.shutdown().await;
    });
}
