"""The same bought twice within ten minutes: the second order says so, to its buyer, to the log, and to a metric."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from paidshare.aws import DynamoPurchases
from paidshare.delivering.buyer.twice import WITHIN
from paidshare.delivering.ports import Purchases
from paidshare.errors import LedgerUnavailable
from paidshare.orders import Order
from paidshare.page import tokens
from tests.builders import BUYER, LINK_KEY, NOW, a_line, a_notice, a_payment, an_order
from tests.cloud import EVENTS_TABLE, cloud
from tests.fakes import MemoryPurchases
from tests.simulated import a_dynamodb
from tests.unit.test_page import Front
from tests.world import World

MINUTE = timedelta(minutes=1)


def bought(number: int, *, after: timedelta = timedelta(), email: str | None = BUYER, product: str = "prod_1") -> Order:
    payment = replace(a_payment(), at=NOW + after)
    line = replace(a_line(), product_id=product)
    return an_order(order_id=f"cs_test_{number}", email=email, payments=(payment,), lines=(line,))


def sold(*orders: Order) -> World:
    world = World(*orders)
    world.with_port(purchases=MemoryPurchases())
    for order in orders:
        world.look(a_notice(about=order.id))
    return world


def second_of(*orders: Order) -> str | None:
    return sold(*orders).progress(orders[-1].id).twice_of


class TestWhatIsTwice:
    @pytest.mark.parametrize("after", [-WITHIN, timedelta(), MINUTE, WITHIN])
    def test_the_same_product_to_the_same_address_within_ten_minutes(self, after: timedelta) -> None:
        assert second_of(bought(1), bought(2, after=after)) == "cs_test_1"

    @pytest.mark.parametrize("email", ["Ada@Example.com", f" {BUYER} "])
    def test_an_address_is_the_same_in_any_case(self, email: str) -> None:
        assert second_of(bought(1), bought(2, email=email)) == "cs_test_1"

    @pytest.mark.parametrize(
        "other",
        [
            bought(2, after=WITHIN + timedelta(seconds=1)),
            bought(2, email="eve@example.com"),
            bought(2, product="prod_2"),
            replace(bought(2), corrected=True),
        ],
        ids=["later", "another buyer", "another product", "an address that the seller wrote"],
    )
    def test_nothing_else(self, other: Order) -> None:
        assert second_of(bought(1), other) is None

    def test_a_renewal_is_none(self) -> None:
        assert second_of(bought(1), replace(bought(2), sale=replace(bought(2).sale, renewal=True))) is None

    def test_the_first_is_no_second_however_often_it_is_looked_at(self) -> None:
        world = sold(bought(1), bought(2))
        world.look(a_notice(about="cs_test_1"))
        assert world.progress("cs_test_1").twice_of is None

    def test_both_are_delivered_and_the_log_s_fact_names_the_first_once(self) -> None:
        world = World(bought(1), bought(2))
        world.with_port(purchases=MemoryPurchases())
        told = [world.look(a_notice(about=about)).twice_of for about in ("cs_test_1", "cs_test_2", "cs_test_2")]
        assert (told, len(world.mailer.sent)) == ([None, "cs_test_1", None], 2)

    def test_nobody_waits_for_a_memory_that_is_out_of_reach(self) -> None:
        def down(mark: str, order_id: str, at: datetime, within: timedelta) -> str | None:
            raise LedgerUnavailable("down")

        world = World(bought(1))
        world.with_port(purchases=down)
        world.look(a_notice(about="cs_test_1"))
        assert len(world.mailer.sent) == 1


class TestThePage:
    def test_the_second_order_s_page_says_so_and_names_the_first_as_its_letter_does(self) -> None:
        front = Front()
        front.world = sold(bought(1), bought(2))
        front.ports = replace(front.ports, payments=front.world.payments)
        pages = [front.ask(token=tokens.token(LINK_KEY, f"cs_test_{n}")).page.body for n in (1, 2)]
        assert ["You bought the same a few minutes before" in page for page in pages] == [False, True]
        assert "cs_test_1"[-8:] in pages[1]


@pytest.fixture(params=["memory", "simulated", "dynamodb"])
def purchases(request: pytest.FixtureRequest) -> Iterator[Purchases]:
    if request.param == "memory":
        yield MemoryPurchases()
    elif request.param == "simulated":
        yield DynamoPurchases(a_dynamodb(), EVENTS_TABLE)
    else:
        with cloud() as aws:
            yield DynamoPurchases(aws.dynamodb, EVENTS_TABLE)


class TestPurchases:
    """The port: the same rules for the fake and for DynamoDB with the table of template.yaml."""

    def test_the_first_of_a_mark_is_nobody_s_second_and_may_ask_again(self, purchases: Purchases) -> None:
        assert [purchases("m", "cs_1", NOW, WITHIN) for _ in range(2)] == [None, None]

    @pytest.mark.parametrize("apart", [-WITHIN, timedelta(), WITHIN])
    def test_another_within_the_time_is_told_of_it_as_often_as_it_asks(
        self, purchases: Purchases, apart: timedelta
    ) -> None:
        purchases("m", "cs_1", NOW, WITHIN)
        assert [purchases("m", "cs_2", NOW + apart, WITHIN) for _ in range(2)] == ["cs_1", "cs_1"]

    def test_beyond_it_the_later_one_is_what_counts(self, purchases: Purchases) -> None:
        purchases("m", "cs_1", NOW, WITHIN)
        assert purchases("m", "cs_2", NOW + WITHIN + timedelta(seconds=1), WITHIN) is None
        assert purchases("m", "cs_3", NOW + WITHIN + MINUTE, WITHIN) == "cs_2"

    def test_another_mark_is_another_thing(self, purchases: Purchases) -> None:
        purchases("m", "cs_1", NOW, WITHIN)
        assert purchases("n", "cs_2", NOW, WITHIN) is None


def test_what_is_kept_names_nobody_and_goes_by_itself() -> None:
    with cloud() as aws:
        world = World(bought(1))
        world.with_port(purchases=DynamoPurchases(aws.dynamodb, EVENTS_TABLE))
        world.look(a_notice(about="cs_test_1"))
        [item] = aws.dynamodb.scan(TableName=EVENTS_TABLE)["Items"]
    assert "ada" not in repr(item)
    assert int(item["expiration"]["N"]) > NOW.timestamp()
