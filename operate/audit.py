"""
What the functions' logs say of the promises (docs/reliability.md): the same eyes look at a simulated run, at the soak,
and at an export of production's logs.

A log knows less than the simulation's judge: what was asked for, what was looked at, put off or given to a person.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from paidshare.notices import SWEEP

SETTLED_WITHIN_S = 6 * 3600.0
"""An order is settled, or a person's, six hours after the last trouble."""

_PERSONAL = re.compile(
    r"[\w.+-]+@[\w-]+\.[A-Za-z]{2,}|/shared/\w+|\b(?:whsec|sk_live|sk_test|rk_live|rk_test)_\w+", re.ASCII
)
_SIGNS = ("@", "/shared/", "whsec_", "sk_", "rk_")
_LINK_MAILED = "deliver"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a function's log: *fact* is its message, at Unix seconds *at*."""

    at: float
    fact: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """*promise*, by its name in the simulation, does not hold of *about* (an order, an event); *how* in words."""

    promise: str
    about: str
    at: float
    how: str


@dataclass(slots=True)
class Audit:
    """Sees lines in the order of time, and tells what is not as promised."""

    findings: list[Finding] = field(default_factory=list)
    lines: int = 0
    first_at: float | None = None
    last_at: float = 0.0
    _queued: dict[str, Line] = field(default_factory=dict)
    _seen: dict[str, int] = field(default_factory=dict)
    """Events that somebody worked on, and the attempt that came to the end of one; 0 for none yet."""
    _put_off: dict[str, Line] = field(default_factory=dict)
    _mailed: set[str] = field(default_factory=set)
    _orders: set[str] = field(default_factory=set)

    @property
    def orders(self) -> int:
        """How many orders were looked at."""
        return len(self._orders)

    def see(self, line: Line) -> None:
        self.lines += 1
        self.first_at = line.at if self.first_at is None else self.first_at
        self.last_at = max(self.last_at, line.at)
        self._nothing_personal(line)
        # A message that is no notice has no event: then its own id.
        event = str(line.fields.get("event_id") or line.fields.get("message_id", ""))
        order = str(line.fields.get("order_id", ""))
        match line.fact:
            case "notice_queued":
                # The queue may be faster than the log.
                if event not in self._seen:
                    self._queued.setdefault(event, line)
            case "order_looked_at" | "order_on_hold":
                self._done(event, order, _attempt(line))
                if line.fact == "order_looked_at":
                    self._one_letter_of_each_change(line, order)
            case "order_put_off" | "order_failed" if event:
                self._queued.pop(event, None)
                # SQS may give a message to two at once: one is done, and the other finds the order busy.
                if _attempt(line) > self._seen.setdefault(event, 0):
                    self._put_off.setdefault(event, line)

    def end(self) -> list[Finding]:
        """All findings, once the last line was seen. What the log's last hours began may come to its end yet."""
        for event, since in (*self._queued.items(), *self._put_off.items()):
            if self.last_at - since.at > SETTLED_WITHIN_S:
                order = str(since.fields.get("order_id") or since.fields.get("about", event))
                how = "was queued" if since.fact == "notice_queued" else "was put off"
                self._find("all_is_settled", order, since.at, f"{event} {how}, and nobody looked within six hours")
        return self.findings

    def _done(self, event: str, order: str, attempt: int) -> None:
        self._queued.pop(event, None)
        self._put_off.pop(event, None)
        self._seen[event] = attempt
        if order:
            self._orders.add(order)

    def _one_letter_of_each_change(self, line: Line, order: str) -> None:
        """The step `deliver` ends an order's delivery: a second one means a second letter with the link."""
        if str(line.fields.get("step")) != _LINK_MAILED:
            return
        if order in self._mailed and line.fields.get("why") != SWEEP:
            self._find("one_letter_of_each_change", order, line.at, "its link was mailed twice")
        self._mailed.add(order)

    def _nothing_personal(self, line: Line) -> None:
        said = str(line.fields)
        # Most lines have none of these signs, and are not searched.
        if not any(map(said.__contains__, _SIGNS)) or not _PERSONAL.search(said):
            return
        # SES's own id of a letter may look like an address.
        found = {name: value for name, value in line.fields.items() if name != "message_id"}
        if names := [name for name, value in found.items() if _PERSONAL.search(str(value))]:
            # What it is stays where it was found.
            how = f"an address, a link or a secret is in “{'”, “'.join(names)}”"
            self._find("nothing_personal", line.fact, line.at, how)

    def _find(self, promise: str, about: str, at: float, how: str) -> None:
        self.findings.append(Finding(promise, about, at, how))


def audited(lines: Iterable[Line]) -> Audit:
    """All of *lines* seen, of however many logs, in the order of time."""
    found = Audit()
    for one in sorted(lines, key=lambda each: each.at):
        found.see(one)
    return found


def _attempt(line: Line) -> int:
    return int(line.fields.get("attempt", 1))


_DECODER = json.JSONDecoder()
_OWN = frozenset({"level", "location", "message", "timestamp", "service", "xray_trace_id", "sampling_rate"})


def read(text: Iterable[str]) -> Iterator[Line]:
    """
    The functions' own lines in an export of CloudWatch Logs: `aws logs tail` and `aws logs filter-log-events` with
    `--output text` put words before each, and an exported task's file a time. What is no line of ours is left out.
    """
    for raw in text:
        start = raw.find("{")
        if start < 0:
            continue
        try:
            said, _ = _DECODER.raw_decode(raw, start)
            at = datetime.fromisoformat(said["timestamp"]).timestamp()
        except (ValueError, KeyError, TypeError):
            continue
        yield Line(at, str(said.get("message")), {name: value for name, value in said.items() if name not in _OWN})
