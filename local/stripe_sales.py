"""What a buyer does at the Stripe stand-in: pay at once or late, or fail to. No event is made or sent here."""

import dataclasses
import itertools
from dataclasses import dataclass, field
from typing import Literal, get_args

from local import stripe_objects
from local.stripe_objects import Json
from local.stripe_state import StripeState

Mode = Literal["payment", "setup", "subscription"]
PaymentStatus = Literal["paid", "unpaid", "no_payment_required"]

_MOST_LINES = 1_000  # More than Stripe lets a seller make, so that many pages can be tried.


@dataclass(frozen=True, slots=True)
class Sale:
    """
    How a session ends. `session` pays an open one; else a session is made, with the id `new_id` if one is given.

    Its lines are the default prices of `products` (ids), gone round until there are `lines` of them; without
    products, `lines` new ones whose metadata is `metadata`. `late` is completed now, paid days later. `quiet`
    loses the event. `account` is a connected account. `livemode` None is the stand-in's own mode.
    """

    email: str = "buyer@example.com"
    email_none: bool = False
    session: str | None = None
    new_id: str | None = None
    products: list[str] | None = None
    lines: int | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    mode: Mode = "payment"
    payment_status: PaymentStatus | None = None
    late: bool = False
    quiet: bool = False
    payment_link: bool = False
    livemode: bool | None = None
    account: str | None = None

    @classmethod
    def read(cls, raw: Json) -> "Sale":
        """Raises ValueError with what is wrong: a misspelt field that does nothing would make a test lie."""
        if unknown := set(raw) - {f.name for f in dataclasses.fields(cls)}:
            raise ValueError(f"a sale has no field {sorted(unknown)}")
        sale = cls(**raw)
        if sale.mode not in get_args(Mode):
            raise ValueError(f"mode is one of {get_args(Mode)}")
        if sale.payment_status not in (None, *get_args(PaymentStatus)):
            raise ValueError(f"payment_status is one of {get_args(PaymentStatus)}")
        if sale.lines is not None and not 1 <= sale.lines <= _MOST_LINES:
            raise ValueError(f"lines is 1 to {_MOST_LINES}")
        return sale


def made_product(state: StripeState, raw: Json) -> tuple[Json, Json]:
    """
    A product with its default price: `{"name", "metadata", "unit_amount", "currency"}`, all optional.

    Raises ValueError for another field.
    """
    if set(raw) - {"name", "metadata", "unit_amount", "currency"}:
        raise ValueError("a product has name, metadata, unit_amount and currency")
    metadata = {str(k): str(v) for k, v in raw.get("metadata", {}).items()}
    return _product(
        state,
        str(raw.get("name", "Field guide (PDF)")),
        metadata,
        amount=int(raw.get("unit_amount", 1_900)),
        currency=str(raw.get("currency", "usd")),
    )


def completed(state: StripeState, sale: Sale) -> Json:
    """The session, complete. Raises ValueError when it cannot be paid, StripeProblem when an id is unknown."""
    session = _open_session(state, sale)
    email = None if sale.email_none else sale.email
    status = sale.payment_status or _status(session["mode"], late=sale.late)
    session |= {
        "status": "complete",
        "payment_status": status,
        "customer_details": stripe_objects.customer_details(email or session["customer_email"]),
        "url": None,
    }
    match session["mode"]:
        case "setup":
            session["setup_intent"] = stripe_objects.new_id("seti")
        case "subscription":
            session |= {
                "customer": stripe_objects.new_id("cus", 14),
                "subscription": stripe_objects.new_id("sub"),
                "invoice": stripe_objects.new_id("in"),
            }
        case "payment" if status == "no_payment_required":
            # A coupon took all of it.
            discount = session["amount_subtotal"]
            session |= {"amount_total": 0, "total_details": {**session["total_details"], "amount_discount": discount}}
        case _ if status != "no_payment_required":
            session["payment_intent"] = _paid_with(state, session, status)["id"]
    return session


def settled(state: StripeState, session_id: str) -> Json:
    """The late payment came. Raises ValueError unless it is still awaited, StripeProblem if it is unknown."""
    session = _awaited(state, session_id)
    session["payment_status"] = "paid"
    if intent := state.objects.get(session["payment_intent"] or ""):
        intent |= {"status": "succeeded", "amount_received": intent["amount"]}
    return session


def failed(state: StripeState, session_id: str) -> Json:
    """The late payment failed. Raises like `settled`."""
    session = _awaited(state, session_id)
    if intent := state.objects.get(session["payment_intent"] or ""):
        intent |= {
            "status": "requires_payment_method",
            "last_payment_error": {"type": "card_error", "code": "payment_method_provider_decline"},
        }
    return session


def known_session(state: StripeState, session_id: str) -> Json:
    """Whatever its mode or account. Raises ValueError when there is none."""
    session = state.objects.get(session_id)
    if session is None or session["object"] != "checkout.session":
        raise ValueError(f"there is no session {session_id}")
    return session


def _awaited(state: StripeState, session_id: str) -> Json:
    session = known_session(state, session_id)
    if (session["status"], session["payment_status"]) != ("complete", "unpaid"):
        raise ValueError(f"{session_id} is {session['status']} and {session['payment_status']}, not awaited")
    return session


def _status(mode: str, *, late: bool) -> str:
    if mode == "setup":
        return "no_payment_required"
    return "unpaid" if late else "paid"


def _open_session(state: StripeState, sale: Sale) -> Json:
    if sale.session:
        session = known_session(state, sale.session)
        if session["status"] != "open":
            raise ValueError(f"{sale.session} is {session['status']} already")
        return session
    lines = [] if sale.mode == "setup" else _lines(state, sale)
    livemode = state.livemode if sale.livemode is None else sale.livemode
    session = stripe_objects.session(
        mode=sale.mode,
        lines=lines,
        livemode=livemode,
        now=state.now,
        success_url="https://shop.example/thanks?session_id={CHECKOUT_SESSION_ID}",
    )
    if sale.new_id in state.objects:
        raise ValueError(f"{sale.new_id} is there already")
    session["id"] = sale.new_id or session["id"]
    state.lines[session["id"]] = lines
    if sale.account:
        state.owners[session["id"]] = sale.account
    if sale.payment_link:
        session["payment_link"] = _link(state, lines)["id"]
    return state.keep(session)


def _lines(state: StripeState, sale: Sale) -> list[Json]:
    """Raises StripeProblem when a product is unknown."""
    if sale.products:
        of = [state.find("product", wanted, param="products") for wanted in sale.products]
    else:
        of = [_product(state, f"Sample {i}", sale.metadata)[0] for i in range(1, (sale.lines or 1) + 1)]
    chosen = itertools.islice(itertools.cycle(of), sale.lines or len(of))
    return [
        stripe_objects.line(_price_of(state, product, sale.mode), product["name"], quantity=1) for product in chosen
    ]


def _price_of(state: StripeState, product: Json, mode: Mode) -> Json:
    price = state.objects.get(product["default_price"] or "")
    if price is None or (price["type"] == "recurring") is not (mode == "subscription"):
        repeats = {"type": "recurring", "recurring": stripe_objects.recurring()}
        price = state.keep(
            stripe_objects.price(
                product["id"],
                amount=1_900,
                currency="usd",
                livemode=product["livemode"],
                now=state.now,
                **(repeats if mode == "subscription" else {}),
            )
        )
    return price


def _product(
    state: StripeState, name: str, metadata: dict[str, str], *, amount: int = 1_900, currency: str = "usd"
) -> tuple[Json, Json]:
    product = state.keep(stripe_objects.product(name, livemode=state.livemode, now=state.now, metadata=metadata))
    price = state.keep(
        stripe_objects.price(product["id"], amount=amount, currency=currency, livemode=state.livemode, now=state.now)
    )
    product["default_price"] = price["id"]
    return product, price


def _link(state: StripeState, lines: list[Json]) -> Json:
    link = state.keep(
        stripe_objects.payment_link(
            currency=lines[0]["currency"] if lines else "usd", livemode=state.livemode, metadata={}
        )
    )
    state.lines[link["id"]] = lines
    return link


def _paid_with(state: StripeState, session: Json, status: str) -> Json:
    return state.keep(
        stripe_objects.payment_intent(
            amount=session["amount_total"] or 0,
            currency=session["currency"] or "usd",
            status="succeeded" if status == "paid" else "processing",
            livemode=session["livemode"],
            now=state.now,
        )
    )
