"""The events of events/ for a running local stack: filled in, sent to it, and what two answers have in common."""

import base64
import copy
import hashlib
import hmac
import json
import pathlib
import re
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
EVENTS = ROOT / "events"
ENVIRONMENT = "env"
# What job-worker answers: it has no route, so there is no other answer to hold it against.
WORKER = {"job-worker": {"batchItemFailures": []}}
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
# What is measured anew each time.
MEASURED = {"processing_time_ms", "session_duration_minutes", "latency_ms", "uptime_ms", "memory_usage_mb"}


def names():
    """All events, by name: each is named after its function."""
    return sorted(path.stem for path in EVENTS.glob("*.json") if path.stem != ENVIRONMENT)


def function_of(name):
    return name.split(".")[0]


class Stack:
    """A running local stack, as its file describes it."""

    def __init__(self, path):
        self.json = json.loads(pathlib.Path(path).read_text())
        self.base_url = self.json["base_url"]

    def environment(self, host=None, bridge=None):
        """events/env.json with the stack's addresses; `host` is what containers call this machine, `bridge` its address there:
        of an endpoint that is a name, the SDK would make a name for each bucket."""
        text = (EVENTS / f"{ENVIRONMENT}.json").read_text()
        values = {"jwks_url": f"{self.json['issuer']}/.well-known/jwks.json"}
        for key, value in self.json.items():
            if isinstance(value, dict):
                values |= {f"{key}.{name}": inner for name, inner in value.items()}
            else:
                values[key] = value
        kept = {"issuer"}  # compared with the token's, byte by byte
        for name, value in values.items():
            value = str(value or "")
            if host and name not in kept:
                value = value.replace("127.0.0.1", bridge if bridge and name.startswith("aws.") else host)
            text = text.replace("${" + name + "}", value)
        missing = re.findall(r"\$\{[^}]+\}", text)
        if missing:
            raise SystemExit(f"events/env.json: {missing} are not in the stack's file")
        return json.loads(text)

    def call(self, method, path, body=None, headers=None):
        """Status and body of a request to the stack's API."""
        return send(method, self.base_url.removesuffix("/functions/v1") + path, body, headers or {})

    def as_user(self, method, route, body=None, user="user"):
        headers = {"authorization": f"Bearer {self.json['tokens'][user]}", "content-type": "application/json"}
        status, answer = self.call(method, f"/functions/v1/{route}", json.dumps(body).encode() if body else None, headers)
        if status >= 300:
            raise SystemExit(f"{route}: {status}: {answer}")
        return answer

    def start_session(self):
        wish = {
            "user_id": self.json["users"]["user"],
            "session_type": "practice",
            "metadata": {"target_type": "air_pistol_10m"},
        }
        return self.as_user("POST", "start-session", wish)["session"]["id"]

    def prepare(self):
        """What the events speak of: an engine, a frame, a day's metrics."""
        for name in ("engines.readings", "webhook-terra.auth", "webhook-terra"):
            status, answer = self.send(self.event(name))
            if status >= 300:
                raise SystemExit(f"{name}: {status}: {answer}")
        user = self.json["users"]["user"]
        for _ in range(120):
            if self.as_user("GET", f"latest-metrics/{user}")["metrics"]:
                break
            time.sleep(0.25)
        wish = {"session_id": self.start_session(), "frame_number": 4}
        self.frame = self.as_user("POST", "camera-proxy", wish)["frame_data"]

    def event(self, name, session=None, webhooks_of="user"):
        """An event with its placeholders filled in. A signature is good for five minutes."""
        text = (EVENTS / f"{name}.json").read_text()
        values = {f"token:{user}": token for user, token in self.json["tokens"].items()}
        values |= {f"user:{user}": id for user, id in self.json["users"].items()}
        if function_of(name) == "webhook-terra":
            values["user:user"] = self.json["users"][webhooks_of]
        if "${session_id}" in text:
            values["session_id"] = session or self.start_session()
        values["frame"] = getattr(self, "frame", "")
        for placeholder, value in values.items():
            text = text.replace("${" + placeholder + "}", value)
        event = json.loads(text)
        headers = event.get("headers", {})
        if function_of(name) == "webhook-terra":
            # The delivery's id, which its content would be otherwise: each is a new one.
            headers["x-terra-trace-id"] = f"event-{uuid.uuid4()}"
        if headers.get("terra-signature") == "${terra_signature}":
            headers["terra-signature"] = self.signature(body_of(event) or b"")
        return event

    def signature(self, body):
        at = int(time.time())
        key = self.json["terra_signing_secret"].encode()
        tag = hmac.new(key, f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        return f"t={at},v1={tag}"

    def send(self, event, base=None):
        """The request that API Gateway would have made this event of; status and body."""
        http = event["requestContext"]["http"]
        query = event.get("rawQueryString")
        path = http["path"] + (f"?{query}" if query else "")
        headers = {
            name: value
            for name, value in event["headers"].items()
            if name != "host" and not name.startswith("x-forwarded")
        }
        base = base or self.base_url.removesuffix("/functions/v1")
        return send(http["method"], base + path, body_of(event), headers)


def body_of(event):
    body = event.get("body")
    if body is None:
        return None
    return base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()


def send(method, url, body, headers, timeout=60):
    request = urllib.request.Request(url, data=body, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return response.status, parsed(response.read())
    except urllib.error.HTTPError as error:
        return error.code, parsed(error.read())


def parsed(body):
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


def answer_of(payload):
    """Status and body of what a function returned."""
    if not isinstance(payload, dict) or "statusCode" not in payload:
        return None, payload
    body = payload.get("body") or ""
    return payload["statusCode"], parsed(base64.b64decode(body) if payload.get("isBase64Encoded") else body.encode())


def comparable(value, key=None, counts=True):
    """What must be the same in two answers: ids, times, signatures of URLs and what is measured are not."""
    if isinstance(value, dict):
        return {name: comparable(inner, name, counts) for name, inner in value.items()}
    if isinstance(value, list):
        return [comparable(inner, key, counts) for inner in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float)):
        return 0 if key in MEASURED or not counts else value
    if value.startswith(("http://", "https://")):
        value = urllib.parse.urlsplit(value).path
    value = TIME.sub("<time>", UUID.sub("<id>", value))
    return value if counts or not re.fullmatch(r"[\d.]+", value) else "<number>"


def difference(name, expected, got):
    """None, or what is not the same in two answers (status and body)."""
    # A report counts what happens meanwhile.
    counts = function_of(name) != "health-check"
    expected, got = ((status, comparable(copy.deepcopy(body), counts=counts)) for status, body in (expected, got))
    if expected == got:
        return None
    return f"{name}: {got[0]} {json.dumps(got[1])[:600]}\n    the stack answers {expected[0]} {json.dumps(expected[1])[:600]}"
