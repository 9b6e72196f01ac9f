"""
HTTP to Fast.io: one call in, one `Reply` out. Knows nothing of shares.

The lower half of the adapters that talk to Fast.io, so it may use the network.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from ssl import SSLContext
from threading import Lock
from typing import Any, Literal, Self

import httpx

from paidshare.delivering.errors import OutOfTime
from paidshare.errors import Barrier, FastioUnavailable, PaidshareError
from paidshare.ports import Clock
from paidshare.shares_fastio import refusals, wire
from paidshare.shares_fastio.values import Node, Reply

API_BASE = "https://api.fast.io/current"
READ_SECONDS = 10.0

_PASSING = frozenset({502, 503, 504})
_KEPT_FOR = timedelta(minutes=5)  # Longer than an attempt (60 s) and the wait before the next one.
_MOST_KEPT = 2_000  # Ten orders' walks at once, each of the most folders that there may be.
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)

# httpx logs every URL at INFO, and ours hold share names, which are all that a link's secret is.
for _noisy in ("httpx", "httpcore"):
    logging.getLogger(_noisy).setLevel(logging.WARNING)


def http_client(
    *, connect_s: float = 5.0, read_s: float = READ_SECONDS, connections: int = 20, tls: SSLContext | None = None
) -> httpx.Client:
    """
    A client for ten orders at once. The caller closes it, or keeps it for the life of the process. *tls* is what it
    trusts; without one, httpx's own authorities.

    Redirects are not followed: none is documented, and one would carry our key along.
    """
    return httpx.Client(
        verify=tls or True,
        timeout=httpx.Timeout(read_s, connect=connect_s, pool=connect_s),
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=30.0),
        follow_redirects=False,
    )


class Walked:
    """
    The folders that were listed in walks that are not at their end, so that the next attempt goes on with them. For
    minutes only: who puts a file into a folder expects the next order to have it.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._folders: dict[tuple[str, str], tuple[datetime, tuple[Node, ...]]] = {}
        self._lock = Lock()

    def of(self, folder: tuple[str, str]) -> tuple[Node, ...] | None:
        """What was in *folder* (its workspace and id) a moment ago, None when nobody knows."""
        with self._lock:
            at, nodes = self._folders.get(folder, (None, ()))
        return nodes if at is not None and self._clock() - at <= _KEPT_FOR else None

    def keep(self, folder: tuple[str, str], nodes: tuple[Node, ...]) -> None:
        with self._lock:
            if len(self._folders) >= _MOST_KEPT:
                self._folders.clear()
            self._folders[folder] = (self._clock(), nodes)

    def forget(self, folders: Iterable[tuple[str, str]]) -> None:
        with self._lock:
            for folder in folders:
                self._folders.pop(folder, None)


class FastioApi:
    """
    Safe to use from several threads at once. *api_key* is asked for at every call, so it may rotate.

    Every call raises OutOfTime instead of being begun after *deadline*.
    """

    def __init__(
        self,
        *,
        client: httpx.Client,
        api_key: Callable[[], str],
        api_base: str,
        clock: Clock,
        deadline: datetime | None = None,
        walked: Walked | None = None,
        guest: bool = False,
    ) -> None:
        self.walked = walked or Walked(clock)
        self._client = client
        self._api_key = api_key
        self._base = api_base.rstrip("/")
        self._clock = clock
        self._deadline = deadline
        self._guest = guest

    @classmethod
    def over_https(
        cls,
        *,
        api_key: Callable[[], str],
        clock: Clock,
        api_base: str = API_BASE,
        client: httpx.Client | None = None,
        read_s: float = READ_SECONDS,
    ) -> Self:
        """
        With *client*, else with one of its own that waits *read_s* seconds for an answer. `close` it, or keep it for
        the life of the process.
        """
        return cls(client=client or http_client(read_s=read_s), api_key=api_key, api_base=api_base, clock=clock)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def until(self, deadline: datetime | None) -> Self:
        """The same, for one piece of work that has to stop at *deadline*."""
        return self._but(self._api_key, deadline, guest=self._guest)

    def as_guest(self, token: str = "") -> Self:
        """The same, without our key, as somebody with a link is seen: with a guest's *token*, once there is one."""
        return self._but(lambda: token, self._deadline, guest=True)

    def _but(self, api_key: Callable[[], str], deadline: datetime | None, *, guest: bool) -> Self:
        return type(self)(
            client=self._client,
            api_key=api_key,
            api_base=self._base,
            clock=self._clock,
            deadline=deadline,
            walked=self.walked,
            guest=guest,
        )

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Reply:
        """Read. Tried a second time when the first met a dropped connection or a 502, 503 or 504."""
        reply = self._call("GET", path, params=params)
        return self._call("GET", path, params=params) if _may_pass(reply) else reply

    def post(self, path: str, form: Mapping[str, str] | None = None, *, repeatable: bool = False) -> Reply:
        """
        Change something. Fast.io has no idempotency key: only what is *repeatable* is tried a second time, as `get` is.
        """
        reply = self._call("POST", path, form=form)
        return self._call("POST", path, form=form) if repeatable and _may_pass(reply) else reply

    def delete(self, path: str, confirmation: Mapping[str, str] | None = None) -> Reply:
        """Take something away. Not tried again by itself either: whoever calls comes back anyway. No body is read."""
        return self._call("DELETE", path, params=confirmation)

    def data(self, reply: Reply, *, doing: str) -> dict[str, Any]:
        """The data of *reply*. Raises what `fastio_refusals` makes of it when it is no success."""
        if not 200 <= reply.status < 300:
            raise self.refusal(reply, doing=doing) from reply.failure
        found = wire.payload(reply.body)
        if found is None:
            raise refusals.not_understood(reply, doing=doing)
        return found

    def refusal(self, reply: Reply, *, doing: str) -> PaidshareError:
        """What `fastio_refusals` makes of *reply*, now."""
        return refusals.refusal(reply, doing=doing, now=self._clock())

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Reply:
        key = self._api_key() if self._guest else self._key()
        # The vendor's own client sends an empty object where there are no fields.
        bare = method == "POST" and form is None
        reply = self._send(key, method, path, params=params, data=form, json={} if bare else None)
        place = _place(path)
        if place and reply.status in wire.KEY_OR_MEMBERSHIP and self._may_be_the_place(key, reply):
            return replace(reply, hidden=place)
        return reply

    def _may_be_the_place(self, key: str, reply: Reply) -> bool:
        """Whether *reply* refuses this call alone, and not the key for all of them."""
        return wire.barrier(reply) is None and (self._guest or self._is_good(key))

    def _is_good(self, key: str) -> bool:
        """Whether Fast.io takes *key* at all: the one that was refused, not one rotated in since."""
        reply = self._send(key, "GET", wire.path("user", "auth", "check"))
        return 200 <= reply.status < 300 and wire.payload(reply.body) is not None

    def _send(self, key: str, method: str, path: str, **content: Any) -> Reply:
        if self._deadline is not None and self._clock() >= self._deadline:
            raise OutOfTime("no time left for another call to Fast.io", wait=1)
        headers = {"accept": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})
        try:
            answer = self._client.request(method, self._base + path, headers=headers, **content)
        except httpx.HTTPError as exc:
            return Reply(status=0, failure=exc, sent=not isinstance(exc, _NEVER_SENT))
        # httpx's header names are case-insensitive; a plain dict's are not.
        named = {name.lower(): value for name, value in answer.headers.items()}
        return Reply(status=answer.status_code, headers=named, body=answer.content)

    def _key(self) -> str:
        key = self._api_key()
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            why = "key refused: no usable fastio_api_key in the secret"
            raise FastioUnavailable(why, wait=refusals.KEY_WAIT, barrier=Barrier.KEY)
        return key


def _may_pass(reply: Reply) -> bool:
    dropped = isinstance(reply.failure, httpx.NetworkError | httpx.RemoteProtocolError)
    return dropped or reply.status in _PASSING


def _place(path: str) -> Literal["workspace", "share"] | None:
    """Whose path it is, when it is of one that an account is a member of."""
    first = path.split("/")[1]
    return "workspace" if first == "workspace" else "share" if first == "share" else None
