"""What somebody with a link sees: a page with the share's files, or why there is none any more."""

import mimetypes
from urllib.parse import quote

from jinja2 import DictLoader, Environment, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from local.fastio.nodes import INSTANT
from local.fastio.state import Fastio, Share, Standing, standing

_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{{ title }}</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; color: #1c2430; background: #f4f6f8; margin: 0; }
  main { max-width: 34rem; margin: 3rem auto; padding: 2rem; background: #fff; border-radius: 12px;
         box-shadow: 0 1px 4px #0002; overflow-wrap: anywhere; }
  h1 { font-size: 1.35rem; margin: 0 0 .25rem; }
  p { color: #5a6675; margin: 0 0 1.25rem; }
  ul { list-style: none; margin: 0; padding: 0; }
  li { display: flex; gap: 1rem; justify-content: space-between; padding: .7rem 0; border-top: 1px solid #e6eaee; }
  li span { color: #5a6675; white-space: nowrap; }
  a { color: #0b5fd3; }
</style>
<main>
  <h1>{{ title }}</h1>
  <p>{{ note }}</p>
  {% if files %}
  <ul>
    {% for file in files %}
    <li>{% if file.href %}<a href="{{ file.href }}" download>{{ file.name }}</a>{% else %}{{ file.name }}{% endif %}
      <span>{{ file.size }}</span></li>
    {% endfor %}
  </ul>
  {% endif %}
</main>
</html>
"""

# What Fast.io answers after a share's end is not documented; the statuses say what happened.
_CLOSED: dict[Standing, tuple[int, str, str]] = {
    "gone": (404, "Nothing here", "There is no share at this address."),
    "archived": (403, "Not available", "This share has been withdrawn."),
    "expired": (410, "This link has expired", "Ask the seller for a new one."),
    "closed": (403, "Not available", "This share is for its members only."),
}


class GuestPages:
    """What somebody with a link sees: no token, outside the API. Names and titles are escaped."""

    def __init__(self, state: Fastio) -> None:
        self._state = state
        self._template = Environment(
            loader=DictLoader({"page": _PAGE}), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        ).get_template("page")

    def routes(self) -> list[Route]:
        return [
            Route("/shared/{share}/files/{node}", self.download, methods=["GET"]),
            Route("/shared/{share}", self.show, methods=["GET"]),
            Route("/shared/{share}/{slug}", self.show, methods=["GET"]),
        ]

    async def show(self, request: Request) -> Response:
        share = self._state.share(request.path_params["share"])
        refused = self._refusal(share)
        if share is None or refused:
            return refused or self._page(*_CLOSED["gone"], [])
        until = f"Available until {share.expires.strftime(INSTANT)} UTC." if share.expires else "Available."
        return self._page(200, share.fields["title"], until, _listed(share))

    async def download(self, request: Request) -> Response:
        share = self._state.share(request.path_params["share"])
        refused = self._refusal(share)
        if share is None or refused:
            return refused or self._page(*_CLOSED["gone"], [])
        node = share.storage.reachable(request.path_params["node"])
        if node is None or node.content is None:
            return self._page(404, "Nothing here", "There is no such file in this share.", [])
        if share.fields["download_security"] != "off":
            return self._page(403, "Not available", "The owner does not allow downloads from this share.", [])
        if not self._state.rules.credits:
            return self._page(402, "Not available", "The owner's credits are used up.", [])
        self._state.note("share_storage_download_token_created", share, node.id)
        return Response(
            node.content,
            media_type=mimetypes.guess_type(node.name)[0] or "application/octet-stream",
            headers={
                "content-disposition": f"attachment; filename*=UTF-8''{quote(node.name, safe='')}",
                "x-content-type-options": "nosniff",
            },
        )

    def _page(self, status: int, title: str, note: str, files: list[dict[str, str | None]]) -> Response:
        return HTMLResponse(self._template.render(title=title, note=note, files=files), status_code=status)

    def _refusal(self, share: Share | None) -> Response | None:
        found = standing(share, self._state.now())
        if found == "open":
            return None
        status, title, note = _CLOSED[found]
        return self._page(status, title, note, [])


def _listed(share: Share) -> list[dict[str, str | None]]:
    open_to_download = share.fields["download_security"] == "off"
    return [
        {
            "name": node.name,
            "size": _size(len(node.content or b"")),
            "href": f"/shared/{share.custom_name}/files/{node.id}" if open_to_download else None,
        }
        for node in sorted(share.storage.inside("root"), key=lambda node: node.name)
    ]


def _size(count: int) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count} {unit}"
        count = round(count / 1000)
    return f"{count} GB"
