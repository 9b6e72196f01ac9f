"""What the one secret holds. Pure."""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from paidshare.errors import SecretUnavailable


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """
    What `paidshare/{Stage}` holds. Empty values refuse everything.

    The webhook secrets are lists so that old and new overlap while one is rotated. A blank or a line's end that was
    pasted along with a key is none of it; of `link_key`, which names are made of, all counts. Has no repr: it must not
    end up in a log.
    """

    stripe_api_key: str = ""
    stripe_webhook_secrets: tuple[str, ...] = ()
    fastio_api_key: str = ""
    fastio_webhook_secrets: tuple[str, ...] = ()
    link_key: str = ""

    @classmethod
    @lru_cache(maxsize=2)
    def read(cls, text: str) -> "Secret":
        """
        Raises SecretUnavailable when *text* is no JSON object of the documented shape. Every call to a provider asks
        for it, and it is the same text for days.
        """
        try:
            raw = json.loads(text)
        except (ValueError, RecursionError):
            # Not `from`: the message of a JSON error quotes nothing, but its `doc` holds the whole secret.
            raise SecretUnavailable("the secret is no JSON") from None
        if not isinstance(raw, dict):
            raise SecretUnavailable("the secret is no JSON object")
        return cls(
            stripe_api_key=_text(raw, "stripe_api_key"),
            stripe_webhook_secrets=_texts(raw, "stripe_webhook_secrets"),
            fastio_api_key=_text(raw, "fastio_api_key"),
            fastio_webhook_secrets=_texts(raw, "fastio_webhook_secrets"),
            link_key=_text(raw, "link_key", strip=False),
        )


def _text(raw: dict[str, Any], key: str, *, strip: bool = True) -> str:
    value = raw.get(key, "")
    if not isinstance(value, str):
        raise SecretUnavailable(f"{key} in the secret must be text")
    return value.strip() if strip else value


def _texts(raw: dict[str, Any], key: str) -> tuple[str, ...]:
    value = raw.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise SecretUnavailable(f"{key} in the secret must be a list of texts")
    return tuple(item.strip() for item in value)
