"""One shop: the real functions wired to simulated services, and a judge who sees every step."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from local.fastio.rules import Rules
from local.fastio.state import Share
from local.signing import sign_fastio_pair, sign_fastio_single, sign_stripe
from operate.audit import Audit, Line
from paidshare import notices, wishes
from paidshare.notices import Notice
from paidshare.settings import Policy
from paidshare.wishes import Wants
from simulation import goods
from simulation.aws.dynamodb import Table
from simulation.aws.ses import PostOffice
from simulation.aws.sqs import Queue
from simulation.chance import Chance
from simulation.clock import Clock, Process, aware
from simulation.deploys import Deploys
from simulation.fastio import FileHost, drawn, order_of
from simulation.faults import Faults
from simulation.functions import (
    DELIVER_S,
    FEEDBACK_S,
    PAGE_S,
    RECEIVE_S,
    SWEEP_S,
    Environments,
    Lambda,
    Poller,
    answering,
    delivering,
    noting,
    sweeping,
)
from simulation.keys import FASTIO_WEBHOOK, Keys
from simulation.outside import Outside
from simulation.promises import Judge
from simulation.stripe.account import STRIPE_S_CLOCKS_APART_S, Account, Event, Purchase, Session
from simulation.wiring import DEAD, EVENTS, ORDERS, WORDS, WORK, Paging, Wiring

_KEPT_S = 5 * 24 * 3600
"""How long the queues of work keep a message (template.yaml)."""
_BACKOFF_S = (0, 300, 1_800, 7_200, 18_000, 36_000, *((43_200,) * 5))
"""How long Stripe waits before each attempt; three days in all (docs.stripe.com/webhooks)."""
_IDS = re.compile(r"\b(?:cs_test|in|pi|sub|ch_pi|re_pi|du_pi|cn_in)_([0-9]+)")


class Log:
    """A function's logger. Every line is audited as those of production are."""

    def __init__(self, shop: "Simulated") -> None:
        self._shop = shop

    def info(self, fact: str, *, extra: dict[str, Any] | None = None) -> None:
        shop, fields = self._shop, extra or {}
        shop.audit.see(Line(shop.clock.now, fact, fields))
        shop.judge.logged(fact, fields)
        if shop.audit.findings:
            shop.judge.audited(shop.audit.findings)
        shop.trace(f"log {fact} {extra}")

    warning = error = info


@dataclass(slots=True)
class Simulated:
    """Everything of one run. `trace` is told of each step."""

    chance: Chance
    faults: Faults
    policy: Policy
    share_limit: int
    most_at_once: int
    trace: Callable[[str], None]
    clock: Clock = field(default_factory=Clock)
    account: Account = field(default_factory=Account)
    keys: Keys = field(default_factory=Keys)
    outside: Outside | None = None
    """The way out of every function; its own, unless there is another one."""
    earlier: type[Wiring] | None = None
    """An earlier version of the functions, that is at work when `deploys` says so."""
    deploys: Deploys = field(default_factory=Deploys)
    way: Outside = field(init=False)
    tables: dict[str, Table] = field(init=False)
    queues: dict[str, Queue] = field(init=False)
    host: FileHost = field(init=False)
    office: PostOffice = field(init=False)
    judge: Judge = field(init=False)
    audit: Audit = field(default_factory=Audit)
    log: Log = field(init=False)
    wiring: Wiring = field(init=False)
    products: dict[str, Any] = field(init=False)
    is_mended: bool = False
    _rounds: int = 0
    _wishes: int = 0
    _visits: int = 0
    _page: Paging | None = None
    _environments: dict[str, Environments[Any]] = field(default_factory=dict)
    _lambdas: dict[str, Lambda] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rates, clock, chance = self.faults.rates, self.clock, self.chance
        way = self.outside or Outside(clock, self.faults, self.trace, harmed=self._harmed, down=self._is_down)
        self.way = way
        self.host = FileHost(clock, share_limit=self.share_limit, list_late_s=rates.list_late_s)
        # An earlier version knows Fast.io as it was thought to be.
        self.host.state.rules = drawn(chance) if self.earlier is None else Rules(archived_changes=True)
        self.host.keys, self.host.tells = self.keys, self.told_by_fastio
        self.products = goods.products(self.host.state)
        self.tables = {
            ORDERS: Table("order_id", lambda: clock.now, late_s=rates.index_late_s),
            EVENTS: Table("id", lambda: clock.now, expires="expiration", ttl_s=3600.0),
        }
        dead, given_up = Queue(DEAD, clock, chance), Queue("given up words", clock, chance)
        self.queues = {
            DEAD: dead,
            WORK: Queue(WORK, clock, chance, 360, _KEPT_S, 250, dead, twice=rates.message_twice),
            WORDS: Queue(WORDS, clock, chance, 180, _KEPT_S, 250, given_up, twice=rates.message_twice),
        }
        self.office = PostOffice(clock, chance, self.faults, self.queues[WORDS])
        rows = self.tables[ORDERS].items
        self.judge = Judge(clock, self.account, self.host, self.policy, rows, dead)
        self.log, self.wiring = Log(self), Wiring(self)
        self.host.watched, self.office.watched = self.judge.shared, self.judge.mailed
        self.tables[ORDERS].watched = self.judge.written
        self.office.worded = self.judge.worded
        self.queues[WORK].watched, dead.watched = self.judge.queued, self.judge.given_to_a_person
        self._open_functions()

    # --- What goes on by itself -----------------------------------------------------------------------------

    def round(self) -> None:
        """The sweep's schedule has come."""
        self._rounds += 1
        sweeping(self._lambdas["sweep"], self._environments["sweep"], self._rounds, {-1})

    def remind(self) -> None:
        """Feedback's schedule has come: dead letters that SQS would drop are written anew."""
        container = self._environments["feedback"].take()
        self._lambdas["feedback"].begin(
            lambda _context, _process: container.remind(aware(self.clock.now)),
            scope=f"remind {self._rounds}",
            after=lambda _ended: None,
        )

    def told(self, number: int, event: Event, attempt: int = 0) -> None:
        """Stripe sends the event, and comes back unless it is taken."""

        def answered(status: int) -> None:
            self.trace(f"webhook {event.id} {event.type}: {status}")
            if status == 200:
                self.judge.what_is_taken_is_queued(number, event.id)
            if status != 200 and attempt + 1 < len(_BACKOFF_S):
                again = self.clock.now + _BACKOFF_S[attempt + 1]
                self.clock.at(again, partial(self.told, number, event, attempt + 1))

        scope = f"receive {event.id}"
        answering(
            self._lambdas["receive"], self._environments["receive"], self._signed(event), scope, {number}, answered
        )

    def told_by_fastio(self, what: str, share: Share) -> None:
        """Fast.io's webhook of what happened to *share*, in either of its schemes; it does not come back with it."""
        order_id, rates, chance = order_of(share), self.faults.rates, self.chance
        name = f"fastio {what} {order_id}"
        if not chance.happens(name, rates.told_by_fastio):
            return
        number = self.account.by_id[order_id].number
        body = json.dumps({"event_type": what, "data": {"share_id": share.id}, "id": f"{what}-{share.id}"})
        at = self.clock.now + chance.spread(f"{name} late", 60.0)
        sign = sign_fastio_pair if chance.happens(f"{name} scheme", 0.5) else sign_fastio_single
        headers = sign(body.encode(), FASTIO_WEBHOOK, int(at))
        event = _request("POST /webhook/fastio", body, headers)

        def send() -> None:
            lambdas, environments = self._lambdas["receive"], self._environments["receive"]
            answering(lambdas, environments, event, f"receive {what}-{share.id}", {number}, lambda _status: None)

        self.clock.at(at, send)

    def wish(self, purchase: Purchase, wanted: str) -> None:
        """
        The operator wishes something of the newest order: `resend` its link, or `end`, `hold` or `restore` access to
        what was paid.
        """
        *_, order = purchase.orders
        is_paid = order.paid if isinstance(order, Session) else order.status == "paid"
        if wanted == "resend":
            self.judge.resent.add(order.id)
        elif is_paid:
            order.ruled = "" if wanted == "restore" else wanted
            if order.ruled and order.taken_back_at is None:
                order.taken_back_at = self.clock.now
        else:
            return
        self._wishes += 1
        wants = Wants(f"operator.{wanted}")
        notice = Notice("stripe", f"{wanted}_{self._wishes}", wishes.why(wants), order.id, aware(self.clock.now))
        self.judge.wished.setdefault(order.id, set()).add(notice.event_id)
        self.queues[WORK].send(notices.to_json(notice))

    def visit(self, purchase: Purchase) -> None:
        """The buyer, or a robot, comes to the page of the newest order, and submits what form there is."""
        *_, order = purchase.orders
        self._visits += 1
        if self._page is None:
            self._page = self.wiring.page()
        page, before = self._page, self.tables[ORDERS].items.get(order.id, {})

        def work(_context: Any, process: Process) -> None:
            process.orders.add(purchase.number)
            seen = page.look(page.token(order.id))
            # What changed while it was asked for may be on it either way.
            if self.tables[ORDERS].items.get(order.id, {}) is before:
                self.judge.the_page_refuses_what_is_taken_back(order.id, seen)
            if (form := re.search(r'name="form" value="([^"]+)"', seen)) is not None:
                self.judge.asked.add(order.id)
                page.ask(form[1])

        self._lambdas["page"].begin(work, scope=f"visit {purchase.number} {self._visits}", after=lambda _ended: None)

    def redrive(self) -> None:
        """The operator has mended what there was to mend, and puts dead letters back to work."""
        dead = self.queues[DEAD]
        for message in tuple(dead.messages.values()):
            if "mail." not in message.body and "mail:" not in message.body:
                del dead.messages[message.id]
                self.queues[WORK].send(message.body)

    def renew(self, what: str, do: Callable[[Keys], None]) -> None:
        """The seller, or the provider, does the next thing to a key that is renewed."""
        do(self.keys)
        self.trace(f"keys: {what}")

    def waiting(self) -> int:
        """Messages that are not done with, and not of the last half hour: the sweep goes on asking."""
        before = self.clock.now - 1_800
        return sum(one.sent_at < before for name in (WORK, WORDS) for one in self.queues[name].messages.values())

    # --- Wiring ---------------------------------------------------------------------------------------------

    def _open_functions(self) -> None:
        clock, chance = self.clock, self.chance
        limits = {"receive": RECEIVE_S, "deliver": DELIVER_S, "feedback": FEEDBACK_S, "sweep": SWEEP_S}
        for name, limit in limits.items():
            self._environments[name] = Environments(
                partial(self._container, name),
                partial(chance.happens, f"recycled {name}", 0.02),
                partial(self._is_earlier, name),
            )
            self._lambdas[name] = Lambda(name, clock, limit)
        self._lambdas["page"] = Lambda("page", clock, PAGE_S)
        for queue, name, begin, at_once in (
            (WORK, "deliver", delivering, self.most_at_once),
            (WORDS, "feedback", noting, 2),
        ):
            found = self.queues[queue]
            poller = Poller(
                found, clock, at_once, begin(self._lambdas[name], found, self._environments[name], purchase_of)
            )
            found.arrived = poller.wake

    def _container(self, name: str, is_earlier: bool) -> Any:  # noqa: FBT001
        if not is_earlier or self.earlier is None:
            return getattr(self.wiring, name)()
        self.trace(f"{name}: a container of the earlier version")
        return getattr(self.earlier(self, is_earlier=True), name)()

    def _is_earlier(self, name: str) -> bool:
        return self.earlier is not None and self.chance.happens(f"version {name}", self.deploys.earlier(self.clock.now))

    def _signed(self, event: Event) -> dict[str, Any]:
        """The webhook as the HTTP API hands it on."""
        thing: dict[str, str] = {"id": event.thing}
        if event.thing != event.about:
            thing["invoice" if event.thing.startswith("cn_") else "payment_intent"] = event.about
        said = {
            "id": event.id,
            "object": "event",
            "type": event.type,
            "created": int(event.at + STRIPE_S_CLOCKS_APART_S * (2 * self.chance.fixed(f"created {event.id}") - 1)),
            "livemode": False,
            "data": {"object": thing},
        }
        body, at = json.dumps(said), int(self.clock.now)
        secret, *others = self.keys.signing
        return _request(
            "POST /webhook/stripe", body, {"stripe-signature": sign_stripe(body.encode(), secret, at, *others)}
        )

    # --- What goes wrong ------------------------------------------------------------------------------------

    def _harmed(self, numbers: set[int]) -> None:
        for number in numbers:
            self.judge.harmed[number] = self.clock.now

    def _is_down(self, provider: str) -> bool:
        """A provider is down for hours of two at a time, drawn by the hour."""
        rates = self.faults.rates
        if not rates.down or self.faults.peace or self.faults.only is not None:
            return False
        hour = int(self.clock.now // 7_200)
        return self.chance.fixed(f"down {provider} {hour}") < rates.down

    def corrected(self, line: Any) -> Any:
        """An order's line, as the seller's product says by now."""
        return goods.mended(line) if self.is_mended else line


def _request(route: str, body: str, headers: dict[str, str]) -> dict[str, Any]:
    """As the HTTP API hands it on."""
    lower = {name.lower(): value for name, value in headers.items()}
    return {
        "routeKey": route,
        "headers": lower,
        "body": body,
        "requestContext": {"http": {"sourceIp": "127.0.0.1"}},
    }


def purchase_of(body: str) -> int | None:
    """Whose purchase a message is about; None where it is nobody's."""
    found = _IDS.search(body)
    return None if found is None else int(found[1])


def with_policy(chance: Chance) -> Policy:
    """The seller's choices in this run."""
    return replace(
        Policy(livemode=False, link_days=chance.one_of("link days", 7, 7, 30)),
        keep_canceled=chance.fixed("keep canceled") < 0.25,
        ask_when_paid_late=chance.fixed("ask") < 0.25,
        hold_on_fraud_warning=chance.fixed("warnings") < 0.25,
    )
