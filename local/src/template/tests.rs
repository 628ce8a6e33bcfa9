use serde_json::json;

use super::*;

fn site() -> Site {
    Site {
        region: "us-east-1".to_owned(),
        account: "000000000000".to_owned(),
        stack: "local".to_owned(),
        api_id: "local".to_owned(),
        sqs_url: "http://127.0.0.1:9".to_owned(),
    }
}

fn resolve(text: &str) -> Result<Model, TemplateError> {
    Template::parse(text)?.resolve(&site(), &BTreeMap::new())
}

const FUNCTION: &str = "
Parameters:
  Stage: { Type: String, Default: dev, AllowedValues: [dev, prod] }
  Origins: { Type: CommaDelimitedList, Default: 'http://a, http://b' }
Conditions:
  Prod: !Equals [!Ref Stage, prod]
Globals:
  Function:
    Timeout: 10
    Environment: { Variables: { STAGE: !Ref Stage, TABLE: !Ref Table } }
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties: { CorsConfiguration: { AllowOrigins: !Ref Origins, MaxAge: 60 } }
  EchoFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/echo
      Timeout: !If [Prod, 5, '20']
      ReservedConcurrentExecutions: !If [Prod, 1, !Ref AWS::NoValue]
      Environment:
        Variables:
          QUEUE_URL: !Ref Queue
          QUEUE_ARN: !Sub '${Queue.Arn}-${!kept}-${AWS::Region}'
          JOINED: !Join ['-', [a, !Select [1, !Ref Origins]]]
      Events:
        Get: { Type: HttpApi, Properties: { ApiId: !Ref Api, Method: get, Path: '/echo/{id}' } }
        Job: { Type: SQS, Properties: { Queue: !GetAtt Queue.Arn } }
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{ AttributeName: key, AttributeType: S }]
      KeySchema: [{ AttributeName: key, KeyType: HASH }]
      TimeToLiveSpecification: { AttributeName: ttl, Enabled: true }
  Queue:
    Type: AWS::SQS::Queue
    Properties: { VisibilityTimeout: '180', RedrivePolicy: { deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 20 } }
  Dead: { Type: AWS::SQS::Queue }
  OnlyProd: { Type: AWS::SQS::Queue, Condition: Prod }
  Bucket: { Type: AWS::S3::Bucket }
";

#[test]
fn a_function_gets_its_own_and_the_global_values() {
    let model = resolve(FUNCTION).unwrap();
    let function = &model.functions[0];
    assert_eq!((function.name.as_str(), function.function_name.as_str()), ("echo", "local-EchoFunction"));
    assert_eq!((function.timeout.as_secs(), function.reserved_concurrency), (20, None));
    let expected = [
        ("JOINED", "a-http://b"),
        ("QUEUE_ARN", "arn:aws:sqs:us-east-1:000000000000:local-Queue-${kept}-us-east-1"),
        ("QUEUE_URL", "http://127.0.0.1:9/000000000000/local-Queue"),
        ("STAGE", "dev"),
        ("TABLE", "local-Table"),
    ];
    let expected: BTreeMap<String, String> = expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    assert_eq!(function.environment, expected);
    assert_eq!(model.routes[0].key(), "GET /echo/{id}");
    assert_eq!(function.sources[0].kind, "SQS");
}

#[test]
fn tables_queues_and_buckets_keep_what_changes_their_behaviour() {
    let model = resolve(FUNCTION).unwrap();
    assert_eq!(model.tables[0].ttl.as_deref(), Some("ttl"));
    assert_eq!(model.tables[0].create["KeySchema"], json!([{"AttributeName": "key", "KeyType": "HASH"}]));
    let names: Vec<_> = model.queues.iter().map(|queue| queue.name.as_str()).collect();
    assert_eq!(names, ["local-Dead", "local-Queue"]);
    let redrive = model.queues[1].redrive.as_ref().unwrap();
    assert_eq!(redrive.dead_letter_arn, "arn:aws:sqs:us-east-1:000000000000:local-Dead");
    assert_eq!(model.queues[1].visibility_timeout.as_secs(), 180);
    assert_eq!(model.buckets[0].name, "local-bucket-000000000000");
    assert_eq!(model.cors.as_ref().unwrap().allow_origins, ["http://a", "http://b"]);
}

#[test]
fn errors_name_the_resource() {
    let cases = [
        ("Resources: { F: { Type: AWS::Serverless::Function } }", "template: F CodeUri is missing"),
        (
            "Resources: { F: { Type: AWS::Serverless::Function, Properties: { CodeUri: !Ref Nothing } } }",
            "template: F refers to Nothing, which is not there",
        ),
        (
            "Resources: { Q: { Type: AWS::SQS::Queue, Properties: { VisibilityTimeout: soon } } }",
            "template: Q VisibilityTimeout must be a number in range",
        ),
        (
            "Resources: { B: { Type: AWS::S3::Bucket, Properties: { BucketName: !Sub '${B}-x' } } }",
            "template: B refers to itself",
        ),
        ("Parameters: { P: { Type: String } }\nResources: {}", "template: P has no default and was not given"),
    ];
    for (text, message) in cases {
        assert_eq!(resolve(text).unwrap_err().to_string(), message);
    }
}

#[test]
fn an_unknown_or_forbidden_parameter_is_refused() {
    let template = Template::parse(FUNCTION).unwrap();
    for (name, value, message) in [
        ("Nothing", "1", "template: Nothing is no parameter of the template"),
        ("Stage", "test", "template: Stage is \"test\", which is not one of the allowed values"),
    ] {
        let overrides = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        assert_eq!(template.resolve(&site(), &overrides).unwrap_err().to_string(), message);
    }
}
