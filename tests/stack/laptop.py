"""The running laptop system as a test wants it: sell, post, and wait for what should come of it."""

import json
import re
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import httpx

from local.aws.letters import Letter
from local.signing import sign_stripe
from local.stack import Stack

# Far beyond what a delivery takes; only a failing test waits this long.
PATIENCE_SECONDS = 150.0  # Many times what it takes: a busy machine is no bug, and what is there ends the wait.
_LATE_LINES_MS = 90_000  # An invocation may last for a minute, and its lines say when it began.


class Laptop:
    """Over *stack*. Tests share one, so each looks only at its own orders. `close` it."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.to = stack.endpoints
        self._reading = threading.Lock()
        self._logged: dict[str, dict[tuple[str, int, str], None]] = {}
        self.http = httpx.Client(timeout=PATIENCE_SECONDS, trust_env=False)

    def close(self) -> None:
        self.http.close()

    # --- Doing ------------------------------------------------------------------------------------------

    def file(self, path: str, content: str = "x", **flags: bool) -> dict[str, Any]:
        """A file in the seller's workspace `test-shop` → workspace_id, node_id, folder_ids."""
        wanted = {"workspace": "test-shop", "path": path, "content": content, **flags}
        return self._control(self.to.fastio_url, "/_files", wanted)

    def product(self, **metadata: str) -> str:
        """A product with *metadata*; its id."""
        made = self._control(self.to.stripe_url, "/_product", {"name": "A tested product", "metadata": metadata})
        return str(made["product"])

    def ours(self, *nodes: str, **more: str) -> str:
        """A product that delivers *nodes*; its id."""
        return self.product(fastio_workspace="test-shop", fastio_files=",".join(nodes), **more)

    def pay(self, email: str, *products: str, **fields: Any) -> dict[str, Any]:
        """→ session, event, delivery (status, body, seconds)."""
        return self._control(self.to.stripe_url, "/_pay", {"email": email, "products": list(products), **fields})

    def stripe(self, route: str, **fields: Any) -> dict[str, Any]:
        """One of the stand-in's own routes, such as `_send`."""
        return self._control(self.to.stripe_url, f"/{route}", fields)

    def post(
        self, body: bytes, *, secret: str | None = None, at: float | None = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """*body* to Stripe's route, well signed unless *headers* say otherwise."""
        if headers is None:
            when = int(time.time() if at is None else at)
            headers = {"stripe-signature": sign_stripe(body, secret or self.to.stripe_webhook_secret, when)}
        headers = {"content-type": "application/json", **headers}
        return self.http.post(self.to.stripe_webhook_url, content=body, headers=headers)

    # --- Seeing -----------------------------------------------------------------------------------------

    def letters_to(self, email: str) -> list[Letter]:
        return [letter for letter in self.stack.letters() if email in letter.to]

    def letter_to(self, email: str) -> Letter:
        return until(lambda: self.letters_to(email), f"a letter to {email}")[0]

    def order(self, order_id: str) -> dict[str, str]:
        """The ledger's item as plain text values; empty when there is none."""
        table = self.to.outputs["OrdersTable"]
        item = self.stack.aws.dynamodb.get_item(TableName=table, Key={"order_id": {"S": order_id}}).get("Item", {})
        return {name: str(next(iter(value.values()))) for name, value in item.items()}

    def order_in(self, state: str, order_id: str) -> dict[str, str]:
        """The order, once it is in *state* and nobody works on it."""

        def there() -> dict[str, str] | None:
            order = self.order(order_id)
            return order if order.get("state") == state and "lease_holder" not in order else None

        return until(there, f"{order_id} {state}")

    def order_that_was(self, fact: str, order_id: str) -> dict[str, str]:
        """The order, once SES said that its letter was sent, and *fact* of it. SES's news comes in any order."""

        def there() -> dict[str, str] | None:
            order = self.order(order_id)
            return order if {"letter_sent_at", f"letter_{fact}_at"} <= order.keys() else None

        return until(there, f"the letter of {order_id} {fact}")

    def shares(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.http.get(f"{self.to.fastio_url}/_shares").json()["shares"]
        return found

    def share_of(self, order_id: str) -> dict[str, Any] | None:
        return next((s for s in self.shares() if order_id in json.dumps(s["owner_defined"])), None)

    def dead_letter(self, order_id: str) -> dict[str, str]:
        """The attributes of the order's dead letter, once it is there, and its `body`."""

        def there() -> dict[str, str] | None:
            answer = self.stack.aws.sqs.receive_message(
                QueueUrl=self.to.outputs["DeadLetterQueueUrl"],
                MessageAttributeNames=["All"],
                MaxNumberOfMessages=10,
                VisibilityTimeout=1,  # So that the next look sees others: there may be more than ten.
            )
            for message in answer.get("Messages", []):
                words = {k: v.get("StringValue", "") for k, v in message.get("MessageAttributes", {}).items()}
                if words.get("order") == order_id:
                    return words | {"body": message["Body"]}
            return None

        return until(there, f"a dead letter of {order_id}")

    def is_idle(self) -> bool:
        """Whether the queue is empty: all that was taken in, and what was put off, is done, or with a person."""
        answer = self.stack.aws.sqs.get_queue_attributes(QueueUrl=self.to.outputs["QueueUrl"], AttributeNames=["All"])
        counts = [count for name, count in answer["Attributes"].items() if name.startswith("ApproximateNumber")]
        assert len(counts) == 3
        return not any(map(int, counts))

    def log(self, function: str) -> list[dict[str, Any]]:
        """*function*'s (receive, deliver, feedback) JSON log lines."""
        lines = []
        for message in self._messages(function):
            try:
                line = json.loads(message)
            except ValueError:
                continue
            if isinstance(line, dict):
                lines.append(line)
        return lines

    def everything_logged(self) -> str:
        groups = ("receive", "deliver", "feedback", "sweep", "page", "api")
        return "\n".join(message for group in groups for message in self._messages(group))

    def _messages(self, group: str) -> list[str]:
        """
        What *group* has logged so far. Only what is new is asked for: tests look again and again, and a log of all that
        happened grows to megabytes.
        """
        with self._reading:
            known = self._logged.setdefault(group, {})
            since = max((at for _, at, _ in known), default=0) - _LATE_LINES_MS
            vended = "/aws/vendedlogs" if group == "api" else ""
            name, logs = f"{vended}/paidshare/local/{group}", self.stack.aws.logs
            for event in logs.filter_log_events(logGroupName=name, startTime=max(0, since))["events"]:
                known[event["logStreamName"], event["timestamp"], event["message"]] = None
            return [message for _, _, message in known]

    def log_line(self, function: str, **wanted: object) -> dict[str, Any]:
        """The first line that has all of *wanted*, once it is there."""

        def there() -> dict[str, Any] | None:
            return next((line for line in self.log(function) if wanted.items() <= line.items()), None)

        return until(there, f"a log line of {function} with {wanted}")

    def downloaded(self, letter: Letter) -> dict[str, str]:
        """What the buyer gets through the letter's link: contents by file name."""
        found = re.search(r"https?://\S+/shared/\S+", letter.text)
        assert found, letter.text
        page = self.http.get(found[0])
        assert page.status_code == 200, page.text
        got = {}
        for href in re.findall(r'href="(/shared/[^"]+)"', page.text):
            file = self.http.get(self.to.fastio_url + href)
            got[unquote(file.headers["content-disposition"].partition("filename*=UTF-8''")[2])] = file.text
        return got

    def _control(self, url: str, route: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.http.post(url + route, json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


def until[T](look: Callable[[], T | None], what: str) -> T:
    """What *look* finds, once it finds something."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {PATIENCE_SECONDS:.0f} s in vain for {what}")
