"""Everything that the Stripe stand-in knows, and how it is looked up: by id, by page, expanded."""

import copy
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from local.stripe import objects
from local.stripe.form import Params, StripeProblem
from local.stripe.objects import Json

PAGE = ("limit", "starting_after", "ending_before")
"""The parameters of every list."""

_ONLY_AN_ID = "price_details.product"
"""A plain string in Stripe's SDK, of which `price_details.price` is expandable (invoice line items)."""
_DEEPEST = 4  # docs.stripe.com/expand
_FIRST_PAGE = 10  # What an expanded list shows.

_KINDS = {
    "prod": "product",
    "price": "price",
    "cs": "checkout.session",
    "cus": "customer",
    "pi": "payment_intent",
    "ch": "charge",
    "re": "refund",
    "du": "dispute",
    "issfr": "radar.early_fraud_warning",
    "sub": "subscription",
    "in": "invoice",
    "inpay": "invoice_payment",
    "plink": "payment_link",
    "evt": "event",
    "we": "webhook_endpoint",
}


@dataclass(slots=True)
class StripeState:
    """
    One mode (*livemode*) of one Stripe account. Objects are kept as the JSON that is answered, by id.

    `lines` are by the id of their session, payment link or invoice; `owners` says which connected account an
    object belongs to; `outbox` has the events that were made and not sent yet, `delivered` those that every
    endpoint took. `locales` are what customers read, by their ids: nothing else is known of one.
    """

    livemode: bool = False
    clock: Callable[[], float] = field(kw_only=True)
    offset: float = 0.0
    objects: dict[str, Json] = field(default_factory=dict)
    lines: dict[str, list[Json]] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    locales: dict[str, list[str]] = field(default_factory=dict)
    outbox: list[Json] = field(default_factory=list)
    delivered: set[str] = field(default_factory=set)
    answers: dict[str, tuple[str, Json]] = field(default_factory=dict)

    @property
    def now(self) -> int:
        """Unix seconds on the stand-in's own clock, which `/_clock` moves."""
        return int(self.clock() + self.offset)

    def forget(self) -> None:
        self.offset = 0.0
        self.objects.clear()
        self.lines.clear()
        self.owners.clear()
        self.outbox.clear()
        self.delivered.clear()
        self.answers.clear()

    def keep(self, made: Json, *, account: str | None = None) -> Json:
        self.objects[made["id"]] = made
        if account:
            self.owners[made["id"]] = account
        return made

    def find(self, kind: str, wanted: str, *, param: str | None = None, account: str | None = None) -> Json:
        """
        The object itself, not a copy. *param* names the parameter that had the id, None when the path had it.

        Raises StripeProblem: 404 for a path, 400 for a parameter, as Stripe has it. An object of the other
        mode or of another account is as unknown as one that never was.
        """
        found = self.objects.get(wanted)
        if found and found["object"] == kind and self._visible(found, account):
            return found
        message = f"No such {kind}: '{wanted}'"
        if found and self._livemode_of(found) is not self.livemode:
            there, here = ("test", "live") if self.livemode else ("live", "test")
            message += (
                f"; a similar object exists in {there} mode, but a {here} mode key was used to make this request."
            )
        raise StripeProblem(message, status=400 if param else 404, code="resource_missing", param=param or "id")

    def every(self, kind: str, *, account: str | None = None) -> list[Json]:
        """All of one kind that the caller may see, newest first."""
        return [o for o in reversed(self.objects.values()) if o["object"] == kind and self._visible(o, account)]

    def related(self, kind: str, **fields: str) -> list[Json]:
        """All of one kind that have these fields, whoever may see them, newest first."""
        return [
            one
            for one in reversed(self.objects.values())
            if one["object"] == kind and all(one[key] == value for key, value in fields.items())
        ]

    def filters(self, params: Params, account: str | None, **kinds: str) -> dict[str, str]:
        """
        The filters of a list that are given: each names an object of its kind.

        Raises StripeProblem (400) for an id that is unknown, as Stripe does, rather than finding nothing.
        """
        given = {key: value for key in kinds if (value := params.text(key))}
        for key, value in given.items():
            if kinds[key] != "customer":
                self.find(kinds[key], value, param=key, account=account)
            elif not any(one.get("customer") == value for one in self.objects.values()):
                # Customers are only names here: one exists when something is theirs.
                raise StripeProblem(f"No such customer: '{value}'", code="resource_missing", param=key)
        return given

    def _visible(self, found: Json, account: str | None) -> bool:
        return self._livemode_of(found) is self.livemode and self.owners.get(found["id"]) == account

    def _livemode_of(self, found: Json) -> bool:
        """A refund does not say: it has the mode of its charge."""
        mode: bool = (found if "livemode" in found else self.objects[found["charge"]])["livemode"]
        return mode

    def lines_of(self, owner: str, params: Params) -> Json:
        kind = self.objects[owner]["object"]
        url = f"/v1/invoices/{owner}/lines" if kind == "invoice" else f"/v1/checkout/sessions/{owner}/line_items"
        return page(self.lines.get(owner, []), params, url=url)

    def expanded(self, answer: Json, paths: Iterable[str]) -> Json:
        """A copy of *answer* with what `expand[]` asks for. Raises StripeProblem for what cannot be expanded."""
        whole = copy.deepcopy(answer)
        for path in paths:
            if path.count(".") >= _DEEPEST:
                raise StripeProblem(
                    f"You cannot expand more than {_DEEPEST} levels of a property. Property: {path}",
                    code="property_too_deep",
                )
            self._expand(whole, path.split("."), path)
        return whole

    def _expand(self, here: Any, path: list[str], whole: str) -> None:
        if not path or here is None:
            return
        if isinstance(here, list):
            for one in here:
                self._expand(one, path, whole)
            return
        key = path[0]
        if key not in here and (listed := self._list_in(here, key)):
            here[key] = copy.deepcopy(listed)
        if key not in here or _ONLY_AN_ID in whole:
            raise StripeProblem(f"This property cannot be expanded ({whole}).", code="property_cannot_be_expanded")
        if isinstance(here[key], str):
            here[key] = self._object_named(here[key], whole)
        self._expand(here[key], path[1:], whole)

    def _list_in(self, here: Json, key: str) -> Json | None:
        """The first page of a list that an object shows only when it is asked to."""
        match here.get("object"), key:
            case ("checkout.session" | "payment_link", "line_items"):
                return self.lines_of(here["id"], Params({}))
            case ("charge", "refunds"):
                found = self.related("refund", charge=here["id"])
                return page(found, Params({}), url=f"/v1/charges/{here['id']}/refunds")
            case ("invoice", "payments"):
                found = self.related("invoice_payment", invoice=here["id"])
                return page(found, Params({}), url=f"/v1/invoice_payments?invoice={here['id']}")
            case _:
                return None

    def _object_named(self, name: str, path: str) -> Json:
        kind = _KINDS.get(re.split("_", name)[0])
        if kind is None:
            raise StripeProblem(f"This property cannot be expanded ({path}).", code="property_cannot_be_expanded")
        if name in self.locales:
            return {"id": name, "object": kind, "livemode": self.livemode, "preferred_locales": self.locales[name]}
        found = self.objects.get(name)
        return copy.deepcopy(found) if found else {"id": name, "object": kind, "deleted": True}

    def new_event(self, kind: str, of: Json) -> Json:
        """A new Event object about *of*, as it is now. `pending_webhooks` is 1 until every endpoint took it."""
        account, livemode = self.owners.get(of["id"]), self._livemode_of(of)
        made = objects.event(kind, copy.deepcopy(of), livemode=livemode, now=self.now, account=account)
        return self.keep(made, account=account)

    def tell(self, kind: str, of: Json) -> None:
        """An event about *of*, as it is now, to be sent when the work is done."""
        self.outbox.append(self.new_event(kind, of))

    def told(self) -> list[Json]:
        """What is to be sent, in order; the outbox is empty then."""
        events, self.outbox = self.outbox, []
        return events


def page(items: list[Json], params: Params, *, url: str) -> Json:
    """One page of *items*, which are in the order of the list (docs.stripe.com/api/pagination)."""
    limit = params.integer("limit", _FIRST_PAGE, low=1, high=100)
    after, before = params.text("starting_after"), params.text("ending_before")
    if after and before:
        raise StripeProblem("You may only specify one of these parameters: starting_after, ending_before.")
    if before:
        rest = items[: _place(items, before, "ending_before")]
        shown = rest[-limit:]
    else:
        rest = items[_place(items, after, "starting_after") + 1 if after else 0 :]
        shown = rest[:limit]
    return {"object": "list", "data": shown, "has_more": len(rest) > len(shown), "url": url}


def _place(items: list[Json], cursor: str, param: str) -> int:
    for i, item in enumerate(items):
        if item["id"] == cursor:
            return i
    raise StripeProblem(f"No such object: '{cursor}'", code="resource_missing", param=param)


def in_range(created: int, params: Params) -> bool:
    """Whether *created* fits the filter `created`: a number, or `created[gte]` and its like."""
    wanted = params.raw.get("created")
    if wanted is None:
        return True
    if isinstance(wanted, str):
        return created == params.integer("created", 0, high=99_999_999_999)
    bounds = params.object("created")
    if bounds is None:
        return True
    bounds.only("gt", "gte", "lt", "lte")
    least, most = 0, 99_999_999_999
    return (
        created > bounds.integer("gt", -1, low=-1, high=most)
        and created >= bounds.integer("gte", least, high=most)
        and created < bounds.integer("lt", most, high=most)
        and created <= bounds.integer("lte", most, high=most)
    )
