//! The event that Lambda makes of messages.
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event>

use serde_json::{Map, Value, json};

use crate::REGION;
use crate::sqs::{MessageAttribute, MessageAttributes, Received, of_attributes, of_body};

/// Names, ids, times and the queue's ARN of a record, at most.
const RECORD_OVERHEAD: usize = 700;
/// The empty lists and longer names that up to ten message attributes get.
const ATTRIBUTES_OVERHEAD: usize = 10 * 64;

pub fn of(messages: &[Received], queue_arn: &str) -> String {
    let records: Vec<Value> = messages.iter().map(|message| record(message, queue_arn)).collect();
    json!({"Records": records}).to_string()
}

/// Bytes of the message as a record, rather too many than too few.
pub fn size(message: &Received) -> usize {
    let optional = |text: &Option<String>| text.as_ref().map_or(0, |text| text.len() + 32);
    // "{}" has none.
    let attributes = match message.attributes.len() {
        0..=2 => 0,
        length => length + ATTRIBUTES_OVERHEAD,
    };
    RECORD_OVERHEAD
        + escaped(&message.body)
        + attributes
        + optional(&message.trace)
        + optional(&message.dead_letter_source)
}

/// Bytes of the text within JSON.
fn escaped(text: &str) -> usize {
    let byte = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 2,
        0..0x20 => 6,
        _ => 1,
    };
    text.bytes().map(byte).sum()
}

fn record(message: &Received, queue_arn: &str) -> Value {
    let attributes = message.message_attributes();
    let system: Map<String, Value> =
        message.system_attributes().map(|(name, value)| (name.to_owned(), json!(value))).collect();
    let mut record = json!({
        "messageId": message.message_id,
        "receiptHandle": message.handle(),
        "body": message.body,
        "attributes": system,
        "messageAttributes": message_attributes(&attributes),
        "md5OfBody": of_body(&message.body),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": REGION,
    });
    if let Some(digest) = of_attributes(&attributes) {
        record["md5OfMessageAttributes"] = json!(digest);
    }
    record
}

fn message_attributes(attributes: &MessageAttributes) -> Map<String, Value> {
    let attribute = |(name, attribute): (&String, &MessageAttribute)| {
        let mut value = json!({"stringListValues": [], "binaryListValues": [], "dataType": attribute.data_type});
        if let Some(text) = &attribute.string_value {
            value["stringValue"] = json!(text);
        }
        if let Some(base64) = &attribute.binary_value {
            value["binaryValue"] = json!(base64);
        }
        (name.clone(), value)
    };
    attributes.iter().map(attribute).collect()
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::system;

    pub fn message(body: &str, attributes: &str) -> Received {
        Received {
            id: i64::MAX,
            message_id: system::new_id().to_string(),
            body: body.to_owned(),
            attributes: attributes.to_owned(),
            trace: Some("Root=1-65f0c0de-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=1".to_owned()),
            sent_at: system::now_ms(),
            receive_count: u32::MAX,
            first_received_at: system::now_ms(),
            receipt: system::new_id().to_string(),
            dead_letter_source: Some(format!("arn:aws:sqs:us-east-1:000000000000:{}", "q".repeat(80))),
        }
    }

    #[test]
    fn no_record_is_larger_than_it_is_taken_for() {
        let attributes: Map<String, Value> = (0..10)
            .map(|n| (format!("\"{n}"), json!({"DataType": "Binary", "StringValue": "\u{1}\"", "BinaryValue": "AA=="})))
            .collect();
        let arn = format!("arn:aws:sqs:us-east-1:000000000000:{}", "q".repeat(80));
        for (body, attributes) in
            [("x".to_owned(), "{}".to_owned()), ("\"\\\n\t\r\u{1}\u{7f}é".repeat(100), json!(attributes).to_string())]
        {
            let message = message(&body, &attributes);
            let bytes = record(&message, &arn).to_string().len();
            assert!((bytes..bytes + 900).contains(&size(&message)), "{bytes} taken for {}", size(&message));
        }
    }
}
