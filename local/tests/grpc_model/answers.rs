//! What the model says, and what it must not say.

use std::time::{Duration, Instant};

use local::grpc_model::{Code, Prediction, Reply};
use prediction::{Answer, History, Timing};
use shared::Error;

use crate::rig::{PATIENT, Rig, readings};

#[tokio::test]
async fn one_engine_and_many_are_answered_over_one_connection() {
    let rig = Rig::start().await;
    let answer = |rul: u32| Answer { rul, confidence: 0.87, version: "641.82".into() };
    assert_eq!(rig.predict().await.unwrap(), answer(3));
    let histories = [readings(5), readings(1), readings(1_000)];
    let names = ["a", "b", "c"];
    let histories: Vec<_> =
        names.iter().zip(&histories).map(|(engine_id, readings)| History { engine_id, readings }).collect();
    assert_eq!(rig.ask_all(&histories).await.unwrap(), [answer(5), answer(1), answer(125)]);
    assert_eq!(rig.ask_all(&[]).await.unwrap(), []);
    let asked = rig.server.asked();
    assert_eq!(asked.len(), 2, "a batch is one call");
    assert_eq!(
        (asked[0].engines.as_slice(), asked[1].engines.as_slice()),
        (&["FD001-7".to_owned()][..], &names.map(str::to_owned)[..])
    );
    assert_eq!(rig.server.connections(), 1);
}

#[tokio::test]
async fn a_batch_that_no_server_would_take_comes_in_several_calls() {
    let rig = Rig::start().await;
    let lengths: Vec<u32> = (901..=1_000).collect();
    let histories: Vec<_> = lengths.iter().map(|length| readings(*length)).collect();
    let histories: Vec<_> = histories.iter().map(|readings| History { engine_id: "x", readings }).collect();
    let answers = rig.ask_all(&histories).await.unwrap();
    assert_eq!(answers.len(), 100);
    assert!(rig.server.asked().len() > 1);
    assert_eq!(rig.server.connections(), 1);
}

#[tokio::test]
async fn the_model_hears_how_long_it_has() {
    let rig = Rig::start().await.with_timing(Timing { deadline: Duration::from_secs(7), ..PATIENT });
    rig.predict().await.unwrap();
    let timeout = rig.server.asked()[0].timeout.clone().unwrap();
    let (number, unit) = timeout.split_at(timeout.len() - 1);
    let each = match unit {
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        _ => panic!("{timeout}"),
    };
    let seconds = number.parse::<f64>().unwrap() * each;
    assert!((1.0..=7.0).contains(&seconds), "{timeout}");
}

#[tokio::test]
async fn what_can_not_be_true_is_a_failed_answer_and_is_not_asked_for_again() {
    let rig = Rig::start().await;
    let wrong = [(-1, 0.5, "v"), (7, f32::NAN, "v"), (7, 1.5, "v"), (7, 0.5, ""), (7, 0.5, &"v".repeat(65))];
    let huge = "v".repeat(100_000);
    for (rul, confidence, version) in wrong.into_iter().chain([(7, 0.5, huge.as_str())]) {
        let (attempts, outcome) = rig.attempts([Reply::Wrong(Prediction::new(rul, confidence, version))]).await;
        assert!(matches!(outcome, Err(Error::UpstreamFailed { upstream: "model", .. })), "{rul} {confidence}");
        assert_eq!(attempts, 1);
        rig.recover().await;
    }
    rig.server.replies([Reply::Short]);
    let history = readings(2);
    let histories = [History { engine_id: "a", readings: &history }; 2];
    assert!(matches!(rig.ask_all(&histories).await, Err(Error::UpstreamFailed { .. })));
}

#[tokio::test]
async fn a_model_that_is_busy_is_asked_again_and_one_that_refuses_is_not() {
    let rig = Rig::start().await;
    let status = |code, pushback| Reply::Status { code, pushback };
    for code in [Code::Unavailable, Code::ResourceExhausted] {
        let (attempts, outcome) = rig.attempts([status(code, None), status(code, Some(1)), Reply::Right]).await;
        assert_eq!((attempts, outcome.unwrap().rul), (3, 3), "{code:?}");
        let (attempts, outcome) = rig.attempts([status(code, None)]).await;
        assert_eq!(attempts, 3, "{code:?}");
        assert!(matches!(outcome, Err(Error::Unavailable { .. })), "{code:?}");
        // No time is left for that.
        assert_eq!(rig.attempts([status(code, Some(3_600_000))]).await.0, 1);
        rig.recover().await;
    }
    for code in [Code::InvalidArgument, Code::Unimplemented, Code::Unauthenticated, Code::Internal, Code::Unknown] {
        let (attempts, outcome) = rig.attempts([status(code, None)]).await;
        assert_eq!(attempts, 1, "{code:?}");
        assert!(matches!(outcome, Err(Error::UpstreamFailed { .. })), "{code:?}");
        rig.recover().await;
    }
    let (attempts, outcome) = (rig.server.asked().len(), rig.ask(&[]).await);
    assert!(matches!(outcome, Err(Error::UpstreamFailed { .. })), "the server refuses a history of nothing");
    assert_eq!(rig.server.asked().len() - attempts, 1);
}

#[tokio::test]
async fn a_model_that_is_slow_is_given_up_after_the_deadline() {
    let rig = Rig::start().await.with_timing(Timing { deadline: Duration::from_millis(300), ..PATIENT });
    rig.server.replies([Reply::Late(Duration::from_secs(3_600))]);
    let started = Instant::now();
    assert!(matches!(rig.predict().await, Err(Error::UpstreamTimeout { upstream: "model", .. })));
    assert!(started.elapsed() >= Duration::from_millis(300));
    assert_eq!(rig.server.asked().len(), 1);
}

#[tokio::test]
async fn five_failures_in_a_row_open_the_breaker_and_refusals_do_not() {
    let rig = Rig::start().await;
    rig.server.replies([Reply::Status { code: Code::InvalidArgument, pushback: None }]);
    for _ in 0..7 {
        rig.predict().await.unwrap_err();
    }
    assert_eq!(rig.server.asked().len(), 7);
    rig.server.replies([Reply::Status { code: Code::Internal, pushback: None }]);
    for _ in 0..5 {
        rig.predict().await.unwrap_err();
    }
    rig.server.replies([Reply::Right]);
    assert!(matches!(rig.predict().await, Err(Error::Unavailable { .. })));
    assert_eq!(rig.server.asked().len(), 12);
}
