"""Faults that strike by chance, as a soak wants them; what counted faults look like is in test_stripe_server.py."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.hosting.serving import serving
from local.hosting.standin import Fault, StandIn

CALLS = 400


class Counter:
    """An application that counts the calls which reached it."""

    def __init__(self) -> None:
        self.calls = 0

    async def answer(self, _request: Request) -> Response:
        self.calls += 1
        return JSONResponse({"calls": self.calls})


def dice(**rule: Any) -> list[bool]:
    """Which of many calls the rule strikes."""
    fault = Fault.read({"match": "GET /a", "times": None, **rule})
    return [fault.strikes("GET", "/a") for _ in range(CALLS)]


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
def stand_in(counter: Counter) -> Iterator[httpx.Client]:
    app = Starlette(routes=[Route("/{path:path}", counter.answer)])
    with serving(StandIn(app, reset=lambda: None)) as url, httpx.Client(base_url=url, trust_env=False) as http:
        yield http


class TestChance:
    def test_a_chance_of_a_fifth_strikes_a_fifth_of_the_calls(self) -> None:
        assert sum(dice(chance=0.2, seed=1)) == pytest.approx(CALLS / 5, rel=0.3)

    def test_the_same_seed_strikes_the_same_calls_and_another_one_others(self) -> None:
        assert dice(chance=0.2, seed=1) == dice(chance=0.2, seed=1) != dice(chance=0.2, seed=2)

    def test_without_a_chance_every_call_is_struck(self) -> None:
        assert all(dice())

    def test_a_call_of_another_path_throws_no_dice(self) -> None:
        one, other = (Fault.read({"match": "GET /a", "times": None, "chance": 0.5}) for _ in range(2))
        struck = []
        for _ in range(CALLS):
            assert not other.strikes("GET", "/b")
            struck.append(one.strikes("GET", "/a") == other.strikes("GET", "/a"))
        assert all(struck)

    @pytest.mark.parametrize("wrong", [{"chance": 1.5}, {"chance": "often"}, {"seed": "s"}, {"fired": 3}])
    def test_a_rule_that_makes_no_sense_is_refused(self, stand_in: httpx.Client, wrong: dict[str, Any]) -> None:
        assert stand_in.post("/_faults", json={"match": "GET /a", **wrong}).status_code == 400


class TestTimes:
    def test_a_rule_without_end_strikes_until_the_reset(self, stand_in: httpx.Client) -> None:
        stand_in.post("/_faults", json={"match": "* /**", "status": 503, "times": None})
        before = [stand_in.get("/deep/er").status_code for _ in range(5)]
        stand_in.post("/_reset")
        assert (before, stand_in.get("/deep/er").status_code) == ([503] * 5, 200)

    def test_one_star_stops_at_a_slash_and_two_do_not(self) -> None:
        one, two = (Fault.read({"match": f"GET /a/{star}", "times": None}) for star in ("*", "**"))
        assert [(rule.strikes("GET", "/a/b"), rule.strikes("GET", "/a/b/c")) for rule in (one, two)] == [
            (True, False),
            (True, True),
        ]

    def test_the_rules_tell_how_often_they_fired(self, stand_in: httpx.Client, counter: Counter) -> None:
        lost = {"match": "GET /a", "status": 500, "after": True, "times": 2}
        stand_in.post("/_faults", json=[{"match": "POST /a"}, lost])
        statuses = [stand_in.get("/a").status_code for _ in range(3)]
        told = stand_in.get("/_faults").json()["faults"]
        assert (statuses, counter.calls) == ([500, 500, 200], 3)
        assert [(rule["match"], rule["fired"]) for rule in told] == [("POST /a", 0), ("GET /a", 2)]
