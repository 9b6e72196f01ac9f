"""
Writes docs/reliability.md from what the crash tests print.

    python -m pytest tests/crash | python scripts/crash_table.py
"""

import re
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reliability.md"

_HOW = "## How the numbers are made\n"
_INTRODUCTION = """\
# What survives what

Whatever breaks, and whenever: a paid order ends as one open share with the right files, one letter for each thing that
the buyer has to know, a complete row in the ledger, and nothing left in a queue. Nobody has to do anything for it.

- **A worker dies**, at any moment. Its message comes back after the queue's visibility time-out, six minutes; its lease
  of the order has run out by then (75 seconds). The next worker asks Stripe what should be, sees in the ledger and at
  Fast.io what is, and does the rest. Where Receive dies, Stripe has no 200 and sends the event again.
- **An answer is lost** after the work was done. A share is found again by its name and checked to be the order's; files
  that are in it already are not added twice; archiving what is archived changes nothing.
- **Two workers** at one order: one of them holds it, the other comes back later. That holds when both start at the same
  moment, when an order is several times in one batch, when one dies and its lease outlives it, and when a clock is an
  hour early or late: a wrong clock costs waiting, and never an order.
- **AWS fails**: throttled, HTTP 500, connection reset, answer lost, two seconds late, at any of the calls that the
  functions make. Receive answers 503, and Stripe sends the event again; Deliver puts the message off.
- **A message that nobody can work off** does not hold up the others of its batch. One that is no notice goes to a
  person at once. One that kills the worker takes the others down with it the first time; after that they come back at
  different moments, and are delivered. It goes to the dead-letter queue in the end.

## The one exception

SES takes a letter, and the worker dies before it can write that down: nobody here knows whether the letter left. SES
does, and says so with an event within seconds, which is written on the order; the next worker reads it, and mails
nothing. Only if that event, too, stays away, or the worker's clock was more than seconds ahead of SES's, is the letter
sent a second time, because a second letter is better than none. It is the last row of each of the first three tables.

## The tables

Each row is an order of its own. “killed before” is before the call arrives, “killed after” is after it did its work and
before the worker hears of it. “workers” are the processes that it took in all, those that were killed included; for
Receive, each time that Stripe sends the event counts. “time passed” is how long it would have taken until the last of
them began: the waits of the queue, or of Stripe, added up. “letters” are all that the buyer ever got for this order: an
order that was refunded has had two, one whose dispute was won three.

"""

_CLOSING = """
## A thousand orders in trouble

`make soak` sells a thousand orders (one-off, late, subscriptions, some paid back later) in a system of its own, while
every provider fails every fifth call, loses the answer of one in twenty after the work was done, a worker is killed
every few seconds, and three events in ten come twice. It ends by itself, with an account of everything, and with 0 only
when nothing was lost, doubled or left. `make test` does the same with a hundred. What it printed on two cores, waits of
the queue cut short from outside to save time:

| | |
|---|--:|
| orders paid; shares | 1,000; 1,000 |
| letters: one for each, and one for each of those paid back later | 1,108 |
| letters sent a second time; dead letters; messages left; orders not as they should be | 0; 0; 0; 0 |
| calls that failed before the work, after it: Stripe | 1,602, 400 |
| … Fast.io | 2,827, 676 |
| … SES | 279, 66 |
| workers killed: Deliver, Feedback, Receive | 48, 26, 20 |
| paid to letter: median, 95 %, longest | 63 s, 204 s, 360 s |
| duration | 491 s |

## How the numbers are made

`tests/crash` plays all of it in `make test`, against the laptop's AWS (MiniStack) and the stand-ins for Stripe and
Fast.io, with the settings of the deployed functions, and queues and tables of its own. A worker is a process that runs
the real handler between taking a message and deleting it, as Lambda's poller does; it is killed with SIGKILL. A proxy
between the worker and everything it talks to counts the calls, and kills the worker, or breaks the call, at the one
that the row names. Time is not waited for: the worker's clock is set forward by what the queue would have waited. SES's
event of a letter is written down by the code that Feedback uses, before the next worker starts; only the rows that say
so go without. A fault of AWS's falls on two calls in a row, because boto3 tries most calls twice by itself; only
“2 s late” falls on one.

This page is what the tests printed:

    .venv/bin/python -m pytest tests/crash | .venv/bin/python scripts/crash_table.py
"""


def tables(printed: str) -> str:
    """The crash table out of pytest's output. Raises ValueError when a test failed, or nothing was played."""
    found = re.search(r"^=+ crash table =+\n(.*?)^=", printed, re.MULTILINE | re.DOTALL)
    if found is None:
        raise ValueError("there is no crash table in it")
    if re.search(r"^=+ .*\b(failed|error)", printed, re.MULTILINE) or not re.search(r"\d+ passed", printed):
        raise ValueError("not every test passed")
    return found[1].strip() + "\n"


def page(made: str, *, before: str) -> str:
    """The page with the tables *made*. What is written by hand about the simulation stays as it was *before*."""
    simulated = re.search(r"^## Simulated\n.*?(?=^## )", before, re.MULTILINE | re.DOTALL)
    closing = _CLOSING.replace(_HOW, (simulated[0] if simulated else "") + _HOW)
    return _INTRODUCTION + made + closing


if __name__ == "__main__":
    try:
        made = tables(sys.stdin.read())
    except ValueError as error:
        sys.exit(f"docs/reliability.md stays as it is: {error}")
    PAGE.write_text(page(made, before=PAGE.read_text(encoding="utf-8")), encoding="utf-8")
