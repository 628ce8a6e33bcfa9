//! Whose sessions and whose metrics are whose, for every role and every route.

use local::{Stack, StackOptions, front::Service};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    Answer, User, frame_body,
    pictures::picture,
    run, start,
    storage::{rows, sessions_of, writes},
};

/// Everybody who may come near a session of the owner's.
struct People {
    owner: User,
    other: User,
    /// Starts a session for the owner.
    trainer: User,
    /// Has nothing to do with it.
    other_trainer: User,
    admin: User,
}

impl People {
    fn new(stack: &Stack) -> Self {
        let [owner, other] = [User::new(stack), User::new(stack)];
        let [trainer, other_trainer] = ["trainer"; 2].map(|role| User::with_role(stack, Some(role)));
        Self { owner, other, trainer, other_trainer, admin: User::with_role(stack, Some("admin")) }
    }

    /// Each with a name, whether they may start something for the owner, and whether they may write to the session that
    /// the owner started and to that which the trainer did.
    fn rights(&self) -> [(&'static str, &User, bool, bool, bool); 5] {
        [
            ("the owner", &self.owner, true, true, true),
            ("another user", &self.other, false, false, false),
            ("the trainer who started it", &self.trainer, true, false, true),
            ("another trainer", &self.other_trainer, true, false, false),
            ("an admin", &self.admin, true, true, true),
        ]
    }
}

/// What can be asked of a session, the end last.
fn requests(session: Uuid, frame: &[u8]) -> [(&'static str, Value); 3] {
    [
        ("camera-proxy", json!({ "session_id": session, "frame_number": 1, "delivery": "url" })),
        ("analyze-frame", frame_body(session, 1, frame)),
        ("end-session", json!({ "session_id": session, "end_reason": "completed" })),
    ]
}

async fn started_by(user: &User, owner: &User) -> Answer {
    user.post("start-session", &json!({ "user_id": owner.id, "session_type": "training" })).await
}

async fn session_by(user: &User, owner: &User) -> Uuid {
    let started = started_by(user, owner).await.success();
    assert_eq!(started["session"]["user_id"], owner.id.to_string());
    started["session"]["id"].as_str().unwrap().parse().unwrap()
}

#[test]
fn who_may_not_write_to_a_session_finds_none_and_leaves_no_trace() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let people = People::new(&stack);
        let own = session_by(&people.owner, &people.owner).await;
        let trained = session_by(&people.trainer, &people.owner).await;
        let before = (rows(&stack, own).await, rows(&stack, trained).await);
        let frame = picture(2).await;
        stack.front().clear_calls();
        for (name, user, _, to_own, to_trained) in people.rights() {
            for (session, may) in [(own, to_own), (trained, to_trained)] {
                if may {
                    continue;
                }
                for ((route, body), (_, unknown)) in requests(session, &frame).iter().zip(requests(Uuid::nil(), &frame))
                {
                    let answer = user.post(route, body).await;
                    assert_eq!((answer.status, answer.code()), (404, "not_found"), "{name}, {route}");
                    answer.is_problem(404, "not_found");
                    // Nothing tells it from a session that does not exist.
                    let none = user.post(route, &unknown).await;
                    assert_eq!(without_id(&answer), without_id(&none), "{name}, {route}");
                }
            }
        }
        let written = writes(&stack);
        assert!(written.is_empty(), "{written:#?}");
        assert_eq!(before, (rows(&stack, own).await, rows(&stack, trained).await));
    });
}

fn without_id(answer: &Answer) -> Value {
    let mut body = answer.body.clone();
    body["correlation_id"].take();
    body
}

#[test]
fn who_may_write_to_a_session_is_served_on_every_route() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let people = People::new(&stack);
        let own = session_by(&people.owner, &people.owner).await;
        let trained = session_by(&people.trainer, &people.owner).await;
        let frame = picture(2).await;
        let [_, _, ends] = requests(own, &frame);
        assert_eq!(ends.0, "end-session");
        // All of them send the same frame, so it is one; and all of them end the session, so it ends once.
        for route in 0..3 {
            for (name, user, _, to_own, to_trained) in people.rights() {
                for (session, may) in [(own, to_own), (trained, to_trained)] {
                    if may {
                        let (route, body) = &requests(session, &frame)[route];
                        let answer = user.post(route, body).await;
                        assert_eq!(answer.status, 200, "{name}, {route}: {:#}", answer.body);
                    }
                }
            }
        }
        for session in [own, trained] {
            assert_eq!(rows(&stack, session).await["META"]["user_id"].as_s().unwrap(), &people.owner.id.to_string());
        }
    });
}

#[test]
fn a_session_for_another_user_is_started_by_trainers_and_admins_only() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let people = People::new(&stack);
        stack.front().clear_calls();
        let refused = started_by(&people.other, &people.owner).await;
        refused.is_problem(403, "forbidden");
        // Not with a key either, which would be a row of its own.
        let body = json!({ "user_id": people.owner.id, "session_type": "training" });
        let keyed = people.other.post_with("start-session", &body, &[("idempotency-key", "mine")]).await;
        keyed.is_problem(403, "forbidden");
        let written = writes(&stack);
        assert!(written.is_empty(), "{written:#?}");
        assert_eq!(sessions_of(&stack, people.owner.id).await, 0);
        let mut started = 0;
        for (name, user, may, ..) in people.rights() {
            let answer = started_by(user, &people.owner).await;
            assert_eq!(answer.status, if may { 201 } else { 403 }, "{name}");
            started += usize::from(may);
        }
        assert_eq!(sessions_of(&stack, people.owner.id).await, started);
        assert_eq!(sessions_of(&stack, people.trainer.id).await, 0);
    });
}

#[test]
fn metrics_are_read_by_their_owner_and_by_staff_and_jobs_are_the_staffs_alone() {
    run(async {
        let stack = start(StackOptions::default()).await;
        let people = People::new(&stack);
        let everybody = [&people.owner, &people.other, &people.trainer, &people.admin];
        let latest = format!("latest-metrics/{}", people.owner.id);
        for (route, expected) in [
            (latest.as_str(), [200, 403, 200, 200]),
            ("latest-metrics/00000000-0000-4000-8000-000000000000", [403, 403, 200, 200]),
            ("dead-jobs", [403, 403, 200, 200]),
        ] {
            for (user, status) in everybody.iter().zip(expected) {
                assert_eq!(user.get(route).await.status, status, "{route}");
            }
        }
        stack.front().clear_calls();
        let recalculate = json!({ "user_id": people.owner.id });
        for (route, body) in [("retry-jobs", &json!({})), ("recalculate-metrics", &recalculate)] {
            for user in [&people.owner, &people.other, &people.trainer] {
                user.post(route, body).await.is_problem(403, "forbidden");
            }
        }
        let written = writes(&stack);
        assert!(written.is_empty(), "{written:#?}");
        assert_eq!(stack.front().calls().of(Service::Sqs).by("retry-jobs").count(), 0);
        for (route, body, status) in [("retry-jobs", &json!({}), 200), ("recalculate-metrics", &recalculate, 202)] {
            assert_eq!(people.admin.post(route, body).await.status, status, "{route}");
        }
    });
}
