"""Secrets and permissions: nothing secret is a parameter or a variable, and nobody may do more than is written down why."""

import json
import re
import unittest

from translated import overrides, read, samconfig, translated

PROD = translated("prod")
# Resources that end in a wildcard, and why: everything else names what it is about.
PREFIXES = {
    "frames/*": "a frame's key is the session's id and its hash: not known before",
    "reports/*": "a report's key is the session's id: not known before",
    "webhooks/*": "a delivery's key is its id: not known before",
    "jobs/*": "a job's key is its id: not known before",
}
SECRET_WORDS = re.compile(r"(secret|password|api_?key|token|credential)", re.IGNORECASE)


def statements(template):
    for name, role in template.properties("AWS::IAM::Role").items():
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                yield name, statement


def listed(value):
    return value if isinstance(value, list) else [value]


class Permissions(unittest.TestCase):
    def test_no_statement_allows_a_whole_service_or_every_resource(self):
        seen = 0
        for role, statement in statements(PROD):
            with self.subTest(role=role, statement=json.dumps(statement)):
                seen += 1
                for action in listed(statement["Action"]):
                    self.assertNotIn("*", action)
                for resource in listed(statement["Resource"]):
                    text = resource if isinstance(resource, str) else json.dumps(resource)
                    if "*" in text:
                        self.assertTrue(any(text.endswith(f"/{prefix}\"}}") for prefix in PREFIXES), text)
        self.assertGreater(seen, 20)

    def test_only_the_tracing_policy_of_aws_is_attached(self):
        allowed = {"AWSXrayWriteOnlyAccess", "AWSXRayDaemonWriteAccess", "service-role/AWSLambdaBasicExecutionRole"}
        allowed |= {"service-role/AWSCodeDeployRoleForLambda", "service-role/AWSCodeDeployRoleForLambdaLimited"}
        allowed |= {"service-role/AWSLambdaSQSQueueExecutionRole"}
        for name, role in PROD.properties("AWS::IAM::Role").items():
            for arn in role.get("ManagedPolicyArns", []):
                text = arn if isinstance(arn, str) else json.dumps(arn)
                self.assertTrue(any(text.rstrip('"}').endswith(f":iam::aws:policy/{it}") for it in allowed), (name, text))


class Secrets(unittest.TestCase):
    def test_no_parameter_holds_a_secret(self):
        for name, parameter in read("template.yaml")["Parameters"].items():
            self.assertNotIn("NoEcho", parameter, name)
            self.assertIsNone(SECRET_WORDS.search(name), name)

    def test_samconfig_holds_none_and_only_parameters_that_there_are(self):
        declared = read("template.yaml")["Parameters"]
        for stage in ("dev", "prod"):
            for name, value in overrides(stage).items():
                self.assertIn(name, declared)
                allowed = declared[name].get("AllowedValues")
                self.assertTrue(allowed is None or value in [str(one) for one in allowed], (name, value))

    def test_a_function_knows_where_the_secret_is_and_nothing_of_it(self):
        for name, function in PROD.properties("AWS::Lambda::Function").items():
            for variable, value in function["Environment"]["Variables"].items():
                if variable == "SECRETS_ARN":
                    self.assertIn(value, ("", {"Ref": "Secrets"}), name)
                else:
                    self.assertIsNone(SECRET_WORDS.search(variable), f"{name} {variable}")

    def test_who_is_told_of_the_secret_may_read_it_and_nobody_else(self):
        functions = PROD.properties("AWS::Lambda::Function")
        told = {name for name, it in functions.items() if it["Environment"]["Variables"].get("SECRETS_ARN")}
        action = "secretsmanager:GetSecretValue"
        may = {role.removesuffix("Role") for role, it in statements(PROD) if action in listed(it["Action"])}
        self.assertEqual(told, may)
        self.assertEqual(told, {"WebhookTerraFunction"}, "no camera, no hosted model and no HS256: nobody else needs it")
        for _, statement in statements(PROD):
            if action in listed(statement["Action"]):
                self.assertEqual((listed(statement["Action"]), statement["Resource"]), ([action], {"Ref": "Secrets"}))


class Deployment(unittest.TestCase):
    def test_dev_is_deployed_without_arguments(self):
        for name, parameter in read("template.yaml")["Parameters"].items():
            self.assertIn("Default", parameter, name)
        default = samconfig()["default"]
        self.assertIn("stack_name", default["global"]["parameters"])
        deploy = default["deploy"]["parameters"]
        self.assertTrue(deploy["resolve_s3"] and deploy["region"] and deploy["capabilities"])
        self.assertFalse(deploy["confirm_changeset"])

    def test_a_build_leaves_nothing_out_that_changed_and_functions_are_built_one_by_one(self):
        for environment in ("default", "prod"):
            build = samconfig()[environment]["build"]["parameters"]
            self.assertEqual((build["cached"], build["parallel"]), (False, False), environment)

    def test_every_stage_says_what_it_is(self):
        for stage in ("dev", "prod"):
            self.assertEqual(overrides(stage)["Stage"], stage)


if __name__ == "__main__":
    unittest.main()
