"""docs/stories.md, from the stories themselves."""

from itertools import groupby
from pathlib import Path
from typing import assert_never

from paidshare.states import State, Why
from tests.stories.every import EVERY
from tests.stories.story import Ending, Story

PAGE = Path(__file__).parents[2] / "docs" / "stories.md"

_INTRODUCTION = """\
# What becomes of a purchase

Each row is a purchase as Stripe tells it, what the buyer has in the end, and the letters that went out, in order.
Nobody has to do anything for it. `tests/stories/every.py` has the same stories as data: the tests play each of them
against the running system, and in memory with its events late, twice, in an old API version, or missing.
`scripts/stories.py` writes this page from them.

Rows marked with a parameter need it; every other row is what happens if you choose nothing.
"""

_CLOSING = """
## What holds for all of them

- A link that dies, dies at once. A link that comes back is the same link, with the time that was left.
- However late or often Stripe tells us, each letter leaves once, and only if it is true when it leaves: of a dispute
  that is won before we hear of it, the buyer hears nothing. Only a crash in the very moment of sending can repeat a
  letter.
- When a link has run out by itself, whatever happens later is left alone.
- Each order has its own link. A subscription has one order for each invoice that is paid.
"""

_CHOICES = {
    "end_on_partial_refund": "PartialRefunds=end",
    "keep_canceled": "CanceledSubscriptions=keep",
    "hold_on_fraud_warning": "FraudWarnings=hold",
}


def page() -> str:
    chapters = [
        "\n".join(
            [
                f"## {chapter}\n",
                "| what happens | the buyer then has | letters to the buyer |",
                "|---|---|---|",
                *map(_row, stories),
            ]
        )
        for chapter, stories in groupby(EVERY, key=lambda story: story.chapter)
    ]
    return "\n".join([_INTRODUCTION, "\n\n".join(chapters), _CLOSING])


def _row(story: Story) -> str:
    choices = [_CHOICES[name] for name in story.policy]
    if story.connected_accounts:
        choices.append("ConnectedAccounts=allow")
    marks = "".join(f" `{choice}`" for choice in choices)
    letters = ", then ".join(f"“{kind.headline}”" for kind in story.letters)
    return f"| {story.happens}{marks} | {_has(story)} | {letters or 'none'} |"


def _has(story: Story) -> str:
    orders = [ending for ending in story.endings if ending.state is not State.ELSEWHERE]
    if len(orders) == 1:
        return _having(orders[0], story)
    return "; ".join(
        f"{when}: {_having(ending, story)}" for when, ending in zip(("first period", "second"), orders, strict=True)
    )


def _having(ending: Ending, story: Story) -> str:
    match ending.state:
        case State.DELIVERED:
            return ", ".join(ending.files or ())
        case State.ACCESS_ON_HOLD:
            return "nothing for now (the link can come back)"
        case State.ACCESS_ENDED:
            return "nothing any more"
        case State.NEW if story.person:
            return "nothing; the event waits for a person to decide"
        case State.WAITING:
            return "nothing" if ending.why is Why.PAYMENT_FAILED else "nothing yet"
        case State.NOT_OURS | State.NEW:
            return "nothing from us"
        case State.ELSEWHERE | State.ON_HOLD:
            raise ValueError(f"{story.name}: nobody needs a row for {ending.state}")
        case _:
            assert_never(ending.state)
