"""
`make soak`: many orders at once through a system in which everything fails, and what has become of each in the end.

Every provider fails by the dice, answers are lost after the work was done, workers are killed, events come twice.
"""

import random
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import httpx

from local.aws.ses_events import ses_app
from local.hosting.serving import serving
from local.hosting.standin import StandIn
from local.sale import attempt_in
from local.settings import STACK_NAME
from local.showing import Progress
from local.soak import account, trouble
from local.soak.account import Account, Bought
from local.soak.stand_ins import asked, control, fired, rules, set_rules
from local.soak.trouble import Hastened, Killer, Rule
from local.stack import Stack

_WORKSPACE = "soak-shop"
_BUYERS_AT_ONCE = 3
_LOOK_SECONDS = 2
_WORD_SECONDS = 10
_PRODUCTS = (("atlas.pdf",), ("guide.pdf", "map.pdf"), ("one.mp3", "two.mp3", "three.mp3"))
# Of a hundred orders: paid at once, paid later, by subscription, and paid back after the delivery.
_KINDS = {"once": 70, "late": 10, "subscription": 10, "refunded": 10}
# Stripe tries for three days. A killed Receive leaves its key for as long as its time-out, 15 s.
_STRIPE_RETRIES_S = (1, 2, 4, 8, 8, 8, 8, 16, 16)


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What a soak does. *chance* of all calls fail, *lost* more lose their answer, *twice* of the events come twice.

    After *calm_after_s* no worker is killed and no letter gets into doubt any more: a lease that outlives its worker
    takes 75 s and a doubt 90 s, which a short soak has to wait for only once. It ends at *limit_s* at the latest.

    Time is compressed from outside: a message that a worker took comes again after *visibility_s* instead of the
    template's minutes, and one that was put off after *longest_wait_s* at most.
    """

    orders: int
    seed: int
    limit_s: float
    chance: float = 0.2
    lost: float = 0.05
    twice: float = 0.3
    kill_every_s: float = 5.0
    calm_after_s: float | None = None
    visibility_s: int = 15
    longest_wait_s: int = 15


@dataclass(frozen=True, slots=True)
class Soaked:
    """
    What came of it. `figures` are for reading, `troubles` say what is not as it should be: none, if all is well.

    `struck` is how many calls of each provider failed, and how many `workers` were killed.
    """

    figures: dict[str, str]
    troubles: list[str]
    struck: dict[str, int]

    def table(self) -> list[str]:
        """Both, a line each."""
        shown = [f"  {name:<36}{value}" for name, value in self.figures.items()]
        if not self.troubles:
            return [*shown, "✓ Nothing lost, nothing twice, nothing left."]
        return [*shown, *(f"✗ {trouble}" for trouble in self.troubles)]


def soak(stack: Stack, plan: Plan, progress: Progress) -> Soaked:
    """
    Carry out *plan* in a running system of its own, to the end or to its limit.

    Raises SaleFailed when the Stripe stand-in refuses a sale.
    """
    return _Soak(stack, plan, progress).run()


class _Soak:
    def __init__(self, stack: Stack, plan: Plan, progress: Progress) -> None:
        self._stack = stack
        self._to = stack.endpoints
        self._plan = plan
        self._progress = progress
        self._stripe = control(self._to.stripe_url)
        self._fastio = control(self._to.fastio_url)
        self._mail_queue = str(
            stack.aws.cloudformation.describe_stack_resource(StackName=STACK_NAME, LogicalResourceId="MailQueue")[
                "StackResourceDetail"
            ]["PhysicalResourceId"]
        )
        self._killer = Killer(stack.home, seed=plan.seed)
        self._paid_back: set[str] = set()
        self._spent: list[Rule] = []
        self._next_word = 0.0

    def run(self) -> Soaked:
        plan = self._plan
        self._progress.say(f"Seed {plan.seed} sets the dice; when they are thrown is chance.")
        self._progress.say(
            f"Time is compressed: a message comes again {plan.visibility_s} s after its worker died,"
            f"\nand {plan.longest_wait_s} s after it was put off at most."
        )
        with self._stripe, self._fastio, self._hastened() as ses, ses:
            products = [self._product(files) for files in _PRODUCTS]
            began = time.monotonic()
            bought, done = self._through(products, ses, began)
            took = time.monotonic() - began
            found = account.account(bought, account.look(self._stack, mail_queue=self._mail_queue))
            return self._told(found, ses, took, done=done)

    def _through(
        self, products: list[tuple[str, frozenset[str]]], ses: httpx.Client, began: float
    ) -> tuple[list[Bought], bool]:
        """All orders through all the trouble: what was bought, and whether everything came to its end in time."""
        calm, limit = began + (self._plan.calm_after_s or self._plan.limit_s), began + self._plan.limit_s
        self._fail(ses, calm=False)
        with ExitStack() as under_way:
            enough = under_way.enter_context(self._killer.every(self._plan.kill_every_s))
            buyers = ThreadPoolExecutor(_BUYERS_AT_ONCE)
            under_way.callback(buyers.shutdown, cancel_futures=True)
            orders = [buyers.submit(self._buy, number, products) for number in range(self._plan.orders)]
            while not (done := self._done(orders, began)) and time.monotonic() < limit:
                if time.monotonic() > calm and not enough.is_set():
                    enough.set()
                    self._fail(ses, calm=True)
                time.sleep(_LOOK_SECONDS)
        return [order.result() for order in orders if not order.cancelled()], done

    # --- Selling ----------------------------------------------------------------------------------------

    def _product(self, files: tuple[str, ...]) -> tuple[str, frozenset[str]]:
        """A product that delivers *files*: its id, and they."""
        nodes = [
            asked(self._fastio, "/_files", workspace=_WORKSPACE, path=f"Goods/{name}", content=name)["node_id"]
            for name in files
        ]
        metadata = {"fastio_workspace": _WORKSPACE, "fastio_files": ",".join(nodes)}
        made = asked(self._stripe, "/_product", name=f"{len(files)} files", metadata=metadata)
        return str(made["product"]), frozenset(files)

    def _buy(self, number: int, products: list[tuple[str, frozenset[str]]]) -> Bought:
        dice = random.Random(f"{self._plan.seed}/{number}")  # noqa: S311  # Dice, no keys.
        [kind] = dice.choices(list(_KINDS), weights=list(_KINDS.values()))
        product, files = dice.choice(products)
        email = f"buyer-{number}@example.com"
        mode = "subscription" if kind == "subscription" else "payment"
        paid = asked(self._stripe, "/_pay", email=email, products=[product], mode=mode, late=kind == "late")
        if kind == "late":
            paid = asked(self._stripe, "/_settle", session=paid["session"])
        if dice.random() < self._plan.twice:
            again = dice.choice([{"event": paid["event"]}, {"session": paid["session"], "new_event": True}])
            asked(self._stripe, "/_send", **again)
        return Bought(
            order_id=paid.get("invoice", paid["session"]),
            session=paid["session"],
            email=email,
            files=files,
            paid_at=attempt_in(paid).at,
            refunded=kind == "refunded",
        )

    def _done(self, orders: list[Future[Bought]], began: float) -> bool:
        """Whether every order is as it should be and nothing is under way. Delivered ones are paid back, if planned."""
        bought = [order.result() for order in orders if order.done()]
        rows = account.ledger(self._stack)
        for one in bought:
            if one.session in self._paid_back or not one.refunded:
                continue
            if account.settled(rows.get(one.order_id), "delivered"):
                asked(self._stripe, "/_refund", session=one.session)
                self._paid_back.add(one.session)
        settled = sum(account.settled(rows.get(one.order_id), one.state) for one in bought)
        queued = account.waiting(self._stack, self._to.outputs["QueueUrl"], self._mail_queue)
        self._say(
            time.monotonic() - began,
            f"{len(bought):4} paid, {settled:4} as they should be, {queued:4} messages, "
            f"{self._killer.kills.total():3} killed",
        )
        return settled == len(orders) and not queued

    # --- Trouble ----------------------------------------------------------------------------------------

    @contextmanager
    def _hastened(self) -> Iterator[httpx.Client]:
        """
        Time is compressed, and letters go through a stand-in that can fail: the client is of its control routes.
        """
        aws, functions = self._stack.aws, self._stack.aws.client("lambda")
        for url in (self._to.outputs["QueueUrl"], self._mail_queue):
            aws.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(self._plan.visibility_s)})
        asked(self._stripe, "/_webhook", url=self._to.stripe_webhook_url, retries=_STRIPE_RETRIES_S)
        ses = ses_app(lambda: aws)
        way = Hastened(ses, aws, longest_s=self._plan.longest_wait_s, in_hand_s=self._plan.visibility_s)
        with serving(StandIn(way, reset=lambda: None)) as url:
            deliver = self._to.outputs["DeliverFunction"]
            variables = functions.get_function_configuration(FunctionName=deliver)["Environment"]["Variables"]
            variables |= {"AWS_ENDPOINT_URL_SESV2": url, "AWS_ENDPOINT_URL_SQS": url}
            functions.update_function_configuration(FunctionName=deliver, Environment={"Variables": variables})
            yield control(url)

    def _fail(self, ses: httpx.Client, *, calm: bool) -> None:
        plan = self._plan
        if calm:
            self._spent = rules(ses)
            set_rules(ses, trouble.ses_faults(chance=plan.chance, lost=0.0, seed=plan.seed))
            return
        set_rules(self._stripe, trouble.stripe_faults(chance=plan.chance, lost=plan.lost, seed=plan.seed))
        set_rules(self._fastio, trouble.fastio_faults(chance=plan.chance, lost=plan.lost, seed=plan.seed))
        set_rules(ses, trouble.ses_faults(chance=plan.chance, lost=plan.lost, seed=plan.seed))

    # --- Telling ----------------------------------------------------------------------------------------

    def _say(self, seconds: float, what: str) -> None:
        if seconds >= self._next_word:
            self._next_word = seconds + _WORD_SECONDS
            self._progress.say(f"{seconds:5.0f} s {what}")

    def _told(self, found: Account, ses: httpx.Client, took: float, *, done: bool) -> Soaked:
        plan = self._plan
        faults = {
            "Stripe": rules(self._stripe),
            "Fast.io": rules(self._fastio),
            "SES": self._spent + rules(ses),
        }
        kills = ", ".join(f"{count} {name}" for name, count in sorted(self._killer.kills.items()))
        figures = {
            **found.figures,
            **{f"calls that failed at {name}": fired(rules) for name, rules in faults.items()},
            "workers killed": f"{self._killer.kills.total()} ({kills})",
            "duration": f"{took:.0f} s",
            "orders per minute": f"{plan.orders / took * 60:.0f}",
            "seed": str(plan.seed),
        }
        troubles = found.troubles if done else [f"not done after {took:.0f} s", *found.troubles]
        struck = {name: sum(rule["fired"] for rule in rules) for name, rules in faults.items()}
        return Soaked(figures, troubles, struck | {"workers": self._killer.kills.total()})
