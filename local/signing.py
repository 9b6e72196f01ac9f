"""What the senders do: sign a body. For the stand-ins, the sample events and the tests; never packaged."""

import base64
import hmac


def sign_stripe(body: bytes, secret: str, at: int, *others: str) -> str:
    """
    The value of `Stripe-Signature`, as Stripe makes it with one active secret, or with the *others* that are active too
    while one is rolled. *at* is in Unix seconds.
    """
    return ",".join([f"t={at}", *(f"v1={_digest(body, one.encode(), at).hex()}" for one in (secret, *others))])


def sign_fastio_pair(body: bytes, secret: str | bytes, at: int) -> dict[str, str]:
    """The headers of Fast.io's pair scheme. Give the key's bytes where *secret* is hex or base64."""
    return {
        "X-Fastio-Signature": f"sha256={_digest(body, _key(secret), at).hex()}",
        "X-Timestamp": str(at),
    }


def sign_fastio_single(body: bytes, secret: str | bytes, at: int) -> dict[str, str]:
    """The header of Fast.io's single-header scheme. Give the key's bytes where *secret* is hex or base64."""
    signature = base64.b64encode(_digest(body, _key(secret), at)).decode()
    return {"Fastio-Signature": f"t={at},v1={signature}"}


def _key(secret: str | bytes) -> bytes:
    return secret.encode() if isinstance(secret, str) else secret


def _digest(body: bytes, key: bytes, at: int) -> bytes:
    return hmac.digest(key, b"%d.%b" % (at, body), "sha256")
