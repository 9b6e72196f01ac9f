"""
What the official Stripe CLI's `stripe listen` needs: a session, and a WebSocket on which events come.

The protocol is the CLI's own (github.com/stripe/stripe-cli, pkg/stripeauth and pkg/websocket); tried with
version 1.52.0:

    stripe listen --all-snapshot --skip-update --no-wss --api-base http://127.0.0.1:PORT
        --api-key sk_test_anything --forward-to http://127.0.0.1:PORT/webhook/stripe

(`--api-base` must be 127.0.0.1, not localhost: the CLI insists.) The session's `secret` is the stand-in's
webhook secret, so what the CLI forwards verifies in an application that was given that one.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from local.stripe import objects
from local.stripe.form import StripeProblem
from local.stripe.objects import Json
from local.stripe.sending import Delivery, Sender, body_of, signature

_SUBPROTOCOL = "stripecli-devproxy-v1"
_FEATURE = "webhooks"


class CliFeed:
    """Feeds every listening CLI with every event that is sent. *check* raises StripeProblem for a bad key."""

    def __init__(self, sender: Sender, *, check: Callable[[Request], None]) -> None:
        self._sender = sender
        self._check = check
        self._queues: dict[str, asyncio.Queue[Json]] = {}
        sender.listeners.append(self._publish)

    def routes(self) -> list[Route | WebSocketRoute]:
        return [
            Route("/v1/stripecli/sessions", self._session, methods=["POST"]),
            WebSocketRoute("/v1/stripecli/socket", self._socket),
        ]

    async def _session(self, request: Request) -> Response:
        headers = {"Request-Id": objects.new_id("req", 14)}
        try:
            self._check(request)
        except StripeProblem as problem:
            return JSONResponse(problem.body, status_code=problem.status, headers=headers)
        return JSONResponse(
            {
                "default_version": objects.API_VERSION,
                "display_connect_filter_warning": False,
                "latest_version": objects.API_VERSION,
                "reconnect_delay": 3600,
                "secret": self._sender.secret,
                "websocket_authorized_feature": _FEATURE,
                "websocket_id": objects.new_id("cliws"),
                "websocket_url": f"ws://{request.url.netloc}/v1/stripecli/socket",
            },
            headers=headers,
        )

    async def _socket(self, socket: WebSocket) -> None:
        offered = socket.scope.get("subprotocols", [])
        await socket.accept(subprotocol=_SUBPROTOCOL if _SUBPROTOCOL in offered else None)
        name = objects.new_id("wc")
        self._queues[name] = asyncio.Queue()
        feeding = asyncio.create_task(self._feed(socket, self._queues[name]))
        try:
            with contextlib.suppress(WebSocketDisconnect):
                await self._hear(socket)
        finally:
            feeding.cancel()
            del self._queues[name]

    def _publish(self, event: Json) -> None:
        for queue in self._queues.values():
            queue.put_nowait(event)

    async def _feed(self, socket: WebSocket, queue: asyncio.Queue[Json]) -> None:
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                await socket.send_text(json.dumps(self._message(await queue.get())))

    def _message(self, event: Json) -> Json:
        body = body_of(event)
        return {
            "type": "webhook_event",
            "webhook_id": event["id"],
            "webhook_conversation_id": objects.new_id("wc"),
            "event_payload": body.decode(),
            "http_headers": {
                "Content-Type": "application/json; charset=utf-8",
                "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
                "Stripe-Signature": signature(body, self._sender.secret, self._sender.state.now),
            },
            # Null is “the account's default version”: the only events that a CLI without --latest forwards.
            "endpoint": {"api_version": None, "connect": False, "status": "enabled"},
        }

    async def _hear(self, socket: WebSocket) -> None:
        """The CLI says what its target answered: remembered among the deliveries, with its address."""
        while True:
            heard = json.loads(await socket.receive_text())
            if heard.get("type") == "webhook_response":
                self._sender.remember(self._delivery(heard))

    def _delivery(self, heard: Json) -> Delivery:
        event = str(heard.get("webhook_id", ""))
        return Delivery(
            event=event,
            type=self._sender.state.objects.get(event, {}).get("type", ""),
            url=str(heard.get("forward_url", "")),
            attempt=1,
            status=int(heard.get("status", 0)),
            seconds=None,
            at=self._sender.state.clock(),
            body=str(heard.get("body", ""))[:2_000],
            via="stripe listen",
        )
