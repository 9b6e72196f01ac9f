"""What a soak left behind, held against what was bought: one share, one letter, nothing waiting, nothing missing."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from local import seeds
from local.aws.letters import Letter
from local.settings import STAGE
from local.stack import Stack
from operate.audit import Audit, Line, audited, read


@dataclass(frozen=True, slots=True)
class Bought:
    """
    One paid order: what its share must hold, and when it was paid (Unix seconds). *refunded* ones are paid back once
    they are delivered.
    """

    order_id: str
    session: str
    email: str
    files: frozenset[str]
    paid_at: float
    refunded: bool

    @property
    def state(self) -> str:
        """What the ledger must say in the end."""
        return "access_ended" if self.refunded else "delivered"

    @property
    def letters(self) -> int:
        """How many letters are due: the link, and for a refund the end of it."""
        return 2 if self.refunded else 1


@dataclass(frozen=True, slots=True)
class Seen:
    """
    Everything that is there: the ledger's rows and the shares by order, the letters by buyer (each the oldest first),
    and how many messages are in the queues and are dead letters.
    """

    rows: Mapping[str, Mapping[str, str]]
    shares: Mapping[str, Sequence[Mapping[str, Any]]]
    letters: Mapping[str, Sequence[Letter]]
    queued: int
    dead: int
    audit: Audit = field(default_factory=Audit)
    """Of everything that the functions logged: as of a simulated run, and of an export of production's logs."""


@dataclass(frozen=True, slots=True)
class Account:
    """`figures` are what there is, by name; `troubles` are what should not be so, each with its order."""

    figures: dict[str, str]
    troubles: list[str]


# --- Seeing ---------------------------------------------------------------------------------------------


def look(stack: Stack, *, mail_queue: str) -> Seen:
    """All of it, now. *mail_queue* is the URL of the queue of SES's news."""
    shares = defaultdict(list)
    with seeds.client(stack.endpoints.fastio_url) as fastio:
        for share in fastio.get("/_shares").json()["shares"]:
            # What Paidshare writes on its shares: a JSON object as text.
            shares[str(json.loads(share["owner_defined"] or "{}").get("paidshare_order", ""))].append(share)
    letters = defaultdict(list)
    for letter in stack.letters():
        for to in letter.to:
            letters[to].append(letter)
    outputs = stack.endpoints.outputs
    return Seen(
        rows=ledger(stack),
        shares=shares,
        letters=letters,
        queued=waiting(stack, outputs["QueueUrl"], mail_queue),
        dead=waiting(stack, outputs["DeadLetterQueueUrl"]),
        audit=audited(logged(stack)),
    )


def logged(stack: Stack) -> Iterator[Line]:
    """What the functions logged, each by itself."""
    for name in ("receive", "deliver", "feedback", "sweep"):
        pages = stack.aws.logs.get_paginator("filter_log_events").paginate(logGroupName=f"/paidshare/{STAGE}/{name}")
        yield from read(event["message"] for page in pages for event in page["events"])


def waiting(stack: Stack, *queue_urls: str) -> int:
    """How many messages are in these queues, in sight or not."""
    count = 0
    for url in queue_urls:
        found = stack.aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        count += int(found["ApproximateNumberOfMessages"]) + int(found["ApproximateNumberOfMessagesNotVisible"])
    return count


def ledger(stack: Stack) -> dict[str, dict[str, str]]:
    """Every order's row as plain text values, by the order's id."""
    rows = {}
    pages = stack.aws.dynamodb.get_paginator("scan").paginate(
        TableName=stack.endpoints.outputs["OrdersTable"], ConsistentRead=True
    )
    for page in pages:
        for item in page["Items"]:
            row = {name: str(next(iter(value.values()))) for name, value in item.items()}
            rows[row["order_id"]] = row
    return rows


# --- Judging --------------------------------------------------------------------------------------------


def settled(row: Mapping[str, str] | None, state: str) -> bool:
    """Whether an order's row is in *state*, with nobody at work on it and no letter in doubt."""
    return row is not None and row["state"] == state and not {"lease_holder", "mailing"} & row.keys()


def account(bought: Sequence[Bought], seen: Seen) -> Account:
    """What *bought* has become."""
    troubles = list(_troubles(bought, seen))
    letters = [seen.letters.get(one.email, ()) for one in bought]
    waits = sorted(found[0].at - one.paid_at for one, found in zip(bought, letters, strict=True) if found)
    return Account(
        figures={
            "orders paid": str(len(bought)),
            "  of them paid back later": str(len([one for one in bought if one.refunded])),
            "shares": str(sum(map(len, seen.shares.values()))),
            "letters": str(sum(map(len, letters))),
            "  of them a second time": str(sum(len(found) - len(_kinds(found)) for found in letters)),
            "orders not as they should be": str(len([one for one in bought if not _as_it_should(one, seen)])),
            "messages in the queues": str(seen.queued),
            "dead letters": str(seen.dead),
            "lines of the logs, audited": f"{seen.audit.lines:,}",
            "paid to letter, median": f"{median(waits):.1f} s" if waits else "none",
            "paid to letter, 95 %": f"{waits[int(0.95 * len(waits))]:.1f} s" if waits else "none",
            "paid to letter, longest": f"{waits[-1]:.1f} s" if waits else "none",
        },
        troubles=troubles,
    )


def _troubles(bought: Sequence[Bought], seen: Seen) -> Iterator[str]:
    for one in bought:
        if not _as_it_should(one, seen):
            yield f"{one.order_id}: the ledger has it {_said(seen.rows.get(one.order_id))}"
        yield from (f"{one.order_id}: {what}" for what in _about_shares(one, seen.shares.get(one.order_id, ())))
        yield from (f"{one.order_id}: {what}" for what in _about_letters(one, seen.letters.get(one.email, ())))
    for order_id in seen.shares.keys() - {one.order_id for one in bought}:
        yield f"{order_id}: a share of no order that was paid"
    if seen.queued:
        yield f"{seen.queued} messages are left in the queues"
    if seen.dead:
        yield f"{seen.dead} dead letters"
    yield from (f"{one.about}: {one.how} ({one.promise}, in the logs)" for one in seen.audit.end())


def _as_it_should(one: Bought, seen: Seen) -> bool:
    return settled(seen.rows.get(one.order_id), one.state)


def _about_shares(one: Bought, shares: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if len(shares) != 1:
        yield f"{len(shares)} shares"
    due = "archived" if one.refunded else "open"
    for share in shares:
        if share["standing"] != due:
            yield f"its share is {share['standing']}, and should be {due}"
        names = sorted(file["name"] for file in share["files"])
        if names != sorted(one.files):
            yield f"its share holds {names}, and should hold {sorted(one.files)}"


def _about_letters(one: Bought, letters: Sequence[Letter]) -> Iterator[str]:
    kinds = _kinds(letters)
    if len(kinds) != one.letters:
        yield f"letters of {len(kinds)} kinds, and should be of {one.letters}"
    yield from (f"{count} times the letter “{subject}”" for subject, count in kinds.items() if count > 1)


def _kinds(letters: Sequence[Letter]) -> Counter[str]:
    return Counter(letter.subject for letter in letters)


def _said(row: Mapping[str, str] | None) -> str:
    if row is None:
        return "not at all"
    more = [f"{name} {row[name]}" for name in ("reason", "mailing", "lease_until") if name in row]
    return ", ".join([row["state"], *more])
