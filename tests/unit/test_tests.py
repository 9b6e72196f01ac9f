"""What makes a test fail on a busy machine is looked for here, and not waited for."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
FILES = sorted(TESTS.rglob("*.py"))

# Whatever these give is of the moment at which they are called; a signature is stale after five minutes.
MOMENTS = {"now", "time", "monotonic", "today", "signed", "sign_stripe", "sign_fastio_pair", "sign_fastio_standard"}


def called_at_collection(tree: ast.Module) -> Iterator[ast.Call]:
    """The calls that are made when the file is imported: at its top, in decorators, defaults and classes."""

    def outside(node: ast.AST) -> Iterator[ast.AST]:
        yield node
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Lambda):
                continue
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                for part in (*child.decorator_list, *child.args.defaults, *filter(None, child.args.kw_defaults)):
                    yield from outside(part)
            else:
                yield from outside(child)

    return (node for node in outside(tree) if isinstance(node, ast.Call))


def name_of(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(TESTS)))
def test_no_moment_is_taken_before_a_test_begins(file: Path) -> None:
    taken = [call for call in called_at_collection(ast.parse(file.read_text())) if name_of(call) in MOMENTS]
    # Known answers are signed at a moment that they name.
    early = [call.lineno for call in taken if name_of(call) not in {"sign_stripe", "sign_fastio_pair"} or not call.args]
    assert early == []


def test_such_a_moment_would_be_seen() -> None:
    late = "def test(event=signed()):\n    signed()\n"
    lazy = "CASES = [lambda: signed()]\n"
    early = "@pytest.mark.parametrize('event', [signed()])\ndef test(event): ...\n"
    assert [len(list(called_at_collection(ast.parse(text)))) for text in (late, lazy)] == [1, 0]
    assert "signed" in [name_of(call) for call in called_at_collection(ast.parse(early))]
