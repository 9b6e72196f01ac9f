"""
The protocol with one thing taken out of it, many times over: the simulation has to notice each.

A mutant is a line of the real code as it is, and as it must not be. `python -m simulation.kill` runs them.
"""

from typing import NamedTuple


class Change(NamedTuple):
    """`before` is found exactly once in *module*'s source."""

    module: str
    before: str
    after: str


class Mutant(NamedTuple):
    """
    The first change, and those that have to go with it where something else keeps the same promise. `weeks`: it shows
    in runs of weeks only, which are few.
    """

    name: str
    module: str
    before: str
    after: str
    also: tuple[Change, ...] = ()
    weeks: bool = False

    @property
    def changes(self) -> tuple[Change, ...]:
        return (Change(self.module, self.before, self.after), *self.also)


_DELIVER = "paidshare.delivering.deliver"
_WORK = "paidshare.delivering.work"
_MAILING = "paidshare.delivering.mailing"
_SHARING = "paidshare.delivering.sharing"
_STEPS = "paidshare.delivering.steps"
_PLAN = "paidshare.delivering.plan"
_ENTITLEMENT = "paidshare.delivering.entitlement"
_PROGRESS = "paidshare.progress"
_LEDGER = "paidshare.aws.ledger"
_MAIL_LOG = "paidshare.aws.mail_log"
_INTAKE = "paidshare.aws.intake"
_INDEX = "paidshare.aws.order_index"
_CHECKPOINT = "paidshare.aws.checkpoint"
_SWEEP = "paidshare.sweeping.sweep"
_TIDYING = "paidshare.sweeping.tidying"
_ROUNDS = "paidshare.sweeping.rounds"
_HANDLER = "functions.deliver.handler"
_FEEDBACK = "functions.feedback.handler"
_RECEIVE = "paidshare.receiving.receive"
_FASTIO = "paidshare.shares_fastio.shares"
_REFUNDS = "paidshare.delivering.refunds"

_NOT_FENCED = Change(_LEDGER, '            "lease_holder = :holder",\n', '            ":holder = :holder",\n')
_NO_DAILY_LOOK = Change(
    _ROUNDS,
    "        return ended or (self.touched_at is not None and now - self.touched_at >= LOOKED_AT_EVERY)\n",
    "        return ended\n",
)
_NO_OWN_END = Change(
    _WORK,
    "        return min(ends) if is_open and len(ends) > 1 else None\n",
    "        return None\n",
)
_SINCE = "        since = created + _SETTLES_WITHIN\n"
_READ = "        order = shop.payments.order(order_id, account=account)\n"

MUTANTS = (
    # --- Who works on an order ------------------------------------------------------------------------------
    # Every write asks whether its worker still holds the order. That alone keeps all promises: without the claim's own
    # condition, or with a lease of a second, two workers take the order from each other, and no more. So the lease's
    # mutants are without both.
    Mutant(
        "no lease",
        _LEDGER,
        '"attribute_not_exists(lease_until) OR lease_until < :now OR lease_holder = :holder"',
        '"attribute_not_exists(lease_until) OR lease_until < :now OR lease_holder <> :new"',
        also=(_NOT_FENCED,),
    ),
    Mutant(
        "a lease of a second",
        _LEDGER,
        "LEASE = timedelta(seconds=75)",
        "LEASE = timedelta(seconds=1)",
        also=(_NOT_FENCED,),
    ),
    Mutant("a lease without end", _LEDGER, "LEASE = timedelta(seconds=75)", "LEASE = timedelta(days=75)"),
    Mutant(
        "a lease that is not given back",
        _LEDGER,
        'also_remove=("lease_holder", "lease_until", *settled)',
        'also_remove=("lease_holder", *settled)',
    ),
    Mutant("a write without the lease", *_NOT_FENCED),
    # --- Letters --------------------------------------------------------------------------------------------
    Mutant("no mark before the letter", _MAILING, "        self._lease.record(leaving)\n", ""),
    Mutant(
        "the mark after the letter",
        _MAILING,
        "        self.mailed.append(letter.kind)\n",
        "        self.mailed.append(letter.kind)\n        self._lease.progress = replace(leaving, in_flight=None)\n"
        "        self._lease.record(self._lease.progress)\n",
    ),
    Mutant(
        "SES is not asked",
        _WORK,
        "        if not self._lease.progress.has_left:\n",
        "        if True:\n",
    ),
    Mutant(
        "a letter in doubt counts as left at once",
        _WORK,
        "            if self._now < (known_at := doubt.at + _SES_TELLS_WITHIN):\n",
        "            if self._now < (known_at := doubt.at):\n",
    ),
    Mutant(
        "a letter in doubt never left",
        _WORK,
        "        self._lease.progress = self._lease.progress.after_letter()\n",
        "        self._lease.note(in_flight=None)\n",
    ),
    Mutant(
        "a2, a3: a letter in doubt is forgotten where another one follows",
        _WORK,
        "        if doubt is None:\n            return todo\n",
        "        if doubt is None or todo.letter != doubt.said:\n            return todo\n",
    ),
    Mutant(
        "a letter that nobody heard of counts as told",
        _PROGRESS,
        "        unheard = at is None and not self.has_left\n",
        "        unheard = False\n",
    ),
    Mutant(
        "a letter that nobody heard of is told anew, for ever",
        _PROGRESS,
        "LastLetter(TELLS[kind], self.given, when, message_id, unsure, unheard)",
        "LastLetter(TELLS[kind], self.given, when, message_id, unsure, before is not None and before.unheard or unheard)",
    ),
    Mutant(
        "a letter in doubt is none",
        _MAILING,
        "            if not (isinstance(error, MailUnavailable) and error.in_doubt):\n",
        "            if True:\n",
    ),
    Mutant(
        "no letter when access ends",
        _STEPS,
        "        self._mailing.tell(order, todo)\n\n    def give",
        "\n    def give",
    ),
    Mutant(
        "SES's word is not noted",
        _MAIL_LOG,
        "        if event.fact is Fact.SENT:\n",
        "        if event.fact is Fact.BOUNCED:\n",
    ),
    Mutant(
        "any word of SES's is of any letter",
        _PROGRESS,
        "            return sent.mark == self.mark\n",
        "            return True\n",
        also=(Change(_PROGRESS, "        if sent.kind not in (None, self.said.kind):\n", "        if not sent:\n"),),
    ),
    Mutant(
        "who was told is not remembered",
        _PROGRESS,
        "            return replace(self, in_flight=None, last_letter=told)\n",
        "            return replace(self, in_flight=None)\n",
    ),
    Mutant(
        "the link again when access is back, whatever was said",
        _PLAN,
        "        if progress.told is not Told.ACCESS:\n            return Said(Kind.ACCESS_BACK",
        "        if True:\n            return Said(Kind.ACCESS_BACK",
        also=(Change(_PLAN, "    if not progress.knows(Told.ACCESS):\n        if", "    if True:\n        if"),),
    ),
    Mutant("the failed payment is told at each look", _PLAN, " and not progress.knows(Told.PAYMENT_FAILED):", ":"),
    # --- Shares ---------------------------------------------------------------------------------------------
    Mutant("a share that is not closed", _SHARING, "            self._provider.close(progress.share.id)\n", ""),
    Mutant(
        "a share counts as closed before it is",
        _SHARING,
        "            self._lease.begin(progress.closing(now=self._now))\n",
        "            self._lease.begin(progress.closing(now=self._now).closed())\n",
    ),
    Mutant(
        "closing is not written down",
        _SHARING,
        "            self._lease.begin(progress.closing(now=self._now))\n",
        "            self._lease.progress = progress.closing(now=self._now)\n",
    ),
    Mutant(
        "what is filled is not in doubt",
        _SHARING,
        "            self._begin(replace(known, switching=not known.gone, holds=()))\n",
        "            pass\n",
    ),
    Mutant(
        "a share of any name",
        "paidshare.shares",
        '    return "o" + base64',
        '    import random\n    digest = random.randbytes(32)\n    return "o" + base64',
    ),
    Mutant(
        "a lost create is not looked up",
        "paidshare.shares_fastio.making",
        "        found = found_by_name(api, request, taken=reply.status == _CONFLICT)\n",
        "        found = None\n",
    ),
    Mutant(
        "what is not wanted stays in the share",
        _FASTIO,
        "            missing = tidied(api, remote, wanted)\n",
        "            missing = wanted\n",
    ),
    Mutant(
        "what is closed stays closed",
        "paidshare.shares_fastio.opening",
        '    try:\n        change(api, remote.id, "unarchive")\n',
        "    try:\n        pass\n",
    ),
    # --- What is due ----------------------------------------------------------------------------------------
    Mutant(
        "unpaid is delivered",
        _REFUNDS,
        '    paid = order.payment_status == "paid" or ',
        '    paid = order.payment_status != "x" or ',
    ),
    Mutant(
        "a lost dispute ends nothing",
        _ENTITLEMENT,
        '        if status == "lost":\n            yield _Verdict(Standing.ENDED, Why.DISPUTE_LOST)\n',
        '        if status == "lost":\n            continue\n',
    ),
    Mutant(
        "a dispute holds nothing",
        _ENTITLEMENT,
        "            yield _Verdict(Standing.ON_HOLD, Why.DISPUTED)\n",
        "            continue\n",
    ),
    Mutant(
        "a refund ends nothing",
        _REFUNDS,
        "    if asked <= 0 or back <= 0:\n        return False\n",
        "    return False\n",
    ),
    Mutant(
        "a canceled subscription goes on",
        _ENTITLEMENT,
        "                yield _Verdict(Standing.ENDED, Why.SUBSCRIPTION_CANCELED)\n",
        "                return\n",
    ),
    Mutant(
        "a paused subscription goes on",
        _ENTITLEMENT,
        "            yield _Verdict(Standing.ON_HOLD, Why.SUBSCRIPTION_PAUSED)\n",
        "            return\n",
    ),
    Mutant(
        "D-01: what is paid for a canceled subscription is settled in silence",
        _ENTITLEMENT,
        '    if status in (*_ENDED_SUBSCRIPTIONS, "unpaid") and _is_paid_late(subscription, ends):\n',
        "    if False:\n",
    ),
    Mutant(
        "p17: a letter in doubt counts as not left when the payment fails",
        _WORK,
        "        todo, doubt = self._decided(order), self._lease.progress.in_flight\n        if doubt is None:\n",
        "        todo, doubt = self._decided(order), self._lease.progress.in_flight\n"
        "        if doubt is None or todo.step in (Step.TELL_FAILURE, Step.WAIT):\n",
    ),
    Mutant(
        "p06: the older orders of a subscription are not looked at",
        _DELIVER,
        "account=notice.account, live=live)",
        "account=notice.account)",
        # Since then the sweep asks at each line's own end, and once a day.
        also=(_NO_OWN_END, _NO_DAILY_LOOK),
        weeks=True,
    ),
    Mutant("a line's own end is not kept", *_NO_OWN_END, weeks=True),
    Mutant(
        "a dispute after a kept cancellation ends access",
        _ENTITLEMENT,
        " and (ended_at is None or grant.closed_at <= ended_at)",
        "",
    ),
    # --- What was seen --------------------------------------------------------------------------------------
    Mutant("seen once is seen for ever", _DELIVER, _SINCE, "        since = created - timedelta(days=365)\n"),
    Mutant("Stripe's clocks are one", _DELIVER, _SINCE, "        since = created\n"),
    Mutant(
        "seen counts from the end of the look",
        _WORK,
        "and min(order.as_of, self._now)\n",
        "and self._now + timedelta(minutes=5)\n",
    ),
    Mutant(
        "seen although a step is missing",
        _LEDGER,
        "attribute_exists(unsettled) OR ",
        "",
        also=(
            Change(_LEDGER, '            if "unsettled" in item or ', "            if "),
            Change(_DELIVER, _READ, f"{_READ}        lease.note(seen_until=order.as_of)\n"),
        ),
    ),
    Mutant(
        "what the sweep finds counts as seen",
        _DELIVER,
        "        if created is None or self.wish is not None:\n",
        "        if self.wish is not None:\n",
        also=(Change(_DELIVER, _SINCE, "        since = created or self.notice.at - timedelta(days=30)\n"),),
    ),
    # --- Nothing is lost ------------------------------------------------------------------------------------
    Mutant(
        "a key is remembered before the message is sent",
        _INTAKE,
        '        except errors.AWS_ERRORS as exc:\n            raise QueueUnavailable(summary("SQS", exc)) from exc\n        sent',
        "        except errors.AWS_ERRORS:\n            return\n        sent",
    ),
    Mutant(
        "taken before it is queued",
        _RECEIVE,
        "    except TryAgain as error:\n        return Answer(503, ",
        "    except TryAgain as error:\n        return Answer(200, ",
    ),
    Mutant(
        "unsettled is given up early",
        _LEDGER,
        '        settled = ("unsettled", "unsettled_at") if done and progress.state.settled else ()\n',
        '        settled = ("unsettled", "unsettled_at")\n',
    ),
    Mutant(
        "what is put off is done",
        _HANDLER,
        '        _tell(invocation, logger.warning, "order_put_off", seen | _facts(error) | {"seconds": wait})\n        raise\n',
        "        return\n",
    ),
    Mutant(
        "a case without a dead letter",
        _HANDLER,
        '        container.messages.give_to_a_person(body, case, about=case.order_id or str(seen.get("order_id", "")))\n',
        "",
    ),
    Mutant(
        "a letter's news that was put off is done",
        _FEEDBACK,
        '        container.logger.warning("letter_put_off", extra=seen | facts)\n        raise\n',
        "        return\n",
    ),
    Mutant(
        "a1: the sweep skips what went back",
        _SWEEP,
        '        for kind in (*_RETURNED, "warnings") if self._ports.warnings else _RETURNED:\n',
        "        for kind in ():\n",
    ),
    Mutant(
        "the sweep skips sessions",
        _SWEEP,
        "            late = [one.order_id for one in found.items if self._ports.clock() - one.at >= _LATE_AFTER]\n",
        "            late = []\n",
    ),
    Mutant("the sweep skips events", _SWEEP, "            ask(self._ports, part, missed)\n", ""),
    Mutant(
        "the sweep skips what is not settled",
        _SWEEP,
        "            ask(self._ports, part, [look(order.order_id, now, account=order.account) for order in due])\n",
        "",
    ),
    Mutant("no daily look at an open link", *_NO_DAILY_LOOK, weeks=True),
    Mutant(
        "the sweep deletes live shares",
        _ROUNDS,
        "    if not share.shut(now) and not untold:\n        return Fate.CLOSE if taken_back else Fate.KEEP\n",
        "    if not share.shut(now) and not untold:\n        return Fate.DELETE\n",
    ),
    Mutant(
        "the sweep closes what is delivered",
        _ROUNDS,
        "        return Fate.CLOSE if taken_back else Fate.KEEP\n",
        "        return Fate.CLOSE\n",
    ),
    Mutant(
        "p09: the sweep deletes without the lease",
        _TIDYING,
        "                    ledger.record(order_id, progress, holder=self._holder, now=self._ports.clock())\n                    self._ports.share_listing.delete(share.id)\n",
        "                    self._ports.share_listing.delete(share.id)\n",
    ),
    Mutant(
        "p11: a case is told of once",
        _DELIVER,
        "    case.known = same and told is not None and now - told < _A_CASE_IS_TOLD_AGAIN_AFTER\n",
        "    case.known = same and told is not None\n",
        weeks=True,
    ),
    Mutant(
        "a warning of fraud holds nothing",
        _ENTITLEMENT,
        "    if policy.hold_on_fraud_warning and any(payment.fraud_warning for payment in payments):\n",
        "    if policy.hold_on_fraud_warning and not payments:\n",
    ),
    Mutant(
        "the sweep skips warnings of fraud",
        _SWEEP,
        '        for kind in (*_RETURNED, "warnings") if self._ports.warnings else _RETURNED:\n',
        "        for kind in _RETURNED:\n",
        also=(
            Change(
                _SWEEP,
                "        needed = NEEDED | OF_WARNINGS if self._ports.warnings else NEEDED\n",
                "        needed = NEEDED\n",
            ),
        ),
    ),
)
