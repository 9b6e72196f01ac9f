"""
AWS for the measuring commands: the five calls of ours, answered at once and from memory.

A whole emulator would be slower than what is measured and noisier. This one keeps items, so that an event is new once
and a repeat after that, but judges no other condition and checks no permission: the tests do that, with MiniStack.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.hosting.standin import StandIn

type Json = dict[str, Any]

_CLAUSE = re.compile(r"\b(SET|REMOVE|ADD) ")
_ASSIGNED = re.compile(r"(#?\w+) = (?:if_not_exists\((#?\w+), (:\w+)\)|(:\w+))")
_ADDED = re.compile(r"(#?\w+) (:\w+)")


def aws_app(*, secret: Json) -> StandIn:
    """DynamoDB, SQS, SES v2 and Secrets Manager, the one secret being *secret*. See `operation` for its calls."""
    items: dict[str, Json] = {}
    answers: dict[str, Callable[[Json], Json | None]] = {
        "GetSecretValue": lambda _: {"Name": "secret", "SecretString": json.dumps(secret)},
        "SendMessage": _sent,
        "PutItem": lambda asked: _put(items, asked),
        "UpdateItem": lambda asked: {"Attributes": _updated(items, asked)},
    }

    async def answer(request: Request) -> Response:
        asked = json.loads(await request.body())
        found = answers[request.headers["x-amz-target"].rpartition(".")[2]](asked)
        return JSONResponse(found) if found is not None else _refused(items[_key(asked)])

    async def mail(_request: Request) -> Response:
        return JSONResponse({"MessageId": secrets.token_hex(16)})

    routes = [Route("/", answer, methods=["POST"]), Route("/v2/email/outbound-emails", mail, methods=["POST"])]
    return StandIn(Starlette(routes=routes), reset=items.clear)


def operation(call: Json) -> str:
    """The name of a remembered call, such as PutItem."""
    target: str = call["headers"].get("x-amz-target", ".SendEmail")
    return target.rpartition(".")[2]


def _sent(asked: Json) -> Json:
    digest = hashlib.md5(asked["MessageBody"].encode(), usedforsecurity=False).hexdigest()
    return {"MessageId": secrets.token_hex(16), "MD5OfMessageBody": digest}


def _put(items: dict[str, Json], asked: Json) -> Json | None:
    if _key(asked) in items:
        return None
    items[_key(asked)] = asked["Item"]
    return {}


def _updated(items: dict[str, Json], asked: Json) -> Json:
    """
    The item after an expression of the kinds that we use: `SET a = :a, b = if_not_exists(b, :b) REMOVE c ADD d :d`.

    Raises ValueError for any other: a measurement of what AWS would refuse is none.
    """
    item = items.setdefault(_key(asked), dict(asked["Key"]))
    names, values = asked.get("ExpressionAttributeNames", {}), asked["ExpressionAttributeValues"]
    before, *clauses = _CLAUSE.split(asked["UpdateExpression"])
    if before.strip():
        raise ValueError(f"no expression that is known here: {asked['UpdateExpression']}")
    for kind, said in zip(clauses[::2], clauses[1::2], strict=True):
        for part in re.split(r", (?![^(]*\))", said.strip()):
            _applied(item, kind, part, names, values)
    return item


def _applied(item: Json, kind: str, part: str, names: Json, values: Json) -> None:
    """One assignment, removal or addition of an expression."""
    if kind == "REMOVE" and re.fullmatch(r"#?\w+", part):
        item.pop(names.get(part, part), None)
    elif kind == "SET" and _ASSIGNED.fullmatch(part):
        [(name, unless, default, value)] = _ASSIGNED.findall(part)
        if not unless or names.get(unless, unless) not in item:
            item[names.get(name, name)] = values[value or default]
    elif kind == "ADD" and _ADDED.fullmatch(part):
        [(name, by)] = _ADDED.findall(part)
        name = names.get(name, name)
        item[name] = {"N": str(int(item.get(name, {"N": "0"})["N"]) + int(values[by]["N"]))}
    else:
        raise ValueError(f"no {kind} that is known here: {part}")


def _key(asked: Json) -> str:
    key = asked.get("Key") or {"id": asked["Item"]["id"]}  # Only the Events table is put to.
    return json.dumps([asked["TableName"], key])


def _refused(item: Json) -> Response:
    kind = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"
    return JSONResponse({"__type": kind, "message": "The conditional request failed", "Item": item}, status_code=400)
