"""What is kept: encrypted, restorable, deleted by nobody's mistake, and forgotten when its time is over."""

import unittest

from translated import translated

PROD = translated("prod")
KEPT = ["AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::S3::Bucket", "AWS::SecretsManager::Secret"]


class Storage(unittest.TestCase):
    def each(self, kind):
        return PROD.properties(kind).items()

    def test_what_holds_data_outlives_its_stack_and_is_tagged(self):
        for kind in KEPT:
            self.assertNotEqual(PROD.of_type(kind), {}, kind)
            for name, properties in self.each(kind):
                with self.subTest(resource=name):
                    resource = PROD.resources[name]
                    self.assertEqual((resource["DeletionPolicy"], resource["UpdateReplacePolicy"]), ("Retain", "Retain"))
                    tags = {tag["Key"]: tag["Value"] for tag in properties["Tags"]}
                    self.assertEqual((tags["service"], tags["stage"]), ("range-backend", "prod"))

    def test_tables_are_encrypted_and_can_be_restored_to_any_second(self):
        for name, table in self.each("AWS::DynamoDB::Table"):
            with self.subTest(resource=name):
                self.assertTrue(table["SSESpecification"]["SSEEnabled"])
                self.assertTrue(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"])
                self.assertEqual(table["BillingMode"], "PAY_PER_REQUEST")

    def test_queues_are_encrypted_and_keep_messages_for_two_weeks(self):
        for name, queue in self.each("AWS::SQS::Queue"):
            with self.subTest(resource=name):
                self.assertTrue(queue["SqsManagedSseEnabled"])
                self.assertEqual(queue["MessageRetentionPeriod"], 14 * 24 * 3600)

    def test_dead_letters_come_from_the_job_queue_alone(self):
        jobs, dead = PROD.resources["JobQueue"]["Properties"], PROD.resources["JobDeadLetterQueue"]["Properties"]
        self.assertEqual(jobs["RedrivePolicy"]["deadLetterTargetArn"], {"Fn::GetAtt": ["JobDeadLetterQueue", "Arn"]})
        allowed = dead["RedriveAllowPolicy"]
        self.assertEqual(allowed["redrivePermission"], "byQueue")
        name = jobs["QueueName"]["Fn::Sub"]
        arn = "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:" + name
        self.assertEqual(allowed["sourceQueueArns"], [{"Fn::Sub": arn}])

    def test_the_bucket_is_encrypted_private_and_forgets(self):
        for name, bucket in self.each("AWS::S3::Bucket"):
            with self.subTest(resource=name):
                self.assertIn("BucketEncryption", bucket)
                self.assertEqual(set(bucket["PublicAccessBlockConfiguration"].values()), {True})
                rules = bucket["LifecycleConfiguration"]["Rules"]
                expiring = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule}
                self.assertEqual(expiring, {"frames/": 365, "webhooks/": 90, "jobs/": 30})
                self.assertTrue(any("AbortIncompleteMultipartUpload" in rule for rule in rules))

    def test_nothing_but_tls_reaches_a_queue_or_the_bucket(self):
        policies = PROD.properties("AWS::SQS::QueuePolicy") | PROD.properties("AWS::S3::BucketPolicy")
        closed = set()
        for policy in policies.values():
            for statement in policy["PolicyDocument"]["Statement"]:
                insecure = statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
                if statement["Effect"] == "Deny" and statement["Principal"] == "*" and insecure:
                    arns = [it["Fn::GetAtt"][0] for it in statement["Resource"] if "Fn::GetAtt" in it]
                    closed.update(arns)
        wanted = set(PROD.of_type("AWS::SQS::Queue")) | set(PROD.of_type("AWS::S3::Bucket"))
        self.assertEqual(closed, wanted)


if __name__ == "__main__":
    unittest.main()
