"""`why` and `evidence`: what became of an order, who says so, and what to do."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from operate.orders import story
from operate.orders.at_stripe import Happened, money
from operate.orders.ledger import Row
from operate.orders.story import Facts
from paidshare.feedback.mail_events import Fact
from paidshare.states import Why
from tests.builders import NOW, a_line, an_order
from tests.operate.world import Run, Seller


def why(run: Run, who: str, *, code: int) -> str:
    ran = run("why", who)
    assert ran.code == code, ran.out + ran.err
    return " ".join(ran.out.split())


def steps(run: Run, who: str) -> list[str | None]:
    """The commands that it advises, for the first order."""
    return [step["command"] for step in json.loads(run("why", who, "--json").out)["orders"][0]["advice"]]


class TestWhy:
    def test_an_order_s_story_is_told_in_order_with_its_sources(self, run: Run, seller: Seller) -> None:
        order = seller.sells("ada@example.com")
        seller.hears_from_ses(order, Fact.SENT, Fact.DELIVERED)
        told = json.loads(run("why", order, "--json").out)["orders"][0]
        assert (told["order"], told["state"], told["products"]) == (order, "delivered", ["Field guide"])
        assert [(one["source"], one["words"]) for one in told["timeline"]][-2:] == [
            ("us", "the order is delivered"),
            ("Fast.io", f"the link works until {_end_of(seller, order)}"),
        ]
        assert {("Stripe", "paid 9.00 USD"), ("SES", "took the letter")} <= {
            (one["source"], one["words"]) for one in told["timeline"]
        }
        dated = [one["at"] for one in told["timeline"] if one["at"]]
        assert dated == sorted(dated)

    def test_all_that_a_buyer_bought_is_told_of(self, run: Run, seller: Seller) -> None:
        orders = [seller.sells("ada@example.com", seller.product(name)) for name in ("One", "Two")]
        shown = why(run, "ada@example.com", code=0)
        assert all(order in shown for order in orders)

    def test_no_line_holds_a_link_or_an_address(self, run: Run, seller: Seller) -> None:
        order = seller.sells("ada@example.com")
        shown = run("why", order).out + run("why", order, "--json").out + run("evidence", order, "--json").out
        assert "http" not in shown
        assert "@" not in shown.replace("--to ADDRESS", "")

    def test_a_screen_of_a_hundred_columns_is_wide_enough(self, run: Run, seller: Seller) -> None:
        order = seller.sells("ada@example.com")
        # A command is a line as long as its order's id makes it: it is to be copied.
        lines = [line for line in run("why", order).out.splitlines() if not line.startswith("    paidshare ")]
        assert max(map(len, lines)) <= 100

    def test_an_order_that_waits_for_a_person_says_for_what_and_how_it_goes_on(self, run: Run, seller: Seller) -> None:
        order = seller.sells("ada@example.com", seller.product(fastio_workspace="my-shop"))
        assert "the order waits for a person (metadata broken)" in why(run, order, code=1)
        assert steps(run, order) == [f"paidshare redrive {order}"]

    def test_an_order_that_does_not_come_on_says_why(self, run: Run, seller: Seller) -> None:
        seller.stripe.key = "sk_test_refused"
        order = seller.sells("ada@example.com")
        shown = why(run, order, code=1)
        assert "could not come on: stripe_unavailable: key refused by Stripe" in shown
        assert steps(run, order) == [f"paidshare look {order}"]

    def test_an_order_that_the_ledger_never_heard_of_is_delivered(self, run: Run, seller: Seller) -> None:
        order = seller.sells("ada@example.com", heard_of=False)
        assert "never heard of it" in why(run, "ada@example.com", code=1)
        assert steps(run, order) == [f"paidshare resend {order}"]

    def test_misspelt_metadata_is_seen(self, run: Run, seller: Seller) -> None:
        order = seller.sells("ada@example.com", seller.product(fast_io_files="n1", fastio_workspac="my-shop"))
        shown = why(run, order, code=1)
        assert "has fast_io_files: is fastio_files meant?" in shown
        assert "has fastio_workspac: is fastio_workspace meant?" in shown

    def test_what_is_not_ours_is_nothing_wrong(self, run: Run, seller: Seller) -> None:
        order = seller.sells("ada@example.com", seller.product(colour="red"))
        assert "No product in it says what to deliver" in why(run, order, code=0)

    @pytest.mark.parametrize("fact", [Fact.BOUNCED, Fact.COMPLAINED, Fact.REJECTED])
    def test_a_letter_that_failed_wants_another_address(self, run: Run, seller: Seller, fact: Fact) -> None:
        order = seller.sells("ada@example.com")
        seller.hears_from_ses(order, Fact.SENT, fact, permanent=True)
        why(run, order, code=1)
        assert steps(run, order) == [f"paidshare resend {order} --to ADDRESS"]

    def test_a_letter_mailed_after_one_that_failed_is_what_counts(self, run: Run, seller: Seller) -> None:
        order = seller.sells("ada@example.com")
        seller.hears_from_ses(order, Fact.SENT, Fact.BOUNCED, permanent=True)
        seller.skew = timedelta(minutes=1)
        seller.hears_from_ses(order, Fact.SENT, Fact.DELIVERED)
        why(run, order, code=0)

    def test_the_same_bought_twice_is_said(self, run: Run, seller: Seller) -> None:
        product = seller.product()
        orders = [seller.sells("ada@example.com", product) for _ in range(2)]
        told = json.loads(run("why", "ada@example.com", "--json").out)
        assert [sorted(pair) for pair in told["bought_twice"]] == [sorted(orders)]
        assert "refund the other in Stripe" in why(run, "ada@example.com", code=0)

    def test_the_same_bought_three_times_is_said_once(self, run: Run, seller: Seller) -> None:
        product = seller.product()
        orders = [seller.sells("ada@example.com", product) for _ in range(3)]
        words = why(run, "ada@example.com", code=0)
        assert words.count("are of the same products") == 1
        assert all(order in words.split("→")[-1] for order in orders)
        assert "refund the others in Stripe" in words

    def test_that_an_order_is_the_second_of_its_kind_is_known_of_it_alone(self, run: Run, seller: Seller) -> None:
        product = seller.product()
        first, second = (seller.sells("ada@example.com", product) for _ in range(2))
        assert json.loads(run("why", first, "--json").out)["bought_twice"] == []
        assert json.loads(run("why", second, "--json").out)["bought_twice"] == [[first, second]]

    def test_who_cannot_be_asked_is_a_gap(self, run: Run, seller: Seller) -> None:
        order = seller.sells("ada@example.com")
        seller.fastio.fault({"match": "GET /share/*/details/", "status": 503, "times": 99})
        assert "? not known: " in why(run, order, code=3)


def _end_of(seller: Seller, order: str) -> str:
    return f"{datetime.fromtimestamp(int(seller.row(order)['share_expires_at']), UTC):%Y-%m-%d %H:%M} UTC"


class TestStory:
    @pytest.mark.parametrize(
        ("item", "words"),
        [
            ({"corrected_to": "sealed"}, "the buyer corrected the address"),
            ({"correction_refused": "opened"}, "refused, the files had been opened"),
            ({"correction_refused": "not_known"}, "refused, Fast.io hides who opened files"),
        ],
    )
    def test_that_the_buyer_corrected_the_address_is_told_and_not_which(self, item: dict[str, Any], words: str) -> None:
        row = Row("cs_1", {"state": "delivered", "corrected_at": Decimal(int(NOW.timestamp())), **item})
        [said] = [one for one in story.told(Facts("cs_1", row), now=NOW).sentences if "address" in one.words]
        assert (said.at, said.source) == (NOW, "us")
        assert words in said.words
        assert "sealed" not in said.words

    @pytest.mark.parametrize(
        ("item", "command", "wrong"),
        [
            ({"state": "new"}, "paidshare look cs_1", True),
            ({"state": "waiting", "reason": "not_paid"}, None, False),
            ({"state": "access_ended", "reason": Why.EXPIRED}, "paidshare extend cs_1 --days 7", False),
            ({"state": "access_ended", "reason": Why.ENDED_BY_SELLER}, "paidshare restore cs_1", False),
            ({"state": "access_on_hold", "reason": Why.HELD_BY_SELLER}, "paidshare restore cs_1", False),
            ({"state": "access_ended", "reason": Why.REFUNDED}, None, False),
            ({"state": "on_hold", "reason": "file_missing"}, "paidshare redrive cs_1", True),
        ],
    )
    def test_each_state_has_its_next_step(self, item: dict[str, Any], command: str | None, wrong: bool) -> None:  # noqa: FBT001
        [advice] = story.told(Facts("cs_1", Row("cs_1", item)), now=NOW).advice
        assert (advice.command, advice.wrong) == (command, wrong)

    def test_purchases_a_day_apart_of_other_things_or_given_back_are_not_twice(self) -> None:
        def bought(order_id: str, *, hours: float, line: str = "a") -> Facts:
            order = an_order(order_id=order_id, lines=(a_line(product_name=line),))
            return Facts(order_id, None, order, [Happened(NOW + timedelta(hours=hours), "paid 1.00 EUR")])

        def pairs(*bought: Facts) -> int:
            return len(story.bought_twice(bought))

        assert pairs(bought("cs_1", hours=0), bought("cs_2", hours=23.9)) == 1
        assert pairs(bought("cs_1", hours=0), bought("cs_2", hours=24)) == 0
        assert pairs(bought("cs_1", hours=0), bought("cs_2", hours=1, line="b")) == 0

    @pytest.mark.parametrize(
        ("amount", "currency", "words"), [(1900, "eur", "19.00 EUR"), (5, "usd", "0.05 USD"), (500, "jpy", "500 JPY")]
    )
    def test_money_is_written_as_people_write_it(self, amount: int, currency: str, words: str) -> None:
        assert money(amount, currency) == words


class TestEvidence:
    def test_it_says_what_was_paid_mailed_and_taken(self, run: Run, seller: Seller) -> None:
        order = seller.sells("ada@example.com")
        seller.hears_from_ses(order, Fact.SENT, Fact.DELIVERED)
        ran = run("evidence", order)
        assert ran.code == 0
        for words in ("paid 9.00 USD", "the link was mailed", "the buyer's mail server took the letter", "Field guide"):
            assert words in ran.out

    def test_who_could_not_be_asked_is_said(self, run: Run, seller: Seller) -> None:
        order = seller.sells("ada@example.com")
        seller.stripe.fault(503, match="GET /v1/checkout/sessions/*", times=99)
        ran = run("evidence", order, "--json")
        assert (ran.code, len(json.loads(ran.out)["gaps"])) == (3, 1)
