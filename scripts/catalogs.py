"""
The catalogues of what buyers read, in letters and on the orders' pages: `python scripts/catalogs.py` brings
`storefront/catalogs/*/LC_MESSAGES/letters.po` up to date with the sentences in the code, and compiles them; with
`--check` it only says what is not as it should be. A sentence that has changed is a new one, and said in English until
somebody has put it into the other languages.
"""

import argparse
import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

from paidshare.delivering.letters import desk
from paidshare.page import rendering
from paidshare.storefront.languages import LANGUAGES, SOURCE

PACKAGE = Path(__file__).parents[1] / "layers/paidshare/python/paidshare"
# What the code calls what `wording.Wording` has: `say.text`, and in a template `_` and `n_`.
_KEYWORDS = {"text": None, "texts": (1, 2), "html": None, "htmls": (1, 2), "_": None, "n_": (1, 2)}
_METHODS = [
    ("**/letters/*.py", "python"),
    ("**/page/rendering.py", "python"),
    ("**/wording.py", "python"),
    ("**/templates/*.j2", "jinja2"),
]

_NO_DATE = datetime(2026, 1, 1, tzinfo=UTC)


def sentences() -> Catalog:
    """All that is said, without a translation."""
    found = Catalog()
    options = {"**/templates/*.j2": {"trimmed": "true", "silent": "false"}}
    for file, _, message, _, context in extract_from_dir(PACKAGE, _METHODS, options, _KEYWORDS):
        found.add(message, None, [(file, 1)], context=context)
    for sentence in (*desk.SENTENCES, *rendering.SENTENCES):
        found.add(sentence)
    return found


def path_of(language: str) -> Path:
    return PACKAGE / "storefront" / "catalogs" / language.replace("-", "_") / "LC_MESSAGES" / "letters.po"


def read(language: str) -> Catalog:
    """The language's catalogue as it is kept; an empty one where there is none."""
    path, locale = path_of(language), language.replace("-", "_")
    kept = Catalog(locale=locale)
    if path.exists():
        with path.open("rb") as file:
            kept = read_po(file, locale=locale)
    kept.header_comment = f"# What buyers are written in {language} (scripts/catalogs.py)."
    kept.fuzzy = False
    # Git knows who changed what, and when.
    kept.project, kept.version, kept.last_translator, kept.language_team = "paidshare", "letters", "", language
    kept.msgid_bugs_address, kept.creation_date, kept.revision_date = "", _NO_DATE, _NO_DATE
    return kept


def written(catalog: Catalog) -> tuple[bytes, bytes]:
    """The catalogue as it should be kept: its .po and its .mo."""
    po, mo = io.BytesIO(), io.BytesIO()
    write_po(po, catalog, width=120, sort_output=True, include_previous=True, omit_header=False, no_location=True)
    write_mo(mo, catalog)
    return po.getvalue(), mo.getvalue()


def troubles() -> Iterator[str]:
    """What keeps a buyer from reading a sentence in a language of ours."""
    wanted = sentences()
    for language in LANGUAGES:
        if language == SOURCE:
            continue
        catalog = read(language)
        for message in wanted:
            known = catalog.get(message.id) if message.id else None
            if message.id and (known is None or known.fuzzy or not _is_said(known.string)):
                yield f"{language} does not say {message.id!r}"
        for message in catalog:
            if message.id and wanted.get(message.id) is None:
                yield f"{language} says what nobody asks for: {message.id!r}"
            for error in message.check(catalog):
                yield f"{language}: {error}: {message.id!r}"
        mo = path_of(language).with_suffix(".mo")
        if not mo.exists() or _meant(mo.read_bytes()) != _meant(written(catalog)[1]):
            yield f"{language}: {mo.name} was not compiled from {path_of(language).name}"


def _meant(mo: bytes) -> dict[str, object]:
    """What a .mo says, without what wrote it."""
    return {str(message.id): message.string for message in read_mo(io.BytesIO(mo)) if message.id}


def _is_said(said: str | tuple[str, ...] | list[str] | None) -> bool:
    return all(said) if isinstance(said, tuple | list) else bool(said)


def update() -> None:
    """Each catalogue with the sentences that there are, and compiled."""
    wanted = sentences()
    for language in LANGUAGES:
        if language == SOURCE:
            continue
        catalog = read(language)
        catalog.update(wanted, no_fuzzy_matching=True, update_header_comment=False, update_creation_date=False)
        catalog.obsolete.clear()
        path = path_of(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        po, mo = written(catalog)
        path.write_bytes(po)
        path.with_suffix(".mo").write_bytes(mo)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        update()
    found = list(troubles())
    sys.exit("\n".join(found) if found else 0)
