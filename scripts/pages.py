"""
The pages of an order in a real browser: `make pages`. The eight, in English and in Arabic, and those on which the
address is corrected. Each is looked at by axe-core in light and dark, at widths of 320, 390 and 1280 px, as it is and
at 200 % zoom; it is walked through by the keyboard alone, where each control has to be reached, to be seen to have the
focus and to do what it is for; and all of them are photographed.

Needs Debian's `chromium` and `npm`: without one of them it says what it left out, and exits with 3.
"""

import html
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from paidshare.page import rendering
from paidshare.page.correcting import Problem, Says
from paidshare.page.ports import Opened, PageFile
from paidshare.page.rendering import Content
from paidshare.page.showing import Showing, Shows
from scripts.browser import OPTIONS, Browser, browser

ROOT = Path(__file__).resolve().parents[1]
AXE = "axe-core@4.10.3"
WIDTHS, ZOOMS, SCHEMES = (320, 390, 1280), (1, 2), {"light": 1, "dark": 0}
_NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
_FILES = (
    PageFile("Garden birds.pdf", 48_200_000, "c64f9fde493883d2316fb7e489b546607521e3c418a9dd1a7ccd168cbc4e8fa5"),
    PageFile("Checklist.csv", 70, "c0a40c95920efb0dca9e84fe35076ef73a09ac326eb8cb8134ecdac1e44cbc06"),
)
_WHY = {Shows.ON_HOLD: "disputed", Shows.ENDED: "refunded"}
_DONE_IN_S = 240
_MOST_STOPS = 40
SHEETS = {"": "", "-ar": "-rtl"}
"""The photographs' names, by how the pages' names end."""

_WATCHED = """
(() => {
  let acts = 0;
  const act = event => { event.preventDefault(); acts += 1; };
  document.addEventListener("submit", act, true);
  document.addEventListener("click", event => {
    if (event.target.closest("a")) act(event);
    if (event.target.closest("summary")) acts += 1;
  }, true);
  window.controls = () => [...document.querySelectorAll("a[href],button,summary,input:not([type=hidden])")]
    .filter(one => one.matches("summary") || !one.closest("details:not([open])"));
  window.stop = () => {
    const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
    if (!at || at === document.body || at === document.documentElement) return null;
    acts = 0;
    const inside = box.top >= -1 && box.bottom <= innerHeight + 1 && box.width > 0;
    const seen = inside && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    return {html: at.outerHTML.slice(0, 90), at: window.controls().indexOf(at), seen, writes: at.matches("input")};
  };
  window.done = () => acts > 0;
})()
"""

_LOOK = """
<!doctype html><html lang="en"><head><title>axe</title></head><body><script>
const source = %(axe)s, pages = %(pages)s, found = [];
const look = async () => {
  for (const [name, page] of Object.entries(pages)) for (const width of %(widths)s) for (const zoom of %(zooms)s) {
    const frame = document.createElement("iframe");
    frame.title = name; frame.style = `border:0;height:900px;width:${width / zoom}px`;
    const loaded = new Promise(done => frame.onload = done);
    frame.srcdoc = page; document.body.append(frame); await loaded;
    const inside = frame.contentDocument, script = inside.createElement("script");
    script.textContent = source; inside.head.append(script);
    const {violations} = await frame.contentWindow.axe.run(inside, {preload: false});
    const wide = inside.documentElement.scrollWidth > inside.documentElement.clientWidth;
    found.push({name, width, zoom, wide, broken: violations.map(one => one.id + ": " + one.nodes[0].html)});
    frame.remove();
  }
};
look().catch(error => found.push({name: "axe", width: 0, zoom: 0, wide: false, broken: [String(error)]})).then(() => {
  const out = document.createElement("pre"); out.id = "found"; out.textContent = JSON.stringify(found);
  document.body.replaceChildren(out);
});
</script></body></html>
"""
_SHEET = """
<!doctype html><html lang="en"><head><title>The eight pages</title><style>
body{margin:0;display:grid;grid-template-columns:repeat(5,390px);gap:12px;background:#888;padding:12px}
iframe{border:0;width:390px;height:1300px}</style></head><body>%s</body></html>
"""


def pages() -> dict[str, str]:
    """The HTML of each page by its name; a name in Arabic ends with `-ar`."""
    made = {}
    for language, suffix in (("en", ""), ("ar", "-ar")):
        for shows in Shows:
            made[f"{shows}{suffix}"] = _page(_content(shows, language))
        ready = replace(_content(Shows.READY, language), says=Says.OFFERED, twice_of="Qb7T2xLm")
        made[f"offered{suffix}"] = _page(ready)
        wrong = replace(ready, problem=Problem.NO_ADDRESS, typed="ada@example")
        made[f"wrong{suffix}"] = _page(wrong)
        made[f"unknown{suffix}"] = rendering.unknown(language).body
    return made


def _content(shows: Shows, language: str) -> Content:
    link = "https://go.fast.io/shared/o234567abcdefghijklmnopqrstuvwxyz"
    return Content(
        Showing(shows, _WHY.get(shows), since=_NOW),
        "HvZs0sja",
        products=("Garden Birds, a field guide",),
        email="ada@example.com",
        letters={"delivered": _NOW},
        opened=Opened(link, _NOW + timedelta(days=7), _FILES) if shows is Shows.READY else None,
        files=_FILES if shows in (Shows.READY, Shows.RAN_OUT) else (),
        until=_NOW,
        lasts=True,
        language=language,
    )


def _page(content: Content) -> str:
    return rendering.page(content, path="/order", here="/order", form="x" * 90, asked=0).body


def main() -> int:
    """Exits with 1 when something is found, and 3 when it could not be looked for."""
    missing = [program for program in ("chromium", "npm") if shutil.which(program) is None]
    if missing:
        print(f"left out: {all_of_it()}, for want of {missing}")
        return 3
    combinations = _looks()
    out = ROOT / ".local" / "pages"
    out.mkdir(parents=True, exist_ok=True)
    findings, looks = [], 0
    for scheme in SCHEMES:
        found = _looked_at(_axe(), out, scheme)
        looks += len(found)
        findings += [
            f"{scheme} {one['name']} at {one['width']} px, {one['zoom']} ×: {how}"
            for one in found
            for how in [*one["broken"], *(["it is wider than the window"] if one["wide"] else [])]
        ]
        _photographed(out, scheme)
    walked, stops = by_keyboard()
    findings += walked
    print("\n".join(findings))
    print(f"{looks} of {combinations} looks of {AXE}: {len(findings)} findings; photographs in {out.relative_to(ROOT)}")
    print(f"{len(pages())} pages by the keyboard alone: {stops} controls reached, seen and used")
    sizes = {name: len(page.encode()) for name, page in pages().items()}
    print(f"the largest page has {max(sizes.values())} bytes, the smallest {min(sizes.values())}")
    return 1 if findings or looks != combinations else 0


def all_of_it() -> str:
    """How much there is to look at."""
    return f"{_looks()} looks of axe-core, {len(pages())} walks by keyboard and {len(SHEETS) * 2} photographs"


def _looks() -> int:
    return len(pages()) * len(WIDTHS) * len(ZOOMS) * len(SCHEMES)


def by_keyboard() -> tuple[list[str], int]:
    """What somebody without a pointer meets: the findings, and how many controls there were to reach."""
    findings, stops = [], 0
    with browser() as shown:
        for name, page in pages().items():
            shown.show(page, 390)
            shown.value(_WATCHED)
            findings += [f"{name}: {finding}" for finding in _walked(shown)]
            stops += shown.value("window.controls().length")
    return findings, stops


def _walked(shown: Browser) -> Iterator[str]:
    """Tab by Tab to the end, and Enter at each stop."""
    # A page may begin with the focus where something is to be put right.
    reached = shown.value("window.controls().indexOf(document.activeElement)") + 1
    for _ in range(_MOST_STOPS):
        shown.press("Tab")
        stop = shown.value("window.stop()")
        if stop is None:
            break
        reached += 1
        if stop["at"] != reached - 1:
            yield f"{stop['html']} is reached out of its turn"
        if not stop["seen"]:
            yield f"{stop['html']} does not show that it has the focus"
        if stop["writes"]:
            shown.write("ada@example.org")
        shown.press("Enter")
        if not shown.value("window.done()"):
            yield f"{stop['html']} does nothing at Enter"
    # What a summary opens is there to be reached, too.
    if reached != (there := shown.value("window.controls().length")):
        yield f"{reached} of {there} controls are reached"


def _axe() -> str:
    home = ROOT / ".tools" / "axe"
    file = home / "node_modules" / "axe-core" / "axe.min.js"
    if not file.exists():
        subprocess.run(
            ["npm", "install", "--silent", "--no-save", "--ignore-scripts", "--prefix", str(home), AXE],
            check=True,
            timeout=_DONE_IN_S,
        )
    return file.read_text()


def _looked_at(axe: str, out: Path, scheme: str) -> list[dict[str, Any]]:
    escaped = json.dumps(pages()).replace("</", "<\\/")
    page = out / f"look-{scheme}.html"
    page.write_text(
        _LOOK
        % {
            "axe": json.dumps(axe).replace("</", "<\\/"),
            "pages": escaped,
            "widths": json.dumps(WIDTHS),
            "zooms": json.dumps(ZOOMS),
        }
    )
    dom = _chromium(scheme, "--dump-dom", "--virtual-time-budget=120000", page.as_uri())
    found = re.search(r'<pre id="found">(.*?)</pre>', dom, re.DOTALL)
    return [] if found is None else list(json.loads(html.unescape(found[1])))


def _photographed(out: Path, scheme: str) -> None:
    for suffix, called in SHEETS.items():
        ours = [
            page for name, page in pages().items() if name.endswith("-ar") is bool(suffix) and "unknown" not in name
        ]
        frames = "".join(f'<iframe srcdoc="{html.escape(page)}"></iframe>' for page in ours)
        sheet = out / f"sheet-{scheme}{called}.html"
        sheet.write_text(_SHEET % frames)
        picture = out / f"pages-{scheme}{called}.png"
        _chromium(scheme, f"--screenshot={picture}", "--window-size=2034,2636", "--hide-scrollbars", sheet.as_uri())


def _chromium(scheme: str, *options: str) -> str:
    command = [
        "chromium",
        *OPTIONS,
        f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}",
        *options,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_DONE_IN_S, check=True)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
