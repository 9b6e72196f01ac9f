"""docs/cli: what the commands print as JSON is what the schemas say, and the page lists them."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from operate import __main__ as operate
from paidshare.delivering.errors import MetadataBroken
from tests.cloud import Cloud
from tests.operate.world import ORDER, Run, Seller, bury, bury_a_letter_case, bury_plain, hold, record

CLI = Path(__file__).parents[2] / "docs" / "cli"
SCHEMAS = {path.name.removesuffix(".schema.json"): json.loads(path.read_text()) for path in CLI.glob("*.schema.json")}
WISHES = ("resend", "extend", "end", "hold", "restore")


def held(name: str, printed: str) -> Any:
    """*printed*, which is as the schema says."""
    data = json.loads(printed)
    Draft202012Validator(SCHEMAS[name], format_checker=FormatChecker()).validate(data)
    return data


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one_and_lets_nothing_else_in(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
    shape = SCHEMAS[name]["items"] if SCHEMAS[name]["type"] == "array" else SCHEMAS[name]
    assert shape["additionalProperties"] is False
    assert sorted(shape["required"]) == sorted(shape["properties"])


@pytest.mark.parametrize("command", WISHES)
@pytest.mark.parametrize("wait", ["0", "60"])
def test_a_wish_and_what_came_of_it(run: Run, seller: Seller, command: str, wait: str) -> None:
    order = seller.sells("ada@example.com")
    said = held("wish", run(command, order, "--yes", "--wait", wait, "--json").out)
    assert (said["wants"], said["done"] is None) == (command, wait == "0")


def test_a_story_of_every_state(aws: Cloud, run: Run, seller: Seller) -> None:
    orders = [
        seller.sells("ada@example.com"),
        seller.sells("ada@example.com", heard_of=False),
        seller.sells("ada@example.com", seller.product(fastio_workspace="my-shop")),
        seller.sells("ada@example.com", seller.product(colour="red")),
        seller.sells("ada@example.com", late=True),
    ]
    run("end", orders[0], "--yes")
    told = held("why", run("why", "ada@example.com", "--json").out)
    assert {one["state"] for one in told["orders"]} == {"access_ended", "unknown", "on_hold", "not_ours", "waiting"}
    for order in orders:
        held("evidence", run("evidence", order, "--json").out)
    record(aws, order_id=ORDER, state="delivered", share_id="5", share_expires_at=1_795_348_800)
    held("why", run("why", ORDER, "--json").out)


def test_a_look(run: Run, seller: Seller) -> None:
    order = seller.sells("ada@example.com")
    assert held("look", run("look", order, "--json").out) == {"orders": [order]}


@pytest.mark.parametrize("fills", [lambda _: None, lambda aws: bury(aws, MetadataBroken("x"))])
def test_a_shop(aws: Cloud, run: Run, fills: Callable[[Cloud], None]) -> None:
    fills(aws)
    held("status", run("status", "--json").out)


def test_cases(aws: Cloud, run: Run) -> None:
    hold(aws)
    bury(aws, MetadataBroken("x"))
    bury_a_letter_case(aws, order="cs_test_2")
    bury_plain(aws, "hello")
    assert len(held("dead", run("dead", "--json").out)) == 3
    assert held("redrive", run("redrive", "--all", "--dry-run", "--json").out)["dry_run"]
    held("redrive", run("redrive", "cs_test_none", ORDER, "--json").out)
    held("dismiss", run("dismiss", ORDER, "cs_test_2", "--yes", "--json").out)


def test_an_audit(run: Run, seller: Seller) -> None:
    seller.stripe.control("/_clock", {"advance_s": -3_600})
    order = seller.sells("ada@example.com", heard_of=False)
    assert held("audit", run("audit", "--fix", "--yes", "--json").out)["asked"] == [order]


def test_a_replay(run: Run, seller: Seller, tmp_path: Path) -> None:
    seller.stripe.control("/_clock", {"advance_s": -3_600})
    order = seller.sells("ada@example.com", heard_of=False)
    plan = str(tmp_path / "plan.json")
    planned = held("replay", run("replay", "--since", "2020-01-01", "--plan", plan, "--json").out)
    assert (planned["orders"], planned["asked"]) == ({order: "deliver"}, [])
    assert held("replay", run("replay", "--apply", plan, "--yes", "--json").out)["asked"] == [order]


def test_an_audit_of_logs(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "deliver.log"
    at = datetime.now(UTC).isoformat()
    log.write_text(json.dumps({"timestamp": at, "message": "order_looked_at", "what": "ada@example.com"}))
    assert len(held("findings", run("audit", "--logs", str(log), "--json").out)) == 1


def test_the_page_lists_every_command_with_its_schema() -> None:
    page = (CLI / "README.md").read_text()
    rows = re.findall(r"^\| (`.*?) \| .* \| \[(\w+)\]\((\w+)\.schema\.json\) \|$", page, re.MULTILINE)
    listed = {name for words, _, _ in rows for name in re.findall(r"`(\w+)", words)}
    commands = {each.name or each.callback.__name__ for each in operate.app.registered_commands if each.callback}
    assert listed | {"mcp"} == commands | {str(each.name) for each in operate.app.registered_groups}
    assert {schema for _, schema, _ in rows} == {*SCHEMAS}
    assert all(name == linked for _, name, linked in rows)
