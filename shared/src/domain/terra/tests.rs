use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn user() -> Value {
    json!({ "user_id": "t-1", "provider": "oura", "reference_id": null, "scopes": "daily,sleep", "active": true })
}

fn parsed<T>(body: &Value, read: impl FnOnce(Event<'_>) -> T) -> Result<T, Invalid> {
    Event::parse(body.to_string().as_bytes()).map(read)
}

fn pointer(body: &Value) -> String {
    parsed(body, |_| ()).unwrap_err().0.remove(0).pointer
}

#[test]
fn every_type_has_its_handling() {
    use Handling::{Connect, Fetch, Ingest, Record, Unknown};
    for (kind, handling) in [
        ("activity", Ingest(DataType::Activity)),
        ("athlete", Ingest(DataType::Athlete)),
        ("body", Ingest(DataType::Body)),
        ("daily", Ingest(DataType::Daily)),
        ("hormone", Ingest(DataType::Hormone)),
        ("menstruation", Ingest(DataType::Menstruation)),
        ("nutrition", Ingest(DataType::Nutrition)),
        ("planned_workout", Ingest(DataType::PlannedWorkout)),
        ("sleep", Ingest(DataType::Sleep)),
        ("auth", Connect(UserEvent::Auth)),
        ("deauth", Connect(UserEvent::Deauth)),
        ("user_reauth", Connect(UserEvent::Reauth)),
        ("access_revoked", Connect(UserEvent::AccessRevoked)),
        ("connection_error", Connect(UserEvent::ConnectionError)),
        ("permission_change", Connect(UserEvent::PermissionChange)),
        ("s3_payload", Fetch),
        ("s3_upload", Record),
        ("auth_cancelled", Record),
        ("large_request_processing", Record),
        ("large_request_sending", Record),
        ("lab_report.completed", Record),
        ("lab_report.failed", Record),
        ("processing", Record),
        ("google_no_datasource", Record),
        ("rate_limit_hit", Record),
        ("healthcheck", Record),
        ("", Unknown),
        ("Sleep", Unknown),
        ("something_new", Unknown),
    ] {
        assert_eq!(Handling::of(kind), handling, "{kind}");
        if let Ingest(data_type) = handling {
            assert_eq!(data_type.name(), kind);
        }
    }
}

#[test]
fn a_data_event_keeps_its_elements_as_their_text() {
    let body = br#" {"type":"daily","user":{"user_id":"t-1","provider":"oura"},"data":[{"a": 1},{ }],"version":"x"}"#;
    let event = Event::parse(body).unwrap();
    assert_eq!(event.items.iter().map(|item| item.get()).collect::<Vec<_>>(), [r#"{"a": 1}"#, "{ }"]);
    assert_eq!((event.kind.as_str(), event.handling), ("daily", Handling::Ingest(DataType::Daily)));
    let user = event.user.unwrap();
    assert_eq!((user.user_id.as_str(), user.provider.as_str()), ("t-1", "OURA"));
    assert_eq!((user.reference_id, user.scopes), (None, None));
}

#[test]
fn without_data_there_are_no_elements() {
    for body in [json!({ "type": "body", "user": user() }), json!({ "type": "body", "user": user(), "data": null })] {
        assert_eq!(parsed(&body, |event| event.items.len()), Ok(0));
    }
}

#[test]
fn an_athlete_is_one_element() {
    let body = json!({ "type": "athlete", "user": user(), "athlete": { "sex": "female" }, "data": 7 });
    assert_eq!(parsed(&body, |event| event.items[0].get().to_owned()).unwrap(), r#"{"sex":"female"}"#);
    let nobody = json!({ "type": "athlete", "user": user(), "athlete": null });
    assert_eq!(parsed(&nobody, |event| event.items.len()), Ok(0));
    assert_eq!(pointer(&json!({ "type": "athlete", "user": user(), "athlete": [] })), "/athlete");
}

#[test]
fn what_cannot_be_an_event_names_the_field() {
    let long = "x".repeat(LONGEST_USER_ID + 1);
    for (body, at) in [
        (json!([]), ""),
        (json!(["daily", null, null, null, null, null, null, null, null]), ""),
        (json!("daily"), ""),
        (json!({ "type": "daily", "data": [] }), "/user/user_id"),
        (json!({ "type": "daily", "user": null, "data": [] }), "/user/user_id"),
        (json!({ "type": "daily", "user": ["t-1"], "data": [] }), "/user/user_id"),
        (json!({ "type": "daily", "user": { "provider": "OURA" }, "data": [] }), "/user/user_id"),
        (json!({ "type": "daily", "user": { "user_id": " " }, "data": [] }), "/user/user_id"),
        (json!({ "type": "daily", "user": { "user_id": 7 }, "data": [] }), "/user/user_id"),
        (json!({ "type": "daily", "user": { "user_id": long }, "data": [] }), "/user/user_id"),
        (json!({ "type": "deauth" }), "/user/user_id"),
        (json!({ "type": "auth", "status": "success" }), "/user/user_id"),
        (json!({ "type": "user_reauth", "user": user(), "old_user": user() }), "/new_user/user_id"),
        (json!({ "type": "sleep", "user": user(), "data": {} }), "/data"),
        (json!({ "type": "sleep", "user": user(), "data": "[]" }), "/data"),
        (json!({ "type": "sleep", "user": user(), "data": [{}, null] }), "/data/1"),
        (json!({ "type": "sleep", "user": user(), "data": [[]] }), "/data/0"),
    ] {
        assert_eq!(pointer(&body), at, "{body}");
    }
    for broken in [&b""[..], b"{", b"{\"type\":\"daily\"", b"{}}", b"\xff", b"{\"type\":\"\xff\"}"] {
        assert!(Event::parse(broken).is_err(), "{broken:?}");
    }
}

#[test]
fn other_events_need_no_user_and_their_data_is_not_read() {
    for body in [
        json!({ "type": "healthcheck", "creation_timestamp": 1, "data": 7 }),
        json!({ "type": "auth_cancelled", "user": 7 }),
        json!({ "type": ["daily"] }),
        json!({}),
    ] {
        assert_eq!(parsed(&body, |event| (event.user.is_none(), event.items.len())), Ok((true, 0)), "{body}");
    }
}

#[test]
fn only_a_successful_authentication_connects() {
    let connect = Handling::Connect(UserEvent::Auth);
    for (body, handling) in [
        (json!({ "type": "auth", "status": "success", "user": user() }), connect),
        (json!({ "type": "auth", "status": null, "user": user() }), connect),
        (json!({ "type": "auth", "status": "error", "user": user() }), Handling::Record),
        (json!({ "type": "auth", "status": "error" }), Handling::Record),
        (json!({ "type": "auth" }), Handling::Record),
        // Of other events the status says nothing about them.
        (json!({ "type": "deauth", "status": "warning", "user": user() }), Handling::Connect(UserEvent::Deauth)),
    ] {
        assert_eq!(parsed(&body, |event| event.handling), Ok(handling), "{body}");
    }
}

#[test]
fn the_reference_of_an_authentication_may_stand_outside_its_user() {
    let mut body = json!({ "type": "auth", "status": "success", "reference_id": "outside", "user": user() });
    let reference = |body: &Value| parsed(body, |event| event.user.unwrap().reference_id).unwrap();
    assert_eq!(reference(&body).as_deref(), Some("outside"));
    body["user"]["reference_id"] = json!("inside");
    assert_eq!(reference(&body).as_deref(), Some("inside"));
}

#[test]
fn a_reauthentication_has_two_users_and_the_old_one_may_be_missing() {
    let mut body = json!({ "type": "user_reauth", "new_user": user(), "old_user": user() });
    body["old_user"]["user_id"] = json!("t-0");
    let ids = |body: &Value| {
        parsed(body, |event| (event.user.unwrap().user_id, event.old_user.map(|user| user.user_id))).unwrap()
    };
    assert_eq!(ids(&body), ("t-1".to_owned(), Some("t-0".to_owned())));
    body["old_user"] = Value::Null;
    assert_eq!(ids(&body), ("t-1".to_owned(), None));
}

#[test]
fn a_large_delivery_says_where_it_lies() {
    let body =
        json!({ "type": "s3_payload", "status": "success", "url": "https://payloads.test/1", "expires_in": 300 });
    let read = |event: Event<'_>| (event.handling, event.url);
    assert_eq!(parsed(&body, read), Ok((Handling::Fetch, Some("https://payloads.test/1".to_owned()))));
    assert_eq!(parsed(&json!({ "type": "s3_payload" }), read), Ok((Handling::Fetch, None)));
}

#[test]
fn a_provider_is_in_upper_case_and_unknown_where_it_is_missing() {
    for (given, provider) in
        [(json!("garmin"), "GARMIN"), (json!(null), "UNKNOWN"), (json!(7), "UNKNOWN"), (json!(""), "UNKNOWN")]
    {
        let body = json!({ "type": "deauth", "user": { "user_id": "t", "provider": given } });
        assert_eq!(parsed(&body, |event| event.user.unwrap().provider).unwrap(), provider);
    }
}

proptest! {
    #[test]
    fn no_body_is_a_reason_to_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60), text in ".{0,60}") {
        for body in [bytes, format!("{{\"type\":\"daily\",\"user\":{text}}}").into_bytes(), text.into_bytes()] {
            let _ = Event::parse(&body);
        }
    }
}

#[test]
fn a_body_of_any_depth_is_kept_as_text() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let body = format!(r#"{{"type":"daily","user":{{"user_id":"t"}},"data":[{{"a":{deep}}}]}}"#);
    assert_eq!(Event::parse(body.as_bytes()).unwrap().items.len(), 1);
}
