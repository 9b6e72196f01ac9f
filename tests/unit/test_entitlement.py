from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paidshare import entitlement as rules
from paidshare.entitlement import Access, Entitlement, NotOurs, NotYet
from paidshare.errors import MetadataBroken, ModeMismatch
from paidshare.orders import Line, Order
from tests.builders import NOW, a_line, an_order, some_goods

OURS = {"fastio_workspace": "shop", "fastio_files": "file-forest,file-notes"}


def due(order: Order, *, livemode: bool = False) -> Entitlement:
    return rules.entitlement(order, livemode=livemode, default_link_days=7, now=NOW)


ACCESS = Access(goods=(some_goods(),), until=NOW + timedelta(days=7))


class TestEntitlement:
    @pytest.mark.parametrize(
        ("order", "expected"),
        [
            (an_order(), ACCESS),
            # SEPA, bank transfer: complete at once, paid days later.
            (an_order(payment_status="unpaid"), NotYet("payment_unpaid")),
            # A coupon took all of it. Stripe then asks for no payment, and no later event says “paid”.
            (an_order(payment_status="no_payment_required", total=0, payment_intent=None), ACCESS),
            # No payment was required, but something was to be paid, or Stripe does not say what: not ours to guess.
            (an_order(payment_status="no_payment_required", total=1900), NotYet("payment_no_payment_required")),
            (an_order(payment_status="no_payment_required", total=None), NotYet("payment_no_payment_required")),
            (an_order(payment_status="unpaid", total=0), NotYet("payment_unpaid")),
            (
                an_order(payment_status="no_payment_required", total=0, status="open"),
                NotYet("payment_no_payment_required"),
            ),
            # Words that Stripe may invent tomorrow.
            (an_order(payment_status="partially_paid"), NotYet("payment_partially_paid")),
            (an_order(payment_status=""), NotYet("payment_")),
            (an_order(status="settling"), NotYet("payment_paid")),
            (an_order(status=None), NotYet("payment_paid")),
            # The buyer is still at the till, or never came back.
            (an_order(status="open", payment_status="unpaid"), NotYet("payment_unpaid")),
            (an_order(status="expired", payment_status="unpaid"), NotYet("payment_unpaid")),
            (an_order(status="open"), NotYet("payment_paid")),
            # Saves a card: nobody's purchase, though Stripe's own sample would deliver it.
            (an_order(mode="setup", payment_status="no_payment_required"), NotOurs("mode_setup")),
            # An invoice's order, not a session's.
            (an_order(mode="subscription"), NotOurs("mode_subscription")),
            (an_order(mode="barter"), NotOurs("mode_barter")),
            # Nothing in the cart is ours, or there is nothing in it.
            (an_order(lines=(a_line(metadata={}),)), NotOurs("no_line_of_ours")),
            (an_order(lines=()), NotOurs("no_line_of_ours")),
            # Ours beside a mug that the post delivers.
            (an_order(lines=(a_line(metadata={}), a_line())), ACCESS),
        ],
    )
    def test_the_buyer_has_what_is_paid_and_ours(self, order: Order, expected: Entitlement) -> None:
        assert due(order) == expected

    @pytest.mark.parametrize("livemode", [True, False])
    def test_an_order_of_the_other_mode_is_a_case_for_a_person(self, livemode: bool) -> None:  # noqa: FBT001
        with pytest.raises(ModeMismatch):
            due(an_order(livemode=not livemode), livemode=livemode)

    def test_an_order_of_the_other_mode_is_never_delivered_even_when_it_is_paid(self) -> None:
        with pytest.raises(ModeMismatch):
            due(an_order(livemode=False), livemode=True)

    def test_the_order_stays_open_as_long_as_its_longest_line(self) -> None:
        lines = tuple(a_line(metadata=OURS | {"fastio_link_days": days}) for days in ("3", "30", "1"))
        answer = due(an_order(lines=lines))
        assert isinstance(answer, Access)
        assert answer.until == NOW + timedelta(days=30)

    def test_goods_come_in_the_order_of_the_lines(self) -> None:
        lines = (a_line(product_name="B"), a_line(product_name="A"))
        answer = due(an_order(lines=lines))
        assert isinstance(answer, Access)
        assert [g.product_name for g in answer.goods] == ["B", "A"]

    @pytest.mark.parametrize("broken_first", [True, False])
    def test_one_broken_line_stops_the_order_rather_than_delivering_half(
        self,
        broken_first: bool,  # noqa: FBT001
    ) -> None:
        broken = a_line(product_id="prod_2", metadata={"fastio_files": "f"})
        lines: tuple[Line, ...] = (broken, a_line()) if broken_first else (a_line(), broken)
        with pytest.raises(MetadataBroken, match="prod_2"):
            due(an_order(lines=lines))

    def test_broken_metadata_is_nobody_s_case_until_it_is_paid(self) -> None:
        order = an_order(payment_status="unpaid", lines=(a_line(metadata={"fastio_files": "f"}),))
        assert due(order) == NotYet("payment_unpaid")

    @given(
        status=st.none() | st.text() | st.sampled_from(["complete", "Complete", "open", "expired"]),
        payment_status=st.text() | st.sampled_from(["paid", "PAID", "paid ", "unpaid", "no_payment_required"]),
        mode=st.text() | st.sampled_from(["payment", "setup", "subscription"]),
        total=st.none() | st.integers() | st.just(0),
    )
    def test_only_a_complete_payment_that_is_paid_or_free_ever_gives_access(
        self, status: str | None, payment_status: str, mode: str, total: int | None
    ) -> None:
        answer = due(an_order(status=status, payment_status=payment_status, mode=mode, total=total))
        paid = payment_status == "paid" or (payment_status == "no_payment_required" and total == 0)
        assert isinstance(answer, Access) is (paid and (mode, status) == ("payment", "complete"))
