//! The MD5 digests that SQS answers with and SDKs compare.

use std::collections::BTreeMap;
use std::fmt::Write;

use base64::prelude::{BASE64_STANDARD, Engine};
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

/// A message attribute as it travels.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MessageAttribute {
    pub data_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub string_value: Option<String>,
    /// Base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binary_value: Option<String>,
}

pub type MessageAttributes = BTreeMap<String, MessageAttribute>;

pub fn of_body(body: &str) -> String {
    hex(Md5::digest(body.as_bytes()).as_slice())
}

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation>
pub fn of_attributes(attributes: &MessageAttributes) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let mut digest = Md5::new();
    for (name, attribute) in attributes {
        update(&mut digest, name.as_bytes());
        update(&mut digest, attribute.data_type.as_bytes());
        match (&attribute.string_value, &attribute.binary_value) {
            (Some(text), _) => {
                digest.update([1]);
                update(&mut digest, text.as_bytes());
            }
            (None, Some(base64)) => {
                digest.update([2]);
                update(&mut digest, &BASE64_STANDARD.decode(base64).unwrap_or_default());
            }
            (None, None) => {}
        }
    }
    Some(hex(digest.finalize().as_slice()))
}

fn update(digest: &mut Md5, bytes: &[u8]) {
    digest.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    digest.update(bytes);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}
