"""The commands that wish something: what is queued, what came of it, and what is asked before."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from operate import wishing
from operate.orders import outcome
from operate.orders.ledger import Row
from paidshare import notices, wishes
from paidshare.states import Kind
from paidshare.wishes import Wants
from tests.cloud import Cloud
from tests.operate.world import ORDER, Run, Seller, hold, record, working

COMMANDS = {
    "resend": Wants.RESEND.value,
    "extend": wishes.why(Wants.EXTEND, 7),
    "end": Wants.END.value,
    "hold": Wants.HOLD.value,
    "restore": Wants.RESTORE.value,
}
each_wish = pytest.mark.parametrize("command", COMMANDS)


class TestAsked:
    @each_wish
    def test_it_is_a_notice_that_deliver_reads(self, aws: Cloud, run: Run, command: str) -> None:
        record(aws, order_id=ORDER, state="delivered")
        before = datetime.now(UTC).replace(microsecond=0)
        assert run(command, ORDER, "--yes", "--wait", "0").code == 0
        [body] = working(aws)
        notice = notices.from_json(body)
        assert (notice.source, notice.why, notice.about, notice.account) == ("stripe", COMMANDS[command], ORDER, None)
        assert wishes.of(notice) is not None
        assert before <= notice.at <= datetime.now(UTC)

    def test_a_link_is_extended_by_the_days_that_are_said(self, aws: Cloud, run: Run) -> None:
        record(aws, order_id=ORDER, state="delivered")
        run("extend", ORDER, "--days", "30", "--yes", "--wait", "0")
        assert [notices.from_json(body).why for body in working(aws)] == ["operator.extend:30"]
        for days in ("0", "366", "-1", "x"):
            assert run("extend", ORDER, "--days", days, "--yes").code == 2

    @each_wish
    def test_an_order_of_a_connected_account_is_asked_for_there(self, aws: Cloud, run: Run, command: str) -> None:
        record(aws, order_id=ORDER, state="delivered", account="acct_1")
        run(command, ORDER, "--yes", "--wait", "0")
        assert [notices.from_json(body).account for body in working(aws)] == ["acct_1"]

    def test_what_is_no_account_is_refused(self, aws: Cloud, run: Run) -> None:
        assert run("look", ORDER, "--account", "mine").code == 2
        assert working(aws) == []

    @each_wish
    @pytest.mark.parametrize(("answer", "code", "asked"), [("y", 0, 1), ("n", 1, 0), (None, 2, 0)])
    def test_nothing_is_asked_for_unless_that_is_confirmed_and_no_program_is_asked(
        self,
        aws: Cloud,
        run: Run,
        terminal: Callable[[str | None], None],
        command: str,
        answer: str | None,
        code: int,
        asked: int,
    ) -> None:
        record(aws, order_id=ORDER, state="delivered")
        terminal(answer)
        ran = run(command, ORDER, "--wait", "0")
        assert (ran.code, len(working(aws))) == (code, asked)
        assert (f"{ORDER} (delivered) in paidshare-prod" in ran.err) is (answer is not None)

    def test_an_order_kept_under_another_id_is_asked_for_there(self, aws: Cloud, run: Run) -> None:
        record(aws, order_id=ORDER, state="elsewhere", reason="in_1")
        record(aws, order_id="in_1", state="delivered")
        run("resend", ORDER, "--yes", "--wait", "0")
        assert [notices.from_json(body).about for body in working(aws)] == ["in_1"]

    def test_a_look_is_asked_for_without_a_question(self, aws: Cloud, run: Run) -> None:
        record(aws, order_id=ORDER, state="delivered")
        ran = run("look", ORDER)
        assert (ran.code, [notices.from_json(body).why for body in working(aws)]) == (0, [notices.LOOK])
        assert f"Asked for another look at {ORDER} in paidshare-prod." in ran.out


class TestWhatCameOfIt:
    def test_a_link_is_mailed_again(self, run: Run, seller: Seller) -> None:
        order = seller.sells("ada@example.com")
        ran = run("resend", order, "--yes")
        assert (ran.code, ran.err, len(seller.mailer.sent)) == (0, "", 2)
        assert ran.out.splitlines()[-1].startswith("The link was mailed.")

    def test_a_link_that_ran_out_works_again_for_as_long_as_was_asked(self, run: Run, seller: Seller) -> None:
        order = seller.sells("ada@example.com")
        seller.skew = timedelta(days=30)
        assert run("extend", order, "--days", "3", "--yes").code == 0
        ends = datetime.fromtimestamp(int(seller.row(order)["share_expires_at"]), UTC)
        assert abs(ends - seller.clock() - timedelta(days=3)) < timedelta(minutes=1)

    @pytest.mark.parametrize(
        ("command", "letter", "words"),
        [
            ("end", Kind.ACCESS_ENDED, "Done: access has ended (ended by seller)."),
            ("hold", Kind.ACCESS_ON_HOLD, "Done: access is on hold (held by seller)."),
        ],
    )
    def test_access_is_taken_and_given_back(
        self, run: Run, seller: Seller, command: str, letter: Kind, words: str
    ) -> None:
        order = seller.sells("ada@example.com")
        ran = run(command, order, "--yes")
        assert (ran.code, ran.out.splitlines()[-1], seller.open_links()) == (0, words, 0)
        assert seller.mailer.sent[-1].subject.startswith(letter.headline)
        ran = run("restore", order, "--yes")
        assert (ran.code, ran.out.splitlines()[-1], seller.open_links()) == (0, "Done: the order is delivered.", 1)

    def test_what_could_not_be_done_is_said_with_the_reason(self, run: Run, seller: Seller) -> None:
        order = seller.sells("ada@example.com")
        run("end", order, "--yes")
        for command, words in (("resend", "nothing was mailed"), ("extend", "nothing was extended")):
            ran = run(command, order, "--yes")
            assert (ran.code, ran.err) == (1, f"✗ {words}: access has ended (ended by seller)\n")

    def test_an_order_that_stripe_has_and_the_ledger_has_not_is_delivered(self, run: Run, seller: Seller) -> None:
        order = seller.sells("ada@example.com", heard_of=False)
        assert run("resend", order, "--yes").code == 0
        assert len(seller.mailer.sent) == 1

    def test_an_order_that_waits_for_a_person_is_said_to(self, run: Run, seller: Seller) -> None:
        order = seller.sells("ada@example.com", seller.product(fastio_workspace="my-shop"))
        ran = run("resend", order, "--yes")
        assert (ran.code, ran.err) == (
            1,
            "✗ nothing was mailed: the order waits for a person (metadata_broken); see `why`\n",
        )

    def test_while_nothing_comes_of_it_that_is_not_known(
        self, aws: Cloud, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hold(aws)
        waits: list[float] = []
        monkeypatch.setattr(wishing, "monotonic", lambda: sum(waits))
        monkeypatch.setattr(wishing, "sleep", waits.append)
        ran = run("resend", ORDER, "--yes", "--wait", "5")
        assert (ran.code, sum(waits)) == (3, 5)
        assert ran.err.startswith("✗ nothing came of it within 5 s")

    def test_an_answer_to_an_older_wish_is_none(self) -> None:
        before = Row(ORDER, {"state": "delivered", "resent": "older", "resent_outcome": "mailed"})
        assert outcome.came_of(Wants.RESEND, "wish", before=before, now=before) is None

    def test_a_deliver_that_knows_no_outcomes_has_mailed_what_it_answered(self) -> None:
        now = Row(ORDER, {"state": "delivered", "resent": "wish"})
        came = outcome.came_of(Wants.RESEND, "wish", before=None, now=now)
        assert came is not None
        assert came.good

    @pytest.mark.parametrize(
        ("wants", "said", "good", "words"),
        [
            (Wants.RESEND, "access_ended:", False, "nothing was mailed: access has ended"),
            (Wants.RESEND, "something_new:why_not", False, "nothing was mailed: something new (why not)"),
            (Wants.END, "waiting:not_paid", True, "Done: there is nothing to deliver yet (not paid)."),
            (Wants.END, "delivered:", False, "nothing came of it: the order is delivered"),
            (Wants.RESTORE, "access_ended:refunded", False, "nothing was restored: access has ended (refunded)"),
        ],
    )
    def test_an_outcome_in_words(self, wants: Wants, said: str, words: str, *, good: bool) -> None:
        now = Row(ORDER, {"state": "delivered", "resent": "wish", "resent_outcome": said})
        came = outcome.came_of(wants, "wish", before=now, now=now)
        assert came is not None
        assert (came.good, came.words) == (good, words)

    def test_that_it_waits_for_a_person_since_before_is_no_answer(self) -> None:
        before = Row(ORDER, {"state": "on_hold", "reason": "x", "claims": 1})
        assert outcome.came_of(Wants.RESEND, "wish", before=before, now=before) is None
        looked_at = replace(before, item={**before.item, "claims": 2})
        assert outcome.came_of(Wants.RESEND, "wish", before=before, now=looked_at) is not None
        in_hand = replace(looked_at, item={**looked_at.item, "lease_holder": "w"})
        assert outcome.came_of(Wants.RESEND, "wish", before=before, now=in_hand) is None

    def test_as_json_it_says_which_wish_and_what_came_of_it(self, run: Run, seller: Seller) -> None:
        order = seller.sells("ada@example.com")
        said = json.loads(run("hold", order, "--yes", "--json").out)
        assert said == {
            "order": order,
            "wish": seller.row(order)["resent"],
            "wants": "hold",
            "outcome": "access_on_hold:held_by_seller",
            "done": True,
        }
