"""What Stripe answers, as plain JSON: one object, or all pages of a list."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import stripe

from paidshare.payments_stripe import fields
from paidshare.payments_stripe.fields import Json, Page

MOST_ON_A_PAGE = 100  # Stripe's own limit (docs.stripe.com/api/pagination).


def about(asked: str, answer: stripe.StripeObject) -> Json:
    """
    The answer as plain JSON. Raises ValueError when it is about something else: read as an order, it would be one that
    is not paid or has no lines, and so be forgotten.
    """
    found = answer.to_dict()
    if fields.the_id(found) != asked:
        raise ValueError("not what was asked for")
    return found


def said_at(answer: stripe.StripeObject) -> datetime | None:
    """What time it was by Stripe's clock when it answered, in whole seconds (HTTP's `Date`); None without."""
    headers = answer.last_response.headers if answer.last_response else {}
    try:
        moment = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def whole(first: Page, pages: Callable[[], stripe.ListObject[Any]]) -> list[Json]:
    """A list that came inside another object, or all *pages* of it when it goes on."""
    return every(pages()) if first.more else first.items


def every(first: stripe.ListObject[Any]) -> list[Json]:
    return [one for page in pages(first) for one in page.items]


def pages(first: stripe.ListObject[Any]) -> Iterator[Page]:
    """*first* and the pages after it, each asked for when it is looked at."""
    listed = first
    while True:
        page = fields.page_of(listed.to_dict())
        yield page
        if not page.more:
            return
        listed = listed.next_page()


def ids(found: Iterable[object]) -> tuple[str, ...]:
    """The ids in the fields that were *found*, each once; empty ones are left out."""
    return tuple(dict.fromkeys(filter(None, map(fields.id_in, found))))
