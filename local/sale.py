"""Makes sales in a running system through the Stripe stand-in, has things happen to them, and waits for what comes."""

import json
import time
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from local import samples, seeds
from local.aws import letters
from local.aws.letters import Letter
from local.hosting.endpoints import Endpoints
from local.settings import STRIPE_API_KEY

_LAST = "last-sale.json"
_POLL_SECONDS = 0.05

LETTER_SECONDS = 30.0
"""A buyer's patience: the first sale wakes two functions up, and each then loads its code."""

QUIET_SECONDS = 2.0
"""How long nothing must come before we say that nothing comes; a letter takes less than half of it."""


class SaleFailed(Exception):
    """A sale did not end as it should have."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """
    One delivery of an event to our webhook; `status` 0 means no answer came.

    `told` has every event that was sent for the same reason, type by answer, in order; `at` is when the first of
    them was, in Unix seconds.
    """

    event: str
    status: int
    seconds: float
    at: float
    body: str
    told: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Order:
    """What was sold, and to whom."""

    session: str
    email: str


@dataclass(frozen=True, slots=True)
class Sale(Order):
    """And how the webhook answered."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Happened:
    """What came of an act. `ids` says what it was about: `refund`, `charge`, and so on."""

    attempt: Attempt
    ids: dict[str, Any]


def sell(
    to: Endpoints,
    *,
    email: str,
    product: str | None = None,
    late: bool = False,
    subscription: bool = False,
    trial_days: int = 0,
    locale: str | None = None,
) -> Sale:
    """
    *email*, who reads *locale*, buys *product* (an id or a name; the first one when None), once or by *subscription*.

    *late* leaves it to be paid: `settle`. Raises SaleFailed.
    """
    wanted: dict[str, Any] = {"email": email, "products": [_product_id(to, product)], "late": late, "locale": locale}
    if subscription or trial_days:
        wanted |= {"mode": "subscription", "trial_days": trial_days}
    answer = _post(to, "/_pay", wanted)
    return Sale(answer["session"], email, attempt_in(answer))


def sell_sample(to: Endpoints) -> None:
    """Make the order of the sample events known to Stripe, paid, without an event. Raises SaleFailed."""
    with seeds.client(to.stripe_url, key=STRIPE_API_KEY) as stripe:
        known = stripe.get(f"/v1/checkout/sessions/{samples.SESSION}").status_code == 200
    if not known:
        wanted = {"email": "sample@example.com", "products": [_product_id(to, None)], "quiet": True}
        _post(to, "/_pay", {**wanted, "new_id": samples.SESSION})


def settle(to: Endpoints, order: Order) -> Sale:
    """The late payment comes in. Raises SaleFailed."""
    return Sale(order.session, order.email, happen(to, order, "settle").attempt)


def happen(to: Endpoints, order: Order, act: str, **fields: Any) -> Happened:
    """
    Has an act of the Stripe stand-in's (`refund`; `local.stripe.control` lists them) done to *order*.

    Raises SaleFailed when it cannot be done.
    """
    answer = _post(to, f"/_{act}", {"session": order.session, **fields})
    return Happened(attempt_in(answer), answer)


def repeat(to: Endpoints, event: str, *, forged: bool = False) -> Attempt:
    """The same event once more, signed with a key of nobody's when *forged*. Raises SaleFailed."""
    return attempt_in(_post(to, "/_send", {"event": event, "forged": forged}))


def letter_ids(to: Endpoints) -> set[str]:
    return {letter.id for letter in letters.sent(to.aws_endpoint_url)}


def wait_for_letter(to: Endpoints, email: str, *, besides: set[str], seconds: float = LETTER_SECONDS) -> Letter:
    """The first letter to *email* that is none of *besides*. Raises SaleFailed when none comes."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for letter in letters.sent(to.aws_endpoint_url):
            if email in letter.to and letter.id not in besides:
                return letter
        time.sleep(_POLL_SECONDS)
    raise SaleFailed(f"no letter to {email} came in {seconds:.0f} s")


def nothing_comes(to: Endpoints, *, besides: Collection[str], seconds: float = QUIET_SECONDS) -> None:
    """Raises SaleFailed as soon as a letter comes after all."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for letter in letters.sent(to.aws_endpoint_url):
            if letter.id not in besides:
                raise SaleFailed(f"a letter to {', '.join(letter.to)} came, and none should have")
        time.sleep(_POLL_SECONDS)


def remember(home: Path, sale: Sale) -> None:
    (home / _LAST).write_text(json.dumps(asdict(sale)))


def last(home: Path) -> Sale:
    """The sale made last in this system. Raises SaleFailed when there was none."""
    try:
        raw = json.loads((home / _LAST).read_text())
    except FileNotFoundError:
        raise SaleFailed("no sale was made yet: python -m local pay") from None
    return Sale(raw["session"], raw["email"], Attempt(**raw["attempt"]))


def chosen(to: Endpoints, home: Path, session: str | None) -> Order:
    """The order of *session*, or the one sold last. Raises SaleFailed when there is none."""
    if session is None:
        return last(home)
    details = seen(to, f"/v1/checkout/sessions/{session}")["customer_details"]
    if not details or not details["email"]:
        raise SaleFailed(f"{session} has no buyer whose letters could be waited for")
    return Order(session, details["email"])


def seen(to: Endpoints, path: str) -> dict[str, Any]:
    """What the Stripe stand-in's API shows at *path*. Raises SaleFailed when it shows nothing."""
    _needs_stand_in(to)
    with seeds.client(to.stripe_url, key=STRIPE_API_KEY) as stripe:
        answer = stripe.get(path)
    found: dict[str, Any] = answer.json()
    if answer.status_code != 200:
        raise SaleFailed(f"the Stripe stand-in refuses: {found['error']['message']}")
    return found


def forget(home: Path) -> None:
    """A new system knows nothing of an old one's sales."""
    (home / _LAST).unlink(missing_ok=True)


def _product_id(to: Endpoints, wanted: str | None) -> str:
    if wanted is None and to.product_ids:
        return to.product_ids[0]
    _needs_stand_in(to)
    with seeds.client(to.stripe_url, key=STRIPE_API_KEY) as stripe:
        listed = stripe.get("/v1/products", params={"limit": 100})
    products = listed.json().get("data", [])
    for product in products:
        if wanted in (product["id"], product["name"]):
            return str(product["id"])
    names = ", ".join(product["name"] for product in products) or "none at all (FASTIO_FILES, with a real Fast.io)"
    raise SaleFailed(f"there is no product {wanted or 'to sell'}; there are: {names}")


def _post(to: Endpoints, path: str, body: dict[str, Any]) -> dict[str, Any]:
    _needs_stand_in(to)
    with seeds.client(to.stripe_url) as stripe:
        answer = stripe.post(path, json=body)
    found: dict[str, Any] = answer.json()
    if answer.status_code != 200:
        raise SaleFailed(f"the Stripe stand-in refuses: {found.get('error', answer.status_code)}")
    return found


def _needs_stand_in(to: Endpoints) -> None:
    if to.stripe_is_real:
        raise SaleFailed("Stripe is the real one here: pay in its test mode, with `stripe listen` running")


def attempt_in(answer: dict[str, Any]) -> Attempt:
    """
    The delivery of the main event in an answer of the stand-in's; of the first that the webhook wants, when the main
    one is not among those. Raises SaleFailed when none went anywhere.
    """
    sent = [one["delivery"] for one in answer.get("events", []) if one["delivery"]]
    made = answer["delivery"] or next(iter(sent), None)
    if made is None:
        raise SaleFailed("the Stripe stand-in has no webhook to send to, or none that wants such an event")
    return Attempt(
        event=answer["event"] if answer["delivery"] else made["event"],
        status=made["status"],
        seconds=made["seconds"],
        at=min([made["at"], *(one["at"] for one in sent)]),
        body=made["body"],
        told={one["type"]: one["status"] for one in sent},
    )
