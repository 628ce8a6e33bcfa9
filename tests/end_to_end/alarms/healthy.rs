//! Nothing is wrong: no alarm goes off, and the dashboard has something to show in every widget.

use chrono::TimeDelta;
use local::template::{Alarm, Query};
use serde_json::{Value, json};
use shared::clock::Clock;

use super::{OURS, alarms, judge::Records, observed, traffic::Traffic};
use crate::support::{
    User, run,
    stand_in::{Reply, StandIn},
    start,
    terra::{Sender, drained, job_of, settled, webhook},
    wearables::{self, Watch, night_until},
};

#[test]
fn while_nothing_is_wrong_no_alarm_goes_off_and_every_widget_has_its_metrics() {
    run(async {
        let seen = json!({ "image": { "width": 640, "height": 480 }, "predictions": [] });
        let (model, bucket) =
            futures::join!(StandIn::start(Reply::json(200, &seen)), StandIn::start(Reply::json(200, &Value::Null)));
        let options =
            wearables::options().parameter("TerraPayloadHosts", bucket.url().strip_prefix("http://").unwrap());
        let options = options.parameter("RoboflowUrl", model.url()).parameter("RoboflowModel", "holes/1");
        let stack = start(options.secret("roboflow_api_key", "key")).await;
        let user = User::new(&stack);
        let (watch, terra, session) = (Watch::of(&user, "GARMIN"), Sender::new(&stack), user.session().await);
        let now = Clock::System.now();
        let night = watch.event("sleep", [night_until(now.fixed_offset() - TimeDelta::hours(2), "night")]);
        bucket.replies([Reply::json(200, &night)]);
        let large = webhook(&json!({ "type": "s3_payload", "url": format!("{}/p", bucket.url()) }));
        for delivery in [webhook(&watch.says("auth")), large.ordered_at(now.timestamp_millis())] {
            terra.accepted(&delivery).await;
            assert_eq!(settled(&stack, job_of(&delivery).unwrap()).await.state, "done");
        }
        drained(&stack).await;
        let traffic = Traffic::about(&stack, user, session).await;
        for answer in traffic.in_turn().await {
            assert!(answer.status < 400, "{} {:#}", answer.status, answer.body);
        }
        drained(&stack).await;

        let records = Records::of(&stack);
        for alarm in alarms() {
            let measured = records.measured(&at_best(&alarm));
            let silent = measured.is_none_or(|value| !alarm.comparison.holds(value, alarm.threshold));
            assert!(silent, "{} goes off at {measured:?}", alarm.id);
        }
        let widgets = observed().widgets;
        assert!(widgets.len() > 10, "{widgets:?}");
        for widget in widgets {
            for stat in widget.metrics.iter().filter(|stat| stat.namespace == OURS) {
                assert!(records.know(stat), "nothing to show in {:?}: {stat:?}", widget.title);
            }
        }
        stack.shutdown().await;
    });
}

/// The same alarm on the fastest request instead of a percentile: a machine that is busy with other tests says nothing of the
/// backend.
fn at_best(alarm: &Alarm) -> Alarm {
    let mut alarm = alarm.clone();
    for query in &mut alarm.queries {
        if let Query::Stat { stat, .. } = query
            && stat.stat.starts_with('p')
        {
            stat.stat = "Minimum".to_owned();
        }
    }
    alarm
}
