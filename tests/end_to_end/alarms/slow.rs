//! DynamoDB takes longer than anybody waits for it.

use std::time::Duration;

use local::{
    StackOptions,
    front::{Fault, Service},
};
use shared::ids::Ids;

use super::{driven_by, judge::assert_all_go_off, traffic::Traffic};
use crate::support::{User, run, start};

pub const DRIVES: &[&str] = &[".Latency"];
/// Over the second that one attempt is given: every call uses up all the time that it has.
const LONG: Duration = Duration::from_millis(1_200);

#[test]
fn a_slow_database_is_seen_in_every_routes_latency() {
    run(async {
        let alarms = driven_by(DRIVES);
        let stack = start(StackOptions::default()).await;
        stack.front().inject(Fault::delay(LONG).service(Service::DynamoDb));
        let traffic = Traffic::about(&stack, User::new(&stack), Ids.uuid()).await;
        traffic.at_once().await;
        assert_all_go_off(&stack, &alarms);
        stack.shutdown().await;
    });
}
