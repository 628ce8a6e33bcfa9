"""Runs each function under AWS's Runtime Interface Emulator, one event after another, and holds every answer against the
local stack's. The emulator dies under concurrent calls, and listens on all addresses unless it is told not to."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import events
from samcli.yamlhelper import yaml_parse

RIE = pathlib.Path(sys.prefix).glob(f"lib/*/site-packages/samcli/local/rapid/aws-lambda-rie-{sys.argv[3]}")


def free_ports(count):
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def declared():
    """Variables and memory of each function, by its name, as the template declares them."""
    template = yaml_parse((events.ROOT / "template.yaml").read_text())
    everybody = template["Globals"]["Function"]
    functions = {}
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            properties = resource["Properties"]
            names = {*everybody["Environment"]["Variables"], *properties["Environment"]["Variables"]}
            memory = properties.get("MemorySize", everybody["MemorySize"])
            functions[properties["CodeUri"].split("/")[-1]] = (names, memory)
    return functions


class Emulator:
    """One function under the emulator."""

    def __init__(self, rie, binary, name, stack, log):
        names, memory = declared()[name]
        values = stack.environment()["Parameters"]
        aws = stack.json["aws"]
        environment = {key: value for key, value in values.items() if key in names}
        environment |= {
            "AWS_REGION": aws["region"],
            "AWS_ACCESS_KEY_ID": aws["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": aws["secret_access_key"],
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory),
            "PATH": os.environ["PATH"],
        }
        self.log = log
        # Somebody may take a port between its choice and its use.
        if not any(self.start(rie, binary, environment) for _ in range(3)):
            raise SystemExit(f"{name}: the emulator does not start, see {log.name}")

    def start(self, rie, binary, environment):
        """Whether it listens."""
        port, runtime_api = free_ports(2)
        self.url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
        arguments = [
            rie,
            "--runtime-interface-emulator-address", f"127.0.0.1:{port}",
            "--runtime-api-address", f"127.0.0.1:{runtime_api}",
            binary,
        ]
        self.process = subprocess.Popen(arguments, env=environment, stdout=self.log, stderr=self.log, start_new_session=True)
        give_up = time.monotonic() + 10
        while time.monotonic() < give_up and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return True
            time.sleep(0.05)
        self.end()
        return False

    def invoke(self, event):
        _, payload = events.send("POST", self.url, json.dumps(event).encode(), {"content-type": "application/json"})
        return payload

    def end(self):
        # The function is its child, in a group of their own.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def compared(stack, emulator, name):
    """None, or what is wrong with the answer to an event."""
    if events.function_of(name) == "job-worker":
        expected, got = events.WORKER.get(name), emulator.invoke(stack.event(name))
        return None if got == expected else f"{name}: {got}, not {expected}"
    # A camera's frame is the session's own; what changes a session is done to two of them.
    session = stack.start_session() if name.startswith("camera-proxy") else None
    expected = stack.send(stack.event(name, session, webhooks_of="trainer"))
    got = events.answer_of(emulator.invoke(stack.event(name, session, webhooks_of="other_user")))
    return events.difference(name, expected, got)


def main(stack_file, binaries):
    rie = next(RIE, None)
    if rie is None:
        raise SystemExit("the AWS SAM CLI brings no emulator for this processor")
    stack = events.Stack(stack_file)
    stack.prepare()
    faults, started = [], time.monotonic()
    for function in sorted({events.function_of(name) for name in events.names()}):
        binary = pathlib.Path(binaries).resolve() / function
        mine = [name for name in events.names() if events.function_of(name) == function]
        with open(pathlib.Path(stack_file).parent / f"rie-{function}.log", "w") as log:
            emulator = Emulator(str(rie), str(binary), function, stack, log)
            try:
                wrong = [fault for name in mine if (fault := compared(stack, emulator, name))]
            finally:
                emulator.end()
        print(f"{'✗' if wrong else '✓'} {function:20} {len(mine) - len(wrong)} of {len(mine)} events as the local stack")
        faults += wrong
    for fault in faults:
        print(f"  {fault}")
    print(f"{len(events.names())} events in {time.monotonic() - started:.0f} s, {len(faults)} answered otherwise")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
