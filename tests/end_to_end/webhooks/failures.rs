//! Where a delivery can't be stored or enqueued, its sender hears so in time and sends it again.

use std::time::Duration;

use local::{
    Stack,
    front::{Fault, Service},
    terra::Webhook,
};

use crate::support::{
    Answer, User, run, start,
    storage::all_rows,
    terra::{Sender, drained, job_of, outcome, webhook},
    watch::closing_lines,
    wearables::{self, Watch, counted, days_ago, full_day, values},
};

/// A fault of what a delivery passes on its way.
type Aim<'a> = Box<dyn Fn(Fault) -> Fault + 'a>;

fn places(stack: &Stack) -> [(&'static str, Aim<'_>); 4] {
    let row = |table: &'static str| -> Aim<'_> {
        Box::new(move |fault| fault.operation("PutItem").resource(stack.table(table).unwrap()))
    };
    [
        ("the delivery's row", row("WebhooksTable")),
        ("the job's row", row("JobsTable")),
        ("the object", Box::new(|fault| fault.service(Service::S3))),
        ("the message", Box::new(|fault| fault.service(Service::Sqs))),
    ]
}

/// The ways in which each of them fails; late is far later than any may take.
fn ways() -> [(&'static str, Fault); 3] {
    [
        ("late", Fault::delay(Duration::from_secs(2))),
        ("refused", Fault::internal_error()),
        ("gone", Fault::drop_connection()),
    ]
}

/// What the function itself took, as it says.
fn milliseconds(stack: &Stack, answer: &Answer) -> f64 {
    let lines = closing_lines(stack, "webhook-terra", answer.header("x-correlation-id").unwrap());
    lines[0]["duration_ms"].as_f64().unwrap()
}

/// A failure is answered in a second, or a tenth more where the machine is busy: the best of a few counts, since a machine
/// that stands still makes an answer late and never early.
async fn fails_in_time(stack: &Stack, terra: &Sender<'_>, what: &str, delivery: &Webhook) {
    let mut took = Vec::new();
    for _ in 0..3 {
        let answer = terra.send(delivery).await;
        answer.is_problem(503, "unavailable");
        took.push(milliseconds(stack, &answer));
        if took.iter().any(|time| *time <= 1_100.0) {
            return;
        }
    }
    panic!("{what}: {took:?} ms");
}

#[test]
fn a_step_that_fails_is_answered_in_time_and_sent_again_nothing_is_lost_or_doubled() {
    run(async {
        let stack = start(wearables::options()).await;
        let user = User::new(&stack);
        let (terra, watch) = (Sender::new(&stack), Watch::of(&user, "GARMIN"));
        // So that the time of the first request, which connects, is not counted.
        terra.accepted(&webhook(&watch.says("healthcheck"))).await;
        let mut deliveries = Vec::new();
        for (step, aimed) in places(&stack) {
            for (way, fault) in ways() {
                let body = watch.event("daily", [full_day(days_ago(deliveries.len() as u64))]);
                let delivery = webhook(&body);
                let fault = stack.front().inject(aimed(fault.function("webhook-terra")));
                fails_in_time(&stack, &terra, &format!("{step} is {way}"), &delivery).await;
                assert!(fault.hits() > 0, "{step} is {way}");
                stack.front().clear_faults();
                let status = terra.accepted(&delivery).await;
                // What was carried out late is known by then.
                assert!(status == "queued" || status == "duplicate", "{step} is {way}: {status}");
                deliveries.push(delivery);
            }
        }
        drained(&stack).await;
        for delivery in &deliveries {
            let outcome = outcome(&stack, job_of(delivery).unwrap()).await;
            assert_eq!((outcome.state.as_str(), outcome.attempts), ("done", 0), "{outcome:?}");
        }
        let steps = values(&stack, user.id).await.into_iter().filter(|(metric, ..)| metric == "steps").count();
        assert_eq!(steps, deliveries.len());
        assert_eq!(counted(&stack, "webhooks_done").await, deliveries.len() as u64);
        assert_eq!(all_rows(&stack, "JobsTable").await.len(), deliveries.len());
        stack.shutdown().await;
    });
}

#[test]
fn an_answer_that_is_lost_on_the_way_to_us_makes_no_duplicate() {
    run(async {
        let stack = start(wearables::options()).await;
        let user = User::new(&stack);
        let (terra, watch) = (Sender::new(&stack), Watch::of(&user, "GARMIN"));
        for table in ["WebhooksTable", "JobsTable"] {
            let lost = Fault::lose_answer().operation("PutItem").resource(stack.table(table).unwrap()).times(1);
            let lost = stack.front().inject(lost);
            // The second attempt finds the first one's row, and knows it.
            assert_eq!(terra.accepted(&webhook(&watch.steps(days_ago(1), 8_000))).await, "queued", "{table}");
            assert_eq!(lost.hits(), 1, "{table}");
        }
        drained(&stack).await;
        assert_eq!(counted(&stack, "webhooks_done").await, 2);
        stack.shutdown().await;
    });
}

#[test]
fn without_the_limiters_table_deliveries_are_accepted() {
    run(async {
        let stack = start(wearables::options()).await;
        let user = User::new(&stack);
        let (terra, watch) = (Sender::new(&stack), Watch::of(&user, "GARMIN"));
        let control = stack.table("ControlTable").unwrap();
        let gone = stack.front().inject(Fault::drop_connection().function("webhook-terra").resource(control));
        terra.deliver_body(&watch.steps(days_ago(1), 8_000)).await;
        assert!(gone.hits() > 0);
        stack.shutdown().await;
    });
}
