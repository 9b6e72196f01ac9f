"""The port Ledger: the same rules for the fake and for DynamoDB with the table of template.yaml."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from paidshare.aws import DynamoLedger, DynamoMailLog
from paidshare.aws.ledger import LEASE, SHARDS, shard
from paidshare.errors import LedgerUnavailable, OrderBusy
from paidshare.feedback.mail_events import Fact
from paidshare.grants import Grant
from paidshare.ports import Ledger
from paidshare.progress import Progress
from paidshare.retries import Late, PutOff
from paidshare.states import Standing, State, Told
from paidshare.wishes import Correction, Refused, Ruling
from tests.builders import NOW, a_progress, a_row
from tests.cloud import ORDERS_TABLE, Cloud, cloud
from tests.fakes import MemoryLedger
from tests.fakes_mail import a_mail_event
from tests.simulated import a_dynamodb

ORDER_ID = "cs_test_1"
LATER = NOW + LEASE + timedelta(seconds=1)
FULL = (
    a_progress(
        state=State.DELIVERED,
        reason="partly_refunded",
        account="acct_1",
        payment_intent="pi_1",
        share_id="5000000000000000001",
        share_expires_at=NOW + timedelta(days=7),
        closed_at=NOW + timedelta(days=1),
        switching=True,
        holds=("li_2",),
        lines=("li_1", "li_2"),
        given=("li_2",),
        told=Told.ACCESS,
        mailing="access_changed",
        mailing_at=NOW,
        mailed_at=NOW + timedelta(seconds=1),
        message_id="m-1",
        delivered_at=NOW + timedelta(seconds=1),
        mailing_lines=("li_2",),
        mailing_why="refunded",
        next_end=NOW + timedelta(days=3),
        case_told_at=NOW,
        grants=(
            Grant("li_1", NOW + timedelta(days=7), "shop", ("node-1", "node-2"), closed_at=NOW),
            Grant("li_2", NOW + timedelta(days=3), "shop", ("node-3",)),
        ),
        unseen=True,
        unsure=True,
        ruling=Ruling(Standing.ON_HOLD, NOW),
        put_off=PutOff("stripe_unavailable: down", NOW),
        correction=Correction(NOW, "sealed", withdrawing=True),
        late=Late(NOW, NOW + timedelta(minutes=15), "m-late"),
    )
    .answering("operator:0", "mailed")
    .answering("operator:1", "access_ended:refunded")
)


@pytest.fixture
def aws() -> Iterator[Cloud]:
    with cloud() as made:
        yield made


@pytest.fixture(params=["memory", "simulated", "dynamodb"])
def ledger(request: pytest.FixtureRequest) -> Ledger:
    if request.param == "memory":
        return MemoryLedger()
    if request.param == "simulated":
        return DynamoLedger(a_dynamodb(), ORDERS_TABLE)
    aws: Cloud = request.getfixturevalue("aws")
    return DynamoLedger(aws.dynamodb, ORDERS_TABLE)


class TestClaim:
    def test_an_order_never_seen_is_new(self, ledger: Ledger) -> None:
        assert ledger.claim(ORDER_ID, holder="a", now=NOW) == Progress()

    def test_an_order_in_work_is_busy_for_everybody_else(self, ledger: Ledger) -> None:
        ledger.claim(ORDER_ID, holder="a", now=NOW)
        with pytest.raises(OrderBusy):
            ledger.claim(ORDER_ID, holder="b", now=NOW)

    def test_its_holder_may_ask_again_when_the_answer_was_lost(self, ledger: Ledger) -> None:
        ledger.claim(ORDER_ID, holder="a", now=NOW)
        assert ledger.claim(ORDER_ID, holder="a", now=NOW) == Progress()
        with pytest.raises(OrderBusy):
            ledger.claim(ORDER_ID, holder="b", now=NOW)

    def test_a_lease_lasts_to_its_last_second(self, ledger: Ledger) -> None:
        ledger.claim(ORDER_ID, holder="a", now=NOW)
        with pytest.raises(OrderBusy):
            ledger.claim(ORDER_ID, holder="b", now=NOW + LEASE)

    def test_a_lease_never_ends_a_part_of_a_second_early(self, ledger: Ledger) -> None:
        ledger.claim(ORDER_ID, holder="a", now=NOW + timedelta(microseconds=900_000))
        with pytest.raises(OrderBusy):
            ledger.claim(ORDER_ID, holder="b", now=NOW + LEASE + timedelta(microseconds=999_999))

    def test_a_lease_that_has_run_out_is_taken_over(self, ledger: Ledger) -> None:
        ledger.claim(ORDER_ID, holder="dead", now=NOW)
        assert ledger.claim(ORDER_ID, holder="b", now=LATER) == Progress()

    def test_what_was_recorded_before_a_crash_is_found(self, ledger: Ledger) -> None:
        ledger.claim(ORDER_ID, holder="dead", now=NOW)
        ledger.record(ORDER_ID, FULL, holder="dead", now=NOW)
        assert ledger.claim(ORDER_ID, holder="b", now=LATER) == FULL

    def test_orders_do_not_wait_for_each_other(self, ledger: Ledger) -> None:
        ledger.claim(ORDER_ID, holder="a", now=NOW)
        assert ledger.claim("cs_test_2", holder="b", now=NOW) == Progress()

    def test_how_often_an_order_was_claimed_is_counted(self, ledger: Ledger) -> None:
        claims = []
        for holder in ("a", "b", "c"):
            claims.append(ledger.claim(ORDER_ID, holder=holder, now=NOW).claims)
            ledger.release(ORDER_ID, Progress(), holder=holder, now=NOW)
        assert claims == [1, 2, 3]

    def test_since_when_an_order_is_known_is_kept(self, ledger: Ledger) -> None:
        assert ledger.claim(ORDER_ID, holder="a", now=NOW).first_seen_at == NOW
        ledger.release(ORDER_ID, Progress(), holder="a", now=NOW)
        assert ledger.claim(ORDER_ID, holder="b", now=LATER).first_seen_at == NOW


def settled(ledger: Ledger, progress: Progress) -> None:
    ledger.claim(ORDER_ID, holder="a", now=NOW)
    ledger.release(ORDER_ID, progress, holder="a", now=NOW)


class TestClaimUnseen:
    SEEN = replace(FULL, seen_until=NOW)

    def test_an_order_never_seen_is_claimed(self, ledger: Ledger) -> None:
        assert ledger.claim_unseen(ORDER_ID, since=NOW, holder="a", now=NOW) == Progress()

    def test_what_was_seen_after_that_moment_is_left_alone(self, ledger: Ledger) -> None:
        settled(ledger, self.SEEN)
        assert ledger.claim_unseen(ORDER_ID, since=NOW, holder="b", now=LATER) is State.DELIVERED
        assert ledger.claim(ORDER_ID, holder="c", now=LATER) == self.SEEN

    def test_what_was_seen_before_it_is_claimed(self, ledger: Ledger) -> None:
        settled(ledger, self.SEEN)
        since = NOW + timedelta(seconds=1)
        assert ledger.claim_unseen(ORDER_ID, since=since, holder="b", now=LATER) == self.SEEN

    def test_what_nobody_says_to_have_seen_is_claimed(self, ledger: Ledger) -> None:
        settled(ledger, FULL)
        assert ledger.claim_unseen(ORDER_ID, since=NOW, holder="b", now=LATER) == FULL

    @pytest.mark.parametrize("state", [state for state in State if not state.settled])
    def test_what_is_not_settled_is_claimed_however_lately_it_was_seen(self, ledger: Ledger, state: State) -> None:
        settled(ledger, replace(self.SEEN, state=state))
        assert ledger.claim_unseen(ORDER_ID, since=NOW, holder="b", now=NOW) == replace(self.SEEN, state=state)

    def test_what_was_given_back_undone_is_claimed(self, ledger: Ledger) -> None:
        ledger.claim(ORDER_ID, holder="a", now=NOW)
        ledger.release(ORDER_ID, self.SEEN, holder="a", now=NOW, done=False)
        assert ledger.claim_unseen(ORDER_ID, since=NOW, holder="b", now=NOW) == self.SEEN

    def test_an_order_in_work_is_busy_whatever_was_seen_before(self, ledger: Ledger) -> None:
        settled(ledger, self.SEEN)
        ledger.claim(ORDER_ID, holder="a", now=NOW)
        with pytest.raises(OrderBusy):
            ledger.claim_unseen(ORDER_ID, since=NOW, holder="b", now=NOW)

    def test_what_a_crash_left_is_claimed(self, ledger: Ledger) -> None:
        settled(ledger, self.SEEN)
        ledger.claim(ORDER_ID, holder="dead", now=NOW)
        assert ledger.claim_unseen(ORDER_ID, since=NOW, holder="b", now=LATER) == self.SEEN


class TestPaidBy:
    def test_an_order_is_found_by_its_payment(self, ledger: Ledger) -> None:
        settled(ledger, a_progress(payment_intent="pi_1"))
        assert ledger.paid_by("pi_1") == (ORDER_ID,)

    def test_another_payment_leads_to_none(self, ledger: Ledger) -> None:
        settled(ledger, a_progress(payment_intent="pi_1"))
        assert ledger.paid_by("pi_2") == ()


class TestRecord:
    def test_recording_keeps_the_lease(self, ledger: Ledger) -> None:
        ledger.claim(ORDER_ID, holder="a", now=NOW)
        ledger.record(ORDER_ID, FULL, holder="a", now=NOW)
        with pytest.raises(OrderBusy):
            ledger.claim(ORDER_ID, holder="b", now=NOW)

    def test_nobody_records_without_the_lease(self, ledger: Ledger) -> None:
        with pytest.raises(OrderBusy):
            ledger.record(ORDER_ID, FULL, holder="a", now=NOW)

    def test_whoever_lost_the_lease_records_nothing(self, ledger: Ledger) -> None:
        ledger.claim(ORDER_ID, holder="slow", now=NOW)
        ledger.claim(ORDER_ID, holder="b", now=LATER)
        with pytest.raises(OrderBusy):
            ledger.record(ORDER_ID, FULL, holder="slow", now=LATER)
        ledger.release(ORDER_ID, Progress(state=State.WAITING), holder="b", now=LATER)
        assert ledger.claim(ORDER_ID, holder="c", now=LATER) == Progress(state=State.WAITING)


class TestRelease:
    def test_a_released_order_is_free_at_once_and_keeps_everything(self, ledger: Ledger) -> None:
        ledger.claim(ORDER_ID, holder="a", now=NOW)
        ledger.release(ORDER_ID, FULL, holder="a", now=NOW)
        assert ledger.claim(ORDER_ID, holder="b", now=NOW) == FULL

    @pytest.mark.parametrize("state", list(State))
    def test_every_state_is_read_back(self, ledger: Ledger, state: State) -> None:
        ledger.claim(ORDER_ID, holder="a", now=NOW)
        ledger.release(ORDER_ID, Progress(state=state), holder="a", now=NOW)
        assert ledger.claim(ORDER_ID, holder="a", now=NOW) == Progress(state=state)

    @pytest.mark.parametrize("told", [None, *Told])
    def test_what_the_buyer_was_told_is_read_back(self, ledger: Ledger, told: Told | None) -> None:
        ledger.claim(ORDER_ID, holder="a", now=NOW)
        ledger.release(ORDER_ID, a_progress(told=told), holder="a", now=NOW)
        assert ledger.claim(ORDER_ID, holder="a", now=NOW).told is told

    def test_what_is_no_longer_true_is_gone(self, ledger: Ledger) -> None:
        ledger.claim(ORDER_ID, holder="a", now=NOW)
        ledger.record(ORDER_ID, FULL, holder="a", now=NOW)
        ledger.release(ORDER_ID, Progress(state=State.WAITING, reason="not_paid"), holder="a", now=NOW)
        assert ledger.claim(ORDER_ID, holder="a", now=NOW) == Progress(state=State.WAITING, reason="not_paid")

    @pytest.mark.parametrize("refused", Refused)
    def test_why_an_address_was_not_corrected_is_kept(self, ledger: Ledger, refused: Refused) -> None:
        progress = Progress(state=State.WAITING, correction=Correction(NOW, refused=refused))
        ledger.claim(ORDER_ID, holder="a", now=NOW)
        ledger.release(ORDER_ID, progress, holder="a", now=NOW)
        assert ledger.claim(ORDER_ID, holder="a", now=NOW) == progress

    def test_times_are_kept_to_the_second(self, ledger: Ledger) -> None:
        ledger.claim(ORDER_ID, holder="a", now=NOW)
        mailed = a_progress(mailed_at=NOW + timedelta(microseconds=999_999))
        ledger.release(ORDER_ID, mailed, holder="a", now=NOW)
        assert a_row(ledger.claim(ORDER_ID, holder="a", now=NOW)).mailed_at == NOW

    def test_a_lease_is_given_back_once(self, ledger: Ledger) -> None:
        ledger.claim(ORDER_ID, holder="a", now=NOW)
        ledger.release(ORDER_ID, FULL, holder="a", now=NOW)
        with pytest.raises(OrderBusy):
            ledger.release(ORDER_ID, Progress(), holder="a", now=NOW)

    def test_whoever_lost_the_lease_does_not_end_another_s(self, ledger: Ledger) -> None:
        ledger.claim(ORDER_ID, holder="slow", now=NOW)
        ledger.claim(ORDER_ID, holder="b", now=LATER)
        with pytest.raises(OrderBusy):
            ledger.release(ORDER_ID, FULL, holder="slow", now=LATER)
        with pytest.raises(OrderBusy):
            ledger.claim(ORDER_ID, holder="c", now=LATER)


class TestLive:
    """Which of a subscription's old invoices something may still change for."""

    def kept(self, ledger: Ledger, order_id: str, progress: Progress) -> None:
        ledger.claim(order_id, holder="a", now=NOW)
        ledger.release(order_id, progress, holder="a", now=NOW)

    def test_those_with_an_open_link_and_those_that_are_not_settled(self, ledger: Ledger) -> None:
        ends = NOW + timedelta(days=1)
        self.kept(ledger, "in_open", a_progress(state=State.DELIVERED, share_expires_at=ends))
        self.kept(ledger, "in_over", a_progress(state=State.DELIVERED, share_expires_at=NOW))
        self.kept(ledger, "in_ended", a_progress(state=State.ACCESS_ENDED, share_expires_at=ends))
        self.kept(ledger, "in_held", a_progress(state=State.ACCESS_ON_HOLD, share_expires_at=NOW))
        self.kept(ledger, "in_waiting", Progress(state=State.WAITING))
        self.kept(ledger, "in_case", Progress(state=State.ON_HOLD))
        asked = ["in_open", "in_over", "in_ended", "in_held", "in_waiting", "in_case", "in_unknown"]
        assert set(ledger.live(asked, now=NOW)) == {"in_open", "in_held", "in_waiting", "in_case"}

    def test_of_none_there_are_none(self, ledger: Ledger) -> None:
        assert list(ledger.live([], now=NOW)) == []

    def test_more_than_a_batch_are_all_asked_for(self, ledger: Ledger) -> None:
        for number in (0, 99, 100, 204):
            self.kept(ledger, f"in_{number}", Progress(state=State.WAITING))
        found = ledger.live([f"in_{number}" for number in range(205)], now=NOW)
        assert set(found) == {"in_0", "in_99", "in_100", "in_204"}


class TestDynamoLedger:
    def test_the_item_is_readable_by_a_person(self, aws: Cloud) -> None:
        ledger = DynamoLedger(aws.dynamodb, ORDERS_TABLE)
        ledger.claim(ORDER_ID, holder="a", now=NOW)
        ledger.release(ORDER_ID, FULL, holder="a", now=NOW + timedelta(seconds=2))
        at = int(NOW.timestamp())
        assert aws.dynamodb.scan(TableName=ORDERS_TABLE)["Items"] == [
            {
                "order_id": {"S": ORDER_ID},
                "state": {"S": "delivered"},
                "reason": {"S": "partly_refunded"},
                "account": {"S": "acct_1"},
                "payment_intent": {"S": "pi_1"},
                "late_since": {"N": str(at)},
                "late_told_at": {"N": str(at + 900)},
                "late_message_id": {"S": "m-late"},
                "switching": {"BOOL": True},
                "unseen": {"BOOL": True},
                "unsure": {"BOOL": True},
                "mailing_lines": {"L": [{"S": "li_2"}]},
                "mailing_why": {"S": "refunded"},
                "resent_outcome": {"S": "access_ended:refunded"},
                "next_end": {"N": str(at + 3 * 86400)},
                "case_told_at": {"N": str(at)},
                "grants": {
                    "L": [
                        {
                            "M": {
                                "line": {"S": "li_1"},
                                "until": {"N": str(at + 7 * 86400)},
                                "workspace": {"S": "shop"},
                                "nodes": {"L": [{"S": "node-1"}, {"S": "node-2"}]},
                                "closed_at": {"N": str(at)},
                            }
                        },
                        {
                            "M": {
                                "line": {"S": "li_2"},
                                "until": {"N": str(at + 3 * 86400)},
                                "workspace": {"S": "shop"},
                                "nodes": {"L": [{"S": "node-3"}]},
                            }
                        },
                    ]
                },
                "resent": {"S": "operator:1"},
                "wishes": {"L": [{"S": "operator:0"}]},
                "ruled": {"S": "on_hold"},
                "ruled_at": {"N": str(at)},
                "corrected_at": {"N": str(at)},
                "corrected_to": {"S": "sealed"},
                "withdrawing": {"BOOL": True},
                "put_off": {"S": "stripe_unavailable: down"},
                "put_off_at": {"N": str(at)},
                "holds": {"L": [{"S": "li_2"}]},
                "lines": {"L": [{"S": "li_1"}, {"S": "li_2"}]},
                "given": {"L": [{"S": "li_2"}]},
                "told": {"S": "access"},
                "mailing": {"S": "access_changed"},
                "closed_at": {"N": str(at + 86400)},
                "delivered_at": {"N": str(at + 1)},
                "share_id": {"S": "5000000000000000001"},
                "message_id": {"S": "m-1"},
                "share_expires_at": {"N": str(at + 7 * 86400)},
                "mailing_at": {"N": str(at)},
                "mailed_at": {"N": str(at + 1)},
                "first_seen_at": {"N": str(at)},
                "claims": {"N": "1"},
                "updated_at": {"N": str(at + 2)},
            }
        ]

    @pytest.mark.parametrize("state", list(State))
    def test_what_is_not_settled_is_marked_for_the_sweep(self, aws: Cloud, state: State) -> None:
        ledger = DynamoLedger(aws.dynamodb, ORDERS_TABLE)
        ledger.claim(ORDER_ID, holder="a", now=NOW)
        ledger.release(ORDER_ID, Progress(state=state), holder="a", now=NOW)
        [item] = aws.dynamodb.scan(TableName=ORDERS_TABLE)["Items"]
        assert ("unsettled" in item) is not state.settled

    def test_an_order_in_work_is_marked_so_that_a_crash_is_found(self, aws: Cloud) -> None:
        ledger = DynamoLedger(aws.dynamodb, ORDERS_TABLE)
        ledger.claim(ORDER_ID, holder="a", now=NOW)
        ledger.release(ORDER_ID, FULL, holder="a", now=NOW)
        ledger.claim(ORDER_ID, holder="b", now=NOW)
        [item] = aws.dynamodb.scan(TableName=ORDERS_TABLE)["Items"]
        assert item["unsettled"] == {"S": shard(ORDER_ID)}

    def test_the_orders_of_a_rush_are_spread_evenly_over_the_index(self) -> None:
        """DynamoDB has no more than 1,000 writes a second for one key: none may have the most of them."""
        counts = Counter(shard(f"cs_live_{number:058}") for number in range(16_000))
        assert set(counts) == set(SHARDS)
        assert max(counts.values()) < 2 * 16_000 / len(SHARDS)

    def test_ses_s_word_is_read_and_never_overwritten(self, aws: Cloud) -> None:
        ledger = DynamoLedger(aws.dynamodb, ORDERS_TABLE)
        ledger.claim(ORDER_ID, holder="a", now=NOW)
        aws.dynamodb.update_item(
            TableName=ORDERS_TABLE,
            Key={"order_id": {"S": ORDER_ID}},
            UpdateExpression="SET letter_sent_at = :at",
            ExpressionAttributeValues={":at": {"N": str(int(NOW.timestamp()))}},
        )
        ledger.release(ORDER_ID, FULL, holder="a", now=NOW)
        assert a_row(ledger.claim(ORDER_ID, holder="b", now=NOW)).sent_at == NOW

    @pytest.mark.parametrize(("mark", "kind"), [("1", "delivery"), ("", "")])
    def test_ses_s_word_says_of_which_letter_it_is_where_ses_does(self, aws: Cloud, mark: str, kind: str) -> None:
        ledger = DynamoLedger(aws.dynamodb, ORDERS_TABLE)
        ledger.claim(ORDER_ID, holder="a", now=NOW)
        log = DynamoMailLog(aws.dynamodb, ORDERS_TABLE)
        log.note(a_mail_event(mark=mark, letter=kind))
        # What is heard of another letter later hides nothing.
        log.note(a_mail_event(mark="2", fact=Fact.DELIVERED, message_id="other"))
        found = ledger.claim(ORDER_ID, holder="a", now=NOW)
        assert (a_row(found).sent_at, a_row(found).sent_mark, a_row(found).sent_kind) == (
            NOW,
            mark or None,
            kind or None,
        )

    def test_keys_that_dynamodb_leaves_unread_are_asked_for_again_and_not_for_ever(self) -> None:
        dynamodb = boto3.client("dynamodb", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        left = {ORDERS_TABLE: {"Keys": [{"order_id": {"S": "in_1"}}]}}
        item = {"order_id": {"S": "in_1"}, "state": {"S": "waiting"}, "unsettled": {"S": "yes"}}
        with Stubber(dynamodb) as stubber:
            stubber.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": left})
            stubber.add_response("batch_get_item", {"Responses": {ORDERS_TABLE: [item]}, "UnprocessedKeys": {}})
            assert DynamoLedger(dynamodb, ORDERS_TABLE).live(["in_1"], now=NOW) == ["in_1"]
            for _ in range(5):
                stubber.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": left})
            with pytest.raises(LedgerUnavailable):
                DynamoLedger(dynamodb, ORDERS_TABLE).live(["in_1"], now=NOW)

    def test_an_order_is_first_seen_once(self, aws: Cloud) -> None:
        ledger = DynamoLedger(aws.dynamodb, ORDERS_TABLE)
        ledger.claim(ORDER_ID, holder="a", now=NOW)
        ledger.claim(ORDER_ID, holder="b", now=LATER)
        [item] = aws.dynamodb.scan(TableName=ORDERS_TABLE)["Items"]
        assert item["first_seen_at"] == {"N": str(int(NOW.timestamp()))}

    def test_a_table_that_is_not_there_is_unavailable(self, aws: Cloud) -> None:
        with pytest.raises(LedgerUnavailable, match="DynamoDB UpdateItem: ResourceNotFoundException"):
            DynamoLedger(aws.dynamodb, "elsewhere").claim(ORDER_ID, holder="a", now=NOW)

    @pytest.mark.parametrize(
        "code", ["AccessDeniedException", "ProvisionedThroughputExceededException", "InternalServerError"]
    )
    def test_whatever_dynamodb_says_is_tried_again_and_not_quoted(self, code: str) -> None:
        dynamodb = boto3.client("dynamodb", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        with Stubber(dynamodb) as stubber:
            stubber.add_client_error("update_item", code, "User arn:aws:iam::1:user/ada may not")
            with pytest.raises(LedgerUnavailable) as caught:
                DynamoLedger(dynamodb, ORDERS_TABLE).claim(ORDER_ID, holder="a", now=NOW)
        assert str(caught.value) == f"DynamoDB UpdateItem: {code}"
        assert isinstance(caught.value.__cause__, ClientError)

    def test_a_dynamodb_out_of_reach_is_tried_again(self) -> None:
        # Nothing listens on the discard port: refused at once, nothing leaves the machine.
        dynamodb = boto3.client(
            "dynamodb",
            "us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            endpoint_url="http://127.0.0.1:9",
            config=Config(retries={"total_max_attempts": 1}),
        )
        with pytest.raises(LedgerUnavailable, match="DynamoDB: EndpointConnectionError"):
            DynamoLedger(dynamodb, ORDERS_TABLE).claim(ORDER_ID, holder="a", now=NOW)
