use serde_json::json;

use super::*;

pub(super) fn site() -> Site {
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
  Secret: { Type: AWS::SecretsManager::Secret }
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

const WORKER: &str = "
Resources:
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/worker
      Timeout: 30
      Events:
        Jobs:
          Type: SQS
          Properties: { Queue: !GetAtt Queue.Arn, BatchSize: 100, MaximumBatchingWindowInSeconds: 5, FunctionResponseTypes: [ReportBatchItemFailures], ScalingConfig: { MaximumConcurrency: 5 } }
        Plain: { Type: SQS, Properties: { Queue: !GetAtt Queue.Arn, Enabled: false } }
        Sweep: { Type: ScheduleV2, Properties: { ScheduleExpression: rate(5 minutes), Input: '{\"do\":\"sweep\"}' } }
        Once: { Type: ScheduleV2, Properties: { ScheduleExpression: 'at(2026-11-20T13:00:00)', State: DISABLED } }
        Daily: { Type: Schedule, Properties: { Schedule: rate(1 day), Name: daily } }
  Queue: { Type: AWS::SQS::Queue, Properties: { VisibilityTimeout: 180 } }
  Short: { Type: AWS::SQS::Queue, Properties: { VisibilityTimeout: 29 } }
";

#[test]
fn mappings_and_schedules_are_read_from_the_functions_events() {
    let model = resolve(WORKER).unwrap();
    let [jobs, plain] = model.mappings.as_slice() else { panic!("{:?}", model.mappings) };
    assert_eq!((jobs.id.as_str(), jobs.function.as_str(), jobs.queue.as_str()), ("Jobs", "worker", "local-Queue"));
    assert_eq!((jobs.batch_size, jobs.window.as_secs(), jobs.maximum_concurrency), (100, 5, Some(5)));
    assert!(jobs.reports_failures && jobs.enabled);
    assert_eq!((plain.batch_size, plain.window.as_secs(), plain.maximum_concurrency), (10, 0, None));
    assert!(!plain.reports_failures && !plain.enabled);
    let schedules: Vec<_> = model
        .schedules
        .iter()
        .map(|one| (one.id.as_str(), one.period.map(|period| period.as_secs()), one.input.as_deref(), one.enabled))
        .collect();
    let expected = [
        ("Daily", Some(86_400), None, true),
        ("Once", None, None, false),
        ("Sweep", Some(300), Some("{\"do\":\"sweep\"}"), true),
    ];
    assert_eq!(schedules, expected);
    assert_eq!(model.schedules[0].arn, "arn:aws:events:us-east-1:000000000000:rule/daily");
}

#[test]
fn sources_that_aws_would_refuse_are_errors() {
    let cases = [
        (
            "BatchSize: 100, MaximumBatchingWindowInSeconds: 5",
            "BatchSize: 11",
            "Jobs BatchSize over 10 needs a MaximumBatchingWindowInSeconds of at least 1",
        ),
        ("BatchSize: 100", "BatchSize: 10001", "Jobs BatchSize must be between 1 and 10000"),
        ("WindowInSeconds: 5", "WindowInSeconds: 301", "Jobs MaximumBatchingWindowInSeconds must be between 0 and 300"),
        ("Concurrency: 5", "Concurrency: 1", "Jobs ScalingConfig MaximumConcurrency must be between 2 and 1000"),
        ("[ReportBatchItemFailures]", "[Everything]", "Jobs FunctionResponseTypes has no Everything"),
        ("BatchSize: 100", "FilterCriteria: {}", "Jobs FilterCriteria is not supported by the local stack"),
        ("!GetAtt Queue.Arn, Enabled", "elsewhere, Enabled", "Plain Queue is no queue of the template: elsewhere"),
        (
            "!GetAtt Queue.Arn, Enabled",
            "!GetAtt Short.Arn, Enabled",
            "Plain Queue is Short, whose visibility timeout of 29 s is less than the 30 s that Worker may take",
        ),
        ("Enabled: false", "Enabled: maybe", "Plain State or Enabled must be ENABLED or DISABLED, true or false"),
        (
            "rate(5 minutes)",
            "rate(0 minutes)",
            "Sweep ScheduleExpression must be rate(<n> minutes|hours|days), cron(…) or at(…)",
        ),
        ("rate(1 day)", "every day", "Daily Schedule must be rate(<n> minutes|hours|days), cron(…) or at(…)"),
        ("'{\"do\":\"sweep\"}'", "sweep", "Sweep Input must be JSON, since it is a function's event"),
        ("Plain: { Type: SQS", "Plain: { Type: SNS", "Plain has the type SNS, which the local stack does not run"),
    ];
    for (from, to, message) in cases {
        assert!(WORKER.contains(from), "{from}");
        let error = resolve(&WORKER.replacen(from, to, 1)).unwrap_err().to_string();
        assert_eq!(error, format!("template: Worker {message}"));
    }
}

#[test]
fn schedules_of_two_functions_cannot_share_an_id() {
    let other = "
  Other:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/other
      Events: { Sweep: { Type: ScheduleV2, Properties: { ScheduleExpression: rate(1 hour) } } }
";
    let error = resolve(&format!("{WORKER}{other}")).unwrap_err().to_string();
    assert!(error.contains("Sweep has the id of another schedule"), "{error}");
}

#[test]
fn dead_letters_go_only_where_they_are_taken() {
    let queues = |policy: &str| {
        format!(
            "Resources:
  Q: {{ Type: AWS::SQS::Queue, Properties: {{ RedrivePolicy: {{ deadLetterTargetArn: !GetAtt D.Arn, maxReceiveCount: 1 }} }} }}
  D: {{ Type: AWS::SQS::Queue, Properties: {{ RedriveAllowPolicy: {policy} }} }}"
        )
    };
    let refused = Some("template: Q RedrivePolicy names D, whose RedriveAllowPolicy does not allow it");
    for (policy, error) in [
        ("{ redrivePermission: allowAll }", None),
        ("{ redrivePermission: denyAll }", refused),
        ("{ redrivePermission: byQueue, sourceQueueArns: ['arn:aws:sqs:us-east-1:000000000000:local-Q'] }", None),
        ("{ redrivePermission: byQueue, sourceQueueArns: ['arn:aws:sqs:us-east-1:000000000000:local-R'] }", refused),
    ] {
        let result = resolve(&queues(policy)).map(drop).map_err(|error| error.to_string());
        assert_eq!(result.err().as_deref(), error, "{policy}");
    }
}

#[test]
fn a_secret_is_referred_to_by_its_arn() {
    let model = resolve(FUNCTION).unwrap();
    let secret = &model.secrets[0];
    assert_eq!((secret.id.as_str(), secret.name.as_str()), ("Secret", "local-Secret"));
    assert_eq!(secret.arn, "arn:aws:secretsmanager:us-east-1:000000000000:secret:local-Secret-Local0");
}

const OBSERVED: &str = "
Parameters:
  Usual: { Type: Number, Default: 30 }
Resources:
  EchoFunction: { Type: AWS::Serverless::Function, Properties: { CodeUri: functions/echo } }
  NewVersionErrors:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Namespace: Backend
      MetricName: server_errors
      Dimensions: [{ Name: version, Value: !GetAtt EchoFunction.Version.Version }]
      Statistic: Sum
      Unit: Count
      ComparisonOperator: GreaterThanOrEqualToThreshold
      Threshold: '1'
  Share:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Metrics:
        - { Id: share, Expression: !Sub '100 * low - ${Usual}' }
        - { Id: low, ReturnData: false, MetricStat: { Stat: p95, Metric: { Namespace: Backend, MetricName: low } } }
      ComparisonOperator: GreaterThanThreshold
      Threshold: 15
  Nested:
    Type: AWS::CloudFormation::Stack
    Properties: { TemplateURL: nested.yaml, Parameters: { Route: echo } }
  Dashboard:
    Type: AWS::CloudWatch::Dashboard
    Properties:
      DashboardBody: |
        {\"widgets\": [{\"properties\": {\"title\": \"t\", \"stat\": \"Sum\", \"metrics\": [
          [{\"expression\": \"a / b\"}], [\"Backend\", \"jobs\", \"function\", \"echo\", {\"stat\": \"p50\"}], [\"Backend\", \"all\"]]}}]}
";

const NESTED: &str = "
Parameters: { Route: { Type: String } }
Resources:
  Latency:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Namespace: Backend
      MetricName: latency
      Dimensions: [{ Name: route, Value: !Ref Route }]
      ExtendedStatistic: p95
      ComparisonOperator: GreaterThanThreshold
      Threshold: 400
";

#[test]
fn alarms_and_widgets_are_read_with_their_metrics_and_those_of_nested_stacks() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("nested.yaml"), NESTED).unwrap();
    let template = Template::parse(OBSERVED).unwrap();
    let observed = template.observed(directory.path(), &site(), &BTreeMap::new()).unwrap();
    let mut alarms = observed.alarms;
    alarms.sort_by(|a, b| a.id.cmp(&b.id));
    let [latency, versions, share] = alarms.as_slice() else { panic!("{alarms:?}") };
    let stat = |metric: &str, dimensions: &[(&str, &str)], stat: &str, unit: Option<&str>| MetricStat {
        namespace: "Backend".to_owned(),
        metric: metric.to_owned(),
        dimensions: dimensions.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        stat: stat.to_owned(),
        unit: unit.map(str::to_owned),
    };
    let only = |alarm: &Alarm| match alarm.queries.as_slice() {
        [Query::Stat { stat, .. }] => stat.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!((latency.id.as_str(), latency.threshold), ("Nested.Latency", 400.0));
    assert_eq!(only(latency), stat("latency", &[("route", "echo")], "p95", None));
    assert_eq!(only(versions), stat("server_errors", &[("version", "$LATEST")], "Sum", Some("Count")));
    assert!(versions.comparison.holds(1.0, versions.threshold) && !share.comparison.holds(15.0, share.threshold));
    let [Query::Expression(expression), Query::Stat { id, stat: low }] = share.queries.as_slice() else { panic!() };
    assert_eq!((expression.as_str(), id.as_str()), ("100 * low - 30", "low"));
    assert_eq!(low, &stat("low", &[], "p95", None));
    let [widget] = observed.widgets.as_slice() else { panic!() };
    let shown = [stat("jobs", &[("function", "echo")], "p50", None), stat("all", &[], "Sum", None)];
    assert_eq!((widget.title.as_str(), widget.metrics.as_slice()), ("t", shown.as_slice()));
}

const POLICIES: &str = "
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/f
      Policies:
        - Version: '2012-10-17'
          Statement:
            - Effect: Allow
              Action: [dynamodb:Query, dynamodb:Scan]
              Resource: [!GetAtt Table.Arn, !Sub '${Table.Arn}/index/by_user']
            - Sid: Objects
              Effect: Allow
              Action: s3:GetObject
              Resource: !Sub ['${Arn}/reports/*', { Arn: !GetAtt Bucket.Arn }]
        - Version: 2012-10-17
          Statement: { Effect: Deny, Action: 'sqs:*', Resource: '*' }
  Table: { Type: AWS::DynamoDB::Table }
  Bucket: { Type: AWS::S3::Bucket }
";

#[test]
fn policies_are_statements_with_resolved_resources() {
    let model = resolve(POLICIES).unwrap();
    let table = "arn:aws:dynamodb:us-east-1:000000000000:table/local-Table";
    let statement = |effect, actions: &[&str], resources: &[String]| {
        let actions = actions.iter().map(|action| (*action).to_owned()).collect();
        Statement { effect, actions, resources: resources.to_vec() }
    };
    let expected = [
        statement(
            Effect::Allow,
            &["dynamodb:Query", "dynamodb:Scan"],
            &[table.to_owned(), format!("{table}/index/by_user")],
        ),
        statement(Effect::Allow, &["s3:GetObject"], &["arn:aws:s3:::local-bucket-000000000000/reports/*".to_owned()]),
        statement(Effect::Deny, &["sqs:*"], &["*".to_owned()]),
    ];
    assert_eq!(model.functions[0].policies, expected);
}

#[test]
fn a_policy_that_is_not_understood_is_an_error_that_says_where() {
    let second = "        - Version: 2012-10-17\n          Statement: { Effect: Deny, Action: 'sqs:*', Resource: '*' }";
    let unknown = "is no policy with statements of its own: which actions and resources it allows is not known here";
    let cases = [
        (second, "        - AmazonSQSFullAccess", format!("Policies 2 {unknown}")),
        (
            second,
            "        - DynamoDBCrudPolicy: { TableName: !Ref Table }",
            format!("Policies 2 DynamoDBCrudPolicy {unknown}"),
        ),
        ("Version: 2012-10-17", "Version: 2008-10-17", "Policies 2 Version must be \"2012-10-17\"".to_owned()),
        ("Effect: Deny", "Effect: Maybe", "Policies 2 Statement 1 Effect must be Allow or Deny".to_owned()),
        (
            "Sid: Objects",
            "NotAction: x",
            "Policies 1 Statement 2 NotAction is not supported by the local stack".to_owned(),
        ),
        (
            "Sid: Objects",
            "Condition: { Bool: { a: b } }",
            "Policies 1 Statement 2 Condition is not supported by the local stack".to_owned(),
        ),
        (
            "Action: s3:GetObject",
            "Action: GetObject",
            "Policies 1 Statement 2 Action must be <service>:<action> or *, which \"GetObject\" is not".to_owned(),
        ),
        ("              Action: s3:GetObject\n", "", "Policies 1 Statement 2 Action is missing".to_owned()),
        (
            "!GetAtt Table.Arn,",
            "!Ref Table,",
            "Policies 1 Statement 1 Resource must be an ARN or *, which \"local-Table\" is not".to_owned(),
        ),
        (
            "!GetAtt Table.Arn,",
            "!GetAtt Table.StreamArn,",
            "asks for Table.StreamArn, which the local stack does not know".to_owned(),
        ),
        ("!GetAtt Table.Arn,", "!Cidr [a],", "uses Fn::Cidr, which the local stack does not know".to_owned()),
    ];
    for (from, to, message) in cases {
        assert!(POLICIES.contains(from), "{from}");
        let error = resolve(&POLICIES.replacen(from, to, 1)).unwrap_err().to_string();
        assert_eq!(error, format!("template: F {message}"));
    }
}
