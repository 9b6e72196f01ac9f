"""What an act at the Stripe stand-in is about, and what it was: ids and the event that matters."""

from dataclasses import dataclass

from local.stripe import sales
from local.stripe.billing import invoices
from local.stripe.objects import Json
from local.stripe.state import StripeState

_PAID = ("session", "invoice", "payment_intent", "charge")


@dataclass(frozen=True, slots=True)
class Done:
    """The types that the main event may have, the first that was told counts; and ids by what they name."""

    main: tuple[str, ...]
    ids: dict[str, str | None]


def only(given: Json, *known: str) -> None:
    """Raises ValueError for another field."""
    if unknown := set(given) - set(known):
        raise ValueError(f"there is no field {sorted(unknown)}; there are {known}")


def of_session(state: StripeState, session: Json, *main: str) -> Done:
    intent = sales.payment_of(state, session)
    return Done(
        main,
        {
            "session": session["id"],
            "subscription": session["subscription"],
            "invoice": session["invoice"],
            "payment_intent": intent["id"] if intent else None,
            "charge": intent["latest_charge"] if intent else None,
        },
    )


def of_invoice(state: StripeState, made: Json, *main: str) -> Done:
    intent, of = invoices.payment_of(state, made), invoices.subscription_of(state, made)
    return Done(
        main,
        {
            "invoice": made["id"],
            "subscription": of["id"] if of else None,
            "payment_intent": intent["id"] if intent else None,
            "charge": intent["latest_charge"] if intent else None,
        },
    )


def of_subscription(made: Json, *main: str) -> Done:
    return Done(main, {"subscription": made["id"], "invoice": made["latest_invoice"]})


def ids_of_charge(charge: Json) -> dict[str, str | None]:
    return {"charge": charge["id"], "payment_intent": charge["payment_intent"]}


def meant_charge(state: StripeState, given: Json) -> Json:
    """The charge of the one that is named: a session's, an invoice's, a payment intent's last one."""
    named = [key for key in _PAID if given.get(key)]
    if len(named) != 1:
        raise ValueError(f"name one of {_PAID}")
    kind = "checkout.session" if named[0] == "session" else named[0]
    found = known(state, kind, given[named[0]])
    if kind == "charge":
        return found
    intent: Json | None = found
    if kind == "checkout.session":
        intent = sales.payment_of(state, found)
    elif kind == "invoice":
        intent = invoices.payment_of(state, found)
    if intent is None:
        raise ValueError(f"{found['id']} was not paid with money that Stripe took")
    charge: Json = state.objects[intent["latest_charge"]]
    return charge


def of_charge(state: StripeState, kind: str, given: Json) -> Json:
    """The refund or dispute that is named, or the newest one of the charge that is."""
    if given.get(kind):
        return known(state, kind, given[kind])
    charge = meant_charge(state, given)
    found = state.related(kind, charge=charge["id"])
    if not found:
        raise ValueError(f"{charge['id']} has no {kind}")
    return found[0]


def meant_subscription(state: StripeState, given: Json) -> Json:
    if given.get("subscription"):
        return known(state, "subscription", given["subscription"])
    session = known(state, "checkout.session", given["session"])
    if session["subscription"] is None:
        raise ValueError(f"{session['id']} is no subscription's")
    return known(state, "subscription", session["subscription"])


def known(state: StripeState, kind: str, wanted: str) -> Json:
    """Whatever its mode or account."""
    found = state.objects.get(wanted)
    if found is None or found["object"] != kind:
        raise ValueError(f"there is no {kind} {wanted}")
    return found


def one_of(words: tuple[str, ...], word: str) -> str:
    if word not in words:
        raise ValueError(f"{word} is none of {', '.join(words)}")
    return word
