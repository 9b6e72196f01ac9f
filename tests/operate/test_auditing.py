"""`audit`: Stripe, the ledger and Fast.io held against each other; each way in which they can differ is caused here."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from operate.audits.comparing import Difference
from paidshare import notices
from tests.cloud import ORDERS_TABLE
from tests.operate.world import WORKSPACE, Run, Seller, working

AN_HOUR_AGO = {"advance_s": -3_600}


@pytest.fixture
def shop(seller: Seller) -> Seller:
    """Whose sales were an hour ago: long enough for every event to have come."""
    seller.stripe.control("/_clock", AN_HOUR_AGO)
    return seller


def audited(run: Run, *words: str, code: int) -> dict[str, Any]:
    ran = run("audit", "--json", *words)
    assert ran.code == code, ran.out + ran.err
    found: dict[str, Any] = json.loads(ran.out)
    return found


def refund(shop: Seller, order: str) -> None:
    session = shop.stripe.sdk().v1.checkout.sessions.retrieve(order).to_dict()
    shop.stripe.sdk().v1.refunds.create({"payment_intent": session["payment_intent"]})


def never_heard_of(shop: Seller) -> str:
    return shop.sells("ada@example.com", heard_of=False)


def begun_and_left(shop: Seller) -> str:
    shop.stripe.key = "sk_test_refused"
    order = shop.sells("ada@example.com")
    shop.stripe.key = "sk_test_51KeyThatNobodyMaySee"
    return order


def refunded_unheard(shop: Seller) -> str:
    order = shop.sells("ada@example.com")
    refund(shop, order)
    return order


def broken_meanwhile(shop: Seller) -> str:
    """Delivered, by the ledger, as what is to be told is not: the row says “on hold”, and Stripe says “paid”."""
    order = shop.sells("ada@example.com")
    set_row(shop, order, told={"S": "on_hold"})
    return order


def closed_in_the_ledger_alone(shop: Seller) -> str:
    order = shop.sells("ada@example.com")
    refund(shop, order)
    shop.hears_of(order, "charge.refunded")
    [share] = [one for one in shop.fastio.made() if order in json.dumps(one["owner_defined"])]
    shop.fastio.adapter().reopen(share["id"], until=shop.clock().replace(year=2099))
    return order


def gone_at_fastio(shop: Seller) -> str:
    order = shop.sells("ada@example.com")
    [share] = [one for one in shop.fastio.made() if order in json.dumps(one["owner_defined"])]
    shop.fastio.adapter().close(share["id"])
    return order


CAUSES: dict[Difference, Callable[[Seller], str]] = {
    Difference.UNKNOWN: never_heard_of,
    Difference.NOTHING_GIVEN: begun_and_left,
    Difference.STILL_OPEN: refunded_unheard,
    Difference.OTHERWISE: broken_meanwhile,
    Difference.OPEN_AT_FASTIO: closed_in_the_ledger_alone,
    Difference.GONE_AT_FASTIO: gone_at_fastio,
}


def set_row(shop: Seller, order: str, **attributes: Any) -> None:
    table: Any = shop.aws.dynamodb
    item = table.get_item(TableName=ORDERS_TABLE, Key={"order_id": {"S": order}})["Item"]
    table.put_item(TableName=ORDERS_TABLE, Item=item | attributes)


def test_a_shop_that_is_as_it_should_be_has_six_noughts(run: Run, shop: Seller) -> None:
    shop.sells("ada@example.com")
    shop.sells("bob@example.com", shop.product(fastio_workspace=WORKSPACE))  # A person has it.
    shop.sells("cy@example.com", shop.product(colour="red"))  # Not ours.
    over = shop.sells("di@example.com")
    refund(shop, over)
    shop.hears_of(over, "charge.refunded")
    found = audited(run, code=0)
    assert found["orders"] == 4
    assert list(found["differences"].values()) == [[]] * 6


@pytest.mark.parametrize("difference", Difference)
def test_each_difference_is_found_and_no_other(run: Run, shop: Seller, difference: Difference) -> None:
    shop.sells("bob@example.com")
    order = CAUSES[difference](shop)
    found = audited(run, code=1)["differences"]
    assert {name: orders for name, orders in found.items() if orders} == {difference.name.lower(): [order]}
    shown = run("audit").out
    assert f"1  {difference}" in shown
    assert order in shown


@pytest.mark.parametrize("difference", [each for each in Difference if "FASTIO" not in each.name])
def test_what_differs_is_mended_by_a_look(run: Run, shop: Seller, difference: Difference) -> None:
    order = CAUSES[difference](shop)
    assert audited(run, "--fix", "--yes", code=1)["asked"] == [order]
    [notice] = shop.works()
    assert (notice.why, notice.about) == (notices.LOOK, order)
    audited(run, code=0)


def test_products_whose_metadata_is_misspelt_are_named_though_nobody_asked_for_their_sales(
    run: Run, shop: Seller
) -> None:
    product = shop.product(fast_io_files="n1", fastio_workspace_="x")
    for _ in range(2):
        shop.sells("ada@example.com", product)
    found = audited(run, code=1)
    assert found["misspelt"] == [
        f"Product {product} has fast_io_files: is fastio_files meant?",
        f"Product {product} has fastio_workspace_: is fastio_workspace meant?",
    ]
    assert list(found["differences"].values()) == [[]] * 6
    assert "✗ Product" in run("audit").out


def test_nothing_is_asked_for_without_being_told_to(run: Run, shop: Seller) -> None:
    never_heard_of(shop)
    audited(run, code=1)
    assert run("audit", "--fix").code == 2
    assert working(shop.aws) == []


def test_what_was_paid_a_moment_ago_is_on_its_way(run: Run, seller: Seller) -> None:
    never_heard_of(seller)
    assert audited(run, code=0)["orders"] == 0


def test_an_open_link_is_looked_at_however_old_its_sale(run: Run, seller: Seller) -> None:
    seller.stripe.control("/_clock", {"advance_s": -40 * 86_400})
    order = refunded_unheard(seller)
    assert audited(run, code=1)["differences"]["still_open"] == [order]


def test_another_shop_s_open_link_in_the_same_fastio_is_none_of_ours(run: Run, shop: Seller) -> None:
    shop.sells("ada@example.com")
    for row in shop.aws.dynamodb.scan(TableName=ORDERS_TABLE)["Items"]:
        shop.aws.dynamodb.delete_item(TableName=ORDERS_TABLE, Key={"order_id": row["order_id"]})
    shop.stripe.control("/_reset", {})
    shop.aws.secretsmanager.put_secret_value(SecretId="paidshare/test", SecretString=other_keys(shop))
    assert audited(run, code=0)["orders"] == 1


def other_keys(shop: Seller) -> str:
    secret = json.loads(shop.aws.secretsmanager.get_secret_value(SecretId="paidshare/test")["SecretString"])
    return json.dumps(secret | {"link_key": "another-link-key-of-thirty-two-letters"})


def test_who_cannot_be_asked_is_not_known(run: Run, shop: Seller) -> None:
    shop.fastio.fault({"match": "GET /shares/all/*", "status": 503, "times": 99})
    shop.fastio.fault({"match": "GET /shares/all*", "status": 503, "times": 99})
    assert run("audit").code == 3


def test_logs_are_not_mended(run: Run, tmp_path: Any) -> None:
    log = tmp_path / "deliver.log"
    log.write_text("x")
    assert run("audit", "--logs", str(log), "--fix").code == 2
