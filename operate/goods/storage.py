"""Fast.io, asked with the stack's own key: what lies there, and which shares there are."""

from datetime import UTC, datetime

from operate.answers import NotKnown
from operate.orders.correction import is_safe_base
from operate.stacks import Stack
from paidshare.shares_fastio import FastioApi, FastioShareListing, FastioStorage


def storage(to: Stack) -> FastioStorage:
    """Closed when the command is over. Raises NotKnown where the key would be seen on the way."""
    return FastioStorage(_api(to))


def share_listing(to: Stack) -> FastioShareListing:
    """Closed when the command is over. Raises NotKnown where the key would be seen on the way."""
    return FastioShareListing(_api(to))


def _api(to: Stack) -> FastioApi:
    if not is_safe_base(to.fastio_api_base):
        raise NotKnown(f"the Fast.io key is not shown to {to.fastio_api_base}, which is no https:// address")

    def opened() -> FastioApi:
        made = FastioApi.over_https(
            api_key=lambda: to.secret.fastio_api_key, clock=lambda: datetime.now(UTC), api_base=to.fastio_api_base
        )
        to.closing.callback(made.close)
        return made

    return to.once.answer("Fast.io", opened)
