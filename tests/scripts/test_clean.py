"""`make clean`: nothing is taken from under what runs."""

import fcntl
from pathlib import Path

import pytest

from scripts import clean


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    """What was built, and what ran."""
    for name in (".local/demo", ".aws-sam"):
        (tmp_path / name).mkdir(parents=True)
    for lock in (".local/lock", ".local/demo/lock", ".aws-sam/build.lock"):
        (tmp_path / lock).write_text("")
    return [str(tmp_path / ".local"), str(tmp_path / ".aws-sam"), str(tmp_path / ".never-made")]


def test_what_has_ended_is_removed(folders: list[str]) -> None:
    assert clean.main(folders) == 0
    assert not any(Path(folder).exists() for folder in folders)


@pytest.mark.parametrize("lock", [".local/lock", ".local/demo/lock", ".aws-sam/build.lock"])
def test_what_runs_is_left_alone_with_all_the_rest_and_is_named(
    folders: list[str], tmp_path: Path, lock: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with (tmp_path / lock).open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        held.write("1234")
        held.flush()

        assert clean.main(folders) == 1

    said = capsys.readouterr().err
    assert f"{(tmp_path / lock).parent} is in use (process 1234)" in said
    assert all(Path(folder).exists() for folder in folders[:2])
