"""`sam local invoke` for every function and `sam local start-api` for every request of events/, each answer held against the
local stack's. The stack listens on loopback alone, which a container can't reach: its ports are passed on from the bridge."""

import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time

import events
import passing
from samcli.yamlhelper import yaml_parse

# Plain HTTP is taken from loopback alone, so the bridge is one more address of that name: the first, the container's own,
# refuses.
HOST = "localhost"
BUILT = events.ROOT / ".aws-sam/build/template.yaml"


def functions():
    """Logical ids, by the functions' names."""
    resources = yaml_parse((events.ROOT / "template.yaml").read_text())["Resources"]
    serverless = {id: it for id, it in resources.items() if it["Type"] == "AWS::Serverless::Function"}
    return {it["Properties"]["CodeUri"].split("/")[-1]: id for id, it in serverless.items()}


def options(stack, environment, architecture):
    aws = stack.json["aws"]
    return {
        "arguments": [
            "--parameter-overrides", f"Architecture={architecture}",
            "--template", str(BUILT), "--env-vars", str(environment), "--region", aws["region"],
            "--skip-pull-image", "--add-host", f"{HOST}:host-gateway",
        ],
        "credentials": {"AWS_ACCESS_KEY_ID": aws["access_key_id"], "AWS_SECRET_ACCESS_KEY": aws["secret_access_key"]},
    }


def invoked(sam, stack, given, id, name, folder, session=None):
    """The answer of `sam local invoke` to an event."""
    file = folder / f"{name}.json"
    file.write_text(json.dumps(stack.event(name, session, webhooks_of="other_user")))
    command = [sam, "local", "invoke", id, "--event", str(file), *given["arguments"]]
    done = subprocess.run(command, env=given["environment"], capture_output=True, text=True, timeout=180)
    if done.returncode or not done.stdout.strip():
        return None, done.stderr[-600:]
    return events.answer_of(events.parsed(done.stdout.strip().splitlines()[-1].encode()))


def own_session(stack, name):
    """A camera's frame is the session's own: both answers are of one. What changes a session is done to two."""
    return stack.start_session() if name.startswith("camera-proxy") else None


def invoke_each(sam, stack, given, folder):
    """One event for each function: what is wrong."""
    for function, id in functions().items():
        name, started = function, time.monotonic()
        session = own_session(stack, name)
        got = invoked(sam, stack, given, id, name, folder, session)
        if function == "job-worker":
            fault = None if got[1] == events.WORKER[name] else f"{name}: {got}"
        else:
            fault = events.difference(name, stack.send(stack.event(name, session, webhooks_of="trainer")), got)
        print(f"{'✗' if fault else '✓'} sam local invoke {id:28} {time.monotonic() - started:5.1f} s", flush=True)
        if fault:
            yield fault


def start_api(sam, given, port, log):
    command = [sam, "local", "start-api", "--port", str(port), "--warm-containers", "LAZY", *given["arguments"]]
    api = subprocess.Popen(command, env=given["environment"], stdout=log, stderr=log)
    for _ in range(240):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return api
        time.sleep(0.5)
    raise SystemExit("sam local start-api does not listen")


def ask_api(stack, port):
    """Every request of events/, by HTTP: what is wrong."""
    names = [name for name in events.names() if events.function_of(name) != "job-worker"]
    right = 0
    for name in names:
        session = own_session(stack, name)
        expected = stack.send(stack.event(name, session, webhooks_of="trainer"))
        got = stack.send(stack.event(name, session, webhooks_of="admin"), base=f"http://127.0.0.1:{port}")
        fault = events.difference(name, expected, got)
        right += not fault
        if fault:
            yield fault
    print(f"{'✓' if right == len(names) else '✗'} sam local start-api: {right} of {len(names)} requests as the local stack")


def main(stack_file, sam, gateway, port, architecture):
    stack, folder = events.Stack(stack_file), pathlib.Path(stack_file).parent
    stack.prepare()
    environment = folder / "env.json"
    environment.write_text(json.dumps(stack.environment(HOST, gateway), indent=2))
    passing.pass_on_all(gateway, re.findall(rf"(?:{HOST}|{gateway}):(\d+)", environment.read_text()))
    given = options(stack, environment, architecture)
    given["environment"] = os.environ | given["credentials"]
    faults = list(invoke_each(sam, stack, given, folder))
    with open(folder / "start-api.log", "w") as log:
        api = start_api(sam, given, int(port), log)
        try:
            faults += ask_api(stack, port)
        finally:
            api.terminate()
            api.wait(60)
    for fault in faults:
        print(f"  {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
