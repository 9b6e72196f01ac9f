"""AWS over HTTP, for Receive's own client: what it sends reaches moto as it is, and what moto answers comes back."""

from collections.abc import Iterator
from contextlib import contextmanager

import requests
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.hosting.serving import serving

_HOP_BY_HOP = {"host", "connection", "content-length"}


async def _forwarded(request: Request) -> Response:
    """moto takes the place of `requests`' connections to AWS."""
    service = request.headers["authorization"].split("/")[3]
    answer = await run_in_threadpool(
        requests.post,
        f"https://{service}.us-east-1.amazonaws.com/",
        data=await request.body(),
        headers={name: value for name, value in request.headers.items() if name not in _HOP_BY_HOP},
        timeout=10,
    )
    return Response(answer.content, answer.status_code, {"content-type": "application/json"} | _named(answer))


def _named(answer: requests.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.lower().startswith("x-amz")}


@contextmanager
def moto_over_http() -> Iterator[str]:
    """The URL at which moto, which has to be there already, answers."""
    with serving(Starlette(routes=[Route("/", _forwarded, methods=["POST"])])) as url:
        yield url
