"""
`make bench` in short: every bench runs to its end on the sources as they are, and prints its rows.

With one round of each and few of everything: what it measures is the machine's business, and `make bench`'s.
"""

import ast
import re
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scripts import (
    aws_stand_in,
    bench,
    bench_deliver,
    bench_letters,
    bench_memory,
    bench_receive,
    bench_signatures,
    measuring,
)

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Sources:
    """As `measuring.Built`, without a build."""

    home: Path

    def function(self, name: str) -> Path:
        folder = self.home / name
        if not folder.exists():
            folder.mkdir()
            (folder / "handler.py").symlink_to(ROOT / "functions" / name.lower() / "handler.py")
            (folder / "paidshare").symlink_to(ROOT / "layers" / "paidshare" / "python" / "paidshare")
        return folder

    @property
    def packages(self) -> Path:
        return Path(sysconfig.get_path("purelib"))

    def plain_packages(self, *, compiled: bool) -> Path:
        return self.packages

    def measured(self, name: str) -> Path:
        return measuring.Built(self.home).measured(name)


SHORT: dict[str, tuple[Callable[[], None], dict[str, object]]] = {
    "deliver": (
        bench_deliver.main,
        {"BATCH_ROUNDS": 1, "GROWTH_ROUNDS": 1, "PROVIDER_S": 0.01, "QUICK_PROVIDER_S": 0, "FEW_TO_MANY": (1, 2, 4)},
    ),
    "letters": (bench_letters.main, {"ROUNDS": 1}),
    "receive": (bench_receive.main, {"COLD_ROUNDS": 1, "WARM_ROUNDS": 1, "EVENTS_A_ROUND": 2, "REPEATS": 2}),
    "memory": (bench_memory.main, {"ROUNDS": 1}),
    "signatures": (bench_signatures.main, {"ROUNDS": 1, "CALLS": 2, "IMPORTS": 1}),
}
TITLES = {
    "deliver": [
        "Deliver: a batch of 10 orders",
        "Deliver: calls for an order",
        "Deliver: one order of ever more files",
        "Deliver: is that linear?",
    ],
    "letters": ["Letters: the buyer's language", "the first in another language"],
    "memory": ["Memory: each function imported"],
    "receive": [
        "Receive, cold, plain",
        "Receive, cold, TLS",
        "Receive, cold: the most memory",
        "Receive, warm, plain",
        "Receive, warm, TLS",
        "Receive: AWS calls",
    ],
    "signatures": ["one event of", "import in a fresh interpreter"],
}


def test_every_bench_has_a_short_form() -> None:
    assert {path.stem.removeprefix("bench_") for path in (ROOT / "scripts").glob("bench_*.py")} == set(SHORT)


@pytest.mark.parametrize("name", SHORT)
def test_a_bench_runs_to_its_end_and_prints_its_rows(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    main, fewer = SHORT[name]
    module = {
        "deliver": bench_deliver,
        "letters": bench_letters,
        "memory": bench_memory,
        "receive": bench_receive,
        "signatures": bench_signatures,
    }[name]
    for constant, value in fewer.items():
        monkeypatch.setattr(module, constant, value)

    @contextmanager
    def built() -> Iterator[Sources]:
        yield Sources(tmp_path)

    monkeypatch.setattr(measuring, "built", built)
    monkeypatch.setattr(measuring, "interleaved", once)
    monkeypatch.setattr(measuring, "node_peer", lambda: None)  # Installs it from npm.
    main()
    printed = capsys.readouterr().out
    assert [title for title in TITLES[name] if title not in printed] == []


def once[T](variants: Mapping[str, Callable[[], T]], *, rounds: int) -> dict[str, list[T]]:
    """Without the round that is not counted, and one of the others."""
    assert rounds
    return {name: [measure()] for name, measure in variants.items()}


PRINTED = """== bench
Python 3.13.0, x86_64, 2 cores

Receive, warm: 300 new events

| what | ours |
|---|---|
| CPU | 1 ms |
"""
TODAY = datetime(2026, 12, 1, tzinfo=UTC)


def test_a_table_is_written_where_the_page_names_it_and_the_rest_stays() -> None:
    page = "Before.\n\n<!-- make bench: Receive, warm -->\n| old |\n|---|\n| 2 ms |\n\nAfter.\n"
    table = "| what | ours |\n|---|---|\n| CPU | 1 ms |\n"
    written = bench.filled(page, PRINTED, today=TODAY)
    assert written == f"Before.\n\n<!-- make bench: Receive, warm -->\n{table}\nAfter.\n"
    assert bench.filled(written, PRINTED, today=TODAY) == written


def test_the_day_and_the_machine_are_said() -> None:
    page = bench.filled("<!-- make bench: machine -->\nOld.\n", PRINTED, today=TODAY)
    assert page.endswith("\nMeasured on 1 December 2026 with Python 3.13.0, x86_64, 2 cores.\n")


def test_a_table_that_nobody_prints_is_no_page() -> None:
    with pytest.raises(KeyError, match="Deliver, never"):
        bench.filled("<!-- make bench: Deliver, never -->\n", PRINTED, today=TODAY)


def test_every_table_of_the_page_is_one_that_is_printed() -> None:
    wanted = re.findall("<!-- make bench: (.+?) -->", bench.NUMBERS.read_text())
    known = ["machine", *(title for titles in TITLES.values() for title in titles)]
    assert [title for title in wanted if not any(title in one or one in title for one in known)] == []
    assert {title for _, titles in plots() for title in titles} <= set(wanted)


def plots() -> list[tuple[str, list[str]]]:
    """What scripts/plots.py draws; its imports are another environment's."""
    tree = ast.parse((ROOT / "scripts" / "plots.py").read_text())
    [found] = [one.value for one in tree.body if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == "PLOTS"]
    return list(ast.literal_eval(found).values())


@pytest.mark.parametrize(
    "expression", ["DELETE a :a", "SET a = a + :b", "SET a = list_append(a, :b)", "ADD a", "REMOVE a[0]", "a = :a"]
)
def test_what_aws_would_do_otherwise_is_not_measured(expression: str) -> None:
    asked = {
        "TableName": "orders",
        "Key": {"order_id": {"S": "cs_1"}},
        "UpdateExpression": expression,
        "ExpressionAttributeValues": {":a": {"N": "1"}, ":b": {"N": "2"}},
    }
    with pytest.raises(ValueError, match="that is known here"):
        aws_stand_in._updated({}, asked)


def test_an_item_is_what_its_expressions_made_of_it() -> None:
    items: dict[str, aws_stand_in.Json] = {}
    asked = {
        "TableName": "orders",
        "Key": {"order_id": {"S": "cs_1"}},
        "UpdateExpression": "SET a = :a, #b = if_not_exists(#b, :b) ADD claims :one",
        "ExpressionAttributeNames": {"#b": "state"},
        "ExpressionAttributeValues": {":a": {"S": "x"}, ":b": {"S": "new"}, ":one": {"N": "1"}},
    }
    for _ in range(2):
        item = aws_stand_in._updated(items, asked)
    assert item == {"order_id": {"S": "cs_1"}, "a": {"S": "x"}, "state": {"S": "new"}, "claims": {"N": "2"}}
    gone = asked | {"UpdateExpression": "SET a = :b REMOVE #b, claims"}
    assert aws_stand_in._updated(items, gone) == {"order_id": {"S": "cs_1"}, "a": {"S": "new"}}
