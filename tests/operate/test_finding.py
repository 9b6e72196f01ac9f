"""Whoever names an order finds it, in the ledger or at Stripe; what nobody knows is queued for nobody."""

import json

import pytest

from tests.cloud import Cloud
from tests.operate.world import ORDER, Run, Seller, record, working


def found(run: Run, who: str) -> list[str]:
    """The orders that a look was asked for."""
    ran = run("look", who, "--json")
    assert ran.code == 0, ran.err
    orders: list[str] = json.loads(ran.out)["orders"]
    return orders


def test_an_order_is_found_by_all_that_it_is_called(run: Run, seller: Seller) -> None:
    order = seller.sells("ada@example.com")
    session = seller.stripe.sdk().v1.checkout.sessions.retrieve(order, {"expand": ["payment_intent"]}).to_dict()
    intent = session["payment_intent"]
    for who in (
        order,
        order[-8:],
        "ada@example.com",
        intent["id"],
        intent["latest_charge"],
        f"https://dashboard.stripe.com/test/payments/{intent['id']}",
    ):
        assert found(run, who) == [order], who


def test_a_subscriber_s_orders_are_the_invoices(run: Run, seller: Seller) -> None:
    paid = seller.stripe.pay(mode="subscription", products=[seller.product()])
    assert found(run, "ada@example.com") == [paid["invoice"]]
    assert found(run, paid["session"]) == [paid["invoice"]]
    assert found(run, paid["subscription"]) == [paid["invoice"]]


def test_a_buyer_s_orders_come_newest_first_and_nobody_else_s(run: Run, seller: Seller) -> None:
    first = seller.sells("ada@example.com")
    seller.stripe.control("/_clock", {"advance_s": 60})
    second = seller.sells("ada@example.com", heard_of=False)
    seller.sells("bob@example.com")
    assert found(run, "ada@example.com") == [second, first]


def test_great_letters_in_an_address_do_not_hide_its_orders(run: Run, seller: Seller) -> None:
    order = seller.sells("ada@example.com")
    assert found(run, "Ada@Example.com") == [order]


def test_a_wish_for_one_of_several_asks_which(aws: Cloud, run: Run, seller: Seller) -> None:
    orders = [seller.sells("ada@example.com") for _ in range(2)]
    ran = run("resend", "ada@example.com", "--yes")
    assert (ran.code, working(aws)) == (2, [])
    assert all(order in ran.err for order in orders)


@pytest.mark.parametrize("command", ["look", "resend", "extend", "end", "hold", "restore", "why", "evidence"])
def test_what_nobody_knows_is_refused_and_nothing_queued(
    aws: Cloud, run: Run, seller: Seller, subtests: pytest.Subtests, command: str
) -> None:
    seller.sells("ada@example.com")
    sure = [] if command in ("look", "why", "evidence") else ["--yes"]
    for who in ("cs_test_mistyped", "in_mistyped", "pi_mistyped", "ch_mistyped", "no@example.com", "Mistyped", "sub_x"):
        with subtests.test(who):
            ran = run(command, who, *sure)
            assert (ran.code, ran.out, working(aws)) == (2, "", [])
            assert ran.err.startswith("✗ ")


@pytest.mark.parametrize("command", ["look", "resend", "why"])
def test_what_names_nothing_is_refused_in_one_line(aws: Cloud, run: Run, seller: Seller, command: str) -> None:
    for wrong in ("", "cs_", "evt_1", "../in_1", "cs_\x1b[2J", "x" * 400):
        ran = run(command, wrong)
        assert (ran.code, working(aws)) == (2, []), wrong
        assert "names no order" in ran.err
        assert "\x1b" not in ran.err


def test_an_order_in_the_ledger_needs_no_stripe(aws: Cloud, run: Run, seller: Seller) -> None:
    record(aws, order_id=ORDER, state="delivered")
    assert found(run, ORDER) == [ORDER]
    assert found(run, ORDER[-8:]) == [ORDER]
    assert seller.stripe.asked() == []


def test_stripe_out_of_reach_is_not_known(aws: Cloud, run: Run, seller: Seller) -> None:
    seller.stripe.fault(503, match="GET /v1/checkout/sessions*", times=9)
    ran = run("why", "ada@example.com")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith("✗ Stripe")


def test_the_shell_s_key_is_asked_with_before_the_stack_s(
    run: Run, seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    seller.sells("ada@example.com")
    monkeypatch.setenv("STRIPE_API_KEY", "sk_test_another")
    ran = run("look", "ada@example.com")
    assert ran.code == 3
    assert "key refused" in ran.err
    assert "another" not in ran.err
