"""The inbox: a page in the browser with every letter that the laptop's SES was given, as HTML and as text."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import httpx
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from local.aws.letters import Letter

_TEMPLATES = Path(__file__).parent / "templates"
# A letter is shown as it is, but nothing in it runs, and it loads nothing from anywhere. Its links open a
# page of their own, which is not bound by any of this.
_LETTER_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox allow-popups allow-popups-to-escape-sandbox"
)
_LINKS_LEAVE_THE_FRAME = '<!doctype html><base target="_blank">'
_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'none'"


def inbox_app(letters: Callable[[], list[Letter]]) -> Starlette:
    """
    The page over what *letters* gives, newest first.

    `/` is the list with the newest letter opened, `/letters/{id}` opens another one, `/letters/{id}/html` is
    the bare letter, `/letters.json` all of them for programs.
    """
    page = _page()

    def newest_first() -> list[Letter]:
        try:
            return letters()[::-1]
        except httpx.HTTPError as exc:
            raise HTTPException(503, "The laptop's AWS does not answer.") from exc

    def shown(request: Request) -> Response:
        every = newest_first()
        one = "letter" in request.path_params
        opened = _named(every, request) if one else next(iter(every), None)
        return HTMLResponse(
            # Somebody who reads a letter does not want it loaded anew under their eyes.
            page.render(letters=every, opened=opened, follows=not one),
            headers={"content-security-policy": _PAGE_POLICY, "referrer-policy": "no-referrer"},
        )

    def bare(request: Request) -> Response:
        letter = _named(newest_first(), request)
        return HTMLResponse(_LINKS_LEAVE_THE_FRAME + letter.html, headers={"content-security-policy": _LETTER_POLICY})

    def as_json(_request: Request) -> Response:
        return JSONResponse({"letters": [asdict(letter) for letter in newest_first()]})

    return Starlette(
        routes=[
            Route("/", shown),
            Route("/letters.json", as_json),
            Route("/letters/{letter}", shown),
            Route("/letters/{letter}/html", bare),
        ]
    )


def _page() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("inbox.html.j2")


def _named(every: list[Letter], request: Request) -> Letter:
    for letter in every:
        if letter.id == request.path_params["letter"]:
            return letter
    raise HTTPException(404, "There is no such letter.")
