"""`replay`: what a plan says happens, or nothing does."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from paidshare import notices
from tests.operate.world import WORKSPACE, Run, Seller, working


def since() -> tuple[str, str]:
    return ("--since", f"{datetime.now(UTC) - timedelta(days=2):%Y-%m-%d}")


@pytest.fixture
def shop(seller: Seller) -> Seller:
    """Whose sales were an hour ago: long enough for every event to have come."""
    seller.stripe.control("/_clock", {"advance_s": -3_600})
    return seller


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    return tmp_path / "plan.json"


def test_a_plan_says_what_a_look_at_each_order_would_do_and_asks_for_nothing(
    run: Run, shop: Seller, plan: Path
) -> None:
    missed = shop.sells("ada@example.com", heard_of=False)
    done = shop.sells("bob@example.com")
    broken = shop.sells("cy@example.com", shop.product(fastio_workspace=WORKSPACE), heard_of=False)
    ran = run("replay", *since(), "--plan", str(plan))
    assert (ran.code, working(shop.aws)) == (0, [])
    assert json.loads(plan.read_text())["orders"] == {missed: "deliver", done: "nothing", broken: "metadata_broken"}
    assert "1  deliver" in ran.out
    assert "3 orders" in ran.out


def test_what_was_planned_is_what_happens(run: Run, shop: Seller, plan: Path) -> None:
    missed = shop.sells("ada@example.com", heard_of=False)
    shop.sells("bob@example.com")
    run("replay", *since(), "--plan", str(plan))
    assert run("replay", "--apply", str(plan), "--yes").code == 0
    assert [(notice.why, notice.about) for notice in shop.works()] == [(notices.LOOK, missed)]
    assert len(shop.mailer.sent) == 2
    # Once more, it is no plan of what is now.
    assert run("replay", "--apply", str(plan), "--yes").code == 1


def test_a_plan_that_the_world_has_overtaken_is_refused_whole(run: Run, shop: Seller, plan: Path) -> None:
    first, second = (shop.sells(f"{name}@example.com", heard_of=False) for name in ("ada", "bob"))
    run("replay", *since(), "--plan", str(plan))
    shop.hears_of(second)
    ran = run("replay", "--apply", str(plan), "--yes")
    assert (ran.code, working(shop.aws)) == (1, [])
    assert f"{second} (planned: deliver; now: nothing)" in ran.err
    assert first not in ran.err


def test_more_looks_than_are_allowed_are_refused_whole(run: Run, shop: Seller, plan: Path) -> None:
    for name in ("ada", "bob"):
        shop.sells(f"{name}@example.com", heard_of=False)
    run("replay", *since(), "--plan", str(plan))
    assert run("replay", "--apply", str(plan), "--most", "1", "--yes").code == 1
    assert run("replay", "--apply", str(plan)).code == 2  # No terminal, and no --yes.
    assert working(shop.aws) == []
    assert run("replay", "--apply", str(plan), "--most", "2", "--yes").code == 0


def test_what_was_before_is_left_out(run: Run, seller: Seller, plan: Path) -> None:
    seller.stripe.control("/_clock", {"advance_s": -5 * 86_400})
    seller.sells("ada@example.com", heard_of=False)
    run("replay", *since(), "--plan", str(plan))
    assert json.loads(plan.read_text())["orders"] == {}


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"stack": "paidshare-other", "orders": {}}', '{"stack": "paidshare-prod", "orders": {"a": 1}}'],
)
def test_what_is_no_plan_for_the_stack_is_refused(run: Run, shop: Seller, plan: Path, text: str) -> None:
    plan.write_text(text)
    ran = run("replay", "--apply", str(plan), "--yes")
    assert (ran.code, working(shop.aws)) == (2, [])


def test_it_is_either_made_or_applied(run: Run, shop: Seller, plan: Path) -> None:
    plan.write_text("{}")
    for words in ((), since(), ("--plan", str(plan)), (*since(), "--apply", str(plan))):
        assert run("replay", *words).code == 2, words
