"""The functions as they are deployed: each can be watched, ends in time, and changes version by version."""

import unittest

from translated import read, translated

# An HTTP API gives up after 30 s: a function that takes longer answers nobody.
API_TIMEOUT = 30
LAMBDA = "AWS::Lambda::Function"
PROD, DEV = translated("prod"), translated("dev")


def routed(template):
    """The functions that routes of the API lead to."""
    permissions = template.properties("AWS::Lambda::Permission").values()
    of_api = [it for it in permissions if it["Principal"] == "apigateway.amazonaws.com"]
    # The permission is the alias', whose name is the function's with an ending.
    return {it["FunctionName"]["Ref"].removesuffix("Aliaslive") for it in of_api}


class Functions(unittest.TestCase):
    def each(self):
        return PROD.properties(LAMBDA).items()

    def test_every_function_has_a_log_group_that_forgets(self):
        groups = PROD.properties("AWS::Logs::LogGroup")
        for name, function in self.each():
            with self.subTest(function=name):
                logging = function["LoggingConfig"]
                self.assertEqual(logging["LogFormat"], "JSON")
                group = groups[logging["LogGroup"]["Ref"]]
                self.assertIn(int(group["RetentionInDays"]), range(1, 366))

    def test_every_function_ends_before_the_api_gives_up(self):
        with_routes = routed(PROD)
        self.assertGreater(len(with_routes), 8)
        for name, function in self.each():
            with self.subTest(function=name):
                limit = API_TIMEOUT - 1 if name in with_routes else 900
                self.assertLessEqual(int(function["Timeout"]), limit)

    def test_every_function_is_traced_tagged_and_built_for_the_parameter(self):
        for name, function in self.each():
            with self.subTest(function=name):
                self.assertEqual(function["TracingConfig"], {"Mode": "Active"})
                self.assertEqual(function["Architectures"], ["arm64"])
                tags = {tag["Key"]: tag["Value"] for tag in function["Tags"]}
                self.assertEqual((tags["service"], tags["stage"]), ("range-backend", "prod"))

    def test_every_function_is_reached_by_its_alias_alone(self):
        aliases = PROD.properties("AWS::Lambda::Alias")
        self.assertEqual({it["Name"] for it in aliases.values()}, {"live"})
        self.assertEqual(len(aliases), len(PROD.properties(LAMBDA)))
        for name, mapping in PROD.properties("AWS::Lambda::EventSourceMapping").items():
            self.assertIn(mapping["FunctionName"]["Ref"], aliases, name)
        for name, permission in PROD.properties("AWS::Lambda::Permission").items():
            self.assertIn(permission["FunctionName"]["Ref"], aliases, name)
        for name, schedule in PROD.properties("AWS::Scheduler::Schedule").items():
            self.assertIn(schedule["Target"]["Arn"]["Ref"], aliases, name)

    def test_a_new_version_is_rolled_back_by_its_own_alarm_and_by_crashes(self):
        groups = PROD.properties("AWS::CodeDeploy::DeploymentGroup")
        alarms = PROD.alarms()
        for name, _ in self.each():
            with self.subTest(function=name):
                stem = name.removesuffix("Function")
                group = groups[f"{name}DeploymentGroup"]
                self.assertTrue(group["AutoRollbackConfiguration"]["Enabled"])
                self.assertIn("DEPLOYMENT_STOP_ON_ALARM", group["AutoRollbackConfiguration"]["Events"])
                self.assertIn("Canary10Percent5Minutes", str(group["DeploymentConfigName"]))
                named = [alarm["Name"] for alarm in group["AlarmConfiguration"]["Alarms"]]
                crashes = {"Fn::GetAtt": [f"{stem}Alarms", "Outputs.Errors"]}
                self.assertEqual(named, [{"Ref": f"{stem}NewVersionErrors"}, crashes])
                alarm = alarms[f"{stem}NewVersionErrors"]
                (version,) = (it["Value"] for it in alarm["Dimensions"] if it["Name"] == "version")
                (of, attribute) = version["Fn::GetAtt"]
                self.assertTrue(of.startswith(f"{name}Version") and attribute == "Version", version)
                tried = (alarm["Period"], alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"], alarm["Threshold"])
                self.assertEqual(tried, (60, 3, 2, 1))

    def test_dev_changes_versions_at_once(self):
        self.assertEqual(DEV.of_type("AWS::CodeDeploy::DeploymentGroup"), {})

    def test_every_function_has_its_alarms(self):
        alarms, source = PROD.alarms(), read("template.yaml")["Resources"]
        for name, function in self.each():
            with self.subTest(function=name):
                stem = name.removesuffix("Function")
                for alarm in ("Errors", "Throttles", "Duration"):
                    self.assertIn(f"{stem}Alarms.{alarm}", alarms)
                given = PROD.resources[f"{stem}Alarms"]["Properties"]["Parameters"]
                self.assertEqual(int(given["TimeoutSeconds"]), int(function["Timeout"]))
                code = source[name]["Properties"]["CodeUri"]
                self.assertEqual(f"functions/{given['Function']}", code)

    def test_the_worker_can_not_take_all_instances_nor_be_left_without(self):
        worker = PROD.resources["JobWorkerFunction"]["Properties"]
        mappings = PROD.properties("AWS::Lambda::EventSourceMapping").values()
        polled = sum(int(it["ScalingConfig"]["MaximumConcurrency"]) for it in mappings)
        schedules = len(PROD.of_type("AWS::Scheduler::Schedule"))
        self.assertGreaterEqual(int(worker["ReservedConcurrentExecutions"]), polled + schedules)
        self.assertNotIn("ReservedConcurrentExecutions", DEV.resources["JobWorkerFunction"]["Properties"])

    def test_a_batch_comes_back_message_by_message_and_not_while_it_is_worked_on(self):
        queues = PROD.properties("AWS::SQS::Queue")
        for name, mapping in PROD.properties("AWS::Lambda::EventSourceMapping").items():
            with self.subTest(mapping=name):
                self.assertEqual(mapping["FunctionResponseTypes"], ["ReportBatchItemFailures"])
                self.assertGreaterEqual(int(mapping["ScalingConfig"]["MaximumConcurrency"]), 2)
                queue = queues[mapping["EventSourceArn"]["Fn::GetAtt"][0]]
                function = PROD.resources[mapping["FunctionName"]["Ref"].removesuffix("Aliaslive")]["Properties"]
                self.assertGreaterEqual(int(queue["VisibilityTimeout"]), 6 * int(function["Timeout"]))


if __name__ == "__main__":
    unittest.main()
