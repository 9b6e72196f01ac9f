"""Where the workers work: the running system's AWS, with queues, tables and stand-ins of the tests' own."""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpx

from local.aws.letters import Letter
from local.hosting.services import Services
from local.settings import STRIPE_API_KEY
from local.stack import Stack
from paidshare import notices
from paidshare.aws import DynamoMailLog
from paidshare.feedback.mail_events import MailEvent
from paidshare.notices import Notice

FILES = {"atlas.pdf": "the atlas", "guide.pdf": "the guide"}
_WORKSPACE = "crash-shop"


@dataclass(frozen=True, slots=True)
class Order:
    """A sale at the Stripe stand-in. `body` is the notice of what happened last, as Receive would queue it."""

    id: str
    email: str
    body: str
    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Queue:
    """Made like the deployed one, and watched by nobody but the test's workers."""

    url: str
    dead_url: str


@dataclass(frozen=True, slots=True)
class Ending:
    """
    What there is of an order when all is done: everything that could be wrong. `letters` are all that the buyer got,
    `unfinished` the attributes of its row that only an order in work has.
    """

    state: str | None
    shares: int = 1
    files: tuple[str, ...] = tuple(sorted(FILES))
    shut: bool = False
    letters: int = 1
    unfinished: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Books:
    """A look at all letters and shares: one look serves many orders."""

    letters: list[Letter]
    shares: list[dict[str, Any]]


class TestBed:
    """
    Over the running *stack*, whose functions, the sweep among them, know nothing of what goes on here: *stood_in* are
    other stand-ins than theirs.
    """

    def __init__(self, stack: Stack, stood_in: Services) -> None:
        self.stack = stack
        self.stripe_url, self.fastio_url = stood_in.stripe_url, stood_in.fastio_url
        self.http = httpx.Client(timeout=150, trust_env=False)  # Many times what it takes: a busy machine is no bug.
        outputs = stack.endpoints.outputs
        self._deployed = self._environ(outputs["DeliverFunction"]) | self._environ(outputs["ReceiveFunction"])
        like = stack.aws.sqs.get_queue_attributes(
            QueueUrl=outputs["QueueUrl"], AttributeNames=["VisibilityTimeout", "RedrivePolicy"]
        )["Attributes"]
        self.visibility_s = int(like["VisibilityTimeout"])
        self._most_receives = json.loads(like["RedrivePolicy"])["maxReceiveCount"]
        mark = f"{time.time_ns():x}"
        self._table = {key: self._new_table(f"crash-{key}-{mark}", key) for key in ("order_id", "id")}
        self._mark, self._queues = mark, 0
        self._product = self._sold()

    def close(self) -> None:
        self.http.close()
        for name in self._table.values():
            self.stack.aws.dynamodb.delete_table(TableName=name)

    # --- Doing ------------------------------------------------------------------------------------------

    def pay(self, name: str) -> Order:
        """Somebody buys two files."""
        email = f"{name}-{self._mark}@crash.example"
        sale = self.control(self.stripe_url, "/_pay", email=email, products=[self._product], quiet=True)
        return self._order(sale["session"], email, sale["event"])

    def happens(self, order: Order, route: str, **fields: Any) -> Order:
        """Something happens to the order's payment: *route* is one of the stand-in's own."""
        done = self.control(self.stripe_url, route, session=order.id, quiet=True, **fields)
        return self._order(order.id, order.email, done["event"])

    def queue(self) -> Queue:
        """A new one."""
        sqs = self.stack.aws.sqs
        self._queues += 1
        name = f"crash-{self._mark}-{self._queues}"
        dead_url = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=dead_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = {"deadLetterTargetArn": arn, "maxReceiveCount": self._most_receives}
        made = sqs.create_queue(
            QueueName=name,
            Attributes={"VisibilityTimeout": str(self.visibility_s), "RedrivePolicy": json.dumps(policy)},
        )
        return Queue(made["QueueUrl"], dead_url)

    def environ(self, queue: Queue) -> dict[str, str]:
        """What the template gives the functions, with the tests' own queue and tables."""
        return self._deployed | {
            "QUEUE_URL": queue.url,
            "DEAD_LETTER_QUEUE_URL": queue.dead_url,
            "ORDERS_TABLE": self._table["order_id"],
            "EVENTS_TABLE": self._table["id"],
        }

    def ses_tells(self, event: MailEvent) -> None:
        """As Feedback writes it down."""
        DynamoMailLog(self.stack.aws.dynamodb, self._table["order_id"]).note(event)

    # --- Seeing -----------------------------------------------------------------------------------------

    def waiting(self, queue_url: str) -> int:
        """All that are on the queue, also those that are out of sight."""
        return sum(self._depths(queue_url))

    def visible(self, queue_url: str) -> int:
        return self._depths(queue_url)[0]

    def _depths(self, queue_url: str) -> tuple[int, int]:
        found = self.stack.aws.sqs.get_queue_attributes(
            QueueUrl=queue_url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
        return int(found["ApproximateNumberOfMessages"]), int(found["ApproximateNumberOfMessagesNotVisible"])

    def row(self, order_id: str) -> dict[str, str]:
        """The ledger's item as plain text values; empty when there is none."""
        item = self.stack.aws.dynamodb.get_item(
            TableName=self._table["order_id"], Key={"order_id": {"S": order_id}}, ConsistentRead=True
        ).get("Item", {})
        return {name: str(next(iter(value.values()))) for name, value in item.items()}

    def books(self) -> Books:
        shares = self.http.get(f"{self.fastio_url}/_shares").json()["shares"]
        return Books(self.stack.letters(), shares)

    def ending(self, order: Order, books: Books | None = None) -> Ending:
        books = books or self.books()
        row = self.row(order.id)
        shares = [share for share in books.shares if order.id in json.dumps(share["owner_defined"])]
        return Ending(
            state=row.get("state"),
            shares=len(shares),
            files=tuple(sorted(file["name"] for share in shares for file in share["files"])),
            shut=any(share["archived"] for share in shares),
            letters=sum(order.email in letter.to for letter in books.letters),
            unfinished=tuple(name for name in ("lease_holder", "lease_until", "mailing") if name in row),
        )

    def control(self, url: str, route: str, **fields: Any) -> dict[str, Any]:
        """One of a stand-in's own routes."""
        answer = self.http.post(url + route, json=fields)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def faults(self, rules: Iterable[dict[str, Any]]) -> None:
        """The Fast.io stand-in's, in the place of any that it had."""
        answer = self.http.post(f"{self.fastio_url}/_faults", json=list(rules))
        assert answer.status_code == 200, answer.text

    def _order(self, order_id: str, email: str, event_id: str) -> Order:
        event = self.http.get(
            f"{self.stripe_url}/v1/events/{event_id}",
            headers={"authorization": f"Bearer {STRIPE_API_KEY}"},
        ).json()
        notice = notices.from_event(event, livemode=False)
        assert isinstance(notice, Notice), notice
        return Order(order_id, email, notices.to_json(notice), event)

    def _environ(self, function: str) -> dict[str, str]:
        found = self.stack.aws.client("lambda").get_function_configuration(FunctionName=function)
        environ: dict[str, str] = found["Environment"]["Variables"]
        return environ

    def _new_table(self, name: str, key: str) -> str:
        self.stack.aws.dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        )
        return name

    def _sold(self) -> str:
        nodes = [
            self.control(self.fastio_url, "/_files", workspace=_WORKSPACE, path=path, content=content)["node_id"]
            for path, content in FILES.items()
        ]
        metadata = {"fastio_workspace": _WORKSPACE, "fastio_files": ",".join(nodes)}
        made = self.control(self.stripe_url, "/_product", name="Two books", metadata=metadata)
        return str(made["product"])
