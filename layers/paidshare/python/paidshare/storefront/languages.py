"""The languages that buyers are written to in, and which of them a buyer reads. Pure."""

from collections.abc import Iterable

SOURCE = "en"
"""The language of the sentences in the code, and of whoever reads none of the others."""

LANGUAGES = (SOURCE, "ar", "de", "es", "fr", "ja", "pt-BR")
"""BCP 47 tags. Each but the first has a catalogue (`catalogs/`); `scripts/catalogs.py` makes it."""

_RIGHT_TO_LEFT = frozenset({"ar"})


def best(wanted: Iterable[str]) -> str:
    """
    The language of ours that fits the first of the *wanted* tags that any fits, `SOURCE` when none does.

    A tag is whatever somebody wrote down for a language: `de-AT`, `pt_PT`, `auto`, nothing, nonsense. Another region's
    German or Portuguese is read more easily than English.
    """
    by_tag = {tag.lower(): tag for tag in LANGUAGES}
    by_language = {tag.partition("-")[0]: tag for tag in LANGUAGES}
    for tag in wanted:
        asked = tag.strip().replace("_", "-").lower()
        if (found := by_tag.get(asked) or by_language.get(asked.partition("-")[0])) is not None:
            return found
    return SOURCE


def direction(language: str) -> str:
    """Which way *language* (one of `LANGUAGES`) is written: `ltr` or `rtl`, HTML's words."""
    return "rtl" if language in _RIGHT_TO_LEFT else "ltr"
