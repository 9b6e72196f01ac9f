"""`try`: a purchase with the test card comes through everything, each hop is timed, and what does not come is named."""

from dataclasses import replace
from typing import Any

import pytest

from operate import stacks
from operate.setup import trying
from operate.setup.trying import HOPS
from paidshare.feedback.mail_events import Fact
from tests.operate.test_schemas import held
from tests.operate.world import Run, Seller
from tests.stripe_world import KEY


@pytest.fixture
def at_work(seller: Seller, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Deliver and SES do their part whenever it waits; the times it waited. Made empty, nobody works."""
    waits: list[Any] = [seller.hears_of]

    def sleep(seconds: float) -> None:
        [work, *_] = waits
        waits.append(seconds)
        for invoice in seller.stripe.sdk().v1.invoices.list().data:
            work(str(invoice.id))
            if seller.row(str(invoice.id)).get("delivered_at"):
                seller.hears_from_ses(str(invoice.id), Fact.SENT, Fact.DELIVERED)

    monkeypatch.setattr(trying, "sleep", sleep)
    monkeypatch.setattr(trying, "monotonic", lambda: float(len(waits)))
    monkeypatch.setenv("STRIPE_API_KEY", KEY)
    return waits


def test_each_hop_is_told_with_its_time(run: Run, seller: Seller, at_work: list[Any]) -> None:
    seller.product("A mug", colour="red")
    product = seller.product()
    ran = run("try", "--json")
    said = held("try", ran.out)
    assert (ran.code, said["product"], said["open"]) == (0, product, True), ran.err
    assert [one["what"] for one in said["hops"]] == [hop.what for hop in HOPS]
    assert [one["seconds"] for one in said["hops"]] == sorted(one["seconds"] for one in said["hops"])
    assert seller.mailer.sent[-1].to == "success@simulator.amazonses.com"


def test_the_words_end_with_all_of_it_works(run: Run, seller: Seller, at_work: list[Any]) -> None:
    product = seller.product()
    ran = run("try", product, "--to", "me@example.com")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "→ All of it works. The link is open.")
    assert seller.mailer.sent[-1].to == "me@example.com"


def test_what_does_not_come_is_named_with_what_tells_why(run: Run, seller: Seller, at_work: list[Any]) -> None:
    seller.product()
    at_work[0] = lambda _order: None
    ran = run("try", "--wait", "5")
    assert ran.code == 1
    assert "not within 5 s: Receive took Stripe's event" in ran.err
    assert "paidshare why in_" in ran.err


def test_an_order_that_waits_for_a_person_is_not_waited_for(run: Run, seller: Seller, at_work: list[Any]) -> None:
    seller.product(fastio_workspace="my-shop", fastio_files="gone-1")
    ran = run("try", "--wait", "900")
    assert (ran.code, len(at_work) < 9, "Fast.io has the share" in ran.err) == (1, True, True)


@pytest.mark.parametrize(
    ("words", "said"), [((), "no product says what it delivers"), (("prod_1",), "prod_1 is no product")]
)
def test_without_goods_nothing_is_bought(
    run: Run, seller: Seller, at_work: list[Any], words: tuple[str, ...], said: str
) -> None:
    seller.product("A mug", colour="red")
    ran = run("try", *words)
    assert (ran.code, said in ran.err) == (2, True)
    assert seller.stripe.sdk().v1.invoices.list().data == []


def test_real_money_is_never_paid(run: Run, seller: Seller, monkeypatch: pytest.MonkeyPatch) -> None:
    there = replace(seller.stack, parameters={**seller.stack.parameters, "StripeMode": "live"})
    monkeypatch.setattr(stacks, "found", lambda _name: there)
    ran = run("try")
    assert (ran.code, "test card" in ran.err) == (2, True)


def test_a_key_that_may_not_pay_is_told(run: Run, seller: Seller, at_work: list[Any]) -> None:
    seller.product()
    seller.stripe.fault(403, match="POST /v1/customers", body={"error": {"message": "no"}})
    ran = run("try")
    assert (ran.code, "nothing was bought" in ran.err) == (3, True)
