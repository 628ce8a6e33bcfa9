//! What `Ref` and `GetAtt` of a resource give: names, ARNs and URLs as CloudFormation would hand them out.

use serde_json::{Value, json};

use super::resolve::{Resolver, to_text};
use super::{Site, TemplateError};

impl Resolver<'_> {
    fn resource(&self, at: &str, id: &str) -> Result<(&str, &Value), TemplateError> {
        let resource = self.document.get("Resources").and_then(|all| all.get(id));
        let resource = resource.ok_or_else(|| TemplateError::new(at, format!("refers to {id}, which is not there")))?;
        Ok((resource.get("Type").and_then(Value::as_str).unwrap_or_default(), resource))
    }

    /// The resource's own name where it gives one, else one made of the stack's and its logical id.
    pub fn physical_name(&self, at: &str, id: &str) -> Result<String, TemplateError> {
        let (kind, resource) = self.resource(at, id)?;
        let property = match kind {
            "AWS::Serverless::Function" => "FunctionName",
            "AWS::DynamoDB::Table" => "TableName",
            "AWS::SQS::Queue" => "QueueName",
            "AWS::S3::Bucket" => "BucketName",
            "AWS::Logs::LogGroup" => "LogGroupName",
            "AWS::SecretsManager::Secret" => "Name",
            "AWS::CloudWatch::Alarm" | "AWS::CloudWatch::CompositeAlarm" => "AlarmName",
            _ => "",
        };
        if let Some(name) = resource.get("Properties").and_then(|properties| properties.get(property)) {
            let name = self.resolve(id, name)?;
            if !name.is_null() {
                return Ok(to_text(&name));
            }
        }
        let stack = &self.site.stack;
        Ok(match kind {
            "AWS::S3::Bucket" => format!("{stack}-{}-{}", id.to_lowercase(), self.site.account),
            _ => format!("{stack}-{id}"),
        })
    }

    pub fn resource_reference(&self, at: &str, id: &str) -> Result<Value, TemplateError> {
        let (kind, _) = self.resource(at, id)?;
        let name = self.physical_name(at, id)?;
        Ok(json!(match kind {
            "AWS::SQS::Queue" => self.site.queue_url(&name),
            "AWS::Serverless::HttpApi" => self.site.api_id.clone(),
            // A secret's reference is its ARN, with six characters of its own at the end.
            "AWS::SecretsManager::Secret" => {
                let Site { region, account, .. } = self.site;
                format!("arn:aws:secretsmanager:{region}:{account}:secret:{name}-Local0")
            }
            _ => name,
        }))
    }

    pub fn attribute(&self, at: &str, id: &str, attribute: &str) -> Result<Value, TemplateError> {
        let (kind, _) = self.resource(at, id)?;
        let name = self.physical_name(at, id)?;
        let Site { region, account, .. } = self.site;
        let arn = |service: &str, rest: String| format!("arn:aws:{service}:{region}:{account}:{rest}");
        Ok(json!(match (kind, attribute) {
            ("AWS::DynamoDB::Table", "Arn") => self.site.table_arn(&name),
            ("AWS::SQS::Queue", "Arn") => self.site.queue_arn(&name),
            ("AWS::SQS::Queue", "QueueName") => name,
            ("AWS::SQS::Queue", "QueueUrl") => self.site.queue_url(&name),
            ("AWS::S3::Bucket", "Arn") => self.site.bucket_arn(&name),
            ("AWS::S3::Bucket", "DomainName") => format!("{name}.s3.amazonaws.com"),
            ("AWS::S3::Bucket", "RegionalDomainName") => format!("{name}.s3.{region}.amazonaws.com"),
            ("AWS::Serverless::Function", "Arn") => arn("lambda", format!("function:{name}")),
            // A nested stack's outputs are looked at by nobody here.
            ("AWS::CloudFormation::Stack", output) if output.starts_with("Outputs.") => format!("{name}-{output}"),
            // What runs here was never published.
            ("AWS::Serverless::Function", "Version.Version") => "$LATEST".to_owned(),
            ("AWS::Serverless::HttpApi", "ApiId") => self.site.api_id.clone(),
            ("AWS::Logs::LogGroup", "Arn") => arn("logs", format!("log-group:{name}:*")),
            ("AWS::CloudWatch::Alarm" | "AWS::CloudWatch::CompositeAlarm", "Arn") => {
                arn("cloudwatch", format!("alarm:{name}"))
            }
            ("AWS::SNS::Topic", "TopicArn") => arn("sns", name),
            ("AWS::IAM::Role", "Arn") => format!("arn:aws:iam::{account}:role/{name}"),
            _ =>
                return Err(TemplateError::new(
                    at,
                    format!("asks for {id}.{attribute}, which the local stack does not know")
                )),
        }))
    }
}
