"""Each room of the code knows what it may (pyproject.toml, `tool.importlinter`), and stays small enough to be read."""

import ast
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "layers/paidshare/python/paidshare"


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """What import-linter says of the code in *root*, and not of ours."""
    command = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command(sys.argv[1:])"
    path = f"{root}:{root / 'layers/paidshare/python'}"
    return subprocess.run(
        [sys.executable, "-c", command, "--no-cache"],
        cwd=root,
        env={"PYTHONPATH": path, "PATH": "", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("rooms")
    shutil.copy(ROOT / "pyproject.toml", made)
    for folder in ("layers/paidshare/python", "operate", "functions"):
        shutil.copytree(ROOT / folder, made / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return made


def test_no_room_imports_what_it_must_not(copy: Path) -> None:
    done = lint(copy)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "planted", "contract"),
    [
        (f"{PACKAGE}/receiving/receive.py", "from paidshare.aws import SqsIntake", "A use case asks for what it needs"),
        (f"{PACKAGE}/delivering/plan.py", "import stripe", "A use case asks for what it needs"),
        (f"{PACKAGE}/sweeping/rounds.py", "from paidshare.delivering import catalog", "No use case knows another"),
        (f"{PACKAGE}/aws/vault.py", "from paidshare.shares_fastio import FastioShares", "No provider knows another"),
        (f"{PACKAGE}/orders.py", "from paidshare.delivering import catalog", "What all share knows none"),
        (
            "operate/orders/ledger.py",
            "from paidshare.aws.rows import read",
            "A provider is spoken to through its package",
        ),
        (
            "functions/sweep/handler.py",
            "from functions.receive import handler as other",
            "A function plugs parts together",
        ),
    ],
)
def test_a_planted_import_breaks_its_contract(copy: Path, module: str, planted: str, contract: str) -> None:
    file = copy / module
    before = file.read_text()
    try:
        file.write_text(f"{before}\n{planted}\n")
        done = lint(copy)
    finally:
        file.write_text(before)
    assert done.returncode == 1
    [broken] = [line for line in done.stdout.splitlines() if line.startswith(contract)][:1]
    assert broken.rstrip().endswith("BROKEN")


CODE = [
    file
    for folder in ("layers/paidshare/python", "functions", "operate", "local")
    for file in (ROOT / folder).rglob("*.py")
]


@pytest.mark.parametrize("file", CODE, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_module_is_read_in_one_sitting(file: Path) -> None:
    text = file.read_text()
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert len(text.splitlines()) <= 250
    assert [one.name for one in functions if (one.end_lineno or 0) - one.lineno >= 40] == []


def test_no_room_is_so_full_that_it_would_have_to_be_searched() -> None:
    assert {str(folder): count for folder, count in Counter(file.parent for file in CODE).items() if count > 15} == {}
