"""The commands about cases, from their words to the queues and the ledger, on moto's AWS."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from operate import stacks
from operate.stacks import Stack
from paidshare import notices
from paidshare.aws import DynamoLedger, SqsMessages
from paidshare.delivering.errors import MetadataBroken
from paidshare.errors import FileMissing, OrderUnknown, PatienceExhausted
from paidshare.feedback.mail_events import Fact
from tests.builders import a_notice
from tests.cloud import ORDERS_TABLE, Cloud
from tests.operate.world import (
    ORDER,
    Ran,
    Run,
    asked_about,
    bury,
    bury_a_letter_case,
    bury_plain,
    hold,
    record,
    working,
)


def dead_orders(run: Run) -> list[str]:
    return [letter["order"] for letter in json.loads(run("dead", "--json").out)]


def dismissed(aws: Cloud) -> bool:
    item = aws.dynamodb.get_item(TableName=ORDERS_TABLE, Key={"order_id": {"S": ORDER}})["Item"]
    return "dismissed_at" in item


class TestDead:
    def test_a_dead_letter_is_shown_with_its_order_why_what_to_do_and_since_when(self, aws: Cloud, run: Run) -> None:
        bury(aws, MetadataBroken("product prod_1: fastio_files is missing"))
        shown = run("dead")
        assert shown.code == 1
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
        assert max(len(line) for line in run("dead").out.splitlines()) <= 100

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
        monkeypatch.setattr(stacks, "found", lambda _: gone)
        ran = run("redrive", ORDER)
        assert ran.code == 3
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
        assert "1 dead letter left. A redrive would mail nothing" in ran.err

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
        assert dismissed(aws)

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
        assert (dead_orders(run), dismissed(aws)) == ([], False)

    @pytest.mark.parametrize(("answer", "code", "left"), [("y", 0, 0), ("n", 1, 1), (None, 2, 1)])
    def test_nothing_is_ended_unless_that_is_confirmed(
        self, aws: Cloud, run: Run, terminal: Callable[[str | None], None], answer: str | None, code: int, left: int
    ) -> None:
        hold(aws)
        bury(aws, MetadataBroken("x"))
        terminal(answer)
        assert run("dismiss", ORDER).code == code
        assert (len(dead_orders(run)), len(asked_about(aws))) == (left, left)

    @pytest.mark.parametrize("words", [(ORDER,), (ORDER, "--reason", "file_missing"), ("no-such-message",)])
    def test_what_does_not_wait_is_said_so(self, aws: Cloud, run: Run, words: tuple[str, ...]) -> None:
        bury(aws, MetadataBroken("x"), "cs_test_other")
        ran = run("dismiss", *words, "--yes")
        assert (ran.code, dead_orders(run)) == (2, ["cs_test_other"])
        assert ran.err.startswith(f"✗ nothing waits for a person of {words[0]}")
