//! Tables, queues, buckets and secrets.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::TemplateError;
use super::properties::Properties;
use super::resolve::{Resolver, to_text};

/// A DynamoDB table.
#[derive(Debug, Clone)]
pub struct Table {
    /// Logical id in the template, such as `SessionsTable`.
    pub id: String,
    pub name: String,
    /// The body of `CreateTable`.
    pub create: Value,
    /// The attribute that holds an item's time to live, where there is one.
    pub ttl: Option<String>,
}

/// An SQS queue with the attributes that change how it behaves.
#[derive(Debug, Clone)]
pub struct Queue {
    pub id: String,
    pub name: String,
    pub url: String,
    pub arn: String,
    pub visibility_timeout: Duration,
    pub retention: Duration,
    pub delay: Duration,
    /// Long polling where a request does not say otherwise.
    pub receive_wait: Duration,
    /// Bytes.
    pub maximum_message_size: usize,
    pub redrive: Option<Redrive>,
    /// The `RedriveAllowPolicy`, where there is one.
    pub redrive_allow: Option<Value>,
}

impl Queue {
    /// Whether the queue of this ARN may send its dead letters here: any may unless a policy says otherwise.
    pub fn takes_dead_letters_of(&self, source_arn: &str) -> bool {
        let Some(policy) = &self.redrive_allow else { return true };
        match policy.get("redrivePermission").and_then(Value::as_str) {
            Some("denyAll") => false,
            Some("byQueue") => {
                let named = policy.get("sourceQueueArns").and_then(Value::as_array);
                named.is_some_and(|arns| arns.iter().any(|arn| arn == source_arn))
            }
            _ => true,
        }
    }
}

/// After how many receives a message goes where.
#[derive(Debug, Clone)]
pub struct Redrive {
    pub dead_letter_arn: String,
    pub max_receive_count: u32,
}

#[derive(Debug, Clone)]
pub struct Bucket {
    pub id: String,
    pub name: String,
}

/// A secret of Secrets Manager.
#[derive(Debug, Clone)]
pub struct Secret {
    pub id: String,
    pub name: String,
    pub arn: String,
}

/// What `CreateTable` takes of a table's properties. Encryption, backups and billing change nothing on a laptop.
const TABLE_PROPERTIES: [&str; 4] =
    ["AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "LocalSecondaryIndexes"];

pub fn table(resolver: &Resolver, properties: &Properties) -> Result<Table, TemplateError> {
    let name = resolver.physical_name(&properties.id, &properties.id)?;
    let mut create = Map::new();
    create.insert("TableName".to_owned(), json!(name));
    create.insert("BillingMode".to_owned(), json!("PAY_PER_REQUEST"));
    for property in TABLE_PROPERTIES {
        if let Some(value) = properties.get(property) {
            create.insert(property.to_owned(), value.clone());
        }
    }
    let ttl = properties.nested("TimeToLiveSpecification")?;
    let ttl = ttl.filter(|ttl| ttl.get("Enabled") != Some(&json!(false)));
    let ttl = ttl.map(|ttl| ttl.required_text("AttributeName")).transpose()?;
    Ok(Table { id: properties.id.clone(), name, create: Value::Object(create), ttl })
}

pub fn secret(resolver: &Resolver, id: &str) -> Result<Secret, TemplateError> {
    let name = resolver.physical_name(id, id)?;
    let arn = to_text(&resolver.resource_reference(id, id)?);
    Ok(Secret { id: id.to_owned(), name, arn })
}

/// Defaults: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-sqs-queue.html>
pub fn queue(resolver: &Resolver, properties: &Properties) -> Result<Queue, TemplateError> {
    let name = resolver.physical_name(&properties.id, &properties.id)?;
    let seconds = |property: &str, default: u64| -> Result<Duration, TemplateError> {
        Ok(Duration::from_secs(properties.number(property)?.unwrap_or(default)))
    };
    let redrive = match properties.nested("RedrivePolicy")? {
        None => None,
        Some(policy) => Some(Redrive {
            dead_letter_arn: policy.required_text("deadLetterTargetArn")?,
            max_receive_count: policy
                .number_in("maxReceiveCount", 1..=1_000)?
                .ok_or_else(|| policy.error("maxReceiveCount", "is missing"))?,
        }),
    };
    Ok(Queue {
        id: properties.id.clone(),
        url: resolver.site.queue_url(&name),
        arn: resolver.site.queue_arn(&name),
        name,
        visibility_timeout: seconds("VisibilityTimeout", 30)?,
        retention: seconds("MessageRetentionPeriod", 345_600)?,
        delay: seconds("DelaySeconds", 0)?,
        receive_wait: seconds("ReceiveMessageWaitTimeSeconds", 0)?,
        maximum_message_size: properties.number("MaximumMessageSize")?.unwrap_or(1_048_576),
        redrive,
        redrive_allow: properties.get("RedriveAllowPolicy").cloned(),
    })
}

/// What SQS refuses when it creates the queue: dead letters for one that does not take them.
pub fn check_redrive(queues: &[Queue]) -> Result<(), TemplateError> {
    for queue in queues {
        let Some(redrive) = &queue.redrive else { continue };
        let target = queues.iter().find(|target| target.arn == redrive.dead_letter_arn);
        let problem = match target {
            None => format!("names no queue of the template: {}", redrive.dead_letter_arn),
            Some(target) if !target.takes_dead_letters_of(&queue.arn) => {
                format!("names {}, whose RedriveAllowPolicy does not allow it", target.id)
            }
            Some(_) => continue,
        };
        return Err(TemplateError::new(&queue.id, format!("RedrivePolicy {problem}")));
    }
    Ok(())
}
