"""The environment → frozen settings, once, lazily. Every gap is named in one error."""

from collections.abc import Mapping
from dataclasses import dataclass

from paidshare.settings.reading import Network, Reader


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
        read = Reader(environ)
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
    `access_days` is how long a buyer may have the share of what was bought once made anew, from the first letter on,
    for products that do not say; None for life. `by_page`: letters hold the page's link alone, and shares are made when
    they are asked for.
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
    access_days: int | None = None
    by_page: bool = False


@dataclass(frozen=True, slots=True)
class DeliverSettings:
    """
    What `functions/deliver` needs. For the nine from `link_days` on see `Policy`. `page_url` is what the orders' pages
    are under, `share_limit` how many shares the Fast.io plan has; 0 where nobody says.
    """

    stage: str
    livemode: bool
    secret_name: str
    queue_url: str
    dead_letter_url: str
    orders_table: str
    events_table: str
    sender: str
    configuration_set: str
    link_days: int
    access_days: int | None
    by_page: bool
    grace_days: int
    end_on_partial_refund: bool
    keep_canceled: bool
    ask_when_paid_late: bool
    hold_on_fraud_warning: bool
    connected_accounts: bool
    page_url: str
    share_limit: int
    stripe_api_base: str
    fastio_api_base: str
    fastio_web_base: str

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "DeliverSettings":
        """Raises SettingsIncomplete, naming every gap."""
        read = Reader(environ)
        settings = cls(
            stage=read.text("STAGE"),
            livemode=read.livemode(),
            secret_name=read.text("SECRET_NAME"),
            queue_url=read.text("QUEUE_URL"),
            dead_letter_url=read.text("DEAD_LETTER_QUEUE_URL"),
            orders_table=read.text("ORDERS_TABLE"),
            events_table=read.text("EVENTS_TABLE"),
            sender=read.address("SENDER_ADDRESS"),
            configuration_set=read.text("MAIL_CONFIGURATION_SET"),
            link_days=read.whole_number("LINK_DAYS", 1, 3650),
            access_days=read.access("ACCESS"),
            by_page=read.word("DELIVERY", "link", "page") == "page",
            grace_days=read.whole_number("GRACE_DAYS", 0, 60),
            end_on_partial_refund=read.word("PARTIAL_REFUNDS", "keep", "end") == "end",
            keep_canceled=read.word("CANCELED_SUBSCRIPTIONS", "end", "keep") == "keep",
            ask_when_paid_late=read.word("LATE_PAYMENTS", "deliver", "ask") == "ask",
            hold_on_fraud_warning=read.word("FRAUD_WARNINGS", "ignore", "hold") == "hold",
            connected_accounts=read.word("CONNECTED_ACCOUNTS", "park", "allow") == "allow",
            page_url=read.base_url("PAGE_URL"),
            share_limit=read.whole_number("SHARE_LIMIT", 0, 1_000_000),
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
            access_days=self.access_days,
            by_page=self.by_page,
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
        read = Reader(environ)
        settings = cls(
            stage=read.text("STAGE"),
            queue_url=read.text("MAIL_QUEUE_URL"),
            dead_letter_url=read.text("DEAD_LETTER_QUEUE_URL"),
            orders_table=read.text("ORDERS_TABLE"),
        )
        read.complain()
        return settings


@dataclass(frozen=True, slots=True)
class PageSettings:
    """What `functions/page` needs. `page_url` is what the orders' pages are under."""

    stage: str
    secret_name: str
    queue_url: str
    orders_table: str
    page_url: str
    stripe_api_base: str
    fastio_api_base: str
    fastio_web_base: str

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "PageSettings":
        """Raises SettingsIncomplete, naming every gap."""
        read = Reader(environ)
        settings = cls(
            stage=read.text("STAGE"),
            secret_name=read.text("SECRET_NAME"),
            queue_url=read.text("QUEUE_URL"),
            orders_table=read.text("ORDERS_TABLE"),
            page_url=read.base_url("PAGE_URL"),
            stripe_api_base=read.base_url("STRIPE_API_BASE"),
            fastio_api_base=read.base_url("FASTIO_API_BASE"),
            fastio_web_base=read.base_url("FASTIO_WEB_BASE"),
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
        read = Reader(environ)
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
