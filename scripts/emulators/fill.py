"""Fills events/ for a running `cargo dev`: python3 scripts/emulators/fill.py <folder> [--host NAME] [--stack-file PATH]
[--pass-on]. Writes each event, env.json for `sam local --env-vars`, and env for `cargo lambda watch --env-file`."""

import argparse
import json
import pathlib
import re
import signal
import subprocess

import events
import passing


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--host", default="localhost", help="what the functions call this machine")
    parser.add_argument("--stack-file", default="target/local/stack.json")
    parser.add_argument("--pass-on", action="store_true", help="stay, and let containers reach the stack's ports")
    return parser.parse_args()


def bridge():
    return subprocess.check_output(passing.BRIDGE, text=True).strip()


def write(stack, folder, host):
    folder.mkdir(parents=True, exist_ok=True)
    environment = stack.environment() if host == "127.0.0.1" else stack.environment(host, bridge())
    (folder / "env.json").write_text(json.dumps(environment, indent=2))
    aws = stack.json["aws"]
    values = environment["Parameters"] | {
        "AWS_REGION": aws["region"],
        "AWS_ACCESS_KEY_ID": aws["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": aws["secret_access_key"],
    }
    # cargo-lambda takes a value as it stands between such quotes; no value has one.
    (folder / "env").write_text("".join(f"{name}='{value}'\n" for name, value in values.items() if value))
    for name in events.names():
        (folder / f"{name}.json").write_text(json.dumps(stack.event(name), indent=2))


def main():
    given = arguments()
    stack = events.Stack(given.stack_file)
    stack.prepare()
    write(stack, given.folder, given.host)
    print(f"{len(events.names())} events in {given.folder}; signatures are good for five minutes")
    if given.pass_on:
        gateway = bridge()
        text = (given.folder / "env.json").read_text()
        passing.pass_on_all(gateway, re.findall(rf"(?:{re.escape(given.host)}|{re.escape(gateway)}):(\d+)", text))
        print(f"ports of the stack are passed on from {gateway}; Ctrl-C ends it")
        signal.pause()


if __name__ == "__main__":
    main()
