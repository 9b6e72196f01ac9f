"""What is kept in the dead-letter queue beyond SQS's 14 days, on moto's SQS."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paidshare import notices
from paidshare.aws import DeadLetter, DeadLetters, SqsMessages, forgotten_soon
from paidshare.delivering.errors import MetadataBroken
from paidshare.errors import NeedsAPerson, NoticeUnreadable
from tests.builders import NOW, a_notice
from tests.cloud import Cloud, cloud

DAY = timedelta(days=1)


def a_letter(
    name: str,
    *,
    order: str | None = "cs_test_1",
    reason: str | None = "letter_bounced",
    age: timedelta,
    ours: bool = True,
) -> DeadLetter:
    sent = NOW - age
    return DeadLetter(name, "", a_notice() if ours else None, order, reason, "", "", sent, "", sent)


class TestForgottenSoon:
    @given(
        st.lists(
            st.builds(
                a_letter,
                st.uuids().map(str),
                order=st.sampled_from(["cs_1", "cs_2", None]),
                reason=st.sampled_from(["letter_bounced", "metadata_broken", None]),
                age=st.timedeltas(timedelta(), timedelta(days=14)),
            ),
            max_size=12,
        )
    )
    def test_written_anew_every_case_has_a_letter_that_lives_three_days_more_and_none_has_two_new_ones(
        self, letters: list[DeadLetter]
    ) -> None:
        again = forgotten_soon(letters, now=NOW)
        cases = [letter.case for letter in again]
        assert len(set(cases)) == len(cases)
        safe = {letter.case for letter in letters if NOW - letter.sent_at <= 11 * DAY} | set(cases)
        assert safe == {letter.case for letter in letters}

    def test_a_younger_one_of_the_same_case_tells_of_it(self) -> None:
        letters = [a_letter("1", age=12 * DAY), a_letter("2", age=5 * DAY)]
        assert forgotten_soon(letters, now=NOW) == []

    def test_another_reason_is_another_case(self) -> None:
        old, young = a_letter("1", age=12 * DAY), a_letter("2", age=5 * DAY, reason="metadata_broken")
        assert forgotten_soon([young, old], now=NOW) == [old]

    def test_what_may_hold_a_buyer_s_address_is_not_kept_longer_than_sqs_keeps_it(self) -> None:
        assert forgotten_soon([a_letter("1", age=12 * DAY, ours=False, order=None, reason=None)], now=NOW) == []
        parked = a_letter("2", age=12 * DAY, ours=False, order=None, reason="notice_unreadable")
        assert forgotten_soon([parked], now=NOW) == [parked]


@pytest.fixture
def aws() -> Iterator[Cloud]:
    with cloud() as made:
        yield made


@pytest.fixture
def box(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> DeadLetters:
    monkeypatch.setattr("paidshare.aws.dead_letters._WAIT_S", 0)  # moto really waits, and has one server only.
    return DeadLetters(aws.sqs, queue_url=aws.queue_url, dead_letter_url=aws.dead_letter_url)


@pytest.fixture
def bury(aws: Cloud) -> Callable[[str, NeedsAPerson, str], None]:
    messages = SqsMessages(aws.sqs, queue_url=aws.queue_url, dead_letter_url=aws.dead_letter_url)
    return lambda body, error, about: messages.give_to_a_person(body, error, about=about)


def test_what_is_written_anew_is_as_it_was_but_younger_and_knows_since_when(
    aws: Cloud, box: DeadLetters, bury: Callable[[str, NeedsAPerson, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    body = notices.to_json(a_notice())
    for days in (13, 2, 0):
        monkeypatch.setattr("moto.sqs.models.unix_time_millis", lambda days=days: (now - days * 86_400) * 1000)
        if days == 13:
            bury(body, MetadataBroken("product prod_1: “no file”"), "cs_test_1")
        with box.held() as letters:
            assert len(list(box.renewed(letters))) == 1
    with box.held() as letters:
        [letter] = letters
    assert (letter.body, letter.order, letter.reason) == (body, "cs_test_1", "metadata_broken")
    assert (letter.what, letter.advice) == ("product prod_1: “no file”", MetadataBroken.advice)
    assert letter.sent_at == datetime.fromtimestamp(int(now), UTC)
    assert letter.since == datetime.fromtimestamp(int(now - 13 * 86_400), UTC)


def test_each_of_many_is_there_once(box: DeadLetters, bury: Callable[[str, NeedsAPerson, str], None]) -> None:
    for number in range(23):
        bury(f"message {number}", NoticeUnreadable("x"), "")
    with box.held() as letters:
        assert len(list(box.renewed(letters))) == 23
    with box.held() as letters:
        assert sorted(letter.body for letter in letters) == sorted(f"message {number}" for number in range(23))


def test_what_sqs_does_not_take_anew_stays(
    aws: Cloud, box: DeadLetters, bury: Callable[[str, NeedsAPerson, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    bury("one", NoticeUnreadable("x"), "")
    monkeypatch.setattr(aws.sqs, "send_message_batch", lambda **_: {"Failed": [{"Id": "0"}]})
    with box.held() as letters:
        assert list(box.renewed(letters)) == []
    assert [message["Body"] for message in aws.queued(aws.dead_letter_url)] == ["one"]
