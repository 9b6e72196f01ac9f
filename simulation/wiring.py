"""
The real functions, wired to what is simulated: all that knows a version of the product. `simulation.earlier` loads this
module once more, of an earlier version, to be at work beside it.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol, cast

from functions.deliver import handler as deliver
from functions.feedback import handler as feedback
from functions.page import handler as page
from functions.receive import handler as receive
from functions.sweep import handler as sweep
from paidshare.aws import (
    DeadLetters,
    DynamoCheckpoint,
    DynamoLedger,
    DynamoMailLog,
    DynamoOrderIndex,
    DynamoPurchases,
    DynamoReceived,
    SecretsManagerVault,
    SesMailer,
    SqsIntake,
    SqsMessages,
    SqsReconcileQueue,
)
from paidshare.delivering.breaker import Breaker, SparedMailer, SparedPayments, SparedShares
from paidshare.delivering.deliver import Shop
from paidshare.page import tokens
from paidshare.page.ports import Ports
from paidshare.receiving import receive as receiving
from paidshare.settings import Policy
from paidshare.shares_fastio import FastioShareFiles, FastioShareListing, FastioShares
from paidshare.shares_fastio.api import FastioApi
from paidshare.sweeping.ports import SweepPorts
from paidshare.sweeping.room import Room
from simulation.aws.dynamodb import DynamoDB, Table
from simulation.aws.secrets import SecretsManager
from simulation.aws.ses import PostOffice, SESv2
from simulation.aws.sqs import SQS, Message, Queue, record
from simulation.chance import Chance
from simulation.clock import Clock, aware
from simulation.fastio import BASE, WEB_BASE, Client, FileHost
from simulation.faults import Faults
from simulation.keys import FASTIO, Keys
from simulation.outside import Outside
from simulation.stripe.account import Account
from simulation.stripe.reading import SimulatedStripe

PAGE_URL = "https://orders.simulated/order"
ORDERS, EVENTS, WORK, WORDS, DEAD = "orders", "events", "work", "words", "dead"


class World(Protocol):
    """What there is around the functions: one for all versions of them."""

    clock: Clock
    chance: Chance
    faults: Faults
    way: Outside
    tables: dict[str, Table]
    queues: dict[str, Queue]
    host: FileHost
    office: PostOffice
    account: Account
    keys: Keys
    policy: Any
    """The seller's choices, as a dataclass with at least the fields of this version's `Policy`."""
    log: Any

    def corrected(self, line: Any) -> Any:
        """An order's line, as the seller's product says by now."""


@dataclass(frozen=True, slots=True)
class Receiving:
    """A container of Receive."""

    container: receive.Container
    is_earlier: bool

    def answer(self, event: dict[str, Any], context: Any) -> int:
        """The status that the caller of the webhook gets."""
        return int(receive.respond(event, context, self.container)["statusCode"])


@dataclass(frozen=True, slots=True)
class Delivering:
    """A container of Deliver."""

    container: deliver.Container
    is_earlier: bool

    def begin(self, messages: list[Message], request_id: str, left: timedelta) -> Callable[[Any], None]:
        """
        What works on one message (as SQS's record) of an invocation that has so much time *left*, and raises where it
        is not done.
        """
        invocation = deliver.Invocation(
            self.container, request_id, self.container.shop.clock() + left - deliver.TO_FINISH
        )
        deliver.scatter([record(message) for message in messages], invocation)
        return lambda one: deliver.work(one, invocation)


@dataclass(frozen=True, slots=True)
class Paging:
    """A container of Page, and the browser in front of it."""

    container: page.Container
    link_key: Callable[[], str]

    def token(self, order_id: str) -> str:
        """What the order's letter leads to."""
        return tokens.token(self.link_key(), order_id)

    def look(self, token: str, asked: int = 0) -> str:
        """The page of that *token*; *asked*: as one that waits for its share."""
        query = {"asked": str(asked)} if asked else {}
        return self._answered("GET", pathParameters={"token": token}, queryStringParameters=query)

    def ask(self, form: str) -> str:
        return self._answered("POST", body=f"form={form}")

    def _answered(self, method: str, **event: Any) -> str:
        event["requestContext"] = {"http": {"method": method}}
        return str(page.respond(event, self.container)["body"])


@dataclass(frozen=True, slots=True)
class Noting:
    """A container of Feedback."""

    container: feedback.Container
    is_earlier: bool

    def note(self, event: dict[str, Any], context: Any) -> set[str]:
        """The ids of the batch's messages that come again."""
        answer: Any = feedback.noted(event, context, self.container)
        return {one["itemIdentifier"] for one in answer["batchItemFailures"]}

    def work(self, one: Any) -> None:
        feedback.work(one, self.container)

    def remind(self, now: datetime) -> None:
        feedback.remind(self.container, now=now)


@dataclass(frozen=True, slots=True)
class Sweeping:
    """A container of the sweep."""

    container: sweep.Container
    is_earlier: bool

    def sweep(self, context: Any) -> None:
        sweep.swept(context, self.container)


class Wiring:
    """Makes containers of one version's functions in *world*. `handlers` are the modules of the functions."""

    handlers: tuple[Any, ...] = (deliver, feedback, receive, sweep, page)

    def __init__(self, world: World, *, is_earlier: bool = False) -> None:
        self._world = world
        self._is_earlier = is_earlier
        known = {one.name for one in fields(Policy)}
        self._policy = Policy(**{name: value for name, value in asdict(world.policy).items() if name in known})
        self._limited = partial(world.chance.happens, "limited", 0.3)

    def receive(self) -> Receiving:
        dynamodb, sqs = self._clients(attempts=2)
        return Receiving(
            receive.Container(
                senders={
                    "POST /webhook/stripe": receiving.stripe(livemode=False, allowed=()),
                    "POST /webhook/fastio": receiving.fastio(allowed=()),
                },
                vault=self._vault(),
                intake=SqsIntake(
                    sqs=sqs,
                    queue_url=WORK,
                    dynamodb=dynamodb,
                    events_table=EVENTS,
                    clock=lambda: self._world.clock.now,
                ),
                logger=self._world.log,
                stage="simulated",
                clock=lambda: self._world.clock.now,
            ),
            self._is_earlier,
        )

    def deliver(self) -> Delivering:
        world = self._world
        dynamodb, sqs = self._clients(attempts=2)
        now = self._clock("deliver")
        monotonic = lambda: world.clock.now  # noqa: E731
        mail = cast("Any", SESv2(world.way, world.office, self._limited))
        vault = self._vault()
        ledger = DynamoLedger(dynamodb, ORDERS)
        shop = Shop(
            ledger=ledger,
            payments=SparedPayments(self._stripe(vault), Breaker(monotonic=monotonic)),
            shares=SparedShares(shares_of(self._client(), now, _fastio_key(vault)), Breaker(monotonic=monotonic)),
            mailer=SparedMailer(
                SesMailer(mail, sender="shop@seller.simulated", configuration_set="simulated"),
                Breaker(monotonic=monotonic),
            ),
            reconcile=SqsReconcileQueue(sqs, queue_url=WORK),
            link_key=lambda: vault.secret().link_key,
            clock=now,
            policy=self._policy,
            room=Room(listing_of(self._client(), now, _fastio_key(vault)), ledger),
            page_of=partial(tokens.address, PAGE_URL, lambda: vault.secret().link_key),
            purchases=DynamoPurchases(dynamodb, EVENTS),
        )
        return Delivering(
            deliver.Container(
                shop=shop,
                messages=SqsMessages(sqs, queue_url=WORK, dead_letter_url=DEAD),
                threads=cast("Any", None),
                logger=world.log,
                stage="simulated",
            ),
            self._is_earlier,
        )

    def page(self) -> Paging:
        dynamodb, sqs = self._clients(attempts=2)
        now, vault = self._clock("page"), self._vault()
        api = _fastio(self._client(), now, _fastio_key(vault))
        ports = Ports(
            ledger=DynamoLedger(dynamodb, ORDERS),
            mail_log=DynamoMailLog(dynamodb, ORDERS),
            payments=self._stripe(vault),
            share_files=FastioShareFiles(api, clock=now, web_base=WEB_BASE),
            queue=SqsReconcileQueue(sqs, queue_url=WORK),
            link_key=lambda: vault.secret().link_key,
            clock=now,
            path="/order",
        )
        return Paging(page.Container(ports, self._world.log, "simulated"), lambda: vault.secret().link_key)

    def feedback(self) -> Noting:
        dynamodb, sqs = self._clients(attempts=2)
        return Noting(
            feedback.Container(
                log=DynamoMailLog(dynamodb, ORDERS),
                messages=SqsMessages(sqs, queue_url=WORDS, dead_letter_url=DEAD),
                dead_letters=DeadLetters(sqs, queue_url=WORDS, dead_letter_url=DEAD),
                logger=self._world.log,
                stage="simulated",
                **self._feedback_s_clock(),
            ),
            self._is_earlier,
        )

    def sweep(self) -> Sweeping:
        dynamodb, sqs = self._clients(attempts=3)
        now, vault = self._clock("sweep"), self._vault()
        ports = SweepPorts(
            checkpoint=DynamoCheckpoint(dynamodb, EVENTS),
            index=DynamoOrderIndex(dynamodb, ORDERS),
            ledger=DynamoLedger(dynamodb, ORDERS),
            lists=self._stripe(vault),
            share_listing=listing_of(self._client(), now, _fastio_key(vault)),
            shares=shares_of(self._client(), now, _fastio_key(vault)),
            queue=SqsReconcileQueue(sqs, queue_url=WORK),
            link_key=lambda: vault.secret().link_key,
            clock=now,
            received=DynamoReceived(dynamodb, EVENTS),
            warnings=self._policy.hold_on_fraud_warning,
        )
        return Sweeping(sweep.Container(ports, self._world.log, "simulated"), self._is_earlier)

    def _vault(self) -> SecretsManagerVault:
        client = cast("Any", SecretsManager(self._world.way, self._world.keys, attempts=2))
        clock = self._world.clock
        return SecretsManagerVault(client, "paidshare/simulated", monotonic=lambda: clock.now)

    def _stripe(self, vault: SecretsManagerVault) -> SimulatedStripe:
        world = self._world
        return SimulatedStripe(
            world.account,
            world.way,
            world.keys,
            api_key=lambda: vault.secret().stripe_api_key,
            corrected=world.corrected,
            fraud_warnings=self._policy.hold_on_fraud_warning,
        )

    def _client(self) -> Any:
        return Client(self._world.way, self._world.host, self._limited)

    def _feedback_s_clock(self) -> dict[str, Any]:
        """An earlier version's container has none."""
        has = "clock" in {one.name for one in fields(feedback.Container)}
        return {"clock": self._clock("feedback")} if has else {}

    def _clock(self, name: str) -> Callable[[], datetime]:
        """A machine's own clock."""
        clock, apart = self._world.clock, self._world.faults.rates.clocks_apart_s
        off = self._world.chance.between(f"clock {name}", -apart, apart)
        return lambda: aware(clock.now + off)

    def _clients(self, *, attempts: int) -> tuple[Any, Any]:
        world = self._world
        return (
            DynamoDB(world.way, world.tables, attempts=attempts),
            SQS(world.way, world.queues, attempts=attempts),
        )


def _fastio_key(vault: SecretsManagerVault) -> Callable[[], str]:
    return lambda: vault.secret().fastio_api_key


def shares_of(client: Any, clock: Callable[[], datetime], api_key: Callable[[], str] = lambda: FASTIO) -> FastioShares:
    """The real adapter, over a simulated client."""
    return FastioShares(_fastio(client, clock, api_key), web_base=WEB_BASE)


def listing_of(
    client: Any, clock: Callable[[], datetime], api_key: Callable[[], str] = lambda: FASTIO
) -> FastioShareListing:
    return FastioShareListing(_fastio(client, clock, api_key))


def _fastio(client: Any, clock: Callable[[], datetime], api_key: Callable[[], str]) -> FastioApi:
    return FastioApi(client=client, api_key=api_key, api_base=BASE, clock=clock)
