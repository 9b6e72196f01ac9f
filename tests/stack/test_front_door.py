"""The deployed front door: every signature right, every forgery refused, and no request makes it answer 5xx."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import httpx
import pytest

from local.settings import SECRET_NAME
from local.signing import sign_fastio_pair, sign_fastio_single, sign_stripe
from tests.stack.laptop import Laptop

OTHER = {"object": "event", "id": "evt_other", "type": "customer.created", "livemode": False}


def event(name: str) -> bytes:
    """An event that is verified and then not for us: the front door alone is what is tested."""
    return json.dumps({**OTHER, "id": f"evt_{name}"}).encode()


class TestStripe:
    def test_a_good_signature_is_taken(self, laptop: Laptop) -> None:
        answer = laptop.post(event("good"))
        assert (answer.status_code, answer.json()) == (200, {"received": True})

    @pytest.mark.parametrize("seconds", [-301, -86400, 330, 86400])
    def test_a_signature_of_another_time_is_refused(self, laptop: Laptop, seconds: int) -> None:
        assert laptop.post(event("time"), at=time.time() + seconds).status_code == 400

    def test_a_wrong_secret_is_refused_with_no_reason_given(self, laptop: Laptop) -> None:
        answer = laptop.post(event("forged"), secret="whsec_a_secret_of_nobody_at_all")
        assert (answer.status_code, answer.json()) == (400, {"received": False})

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"stripe-signature": ""},
            {"stripe-signature": "i'm not even a real signature header"},
            {"stripe-signature": "t=1,v0=" + "0" * 64},
            {"stripe-signature": "t=1,v1=" + "0" * 64 + "," + "v1=" * 500},
        ],
    )
    def test_a_missing_or_malformed_signature_is_refused(self, laptop: Laptop, headers: dict[str, str]) -> None:
        assert laptop.post(event("malformed"), headers=headers).status_code == 400

    @pytest.mark.parametrize(
        "changed",
        [
            lambda body: body[:-1] + b" ",
            lambda body: body + b"\n",
            lambda body: b"\xef\xbb\xbf" + body,
            lambda body: json.dumps(json.loads(body), indent=1).encode(),
        ],
        ids=["one-byte", "newline", "byte-order-mark", "re-serialised"],
    )
    def test_a_changed_body_is_refused(self, laptop: Laptop, changed: Any) -> None:
        body = event("changed")
        signature = sign_stripe(body, laptop.to.stripe_webhook_secret, int(time.time()))
        assert laptop.post(changed(body), headers={"stripe-signature": signature}).status_code == 400

    def test_a_body_that_arrives_base64_encoded_is_taken_byte_for_byte(self, laptop: Laptop) -> None:
        # `curl -d` without a content type: API Gateway hands such a body over in base64.
        body = event("base64")
        signature = sign_stripe(body, laptop.to.stripe_webhook_secret, int(time.time()))
        headers = {"stripe-signature": signature, "content-type": "application/x-www-form-urlencoded"}
        assert laptop.post(body, headers=headers).status_code == 200

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"not json",
            b"null",
            b"[]",
            b'"evt_1"',
            b"{}",
            b"\xff\xfe\x00invalid utf-8",
            b'{"id": "\\ud800", "object": "event", "type": "\\u0000"}',
            b"[" * 100_000,
            b'{"object": "event", "id": ' + b"9" * 5000 + b"}",
            b'{"object":"event","id":"evt_1","type":"checkout.session.completed","livemode":false,"data":[]}',
        ],
        ids=lambda body: repr(body[:20]),
    )
    def test_no_signed_body_makes_it_answer_5xx(self, laptop: Laptop, body: bytes) -> None:
        # What is not UTF-8 is refused even when signed: Stripe's own SDK would, too.
        utf8 = not body.startswith(b"\xff")
        assert laptop.post(body).status_code == (200 if utf8 else 400)

    def test_five_mebibytes_are_too_much(self, laptop: Laptop) -> None:
        body = b'{"x": "' + b"a" * (5 * 1024 * 1024) + b'"}'
        assert laptop.post(body).status_code == 413
        laptop.log_line("receive", message="body_too_large", bytes=len(body))

    def test_a_route_that_does_not_exist_is_404(self, laptop: Laptop) -> None:
        url = laptop.to.stripe_webhook_url.removesuffix("/stripe")
        assert laptop.http.post(f"{url}/nobody", json={}).status_code == 404
        assert laptop.http.get(laptop.to.stripe_webhook_url).status_code == 404


class TestFastio:
    def post(self, laptop: Laptop, body: bytes, headers: dict[str, str]) -> httpx.Response:
        headers = {"content-type": "application/json", **headers}
        return laptop.http.post(laptop.to.fastio_webhook_url, content=body, headers=headers)

    @pytest.mark.parametrize("sign", [sign_fastio_pair, sign_fastio_single])
    def test_each_scheme_is_taken_queued_once_and_refused_when_wrong_or_late(self, laptop: Laptop, sign: Any) -> None:
        body = json.dumps({"event_type": "file.uploaded", "data": {"file_id": "f3jm5"}, "id": f"e-{sign.__name__}"})
        secret, now = laptop.to.fastio_webhook_secret, int(time.time())
        good = sign(body.encode(), secret, now)

        assert self.post(laptop, body.encode(), good).status_code == 200
        laptop.log_line("deliver", message="order_looked_at", reason="fastio_file_added")
        assert self.post(laptop, body.encode(), good).status_code == 200
        laptop.log_line("receive", message="notice_repeated", event_id=f"e-{sign.__name__}")
        assert self.post(laptop, body.encode() + b" ", good).status_code == 401
        assert self.post(laptop, body.encode(), sign(body.encode(), "another-secret-of-nobody", now)).status_code == 401
        for off in (-301, 330):
            late = sign(body.encode(), secret, int(time.time()) + off)
            assert self.post(laptop, body.encode(), late).status_code == 401

    def test_no_signature_is_400(self, laptop: Laptop) -> None:
        assert self.post(laptop, b"{}", {}).status_code == 400

    def test_the_signature_of_the_other_route_is_not_one(self, laptop: Laptop) -> None:
        signature = sign_stripe(b"{}", laptop.to.fastio_webhook_secret, int(time.time()))
        assert self.post(laptop, b"{}", {"stripe-signature": signature}).status_code == 400

    def test_a_signature_made_by_hand_is_taken(self, laptop: Laptop) -> None:
        body, at = b'{"type":"share.created","id":"by-hand"}', str(int(time.time()))
        key = laptop.to.fastio_webhook_secret.encode()
        digest = hmac.new(key, at.encode() + b"." + body, hashlib.sha256).digest()
        pair = {"x-fastio-signature": "sha256=" + digest.hex(), "x-timestamp": at}
        single = {"fastio-signature": f"t={at},v1=" + base64.b64encode(digest).decode()}
        assert self.post(laptop, body, pair).status_code == 200
        assert self.post(laptop, body, single).status_code == 200

    def test_an_unknown_kind_is_200_and_logged(self, laptop: Laptop) -> None:
        body = b'{"event":"moon_phase_changed","event_id":"e-moon","created":1}'
        headers = sign_fastio_pair(body, laptop.to.fastio_webhook_secret, int(time.time()))
        assert self.post(laptop, body, headers).status_code == 200
        laptop.log_line("receive", message="not_for_us", reason="unknown_kind", why="moon_phase_changed")


class TestRotation:
    def test_old_and_new_pass_during_the_overlap_and_the_old_fails_after(self, laptop: Laptop) -> None:
        secrets = laptop.stack.aws.secrets
        kept = secrets.get_secret_value(SecretId=SECRET_NAME)["SecretString"]
        old, new = laptop.to.stripe_webhook_secret, "whsec_the_new_one_0123456789abcdefghijkl"

        def put(*webhook_secrets: str) -> None:
            changed = json.loads(kept) | {"stripe_webhook_secrets": webhook_secrets}
            secrets.put_secret_value(SecretId=SECRET_NAME, SecretString=json.dumps(changed))

        try:
            _restarted(laptop)
            assert laptop.post(event("before"), secret=old).status_code == 200
            put(new, old)
            # No deploy and no waiting: the mismatch makes Receive read the secret afresh.
            assert laptop.post(event("new"), secret=new).status_code == 200
            assert laptop.post(event("old"), secret=old).status_code == 200
            assert laptop.log_line("receive", message="not_for_us", secret=2)["scheme"] == "stripe_v1"
            put(new)
            _restarted(laptop)
            assert laptop.post(event("gone"), secret=old).status_code == 400
            assert laptop.post(event("stays"), secret=new).status_code == 200
        finally:
            secrets.put_secret_value(SecretId=SECRET_NAME, SecretString=kept)
            _restarted(laptop)

    @pytest.mark.parametrize("sign", [sign_fastio_pair, sign_fastio_single])
    def test_fastio_s_secret_rotates_the_same_way(self, laptop: Laptop, sign: Any) -> None:
        secrets = laptop.stack.aws.secrets
        kept = secrets.get_secret_value(SecretId=SECRET_NAME)["SecretString"]
        old, new, body = laptop.to.fastio_webhook_secret, "a-new-secret-of-fastio-0123456789", b'{"type":"moon.full"}'

        def put(*webhook_secrets: str) -> None:
            changed = json.loads(kept) | {"fastio_webhook_secrets": webhook_secrets}
            secrets.put_secret_value(SecretId=SECRET_NAME, SecretString=json.dumps(changed))

        def post(secret: str) -> int:
            headers = sign(body, secret, int(time.time()))
            return laptop.http.post(laptop.to.fastio_webhook_url, content=body, headers=headers).status_code

        try:
            _restarted(laptop)
            assert post(old) == 200
            put(new, old)
            assert (post(new), post(old)) == (200, 200)
            put(new)
            _restarted(laptop)
            assert (post(old), post(new)) == (401, 200)
        finally:
            secrets.put_secret_value(SecretId=SECRET_NAME, SecretString=kept)
            _restarted(laptop)

    def test_an_empty_secret_refuses_everything(self, laptop: Laptop) -> None:
        secrets = laptop.stack.aws.secrets
        kept = secrets.get_secret_value(SecretId=SECRET_NAME)["SecretString"]
        empty = {"stripe_webhook_secrets": [""], "fastio_webhook_secrets": []}
        try:
            secrets.put_secret_value(SecretId=SECRET_NAME, SecretString=json.dumps(json.loads(kept) | empty))
            _restarted(laptop)
            assert laptop.post(event("empty"), headers={"stripe-signature": _signed_with_nothing()}).status_code == 400
        finally:
            secrets.put_secret_value(SecretId=SECRET_NAME, SecretString=kept)
            _restarted(laptop)


class TestAllowList:
    def test_an_address_that_is_not_on_the_list_is_refused_before_anything_else_and_counted(
        self, laptop: Laptop
    ) -> None:
        try:
            _restarted(laptop, STRIPE_ALLOWED_CIDRS="192.0.2.0/24,2001:db8::/32")
            answer = laptop.post(event("not-let-in"))
            assert (answer.status_code, answer.json()) == (403, {"received": False})
            counted = laptop.log_line("receive", fact="address_refused", source="stripe")
            assert counted["Webhooks"] == [1.0]
            _restarted(laptop, STRIPE_ALLOWED_CIDRS="192.0.2.0/24,127.0.0.0/8,::1/128")
            assert laptop.post(event("let-in")).status_code == 200
        finally:
            _restarted(laptop, STRIPE_ALLOWED_CIDRS="")


def _signed_with_nothing() -> str:
    at = int(time.time())
    return f"t={at},v1={hmac.new(b'', f'{at}.'.encode() + event('empty'), hashlib.sha256).hexdigest()}"


def _restarted(laptop: Laptop, **variables: str) -> None:
    """
    New containers, with *variables* changed: what a minute of waiting does to the cached secret.

    MiniStack starts one afresh when a change of what it runs on is asked for, be it to the same.
    """
    functions, name = laptop.stack.aws.client("lambda"), laptop.to.outputs["ReceiveFunction"]
    kept = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": kept | variables})
