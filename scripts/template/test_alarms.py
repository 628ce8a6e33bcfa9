"""Alarms and the dashboard: that there are all of them, each with its reason, and that they name what exists. Whether the
metrics that they name are recorded is held by tests/end_to_end/alarms."""

import json
import re
import unittest

from translated import ROOT, overrides, read, translated

PROD = translated("prod")
# It asks nothing and answers 200; what is wrong with it is wrong with its function.
WITHOUT_ALARMS = {"health-check/live"}


class Alarms(unittest.TestCase):
    def each(self):
        alarms = PROD.alarms()
        self.assertGreater(len(alarms), 70)
        return alarms.items()

    def test_missing_data_alarms_nobody_and_every_alarm_says_what_it_means(self):
        for name, alarm in self.each():
            with self.subTest(alarm=name):
                self.assertEqual(alarm["TreatMissingData"], "notBreaching")
                self.assertTrue(alarm["AlarmDescription"])

    def test_alarms_are_told_to_the_topic_where_there_is_one(self):
        self.assertNotIn("AlarmActions", PROD.alarms()["JobsDied"])
        source = read("template.yaml")["Resources"]
        for name, resource in source.items():
            kind = resource["Type"]
            if kind in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm") and not name.endswith("NewVersionErrors"):
                self.assertEqual(resource["Properties"]["AlarmActions"]["Fn::If"][0], "HasAlarmTopic", name)
            if kind == "AWS::CloudFormation::Stack":
                self.assertEqual(resource["Properties"]["Parameters"]["AlarmTopicArn"], {"Ref": "AlarmTopicArn"}, name)

    def test_a_metric_of_ours_is_asked_for_in_the_unit_that_it_is_recorded_in(self):
        for name, alarm in self.each():
            with self.subTest(alarm=name):
                single = [(alarm, alarm)] if "MetricName" in alarm else []
                stats = [(it["MetricStat"]["Metric"], it["MetricStat"]) for it in alarm.get("Metrics", []) if "MetricStat" in it]
                for metric, settings in single + stats:
                    if metric["Namespace"] == "Backend":
                        self.assertIn(settings.get("Unit"), ("Count", "Milliseconds"), name)

    def test_every_route_but_the_one_that_only_lives_has_its_alarms(self):
        routes = set()
        for resource in read("template.yaml")["Resources"].values():
            for event in resource.get("Properties", {}).get("Events", {}).values():
                if event["Type"] == "HttpApi":
                    function = resource["Properties"]["CodeUri"].removeprefix("functions/")
                    name = event["Properties"]["Path"].removeprefix("/functions/v1/")
                    # As the functions name their routes: what writes to a path that is also read keeps its method.
                    routes.add((function, f"PUT {name}" if event["Properties"]["Method"] == "PUT" else name))
        stacks = PROD.properties("AWS::CloudFormation::Stack").values()
        given = [it["Parameters"] for it in stacks if it["TemplateURL"] == "alarms/route.yaml"]
        watched = {(it["Function"], it["Route"]) for it in given}
        self.assertEqual(watched, {it for it in routes if it[1] not in WITHOUT_ALARMS})
        self.assertTrue(all(it["LatencyReason"] for it in given))

    def test_every_table_has_its_alarms(self):
        stacks = PROD.properties("AWS::CloudFormation::Stack").values()
        watched = {it["Parameters"]["Table"] for it in stacks if it["TemplateURL"] == "alarms/table.yaml"}
        self.assertEqual(watched, set(PROD.of_type("AWS::DynamoDB::Table")))

    def test_a_module_is_given_its_parameters_and_no_others(self):
        for name, stack in PROD.properties("AWS::CloudFormation::Stack").items():
            declared = read(stack["TemplateURL"])["Parameters"]
            self.assertEqual(set(stack["Parameters"]), set(declared), name)

    def test_the_composite_alarm_names_alarms_that_exist(self):
        alarms = PROD.alarms()
        rule = PROD.resources["UsersAreHurt"]["Properties"]["AlarmRule"]["Fn::Sub"]
        named = re.findall(r'ALARM\("\$\{([^}]+)\}"\)', rule)
        self.assertGreater(len(named), 5)
        for name in named:
            self.assertIn(name.replace(".Outputs.", "."), alarms)

    def test_every_alarm_has_its_entry_in_the_operators_guide(self):
        guide = (ROOT / "docs/operations.md").read_text()
        # One of a module is explained once for all of its stacks, and so is that of new versions.
        names = {name.rpartition(".")[2] for name, _ in self.each()}
        names = {re.sub(r"^\w+NewVersionErrors$", "NewVersionErrors", name) for name in names} | {"UsersAreHurt"}
        self.assertEqual({name for name in names if f"`{name}`" not in guide}, set())

    def test_the_dashboard_is_what_cloudwatch_reads(self):
        body = PROD.resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
        widgets = json.loads(re.sub(r"\$\{[^}]+\}", "x", body))["widgets"]
        places = [(it["x"], it["y"], it["width"], it["height"]) for it in widgets]
        cells = [(column, row) for x, y, w, h in places for column in range(x, x + w) for row in range(y, y + h)]
        self.assertEqual(len(cells), len(set(cells)), "no widget lies on another")
        self.assertTrue(all(x + w <= 24 for x, _, w, _ in places))
        # The percentiles, and the figures of health-check.
        for text in ("p50", "p95", "p99", "pendingJobs", "failedJobs", "avgConfidence", "webhookSuccessRate"):
            self.assertIn(text, body)

    def test_dev_tells_nobody_unless_it_is_told_whom(self):
        self.assertNotIn("AlarmTopicArn", overrides("dev"))


if __name__ == "__main__":
    unittest.main()
