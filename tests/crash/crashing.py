"""Plays the crash table: every call of every scenario, with the worker killed before it and after it."""

import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from local.signing import sign_stripe
from tests.crash.bed import Order, TestBed
from tests.crash.proxy import Blow, Strike
from tests.crash.rows import Row
from tests.crash.scenarios import SES, Scenario
from tests.crash.station import Case, Station
from tests.crash.worker_pool import WorkerPool

RECEIVED = "Receive takes the event, and Deliver sees to it"
RECEIVE_CALLS = ("Secrets Manager: get secret", "events table: in progress", "SQS: send", "events table: done")
SECOND_LETTER = "killed after, and SES’s event never comes"
KILLS = (Blow.KILL_BEFORE, Blow.KILL_AFTER)

# Stripe's first retries are minutes apart; the very first here is sooner, into the time in which the crashed worker
# might still be at work.
_SENT_AGAIN_AFTER = (1.0, 60.0)


def orders(worker_pool: WorkerPool, scenario: Scenario, name: str, number: int) -> list[Order]:
    """So many, each one event before the scenario ends."""
    made = [worker_pool.bed.pay(f"{name}-{n}") for n in range(number)]
    for event in scenario.before:
        made = [event(worker_pool.bed, order) for order in made]
        worker_pool.settle(made)
    return [scenario.happens(worker_pool.bed, order) for order in made]


def crashes(worker_pool: WorkerPool, scenario: Scenario) -> list[Row]:
    """Two rows for each call; and one for the letter whose sending nobody hears of."""
    strikes = [Strike(name, blow, nth) for name, nth in scenario.numbered for blow in KILLS]
    strikes.append(Strike(SES, Blow.KILL_AFTER))
    at_work = orders(worker_pool, scenario, scenario.name, len(strikes))
    cases = [
        partial(_crash, scenario, order, strike, ses_tells=strike is not strikes[-1])
        for order, strike in zip(at_work, strikes, strict=True)
    ]
    return _ended(worker_pool.bed, at_work, worker_pool.play(cases))


def faults(worker_pool: WorkerPool, scenario: Scenario, strikes: list[list[Strike]], chapter: str) -> list[Row]:
    """A row for each list of strikes, named after its first."""
    at_work = orders(worker_pool, scenario, "fault", len(strikes))
    cases = [partial(_struck, chapter, order, each) for order, each in zip(at_work, strikes, strict=True)]
    return _ended(worker_pool.bed, at_work, worker_pool.play(cases))


def received(worker_pool: WorkerPool, strikes: list[list[Strike]], chapter: str) -> list[Row]:
    """The same for Receive: a row for each list of strikes at its calls."""
    at_work = [worker_pool.bed.pay(f"received-{strikes[0][0].blow.name}-{n}") for n in range(len(strikes))]
    cases = [partial(_received, chapter, order, each) for order, each in zip(at_work, strikes, strict=True)]
    return _ended(worker_pool.bed, at_work, worker_pool.play(cases))


def _ended(bed: TestBed, at_work: list[Order], rows: list[Row]) -> list[Row]:
    books = bed.books()
    for order, row in zip(at_work, rows, strict=True):
        row.ending = bed.ending(order, books)
    return rows


def _crash(scenario: Scenario, order: Order, strike: Strike, on: Station, *, ses_tells: bool) -> Row:
    blow = f"killed {strike.blow}" if ses_tells else SECOND_LETTER
    row = Row(scenario.title, scenario.step(strike.at, strike.nth), blow)
    return _played(row, Case(on, order.body, ses_tells=ses_tells), strike)


def _struck(chapter: str, order: Order, strikes: list[Strike], on: Station) -> Row:
    return _played(Row(chapter, strikes[0].at, strikes[0].blow), Case(on, order.body), *strikes)


def _received(chapter: str, order: Order, strikes: list[Strike], on: Station) -> Row:
    blow = strikes[0].blow
    row = Row(chapter, strikes[0].at, f"killed {blow}" if blow in KILLS else blow)
    case = Case(on)
    case.arm(*strikes)
    return _watched(row, case, partial(_sent_until_taken, order, case))


def _sent_until_taken(order: Order, case: Case) -> None:
    """The event comes again, with a fresh signature, until it is answered 200."""
    body = json.dumps(order.event).encode()
    waits = iter(_SENT_AGAIN_AFTER * 5)
    while True:
        end = case.station.receive(_request(case.station.bed, body, case.way.seconds), now_s=case.way.seconds)
        case.way.workers += 1
        if end.result is not None and end.result["status"] == 200:
            return
        assert end.killed or (end.result is not None and end.result["status"] == 503), end
        case.way.seconds += next(waits)


def _request(bed: TestBed, body: bytes, now_s: float) -> dict[str, Any]:
    """As API Gateway makes it, payload format 2.0."""
    signature = sign_stripe(body, bed.stack.endpoints.stripe_webhook_secret, int(time.time() + now_s))
    return {
        "version": "2.0",
        "routeKey": "POST /webhook/stripe",
        "headers": {"content-type": "application/json", "stripe-signature": signature},
        "requestContext": {"http": {"method": "POST", "sourceIp": "192.0.2.1"}, "stage": "$default"},
        "body": body.decode(),
        "isBase64Encoded": False,
    }


def _played(row: Row, case: Case, *strikes: Strike) -> Row:
    case.arm(*strikes)
    return _watched(row, case, lambda: None)


def _watched(row: Row, case: Case, first: Callable[[], None]) -> Row:
    """One case that goes wrong is a row that says so, and the others are played all the same."""
    try:
        first()
        case.play()
    except Exception as error:  # noqa: BLE001  # The row tells it.
        row.trouble = f"{type(error).__name__}: {error}"
    row.way, row.left = case.way, case.left()
    return row
