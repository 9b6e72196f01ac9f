"""`mcp`: a client of the protocol's own SDK asks as an assistant does, and gets what `--json` prints."""

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from operate.live import assistant
from tests.cloud import Cloud
from tests.operate.test_schemas import held
from tests.operate.world import ORDER, Run, Seller, working

ROOT = Path(__file__).parents[2]
TOOLS: dict[str, dict[str, Any]] = {
    "status": {}, "why": {"who": "ada@example.com"}, "evidence": {"who": "ada@example.com"}, "doctor": {}, "dead": {},
    "products": {}, "audit": {"days": 7}, "secrets": {},
}  # fmt: skip

type Call = Callable[..., Any]


@pytest.fixture
def call(run: Run) -> Call:
    """A tool called by a client, on the stack of the test → whether it is an error, and its text."""

    def called(name: str, **arguments: Any) -> tuple[bool, str]:
        async def asked() -> Any:
            served = assistant.server(lambda ask: assistant._asked(ask, "prod", None, None))
            async with Client(served) as client:
                return await client.call_tool(name, arguments)

        result = asyncio.run(asked())
        return bool(result.is_error), "\n".join(part.text for part in result.content)

    return called


def test_the_tools_are_those_commands_that_only_look_and_say_so() -> None:
    async def listed() -> Any:
        async with Client(assistant.server(lambda _ask: "")) as client:
            return (await client.list_tools()).tools

    tools = asyncio.run(listed())
    assert {one.name for one in tools} == TOOLS.keys()
    assert all(one.annotations.read_only_hint and one.description for one in tools)


@pytest.mark.parametrize("tool", ["status", "why", "evidence", "dead", "products", "audit", "secrets"])
def test_a_tool_answers_what_json_prints_and_changes_nothing(aws: Cloud, call: Call, seller: Seller, tool: str) -> None:
    order = seller.sells("ada@example.com")
    before = (seller.row(order), seller.fastio.made())
    failed, said = call(tool, **TOOLS[tool])
    assert not failed, said
    held(tool, said)
    assert (seller.row(order), seller.fastio.made(), working(aws)) == (*before, [])


def test_no_address_and_no_key_is_told(call: Call, seller: Seller) -> None:
    seller.sells("ada@example.com")
    said = "".join(call(tool, **TOOLS[tool])[1] for tool in ("why", "evidence", "secrets"))
    assert "ada@example.com" not in said
    assert seller.stack.secret.stripe_api_key not in said


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [("why", {"who": ORDER}), ("why", {}), ("audit", {"days": 0}), ("audit", {"days": 9_999}), ("end", {"who": ORDER})],
)
def test_what_makes_no_sense_is_an_error_of_the_tool(
    call: Call, seller: Seller, tool: str, arguments: dict[str, Any]
) -> None:
    failed, said = call(tool, **arguments)
    assert (failed, bool(said)) == (True, True)


def test_it_speaks_on_standard_output_and_says_there_nothing_else() -> None:
    words = ["-m", "operate", "mcp", "--stack", "mine", "--endpoint-url", "nowhere"]
    path = f"{ROOT}:{ROOT / 'layers/paidshare/python'}"
    there = StdioServerParameters(
        command=sys.executable, args=words, env={"PYTHONPATH": path, "AWS_REGION": "eu-west-1"}, cwd=ROOT
    )

    async def asked() -> Any:
        async with Client(there) as client:
            return await client.call_tool("status", {})

    result = asyncio.run(asked())
    assert result.is_error
    assert "nowhere" in json.dumps([part.text for part in result.content])
