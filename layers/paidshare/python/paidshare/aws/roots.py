"""
Whose certificates are trusted when AWS is called: one TLS context for all connections of a process.

AWS's endpoints have certificates of Amazon Trust Services, whose five roots (amazontrust.com/repository) are read in a
millisecond; all roots that Mozilla knows, which boto3 reads for each connection, take twenty.
"""

import ssl
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

AMAZON_S = Path(__file__).with_name("amazon_roots.pem")


def contexts(environ: Mapping[str, str]) -> Iterator[ssl.SSLContext]:
    """
    Each to be tried when the one before does not know who is there.

    `AWS_CA_BUNDLE` and `REQUESTS_CA_BUNDLE`, a file, are the only ones to be trusted when they are set, as with boto3.
    """
    if said := environ.get("AWS_CA_BUNDLE") or environ.get("REQUESTS_CA_BUNDLE"):
        yield context(said)
        return
    yield context(str(AMAZON_S))
    import certifi  # noqa: PLC0415

    yield context(certifi.where())


@cache
def context(file: str) -> ssl.SSLContext:
    """That trusts the roots in *file* alone. As strict as boto3's: names are checked, and TLS is 1.2 or newer."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(file)
    return made


@cache
def everybody_s() -> ssl.SSLContext:
    """That trusts all whom Mozilla trusts, as Python's default does: for who talks to others than AWS, too."""
    import certifi  # noqa: PLC0415

    return ssl.create_default_context(cafile=certifi.where())


def sharing[T](client: T, tls: ssl.SSLContext, *, environ: Mapping[str, str]) -> T:
    """
    boto3's *client*, with *tls* for all of its connections: by itself it reads every authority anew for each, which
    takes more time than the call. Where *environ* says whom to trust instead, it stays as it is.

    botocore offers no other way in; tests/contract/test_one_context.py tells when these are called something else.
    """
    if environ.get("AWS_CA_BUNDLE") or environ.get("REQUESTS_CA_BUNDLE"):
        return client
    http: Any = client._endpoint.http_session  # type: ignore[attr-defined]  # noqa: SLF001
    http._get_ssl_context = lambda: tls  # noqa: SLF001
    http._manager.connection_pool_kw["ssl_context"] = tls  # noqa: SLF001
    http._setup_ssl_cert = _checked  # noqa: SLF001
    return client


def _checked(connections: Any, _url: str, _verify: object) -> None:
    """What botocore tells of each connection: no file of authorities, since the context has them."""
    connections.cert_reqs, connections.ca_certs = "CERT_REQUIRED", None
