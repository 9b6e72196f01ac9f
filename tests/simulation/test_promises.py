"""Each promise is seen when it is broken, and not when it is kept."""

from collections.abc import Sequence
from typing import Any

import pytest

from paidshare.settings import Policy
from simulation.aws.ses import Sent
from simulation.chance import Chance
from simulation.clock import START
from simulation.faults import Faults, Rates
from simulation.promises import STATED_S
from simulation.shop import Simulated
from simulation.stripe import truth
from simulation.stripe.account import Purchase
from simulation.stripe.acts import ACTS, buys
from simulation.stripe.truth import Standing
from simulation.wiring import ORDERS

ORDER = "cs_test_0"


class Shop:
    """One purchase of a guide, and a judge; what the functions do, a test does by hand."""

    def __init__(self, how: str = "card", goods: Sequence[str] = ("guide",)) -> None:
        policy = Policy(livemode=False, link_days=7)
        self.shop = Simulated(
            Chance(0), Faults(Chance(0), Rates()), policy, share_limit=2, most_at_once=1, trace=lambda _line: None
        )
        self.judge, self.clock, self.host = self.shop.judge, self.shop.clock, self.shop.host
        buyer = Purchase(0, "buyer-0@buyers.simulated", START)
        list(buys(self.shop.account, buyer, [self.shop.products[name] for name in goods], how, START))
        self.judge.acted(0, found_within=STATED_S)

    def act(self, what: str, detail: str = "") -> None:
        list(ACTS[what](self.shop.account, self.shop.account.purchases[0], detail, self.clock.now))
        self.judge.acted(0, found_within=STATED_S)

    def share(self, name: str, *files: str, until: float = START + 30 * 86_400) -> None:
        """A share of the order with *files*, open."""
        form = {
            "title": "Guide",
            "custom_name": name,
            "intelligence": "false",
            "share_type": "send",
            "access_options": "Anyone with the link",
            "expires": "2026-12-01 00:00:00",
            "owner_defined": f'{{"paidshare_order": "{ORDER}"}}',
        }
        made = self.host.answer("POST", "/workspace/shop/create/share/", {}, form)["share"]["id"]
        found = self.host.state.shares[made]
        for file in files:
            self.host.state.put(found.storage, "root", file, b"x")
            self.judge.shared(found)

    def row(self, **attributes: Any) -> None:
        self.shop.tables[ORDERS].put(ORDER, {"order_id": {"S": ORDER}, **attributes})

    def mail(self, kind: str, *, mark: str = "1") -> None:
        """As Deliver does it: what the letter says of the link is so already."""
        for share in self.host.by_order.get(ORDER, ()):
            share.archived = kind in ("access_ended", "access_on_hold")
        if kind in ("delivery", "access_back") and not self.host.by_order.get(ORDER):
            self.share("o111111111", "forest.pdf")
        self.judge.mailed(Sent(self.clock.now, "buyer", ORDER, kind, mark, "", "ses-1"))

    def passes(self, seconds: float) -> None:
        self.clock.run(until=self.clock.now + seconds)

    def broken(self) -> set[str]:
        return {one.promise for one in self.judge.broken}


def test_two_live_shares_of_an_order_are_seen() -> None:
    shop = Shop()
    shop.share("o111111111", "forest.pdf")
    assert shop.broken() == set()
    shop.share("o222222222", "forest.pdf")
    assert shop.broken() == {"one_live_share"}


def test_a_file_that_was_not_bought_is_seen() -> None:
    shop = Shop()
    shop.share("o111111111", "coast.pdf")
    assert shop.broken() == {"only_what_was_bought"}


@pytest.mark.parametrize(
    ("acts", "kind", "true"),
    [
        ((), "delivery", True),
        ((), "access_ended", False),
        ((), "access_on_hold", False),
        ((("refunds", "all"),), "access_ended", True),
        ((("refunds", "all"),), "access_back", False),
        ((("disputes", ""),), "access_on_hold", True),
        ((("disputes", ""), ("dispute_ends", "won")), "access_back", True),
        ((("disputes", ""), ("dispute_ends", "lost")), "access_on_hold", False),
    ],
)
def test_a_letter_that_is_not_true_is_seen(acts: Sequence[tuple[str, str]], kind: str, true: bool) -> None:  # noqa: FBT001
    shop = Shop()
    for act in acts:
        shop.passes(600)
        shop.act(*act)
    shop.passes(600)
    shop.mail(kind)
    assert shop.broken() == (set() if true else {"true_when_it_leaves"})


@pytest.mark.parametrize("kind", ["delivery", "access_ended"])
def test_a_letter_whose_link_does_not_say_so_is_seen(kind: str) -> None:
    shop = Shop()
    shop.share("o111111111", "forest.pdf")
    if kind == "access_ended":
        shop.act("refunds", "all")
    shop.mail(kind)
    assert shop.broken() == set()
    for share in shop.host.by_order[ORDER]:
        share.archived = kind == "delivery"
    shop.passes(4_000)
    shop.judge.letters[ORDER] = [Sent(START, "buyer", ORDER, "access_changed", "1", "", "ses-1")]
    shop.judge.mailed(Sent(shop.clock.now, "buyer", ORDER, kind, "2", "", "ses-2"))
    assert shop.broken() == {"true_when_it_leaves"}


@pytest.mark.parametrize("before", ["delayed", "access_ended"])
def test_a_share_whose_link_no_letter_ever_had_makes_none_untrue(before: str) -> None:
    shop = Shop()
    shop.share("o111111111", "forest.pdf")
    shop.act("refunds", "all")
    shop.passes(4_000)
    shop.judge.letters[ORDER] = [Sent(START, "buyer", ORDER, before, "1", "", "ses-1")]
    shop.judge.broken.clear()
    shop.judge.true_when_it_leaves(
        shop.shop.account.orders[ORDER], Sent(shop.clock.now, "buyer", ORDER, "access_ended", "2", "", "ses-2")
    )
    assert shop.broken() == set()


@pytest.mark.parametrize(("noted", "seen"), [("7", False), ("6", True), (None, True)])
def test_a_word_of_ses_s_that_nobody_noted_is_seen(noted: str | None, seen: bool) -> None:  # noqa: FBT001
    shop = Shop()
    shop.judge.worded(Sent(shop.clock.now, "buyer", ORDER, "delivery", "7", "", "ses-1"))
    shop.row(**({} if noted is None else {"letter_sent_mark": {"S": noted}}))
    shop.clock.now += 3_600
    shop.judge.ses_s_word_is_noted(shop.shop.account.orders[ORDER])
    assert shop.broken() == ({"ses_s_word_is_noted"} if seen else set())


@pytest.mark.parametrize(("later_by", "noted"), [(0.5, "8"), (1.0, "7")])
def test_of_two_letters_in_one_second_the_word_of_the_one_begun_last_is_noted(later_by: float, noted: str) -> None:
    shop = Shop()
    for mark, at in (("8", START), ("7", START + later_by)):
        shop.judge.worded(Sent(at, "buyer", ORDER, "delivery", mark, "", f"ses-{mark}"))
    shop.clock.now += 3_600
    for in_the_row, seen in (("8", noted != "8"), ("7", noted != "7")):
        shop.judge.broken.clear()
        shop.row(letter_sent_mark={"S": in_the_row})
        shop.judge.ses_s_word_is_noted(shop.shop.account.orders[ORDER])
        assert bool(shop.broken()) is seen


@pytest.mark.parametrize(("resent", "seen"), [("resend_1", False), ("resend_9", True), (None, True)])
def test_a_wish_that_nobody_answered_is_seen(resent: str | None, seen: bool) -> None:  # noqa: FBT001
    shop = Shop()
    shop.shop.wish(shop.shop.account.purchases[0], "resend")
    shop.row(**({} if resent is None else {"resent": {"S": resent}}))
    shop.judge.a_wish_is_answered(shop.shop.account.orders[ORDER])
    assert shop.broken() == ({"a_wish_is_answered"} if seen else set())


def test_a_webhook_that_was_taken_and_never_queued_is_seen() -> None:
    shop = Shop()
    shop.shop.queues["work"].send('{"event_id": "evt_1"}')
    shop.judge.what_is_taken_is_queued(0, "evt_1")
    assert shop.broken() == set()
    shop.judge.what_is_taken_is_queued(0, "evt_2")
    assert shop.broken() == {"what_is_taken_is_queued"}


@pytest.mark.parametrize(("days", "seen"), [(6.9, False), (7.25, True)])
def test_a_file_that_stays_after_the_end_its_letter_stated_is_seen(days: float, seen: bool) -> None:  # noqa: FBT001
    shop = Shop(goods=("guide", "atlas"))
    shop.mail("delivery")
    shop.judge.tidied_at = shop.clock.now + days * 86_400
    shop.passes(days * 86_400)
    assert shop.broken() == ({"open_no_longer_than_stated"} if seen else set())


def test_a_file_whose_end_the_sweep_could_not_see_to_yet_is_waited_for() -> None:
    shop = Shop(goods=("guide", "atlas"))
    shop.mail("delivery")
    shop.passes(7.2 * 86_400)
    assert shop.broken() == set()
    shop.judge.logged("shares_refused", {})
    shop.judge.logged("swept", {"part": "shares", "saw": 1, "finished": True})
    shop.passes(3_600)
    assert shop.broken() == set()
    shop.judge.logged("swept", {"part": "shares", "saw": 1, "finished": True})
    shop.passes(7_200)
    assert shop.broken() == {"open_no_longer_than_stated"}


def test_what_nothing_happens_to_is_looked_at_once_a_day() -> None:
    shop = Shop()
    shop.judge.unknown[0] = START
    shop.clock.now += STATED_S
    shop.judge.look_at_all()
    assert shop.broken() == {"money_kept_is_answered"}


def test_what_was_so_a_moment_ago_could_still_be_decided() -> None:
    shop = Shop()
    shop.passes(600)
    shop.act("refunds", "all")
    shop.passes(30)
    shop.mail("delivery")
    assert shop.broken() == set()


@pytest.mark.parametrize(("noted_after", "seen"), [(10.0, True), (100.0, False), (None, False)])
def test_a_letter_that_leaves_twice_is_seen_where_ses_said_so_in_time(noted_after: float | None, seen: bool) -> None:  # noqa: FBT001
    shop = Shop()
    shop.passes(100)
    mark = str(int(shop.clock.now))
    shop.mail("delivery", mark=mark)
    if noted_after is not None:
        shop.passes(noted_after)
        shop.row(letter_sent_mark={"S": mark})
    shop.passes(300)
    shop.mail("delivery")
    assert shop.broken() == ({"one_letter_of_each_change"} if seen else set())


def test_a_letter_that_leaves_again_before_ses_could_tell_of_it_is_seen() -> None:
    shop = Shop()
    shop.mail("delivery", mark=str(int(shop.clock.now)))
    shop.passes(30)
    shop.mail("delivery")
    assert shop.broken() == {"one_letter_of_each_change"}


@pytest.mark.parametrize("act", [("refunds", "all"), ("disputes", "")])
def test_a_file_that_stays_open_when_its_money_is_back_is_seen(act: tuple[str, str]) -> None:
    shop = Shop()
    shop.share("o111111111", "forest.pdf")
    shop.act(*act)
    shop.passes(STATED_S - 10)
    assert shop.broken() == set()
    shop.passes(20)
    assert shop.broken() == {"money_is_back_and_so_is_access"}


def test_a_fault_in_the_way_is_time_that_does_not_count() -> None:
    shop = Shop()
    shop.share("o111111111", "forest.pdf")
    shop.act("refunds", "all")
    shop.passes(STATED_S - 10)
    shop.judge.harmed[0] = shop.clock.now
    shop.passes(STATED_S - 10)
    assert shop.broken() == set()
    shop.passes(20)
    assert shop.broken() == {"money_is_back_and_so_is_access"}


def test_money_that_is_kept_without_an_answer_is_seen() -> None:
    shop = Shop()
    shop.passes(STATED_S + 10)
    assert shop.broken() == {"money_kept_is_answered"}


@pytest.mark.parametrize("answer", ["access", "told", "a person"])
def test_money_that_is_kept_is_answered_by_access_a_word_or_a_person(answer: str) -> None:
    shop = Shop()
    if answer == "access":
        shop.share("o111111111", "forest.pdf")
    elif answer == "told":
        shop.row(told={"S": "on_hold"})
    else:
        shop.shop.queues["dead"].send("x", {"order": {"DataType": "String", "StringValue": ORDER}})
    shop.passes(STATED_S + 10)
    assert shop.broken() == set()


def test_what_is_not_ours_needs_no_answer() -> None:
    shop = Shop(goods=("mug",))
    shop.passes(STATED_S + 10)
    assert shop.broken() == set()


@pytest.mark.parametrize("leak", ["buyer-0@buyers.simulated", "https://go.simulated/shared/o1", "whsec_x"])
def test_personal_data_in_the_ledger_a_queue_or_the_log_is_seen(leak: str) -> None:
    for where in ("ledger", "queue", "log"):
        shop = Shop()
        if where == "ledger":
            shop.row(reason={"S": leak})
        elif where == "queue":
            shop.shop.queues["work"].send(leak)
        else:
            shop.judge.nothing_personal("the log", {"what": leak})
        assert shop.broken() == {"nothing_personal"}


def test_more_shares_than_the_plan_has_are_seen() -> None:
    shop = Shop()
    shop.share("o111111111")
    shop.judge.not_more_shares_than_the_plan_has()
    assert shop.broken() == set()
    shop.host.state.share_limit = 0
    shop.judge.not_more_shares_than_the_plan_has()
    assert shop.broken() == {"not_more_shares_than_the_plan_has"}


@pytest.mark.parametrize(
    ("letters", "told", "seen"),
    [
        ((), "access", True),
        (("delivery",), "access", False),
        (("delivery",), "ended", True),
        (("delivery", "access_on_hold", "access_back"), "access", False),
        (("delivery", "access_on_hold"), "access", True),
        ((), None, False),
    ],
)
def test_what_counts_as_told_and_never_left_is_seen(letters: Sequence[str], told: str | None, seen: bool) -> None:  # noqa: FBT001
    shop = Shop()
    for kind in letters:
        shop.judge.letters.setdefault(ORDER, []).append(Sent(shop.clock.now, "buyer", ORDER, kind, "1", "", "ses-1"))
    shop.row(**({} if told is None else {"told": {"S": told}}))
    shop.judge.told_is_what_was_mailed(shop.shop.account.orders[ORDER])
    assert ("told_is_what_was_mailed" in shop.broken()) is seen


@pytest.mark.parametrize(
    ("row", "acts", "settled"),
    [
        ({"state": "delivered", "told": "access"}, (), True),
        ({"state": "delivered", "told": "on_hold"}, (), False),
        ({"state": "delivered", "told": "access", "mailing": "delivery"}, (), False),
        ({"state": "on_hold", "told": "access"}, (), False),
        ({"state": "access_ended", "told": "access", "delivered_at": "1"}, (("refunds", "all"),), False),
    ],
)
def test_what_is_not_settled_in_the_end_is_seen(
    row: dict[str, str],
    acts: Sequence[tuple[str, str]],
    settled: bool,  # noqa: FBT001
) -> None:
    shop = Shop()
    shop.share("o111111111", "forest.pdf")
    for act in acts:
        shop.act(*act)
    shop.row(**{name: {"S": value} for name, value in row.items()})
    shop.clock.now += STATED_S
    shop.judge.all_is_settled(lambda: 0)
    assert ("all_is_settled" in shop.broken()) is not settled


def test_a_message_that_is_left_is_seen() -> None:
    shop = Shop(goods=("mug",))
    shop.judge.all_is_settled(lambda: 1)
    assert shop.broken() == {"all_is_settled"}


@pytest.mark.parametrize(("hours", "standing"), [(0.5, Standing.EITHER), (27, Standing.ACCESS)])
def test_who_resumed_just_before_the_end_need_not_be_known_to_have_done_so(hours: float, standing: Standing) -> None:
    """Stripe does not say of an ended subscription that a pause was over: seed 11."""
    shop = Shop("subscription", ("club",))
    for status, later in (("paused", 1.0), ("active", hours), ("canceled", 0.1)):
        shop.act("switches", status)
        shop.passes(later * 3_600)
    [order] = shop.shop.account.invoices
    policy = Policy(livemode=False, link_days=7, keep_canceled=True)
    assert truth.of_order(order, policy, shop.clock.now) is standing


def test_nothing_is_said_of_what_paidshare_cannot_know_yet() -> None:
    shop = Shop()
    shop.judge.unknown[0] = START + 10 * STATED_S
    shop.clock.now += STATED_S
    shop.judge.all_is_settled(lambda: 0)
    assert shop.broken() == set()
