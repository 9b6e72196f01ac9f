"""Stripe's sender: signed events by POST, tried again when they are not taken, and every attempt remembered."""

import asyncio
import json
import ssl
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import asdict, dataclass, field

import httpx
import stripe

from local.stripe import objects, versions
from local.stripe.objects import Json
from local.stripe.state import StripeState

_TIMEOUT_S = 30.0
_MOST_REMEMBERED = 50_000
_BODY_SHOWN = 2_000


@dataclass(frozen=True, slots=True)
class Target:
    """Where events go. `events` are the types it wants, `*` every type; `api_version` None is the account's own."""

    url: str
    secret: str
    events: tuple[str, ...] = ("*",)
    api_version: str | None = None

    def wants(self, kind: str) -> bool:
        return "*" in self.events or kind in self.events


@dataclass(frozen=True, slots=True)
class Manner:
    """How one attempt is signed: rightly, unless something here says otherwise."""

    forged: bool = False
    unsigned: bool = False
    stale_s: int = 0


@dataclass(frozen=True, slots=True)
class Delivery:
    """
    One attempt. `status` 0: no answer, and `error` says why. `seconds` is how long it took, None when nobody
    says. `via` is `post`, or `stripe listen` for what the CLI forwarded.
    """

    event: str
    type: str
    url: str
    attempt: int
    status: int
    seconds: float | None
    at: float
    body: str = ""
    error: str | None = None
    via: str = "post"

    @property
    def taken(self) -> bool:
        return 200 <= self.status < 300


def body_of(event: Json) -> bytes:
    """The bytes that Stripe would send: indented JSON, as its own events are."""
    return json.dumps(event, indent=2).encode()


def signature(body: bytes, secret: str, at: int, manner: Manner = Manner()) -> str | None:
    """The `Stripe-Signature` header, made by Stripe's own SDK; None when *manner* is unsigned."""
    if manner.unsigned:
        return None
    key = objects.new_id("whsec", 32) if manner.forged else secret
    return str(stripe.WebhookSignature.generate_signature_header(body.decode(), key, timestamp=at - manner.stale_s))


@dataclass(slots=True)
class Sender:
    """
    Sends events to the webhook that was set and to the endpoints made through the API.

    `events` are the types that the webhook wants, `api_version` is the one it is sent them in.

    `retries` are the waits in seconds before the second, third, … attempt; each is signed afresh. They run in
    the background and end with the event loop. `secret` is there from the start, because `stripe listen` asks
    for it before anything else is set. `listeners` get every event that is sent.
    """

    state: StripeState
    retries: Sequence[float] = (1.0, 2.0, 4.0, 8.0)
    url: str | None = None
    events: tuple[str, ...] = ("*",)
    api_version: str | None = None
    secret: str = field(default_factory=lambda: objects.new_id("whsec", 32))
    deliveries: list[Delivery] = field(default_factory=list)
    listeners: list[Callable[[Json], None]] = field(default_factory=list)
    _background: set[asyncio.Task[None]] = field(default_factory=set)

    def webhook(self) -> Target | None:
        return Target(self.url, self.secret, self.events, self.api_version) if self.url else None

    def targets(self, event: Json) -> list[Target]:
        endpoints = [
            Target(one["url"], one["secret"], tuple(one["enabled_events"]), one["api_version"])
            for one in self.state.every("webhook_endpoint")
            if one["status"] == "enabled"
        ]
        chosen = [webhook, *endpoints] if (webhook := self.webhook()) else endpoints
        return [target for target in chosen if target.wants(event["type"])]

    async def announce(self, event: Json) -> list[Delivery]:
        """The first attempt at every target, and further ones in the background for those that failed."""
        for listener in self.listeners:
            listener(event)
        targets = self.targets(event)
        firsts = await asyncio.gather(*(self.attempt(event, target) for target in targets))
        missed = [target for target, first in zip(targets, firsts, strict=True) if not first.taken]
        if not missed:
            self._mark_delivered(event)
        elif self.retries:
            self._in_background(self._again(event, missed))
        return list(firsts)

    def announce_soon(self, events: Sequence[Json]) -> None:
        """Announces them one after the other, without waiting for it."""
        if events:
            self._in_background(self._announce_all(events))

    async def attempt(
        self,
        event: Json,
        target: Target,
        manner: Manner = Manner(),
        number: int = 1,
    ) -> Delivery:
        """One POST. Never raises for what the other side does."""
        body = body_of(versions.rendered(self.state, event, target.api_version))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Accept": "*/*; q=0.5, application/xml",
        }
        if header := signature(body, target.secret, self.state.now, manner):
            headers["Stripe-Signature"] = header
        at, started = self.state.clock(), time.perf_counter()
        status, answer, error = await self._post(target.url, body, headers)
        delivery = Delivery(
            event=event["id"],
            type=event["type"],
            url=target.url,
            attempt=number,
            status=status,
            seconds=round(time.perf_counter() - started, 4),
            at=at,
            body=answer[:_BODY_SHOWN],
            error=error,
        )
        self.remember(delivery)
        return delivery

    def remember(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)
        del self.deliveries[:-_MOST_REMEMBERED]

    def forget(self) -> None:
        """Stops what is waiting to be tried again, and forgets the attempts; the webhook stays set."""
        for task in list(self._background):
            task.cancel()
        self.deliveries.clear()

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, str, str | None]:
        # Reading the system's certificates takes 100 ms, and nobody on this machine has one.
        secure = url.startswith("https:")
        tls = ssl.create_default_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        async with httpx.AsyncClient(timeout=_TIMEOUT_S, verify=tls, trust_env=False) as http:
            try:
                answer = await http.post(url, content=body, headers=headers)
            except (httpx.HTTPError, httpx.InvalidURL) as exc:
                return 0, "", type(exc).__name__
        return answer.status_code, answer.text, None

    async def _announce_all(self, events: Sequence[Json]) -> None:
        for event in events:
            await self.announce(event)

    def _in_background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _again(self, event: Json, missed: list[Target]) -> None:
        for number, wait in enumerate(self.retries, start=2):
            await asyncio.sleep(wait)
            tries = await asyncio.gather(*(self.attempt(event, target, number=number) for target in missed))
            missed = [target for target, one in zip(missed, tries, strict=True) if not one.taken]
            if not missed:
                self._mark_delivered(event)
                return

    def _mark_delivered(self, event: Json) -> None:
        self.state.delivered.add(event["id"])
        event["pending_webhooks"] = 0


def shown(delivery: Delivery) -> Json:
    return asdict(delivery)
