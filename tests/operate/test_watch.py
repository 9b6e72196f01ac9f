"""`watch`: each look is shown when it is made, what changed is told, and a look that fails ends nothing."""

import json

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from operate.live import watching
from operate.status import status
from paidshare.delivering.errors import MetadataBroken
from tests.cloud import Cloud
from tests.operate.test_schemas import held
from tests.operate.world import Run, bury


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waits: list[float] = []
    monkeypatch.setattr(watching, "sleep", waits.append)
    monkeypatch.setattr(watching, "monotonic", lambda: sum(waits))
    return waits


def test_once_is_one_look_and_exits_as_status_does(aws: Cloud, run: Run, slept: list[float]) -> None:
    bury(aws, MetadataBroken("x"))
    ran = run("watch", "--once", "--json")
    assert (ran.code, slept) == (1, [])
    assert held("status", ran.out)["dead"]["seller"] == 1


def test_it_looks_every_few_seconds_for_so_long(run: Run, slept: list[float]) -> None:
    ran = run("watch", "--every", "3", "--for", "10", "--json")
    assert (slept, len(json.loads("[" + ran.out.replace("}\n{", "},{") + "]"))) == ([3, 3, 3], 4)


def test_what_changed_is_told(aws: Cloud, run: Run, monkeypatch: pytest.MonkeyPatch, slept: list[float]) -> None:
    def sleep(seconds: float) -> None:
        slept.append(seconds)
        bury(aws, MetadataBroken("x"))

    monkeypatch.setattr(watching, "sleep", sleep)
    ran = run("watch", "--for", "5")
    assert "dead: 0 → 1" in ran.out
    assert ran.code == 1


def test_ctrl_c_ends_it_as_the_last_look_was(
    aws: Cloud, run: Run, monkeypatch: pytest.MonkeyPatch, slept: list[float]
) -> None:
    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    bury(aws, MetadataBroken("x"))
    monkeypatch.setattr(watching, "sleep", interrupted)
    assert run("watch").code == 1


def test_a_look_that_fails_is_told_and_the_next_one_is_made(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([None, EndpointConnectionError(endpoint_url="x"), None])

    def asked(to: object) -> object:
        if error := next(answers):
            raise error
        return status(to)  # type: ignore[arg-type]

    monkeypatch.setattr(watching, "status", asked)
    ran = run("watch", "--for", "10")
    assert ran.err.count("? not known at") == 1
    assert ran.out.count("All is well.") + ran.out.count("The sweep") == 2


def test_who_may_not_look_at_all_is_told_at_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_to: object) -> object:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetItem")

    monkeypatch.setattr(watching, "status", refused)
    assert run("watch").code == 3
