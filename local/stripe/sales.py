"""What a buyer does at the Stripe stand-in's Checkout: pay at once or late, or fail to."""

import itertools

from local.stripe import catalog, objects
from local.stripe.billing import invoices, subscriptions
from local.stripe.money import movements
from local.stripe.money.movements import Outcome
from local.stripe.objects import Json
from local.stripe.sale import Sale
from local.stripe.state import StripeState

_INVOICE_CREATION = {
    "enabled": True,
    "invoice_data": {
        "account_tax_ids": None,
        "custom_fields": None,
        "description": None,
        "footer": None,
        "issuer": None,
        "metadata": {},
        "rendering_options": None,
    },
}


def completed(state: StripeState, sale: Sale) -> Json:
    """
    The session, complete, and told with all that comes of it.

    Raises ValueError when it cannot be paid, StripeProblem when an id is unknown.
    """
    session = _open_session(state, sale)
    email = None if sale.email_none else sale.email
    _discount(state, session, sale)
    status = sale.payment_status or _status(session, late=sale.late)
    session |= {
        "status": "complete",
        "payment_status": status,
        "customer_details": objects.customer_details(email or session["customer_email"]),
        "url": None,
    }
    if session["mode"] == "subscription" or sale.invoice_creation:
        session["customer"] = objects.new_id("cus", 14)
        # The seller's site left it to the browser, whose languages Checkout writes to the customer that it makes.
        state.locales[session["customer"]] = [sale.locale] if sale.locale else []
    elif sale.locale:
        session["locale"] = sale.locale
    match session["mode"]:
        case "setup":
            session["setup_intent"] = objects.new_id("seti")
        case "subscription":
            return _subscribed(state, session, trial_days=sale.trial_days)
        case _ if status != "no_payment_required":
            session["payment_intent"] = _charged(state, session, _outcome(status))["id"]
    if sale.invoice_creation:
        session["invoice_creation"] = _INVOICE_CREATION
        if status != "unpaid":
            invoices.receipt(state, session)
    state.tell("checkout.session.completed", session)
    return session


def _charged(state: StripeState, session: Json, outcome: Outcome) -> Json:
    return movements.charged(
        state,
        outcome,
        amount=session["amount_total"] or 0,
        currency=session["currency"] or "usd",
        livemode=session["livemode"],
        email=session["customer_details"]["email"],
        customer=session["customer"],
        account=state.owners.get(session["id"]),
    )


def settled(state: StripeState, session_id: str) -> Json:
    """The late payment came, told. Raises ValueError unless it is still awaited."""
    session, intent = _awaited(state, session_id)
    movements.settled(state, intent, "succeeded")
    session["payment_status"] = "paid"
    if session["mode"] == "subscription":
        invoices.settled(state, state.objects[session["invoice"]], "succeeded")
    elif session["invoice_creation"]:
        invoices.receipt(state, session)
    state.tell("checkout.session.async_payment_succeeded", session)
    return session


def failed(state: StripeState, session_id: str) -> Json:
    """The late payment failed, told. Raises like `settled`."""
    session, intent = _awaited(state, session_id)
    movements.settled(state, intent, "failed")
    if session["mode"] == "subscription":
        invoices.settled(state, state.objects[session["invoice"]], "failed")
    state.tell("checkout.session.async_payment_failed", session)
    return session


def known_session(state: StripeState, session_id: str) -> Json:
    """Whatever its mode or account. Raises ValueError when there is none."""
    session = state.objects.get(session_id)
    if session is None or session["object"] != "checkout.session":
        raise ValueError(f"there is no session {session_id}")
    return session


def _subscribed(state: StripeState, session: Json, *, trial_days: int) -> Json:
    status = session["payment_status"]
    subscription = subscriptions.begun(state, session, outcome=_outcome(status), trial_days=trial_days)
    state.tell("checkout.session.completed", session)
    if status != "unpaid":
        state.tell("invoice.paid", state.objects[session["invoice"]])
    state.tell("customer.subscription.created", subscription)
    return session


def _awaited(state: StripeState, session_id: str) -> tuple[Json, Json]:
    """The session and its payment intent."""
    session = known_session(state, session_id)
    intent = payment_of(state, session)
    if intent is None or intent["status"] != "processing":
        raise ValueError(
            f"{session_id} is {session['status']} and {session['payment_status']}, and no payment is on its way"
        )
    return session, intent


def payment_of(state: StripeState, session: Json) -> Json | None:
    """The payment intent that paid, or is to pay, the session: in mode subscription its first invoice's."""
    if session["mode"] == "subscription":
        invoice = state.objects.get(session["invoice"] or "")
        return invoices.payment_of(state, invoice) if invoice else None
    return state.objects.get(session["payment_intent"] or "")


def _status(session: Json, *, late: bool) -> str:
    if session["mode"] == "setup" or not session["amount_total"]:
        return "no_payment_required"
    return "unpaid" if late else "paid"


def _outcome(payment_status: str) -> Outcome:
    return "pending" if payment_status == "unpaid" else "succeeded"


def _discount(state: StripeState, session: Json, sale: Sale) -> None:
    """Takes the discount off the lines in proportion, what is left over off the last; all when nothing is to pay."""
    lines, subtotal = state.lines[session["id"]], session["amount_subtotal"] or 0
    whole = subtotal if sale.payment_status == "no_payment_required" else sale.discount
    if whole > subtotal:
        raise ValueError(f"a discount of {whole} is more than the {subtotal} to pay")
    left = whole
    for number, line in enumerate(lines, start=1):
        last = number == len(lines)
        share = left if last else whole * line["amount_subtotal"] // subtotal if subtotal else 0
        line |= {"amount_discount": share, "amount_total": line["amount_subtotal"] - share}
        left -= share
    if whole:
        session["amount_total"] = subtotal - whole
        session["total_details"] = {**session["total_details"], "amount_discount": whole}


def _open_session(state: StripeState, sale: Sale) -> Json:
    if sale.session:
        session = known_session(state, sale.session)
        if session["status"] != "open":
            raise ValueError(f"{sale.session} is {session['status']} already")
        return session
    lines = [] if sale.mode == "setup" else _lines(state, sale)
    session = objects.session(
        mode=sale.mode,
        lines=lines,
        livemode=state.livemode if sale.livemode is None else sale.livemode,
        now=state.now,
        success_url="https://shop.example/thanks?session_id={CHECKOUT_SESSION_ID}",
    )
    if sale.new_id in state.objects:
        raise ValueError(f"{sale.new_id} is there already")
    session["id"] = sale.new_id or session["id"]
    state.lines[session["id"]] = lines
    if sale.payment_link:
        session["payment_link"] = _link(state, lines)["id"]
    return state.keep(session, account=sale.account)


def _lines(state: StripeState, sale: Sale) -> list[Json]:
    """Raises StripeProblem when a product is unknown."""
    if sale.products:
        of = [state.find("product", wanted, param="products") for wanted in sale.products]
    else:
        of = [catalog.sample(state, f"Sample {i}", sale.metadata)[0] for i in range(1, (sale.lines or 1) + 1)]
    chosen = itertools.islice(itertools.cycle(of), sale.lines or len(of))
    once = [state.find("product", wanted, param="once_products") for wanted in sale.once_products or ()]
    repeating = sale.mode == "subscription"
    return [
        *(catalog.sold(state, one, sale.quantity, repeating=repeating, free=bool(sale.trial_days)) for one in chosen),
        *(catalog.sold(state, one, sale.quantity) for one in once),
    ]


def _link(state: StripeState, lines: list[Json]) -> Json:
    link = state.keep(
        objects.payment_link(currency=lines[0]["currency"] if lines else "usd", livemode=state.livemode, metadata={})
    )
    state.lines[link["id"]] = lines
    return link
