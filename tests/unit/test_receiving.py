import ipaddress
import json
from collections.abc import Callable
from typing import Any

import pytest

from local.signing import sign_fastio_pair, sign_fastio_single, sign_stripe
from paidshare.receiving.receive import LARGEST_BODY, Answer, Request, fastio, receive, stripe
from tests.builders import WEBHOOK_SECRET, a_notice, a_secret
from tests.fakes import MemoryIntake, MemoryVault

AT = 1_790_000_000
ROTATED = "whsec_theSecretThatWasMadeAMomentAgo"
FORGER_S = "whsec_aSecretThatOnlyTheForgerKnows"


def an_event(**changes: Any) -> bytes:
    event = {
        "id": "evt_1",
        "object": "event",
        "type": "checkout.session.completed",
        "livemode": False,
        "created": AT,
        "data": {"object": {"id": "cs_test_1", "customer_details": {"email": "ada@example.com"}}},
    }
    return json.dumps(event | changes).encode()


class Door:
    """The use case with everything round it in memory."""

    def __init__(self, *, allowed: tuple[str, ...] = ()) -> None:
        self.vault = MemoryVault()
        self.intake = MemoryIntake()
        networks = tuple(ipaddress.ip_network(block) for block in allowed)
        self.sender = stripe(livemode=False, allowed=networks)

    def post(
        self,
        body: bytes | None = None,
        *,
        secret: str = WEBHOOK_SECRET,
        signed_at: int = AT,
        address: str = "192.0.2.1",
        headers: tuple[tuple[str, str], ...] | None = None,
    ) -> Answer:
        body = an_event() if body is None else body
        if headers is None:
            headers = (("stripe-signature", sign_stripe(body, secret, signed_at)),)
        return receive(Request(body, headers, address), self.sender, vault=self.vault, intake=self.intake, now=AT)


class TestReceive:
    def test_a_verified_event_is_queued_and_then_acknowledged(self) -> None:
        door = Door()
        assert door.post().status == 200
        assert [(n.key, n.about) for n in door.intake.queue] == [("stripe:evt_1", "cs_test_1")]

    def test_the_same_event_again_is_acknowledged_and_queued_once(self) -> None:
        door = Door()
        assert [door.post().fact, door.post(signed_at=AT + 5).fact] == ["notice_queued", "notice_repeated"]
        assert door.post().status == 200
        assert len(door.intake.queue) == 1

    def test_two_events_of_one_order_are_two_looks(self) -> None:
        door = Door()
        door.post()
        door.post(an_event(id="evt_2"))
        assert [n.event_id for n in door.intake.queue] == ["evt_1", "evt_2"]

    @pytest.mark.parametrize(
        "body",
        [
            an_event(type="customer.created"),
            an_event(livemode=True),
            # Signed by Stripe, so never an error that would make it come again for three days.
            b"not json",
            b"[]",
            b"{}",
            b"",
        ],
    )
    def test_a_verified_event_that_is_not_for_us_is_acknowledged_and_forgotten(self, body: bytes) -> None:
        door = Door()
        answer = door.post(body)
        assert (answer.status, answer.fact) == (200, "not_for_us")
        assert door.intake.queue == []

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"headers": ()}, "missing_signature"),
            ({"headers": (("stripe-signature", ""),)}, "missing_signature"),
            ({"headers": (("stripe-signature", "t=1,v1="),)}, None),
            ({"secret": FORGER_S}, "mismatch"),
            ({"signed_at": AT - 301}, "too_old"),
            ({"signed_at": AT + 301}, "from_the_future"),
            # Valid UTF-8 is what Stripe signs.
            ({"body": b"\xff"}, None),
        ],
    )
    def test_a_refused_signature_is_400_and_nothing_is_queued(
        self, changes: dict[str, Any], reason: str | None
    ) -> None:
        door = Door()
        answer = door.post(**changes)
        assert (answer.status, answer.fact) == (400, "signature_refused")
        assert reason is None or answer.fields["reason"] == reason
        assert door.intake.queue == []

    def test_a_body_changed_by_one_byte_is_refused(self) -> None:
        door = Door()
        headers = (("stripe-signature", sign_stripe(an_event(), WEBHOOK_SECRET, AT)),)
        assert door.post(an_event(id="evt_2"), headers=headers).status == 400
        assert door.intake.queue == []

    @pytest.mark.parametrize("name", ["Stripe-Signature", "stripe-signature", "STRIPE-SIGNATURE"])
    def test_the_header_s_case_does_not_matter(self, name: str) -> None:
        headers = ((name, sign_stripe(an_event(), WEBHOOK_SECRET, AT)), ("content-type", "application/json"))
        assert Door().post(headers=headers).status == 200

    def test_a_body_of_the_largest_size_is_read(self) -> None:
        body = an_event(padding="x" * (LARGEST_BODY - len(an_event(padding=""))))
        assert len(body) == LARGEST_BODY
        assert Door().post(body).status == 200

    def test_a_body_one_byte_larger_is_413_before_any_signature_is_computed(self) -> None:
        door = Door()
        door.vault.broken = True
        assert door.post(b"x" * (LARGEST_BODY + 1)).status == 413

    def test_an_empty_secret_refuses_everything(self) -> None:
        door = Door()
        door.vault = MemoryVault(a_secret(stripe_webhook_secrets=()))
        assert door.post().status == 400
        assert door.post(secret="").status == 400


class TestFastio:
    BODY = b'{"id":"evt_f1","event_type":"file.uploaded","data":{"file_id":"f3a-1"}}'
    [SECRET] = a_secret().fastio_webhook_secrets

    def post(
        self, headers: dict[str, str], *, intake: MemoryIntake | None = None, address: str = "192.0.2.1"
    ) -> Answer:
        sender = fastio(allowed=(ipaddress.ip_network("192.0.2.0/24"),))
        request = Request(self.BODY, tuple(headers.items()), address)
        return receive(request, sender, vault=MemoryVault(), intake=intake or MemoryIntake(), now=AT)

    @pytest.mark.parametrize("sign", [sign_fastio_pair, sign_fastio_single])
    def test_a_verified_event_is_queued_once(self, sign: Callable[[bytes, str, int], dict[str, str]]) -> None:
        intake = MemoryIntake()
        headers = sign(self.BODY, self.SECRET, AT)
        facts = [self.post(headers, intake=intake).fact for _ in range(2)]
        assert facts == ["notice_queued", "notice_repeated"]
        assert [n.key for n in intake.queue] == ["fastio:evt_f1"]

    def test_no_signature_is_400(self) -> None:
        assert self.post({}).status == 400

    @pytest.mark.parametrize(("secret", "at"), [(FORGER_S, AT), (SECRET, AT - 301), (SECRET, AT + 301)])
    def test_a_wrong_or_expired_signature_is_401(self, secret: str, at: int) -> None:
        assert self.post(sign_fastio_pair(self.BODY, secret, at)).status == 401

    def test_stripe_s_secret_does_not_open_this_route(self) -> None:
        assert self.post(sign_fastio_pair(self.BODY, WEBHOOK_SECRET, AT)).status == 401

    def test_an_address_outside_is_403(self) -> None:
        assert self.post(sign_fastio_pair(self.BODY, self.SECRET, AT), address="203.0.113.9").status == 403


class TestAllowList:
    @pytest.mark.parametrize(
        ("allowed", "address", "status"),
        [
            # Empty: any.
            ((), "203.0.113.9", 200),
            ((), "2001:db8::1", 200),
            (("192.0.2.0/24",), "192.0.2.255", 200),
            (("192.0.2.0/24",), "192.0.3.0", 403),
            (("2001:db8::/32",), "2001:db8:1::1", 200),
            (("2001:db8::/32",), "2001:db9::1", 403),
            # The other family is not a match for anything.
            (("192.0.2.0/24",), "2001:db8::1", 403),
            (("0.0.0.0/0",), "2001:db8::1", 403),
            (("::/0",), "192.0.2.1", 403),
            # How a dual-stack socket writes an IPv4 caller.
            (("192.0.2.0/24",), "::ffff:192.0.2.1", 200),
            (("192.0.2.0/24",), "::ffff:198.51.100.1", 403),
            (("198.51.100.0/24", "192.0.2.1/32"), "192.0.2.1", 200),
            # Not an address at all.
            (("192.0.2.0/24",), "", 403),
            (("192.0.2.0/24",), "192.0.2.1, 203.0.113.9", 403),
            (("192.0.2.0/24",), "unknown", 403),
        ],
    )
    def test_only_listed_addresses_are_let_in(self, allowed: tuple[str, ...], address: str, status: int) -> None:
        assert Door(allowed=allowed).post(address=address).status == status

    def test_an_address_outside_is_refused_before_the_secret_is_read(self) -> None:
        door = Door(allowed=("192.0.2.0/24",))
        door.vault.broken = True
        assert door.post(address="203.0.113.9").status == 403


class TestOutOfReach:
    def test_a_queue_out_of_reach_is_503_and_the_next_try_is_taken(self) -> None:
        door = Door()
        door.intake.broken = True
        answer = door.post()
        assert (answer.status, answer.fact, answer.fields["reason"]) == (503, "not_taken", "queue_unavailable")
        door.intake.broken = False
        assert door.post().fact == "notice_queued"

    def test_an_event_in_progress_elsewhere_is_503(self) -> None:
        door = Door()
        door.intake.crashing = True
        with pytest.raises(BaseException):  # noqa: B017, PT011  # The process dies; nobody is told anything.
            door.post()
        door.intake.crashing = False
        assert door.post().status == 503

    def test_a_secret_out_of_reach_is_503(self) -> None:
        door = Door()
        door.vault.broken = True
        assert door.post().status == 503
        assert door.intake.queue == []

    def test_a_secret_out_of_reach_at_the_second_look_is_503_and_not_a_refusal(self) -> None:
        class BreaksBetween(MemoryVault):
            def reread(self) -> None:
                self.broken = True
                super().reread()

        door = Door()
        door.vault = BreaksBetween()
        assert door.post(secret=ROTATED).status == 503


class TestRotation:
    def test_a_secret_rotated_a_moment_ago_is_read_afresh_once_and_passes(self) -> None:
        door = Door()
        door.vault.stored = a_secret(stripe_webhook_secrets=(ROTATED, WEBHOOK_SECRET))
        assert door.post(secret=ROTATED).status == 200
        assert door.post(an_event(id="evt_2"), secret=ROTATED).status == 200
        assert door.vault.rereads == 1

    def test_old_and_new_overlap_while_it_is_rotated(self) -> None:
        door = Door()
        door.vault = MemoryVault(a_secret(stripe_webhook_secrets=(ROTATED, WEBHOOK_SECRET)))
        assert door.post(secret=ROTATED).fields["secret"] == 1
        assert door.post(an_event(id="evt_2"), secret=WEBHOOK_SECRET).fields["secret"] == 2

    def test_a_forger_costs_one_look_and_is_refused(self) -> None:
        door = Door()
        assert door.post(secret=FORGER_S).status == 400
        assert door.vault.rereads == 1

    def test_a_forger_is_refused_too_when_the_secret_was_just_read_afresh(self) -> None:
        door = Door()
        door.vault.just_reread = True
        assert door.post(secret=FORGER_S).status == 400

    @pytest.mark.parametrize(
        "changes",
        [
            # No new secret could mend these.
            {"headers": ()},
            {"headers": (("stripe-signature", "nonsense"),)},
            {"signed_at": AT - 301},
            {"signed_at": AT + 301},
        ],
    )
    def test_what_no_new_secret_mends_reads_none(self, changes: dict[str, Any]) -> None:
        door = Door()
        assert door.post(**changes).status == 400
        assert door.vault.rereads == 0

    def test_a_refused_address_and_a_large_body_read_no_secret(self) -> None:
        door = Door(allowed=("192.0.2.0/24",))
        door.post(address="203.0.113.9")
        door.post(b"x" * (LARGEST_BODY + 1))
        assert door.vault.rereads == 0


class TestFields:
    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"body": an_event(type="customer.created")},
            {"secret": FORGER_S},
            {"headers": ()},
            {"headers": (("stripe-signature", "t=ada@example.com,v1=" + WEBHOOK_SECRET),)},
            {"signed_at": AT - 301},
            {"body": b"ada@example.com" * LARGEST_BODY},
        ],
    )
    @pytest.mark.parametrize("broken", ["", "vault", "intake"])
    def test_the_log_holds_no_body_no_secret_and_no_signature(self, changes: dict[str, Any], broken: str) -> None:
        door = Door()
        if broken:
            getattr(door, broken).broken = True
        answer = door.post(**changes)
        told = repr(answer)
        signature = sign_stripe(an_event(), WEBHOOK_SECRET, AT).partition("v1=")[2]
        for hidden in ("ada@", WEBHOOK_SECRET, FORGER_S, signature, "customer_details", a_secret().link_key):
            assert hidden not in told

    def test_a_queued_notice_is_logged_with_its_ids(self) -> None:
        notice = a_notice()
        fields = Door().post().fields
        assert fields == {
            "event_id": notice.event_id,
            "why": notice.why,
            "about": notice.about,
            "scheme": "stripe_v1",
            "secret": 1,
        }

    def test_no_field_has_a_name_that_the_logger_needs_itself(self) -> None:
        # logging refuses to overwrite these, with a KeyError.
        own = {"message", "name", "msg", "args", "module", "level", "asctime", "filename", "lineno", "process"}
        door = Door()
        answers = [door.post(), door.post(secret=FORGER_S), door.post(an_event(type="x")), door.post(headers=())]
        door.vault.broken = True
        answers.append(door.post())
        for answer in answers:
            assert not set(answer.fields) & own
