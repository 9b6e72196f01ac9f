"""One sale through the whole system, watched hop by hop, with everything that must be true of it checked."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from local import sale, seeds
from local.aws import diagnosis, pages
from local.aws.letters import Letter
from local.sale import Attempt, Sale, SaleFailed
from local.settings import LINK_DAYS
from local.stack import Stack

EMAIL = "ada@example.com"


@dataclass(frozen=True, slots=True)
class Hop:
    """Something that happened, *seconds* after the payment."""

    seconds: float
    what: str


@dataclass(frozen=True, slots=True)
class Seen:
    """The ids of what there was at a moment."""

    letters: set[str]
    shares: set[str]


class Demo:
    """The story of `make demo` in a running system."""

    def __init__(self, stack: Stack, console: Console) -> None:
        self._stack = stack
        self._to = stack.endpoints
        self._console = console

    def play(self) -> None:
        """Raises SaleFailed with what did not happen, and why as far as the system can tell."""
        before = self._seen()
        self._title(f"{EMAIL} buys a product of two files")
        made = sale.sell(self._to, email=EMAIL)
        if made.attempt.status != 200:
            raise self._explained(f"our webhook answered {made.attempt.status} to Stripe: {made.attempt.body}")
        with pages.from_checkout(self._to, made.session) as page:
            ready = pages.wait_for(page, "Open your files", since=made.attempt.at)
        letter = self._awaited(before)
        files_on_page = Hop(ready.at - made.attempt.at, "the files are on the order's page")
        for hop in sorted([*self._hops(made, letter), files_on_page], key=lambda hop: hop.seconds):
            self._line(f"{hop.seconds:.3f} s", hop.what)
        self._title("The order's page, where Stripe leads the buyer")
        self._line("200", f"{self._to.page_url}?session_id={made.session[:16]}…")
        for line in ready.lines:
            self._line("", line)
        if letter.text.find(self._to.page_url) < 0:
            raise SaleFailed("the letter does not lead to the order's page")
        self._open(_link(letter, self._to.fastio_url), self._only_share_since(before))
        self._title("The same event again, and one with a forged signature")
        seen = self._seen()
        self._nothing_comes_of(sale.repeat(self._to, made.attempt.event), 200, "a duplicate", seen)
        forged = sale.repeat(self._to, made.attempt.event, forged=True)
        self._nothing_comes_of(forged, 400, "a forged signature", seen)
        self._console.print()
        self._console.print(Panel(Text(letter.text.strip()), title=Text(letter.subject), title_align="left"))

    def _awaited(self, before: Seen) -> Letter:
        deadline = time.monotonic() + sale.LETTER_SECONDS
        while True:
            try:
                return sale.wait_for_letter(self._to, EMAIL, besides=before.letters, seconds=3)
            except SaleFailed as exc:
                if time.monotonic() > deadline or diagnosis.denied(self._stack.aws):
                    raise self._explained(f"no letter came to {EMAIL}") from exc

    def _hops(self, made: Sale, letter: Letter) -> Iterator[Hop]:
        paid = made.attempt.at
        yield Hop(0.0, f"paid: {made.session[:16]}…")
        yield Hop(made.attempt.seconds, f"{made.attempt.status} to Stripe")
        for call in self._calls(self._to.stripe_url, since=paid):
            if "/checkout/sessions/" in call["path"]:
                yield Hop(call["at"] - paid, "Stripe asked what was paid for")
        for call in self._calls(self._to.fastio_url, since=paid):
            if call["status"] in (200, 201):
                yield Hop(call["at"] - paid, _told(call))
        yield Hop(letter.at - paid, f"letter to {', '.join(letter.to)}")

    def _calls(self, url: str, *, since: float) -> list[dict[str, Any]]:
        with seeds.client(url) as stand_in:
            return [call for call in stand_in.get("/_calls").json() if call["at"] >= since]

    def _shares(self) -> list[dict[str, Any]]:
        with seeds.client(self._to.fastio_url) as fastio:
            found: list[dict[str, Any]] = fastio.get("/_shares").json()["shares"]
        return found

    def _seen(self) -> Seen:
        return Seen(sale.letter_ids(self._to), {share["id"] for share in self._shares()})

    def _only_share_since(self, before: Seen) -> dict[str, Any]:
        made = [share for share in self._shares() if share["id"] not in before.shares]
        if len(made) != 1:
            raise SaleFailed(f"{len(made)} shares were made, and should have been one")
        return made[0]

    def _open(self, link: str, share: dict[str, Any]) -> None:
        """As the buyer: open the letter's link and download everything. Raises SaleFailed."""
        self._title("The link in the letter")
        with seeds.client(self._to.fastio_url) as browser:
            page = browser.get(link)
            if page.status_code != 200:
                raise SaleFailed(f"the letter's link answers {page.status_code}")
            self._line(str(page.status_code), link)
            wanted = {file["name"]: file["size"] for file in share["files"]}
            got = {}
            for href in re.findall(r'href="(/shared/[^"]+)"', page.text):
                file = browser.get(href)
                file.raise_for_status()
                name = _file_name(file.headers["content-disposition"])
                got[name] = len(file.content)
                self._line(str(file.status_code), f"{name}, {len(file.content)} bytes")
        if got != wanted or set(got) != set(seeds.FILE_NAMES):
            raise SaleFailed(f"the files are {sorted(got)}, and {sorted(seeds.FILE_NAMES)} were bought")
        expires = datetime.strptime(share["expires"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        if abs(expires - datetime.now(UTC) - timedelta(days=LINK_DAYS)) > timedelta(minutes=5):
            raise SaleFailed(f"the link expires at {expires}, which is not {LINK_DAYS} days from now")
        self._line("until", f"{expires:%Y-%m-%d %H:%M} UTC")

    def _nothing_comes_of(self, attempt: Attempt, due: int, what: str, before: Seen) -> None:
        if attempt.status != due:
            raise self._explained(f"{what} was answered {attempt.status} and not {due}")
        sale.nothing_comes(self._to, besides=before.letters)
        if self._seen() != before:
            raise SaleFailed(f"something came of {what}")
        self._line(str(attempt.status), f"{what}: nothing sent, nothing shared")

    def _explained(self, what: str) -> SaleFailed:
        reasons = diagnosis.explain(self._to.outputs, self._stack.aws)
        return SaleFailed("\n".join([what, *(f"  - {reason}" for reason in reasons)]))

    def _title(self, what: str) -> None:
        self._console.print()
        self._console.print(f"[bold]{what}[/bold]", highlight=False)

    def _line(self, left: str, right: str) -> None:
        # Text: what came from outside must not be read as markup. A link must stay whole, to be copied.
        self._console.print(Text(f"  {left:>9}  {right}"), soft_wrap=True)


def _file_name(disposition: str) -> str:
    """The file name in a Content-Disposition header of the guest view's."""
    return unquote(disposition.partition("filename*=UTF-8''")[2])


def _link(letter: Letter, web_base: str) -> str:
    for url in re.findall(r"https?://\S+", letter.text):
        if url.startswith(f"{web_base}/"):
            if url not in letter.html:
                raise SaleFailed("the letter's text and HTML have different links")
            return str(url)
    raise SaleFailed("the letter has no link to the share")


def _told(call: dict[str, Any]) -> str:
    """A Fast.io call in words."""
    words = {
        "/create/share/": "share created at Fast.io",
        "/addfile/": "file put into the share",
        "/auth/guest/": "the link opens for a guest",
    }
    for part, said in words.items():
        if part in call["path"]:
            return said
    last = [part for part in call["path"].split("/") if part][-1]
    return f"Fast.io asked: {call['method']} …/{last}/"
