"""`cargo lambda invoke` through a running `cargo lambda watch`, each answer held against the local stack's."""

import json
import pathlib
import subprocess
import sys

import events

INVOKED = ["start-session", "latest-metrics", "engines", "job-worker", "job-worker.sweep-jobs"]


def invoked(stack, name, port, folder):
    file = folder / f"{name}.json"
    file.write_text(json.dumps(stack.event(name)))
    address = ["--invoke-address", "127.0.0.1", "--invoke-port", port]
    command = ["cargo", "lambda", "invoke", events.function_of(name), *address, "--data-file", str(file)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return None, done.stderr
    return events.answer_of(events.parsed(done.stdout.encode()))


def main(stack_file, port):
    stack, faults = events.Stack(stack_file), 0
    stack.prepare()
    for name in INVOKED:
        got = invoked(stack, name, port, pathlib.Path(stack_file).parent)
        if events.function_of(name) == "job-worker":
            fault = None if got == (None, events.WORKER.get(name)) else f"{name}: {got}"
        else:
            fault = events.difference(name, stack.send(stack.event(name)), got)
        print(f"{'✗' if fault else '✓'} cargo lambda invoke {fault or name}")
        faults += bool(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
