"""
Every alarm of the template, over what CloudWatch would see of a shop with real troubles: it rings when it should,
within the minutes that are stated here, none rings beside it, and all go quiet when it is over.
"""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from functools import cache, partial

import pytest

from paidshare import retries
from simulation.clock import START
from tests import watched_shop
from tests.cloudwatch import ALARM, Alarm, Evaluation, Key, Metrics, composite
from tests.metric_math import MetricMath
from tests.template_file import ROOT, properties, resources
from tests.watched_shop import HOUR_S, MINUTE_S, STAGE, WatchedShop

PARAMETERS = {"Stage": STAGE, "StripeSilenceHours": 6}
BODIES = resources("AWS::CloudWatch::Alarm")
ALARMS = {name: Alarm.read(name, body["Properties"], PARAMETERS) for name, body in BODIES.items()}
COMPOSITES = resources("AWS::CloudWatch::CompositeAlarm")
PAGED = composite(properties("CustomersWaitAlarm")["AlarmRule"]["Fn::Sub"])

EVALUATIONS = (
    Evaluation(further_back=0, math=MetricMath(fills_empty=False)),
    Evaluation(further_back=5, math=MetricMath(fills_empty=True)),
)
"""The ends of what AWS leaves open. No alarm may depend on it."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """
    What goes wrong from minute `begins` to minute `ends`, in a shop with a sale every `every` minutes. `rings`: the
    alarms that ring for it, each so many minutes after the first sale within it at the latest, and `pages` when the
    pager does, if at all. What still rings when it is over (dead letters, say) is `left`.
    """

    cause: Callable[[WatchedShop], AbstractContextManager[None]]
    rings: dict[str, int]
    pages: int | None = None
    every: int = 60
    left: frozenset[str] = frozenset()
    begins: int = 180
    ends: int = 330

    @property
    def sales(self) -> range:
        return range(7, _END, self.every)

    @property
    def first_sale(self) -> int:
        return next(minute for minute in self.sales if minute >= self.begins)


_BEGIN, _END = 150, 660
"""The minutes that are looked at: what the first rounds and hours make of an empty shop is over by then."""

TROUBLES = {
    "nothing": Trouble(lambda _watched: nullcontext(), {}),
    # Stripe comes again after minutes and after half an hour; meanwhile the sweep finds the order, and it is late.
    "receive answers 503": Trouble(
        watched_shop.queue_out_of_reach, {"Api5xxAlarm": 5, "LettersLateAlarm": 15, "DriftAlarm": 20}, pages=5
    ),
    "the signing secret was rolled": Trouble(
        watched_shop.another_signing_secret,
        {"WebhooksRefusedAlarm": 5, "LettersLateAlarm": 15, "DriftAlarm": 20},
        pages=15,
    ),
    "the signing secret was rolled in a busy shop": Trouble(
        watched_shop.another_signing_secret,
        {"WebhooksRefusedAlarm": 10, "LettersLateAlarm": 15, "DriftAlarm": 20},
        pages=15,
        every=3,
    ),
    # Told of in the first minutes, though the key's refusal asks for five minutes a time. The sweep needs the key, too.
    "the stripe key is revoked": Trouble(
        watched_shop.stripe_key_revoked,
        {"LateOrdersAlarm": 5, "SweepErrorsAlarm": 30, "SweepSilenceAlarm": 60, "LettersLateAlarm": 155},
        pages=5,
    ),
    # Two orders become cases before the third shows that it is the sender.
    "the sender is not verified any more": Trouble(
        watched_shop.sender_not_verified,
        {"DeadLettersAlarm": 5, "DeadLettersWaitAlarm": 5, "LateOrdersAlarm": 25, "LettersLateAlarm": 155},
        pages=25,
        every=10,
        left=frozenset({"DeadLettersWaitAlarm"}),
    ),
    "deliver crashes at every start": Trouble(
        watched_shop.deliver_crashes,
        {"DeliverErrorsAlarm": 10, "DriftAlarm": 40, "LettersLateAlarm": 155, "LateOrdersAlarm": 155},
        pages=10,
    ),
    "deliver's trigger is off": Trouble(
        watched_shop.deliver_switched_off,
        {"NoticesWaitAlarm": 10, "DriftAlarm": 40, "LettersLateAlarm": 155, "LateOrdersAlarm": 155},
        pages=10,
    ),
    "feedback's trigger is off": Trouble(watched_shop.feedback_switched_off, {"MailEventsWaitAlarm": 10}),
    "feedback may not write": Trouble(watched_shop.mail_log_out_of_reach, {"LateMailEventsAlarm": 10}),
    "the sweep is off": Trouble(watched_shop.sweep_switched_off, {"SweepSilenceAlarm": 60}),
    "the plan has no share left": Trouble(watched_shop.plan_full, {"PlanFullAlarm": 5}),
    "a buyer pays twice": Trouble(watched_shop.bought_twice, {"BoughtTwiceAlarm": 5}),
    "the endpoint is disabled": Trouble(watched_shop.events_lost, {"LettersLateAlarm": 15, "DriftAlarm": 20}, pages=15),
}
_QUIET_AFTER = 75
"""Minutes after its end in which every alarm of a trouble is quiet again: one looks back for an hour."""


@cache
def seen(name: str) -> Metrics:
    """What CloudWatch saw of the shop's day with that trouble in it."""
    trouble, watched, causes = TROUBLES[name], WatchedShop(), ExitStack()
    for number, minute in enumerate(trouble.sales, start=1):
        watched.at(minute * MINUTE_S, partial(watched.sale, number))
    watched.at(trouble.begins * MINUTE_S, lambda: causes.enter_context(trouble.cause(watched)))
    watched.at(trouble.ends * MINUTE_S, causes.close)
    return watched.run(_END / 60)


def red(alarm: Alarm, metrics: Metrics, evaluation: Evaluation, minutes: range = range(_BEGIN, _END)) -> list[int]:
    """The minutes, since the beginning, at which the alarm rings."""
    start = int(START // MINUTE_S)
    looked_at = range(start + minutes.start, start + minutes.stop)
    return [minute - start for minute, state in alarm.watched(metrics, looked_at, evaluation) if state == ALARM]


@cache
def rang(name: str, evaluation: Evaluation) -> dict[str, list[int]]:
    """The alarms that rang in that trouble, each with its minutes."""
    found = {alarm.name: red(alarm, seen(name), evaluation) for alarm in ALARMS.values()}
    return {alarm: minutes for alarm, minutes in found.items() if minutes}


@pytest.mark.parametrize("evaluation", EVALUATIONS, ids=str)
@pytest.mark.parametrize("name", TROUBLES)
class TestTroubles:
    def test_what_should_ring_rings_in_time_and_nothing_else(self, name: str, evaluation: Evaluation) -> None:
        trouble = TROUBLES[name]
        after = {alarm: minutes[0] - trouble.first_sale for alarm, minutes in rang(name, evaluation).items()}
        assert after.keys() == trouble.rings.keys()
        assert {alarm: late for alarm, late in after.items() if late > trouble.rings[alarm]} == {}

    def test_all_goes_quiet_when_it_is_over(self, name: str, evaluation: Evaluation) -> None:
        over = TROUBLES[name].ends + _QUIET_AFTER
        still = {alarm for alarm, minutes in rang(name, evaluation).items() if minutes[-1] >= over}
        assert still == TROUBLES[name].left

    def test_the_pager_rings_when_customers_wait_and_only_then(self, name: str, evaluation: Evaluation) -> None:
        trouble, found = TROUBLES[name], rang(name, evaluation)
        first = min((found[alarm][0] for alarm in PAGED & found.keys()), default=None)
        assert (first is not None) is (trouble.pages is not None)
        if first is not None and trouble.pages is not None:
            assert first - trouble.first_sale <= trouble.pages


THRESHOLDS: list[tuple[str, dict[str, float], bool]] = [
    # SES's own thresholds for a review (docs.aws.amazon.com/ses/latest/dg/reputationdashboardmessages.html).
    ("BounceRateAlarm", {"rate": 0.049}, False),
    ("BounceRateAlarm", {"rate": 0.05}, True),
    ("ComplaintRateAlarm", {"rate": 0.0009}, False),
    ("ComplaintRateAlarm", {"rate": 0.001}, True),
    ("MessagesInFlightAlarm", {"hidden": 89_999}, False),
    ("MessagesInFlightAlarm", {"hidden": 90_000}, True),
    # Of a quota of 1,000.
    ("ConcurrencyAlarm", {"used": 790}, False),
    ("ConcurrencyAlarm", {"used": 800}, True),
    ("ApiThrottledAlarm", {"throttled": 1}, True),
    ("Api5xxAlarm", {"failed": 1, "all": 101}, False),
    ("Api5xxAlarm", {"failed": 1, "all": 100}, True),
    ("Api4xxAlarm", {"refused": 49, "all": 49}, False),
    ("Api4xxAlarm", {"refused": 50, "all": 100}, False),
    ("Api4xxAlarm", {"refused": 51, "all": 100}, True),
    ("LettersLateAlarm", {"late": 1, "timely": 69}, False),
    ("LettersLateAlarm", {"late": 1, "timely": 68}, True),
    ("WebhooksRefusedAlarm", {"refused": 4, "verified": 5}, False),
    ("WebhooksRefusedAlarm", {"refused": 5, "verified": 5}, True),
    ("MailTopicFailsAlarm", {"failed": 1}, True),
    ("PagerFailsAlarm", {"failed": 1}, True),
    ("MailDeadLettersWaitAlarm", {"visible": 1}, True),
    ("LateMailEventsAlarm", {"late": 1}, True),
    ("ReceiveErrorsAlarm", {"errors": 1}, True),
    ("ReceiveThrottlesAlarm", {"throttles": 1}, True),
    ("DeliverThrottlesAlarm", {"throttles": 1}, True),
    ("FeedbackErrorsAlarm", {"errors": 1}, True),
    ("FeedbackThrottlesAlarm", {"throttles": 1}, True),
    ("SweepErrorsAlarm", {"errors": 1}, True),
    ("SweepThrottlesAlarm", {"throttles": 1}, True),
    ("PlanFullAlarm", {"full": 1}, True),
    ("BoughtTwiceAlarm", {"twice": 1}, True),
    ("BoughtTwiceAlarm", {"twice": 0}, False),
    ("PageErrorsAlarm", {"errors": 1}, True),
    ("PageThrottlesAlarm", {"throttles": 1}, True),
]


class TestRarer:
    def test_each_dead_letter_rings_though_a_quarter_of_an_hour_lies_between_them(self) -> None:
        watched = WatchedShop()
        for number, minute in enumerate(range(180, 300, 15), start=1):
            watched.at(minute * MINUTE_S, partial(watched.sale, number, "lamp"))
        minutes = red(ALARMS["DeadLettersAlarm"], watched.run(6), EVALUATIONS[0], range(_BEGIN, 360))
        begins = [minute for minute in minutes if minute - 1 not in minutes]
        assert len(begins) == 8

    @pytest.mark.parametrize("evaluation", EVALUATIONS, ids=str)
    def test_stripe_s_silence_is_told_of_after_the_hours_of_the_parameter(self, evaluation: Evaluation) -> None:
        watched = WatchedShop()
        for number, hour in enumerate((1, 2, 3, 11), start=1):
            watched.at(hour * HOUR_S + 30, partial(watched.sale, number))
        alarm = ALARMS["StripeSilenceAlarm"]
        minutes = red(alarm, watched.run(13), evaluation, range(_BEGIN, 13 * 60))
        assert 9 * 60 <= minutes[0] <= 9 * 60 + 5
        assert 11 * 60 <= minutes[-1] <= 11 * 60 + 5

    def test_a_sweep_that_never_worked_is_told_of(self) -> None:
        watched = WatchedShop(is_sweeping=False)
        metrics = watched.run(3)
        for evaluation in EVALUATIONS:
            assert red(ALARMS["SweepSilenceAlarm"], metrics, evaluation, range(90, 180)) == [*range(90, 180)]

    @pytest.mark.parametrize(
        "name", [name for name in ALARMS if name not in ("SweepSilenceAlarm", "StripeSilenceAlarm")]
    )
    @pytest.mark.parametrize("evaluation", EVALUATIONS, ids=str)
    def test_where_there_is_nothing_at_all_no_other_alarm_rings(self, name: str, evaluation: Evaluation) -> None:
        assert red(ALARMS[name], Metrics(), evaluation, range(_BEGIN, _BEGIN + 5)) == []

    @pytest.mark.parametrize(
        ("name", "values", "rings"),
        THRESHOLDS,
    )
    def test_an_alarm_rings_from_its_threshold_on(self, name: str, values: dict[str, float], *, rings: bool) -> None:
        """One such value in every period."""
        alarm, metrics = ALARMS[name], Metrics()
        keys = {query.id: query.key for query in alarm.queries if query.key is not None}
        for place in range(alarm.n):
            for query, value in values.items():
                namespace, metric, dimensions = keys[query]
                at = START + (_BEGIN - 3) * MINUTE_S - place * alarm.period_s
                metrics.put(namespace, metric, dict(dimensions), value, at)
        assert bool(red(alarm, metrics, EVALUATIONS[0], range(_BEGIN, _BEGIN + 1))) is rings

    def test_every_alarm_has_been_heard(self) -> None:
        alone = {name for name, _, rings in THRESHOLDS if rings}
        within = {name for trouble in TROUBLES.values() for name in trouble.rings}
        assert alone | within | {"StripeSilenceAlarm"} == set(ALARMS)


class TestWiring:
    def emitted(self) -> set[Key]:
        found = {key for name in TROUBLES for key in seen(name).kept}
        return {key for key in found if key[0] == "Paidshare"}

    @pytest.mark.parametrize("name", ALARMS)
    def test_an_alarm_on_our_own_metrics_asks_for_what_a_function_prints(self, name: str) -> None:
        """Another set of dimensions is another metric, and such an alarm never rings."""
        asked = {query.key for query in ALARMS[name].queries if query.key is not None and query.key[0] == "Paidshare"}
        # From the access log: a test of its own holds it.
        elsewhere = {("Paidshare", "ThrottledRequests", frozenset({("stage", STAGE)}))}
        assert asked - elsewhere <= self.emitted()

    @pytest.mark.parametrize("function", resources("AWS::Serverless::Function"))
    def test_a_function_has_an_alarm_for_errors_and_one_for_throttles(self, function: str) -> None:
        watched = {query.key for alarm in ALARMS.values() for query in alarm.queries}
        of_it = frozenset({("FunctionName", function)})
        assert {("AWS/Lambda", "Errors", of_it), ("AWS/Lambda", "Throttles", of_it)} <= watched

    @pytest.mark.parametrize("name", ALARMS)
    def test_what_is_missing_is_filled_and_never_judged_by_older_points(self, name: str) -> None:
        """But for reputations: SES keeps them, and publishes them when it likes."""
        [returned] = [query for query in ALARMS[name].queries if query.returned]
        if ALARMS[name].missing == "ignore":
            assert returned.key is not None
            assert returned.key[0] == "AWS/SES"
            return
        filled = set(re.findall(r"FILL\((\w+), 0\)", returned.expression))
        assert (
            filled == {query.id for query in ALARMS[name].queries if query.key is not None}
            or "QUOTA" in returned.expression
        )
        # What a filled nought means and what nothing at all means are the same.
        assert ALARMS[name].missing == ("breaching" if ALARMS[name].comparison.startswith("Less") else "notBreaching")

    @pytest.mark.parametrize("name", ALARMS)
    def test_a_period_is_longer_than_a_metric_is_late(self, name: str) -> None:
        """A filled minute that is not there yet counts as a nought for good."""
        assert ALARMS[name].period_s >= 300

    def test_while_an_order_is_put_off_again_and_again_its_alarm_stays(self) -> None:
        alarm, longest = ALARMS["LateOrdersAlarm"], retries.seconds_until_retry(250, asked=None, jitter=0.999_999)
        assert alarm.m == 1
        assert alarm.n * alarm.period_s > longest * 1.1 + 2 * MINUTE_S

    @pytest.mark.parametrize("name", ALARMS)
    def test_an_alarm_rings_in_the_inbox(self, name: str) -> None:
        assert properties(name)["AlarmActions"] == [{"Ref": "Alarms"}]
        assert properties("AlarmSubscription")["TopicArn"] == {"Ref": "Alarms"}
        assert properties("AlarmSubscription")["Endpoint"] == {"Ref": "AlarmEmail"}

    def test_customers_who_wait_ring_the_pager_and_it_says_when_that_is_over(self) -> None:
        alarm = properties("CustomersWaitAlarm")
        assert (alarm["AlarmActions"], alarm["OKActions"]) == ([{"Ref": "Pager"}], [{"Ref": "Pager"}])
        assert properties("PagerSubscription")["TopicArn"] == {"Ref": "Pager"}
        assert properties("PagerSubscription")["Endpoint"] == {
            "Fn::If": ["HasPager", {"Ref": "PagerEndpoint"}, {"Ref": "AlarmEmail"}]
        }

    def test_cloudwatch_may_ring_both_bells(self) -> None:
        allow, _ = properties("BellsPolicy")["PolicyDocument"]["Statement"]
        assert allow["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        assert allow["Resource"] == [{"Ref": "Alarms"}, {"Ref": "Pager"}]

    def test_nobody_s_ok_is_told_but_of_what_lasts(self) -> None:
        """Every alarm begins as unknown, and would tell of its first OK after each deploy that makes it."""
        told = {name for name in ALARMS if "OKActions" in properties(name)}
        assert told == {
            "Api5xxAlarm",
            "DriftAlarm",
            "LateOrdersAlarm",
            "NoticesWaitAlarm",
            "StripeSilenceAlarm",
            "SweepSilenceAlarm",
            "WebhooksRefusedAlarm",
        }

    @pytest.mark.parametrize("name", [*BODIES, *COMPOSITES])
    def test_an_alarm_is_aws_s_alone(self, name: str) -> None:
        """The laptop's has neither alarms over metric math nor composite ones."""
        assert resources()[name]["Condition"] == "Cloud"


HEADINGS = ["What it means", "Why this threshold", "Verify", "Mend", "Who is hit"]


RUNBOOK = (ROOT / "docs/runbook.md").read_text()
PAGES = dict(re.findall(r"^### (\w+Alarm)\n(.*?)(?=^##)", RUNBOOK, re.MULTILINE | re.DOTALL))


class TestRunbook:
    def test_every_alarm_has_a_page_under_its_name_and_every_page_its_alarm(self) -> None:
        assert list(PAGES) == [*dict.fromkeys(re.findall(r"^### (\w+Alarm)$", RUNBOOK, re.MULTILINE))]
        assert set(PAGES) == {*BODIES, *COMPOSITES}

    @pytest.mark.parametrize("name", PAGES)
    def test_a_page_says_all_that_somebody_who_is_woken_wants_to_know(self, name: str) -> None:
        assert re.findall(r"^\*\*(.+?)\.\*\* \S", PAGES[name], re.MULTILINE) == HEADINGS

    @pytest.mark.parametrize("name", [*BODIES, *COMPOSITES])
    def test_an_alarm_s_own_text_says_where_its_page_is(self, name: str) -> None:
        said = properties(name)["AlarmDescription"]
        assert said.endswith(f" See docs/runbook.md#{name.lower()}")
        # CloudWatch's longest (docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html).
        assert len(said) <= 1024
