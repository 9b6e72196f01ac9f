"""What lies at Fast.io, asked with the stack's own key."""

from datetime import UTC, datetime

from operate.answers import NotKnown
from operate.orders.correction import is_safe_base
from operate.stacks import Stack
from paidshare.shares_fastio import FastioStorage


def storage(to: Stack) -> FastioStorage:
    """Closed when the command is over. Raises NotKnown where the key would be seen on the way."""
    if not is_safe_base(to.fastio_api_base):
        raise NotKnown(f"the Fast.io key is not shown to {to.fastio_api_base}, which is no https:// address")
    return to.once.answer("Fast.io's storage", lambda: _opened(to))


def _opened(to: Stack) -> FastioStorage:
    opened = FastioStorage.over_https(
        api_key=lambda: to.secret.fastio_api_key, clock=lambda: datetime.now(UTC), api_base=to.fastio_api_base
    )
    to.closing.callback(opened.close)
    return opened
