"""The inbox shows what was sent, as it was sent, and nothing in a letter does anything."""

import contextlib
from collections.abc import Callable, Iterator

import httpx
import pytest

from local.aws.letters import Letter
from local.hosting.serving import serving
from local.inbox import inbox_app

ADA = Letter(
    id="m-1",
    to=("ada@example.com",),
    sender="shop@example.com",
    subject="Your download: <b>Birds</b>",
    text="Your download is ready:\n\n    https://go.fast.io/shared/x",
    html='<!doctype html><p>Your <a href="https://go.fast.io/shared/x">download</a></p>',
    at=1_800_000_000.25,
)
BEN = Letter("m-2", ("ben@example.com", "b2@example.com"), "shop@example.com", "Second", "text only", "", ADA.at + 60)


type Browser = Callable[..., httpx.Client]


@pytest.fixture
def browser() -> Iterator[Browser]:
    """Opens an inbox that has these letters."""
    with contextlib.ExitStack() as opened:

        def opens(*letters: Letter) -> httpx.Client:
            return opened.enter_context(a_browser(lambda: list(letters)))

        yield opens


@contextlib.contextmanager
def a_browser(letters: Callable[[], list[Letter]]) -> Iterator[httpx.Client]:
    with serving(inbox_app(letters)) as url, httpx.Client(base_url=url, trust_env=False) as client:
        yield client


class TestPage:
    def test_the_newest_letter_is_open_and_first(self, browser: Browser) -> None:
        page = browser(ADA, BEN).get("/").text

        assert page.index("Second") < page.index("Your download")
        assert "<pre>text only</pre>" in page

    def test_it_says_to_whom_and_when(self, browser: Browser) -> None:
        page = browser(ADA).get("/").text

        assert "ada@example.com" in page
        assert "2027-01-15 08:00:00 UTC" in page

    def test_another_letter_can_be_opened(self, browser: Browser) -> None:
        page = browser(ADA, BEN).get("/letters/m-1").text

        assert "https://go.fast.io/shared/x" in page
        assert 'src="/letters/m-1/html"' in page

    def test_a_letters_words_are_no_markup(self, browser: Browser) -> None:
        page = browser(ADA).get("/").text

        assert "<b>Birds</b>" not in page
        assert "&lt;b&gt;Birds&lt;/b&gt;" in page

    def test_an_empty_inbox_says_what_to_do(self, browser: Browser) -> None:
        assert "python -m local pay" in browser().get("/").text

    def test_it_loads_nothing_from_elsewhere(self, browser: Browser) -> None:
        answer = browser(ADA, BEN).get("/")

        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert "http" not in answer.text.replace("http-equiv", "")

    @pytest.mark.parametrize(("path", "follows"), [("/", True), ("/letters/m-1", False)])
    def test_only_the_list_keeps_itself_up_to_date(self, browser: Browser, path: str, *, follows: bool) -> None:
        assert ('http-equiv="refresh"' in browser(ADA).get(path).text) is follows

    def test_an_unknown_letter_is_404(self, browser: Browser) -> None:
        assert browser(ADA).get("/letters/other").status_code == 404

    def test_it_says_so_when_the_laptops_aws_is_gone(self) -> None:
        def unreachable() -> list[Letter]:
            raise httpx.ConnectError("refused")

        with a_browser(unreachable) as client:
            assert client.get("/").status_code == 503


class TestBareLetter:
    def test_it_is_the_letter_and_its_links_leave_the_frame(self, browser: Browser) -> None:
        answer = browser(ADA).get("/letters/m-1/html")

        assert ADA.html in answer.text
        assert '<base target="_blank">' in answer.text

    def test_nothing_in_it_runs_or_loads(self, browser: Browser) -> None:
        policy = browser(ADA).get("/letters/m-1/html").headers["content-security-policy"]

        assert "default-src 'none'" in policy
        assert "allow-scripts" not in policy
        assert "sandbox" in policy


class TestJson:
    def test_programs_get_every_letter_newest_first(self, browser: Browser) -> None:
        raw = browser(ADA, BEN).get("/letters.json").json()["letters"]

        assert [letter["id"] for letter in raw] == [BEN.id, ADA.id]
        assert raw[1]["to"] == ["ada@example.com"]
