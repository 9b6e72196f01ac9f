"""The operator's commands, from their words to the queues and the ledger, on moto's AWS."""

import io
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError

from local.hosting.serving import serving
from local.stripe.server import stripe_app
from operate import __main__ as operate
from operate import options, orders, outcome, stacks
from operate.ledger import Row
from operate.stacks import Name, Stack
from paidshare import notices
from paidshare.aws import DynamoLedger, DynamoOrderIndex, SqsMessages
from paidshare.delivering.errors import MetadataBroken
from paidshare.errors import FileMissing, NeedsAPerson, OrderUnknown, PatienceExhausted, StripeUnavailable
from paidshare.feedback import mail_events
from paidshare.feedback.mail_events import Fact
from paidshare.notices import Notice
from paidshare.payments_stripe import StripePayments
from paidshare.progress import Progress
from paidshare.states import State
from tests.builders import NOW, a_notice, a_progress, a_row
from tests.cloud import ORDERS_TABLE, Cloud, cloud
from tests.fakes_mail import a_mail_event
from tests.stripe_world import KEY, StripeWorld

# As long as Stripe's own.
ORDER = "cs_live_" + "a1" * 29
IDS = ["cs_test_1", "in_1", "pi_1", "ch_1", "py_1", "re_1", "pyr_1", "du_1", "dp_1", "issfr_1", "sub_1"]


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    out: str
    err: str


type Run = Callable[..., Ran]


@pytest.fixture
def aws() -> Iterator[Cloud]:
    with cloud() as made:
        yield made


@pytest.fixture
def stack(aws: Cloud) -> Stack:
    return Stack("paidshare-prod", aws.sqs, aws.dynamodb, aws.queue_url, aws.dead_letter_url, ORDERS_TABLE)


@pytest.fixture
def run(stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command line on *stack*, whichever is asked for."""
    monkeypatch.setattr(stacks, "found", lambda name, **_: replace(stack, name=name.stack))
    # moto really waits, and has one server only.
    monkeypatch.setattr("paidshare.aws.dead_letters._WAIT_S", 0)

    def ran(*arguments: str) -> Ran:
        try:
            code: Any = operate.main(list(arguments))
        except SystemExit as exc:
            code = exc.code
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    return ran


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


def dead_orders(run: Run) -> list[str]:
    return [letter["order"] for letter in json.loads(run("dead", "--json").out)]


def record(aws: Cloud, **row: Any) -> None:
    kinds = {str: "S", int: "N", list: "L"}
    item = {name: {kinds[type(value)]: str(value) if type(value) is int else value} for name, value in row.items()}
    aws.dynamodb.put_item(TableName=ORDERS_TABLE, Item=item)


class TestDead:
    def test_a_dead_letter_is_shown_with_its_order_why_what_to_do_and_since_when(self, aws: Cloud, run: Run) -> None:
        bury(aws, MetadataBroken("product prod_1: fastio_files is missing"))
        shown = run("dead")
        assert shown.code == 0
        assert "metadata_broken" in shown.out
        assert "product prod_1: fastio_files is missing" in shown.out
        assert MetadataBroken.advice in " ".join(shown.out.split())
        assert f"{datetime.now(UTC):%Y-%m-%d}" in shown.out
        assert "1 dead letter, newest first." in shown.out

    def test_an_order_s_id_is_on_a_line_of_its_own_and_whole_to_be_copied(self, aws: Cloud, run: Run) -> None:
        bury(aws, OrderUnknown("x"))
        assert ORDER in [line.strip() for line in run("dead").out.splitlines()]

    def test_no_line_is_wider_than_a_terminal(self, aws: Cloud, run: Run) -> None:
        bury(aws, FileMissing("file-forest of product prod_1 is not in workspace shop, or not visible to our key " * 3))
        assert max(len(line) for line in run("dead").out.splitlines()) <= 80

    def test_all_are_shown_however_many_pages_sqs_makes_of_them(self, aws: Cloud, run: Run) -> None:
        orders = [f"cs_test_{number}" for number in range(37)]
        for order in orders:
            bury(aws, OrderUnknown("x"), order)
        assert sorted(dead_orders(run)) == sorted(orders)

    def test_the_newest_comes_first(self, aws: Cloud, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        now = time.time()
        for order, age in (("cs_test_old", 300), ("cs_test_new", 100), ("cs_test_between", 200)):
            with monkeypatch.context() as patch:
                patch.setattr("moto.sqs.models.unix_time_millis", lambda age=age: (now - age) * 1000)
                bury(aws, OrderUnknown("x"), order)
        assert dead_orders(run) == ["cs_test_new", "cs_test_between", "cs_test_old"]

    def test_looking_changes_nothing(self, aws: Cloud, run: Run) -> None:
        body = bury(aws, OrderUnknown("x"))
        run("dead")
        assert [message["Body"] for message in aws.queued(aws.dead_letter_url)] == [body]
        assert working(aws) == []

    def test_what_sqs_gave_up_itself_is_shown_by_the_order_that_its_notice_names(self, aws: Cloud, run: Run) -> None:
        bury_plain(aws, notices.to_json(a_notice(about=ORDER)))
        assert ORDER in run("dead").out
        [letter] = json.loads(run("dead", "--json").out)
        assert letter["reason"] is None
        assert "crashed" in letter["what"]

    def test_a_message_that_is_no_notice_is_shown_by_its_id(self, aws: Cloud, run: Run) -> None:
        message_id = bury_plain(aws, "hello")
        assert message_id in run("dead").out

    def test_nothing_written_into_the_queue_reaches_the_terminal_as_an_escape(self, aws: Cloud, run: Run) -> None:
        bury(aws, OrderUnknown("\x1b]0;gotcha\x07 [red]not markup[/red]"))
        shown = run("dead").out
        assert "\x1b" not in shown
        assert "\x07" not in shown
        assert "[red]not markup[/red]" in shown

    def test_copies_of_a_case_are_shown_as_one(self, aws: Cloud, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        now = time.time()
        for hours in (15, 8, 1):
            with monkeypatch.context() as patch:
                patch.setattr("moto.sqs.models.unix_time_millis", lambda hours=hours: (now - hours * 3_600) * 1000)
                bury(aws, MetadataBroken("x"))
        bury(aws, OrderUnknown("x"))
        bury(aws, MetadataBroken("x"), "cs_test_other")
        shown = run("dead").out
        [line] = [line for line in shown.splitlines() if "told" in line]
        assert (
            line
            == f"{datetime.fromtimestamp(now - 15 * 3_600, UTC):%Y-%m-%d %H:%M} UTC  metadata_broken  (told 3 times)"
        )
        assert shown.count(ORDER) == 2
        assert "5 dead letters, newest first." in shown

    def test_no_dead_letters_are_said_to_be_none(self, run: Run) -> None:
        assert run("dead") == Ran(0, "No dead letters.\n", "")
        assert json.loads(run("dead", "--json").out) == []

    def test_letters_that_sqs_counts_and_does_not_show_are_admitted(self, aws: Cloud, run: Run) -> None:
        bury(aws, OrderUnknown("x"))
        assert len(aws.queued(aws.dead_letter_url)) == 1  # Somebody else has it in hand.
        shown = run("dead")
        assert shown.out == "No dead letters.\n"
        assert "SQS counts 1" in shown.err


class TestRedrive:
    def test_a_named_order_s_letter_is_back_on_the_work_queue_and_no_other(self, aws: Cloud, run: Run) -> None:
        body = bury(aws, MetadataBroken("x"))
        bury(aws, MetadataBroken("x"), "cs_test_other")
        ran = run("redrive", ORDER)
        assert ran.code == 0
        assert f"back to work: {ORDER}" in ran.out
        assert working(aws) == [body]
        assert dead_orders(run) == ["cs_test_other"]

    def test_what_was_written_beside_a_letter_does_not_go_with_it(self, aws: Cloud, run: Run) -> None:
        bury(aws, MetadataBroken("x"))
        run("redrive", ORDER)
        [message] = aws.queued()
        assert "MessageAttributes" not in message

    def test_an_order_is_found_by_the_payment_that_its_event_was_about_as_well(self, aws: Cloud, run: Run) -> None:
        body = bury(aws, MetadataBroken("x"), about="pi_1")
        assert run("redrive", "pi_1").code == 0
        assert working(aws) == [body]

    def test_every_letter_of_a_named_order_goes_back(self, aws: Cloud, run: Run) -> None:
        bodies = [bury(aws, MetadataBroken("x"), about=about) for about in (ORDER, "pi_1")]
        assert "2 dead letters put back" in run("redrive", ORDER).out
        assert sorted(working(aws)) == sorted(bodies)

    def test_an_order_without_a_dead_letter_is_named_and_the_others_go_back(self, aws: Cloud, run: Run) -> None:
        body = bury(aws, MetadataBroken("x"))
        ran = run("redrive", "cs_test_none", ORDER)
        assert (ran.code, working(aws)) == (1, [body])
        assert ran.err == "✗ no dead letter of cs_test_none\n"

    def test_all_go_back(self, aws: Cloud, run: Run) -> None:
        for number in range(23):
            bury(aws, OrderUnknown("x"), f"cs_test_{number}")
        assert "23 dead letters put back" in run("redrive", "--all").out
        assert sum(len(working(aws)) for _ in range(3)) == 23
        assert dead_orders(run) == []

    def test_all_of_one_reason_go_back_and_no_other(self, aws: Cloud, run: Run) -> None:
        body = bury(aws, FileMissing("x"))
        bury(aws, MetadataBroken("x"), "cs_test_other")
        assert run("redrive", "--all", "--reason", "file_missing").code == 0
        assert (working(aws), dead_orders(run)) == ([body], ["cs_test_other"])

    def test_none_at_all_is_no_failure(self, run: Run) -> None:
        assert run("redrive", "--all") == Ran(0, "0 dead letters put back to work.\n", "")

    def test_a_message_that_is_no_notice_is_named_and_stays(self, aws: Cloud, run: Run) -> None:
        message_id = bury_plain(aws, '{"version": 2}')
        ran = run("redrive", "--all")
        assert ran.code == 0
        assert f"left, no notice of ours: message {message_id}" in ran.out
        assert (working(aws), len(aws.queued(aws.dead_letter_url))) == ([], 1)

    def test_a_letter_that_the_work_queue_does_not_take_stays(
        self, aws: Cloud, run: Run, stack: Stack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bury(aws, MetadataBroken("x"))
        gone = replace(stack, queue_url=aws.queue_url + "-gone")
        monkeypatch.setattr(stacks, "found", lambda *_, **__: gone)
        ran = run("redrive", ORDER)
        assert ran.code == 1
        assert ran.err.startswith("✗ AWS SendMessageBatch: ")
        assert dead_orders(run) == [ORDER]

    def test_of_a_batch_that_sqs_takes_in_part_the_rest_stays(
        self, aws: Cloud, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(3):
            bury(aws, OrderUnknown("x"), f"cs_test_{number}")
        whole = aws.sqs.send_message_batch

        def in_part(*, QueueUrl: str, Entries: list[Any]) -> Any:  # noqa: N803  # SQS's own names.
            return whole(QueueUrl=QueueUrl, Entries=Entries[:-1]) | {"Failed": [{"Id": Entries[-1]["Id"]}]}

        monkeypatch.setattr(aws.sqs, "send_message_batch", in_part)
        ran = run("redrive", "--all")
        assert ran.code == 1
        assert "SQS did not take 1 dead letter" in ran.err
        assert (len(working(aws)), len(dead_orders(run))) == (2, 1)

    @pytest.mark.parametrize("fact", [Fact.BOUNCED, Fact.COMPLAINED, Fact.REJECTED])
    def test_a_letter_that_failed_is_not_redriven_but_told_what_to_do(self, aws: Cloud, run: Run, fact: Fact) -> None:
        bury_a_letter_case(aws, fact)
        ran = run("redrive", ORDER)
        assert (ran.code, working(aws), dead_orders(run)) == (1, [], [ORDER])
        assert "resend ORDER --to ADDRESS" in ran.err
        assert "dismiss ORDER" in ran.err

    def test_all_leaves_letters_that_failed_says_how_many_and_what_to_do(self, aws: Cloud, run: Run) -> None:
        body = bury(aws, MetadataBroken("x"), "cs_test_other")
        bury_a_letter_case(aws)
        ran = run("redrive", "--all")
        assert (ran.code, working(aws), dead_orders(run)) == (0, [body], [ORDER])
        assert f"left, a letter that failed: {ORDER}  letter_bounced" in ran.out
        assert "1 dead letter left. A redrive would mail nothing" in ran.out

    def test_news_that_could_not_be_noted_of_a_letter_that_failed_is_left_too(self, aws: Cloud, run: Run) -> None:
        body = notices.to_json(a_notice(about=ORDER, why="mail.bounced"))
        messages = SqsMessages(aws.sqs, queue_url=aws.queue_url, dead_letter_url=aws.dead_letter_url)
        messages.give_to_a_person(body, PatienceExhausted("x"), about=ORDER)
        assert run("redrive", ORDER).code == 1
        assert dead_orders(run) == [ORDER]

    def test_what_else_waits_of_the_same_order_goes_back(self, aws: Cloud, run: Run) -> None:
        body = bury(aws, MetadataBroken("x"))
        bury_a_letter_case(aws)
        assert run("redrive", ORDER).code == 1
        assert working(aws) == [body]
        [letter] = json.loads(run("dead", "--json").out)
        assert letter["reason"] == "letter_bounced"

    def test_it_is_either_named_orders_or_all(self, aws: Cloud, run: Run) -> None:
        bury(aws, FileMissing("x"))
        for words in ((), (ORDER, "--all"), (ORDER, "--reason", "file_missing"), ("--reason", "file_missing")):
            assert run("redrive", *words).code == 2, words
        assert dead_orders(run) == [ORDER]


class TestDismiss:
    def test_a_case_s_dead_letters_go_and_the_sweep_asks_no_more(self, aws: Cloud, run: Run) -> None:
        hold(aws)
        bury(aws, MetadataBroken("x"))
        bury(aws, MetadataBroken("x"), about="pi_1")
        ran = run("dismiss", ORDER, "--yes")
        assert ran == Ran(0, f"{ORDER}  metadata_broken\n1 ended, 2 dead letters deleted.\n", "")
        assert (dead_orders(run), asked_about(aws), working(aws)) == ([], [], [])
        assert "dismissed_at" in run("show", ORDER).out

    def test_other_orders_go_on_waiting(self, aws: Cloud, run: Run) -> None:
        for order in (ORDER, "cs_test_other"):
            hold(aws, order=order)
            bury(aws, MetadataBroken("x"), order)
        run("dismiss", ORDER, "--yes")
        assert (dead_orders(run), asked_about(aws)) == (["cs_test_other"], ["cs_test_other"])

    def test_a_letter_that_failed_is_ended_and_its_order_s_own_case_is_not(self, aws: Cloud, run: Run) -> None:
        hold(aws)
        bury(aws, MetadataBroken("x"))
        bury_a_letter_case(aws)
        assert run("dismiss", ORDER, "--reason", "letter_bounced", "--yes").code == 0
        assert [letter["reason"] for letter in json.loads(run("dead", "--json").out)] == ["metadata_broken"]
        assert asked_about(aws) == [ORDER]

    def test_an_order_on_hold_whose_dead_letter_somebody_deleted_is_ended(self, aws: Cloud, run: Run) -> None:
        hold(aws)
        assert "1 ended, 0 dead letters deleted." in run("dismiss", ORDER, "--yes").out
        assert asked_about(aws) == []

    def test_a_message_is_named_by_its_own_id_and_its_case_s_copies_go_along(self, aws: Cloud, run: Run) -> None:
        hold(aws)
        plain = bury_plain(aws, "hello")
        bury(aws, MetadataBroken("x"))
        bury(aws, MetadataBroken("x"))
        letters = json.loads(run("dead", "--json").out)
        named = next(letter["message_id"] for letter in letters if letter["order"])
        assert run("dismiss", plain, named, "--yes").code == 0
        assert (dead_orders(run), asked_about(aws)) == ([], [])

    def test_news_of_the_order_brings_the_case_back(self, aws: Cloud, run: Run) -> None:
        hold(aws)
        run("dismiss", ORDER, "--yes")
        hold(aws)
        assert asked_about(aws) == [ORDER]

    def test_what_a_worker_has_in_hand_is_left_as_it_is(self, aws: Cloud, run: Run) -> None:
        hold(aws)
        bury(aws, MetadataBroken("x"))
        DynamoLedger(aws.dynamodb, ORDERS_TABLE).claim(ORDER, holder="worker", now=datetime.now(UTC))
        ran = run("dismiss", ORDER, "--yes")
        assert (ran.code, dead_orders(run), asked_about(aws)) == (1, [ORDER], [ORDER])
        assert f"a worker has it in hand, try again: {ORDER}" in ran.err

    def test_an_order_that_was_delivered_meanwhile_stays_so(self, aws: Cloud, run: Run) -> None:
        record(aws, order_id=ORDER, state="delivered")
        bury(aws, MetadataBroken("x"))
        assert run("dismiss", ORDER, "--yes").code == 0
        assert (dead_orders(run), "dismissed_at" in run("show", ORDER).out) == ([], False)

    @pytest.mark.parametrize(("answer", "code", "left"), [("y\n", 0, 0), ("n\n", 1, 1), ("", 1, 1)])
    def test_nothing_is_ended_unless_that_is_confirmed(
        self, aws: Cloud, run: Run, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, left: int
    ) -> None:
        hold(aws)
        bury(aws, MetadataBroken("x"))
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        assert run("dismiss", ORDER).code == code
        assert (len(dead_orders(run)), len(asked_about(aws))) == (left, left)

    @pytest.mark.parametrize("words", [(ORDER,), (ORDER, "--reason", "file_missing"), ("no-such-message",)])
    def test_what_does_not_wait_is_said_so(self, aws: Cloud, run: Run, words: tuple[str, ...]) -> None:
        bury(aws, MetadataBroken("x"), "cs_test_other")
        ran = run("dismiss", *words, "--yes")
        assert (ran.code, dead_orders(run)) == (1, ["cs_test_other"])
        assert ran.err.startswith(f"✗ nothing waits for a person of {words[0]}")


class TestLookAndResend:
    @pytest.mark.parametrize(("command", "why"), [("look", notices.LOOK), ("resend", notices.RESEND)])
    def test_it_is_a_notice_that_deliver_reads(self, aws: Cloud, run: Run, command: str, why: str) -> None:
        record(aws, order_id=ORDER, state="delivered")
        before = datetime.now(UTC).replace(microsecond=0)
        assert run(command, ORDER, *(["--yes", "--wait", "0"] if command == "resend" else [])).code == 0
        [body] = working(aws)
        notice = notices.from_json(body)
        assert (notice.source, notice.why, notice.about, notice.account) == ("stripe", why, ORDER, None)
        assert before <= notice.at <= datetime.now(UTC)

    def test_an_order_of_a_connected_account_is_asked_for_there(self, aws: Cloud, run: Run) -> None:
        run("look", ORDER, "--account", "acct_1")
        [body] = working(aws)
        assert notices.from_json(body).account == "acct_1"

    def test_every_id_that_leads_to_an_order_at_stripe_is_taken(self, aws: Cloud, run: Run) -> None:
        for about in IDS:
            assert run("look", about).code == 0, about
            assert [notices.from_json(body).about for body in working(aws)] == [about]

    @pytest.mark.parametrize("command", ["look", "resend", "show"])
    def test_what_is_no_id_is_refused_in_one_line(self, aws: Cloud, run: Run, command: str) -> None:
        for wrong in ("", "cs_", "cs_live_…", "evt_1", "../in_1", "cs_1\n", "cs_\x1b[2J", "x" * 400):
            ran = run(command, wrong)
            assert (ran.code, working(aws)) == (2, []), wrong
            assert "is not an" in ran.err.splitlines()[-1]
            assert "\x1b" not in ran.err

    def test_what_is_no_account_is_refused(self, aws: Cloud, run: Run) -> None:
        assert run("look", ORDER, "--account", "mine").code == 2
        assert working(aws) == []

    def test_an_id_is_refused_here_just_when_the_adapter_refuses_it(self) -> None:
        # Else the operator hears of it by a dead letter.
        payments = StripePayments(api_key=lambda: "", api_base="http://127.0.0.1:1")
        for about in [*IDS, "evt_1", "cs_", "cus_1", "in_1-2", "cs_" + "a" * 251]:
            try:
                payments.orders_of(about, now=NOW)
                refused = False
            except StripeUnavailable:  # It would have asked, with a key.
                refused = False
            except OrderUnknown:
                refused = True
            assert refused is (options.ABOUT.fullmatch(about) is None), about
        payments.close()

    @pytest.mark.parametrize(("answer", "code", "asked"), [("y\n", 0, 1), ("n\n", 1, 0), ("", 1, 0)])
    def test_a_link_is_mailed_again_only_once_that_is_confirmed(
        self, aws: Cloud, run: Run, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, asked: int
    ) -> None:
        record(aws, order_id=ORDER, state="delivered")
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        ran = run("resend", ORDER, "--wait", "0")
        assert (ran.code, len(working(aws))) == (code, asked)
        assert f"the link of {ORDER} (delivered) in paidshare-prod to its buyer once more? [y/N]" in ran.out

    def test_nothing_is_mailed_again_of_an_order_that_the_ledger_does_not_know(self, aws: Cloud, run: Run) -> None:
        ran = run("resend", ORDER, "--yes")
        assert (ran.code, working(aws)) == (1, [])
        assert f"has no order {ORDER}" in ran.err


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[float], None]], list[float]]:
    """What happens while a command waits, told how long; the waits. Time passes only then."""

    def made(happens: Callable[[float], None]) -> list[float]:
        waits: list[float] = []

        def sleep(seconds: float) -> None:
            waits.append(seconds)
            happens(seconds)

        monkeypatch.setattr(orders, "monotonic", lambda: sum(waits))
        monkeypatch.setattr(orders, "sleep", sleep)
        return waits

    return made


@dataclass(slots=True)
class Deliver:
    """Takes the wish off the queue and leaves the order as *progress* says; an outcome answers the wish."""

    aws: Cloud
    order: str = ORDER
    progress: Progress = field(default_factory=lambda: Progress(state=State.DELIVERED))
    outcome: str | None = None
    done: bool = True
    wishes: list[Notice] = field(default_factory=list)

    def __call__(self, _: float) -> None:
        for body in working(self.aws):
            wish = notices.from_json(body)
            self.wishes.append(wish)
            ledger = DynamoLedger(self.aws.dynamodb, ORDERS_TABLE)
            before = ledger.claim(self.order, holder="worker", now=NOW)
            answered = wish.event_id if self.outcome else a_row(before).resent
            after = a_progress(self.progress, resent=answered, resent_outcome=self.outcome)
            ledger.release(self.order, after, holder="worker", now=NOW, done=self.done)


type Meanwhile = Callable[[Callable[[float], None]], list[float]]


class TestWhatCameOfAResend:
    def test_it_is_mailed(self, aws: Cloud, run: Run, meanwhile: Meanwhile) -> None:
        record(aws, order_id=ORDER, state="delivered")
        meanwhile(Deliver(aws, outcome="mailed"))
        ran = run("resend", ORDER, "--yes")
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.splitlines()[-1].startswith("The link was mailed once more.")

    @pytest.mark.parametrize(
        ("outcome", "words"),
        [
            ("access_ended:refunded", "nothing was mailed: access has ended (refunded)"),
            ("access_on_hold:subscription_unpaid", "nothing was mailed: access is on hold (subscription unpaid)"),
            ("waiting:not_paid", "nothing was mailed: there is nothing to deliver yet (not paid)"),
            (
                "not_ours:no_line_of_ours",
                "nothing was mailed: nothing in the order is delivered by us (no line of ours)",
            ),
            ("delivered:no_address", "nothing was mailed: the order is delivered (no address)"),
            ("access_ended:", "nothing was mailed: access has ended"),
            ("something_new:why_not", "nothing was mailed: something new (why not)"),
        ],
    )
    def test_that_nothing_was_mailed_is_said_with_the_reason(
        self, aws: Cloud, run: Run, meanwhile: Meanwhile, outcome: str, words: str
    ) -> None:
        record(aws, order_id=ORDER, state="delivered")
        meanwhile(Deliver(aws, outcome=outcome))
        ran = run("resend", ORDER, "--yes")
        assert (ran.code, ran.err) == (1, f"✗ {words}\n")

    def test_an_order_that_waits_for_a_person_is_said_to(self, aws: Cloud, run: Run, meanwhile: Meanwhile) -> None:
        record(aws, order_id=ORDER, state="delivered")
        meanwhile(Deliver(aws, progress=Progress(state=State.ON_HOLD, reason="letter_rejected")))
        ran = run("resend", ORDER, "--yes")
        assert (ran.code, ran.err) == (
            1,
            "✗ nothing was mailed: the order waits for a person (letter_rejected); see `dead`\n",
        )

    def test_that_it_waited_for_one_before_the_wish_is_no_answer(
        self, aws: Cloud, run: Run, meanwhile: Meanwhile
    ) -> None:
        hold(aws)
        meanwhile(Deliver(aws, outcome="mailed"))
        assert run("resend", ORDER, "--yes").code == 0

    def test_while_nothing_comes_of_it_that_is_said_after_as_long_as_was_asked_for(
        self, aws: Cloud, run: Run, meanwhile: Meanwhile
    ) -> None:
        hold(aws)
        waits = meanwhile(lambda _: None)
        ran = run("resend", ORDER, "--yes", "--wait", "5")
        assert (ran.code, sum(waits)) == (1, 5)
        assert ran.err.startswith("✗ nothing came of it within 5 s")

    def test_an_answer_to_an_older_wish_is_none(self, aws: Cloud, run: Run, meanwhile: Meanwhile) -> None:
        record(aws, order_id=ORDER, state="delivered", resent="operator:older", resent_outcome="mailed")
        meanwhile(lambda _: None)
        assert run("resend", ORDER, "--yes").code == 1

    def test_a_deliver_that_knows_no_outcomes_has_mailed_what_it_answered(self) -> None:
        before = Row(ORDER, "delivered")
        came = outcome.came_of("wish", before=before, now=replace(before, resent="wish"))
        assert came is not None
        assert came.mailed

    def test_of_an_order_kept_under_another_id_that_one_is_asked_for_and_followed(
        self, aws: Cloud, run: Run, meanwhile: Meanwhile
    ) -> None:
        record(aws, order_id=ORDER, state="elsewhere", reason="in_1")
        record(aws, order_id="in_1", state="delivered")
        meanwhile(deliver := Deliver(aws, order="in_1", outcome="mailed"))
        assert run("resend", ORDER, "--yes").code == 0
        assert [wish.about for wish in deliver.wishes] == ["in_1"]

    def test_an_order_that_turns_out_to_be_kept_elsewhere_is_followed(
        self, aws: Cloud, run: Run, meanwhile: Meanwhile
    ) -> None:
        record(aws, order_id=ORDER, state="new")
        deliver = Deliver(aws, order="in_1", outcome="access_ended:refunded")

        def happens(seconds: float) -> None:
            deliver(seconds)
            record(aws, order_id=ORDER, state="elsewhere", reason="in_1")

        meanwhile(happens)
        assert "access has ended (refunded)" in run("resend", ORDER, "--yes").err

    def test_without_waiting_it_is_asked_for_and_nothing_more_is_said(self, aws: Cloud, run: Run) -> None:
        record(aws, order_id=ORDER, state="delivered")
        ran = run("resend", ORDER, "--yes", "--wait", "0")
        assert (ran.code, len(working(aws))) == (0, 1)
        assert "`show` and `dead` tell what came of it" in ran.out

    def test_what_only_leads_to_orders_is_asked_for_and_not_waited_for(self, aws: Cloud, run: Run) -> None:
        assert run("resend", "sub_1", "--yes").code == 0
        assert [notices.from_json(body).about for body in working(aws)] == ["sub_1"]

    def test_a_connected_account_s_order_is_asked_for_there(self, aws: Cloud, run: Run) -> None:
        record(aws, order_id=ORDER, state="delivered", account="acct_1")
        run("resend", ORDER, "--yes", "--wait", "0")
        assert [notices.from_json(body).account for body in working(aws)] == ["acct_1"]


@dataclass(frozen=True, slots=True)
class Till:
    """The Stripe that the stack asks, in the operator's hands: a paid session and a paid invoice."""

    world: StripeWorld
    session: str
    invoice: str

    def corrected(self, order: str) -> str | None:
        v1 = self.world.sdk().v1
        found = v1.invoices.retrieve(order) if order.startswith("in_") else v1.checkout.sessions.retrieve(order)
        metadata: dict[str, str] = found.to_dict()["metadata"] or {}
        return metadata.get("paidshare_email")


@pytest.fixture
def till(aws: Cloud, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Till]:
    with serving(stripe_app(keys=[KEY])) as url:
        world = StripeWorld(url)
        made = Till(world, world.sell(("Guide", {})), world.bill(("Guide", {})))
        monkeypatch.setattr(stacks, "found", lambda *_, **__: replace(stack, stripe_api_base=url))
        monkeypatch.setenv("STRIPE_API_KEY", KEY)
        for order in (made.session, made.invoice):
            record(aws, order_id=order, state="delivered")
        yield made
        world.close()


GOOD_ADDRESS = "ada.lovelace+books@example.org"


class TestACorrectedAddress:
    @pytest.mark.parametrize("kind", ["session", "invoice"])
    def test_it_is_written_at_stripe_and_only_there_and_then_the_link_is_asked_for(
        self, aws: Cloud, run: Run, till: Till, kind: str
    ) -> None:
        order = str(getattr(till, kind))
        ran = run("resend", order, "--to", GOOD_ADDRESS, "--yes", "--wait", "0")
        assert (ran.code, ran.err) == (0, "")
        assert till.corrected(order) == GOOD_ADDRESS
        [body] = working(aws)
        assert notices.from_json(body).why == notices.RESEND
        assert GOOD_ADDRESS not in body + ran.out
        assert GOOD_ADDRESS not in run("show", order).out

    def test_what_else_stands_in_the_metadata_stays(self, run: Run, till: Till) -> None:
        till.world.sdk().v1.checkout.sessions.update(till.session, {"metadata": {"theirs": "1"}})
        run("resend", till.session, "--to", GOOD_ADDRESS, "--yes", "--wait", "0")
        metadata = till.world.sdk().v1.checkout.sessions.retrieve(till.session).metadata
        assert metadata is not None
        assert metadata.to_dict() == {"theirs": "1", "paidshare_email": GOOD_ADDRESS}

    def test_the_same_one_again_is_no_second_correction(self, aws: Cloud, run: Run, till: Till) -> None:
        for _ in range(2):
            assert run("resend", till.session, "--to", GOOD_ADDRESS, "--yes", "--wait", "0").code == 0
        assert len(working(aws)) == 2
        assert [call["method"] for call in till.world.calls() if till.session in call["path"]] == ["GET", "POST", "GET"]

    def test_another_one_is_refused_and_nothing_asked_for_unless_it_is_to_replace(
        self, aws: Cloud, run: Run, till: Till
    ) -> None:
        run("resend", till.session, "--to", "first@example.org", "--yes", "--wait", "0")
        working(aws)
        ran = run("resend", till.session, "--to", GOOD_ADDRESS, "--yes", "--wait", "0")
        assert (ran.code, working(aws), till.corrected(till.session)) == (1, [], "first@example.org")
        assert "--replace" in ran.err
        assert "first@" not in ran.err
        assert run("resend", till.session, "--to", GOOD_ADDRESS, "--replace", "--yes", "--wait", "0").code == 0
        assert (len(working(aws)), till.corrected(till.session)) == (1, GOOD_ADDRESS)

    def test_it_is_written_on_the_order_that_the_purchase_is_kept_under(self, aws: Cloud, run: Run, till: Till) -> None:
        record(aws, order_id=till.session, state="elsewhere", reason=till.invoice)
        run("resend", till.session, "--to", GOOD_ADDRESS, "--yes", "--wait", "0")
        assert (till.corrected(till.session), till.corrected(till.invoice)) == (None, GOOD_ADDRESS)

    def test_a_connected_account_s_order_is_corrected_there(self, aws: Cloud, run: Run, till: Till) -> None:
        order = till.world.sell(("Guide", {}), account="acct_1Other")
        record(aws, order_id=order, state="delivered", account="acct_1Other")
        assert run("resend", order, "--to", GOOD_ADDRESS, "--yes", "--wait", "0").code == 0

    @pytest.mark.parametrize("key", [None, "", " ", "sk_test_another", "sk_test_51\nKey", "rk_live_other"])
    def test_a_key_that_is_missing_or_refused_is_said_so_and_never_shown(
        self, aws: Cloud, run: Run, till: Till, monkeypatch: pytest.MonkeyPatch, key: str | None
    ) -> None:
        monkeypatch.delenv("STRIPE_API_KEY")
        if key is not None:
            monkeypatch.setenv("STRIPE_API_KEY", key)
        ran = run("resend", till.session, "--to", GOOD_ADDRESS, "--yes", "--wait", "0")
        assert (ran.code, working(aws), till.corrected(till.session)) == (1, [], None)
        assert "STRIPE_API_KEY" in ran.err
        assert not any(part in ran.err for part in ("another", "51\nKey", "other"))

    def test_a_key_that_may_only_read_is_said_so(self, aws: Cloud, run: Run, till: Till) -> None:
        error = {"type": "invalid_request_error", "message": f"The provided key 'rk_test_***{KEY[-4:]}' may not"}
        till.world.fault(403, match="POST /v1/checkout/sessions/*", body={"error": error}, times=9)
        ran = run("resend", till.session, "--to", GOOD_ADDRESS, "--yes", "--wait", "0")
        assert (ran.code, working(aws)) == (1, [])
        assert "nothing was asked for" in ran.err
        assert "may write Checkout Sessions" in ran.err
        assert KEY[-4:] not in ran.err

    def test_an_order_that_stripe_does_not_have_for_the_key_is_said_so(self, aws: Cloud, run: Run, till: Till) -> None:
        record(aws, order_id=ORDER, state="delivered")
        ran = run("resend", ORDER, "--to", GOOD_ADDRESS, "--yes", "--wait", "0")
        assert (ran.code, working(aws)) == (1, [])
        assert f"Stripe does not know {ORDER}" in ran.err

    def test_stripe_out_of_reach_is_said_so(self, aws: Cloud, run: Run, till: Till) -> None:
        till.world.fault(503, match="GET /v1/checkout/sessions/*", times=9)
        ran = run("resend", till.session, "--to", GOOD_ADDRESS, "--yes", "--wait", "0")
        assert (ran.code, working(aws)) == (1, [])
        assert "the address is not written" in ran.err

    def test_the_key_is_shown_to_no_plain_http_address_but_the_laptop_s(
        self, aws: Cloud, run: Run, till: Till, stack: Stack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        elsewhere = replace(stack, stripe_api_base="http://api.example.com")
        monkeypatch.setattr(stacks, "found", lambda *_, **__: elsewhere)
        ran = run("resend", till.session, "--to", GOOD_ADDRESS, "--yes", "--wait", "0")
        assert (ran.code, working(aws)) == (1, [])
        assert "is not shown to http://api.example.com" in ran.err

    @pytest.mark.parametrize(("answer", "asked"), [("y\n", 1), ("n\n", 0), ("", 0)])
    def test_it_is_shown_and_confirmed_before_it_is_written(
        self, aws: Cloud, run: Run, till: Till, monkeypatch: pytest.MonkeyPatch, answer: str, asked: int
    ) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        ran = run("resend", till.session, "--to", GOOD_ADDRESS, "--wait", "0")
        assert f"to {GOOD_ADDRESS}, and write that address at Stripe," in ran.out
        assert (till.corrected(till.session), len(working(aws))) == (GOOD_ADDRESS if asked else None, asked)

    def test_it_needs_the_order_itself(self, aws: Cloud, run: Run, till: Till) -> None:
        for words in (("pi_1", "--to", GOOD_ADDRESS), (till.session, "--replace")):
            assert (run("resend", *words, "--yes").code, working(aws)) == (2, [])

    @pytest.mark.parametrize(
        "wrong",
        [
            "", "ada", "ada@", "@example.com", "ada@example", "ada@@example.com", "a b@example.com", "ada@exa mple.com",
            "Ada <ada@example.com>", "ada@example.com,bob@example.com", ".ada@example.com", "ada.@example.com",
            "a..a@example.com", "ädä@example.com", "ada@-example.com", "ada@example-.com", "ada@.com",
            "ada@example.com.", "ada@example.com\nBcc: x@y.zz", "a" * 65 + "@example.com", "a@" + "b" * 64 + ".com",
            "a@" + "b.c" * 90, "ada@exa_mple.com", "ada@b\u00fc cher.example", "ada@\u2488.example", "ada@example.com@",
        ],
    )  # fmt: skip
    def test_what_no_letter_could_go_to_is_refused(self, aws: Cloud, run: Run, till: Till, wrong: str) -> None:
        assert run("resend", till.session, "--to", wrong, "--yes", "--wait", "0").code == 2
        assert (working(aws), till.corrected(till.session)) == ([], None)


class TestShow:
    def test_a_row_is_readable(self, aws: Cloud, run: Run) -> None:
        record(
            aws,
            order_id=ORDER,
            updated_at=1_795_348_800,
            lines=[{"S": "li_1"}, {"S": "li_2"}],
            state="access_ended",
            reason="refunded",
            share_id="5",
        )
        shown = run("show", ORDER)
        assert shown.code == 0
        assert [line.split(maxsplit=1) for line in shown.out.splitlines()[1:]] == [
            ["state", "access_ended"],
            ["reason", "refunded"],
            ["share_id", "5"],
            ["lines", "li_1, li_2"],
            ["updated_at", "2026-11-22 12:00:00 UTC"],
        ]

    def test_each_line_s_grant_is_readable(self, aws: Cloud, run: Run) -> None:
        grant = {
            "until": {"N": "1795348800"},
            "closed_at": {"N": "1795345200"},
            "line": {"S": "li_1"},
            "workspace": {"S": "shop"},
            "nodes": {"L": [{"S": "a"}, {"S": "b"}]},
        }
        other = {"line": {"S": "li_2"}, "until": {"N": "1795348800"}}
        item: Any = {
            "order_id": {"S": ORDER},
            "state": {"S": "delivered"},
            "grants": {"L": [{"M": grant}, {"M": other}]},
        }
        aws.dynamodb.put_item(TableName=ORDERS_TABLE, Item=item)
        [line] = [line for line in run("show", ORDER).out.splitlines() if "grants" in line]
        assert line.split(maxsplit=1)[1] == (
            "line li_1, closed_at 2026-11-22 11:00:00 UTC, nodes a, b, until 2026-11-22 12:00:00 UTC, workspace shop;"
            " line li_2, until 2026-11-22 12:00:00 UTC"
        )

    def test_every_kind_of_attribute_is_readable(self, aws: Cloud, run: Run) -> None:
        item: Any = {
            "order_id": {"S": ORDER},
            "state": {"S": "delivered"},
            "letter_cases": {"SS": ["bounced:2", "bounced:1"]},
            "next_end": {"N": "1795348800"},
            "switching": {"BOOL": True},
            "claims": {"N": "3"},
        }
        aws.dynamodb.put_item(TableName=ORDERS_TABLE, Item=item)
        shown = dict(line.split(maxsplit=1) for line in run("show", ORDER).out.splitlines()[1:])
        assert shown == {
            "state": "delivered",
            "letter_cases": "bounced:1, bounced:2",
            "next_end": "2026-11-22 12:00:00 UTC",
            "switching": "yes",
            "claims": "3",
        }

    def test_an_order_that_the_ledger_does_not_know_is_said_to_be_unknown(self, run: Run) -> None:
        ran = run("show", ORDER)
        assert (ran.code, ran.out) == (1, "")
        assert f"has no order {ORDER}" in ran.err


class TestWhichStack:
    def test_it_is_samconfig_s_or_the_named_one(self, run: Run) -> None:
        for words, stack in (
            ((), "paidshare-prod"),
            (("--env", "test"), "paidshare-test"),
            (("--stack", "paidshare-local"), "paidshare-local"),
        ):
            assert f" in {stack}." in run("look", ORDER, *words).out

    def test_missing_credentials_are_one_line(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        def found(_name: Name, **_: object) -> Stack:
            raise NoCredentialsError

        monkeypatch.setattr(stacks, "found", found)
        ran = run("dead")
        assert (ran.code, ran.out) == (1, "")
        assert ran.err == "✗ no AWS credentials in this shell: set AWS_PROFILE, or log in\n"

    def test_an_environment_that_samconfig_does_not_have_is_one_line(self, run: Run) -> None:
        ran = run("dead", "--env", "production")
        assert (ran.code, ran.err) == (
            1,
            "✗ samconfig.toml names no stack for --env production; it has test, prod\n",
        )
