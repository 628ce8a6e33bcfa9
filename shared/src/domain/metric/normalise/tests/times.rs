//! Keys, days and moments.

use super::*;

fn key(data_type: DataType, path: &str, value: Value) -> Result<String, Unplaced> {
    let item = match data_type {
        DataType::Sleep => night(),
        _ => day(),
    };
    normalise(data_type, "OURA", &with(item, path, value)).map(|document| document.key)
}

#[test]
fn a_day_is_known_by_the_date_that_it_says_whatever_its_offset() {
    for data_type in [DataType::Daily, DataType::Body, DataType::Nutrition, DataType::Menstruation] {
        for (start, date) in [
            ("2026-03-01T00:00:00.000000+13:00", Some("2026-03-01")),
            ("2026-03-01T23:59:59.000000-11:00", Some("2026-03-01")),
            ("2026-03-01T00:00:00", Some("2026-03-01")),
            ("2026-03-01", Some("2026-03-01")),
            ("2026-03-01 at night", Some("2026-03-01")),
            ("2026-02-30T00:00:00Z", None),
            ("2026-3-1T00:00:00Z", None),
            ("0001-01-01T00:00:00Z", None),
            ("yesterday", None),
            ("01/03/2026 ", None),
            ("äöüäöüäöü", None),
            ("", None),
        ] {
            assert_eq!(key(data_type, "metadata.start_time", json!(start)).ok().as_deref(), date, "{start}");
        }
        assert!(key(data_type, "metadata", json!(null)).is_err());
    }
}

#[test]
fn a_night_is_known_by_its_id_or_else_its_start() {
    let by_id = |id: Value| key(DataType::Sleep, "metadata.summary_id", id).unwrap();
    let start = "2026-03-01T22:00:00Z";
    for (id, expected) in [
        (json!("a-B.c:d_9"), "a-B.c:d_9"),
        (json!("x".repeat(128)), "x".repeat(128).as_str()),
        (json!(""), start),
        (json!(null), start),
        (json!(17), start),
    ] {
        assert_eq!(by_id(id), expected);
    }
    for id in ["run 7", "a#b", "ü", &"x".repeat(129)] {
        let key = by_id(json!(id));
        assert!(key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit()), "{key}");
    }
    // echo -n 'run 7' | sha256sum
    assert_eq!(by_id(json!("run 7")), "04ee297980826e719646754fcb81f32d1fd1000061fdc92cde22d00a257ebd8c");
}

#[test]
fn the_same_start_is_the_same_key_however_it_is_written() {
    let nameless = with(night(), "metadata.summary_id", json!(null));
    let key = |start: &str| document(DataType::Sleep, &with(nameless.clone(), "metadata.start_time", json!(start))).key;
    for start in ["2026-03-01T23:00:00.000000+01:00", "2026-03-01T22:00:00Z", "2026-03-01T22:00:00.0"] {
        assert_eq!(key(start), "2026-03-01T22:00:00Z");
    }
    assert_eq!(key("2026-03-01T22:00:00.250Z"), "2026-03-01T22:00:00.250Z");
}

#[test]
fn what_says_neither_when_nor_which_has_no_place() {
    for (data_type, metadata) in [
        (DataType::Sleep, json!({})),
        (DataType::Sleep, json!({ "summary_id": "night-1" })),
        (DataType::Sleep, json!({ "end_time": "2026-03-02T07:00:00Z" })),
        (DataType::Sleep, json!({ "summary_id": "night-1", "start_time": "late", "end_time": 7 })),
        (DataType::Activity, json!({ "start_time": "late" })),
        (DataType::Daily, json!({ "end_time": "2026-03-02T00:00:00Z" })),
        (DataType::Daily, json!(null)),
    ] {
        let item = with(night(), "metadata", metadata);
        assert!(normalise(data_type, "OURA", &item).is_err(), "{item}");
    }
}

/// The days and moments that a document's observations stand for; each once.
fn moments(data_type: DataType, item: &Value) -> Vec<(String, String)> {
    let of = |observation: &Observation| (observation.local_date.to_string(), observation.observed_at.to_string());
    let mut all: Vec<_> = document(data_type, item).observations.iter().map(of).collect();
    all.dedup();
    all
}

fn moment(date: &str, at: &str) -> (String, String) {
    (date.to_owned(), format!("{at} UTC"))
}

#[test]
fn a_night_belongs_to_its_morning_and_an_activity_to_its_start() {
    assert_eq!(moments(DataType::Sleep, &night()), [moment("2026-03-02", "2026-03-02 06:00:00")]);
    assert_eq!(moments(DataType::Activity, &training()), [moment("2026-03-01", "2026-03-01 23:30:00")]);
    // Still the 28th in the user's own night, though it is March elsewhere.
    let west = with(night(), "metadata.end_time", json!("2026-02-28T23:00:00-08:00"));
    assert_eq!(moments(DataType::Sleep, &west), [moment("2026-02-28", "2026-03-01 07:00:00")]);
}

#[test]
fn without_an_end_it_is_the_start_that_counts() {
    let endless = |item| with(item, "metadata.end_time", json!(null));
    assert_eq!(moments(DataType::Sleep, &endless(night())), [moment("2026-03-01", "2026-03-01 22:00:00")]);
    assert_eq!(moments(DataType::Daily, &endless(day())), [moment("2026-03-01", "2026-02-28 23:00:00")]);
    let only_a_date = with(endless(day()), "metadata.start_time", json!("2026-03-01, all day"));
    assert_eq!(moments(DataType::Daily, &only_a_date), [moment("2026-03-01", "2026-03-01 00:00:00")]);
    let startless = with(night(), "metadata.start_time", json!(null));
    assert_eq!(moments(DataType::Sleep, &startless), [moment("2026-03-02", "2026-03-02 06:00:00")]);
}

#[test]
fn a_day_ends_when_it_says_even_if_that_lies_ahead() {
    assert_eq!(moments(DataType::Daily, &day()), [moment("2026-03-01", "2026-03-01 23:00:00")]);
}

#[test]
fn a_measurement_has_its_own_time_or_else_its_documents() {
    let expected = [
        moment("2026-03-01", "2026-03-01 23:00:00"), // the oxygen
        moment("2026-03-01", "2026-03-01 06:10:00"),
        moment("2026-02-28", "2026-02-28 22:50:00"),
        moment("2026-03-01", "2026-03-01 23:00:00"),
    ];
    assert_eq!(moments(DataType::Body, &body()), expected);
}

#[test]
fn times_are_read_as_providers_write_them_to_the_millisecond() {
    let read = |text: &str| time(&json!(text)).map(|time| time.to_string());
    for (text, expected) in [
        ("2026-07-01T07:55:02.123456+01:00", Some("2026-07-01 07:55:02.123 +01:00")),
        ("2026-07-01T07:55:02+0100", Some("2026-07-01 07:55:02 +01:00")),
        ("2026-07-01T07:55:02Z", Some("2026-07-01 07:55:02 +00:00")),
        ("2026-07-01T07:55:02.000000", Some("2026-07-01 07:55:02 +00:00")),
        ("2026-07-01", Some("2026-07-01 00:00:00 +00:00")),
        ("9999-12-31T23:59:59Z", None),
        ("string", None),
        ("2026-13-01T00:00:00Z", None),
        ("", None),
    ] {
        assert_eq!(read(text).as_deref(), expected, "{text}");
    }
    assert_eq!(time(&json!(1_751_352_902)), None);
}
