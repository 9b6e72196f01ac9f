"""
The workers' parent, a program of its own: it has set up both functions, and forks a worker for every task.

A worker is a real process that begins where a Lambda container waits for its first event, so that ending it with
SIGKILL is a real crash, and starting it costs next to nothing. Line-wise JSON on stdin and stdout:

- in: `{"id", "role": "deliver" | "receive", "ahead_s": 0, "event": …}`. *ahead_s* is by how much the worker's clock is
  ahead; *event* is what `receive` is invoked with, and for `deliver` how many messages are taken at most.
- out: `{"id", "pid"}` when it is forked, `{"id", "result"}` from the worker itself, `{"id", "ended": code}` when it is
  gone; a code below zero is the signal that killed it.
"""

import datetime as dt
import functools
import gc
import json
import os
import selectors
import sys
import time
import traceback
import types
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import boto3
from aws_lambda_powertools.utilities.idempotency.persistence import base, datarecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from stripe._object_classes import get_object_class

from functions.deliver import handler as deliver
from functions.receive import handler as receive

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class _Context:
    """As Lambda's at the start of an invocation; the time-outs are the template's."""

    def __init__(self, seconds: int) -> None:
        self.aws_request_id = str(uuid.uuid4())
        self._milliseconds = seconds * 1000

    def get_remaining_time_in_millis(self) -> int:
        return self._milliseconds


def _context(seconds: int) -> LambdaContext:
    return cast("LambdaContext", _Context(seconds))


class _Clock:
    """By how many seconds this process is ahead, for the functions and Powertools' idempotency."""

    ahead_s = 0.0

    @classmethod
    def time(cls) -> float:
        return time.time() + cls.ahead_s


class _Shifted(dt.datetime):
    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> "_Shifted":
        return cls.fromtimestamp(_Clock.time(), tz)


def _take_the_clocks() -> None:
    """AWS's signatures keep the real one."""
    clocks: list[tuple[Any, str, object]] = [
        (deliver, "_now", lambda: dt.datetime.fromtimestamp(_Clock.time(), dt.UTC)),
        (receive, "time", types.SimpleNamespace(time=_Clock.time, monotonic=time.monotonic)),
        *((module, "dt", _with(dt, datetime=_Shifted)) for module in (base, datarecord)),
    ]
    for module, name, clock in clocks:
        setattr(module, name, clock)


def _with(module: types.ModuleType, **changed: object) -> types.SimpleNamespace:
    return types.SimpleNamespace(**(vars(module) | changed))


@functools.cache
def _poller() -> "SQSClient":
    return boto3.session.Session().client("sqs")


def _deliver(most: int) -> dict[str, object]:
    """One round of Lambda's poller: take up to *most* messages, have them worked off, delete what is done."""
    queue_url, sqs = os.environ["QUEUE_URL"], _poller()
    taken = sqs.receive_message(
        QueueUrl=queue_url, MaxNumberOfMessages=most, AttributeNames=["ApproximateReceiveCount", "SentTimestamp"]
    ).get("Messages", [])
    records = [
        {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "messageAttributes": {},
            "eventSource": "aws:sqs",
        }
        for message in taken
    ]
    if not records:
        return {"taken": 0, "failed": 0}
    answer = deliver.handler({"Records": records}, _context(60))
    failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
    for message in taken:
        if message["MessageId"] not in failed:
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
    return {"taken": len(taken), "failed": len(failed)}


def _receive(event: dict[str, Any]) -> dict[str, object]:
    return {"status": receive.handler(event, _context(15))["statusCode"]}


_ROLES: dict[str, Callable[[Any], dict[str, object]]] = {"deliver": _deliver, "receive": _receive}


def _work(task: dict[str, Any], out: int, log: Path) -> None:
    """In the worker: never returns."""
    code = 1
    try:
        printed = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(printed, 1)
        os.dup2(printed, 2)
        _Clock.ahead_s = task["ahead_s"]
        _say(out, {"id": task["id"], "result": _ROLES[task["role"]](task["event"])})
        code = 0
    except Exception as error:  # noqa: BLE001  # Told to the test, which fails with it.
        _say(out, {"id": task["id"], "result": {"error": "".join(traceback.format_exception(error))[-3000:]}})
    finally:
        os._exit(code)


def _say(out: int, line: dict[str, object]) -> None:
    os.write(out, json.dumps(line).encode() + b"\n")  # One write, shorter than PIPE_BUF: lines never mix.


def main(log: Path) -> None:
    _take_the_clocks()
    # All that makes no connection. Stripe's classes are imported when the first answer holds one.
    deliver._container()
    receive._container()
    _poller()
    for kind in ("checkout.session", "payment_intent", "charge", "refund", "dispute", "product", "price"):
        get_object_class("V1", kind)
    gc.freeze()
    gc.disable()  # A worker is too short-lived to need it, and it would copy every page that it looks at.

    out = os.dup(1)
    os.dup2(2, 1)  # Whatever is printed here is no line of the protocol.
    waiting = selectors.DefaultSelector()
    waiting.register(0, selectors.EVENT_READ)
    unread = b""
    while True:
        for key, _events in waiting.select():
            if key.data is not None:
                task_id, pid = key.data
                _pid, status = os.waitpid(pid, 0)
                waiting.unregister(key.fd)
                os.close(key.fd)
                _say(out, {"id": task_id, "ended": os.waitstatus_to_exitcode(status)})
                continue
            read = os.read(0, 65536)
            if not read:
                return
            *lines, unread = (unread + read).split(b"\n")
            for task in map(json.loads, lines):
                pid = os.fork()
                if pid == 0:
                    _work(task, out, log)
                _say(out, {"id": task["id"], "pid": pid})
                waiting.register(os.pidfd_open(pid), selectors.EVENT_READ, (task["id"], pid))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
