"""
AWS Signature Version 4 of one request, in the `Authorization` header. Pure.

The rules: docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. Receive signs for itself,
because botocore's signer brings nearly all of botocore along (docs/decisions/0043).
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Keys:
    """Who signs. `token` goes with keys that expire, as Lambda's do; empty with others."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a signature is good for: one service in one region."""

    region: str
    service: str


def signed(
    headers: Mapping[str, str],
    body: bytes,
    *,
    keys: Keys,
    scope: Scope,
    moment: datetime,
    method: str = "POST",
    path: str = "/",
    query: str = "",
) -> dict[str, str]:
    """
    *headers* (`host` among them, names in lower case), and those that prove who sends them with *body*.

    *moment* is in UTC; *path* and *query* are in their canonical form. What is not to be signed is added afterwards.
    """
    timestamp = f"{moment:%Y%m%dT%H%M%SZ}"
    token = {"x-amz-security-token": keys.token} if keys.token else {}
    sent = {**headers, "x-amz-date": timestamp, **token}
    names = sorted(sent)
    lines = (
        method,
        path,
        query,
        *(f"{name}:{' '.join(sent[name].split())}" for name in names),
        "",
        ";".join(names),
        hashlib.sha256(body).hexdigest(),
    )
    goal = f"{timestamp[:8]}/{scope.region}/{scope.service}/aws4_request"
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    told = f"AWS4-HMAC-SHA256\n{timestamp}\n{goal}\n{digest}".encode()
    signature = hmac.digest(signing_key(keys.secret_key, timestamp[:8], scope), told, "sha256").hex()
    credential = f"{keys.access_key}/{goal}"
    return sent | {
        "authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={lines[-2]}, Signature={signature}"
    }


@lru_cache(maxsize=8)
def signing_key(secret_key: str, date: str, scope: Scope) -> bytes:
    """The key of one day (*date*: `20261201`), which signs nothing outside of *scope*."""
    key = f"AWS4{secret_key}".encode()
    for part in (date, scope.region, scope.service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
