"""Deploys template.yaml and the built zips into a running ministack, as CloudFormation would, and runs cargo smoke there.

What ministack can't is left out or done by hand, and said: it has no metric math, so alarms and the gradual deployments
that they watch stay out; its CloudFormation drops an HTTP API's body, so routes are made by API Gateway's own calls."""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import secrets
import subprocess
import sys
import time

import boto3
from samtranslator.yaml_helper import yaml_parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
STACK = "range-backend-emulated"
ARTEFACTS = "artefacts"
ISSUER = "https://issuer.example/auth/v1"
LEFT_OUT = {
    "AWS::CloudFormation::Stack",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::CloudWatch::Dashboard",
}


class Backend:
    def __init__(self, endpoint):
        self.endpoint = endpoint
        session = boto3.Session("test", "test", region_name="us-east-1")
        self.client = lambda service: session.client(service, endpoint_url=endpoint)

    def deploy(self, template, parameters):
        """Creates the stack; its resources by their logical id."""
        formation = self.client("cloudformation")
        formation.create_stack(
            StackName=STACK,
            TemplateBody=json.dumps(template),
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        for _ in range(240):
            stack = formation.describe_stacks(StackName=STACK)["Stacks"][0]
            if not stack["StackStatus"].endswith("_IN_PROGRESS"):
                break
            time.sleep(0.5)
        if stack["StackStatus"] != "CREATE_COMPLETE":
            reasons = formation.describe_stack_events(StackName=STACK)["StackEvents"]
            for event in reasons:
                if "FAILED" in event["ResourceStatus"]:
                    print(f"  {event['LogicalResourceId']}: {event.get('ResourceStatusReason')}")
            raise SystemExit(f"✗ the stack is {stack['StackStatus']}: {stack.get('StackStatusReason')}")
        pages = formation.get_paginator("list_stack_resources").paginate(StackName=STACK)
        return {one["LogicalResourceId"]: one["PhysicalResourceId"] for page in pages for one in page["StackResourceSummaries"]}

    def upload(self, zips):
        s3 = self.client("s3")
        s3.create_bucket(Bucket=ARTEFACTS)
        for name, path in zips.items():
            s3.upload_file(str(path), ARTEFACTS, f"{name}.zip")

    def add_routes(self, api, routes, resources):
        """The routes of the template, each to the alias that SAM publishes. How many there are now."""
        gateway, functions = self.client("apigatewayv2"), self.client("lambda")
        integrations = {}
        for function, key in routes:
            if function not in integrations:
                alias = functions.get_alias(FunctionName=resources[function], Name="live")
                made = gateway.create_integration(
                    ApiId=api,
                    IntegrationType="AWS_PROXY",
                    IntegrationUri=alias["AliasArn"],
                    PayloadFormatVersion="2.0",
                )
                integrations[function] = made["IntegrationId"]
            gateway.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{integrations[function]}")
        return len(gateway.get_routes(ApiId=api, MaxResults="100")["Items"])

    def base_url(self, api):
        return f"{self.endpoint}/_aws/execute-api/{api}/$default/functions/v1"


def deployable(template):
    """The template with the zips in place of the code, without what ministack can't; and what was left out."""
    left_out = [name for name, it in template["Resources"].items() if it["Type"] in LEFT_OUT]
    for name in left_out:
        del template["Resources"][name]
    template["Globals"]["Function"].pop("DeploymentPreference", None)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            properties = resource["Properties"]
            properties.pop("DeploymentPreference", None)
            properties["CodeUri"] = f"s3://{ARTEFACTS}/{name_of(resource)}.zip"
            for event in properties.get("Events", {}).values():
                numbered(event["Properties"].get("ScalingConfig", {}), template["Parameters"])
    return left_out


def numbered(scaling, parameters):
    """ministack hands a parameter on as text, and compares it with a number."""
    for name, value in scaling.items():
        if isinstance(value, dict):
            scaling[name] = int(parameters[value["Ref"]]["Default"])


def name_of(function):
    return function["Properties"]["CodeUri"].split("/")[-1].removesuffix(".zip")


def functions_of(template):
    return {id: it for id, it in template["Resources"].items() if it["Type"] == "AWS::Serverless::Function"}


def routes_of(template):
    """Function and route key, e.g. (EnginesFunction, GET /functions/v1/engines/{id})."""
    for id, function in functions_of(template).items():
        for event in function["Properties"].get("Events", {}).values():
            if event["Type"] == "HttpApi":
                yield id, f"{event['Properties']['Method']} {event['Properties']['Path']}"


def token(secret, user):
    """As an older Supabase project signs it: the key lies in Secrets Manager, and no issuer has to be reached."""
    now = int(time.time())
    claims = {
        "iss": ISSUER, "aud": "authenticated", "role": "authenticated", "sub": user,
        "iat": now, "exp": now + 3600, "app_metadata": {"fleets": ["emulated"]},
    }
    encode = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=")
    signed = b".".join(encode(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return (signed + b"." + encode(hmac.digest(secret.encode(), signed, hashlib.sha256))).decode()


def main(endpoint, zips, architecture, smoke):
    started = time.monotonic()
    said = lambda text: print(f"✓ {text} ({time.monotonic() - started:.1f} s)", flush=True)
    backend = Backend(endpoint)
    template = yaml_parse((ROOT / "template.yaml").read_text())
    paths = {name_of(it): pathlib.Path(zips) / name_of(it) / "bootstrap.zip" for it in functions_of(template).values()}
    backend.upload(paths)
    said(f"{len(paths)} zips uploaded, {sum(path.stat().st_size for path in paths.values()) / 1e6:.1f} MB")
    left_out = deployable(template)
    resources = backend.deploy(template, {
        "Architecture": architecture,
        "AuthIssuers": json.dumps([{"issuer": ISSUER, "kind": "supabase", "audience": "authenticated"}]),
        "SupabaseHs256": "true",
        "CameraFallback": "test-frame",
        "JobWorkerReservedConcurrency": "0",
    })
    said(f"the stack is created: {len(resources)} resources, {len(left_out)} alarms and dashboards left out")
    jwt, terra = secrets.token_hex(32), secrets.token_hex(32)
    values = {"supabase_jwt_secret": jwt, "terra_signing_secret": terra}
    backend.client("secretsmanager").put_secret_value(SecretId=resources["Secrets"], SecretString=json.dumps(values))
    routes = list(routes_of(template))
    count = backend.add_routes(resources["Api"], routes, resources)
    said(f"{count} of {len(routes)} routes")
    user = "5e0a1f3c-7b42-4d1e-9c55-a1b2c3d4e001"
    environment = os.environ | {"SMOKE_TOKEN": token(jwt, user), "TERRA_SIGNING_SECRET": terra}
    return subprocess.call([smoke, backend.base_url(resources["Api"])], env=environment)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
