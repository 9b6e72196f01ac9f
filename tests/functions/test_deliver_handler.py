"""Deliver with moto's queues and the providers in memory: a batch in, the ids of those to try again out."""

import io
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from typing import Any, cast

import pytest
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.deliver import handler as deliver
from paidshare import notices
from paidshare.aws import SqsMessages
from paidshare.delivering.deliver import Shop
from paidshare.delivering.errors import MetadataBroken
from paidshare.errors import NeedsAPerson, SettingsIncomplete, StripeUnavailable
from paidshare.feedback.errors import LetterBounced
from paidshare.feedback.mail_events import Fact
from paidshare.orders import Order
from paidshare.retries import MOST_RECEIVES
from paidshare.settings import Policy
from paidshare.sweeping.room import Room
from tests.builders import BUYER, LINK_KEY, a_line, a_notice, a_payment, a_policy, an_order, page_of
from tests.cloud import ORDERS_TABLE, SECRET_NAME, Cloud, cloud
from tests.fakes import Clock, MemoryLedger, MemoryMailer
from tests.fakes_payments import MemoryPayments
from tests.fakes_shares import MemoryShares
from tests.fakes_sweep import MemoryQueue, MemoryShareListing
from tests.printed import Printed

DOWN = "cs_test_down"
BUGGY = "cs_test_buggy"
BROKEN = "cs_test_broken"


class Payments(MemoryPayments):
    """Some orders of which bring trouble, told by their id."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], object] = lambda: None

    def order(self, order_id: str, *, account: str | None = None) -> Order:
        self.meanwhile()
        if order_id == DOWN:
            raise StripeUnavailable("Stripe failed", wait=77)
        if order_id == BUGGY:
            raise RuntimeError(f"what a bug may quote: {BUYER}")
        if order_id == BROKEN:
            return an_order(order_id=order_id, lines=(a_line(metadata={"fastio_files": "x"}),))
        return an_order(order_id=order_id)


@dataclass
class Context:
    aws_request_id: str = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


@dataclass
class Floor:
    """The function at work: its queues, its providers, and everything it printed."""

    aws: Cloud
    printed: Printed
    shop: Shop
    payments: Payments
    mailer: MemoryMailer
    shares: MemoryShares
    ledger: MemoryLedger
    waits: list[int] = field(default_factory=list)

    def run(self, *bodies: str, attempt: int = 1, age_s: float = 0) -> list[str]:
        """The bodies of those messages that come again; they are *age_s* old."""
        sent_at = int((self.shop.clock().timestamp() - age_s) * 1000)
        for body in bodies:
            self.aws.sqs.send_message(QueueUrl=self.aws.queue_url, MessageBody=body)
        messages = self.aws.queued()
        assert len(messages) == len(bodies)
        records = [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": {"ApproximateReceiveCount": str(attempt), "SentTimestamp": str(sent_at)},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:queue",
                "awsRegion": "us-east-1",
            }
            for message in messages
        ]
        answer = deliver.handler({"Records": records}, cast("LambdaContext", Context()))
        by_id = {message["MessageId"]: message["Body"] for message in messages}
        return sorted(by_id[str(failure["itemIdentifier"])] for failure in answer["batchItemFailures"])


@pytest.fixture
def floor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Floor]:
    payments, shares, mailer, ledger = Payments(), MemoryShares(), MemoryMailer(), MemoryLedger()
    for name in ("forest", "notes"):
        shares.put("shop", name)
    shop = Shop(
        ledger=ledger,
        payments=payments,
        shares=shares,
        mailer=mailer,
        reconcile=MemoryQueue(),
        link_key=lambda: LINK_KEY,
        clock=Clock(),
        policy=a_policy(),
        room=Room(MemoryShareListing(shares), ledger),
        page_of=page_of,
    )
    with cloud() as aws, ThreadPoolExecutor(max_workers=10) as threads:
        made = Floor(aws, Printed("deliver", capsys), shop, payments, mailer, shares, ledger)

        @cache
        def container() -> deliver.Container:
            return deliver.Container(
                shop=shop,
                messages=SqsMessages(aws.sqs, queue_url=aws.queue_url, dead_letter_url=aws.dead_letter_url),
                threads=threads,
                # Made at the first call: pytest gives a test another standard output than its fixtures.
                logger=Logger(service="deliver", use_rfc3339=True),
                stage="test",
            )

        monkeypatch.setattr(deliver, "_container", container)
        aws.sqs.meta.events.register(
            "provide-client-params.sqs.ChangeMessageVisibility",
            lambda params, **_: made.waits.append(params["VisibilityTimeout"]),
        )
        yield made


def about(order_id: str) -> str:
    return notices.to_json(a_notice(event_id=f"evt_{order_id}", about=order_id))


def a_case(order_id: str, *, known: bool) -> NeedsAPerson:
    case = MetadataBroken("product prod_1: no file")
    case.order_id, case.known = order_id, known
    return case


GOOD = about("cs_test_1")
SWEPT = notices.to_json(a_notice(about=BROKEN, why=notices.SWEEP))
BOUNCED = notices.to_json(a_notice(about="cs_test_1", why="mail.bounced", event_id="mail:0100-1"))


class TestBatch:
    def test_a_paid_order_is_delivered_and_its_message_is_done(self, floor: Floor) -> None:
        assert floor.run(GOOD) == []
        assert [letter.to for letter in floor.mailer.sent] == [BUYER]
        assert floor.aws.dead_letters() == []

    def test_ten_orders_are_worked_on_at_once(self, floor: Floor) -> None:
        # Nobody passes before all ten are inside: one after the other would never end.
        floor.payments.meanwhile = threading.Barrier(10, timeout=30).wait
        assert floor.run(*(about(f"cs_test_{n}") for n in range(10))) == []
        assert len(floor.mailer.sent) == 10

    @pytest.mark.parametrize("poison", ["not json", "{}", '{"version": 2}', about(BUGGY), about(BROKEN), about(DOWN)])
    def test_one_poison_message_does_not_hold_up_the_others(self, floor: Floor, poison: str) -> None:
        again = floor.run(about("cs_test_1"), poison, about("cs_test_2"))
        assert set(again) <= {poison}
        assert len(floor.mailer.sent) == 2

    def test_a_batch_of_failures_only_comes_again_message_by_message(self, floor: Floor) -> None:
        bodies = [about(DOWN), about(BUGGY)]
        assert floor.run(*bodies) == sorted(bodies)

    def test_the_same_order_twice_in_a_batch_is_delivered_once(self, floor: Floor) -> None:
        floor.run(GOOD, GOOD, GOOD)
        assert len(floor.mailer.sent) == 1
        assert len(floor.shares.made) == 1


class TestCompany:
    """A message that ends the process takes its batch along, and must not take the same one along for ever."""

    @pytest.fixture
    def hidden(self, floor: Floor) -> list[int]:
        seconds: list[int] = []
        floor.aws.sqs.meta.events.register(
            "provide-client-params.sqs.ChangeMessageVisibilityBatch",
            lambda params, **_: seconds.extend(entry["VisibilityTimeout"] for entry in params["Entries"]),
        )
        return seconds

    def test_messages_that_came_back_together_part_before_any_of_them_is_begun(
        self, floor: Floor, hidden: list[int]
    ) -> None:
        hidden_then: list[int] = []
        floor.payments.meanwhile = lambda: hidden_then.append(len(hidden))
        floor.run(*(about(f"cs_test_{n}") for n in range(10)), attempt=2)
        assert hidden_then == [10] * 10
        assert len(set(hidden)) > 1
        assert all(90 <= seconds <= 900 for seconds in hidden)

    def test_new_messages_and_lonely_ones_cost_no_call(self, floor: Floor, hidden: list[int]) -> None:
        floor.run(about("cs_test_1"), about("cs_test_2"))
        floor.run(about("cs_test_3"), attempt=2)
        assert hidden == []

    def test_a_queue_that_does_not_answer_holds_up_no_order(
        self, floor: Floor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        messages = SqsMessages(
            floor.aws.sqs, queue_url=floor.aws.queue_url + "-gone", dead_letter_url=floor.aws.dead_letter_url
        )
        container = replace(deliver._container(), messages=messages)
        monkeypatch.setattr(deliver, "_container", lambda: container)
        assert floor.run(about("cs_test_1"), about("cs_test_2"), attempt=2) == []
        assert len(floor.mailer.sent) == 2


class TestTryAgain:
    def test_the_message_is_hidden_for_its_own_wait_and_comes_again(self, floor: Floor) -> None:
        assert floor.run(about(DOWN)) == [about(DOWN)]
        # The provider asked for 77 seconds; up to a tenth more spreads the orders.
        [wait] = floor.waits
        assert 77 <= wait <= 85
        assert floor.aws.queued() == []
        assert floor.aws.dead_letters() == []

    def test_the_log_says_for_how_long_and_why(self, floor: Floor) -> None:
        floor.run(about(DOWN), attempt=3)
        [line] = floor.printed.log()
        assert (line["level"], line["message"], line["reason"]) == ("WARNING", "order_put_off", "stripe_unavailable")
        assert (line["order_id"], line["attempt"], line["seconds"]) == (DOWN, 3, floor.waits[0])

    def test_a_wait_that_cannot_be_set_leaves_the_queue_s_own(
        self, floor: Floor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        messages = SqsMessages(
            floor.aws.sqs,
            queue_url=floor.aws.queue_url + "-gone",
            dead_letter_url=floor.aws.dead_letter_url,
        )
        container = replace(deliver._container(), messages=messages)
        monkeypatch.setattr(deliver, "_container", lambda: container)
        assert floor.run(about(DOWN)) == [about(DOWN)]

    @pytest.mark.parametrize(
        ("attempt", "age_s", "late"),
        [
            # It comes again within some seventy-seven seconds, as Stripe asks here.
            (1, 0, 0),
            (5, 60, 0),
            # By age and not by attempts: a quiet provider's wish of minutes makes few of them.
            (2, 110, 1),
            (2, 900, 1),
            (200, 90_000, 1),
        ],
    )
    def test_an_order_that_will_be_three_minutes_old_at_the_next_look_is_late(
        self, floor: Floor, attempt: int, age_s: float, late: int
    ) -> None:
        floor.run(about(DOWN), attempt=attempt, age_s=age_s)
        assert len(floor.printed.metrics("LateOrders")) == late

    def test_a_wait_of_minutes_makes_an_order_late_at_once(self, floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
        def refused(_order_id: str, **_: object) -> Order:
            raise StripeUnavailable("key refused", wait=300)

        monkeypatch.setattr(floor.payments, "order", refused)
        floor.run(GOOD)
        [line] = floor.printed.metrics("LateOrders")
        assert line["reason"] == "stripe_unavailable"

    def test_a_payment_without_an_order_is_nobody_s_delay(self, floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(floor.payments, "orders_of", lambda *_args, **_more: ())
        notice = notices.to_json(a_notice(about="pi_of_another_program", at=floor.shop.clock()))
        assert floor.run(notice, age_s=200) == [notice]
        assert floor.printed.metrics("LateOrders") == []


class TestNeedsAPerson:
    def test_the_message_is_a_dead_letter_at_once_and_does_not_come_again(self, floor: Floor) -> None:
        assert floor.run(about(BROKEN)) == []
        [letter] = floor.aws.dead_letters()
        assert letter["body"] == about(BROKEN)
        assert (letter["reason"], letter["order"]) == ("metadata_broken", BROKEN)
        assert letter["advice"] == MetadataBroken.advice

    def test_an_unreadable_message_is_kept_as_it_is(self, floor: Floor) -> None:
        assert floor.run("not a notice") == []
        [letter] = floor.aws.dead_letters()
        assert (letter["body"], letter["reason"]) == ("not a notice", "notice_unreadable")

    def test_the_log_says_what_to_do(self, floor: Floor) -> None:
        floor.run(about(BROKEN))
        [line] = floor.printed.log()
        assert (line["level"], line["message"], line["reason"]) == ("ERROR", "order_on_hold", "metadata_broken")
        assert line["advice"] == MetadataBroken.advice
        assert line["order_id"] == BROKEN

    def test_the_sweep_s_next_look_at_it_adds_no_dead_letter_and_any_other_does(self, floor: Floor) -> None:
        floor.run(about(BROKEN))
        assert floor.run(SWEPT) == []
        assert len(floor.aws.dead_letters()) == 1
        floor.run(about(BROKEN))
        assert len(floor.aws.dead_letters()) == 1  # The first one is hidden by now, this is the second event's.

    def test_a_dead_letter_that_cannot_be_written_comes_again_instead_of_being_lost(
        self, floor: Floor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        messages = SqsMessages(
            floor.aws.sqs, queue_url=floor.aws.queue_url, dead_letter_url=floor.aws.dead_letter_url + "-gone"
        )
        container = replace(deliver._container(), messages=messages)
        monkeypatch.setattr(deliver, "_container", lambda: container)
        assert floor.run(about(BROKEN)) == [about(BROKEN)]

    def test_a_dead_letter_that_is_redriven_after_the_cause_is_mended_is_delivered(self, floor: Floor) -> None:
        floor.run(about(BROKEN))
        [letter] = floor.aws.dead_letters()
        floor.payments.order = MemoryPayments(an_order(order_id=BROKEN)).order  # type: ignore[method-assign]  # Mended.
        assert floor.run(letter["body"]) == []
        assert len(floor.mailer.sent) == 1


class TestNeverForgotten:
    """A case keeps a dead letter until a person ends it: longer than SQS keeps one, and whoever redrives it."""

    @pytest.fixture
    def deliver_says(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
        """Every look ends so, with the person told of it before or not."""

        def says(*cases: NeedsAPerson) -> None:
            first, *others = cases
            first.others = tuple(others)

            def raises(*_: object, **__: object) -> None:
                raise first

            monkeypatch.setattr(deliver, "deliver", raises)

        return says

    @pytest.mark.parametrize(
        ("case", "why", "attempt", "written"),
        [
            ("new", notices.SWEEP, 1, 1),  # Or told of too long ago.
            ("known", notices.SWEEP, 1, 0),
            ("known", notices.SWEEP, 2, 1),  # Whether the first attempt's got there is not known.
            ("known", "checkout.session.completed", 1, 1),  # It may be the redriven one.
            ("known", notices.LOOK, 1, 1),
            ("known", notices.RESEND, 1, 1),
        ],
    )
    def test_only_the_sweep_s_look_at_what_was_told_lately_writes_none(
        self, floor: Floor, deliver_says: Callable[..., None], case: str, why: str, attempt: int, written: int
    ) -> None:
        deliver_says(a_case(BROKEN, known=case == "known"))
        assert floor.run(notices.to_json(a_notice(about=BROKEN, why=why)), attempt=attempt) == []
        assert len(floor.aws.dead_letters()) == written

    def test_each_case_of_a_look_is_told_or_not_by_itself(
        self, floor: Floor, deliver_says: Callable[..., None]
    ) -> None:
        deliver_says(a_case("in_1", known=True), a_case("in_2", known=False), a_case("in_3", known=True))
        floor.run(SWEPT)
        assert [letter["order"] for letter in floor.aws.dead_letters()] == ["in_2"]

    def test_a_case_is_counted_at_every_look_told_or_not(self, floor: Floor, deliver_says: Callable[..., None]) -> None:
        deliver_says(a_case("in_1", known=True), a_case("in_2", known=False))
        floor.run(SWEPT)
        printed = {
            name: line for line in floor.printed.lines() for name in ("PersonCases", "DeadLetters") if name in line
        }
        assert {name: (line[name], line["stage"]) for name, line in printed.items()} == {
            "PersonCases": ([2.0], "test"),
            "DeadLetters": ([1.0], "test"),
        }

    def test_a_message_that_is_no_notice_is_counted_too(self, floor: Floor) -> None:
        floor.run("not a notice")
        assert len(floor.printed.metrics("PersonCases")) == 1

    @pytest.mark.parametrize("first", ["swept", "told"])
    def test_however_often_it_is_redriven_there_is_a_dead_letter_again(self, floor: Floor, first: str) -> None:
        body = SWEPT if first == "swept" else about(BROKEN)
        for _ in range(3):
            assert floor.run(body) == []
            [letter] = floor.aws.dead_letters()
            body = letter["body"]

    def test_a_dead_letter_that_was_the_sweep_s_names_its_event_and_order_as_before(self, floor: Floor) -> None:
        floor.run(SWEPT)
        [letter] = floor.aws.dead_letters()
        assert notices.from_json(letter["body"]) == replace(notices.from_json(SWEPT), why=notices.LOOK)

    def test_two_copies_of_a_dead_letter_redriven_after_the_cause_is_mended_are_one_delivery(
        self, floor: Floor
    ) -> None:
        floor.run(about(BROKEN))
        [letter] = floor.aws.dead_letters()
        floor.payments.order = MemoryPayments(an_order(order_id=BROKEN)).order  # type: ignore[method-assign]  # Mended.
        for _ in range(2):
            assert floor.run(letter["body"]) == []
        assert (len(floor.mailer.sent), len(floor.shares.made)) == (1, 1)
        assert floor.aws.dead_letters() == []


class TestARedrivenLetterCase:
    """Feedback's dead letters: a letter that failed is not mended by a look at its order, whoever redrives it."""

    def test_it_is_a_dead_letter_again_with_its_reason_and_advice(self, floor: Floor) -> None:
        floor.run(GOOD)
        assert floor.run(BOUNCED) == []
        [letter] = floor.aws.dead_letters()
        assert (letter["reason"], letter["order"]) == ("letter_bounced", "cs_test_1")
        assert letter["body"] == BOUNCED
        assert letter["advice"] == LetterBounced.advice
        assert len(floor.mailer.sent) == 1

    @pytest.mark.parametrize("fact", [Fact.BOUNCED, Fact.COMPLAINED, Fact.REJECTED])
    def test_every_letter_case_comes_back(self, floor: Floor, fact: Fact) -> None:
        floor.run(notices.to_json(a_notice(about="cs_test_1", why=f"mail.{fact}")))
        assert len(floor.aws.dead_letters()) == 1

    @pytest.mark.parametrize("fact", [Fact.SENT, Fact.DELIVERED, Fact.DELAYED])
    def test_news_of_a_letter_that_did_not_fail_is_only_a_look(self, floor: Floor, fact: Fact) -> None:
        floor.run(notices.to_json(a_notice(about="cs_test_1", why=f"mail.{fact}")))
        assert floor.aws.dead_letters() == []

    def test_while_its_order_cannot_be_looked_at_it_waits(self, floor: Floor) -> None:
        body = notices.to_json(a_notice(about=DOWN, why="mail.bounced"))
        assert floor.run(body) == [body]
        assert floor.aws.dead_letters() == []

    def test_the_order_s_own_case_beside_it_is_one_that_can_be_redriven(self, floor: Floor) -> None:
        floor.run(notices.to_json(a_notice(about=BROKEN, why="mail.bounced")))
        found = {letter["reason"]: notices.from_json(letter["body"]).why for letter in floor.aws.dead_letters()}
        assert found == {"metadata_broken": notices.LOOK, "letter_bounced": "mail.bounced"}


class TestPatience:
    def test_at_the_last_receive_a_person_gets_the_message_with_the_reason(self, floor: Floor) -> None:
        assert floor.run(about(DOWN), attempt=MOST_RECEIVES) == []
        [letter] = floor.aws.dead_letters()
        assert (letter["body"], letter["order"], letter["reason"]) == (about(DOWN), DOWN, "patience_exhausted")
        assert letter["what"].startswith("stripe_unavailable: ")

    def test_before_that_it_comes_again(self, floor: Floor) -> None:
        assert floor.run(about(DOWN), attempt=MOST_RECEIVES - 1) == [about(DOWN)]

    def test_after_four_days_a_person_is_told_however_seldom_it_was_tried(self, floor: Floor) -> None:
        assert floor.run(about(DOWN), attempt=90, age_s=4 * 86_400) == []
        [letter] = floor.aws.dead_letters()
        assert letter["reason"] == "patience_exhausted"
        assert floor.aws.dead_letters() == []


class TestDeadline:
    def test_too_late_in_an_invocation_no_letter_leaves_and_the_next_one_sends_it(
        self, floor: Floor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Context, "get_remaining_time_in_millis", lambda _self: 20_000)
        assert floor.run(GOOD) == [GOOD]
        assert floor.mailer.sent == []
        assert len(floor.shares.made) == 1
        [line] = floor.printed.log()
        assert (line["message"], line["reason"]) == ("order_put_off", "out_of_time")

        monkeypatch.setattr(Context, "get_remaining_time_in_millis", lambda _self: 60_000)
        floor.aws.sqs.purge_queue(QueueUrl=floor.aws.queue_url)
        assert floor.run(GOOD) == []
        assert (len(floor.mailer.sent), len(floor.shares.made)) == (1, 1)

    def test_what_is_kept_for_the_end_is_enough_for_the_slowest_ledger_and_mail(self) -> None:
        def worst(config: Any) -> float:
            return float((config.connect_timeout + config.read_timeout) * config.retries["total_max_attempts"])

        assert deliver.TO_FINISH.total_seconds() > 2 * worst(deliver._CLIENT) + worst(deliver._ONCE)


class TestBug:
    def test_a_bug_is_put_off_like_a_provider_s_fault_and_rings_the_bell_too(self, floor: Floor) -> None:
        floor.run(about(BUGGY), attempt=8, age_s=150)
        assert len(floor.waits) == 1
        [line] = floor.printed.metrics("LateOrders")
        assert line["reason"] == "bug"

    def test_a_bug_comes_again_and_its_log_line_says_where_but_not_what(self, floor: Floor) -> None:
        assert floor.run(about(BUGGY)) == [about(BUGGY)]
        [line] = floor.printed.log()
        assert (line["message"], line["error"], line["order_id"]) == ("order_failed", "RuntimeError", BUGGY)
        assert any(place.startswith("deliver.py:") for place in line["at"])
        assert BUYER not in floor.printed.everything


class TestLog:
    def test_a_delivered_order_is_one_line_with_its_ids(self, floor: Floor) -> None:
        floor.run(GOOD)
        [line] = floor.printed.log()
        assert (line["level"], line["message"], line["step"]) == ("INFO", "order_looked_at", "deliver")
        assert (line["order_id"], line["event_id"], line["state"]) == ("cs_test_1", "evt_cs_test_1", "delivered")

    def test_every_order_of_an_event_is_a_line_with_its_own_id(self, floor: Floor) -> None:
        floor.payments.belongs["sub_1"] = ("cs_test_1", "cs_test_2")
        floor.run(about("sub_1"))
        lines = floor.printed.log()
        assert [line["order_id"] for line in lines] == ["cs_test_1", "cs_test_2"]
        assert {line["about"] for line in lines} == {"sub_1"}

    def test_trouble_with_one_order_of_an_event_names_that_order(self, floor: Floor) -> None:
        floor.payments.belongs["sub_1"] = ("cs_test_1", BROKEN)
        floor.run(about("sub_1"))
        [line], [letter] = floor.printed.log(), floor.aws.dead_letters()
        assert line["order_id"] == letter["order"] == BROKEN

    def test_no_address_no_link_and_no_secret_is_ever_printed(self, floor: Floor) -> None:
        floor.run(GOOD, about(DOWN), about(BROKEN), about(BUGGY), f'{{"email": "{BUYER}"}}')
        floor.mailer.refused.add(BUYER)
        floor.run(about("cs_test_2"))
        floor.printed.lines()
        for hidden in (BUYER, "ada@", "go.example", next(iter(floor.shares.made)), LINK_KEY, "forest"):
            assert hidden not in floor.printed.everything
        assert floor.printed.everything.count("order_on_hold") >= 3


class Pieces(io.StringIO):
    """
    Standard output as Lambda's runtime has it: every write goes out at once, so that whatever another thread
    writes may come between two (awslambdaric/bootstrap.py, class Unbuffered).
    """

    def __init__(self) -> None:
        super().__init__()
        self.by_workers: list[str] = []
        self.by_main: list[str] = []

    def write(self, text: str) -> int:
        if threading.current_thread() is threading.main_thread():
            self.by_main.append(text)
        else:
            assert not self.by_main, "a worker writes while the main thread does"
            self.by_workers.append(text)
        return super().write(text)


class TestLines:
    def test_ten_threads_write_whole_lines_only_and_are_done_before_the_main_thread_writes_in_pieces(
        self, floor: Floor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pieces = Pieces()
        monkeypatch.setattr(sys, "stdout", pieces)
        floor.run(*[about(f"cs_test_{n}") for n in range(10)])
        assert len(pieces.by_workers) == 10
        assert [piece for piece in pieces.by_workers if not piece.endswith("\n") or piece == "\n"] == []
        assert pieces.by_main


class TestMetrics:
    @pytest.mark.parametrize(
        ("body", "fact"),
        [
            (GOOD, "order_looked_at"),
            (about(DOWN), "order_put_off"),
            (about(BROKEN), "order_on_hold"),
            (about(BUGGY), "order_failed"),
        ],
    )
    def test_every_order_is_counted_under_its_fact(self, floor: Floor, body: str, fact: str) -> None:
        floor.run(body)
        [line] = floor.printed.metrics("Orders")
        assert (line["Orders"], line["stage"], line["fact"]) == ([1.0], "test", fact)

    @pytest.mark.parametrize(("after_s", "late"), [(0, 0.0), (60, 0.0), (61, 1.0)])
    def test_a_first_link_is_in_time_or_late_by_the_event_of_its_payment(
        self, floor: Floor, after_s: float, late: float
    ) -> None:
        paid = floor.shop.clock() - timedelta(seconds=after_s)
        floor.run(notices.to_json(a_notice(at=paid)))
        lines = [line for line in floor.printed.lines() if "_aws" in line]
        assert [line["LetterSeconds"] for line in lines if "LetterSeconds" in line] == [[after_s]]
        [counted] = [line for line in lines if "LettersLate" in line]
        assert (counted["LettersInTime"], counted["LettersLate"]) == ([1.0 - late], [late])

    def test_what_the_sweep_found_counts_from_when_the_order_was_paid(
        self, floor: Floor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        payment = replace(a_payment(), at=floor.shop.clock() - timedelta(minutes=40))
        order = an_order(payments=(payment,))
        monkeypatch.setattr(floor.payments, "order", lambda _order_id, **_: order)
        floor.run(notices.to_json(a_notice(why=notices.SWEEP, at=floor.shop.clock())))
        [line] = floor.printed.metrics("LetterSeconds")
        assert line["LetterSeconds"] == [2400.0]

    def test_a_link_is_timed_once_however_often_the_order_is_looked_at(self, floor: Floor) -> None:
        floor.run(GOOD)
        floor.run(GOOD)
        assert len(floor.printed.metrics("LetterSeconds")) == 1


class TestContainer:
    def test_it_is_built_from_the_environment_without_asking_anybody(self, monkeypatch: pytest.MonkeyPatch) -> None:
        variables = {
            "STAGE": "test",
            "STRIPE_MODE": "live",
            "SECRET_NAME": SECRET_NAME,
            "QUEUE_URL": "https://sqs/queue",
            "DEAD_LETTER_QUEUE_URL": "https://sqs/dead",
            "ORDERS_TABLE": ORDERS_TABLE,
            "SENDER_ADDRESS": "shop@example.com",
            "MAIL_CONFIGURATION_SET": "letters",
            "EVENTS_TABLE": "events",
            "LINK_DAYS": "9",
            "ACCESS": "life",
            "DELIVERY": "link",
            "SHARE_LIMIT": "0",
            "PAGE_URL": "https://api.example/order",
            "GRACE_DAYS": "5",
            "PARTIAL_REFUNDS": "end",
            "CANCELED_SUBSCRIPTIONS": "keep",
            "LATE_PAYMENTS": "ask",
            "FRAUD_WARNINGS": "hold",
            "CONNECTED_ACCOUNTS": "allow",
            "STRIPE_API_BASE": "https://api.stripe.com",
            "FASTIO_API_BASE": "https://api.fast.io/current",
            "FASTIO_WEB_BASE": "https://go.fast.io",
        }
        with cloud():
            for name, value in variables.items():
                monkeypatch.setenv(name, value)
            deliver._container.cache_clear()
            try:
                shop = deliver._container().shop
                assert shop.policy == Policy(
                    livemode=True,
                    link_days=9,
                    grace_days=5,
                    end_on_partial_refund=True,
                    hold_on_fraud_warning=True,
                    keep_canceled=True,
                    ask_when_paid_late=True,
                )
                assert shop.connected_accounts is True
                assert deliver._container() is deliver._container()
            finally:
                deliver._container().threads.shutdown()
                deliver._container.cache_clear()

    def test_missing_settings_are_all_named_in_one_line_and_the_batch_comes_again(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name in ("STAGE", "ORDERS_TABLE", "LINK_DAYS"):
            monkeypatch.delenv(name, raising=False)
        printed = Printed("deliver", capsys)
        deliver._container.cache_clear()
        with pytest.raises(SettingsIncomplete):
            deliver.handler({"Records": []}, cast("LambdaContext", Context()))
        (line,) = printed.log()
        assert line["message"] == "settings_incomplete"
        for name in ("STAGE", "ORDERS_TABLE", "LINK_DAYS"):
            assert any(gap.startswith(name) for gap in line["gaps"])
