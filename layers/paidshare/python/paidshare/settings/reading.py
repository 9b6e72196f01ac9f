"""How the words of template and metadata are read: each variable by its rule, and what is wrong collected."""

import ipaddress
import re
from collections.abc import Callable, Mapping

from paidshare.errors import SettingsIncomplete

type Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MOST_DAYS = 3_650
"""Ten years: longer is a slip of the finger. `life` is what is longer."""
ACCESS_RULE = f"`life`, or a whole number of days from 1 to {MOST_DAYS}"
_LIFE = "life"


def is_access(text: str) -> bool:
    """Whether *text* says how long a buyer may have a share made anew: days, or `life`."""
    return text == _LIFE or (re.fullmatch(r"[0-9]{1,5}", text, re.ASCII) is not None and 1 <= int(text) <= MOST_DAYS)


def access_days(text: str) -> int | None:
    """The days that *text* says, None for life. Raises ValueError unless `is_access`."""
    if not is_access(text):
        raise ValueError(f"access must be {ACCESS_RULE}")
    return None if text == _LIFE else int(text)


class Reader:
    """Reads variables and collects what is wrong, so that one deploy mends all of it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._gaps: list[str] = []

    def complain(self) -> None:
        if self._gaps:
            raise SettingsIncomplete(self._gaps)

    def text(self, name: str) -> str:
        value = self._environ.get(name, "").strip()
        if not value:
            self._gaps.append(f"{name} is not set")
        return value

    def livemode(self) -> bool:
        return self.word("STRIPE_MODE", "test", "live") == "live"

    def word(self, name: str, *known: str) -> str:
        """One of *known*; the first of them in the place of anything else."""
        return self._checked(name, lambda v: v in known, f"must be {' or '.join(known)}") or known[0]

    def address(self, name: str) -> str:
        return self._checked(name, lambda v: v.count("@") == 1 and not v.startswith("@"), "must be an e-mail address")

    def whole_number(self, name: str, least: int, most: int) -> int:
        wish = f"must be a whole number from {least} to {most}"
        value = self._checked(
            name, lambda v: v.isascii() and v.isdecimal() and len(v) < 10 and least <= int(v) <= most, wish
        )
        return int(value) if value else least

    def access(self, name: str) -> int | None:
        """Days, or `life`: None."""
        value = self._checked(name, is_access, f"must be {ACCESS_RULE}")
        return access_days(value) if value else None

    def base_url(self, name: str) -> str:
        """Plain HTTP is for the laptop's stand-ins: a deployed stage can never be pointed at one."""
        local = self._environ.get("STAGE") == "local"
        schemes = ("https://", "http://") if local else ("https://",)
        value = self._checked(
            name, lambda v: v.startswith(schemes), "must be an https:// URL (http:// on stage local only)"
        )
        return value.rstrip("/")

    def networks(self, name: str) -> tuple[Network, ...]:
        found: list[Network] = []
        for part in filter(None, (p.strip() for p in self._environ.get(name, "").split(","))):
            try:
                found.append(ipaddress.ip_network(part))
            except ValueError:
                self._gaps.append(f"{name} has an entry that is no CIDR block")
        return tuple(found)

    def _checked(self, name: str, good: Callable[[str], bool], wish: str) -> str:
        value = self.text(name)
        if value and not good(value):
            self._gaps.append(f"{name} {wish}")
            return ""
        return value
