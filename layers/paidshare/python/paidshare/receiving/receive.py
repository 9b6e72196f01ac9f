"""
Use case: a webhook → refused, or verified and queued exactly once, before anybody is told “received”.

The order of checks is the cheapest first: address, size, signature, and only then JSON.
"""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field

from paidshare import notices
from paidshare.errors import TryAgain
from paidshare.notices import NotForUs, Notice
from paidshare.ports import Vault
from paidshare.receiving import fastio_events, signatures
from paidshare.receiving.ports import Intake
from paidshare.receiving.signatures import Refused, Verified
from paidshare.secret import Secret
from paidshare.settings.reading import Network

LARGEST_BODY = 1024 * 1024
"""Bytes. Stripe's largest events are some tens of KB; API Gateway itself lets 10 MB through."""


@dataclass(frozen=True, slots=True)
class Request:
    """A webhook as it came in: exact bytes, every header, the caller's address."""

    body: bytes
    headers: tuple[tuple[str, str], ...]
    address: str


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What the sender is told (`status` and nothing more), and what the operator is told (`fact`, `fields`).

    `fields` never hold a body, an address of a person, a link or a secret.
    """

    status: int
    fact: str
    fields: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sender:
    """
    One kind of webhook: who may send it, how it is verified and read.

    `unsigned` is the status for a request without any signature, `refused` for a wrong or expired one.
    """

    name: str
    allowed: tuple[Network, ...]
    secrets: Callable[[Secret], tuple[str, ...]]
    verify: Callable[..., Verified | Refused]
    read: Callable[[bytes, Verified], Notice | NotForUs]
    unsigned: int
    refused: int


def stripe(*, livemode: bool, allowed: tuple[Network, ...]) -> Sender:
    """Stripe's webhooks."""
    return Sender(
        name="stripe",
        allowed=allowed,
        secrets=lambda secret: secret.stripe_webhook_secrets,
        verify=signatures.verify_stripe,
        read=lambda body, _verified: notices.from_stripe(body, livemode=livemode),
        unsigned=400,
        refused=400,
    )


def fastio(*, allowed: tuple[Network, ...]) -> Sender:
    """Fast.io's webhooks. Unlike Stripe's route, this one tells “no signature” from “a wrong one”."""
    return Sender(
        name="fastio",
        allowed=allowed,
        secrets=lambda secret: secret.fastio_webhook_secrets,
        verify=signatures.verify_fastio,
        read=lambda body, verified: fastio_events.from_fastio(body, signed_at=verified.at),
        unsigned=400,
        refused=401,
    )


def receive(request: Request, sender: Sender, *, vault: Vault, intake: Intake, now: float) -> Answer:
    """
    Take *request* in. *now* is Unix seconds.

    Never raises a PaidshareError: whatever keeps us from taking it is a 503, and the sender comes back.
    """
    if not _let_in(request.address, sender.allowed):
        return Answer(403, "address_refused")
    if len(request.body) > LARGEST_BODY:
        return Answer(413, "body_too_large", {"bytes": len(request.body)})
    try:
        check = _verified(request, sender, vault, now)
        if isinstance(check, Refused):
            status = sender.unsigned if check.missing else sender.refused
            return Answer(status, "signature_refused", {"reason": str(check.reason)})
        return _take(sender.read(request.body, check), check, intake)
    except TryAgain as error:
        return Answer(503, "not_taken", {"reason": error.reason, "what": str(error)})


def _verified(request: Request, sender: Sender, vault: Vault, now: float) -> Verified | Refused:
    check = sender.verify(request.body, request.headers, sender.secrets(vault.secret()), now)
    if isinstance(check, Refused) and check.new_secret_may_help and (fresh := vault.reread()) is not None:
        return sender.verify(request.body, request.headers, sender.secrets(fresh), now)
    return check


def _take(read: Notice | NotForUs, check: Verified, intake: Intake) -> Answer:
    proof: dict[str, object] = {"scheme": str(check.scheme), "secret": check.secret_index + 1}
    if isinstance(read, NotForUs):
        return Answer(200, "not_for_us", {"reason": read.reason, "why": read.why} | proof)
    new = intake.take(read)
    ids = {"event_id": read.event_id, "why": read.why, "about": read.about}
    return Answer(200, "notice_queued" if new else "notice_repeated", ids | proof)


def _let_in(address: str, allowed: tuple[Network, ...]) -> bool:
    if not allowed:
        return True
    try:
        caller = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(caller, "ipv4_mapped", None)
    return any((mapped or caller) in network for network in allowed)
