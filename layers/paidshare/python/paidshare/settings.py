"""The environment → frozen settings, once, lazily. Every gap is named in one error."""

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from paidshare.errors import SettingsIncomplete

type Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class ReceiveSettings:
    """What `functions/receive` needs. An empty list of networks lets any address in."""

    stage: str
    livemode: bool
    secret_name: str
    queue_url: str
    events_table: str
    stripe_allowed: tuple[Network, ...]
    fastio_allowed: tuple[Network, ...]

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "ReceiveSettings":
        """Raises SettingsIncomplete, naming every gap."""
        read = _Reader(environ)
        settings = cls(
            stage=read.text("STAGE"),
            livemode=read.livemode(),
            secret_name=read.text("SECRET_NAME"),
            queue_url=read.text("QUEUE_URL"),
            events_table=read.text("EVENTS_TABLE"),
            stripe_allowed=read.networks("STRIPE_ALLOWED_CIDRS"),
            fastio_allowed=read.networks("FASTIO_ALLOWED_CIDRS"),
        )
        read.complain()
        return settings


@dataclass(frozen=True, slots=True)
class Policy:
    """
    The seller's choices (parameters of template.yaml).

    `link_days` is for products that do not say their own; `grace_days` follow the end of a subscription's period.
    `end_on_partial_refund`: a refund of a part ends access to the lines that it covers; else only a full one does.
    `keep_canceled`: a subscription that is canceled at once keeps the time that was paid for; else access ends.
    `ask_when_paid_late`: what is paid for a subscription that is over, or unpaid, waits for a person; else the period
    that was paid for is delivered.
    """

    livemode: bool
    link_days: int
    grace_days: int = 3
    end_on_partial_refund: bool = False
    hold_on_fraud_warning: bool = False
    keep_canceled: bool = False
    ask_when_paid_late: bool = False


@dataclass(frozen=True, slots=True)
class DeliverSettings:
    """What `functions/deliver` needs. For the seven from `link_days` on see `Policy`."""

    stage: str
    livemode: bool
    secret_name: str
    queue_url: str
    dead_letter_url: str
    orders_table: str
    sender: str
    configuration_set: str
    link_days: int
    grace_days: int
    end_on_partial_refund: bool
    keep_canceled: bool
    ask_when_paid_late: bool
    hold_on_fraud_warning: bool
    connected_accounts: bool
    stripe_api_base: str
    fastio_api_base: str
    fastio_web_base: str

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "DeliverSettings":
        """Raises SettingsIncomplete, naming every gap."""
        read = _Reader(environ)
        settings = cls(
            stage=read.text("STAGE"),
            livemode=read.livemode(),
            secret_name=read.text("SECRET_NAME"),
            queue_url=read.text("QUEUE_URL"),
            dead_letter_url=read.text("DEAD_LETTER_QUEUE_URL"),
            orders_table=read.text("ORDERS_TABLE"),
            sender=read.address("SENDER_ADDRESS"),
            configuration_set=read.text("MAIL_CONFIGURATION_SET"),
            link_days=read.whole_number("LINK_DAYS", 1, 3650),
            grace_days=read.whole_number("GRACE_DAYS", 0, 60),
            end_on_partial_refund=read.word("PARTIAL_REFUNDS", "keep", "end") == "end",
            keep_canceled=read.word("CANCELED_SUBSCRIPTIONS", "end", "keep") == "keep",
            ask_when_paid_late=read.word("LATE_PAYMENTS", "deliver", "ask") == "ask",
            hold_on_fraud_warning=read.word("FRAUD_WARNINGS", "ignore", "hold") == "hold",
            connected_accounts=read.word("CONNECTED_ACCOUNTS", "park", "allow") == "allow",
            stripe_api_base=read.base_url("STRIPE_API_BASE"),
            fastio_api_base=read.base_url("FASTIO_API_BASE"),
            fastio_web_base=read.base_url("FASTIO_WEB_BASE"),
        )
        read.complain()
        return settings

    @property
    def policy(self) -> Policy:
        return Policy(
            livemode=self.livemode,
            link_days=self.link_days,
            grace_days=self.grace_days,
            end_on_partial_refund=self.end_on_partial_refund,
            hold_on_fraud_warning=self.hold_on_fraud_warning,
            keep_canceled=self.keep_canceled,
            ask_when_paid_late=self.ask_when_paid_late,
        )


@dataclass(frozen=True, slots=True)
class FeedbackSettings:
    """What `functions/feedback` needs. Its queue is the one that SES's events come through."""

    stage: str
    queue_url: str
    dead_letter_url: str
    orders_table: str

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "FeedbackSettings":
        """Raises SettingsIncomplete, naming every gap."""
        read = _Reader(environ)
        settings = cls(
            stage=read.text("STAGE"),
            queue_url=read.text("MAIL_QUEUE_URL"),
            dead_letter_url=read.text("DEAD_LETTER_QUEUE_URL"),
            orders_table=read.text("ORDERS_TABLE"),
        )
        read.complain()
        return settings


@dataclass(frozen=True, slots=True)
class SweepSettings:
    """What `functions/sweep` needs."""

    stage: str
    livemode: bool
    secret_name: str
    queue_url: str
    events_table: str
    orders_table: str
    hold_on_fraud_warning: bool
    stripe_api_base: str
    fastio_api_base: str

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "SweepSettings":
        """Raises SettingsIncomplete, naming every gap."""
        read = _Reader(environ)
        settings = cls(
            stage=read.text("STAGE"),
            livemode=read.livemode(),
            secret_name=read.text("SECRET_NAME"),
            queue_url=read.text("QUEUE_URL"),
            events_table=read.text("EVENTS_TABLE"),
            orders_table=read.text("ORDERS_TABLE"),
            hold_on_fraud_warning=read.word("FRAUD_WARNINGS", "ignore", "hold") == "hold",
            stripe_api_base=read.base_url("STRIPE_API_BASE"),
            fastio_api_base=read.base_url("FASTIO_API_BASE"),
        )
        read.complain()
        return settings


class _Reader:
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
