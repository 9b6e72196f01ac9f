"""The soak's own tools: dice that fall as often as they should, kills that hit workers alone, an account that sees."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.aws.letters import Letter
from local.aws.ministack import Aws
from local.hosting.serving import serving
from local.hosting.standin import Fault
from local.settings import STACK_NAME
from local.soak.account import Bought, Seen, account
from local.soak.trouble import SEND_LETTER, Hastened, Killer, fastio_faults, ses_faults, stripe_faults
from operate.audit import Audit, Line

CALLS = 4_000


def struck(rules: list[dict[str, Any]], method: str, path: str) -> list[Fault]:
    """*rules* after many calls of *path*, asked one after the other as a stand-in does."""
    faults = [Fault.read(rule) for rule in rules]
    for _ in range(CALLS):
        next((fault for fault in faults if fault.strikes(method, path)), None)
    return faults


class TestFaults:
    @pytest.mark.parametrize(
        ("rules", "method", "path"),
        [
            (stripe_faults, "GET", "/v1/checkout/sessions/cs_1"),
            (fastio_faults, "POST", "/workspace/w/create/share/"),
            (ses_faults, *SEND_LETTER.split(" ")),
        ],
    )
    def test_a_fifth_of_the_calls_fails_and_a_twentieth_loses_its_answer(
        self, rules: Any, method: str, path: str
    ) -> None:
        faults = struck(rules(chance=0.2, lost=0.05, seed=1), method, path)
        failed, lost = (sum(fault.fired for fault in faults if fault.after is after) for after in (False, True))
        assert failed == pytest.approx(CALLS * 0.2, rel=0.1)
        assert lost == pytest.approx(CALLS * 0.05, rel=0.2)

    def test_every_way_to_fail_comes_as_often_as_the_others(self) -> None:
        *ways, _lost = struck(stripe_faults(chance=0.3, lost=0.0, seed=1), "GET", "/v1/disputes")
        assert {fault.status for fault in ways} == {503, 429, 0}
        assert [fault.fired for fault in ways] == pytest.approx([CALLS * 0.1] * 3, rel=0.15)

    def test_a_calm_ses_leaves_no_letter_in_doubt(self) -> None:
        faults = struck(ses_faults(chance=0.2, lost=0.0, seed=1), *SEND_LETTER.split(" "))
        assert {fault.status for fault in faults if fault.fired} == {429}


class Queue:
    """SQS as the soak uses it: notes how long which message is put off."""

    def __init__(self) -> None:
        self.sqs = self
        self.exceptions = self
        self.put_off: list[tuple[str, int]] = []

    class ReceiptHandleIsInvalid(Exception):  # Botocore’s name.
        pass

    def change_message_visibility(self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> None:  # noqa: N803
        if ReceiptHandle == "gone":
            raise self.ReceiptHandleIsInvalid
        self.put_off.append((ReceiptHandle, VisibilityTimeout))


class TestHaste:
    @pytest.mark.parametrize(
        ("handle", "wish", "status", "cut"),
        [("h", 900, 200, [("h", 6)]), ("h", 2, 200, []), ("h", 900, 403, []), ("gone", 900, 200, [])],
        ids=["long", "short already", "refused by AWS", "another worker’s by now"],
    )
    def test_a_wait_is_cut_short_once_aws_has_granted_it(
        self, handle: str, wish: int, status: int, cut: list[tuple[str, int]]
    ) -> None:
        queue = Queue()

        asked = {"QueueUrl": "q", "ReceiptHandle": handle, "VisibilityTimeout": wish}
        assert self.answered(queue, "ChangeMessageVisibility", asked, status) == status
        assert queue.put_off == cut

    def test_messages_that_are_hidden_together_wait_as_long_as_one_in_hand(self) -> None:
        queue = Queue()
        entries = [{"Id": h, "ReceiptHandle": h, "VisibilityTimeout": s} for h, s in (("a", 90), ("b", 900), ("c", 9))]
        self.answered(queue, "ChangeMessageVisibilityBatch", {"QueueUrl": "q", "Entries": entries}, 200)
        assert queue.put_off == [("a", 15), ("b", 15)]

    def answered(self, queue: Queue, operation: str, asked: dict[str, Any], status: int) -> int:
        """What the application hears when AWS answers *status*."""

        async def aws(request: Request) -> Response:
            assert await request.json() == asked
            return Response(status_code=status)

        way = Starlette(routes=[Route("/", aws, methods=["POST"])])
        with serving(Hastened(way, cast("Aws", queue), longest_s=6, in_hand_s=15)) as url:
            return httpx.post(url, json=asked, headers={"x-amz-target": f"AmazonSQS.{operation}"}).status_code


class TestKiller:
    @pytest.fixture
    def home(self, tmp_path: Path) -> Path:
        for folder in (f"ministack-lambda-{STACK_NAME}-Deliver-F7AE-x_1", "something-else"):
            (tmp_path / "tmp" / folder).mkdir(parents=True)
            (tmp_path / "tmp" / folder / "_worker.py").write_text("import time\ntime.sleep(60)\n")
        return tmp_path

    @pytest.fixture
    def processes(self, home: Path) -> Iterator["dict[str, subprocess.Popen[bytes]]"]:
        started = {
            script.parent.name: subprocess.Popen([sys.executable, str(script)])
            for script in (home / "tmp").glob("*/_worker.py")
        }
        yield started
        for process in started.values():
            process.kill()
            process.wait()

    def test_it_kills_a_worker_that_is_grown_and_nothing_else(
        self, home: Path, processes: "dict[str, subprocess.Popen[bytes]]"
    ) -> None:
        killer = Killer(home, seed=1, grown_s=5)
        worker, other = processes[f"ministack-lambda-{STACK_NAME}-Deliver-F7AE-x_1"], processes["something-else"]

        killer.strike(now=100)
        killer.strike(now=104)
        assert (worker.poll(), killer.kills.total()) == (None, 0)
        killer.strike(now=105)

        assert worker.wait(5) == -9
        assert (other.poll(), killer.kills) == (None, {"Deliver": 1})

    def test_a_system_elsewhere_is_left_alone(
        self, tmp_path_factory: pytest.TempPathFactory, processes: "dict[str, subprocess.Popen[bytes]]"
    ) -> None:
        killer = Killer(tmp_path_factory.mktemp("elsewhere"), seed=1, grown_s=0)
        killer.strike(now=100)
        assert {process.poll() for process in processes.values()} == {None}


def letter(subject: str, *, at: float) -> Letter:
    return Letter(f"m-{subject}-{at}", ("ada@example.com",), "shop@example.com", subject, "", "", at)


BOUGHT = Bought("cs_1", "cs_1", "ada@example.com", frozenset({"a.pdf"}), paid_at=100.0, refunded=False)
PAID_BACK = replace(BOUGHT, refunded=True)
SHARE = {"standing": "open", "files": [{"name": "a.pdf", "size": 1}]}
LINK, END = letter("Your files", at=103), letter("No more access", at=200)
ALL_WELL = Seen(
    rows={"cs_1": {"order_id": "cs_1", "state": "delivered"}},
    shares={"cs_1": [SHARE]},
    letters={"ada@example.com": [LINK]},
    queued=0,
    dead=0,
)


def twice_in_the_logs() -> Audit:
    audit = Audit()
    for event in ("evt_1", "evt_2"):
        audit.see(Line(0.0, "order_looked_at", {"order_id": "cs_1", "event_id": event, "step": "deliver"}))
    return audit


class TestAccount:
    def test_one_share_and_one_letter_are_all_well(self) -> None:
        found = account([BOUGHT], ALL_WELL)
        assert found.troubles == []
        assert (found.figures["shares"], found.figures["paid to letter, median"]) == ("1", "3.0 s")

    def test_an_order_that_is_paid_back_has_two_letters_and_a_shut_share(self) -> None:
        seen = Seen(
            rows={"cs_1": {"order_id": "cs_1", "state": "access_ended"}},
            shares={"cs_1": [SHARE | {"standing": "archived"}]},
            letters={"ada@example.com": [LINK, END]},
            queued=0,
            dead=0,
        )
        assert account([PAID_BACK], seen).troubles == []
        assert len(account([PAID_BACK], ALL_WELL).troubles) == 3

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            ({"rows": {}}, "the ledger has it not at all"),
            ({"rows": {"cs_1": {"state": "on_hold", "reason": "file_missing"}}}, "on_hold, reason file_missing"),
            ({"rows": {"cs_1": {"state": "delivered", "lease_holder": "w"}}}, "the ledger has it delivered"),
            ({"rows": {"cs_1": {"state": "delivered", "mailing": "delivery"}}}, "mailing delivery"),
            ({"shares": {}}, "0 shares"),
            ({"shares": {"cs_1": [SHARE, SHARE]}}, "2 shares"),
            ({"shares": {"cs_1": [SHARE | {"files": []}]}}, "its share holds []"),
            ({"shares": {"cs_1": [SHARE | {"standing": "archived"}]}}, "its share is archived"),
            ({"shares": {"cs_1": [SHARE], "cs_9": [SHARE]}}, "cs_9: a share of no order"),
            ({"letters": {}}, "letters of 0 kinds"),
            ({"letters": {"ada@example.com": [LINK, LINK]}}, "2 times the letter “Your files”"),
            ({"letters": {"ada@example.com": [LINK, END]}}, "letters of 2 kinds"),
            ({"queued": 3}, "3 messages are left"),
            ({"dead": 1}, "1 dead letters"),
            (
                {"audit": twice_in_the_logs()},
                "cs_1: its link was mailed twice (one_letter_of_each_change, in the logs)",
            ),
        ],
    )
    def test_whatever_is_not_as_it_should_be_is_told(self, change: dict[str, Any], told: str) -> None:
        [trouble] = account([BOUGHT], replace(ALL_WELL, **change)).troubles
        assert told in trouble
