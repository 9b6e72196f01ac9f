"""When `sam build` has work to do: exactly when something that it reads has changed."""

import os
from pathlib import Path

import pytest

from local.aws import deploying


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project."""
    (tmp_path / "functions" / "receive").mkdir(parents=True)
    (tmp_path / "layers").mkdir()
    (tmp_path / "template.yaml").write_text("Resources: {}\n")
    (tmp_path / "functions" / "receive" / "handler.py").write_text("one\n")
    monkeypatch.setattr(deploying, "ROOT", tmp_path)
    return tmp_path


def test_touching_a_file_changes_nothing(root: Path) -> None:
    before = deploying.fingerprint()

    os.utime(root / "template.yaml")

    assert deploying.fingerprint() == before


@pytest.mark.parametrize("path", ["template.yaml", "functions/receive/handler.py", "layers/new.py", "samconfig.toml"])
def test_changing_or_adding_a_file_counts(root: Path, path: str) -> None:
    before = deploying.fingerprint()

    (root / path).write_text("two\n")

    assert deploying.fingerprint() != before


def test_removing_a_file_counts(root: Path) -> None:
    before = deploying.fingerprint()

    (root / "functions" / "receive" / "handler.py").unlink()

    assert deploying.fingerprint() != before


def test_moving_a_file_counts(root: Path) -> None:
    before = deploying.fingerprint()

    (root / "functions" / "receive").rename(root / "functions" / "deliver")

    assert deploying.fingerprint() != before


def test_bytecode_of_a_test_run_does_not_count(root: Path) -> None:
    before = deploying.fingerprint()

    (root / "functions" / "receive" / "__pycache__").mkdir()
    (root / "functions" / "receive" / "__pycache__" / "handler.pyc").write_bytes(b"x")

    assert deploying.fingerprint() == before
