//! DynamoDB refuses everything: every route that needs it fails, and so does the worker.

use local::{
    StackOptions,
    front::{Fault, Service},
};
use shared::ids::Ids;

use super::{driven_by, judge::assert_all_go_off, traffic::Traffic};
use crate::support::{User, events::Event, run, start};

pub const DRIVES: &[&str] = &["NewVersionErrors", ".ErrorShare", "LimiterUnavailable"];

#[test]
fn what_fails_while_the_database_is_away_alarms_by_route_and_by_version() {
    run(async {
        let alarms = driven_by(DRIVES);
        let stack = start(StackOptions::default()).await;
        stack.front().inject(Fault::refuse(400, "ValidationException").service(Service::DynamoDb));
        let traffic = Traffic::about(&stack, User::new(&stack), Ids.uuid()).await;
        for _ in 0..4 {
            for answer in traffic.in_turn().await {
                assert!(answer.status == 503 || answer.body["results"].is_array(), "{:#}", answer.body);
            }
        }
        // A batch has nobody's tokens to verify with, and then fails as a whole.
        stack.identity().set_available(false);
        stack.kill_instances("predict").await;
        for _ in 0..4 {
            traffic.batch().await.is_problem(503, "unavailable");
        }
        Event::load("job-worker", &[]).invoke_plain(&stack).await;
        assert_all_go_off(&stack, &alarms);
        stack.shutdown().await;
    });
}
