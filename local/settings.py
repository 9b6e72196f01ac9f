"""What the laptop's system is called and where it lies, and whether Stripe and Fast.io are the real ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from paidshare import notices

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".local"
"""Logs, endpoints.json and scratch files of `make local`; every other system has a folder of its own."""
TOOLS = ROOT / ".tools"

REGION = "us-east-1"
STAGE = "local"
STACK_NAME = "paidshare-local"
SECRET_NAME = f"paidshare/{STAGE}"
SENDER = "shop@example.com"
ALARM_EMAIL = "alarms@example.com"
LINK_DAYS = 7

# Well known on purpose: the sample events in events/ are signed with it, and it opens nothing but a laptop.
STRIPE_WEBHOOK_SECRET = "whsec_paidshare_local_only_0123456789abcdef"
FASTIO_WEBHOOK_SECRET = "fastio_paidshare_local_only_0123456789abcdef"
# The stand-ins' own keys.
STRIPE_API_KEY = "sk_test_paidshare_local_only"
FASTIO_API_KEY = "fastio_key_paidshare_local_only"

WEBHOOK_EVENTS = tuple(sorted(notices.NEEDED | notices.OF_WARNINGS))
"""What README tells sellers to have sent, and so what the laptop's Stripe sends."""

STRIPE_API = "https://api.stripe.com"
FASTIO_API = "https://api.fast.io/current"
FASTIO_WEB = "https://go.fast.io"


class SettingsWrong(Exception):
    """The environment asks for something that the laptop's system cannot or will not do."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys and webhook secrets, and which of the two services are real."""

    stripe_api_key: str = STRIPE_API_KEY
    stripe_webhook_secret: str = STRIPE_WEBHOOK_SECRET
    fastio_api_key: str = FASTIO_API_KEY
    fastio_webhook_secret: str = FASTIO_WEBHOOK_SECRET
    real_stripe: bool = False
    real_fastio: bool = False
    fastio_workspace: str = ""
    fastio_files: str = ""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Keys":
        """Raises SettingsWrong, naming the variable."""
        stripe = environ.get("STRIPE_API_KEY", "")
        fastio = environ.get("FASTIO_API_KEY", "")
        if "_live_" in stripe:
            raise SettingsWrong("STRIPE_API_KEY is a live key: the laptop takes test keys only")
        if stripe and not environ.get("STRIPE_WEBHOOK_SECRET"):
            raise SettingsWrong(
                "STRIPE_API_KEY is set and STRIPE_WEBHOOK_SECRET is not: stripe listen --print-secret tells it"
            )
        if fastio and not environ.get("FASTIO_WORKSPACE"):
            raise SettingsWrong("FASTIO_API_KEY is set and FASTIO_WORKSPACE (an id or a name) is not")
        return cls(
            stripe_api_key=stripe or STRIPE_API_KEY,
            stripe_webhook_secret=environ.get("STRIPE_WEBHOOK_SECRET") or STRIPE_WEBHOOK_SECRET,
            fastio_api_key=fastio or FASTIO_API_KEY,
            fastio_webhook_secret=environ.get("FASTIO_WEBHOOK_SECRET") or FASTIO_WEBHOOK_SECRET,
            real_stripe=bool(stripe),
            real_fastio=bool(fastio),
            fastio_workspace=environ.get("FASTIO_WORKSPACE", ""),
            fastio_files=environ.get("FASTIO_FILES", ""),
        )
