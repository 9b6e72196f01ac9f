"""
Whose certificates are trusted when AWS is called: one TLS context for all connections of a process.

AWS's endpoints have certificates of Amazon Trust Services, whose five roots (amazontrust.com/repository) are read in a
millisecond; all roots that Mozilla knows, which boto3 reads for each connection, take twenty.
"""

import ssl
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

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
