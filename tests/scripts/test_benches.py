"""
`make bench` in short: every bench runs to its end on the sources as they are, and prints its rows.

With one round of each and few of everything: what it measures is the machine's business, and `make bench`'s.
"""

import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts import aws_stand_in, bench_deliver, bench_letters, bench_receive, bench_signatures, measuring

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

    def packages_without_bytecode(self) -> Path:
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
    "signatures": (bench_signatures.main, {"ROUNDS": 1, "CALLS": 2, "IMPORTS": 1}),
}
TITLES = {
    "letters": ["letters; Babel is", "the first in another language"],
    "deliver": ["a batch of 10 orders", "calls for an order", "ever more files", "is that linear?"],
    "receive": ["Receive, cold", "Receive, warm", "Receive: AWS calls"],
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
        "receive": bench_receive,
        "signatures": bench_signatures,
    }[name]
    for constant, value in fewer.items():
        monkeypatch.setattr(module, constant, value)

    @contextmanager
    def built() -> Iterator[Sources]:
        yield Sources(tmp_path)

    monkeypatch.setattr(measuring, "built", built)
    main()
    printed = capsys.readouterr().out
    assert [title for title in TITLES[name] if title not in printed] == []


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
