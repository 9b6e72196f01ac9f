"""The seller's and the buyer's own words, as they may stand in a letter, a subject or a title. Pure."""

import unicodedata

# What turns the reading of everything after it round, so that `gpj.exe` reads as an image: Unicode's embeddings,
# overrides and isolates (unicode.org/reports/tr9, and CVE-2021-42574). Joiners, marks and variation selectors are part
# of a word or of an emoji, and stay.
_TURNS_ROUND = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def one_line(text: str) -> str:
    """*text* as written, but without what could add a header or a line, or make it read as something else."""
    return " ".join("".join(map(_harmless, text)).split())


def cut(text: str, most: int) -> str:
    """*text*, or as much of it as fits into *most* characters with an ellipsis; never a part of what a reader sees."""
    if len(text) <= most:
        return text
    import grapheme  # noqa: PLC0415  # Not there when `sam build` reads shop.toml, which cuts nothing.

    return text[: grapheme.safe_split_index(text, most - 1)].rstrip(" ,") + "…"


def _harmless(character: str) -> str:
    # Control characters and separators; half a surrogate pair is no character, and cannot be encoded either.
    if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp", "Zs"):
        return " "
    return "" if character in _TURNS_ROUND or _is_none(character) else character


def _is_none(character: str) -> bool:
    """Whether Unicode says that it will never be a character. One that Python does not know yet may be an emoji."""
    code = ord(character)
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
