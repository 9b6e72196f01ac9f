"""The operator's commands, from their words to the queues and the ledger, on moto's AWS."""

import io
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError

from operate import __main__ as operate
from operate import dead_letters, stacks
from operate.stacks import Name, Stack
from paidshare import notices
from paidshare.errors import FileMissing, MetadataBroken, NeedsAPerson, OrderUnknown, StripeUnavailable
from paidshare.sqs_messages import SqsMessages
from paidshare.stripe_payments import StripePayments
from tests.builders import NOW, a_notice
from tests.cloud import ORDERS_TABLE, Cloud, cloud

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
    monkeypatch.setattr(dead_letters, "_WAIT_S", 0)

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

    def test_it_is_either_named_orders_or_all(self, aws: Cloud, run: Run) -> None:
        bury(aws, FileMissing("x"))
        for words in ((), (ORDER, "--all"), (ORDER, "--reason", "file_missing"), ("--reason", "file_missing")):
            assert run("redrive", *words).code == 2, words
        assert dead_orders(run) == [ORDER]


class TestLookAndResend:
    @pytest.mark.parametrize(("command", "why"), [("look", notices.LOOK), ("resend", notices.RESEND)])
    def test_it_is_a_notice_that_deliver_reads(self, aws: Cloud, run: Run, command: str, why: str) -> None:
        record(aws, order_id=ORDER, state="delivered")
        before = datetime.now(UTC).replace(microsecond=0)
        assert run(command, ORDER, *(["--yes"] if command == "resend" else [])).code == 0
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
        for given in [*IDS, "evt_1", "cs_", "cus_1", "in_1-2", "cs_" + "a" * 251]:
            try:
                payments.orders_of(given, now=NOW)
                refused = False
            except StripeUnavailable:  # It would have asked, with a key.
                refused = False
            except OrderUnknown:
                refused = True
            assert refused is (operate.ABOUT.fullmatch(given) is None), given
        payments.close()

    @pytest.mark.parametrize(("answer", "code", "asked"), [("y\n", 0, 1), ("n\n", 1, 0), ("", 1, 0)])
    def test_a_link_is_mailed_again_only_once_that_is_confirmed(
        self, aws: Cloud, run: Run, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, asked: int
    ) -> None:
        record(aws, order_id=ORDER, state="delivered")
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        ran = run("resend", ORDER)
        assert (ran.code, len(working(aws))) == (code, asked)
        assert f"the link of {ORDER} (delivered) in paidshare-prod to its buyer once more? [y/N]" in ran.out

    def test_nothing_is_mailed_again_of_an_order_that_the_ledger_does_not_know(self, aws: Cloud, run: Run) -> None:
        ran = run("resend", ORDER, "--yes")
        assert (ran.code, working(aws)) == (1, [])
        assert f"has no order {ORDER}" in ran.err


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

    def test_an_order_that_the_ledger_does_not_know_is_said_to_be_unknown(self, run: Run) -> None:
        ran = run("show", ORDER)
        assert (ran.code, ran.out) == (1, "")
        assert f"has no order {ORDER}" in ran.err


class TestWhichStack:
    def test_it_is_samconfig_s_or_the_named_one(self, run: Run) -> None:
        for words, stack in (
            ((), "paidshare-prod"),
            (("--env", "default"), "paidshare-test"),
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
            "✗ samconfig.toml names no stack for --env production; it has default, prod\n",
        )
