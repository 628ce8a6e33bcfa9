//! Connections that end, fall silent, or never come to be.

use std::time::Duration;

use local::grpc_model::{Code, Reply};
use prediction::Timing;
use shared::Error;
use shared::provider::Failure;
use tokio::net::TcpListener;

use crate::rig::{PATIENT, Rig};

#[tokio::test]
async fn a_connection_that_ends_under_a_call_is_made_anew_and_the_call_repeated() {
    let rig = Rig::start().await;
    rig.predict().await.unwrap();
    let (attempts, outcome) = rig.attempts([Reply::HangUp, Reply::Right]).await;
    assert_eq!((attempts, outcome.unwrap().rul), (2, 3));
    assert_eq!(rig.server.connections(), 2);
}

#[tokio::test]
async fn a_server_that_was_restarted_is_found_again() {
    let rig = Rig::start().await;
    rig.predict().await.unwrap();
    rig.server.leave().await;
    rig.server.come_back().await.unwrap();
    assert_eq!(rig.predict().await.unwrap().rul, 3);
    rig.server.leave().await;
    assert!(matches!(rig.predict().await, Err(Error::Unavailable { .. })), "nobody is there");
    rig.server.come_back().await.unwrap();
    assert_eq!(rig.predict().await.unwrap().rul, 3);
}

/// As after an instance was frozen for so long that the network has forgotten its connection.
#[tokio::test]
async fn a_connection_that_is_gone_without_a_word_is_given_up_in_time_for_another() {
    let timing = Timing { doubt_after: Duration::from_millis(1), reply: Duration::from_millis(200), ..PATIENT };
    let rig = Rig::start().await.with_timing(timing);
    rig.predict().await.unwrap();
    rig.server.silence();
    assert_eq!(rig.predict().await.unwrap().rul, 3);
    assert_eq!((rig.server.connections(), rig.server.asked().len()), (2, 2), "the first try was never heard");
}

#[tokio::test]
async fn a_slow_model_is_no_dead_connection() {
    let timing = Timing { doubt_after: Duration::from_millis(1), reply: Duration::from_millis(200), ..PATIENT };
    let rig = Rig::start().await.with_timing(timing);
    rig.server.replies([Reply::Late(Duration::from_millis(900))]);
    assert_eq!(rig.predict().await.unwrap().rul, 3);
    assert_eq!((rig.server.connections(), rig.server.asked().len()), (1, 1));
}

#[tokio::test]
async fn one_who_takes_connections_and_says_nothing_is_given_up_after_the_deadline() {
    let deaf = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut rig = Rig::start().await;
    let timing = Timing { deadline: Duration::from_millis(300), ..PATIENT };
    rig.model = prediction::RemoteModel::new(format!("http://{}", deaf.local_addr().unwrap())).with_timing(timing);
    assert!(matches!(rig.predict().await, Err(Error::UpstreamTimeout { .. })));
}

#[tokio::test]
async fn whoever_answers_is_there_and_what_it_serves_does_not_matter() {
    let rig = Rig::start().await;
    rig.model.reachable().await.unwrap();
    assert_eq!(rig.server.asked().len(), 0, "no prediction is asked for");
    rig.server.replies([Reply::Status { code: Code::Internal, pushback: None }]);
    rig.model.reachable().await.unwrap();
    rig.server.leave().await;
    assert!(matches!(rig.model.reachable().await, Err(Failure::Unreachable(_))));
    rig.server.come_back().await.unwrap();
    rig.model.reachable().await.unwrap();
}
