"""What goes wrong in a soak: providers that fail by the dice, workers that are killed; and waits that are cut short."""

import json
import os
import random
import re
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.aws.ministack import Aws
from local.settings import STACK_NAME

SEND_LETTER = "POST /v2/email/outbound-emails"
_LOOK_SECONDS = 1.0

type Rule = dict[str, Any]

# How each provider refuses, as its clients read it; without a body the connection is dropped.
_STRIPE: tuple[Rule, ...] = (
    {"status": 503, "body": {"error": {"type": "api_error", "message": "injected"}}},
    {"status": 429, "body": {"error": {"type": "invalid_request_error", "code": "rate_limit", "message": "injected"}}},
    {"status": 0},
)
_FASTIO: tuple[Rule, ...] = (
    {"status": 503, "body": {"result": False, "error": {"code": 9999, "text": "injected"}}},
    {"status": 429, "body": {"result": False, "error": {"code": 1671, "text": "injected"}}},
    {"status": 0},
)
_SES_REFUSES: Rule = {
    "status": 429,
    "body": {"message": "Maximum sending rate exceeded."},
    "headers": {"x-amzn-errortype": "TooManyRequestsException"},
}
_SES_IN_DOUBT: tuple[Rule, ...] = (
    {"status": 500, "body": {"message": "injected"}, "headers": {"x-amzn-errortype": "InternalServiceErrorException"}},
    {"status": 0},
)


def stripe_faults(*, chance: float, lost: float, seed: int) -> list[Rule]:
    return _by_the_dice("* /v1/**", _STRIPE, chance=chance, lost=lost, seed=seed)


def fastio_faults(*, chance: float, lost: float, seed: int) -> list[Rule]:
    return _by_the_dice("* /**", _FASTIO, chance=chance, lost=lost, seed=seed)


def ses_faults(*, chance: float, lost: float, seed: int) -> list[Rule]:
    """With nothing *lost*, SES only refuses: no letter is in doubt, so that nobody waits for SES's word."""
    ways = (_SES_REFUSES, *_SES_IN_DOUBT) if lost else (_SES_REFUSES,)
    return _by_the_dice(SEND_LETTER, ways, chance=chance, lost=lost, seed=seed)


def _by_the_dice(match: str, ways: Sequence[Rule], *, chance: float, lost: float, seed: int) -> list[Rule]:
    """
    Rules for a stand-in's `/_faults`: *chance* of the calls fail in one of *ways* each, *lost* more do their work and
    lose the answer.
    """
    wanted = [(way, chance / len(ways)) for way in ways] + [({"status": 0, "after": True}, lost)]
    rules, left = [], 1.0
    for number, (way, share) in enumerate(wanted):
        # A stand-in asks its rules one after the other, so each is asked only about what those before it let pass.
        rules.append({"match": match, "times": None, "chance": share / left, "seed": seed * 100 + number, **way})
        left -= share
    return rules


class Hastened:
    """
    ASGI middleware round a way to SQS: a message that is put off comes again after *longest_s* seconds at most, and
    one that is hidden with others, while they are worked on, after *in_hand_s*.

    The application's own waits are hours in an outage of a day; a soak has minutes. AWS judges the application's
    call as it came, and then the wait is cut short from outside.
    """

    def __init__(self, app: ASGIApp, aws: Aws, *, longest_s: int, in_hand_s: int) -> None:
        self._app = app
        self._aws = aws
        self._longest = {
            "AmazonSQS.ChangeMessageVisibility": longest_s,
            "AmazonSQS.ChangeMessageVisibilityBatch": in_hand_s,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        longest = self._longest.get(request.headers.get("x-amz-target", ""))
        if longest is None:
            await self._app(scope, receive, send)
            return
        body = await request.body()
        wish = json.loads(body)

        async def again() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def hastening(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                for entry in wish.get("Entries", [wish]):
                    if entry["VisibilityTimeout"] > longest:
                        await run_in_threadpool(self._cut_short, wish["QueueUrl"], entry["ReceiptHandle"], longest)
            await send(message)

        await self._app(scope, again, hastening)

    def _cut_short(self, queue_url: str, handle: str, seconds: int) -> None:
        # Otherwise another worker has it by now.
        with suppress(self._aws.sqs.exceptions.ReceiptHandleIsInvalid):
            self._aws.sqs.change_message_visibility(QueueUrl=queue_url, ReceiptHandle=handle, VisibilityTimeout=seconds)


class Killer:
    """
    Ends the functions' workers with SIGKILL, one at a time. `kills` counts them by function.

    Only those that have been there for *grown_s* seconds: MiniStack takes one that dies while it starts for a broken
    function, and ends all its other workers, too.
    """

    def __init__(self, home: Path, *, seed: int, grown_s: float = 6.0) -> None:
        # MiniStack unpacks every worker's code below its own scratch folder, and nobody else's.
        scratch = re.escape(str((home / "tmp").resolve()))
        self._worker = re.compile(rf"\s*(\d+) .*{scratch}/ministack-lambda-{STACK_NAME}-(\w+)-\S*/_worker\.py")
        self._dice = random.Random(seed)  # noqa: S311  # Dice, no keys.
        self._grown_s = grown_s
        self._since: dict[int, float] = {}
        self.kills: Counter[str] = Counter()

    def look(self, now: float) -> dict[int, str]:
        """The workers, function by pid. *now* is in seconds on the caller's clock."""
        listed = subprocess.run(["ps", "-A", "-ww", "-o", "pid=,args="], capture_output=True, text=True, check=True)
        found = [self._worker.match(line) for line in listed.stdout.splitlines()]
        workers = {int(worker[1]): worker[2] for worker in found if worker}
        self._since = {pid: self._since.get(pid, now) for pid in workers}
        return workers

    def strike(self, now: float) -> None:
        """One that is grown, if there is one."""
        workers = self.look(now)
        grown = sorted(pid for pid in workers if now - self._since[pid] >= self._grown_s)
        if grown:
            pid = self._dice.choice(grown)
            with suppress(ProcessLookupError):  # It has just ended by itself.
                os.kill(pid, signal.SIGKILL)
                self.kills[workers[pid]] += 1

    @contextmanager
    def every(self, seconds: float) -> Iterator[threading.Event]:
        """One in so many *seconds* while the block runs, or until the event that it is given is set."""
        enough = threading.Event()

        def strike_on() -> None:
            began = time.monotonic()
            strikes = 1
            while not enough.wait(_LOOK_SECONDS):
                now = time.monotonic()
                self.look(now)
                if now - began >= strikes * seconds:
                    strikes += 1
                    self.strike(now)

        thread = threading.Thread(target=strike_on, daemon=True)
        thread.start()
        try:
            yield enough
        finally:
            enough.set()
            thread.join()
