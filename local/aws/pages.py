"""The order's page as a browser without JavaScript sees it."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape

import httpx

from local.hosting.endpoints import Endpoints
from local.sale import SaleFailed

_SECONDS = 60.0
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Seen:
    """A page as it was at *at* (Unix seconds), and its text line by line."""

    at: float
    html: str

    @property
    def lines(self) -> list[str]:
        body = re.sub(r"<(script|style|title|svg)\b.*?</\1>", "", self.html, flags=re.DOTALL)
        text = re.sub(r"<details\b[^>]*>|</(p|h1|h2|li|summary|details)>", "\n", body)
        told = (" ".join(unescape(re.sub(r"<[^>]+>", "", line)).split()) for line in text.splitlines())
        return [line for line in told if line]


class Browser:
    """At *url*. *http* keeps its cookies, and follows where it is led."""

    def __init__(self, http: httpx.Client, url: str) -> None:
        self.url = url
        self._http = http

    def look(self) -> Seen:
        """Raises SaleFailed where there is no page."""
        answer = self._http.get(self.url)
        if answer.status_code != 200:
            raise SaleFailed(f"the order's page answers {answer.status_code}")
        self.url = str(answer.url)
        return Seen(time.time(), answer.text)

    def ask(self, **fields: str) -> Seen:
        """Press the page's button, *fields* filled in. Raises SaleFailed where it has none."""
        form = re.search(r'name="form" value="([^"]+)"', self.look().html)
        action = re.search(r'<form method="post" action="([^"]+)"', self.look().html)
        if form is None or action is None:
            raise SaleFailed("the order's page has nothing to ask for")
        answer = self._http.post(str(httpx.URL(self.url).join(action[1])), data={"form": form[1], **fields})
        self.url = str(answer.url)
        return Seen(time.time(), answer.text)


@contextmanager
def from_checkout(to: Endpoints, session: str) -> Iterator[Browser]:
    """A browser that Stripe's Checkout sends on after the payment."""
    with httpx.Client(timeout=30, trust_env=False, follow_redirects=True) as http:
        yield Browser(http, f"{to.page_url}?session_id={session}")


def wait_for(browser: Browser, words: str, *, since: float) -> Seen:
    """The page, once *words* are on it. Raises SaleFailed when they are not within a minute of *since*."""
    while True:
        seen = browser.look()
        if words in seen.html:
            return seen
        if seen.at - since > _SECONDS:
            raise SaleFailed(f"{words!r} is not on the order's page: {' / '.join(seen.lines)}")
        time.sleep(_POLL_S)
