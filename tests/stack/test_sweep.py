"""What no event told of, found by the deployed Sweep. Objects are made an hour ago by the stand-ins' clocks."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.fastio.nodes import INSTANT
from local.settings import FASTIO_API_KEY
from tests.stack.laptop import Laptop, until

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def sweep(laptop: Laptop) -> dict[str, Any]:
    """One round of the deployed function; another one may just be under way."""

    def round_() -> dict[str, Any] | None:
        answer = laptop.stack.aws.client("lambda").invoke(FunctionName=laptop.to.outputs["SweepFunction"])
        found: dict[str, Any] = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, found
        return None if found["busy"] else found

    return until(round_, "a round of the sweep")


def long_ago(laptop: Laptop, route: str, ago: timedelta = HOUR, **fields: Any) -> dict[str, Any]:
    """What happened at Stripe an hour ago, and no event was sent."""
    laptop.stripe("_clock", advance_s=-ago.total_seconds())
    try:
        return laptop.stripe(route, quiet=True, **fields)
    finally:
        laptop.stripe("_clock", advance_s=ago.total_seconds())


def fastio(laptop: Laptop, method: str, path: str, **more: Any) -> Any:
    url = f"{laptop.to.fastio_url}{path}"
    answer = laptop.http.request(method, url, headers={"authorization": f"Bearer {FASTIO_API_KEY}"}, **more)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def product(laptop: Laptop) -> str:
    return laptop.ours(laptop.file("sweep/guide.pdf", "the guide")["node_id"])


def all_shares_next_time(laptop: Laptop) -> None:
    """As if the last pass through the shares were more than an hour ago."""
    table = laptop.to.outputs["EventsTable"]
    laptop.stack.aws.dynamodb.delete_item(TableName=table, Key={"id": {"S": "sweep"}})


class TestSweep:
    def test_its_schedule_is_on_and_calls_it(self, laptop: Laptop) -> None:
        events = laptop.stack.aws.client("events")
        function = laptop.to.outputs["SweepFunction"]
        rules = {
            rule["Name"]: rule
            for rule in events.list_rules()["Rules"]
            for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
            if target["Arn"].endswith(f":function:{function}")
        }
        [rule] = rules.values()
        assert (rule["State"], rule["ScheduleExpression"]) == ("ENABLED", "rate(5 minutes)")

    def test_a_paid_session_whose_event_was_never_sent_is_delivered(self, laptop: Laptop, product: str) -> None:
        email = "never-sent@example.com"
        session = long_ago(laptop, "_pay", email=email, products=[product])["session"]

        assert sweep(laptop)["drift"] >= 1

        laptop.order_in("delivered", session)
        assert laptop.downloaded(laptop.letter_to(email)) == {"guide.pdf": "the guide"}
        assert sweep(laptop)["drift"] == 0
        assert len(laptop.letters_to(email)) == 1

    def test_twenty_delivered_orders_whose_rows_were_lost_are_found_with_their_shares_and_nobody_is_mailed_again(
        self, laptop: Laptop, product: str
    ) -> None:
        emails = [f"lost-row-{n}@example.com" for n in range(20)]
        sessions = [long_ago(laptop, "_pay", email=email, products=[product])["session"] for email in emails]
        sweep(laptop)
        before = [laptop.order_in("delivered", session) for session in sessions]
        letters = [laptop.letter_to(email) for email in emails]
        shares = {share["id"] for share in laptop.shares()}
        for session in sessions:
            key = {"order_id": {"S": session}}
            laptop.stack.aws.dynamodb.delete_item(TableName=laptop.to.outputs["OrdersTable"], Key=key)

        assert sweep(laptop)["drift"] >= 20

        after = [laptop.order_in("delivered", session) for session in sessions]
        assert [row["share_id"] for row in after] == [row["share_id"] for row in before]
        assert {share["id"] for share in laptop.shares()} == shares
        assert [laptop.letters_to(email) for email in emails] == [[letter] for letter in letters]

    def test_a_refund_whose_event_was_never_taken_ends_access(self, laptop: Laptop, product: str) -> None:
        session = laptop.pay("refund-in-silence@example.com", product)["session"]
        laptop.order_in("delivered", session)
        # It is just late enough: a pass begins a quarter of an hour before the last one did.
        long_ago(laptop, "_refund", ago=timedelta(minutes=12), session=session)

        sweep(laptop)

        laptop.order_in("access_ended", session)
        share = laptop.share_of(session)
        assert share is not None
        assert share["standing"] == "archived"

    def test_a_paid_invoice_whose_event_was_never_sent_is_delivered(self, laptop: Laptop, product: str) -> None:
        email = "invoice-never-sent@example.com"
        invoice = long_ago(laptop, "_invoice", email=email, products=[product])["invoice"]
        sweep(laptop)
        laptop.order_in("delivered", invoice)
        laptop.letter_to(email)

    def test_an_order_that_nobody_touched_for_an_hour_is_looked_at_again(self, laptop: Laptop, product: str) -> None:
        email = "untouched@example.com"
        session = laptop.pay(email, product)["session"]
        laptop.order_in("delivered", session)
        # As a crash leaves it: in work, and nobody works on it.
        then = int(time.time()) - 2 * 3600
        laptop.stack.aws.dynamodb.update_item(
            TableName=laptop.to.outputs["OrdersTable"],
            Key={"order_id": {"S": session}},
            UpdateExpression="SET unsettled = :yes, updated_at = :then, unsettled_at = :then",
            ExpressionAttributeValues={":yes": {"S": "yes"}, ":then": {"N": str(then)}},
        )

        sweep(laptop)

        until(lambda: "unsettled" not in laptop.order(session), "a look")
        assert len(laptop.letters_to(email)) == 1

    def test_an_expired_share_is_deleted_and_an_open_one_is_left(self, laptop: Laptop, product: str) -> None:
        expired = laptop.pay("expired@example.com", product)["session"]
        running = laptop.pay("running@example.com", product)["session"]
        for session in (expired, running):
            laptop.order_in("delivered", session)
        share_id = laptop.order(expired)["share_id"]
        # Fast.io takes no end in the past; three days ago it was not past.
        fastio(laptop, "POST", "/_clock", json={"advance_s": -4 * DAY.total_seconds()})
        ended = (datetime.now(UTC) - 3 * DAY).strftime(INSTANT)
        fastio(laptop, "POST", f"/current/share/{share_id}/update/", data={"expires": ended})
        fastio(laptop, "POST", "/_clock", json={"advance_s": 4 * DAY.total_seconds()})
        all_shares_next_time(laptop)

        sweep(laptop)

        # Fast.io has it end sooner than the ledger promised: what is promised is not deleted.
        assert laptop.share_of(expired) is not None

        over = {":then": {"N": str(int((datetime.now(UTC) - 3 * DAY).timestamp()))}}
        laptop.stack.aws.dynamodb.update_item(
            TableName=laptop.to.outputs["OrdersTable"],
            Key={"order_id": {"S": expired}},
            UpdateExpression="SET share_expires_at = :then",
            ExpressionAttributeValues=over,
        )
        all_shares_next_time(laptop)

        sweep(laptop)

        assert laptop.share_of(expired) is None
        assert laptop.share_of(running) is not None
        assert laptop.order(expired)["state"] == "delivered"

    def test_a_share_that_was_opened_by_hand_after_a_refund_is_closed_again(self, laptop: Laptop, product: str) -> None:
        session = laptop.pay("by-hand@example.com", product)["session"]
        laptop.order_in("delivered", session)
        laptop.stripe("_refund", session=session)
        share_id = laptop.order_in("access_ended", session)["share_id"]
        fastio(laptop, "POST", f"/current/share/{share_id}/unarchive/")
        all_shares_next_time(laptop)

        sweep(laptop)

        share = laptop.share_of(session)
        assert share is not None
        assert share["standing"] == "archived"

    def test_its_log_counts_and_names_nobody(self, laptop: Laptop, product: str) -> None:
        email = "named-nowhere@example.com"
        long_ago(laptop, "_pay", email=email, products=[product])
        sweep(laptop)
        laptop.log_line("sweep", message="swept", part="sessions", finished=True)
        laptop.letter_to(email)
        assert email not in json.dumps(laptop.log("sweep"))
