//! The messages of an event, as SQS' event source mapping hands them over.
//!
//! Each is read by itself and whatever it looks like: a batch must not fail for one of its messages.

use chrono::{DateTime, Utc};
use serde_json::Value;

/// Carries the id of the message that a worker could do nothing with, when that goes to the dead-letter queue.
pub(super) const REPORTED_AS: &str = "reported_message_id";

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// Empty where it has none: such a message can't be asked back.
    pub(super) message_id: String,
    pub(super) receipt_handle: String,
    pub(super) body: String,
    pub(super) sent_at: Option<DateTime<Utc>>,
    /// How often it was received, this time included.
    pub(super) receives: u32,
    /// Where it was taken off the dead-letter queue.
    pub(super) is_dead_letter: bool,
    /// Its id before a worker put it on the dead-letter queue.
    pub(super) reported_as: Option<String>,
}

impl Record {
    fn read(record: &Value, dead_letter_queue: &str) -> Self {
        let text = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
        let attribute = |name: &str| record["attributes"][name].as_str();
        let millis = attribute("SentTimestamp").and_then(|text| text.parse().ok());
        let receives = attribute("ApproximateReceiveCount").and_then(|text| text.parse().ok());
        let queue = record["eventSourceARN"].as_str().and_then(|arn| arn.rsplit(':').next());
        Self {
            message_id: text("messageId"),
            receipt_handle: text("receiptHandle"),
            body: record["body"].as_str().map_or_else(|| record.to_string(), ToOwned::to_owned),
            sent_at: millis.and_then(DateTime::from_timestamp_millis),
            receives: receives.unwrap_or(1),
            is_dead_letter: !dead_letter_queue.is_empty() && queue == Some(dead_letter_queue),
            reported_as: record["messageAttributes"][REPORTED_AS]["stringValue"].as_str().map(ToOwned::to_owned),
        }
    }
}

/// The messages of an event, or nothing where the event is none of SQS'.
pub(super) fn records(event: &Value, dead_letter_queue_url: &str) -> Option<Vec<Record>> {
    let records = event.get("Records")?.as_array()?;
    let of_sqs = |record: &Value| record["eventSource"].as_str().is_none_or(|source| source == "aws:sqs");
    if !records.iter().all(of_sqs) {
        return None;
    }
    let queue = dead_letter_queue_url.rsplit('/').next().unwrap_or_default();
    Some(records.iter().map(|record| Record::read(record, queue)).collect())
}

/// Which queue they came from, for the log and the metrics.
pub(super) fn source(records: &[Record]) -> &'static str {
    if records.iter().any(|record| record.is_dead_letter) { "dead_letters" } else { "jobs" }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const DEAD_LETTERS: &str = "http://127.0.0.1:9/000000000000/dead-jobs";

    #[test]
    fn a_message_is_read_with_what_is_needed_of_it() {
        let event = json!({ "Records": [{
            "messageId": "m-1", "receiptHandle": "r-1", "body": "{}",
            "attributes": { "ApproximateReceiveCount": "3", "SentTimestamp": "1781000000123" },
            "messageAttributes": { REPORTED_AS: { "stringValue": "m-0", "dataType": "String" } },
            "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-central-1:000000000000:dead-jobs",
        }] });
        assert_eq!(
            records(&event, DEAD_LETTERS),
            Some(vec![Record {
                message_id: "m-1".into(),
                receipt_handle: "r-1".into(),
                body: "{}".into(),
                sent_at: DateTime::from_timestamp_millis(1_781_000_000_123),
                receives: 3,
                is_dead_letter: true,
                reported_as: Some("m-0".into()),
            }])
        );
    }

    #[test]
    fn only_the_dead_letter_queue_itself_holds_dead_letters() {
        for (arn, url, dead) in [
            ("arn:aws:sqs:r:0:jobs", DEAD_LETTERS, false),
            ("arn:aws:sqs:r:0:not-dead-jobs", DEAD_LETTERS, false),
            ("arn:aws:sqs:r:0:dead-jobs", DEAD_LETTERS, true),
            ("arn:aws:sqs:r:0:", "", false),
        ] {
            let event = json!({ "Records": [{ "eventSourceARN": arn }] });
            assert_eq!(records(&event, url).unwrap()[0].is_dead_letter, dead, "{arn}");
        }
    }

    #[test]
    fn a_record_that_makes_no_sense_keeps_all_that_it_says_as_its_body() {
        for record in [json!(null), json!(7), json!({ "messageId": 7, "body": { "job_id": 1 } })] {
            let read = records(&json!({ "Records": [&record] }), DEAD_LETTERS).unwrap();
            assert_eq!((read[0].message_id.as_str(), &read[0].body), ("", &record.to_string()));
        }
    }

    #[test]
    fn other_events_are_none_of_sqs() {
        for event in [
            json!({ "schedule": "sweep" }),
            json!({ "Records": 7 }),
            json!({ "Records": [{ "eventSource": "aws:s3" }] }),
        ] {
            assert_eq!(records(&event, DEAD_LETTERS), None, "{event}");
        }
    }
}
