"""
`make mutation`: mutmut on the pure modules, where every line decides something, against their own tests.

mutmut wants a project of its own form (`src/`), so one is put together in a temporary folder. Ends with 0 when at least
nine of ten mutants are killed.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_LEAST = 0.9

PURE = (
    "delivering/catalog.py",
    "delivering/entitlement.py",
    "delivering/plan.py",
    "delivering/refunds.py",
    "grants.py",
    "progress.py",
    "retries.py",
    "sweeping/rounds.py",
)
_TESTS = (
    "catalog",
    "delivering",
    "delivering_doubt",
    "delivering_lines",
    "delivering_trouble",
    "delivering_wishes",
    "entitlement",
    "grants",
    "money_kept",
    "progress",
    "refunds",
    "retries",
    "rounds",
    "sweeping",
)
_BESIDE = ("tests", "local", "operate", "functions", "events", "template.yaml", "samconfig.toml")

_CONFIGURATION = """
[tool.pytest.ini_options]
pythonpath = [".", "src"]
addopts = ["--import-mode=importlib", "-p", "no:cacheprovider"]
timeout = 60

[tool.mutmut]
source_paths = {modules}
pytest_add_cli_args_test_selection = ["tests/unit"]
also_copy = {beside}
"""
# The tests run inside one process that forks for each mutant: Hypothesis would find its own time and thread odd.
_CALM = """
from hypothesis import HealthCheck
_EVERYTHING = list(HealthCheck)
settings.register_profile("calm", deadline=None, derandomize=True, database=None, suppress_health_check=_EVERYTHING)
settings.load_profile("calm")
"""
_RESULT = re.compile(r"^\s*paidshare\.(?P<module>[\w.]+)\.x\S*__mutmut_\d+: (?P<what>.+)$", re.MULTILINE)


def main() -> int:
    """The table, a line a module."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        _put_together(project)
        mutmut = Path(sys.executable).with_name("mutmut")
        subprocess.run([mutmut, "run"], cwd=project, stdout=subprocess.DEVNULL, check=True)
        told = subprocess.run(
            [mutmut, "results", "--all", "true"], cwd=project, capture_output=True, text=True, check=True
        )
    return _shown(told.stdout)


def _put_together(project: Path) -> None:
    shutil.copytree(_ROOT / "layers/paidshare/python/paidshare", project / "src/paidshare")
    for name in _BESIDE:
        source = _ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, project / name)
    kept = {"__init__.py", "conftest.py", *(f"test_{name}.py" for name in _TESTS)}
    for path in (project / "tests/unit").iterdir():
        if path.name not in kept:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    conftest = project / "tests/conftest.py"
    conftest.write_text(conftest.read_text() + _CALM)
    modules = [f"src/paidshare/{name}" for name in PURE]
    (project / "pyproject.toml").write_text(_CONFIGURATION.format(modules=modules, beside=["src", *_BESIDE]))


def _shown(results: str) -> int:
    killed, all_of, survivors = Counter[str](), Counter[str](), list[str]()
    for found in _RESULT.finditer(results):
        module = found["module"]
        all_of[module] += 1
        if found["what"] in ("killed", "timeout"):
            killed[module] += 1
        else:
            survivors.append(found[0].strip())
    print(*survivors, sep="\n")
    for module, number in sorted(all_of.items()):
        print(f"{module:<28} {killed[module]:>5} of {number:>5} killed  {killed[module] / number:>6.1%}")
    print(f"{'all':<28} {killed.total():>5} of {all_of.total():>5} killed  {killed.total() / all_of.total():>6.1%}")
    return int(killed.total() < _LEAST * all_of.total())


if __name__ == "__main__":
    sys.exit(main())
