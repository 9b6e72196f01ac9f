"""The pictures of docs/cli: both streams as a terminal shows them; each is shown, and fetches nothing."""

import re
import sys
from pathlib import Path

import pytest

from scripts import record

ROOT = Path(__file__).parents[2]
PICTURES = sorted((ROOT / "docs" / "cli").glob("*.svg"))


def test_a_command_s_words_on_both_streams_are_in_its_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        "import sys; print('found', sys.stdin.read()); print('\\033[31msaid <&>\\033[0m', file=sys.stderr, flush=True)"
    )
    said = record.printed([sys.executable, "-c", script], "given")
    assert {"found given", "\033[31msaid <&>\033[0m"} == {*said.replace("\r", "").splitlines()}
    monkeypatch.setattr(record, "printed", lambda _command, _given: said)
    record.picture(tmp_path / "one.svg", "a title", "one")
    picture = (tmp_path / "one.svg").read_text()
    assert "a&#160;title" in picture
    assert "found&#160;given" in picture
    assert "said&#160;&lt;&amp;&gt;" in picture
    assert "@font-face" not in picture


def test_every_picture_is_shown_and_fetches_nothing() -> None:
    pages = (ROOT / "README.md").read_text() + (ROOT / "docs" / "cli" / "README.md").read_text()
    assert {path.name for path in PICTURES} == set(re.findall(r"\]\((?:docs/cli/)?(\w+\.svg)\)", pages))
    for path in PICTURES:
        assert not re.search(r"url\((?!#)|href=", path.read_text())
