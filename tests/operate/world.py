"""The operator's commands, and the shop that they are about: moto's AWS, both stand-ins, and a Deliver at work."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from operate.stacks import Stack
from paidshare import notices
from paidshare.aws import DynamoLedger, DynamoMailLog, DynamoOrderIndex, SqsMessages
from paidshare.delivering.deliver import Shop, deliver
from paidshare.errors import NeedsAPerson, TryAgain
from paidshare.feedback import mail_events
from paidshare.feedback.mail_events import Fact, MailEvent
from paidshare.notices import Notice
from paidshare.progress import Progress
from paidshare.states import State
from paidshare.sweeping.room import Room
from tests.builders import LINK_KEY, NOW, a_notice, a_policy, page_of
from tests.cloud import ORDERS_TABLE, Cloud
from tests.fakes import MemoryMailer, MemoryPurchases
from tests.fakes_mail import a_mail_event
from tests.fakes_sweep import MemoryQueue
from tests.fastio_world import FastioWorld
from tests.stripe_world import StripeWorld

# As long as Stripe's own.
ORDER = "cs_live_" + "a1" * 29
WORKSPACE = "my-shop"


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command printed and how it exited."""

    code: int
    out: str
    err: str


type Run = Callable[..., Ran]


@dataclass
class Seller:
    """
    A shop that sells, with a Deliver that works on what is queued when a command waits, or `works` is called. `skew`
    is how much later it is than it really is.
    """

    aws: Cloud
    stack: Stack
    stripe: StripeWorld
    fastio: FastioWorld
    mailer: MemoryMailer = field(default_factory=MemoryMailer)
    purchases: MemoryPurchases = field(default_factory=MemoryPurchases)
    skew: timedelta = timedelta()
    troubles: list[Exception] = field(default_factory=list)

    def clock(self) -> datetime:
        return datetime.now(UTC) + self.skew

    def product(self, name: str = "Field guide", **metadata: str) -> str:
        """A product with one file, or as *metadata* has it."""
        if not metadata:
            node, _ = self.fastio.put(f"{name}.pdf", workspace=WORKSPACE)
            metadata = {"fastio_workspace": WORKSPACE, "fastio_files": node}
        return self.stripe.product(name, metadata, unit_amount=900)

    def sells(self, email: str, *products: str, heard_of: bool = True, **sale: Any) -> str:
        """The order's id; *heard_of*: its event came, and was delivered."""
        paid = self.stripe.pay(email=email, products=list(products or (self.product(),)), **sale)
        if heard_of:
            self.hears_of(str(paid["session"]))
        return str(paid["session"])

    def hears_of(self, about: str, why: str = "checkout.session.completed") -> None:
        self.delivers(a_notice(event_id=f"evt_{about}_{why}", about=about, why=why, at=self.clock()))

    def works(self, _: float = 0) -> list[Notice]:
        """All that is queued."""
        taken = [notices.from_json(message["Body"]) for message in self.aws.queued()]
        for notice in taken:
            self.delivers(notice)
        return taken

    def delivers(self, notice: Notice) -> None:
        messages = SqsMessages(self.aws.sqs, queue_url=self.aws.queue_url, dead_letter_url=self.aws.dead_letter_url)
        try:
            deliver(notice, self._shop(), holder=f"worker {notice.event_id}")
        except NeedsAPerson as case:
            self.troubles.append(case)
            messages.give_to_a_person(notices.to_json(notice), case, about=case.order_id or notice.about)
        except TryAgain as trouble:
            self.troubles.append(trouble)

    def hears_from_ses(self, order: str, *facts: Fact, permanent: bool = False) -> None:
        """What became of the order's last letter, a second later each."""
        log = DynamoMailLog(self.aws.dynamodb, ORDERS_TABLE)
        for seconds, fact in enumerate(facts):
            at = self.clock() + timedelta(seconds=seconds)
            log.note(MailEvent(order, "delivery", "message-1", fact, at, permanent, mark="1"))

    def row(self, order: str) -> dict[str, Any]:
        found = self.aws.dynamodb.get_item(TableName=ORDERS_TABLE, Key={"order_id": {"S": order}}).get("Item", {})
        return {name: next(iter(value.values())) for name, value in found.items()}

    def open_links(self) -> int:
        return sum(not share["archived"] for share in self.fastio.made())

    def _shop(self) -> Shop:
        ledger = DynamoLedger(self.aws.dynamodb, ORDERS_TABLE)
        return Shop(
            ledger=ledger,
            payments=self.stripe.payments,
            shares=self.fastio.adapter(clock=self.clock),
            mailer=self.mailer,
            reconcile=MemoryQueue(),
            link_key=lambda: LINK_KEY,
            clock=self.clock,
            policy=a_policy(),
            room=Room(self.fastio.listing(), ledger),
            page_of=page_of,
            purchases=self.purchases,
        )


def bury(aws: Cloud, error: NeedsAPerson, order: str = ORDER, *, about: str = "") -> str:
    """A dead letter as Deliver makes it; its body."""
    body = notices.to_json(a_notice(about=about or order))
    messages = SqsMessages(aws.sqs, queue_url=aws.queue_url, dead_letter_url=aws.dead_letter_url)
    messages.give_to_a_person(body, error, about=order)
    return body


def bury_plain(aws: Cloud, body: str) -> str:
    """A dead letter as SQS makes it of a message that it gives up; its id."""
    return aws.sqs.send_message(QueueUrl=aws.dead_letter_url, MessageBody=body)["MessageId"]


def bury_a_letter_case(aws: Cloud, fact: Fact = Fact.BOUNCED, order: str = ORDER) -> str:
    """A dead letter as Feedback makes it; its body."""
    event = a_mail_event(order_id=order, fact=fact, permanent=True)
    case = mail_events.case(event)
    assert case is not None
    body = notices.to_json(mail_events.notice(event))
    messages = SqsMessages(aws.sqs, queue_url=aws.queue_url, dead_letter_url=aws.dead_letter_url)
    messages.give_to_a_person(body, case, about=order)
    return body


def hold(aws: Cloud, reason: str = "metadata_broken", order: str = ORDER) -> None:
    """The order waits for a person, as Deliver leaves it."""
    ledger = DynamoLedger(aws.dynamodb, ORDERS_TABLE)
    ledger.claim(order, holder="worker", now=NOW)
    ledger.release(order, Progress(state=State.ON_HOLD, reason=reason), holder="worker", now=NOW)


def asked_about(aws: Cloud) -> list[str]:
    """The orders that the sweep would ask about."""
    return [
        each.order_id
        for each in DynamoOrderIndex(aws.dynamodb, ORDERS_TABLE).unsettled(before=NOW + timedelta(days=99))
    ]


def working(aws: Cloud) -> list[str]:
    return [message["Body"] for message in aws.queued()]


def record(aws: Cloud, **row: Any) -> None:
    kinds = {str: "S", int: "N", list: "L"}
    item = {name: {kinds[type(value)]: str(value) if type(value) is int else value} for name, value in row.items()}
    aws.dynamodb.put_item(TableName=ORDERS_TABLE, Item=item)
