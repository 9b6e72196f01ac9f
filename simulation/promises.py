"""
What Paidshare promises (docs/reliability.md), checked while the shop is at work: each promise is a function of its
own, and says which one was broken, for whom, and how.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from local.fastio.state import Share, standing
from operate.audit import Finding
from paidshare.orders import Line
from paidshare.settings import Policy
from paidshare.states import TELLS, Kind, State, Told, Why
from simulation.aws.ses import Sent
from simulation.aws.sqs import Message, Queue
from simulation.clock import Clock, aware
from simulation.fastio import FileHost, order_of
from simulation.goods import FILES
from simulation.stripe import truth
from simulation.stripe.account import DAY_S, Account, AnOrder
from simulation.stripe.truth import Standing

STATED_S = 2 * 3600.0
"""
How long money may be back and the files still open, or kept without an answer, when nothing is in the way: half an
hour until the sweep has found what no event told of, and the longest wait of a message that failed before.
"""
_DECIDED_WITHIN_S = 75.0
"""Deliver asks Stripe and mails in one invocation of a minute; clocks are some seconds apart."""
_WORD_WITHIN_S = 80.0
"""SES's word counts when it comes within 90 seconds (`delivering.work`), by clocks that are some seconds apart."""
_THERE_AND_BACK = 2
_LATE_S = 10 * DAY_S
"""A period's files may stay for its grace, the time on hold, and as long as their letter was late."""

_NOTED_WITHIN_S = 1_800.0
_EVENT = re.compile(r'"event_id": "([^"]+)"')
_PERSONAL = ("@buyers.simulated", "go.simulated/", "fastio_key_of", "whsec_", "sk_test_")


@dataclass(frozen=True, slots=True)
class Broken:
    """*promise* (its function's name) was broken for the purchase *number* at *at*."""

    promise: str
    number: int
    at: float
    how: str

    def __str__(self) -> str:
        return f"{aware(self.at):%Y-%m-%d %H:%M:%S}  {self.promise}: {self.how} (buyer {self.number})"


@dataclass(slots=True)
class Judge:
    """
    Looks on. `broken` are the promises that were. `rows` are the ledger's, `harmed` is when a fault last struck what
    was done for a purchase.
    """

    clock: Clock
    account: Account
    host: FileHost
    policy: Policy
    rows: Mapping[str, dict[str, Any]]
    dead_letters: Queue
    letters: dict[str, list[Sent]] = field(default_factory=dict)
    broken: list[Broken] = field(default_factory=list)
    harmed: dict[int, float] = field(default_factory=dict)
    noted: dict[tuple[str, str], float] = field(default_factory=dict)
    """When the ledger had SES's word of an order's letter, by its mark."""
    standings: dict[str, list[tuple[float, Standing]]] = field(default_factory=dict)
    """What Stripe said of each order, and since when."""
    unknown: dict[int, float] = field(default_factory=dict)
    """Until when Paidshare need not know what last happened to a purchase."""
    wished: dict[str, set[str]] = field(default_factory=dict)
    """The operator's wishes of an order: their event ids."""
    asked: set[str] = field(default_factory=set)
    """The orders whose buyers asked for a share on the page."""
    resent: set[str] = field(default_factory=set)
    """The orders whose link was wished for once more."""
    last_word: dict[str, tuple[float, Sent]] = field(default_factory=dict)
    """Of each order the newest letter whose word SES has sent, and when it did."""
    tidied_at: float = 0.0
    """When the sweep last came to the end of all shares, and could look at each."""
    _skipped: bool = False
    seen_queued: set[str] = field(default_factory=set)
    """The ids of the events that were ever in the queue."""
    delayed: set[str] = field(default_factory=set)
    """The orders whose buyers were told that the files are late."""
    persons: set[str] = field(default_factory=set)
    """Those that a dead letter was ever about."""
    _written: dict[str, dict[str, Any]] = field(default_factory=dict)

    # --- What is seen ---------------------------------------------------------------------------------------

    def acted(self, number: int, *, found_within: float) -> None:
        """Something happened to the purchase at Stripe that Paidshare can know of so many seconds later."""
        now = self.clock.now
        self.unknown[number] = max(self.unknown.get(number, 0.0), now + found_within)
        for order in self.account.purchases[number].orders:
            history = self.standings.setdefault(order.id, [])
            found = truth.of_order(order, self.policy, now)
            if not history or history[-1][1] is not found:
                history.append((now, found))
        if not math.isinf(found_within):
            self.clock.at(now + found_within, partial(self._look_again, number, now))

    def _look_again(self, number: int, since: float) -> None:
        """At what was to be done by now, unless a fault was in the way."""
        calm_at = max(since, self.unknown[number] - STATED_S, self._harmed_at(number)) + STATED_S
        if math.isinf(calm_at):
            return
        if calm_at > self.clock.now:
            self.clock.at(calm_at, partial(self._look_again, number, since))
            return
        self._money(number)

    def _harmed_at(self, number: int) -> float:
        """When a fault last struck what was done for the purchase, or for all."""
        return max(self.harmed.get(number, 0.0), self.harmed.get(-1, 0.0))

    def _money(self, number: int) -> None:
        for order in self.account.purchases[number].orders:
            self.money_is_back_and_so_is_access(order)
            self.money_kept_is_answered(order)

    def shared(self, share: Share) -> None:
        order_id = order_of(share)
        if len(self.host.by_order.get(order_id, ())) > 1:
            self.one_live_share(order_id)
        self.only_what_was_bought(order_id, share)

    def mailed(self, letter: Sent) -> None:
        order = self.account.orders.get(letter.order_id)
        if letter.kind == Kind.DELAYED:
            self.told_of_a_delay_once(letter)
            return
        if order is not None:
            self.true_when_it_leaves(order, letter)
            self.one_letter_of_each_change(order, letter)
        letters = self.letters.setdefault(letter.order_id, [])
        letters.append(letter)
        if order is not None and len(letters) == 1:
            for line in order.lines:
                if truth.is_ours(line) and line.period_end is None:
                    end = self._stated_end(line, letter)
                    self.clock.at(end + STATED_S, partial(self.open_no_longer_than_stated, order, line, end))

    def _stated_end(self, line: Line, letter: Sent) -> float:
        """When its link stops to work, as its letter says."""
        return letter.at + int(line.metadata.get("fastio_link_days", self.policy.link_days)) * DAY_S

    def written(self, order_id: str, row: dict[str, Any]) -> None:
        mark = row.get("letter_sent_mark")
        if mark is not None:
            self.noted.setdefault((order_id, mark["S"]), self.clock.now)
        before, self._written[order_id] = self._written.get(order_id, {}), row
        # What is as it was, was looked at.
        self.nothing_personal("the ledger", [value for name, value in row.items() if before.get(name) is not value])

    def worded(self, letter: Sent) -> None:
        """SES has sent its word of *letter*. The ledger knows seconds; of two in one, which was begun last."""
        newest = self.last_word.get(letter.order_id)
        if newest is None or _left(newest[1]) <= _left(letter):
            self.last_word[letter.order_id] = (self.clock.now, letter)

    def queued(self, message: Message) -> None:
        self.nothing_personal("a queue", (message.body, message.attributes))
        self.seen_queued.update(_EVENT.findall(message.body))

    def given_to_a_person(self, message: Message) -> None:
        self.queued(message)
        self.persons.update(_EVENT.findall(message.body))

    def audited(self, findings: list[Finding]) -> None:
        """What the log shows."""
        for one in findings:
            self.broken.append(Broken(one.promise, -1, one.at, f"in the log: {one.about}: {one.how}"))
        findings.clear()

    def logged(self, fact: str, fields: Mapping[str, Any]) -> None:
        """A line of a function's log: here those of the sweep's rounds through all shares."""
        if fact == "shares_refused":
            self._skipped = True
        elif fact == "swept" and fields.get("part") == "shares" and fields.get("saw"):
            if fields.get("finished") and not self._skipped:
                self.tidied_at = self.clock.now
            self._skipped = False

    def look_at_all(self) -> None:
        """Once a day: what nothing happens to stays as it is, too."""
        now = self.clock.now
        for number in self.account.purchases:
            if max(self.unknown[number], self._harmed_at(number) + STATED_S) <= now:
                self._money(number)

    # --- The promises ---------------------------------------------------------------------------------------

    def one_live_share(self, order_id: str) -> None:
        """Never two live shares of an order."""
        if len(self.host.open_shares(order_id)) > 1:
            self._break(order_id, "one_live_share", "two shares of one order are open")

    def only_what_was_bought(self, order_id: str, share: Share) -> None:
        """A link opens files of what was bought and paid for, and no others."""
        if standing(share, self.host.state.now()) != "open":
            return
        order = self.account.orders.get(order_id)
        files = {node.name for node in share.storage.inside("root")}
        names = set() if order is None else {line.product_name for line in order.lines} | _planned(order)
        if files - {file for name in names for file in FILES.get(name, ())}:
            self._break(order_id, "only_what_was_bought", f"{sorted(files)} are open for {sorted(names)}")

    def true_when_it_leaves(self, order: AnOrder, letter: Sent) -> None:
        """No letter says what was not so, at any moment since it could have been decided."""
        told, now = TELLS[Kind(letter.kind)], self.clock.now
        history = self.standings.get(order.id, [])
        recent = [
            what
            for place, (_, what) in enumerate(history)
            if place + 1 == len(history) or history[place + 1][0] >= now - _DECIDED_WITHIN_S
        ]
        if not (self._known(order) | {*recent}) & _SAYS[told]:
            self._break(order.id, "true_when_it_leaves", f"“{letter.kind}” left, and it was {', '.join(recent)}")
        # Before a letter that gives access nobody has the link: a share that was begun, and whose worker died or could
        # not prove it, the sweep closes.
        mailed = {TELLS.get(Kind(one.kind)) for one in self.letters.get(order.id, ())}
        linked = Told.ACCESS in mailed | {told}
        if linked and told in _OPEN and bool(self.host.open_files(order.id)) is not _OPEN[told]:
            self._break(order.id, "true_when_it_leaves", f"“{letter.kind}” left, and its link does not say so")

    def _known(self, order: AnOrder) -> set[Standing]:
        """What is so by Stripe and the seller; what the seller rules is known when it was read off the queue."""
        heard = _RULED.get(self.rows.get(order.id, {}).get("ruled", {}).get("S", ""), "")
        now = self.clock.now
        return {truth.of_order(order, self.policy, now), truth.of_order(order, self.policy, now, ruled=heard)}

    def one_letter_of_each_change(self, order: AnOrder, letter: Sent) -> None:
        """The same is not said twice, unless SES's word of the first did not come in time."""
        before = self.letters.get(order.id, [])
        if not before or before[-1].kind != letter.kind:
            return
        last = before[-1]
        # It changed, and changed back.
        changes = sum(at > last.at - _DECIDED_WITHIN_S for at, _ in self.standings.get(order.id, ()))
        if changes >= _THERE_AND_BACK or order.id in self.resent or letter.kind == Kind.ACCESS_CHANGED:
            return
        word, by = self.noted.get((order.id, last.mark)), float(last.mark) + _WORD_WITHIN_S
        if self.clock.now < by or (word is not None and word <= by):
            self._break(order.id, "one_letter_of_each_change", f"“{letter.kind}” left twice")

    def told_of_a_delay_once(self, letter: Sent) -> None:
        """A buyer is told that the files are late before any other letter, while they are due, and once."""
        order, delayed = self.account.orders.get(letter.order_id), self.delayed
        due = order is not None and self._known(order) & _SAYS[Told.ACCESS]
        if letter.order_id in delayed or letter.order_id in self.letters or not due:
            self._break(letter.order_id, "told_of_a_delay_once", "it was told before, or is not due")
        delayed.add(letter.order_id)

    def ses_s_word_is_noted(self, order: AnOrder) -> None:
        """The ledger has SES's word of the last letter that it told of."""
        at, letter = self.last_word.get(order.id, (math.inf, None))
        if letter is None or at > self.clock.now - _NOTED_WITHIN_S:
            return
        noted = self.rows.get(order.id, {}).get("letter_sent_mark", {}).get("S")
        if noted != letter.mark:
            self._break(order.id, "ses_s_word_is_noted", f"SES told of {letter.mark}, and the row says {noted}")

    def a_wish_is_answered(self, order: AnOrder) -> None:
        """
        What came of an operator's wish, of several of the last that was heard, is in the ledger; unless a dead letter
        told of it, because the order waited for a person.
        """
        wishes, row = self.wished.get(order.id, set()), self.rows.get(order.id, {})
        if wishes and not self.persons.intersection(wishes) and row.get("resent", {}).get("S") not in wishes:
            self._break(order.id, "a_wish_is_answered", f"nobody answered {sorted(wishes)}: {_said(row)}")

    def what_is_taken_is_queued(self, number: int, event_id: str) -> None:
        """A webhook that was answered with 200 is in the queue, or was."""
        if event_id not in self.seen_queued:
            self.broken.append(
                Broken("what_is_taken_is_queued", number, self.clock.now, f"{event_id} was taken, and never queued")
            )

    def open_no_longer_than_stated(self, order: AnOrder, line: Line, end: float, *, seen_to: bool = False) -> None:
        """
        A file goes at the *end* that its letter stated, also where another one stays, and nothing else happened: within
        an hour of when the sweep has *seen to* it.
        """
        number = self.account.by_id[order.id].number
        changed = len(self.standings[order.id]) > 1 or len(self.letters[order.id]) > 1 or order.id in self.asked
        if changed or self.harmed.get(number, 0.0) >= end:
            return
        if not seen_to:
            done = self.tidied_at >= end + 1_800
            again = partial(self.open_no_longer_than_stated, order, line, end, seen_to=done)
            self.clock.at(self.clock.now + (3_600 if done else 1_800), again)
        elif set(FILES[line.product_name]).intersection(self.host.open_files(order.id)):
            self._break(order.id, "open_no_longer_than_stated", f"{line.product_name} is open after its end")

    def told_is_what_was_mailed(self, order: AnOrder) -> None:
        """What the ledger says that the buyer was told is what the last letter said that left."""
        told, letters = self.rows.get(order.id, {}).get("told", {}).get("S"), self.letters.get(order.id, ())
        last = letters[-1].kind if letters else None
        if told is not None and (last is None or TELLS[Kind(last)] != told):
            self._break(
                order.id, "told_is_what_was_mailed", f"the buyer was told {told}, and the last letter is {last}"
            )

    def money_is_back_and_so_is_access(self, order: AnOrder) -> None:
        """No file stays open for longer than stated once its money is back, or its time is over."""
        now = self.clock.now
        files = set(self.host.open_files(order.id))
        for line in order.lines if files else ():
            mine = files & set(FILES.get(line.product_name, ()))
            others = {
                file
                for one in order.lines
                if one.id != line.id and self._may(order, one, now)
                for file in FILES.get(one.product_name, ())
            }
            if mine - others and not self._may(order, line, now):
                found = truth.of_line(order, line, self.policy, now)
                self._break(order.id, "money_is_back_and_so_is_access", f"{line.product_name} is open, and {found}")

    def _may(self, order: AnOrder, line: Line, now: float) -> bool:
        found = truth.of_line(order, line, self.policy, now)
        if found is Standing.EITHER and line.period_end is not None:
            grace = self.policy.grace_days * DAY_S
            lasts: float = max(line.period_end.timestamp(), order.paid_at or 0.0) + grace + _LATE_S
            return now <= lasts
        return found in (Standing.ACCESS, Standing.EITHER, Standing.ASKS)

    def money_kept_is_answered(self, order: AnOrder) -> None:
        """While money is kept, the buyer has access, or was told why not, or a person has the case."""
        if not truth.money_kept(order) or not any(map(truth.is_ours, order.lines)):
            return
        if truth.of_order(order, self.policy, self.clock.now) is Standing.NOTHING or self.host.open_files(order.id):
            return
        row = self.rows.get(order.id, {})
        told = row.get("told", {}).get("S")
        # Who was mailed a link was told until when it would work.
        ran_out = told == Told.ACCESS and float(row.get("share_expires_at", {"N": "0"})["N"]) <= self.clock.now
        if ran_out or told in (Told.ON_HOLD, Told.ENDED) or self._is_a_persons(order.id):
            return
        self._break(order.id, "money_kept_is_answered", f"money is kept, and the row says {_said(row)}")

    def _is_a_persons(self, order_id: str) -> bool:
        return any(
            one.attributes.get("order", {}).get("StringValue") == order_id or f'"{order_id}"' in one.body
            for one in self.dead_letters.messages.values()
        )

    def nothing_personal(self, where: str, what: object) -> None:
        """No address, link or secret in queue, ledger or log."""
        said = str(what)
        for found in filter(said.__contains__, _PERSONAL):
            self.broken.append(Broken("nothing_personal", -1, self.clock.now, f"{found} in {where}"))

    def the_page_refuses_what_is_taken_back(self, order_id: str, page: str) -> None:
        """From the moment on at which the ledger says so, whatever of it was closed by then."""
        row = self.rows.get(order_id, {})
        state, why = (row.get(name, {}).get("S", "") for name in ("state", "reason"))
        if state in (State.ACCESS_ENDED, State.ACCESS_ON_HOLD) and why != Why.EXPIRED and "/shared/" in page:
            self._break(order_id, "the_page_refuses_what_is_taken_back", f"its page has the link, and it is {why}")

    def not_more_shares_than_the_plan_has(self) -> None:
        if len(self.host.state.shares) > self.host.state.share_limit:
            self.broken.append(Broken("not_more_shares_than_the_plan_has", -1, self.clock.now, "the plan is exceeded"))

    def all_is_settled(self, waiting: Callable[[], int]) -> None:
        """After the peace: nothing is in work, and each buyer has and knows what is so."""
        if waiting():
            self.broken.append(Broken("all_is_settled", -1, self.clock.now, f"{waiting()} messages are in work"))
        for purchase in self.account.purchases.values():
            for order in purchase.orders if self.unknown[purchase.number] <= self.clock.now else ():
                self._is_settled(order)
                self.told_is_what_was_mailed(order)
                self.ses_s_word_is_noted(order)
                self.a_wish_is_answered(order)
                self.money_is_back_and_so_is_access(order)
                self.money_kept_is_answered(order)

    def _is_settled(self, order: AnOrder) -> None:
        now, row = self.clock.now, self.rows.get(order.id, {})
        found, state = truth.of_order(order, self.policy, now), row.get("state", {}).get("S")
        if state == State.ON_HOLD:
            if not self._is_a_persons(order.id):
                self._break(order.id, "all_is_settled", "it waits for a person, and no dead letter says so")
            elif found is Standing.ACCESS:
                self._break(order.id, "all_is_settled", f"paid, and it waits for a person: {_said(row)}")
            return
        told, opened = row.get("told", {}).get("S"), bool(self.host.open_files(order.id))
        over = "share_expires_at" in row and float(row["share_expires_at"]["N"]) <= now
        if "mailing" in row:
            self._break(order.id, "all_is_settled", f"a letter is in doubt still: {_said(row)}")
        elif found is Standing.ACCESS and not over and (missing := self._missing(order)):
            self._break(order.id, "all_is_settled", f"paid, and {', '.join(missing)} cannot be had: {_said(row)}")
        elif found is Standing.ACCESS and not over and not (opened and told == Told.ACCESS):
            self._break(
                order.id, "all_is_settled", f"paid, and the buyer has {opened} and was told {told}: {_said(row)}"
            )
        elif found is Standing.HOLD and "delivered_at" in row and not over and told != Told.ON_HOLD:
            self._break(order.id, "all_is_settled", f"on hold, and the buyer was told {told}: {_said(row)}")
        elif found is Standing.ENDED and "delivered_at" in row and not over and told not in (Told.ENDED, None):
            self._break(order.id, "all_is_settled", f"ended, and the buyer was told {told}: {_said(row)}")

    def _missing(self, order: AnOrder) -> list[str]:
        """Files that the buyer should have, and has not."""
        now, letters, opened = self.clock.now, self.letters.get(order.id), self.host.open_files(order.id)
        due = [line for line in order.lines if truth.is_ours(line)]
        return [
            file
            for line in due
            if truth.of_line(order, line, self.policy, now) is Standing.ACCESS
            and (line.period_end or not letters or self._stated_end(line, letters[0]) > now)
            for file in FILES[line.product_name]
            if file not in opened
        ]

    def _break(self, order_id: str, promise: str, how: str) -> None:
        number = self.account.by_id[order_id].number
        self.broken.append(Broken(promise, number, self.clock.now, f"{order_id}: {how}"))


_OPEN = {Told.ACCESS: True, Told.ON_HOLD: False, Told.ENDED: False}
"""Whether files are open when a letter tells it."""

_RULED = {"ended": "end", "on_hold": "hold"}
"""What a ruling is called in the ledger, and by the operator."""

_SAYS = {
    Told.ACCESS: {Standing.ACCESS, Standing.EITHER, Standing.ASKS},
    Told.ON_HOLD: {Standing.HOLD, Standing.EITHER},
    Told.ENDED: {Standing.ENDED, Standing.EITHER, Standing.FAILED},
    Told.PAYMENT_FAILED: {Standing.FAILED},
}
"""What may be so when a letter tells it."""


def _planned(order: AnOrder) -> set[str]:
    subscription = order.subscription
    return set() if subscription is None else {subscription.product.name}


def _left(letter: Sent) -> tuple[int, float]:
    return int(letter.at), float(letter.mark)


def _said(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {next(iter(row[name].values()))}" for name in ("state", "reason", "told") if name in row)
