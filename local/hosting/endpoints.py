"""`.local/endpoints.json`: where everything of a running system answers. Others read it; it is a contract."""

import json
import os
import tempfile
from dataclasses import asdict, dataclass, fields
from pathlib import Path

FILE = "endpoints.json"


class NotRunning(Exception):
    """There is no running system to talk to."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """
    All of it. The names are the file's. `page_url` is what the orders' pages are under.

    `ses_url` is the functions' SES v2, in front of MiniStack's.
    `product_ids` are what the Stripe stand-in sells; `fastio_workspace` and `fastio_files` are what a product's
    metadata may name. With a real Stripe or Fast.io `stripe_url` or `fastio_url`
    is theirs, and `stripe_is_real` or `fastio_is_real` says so. `fastio_url` is without `/current`.
    """

    stripe_webhook_url: str
    fastio_webhook_url: str
    page_url: str
    aws_endpoint_url: str
    ses_url: str
    stripe_url: str
    fastio_url: str
    inbox_url: str
    stripe_webhook_secret: str
    fastio_webhook_secret: str
    stack_name: str
    secret_name: str
    region: str
    outputs: dict[str, str]
    product_ids: list[str]
    fastio_workspace: str
    fastio_files: str
    stripe_is_real: bool
    fastio_is_real: bool
    logs: str
    pid: int
    ready: bool = True

    @classmethod
    def read(cls, home: Path) -> "Endpoints":
        """Raises NotRunning when no system runs from *home*."""
        try:
            raw = json.loads((home / FILE).read_text())
            found = cls(**{field.name: raw[field.name] for field in fields(cls)})
        except FileNotFoundError:
            raise NotRunning(f"nothing runs from {home}: start it with `make local`") from None
        except (ValueError, KeyError, TypeError) as exc:
            raise NotRunning(f"{home / FILE} is not of this version: start the system again") from exc
        if not _alive(found.pid):
            raise NotRunning(f"what ran from {home} has crashed: start it with `make local`")
        return found

    def write(self, home: Path) -> None:
        """Whoever reads meanwhile sees the whole of it or nothing."""
        handle, scratch = tempfile.mkstemp(dir=home, prefix=FILE)
        with os.fdopen(handle, "w") as file:
            json.dump(asdict(self), file, indent=2)
        Path(scratch).replace(home / FILE)


def remove(home: Path) -> None:
    """The system has ended. Safe to call any number of times."""
    (home / FILE).unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # It lives, and is somebody else's.
    return True
